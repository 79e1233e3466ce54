"""Entity lists and entities over HTTP, as ODK Central's clients ask for them; merges and candidates, which are ours."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from server.actions import reviews
from tests.helpers import samples
from tests.server.api.clients import Client, client, refused, said
from tests.server.desk import Desk
from tests.server.entities.trees import CREATES, LIST, Trees, creation, update, uuid_of
from tests.server.wire import Wire, to_app

HERE = f"/datasets/{LIST}"
ALL = f"{HERE}/entities"


# --------------------------------------------------------------------------- lists


def test_lists_are_told_with_the_forms_that_write_and_read_them(forest: Trees, admin: Client):
    forest.send(creation(1))

    [listed] = admin.json("/datasets", X_Extended_Metadata="true")
    told = admin.json(HERE)

    assert (listed["name"], listed["entities"], listed["conflicts"], listed["projectId"]) == (LIST, 1, 0, 1)
    assert {form["xmlFormId"] for form in told["sourceForms"]} == {
        "arbol_registro",
        "arbol_seguimiento",
        "arbol_upsert",
    }
    assert {form["xmlFormId"] for form in told["linkedForms"]} == {"arbol_seguimiento", "arbol_upsert"}
    properties = {
        one["name"]: (one["type"], {form["xmlFormId"] for form in one["forms"]})
        for one in admin.json(f"{HERE}/properties")
    }
    assert properties["circunferencia"] == ("int", {"arbol_registro", "arbol_seguimiento"})
    assert (told["approvalRequired"], told["ownerOnly"], "accessFilter" in told) == (False, False, False)


def test_a_list_is_made_and_given_properties_and_forms_find_it(desk: Desk, admin: Client, phone: Wire):
    said(admin, "POST", "/datasets", {"name": LIST})
    said(admin, "POST", f"{HERE}/properties", {"name": "altura"})
    desk.publish(samples.tree_follow_up().xform)

    told = admin.json(HERE)
    assert [one["name"] for one in told["properties"]] == ["altura", "circunferencia", "estado"]
    assert phone.get("/forms/arbol_seguimiento/manifest").content.count(b"integrityUrl") == 2
    refused(admin, "POST", "/datasets", {"name": LIST}, 409.3)
    refused(admin, "POST", "/datasets", {"name": "Arboles"}, 409.16)
    refused(admin, "POST", "/datasets", {"name": "a.b"}, 400.8)
    refused(admin, "POST", f"{HERE}/properties", {"name": "Altura"}, 409.3)
    refused(admin, "POST", f"{HERE}/properties", {"name": "label"}, 400.8)


def test_a_form_whose_names_differ_in_capitals_alone_is_refused(desk: Desk, admin: Client):
    said(admin, "POST", "/datasets", {"name": "ARBOLES"})
    refusal = pytest.raises(Exception, match="capitalization")
    with refusal:
        desk.publish(samples.tree_registration().xform)
    said(admin, "DELETE", "/datasets/ARBOLES")
    said(admin, "POST", "/datasets", {"name": LIST})
    said(admin, "POST", f"{HERE}/properties", {"name": "Especie"})

    with refusal:
        desk.publish(samples.tree_registration().xform)


def test_a_list_in_use_is_not_deleted(forest: Trees, admin: Client):
    refused(admin, "DELETE", HERE, None, 409.21)


def test_approval_given_up_asks_what_becomes_of_those_who_wait(forest: Trees, admin: Client):
    said(admin, "PATCH", HERE, {"approvalRequired": True})
    forest.send(creation(1), creation(2))
    forest.desk.act(lambda ctx: reviews.review(ctx, 1, CREATES, "uuid:create-2", "rejected"))

    assert refused(admin, "PATCH", HERE, {"approvalRequired": False}, 400.29)["details"] == {"count": 1}
    said(admin, "PATCH", f"{HERE}?convert=true", {"approvalRequired": False})

    assert [one["uuid"] for one in admin.json(ALL)] == [uuid_of(1)]


def test_access_filters_are_rules_over_the_properties_of_app_users(forest: Trees, admin: Client):
    actor = forest.desk.app_user("Uno")
    forest.send(creation(1), creation(2, especie="pino"))
    rules = [{"datasetProperty": "especie", "actorProperty": "especies"}]
    refused(admin, "PATCH", HERE, {"accessFilter": {"type": "property", "rules": rules}}, 400.8)

    said(admin, "POST", "/actor-properties", {"name": "especies"})
    made = said(admin, "PATCH", HERE, {"accessFilter": {"type": "property", "rules": rules}})
    values = said(admin, "PATCH", f"/app-users/{actor.id}", {"properties": {"especies": "pino"}})

    assert made["accessFilter"] == {"type": "property", "rules": rules}
    assert values["properties"] == {"especies": "pino"}
    assert admin.json("/actor-properties", X_Extended_Metadata="true") == [{"name": "especies", "values": ["pino"]}]
    mine = Wire(forest.phone.send, f"/v1/key/{actor.display_name}/projects/1")
    assert mine.get(f"/forms/arbol_seguimiento/attachments/{LIST}.csv").content.count(b"\n") == 2
    assert said(admin, "PATCH", HERE, {"accessFilter": {"type": "ownerOnly"}})["accessFilter"] == {"type": "ownerOnly"}
    assert "accessFilter" not in said(admin, "PATCH", HERE, {"accessFilter": None})
    for wrong in ({"type": "x"}, {"type": "property", "rules": []}, {"type": "property", "rules": [{}]}):
        refused(admin, "PATCH", HERE, {"accessFilter": wrong}, 400.8)
    refused(admin, "PATCH", f"/app-users/{actor.id}", {"properties": {"otra": "x"}}, 400.8)
    refused(admin, "PATCH", "/app-users/999", {"properties": {}}, 404.1)


# --------------------------------------------------------------------------- entities


def test_an_entity_is_created_read_changed_and_its_history_told(forest: Trees, admin: Client):
    made = said(admin, "POST", ALL, {"label": "Ceibo", "data": {"especie": "ceibo"}})
    place = f"{ALL}/{made['uuid']}"

    changed = said(admin, "PATCH", f"{place}?baseVersion=1", {"data": {"estado": "sano"}})

    assert made["currentVersion"]["data"] == {"especie": "ceibo"}
    assert (changed["currentVersion"]["version"], changed["currentVersion"]["label"]) == (2, "Ceibo")
    assert changed["currentVersion"]["data"] == {"especie": "ceibo", "estado": "sano"}
    assert changed["currentVersion"]["dataReceived"] == {"estado": "sano"}
    refused(admin, "PATCH", f"{place}?baseVersion=1", {"data": {"estado": "x"}}, 409.15)
    said(admin, "PATCH", f"{place}?force=true", {"label": "Ceibo viejo"})
    versions = admin.json(f"{place}/versions")
    assert [(one["version"], one["current"], one["conflict"]) for one in versions] == [
        (1, False, None),
        (2, False, None),
        (3, True, None),
    ]
    assert admin.json(f"{place}/diffs") == [
        [{"propertyName": "estado", "new": "sano"}],
        [{"propertyName": "label", "old": "Ceibo", "new": "Ceibo viejo"}],
    ]
    assert "currentVersion" in admin.json(place)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"data": {}}, 400.2),
        ({"label": " ", "data": {}}, 400.8),
        ({"label": "x", "data": {"altura": "3"}}, 400.28),
        ({"label": "x", "data": {"especie": 3}}, 400.11),
        ({"label": "x", "uuid": "y", "data": {}}, 400.11),
        ({"label": "x", "uuid": uuid_of(1), "data": {}}, 409.3),
        ({"label": "x", "uuid": uuid_of(2), "data": {}}, 409.19),
        ({"entities": [], "source": {"name": "a.csv"}}, 400.31),
        ({"entities": [{"label": "x"}]}, 400.2),
        ({"entities": [{"label": "x"}, {"label": "y", "data": {"altura": "1"}}], "source": {"name": "a"}}, 400.28),
        ({"entities": [{"label": "x", "uuid": uuid_of(7)}] * 2, "source": {"name": "a"}}, 409.3),
    ],
)
def test_what_cannot_be_an_entity_is_refused_whole(forest: Trees, admin: Client, body: dict[str, Any], code: float):
    forest.send(creation(1), creation(2))
    said(admin, "DELETE", f"{ALL}/{uuid_of(2)}")

    refused(admin, "POST", ALL, body, code)

    assert [one["uuid"] for one in admin.json(ALL)] == [uuid_of(1)]


def test_many_are_created_at_once(forest: Trees, admin: Client):
    entities = [{"label": f"Árbol {n}", "uuid": uuid_of(n), "data": {"especie": "cedro"}} for n in range(1, 60)]

    said(admin, "POST", ALL, {"entities": entities, "source": {"name": "arboles.csv", "size": 100}})

    assert {one["uuid"] for one in admin.json(ALL)} == {uuid_of(n) for n in range(1, 60)}
    assert "entity.bulk.create" in forest.desk.audited()


def test_deleted_entities_are_gone_and_come_back(forest: Trees, admin: Client):
    forest.send(*(creation(n) for n in (1, 2, 3)))

    assert said(admin, "POST", f"{ALL}/bulk-delete", {"ids": [uuid_of(1), uuid_of(2), uuid_of(9)]}) == {"count": 2}
    refused(admin, "GET", f"{ALL}/{uuid_of(1)}", None, 404.1)
    assert {one["uuid"] for one in admin.json(f"{ALL}?deleted=true")} == {uuid_of(1), uuid_of(2)}
    said(admin, "POST", f"{ALL}/{uuid_of(1)}/restore")
    assert said(admin, "POST", f"{ALL}/bulk-restore", {"ids": [uuid_of(2)]}) == {"count": 1}
    assert len(admin.json(ALL)) == 3
    refused(admin, "POST", f"{ALL}/{uuid_of(1)}/restore", None, 404.1)


def test_a_conflict_is_told_shown_and_resolved(forest: Trees, admin: Client):
    forest.send(
        creation(1),
        update(1, 1, sent="uuid:a", branch=5, trunk=1, circunferencia="31"),
        update(1, 1, sent="uuid:b", branch=6, trunk=1, circunferencia="32"),
    )
    place = f"{ALL}/{uuid_of(1)}"

    assert admin.json(place)["conflict"] == "hard"
    assert len(admin.json(f"{ALL}?conflict=true")) == 1
    last = admin.json(f"{place}/versions")[-1]
    assert (last["conflict"], last["conflictingProperties"], last["baseDiff"], last["serverDiff"]) == (
        "hard",
        ["circunferencia"],
        ["circunferencia"],
        ["circunferencia"],
    )
    assert [one["version"] for one in admin.json(f"{place}/versions?relevantToConflict=true")] == [1, 2, 3]
    said(admin, "PATCH", f"{place}?resolve=true&baseVersion=3")
    assert admin.json(place)["conflict"] is None
    assert admin.json(f"{place}/versions")[-1]["resolved"] is True
    refused(admin, "PATCH", f"{place}?resolve=true&baseVersion=3", None, 400.32)


def test_the_csv_has_every_property_and_what_is_known(forest: Trees, admin: Client):
    forest.send(creation(1, especie="=cmd|x"), update(1, 1, sent="uuid:u", estado="sano"))

    [line] = admin.lines(f"{HERE}/entities.csv")

    assert (line["__id"], line["especie"], line["estado"]) == (uuid_of(1), "'=cmd|x", "sano")
    assert (line["__updates"], line["__version"]) == ("1", "2")


def test_what_submissions_did_not_get_is_listed(forest: Trees, admin: Client):
    forest.send(creation(1), creation(1, sent="uuid:again"), update(5, 3, sent="uuid:held", branch=9))

    listed = {one["instanceId"]: one for one in admin.json("/entity-receipts")}

    assert {key: one["outcome"] for key, one in listed.items()} == {"uuid:again": "failed", "uuid:held": "held"}
    assert listed["uuid:again"]["problem"]["code"] == 409.3


def test_candidates_and_merges_over_http(forest: Trees, admin: Client):
    forest.send(creation(1, especie="Cedro"), creation(2, especie="Sedro"), creation(3, especie="Cedro"))

    found = admin.json(f"{HERE}/duplicates?names=especie")
    made = said(
        admin, "POST", f"{HERE}/merges", {"survivor": uuid_of(1), "absorbed": uuid_of(2), "reason": "es el mismo"}
    )
    said(admin, "POST", f"{HERE}/duplicates/distinct", {"entities": [uuid_of(1), uuid_of(3)]})

    assert len(found["candidates"]) == 3
    assert admin.json(f"{HERE}/duplicates?names=especie")["candidates"] == []
    assert [one["absorbed"] for one in admin.json(f"{HERE}/merges")] == [uuid_of(2)]
    refused(admin, "POST", f"{ALL}/{uuid_of(2)}/restore", None, 409.90)
    said(admin, "POST", f"{HERE}/merges/{made['id']}/undo", {"reason": "no era"})
    assert len(admin.json(ALL)) == 3


# --------------------------------------------------------------------------- rights


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/datasets", {"name": "otra"}),
        ("PATCH", HERE, {"approvalRequired": True}),
        ("DELETE", HERE, None),
        ("POST", f"{HERE}/properties", {"name": "altura"}),
        ("POST", ALL, {"label": "x", "data": {}}),
        ("PATCH", f"{ALL}/{uuid_of(1)}?force=true", {"label": "x"}),
        ("DELETE", f"{ALL}/{uuid_of(1)}", None),
        ("POST", f"{ALL}/{uuid_of(1)}/restore", None),
        ("POST", f"{ALL}/bulk-delete", {"ids": [uuid_of(1)]}),
        ("POST", "/actor-properties", {"name": "x"}),
        ("GET", "/entity-receipts", None),
        ("GET", f"{HERE}/duplicates", None),
        ("GET", f"{HERE}/merges", None),
        ("POST", f"{HERE}/duplicates/distinct", {"entities": [uuid_of(1), uuid_of(2)]}),
        ("POST", f"{HERE}/merges", {"survivor": uuid_of(1), "absorbed": uuid_of(2), "reason": "x"}),
    ],
)
def test_viewers_and_collectors_change_nothing_and_learn_no_ids(
    forest: Trees, app: Flask, method: str, path: str, body: dict[str, Any] | None
):
    forest.send(creation(1), creation(2))

    for role in ("viewer", "formfill"):
        refused(client(forest.desk, to_app(app), role), method, path, body, 403.1)

    assert forest.get(1).version == 1

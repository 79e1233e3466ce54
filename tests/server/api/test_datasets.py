"""Entity lists over HTTP, as ODK Central's clients ask for them: shapes, codes, rights."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from server.actions import reviews
from server.model.audits import audits
from tests.helpers import samples
from tests.server.api.clients import Client, client, refused, said
from tests.server.desk import PROJECT, Desk
from tests.server.entities.trees import CREATES, LIST, UPDATES, Trees, creation, update, uuid_of
from tests.server.wire import to_app

HERE = f"/datasets/{LIST}"
ALL = f"{HERE}/entities"
SYSTEM = ["createdAt", "deletedAt", "lastUpdate"]


def last_line(desk: Desk, action: str) -> dict[str, Any] | None:
    """The details of the last line of the audit about an action."""
    found: dict[str, Any] | None = desk.look(
        lambda conn: conn.execute(
            select(audits.c.details).where(audits.c.action == action).order_by(audits.c.id.desc()).limit(1)
        ).scalar()
    )
    return found


def test_a_new_list_is_told_as_central_tells_it(desk: Desk, admin: Client):
    told = said(admin, "POST", "/datasets", {"name": "fincas"})

    assert {name: value for name, value in told.items() if name not in SYSTEM} == {
        "name": "fincas",
        "projectId": PROJECT,
        "approvalRequired": False,
        "ownerOnly": False,
        "properties": [],
        "linkedForms": [],
        "sourceForms": [],
        "draftLinkedForms": [],
        "draftSourceForms": [],
    }
    assert (told["deletedAt"], told["lastUpdate"]) == (None, told["createdAt"])
    assert last_line(desk, "dataset.create") == {"properties": []}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Unexpected name value undefined; This is not a valid dataset name."),
        ({"name": None}, "Unexpected name value null; This is not a valid dataset name."),
        ({"name": "__no"}, "Unexpected name value __no; This is not a valid dataset name."),
        ({"name": 7}, "Unexpected name value 7; This is not a valid dataset name."),
    ],
)
def test_a_list_that_cannot_be_called_so_is_refused_in_central_s_words(
    admin: Client, body: dict[str, Any], message: str
):
    assert refused(admin, "POST", "/datasets", body, 400.8)["message"] == message


def test_a_name_that_is_taken_says_so_with_the_project(admin: Client):
    said(admin, "POST", "/datasets", {"name": "fincas"})

    told = refused(admin, "POST", "/datasets", {"name": "fincas"}, 409.3)

    assert told["message"] == f"A resource already exists with name,projectId value(s) of fincas,{PROJECT}."
    assert told["details"] == {"fields": ["name", "projectId"], "values": ["fincas", PROJECT]}


def test_metadata_name_the_forms_of_every_kind(forest: Trees, admin: Client):
    forest.desk.draft(samples.tree_follow_up().xform.replace(b'" version="1">', b'" version="2">'))

    told = admin.json(HERE)

    assert [one["xmlFormId"] for one in told["linkedForms"]] == [UPDATES, "arbol_upsert"]
    assert [one["xmlFormId"] for one in told["sourceForms"]] == [CREATES, UPDATES, "arbol_upsert"]
    assert [one["xmlFormId"] for one in told["draftSourceForms"]] == [UPDATES]
    assert [one["xmlFormId"] for one in told["draftLinkedForms"]] == [UPDATES]
    assert "entities" not in told
    [first, *_] = told["properties"]
    assert list(first) == ["name", "odataName", "publishedAt", "forms"]
    types = {one["name"]: one["type"] for one in admin.json(f"{HERE}/properties")}
    assert types == {"especie": "string", "geometry": "geopoint", "circunferencia": "int", "estado": "string"}


def test_extended_metadata_count_living_entities_and_conflicts(forest: Trees, admin: Client):
    forest.send(creation(1), creation(2), creation(3))
    forest.send(
        update(1, 1, sent="uuid:a", branch=5, trunk=1, circunferencia="31"),
        update(1, 1, sent="uuid:b", branch=6, trunk=1, circunferencia="32"),
    )
    said(admin, "POST", "/datasets", {"name": "fincas"})
    said(admin, "DELETE", f"{ALL}/{uuid_of(3)}")

    listed = {one["name"]: one for one in admin.json("/datasets", X_Extended_Metadata="true")}
    told = admin.json(HERE, X_Extended_Metadata="true")

    assert [(one["entities"], one["conflicts"]) for one in (listed[LIST], told)] == [(2, 1), (2, 1)]
    assert listed[LIST]["lastEntity"] == admin.json(f"{ALL}/{uuid_of(2)}")["createdAt"]
    assert (listed["fincas"]["entities"], listed["fincas"]["lastEntity"]) == (0, None)
    assert "entities" not in admin.json("/datasets")[0]


def test_the_last_update_follows_the_entities(forest: Trees, admin: Client):
    before = admin.json(HERE)["lastUpdate"]
    forest.send(creation(1))
    created = admin.json(HERE)["lastUpdate"]
    said(admin, "DELETE", f"{ALL}/{uuid_of(1)}")

    assert before < created < admin.json(HERE)["lastUpdate"]


# --------------------------------------------------------------------------- changes


def test_a_filter_is_told_to_the_audit_in_central_s_words(desk: Desk, admin: Client):
    said(admin, "POST", "/datasets", {"name": "fincas"})
    said(admin, "POST", "/datasets/fincas/properties", {"name": "region"})
    said(admin, "POST", "/actor-properties", {"name": "region"})
    rules = {"type": "property", "rules": [{"datasetProperty": "region", "actorProperty": "region"}]}

    for body, data in (
        ({"accessFilter": rules}, {"ownerOnly": False, "accessFilter": rules}),
        ({"accessFilter": {"type": "ownerOnly"}}, {"ownerOnly": True, "accessFilter": {"type": "ownerOnly"}}),
        ({"accessFilter": None}, {"ownerOnly": False, "accessFilter": None}),
        ({"approvalRequired": True, "ownerOnly": True}, {"approvalRequired": True, "ownerOnly": True}),
    ):
        said(admin, "PATCH", "/datasets/fincas", body)
        assert last_line(desk, "dataset.update") == {"data": data}


def test_what_says_nothing_changes_nothing(forest: Trees, admin: Client):
    before = forest.dataset

    told = said(admin, "PATCH", HERE, {"name": "otra", "lo": "que sea"})

    assert told["name"] == LIST
    assert forest.dataset == before
    assert forest.desk.audited().count("dataset.update") == 1  # that of the second form


def test_central_s_former_word_leaves_rules_unless_it_takes_their_place(desk: Desk, admin: Client):
    said(admin, "POST", "/datasets", {"name": "fincas"})
    said(admin, "POST", "/datasets/fincas/properties", {"name": "region"})
    said(admin, "POST", "/actor-properties", {"name": "region"})
    rule = {"datasetProperty": "region", "actorProperty": "region"}
    said(admin, "PATCH", "/datasets/fincas", {"accessFilter": {"type": "property", "rules": [rule, rule]}})

    assert said(admin, "PATCH", "/datasets/fincas", {"ownerOnly": False})["accessFilter"]["rules"] == [rule]
    assert said(admin, "PATCH", "/datasets/fincas", {"ownerOnly": True})["accessFilter"] == {"type": "ownerOnly"}
    assert "accessFilter" not in said(admin, "PATCH", "/datasets/fincas", {"ownerOnly": False})


@pytest.mark.parametrize("body", [{"approvalRequired": "yes"}, {"ownerOnly": 1}, {"accessFilter": "x"}])
def test_what_is_no_setting_is_refused(forest: Trees, admin: Client, body: dict[str, Any]):
    refused(admin, "PATCH", HERE, body, 400.8)
    refused(admin, "PATCH", f"{HERE}?convert=quizas", {}, 400.8)


def test_those_who_wait_can_be_left_and_made_later(forest: Trees, admin: Client):
    said(admin, "PATCH", HERE, {"approvalRequired": True})
    forest.send(creation(1), creation(2))
    forest.desk.act(lambda ctx: reviews.review(ctx, PROJECT, CREATES, "uuid:create-2", "hasIssues"))

    said(admin, "PATCH", f"{HERE}?convert=false", {"approvalRequired": False})
    assert admin.json(ALL) == []
    assert last_line(forest.desk, "dataset.update") == {"data": {"approvalRequired": False}, "autoConvert": False}
    assert refused(admin, "PATCH", HERE, {"approvalRequired": False}, 400.29)["details"] == {"count": 2}
    said(admin, "PATCH", f"{HERE}?convert=true", {"approvalRequired": False})

    assert {one["uuid"] for one in admin.json(ALL)} == {uuid_of(1), uuid_of(2)}
    said(admin, "PATCH", HERE, {"approvalRequired": False})


# --------------------------------------------------------------------------- properties


def test_a_property_that_somebody_uses_stays_and_says_who_does(forest: Trees, admin: Client):
    forest.send(creation(1, especie="cedro"), creation(2, especie="pino"))

    told = refused(admin, "DELETE", f"{HERE}/properties/especie", None, 409.22)

    assert told["message"] == 'Prerequisites for deleting the property "especie" are not met.'
    assert told["details"]["prerequisites"] == {
        "dependentForms": {
            "message": "You can't delete this property because there are Form(s) writing to it",
            "details": {
                "forms": [
                    {"formName": admin.json(HERE)["sourceForms"][0]["name"], "xmlFormId": CREATES},
                    {"formName": admin.json(HERE)["sourceForms"][2]["name"], "xmlFormId": "arbol_upsert"},
                ]
            },
        },
        "nonEmptyEntities": {
            "message": (
                "You can't delete this property because there are Entity(ies) with the non-empty value for the 'especie'"
            ),
            "details": {
                "totalCount": 2,
                "entities": [{"uuid": uuid_of(1), "label": "cedro 30"}, {"uuid": uuid_of(2), "label": "pino 30"}],
            },
        },
    }


def test_a_property_that_nobody_uses_goes_and_may_come_back(desk: Desk, admin: Client):
    said(admin, "POST", "/datasets", {"name": "fincas"})
    said(admin, "POST", "/datasets/fincas/properties", {"name": "altura"})
    said(admin, "POST", "/actor-properties", {"name": "altura"})
    said(admin, "POST", "/datasets/fincas/entities", {"label": "x", "data": {"altura": " "}})
    rules = [{"datasetProperty": "altura", "actorProperty": "altura"}]
    said(admin, "PATCH", "/datasets/fincas", {"accessFilter": {"type": "property", "rules": rules}})

    stays = refused(admin, "DELETE", "/datasets/fincas/properties/altura", None, 409.22)
    assert list(stays["details"]["prerequisites"]) == ["accessFilter"]
    said(admin, "PATCH", "/datasets/fincas", {"accessFilter": None})
    said(admin, "DELETE", "/datasets/fincas/properties/altura")

    assert admin.json("/datasets/fincas")["properties"] == []
    assert last_line(desk, "dataset.update.property.delete") == {"properties": ["altura"]}
    refused(admin, "DELETE", "/datasets/fincas/properties/altura", None, 404.1)
    said(admin, "POST", "/datasets/fincas/properties", {"name": "altura"})


def test_a_property_that_is_there_says_so_as_it_is_written(admin: Client):
    said(admin, "POST", "/datasets", {"name": "fincas"})
    said(admin, "POST", "/datasets/fincas/properties", {"name": "altura"})

    told = refused(admin, "POST", "/datasets/fincas/properties", {"name": "ALTURA"}, 409.3)

    assert told["message"].startswith("A resource already exists with name,datasetId value(s) of altura,")
    refused(admin, "POST", "/datasets/fincas/properties", {}, 400.8)


# --------------------------------------------------------------------------- put away


def test_a_list_in_use_says_by_whom(forest: Trees, admin: Client):
    told = refused(admin, "DELETE", HERE, None, 409.21)

    assert set(told["details"]) == {"sourceForms", "linkedForms", "draftSourceForms", "draftLinkedForms"}
    assert {one["xmlFormId"] for one in told["details"]["linkedForms"]} == {UPDATES, "arbol_upsert"}


def test_a_draft_holds_a_list_too(desk: Desk, admin: Client):
    said(admin, "POST", "/datasets", {"name": LIST})
    desk.draft(samples.tree_registration().xform)

    refused(admin, "DELETE", HERE, None, 409.21)


def test_a_list_that_was_put_away_is_listed_apart_and_its_name_is_free(desk: Desk, admin: Client):
    said(admin, "POST", "/datasets", {"name": "fincas"})
    said(admin, "DELETE", "/datasets/fincas")

    refused(admin, "GET", "/datasets/fincas", None, 404.1)
    assert admin.json("/datasets") == []
    [gone] = admin.json("/datasets?deleted=true")
    assert gone["name"] == "fincas"
    assert gone["deletedAt"] is not None
    assert isinstance(gone["id"], int)
    said(admin, "POST", "/datasets", {"name": "fincas"})
    assert "id" not in admin.json("/datasets")[0]


# --------------------------------------------------------------------------- app users


def test_values_of_an_app_user_are_set_and_unset(desk: Desk, admin: Client):
    actor = desk.app_user("Uno")
    for name in ("region", "equipo"):
        said(admin, "POST", "/actor-properties", {"name": name})

    first = said(admin, "PATCH", f"/app-users/{actor.id}", {"properties": {"region": " norte ", "equipo": "a"}})
    assert first["properties"] == {"region": "norte", "equipo": "a"}
    assert (first["id"], first["type"], first["displayName"]) == (actor.id, "field_key", "Uno")
    assert first["createdBy"]["displayName"] == "Coordinación"
    second = said(admin, "PATCH", f"/app-users/{actor.id}", {"properties": {"region": "", "equipo": None}})

    assert second["properties"] is None
    assert last_line(desk, "field_key.property.set") == {
        "actorId": actor.id,
        "properties": {"region": None, "equipo": None},
    }
    said(admin, "PATCH", f"/app-users/{actor.id}", {})
    assert desk.audited().count("field_key.property.set") == 2
    refused(admin, "PATCH", f"/app-users/{actor.id}", {"properties": {"region": "sur", "otra": "x"}}, 400.8)
    refused(admin, "PATCH", f"/app-users/{actor.id}", {"properties": {"region": 7}}, 400.8)
    assert admin.json("/actor-properties", X_Extended_Metadata="true") == [
        {"name": "equipo", "values": []},
        {"name": "region", "values": []},
    ]


@pytest.mark.parametrize("name", ["name", "__x", "displayName", None, ""])
def test_what_cannot_be_a_property_of_an_app_user_is_refused(desk: Desk, admin: Client, name: str | None):
    refused(admin, "POST", "/actor-properties", {"name": name}, 400.8)


def test_a_property_of_app_users_is_there_once(desk: Desk, admin: Client):
    said(admin, "POST", "/actor-properties", {"name": "region"})

    refused(admin, "POST", "/actor-properties", {"name": "region"}, 409.3)
    assert last_line(desk, "actor_property.create") == {"name": "region"}


# --------------------------------------------------------------------------- rights


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/datasets", {"viewer"}),
        ("GET", HERE, {"viewer"}),
        ("GET", f"{HERE}/properties", {"viewer"}),
        ("GET", "/actor-properties", {"viewer"}),
        ("POST", "/datasets", set()),
        ("PATCH", HERE, set()),
        ("DELETE", HERE, set()),
        ("POST", f"{HERE}/properties", set()),
        ("DELETE", f"{HERE}/properties/especie", set()),
        ("POST", "/actor-properties", set()),
        ("PATCH", "/app-users/2", set()),
    ],
)
def test_rights_come_before_what_is_said(forest: Trees, app: Flask, method: str, path: str, allowed: set[str]):
    for role in ("viewer", "formfill", "none"):
        who = client(forest.desk, to_app(app), role)
        told = who.ask(path, method, b"")
        assert told.status == (200 if role in allowed else 403), (role, told.content)
    assert Client(to_app(app)).ask(path, method, b"").status == 401


def test_managers_may_do_all_of_it(desk: Desk, app: Flask):
    manager = client(desk, to_app(app), "manager")

    said(manager, "POST", "/datasets", {"name": "fincas"})
    said(manager, "POST", "/datasets/fincas/properties", {"name": "altura"})
    said(manager, "PATCH", "/datasets/fincas", {"approvalRequired": True})
    said(manager, "DELETE", "/datasets/fincas/properties/altura")
    said(manager, "DELETE", "/datasets/fincas")
    said(manager, "POST", "/actor-properties", {"name": "region"})
    said(manager, "PATCH", f"/app-users/{desk.app_user('Uno').id}", {"properties": {"region": "sur"}})


def test_the_list_of_lists_asks_the_database_as_often_for_many(desk: Desk, admin: Client):
    def asked() -> int:
        seen: list[str] = []

        def note(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(desk.office.database.engine, "before_cursor_execute", note)
        admin.json("/datasets", X_Extended_Metadata="true")
        event.remove(desk.office.database.engine, "before_cursor_execute", note)
        return len(seen)

    said(admin, "POST", "/datasets", {"name": "uno"})
    one = asked()
    for name in ("dos", "tres"):
        said(admin, "POST", "/datasets", {"name": name})

    assert asked() == one > 0

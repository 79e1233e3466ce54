"""Entities on the wire as ODK Central has them: shapes, words, codes, the audit, where versions came from."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from server.actions import reviews
from tests.server.api.clients import Client, client, refused, said
from tests.server.desk import PROJECT
from tests.server.entities.trees import CREATES, LIST, UPDATES, Trees, creation, update, uuid_of
from tests.server.wire import to_app

HERE = f"/datasets/{LIST}"
ALL = f"{HERE}/entities"
AGENT = "central/tests"
VERSION = {
    *("label", "current", "creatorId", "userAgent", "version", "baseVersion", "conflictingProperties", "createdAt"),
    *("branchId", "trunkVersion", "branchBaseVersion"),
}
ENTITY = {"uuid", "createdAt", "updatedAt", "deletedAt", "creatorId", "conflict", "currentVersion"}


def actions(who: Client, number: int) -> list[str]:
    return [one["action"] for one in who.json(f"{ALL}/{uuid_of(number)}/audits")]


def test_an_entity_by_hand_has_central_s_shape(forest: Trees, admin: Client):
    made = said(
        admin,
        "POST",
        ALL,
        {"uuid": f"uuid:{uuid_of(1).upper()}", "label": "Ceibo", "data": {"especie": "ceibo"}},
        User_Agent=AGENT,
    )

    version = made["currentVersion"]
    assert set(made) == ENTITY
    assert set(version) == VERSION | {"data", "dataReceived"}
    assert made["uuid"] == uuid_of(1)
    assert made["creatorId"] == version["creatorId"] == forest.desk.admin.id
    assert (made["updatedAt"], made["deletedAt"], made["conflict"]) == (None, None, None)
    assert (version["userAgent"], version["version"], version["baseVersion"]) == (AGENT, 1, None)
    assert version["dataReceived"] == {"especie": "ceibo", "label": "Ceibo"}
    assert admin.json(f"{ALL}/uuid:{uuid_of(1)}") == made


def test_a_list_of_entities_has_versions_without_values_and_whoever_made_them(forest: Trees, admin: Client):
    forest.send(creation(1))
    said(admin, "PATCH", f"{ALL}/{uuid_of(1)}?baseVersion=1", {"label": "Otro"})

    [plain] = admin.json(ALL)
    [extended] = admin.json(ALL, X_Extended_Metadata="true")

    assert set(plain) == ENTITY
    assert set(plain["currentVersion"]) == VERSION
    assert (plain["currentVersion"]["label"], plain["currentVersion"]["version"]) == ("Otro", 2)
    assert set(extended["creator"]) == {"id", "type", "displayName", "createdAt", "updatedAt", "deletedAt"}
    assert (extended["creator"]["displayName"], extended["creator"]["type"]) == ("Teléfono 1", "field_key")
    assert extended["currentVersion"]["creator"]["displayName"] == "Coordinación"


def test_the_newest_comes_first_whatever_changes_later(forest: Trees, admin: Client):
    forest.send(creation(1), creation(2))
    said(admin, "PATCH", f"{ALL}/{uuid_of(1)}?force=true", {"data": {"estado": "x"}})

    assert [one["uuid"] for one in admin.json(ALL)] == [uuid_of(2), uuid_of(1)]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"broken": "json"}, 400.31, "Expected parameters: (label, uuid, data). Got (broken)."),
        ({"entities": [{"broken": "x"}]}, 400.31, "Expected parameters: (label, uuid, data). Got (broken)."),
        ({"entities": ["1", "2"]}, 400.31, "Expected parameters: (label, uuid, data). Got (0)."),
        ({"entities": "x"}, 400.31, "Expected parameters: (entities: [...]). Got (not an array)."),
        ({"entities": []}, 400.31, "Expected parameters: (entities: [...]). Got (empty array)."),
        ({"entities": [{"label": "x"}]}, 400.2, "Required parameter source missing."),
        ({"entities": [{"label": "x"}], "source": {}}, 400.2, "Required parameter source.name missing."),
        ({"label": ""}, 400.8, "Unexpected label value (empty string); Label cannot be blank."),
        ({"data": {}}, 400.2, "Required parameter label missing."),
        ({"label": 7}, 400.11, "Invalid input data type: expected (label) to be (string)"),
        (
            {"label": "x", "data": {"especie": None}},
            400.11,
            "Invalid input data type: expected (especie) to be (string)",
        ),
        (
            {"label": "x", "uuid": "no"},
            400.11,
            "Invalid input data type: expected (uuid) to be (valid version 4 UUID)",
        ),
        (
            {"label": "x", "data": {"color": "y"}},
            400.28,
            "The entity is invalid. You specified the dataset property [color] which does not exist.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_central_s_words(
    forest: Trees, admin: Client, body: dict[str, Any], code: float, message: str
):
    assert refused(admin, "POST", ALL, body, code)["message"] == message


def test_a_change_by_hand_is_told_whole(forest: Trees, admin: Client):
    forest.send(creation(1))
    place = f"{ALL}/{uuid_of(1)}"

    made = said(
        admin, "PATCH", f"{place}?force=true", {"data": {"estado": ""}}, User_Agent=AGENT, X_Action_Notes="por%20tel"
    )

    assert made["currentVersion"]["data"] == {"especie": "cedro", "circunferencia": "30", "estado": ""}
    assert made["currentVersion"]["dataReceived"] == {"estado": ""}
    assert made["currentVersion"]["creatorId"] != made["creatorId"]
    assert made["currentVersion"]["userAgent"] == AGENT
    assert made["updatedAt"] is not None
    assert admin.json(f"{place}/audits")[0]["notes"] == "por tel"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("", {"label": "x"}, 409.15),
        ("?baseVersion=0", {"label": "x"}, 409.15),
        ("?baseVersion=1", {}, 400.28),
        ("?force=true", {"label": " "}, 400.8),
        ("?force=true", {"data": {"estado": None}}, 400.11),
        ("?force=true", {"data": {"color": "x"}}, 400.28),
        ("?force=true", {"color": "x"}, 400.31),
        ("?resolve=true&force=true", {}, 400.32),
        ("?force=quizas", {"label": "x"}, 400.8),
    ],
)
def test_a_change_that_cannot_be_is_refused(forest: Trees, admin: Client, path: str, body: dict[str, Any], code: float):
    forest.send(creation(1))

    refused(admin, "PATCH", f"{ALL}/{uuid_of(1)}{path}", body, code)

    assert forest.get(1).version == 1


def test_a_change_and_a_resolution_in_one(forest: Trees, admin: Client):
    forest.send(
        creation(1),
        update(1, 1, sent="uuid:a", branch=5, trunk=1, circunferencia="31"),
        update(1, 1, sent="uuid:b", branch=6, trunk=1, circunferencia="32"),
    )
    place = f"{ALL}/{uuid_of(1)}"
    assert admin.json(place)["currentVersion"]["conflictingProperties"] == ["circunferencia"]

    made = said(admin, "PATCH", f"{place}?resolve=true&force=true", {"data": {"circunferencia": "33"}})

    assert (made["conflict"], made["currentVersion"]["version"]) == (None, 4)
    assert actions(admin, 1)[:2] == ["entity.update.resolve", "entity.update.version"]
    versions = admin.json(f"{place}/versions")
    assert [one["resolved"] for one in versions] == [False, False, True, False]
    assert admin.json(f"{place}/versions?relevantToConflict=true") == []


def test_a_soft_conflict_names_no_property(forest: Trees, admin: Client):
    forest.send(
        creation(1),
        update(1, 1, sent="uuid:a", branch=5, trunk=1, circunferencia="31"),
        update(1, 1, sent="uuid:b", branch=6, trunk=1, estado="sano"),
    )

    versions = admin.json(f"{ALL}/{uuid_of(1)}/versions")

    assert [(one["conflict"], one["conflictingProperties"]) for one in versions] == [
        (None, None),
        (None, None),
        ("soft", []),
    ]
    assert admin.json(f"{ALL}/{uuid_of(1)}")["currentVersion"]["conflictingProperties"] == []


# --------------------------------------------------------------------------- where versions came from


def test_versions_say_what_submission_they_came_from(forest: Trees, admin: Client):
    forest.send(creation(1), update(1, 1, sent="uuid:u", estado="sano"))
    said(admin, "PATCH", f"{ALL}/{uuid_of(1)}?force=true", {"label": "x"})

    first, second, third = admin.json(f"{ALL}/{uuid_of(1)}/versions", X_Extended_Metadata="true")

    assert first["source"]["event"]["action"] == "submission.create"
    assert first["source"]["submission"]["instanceId"] == "uuid:create-1"
    assert first["source"]["submission"]["xmlFormId"] == CREATES
    assert second["source"]["submission"]["xmlFormId"] == UPDATES
    assert second["source"]["submission"]["currentVersion"]["submitter"]["displayName"] == "Teléfono 1"
    assert third["source"] == {}
    assert third["creator"]["displayName"] == "Coordinación"


def test_the_audit_tells_the_approval_that_made_an_entity(forest: Trees, admin: Client):
    said(admin, "PATCH", HERE, {"approvalRequired": True})
    forest.send(creation(1))
    forest.desk.act(lambda ctx: reviews.review(ctx, PROJECT, CREATES, "uuid:create-1", "approved"))

    [line] = admin.json(f"{ALL}/{uuid_of(1)}/audits")

    assert line["action"] == "entity.create"
    assert line["details"]["entity"] == {"uuid": uuid_of(1), "dataset": LIST}
    event = line["details"]["source"]["event"]
    assert (event["action"], event["actor"]["displayName"]) == ("submission.update", "Coordinación")
    assert line["details"]["source"]["submission"]["reviewState"] == "approved"


def test_the_audit_of_an_entity_is_its_own_and_that_of_many(forest: Trees, admin: Client):
    some = [{"uuid": uuid_of(n), "label": f"Árbol {n}"} for n in (1, 2)]
    said(admin, "POST", ALL, {"entities": some, "source": {"name": "a.csv", "size": 7}}, User_Agent=AGENT)
    said(admin, "PATCH", f"{ALL}/{uuid_of(1)}?force=true", {"data": {"estado": "x"}})
    said(admin, "POST", f"{ALL}/bulk-delete", {"ids": [uuid_of(1), uuid_of(2)]})
    said(admin, "POST", f"{ALL}/bulk-restore", {"ids": [uuid_of(2), uuid_of(1)]})
    said(admin, "POST", f"{ALL}/bulk-delete", {"ids": [uuid_of(1)]})
    said(admin, "POST", f"{ALL}/{uuid_of(1)}/restore")
    admin.json(f"{ALL}/{uuid_of(1)}")  # reading is no event of the entity's

    lines = admin.json(f"{ALL}/{uuid_of(1)}/audits")

    assert [one["action"] for one in lines] == [
        "entity.restore",
        "entity.delete",
        "entity.bulk.restore",
        "entity.bulk.delete",
        "entity.update.version",
        "entity.bulk.create",
    ]
    came = {"name": "a.csv", "size": 7, "count": 2, "userAgent": AGENT}
    assert lines[-1]["details"]["source"] == came
    assert lines[-2]["details"] == {"entity": {"uuid": uuid_of(1), "dataset": LIST}, "source": {}}
    assert lines[3]["details"]["entityUuids"] == [uuid_of(1), uuid_of(2)]
    assert admin.json(f"{ALL}/{uuid_of(1)}/versions")[0]["source"] == came
    assert actions(admin, 2) == ["entity.bulk.restore", "entity.bulk.delete", "entity.bulk.create"]
    assert [one["action"] for one in admin.json(f"{ALL}/{uuid_of(1)}/audits?offset=1&limit=2")] == [
        "entity.delete",
        "entity.bulk.restore",
    ]


def test_who_opened_an_entity_is_noted(forest: Trees, admin: Client):
    forest.send(creation(1))

    admin.json(f"{ALL}/{uuid_of(1)}?reason=visita")
    admin.json(ALL)

    assert forest.desk.audited()[-2:] == ["entity.read.identified", "dataset.entities.export"]


def test_creators_are_told_once_by_name(forest: Trees, admin: Client):
    assert admin.json(f"{ALL}/creators") == []
    forest.send(creation(1), creation(2))
    said(admin, "POST", ALL, {"label": "x"})
    gone = said(client(forest.desk, admin.send, "manager"), "POST", ALL, {"label": "y"})
    said(admin, "DELETE", f"{ALL}/{gone['uuid']}")

    assert [one["displayName"] for one in admin.json(f"{ALL}/creators")] == ["Coordinación", "Teléfono 1"]


def test_many_that_come_at_once_take_few_statements(forest: Trees, admin: Client):
    some = [{"uuid": uuid_of(n), "label": f"Árbol {n}", "data": {"especie": "cedro"}} for n in range(1, 1200)]

    said(admin, "POST", ALL, {"entities": some, "source": {"name": "a.csv"}})
    assert len(admin.json(ALL)) == 1199
    ids = [one["uuid"] for one in some]

    assert said(admin, "POST", f"{ALL}/bulk-delete", {"ids": [*ids, ids[0], "no", uuid_of(9000)]}) == {"count": 1199}
    assert said(admin, "POST", f"{ALL}/bulk-delete", {"ids": ids}) == {"count": 0}
    assert said(admin, "POST", f"{ALL}/bulk-restore", {"ids": ids}) == {"count": 1199}


def test_a_body_of_more_than_a_megabyte_is_taken(forest: Trees, admin: Client):
    some = [{"label": "x" * 1000} for _ in range(1500)]

    said(admin, "POST", ALL, {"entities": some, "source": {"name": "a.csv"}})

    assert admin.json(HERE, X_Extended_Metadata="true")["entities"] == 1500


# --------------------------------------------------------------------------- rights


@pytest.mark.parametrize(
    ("method", "path", "viewers"),
    [
        ("GET", ALL, 200),
        ("GET", f"{ALL}/{uuid_of(1)}/audits", 404),
        ("GET", f"{ALL}/creators", 403),
        ("POST", ALL, 403),
        ("PATCH", f"{ALL}/{uuid_of(9)}", 403),
        ("DELETE", f"{ALL}/{uuid_of(1)}", 403),
        ("POST", f"{ALL}/{uuid_of(1)}/restore", 403),
        ("POST", f"{ALL}/bulk-delete", 403),
        ("POST", f"{ALL}/bulk-restore", 403),
    ],
)
def test_rights_come_before_what_is_said(forest: Trees, app: Flask, method: str, path: str, viewers: int):
    forest.send(creation(1))

    for role, status in (("viewer", viewers), ("formfill", 403), ("none", 403)):
        told = client(forest.desk, to_app(app), role).ask(path, method, b"")
        assert told.status == status, (role, told.content)
    assert Client(to_app(app)).ask(path, method, b"").status == 401
    assert forest.get(1).deleted_at is None


def test_what_is_not_there_is_not_found(forest: Trees, admin: Client):
    for method, path in (
        ("GET", "/datasets/otra/entities"),
        ("POST", "/datasets/otra/entities"),
        ("PATCH", f"/datasets/otra/entities/{uuid_of(1)}"),
        ("GET", "/datasets/otra/entities/123/audits"),
        ("GET", f"{ALL}/{uuid_of(1)}"),
        ("GET", f"{ALL}/{uuid_of(1)}/versions"),
        ("GET", f"{ALL}/{uuid_of(1)}/diffs"),
        ("GET", f"{ALL}/{uuid_of(1)}/audits"),
        ("PATCH", f"{ALL}/{uuid_of(1)}"),
        ("DELETE", f"{ALL}/{uuid_of(1)}"),
        ("POST", f"{ALL}/{uuid_of(1)}/restore"),
    ):
        refused(admin, method, path, None, 404.1)
    refused(admin, "POST", f"{ALL}/uuid:not-a-uuid/restore", None, 400.11)

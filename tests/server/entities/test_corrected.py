"""Entities follow the corrections of the submissions that made them: brought along, brought back, in conflict, left alone."""

from __future__ import annotations

import json

from flask import Flask
from sqlalchemy import Connection

from server.actions import corrections, entities, entity_merging, rebuilds, reviews
from server.actions.corrections import Wish
from server.actions.entities import By, Change
from server.store import datasets
from server.store import entities as stored_entities
from tests.helpers import samples
from tests.server.api.clients import client
from tests.server.desk import Desk
from tests.server.entities.trees import CREATES, LIST, UPDATES, Trees, creation, update, uuid_of
from tests.server.wire import Wire, instance, to_app

ONE = "uuid:create-1"


def correct(
    forest: Trees, path: str, new: str | None, *, sent: str = ONE, form_id: str = CREATES, row: str = ""
) -> int:
    wish = Wish(row=row, path=path, new_text=new, reason="se llamó")
    return forest.desk.act(lambda ctx: corrections.correct(ctx, 1, form_id, sent, wish)).correction.id


def withdraw(forest: Trees, number: int, form_id: str = CREATES) -> None:
    forest.desk.act(lambda ctx: corrections.withdraw(ctx, 1, form_id, number, "no era"))


def by_hand(forest: Trees, number: int = 1, **data: str) -> None:
    forest.desk.act(
        lambda ctx: entities.change(
            ctx, 1, LIST, uuid_of(number), Change(data=data), By(), base_version=None, force=True
        )
    )


def states(forest: Trees) -> list[tuple[int, str, str | None]]:
    """Of each version of tree 1: its number, what made it, its girth."""
    return [(one.version, one.kind, one.data.get("circunferencia")) for one in forest.versions(1)]


def test_a_correction_brings_value_and_label_along(forest: Trees):
    forest.send(creation(1))
    revision = forest.dataset.revision

    correct(forest, "/circunferencia", "45")

    made = forest.get(1)
    assert (made.version, made.label, made.conflict) == (2, "cedro 45", None)
    assert made.data == {"especie": "cedro", "circunferencia": "45"}
    last = forest.versions(1)[-1]
    assert (last.kind, last.base_version, last.received) == (
        "correction",
        1,
        {"circunferencia": "45", "label": "cedro 45"},
    )
    assert last.creator_id == forest.desk.admin.id
    assert forest.dataset.revision != revision
    assert forest.desk.audited()[-1] == "entity.update.version"
    assert forest.outcome(CREATES, ONE) == "created"


def test_a_withdrawn_correction_brings_it_back_and_the_one_beneath_comes_up(forest: Trees):
    forest.send(creation(1))
    first = correct(forest, "/circunferencia", "45")
    second = correct(forest, "/circunferencia", "46")

    withdraw(forest, second)
    assert (forest.get(1).data["circunferencia"], forest.get(1).label) == ("45", "cedro 45")
    withdraw(forest, first)

    assert states(forest) == [
        (1, "submission", "30"),
        (2, "correction", "45"),
        (3, "correction", "46"),
        (4, "correction", "45"),
        (5, "correction", "30"),
    ]
    assert (forest.get(1).label, forest.get(1).conflict) == ("cedro 30", None)


def test_an_answer_made_blank_is_blank_and_one_that_was_not_asked_comes_and_goes(forest: Trees):
    forest.send(creation(1), update(1, 1, sent="uuid:u", circunferencia="41"))

    number = correct(forest, "/estado", "sano", sent="uuid:u", form_id=UPDATES)
    correct(forest, "/circunferencia", None, sent="uuid:u", form_id=UPDATES)

    assert forest.get(1).data == {"especie": "cedro", "circunferencia": "", "estado": "sano"}
    withdraw(forest, number, UPDATES)
    assert forest.get(1).data == {"especie": "cedro", "circunferencia": "", "estado": ""}
    assert forest.get(1).conflict is None


def test_what_is_saved_nowhere_and_another_submission_change_nothing(forest: Trees):
    forest.send(creation(1), creation(2), update(1, 1, sent="uuid:u", circunferencia="41"))

    correct(forest, "/especie", "roble", sent="uuid:create-2")

    assert (forest.get(1).version, forest.get(2).version) == (2, 2)
    assert forest.get(2).label == "roble 30"


def test_an_edit_of_what_was_never_corrected_still_changes_nothing(forest: Trees):
    forest.send(creation(1))
    correct(forest, "/especie", "roble")

    forest.send(creation(1, sent="uuid:edit", before=ONE, circunferencia="99"))

    assert forest.get(1).data == {"especie": "roble", "circunferencia": "30"}


def test_an_edit_that_reopens_a_correction_brings_what_stands_now(forest: Trees):
    forest.send(creation(1))
    number = correct(forest, "/circunferencia", "45")

    forest.send(creation(1, sent="uuid:edit", before=ONE, circunferencia="50"))

    assert forest.desk.rows(CREATES)[0]["circunferencia"] == 50
    assert (forest.get(1).data["circunferencia"], forest.get(1).label) == ("50", "cedro 50")
    forest.desk.act(lambda ctx: corrections.confirm(ctx, 1, CREATES, number))
    assert (forest.get(1).data["circunferencia"], forest.get(1).label) == ("45", "cedro 45")
    assert forest.get(1).conflict is None


def test_an_edit_that_settles_a_correction_leaves_the_entity_as_it_is(forest: Trees):
    forest.send(creation(1))
    correct(forest, "/circunferencia", "45")

    forest.send(creation(1, sent="uuid:edit", before=ONE, circunferencia="45"))

    assert forest.get(1).version == 2


def test_what_somebody_else_changed_meanwhile_is_a_conflict(forest: Trees):
    forest.send(creation(1), creation(2))
    by_hand(forest, 1, circunferencia="60")
    by_hand(forest, 2, estado="sano")

    correct(forest, "/circunferencia", "45")
    correct(forest, "/circunferencia", "45", sent="uuid:create-2")

    assert (forest.get(1).data["circunferencia"], forest.get(1).conflict) == ("45", "hard")
    assert forest.versions(1)[-1].conflicting == ("circunferencia",)
    assert (forest.get(2).data, forest.get(2).conflict) == (
        {"especie": "cedro", "circunferencia": "45", "estado": "sano"},
        "soft",
    )


def test_what_somebody_brought_along_by_hand_is_no_conflict_of_its_value(forest: Trees):
    forest.send(creation(1))
    by_hand(forest, 1, circunferencia="45")

    correct(forest, "/circunferencia", "45")

    assert (forest.get(1).data["circunferencia"], forest.get(1).conflict) == ("45", "soft")


def test_a_later_correction_of_another_answer_leaves_alone_what_was_changed_by_hand_since(forest: Trees):
    forest.send(creation(1))
    correct(forest, "/circunferencia", "45")
    by_hand(forest, 1, circunferencia="60")

    correct(forest, "/especie", "roble")

    assert forest.get(1).data == {"especie": "roble", "circunferencia": "60"}


def test_deleted_entities_stay_as_they_were_and_follow_once_they_are_back(forest: Trees):
    forest.send(creation(1))
    forest.desk.act(lambda ctx: entities.delete(ctx, 1, LIST, uuid_of(1), By()))

    correct(forest, "/circunferencia", "45")
    assert forest.get(1).version == 1
    forest.desk.act(lambda ctx: entities.restore(ctx, 1, LIST, uuid_of(1), By()))
    correct(forest, "/especie", "roble")

    assert forest.get(1).data == {"especie": "roble", "circunferencia": "45"}
    assert forest.desk.failures() == []


def test_an_absorbed_entity_s_correction_reaches_the_survivor_and_goes_with_it_when_that_is_undone(forest: Trees):
    forest.send(creation(1, especie="cedro", circunferencia="30"), creation(2, especie="roble", circunferencia=""))
    merge = forest.desk.act(lambda ctx: entity_merging.merge(ctx, 1, LIST, uuid_of(2), uuid_of(1), reason="el mismo"))
    assert forest.get(2).data == {"especie": "roble", "circunferencia": "30"}

    number = correct(forest, "/circunferencia", "45")
    assert forest.get(2).data == {"especie": "roble", "circunferencia": "45"}
    assert forest.versions(2)[-1].details == {"block": "/meta/entity", "alias": uuid_of(1)}
    forest.desk.act(lambda ctx: entity_merging.undo(ctx, 1, LIST, merge.id, reason="no era"))
    assert (forest.get(1).data["circunferencia"], forest.get(2).data["circunferencia"]) == ("45", "")

    withdraw(forest, number)
    assert (forest.get(1).data["circunferencia"], forest.get(2).data["circunferencia"]) == ("30", "")


def test_what_waits_is_created_and_updated_with_what_stands(forest: Trees):
    forest.desk.change(lambda conn: datasets.change(conn, forest.dataset.id, approval_required=True))
    forest.send(creation(1), update(2, 2, sent="uuid:held", branch=7, trunk=1, circunferencia="41"))
    number = correct(forest, "/especie", "roble")
    correct(forest, "/circunferencia", "43", sent="uuid:held", form_id=UPDATES)

    forest.desk.act(lambda ctx: reviews.review(ctx, 1, CREATES, ONE, "approved"))
    assert (forest.get(1).version, forest.get(1).data["especie"], forest.get(1).label) == (1, "roble", "roble 30")
    withdraw(forest, number)
    assert (forest.get(1).version, forest.get(1).data["especie"], forest.get(1).label) == (2, "cedro", "cedro 30")

    forest.desk.change(lambda conn: datasets.change(conn, forest.dataset.id, approval_required=False))
    forest.send(creation(2), update(2, 1, sent="uuid:first", branch=7, trunk=1, circunferencia="40"))
    assert [one.data["circunferencia"] for one in forest.versions(2)] == ["30", "40", "43"]


def test_a_correction_mends_a_block_that_failed(forest: Trees):
    forest.send(creation(1, especie="", circunferencia=""))
    assert forest.problem(CREATES, ONE) == 400.2

    correct(forest, "/especie", "roble")

    assert forest.outcome(CREATES, ONE) == "created"
    assert (forest.get(1).label, forest.get(1).data) == ("roble ", {"especie": "roble", "circunferencia": ""})


def members(*people: tuple[str, int, int], sent: str = "uuid:f", before: str | None = None) -> bytes:
    rows = "".join(
        f"<persona><nombre>{name}</nombre><edad>{age}</edad><meta>"
        f'<entity dataset="personas" id="{uuid_of(identity)}" create="1"><label>{name}</label></entity></meta></persona>'
        for name, age, identity in people
    )
    return instance("familia_entidades", f"<comunidad>C</comunidad>{rows}", instance_id=sent, deprecated_id=before)


def test_people_of_a_repeat_follow_their_own_rows_also_where_an_edit_moved_them(desk: Desk, phone: Wire):
    desk.publish(samples.family().xform)
    family = Trees(desk, phone)
    family.send(members(("Ana", 30, 1), ("Beto", 31, 2), ("Carla", 7, 3)))

    def person(number: int) -> tuple[int, str, dict[str, str]]:
        [found] = [
            one
            for one in desk.look(lambda conn: list(stored_entities.list_living(conn, list_id(conn, "personas"))))
            if one.uuid == uuid_of(number)
        ]
        return found.version, found.label, dict(found.data)

    correct(family, "/persona/nombre", "Carlota", sent="uuid:f", form_id="familia_entidades", row="uuid:f/persona[3]")
    assert person(3) == (2, "Carlota", {"nombre_completo": "Carlota", "edad": "7"})
    family.send(members(("Beto", 31, 2), ("Carla", 7, 3), sent="uuid:g", before="uuid:f"))
    correct(family, "/persona/edad", "8", sent="uuid:f", form_id="familia_entidades", row="uuid:f/persona[3]")

    assert person(1) == (1, "Ana", {"nombre_completo": "Ana", "edad": "30"})
    assert person(2) == (1, "Beto", {"nombre_completo": "Beto", "edad": "31"})
    assert person(3) == (3, "Carlota", {"nombre_completo": "Carlota", "edad": "8"})


def list_id(conn: Connection, name: str) -> int:
    found = datasets.find(conn, 1, name)
    assert found is not None
    return found.id


def test_a_rebuild_changes_nothing_that_corrections_brought(forest: Trees):
    forest.send(creation(1), update(1, 1, sent="uuid:u", circunferencia="41"))
    correct(forest, "/circunferencia", "45", sent="uuid:u", form_id=UPDATES)
    withdraw(forest, correct(forest, "/especie", "roble"))
    before = forest.versions(1)

    for held in forest.desk.act(rebuilds.prepare_rebuild):
        rebuilds.rebuild_form(forest.desk.act, held)

    assert forest.versions(1) == before
    assert forest.desk.failures() == []


def test_a_version_says_that_a_correction_made_it_and_of_which_submission(forest: Trees, app: Flask):
    forest.send(creation(1))
    correct(forest, "/circunferencia", "45")
    manager, viewer = (client(forest.desk, to_app(app), role) for role in ("manager", "viewer"))

    last = manager.json(f"/datasets/{LIST}/entities/{uuid_of(1)}/versions")[-1]

    assert (last["source"]["kind"], last["source"]["submission"]["instanceId"]) == ("correction", ONE)
    hidden = viewer.ask(f"/datasets/{LIST}/entities/{uuid_of(1)}/versions")
    assert ONE not in json.dumps(json.loads(hidden.content))

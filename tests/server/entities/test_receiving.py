"""What submissions make of entities: created, updated, held until their turn, noted where something is wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.actions import entity_receiving, reviews
from server.actions.rebuilds import prepare_rebuild, rebuild_form
from server.context import Context
from server.store import datasets
from tests.helpers import samples
from tests.server.desk import Desk
from tests.server.entities.trees import CREATES, UPDATES, Trees, creation, update, uuid_of
from tests.server.wire import Wire, instance


def test_publishing_declares_the_list_with_typed_properties(forest: Trees, desk: Desk):
    held = desk.look(lambda conn: datasets.list_properties(conn, forest.dataset.id))

    assert {one.name: one.type for one in held} == {
        "especie": "string",
        "geometry": "geopoint",
        "circunferencia": "int",
        "estado": "string",
    }
    assert [action for action in desk.audited() if action.startswith("dataset")] == [
        "dataset.create",
        "dataset.update",
    ]


def test_a_registration_creates_an_entity(forest: Trees):
    forest.send(creation(1, circunferencia="40"))

    made = forest.get(1)
    assert (made.version, made.label, made.conflict) == (1, "cedro 40", None)
    assert made.data == {"especie": "cedro", "circunferencia": "40"}
    [version] = forest.versions(1)
    assert (version.kind, version.base_version, version.forced) == ("submission", None, False)
    assert forest.outcome(CREATES, "uuid:create-1") == "created"


def test_a_follow_up_updates_it_and_leaves_alone_what_was_not_asked(forest: Trees):
    forest.send(creation(1), update(1, 1, sent="uuid:u", circunferencia="41"))

    made = forest.get(1)
    assert (made.version, made.label, made.conflict) == (2, "cedro 30", None)
    assert made.data == {"especie": "cedro", "circunferencia": "41"}
    assert [one.base_version for one in forest.versions(1)] == [None, 1]


def test_a_resent_creation_is_no_error_and_changes_nothing(forest: Trees):
    forest.send(creation(1), creation(1))

    assert forest.get(1).version == 1
    assert forest.outcome(CREATES, "uuid:create-1") == "created"


def test_an_edit_of_a_submission_that_created_its_entity_changes_nothing(forest: Trees):
    forest.send(creation(1), creation(1, sent="uuid:edit", before="uuid:create-1", circunferencia="99"))

    assert forest.get(1).version == 1
    assert forest.get(1).data["circunferencia"] == "30"
    assert forest.desk.rows(CREATES)[0]["circunferencia"] == 99


def test_an_edit_that_comes_before_its_original_makes_the_entity_once(forest: Trees):
    forest.send(creation(1, sent="uuid:edit", before="uuid:create-1", circunferencia="99"), creation(1))

    assert forest.get(1).version == 1
    assert forest.get(1).data["circunferencia"] == "99"
    assert forest.desk.failures() == []


@pytest.mark.parametrize(
    ("form_id", "sent", "code"),
    [
        (CREATES, creation(1, sent="uuid:again"), 409.3),
        (UPDATES, update(9, 1, sent="uuid:again"), 404.8),
        (UPDATES, update(1, 7, sent="uuid:again"), 404.9),
        (UPDATES, update(1, "x", sent="uuid:again"), 400.11),
        (UPDATES, update(1, "", sent="uuid:again"), 400.2),
    ],
)
def test_what_cannot_be_done_is_noted_and_the_submission_is_kept(forest: Trees, form_id: str, sent: bytes, code: float):
    forest.send(creation(1), sent)

    assert forest.problem(form_id, "uuid:again") == code
    assert forest.get(1).version == 1
    assert len(forest.desk.rows(form_id)) == (2 if form_id == CREATES else 1)
    assert "entity.error" in forest.desk.audited()


def test_a_correction_of_what_was_wrong_is_tried_again_with_an_edit(forest: Trees):
    forest.send(
        creation(1),
        update(1, 7, sent="uuid:u", circunferencia="41"),
        update(1, 1, sent="uuid:v", before="uuid:u", circunferencia="42"),
    )

    assert forest.get(1).data["circunferencia"] == "42"
    assert forest.outcome(UPDATES, "uuid:u") == "updated"


def test_ids_are_taken_with_prefix_and_in_capitals(forest: Trees):
    forest.send(creation(10).replace(uuid_of(10).encode(), f"uuid:{uuid_of(10).upper()}".encode()))

    assert forest.get(10).version == 1


# --------------------------------------------------------------------------- offline


def offline(number: int, base: int, **more: object) -> bytes:
    return update(number, base, sent=f"uuid:o{base}", branch=77, circunferencia=str(100 + base), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_a_branch_is_applied_in_its_order_whatever_arrives_first(forest: Trees, order: tuple[int, ...]):
    sent = [creation(1), offline(1, 1), offline(1, 2)]

    forest.send(*(sent[at] for at in order))

    made = forest.get(1)
    assert (made.version, made.conflict) == (3, None)
    assert made.data["circunferencia"] == "102"
    assert [one.received.get("circunferencia") for one in forest.versions(1)] == ["30", "101", "102"]
    assert {forest.outcome(UPDATES, f"uuid:o{base}") for base in (1, 2)} == {"updated"}


def test_an_update_that_waits_is_held_and_named(forest: Trees):
    forest.send(offline(1, 2))

    assert forest.outcome(UPDATES, "uuid:o2") == "held"
    assert forest.find(1) is None
    assert forest.desk.audited().count("submission.backlog.hold") == 1


def test_what_waited_too_long_is_forced_and_the_late_creation_is_a_conflict(forest: Trees, desk: Desk):
    forest.send(offline(1, 2))

    assert desk.act(lambda ctx: entity_receiving.force(ctx, days=5)) == 0
    assert desk.act(lambda ctx: entity_receiving.force(later(ctx, 6), days=5)) == 1
    forced = forest.get(1)
    forest.send(creation(1))

    assert (forced.version, forced.label, forced.data) == (1, "auto generated", {"circunferencia": "102"})
    made = forest.get(1)
    assert (made.version, made.conflict, made.label) == (2, "hard", "cedro 30")
    assert forest.versions(1)[0].forced


def later(ctx: Context, days: int) -> Context:
    now = ctx.now() + timedelta(days=days)
    return Context(ctx.conn, ctx.who, ctx.blobs, ctx.settings, lambda: now)


def test_two_phones_that_update_one_version_are_in_conflict(forest: Trees):
    forest.send(
        creation(1),
        update(1, 1, sent="uuid:a", branch=5, trunk=1, circunferencia="31"),
        update(1, 1, sent="uuid:b", branch=6, trunk=1, circunferencia="32"),
        update(1, 1, sent="uuid:c", branch=7, trunk=1, estado="sano"),
    )

    made = forest.get(1)
    assert (made.version, made.conflict) == (4, "hard")
    assert made.data == {"especie": "cedro", "circunferencia": "32", "estado": "sano"}
    assert [one.conflicting for one in forest.versions(1)] == [None, None, ("circunferencia",), None]


# --------------------------------------------------------------------------- approval, repeats, deletion


def test_a_list_with_approval_creates_once_the_submission_is_approved(forest: Trees, desk: Desk):
    desk.change(lambda conn: datasets.change(conn, forest.dataset.id, approval_required=True))
    forest.send(creation(1))

    assert forest.outcome(CREATES, "uuid:create-1") == "pending"
    assert forest.find(1) is None
    desk.act(lambda ctx: reviews.review(ctx, 1, CREATES, "uuid:create-1", "approved"))

    assert forest.outcome(CREATES, "uuid:create-1") == "created"
    assert forest.get(1).version == 1


def test_a_household_creates_a_person_for_each_member_and_one_bad_member_spoils_no_other(desk: Desk, phone: Wire):
    desk.publish(samples.family().xform)
    rows = "".join(
        f"<persona><nombre>{name}</nombre><edad>{age}</edad><meta>"
        f'<entity dataset="personas" id="{identity}" create="1"><label>{name}</label></entity></meta></persona>'
        for name, age, identity in (("Ana", 30, uuid_of(1)), ("Beto", 31, "x"), ("Carla", 7, uuid_of(3)))
    )
    sent = instance("familia_entidades", f"<comunidad>C</comunidad>{rows}", instance_id="uuid:f")

    assert phone.post(sent).status == 201

    found = Trees(desk, phone).receipts("familia_entidades", "uuid:f")
    assert [(one.key, one.outcome) for one in found] == [
        ("/persona[1]/meta/entity", "created"),
        ("/persona[2]/meta/entity", "failed"),
        ("/persona[3]/meta/entity", "created"),
    ]


def test_a_rebuild_changes_no_entity(forest: Trees, desk: Desk):
    forest.send(creation(1), offline(1, 1), offline(1, 3), update(1, 9, sent="uuid:bad"))
    before = forest.versions(1), [forest.receipts(UPDATES, f"uuid:{name}") for name in ("o1", "o3")]

    for held in desk.act(prepare_rebuild):
        rebuild_form(desk.act, held)

    assert (forest.versions(1), [forest.receipts(UPDATES, f"uuid:{name}") for name in ("o1", "o3")]) == before

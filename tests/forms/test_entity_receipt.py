"""What an entity block does, given what is held: creations, updates, branches in any order, conflicts, forcing, aliases."""

from __future__ import annotations

from typing import Any

import pytest

from forms.entities import Change
from forms.entity_receipt import (
    Await,
    Circumstances,
    Decision,
    FirstVersion,
    HeldEntity,
    HeldVersion,
    Hold,
    NextVersion,
    decide,
)
from forms.problems import Problem

ID = "11111111-1111-4111-8111-111111111111"
BRANCH = "22222222-2222-4222-8222-222222222222"
OTHER = "33333333-3333-4333-8333-333333333333"


def change(**given: Any) -> Change:
    values = {"key": "/meta/entity", "dataset": "trees", "id": ID, "create": False, "update": False, "label": None}
    values |= {"base_version": None, "trunk_version": None, "branch_id": None, "values": {}}
    return Change(**{**values, **given})


def creation(label: str | None = "Cedro", **values: str) -> Change:
    return change(create=True, label=label, values=values)


def update(base: int | None, *, label: str | None = None, branch: str | None = None, trunk: int | None = None,
           create: bool = False, **values: str) -> Change:  # fmt: skip
    return change(
        update=True, create=create, label=label, base_version=base, branch_id=branch, trunk_version=trunk, values=values
    )


def held(*versions: tuple[str, dict[str, str], str | None, int | None], **more: Any) -> HeldEntity:
    """Versions as (label, data, branch, its base there)."""
    return HeldEntity(
        versions=[
            HeldVersion(
                version=number, label=label, data=data, branch_id=branch, branch_base_version=base, received=data
            )
            for number, (label, data, branch, base) in enumerate(versions, 1)
        ],
        **more,
    )


def first(**data: str) -> tuple[str, dict[str, str], None, None]:
    return "Cedro", data, None, None


def about(**given: Any) -> Circumstances:
    return Circumstances(**{"dataset": "trees", **given})


def decided(wanted: Change, entity: HeldEntity | None = None, **given: Any) -> Decision:
    return decide(wanted, entity, about(**given))


def code(wanted: Change, entity: HeldEntity | None = None, **given: Any) -> float:
    with pytest.raises(Problem) as caught:
        decided(wanted, entity, **given)
    return caught.value.code


def test_a_creation_begins_an_entity():
    made = decided(creation(height="3"))

    assert made == FirstVersion(label="Cedro", data={"height": "3"}, received={"height": "3", "label": "Cedro"})


def test_a_creation_waits_for_approval_where_the_list_wants_it():
    assert decided(creation(), approved=False) == Await()
    assert isinstance(decided(creation(), approved=True), FirstVersion)


@pytest.mark.parametrize(
    ("wanted", "entity", "expected"),
    [
        (creation(), held(first()), 409.3),
        (creation(label=None), None, 400.2),
        (creation(), held(first(), deleted=True), 409.19),
        (update(1, height="4"), None, 404.8),
        (update(7, height="4"), held(first()), 404.9),
        (update(1, height="4"), held(first(), deleted=True), 404.11),
        (update(None, height="4"), held(first()), 400.2),
        (update(4, branch=BRANCH, trunk=3), held(first(), (*first()[:2], BRANCH, 3)), 404.9),
        (update(None, create=True, label="Cedro"), held(first()), 409.3),
    ],
)
def test_what_cannot_be_done_is_said_with_centrals_code(wanted: Change, entity: HeldEntity | None, expected: float):
    assert code(wanted, entity) == expected


def test_an_update_of_the_current_version_lays_its_values_over_it():
    made = decided(update(1, height="4"), held(first(height="3", kind="cedro")))

    assert made == NextVersion(
        label="Cedro",
        data={"height": "4", "kind": "cedro"},
        received={"height": "4"},
        base=1,
        conflict=None,
    )


def test_an_update_may_set_a_property_to_blank():
    made = decided(update(1, height=""), held(first(height="3")))

    assert isinstance(made, NextVersion)
    assert made.data == {"height": ""}


def test_a_creation_or_update_creates_where_nothing_is_held_and_updates_where_something_is():
    assert isinstance(decided(update(None, create=True, label="Cedro")), FirstVersion)
    assert isinstance(decided(update(1, create=True, label="Cedro")), FirstVersion)
    assert isinstance(decided(update(1, create=True, height="4"), held(first())), NextVersion)


TWO = (first(height="3", kind="cedro"), ("Cedro", {"height": "4", "kind": "cedro"}, None, None))


@pytest.mark.parametrize(
    ("values", "conflict", "both"),
    [
        ({"kind": "pino"}, "soft", ()),
        ({"height": "9"}, "hard", ("height",)),
        ({"height": "4"}, "soft", ()),
        ({"height": "9", "kind": "pino"}, "hard", ("height",)),
    ],
)
def test_an_update_of_an_earlier_version_is_a_conflict(values: dict[str, str], conflict: str, both: tuple[str, ...]):
    made = decided(update(1, **values), held(*TWO))

    assert isinstance(made, NextVersion)
    assert (made.conflict, made.conflicting, made.base) == (conflict, both, 1)
    assert made.data == {"height": "4", "kind": "cedro", **values}


def test_a_label_may_be_in_conflict_too():
    renamed = held(first(), ("Pino", {}, None, None))

    made = decided(update(1, label="Roble"), renamed)

    assert isinstance(made, NextVersion)
    assert (made.conflict, made.conflicting, made.label) == ("hard", ("label",), "Roble")


def test_a_conflict_never_becomes_less():
    made = decided(update(1, kind="pino"), held(*TWO, conflict="hard"))
    later = decided(update(2, kind="pino"), held(*TWO, conflict="soft"))

    assert isinstance(made, NextVersion)
    assert isinstance(later, NextVersion)
    assert (made.conflict, later.conflict) == ("hard", "soft")


# --------------------------------------------------------------------------- branches


def test_updates_made_offline_wait_for_what_they_were_made_from():
    assert decided(update(1, branch=BRANCH)) == Hold()
    assert decided(update(2, branch=BRANCH), held(first())) == Hold()
    assert decided(update(5, branch=BRANCH, trunk=3), held(first(), first(), first())) == Hold()


def test_a_branch_goes_on_by_its_own_numbers():
    entity = held(first(a="1"), ("Cedro", {"a": "2"}, BRANCH, 1))

    made = decided(update(2, branch=BRANCH, a="3"), entity)

    assert isinstance(made, NextVersion)
    assert (made.base, made.branch_base_version, made.conflict, made.data) == (2, 2, None, {"a": "3"})


def test_a_branch_that_somebody_interrupted_is_in_conflict_from_its_first_version_on():
    entity = held(first(a="1"), ("Cedro", {"a": "9"}, OTHER, 1), ("Cedro", {"a": "2"}, BRANCH, 1), conflict=None)

    made = decided(update(2, branch=BRANCH, b="3"), entity)

    assert isinstance(made, NextVersion)
    assert (made.base, made.conflict) == (3, "soft")


def test_two_branches_of_one_trunk_are_in_conflict():
    trunk = held(*[first(a=str(n)) for n in (1, 2, 3)], ("Cedro", {"a": "8"}, OTHER, 3))

    made = decided(update(3, branch=BRANCH, trunk=3, a="9"), trunk)

    assert isinstance(made, NextVersion)
    assert (made.base, made.conflict, made.conflicting) == (3, "hard", ("a",))


# --------------------------------------------------------------------------- forced


def test_a_forced_update_begins_an_entity_that_never_came():
    made = decided(update(2, branch=BRANCH, a="3"), forced=True)

    assert made == FirstVersion(label="auto generated", data={"a": "3"}, received={"a": "3"}, branch_base_version=2)


def test_a_forced_update_is_made_from_what_stands():
    made = decided(update(4, branch=BRANCH, trunk=1, a="3"), held(first(a="1"), first(a="2")), forced=True)

    assert isinstance(made, NextVersion)
    assert (made.base, made.data) == (2, {"a": "3"})


def test_a_creation_that_comes_after_its_forced_updates_is_laid_over_them_as_a_conflict():
    made = decided(creation(a="1", b="2"), held(("auto generated", {"a": "3"}, BRANCH, 1), forced=True))

    assert isinstance(made, NextVersion)
    assert (made.late, made.label, made.conflict) == (True, "Cedro", "hard")
    assert set(made.conflicting) == {"a", "label"}
    assert made.data == {"a": "1", "b": "2"}


# --------------------------------------------------------------------------- through an alias


def merged(survivor: HeldEntity, *through: tuple[str, dict[str, str], str | None, int | None]) -> HeldEntity:
    return HeldEntity(versions=survivor.versions, through=held(*through).versions)


def test_an_update_of_a_merged_entity_brings_only_what_the_phone_changed():
    entity = merged(held(first(a="1", b="9")), first(a="5", b="6"))

    made = decided(update(1, a="5", b="7"), entity)

    assert isinstance(made, NextVersion)
    assert made.data == {"a": "1", "b": "7"}
    assert (made.conflict, made.conflicting, made.base) == ("hard", ("b",), 1)


def test_an_update_of_a_merged_entity_that_nobody_else_changed_is_a_soft_conflict():
    entity = merged(held(first(a="1", b="6")), first(a="5", b="6"))

    made = decided(update(1, b="7"), entity)

    assert isinstance(made, NextVersion)
    assert (made.conflict, made.conflicting, made.data) == ("soft", (), {"a": "1", "b": "7"})


def test_a_branch_goes_on_through_an_alias():
    entity = merged(held(first(a="1"), ("Cedro", {"a": "2"}, BRANCH, 1)), first(a="1"))

    made = decided(update(2, branch=BRANCH, a="3"), entity)
    gap = decided(update(3, branch=BRANCH, a="3"), entity)

    assert isinstance(made, NextVersion)
    assert (made.base, made.data, made.branch_base_version) == (2, {"a": "3"}, 2)
    assert gap == Hold()

"""Entities that turned out to be one: proposed, told apart, merged with an alias, and taken apart again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from forms.problems import Problem
from server.actions import entity_duplicates, entity_merging
from server.actions.entity_duplicates import Compared
from server.actions.entity_merging import Merged
from tests.server.desk import Desk
from tests.server.entities import trees
from tests.server.entities.trees import LIST, Trees, creation, update, uuid_of
from tests.server.wire import Wire

ONE, TWO = uuid_of(1), uuid_of(2)


@pytest.fixture
def forest(desk: Desk, phone: Wire) -> Trees:
    trees.publish(desk)
    made = Trees(desk, phone)
    made.send(creation(1, especie="cedro", circunferencia="30"), creation(2, especie="cedro rojo", circunferencia=""))
    return made


def merge(forest: Trees, survivor: str = ONE, absorbed: str = TWO, **more: object) -> Merged:
    return forest.desk.act(
        lambda ctx: entity_merging.merge(ctx, 1, LIST, survivor, absorbed, reason="el mismo", **more)  # type: ignore[arg-type]
    )


def undo(forest: Trees, merge_id: int) -> Merged:
    return forest.desk.act(lambda ctx: entity_merging.undo(ctx, 1, LIST, merge_id, reason="no era"))


def refusal(action: Callable[[], object]) -> float:
    with pytest.raises(Problem) as caught:
        action()
    return caught.value.code


def test_the_survivor_keeps_its_values_and_takes_those_that_it_lacks(forest: Trees):
    forest.send(update(2, 1, sent="uuid:u", estado="sano"))
    revision = forest.dataset.revision

    made = merge(forest)

    assert (made.survivor.version, made.survivor.label) == (2, "cedro 30")
    assert made.survivor.data == {"especie": "cedro", "circunferencia": "30", "estado": "sano"}
    assert made.absorbed.merged_into_id == made.survivor.id
    assert made.absorbed.deleted_at is not None
    assert forest.dataset.revision != revision
    assert forest.versions(1)[-1].kind == "merge"
    assert "entity.merge" in forest.desk.audited()


def test_somebody_may_choose_whose_value_stands(forest: Trees):
    made = merge(forest, choose={"especie": "absorbed", "label": "absorbed"})

    assert made.survivor.data["especie"] == "cedro rojo"
    assert made.survivor.label == "cedro rojo "


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"absorbed": ONE}, 409.90),
        ({"absorbed": uuid_of(9)}, 404.1),
        ({"absorbed": "x"}, 400.11),
        ({"choose": {"altura": "absorbed"}}, 400.8),
        ({"choose": {"especie": "otro"}}, 400.8),
    ],
)
def test_what_cannot_be_merged_is_refused(forest: Trees, wish: dict[str, object], code: float):
    assert refusal(lambda: merge(forest, **wish)) == code  # type: ignore[arg-type]
    assert forest.get(1).version == 1


def test_a_phone_that_was_away_reaches_the_survivor(forest: Trees):
    merge(forest)

    forest.send(
        update(2, 2, sent="uuid:b", branch=5, circunferencia="33"),
        update(2, 1, sent="uuid:a", branch=5, especie="cedro rojo", estado="sano"),
    )

    made = forest.get(1)
    assert (made.version, made.conflict) == (4, "hard")
    assert made.data == {"especie": "cedro", "circunferencia": "33", "estado": "sano"}
    assert forest.outcome("arbol_seguimiento", "uuid:b") == "updated"
    assert forest.get(2).version == 1


def test_a_merge_taken_back_gives_each_what_came_for_it_since(forest: Trees):
    made = merge(forest)
    forest.send(
        update(2, 1, sent="uuid:two", estado="enfermo"),
        update(1, 2, sent="uuid:one", circunferencia="31"),
    )

    undo(forest, made.id)

    one, two = forest.get(1), forest.get(2)
    assert (two.merged_into_id, two.deleted_at) == (None, None)
    assert {key: value for key, value in one.data.items() if value} == {"especie": "cedro", "circunferencia": "31"}
    assert {key: value for key, value in two.data.items() if value} == {"especie": "cedro rojo", "estado": "enfermo"}
    forest.send(update(2, two.version, sent="uuid:later", estado="sano"))
    assert forest.get(2).data["estado"] == "sano"
    assert refusal(lambda: undo(forest, made.id)) == 409.90


def test_merges_are_undone_from_the_last(forest: Trees):
    forest.send(creation(3))
    first = merge(forest)
    second = merge(forest, uuid_of(3), ONE)
    forest.send(update(2, 1, sent="uuid:far", estado="sano"))

    assert forest.get(3).data["estado"] == "sano"
    assert {forest.get(n).merged_into_id for n in (1, 2)} == {forest.get(3).id}  # an alias is one step away
    assert refusal(lambda: undo(forest, first.id)) == 409.90
    undo(forest, second.id)
    assert forest.get(2).merged_into_id == forest.get(1).id
    undo(forest, first.id)
    assert forest.get(2).merged_into_id is None
    lines = forest.desk.ask(lambda ctx: entity_merging.list_merges(ctx, 1, LIST))
    assert [(line.absorbed.uuid, line.merge.undone_at is not None) for line in lines] == [(ONE, True), (TWO, True)]


def test_candidates_are_proposed_until_somebody_tells_them_apart(forest: Trees):
    forest.send(creation(3, especie="Sedro", circunferencia="30"))

    def found(by: Compared | None = None) -> list[tuple[str, str]]:
        listed = forest.desk.ask(lambda ctx: entity_duplicates.list_candidates(ctx, 1, LIST, by=by))
        return [(one.first.uuid, one.second.uuid) for one in listed.found]

    assert (ONE, uuid_of(3)) in found()
    assert found(Compared(names=("especie",), places=("circunferencia",))) == [(ONE, uuid_of(3))]
    forest.desk.act(lambda ctx: entity_duplicates.tell_apart(ctx, 1, LIST, (uuid_of(3), ONE), "otro árbol"))
    assert (ONE, uuid_of(3)) not in found()
    assert refusal(lambda: found(Compared(names=("altura",)))) == 400.8


@pytest.mark.parametrize("role", ["viewer", "formfill"])
def test_who_may_not_change_entities_merges_none_and_sees_no_candidates(forest: Trees, role: str):
    actor = forest.desk.user(f"{role}@example.org", role)

    def acts(action: Callable[..., object]) -> float:
        return refusal(lambda: forest.desk.act(action, actor))

    assert acts(lambda ctx: entity_merging.merge(ctx, 1, LIST, ONE, TWO, reason="x")) == 403.1
    assert acts(lambda ctx: entity_duplicates.list_candidates(ctx, 1, LIST)) == 403.1
    assert acts(lambda ctx: entity_duplicates.tell_apart(ctx, 1, LIST, (ONE, TWO))) == 403.1

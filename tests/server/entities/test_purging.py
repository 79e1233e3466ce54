"""Deleted entities are removed for good by the schedule once their time is over; what others rest on stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from server.actions import dataset_desk, entities, entity_duplicates, entity_merging, entity_purging
from server.actions.entities import By, New
from server.context import Office
from server.jobs.schedule import Schedule
from server.model.audits import audits
from server.model.entities import entities as table
from server.model.entities import entity_versions, purged_entities
from tests.server.desk import PROJECT, Desk
from tests.server.entities import trees
from tests.server.entities.test_merging import refusal
from tests.server.entities.trees import LIST, Trees, creation, update, uuid_of
from tests.server.wire import Wire

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OTHER = "vecinas"


@pytest.fixture
def forest(desk: Desk, phone: Wire) -> Trees:
    """Five trees, and a list that no form uses with one neighbour."""
    trees.publish(desk)
    made = Trees(desk, phone)
    made.send(*(creation(number) for number in range(1, 6)))
    desk.act(lambda ctx: dataset_desk.create(ctx, PROJECT, OTHER))
    one = New(label="Ana", uuid=uuid_of(90), data={})
    desk.act(lambda ctx: entities.create(ctx, PROJECT, OTHER, one, By()))
    return made


def at(desk: Desk, moment: datetime, **settings: int) -> Office:
    return replace(desk.office, clock=lambda: moment, settings=desk.office.settings.with_(**settings))


def delete(desk: Desk, number: int, moment: datetime) -> None:
    there = replace(desk, office=at(desk, moment))
    there.act(lambda ctx: entities.delete(ctx, PROJECT, LIST, uuid_of(number), By()))


def standing(desk: Desk) -> list[str]:
    """The ids of all entities, deleted or not."""
    return desk.look(lambda conn: list(conn.execute(select(table.c.uuid).order_by(table.c.uuid)).scalars()))


def purges(desk: Desk) -> list[tuple[int | None, dict[str, int]]]:
    """Who purged, and what the audit says of it."""
    statement = (
        select(audits.c.actor_id, audits.c.details).where(audits.c.action == "entity.purge").order_by(audits.c.id)
    )
    return desk.look(lambda conn: [(row.actor_id, row.details) for row in conn.execute(statement)])


def test_the_schedule_removes_what_was_deleted_more_than_thirty_days_ago(forest: Trees, desk: Desk):
    forest.send(update(1, 1, sent="uuid:later", especie="roble"))
    delete(desk, 1, NOON)
    delete(desk, 2, NOON + timedelta(days=10))

    Schedule(at(desk, NOON + timedelta(days=30)))._purge()
    assert standing(desk) == [uuid_of(number) for number in (1, 2, 3, 4, 5, 90)]
    assert purges(desk) == []

    Schedule(at(desk, NOON + timedelta(days=30, seconds=1)))._purge()

    assert standing(desk) == [uuid_of(number) for number in (2, 3, 4, 5, 90)]
    assert purges(desk) == [(None, {"entitiesDeleted": 1})]
    assert desk.look(lambda conn: conn.execute(select(purged_entities.c.uuid)).scalars().all()) == [uuid_of(1)]
    assert desk.look(lambda conn: conn.execute(select(func.count()).select_from(entity_versions)).scalar_one()) == 5
    assert desk.submissions() == 6  # what was sent stays


def test_an_id_that_was_purged_never_comes_back(forest: Trees, desk: Desk):
    delete(desk, 1, NOON)
    Schedule(at(desk, NOON + timedelta(days=31)))._purge()

    one = New(label="otra vez", uuid=uuid_of(1), data={})
    assert refusal(lambda: desk.act(lambda ctx: entities.create(ctx, PROJECT, LIST, one, By()))) == 409.19
    forest.send(creation(1, sent="uuid:again"))

    assert forest.find(1) is None
    assert forest.outcome(trees.CREATES, "uuid:again") == "failed"


def test_once_a_day_is_enough(forest: Trees, desk: Desk):
    moments = [NOON + timedelta(days=40), NOON + timedelta(days=40, hours=1), NOON + timedelta(days=40, hours=12)]
    left = iter(moments)
    now = [next(left)]
    schedule = Schedule(replace(desk.office, clock=lambda: now[0]))
    delete(desk, 1, NOON)
    schedule._purge()
    delete(desk, 2, NOON)

    now[0] = next(left)
    schedule._purge()
    assert uuid_of(2) in standing(desk)
    now[0] = next(left)  # past midnight
    schedule._purge()

    assert standing(desk) == [uuid_of(number) for number in (3, 4, 5, 90)]
    assert purges(desk) == [(None, {"entitiesDeleted": 1}), (None, {"entitiesDeleted": 1})]


def test_what_merges_and_decisions_rest_on_stays(forest: Trees, desk: Desk):
    desk.act(lambda ctx: entity_merging.merge(ctx, PROJECT, LIST, uuid_of(1), uuid_of(2), reason="el mismo"))
    desk.act(lambda ctx: entity_duplicates.tell_apart(ctx, PROJECT, LIST, (uuid_of(3), uuid_of(4))))
    for number in (1, 3, 5):
        delete(desk, number, NOON)

    Schedule(at(desk, NOON + timedelta(days=4000)))._purge()

    assert standing(desk) == [uuid_of(number) for number in (1, 2, 3, 4, 90)]


def test_of_a_list_that_was_put_away_everything_goes(forest: Trees, desk: Desk):
    there = replace(desk, office=at(desk, NOON))
    there.act(lambda ctx: dataset_desk.delete(ctx, PROJECT, OTHER))

    Schedule(at(desk, NOON + timedelta(days=29)))._purge()
    assert uuid_of(90) in standing(desk)
    Schedule(at(desk, NOON + timedelta(days=31)))._purge()

    assert standing(desk) == [uuid_of(number) for number in (1, 2, 3, 4, 5)]


def test_settings_say_after_how_many_days_or_never(forest: Trees, desk: Desk):
    delete(desk, 1, NOON)

    Schedule(at(desk, NOON + timedelta(days=4000), purge_days=0))._purge()
    assert uuid_of(1) in standing(desk)
    Schedule(at(desk, NOON + timedelta(days=8), purge_days=7))._purge()

    assert uuid_of(1) not in standing(desk)


def test_many_are_removed_part_by_part(forest: Trees, desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(entity_purging, "_AT_ONCE", 2)
    for number in range(1, 6):
        delete(desk, number, NOON)

    Schedule(at(desk, NOON + timedelta(days=31)))._purge()

    assert standing(desk) == [uuid_of(90)]
    assert [details["entitiesDeleted"] for _, details in purges(desk)] == [2, 2, 1]


def test_by_hand_one_list_or_all_of_a_project(forest: Trees, desk: Desk):
    delete(desk, 1, NOON)
    later = replace(desk, office=at(desk, NOON + timedelta(days=3)))

    assert later.act(lambda ctx: entity_purging.purge(ctx, PROJECT)) == 0
    assert later.act(lambda ctx: entity_purging.purge(ctx, PROJECT, OTHER, days=2)) == 0
    assert later.act(lambda ctx: entity_purging.purge(ctx, PROJECT, LIST, days=2)) == 1
    assert refusal(lambda: later.act(lambda ctx: entity_purging.purge(ctx, PROJECT, "nada"))) == 404.1
    assert refusal(lambda: later.act(lambda ctx: entity_purging.purge(ctx, 99))) == 404.1

"""Publishing, rebuilding and editing while submissions arrive, on PostgreSQL: each step held at its worst moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import pytest
from sqlalchemy import Connection, text

from forms import instance as instances
from forms.problems import Problem
from server.actions import drafts, following, rebuilds, submissions
from server.actions.submissions import Device
from server.context import Context, Office
from server.store import submissions as store
from tests.server.desk import PROJECT, Desk, form, questions
from tests.server.wire import instance

pytestmark = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
HOUSE: Final = form("hogar", questions("integer edad", "begin repeat m", "text n", "end repeat"))
WIDER: Final = form(
    "hogar", questions("decimal edad", "begin repeat m", "text n", "end repeat", "text nota"), version="2"
)
_SECONDS: Final = 30
"""Within which everything here ends; none of it waits that long by itself."""


def sent(number: int, answers: str | None = None, **claims: Any) -> instances.Instance:
    xml = instance(
        "hogar", answers or f"<edad>{number}</edad><m><n>{number}</n></m>", instance_id=f"uuid:{number}", **claims
    )
    return instances.read(xml)


def received(desk: Desk, arriving: instances.Instance) -> None:
    desk.office.act(lambda ctx: submissions.receive(ctx, PROJECT, arriving, (), Device()), lambda _: lambda: desk.admin)


@contextmanager
def begun(office: Office, action: Callable[[Context], object], desk: Desk) -> Iterator[Connection]:
    """What `action` does is done, and not committed before this ends."""
    with office.database.engine.begin() as conn:
        action(office.context(conn, desk.admin))
        yield conn


def until_one_waits(desk: Desk, other: Future[Any]) -> None:
    """Until some connection waits for a lock; fails where `other` ends without having waited."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    until = time.monotonic() + _SECONDS
    while desk.look(lambda conn: conn.execute(waiting).scalar_one()) == 0:
        assert not other.done(), f"it did not wait: {other.result()}"
        assert time.monotonic() < until


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


def assert_tables_as_rebuilt(desk: Desk) -> None:
    before = desk.tables("hogar")
    form_id = desk.form_row_id("hogar")
    desk.act(lambda ctx: following.tabulate_all(ctx, form_id))
    assert desk.tables("hogar") == before


def test_publishing_waits_for_a_submission_being_received_and_keeps_its_row(desk: Desk, pool: ThreadPoolExecutor):
    desk.publish(HOUSE)
    desk.draft(WIDER)

    with begun(desk.office, lambda ctx: submissions.receive(ctx, PROJECT, sent(7), (), Device()), desk):
        publishing = pool.submit(desk.act, lambda ctx: drafts.publish(ctx, PROJECT, "hogar"))
        until_one_waits(desk, publishing)
    publishing.result(_SECONDS)

    assert desk.rows("hogar") == [{"_key": "uuid:7", "instanceid": "uuid:7", "edad": 7.0, "nota": None}]
    assert desk.rows("hogar", "/m") == [{"_key": "uuid:7/m[1]", "n": "7"}]
    assert desk.failures() == []
    assert_tables_as_rebuilt(desk)


def test_a_submission_that_meets_a_publishing_is_written_to_the_new_layout(desk: Desk, pool: ThreadPoolExecutor):
    desk.publish(HOUSE)
    desk.draft(WIDER)
    received(desk, sent(1))  # this process remembers the layout before

    with begun(desk.office, lambda ctx: drafts.publish(ctx, PROJECT, "hogar"), desk):
        arriving = pool.submit(received, desk, sent(2))
        until_one_waits(desk, arriving)
    arriving.result(_SECONDS)

    assert [row["edad"] for row in desk.rows("hogar")] == [1.0, 2.0]
    assert desk.failures() == []
    assert_tables_as_rebuilt(desk)


def test_two_publish_one_draft_at_once_and_the_second_is_told(desk: Desk, pool: ThreadPoolExecutor):
    desk.publish(HOUSE)
    desk.draft(WIDER)

    with begun(desk.office, lambda ctx: drafts.publish(ctx, PROJECT, "hogar"), desk):
        second = pool.submit(desk.act, lambda ctx: drafts.publish(ctx, PROJECT, "hogar"))
        until_one_waits(desk, second)
    with pytest.raises(Problem) as told:
        second.result(_SECONDS)

    assert told.value.code == 404.1
    assert [column.name for column in desk.layout("hogar").table("").columns] == ["edad", "instanceid", "nota"]


def test_publishing_behind_a_reader_that_never_ends_is_told_and_changes_nothing(desk: Desk):
    desk.publish(HOUSE)
    desk.draft(WIDER)
    received(desk, sent(1))
    table = desk.sql_table("hogar")

    with desk.office.database.reading() as reader:
        reader.execute(table.select()).all()
        with pytest.raises(Problem) as told:
            desk.act(lambda ctx: drafts.publish(ctx, PROJECT, "hogar"))
    received(desk, sent(2))

    assert (told.value.status, told.value.details) == (503, {"xmlFormId": "hogar"})
    assert [row["edad"] for row in desk.rows("hogar")] == [1, 2]
    desk.act(lambda ctx: drafts.publish(ctx, PROJECT, "hogar"))
    assert [row["edad"] for row in desk.rows("hogar")] == [1.0, 2.0]


def test_publishing_and_rebuilding_wait_for_each_other_without_a_deadlock(desk: Desk, pool: ThreadPoolExecutor):
    desk.publish(HOUSE)
    desk.draft(WIDER)
    for number in range(3):
        received(desk, sent(number))
    form_id = desk.form_row_id("hogar")
    ids = desk.look(lambda conn: store.list_ids(conn, form_id))

    with desk.office.database.engine.begin() as conn:
        rebuilding = desk.office.context(conn, desk.admin)
        following.follow_stored(rebuilding, ids[0])
        publishing = pool.submit(desk.act, lambda ctx: drafts.publish(ctx, PROJECT, "hogar"))
        until_one_waits(desk, publishing)
        for submission_id in ids[1:]:
            following.follow_stored(rebuilding, submission_id)
    publishing.result(_SECONDS)

    assert [row["edad"] for row in desk.rows("hogar")] == [0.0, 1.0, 2.0]
    assert_tables_as_rebuilt(desk)


def test_an_edit_committed_while_a_rebuild_waits_for_it_leaves_the_new_answers(desk: Desk, pool: ThreadPoolExecutor):
    desk.publish(HOUSE)
    received(desk, sent(1))
    form_id = desk.form_row_id("hogar")
    edit = instances.read(instance("hogar", "<edad>99</edad>", instance_id="uuid:1b", deprecated_id="uuid:1"))

    with begun(desk.office, lambda ctx: submissions.receive(ctx, PROJECT, edit, (), Device()), desk):
        rebuilding = pool.submit(desk.act, lambda ctx: rebuilds.rebuild_chunk(ctx, form_id, 0))
        until_one_waits(desk, rebuilding)
    rebuilding.result(_SECONDS)

    assert desk.rows("hogar") == [{"_key": "uuid:1", "instanceid": "uuid:1b", "edad": 99}]
    assert desk.rows("hogar", "/m") == []


def test_an_edit_that_meets_a_rebuild_leaves_the_new_answers(desk: Desk, pool: ThreadPoolExecutor):
    desk.publish(HOUSE)
    received(desk, sent(1))
    form_id = desk.form_row_id("hogar")
    edit = instances.read(instance("hogar", "<edad>99</edad>", instance_id="uuid:1b", deprecated_id="uuid:1"))

    with begun(desk.office, lambda ctx: rebuilds.rebuild_chunk(ctx, form_id, 0), desk):
        editing = pool.submit(received, desk, edit)
        until_one_waits(desk, editing)
    editing.result(_SECONDS)

    assert desk.rows("hogar") == [{"_key": "uuid:1", "instanceid": "uuid:1b", "edad": 99}]


def test_rebuilding_while_submissions_arrive_loses_no_row_and_ends(desk: Desk, pool: ThreadPoolExecutor):
    desk.publish(HOUSE)
    for number in range(20):
        received(desk, sent(number))
    stop = threading.Event()

    def arrive(lane: int) -> list[int]:
        numbers = []
        while not stop.is_set():
            numbers.append(lane * 100_000 + len(numbers))
            received(desk, sent(numbers[-1]))
        return numbers

    senders = [pool.submit(arrive, lane) for lane in (1, 2)]
    try:
        for held in desk.act(rebuilds.prepare_rebuild):
            rebuilds.rebuild_form(desk.act, held)
    finally:
        stop.set()
    numbers = [*range(20), *(number for sender in senders for number in sender.result(_SECONDS))]

    assert sorted(row["edad"] for row in desk.rows("hogar")) == sorted(numbers)
    assert sorted(int(row["n"]) for row in desk.rows("hogar", "/m")) == sorted(numbers)
    assert desk.failures() == []

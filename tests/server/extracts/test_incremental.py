"""Extracts of what is new: nothing gets lost between one and the next, and what was deleted is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import update

from server.actions import reviews
from server.extracts import cursors
from server.model.submissions import submissions
from tests.server.desk import ON_SQLITE, PROJECT, Desk, form, questions
from tests.server.extracts.asking import Analyst, read_csv
from tests.server.wire import Wire, instance

NOON = datetime(2026, 8, 15, 12, tzinfo=UTC)
HOUSE = form("hogar", questions("integer edad"))


def send(phone: Wire, number: int, when: datetime, **more: str) -> None:
    with time_machine.travel(when, tick=False):
        assert (
            phone.post(instance("hogar", f"<edad>{number}</edad>", instance_id=f"uuid:{number}", **more)).status == 201
        )


def take(analyst: Analyst, when: datetime, since: str | None = None) -> tuple[list[str], str]:
    """The keys of an extract made at this moment, and the cursor that came with it."""
    with time_machine.travel(when, tick=False):
        answer = analyst.get("hogar", "extract.csv", **({"since": since} if since else {}))
    assert answer.status == 200, answer.body
    return list(read_csv(answer.body)["_key"]), answer.headers["Tejido-Cursor"]


def test_only_what_came_or_changed_since(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(HOUSE)
    send(phone, 1, NOON)
    send(phone, 2, NOON)
    send(phone, 3, NOON)
    first, cursor = take(analyst, NOON + timedelta(hours=1))
    nothing, cursor = take(analyst, NOON + timedelta(hours=2), cursor)
    send(phone, 4, NOON + timedelta(hours=3))
    send(phone, 20, NOON + timedelta(hours=3), deprecated_id="uuid:2")
    with time_machine.travel(NOON + timedelta(hours=3), tick=False):
        desk.act(lambda ctx: reviews.review(ctx, PROJECT, "hogar", "uuid:3", "approved"))

    changed, _ = take(analyst, NOON + timedelta(hours=4), cursor)

    assert first == ["uuid:1", "uuid:2", "uuid:3"]
    assert nothing == []
    assert changed == ["uuid:2", "uuid:3", "uuid:4"]


def test_what_began_before_an_extract_and_came_after_it_is_in_the_next(desk: Desk, phone: Wire, analyst: Analyst):
    """A submission has the moment at which its transaction began: here that lies before the extract that missed it."""
    desk.publish(HOUSE)
    _, cursor = take(analyst, NOON)
    send(phone, 1, NOON - timedelta(minutes=9))

    late, _ = take(analyst, NOON + timedelta(hours=1), cursor)

    assert late == ["uuid:1"]


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
def test_a_cursor_waits_for_whoever_is_still_writing(desk: Desk):
    with desk.office.database.engine.connect() as writing, writing.begin() as transaction:
        writing.execute(update(submissions).where(submissions.c.id == -1).values(edits=1))
        began = writing.exec_driver_sql(
            "SELECT xact_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        ).scalar_one()
        writing.exec_driver_sql("SELECT pg_current_xact_id()")  # it has a number from now on
        later = began + timedelta(hours=5)

        cursor = desk.look(lambda conn: cursors.after(conn, 1, later))
        transaction.rollback()
    free = desk.look(lambda conn: cursors.after(conn, 1, later))

    assert cursors.read(cursor, 1) == began - cursors.OVERLAP
    assert cursors.read(free, 1) == later - cursors.OVERLAP


def test_what_was_deleted_is_told(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(HOUSE)
    for number in (1, 2, 3):
        send(phone, number, NOON)
    _, cursor = take(analyst, NOON + timedelta(hours=1))
    for key, when in (("uuid:1", NOON - timedelta(hours=1)), ("uuid:3", NOON + timedelta(hours=2))):
        desk.change(
            lambda conn, key=key, when=when: conn.execute(  # type: ignore[misc]
                update(submissions).where(submissions.c.instance_id == key).values(deleted_at=when)
            )
        )

    answer = analyst.get("hogar", "extract.csv", since=cursor)
    alone = analyst.get("hogar", "deleted.csv", since=cursor).body.decode()
    ever = analyst.get("hogar", "deleted.csv").body.decode()
    files = analyst.zip("hogar", "csv.zip", since=cursor)

    assert answer.headers["Tejido-Deleted"] == "1"
    assert alone == "_key,_deleted_at\nuuid:3,2026-08-15T14:00:00.000Z\n"
    assert files["hogar-deleted.csv"].decode() == alone
    assert ever.splitlines()[1:] == ["uuid:1,2026-08-15T11:00:00.000Z", "uuid:3,2026-08-15T14:00:00.000Z"]


@ON_SQLITE
@pytest.mark.parametrize(
    "cursor", ["x", "e30", "eyJmb3JtIjo5OSwidW50aWwiOiIyMDI2LTA4LTE1VDEyOjAwOjAwKzAwOjAwIn0", "ñ", "bnVsbA"]
)
def test_a_cursor_that_is_none_of_this_form_is_refused(desk: Desk, analyst: Analyst, cursor: str):
    desk.publish(HOUSE)

    assert analyst.refused("hogar", "csv", since=cursor)[2] == {"field": "since", "value": cursor}

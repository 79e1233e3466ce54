"""Writing and reading: what shares a commit does not share a failure, and what is told was kept is kept."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import urllib3
from sqlalchemy import Connection, Table, func, insert, select
from sqlalchemy.exc import IntegrityError

from server.model.projects import projects
from server.settings import Settings
from tests.server.desk import ON_SQLITE, PROJECT, TOKEN, Desk, form, questions
from tests.server.serving import serving
from tests.server.wire import Wire, instance, new_id, to_server


def add(conn: Connection, name: str) -> str:
    conn.execute(insert(projects).values(name=name, created_at=NOW))
    return name


NOW = datetime(2026, 8, 15, tzinfo=UTC)


def names(desk: Desk) -> list[str]:
    return desk.look(lambda conn: sorted(conn.execute(select(projects.c.name)).scalars()))


def test_many_pieces_of_writing_at_once_are_all_kept(desk: Desk):
    with ThreadPoolExecutor(16) as pool:
        told = [*pool.map(lambda n: desk.change(lambda conn: add(conn, f"p{n:03}")), range(200))]

    assert told == [f"p{n:03}" for n in range(200)]
    assert names(desk)[1:] == told


def test_a_piece_that_fails_takes_no_other_with_it(desk: Desk):
    """While one piece holds the writer, the others gather behind it into one group."""
    gate = threading.Event()

    def work(number: int) -> str:
        def piece(conn: Connection) -> str:
            if number == 0:
                gate.wait(10)
            add(conn, f"p{number:02}")
            if number % 3 == 1:
                raise ValueError(number)
            if number % 3 == 2:
                conn.exec_driver_sql("SELECT * FROM nowhere")
            return f"p{number:02}"

        try:
            return desk.change(piece)
        except Exception as error:
            return type(error).__name__

    with ThreadPoolExecutor(30) as pool:
        running = [pool.submit(work, number) for number in range(30)]
        gate.set()
        told = [future.result() for future in running]

    assert [told[n] for n in range(0, 30, 3)] == [f"p{n:02}" for n in range(0, 30, 3)]
    assert [told[n] for n in range(1, 30, 3)] == ["ValueError"] * 10
    assert all(not told[n].startswith("p") for n in range(2, 30, 3))
    assert names(desk)[1:] == [f"p{n:02}" for n in range(0, 30, 3)]


def test_a_conflict_of_unique_keys_is_tried_again(desk: Desk):
    tries = []

    def piece(conn: Connection) -> int:
        tries.append(1)
        if len(tries) < 3:
            conn.execute(insert(projects).values(id=PROJECT, name="again", created_at=NOW))
        return len(tries)

    assert desk.change(piece) == 3
    assert names(desk) == ["Cohesión social"]


def test_a_conflict_that_stays_is_told(desk: Desk):
    with pytest.raises(IntegrityError):
        desk.change(lambda conn: conn.execute(insert(projects).values(id=PROJECT, name="x", created_at=NOW)))

    assert names(desk) == ["Cohesión social"]


def test_reading_leaves_nothing_behind(desk: Desk):
    with suppress(Exception):  # SQLite may refuse, PostgreSQL rolls back
        desk.look(lambda conn: add(conn, "x"))

    assert names(desk) == ["Cohesión social"]


def test_a_streamed_answer_sees_one_state_whatever_is_written_meanwhile(desk: Desk):
    def count(conn: Connection, table: Table = projects) -> int:
        return conn.execute(select(func.count()).select_from(table)).scalar_one()

    with desk.office.database.reading() as conn:
        before = count(conn)
        desk.change(lambda other: add(other, "nuevo"))
        assert count(conn) == before

    assert desk.look(count) == before + 1


@ON_SQLITE
def test_a_writing_action_that_starts_another_is_told_so_and_does_not_wait_for_ever(desk: Desk):
    with pytest.raises(RuntimeError):
        desk.change(lambda _: desk.change(lambda _: None))


def test_every_201_is_kept_though_the_server_is_killed_under_load(desk: Desk, settings: Settings):
    """SQLite: nothing is acknowledged before it is on the disk. PostgreSQL's own process lives on here."""
    desk.publish(form("hogar", questions("integer edad", "begin repeat m", "text n", "end repeat")))
    acknowledged: list[str] = []
    with serving(settings.data, settings.database_url) as server:
        phone = Wire(to_server(server.url), f"/v1/key/{TOKEN}/projects/{PROJECT}")
        enough = threading.Event()

        def send() -> None:
            while True:
                instance_id = new_id()
                try:
                    answer = phone.post(
                        instance("hogar", "<edad>5</edad><m><n>x</n></m>", instance_id=instance_id), {"a.jpg": b"A"}
                    )
                except (OSError, urllib3.exceptions.HTTPError):
                    return
                if answer.status == 201:
                    acknowledged.append(instance_id)
                if len(acknowledged) > 60:
                    enough.set()

        senders = [threading.Thread(target=send) for _ in range(8)]
        for sender in senders:
            sender.start()
        assert enough.wait(60)
        server.kill()
        for sender in senders:
            sender.join(60)

    kept = {row["_key"] for row in desk.rows("hogar")}
    assert set(acknowledged) <= kept
    assert len(desk.rows("hogar", "/m")) == len(kept) == desk.submissions()
    assert {name: desk.files(name) for name in acknowledged} == {name: {"a.jpg": b"A"} for name in acknowledged}
    assert desk.failures() == []

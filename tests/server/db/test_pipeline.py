"""Pipelines: what is sent together is kept together or not at all, and whoever is told so can rely on it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, bindparam, func, insert, literal_column, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from forms.problems import Problem
from server import problems
from server.context import Context
from server.model.people import Actor
from server.model.projects import projects
from server.pipeline import KEPT
from server.prepared import Prepared
from tests.server.desk import PROJECT, Desk

ON_POSTGRESQL = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
NOW = datetime(2026, 8, 15, tzinfo=UTC)
ADD = Prepared(insert(projects).inline(), columns=("id", "name", "created_at"))
COUNT = Prepared(select(func.count()).select_from(projects))
LEAVE = Prepared(select(func.pg_terminate_backend(func.pg_backend_pid())))


def project(number: int, name: str | None) -> dict[str, object]:
    return {"id": number, "name": name, "created_at": NOW}


def names(desk: Desk) -> list[str]:
    return desk.look(
        lambda conn: sorted(conn.execute(select(projects.c.name).where(projects.c.id > PROJECT)).scalars())
    )


def test_what_nobody_waits_for_is_kept_by_one_run(desk: Desk):
    runs = []

    def work(conn: Connection) -> list[tuple[int]]:
        runs.append(1)
        ADD.run(conn, project(2, "a"))
        ADD.many(conn, [project(3, "b"), project(4, "c")])
        counted = COUNT.all(conn, {})
        ADD.run(conn, project(5, "d"))
        return counted

    assert desk.change(work) == [(4,)]
    assert len(runs) == 1
    assert names(desk) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("between", ["nothing", "another question", "another way"])
def test_what_is_asked_says_how_things_stood_when_it_was_asked(desk: Desk, between: str):
    def work(conn: Connection) -> list[list[tuple[int]]]:
        none = COUNT.ask(conn, {})
        ADD.run(conn, project(2, "a"))
        one = COUNT.ask(conn, {})
        ADD.run(conn, project(3, "b"))
        if between == "another question":
            assert COUNT.all(conn, {}) == [(3,)]
        elif between == "another way":
            assert conn.execute(select(func.count()).select_from(projects)).scalar_one() == 3
        return [one(), none(), one()]

    assert desk.change(work) == [[(2,)], [(1,)], [(2,)]]


def test_an_action_that_never_looks_at_its_actor_still_needs_a_true_one(desk: Desk):
    def nobody() -> Actor:
        raise problems.token_not_valid()

    with pytest.raises(Problem) as told:
        desk.office.act(lambda ctx: ADD.run(ctx.conn, project(2, "a")), lambda _: nobody)

    assert told.value.code == 403.1
    assert names(desk) == []


def test_a_statement_that_goes_another_way_sees_what_was_sent_before_it(desk: Desk):
    def work(conn: Connection) -> tuple[int, int]:
        ADD.run(conn, project(2, "a"))
        seen = conn.execute(select(func.count()).select_from(projects)).scalar_one()
        ADD.run(conn, project(3, "b"))
        return seen, COUNT.all(conn, {})[0][0]

    assert desk.change(work) == (2, 3)
    assert names(desk) == ["a", "b"]


@pytest.mark.parametrize("asked", [False, True])
def test_an_error_in_what_nobody_waits_for_leaves_nothing_and_is_told(desk: Desk, asked: bool):
    def work(conn: Connection) -> str:
        ADD.run(conn, project(2, "a"))
        ADD.run(conn, project(3, None))
        ADD.run(conn, project(4, "c"))
        if asked:
            COUNT.all(conn, {})
        return "done"

    with pytest.raises(IntegrityError, match=r"(?i)null"):
        desk.change(work)

    assert names(desk) == []
    desk.change(lambda conn: ADD.run(conn, project(2, "after")))
    assert names(desk) == ["after"]


def test_a_conflict_in_what_nobody_waits_for_runs_again_with_care(desk: Desk):
    desk.change(lambda conn: ADD.run(conn, project(2, "a")))
    careful = []

    def action(ctx: Context) -> str:
        careful.append(ctx.careful)
        ADD.run(ctx.conn, project(3 if ctx.careful else 2, "b"))
        return "kept"

    assert desk.office.act(action, lambda _: lambda: desk.admin) == "kept"
    assert careful == [False, True]
    assert names(desk) == ["a", "b"]


def test_a_problem_after_what_nobody_waits_for_leaves_nothing(desk: Desk):
    def work(conn: Connection) -> None:
        ADD.run(conn, project(2, "a"))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        desk.change(work)

    assert names(desk) == []
    assert desk.change(lambda conn: COUNT.all(conn, {})) == [(1,)]


@ON_POSTGRESQL
def test_a_failure_that_the_work_passes_over_is_never_told_as_kept(desk: Desk):
    """PostgreSQL keeps nothing of a transaction in which something failed, and answers COMMIT without an error."""

    def work(conn: Connection) -> str:
        ADD.run(conn, project(2, "a"))
        try:
            conn.exec_driver_sql("SELECT * FROM nowhere")
        except DBAPIError:
            return "kept"
        return "unexpected"

    with pytest.raises(DBAPIError, match="cannot be committed"):
        desk.change(work)

    assert names(desk) == []


@ON_POSTGRESQL
def test_text_that_cannot_be_stored_is_told_as_such(desk: Desk):
    with pytest.raises(Problem) as told:
        desk.change(lambda conn: ADD.run(conn, project(2, "a\0b")))

    assert told.value.status == 400
    assert names(desk) == []


@ON_POSTGRESQL
def test_a_connection_lost_on_the_way_is_503_and_leaves_nothing(desk: Desk):
    def work(conn: Connection) -> None:
        ADD.run(conn, project(2, "a"))
        LEAVE.all(conn, {})

    with pytest.raises(Problem) as told:
        desk.change(work)

    assert told.value.status == 503
    assert names(desk) == []
    desk.change(lambda conn: ADD.run(conn, project(2, "after")))
    assert names(desk) == ["after"]


@ON_POSTGRESQL
def test_a_connection_lost_before_the_commit_is_503_and_leaves_nothing(desk: Desk):
    def work(conn: Connection) -> None:
        ADD.run(conn, project(2, "a"))
        own = COUNT.all(conn, {})
        pid = conn.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        desk.look(lambda other: other.execute(select(func.pg_terminate_backend(pid, 5000))).all())
        assert own == [(2,)]

    with pytest.raises(Problem) as told:
        desk.change(work)

    assert told.value.status == 503
    assert names(desk) == []


@ON_POSTGRESQL
def test_a_connection_keeps_a_bounded_number_of_statements_prepared(desk: Desk):
    many = [Prepared(select(literal_column(str(number)), bindparam("one", 1))) for number in range(KEPT + 20)]
    held = text("SELECT count(*) FROM pg_prepared_statements")

    def work(conn: Connection) -> tuple[list[int], int]:
        told = [statement.all(conn, {"one": 5})[0][0] for statement in (*many, *many)]
        return told, conn.execute(held).scalar_one()

    assert desk.change(work) == ([*range(KEPT + 20)] * 2, KEPT)

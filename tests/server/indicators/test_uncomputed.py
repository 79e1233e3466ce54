"""Records that an operation fails on, as a later database may have one: told by name, and no other record suffers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, text

from forms.expressions.operations import OPERATIONS
from server.sqlite_functions import function_name
from tests.server.api.clients import client
from tests.server.desk import Desk, form, questions
from tests.server.indicators import standing
from tests.server.indicators.measuring import declare, send, table
from tests.server.wire import Wire

HOUSE = form("hogar", questions("date dia", "integer edad", "begin repeat hijo", "integer h_edad", "end repeat"))
LOGFRAME = """
| indicators |
| | name | label | form | over | type | where | value | date | period |
| | N | Adultos | hogar | | count | ${edad} >= 18 | | ${dia} | year |
| | T | El doble | hogar | | sum | | ${edad} * 2 | ${dia} | year |
| | H | Hijos | hogar | hijo | sum | | ${h_edad} * ${edad} | ${dia} | year |
| | O | Hasta hoy | hogar | | mean | | ${edad} * 2 + (period-end() - ${dia}) * 0 | ${dia} | year |
| | F | Cociente | | | formula | | {T} div {N} | | |
"""


@pytest.fixture
def failing(desk: Desk) -> Iterator[Desk]:
    """An office whose database cannot multiply 13."""
    times = OPERATIONS["times"]

    def refuse(left: float, right: float) -> float | None:
        if left == 13:
            raise ArithmeticError("13")
        product: float | None = None if left is None or right is None else times(left, right)
        return product

    def spoil(connection: sqlite3.Connection, *_: Any) -> None:
        connection.create_function(function_name("times"), 2, refuse, deterministic=True)

    pool = desk.office.database.engine.pool
    if desk.office.database.is_sqlite:
        event.listen(pool, "checkout", spoil)
    else:
        desk.change(
            lambda conn: conn.execute(
                text(
                    "CREATE OR REPLACE FUNCTION tejido_times(a double precision, b double precision) "
                    "RETURNS double precision LANGUAGE plpgsql STRICT AS $$ BEGIN "
                    "IF a = 13 THEN RAISE EXCEPTION 'unlucky'; END IF; RETURN a * b; END $$"
                )
            )
        )
    desk.publish(HOUSE)
    yield desk
    if desk.office.database.is_sqlite:
        event.remove(pool, "checkout", spoil)


def fill(phone: Wire) -> None:
    for number in range(20):
        child = "<hijo><h_edad>2</h_edad></hijo>" if number in (12, 13, 14) else ""
        send(phone, "hogar", f"<dia>2026-01-01</dia><edad>{number + 5}</edad>{child}", instance_id=f"uuid:{number}")


@pytest.mark.parametrize("declared", ["before", "after"])
def test_a_record_that_fails_is_unknown_where_it_fails_and_counts_elsewhere(failing: Desk, phone: Wire, declared: str):
    if declared == "before":
        declare(failing, LOGFRAME)
    fill(phone)
    if declared == "after":
        declare(failing, LOGFRAME)

    assert failing.failures() == []
    assert table(failing, "N", period="2026") == {("2026",): (7.0, 7, 0)}  # 18 … 24
    assert table(failing, "T", period="2026") == {("2026",): (2.0 * (sum(range(5, 25)) - 13), 19, 1)}
    assert table(failing, "H", period="2026") == {("2026",): (2.0 * (17 + 18 + 19), 3, 0)}
    manager = client(failing, phone.send, "manager")
    told = {one["name"]: one["uncomputed"] for one in manager.json("/indicators")}
    assert told == {
        "N": None,
        "T": {"records": 1, "instanceIds": ["uuid:8"]},
        "H": None,
        "O": None,
        "F": None,
    }
    answer = manager.json("/indicators/values?period=2026")
    assert {one["indicator"]: one["uncomputed"] for one in answer["indicators"]} == {"N": 0, "T": 1, "H": 0, "F": 0}
    assert [one["indicator"] for one in answer["unavailable"]] == ["O"]
    alone = manager.json("/indicators/O/values?period=2026")
    assert alone["values"] == []
    assert alone["waits"]["es"].startswith("no se pudo calcular")
    manager.refused("/indicators/O/facts?period=2026", 409.16)


def test_a_viewer_is_not_told_which_records_fail(failing: Desk, phone: Wire):
    declare(failing, LOGFRAME)
    fill(phone)

    viewer = client(failing, phone.send, "viewer")
    assert [one["uncomputed"] for one in viewer.json("/indicators")] == [None] * 5


def test_a_corrected_record_counts_again(failing: Desk, phone: Wire):
    declare(failing, LOGFRAME)
    fill(phone)

    send(phone, "hogar", "<dia>2026-01-01</dia><edad>14</edad>", instance_id="uuid:8b", deprecated_id="uuid:8")

    assert table(failing, "T", period="2026") == {("2026",): (2.0 * (sum(range(5, 25)) + 1), 20, 0)}
    manager = client(failing, phone.send, "manager")
    assert all(one["uncomputed"] is None for one in manager.json("/indicators"))


def test_a_rebuild_marks_the_same_records(failing: Desk, phone: Wire):
    declare(failing, LOGFRAME)
    fill(phone)
    before = standing.kept(failing)

    standing.rebuild(failing)

    assert standing.kept(failing) == before
    assert failing.failures() == []

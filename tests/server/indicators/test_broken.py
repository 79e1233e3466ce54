"""What somebody broke once: figures that went missing, requests that failed, cells whose place in a list told of them."""

from __future__ import annotations

import pytest

from tests.server.api.clients import client
from tests.server.desk import ON_SQLITE, Desk, form
from tests.server.indicators.measuring import declare, send, table
from tests.server.wire import Wire

SURVEY = form(
    "hogar",
    """
| | type | name | label |
| | date | dia | D |
| | decimal | v | V |
| | decimal | peso | P |
| | integer | e | E |
| | select_one si | a | A |
| | select_one si | b | B |
""",
    choices="""
| | list_name | name | label |
| | si | s | Sí |
| | si | n | No |
""",
)


def answer(phone: Wire, **given: object) -> None:
    """A submission of the year 2026."""
    send(
        phone, "hogar", "<dia>2026-02-01</dia>" + "".join(f"<{name}>{value}</{name}>" for name, value in given.items())
    )


def declared(*rows: str) -> str:
    """Indicators of the form, as `name | type | value | weight`."""
    heading = "| | name | type | value | weight | label | form | date | period | minimum_n |\n"
    return f"| indicators |\n{heading}" + "".join(f"| | {row} | x | hogar | ${{dia}} | year | 0 |\n" for row in rows)


def test_rounding_a_long_number_loses_no_unit(desk: Desk, phone: Wire):
    desk.publish(SURVEY)
    declare(desk, declared("N | count | | ", "R | sum | round(${v}, 2) | ", "E | max | round(5, ${e}) | "))

    answer(phone, v="9" * 30, e=-(2**31) - 1)
    answer(phone, v="2.345", e=-(2**40))

    assert desk.failures() == []
    assert table(desk, "N") == {(): (2.0, 2, 0)}
    assert table(desk, "R") == {(): (1e30, 2, 0)}
    assert table(desk, "E") == {(): (0.0, 2, 0)}
    assert list(table(desk, "E", by=("e",)).values()) == [(0.0, 1, 0), (0.0, 1, 0)]

    declare(desk, declared("R | sum | round(${v}, 1) | "))

    assert table(desk, "R") == {(): (1e30, 2, 0)}


def test_weights_too_small_to_multiply_count_as_nothing(desk: Desk, phone: Wire):
    desk.publish(SURVEY)
    declare(desk, declared("M | mean | ${v} | ${peso}"))
    smallest = f"0.{'0' * 199}1"

    answer(phone, v=4, peso=2)
    answer(phone, v=smallest, peso=smallest)

    assert table(desk, "M") == {(): (4.0, 2, 0)}


@ON_SQLITE
@pytest.mark.parametrize("period", ["2026,2026-01", "2026-Q1,2026-01", "2026-01..2026-02,2026"])
def test_periods_of_two_kinds_are_refused(desk: Desk, phone: Wire, period: str):
    desk.publish(SURVEY)
    declare(desk, declared("N | count | | "))

    told = client(desk, phone.send, "manager").refused(f"/indicators/N/values?period={period}", 400.8)

    assert "it names two kinds of period" in told["message"]


def test_place_of_a_hidden_cell_does_not_tell_whether_it_is_empty(desk: Desk, phone: Wire):
    desk.publish(SURVEY)
    declare(desk, declared("N | count | | ").replace("| 0 |", "| 10 |"))
    for number in range(24):
        answer(phone, a="sn"[number % 2], b="n" if number % 2 else "sn"[number % 4 // 2])
    answer(phone, a="x", b="n")

    told = client(desk, phone.send, "viewer").json("/indicators/N/values?by=a,b")

    cells = [tuple(one["categories"].values()) for one in told["values"]]
    assert cells == sorted(cells)
    assert {("n", "s"), ("x", "s")} <= set(cells)
    assert all(one["hidden"] for one in told["values"] if one["categories"]["b"] == "s")


@ON_SQLITE
def test_formula_may_ask_for_more_units_than_its_inputs(desk: Desk, phone: Wire):
    desk.publish(SURVEY)
    formula = "| | F | formula | {N} * 2 | | x | | | | 3 |\n| | G | formula | {N} * 2 | | x | | | | |\n"
    declare(desk, declared("N | count | | ") + formula)
    answer(phone)
    answer(phone)
    viewer = client(desk, phone.send, "viewer")

    shown = {
        name: [one["value"] for one in viewer.json(f"/indicators/{name}/values")["values"]] for name in ("N", "F", "G")
    }

    assert shown == {"N": [2.0], "F": [None], "G": [4.0]}


@ON_SQLITE
def test_formulas_that_share_inputs_are_computed_once(desk: Desk, phone: Wire):
    desk.publish(SURVEY)
    formulas = "".join(
        f"| | A{n} | formula | {{A{n - 1}}} + {{B{n - 1}}} | | x | | | | |\n"
        f"| | B{n} | formula | {{A{n - 1}}} - {{B{n - 1}}} | | x | | | | |\n"
        for n in range(1, 41)
    )
    declare(desk, declared("A0 | count | | ", "B0 | sum | ${v} | ") + formulas)
    answer(phone, v=1)

    listed = client(desk, phone.send, "viewer").json("/indicators/values")

    found = {one["indicator"]: one["values"][0]["value"] for one in listed["indicators"]}
    assert (found["A40"], found["B40"]) == (2.0**20, 2.0**20)

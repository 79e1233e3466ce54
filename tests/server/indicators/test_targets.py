"""Baselines, targets and achievement beside figures, computed by hand."""

from __future__ import annotations

from typing import Any

import pytest

from server.actions import indicators
from server.indicators.asking import Request
from tests.server.desk import Desk, form
from tests.server.indicators.measuring import declare, send
from tests.server.wire import Wire

SURVEY = form(
    "hogar",
    """
| | type | name | label |
| | date | dia | D |
| | text | lugar | L |
| | select_one sexo | sexo | S |
| | integer | edad | E |
| | select_one ronda | ronda | R |
""",
    choices="""
| | list_name | name | label |
| | sexo | f | Mujer |
| | sexo | m | Hombre |
| | ronda | base | Base |
| | ronda | final | Final |
""",
)
PLACES = """
| places |
| | code | parent | level | label |
| | p1 | | province | P1 |
| | p2 | | province | P2 |
| | d1 | p1 | district | D1 |
| | d2 | p1 | district | D2 |
| | d3 | p2 | district | D3 |
"""
COLUMNS = "| | name | label | form | type | value | date | place | period | disaggregate | direction | accumulate |\n"


def logframe(*indicators_: str, targets: str) -> str:
    rows = "".join(f"| | {row} |\n" for row in indicators_)
    heading = "| | indicator | kind | period | place | dimension | category | value | source |\n"
    return f"| indicators |\n{COLUMNS}{rows}{PLACES}\n| targets |\n{heading}{targets}"


def mean(name: str, period: str = "year", direction: str = "up", accumulate: str = "no") -> str:
    return (
        f"{name} | x | hogar | mean | ${{edad}} | ${{dia}} | ${{lugar}} | {period} | sexo province district | {direction} | "
        f"{accumulate}"
    )


Line = tuple[float | None, float | None, float | None, float | None]


def beside(desk: Desk, name: str, **asked: Any) -> dict[tuple[str | None, ...], Line]:
    """(period, categories…) → value, baseline, target, achievement."""
    found = desk.ask(lambda ctx: indicators.get_values(ctx, desk.project_id, [name], Request(**asked)))
    return {
        (figure.period, *figure.categories): (figure.value, figure.baseline, figure.target, figure.achievement)
        for figure in found.values[0].figures
    }


def answer(dia: str, lugar: str, sexo: str, edad: int, ronda: str = "base") -> str:
    return f"<dia>{dia}</dia><lugar>{lugar}</lugar><sexo>{sexo}</sexo><edad>{edad}</edad><ronda>{ronda}</ronda>"


@pytest.fixture
def filled(desk: Desk, phone: Wire) -> Desk:
    """Means of 2024: 10 (f 10, m 10), of 2025: 16 (f 12, m 20); of d1 10 and 12, of d3 10 and 20."""
    desk.publish(SURVEY)
    for line in (
        answer("2024-03-01", "d1", "f", 10),
        answer("2024-04-01", "d3", "m", 10),
        answer("2025-03-01", "d1", "f", 12, "final"),
        answer("2025-04-01", "d3", "m", 20, "final"),
    ):
        send(phone, "hogar", line)
    return desk


def test_achievement_up_and_down_with_and_without_baseline(filled: Desk):
    declare(
        filled,
        logframe(
            mean("UP"), mean("DOWN", direction="down"), mean("FROM"), mean("FALL", direction="down"), mean("SAME"), mean("ZERO"),
            targets="""
| | UP | target | 2025 | | | | 32 | |
| | DOWN | target | 2025 | | | | 8 | |
| | FROM | baseline | 2024 | | | | 12 | x |
| | FROM | target | 2025 | | | | 20 | |
| | FALL | baseline | | | | | 20 | x |
| | FALL | target | 2025 | | | | 12 | |
| | SAME | baseline | | | | | 16 | x |
| | SAME | target | 2025 | | | | 16 | |
| | ZERO | target | 2025 | | | | 0 | |
""",
        ),
    )  # fmt: skip
    assert beside(filled, "UP", period="2025") == {("2025",): (16.0, None, 32.0, 50.0)}
    assert beside(filled, "DOWN", period="2025") == {("2025",): (16.0, None, 8.0, 50.0)}
    assert beside(filled, "FROM", period="2025") == {("2025",): (16.0, 12.0, 20.0, 50.0)}
    assert beside(filled, "FALL", period="2025") == {("2025",): (16.0, 20.0, 12.0, 50.0)}
    assert beside(filled, "SAME", period="2025") == {("2025",): (16.0, 16.0, 16.0, None)}
    assert beside(filled, "ZERO", period="2025") == {("2025",): (16.0, None, 0.0, None)}
    # a target is one of its period
    assert beside(filled, "UP", period="2024") == {("2024",): (10.0, None, None, None)}


def test_baseline_computed_from_its_period_for_every_cell(filled: Desk):
    declare(
        filled,
        logframe(
            mean("C"),
            targets="""
| | C | baseline | 2024 | | | | | x |
| | C | target | 2025 | | | | 18 | |
| | C | target | 2025 | p1 | | | 14 | |
| | C | target | 2025 | d3 | | | 30 | |
| | C | target | 2025 | | sexo | m | 25 | |
""",
        ),
    )
    assert beside(filled, "C", period="2025") == {("2025",): (16.0, 10.0, 18.0, 75.0)}
    assert beside(filled, "C", period="2025", by=("province",)) == {
        ("2025", "p1"): (12.0, 10.0, 14.0, 50.0),
        ("2025", "p2"): (20.0, 10.0, None, None),
    }
    assert beside(filled, "C", period="2025", place="p1") == {("2025",): (12.0, 10.0, 14.0, 50.0)}
    assert beside(filled, "C", period="2025", by=("sexo",)) == {
        ("2025", "f"): (12.0, 10.0, None, None),
        ("2025", "m"): (20.0, 10.0, 25.0, pytest.approx(200 / 3)),
    }
    # of two levels the inner one is the place of the cell, in whatever order they were asked for
    for by in (("province", "district"), ("district", "province")):
        found = beside(filled, "C", period="2025", by=by)
        assert {line[2] for line in found.values()} == {None, 30.0}


def test_baseline_computed_from_a_round(filled: Desk):
    declare(
        filled,
        logframe(
            mean("R", "${ronda}", accumulate=""),
            targets="| | R | baseline | base | | | | | x |\n| | R | target | final | | | | 22 | |\n",
        ),
    )
    assert beside(filled, "R") == {("base",): (10.0, 10.0, None, None), ("final",): (16.0, 10.0, 22.0, 50.0)}
    assert beside(filled, "R", period="final", by=("sexo",))["final", "m"] == (20.0, 10.0, None, None)


def test_a_typed_baseline_of_a_cell_comes_before_the_computed_one(filled: Desk):
    declare(
        filled,
        logframe(
            mean("B"),
            targets="""
| | B | baseline | 2024 | | | | | x |
| | B | baseline | | p1 | | | 4 | x |
| | B | target | 2025 | p1 | | | 20 | |
""",
        ),
    )
    assert beside(filled, "B", period="2025", by=("province",))["2025", "p1"] == (12.0, 4.0, 20.0, 50.0)
    assert beside(filled, "B", period="2025", by=("province",))["2025", "p2"] == (20.0, 10.0, None, None)


def test_units_of_no_place_have_not_the_target_of_all(filled: Desk, phone: Wire):
    declare(filled, logframe(mean("N"), targets="| | N | target | 2025 | | | | 18 | |\n"))
    send(phone, "hogar", answer("2025-05-01", "", "f", 9))
    assert beside(filled, "N", period="2025", by=("province",))["2025", None] == (9.0, None, None, None)


def test_a_baseline_that_nobody_knows_gives_no_achievement(filled: Desk):
    declare(
        filled,
        logframe(
            mean("K"),
            targets="| | K | baseline | 2020 | | | | | x |\n| | K | target | 2025 | | | | 20 | |\n",
        ),
    )
    assert beside(filled, "K", period="2025") == {("2025",): (16.0, None, 20.0, None)}


def test_viewers_learn_no_small_baseline(filled: Desk):
    declare(
        filled,
        logframe(mean("V"), targets="| | V | baseline | 2024 | | | | | x |\n| | V | target | 2025 | | | | 20 | |\n"),
    )
    viewer = filled.user("mirar@example.org", "viewer")
    request = Request(period="2025")
    found = filled.ask(lambda ctx: indicators.get_values(ctx, filled.project_id, ["V"], request), viewer)
    (figure,) = found.values[0].figures
    assert (figure.hidden, figure.value, figure.n, figure.baseline, figure.achievement) == (True, None, 0, None, None)

"""What stands at the end of each period: groups, last rows and cohorts, computed by hand."""

from __future__ import annotations

import pytest

from tests.server.desk import Desk, form
from tests.server.indicators.measuring import declare, send, table
from tests.server.wire import Wire

SURVEY = """
| | type | name | label |
| | date | dia | Día |
| | text | persona | Persona |
| | select_one lugar | lugar | Lugar |
| | integer | ofrecidas | Sesiones |
| | integer | asistidas | Asistencias |
| | select_one trabajo | trabajo | Trabajo |
| | decimal | ingreso | Ingreso |
"""
CHOICES = """
| | list_name | name | label |
| | lugar | d1 | Uno |
| | lugar | d2 | Dos |
| | trabajo | si | Sí |
| | trabajo | no | No |
"""
LOGFRAME = """
| indicators |
| | name | label | form | type | where | numerator | denominator | value | key | latest | group | cohort | date | period | disaggregate | accumulate |
| | T | Terminaron | curso | distinct | ${ofrecidas} > 0 | sum(${asistidas}) >= 0.8 * sum(${ofrecidas}) | | | ${persona} | | ${persona} | | ${dia} | quarter | lugar | yes |
| | W | Trabajan | curso | percent | | ${trabajo} = 'si' | | | ${persona} | 1 | | T | ${dia} | quarter | | no |
| | M | Subieron | curso | percent | ${ingreso} != '' | min(${ingreso}) >= 100 | count(${ingreso}) = 2 | | ${persona} | 2 | ${persona} | | ${dia} | quarter | lugar | yes |
| | S | Suman | curso | percent | ${ingreso} != '' | sum(${ingreso}) >= 200 | count(${ingreso}) = 2 | | ${persona} | 2 | ${persona} | | ${dia} | quarter | lugar | yes |
| | L | Último ingreso | curso | sum | | | | ${ingreso} | ${persona} | 2 | | | ${dia} | quarter | | yes |
| | D | Mediana | curso | median | | | | ${ingreso} | ${persona} | 1 | | | ${dia} | quarter | | yes |
"""


def visit(dia: str, persona: str, lugar: str, ofrecidas: str, asistidas: str, trabajo: str, ingreso: str) -> str:
    given = {
        "dia": dia, "persona": persona, "lugar": lugar, "ofrecidas": ofrecidas, "asistidas": asistidas,
        "trabajo": trabajo, "ingreso": ingreso,
    }  # fmt: skip
    return "".join(f"<{name}>{text}</{name}>" for name, text in given.items())


VISITS = (
    visit("2025-01-10", "a", "d1", "10", "8", "si", "100"),  # attended enough
    visit("2025-02-10", "b", "d1", "10", "2", "no", "90"),
    visit("2025-05-10", "a", "d2", "10", "0", "no", "110"),  # no longer: 8 of 20
    visit("2025-08-10", "b", "d1", "10", "10", "si", ""),  # 12 of 20: not yet
    visit("2025-08-11", "b", "d1", "40", "40", "no", "120"),  # 52 of 60
    visit("2025-12-10", "a", "d2", "", "", "si", "80"),
    visit("2025-12-11", "", "d2", "10", "10", "si", "70"),  # nobody
)


@pytest.fixture
def followed(desk: Desk, phone: Wire) -> Desk:
    """A project with a form of visits, a logframe over it, and what was sent, the last first."""
    desk.publish(form("curso", SURVEY, choices=CHOICES))
    declare(desk, LOGFRAME)
    for number, answers in enumerate(reversed(VISITS)):
        send(phone, "curso", answers, instance_id=f"uuid:{number}")
    return desk


def test_group_is_summed_up_to_the_end_of_each_period(followed: Desk):
    assert table(followed, "T", period="quarter", by=("lugar",)) == {
        ("2025-Q1", "d1"): (1.0, 1, 0),
        ("2025-Q3", "d1"): (1.0, 1, 0),
        ("2025-Q4", "d1"): (1.0, 1, 0),
        ("2025-Q4", "d2"): (0.0, 0, 1),  # nobody's row is excluded, not left out
    }
    assert table(followed, "T", period="2025-Q2,2025-Q4") == {("2025-Q4",): (1.0, 1, 1)}


def test_cohort_is_who_was_counted_at_the_end_of_each_period(followed: Desk):
    # in the first quarter `a` was one of them, though not at the end of all; from the third on it is `b`
    assert table(followed, "W", period="quarter") == {("2025-Q1",): (100.0, 1, 0), ("2025-Q3",): (0.0, 1, 0)}
    assert table(followed, "W", period="2025-Q2,2025-Q3") == {("2025-Q3",): (0.0, 1, 0)}
    assert table(followed, "W", period="quarter", cumulative=True) == {
        ("2025-Q1",): (100.0, 1, 0),
        ("2025-Q3",): (0.0, 1, 0),
        ("2025-Q4",): (0.0, 1, 0),
    }


@pytest.mark.parametrize("name", ["M", "S"])
def test_last_rows_of_a_group_at_the_end_of_each_period(followed: Desk, name: str):
    # a: 100 | 100 110 | 110 80; b: 90 | 90 120
    assert table(followed, name, period="quarter", by=("lugar",)) == {
        ("2025-Q2", "d2"): (100.0, 1, 0),
        ("2025-Q3", "d1"): ({"M": 0.0, "S": 100.0}[name], 1, 0),
        ("2025-Q3", "d2"): (100.0, 1, 0),
        ("2025-Q4", "d1"): ({"M": 0.0, "S": 100.0}[name], 1, 0),
        ("2025-Q4", "d2"): (0.0, 1, 1),  # and nobody
    }
    assert table(followed, name, period="2025-Q4", cumulative=False)["2025-Q4",][2] == 1


def test_last_rows_of_a_key_at_the_end_of_each_period(followed: Desk):
    # 100+90 | 100+110+90 | 100+110+blank+120 | 110+80+blank+120; a row of nobody is excluded
    assert table(followed, "L", period="quarter") == {
        ("2025-Q1",): (190.0, 2, 0),
        ("2025-Q2",): (300.0, 3, 0),
        ("2025-Q3",): (330.0, 3, 1),
        ("2025-Q4",): (310.0, 3, 2),
    }
    assert table(followed, "D", period="quarter") == {
        ("2025-Q1",): (95.0, 2, 0),
        ("2025-Q2",): (100.0, 2, 0),
        ("2025-Q3",): (115.0, 2, 0),
        ("2025-Q4",): (100.0, 2, 1),
    }

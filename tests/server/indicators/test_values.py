"""Values of each type, computed by hand from a few records: with blanks, questions not asked, repeats within repeats."""

from __future__ import annotations

import pytest

from tests.server.desk import Desk, form
from tests.server.indicators.measuring import declare, figures, send, table
from tests.server.wire import Wire

SURVEY = """
| | type | name | label |
| | date | dia | D |
| | select_one lugar | lugar | L |
| | select_one sexo | sexo | S |
| | integer edad | edad | E |
| | decimal | ingreso | I |
| | select_multiple redes | redes | R |
| | text | clave | C |
| | begin_repeat | hijo | H |
| | integer | h_edad | E |
| | begin_repeat | vacuna | V |
| | integer | dosis | D |
| | end_repeat | | |
| | end_repeat | | |
""".replace("integer edad", "integer")
CHOICES = """
| | list_name | name | label |
| | sexo | f | Mujer |
| | sexo | m | Hombre |
| | redes | radio | Radio |
| | redes | tv | Televisión |
| | lugar | d1 | Uno |
| | lugar | d2 | Dos |
| | lugar | d3 | Tres |
"""
PLACES = """
| places |
| | code | parent | level | label | valid_from | valid_to |
| | p1 | | province | Primera | | |
| | p2 | | province | Segunda | 2026-01-01 | |
| | d1 | p1 | district | Uno | | |
| | d2 | p1 | district | Dos | | 2025-12-31 |
| | d2 | p2 | district | Dos | 2026-01-01 | |
| | d3 | p2 | district | Tres | 2026-01-01 | |
"""
LOGFRAME = f"""
| indicators |
| | name | label | form | over | type | where | numerator | denominator | value | key | latest | date | place | period | disaggregate | accumulate |
| | N | Personas | hogar | | count | ${{edad}} >= 18 | | | | | | ${{dia}} | ${{lugar}} | quarter | sexo province | |
| | C | Claves | hogar | | distinct | | | | | ${{clave}} | | ${{dia}} | ${{lugar}} | quarter | sexo province | |
| | CA | Claves hasta | hogar | | distinct | | | | | ${{clave}} | | ${{dia}} | ${{lugar}} | quarter | sexo | yes |
| | S | Ingreso | hogar | | sum | | | | ${{ingreso}} | | | ${{dia}} | ${{lugar}} | quarter | sexo | |
| | SA | Ingreso hasta | hogar | | sum | | | | ${{ingreso}} | | | ${{dia}} | ${{lugar}} | quarter | sexo | yes |
| | M | Media | hogar | | mean | | | | ${{ingreso}} | | | ${{dia}} | ${{lugar}} | quarter | sexo | |
| | ME | Mediana | hogar | | median | | | | ${{ingreso}} | | | ${{dia}} | ${{lugar}} | quarter | sexo | |
| | MI | Menor | hogar | | min | | | | ${{ingreso}} | | | ${{dia}} | ${{lugar}} | quarter | sexo | yes |
| | MA | Mayor | hogar | | max | | | | ${{ingreso}} | | | ${{dia}} | ${{lugar}} | quarter | sexo | yes |
| | P | Radio | hogar | | percent | | selected(${{redes}}, 'radio') | ${{edad}} >= 18 | | | | ${{dia}} | ${{lugar}} | quarter | sexo redes | |
| | R | Por persona | hogar | | ratio | | ${{ingreso}} | ${{edad}} | | | | ${{dia}} | ${{lugar}} | quarter | sexo | |
| | L | Último | hogar | | mean | | | | ${{ingreso}} | ${{clave}} | 1 | ${{dia}} | ${{lugar}} | quarter | sexo | |
| | LN | Último del período | hogar | | mean | | | | ${{ingreso}} | ${{clave}} | 1 | ${{dia}} | ${{lugar}} | quarter | sexo | no |
| | H | Hijos | hogar | hijo | count | ${{h_edad}} < 5 and ${{sexo}} = 'f' | | | | | | ${{dia}} | ${{lugar}} | quarter | sexo | |
| | V | Dosis | hogar | vacuna | sum | | | | ${{dosis}} | | | ${{dia}} | ${{lugar}} | quarter | sexo | |
| | VH | Dosis por hijo | hogar | hijo | mean | | | | sum(${{dosis}}) | | | ${{dia}} | ${{lugar}} | quarter | sexo | |
| | F | Cociente | | | formula | | | | {{S}} div {{N}} | | | | | | | |
| | X | A mano | | | manual | | | | | | | | | year | | |
{PLACES}
| targets |
| | indicator | kind | period | place | value | source |
| | X | actual | 2026 | | 12.5 | Acta 3 |
| | X | actual | 2025 | | 10 | Acta 1 |
"""


def record(dia: str, lugar: str, sexo: str, edad: str, ingreso: str, redes: str, clave: str, inner: str = "") -> str:
    given = {"dia": dia, "lugar": lugar, "sexo": sexo, "edad": edad, "ingreso": ingreso, "redes": redes, "clave": clave}
    return "".join(f"<{name}>{text}</{name}>" for name, text in given.items() if text != "-") + inner


def child(age: str, *doses: str) -> str:
    return f"<hijo><h_edad>{age}</h_edad>{''.join(f'<vacuna><dosis>{dose}</dosis></vacuna>' for dose in doses)}</hijo>"


RECORDS = (
    record("2025-11-05", "d2", "f", "30", "100", "radio", "a", child("3", "1", "2") + child("9")),
    record("2026-01-10", "d1", "m", "40", "50", "tv", "b"),
    record("2026-02-10", "d2", "f", "17", "", "radio tv", "a", child("4", "5") + child("")),
    record("2026-04-01", "d3", "f", "", "200", "-", "c"),
    record("2026-05-01", "d2", "-", "50", "10", "", "a"),
    record("", "d1", "m", "60", "7", "tv", ""),
)


@pytest.fixture
def counted(desk: Desk, phone: Wire) -> Desk:
    """A project with a form, a logframe over it, and six records."""
    desk.publish(form("hogar", SURVEY, choices=CHOICES))
    declare(desk, LOGFRAME)
    for answers in RECORDS:
        send(phone, "hogar", answers)
    assert desk.failures() == []
    return desk


def test_count_leaves_out_what_is_unknown(counted: Desk):
    # adults: 30, 40, 50, 60; 17 is looked at and refused; a blank age is excluded
    assert table(counted, "N", period="all") == {(): (4.0, 4, 1)}
    assert table(counted, "N", period="quarter") == {
        ("2025-Q4",): (1.0, 1, 0),
        ("2026-Q1",): (1.0, 1, 0),
        ("2026-Q2",): (1.0, 1, 1),
    }
    assert table(counted, "N", period="all", by=("sexo",)) == {
        ("f",): (1.0, 1, 1),
        ("m",): (2.0, 2, 0),
        (None,): (1.0, 1, 0),
    }


def test_place_follows_its_time(counted: Desk):
    # d2 lay in p1 until 2025; the record without a date is where its place is today
    assert table(counted, "N", period="all", by=("province",)) == {("p1",): (3.0, 3, 0), ("p2",): (1.0, 1, 1)}
    assert table(counted, "N", period="2025-Q4", by=("province",)) == {("2025-Q4", "p1"): (1.0, 1, 0)}
    assert table(counted, "N", period="all", place="p2") == {(): (1.0, 1, 1)}
    assert table(counted, "N", period="all", place="d2", by=("sexo",)) == {("f",): (1.0, 1, 0), (None,): (1.0, 1, 0)}


def test_distinct_is_counted_anew_for_every_cell(counted: Desk):
    assert table(counted, "C", period="all") == {(): (3.0, 3, 1)}
    assert table(counted, "C", period="all", by=("sexo",)) == {
        ("f",): (2.0, 2, 0),
        ("m",): (1.0, 1, 1),
        (None,): (1.0, 1, 0),
    }
    assert table(counted, "C", period="quarter") == {
        ("2025-Q4",): (1.0, 1, 0),
        ("2026-Q1",): (2.0, 2, 0),
        ("2026-Q2",): (2.0, 2, 0),
    }
    assert table(counted, "CA", period="quarter") == {
        ("2025-Q4",): (1.0, 1, 0),
        ("2026-Q1",): (2.0, 2, 0),
        ("2026-Q2",): (3.0, 3, 0),
    }
    assert table(counted, "CA", period="quarter", by=("sexo",)) == {
        ("2025-Q4", "f"): (1.0, 1, 0),
        ("2026-Q1", "f"): (1.0, 1, 0),
        ("2026-Q1", "m"): (1.0, 1, 0),
        ("2026-Q2", "f"): (2.0, 2, 0),
        ("2026-Q2", "m"): (1.0, 1, 0),
        ("2026-Q2", None): (1.0, 1, 0),
    }


def test_sums_and_means_know_blank_from_zero(counted: Desk):
    assert table(counted, "S", period="all") == {(): (367.0, 5, 1)}
    assert table(counted, "S", period="2026-Q1..2026-Q2") == {("2026-Q1",): (50.0, 1, 1), ("2026-Q2",): (210.0, 2, 0)}
    assert table(counted, "SA", period="2026-Q1..2026-Q3") == {
        ("2026-Q1",): (150.0, 2, 1),
        ("2026-Q2",): (360.0, 4, 1),
        ("2026-Q3",): (360.0, 4, 1),
    }
    assert table(counted, "M", period="all") == {(): (367 / 5, 5, 1)}
    assert table(counted, "M", period="quarter", by=("sexo",)) == {
        ("2025-Q4", "f"): (100.0, 1, 0),
        ("2026-Q1", "f"): (None, 0, 1),
        ("2026-Q1", "m"): (50.0, 1, 0),
        ("2026-Q2", "f"): (200.0, 1, 0),
        ("2026-Q2", None): (10.0, 1, 0),
    }


def test_median_and_extremes(counted: Desk):
    assert table(counted, "ME", period="all") == {(): (50.0, 5, 1)}
    assert table(counted, "ME", period="2026-Q2") == {("2026-Q2",): (105.0, 2, 0)}
    assert table(counted, "ME", period="quarter", cumulative=True) == {
        ("2025-Q4",): (100.0, 1, 0),
        ("2026-Q1",): (75.0, 2, 1),
        ("2026-Q2",): (75.0, 4, 1),
    }
    assert table(counted, "MI", period="quarter") == {
        ("2025-Q4",): (100.0, 1, 0),
        ("2026-Q1",): (50.0, 2, 1),
        ("2026-Q2",): (10.0, 4, 1),
    }
    assert table(counted, "MA", period="quarter")["2026-Q2",] == (200.0, 4, 1)


def test_percent_keeps_numerator_within_denominator(counted: Desk):
    # adults with an answer on networks: radio, tv, tv; a blank answer and an unknown age are excluded
    assert table(counted, "P", period="all") == {(): (pytest.approx(100 / 3), 3, 2)}
    (whole,) = figures(counted, "P", period="all")
    assert (whole.numerator, whole.denominator) == (1.0, 3.0)


def test_category_of_a_multiple_selection_holds_all_who_chose_it(counted: Desk):
    assert table(counted, "P", period="all", by=("redes",)) == {
        ("radio",): (100.0, 1, 0),
        ("tv",): (0.0, 2, 0),
        (None,): (None, 0, 2),
    }


def test_ratio_divides_sums(counted: Desk):
    # income and age both known: 100/30, 50/40, 10/50, 7/60
    assert table(counted, "R", period="all") == {(): (pytest.approx(167 / 180), 4, 2)}


def test_latest_row_of_each_key(counted: Desk):
    # up to the end of each period: a=100 | a=blank, b=50 | a=10, b=50, c=200
    assert table(counted, "L", period="quarter") == {
        ("2025-Q4",): (100.0, 1, 0),
        ("2026-Q1",): (50.0, 1, 1),
        ("2026-Q2",): (pytest.approx(260 / 3), 3, 0),
    }
    assert table(counted, "LN", period="quarter") == {
        ("2025-Q4",): (100.0, 1, 0),
        ("2026-Q1",): (50.0, 1, 1),
        ("2026-Q2",): (105.0, 2, 0),
    }
    assert table(counted, "L", period="all") == {(): (pytest.approx(260 / 3), 3, 1)}


def test_rows_of_repeats_are_the_units(counted: Desk):
    assert table(counted, "H", period="quarter") == {("2025-Q4",): (1.0, 1, 0), ("2026-Q1",): (1.0, 1, 1)}
    assert table(counted, "V", period="all", by=("sexo",)) == {("f",): (8.0, 3, 0)}
    # a child without any dose has the sum 0
    assert table(counted, "VH", period="all") == {(): (2.0, 4, 0)}


def test_formula_divides_aggregates(counted: Desk):
    assert table(counted, "F", period="all") == {(): (367 / 4, 4, 1)}
    assert table(counted, "F", period="quarter") == {
        ("2025-Q4",): (100.0, 1, 0),
        ("2026-Q1",): (50.0, 1, 1),
        ("2026-Q2",): (210.0, 1, 1),
    }


def test_figure_typed_by_hand(counted: Desk):
    assert table(counted, "X", period="2026") == {("2026",): (12.5, 0, 0)}
    assert [figure.source for figure in figures(counted, "X")] == ["Acta 1", "Acta 3"]

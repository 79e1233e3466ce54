"""A workbook is refused whole, with everything that is wrong said at once; what was in force stays so."""

from __future__ import annotations

import pytest

from forms.problems import Problem
from server.actions import indicators
from server.indicators.asking import Request
from tests.server.desk import ON_SQLITE, Desk, form, questions
from tests.server.indicators.measuring import declare, send, table
from tests.server.wire import Wire

GOOD = """
| indicators |
| | name | label | form | type | where | date |
| | N | Personas | hogar | count | ${edad} >= 18 | ${dia} |
"""


def told(desk: Desk, sheets: str) -> list[tuple[str, int, str]]:
    """The cells of every error."""
    with pytest.raises(Problem) as caught:
        declare(desk, sheets)
    assert caught.value.code == 400.15
    found = [finding for finding in caught.value.details["findings"] if finding["severity"] == "error"]
    return sorted((finding["sheet"] or "", finding["row"] or 0, finding["column"] or "") for finding in found)


@pytest.fixture
def counted(desk: Desk, phone: Wire) -> Desk:
    desk.publish(form("hogar", questions("date dia", "integer edad")))
    declare(desk, GOOD)
    send(phone, "hogar", "<dia>2026-03-01</dia><edad>30</edad>")
    return desk


def test_all_mistakes_of_all_rows_at_once_and_none_twice(counted: Desk):
    assert told(
        counted,
        """
        | indicators |
        | | name | label | form | type | where | value | date | period | direction |
        | | A | Uno | hogar | count | ${edda} > 1 | | ${dia} | semestre | arriba |
        | | B | Dos | hogares | count | | | | | |
        | | C | Tres | hogar | sum | | ${dia} + 'x' | | | |
        | | D | Cuatro | hogar | contar | | | | | |
        | targets |
        | | indicator | kind | period | value |
        | | A | target | 2026-Q7 | 5 |
        | | D | target | 2026 | 5 |
        | | E | target | 2026 | 5 |
        """,
    ) == [
        ("indicators", 2, "direction"),
        ("indicators", 2, "period"),
        ("indicators", 2, "where"),
        ("indicators", 3, "form"),
        ("indicators", 4, "value"),
        ("indicators", 5, "type"),
        ("targets", 2, "period"),
        ("targets", 4, "indicator"),
    ]
    assert table(counted, "N", period="all") == {(): (1.0, 1, 0)}


@ON_SQLITE
@pytest.mark.parametrize(
    "sheets", ["# Léame\n", "| indicators |\n| | name | label | type |\n", "| Indicadores |\n| | name |\n"]
)
def test_a_file_that_declares_nothing_takes_nothing_away(counted: Desk, sheets: str):
    assert len(told(counted, sheets)) == 1
    assert table(counted, "N", period="all") == {(): (1.0, 1, 0)}


@ON_SQLITE
def test_long_chains_of_conditions_are_computed(counted: Desk):
    chain = "'z'"
    for age in range(40, 0, -1):
        chain = f"if(${{edad}} < {age}, 'e{age}', {chain})"
    declare(
        counted,
        f"""
        | indicators |
        | | name | label | form | type | value | date | disaggregate |
        | | S | Suma | hogar | sum | {" + ".join(["${edad}"] * 60)} | ${{dia}} | banda |
        | dimensions |
        | | name | label | form | expression |
        | | banda | Banda | hogar | {chain} |
        """,
    )
    assert table(counted, "S", period="all", by=("banda",)) == {("e31",): (1800.0, 1, 0)}


@ON_SQLITE
def test_formulas_hang_on_one_another_only_so_deep(counted: Desk):
    rows = [f"| | F{n} | {n} | | formula | {{{'N' if n == 1 else f'F{n - 1}'}}} + 1 |" for n in range(1, 103)]
    sheets = "\n".join(
        ["| indicators |", "| | name | label | form | type | value |", "| | N | N | hogar | count | |", *rows]
    )
    assert told(counted, sheets) == [("indicators", 102, "value")]  # N and 99 formulas are a hundred deep


@ON_SQLITE
def test_counts_that_no_database_counts_up_to_are_refused(counted: Desk):
    sheets = """
    | indicators |
    | | name | label | form | type | where |
    | | N | N | hogar | count | regex(${nota}, '.{1,300}') |
    """
    counted.publish(form("hogar", questions("date dia", "integer edad", "text nota"), version="2"))
    assert told(counted, sheets) == [("indicators", 2, "where")]


@ON_SQLITE
def test_answers_in_own_words_are_no_categories_where_small_numbers_are_hidden(counted: Desk, phone: Wire):
    counted.publish(form("hogar", questions("date dia", "integer edad", "text nota"), version="2"))
    asked = Request(period="all", by=("nota",))

    with pytest.raises(Problem) as caught:
        counted.ask(lambda ctx: indicators.get_values(ctx, counted.project_id, ["N"], asked, mask=True))
    assert caught.value.code == 400.8
    assert table(counted, "N", period="all", by=("nota",)) == {(None,): (1.0, 1, 0)}

"""`tejido indicators`: what a monitoring officer types, and reads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete

from server.actions import indicators
from server.cli.main import main
from server.settings import Settings
from tests.server.api.clients import client
from tests.server.api.programme import LOGFRAME, set_up
from tests.server.desk import Desk, form
from tests.server.indicators.measuring import table
from tests.server.wire import Wire

Tejido = Callable[..., Result]
WRONG = """
| indicators |
| | name | label | form | type | where |
| | A | A | hogar | count | ${edda} > 1 |
| | B | B | otro | count | |
"""


@pytest.fixture
def tejido(desk: Desk, phone: Wire, settings: Settings) -> Tejido:
    """The command over a project that measures, in English."""
    set_up(desk, phone)

    def run(*words: object, language: str = "en") -> Result:
        place = ["--data", str(settings.data), "--database-url", settings.database_url, "--language", language]
        given = [*place, "indicators", *map(str, words)]
        environment = {"TEJIDO_DATA": None, "TEJIDO_DATABASE_URL": None}
        return CliRunner().invoke(main, given, env=environment, catch_exceptions=False)

    return run


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a workbook."""

    def write(sheets: str) -> Path:
        file = tmp_path / "marco.md"
        file.write_text(sheets, encoding="utf-8")
        return file

    return write


def test_list_is_aligned_and_says_what_waits(tejido: Tejido):
    assert tejido("list", "--project", 1).output.splitlines() == [
        "code  version  type     period   indicator   state",
        "N.1         1  count    quarter  People",
        "M           1  mean     quarter  Mean",
        "H           1  count    quarter  Children",
        "E           1  count    quarter  Entities    waits: The entity list “personas” is not on this server yet.",
        "F           1  formula  quarter  Per person",
        "X           1  manual   year     By hand",
    ]
    assert tejido("list", "--project", 1, language="es").output.splitlines()[1].split() == [
        *("N.1", "1", "count", "quarter", "Personas"),
    ]


def test_figures_are_told_with_labels_and_what_is_excluded(tejido: Tejido):
    assert tejido("values", "N.1", "--project", 1, "--by", "sexo", language="es").output.splitlines() == [
        "N.1  Personas (=personas)",
        "  período  Sexo    valor  n  excluidos",
        "  2026-Q1  Mujer       2  2          0",
        "  2026-Q1  Hombre      1  1          0",
        "  2026-Q1  —           1  1          0",
        "  2026-Q2  Mujer       0  0          1",
        "  Sin fecha, y por eso en ningún período: 1.",
    ]
    assert tejido("values", "N.1", "X", "--project", 1).output.splitlines() == [
        "N.1  People (=personas)",
        "  period   value  n  excluded  baseline  target  achieved %",
        "  2026-Q1      4  4         0       1.0     5.0        75.0",
        "  2026-Q2      0  0         1       1.0",
        "  Without a date, and so in no period: 1.",
        "",
        "X  By hand",
        "  period  value  source",
        "  2026     12.5  Acta 3",
    ]


def test_figures_as_they_are_asked_for(tejido: Tejido):
    def asked(*words: str) -> list[list[str]]:
        return [line.split() for line in tejido("values", "N.1", "--project", 1, *words).output.splitlines()[2:]]

    assert asked("--period", "all", "--by", "province,sexo", "--place", "p2") == [
        ["Second", "Woman", "0", "0", "1"],
        ["Second", "Man", "1", "1", "0"],
        ["Second", "—", "1", "1", "0"],
    ]
    assert asked("--period", "2026-Q1..2026-Q2", "--cumulative") == [
        ["2026-Q1", "4", "4", "0", "1.0", "5.0", "75.0"],
        ["2026-Q2", "4", "4", "1", "1.0"],
    ]


def test_all_figures_say_which_are_not_there_and_why(tejido: Tejido):
    output = tejido("values", "--project", 1, "--by", "province", "--period", "all").output

    assert [line.split()[0] for line in output.split("Without figures:")[0].splitlines() if line[:1].strip()] == [
        *("N.1", "H", "X"),
    ]
    assert output.split("Without figures:\n")[1].splitlines() == [
        "  · M: Unexpected place value M; this indicator does not say its place in “place”.",
        "  · E: The entity list “personas” is not on this server yet.",
        "  · F: Unexpected place value M; this indicator does not say its place in “place”.",
    ]


def test_figures_of_few_units_are_hidden_where_asked(tejido: Tejido):
    assert tejido("values", "N.1", "--project", 1, "--period", "all", "--masked").output.splitlines() == [
        "N.1  People (=personas)",
        "  value    n  baseline",
        "    <10  <10       1.0",
        "  <10: hidden, for being of fewer than 10 units or so that those cannot be worked out.",
    ]
    assert tejido("values", "H", "--project", 1, "--period", "all", "--masked").output.splitlines()[2] == (
        "      2  2        <2"
    )


def test_csv_and_json_are_those_of_the_api(tejido: Tejido, desk: Desk, phone: Wire):
    asking = client(desk, phone.send, "manager")

    told = tejido("values", "--project", 1, "--by", "sexo", "--json").output
    lines = tejido("values", "--project", 1, "--by", "sexo", "--csv")
    records = tejido("records", "H", "--project", 1, "--by", "sexo", "--json").output
    record_lines = tejido("records", "H", "--project", 1, "--by", "sexo", "--csv").output

    assert json.loads(told) == asking.json("/indicators/values?by=sexo")
    assert list(csv.DictReader(io.StringIO(lines.stdout))) == asking.lines("/indicators/values.csv?by=sexo")
    assert "E: The entity list" in lines.stderr
    assert json.loads(records) == asking.json("/indicators/H/facts?by=sexo")["records"]
    assert list(csv.DictReader(io.StringIO(record_lines))) == asking.lines("/indicators/H/facts.csv?by=sexo")


def test_records_behind_a_figure_are_listed(tejido: Tejido):
    def asked(*words: str) -> list[list[str]]:
        output = tejido("records", "N.1", "--project", 1, *words).output
        return [line.split() for line in output.splitlines()]

    assert asked("--period", "2026-Q1", "--by", "sexo", "--in", "sexo=f") == [
        ["day", "submission", "sexo", "numerator"],
        ["2026-01-10", "uuid:1", "f", "1"],
        ["2026-01-20", "uuid:2", "f", "1"],
    ]
    assert asked("--period", "2026-Q1", "--by", "sexo", "--in", "sexo=")[1:] == [["2026-02-11", "uuid:4", "—", "1"]]
    assert asked("--period", "2026-Q2", "--place", "p2")[1:] == [["2026-04-01", "uuid:5", "yes"]]
    assert asked("--period", "2020") == [["There", "are", "no", "records."]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("values", "N.2", "--project", 1),
            "✗ There is no indicator “N.2”: did you mean “N.1”? "
            "See those there are: tejido indicators list --project NUMBER\n",
        ),
        (("list", "--project", 9), "✗ There is no project 9. See those there are: tejido project list\n"),
        (
            ("values", "N.1", "--project", 1, "--by", "sexo,sexo"),
            "✗ Unexpected by value sexo; it is there twice.\n",
        ),
        (
            ("records", "N.1", "--project", 1, "--in", "sexo=f"),
            "✗ Unexpected --in value sexo=f; write NAME=CODE, with a NAME that is in --by.\n",
        ),
        (
            ("records", "F", "--project", 1),
            "✗ “F” is not computed from records of its own: ask for those of M, N.1.\n",
        ),
    ],
)
def test_mistakes_are_said_in_one_line(tejido: Tejido, words: tuple[object, ...], said: str):
    answer = tejido(*words)

    assert (answer.exit_code, answer.output) == (1, said)


def test_workbook_is_checked_with_every_cell_that_is_wrong(tejido: Tejido, workbook: Callable[[str], Path]):
    wrong = workbook(WRONG)

    alone = tejido("check", wrong)
    beside = tejido("check", wrong, "--project", 1)

    assert (alone.exit_code, alone.output.splitlines()[0]) == (
        0,
        "marco.md: 2 indicators, 0 targets and baselines, 0 places.",
    )
    assert beside.exit_code == 1
    assert "✗ sheet indicators, row 2, column where:" in beside.output
    assert "did you mean ${edad}?" in beside.output
    assert "✗ sheet indicators, row 3, column form:" in beside.output
    assert "It can be taken." not in beside.output


def test_what_is_wrong_by_itself_needs_no_project(tejido: Tejido, workbook: Callable[[str], Path]):
    twice = tejido("check", workbook(WRONG.replace("| | B |", "| | A |")), language="es")
    survey = tejido("check", workbook(form("x", "| | type | name | label |\n| | text | q | Q |")), language="es")

    assert twice.exit_code == 1
    assert "✗ hoja indicators, fila 3, columna name:" in twice.output
    assert survey.exit_code == 1
    assert "un marco lógico no lleva preguntas" in survey.output


CHANGED = (
    LOGFRAME.replace("${edad} >= 18", "${edad} >= 21")
    .replace("| | X | A mano", "| | Y | A mano")
    .replace("| | X | actual", "| | Y | actual")
)
TOLD = [
    "  new: 1 indicator (Y), 1 target or baseline",
    "  changes: 1 indicator (N.1)",
    "  goes: 1 indicator (X), 1 target or baseline",
    "  stays as it is: 11",
]


def test_what_a_workbook_changes_is_said_before_and_after(tejido: Tejido, workbook: Callable[[str], Path]):
    file = workbook(CHANGED)

    checked = tejido("check", file, "--project", 1)
    before = tejido("list", "--project", 1).output
    taken = tejido("put", file, "--project", 1)
    again = tejido("put", file, "--project", 1)

    assert (checked.exit_code, checked.output.splitlines()[1:]) == (0, [*TOLD, "It can be taken."])
    assert "By hand" in before.splitlines()[-1]
    assert before.splitlines()[-1].startswith("X")
    waits = ["These wait:", "  · E: The entity list “personas” is not on this server yet."]
    assert (taken.exit_code, taken.output.splitlines()) == (0, [*TOLD, *waits])
    assert again.output.splitlines() == ["It is what is in force already.", *waits]
    assert tejido("list", "--project", 1).output.splitlines()[-1].startswith("Y")


def test_workbook_that_is_refused_leaves_what_is_in_force(tejido: Tejido, workbook: Callable[[str], Path]):
    before = tejido("values", "--project", 1, "--json").output

    refused = tejido("put", workbook(WRONG), "--project", 1, language="es")

    assert refused.exit_code == 1
    assert refused.stderr.startswith("El libro no se puede tomar, y sigue vigente lo anterior:\n  ✗ hoja indicators")
    assert tejido("values", "--project", 1, "--json").output == before


def test_facts_are_made_anew_however_they_are(tejido: Tejido, desk: Desk):
    right = table(desk, "N.1", period="all", by=("sexo",))
    stale = desk.ask(lambda ctx: indicators.get_catalogue(ctx, 1)).table_of["N.1"].table
    desk.change(lambda conn: conn.execute(delete(stale)))
    assert table(desk, "N.1", period="all", by=("sexo",)) == {}

    for _ in range(2):
        told = ["hogar: facts computed anew.", "View indicator_values: up to date."]
        assert tejido("refresh", "--project", 1).output.splitlines() == told
        assert table(desk, "N.1", period="all", by=("sexo",)) == right != {}

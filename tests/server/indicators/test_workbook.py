"""The indicator sheets of a workbook become declarations."""

from __future__ import annotations

from datetime import date

from forms.problems import Finding, Sentence
from server.indicators import workbook
from server.indicators.declarations import (
    Category,
    Check,
    Declarations,
    Dimension,
    Indicator,
    Place,
    Result,
    Target,
)
from server.indicators.workbook import Reference
from tests.helpers.workbooks import sheets_of, xls, xlsx

LOGFRAME = """
| results |
| | name | parent | level   | label::Español (es) | label::English (en) | assumptions     |
| | OG   |        | impact  | Cohesión social     | Social cohesion     |                 |
| | R2   | OG     | Outcome | Participación       | Participation       | Hay elecciones. |

| indicators |
| | name | label::Español (es) | label | definition | result | type    | form        | over  | where              | numerator          | denominator | value               | key        | latest | period          | place       | disaggregate           | unit | decimals | direction | accumulate | minimum_n |
| | R2.1 | Con plan            |       |            | R2     | percent | inst        |       | ${consent} = 'yes' | ${plan} = 'yes'    |             |                     |            |        | ${survey_round} | ${district} | sex, province          | %    | 2        | up        |            |           |
| | R2.2 | Asistencias         |       | Veces      | R2     | sum     | inst        | event |                    |                    |             | ${women} + ${men}   |            |        | Semester        |             |                        |      |          | Down      | yes        | 5.0       |
| | R2.3 |                     | Panel |            |        | percent | ben         |       |                    | ${income} > 0      |             |                     | ${ben_id}  | 2      | year            |             | sex;age_group province |      |          |           |            | 0         |
| | R2.4 |                     | Mitad |            |        | formula |             |       |                    |                    |             | {R2.1} div {R2.3}   |            |        |                 |             |                        |      |          |           | NO         |           |
| | R2.5 |                     | A mano|            |        | Manual  |             |       |                    |                    |             |                     |            |        | quarter         |             |                        |      |          |           |            |           |

| dimensions |
| | name      | label     | form | over                    | expression                     | list_name |
| | sex       | Sexo      | inst |                         | ${sex}                         | sexes     |
| | sex       | Sexo      |      | Entities: beneficiaries | ${sex}                         | sexes     |
| | age_group | Edad      | ben  |                         | if(${age} < 30, 'young', 'old')| theirs    |

| targets |
| | indicator | kind     | period   | place | dimension | category | value | source  | note |
| | R2.1      | baseline | baseline |       |           |          |       |         |      |
| | R2.1      | target   | endline  | 08    | sex       | f        | 12,5  |         | más  |
| | R2.5      | actual   | 2026-q3  |       |           |          | 1e3   | Acta 12 |      |

| checks |
| | name | label       | form | over  | severity | when           | message::Español (es) | fields      |
| | old  | Muy mayor   | inst | event | Error    | ${age} > 110   | ¿Edad correcta?       | age, year   |
| | odd  | Raro        | inst |       |          | ${women} > 500 |                       |             |

| places |
| | code | parent | level    | label        | valid_from | valid_to   |
| | 08   |        | province | Panamá       |            | 2013       |
| | 08   |        | province | Panamá       | 2014       |            |
| | 13   |        | province | Panamá Oeste | 2014-01-01 |            |
| | 1301 | 13     | district | Arraiján     | 2014       |            |

| choices |
| | list_name | name | label::Español (es) | label::English (en) | color |
| | sexes     | f    | Mujer               | Woman               | 1     |
| | sexes     | m    | Hombre              | Man                 | 2     |
"""
SEXES = (
    Category(code="f", label={"Español (es)": "Mujer", "English (en)": "Woman"}),
    Category(code="m", label={"Español (es)": "Hombre", "English (en)": "Man"}),
)


def read(markdown: str):
    return workbook.read(markdown.encode(), "logframe.md")


def test_every_sheet_becomes_records():
    sheets = read(LOGFRAME)

    assert sheets.findings == ()
    assert sheets.declarations == Declarations(
        results=(
            Result(
                name="OG",
                level="impact",
                label={"Español (es)": "Cohesión social", "English (en)": "Social cohesion"},
            ),
            Result(
                name="R2",
                parent="OG",
                level="outcome",
                label={"Español (es)": "Participación", "English (en)": "Participation"},
                assumptions="Hay elecciones.",
            ),
        ),
        indicators=(
            Indicator(
                name="R2.1",
                type="percent",
                label={"Español (es)": "Con plan"},
                result="R2",
                form="inst",
                where="${consent} = 'yes'",
                numerator="${plan} = 'yes'",
                period="${survey_round}",
                place="${district}",
                disaggregate=("sex", "province"),
                unit={"": "%"},
                decimals=2,
            ),
            Indicator(
                name="R2.2",
                type="sum",
                label={"Español (es)": "Asistencias"},
                definition={"": "Veces"},
                result="R2",
                form="inst",
                over="event",
                value="${women} + ${men}",
                period="semester",
                direction="down",
                accumulate=True,
                minimum_n=5,
            ),
            Indicator(
                name="R2.3",
                type="percent",
                label={"": "Panel"},
                form="ben",
                numerator="${income} > 0",
                key="${ben_id}",
                latest=2,
                period="year",
                disaggregate=("sex", "age_group", "province"),
                minimum_n=0,
            ),
            Indicator(name="R2.4", type="formula", label={"": "Mitad"}, value="{R2.1} div {R2.3}", accumulate=False),
            Indicator(name="R2.5", type="manual", label={"": "A mano"}, period="quarter"),
        ),
        dimensions=(
            Dimension(
                name="sex",
                label={"": "Sexo"},
                expression="${sex}",
                form="inst",
                list_name="sexes",
                categories=SEXES,
            ),
            Dimension(
                name="sex",
                label={"": "Sexo"},
                expression="${sex}",
                over="entities:beneficiaries",
                list_name="sexes",
                categories=SEXES,
            ),
            Dimension(
                name="age_group",
                label={"": "Edad"},
                expression="if(${age} < 30, 'young', 'old')",
                form="ben",
                list_name="theirs",
            ),
        ),
        targets=(
            Target(indicator="R2.1", kind="baseline", period="baseline"),
            Target(
                indicator="R2.1",
                kind="target",
                period="endline",
                place="08",
                dimension="sex",
                category="f",
                value=12.5,
                note="más",
            ),
            Target(indicator="R2.5", kind="actual", period="2026-Q3", value=1000.0, source="Acta 12"),
        ),
        checks=(
            Check(
                name="old",
                label={"": "Muy mayor"},
                when="${age} > 110",
                form="inst",
                over="event",
                severity="error",
                message={"Español (es)": "¿Edad correcta?"},
                fields=("age", "year"),
            ),
            Check(name="odd", label={"": "Raro"}, when="${women} > 500", form="inst"),
        ),
        places=(
            Place(code="08", level="province", label={"": "Panamá"}, valid_to=date(2013, 12, 31)),
            Place(code="08", level="province", label={"": "Panamá"}, valid_from=date(2014, 1, 1)),
            Place(code="13", level="province", label={"": "Panamá Oeste"}, valid_from=date(2014, 1, 1)),
            Place(code="1301", parent="13", level="district", label={"": "Arraiján"}, valid_from=date(2014, 1, 1)),
        ),
    )
    assert sheets.lists == {"sexes": SEXES}
    assert (sheets.has_survey, sheets.open) == (False, ())


def test_records_know_their_rows():
    sheets = read(LOGFRAME)

    assert [indicator.at for indicator in sheets.declarations.indicators] == [2, 3, 4, 5, 6]
    assert [place.at for place in sheets.declarations.places] == [2, 3, 4, 5]


def test_declarations_are_the_same_from_markdown_xlsx_and_xls():
    sheets = sheets_of(LOGFRAME)

    read_ones = [
        workbook.read(LOGFRAME.encode(), "logframe.md"),
        workbook.read(xlsx(sheets), "logframe.xlsx"),
        workbook.read(xls(sheets), "logframe.xls"),
    ]

    assert read_ones[0] == read_ones[1] == read_ones[2]


def test_excel_gives_numbers_dates_and_booleans():
    sheets = workbook.read(
        xlsx(
            {
                "Indicators": [
                    ["Name", "Label", "Type", "Form", "Latest", "Key", "Decimals", "Minimum N", "Accumulate"],
                    ["I1", "Uno", "count", "f", 3.0, "${id}", 0, 12.0, True],
                    [None, " ", "\u00a0", None, None, None, None, None, None],
                    ["I2", "Dos", "manual", None, None, None, None, None, False],
                ],
                "Targets": [
                    ["indicator", "kind", "period", "value", "source"],
                    ["I2", "actual", 2026, 0.25, "Acta"],
                    ["I2", "actual", date(2026, 5, 1), 12, "Acta"],  # 2026-05, as Excel reads it
                ],
                "Places": [
                    ["code", "level", "label", "valid_from", "valid_to"],
                    [13, "province", "Panamá Oeste", 2014, date(2020, 6, 30)],
                    [14, "province", "Otra", date(2014, 1, 1), None],
                ],
            }
        ),
        "logframe.xlsx",
    )

    assert sheets.findings == ()
    assert sheets.declarations == Declarations(
        indicators=(
            Indicator(
                name="I1",
                type="count",
                label={"": "Uno"},
                form="f",
                latest=3,
                key="${id}",
                decimals=0,
                minimum_n=12,
                accumulate=True,
            ),
            Indicator(name="I2", type="manual", label={"": "Dos"}, accumulate=False),
        ),
        targets=(
            Target(indicator="I2", kind="actual", period="2026", value=0.25, source="Acta"),
            Target(indicator="I2", kind="actual", period="2026-05", value=12.0, source="Acta"),
        ),
        places=(
            Place(
                code="13",
                level="province",
                label={"": "Panamá Oeste"},
                valid_from=date(2014, 1, 1),
                valid_to=date(2020, 6, 30),
            ),
            Place(code="14", level="province", label={"": "Otra"}, valid_from=date(2014, 1, 1)),
        ),
    )
    assert [indicator.at for indicator in sheets.declarations.indicators] == [2, 4]


def test_cells_are_found_as_excel_shows_them():
    sheets = read("""
    | Indicators |
    | | Name | label::Español (es) | TYPE  | form | Minimum n |
    | | I1   | Uno                 | count | f    | 5         |
    | | I2   | Dos                 | count | f    | x         |
    """)
    first, second = sheets.declarations.indicators

    assert sheets.at(first, "type") == ("Indicators", 2, "TYPE")
    assert sheets.at(second, "label") == ("Indicators", 3, "label::Español (es)")
    assert sheets.at(second, "where") == ("Indicators", 3, "where")
    assert sheets.finding(second, "minimum_n", Sentence("Es poco.", "It is little."), "note") == Finding(
        severity="note",
        sentence=Sentence("Es poco.", "It is little."),
        sheet="Indicators",
        row=3,
        column="Minimum n",
    )
    assert [sheets.is_sound(record) for record in (first, second)] == [True, False]
    assert [sheets.is_sound(second, column) for column in ("minimum_n", "form")] == [False, True]


def test_the_workbook_of_a_form_needs_no_form_and_its_choices_are_the_forms():
    sheets = read("""
    | survey |
    | | type             | name | label |
    | | select_one sexes | sex  | Sexo  |
    | choices |
    | | list name | value | caption |
    | | sexes     | f     | Mujer   |
    | | sexes     | f     | Otra    |
    | indicators |
    | | name | label | type  |
    | | I1   | Uno   | count |
    | dimensions |
    | | name | label | expression | list_name |
    | | sex  | Sexo  | ${sex}     | sexes     |
    """)

    assert sheets.findings == ()
    assert sheets.has_survey
    assert sheets.lists == {"sexes": (Category(code="f", label={"": "Mujer"}),)}
    assert sheets.declarations.dimensions[0].categories == sheets.lists["sexes"]


def test_a_form_without_indicator_sheets_declares_nothing():
    sheets = read("""
    | survey |
    | | type | name | label |
    | | text | a    | A     |
    """)

    assert (bool(sheets.declarations), sheets.findings) == (False, ())


def test_names_that_only_what_is_in_force_can_have_are_left_open():
    sheets = read("""
    | survey |
    | | type | name | label |
    | | text | a    | A     |
    | indicators |
    | | name | label | type  | result |
    | | I1   | Uno   | count | R1     |
    | targets |
    | | indicator | kind   | period | place | value |
    | | I1        | target | 2026   | 08    | 1     |
    | | I9        | target | 2026   |       | 1     |
    """)
    indicator, (first, second) = sheets.declarations.indicators[0], sheets.declarations.targets

    assert sheets.findings == ()
    assert sheets.open == (
        Reference(indicator, "result", "results", "R1"),
        Reference(second, "indicator", "indicators", "I9"),
        Reference(first, "place", "places", "08"),
    )
    assert sheets.unknown(sheets.open[1], ["I90", "R1"]) == Finding(
        severity="error",
        sentence=Sentence(
            "No hay ningún indicador «I9». ¿Quiso decir «I90»?", "There is no indicator “I9”. Did you mean “I90”?"
        ),
        sheet="targets",
        row=3,
        column="indicator",
    )


def test_names_are_composed_and_without_what_nobody_sees():
    sheets = read("""
    | indicators |
    | | name           | label | type   |
    | | nin\u0303ez.1\u200b | Uno   | manual |
    """)

    assert [indicator.name for indicator in sheets.declarations.indicators] == ["niñez.1"]

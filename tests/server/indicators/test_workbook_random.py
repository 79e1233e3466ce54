"""Whatever stands in the cells of a workbook, there are findings or declarations, and nothing breaks."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.indicators import workbook
from server.indicators.declarations import Declarations
from server.indicators.schemas import SCHEMAS, columns_of
from server.indicators.workbook import SHEETS, Sheets
from tests.helpers.workbooks import xlsx

WORDS = st.sampled_from(
    [
        *("I1", "I2", "i1", "R2.3", "A", "B", "01", "1301", "sex", "f", "area", "province", "f, sex", "inst", "event"),
        *("count", "distinct", "sum", "percent", "ratio", "formula", "manual", "Porcent", "impact", "output", "goal"),
        *(
            "baseline",
            "target",
            "actual",
            "error",
            "note",
            "up",
            "down",
            "yes",
            "no",
            "sí",
            "month",
            "Quarter",
            "${round}",
        ),
        *("2026", "2026-S1", "2026-Q7", "2026-05", "2026-05-01 00:00:00", "2013", "9999", "0000", "2014-02-30"),
        *("0", "1", "3", "-1", "12.5", "12,5", "1,234", "1e400", "60%", "9" * 5000, "1_0", "١٢"),
        *("{I1} div {I2}", "{I2}", "{I1}", "{}", "${x} = 'yes'", "${x} = (1", "sum(${a}) >= 0.8 * sum(${b})", "1 == 1"),
        *("entities:people", "entities:", "Entities : people", "#REF!", "\u200b", "\u00a0", "=1+1", "a\nb", "🙂", "ﬁ"),
        " and ".join(["1 = 1"] * 900),
    ]
)
CELLS = st.none() | WORDS | st.text(max_size=12) | st.integers(-5, 5_000) | st.floats() | st.booleans() | st.dates()
HEADINGS = {
    name: st.sampled_from(
        [
            *columns_of(schema),
            *("label::Español (es)", "label::English (en)", "label:es", "Name", "nombre", "typ", "wher", "_mine", "x"),
            *("unit::Español (es)", "type::Español (es)", "::", "label::"),
        ]
    )
    for name, schema in SCHEMAS.items()
}


@st.composite
def grids(draw: st.DrawFn) -> dict[str, list[list[object]]]:
    names = draw(st.lists(st.sampled_from([*SCHEMAS, "survey", "Indicadores"]), min_size=1, max_size=5, unique=True))
    book: dict[str, list[list[object]]] = {}
    for name in names:
        needed = (
            [column for column, field in columns_of(SCHEMAS[name]).items() if field.required] if name in SCHEMAS else []
        )
        more = draw(st.lists(HEADINGS.get(name, st.just("x")), max_size=8))
        heading = [*(needed if draw(st.integers(0, 4)) else []), *more]
        if draw(st.integers(0, 9)):
            heading = list(dict.fromkeys(heading))  # a heading that stands twice ends the reading
        rows = draw(st.lists(st.lists(CELLS, min_size=len(heading), max_size=len(heading)), max_size=5))
        book[name] = [heading, *rows]
    return book


def assert_whole(sheets: Sheets) -> None:
    """Findings are in two languages and in cells that are there; what is declared can be found in the sheets."""
    for finding in sheets.findings:
        assert finding.sentence.es
        assert finding.sentence.en
        assert finding.row is None or finding.sheet is not None
    declared = sheets.declarations
    for record in (*declared.results, *declared.indicators, *declared.dimensions, *declared.targets, *declared.checks,
                   *declared.places):  # fmt: skip
        sheet, row, column = sheets.at(record, "label")
        assert sheet.lower() == SHEETS[type(record)]
        assert row >= 2
        assert column
    for reference in sheets.open:
        assert sheets.unknown(reference).severity == "error"


def as_xlsx(grid: dict[str, list[list[object]]]) -> bytes:
    """The workbook that Excel would write; it knows no control characters and no numbers that are none."""

    def cell(value: object) -> object:
        if isinstance(value, float) and not -1e300 < value < 1e300:
            return None
        return "".join(c for c in value if c.isprintable() or c in "\n\t")[:32_000] if isinstance(value, str) else value

    return xlsx({name: [[cell(value) for value in row] for row in rows] for name, rows in grid.items()})


def as_markdown(grid: dict[str, list[list[object]]]) -> bytes:
    def line(row: list[object]) -> str:
        cells = ("" if value is None else " ".join(str(value).split()).replace("|", r"\|") for value in row)
        return f"| | {' | '.join(cells)} |"

    tables = [f"| {name} |\n" + "\n".join(map(line, rows)) for name, rows in grid.items()]
    return "\n".join(tables).encode("utf-8", "surrogatepass")


@given(grids())
@settings(max_examples=150)
def test_any_markdown_gives_findings_or_declarations(grid: dict[str, list[list[object]]]):
    assert_whole(workbook.read(as_markdown(grid), "logframe.md"))


@given(grids())
@settings(max_examples=50)
def test_any_xlsx_gives_findings_or_declarations(grid: dict[str, list[list[object]]]):
    assert_whole(workbook.read(as_xlsx(grid), "logframe.xlsx"))


@given(st.binary(max_size=200), st.sampled_from(["a.md", "a.xlsx", "a"]))
def test_any_bytes_give_findings(data: bytes, filename: str):
    sheets = workbook.read(data, filename)

    assert (sheets.declarations, bool(sheets.findings)) == (Declarations(), True)


@pytest.mark.long
@given(grids())
@settings(max_examples=5_000)
def test_very_many_workbooks_give_findings_or_declarations(grid: dict[str, list[list[object]]]):
    read = random.Random(str(grid)).choice((as_xlsx, as_markdown))

    assert_whole(workbook.read(read(grid), "logframe"))

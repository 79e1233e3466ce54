"""Workbook: the indicator sheets of a workbook become declarations, with everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from forms import spreadsheets
from forms.misspellings import likely_sheet
from forms.problems import Finding, Problem, Sentence, Severity, findings_of
from forms.spreadsheets import Book
from server.indicators.declarations import Category, Check, Declarations, Dimension, Indicator, Place, Result, Target
from server.indicators.entries import Entry, Record, read_entries, said
from server.indicators.headings import Layout, arrange
from server.indicators.row_rules import row_findings
from server.indicators.schemas import SCHEMAS
from server.indicators.sheet_rules import Entries, meant, rule_findings

SHEETS: Final[Mapping[type[Record], str]] = {
    Result: "results",
    Indicator: "indicators",
    Dimension: "dimensions",
    Target: "targets",
    Check: "checks",
    Place: "places",
}
"""The sheet whose rows become each record."""
MAX_FINDINGS: Final = 1_000
"""Findings that are told of one workbook; of the rest only that they are there."""
_REFERENCES: Final = (
    ("results", "parent", "results"),
    ("indicators", "result", "results"),
    ("targets", "indicator", "indicators"),
    ("targets", "place", "places"),
)
"""Columns that name a row of a sheet, and which. What formulas and `cohort` name is looked at with their expressions."""
_NOUNS: Final[Mapping[str, tuple[str, str]]] = {
    "results": ("ningún resultado", "result"),
    "indicators": ("ningún indicador", "indicator"),
    "places": ("ningún lugar", "place"),
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A name in a cell (`record`, `column`) that no row of the workbook's `sheet` has; what is in force may have it."""

    record: Record
    column: str
    sheet: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheets:
    """What a workbook declares, and what is wrong with it.

    `declarations` hold every row whose needed cells could be read, also rows that findings speak of: a cell that could not
    be read is as if blank in them. `names` are the names and codes by sheet, those of all other rows too. `lists` are the
    categories of each list of `choices`. `open` are the names that only what is in force can have. `layouts` say how the
    sheets and columns are headed, and `mistaken` which cells and rows (column None) have errors.
    """

    declarations: Declarations = Declarations()
    findings: tuple[Finding, ...] = ()
    lists: Mapping[str, tuple[Category, ...]] = field(default_factory=dict)
    has_survey: bool = False
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    open: tuple[Reference, ...] = ()
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    mistaken: frozenset[tuple[str | None, int | None, str | None]] = frozenset()

    def at(self, record: Record, column: str) -> tuple[str, int, str]:
        """Sheet, row and column heading of a cell, as Excel shows them."""
        layout = self.layouts[SHEETS[type(record)]]
        return layout.sheet, record.at, layout.heading(column)

    def finding(self, record: Record, column: str, sentence: Sentence, severity: Severity = "error") -> Finding:
        """A finding on a cell."""
        sheet, row, heading = self.at(record, column)
        return Finding(severity=severity, sentence=sentence, sheet=sheet, row=row, column=heading)

    def is_sound(self, record: Record, column: str | None = None) -> bool:
        """Whether no error was found in a record's row; with a column, in that cell."""
        sheet, row, heading = self.at(record, column or "")
        return (sheet, row, None if column is None else heading) not in self.mistaken

    def further(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Of the findings on what these sheets mean beside forms and other workbooks, those that say something new: nothing
        more of a cell that could not be read, and no name is missing whose row could not be."""
        unread = self.names.get("indicators", frozenset()) - {one.name for one in self.declarations.indicators}
        pending = {self.at(one, "indicator") for one in self.declarations.targets if one.indicator in unread}
        for finding in findings:
            cell = (finding.sheet, finding.row, finding.column)
            if finding.sheet is None or (cell not in self.mistaken and cell not in pending):
                yield finding

    def unknown(self, reference: Reference, known: Collection[str] = ()) -> Finding:
        """The finding on a name that nothing has, with the one of `known` and of this workbook that may be meant."""
        return self.finding(
            reference.record,
            reference.column,
            _unknown(reference.sheet, reference.name, {*self.names.get(reference.sheet, ()), *known}),
        )


def read(data: bytes, filename: str) -> Sheets:
    """The indicator sheets of the workbook `data` (.xlsx, .xls or .md), and all that is wrong with them.

    Where a finding is an error nothing of the workbook is to be taken. A file that is no workbook has findings too. What
    lies outside of the workbook (forms and their questions, what is in force) is not looked at.
    """
    try:
        book = spreadsheets.read(data, filename, SCHEMAS)
    except Problem as problem:
        return Sheets(findings=findings_of(problem))
    has_survey = any(name.strip().lower() == "survey" for name in book.names)
    findings = list(_sheet_findings(book, has_survey))
    layouts: dict[str, Layout] = {}
    entries: dict[str, tuple[Entry, ...]] = dict.fromkeys(SCHEMAS, ())
    for name in SCHEMAS:
        if name in book.sheets:
            sheet = book.sheets[name]
            layouts[name], of_headings = arrange(sheet, name)
            entries[name], of_cells = read_entries(sheet, layouts[name], name)
            if name != "choices" or not has_survey:  # the choices of a survey are XLSForm's to judge
                findings += [*of_headings, *of_cells]
            findings += [found for entry in entries[name] for found in row_findings(name, entry, has_survey)]

    lists = _lists(entries["choices"])
    names = {
        sheet: frozenset(name for name, _ in said(entries[sheet], "code" if sheet == "places" else "name"))
        for sheet in ("results", "indicators", "dimensions", "checks", "places")
    }
    findings += rule_findings(entries, lists, has_survey, MAX_FINDINGS + 1)
    references: list[Reference] = []
    for entry, column, of, name in _references(entries, names):
        if of == "results" and names["results"] and not has_survey:  # a logframe has all its lines
            if len(findings) > MAX_FINDINGS:
                continue
            sentence = _unknown("results", name, names["results"])
            findings.append(entry.finding(column, sentence.es, sentence.en))
        elif entry.record is not None:
            references.append(Reference(entry.record, column, of, name))
    return Sheets(
        declarations=_declarations(entries, lists),
        findings=_ordered(findings, layouts),
        lists=lists,
        has_survey=has_survey,
        names=names,
        open=tuple(references),
        layouts=layouts,
        mistaken=frozenset(
            (finding.sheet, finding.row, column)
            for finding in findings
            if finding.severity == "error"
            for column in (finding.column, None)
        ),
    )


def _sheet_findings(book: Book, has_survey: bool) -> Iterator[Finding]:
    """Sheets that stand twice, are empty, or whose name is near one that is read (in a form's workbook the form says so)."""
    stripped = [name.strip().lower() for name in book.names]
    for number, (name, written) in enumerate(zip(stripped, book.names, strict=True)):
        if name in SCHEMAS and name in stripped[:number]:
            yield _sheet_finding(
                "error",
                written,
                f"Hay dos hojas «{name}». Junte sus filas en una.",
                f"There are two sheets “{name}”. Put their rows together in one.",
            )
    if has_survey:
        return
    for name, sheet in book.sheets.items():
        if not sheet.headers:
            yield _sheet_finding(
                "warning",
                sheet.name,
                f"La hoja «{name}» está vacía, o sus títulos de columna no están en la fila 1.",
                f"The sheet “{name}” is empty, or its column headings are not in row 1.",
            )
    for name in SCHEMAS:
        written_like = likely_sheet([name for name in book.names if name.lower() not in book.sheets], name)
        if name not in book.sheets and written_like is not None:
            yield _sheet_finding(
                "error",
                written_like,
                f"Esta hoja no se lee. Si es la de «{name}», póngale ese nombre; si no, uno que no se parezca.",
                f"This sheet is not read. If it is that of “{name}”, give it this name; if not, one that is not like it.",
            )


def _sheet_finding(severity: Severity, sheet: str, es: str, en: str) -> Finding:
    return Finding(severity=severity, sentence=Sentence(es, en), sheet=sheet)


def _lists(choices: Iterable[Entry]) -> Mapping[str, tuple[Category, ...]]:
    """The categories of each list, in order; the first of one code counts."""
    lists: dict[str, dict[str, Category]] = {}
    for name, entry in said(choices, "list_name"):
        code = entry.get("name")
        if code is not None:
            lists.setdefault(name, {}).setdefault(code, Category(code=code, label=entry.get("label") or {}))
    return {name: tuple(categories.values()) for name, categories in lists.items()}


def _references(entries: Entries, names: Mapping[str, Collection[str]]) -> Iterator[tuple[Entry, str, str, str]]:
    """Entry, column, sheet and name of what names a row that the workbook does not have."""
    for sheet, column, of in _REFERENCES:
        for name, entry in said(entries[sheet], column):
            if name not in names[of]:
                yield entry, column, of, name


def _unknown(sheet: str, name: str, known: Collection[str]) -> Sentence:
    es, en = _NOUNS[sheet]
    way_out = meant(name, known)
    return Sentence(f"No hay {es} «{name}».{way_out[0]}", f"There is no {en} “{name}”.{way_out[1]}")


def _declarations(entries: Entries, lists: Mapping[str, tuple[Category, ...]]) -> Declarations:
    rows: dict[str, Any] = {
        sheet: tuple(entry.record for entry in entries[sheet] if entry.record is not None) for sheet in SHEETS.values()
    }
    rows["dimensions"] = tuple(_with_categories(dimension, lists) for dimension in rows["dimensions"])
    return Declarations(**rows)


def _with_categories(dimension: Dimension, lists: Mapping[str, tuple[Category, ...]]) -> Dimension:
    categories = lists.get(dimension.list_name or "")
    return dimension if categories is None else replace(dimension, categories=categories)


def _ordered(findings: Sequence[Finding], layouts: Mapping[str, Layout]) -> tuple[Finding, ...]:
    """By sheet and row, each once; when they are too many, the first of them."""
    sheets = [layout.sheet for layout in layouts.values()]

    def place(finding: Finding) -> tuple[int, int]:
        return sheets.index(finding.sheet) if finding.sheet in sheets else -1, finding.row or 0

    told = sorted(dict.fromkeys(findings), key=place)
    rest = told[MAX_FINDINGS:]
    if not rest:
        return tuple(told)
    severity: Severity = "error" if any(finding.severity == "error" for finding in rest) else "warning"
    more = Sentence("Hay más avisos: corrija primero estos.", "There are more findings: mend these first.")
    return (*told[:MAX_FINDINGS], Finding(severity=severity, sentence=more))

"""Entries: the rows of the indicator sheets as records, each cell read by its field, with what is wrong in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError

from forms.problems import Finding, Sentence, Severity
from forms.spreadsheets import Row, Sheet
from server.indicators.cells import Texts
from server.indicators.declarations import Check, Dimension, Indicator, Place, Result, Target
from server.indicators.headings import Layout
from server.indicators.schemas import SCHEMAS, RowSchema, columns_of

Record = Result | Indicator | Dimension | Target | Check | Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row with something in it.

    `values` holds the cells that could be read, by column; `bad` the columns of those that could not, and of needed ones
    that are missing. `record` is None where a needed cell is among these.
    """

    layout: Layout
    row: int
    values: Mapping[str, Any]
    bad: frozenset[str]
    record: Record | None

    def get(self, column: str) -> Any:
        """The value of a cell; None where it is blank or could not be read."""
        return self.values.get(column)

    def blank(self, column: str) -> bool:
        """Whether nothing was written in a cell."""
        return column not in self.values and column not in self.bad

    def finding(self, column: str, es: str, en: str, severity: Severity = "error") -> Finding:
        """A finding on a cell of this row."""
        return Finding(
            severity=severity,
            sentence=Sentence(es, en),
            sheet=self.layout.sheet,
            row=self.row,
            column=self.layout.heading(column),
        )


def read_entries(sheet: Sheet, layout: Layout, name: str) -> tuple[tuple[Entry, ...], tuple[Finding, ...]]:
    """The entries of the sheet `name`, and findings on its cells, its needed columns and its size."""
    schema = SCHEMAS[name]
    findings: list[Finding] = []
    missing: set[str] = set()
    filled = sum(1 for row in sheet.rows if row)
    if filled > schema.limit:
        findings.append(_too_many(sheet, filled, schema.limit))
    if filled:
        missing = {column for column, field in columns_of(schema).items() if field.required and not layout.has(column)}
        findings.extend(_missing(sheet, column, schema) for column in columns_of(schema) if column in missing)
    entries: list[Entry] = []
    for number, row in enumerate(sheet.rows, start=2):
        if row and len(entries) < schema.limit:
            read = _read(row, number, layout, schema, missing)
            if read is not None:
                entries.append(read[0])
                findings.extend(read[1])
    return tuple(entries), tuple(findings)


def _read(
    row: Row, number: int, layout: Layout, schema: RowSchema, missing: set[str]
) -> tuple[Entry, tuple[Finding, ...]] | None:
    cells = _cells(row, layout, schema)
    if not cells:
        return None
    bad = set(missing)
    errors: list[tuple[str, Sentence]] = []
    try:
        values: dict[str, Any] = schema.load(cells, partial=tuple(missing))
    except ValidationError as error:
        values = dict(error.valid_data) if isinstance(error.valid_data, dict) else {}
        for column, messages in error.messages_dict.items():
            bad.add(column)
            errors.extend((column, _sentence(message, column, schema)) for message in messages)
    entry = Entry(
        layout=layout, row=number, values=values, bad=frozenset(bad), record=_record(values, bad, number, schema)
    )
    return entry, tuple(entry.finding(column, sentence.es, sentence.en) for column, sentence in errors)


def _cells(row: Row, layout: Layout, schema: RowSchema) -> dict[str, Any]:
    """Cells by column, those of texts by language."""
    fields = columns_of(schema)
    cells: dict[str, Any] = {}
    for heading, text in row.items():
        if heading in layout.columns:
            column, language = layout.columns[heading]
            if isinstance(fields[column], Texts):
                cells.setdefault(column, {})[language] = text
            else:
                cells[column] = text
    return cells


def _sentence(message: object, column: str, schema: RowSchema) -> Sentence:
    if isinstance(message, Sentence):
        return message
    expects: Sentence = columns_of(schema)[column].expects  # the only other message is marshmallow's of a missing cell
    return Sentence(
        f"Esta celda no puede quedar vacía: se espera {expects.es}.",
        f"This cell cannot be left empty: {expects.en} is expected.",
    )


def _record(values: Mapping[str, Any], bad: set[str], number: int, schema: RowSchema) -> Record | None:
    if schema.record is None or any(field.required for column, field in columns_of(schema).items() if column in bad):
        return None
    record: Record = schema.record(**values, at=number)
    return record


def _missing(sheet: Sheet, column: str, schema: RowSchema) -> Finding:
    expects: Sentence = columns_of(schema)[column].expects
    return Finding(
        severity="error",
        sentence=Sentence(
            f"Falta la columna «{column}». Añádala; en cada fila se espera {expects.es}.",
            f"The column “{column}” is missing. Add it; each row is expected to have {expects.en}.",
        ),
        sheet=sheet.name,
        row=1,
        column=column,
    )


def _too_many(sheet: Sheet, filled: int, limit: int) -> Finding:
    return Finding(
        severity="error",
        sentence=Sentence(
            f"La hoja tiene {filled} filas y puede tener {limit}. Quite las que sobran.",
            f"The sheet has {filled} rows and may have {limit}. Remove the rest.",
        ),
        sheet=sheet.name,
    )


def said(entries: Iterable[Entry], column: str) -> Iterator[tuple[str, Entry]]:
    """What each entry has in a column of codes or texts, blank ones left out."""
    for entry in entries:
        value = entry.get(column)
        if value is not None:
            yield value, entry

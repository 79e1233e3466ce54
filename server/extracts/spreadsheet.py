"""XLSX of frames: a workbook with a sheet for each table, written row by row."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import IO, Any, Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from server.extracts import refusals
from server.extracts.archive import pieces_of
from server.extracts.codebook import Sheet
from server.extracts.columns import Column, Kind
from server.extracts.delimited import is_formula_like
from server.extracts.frame import Frame
from server.extracts.selection import Selection

MOST_ROWS: Final = 1_048_576
MOST_COLUMNS: Final = 16_384
MOST_CHARACTERS: Final = 32_767
_MOST_WHOLE: Final = 2**53
_FIRST_MONTH: Final = (1900, 3)
"""Excel counts a 29 February 1900 that never was; before March it shows other days."""
LONG_TEXTS: Final = "long_texts"
"""The sheet of texts that no cell can hold."""
_UNFIT: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_FORMATS: Final[dict[Kind, str]] = {"date": "yyyy-mm-dd", "time": "hh:mm:ss", "moment": "yyyy-mm-dd hh:mm:ss"}


def written(frames: Sequence[Frame], chosen: Selection, beside: Sequence[Sheet] = ()) -> Iterator[bytes]:
    """The workbook, made in a temporary file first. Memory does not grow with rows.

    Dates, times and moments are Excel's own, moments without their zone, in the one that was asked for. A table with more
    rows than a sheet may have (1,048,576) goes on in a further one. A text with more characters than a cell may have
    (32,767) stands in pieces on a sheet of its own, and its cell says where. Integers that Excel would round are text. Text
    that looks like a formula is marked as text. Raises Problem 400.8 for a table with more than 16,384 columns.
    """
    for frame in frames:
        if len(frame.columns) > MOST_COLUMNS:
            raise refusals.too_wide(frame.name, len(frame.columns), MOST_COLUMNS)
    with tempfile.TemporaryFile() as file:
        _Book(file, chosen).write(frames, beside)
        yield from pieces_of(file)


@dataclass
class _Book:
    """A workbook while it is written."""

    file: IO[bytes]
    chosen: Selection
    _names: set[str] = field(default_factory=set)
    _long: Worksheet | None = None
    _long_rows: int = 0

    def write(self, frames: Sequence[Frame], beside: Sequence[Sheet]) -> None:
        options = {
            "constant_memory": True,
            "in_memory": False,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        with xlsxwriter.Workbook(self.file, options) as book:
            self._book = book
            self._bold = book.add_format({"bold": True})
            self._quoted = book.add_format({"quote_prefix": True})
            self._dated = {kind: book.add_format({"num_format": shown}) for kind, shown in _FORMATS.items()}
            own = {frame.name: frame.path.rpartition("/")[2] or frame.name for frame in frames}
            for frame in frames:
                self._table(own[frame.name], frame)
            for sheet in beside:
                self._sheet(sheet)

    def _table(self, name: str, frame: Frame) -> None:
        columns = frame.columns
        writers = [self._writer(column) for column in columns]
        sheet, number = self._open(name, columns)
        for batch in frame.batches():
            for row in zip(*batch, strict=True):
                if number == MOST_ROWS:
                    sheet, number = self._open(name, columns)
                for at, (write, value) in enumerate(zip(writers, row, strict=True)):
                    if value is not None:
                        write(sheet, number, at, value)
                number += 1

    def _open(self, name: str, columns: Sequence[Column]) -> tuple[Worksheet, int]:
        sheet = self._add(name)
        for at, column in enumerate(columns):
            sheet.write_string(0, at, column.name, self._bold)
        sheet.freeze_panes(1, 1)
        return sheet, 1

    def _sheet(self, given: Sheet) -> None:
        sheet = self._add(given.name)
        for at, heading in enumerate(given.headings):
            sheet.write_string(0, at, heading, self._bold)
        sheet.freeze_panes(1, 0)
        number = 1
        for line in given.lines:
            if number == MOST_ROWS:
                sheet, number = self._add(given.name), 0
            for at, text in enumerate(line):
                if text:
                    self._text(sheet, number, at, text)
            number += 1

    def _add(self, wish: str) -> Worksheet:
        plain = _UNFIT.sub("_", wish).strip("' ") or "data"
        name, number = plain[:31], 1
        while name.lower() in self._names:
            number += 1
            name = f"{plain[: 31 - len(f' ({number})')]} ({number})"
        self._names.add(name.lower())
        return self._book.add_worksheet(name)

    def _writer(self, column: Column) -> Callable[[Worksheet, int, int, Any], None]:
        kind = column.kind
        if kind in ("text", "geojson"):
            return self._text
        if kind == "boolean":
            return _boolean
        if kind in ("integer", "number"):
            return self._number
        return self._dated_writer(self._dated[kind])

    def _text(self, sheet: Worksheet, row: int, at: int, value: str) -> None:
        if len(value) > MOST_CHARACTERS // 2 and _length(value) > MOST_CHARACTERS:
            value = self._keep_apart(sheet, row, at, value)
        if value[0] in "=@+-\t\r" and self.chosen.neutralise and is_formula_like(value):
            sheet.write_string(row, at, value, self._quoted)
        else:
            sheet.write_string(row, at, value)

    def _number(self, sheet: Worksheet, row: int, at: int, value: float) -> None:
        if abs(value) > _MOST_WHOLE and isinstance(value, int):
            sheet.write_string(row, at, str(value))
        else:
            sheet.write_number(row, at, value)

    def _dated_writer(self, shown: Format) -> Callable[[Worksheet, int, int, Any], None]:
        def write(sheet: Worksheet, row: int, at: int, value: date | time | datetime) -> None:
            if isinstance(value, datetime):
                value = value.replace(tzinfo=None)
            if isinstance(value, date) and (value.year, value.month) < _FIRST_MONTH:
                sheet.write_string(row, at, value.isoformat())
            else:
                sheet.write_datetime(row, at, value, shown)

        return write

    def _keep_apart(self, sheet: Worksheet, row: int, at: int, value: str) -> str:
        """Write a long text on a sheet of its own, one piece below the other; gives what its cell says."""
        cell = xl_rowcol_to_cell(row, at)
        step = MOST_CHARACTERS // 2
        for start in range(0, len(value), step):
            if self._long is None or self._long_rows == MOST_ROWS:
                self._long, self._long_rows = self._add(LONG_TEXTS), 1
                for number, heading in enumerate(("sheet", "cell", "text")):
                    self._long.write_string(0, number, heading, self._bold)
            line = (sheet.get_name(), cell, value[start : start + step])
            for number, text in enumerate(line):
                self._long.write_string(self._long_rows, number, text)
            self._long_rows += 1
        return f"→ {LONG_TEXTS}: {sheet.get_name()} {cell}"


def _boolean(sheet: Worksheet, row: int, at: int, value: bool) -> None:
    sheet.write_boolean(row, at, value)


def _length(text: str) -> int:
    """Characters as Excel counts them: those beyond U+FFFF are two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2

"""CSV of a frame: one table as text, in UTF-8."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from server.extracts.columns import Column, Kind, Values
from server.extracts.frame import Frame
from server.extracts.selection import Selection

BOM: Final = "\ufeff".encode()
_FORMULA: Final = ("=", "@", "\t", "\r", "+", "-")
_HARMLESS: Final = re.compile(r"[+-][0-9 ().\-]*(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?")


def written(frame: Frame, chosen: Selection) -> Iterator[bytes]:
    """The table as CSV (RFC 4180, lines ending in a line feed): a header, then a line for each row.

    Blank is where there is no value. Numbers have a point, true and false are words, dates and times ISO 8601, moments in
    the zone that was asked for, shapes GeoJSON.
    """
    lines: list[str] = []
    writer = csv.writer(Lines(lines), lineterminator="\n")
    cells = [_WRITTEN.get(column.kind, _as_is) for column in frame.columns]
    texts = [column.kind in ("text", "geojson") for column in frame.columns] if chosen.neutralise else []
    writer.writerow(_header(frame.columns, chosen))
    if chosen.bom:
        yield BOM
    for batch in frame.batches():
        told = [cell(values) for cell, values in zip(cells, batch, strict=True)]
        if texts:
            told = [_harmless(values) if text else values for text, values in zip(texts, told, strict=True)]
        writer.writerows(zip(*told, strict=True))
        yield "".join(lines).encode()
        lines.clear()
    if lines:
        yield "".join(lines).encode()


class Lines:
    """What csv.writer writes to: a list."""

    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append


def harmless(cell: Any) -> Any:
    """`cell`, with an apostrophe before a text that a spreadsheet would run as a formula."""
    return f"'{cell}" if isinstance(cell, str) and is_formula_like(cell) else cell


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet would run a text; signed numbers and telephone numbers are none."""
    return text[:1] in _FORMULA and not _HARMLESS.fullmatch(text)


def quoted(text: str) -> str:
    """One text as a cell of a line."""
    lines: list[str] = []
    csv.writer(Lines(lines), lineterminator="").writerow([harmless(text)])
    return lines[0]


def moment(value: datetime) -> str:
    """A moment as text, to the millisecond, with its zone."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _header(columns: Sequence[Column], chosen: Selection) -> list[str]:
    names = [column.name for column in columns]
    return [harmless(name) for name in names] if chosen.neutralise else names


def _harmless(values: Values) -> Values:
    return [harmless(value) for value in values]


def _as_is(values: Values) -> Values:
    return values


def _moments(values: Values) -> Values:
    return [None if value is None else moment(value) for value in values]


def _days(values: Values) -> Values:
    return [None if value is None else value.isoformat() for value in values]


def _booleans(values: Values) -> Values:
    return [None if value is None else "true" if value else "false" for value in values]


_WRITTEN: Final[dict[Kind, Callable[[Values], Values]]] = {
    "moment": _moments,
    "date": _days,
    "time": _days,
    "boolean": _booleans,
}

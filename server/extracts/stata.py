"""Stata: a frame as a .dta file, written row by row.

pandas and pyreadstat hold every row before they write the first one; this holds 500. The layout is the one that Stata's
`help dta` describes as format 118 (Stata 14 and later, UTF-8).
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import IO, Any, Final

from server.extracts import naming, refusals
from server.extracts.archive import pieces_of
from server.extracts.columns import Kind, Values
from server.extracts.frame import Frame
from server.extracts.statistical import Variable, cut, days_since, seconds_of, seconds_since, variables

MOST_VARIABLES: Final = 32_767
MOST_WIDTH: Final = 2_045
"""Bytes of a text beside the other values; longer ones stand apart, as Stata's strL."""
_LONG: Final = 32_768
_NUMBERS: Final = (
    (65530, "b", -127, 100, 101),  # byte
    (65529, "h", -32_767, 32_740, 32_741),  # int
    (65528, "i", -2_147_483_647, 2_147_483_620, 2_147_483_621),  # long
)
"""Type, how struct writes it, its range, and what stands for no value."""
_DOUBLE: Final = 65526
_MISSING: Final = struct.unpack("<d", bytes.fromhex("000000000000e07f"))[0]
_LARGEST: Final = struct.unpack("<d", bytes.fromhex("ffffffffffffdf7f"))[0]
_FORMATS: Final[dict[Kind, str]] = {"date": "%td", "time": "%tcHH:MM:SS", "moment": "%tc"}
_DAYS: Final = days_since(date(1960, 1, 1))
_SECONDS: Final = seconds_since(datetime(1960, 1, 1))  # noqa: DTZ001  Stata's clock has no zone
_SECTIONS: Final = (
    "stata_dta", "map", "variable_types", "varnames", "sortlist", "formats", "value_label_names", "variable_labels",
    "characteristics", "data", "strls", "value_labels",
)  # fmt: skip


def written(frame: Frame) -> Iterator[bytes]:
    """The table as .dta, made in a temporary file first; its rows are read twice, and memory does not grow with them.

    Codes of choices are numbers with labels: themselves where all are whole numbers, else as the codebook lists them. Whole
    numbers take the smallest type that holds them all; text over 2,045 bytes is strL. Dates are days, moments milliseconds
    without a zone, in the one that was asked for. Raises Problem 400.8 for more than 32,767 columns.
    """
    if len(frame.columns) > MOST_VARIABLES:
        raise refusals.too_wide(frame.name, len(frame.columns), MOST_VARIABLES, program="Stata")
    found, rows = variables(frame, naming.stata_names(frame.columns))
    with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as long:
        _Writer(file, long, found, rows).write(frame)
        yield from pieces_of(file)


class _Writer:
    def __init__(self, file: IO[bytes], long: IO[bytes], found: Sequence[Variable], rows: int) -> None:
        self._file = file
        self._long = long
        self._variables = found
        self._rows = rows
        self._at: dict[str, int] = {}
        self._stored = [_stored(variable) for variable in found]

    def write(self, frame: Frame) -> None:
        """The whole file; the map of where its sections begin is filled in at the end."""
        every = self._variables
        labelled = [self._label_name(number) if variable.labels else "" for number, variable in enumerate(every)]
        self._file.write(b"<stata_dta>")
        self._at["stata_dta"] = 0
        self._header(frame.name)
        self._section("map", struct.pack("<14Q", *[0] * 14))
        self._section("variable_types", struct.pack(f"<{len(every)}H", *(stored for stored, *_ in self._stored)))
        self._section("varnames", b"".join(_fixed(variable.name, 129) for variable in every))
        self._section("sortlist", bytes(2 * (len(every) + 1)))
        self._section("formats", b"".join(_fixed(_format(one), 57) for one in every))
        self._section("value_label_names", b"".join(_fixed(name, 129) for name in labelled))
        self._section(
            "variable_labels", b"".join(_fixed(cut(one.column.label, characters=80, size=320), 321) for one in every)
        )
        self._section("characteristics", b"")
        self._open("data")
        self._data(frame)
        self._file.write(b"</data>")
        self._open("strls")
        for piece in pieces_of(self._long):
            self._file.write(piece)
        self._file.write(b"</strls>")
        labels = [
            _labels(name, variable.labels) for name, variable in zip(labelled, every, strict=True) if variable.labels
        ]
        self._section("value_labels", b"".join(labels))
        end = self._file.tell()
        self._file.write(b"</stata_dta>")
        places = [*(self._at[name] for name in _SECTIONS), end, self._file.tell()]
        self._file.seek(self._at["map"] + len("<map>"))
        self._file.write(struct.pack("<14Q", *places))

    def _header(self, label: str) -> None:
        told = cut(label, characters=80, size=320).encode()
        self._file.write(b"<header><release>118</release><byteorder>LSF</byteorder><K>")
        self._file.write(struct.pack("<H", len(self._variables)) + b"</K><N>" + struct.pack("<Q", self._rows))
        self._file.write(b"</N><label>" + struct.pack("<H", len(told)) + told)
        self._file.write(b"</label><timestamp>\x00</timestamp></header>")

    def _section(self, name: str, content: bytes) -> None:
        self._open(name)
        self._file.write(content + f"</{name}>".encode())

    def _open(self, name: str) -> None:
        self._at[name] = self._file.tell()
        self._file.write(f"<{name}>".encode())

    def _data(self, frame: Frame) -> None:
        pack = struct.Struct("<" + "".join(form for _, form, _ in self._stored)).pack
        row = 1
        for batch in frame.batches():
            columns: list[Sequence[Any]] = []
            for number, (variable, values) in enumerate(zip(self._variables, batch, strict=True), 1):
                stored, _, missing = self._stored[number - 1]
                told = variable.coded(values)
                if stored == _LONG:
                    columns.append([])  # written row by row below, since they stand in the order of rows
                elif variable.is_text:
                    columns.append([b"" if value is None else value.encode() for value in told])
                else:
                    columns.append(_numbers(told, variable.column.kind, missing))
            self._put_apart(batch, columns, row)
            lines = [pack(*values) for values in zip(*columns, strict=True)]
            row += len(lines)
            self._file.write(b"".join(lines))

    def _put_apart(self, batch: Sequence[Values], columns: list[Sequence[Any]], row: int) -> None:
        """Long texts into their own file (`GSO` blocks); in the row stands which variable and row they are of."""
        apart = [number for number, (stored, *_) in enumerate(self._stored) if stored == _LONG]
        if not apart:
            return
        told = {number: self._variables[number].coded(batch[number]) for number in apart}
        places: dict[int, list[bytes]] = {number: [] for number in apart}
        for at in range(len(batch[0])):
            for number in apart:
                text = told[number][at]
                if not text:
                    places[number].append(bytes(8))
                    continue
                content = text.encode() + b"\0"
                head = struct.pack("<IQBI", number + 1, row + at, 130, len(content))
                self._long.write(b"GSO" + head + content)
                places[number].append(struct.pack("<H", number + 1) + (row + at).to_bytes(6, "little"))
        for number in apart:
            columns[number] = places[number]

    def _label_name(self, number: int) -> str:
        return self._variables[number].name


def _stored(variable: Variable) -> tuple[int, str, Any]:
    """A variable's type, how struct writes it, and what stands for no value."""
    if variable.is_text:
        width = max(variable.width, 1)
        return (_LONG, "8s", bytes(8)) if width > MOST_WIDTH else (width, f"{width}s", b"")
    if variable.is_whole:
        for stored, form, least, most, missing in _NUMBERS:
            if least <= variable.least and variable.most <= most:
                return stored, form, missing
    if variable.column.kind == "date":
        stored, form, _, _, missing = _NUMBERS[2]
        return stored, form, missing
    return _DOUBLE, "d", _MISSING


def _format(variable: Variable) -> str:
    if variable.is_text:
        return f"%{min(max(variable.width, 9), MOST_WIDTH)}s"
    if variable.column.kind in _FORMATS and variable.numbers is None:
        return _FORMATS[variable.column.kind]
    return "%12.0g" if variable.is_whole else "%10.0g"


def _numbers(values: Values, kind: Kind, missing: Any) -> Values:
    convert = _CONVERTED.get(kind)
    if convert is not None:
        values = convert(values)
    if kind == "number":
        return [missing if value is None or abs(value) > _LARGEST else value for value in values]
    return [missing if value is None else value for value in values]


def _milliseconds(values: Values) -> Values:
    return [None if value is None else round(value * 1000) for value in values]


_CONVERTED: Final[dict[Kind, Callable[[Values], Values]]] = {
    "date": _DAYS,
    "time": lambda values: _milliseconds(seconds_of(values)),
    "moment": lambda values: _milliseconds(_SECONDS(values)),
}


def _labels(name: str, labels: dict[int, str]) -> bytes:
    """One table of value labels: numbers in order, each with where its text begins."""
    numbers = sorted(labels)
    texts = [cut(labels[number], size=32_000).encode() + b"\0" for number in numbers]
    places, at = [], 0
    for text in texts:
        places.append(at)
        at += len(text)
    table = struct.pack(f"<II{len(numbers)}I{len(numbers)}i", len(numbers), at, *places, *numbers) + b"".join(texts)
    return b"<lbl>" + struct.pack("<I", len(table)) + _fixed(name, 129) + bytes(3) + table + b"</lbl>"


def _fixed(text: str, size: int) -> bytes:
    data = text.encode()
    return data + bytes(size - len(data))

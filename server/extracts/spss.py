"""SPSS: a frame as a .sav file, written row by row.

pyreadstat holds every row before it writes the first one; this holds 500. The layout is the one that the PSPP developers'
guide describes ("System File Format"): little-endian, UTF-8, not compressed.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from server.extracts import naming, refusals
from server.extracts.columns import Kind, Values
from server.extracts.frame import Frame
from server.extracts.statistical import Variable, cut, days_since, seconds_of, seconds_since, variables

MOST_WIDTH: Final = 32_767
"""Bytes of a text variable; a longer text goes on in a further one."""
MOST_VARIABLES: Final = 32_767
_MISSING: Final = -sys.float_info.max
_LOWEST: Final = struct.unpack("<d", bytes.fromhex("feffffffffffefff"))[0]
_SEGMENT: Final = 255
_STEP: Final = 252
"""Widths of a very long text are counted in segments of so many bytes, though each holds 255."""
_DAY: Final = 86_400
_DAYS: Final = days_since(date(1582, 10, 14))
_SECONDS: Final = seconds_since(datetime(1582, 10, 14))  # noqa: DTZ001  SPSS's clock has no zone
_FORMATS: Final[dict[Kind, int]] = {
    "date": 39 << 16 | 10 << 8,  # SDATE10: 2026/08/15
    "time": 21 << 16 | 8 << 8,  # TIME8
    "moment": 22 << 16 | 20 << 8,  # DATETIME20
    "number": 5 << 16 | 16 << 8 | 6,  # F16.6
}
_WHOLE: Final = 5 << 16 | 12 << 8  # F12


def written(frame: Frame) -> Iterator[bytes]:
    """The table as .sav; its rows are read twice, and memory does not grow with them.

    Codes of choices are numbers with labels: themselves where all are whole numbers, else as the codebook lists them. Text
    over 32,767 bytes goes on in a further variable (`name_2`). Labels of variables are cut to 255 bytes, of values to 120;
    the codebook has them whole. Moments have no zone: they stand in the one that was asked for. Raises Problem 400.8 for
    more than 32,767 columns.
    """
    if len(frame.columns) > MOST_VARIABLES:
        raise refusals.too_wide(frame.name, len(frame.columns), MOST_VARIABLES, program="SPSS")
    found, rows = variables(frame, naming.spss_names(frame.columns))
    fields = _fields(found)
    yield _dictionary(frame.name, fields, rows)
    pack = struct.Struct("<" + "".join(one.form for one in fields)).pack
    for batch in frame.batches():
        columns: list[Sequence[Any]] = []
        for variable, values in zip(found, batch, strict=True):
            columns.extend(_told(variable, variable.coded(values)))
        yield b"".join(pack(*row) for row in zip(*columns, strict=True))


@dataclass(frozen=True, slots=True)
class _Field:
    """A variable of the file: its own name, its text's width (0: a number), and how struct writes it."""

    name: str
    width: int
    variable: Variable
    form: str


def _segments(width: int) -> list[int]:
    """Widths of the pieces that the file keeps of a text."""
    if width <= _SEGMENT:
        return [width]
    count = math.ceil(width / _STEP)
    return [_SEGMENT] * (count - 1) + [width - _STEP * (count - 1)]


def _units(width: int) -> int:
    """How many times eight bytes a value takes in a row."""
    return sum(max(1, math.ceil(segment / 8)) for segment in _segments(width))


def _fields(found: Sequence[Variable]) -> list[_Field]:
    fields: list[_Field] = []
    taken = {variable.name.lower() for variable in found}
    for variable in found:
        if not variable.is_text:
            fields.append(_Field(variable.name, 0, variable, "d"))
            continue
        for number, width in enumerate(_widths(variable), 1):
            name = variable.name
            while number > 1 and name.lower() in taken:
                name = f"{variable.name[:60]}_{number}" if name == variable.name else f"{name[:60]}_"
            taken.add(name.lower())
            fields.append(_Field(name, width, variable, f"{8 * _units(width)}s"))
    return fields


def _widths(variable: Variable) -> list[int]:
    """Widths of the variables that hold a text; pieces are cut between letters, so that they may be three bytes short."""
    if variable.width <= MOST_WIDTH:
        return [max(variable.width, 1)]
    return [MOST_WIDTH] * math.ceil(variable.width / (MOST_WIDTH - 3))


def _told(variable: Variable, values: Values) -> list[Sequence[Any]]:
    """The columns of the file that a variable makes."""
    if variable.is_text:
        widths = _widths(variable)
        texts = [b"" if value is None else value.encode() for value in values]
        if len(widths) == 1:
            return [_padded(texts, widths[0])]
        pieces = [_pieces(text, len(widths)) for text in texts]
        return [_padded([piece[at] for piece in pieces], width) for at, width in enumerate(widths)]
    convert = _CONVERTED.get(variable.column.kind) if variable.numbers is None else None
    told = convert(values) if convert is not None else values
    return [[_MISSING if value is None else value for value in told]]


def _padded(texts: Sequence[bytes], width: int) -> Sequence[bytes]:
    """Texts filled up with blanks, as wide as their field; of a very long one each 255 bytes are followed by a blank."""
    if width <= _SEGMENT:
        size = 8 * math.ceil(width / 8)
        return [text.ljust(size) for text in texts]
    size = 8 * _units(width)
    return [
        b"".join(text[at : at + _SEGMENT].ljust(_SEGMENT + 1) for at in range(0, len(text), _SEGMENT)).ljust(size)[
            :size
        ]
        for text in texts
    ]


def _pieces(text: bytes, count: int) -> list[bytes]:
    pieces = []
    while len(text) > MOST_WIDTH:
        end = MOST_WIDTH
        while text[end] & 0xC0 == 0x80:  # within a letter
            end -= 1
        pieces.append(text[:end])
        text = text[end:]
    return [*pieces, text, *[b""] * (count - len(pieces) - 1)]


_CONVERTED: Final[dict[Kind, Callable[[Values], Values]]] = {
    "date": lambda values: [None if value is None else value * _DAY for value in _DAYS(values)],
    "time": seconds_of,
    "moment": _SECONDS,
}


def _dictionary(label: str, fields: Sequence[_Field], rows: int) -> bytes:
    """Everything before the data."""
    parts = [_header(label, sum(_units(field.width) for field in fields), rows)]
    short: list[tuple[str, _Field]] = []
    shown: list[int] = []
    labelled: list[tuple[int, dict[int, str]]] = []
    number, place = 0, 1
    for field in fields:
        for segment, width in enumerate(_segments(field.width)):
            number += 1
            name = f"V{number:07d}"
            if segment == 0:
                short.append((name, field))
                if field.variable.labels and field.width == 0:
                    labelled.append((place, field.variable.labels))
            parts.append(_variable(name, width, field, first=segment == 0))
            shown.extend(_shown(field))
            place += max(1, math.ceil(width / 8))
    parts.extend(_value_labels(place, labels) for place, labels in labelled)
    parts.append(_extension(3, 4, struct.pack("<8i", 1, 0, 0, -1, 1, 1, 2, 65001)))  # IEEE 754, little-endian, UTF-8
    parts.append(_extension(4, 8, struct.pack("<3d", _MISSING, sys.float_info.max, _LOWEST)))
    parts.append(_extension(11, 4, struct.pack(f"<{len(shown)}i", *shown)))
    parts.append(_extension(13, 1, "\t".join(f"{name}={field.name}" for name, field in short).encode()))
    wide = [(name, field.width) for name, field in short if field.width > _SEGMENT]
    if wide:
        parts.append(_extension(14, 1, b"".join(f"{name}={width:05d}\0\t".encode() for name, width in wide)))
    parts.append(_extension(16, 8, struct.pack("<2q", 1, rows)))
    parts.append(_extension(20, 1, b"UTF-8"))
    parts.append(struct.pack("<ii", 999, 0))
    return b"".join(parts)


def _header(label: str, units: int, rows: int) -> bytes:
    product = b"@(#) SPSS DATA FILE Tejido".ljust(60)
    sizes = struct.pack("<iiiiid", 2, units, 0, 0, rows if rows < 2**31 else -1, 100.0)
    now = datetime.now().astimezone()
    written = f"{now:%d %b %y}{now:%H:%M:%S}".encode("ascii", "replace")
    return b"$FL2" + product + sizes + written + cut(label, size=64).encode().ljust(64) + bytes(3)


def _variable(name: str, width: int, field: _Field, *, first: bool) -> bytes:
    kind = field.variable.column.kind
    number = _WHOLE if field.variable.is_whole else _FORMATS.get(kind, _WHOLE)
    shown = (1 << 16 | max(width, 1) << 8) if field.width else number
    label = cut(field.variable.column.label, size=255).encode() if first else b""
    record = struct.pack("<6i", 2, width, 1 if label else 0, 0, shown, shown) + name.encode()
    if label:
        record += struct.pack("<i", len(label)) + label.ljust(4 * math.ceil(len(label) / 4))
    rest = struct.pack("<6i", 2, -1, 0, 0, 0, 0) + b" " * 8
    return record + rest * (max(1, math.ceil(width / 8)) - 1)


def _shown(field: _Field) -> tuple[int, int, int]:
    """Level of measurement (1 nominal, 3 scale), columns on the screen, alignment (0 left, 1 right)."""
    if field.width:
        return 1, min(max(field.width, 8), 40), 0
    return (1 if field.variable.labels else 3), 12, 1


def _value_labels(place: int, labels: dict[int, str]) -> bytes:
    parts = [struct.pack("<ii", 3, len(labels))]
    for number in sorted(labels):
        text = cut(labels[number], size=120).encode()
        parts.append(struct.pack("<dB", number, len(text)) + text.ljust(8 * math.ceil((len(text) + 1) / 8) - 1))
    return b"".join(parts) + struct.pack("<iii", 4, 1, place)


def _extension(subtype: int, size: int, content: bytes) -> bytes:
    return struct.pack("<4i", 7, subtype, size, len(content) // size) + content

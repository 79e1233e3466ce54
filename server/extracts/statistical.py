"""Variables: the columns of a frame as statistical programs take them: numbers with labels, text of a known width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final

from server.extracts.columns import Column, Kind, Values
from server.extracts.frame import Frame
from server.extracts.questions import is_number

MOST_LABELS: Final = 10_000
"""A longer list of choices labels nothing: its codes are text."""
_MOST_WHOLE: Final = 2**53
_TEXTS: Final[frozenset[Kind]] = frozenset(("text", "geojson"))


@dataclass(slots=True, kw_only=True)
class Variable:
    """A column, what its values become, and what was met in them.

    `numbers` gives the number of each code; None where values are no codes. Codes that are in no list, such as what somebody
    wrote for "other", are `strange` until all is met, and then get numbers: themselves where they can. `width` is the longest
    text in bytes (UTF-8), `least` and `most` the range of whole numbers.
    """

    column: Column
    name: str
    numbers: dict[str, int] | None = None
    labels: dict[int, str] = field(default_factory=dict)
    width: int = 0
    strange: set[str] = field(default_factory=set)
    least: int = 0
    most: int = 0

    @property
    def is_text(self) -> bool:
        """Whether its values are text in the file; whole numbers that no float holds are too."""
        if self.numbers is not None:
            return False
        return self.column.kind in _TEXTS or max(-self.least, self.most) > _MOST_WHOLE

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers."""
        return not self.is_text and (self.numbers is not None or self.column.kind in ("integer", "boolean"))

    def meet(self, values: Values) -> None:
        """Note what values there are."""
        if self.numbers is not None:
            self.strange.update(code for code in set(values) if code is not None and code not in self.numbers)
        elif self.column.kind in _TEXTS:
            longest = max((len(value.encode()) for value in values if value is not None), default=0)
            self.width = max(self.width, longest)
        elif self.column.kind in ("integer", "boolean"):
            there = [value for value in values if value is not None]
            self.least = min(self.least, min(there, default=0))
            self.most = max(self.most, max(there, default=0))

    def close(self) -> None:
        """All was met: codes have a range too, and numbers too long for a float a width."""
        if self.numbers is not None:
            for code in sorted(self.strange, key=lambda code: (not is_number(code), code)):
                self._add(code)
            self.least = min(self.numbers.values(), default=0)
            self.most = max(self.numbers.values(), default=0)
        elif self.column.kind in ("integer", "boolean") and self.is_text:
            self.width = max(len(str(self.least)), len(str(self.most)))

    def coded(self, values: Values) -> Values:
        """Values as they are written: codes as their numbers, long whole numbers as text."""
        if self.numbers is not None:
            numbers = self.numbers
            return [None if value is None else numbers[value] for value in values]
        if self.is_text and self.column.kind == "integer":
            return [None if value is None else str(value) for value in values]
        return values

    def _add(self, code: str) -> None:
        numbers = self.numbers if self.numbers is not None else {}
        taken = set(numbers.values())
        number = int(code) if is_number(code) and int(code) not in taken else max((*taken, 0)) + 1
        numbers[code] = number
        self.labels[number] = code


def variables(frame: Frame, names: Sequence[str]) -> tuple[list[Variable], int]:
    """Every column as a variable, its values met, and the number of rows. Reads the rows once."""
    found = [_variable(column, name) for column, name in zip(frame.columns, names, strict=True)]
    rows = 0
    for batch in frame.batches():
        rows += len(batch[0]) if batch else 0
        for variable, values in zip(found, batch, strict=True):
            variable.meet(values)
    for variable in found:
        variable.close()
    return found, rows


def cut(text: str, *, characters: int | None = None, size: int) -> str:
    """`text` within so many characters and bytes of UTF-8; what was cut ends in an ellipsis."""
    if (characters is None or len(text) <= characters) and len(text.encode()) <= size:
        return text
    kept = text if characters is None else text[: characters - 1]
    return f"{kept.encode()[: size - 3].decode(errors='ignore').rstrip()}…"


def days_since(epoch: date) -> Callable[[Values], Values]:
    """Dates as days since `epoch`."""
    first = epoch.toordinal()
    return lambda values: [None if value is None else value.toordinal() - first for value in values]


def seconds_since(epoch: datetime) -> Callable[[Values], Values]:
    """Moments, as a clock on the wall of their zone shows them, as seconds since `epoch` (without a zone)."""

    def told(values: Values) -> Values:
        return [None if value is None else (value.replace(tzinfo=None) - epoch).total_seconds() for value in values]

    return told


def seconds_of(values: Values) -> Values:
    """Times of day as seconds since midnight."""
    return [None if value is None else _seconds(value) for value in values]


def _seconds(value: time) -> float:
    return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1_000_000


def _variable(column: Column, name: str) -> Variable:
    if column.numbers and column.kind == "text" and len(column.numbers) <= MOST_LABELS:
        numbers = dict(column.numbers)
        labels = {numbers[str(code)]: label for code, label in column.codes if str(code) in numbers}
        return Variable(column=column, name=name, numbers=numbers, labels=labels)
    labels = {code: label for code, label in column.codes if isinstance(code, int)}
    return Variable(column=column, name=name, labels=labels)

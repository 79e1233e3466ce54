"""Cells: what the cells of the indicator sheets may hold, as marshmallow fields that say what they expect."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from abc import abstractmethod
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, Generic, TypeVar

from marshmallow import ValidationError, fields

from forms.problems import Sentence
from server.indicators import periods
from server.indicators.declarations import ENTITIES
from server.indicators.declarations import Texts as TextsByLanguage

T = TypeVar("T")
NAME: Final = re.compile(r"[^\W_][\w.\-]{0,99}")
"""Codes of indicators, results, dimensions, checks, places and levels."""
_INVISIBLE: Final = str.maketrans(dict.fromkeys("\u200b\u200e\u200f\u2060\ufeff\u00ad"))
_NUMBER: Final = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]{1,3})?")
_THOUSANDS: Final = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_WHOLE: Final = re.compile(r"([0-9]{1,9})(\.0*)?")
_DAY: Final = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2})(?: 00:00:00)?)?)?")
_MONTH_CELL: Final = re.compile(r"([0-9]{4}-[0-9]{2})-01 00:00:00")  # how spreadsheets tells of a day typed as 2026-05
_DATE_CELL: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9:.]+)?")
_ALMOST_PERIOD: Final = re.compile(r"[0-9]{4}-[SsQqTt]?[0-9]+")  # not the code of a round
_BETWEEN: Final = re.compile(r"[\s,;]+")
_YES: Final = frozenset(("yes", "true", "true()", "sí", "si"))
_NO: Final = frozenset(("no", "false", "false()"))


class Cell(fields.Field[T], Generic[T]):
    """A cell: text becomes a value, or a ValidationError whose one message is a Sentence."""

    expects: Sentence

    @abstractmethod
    def read(self, text: str) -> T:
        """The value of a cell. Raises ValueError, with a Sentence as its argument where there is more to say."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> T:
        try:
            return self.read(value)
        except ValueError as error:
            more = next((part for part in error.args if isinstance(part, Sentence)), Sentence("", ""))
            shown = value if len(value) <= 60 else value[:60] + "…"
            es = f"«{shown}» no sirve aquí: se espera {self.expects.es}. {more.es}".rstrip()
            en = f"“{shown}” cannot be used here: {self.expects.en} is expected. {more.en}".rstrip()
            raise ValidationError([Sentence(es, en)]) from None


def plain(text: str) -> str:
    """A code or a word without characters that nobody sees, composed (NFC)."""
    return unicodedata.normalize("NFC", text.translate(_INVISIBLE)).strip()


class Text(Cell[str]):
    """Text as it was written."""

    expects = Sentence("un texto", "text")

    def read(self, text: str) -> str:
        return text


class Expression(Text):
    """An expression as it was written."""

    expects = Sentence("una expresión, como ${edad} >= 18", "an expression such as ${age} >= 18")


class Name(Cell[str]):
    """A code."""

    expects = Sentence(
        "un código, como R2.3, de letras, cifras, «_», «.» y «-», que comience con letra o cifra",
        "a code such as R2.3, of letters, digits, “_”, “.” and “-”, beginning with a letter or digit",
    )

    def read(self, text: str) -> str:
        name = plain(text)
        if not NAME.fullmatch(name):
            raise ValueError
        return name


class Names(Cell[tuple[str, ...]]):
    """Codes with spaces or commas between, each once."""

    expects = Sentence("nombres con espacios entre ellos", "names with spaces between them")

    def read(self, text: str) -> tuple[str, ...]:
        names = [name for name in _BETWEEN.split(plain(text)) if name]
        for name in names:
            if name.startswith("${"):
                inner = name.strip("${}")
                raise ValueError(Sentence(f"Escriba {inner} y no {name}.", f"Write {inner}, not {name}."))
            if not re.fullmatch(r"\w[\w.\-]*", name):
                raise ValueError(Sentence(f"«{name}» no es un nombre.", f"“{name}” is no name."))
        return tuple(dict.fromkeys(names))


class Word(Cell[str]):
    """One of a few words, in any case."""

    def __init__(self, words: Sequence[str], **options: Any) -> None:
        super().__init__(**options)
        self.words = tuple(words)
        listed = ", ".join(words)
        self.expects = Sentence(f"una de estas palabras: {listed}", f"one of the words {listed}")

    def read(self, text: str) -> str:
        word = plain(text).lower()
        if word in self.words:
            return word
        near = next(iter(difflib.get_close_matches(word, self.words, n=1, cutoff=0.6)), None)
        raise ValueError(Sentence(f"¿Quiso decir «{near}»?", f"Did you mean “{near}”?")) if near else ValueError


class YesNo(Cell[bool]):
    """yes or no; Excel's TRUE and FALSE too."""

    expects = Sentence("yes o no", "yes or no")

    def read(self, text: str) -> bool:
        word = plain(text).lower()
        if word not in _YES | _NO:
            raise ValueError
        return word in _YES


class Whole(Cell[int]):
    """A whole number from `least` to `most`."""

    def __init__(self, least: int, most: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most
        self.expects = (
            Sentence(f"un número entero desde {least}", f"a whole number from {least} on")
            if most is None
            else Sentence(f"un número entero de {least} a {most}", f"a whole number from {least} to {most}")
        )

    def read(self, text: str) -> int:
        match = _WHOLE.fullmatch(plain(text))
        if not match or int(match[1]) < self.least or (self.most is not None and int(match[1]) > self.most):
            raise ValueError
        return int(match[1])


class Figure(Cell[float]):
    """A number; a decimal comma is one where it cannot separate thousands."""

    expects = Sentence("un número, como 12.5", "a number such as 12.5")

    def read(self, text: str) -> float:
        number = plain(text)
        if number.endswith("%"):
            bare = number[:-1].strip()
            raise ValueError(Sentence(f"Escriba {bare}, sin el signo %.", f"Write {bare}, without the sign %."))
        if _THOUSANDS.fullmatch(number):
            whole, decimal = number.replace(",", ""), number.replace(",", ".")
            raise ValueError(
                Sentence(
                    f"La coma puede separar miles o decimales: escriba {whole} o {decimal}.",
                    f"The comma may separate thousands or decimals: write {whole} or {decimal}.",
                )
            )
        if not _NUMBER.fullmatch(number):
            raise ValueError
        value = float(number.replace(",", "."))
        if not math.isfinite(value):
            raise ValueError
        return value


class Box(Cell[tuple[float, ...]]):
    """South, west, north and east of an area, in degrees."""

    expects = Sentence(
        "sur, oeste, norte y este en grados, como 7.0 -83.1 9.7 -77.1",
        "south, west, north and east in degrees, such as 7.0 -83.1 9.7 -77.1",
    )

    def read(self, text: str) -> tuple[float, ...]:
        edges = tuple(float(part) for part in plain(text).split())
        if len(edges) != 4 or not all(math.isfinite(edge) for edge in edges):
            raise ValueError
        south, west, north, east = edges
        if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
            raise ValueError
        return edges


class Day(Cell[date]):
    """A day; a year or a month alone is its first day, or its `last`."""

    expects = Sentence("una fecha como 2014-01-31, o solo el año", "a date such as 2014-01-31, or the year alone")

    def __init__(self, *, last: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.last = last

    def read(self, text: str) -> date:
        match = _DAY.fullmatch(plain(text))
        if not match:
            raise ValueError
        year, month = int(match[1]), int(match[2] or (12 if self.last else 1))
        first = date(year, month, 1)  # a month 13 is a ValueError already
        day = int(match[3]) if match[3] else monthrange(year, month)[1] if self.last else 1
        return first.replace(day=day)


class Period(Cell[str]):
    """A reporting period, written as the contract writes it, or the code of a survey's round."""

    expects = Sentence(
        "un período como 2026, 2026-S1, 2026-Q3 o 2026-05, o el código de una ronda",
        "a period such as 2026, 2026-S1, 2026-Q3 or 2026-05, or the code of a round",
    )

    def read(self, text: str) -> str:
        period = plain(text)
        if month := _MONTH_CELL.fullmatch(period):
            return month[1]
        if _DATE_CELL.fullmatch(period):
            raise ValueError(
                Sentence(
                    "Es una fecha: déle a la celda el formato «Texto» y escriba el período.",
                    "This is a date: format the cell as “Text” and write the period.",
                )
            )
        try:
            return periods.parse(period).code
        except periods.PeriodError as error:
            if _ALMOST_PERIOD.fullmatch(period):
                raise ValidationError([error.sentence]) from None
            return period


class PeriodKind(Expression):
    """A kind of period, in any case, or the expression of a survey's rounds as it was written."""

    def read(self, text: str) -> str:
        word = plain(text).lower()
        return word if word in periods.KINDS else text


class Unit(Cell[str]):
    """What `over` names: a repeat, or `entities:` with an entity list."""

    expects = Sentence(
        "el nombre de una repetición, o entities:lista para una lista de entidades",
        "a repeat's name, or entities:list for an entity list",
    )

    def read(self, text: str) -> str:
        over = plain(text)
        begin, colon, rest = over.partition(":")
        if colon and f"{begin.strip().lower()}:" == ENTITIES:
            over = ENTITIES + rest.strip()
        if over == ENTITIES or re.search(r"\s", over):
            raise ValueError
        return over


class Texts(Cell[TextsByLanguage]):
    """Texts by language; the cells of all languages come as one mapping."""

    expects = Sentence("un texto", "text")

    def read(self, text: str) -> TextsByLanguage:
        return {"": text}

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any
    ) -> TextsByLanguage:
        texts: TextsByLanguage = dict(value)
        return texts

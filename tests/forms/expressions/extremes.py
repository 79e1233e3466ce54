"""Extreme answers, and expressions over them that respect nothing but kinds: what no record may make fail."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from forms.expressions.tree import Kind
from tests.forms.expressions.generated import Generated
from tests.server.desk import form, questions

FORM_ID: Final = "extremos"
SHEET: Final = form(
    FORM_ID,
    questions(
        "integer entero",
        "decimal decimal",
        "decimal otro",
        "text texto",
        "text corto",
        "select_one uno uno",
        "select_multiple uno varios",
        "date dia",
        "dateTime momento",
        "begin repeat fila",
        "integer edad",
        "decimal peso",
        "text nombre",
        "end repeat",
    ),
    choices="""
| | list_name | name | label |
| | uno | a | A |
| | uno | b | B |
| | uno | 10 | Diez |
""",
)
_INTEGERS: Final = ("9223372036854775807", "-9223372036854775808", "0", "-1", "7", "2147483648", "1000000007")
_DECIMALS: Final = (
    "1.7976931348623157e308",
    "-1e308",
    "1e151",
    "1e150",
    "-9.999999999999999e149",
    "1e76",
    "5e-324",
    "-2.2250738585072014e-308",
    "1e-151",
    "1e-77",
    "-0.0",
    "0",
    "0.5",
    "-2.5",
    "1",
    "1.0000000000000002",
    "0.1",
    "123456789.12345679",
    "4503599627370497.5",
)
_TEXTS: Final = (
    "",
    "a",
    "ñ" * 300,
    "a" * 20_000,
    "9" * 400,
    "9" * 150 + "." + "9" * 150,
    "-.5",
    "-",
    ".",
    "1e5",
    "Infinity",
    "NaN",
    "٣٤",
    "2026-02-28",
    " 2024-02-29 ",
    "2026-02-30",
    "0000-01-01",
    "9999-12-31T23:59",
    "\u00a02026-01-01",
    "\u30002026-01-01\u2003",
    "2026-01-01\u2003x",
    "2026-01-01T\nx",
    "12026-01-01",
    "😀𐍈e\u0301",
    "a\nb\tc",
    "\\",
    "%_'\"",
    "\u2028\u200b\ufeff",
    "a b  10 ",
    "true",
    "١٢-٣",
)
_DAYS: Final = ("0001-01-01", "9999-12-31", "2026-02-28", " 2026-01-31 ", "1969-12-31", "1600-02-29")
_MOMENTS: Final = (
    "0001-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
    "2026-02-28T23:59:59.999-05:00",
    " 2026-01-31T00:00:00.000+14:00 ",
    "1969-12-31T19:00:00.000-05:00",
)
_CHOSEN: Final = ("", "a", "a b 10", " a  b ", "b " * 2_000, "nadie", "a\u00a0b")
ANSWERS: Final[Mapping[str, Sequence[str]]] = {
    "entero": _INTEGERS,
    "decimal": _DECIMALS,
    "otro": _DECIMALS,
    "texto": _TEXTS,
    "corto": _TEXTS,
    "uno": ("a", "b", "10", "nadie", ""),
    "varios": _CHOSEN,
    "dia": _DAYS,
    "momento": _MOMENTS,
}
_NUMBERS: Final = (
    *("0", "1", "2", "-1", "0.5", "3", "15", "16", "400", "1000000", "99999999999", "0.000001", "7.25"),
    *("9" * 150, "-" + "9" * 149, "0." + "0" * 149 + "1"),
)
_QUOTED: Final = ("''", "'a'", "' '", "'ñ'", "'10'", "'%'", "'\\'", "'😀'", "'2026-02-29'", "'aeiou'")
_PATTERNS: Final = (
    "[a-z]*",
    ".*",
    "[0-9]{1,4}.*",
    "\\d+\\.?\\d*",
    "(a|b)?.{0,250}",
    "[^a]+",
    "ñ*",
    "(a|aa)*b",
    "\\s?\\w+\\W*",
)
_FORMS: Final = ("%Y-%m-%d", "%y%n%e", "", "''''''")


def submissions(seed: int, count: int) -> list[str]:
    """Answers as XML, each question's at random; some rows of the repeat with them. XML's own marks are escaped."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        told = "".join(_element(name, chance.choice(given)) for name, given in ANSWERS.items())
        rows = "".join(
            "<fila>"
            + _element("edad", chance.choice(_INTEGERS))
            + _element("peso", chance.choice(_DECIMALS))
            + _element("nombre", chance.choice(_TEXTS))
            + "</fila>"
            for _ in range(chance.choice((0, 1, 3)))
        )
        made.append(told + rows)
    return made


def _element(name: str, text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return f"<{name}>{escaped}</{name}>"


class Extremes:
    """Expressions at random, the same for the same seed; some are refused when they are read."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def many(self, count: int) -> list[Generated]:
        """Every fourth seen from a row of the repeat."""
        made = []
        for number in range(count):
            unit = "/fila" if number % 4 == 3 else ""
            kind: Kind = self._random.choice(("number", "number", "number", "text", "text", "boolean", "date"))
            made.append(Generated(f"c{number}", self._of(kind, 4, unit), kind, unit))
        return made

    def _of(self, kind: Kind, depth: int, unit: str) -> str:
        leaves = self._leaves(unit)[kind]
        if depth <= 0 or self._random.random() < 0.15:
            return self._random.choice(leaves)

        def a(of: Kind) -> str:
            return self._of(of, depth - 1, unit)

        return self._random.choice(self._branches(a)[kind])()

    def _leaves(self, unit: str) -> Mapping[Kind, Sequence[str]]:
        own = ("${edad}", "${peso}", "position(..)") if unit else ("sum(${edad})", "sum(${peso})", "max(${peso})")
        return {
            "number": (*own, "${entero}", "${decimal}", "${otro}", "number(${uno})", *_NUMBERS),
            "text": ("${texto}", "${corto}", "${uno}", "${varios}", *(("${nombre}",) if unit else ()), *_QUOTED),
            "boolean": ("${uno} = 'a'", "selected(${varios}, 'b')", "${texto} = ''", "true()"),
            "date": ("${dia}", "date(${momento})", "date('0001-01-01')", "date('9999-12-31')"),
        }

    def _branches(self, a: Callable[[Kind], str]) -> Mapping[Kind, Sequence[Callable[[], str]]]:
        pick = self._random.choice
        return {
            "number": (
                lambda: f"({a('number')} {pick(('+', '-', '*', 'div', 'mod'))} {a('number')})",
                lambda: f"({a('number')} + {a('number')} - {a('number')} + {a('number')})",
                lambda: f"pow({a('number')}, {a('number')})",
                lambda: f"pow({a('number')}, {a('number')})",
                lambda: f"round({a('number')}, {a('number')})",
                lambda: f"{pick(('abs', 'int', 'round'))}({a('number')})",
                lambda: f"{pick(('min', 'max'))}({a('number')}, {a('number')})",
                lambda: f"if({a('boolean')}, {a('number')}, {a('number')})",
                lambda: f"number({a(pick(('text', 'date', 'boolean')))})",
                lambda: f"string-length({a('text')})",
                lambda: f"count-selected({a('text')})",
                lambda: f"({a('date')} - {a('date')})",
                lambda: f"decimal-date-time({pick(('${momento}', '${dia}'))})",
                lambda: f"coalesce({a('number')}, {a('number')})",
            ),
            "text": (
                lambda: f"concat({a('text')}, {a('number')}, {a('text')})",
                lambda: f"substr({a('text')}, {a('number')}, {a('number')})",
                lambda: f"substr({a('text')}, {a('number')})",
                lambda: f"translate({a('text')}, {a('text')}, {a('text')})",
                lambda: f"selected-at({a('text')}, {a('number')})",
                lambda: f"format-date({a('date')}, '{pick(_FORMS[:3])}')",
                lambda: f"jr:choice-name({a('text')}, '${{uno}}')",
                lambda: f"if({a('boolean')}, {a('text')}, {a('text')})",
                lambda: f"coalesce({a('text')}, {a('text')})",
            ),
            "boolean": (
                lambda: f"({a('number')} {pick(('=', '!=', '<', '<=', '>', '>='))} {a('number')})",
                lambda: f"({a('date')} {pick(('=', '!=', '<', '<=', '>', '>='))} {a('date')})",
                lambda: f"({a('text')} {pick(('=', '!='))} {a('text')})",
                lambda: f"{pick(('contains', 'starts-with', 'ends-with'))}({a('text')}, {a('text')})",
                lambda: f"selected({a('text')}, {a('text')})",
                lambda: f"regex({a('text')}, '{pick(_PATTERNS)}')",
                lambda: f"({a('boolean')} {pick(('and', 'or'))} {a('boolean')})",
                lambda: f"not({a('boolean')})",
                lambda: f"boolean({a('number')})",
            ),
            "date": (
                lambda: f"date({a('text')})",
                lambda: f"date({a('number')})",
                lambda: f"date({a('date')} + {a('number')})",
                lambda: f"if({a('boolean')}, {a('date')}, {a('date')})",
                lambda: f"coalesce({a('date')}, {a('date')})",
            ),
        }

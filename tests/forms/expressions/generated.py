"""Generated expressions over one form, each of a known kind, and what JavaRosa wrote beside what we compute."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from forms.expressions.tree import Kind
from tests.helpers.workbooks import Sheets

FORM_ID: Final = "expresiones"
_SURVEY: Final = (
    ("type", "name", "label", "required", "constraint"),
    ("integer", "entero", "E", "{req}", ". >= -40 and . <= 40"),
    ("decimal", "decimal", "D", "{req}", ". >= -20 and . <= 20"),
    ("text", "texto", "T", "{req}", "regex(., '[a-z0-9 ñÁé-]{1,12}')"),
    ("select_one uno", "uno", "U", "{req}", None),
    ("select_one codigos", "codigo", "C", "{req}", None),
    ("select_multiple varios", "varios", "V", "{req}", None),
    ("date", "dia", "F", "{req}", None),
    ("date", "otro_dia", "F", "{req}", None),
    ("dateTime", "momento", "F", "{req}", None),
    ("dateTime", "otro_momento", "F", "{req}", None),
    ("begin repeat", "miembro", "M", None, None),
    ("integer", "edad", "E", "{req}", ". >= 0 and . <= 110"),
    ("decimal", "peso", "P", "{req}", ". >= 0 and . <= 200"),
    ("select_one uno", "sexo", "S", "{req}", None),
    ("text", "nombre", "N", "{req}", "regex(., '[a-z]{1,8}')"),
    ("begin repeat", "visita", "V", None, None),
    ("integer", "minutos", "M", "{req}", ". >= 0 and . <= 90"),
    ("end repeat", None, None, None, None),
    ("{in_repeat}", None, None, None, None),
    ("end repeat", None, None, None, None),
    ("{in_form}", None, None, None, None),
)
_CHOICES: Final = (
    ("list_name", "name", "label"),
    *(("uno", name, f"Opción {name}") for name in ("f", "m", "otro", "no_dice")),
    *(("codigos", name, f"Código {name}") for name in ("0", "1", "2", "10")),
    *(("varios", name, f"Varios {name}") for name in ("agua", "luz", "luz_solar", "via")),
)
_DEPTH: Final = 3
_UNO: Final = ("f", "m", "otro", "no_dice")
_VARIOS: Final = ("agua", "luz", "luz_solar", "via")


@dataclass(frozen=True)
class Generated:
    """An expression, what it gives, and from which row it is seen ("" or the repeat's path)."""

    name: str
    text: str
    kind: Kind
    unit: str


class Generator:
    """Expressions at random, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def many(self, count: int) -> list[Generated]:
        """Some seen from the form, some from a row of its repeat."""
        made = []
        for number in range(count):
            unit = "/miembro" if number % 4 == 3 else ""
            kind: Kind = self._random.choice(("number", "number", "boolean", "boolean", "text", "date"))
            text = self._of(kind, _DEPTH, unit)
            made.append(Generated(f"c{number}", text, kind, unit))
        return made

    def _of(self, kind: Kind, depth: int, unit: str) -> str:
        make = {"number": self._number, "boolean": self._boolean, "text": self._text, "date": self._date}[kind]
        return make(depth, unit)

    def _pick(self, depth: int, leaves: Sequence[str], branches: Sequence[Any]) -> str:
        if depth <= 0 or self._random.random() < 0.2:
            return self._random.choice(leaves)
        return str(self._random.choice(branches)())

    def _number(self, depth: int, unit: str) -> str:
        def number() -> str:
            return self._number(depth - 1, unit)

        def binary(operator: str) -> str:
            right = number()
            return f"({number()} {operator} {'2.5' if right in ('0', '-0') else right})"

        leaves = [
            "${entero}",
            "${decimal}",
            "${entero}",
            "0",
            "1",
            "2.5",
            "7",
            "number(${codigo})",
            "count-selected(${varios})",
        ]
        leaves += ["${edad}", "${peso}", "position(..)", "sum(${minutos})", "count(${visita})"] if unit else []
        leaves += (
            [] if unit else ["sum(${edad})", "count(${miembro})", "max(${peso})", "min(${edad})", "sum(${minutos})"]
        )
        branches = [
            lambda: binary("+"),
            lambda: binary("-"),
            lambda: binary("*"),
            lambda: binary("div"),
            # of whole numbers: between 0.999… and 0 the last bit decides
            lambda: f"(int({number()}) mod {self._random.choice(('${entero}', '2', '-7'))})",
            lambda: f"-{number()}",
            lambda: f"abs({number()})",
            lambda: f"int({number()})",
            lambda: f"round({number()}, {self._random.choice((0, 1, 2))})",
            lambda: f"pow({number()}, {self._random.choice((0, 1, 2, 3))})",
            lambda: f"min({number()}, {number()})",
            lambda: f"max({number()}, {number()}, {number()})",
            lambda: f"if({self._boolean(depth - 1, unit)}, {number()}, {number()})",
            lambda: f"string-length({self._text(depth - 1, unit)})",
            lambda: f"({self._date(depth - 1, unit)} - {self._date(depth - 1, unit)})",
            lambda: f"coalesce({number()}, {number()})",
            lambda: f"number({self._text(depth - 1, unit)})",
        ]
        if depth == _DEPTH:  # not within round(), where the last bit of such a number decides
            branches.append(lambda: "decimal-date-time(${momento}) - decimal-date-time(${otro_momento})")
        if not unit:
            branches.append(lambda: f"indexed-repeat(${{edad}}, ${{miembro}}, {self._random.choice((1, 1, 2))})")
        return self._pick(depth, leaves, branches)

    def _boolean(self, depth: int, unit: str) -> str:
        def boolean() -> str:
            return self._boolean(depth - 1, unit)

        leaves = [
            f"${{uno}} {self._random.choice(('=', '!='))} '{self._random.choice(_UNO)}'",
            f"selected(${{varios}}, '{self._random.choice(_VARIOS)}')",
            f"selected(${{uno}}, '{self._random.choice(_UNO)}')",
            f"${{codigo}} = {self._random.choice((0, 1, 2, 10))}",
            "true()",
            "false()",
            "${texto} = ''",
            "${texto} != ''",
        ]
        leaves += [f"${{sexo}} = '{self._random.choice(_UNO)}'"] if unit else []
        leaves += ["${momento} < ${otro_momento}", "${momento} >= ${momento}"]
        comparison = self._random.choice(("=", "!=", "<", "<=", ">", ">="))
        branches = [
            lambda: f"({boolean()} and {boolean()})",
            lambda: f"({boolean()} or {boolean()})",
            lambda: f"not({boolean()})",
            lambda: f"({self._number(depth - 1, unit)} {comparison} {self._number(depth - 1, unit)})",
            lambda: f"({self._date(depth - 1, unit)} {comparison} {self._date(depth - 1, unit)})",
            lambda: f"contains({self._text(depth - 1, unit)}, '{self._random.choice(('a', 'e', '1', ' '))}')",
            lambda: f"starts-with({self._text(depth - 1, unit)}, '{self._random.choice(('a', 'O', 'luz'))}')",
            lambda: f"ends-with({self._text(depth - 1, unit)}, '{self._random.choice(('a', '0', 'z'))}')",
            lambda: (
                f"regex({self._text(depth - 1, unit)}, '{self._random.choice(('[a-z]+', '.*[0-9].*', 'luz( .+)?'))}')"
            ),
            lambda: f"boolean({self._number(depth - 1, unit)})",
            lambda: f"(concat({self._text(depth - 1, unit)}) = {self._text(depth - 1, unit)})",
            lambda: f"if({boolean()}, {boolean()}, {boolean()})",
        ]
        return self._pick(depth, leaves, branches)

    def _text(self, depth: int, unit: str) -> str:
        def text() -> str:
            return self._text(depth - 1, unit)

        leaves = ["${texto}", "${uno}", "'ábc'", "'x y'", "'12'", "string-length(${texto})"]
        leaves[-1] = "${codigo}"
        leaves += ["${nombre}"] if unit else []
        start = self._random.choice((0, 1, 2, -2))
        branches = [
            lambda: f"concat({text()}, '-', {text()})",
            lambda: f"concat(${{entero}}, {text()})",
            lambda: f"substr({text()}, {start})",
            lambda: f"substr({text()}, {start}, {self._random.choice((1, 3, -1))})",
            lambda: f"translate({text()}, 'abñ1', 'AB')",
            lambda: f"if({self._boolean(depth - 1, unit)}, {text()}, {text()})",
            lambda: f"coalesce({text()}, {text()})",
            lambda: "jr:choice-name(${uno}, '${uno}')",
            lambda: f"selected-at(${{varios}}, {self._random.choice((0, 1, 2))})",
            lambda: (
                f"format-date({self._date(depth - 1, unit)}, '{self._random.choice(('%Y-%m-%d', '%d/%n/%y', '%e.%m'))}')"
            ),
        ]
        return self._pick(depth, leaves, branches)

    def _date(self, depth: int, unit: str) -> str:
        leaves = ["${dia}", "${otro_dia}", "date(${momento})", "date('2026-02-28')", "date('1999-12-31')"]
        branches = [
            lambda: f"date({self._date(depth - 1, unit)} + {self._random.choice((1, 30, 366))})",
            lambda: f"date({self._date(depth - 1, unit)} - {self._random.choice((1, 31))})",
            lambda: (
                f"if({self._boolean(depth - 1, unit)}, {self._date(depth - 1, unit)}, {self._date(depth - 1, unit)})"
            ),
            lambda: f"coalesce({self._date(depth - 1, unit)}, {self._date(depth - 1, unit)})",
        ]
        return self._pick(depth, leaves, branches)


def form(expressions: Sequence[Generated], *, required: bool) -> Sheets:
    """The form with one calculation per expression."""
    rows: list[tuple[str | None, ...]] = []
    for row in _SURVEY:
        if row[0] in ("{in_form}", "{in_repeat}"):
            unit = "" if row[0] == "{in_form}" else "/miembro"
            rows += [("calculate", made.name, None, None, None, made.text) for made in expressions if made.unit == unit]
        else:
            filled = [("yes" if required else None) if cell == "{req}" else cell for cell in row]
            rows.append((*filled, "calculation" if row[0] == "type" else None))
    return {
        "survey": rows,
        "choices": _CHOICES,
        "settings": [("form_id", "version"), (FORM_ID, "1")],
    }


def agrees(kind: Kind, theirs: str, ours: Any) -> bool:
    """Whether JavaRosa wrote what we computed. Its NaN, Infinity and empty text are our unknown."""
    if kind == "number":
        try:
            number = float(theirs or "nan")
        except ValueError:
            return False
        if not math.isfinite(number):
            return ours is None
        return ours is not None and math.isclose(number, ours, rel_tol=1e-9, abs_tol=1e-9)
    if kind == "boolean":
        return ours is not None and theirs == ("1" if ours else "0")
    if kind == "date":
        return (ours.isoformat() if isinstance(ours, date) else "") == theirs[:10]  # it writes midnight with it
    return (ours or "") == theirs

"""Check rules: what the cells of one row of the sheet `checks` must be to each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from forms.problems import Finding
from server.indicators.entries import Entry

_TAKES: Final[Mapping[str, tuple[str, ...]]] = {
    "clock": ("maximum", "since"),
    "duration": ("minimum", "maximum"),
    "speeding": ("minimum",),
    "gps_missing": ("fields",),
    "gps_imprecise": ("fields", "maximum"),
    "gps_outside": ("fields", "maximum", "place", "within"),
    "duplicate": ("key",),
    "straight_lining": ("fields", "minimum"),
    "outlier": ("fields", "maximum"),
}
"""The columns that each built-in reads, besides those of every check."""
_OF_BUILTINS: Final = ("minimum", "maximum", "key", "place", "within", "since", "fields")
_ABOVE_ZERO: Final = ("maximum", "minimum")


def check_findings(entry: Entry) -> Iterator[Finding]:
    """What is wrong within a row; expressions and questions are looked at where the form is known."""
    builtin = entry.get("builtin")
    if builtin is None and "builtin" not in entry.bad:
        if entry.blank("when"):
            yield entry.finding(
                "when",
                "Esta celda no puede quedar vacía: se espera una expresión, como ${edad} >= 18, o el nombre de una "
                "verificación incluida en «builtin».",
                "This cell cannot be left empty: an expression such as ${age} >= 18 is expected, or the name of a built-in "
                "check in “builtin”.",
            )
        if entry.get("severity") == "off":
            yield entry.finding(
                "severity",
                "«off» apaga una verificación incluida: dígala en «builtin», o borre la fila.",
                "“off” turns a built-in check off: name it in “builtin”, or delete the row.",
            )
    takes = _TAKES.get(builtin, ("fields",)) if builtin is not None else ("fields",)
    for column in _OF_BUILTINS:
        if column in takes or entry.blank(column) or "builtin" in entry.bad:
            continue
        takers = ", ".join(name for name, columns in _TAKES.items() if column in columns)
        yield entry.finding(
            column,
            f"Esta verificación no usa «{column}». Borre la celda, o cambie «builtin»: la usan {takers}.",
            f"This check does not use “{column}”. Clear the cell, or change “builtin”: {takers} use it.",
        )
    for column in _ABOVE_ZERO:
        value = entry.get(column)
        if value is not None and value <= 0:
            yield entry.finding(column, "Escriba un número mayor que 0.", "Write a number above 0.")
    if not (entry.blank("minimum") or entry.blank("maximum")):
        least, most = entry.get("minimum"), entry.get("maximum")
        if least is not None and most is not None and least > most:
            yield entry.finding("maximum", "El máximo es menor que el mínimo.", "The maximum is less than the minimum.")

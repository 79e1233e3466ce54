"""Scope: what the names of an expression mean: the questions of a form, seen from one of its rows."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from forms.expressions.tree import Kind
from forms.schema import Choice, Field, Schema, Type

_KINDS: Final[Mapping[Type, Kind]] = {
    "string": "text",
    "binary": "text",
    "barcode": "text",
    "int": "number",
    "decimal": "number",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "dateTime": "moment",
    "geopoint": "point",
    "geotrace": "shape",
    "geoshape": "shape",
}


@dataclass(frozen=True)
class Scope:
    """One form seen from a row of the repeat at `unit` ("" for the submission).

    `language` is that of labels; `periods` says whether `period-end()` has a meaning here; `grouped` that the expression is
    about several such rows at once. Of a formula, `indicators` are those that it may name, and there is no row at all.
    """

    schema: Schema
    unit: str = ""
    language: str | None = None
    periods: bool = False
    grouped: bool = False
    indicators: Collection[str] | None = None

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[Field]]:
        found: dict[str, list[Field]] = {}
        for entry in self.schema.fields:
            found.setdefault(entry.name, []).append(entry)
        return found

    def find(self, name: str) -> Sequence[Field]:
        """Everything in the form that has this name."""
        return self._by_name.get(name, ())

    def nearest(self, name: str) -> str | None:
        """The name in the form that somebody who wrote `name` may have meant."""
        return next(iter(difflib.get_close_matches(name, self._by_name, n=1, cutoff=0.7)), None)

    def table_of(self, entry: Field) -> str:
        """The repeat in whose rows the answers stand; "" for the form."""
        return self.schema.repeat_of(entry.path)

    def holds_unit(self, table: str) -> bool:
        """Whether the unit's row is one of `table`, or lies in one."""
        return table in ("", self.unit) or self.unit.startswith(f"{table}/")

    def common(self, table: str) -> str:
        """The innermost repeat that holds both the unit and `table`; "" for the form. Not `table` itself."""
        at = self.schema.repeat_of(table) if table else ""
        while at and not self.holds_unit(at):
            at = self.schema.repeat_of(at)
        return at

    def options(self, entry: Field) -> Sequence[Choice] | None:
        """The choices of a select; None where there are none in the form, or it is no select."""
        return (self.schema.options(entry.path) or None) if entry.choices is not None else None


def kind_of(entry: Field) -> Kind:
    """What the answers to a question are."""
    if entry.control in ("select", "rank"):
        return "choices"
    return _KINDS[entry.type or "string"]


def is_loose(entry: Field) -> bool:
    """Whether the answers' type is nobody's word: a calculation gives text where the form says nothing else."""
    return entry.calculate is not None and entry.type == "string"

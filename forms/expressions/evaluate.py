"""Evaluate: the Python reader, which computes a checked tree over the rows of one instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from forms.expressions.operations import OPERATIONS
from forms.expressions.tree import (
    LENIENT,
    Aggregate,
    Answer,
    Apply,
    Constant,
    Grouped,
    Indexed,
    Input,
    PeriodEnd,
    Position,
    Tree,
)
from forms.tables import Row


class Unit:
    """A row of one instance and all that can be seen from it. `rows` are the instance's, as `forms.tables` gives them."""

    def __init__(self, rows: Sequence[Row], row: Row) -> None:
        self._rows = rows
        self._row = row
        by_key = {row.key: row for row in rows}
        self._holding = {row.table: row}
        at = row
        while at.parent_key is not None:
            at = by_key[at.parent_key]
            self._holding[at.table] = at
        self._by_key = by_key

    @property
    def position(self) -> int:
        """The row's position within its parent, from 1."""
        return self._row.position

    def holding(self, table: str) -> Row:
        """The unit's row, or the one of `table` that holds it."""
        return self._holding[table]

    def below(self, table: str, around: str) -> Iterable[Row]:
        """The rows of `table` within the unit's row of `around`, in their order."""
        outer = self._holding[around]
        return (row for row in self._rows if row.table == table and self._lies_in(row, outer))

    def _lies_in(self, row: Row, outer: Row) -> bool:
        at: Row | None = row
        while at is not None:
            if at is outer:
                return True
            at = self._by_key[at.parent_key] if at.parent_key is not None else None
        return False


def evaluate(tree: Tree, unit: Unit, *, period_end: date | None = None) -> Any:
    """The value of a checked tree for one unit; None where it is unknown. For the kinds of values see `tree.Kind`."""
    return _Reader(unit, period_end).value(tree)


def evaluate_group(tree: Tree, units: Sequence[Unit], *, period_end: date | None = None) -> Any:
    """The value of a tree that was checked as `grouped`, for a group of units."""
    return _GroupReader(units, period_end).value(tree)


def evaluate_formula(tree: Tree, inputs: Mapping[str, float | None]) -> float | None:
    """The value of a formula, given those of the indicators that it names; None where it is unknown."""
    value: float | None = _FormulaReader(inputs).value(tree)
    return value


class _AnyReader:
    """What all readers do alike."""

    def value(self, tree: Tree) -> Any:
        if isinstance(tree, Constant):
            return tree.value
        if isinstance(tree, Apply):
            return self._lenient(tree) if tree.operation in LENIENT else self._apply(tree)
        return self._leaf(tree)

    def _leaf(self, tree: Tree) -> Any:
        raise TypeError(tree)

    def _apply(self, tree: Apply) -> Any:
        given = [self.value(argument) for argument in tree.arguments]
        return None if None in given else OPERATIONS[tree.operation](*given)

    def _lenient(self, tree: Apply) -> Any:
        first, *others = tree.arguments
        value = self.value(first)
        if tree.operation in ("blank", "answered"):
            return (value is None or value == "") is (tree.operation == "blank")
        if tree.operation == "if":
            return None if value is None else self.value(others[0] if value else others[1])
        if tree.operation == "coalesce":
            return self.value(others[0]) if value is None or value == "" else value
        decides = tree.operation == "or"
        if value is decides:
            return decides
        other = self.value(others[0])
        if other is decides:
            return decides
        return None if value is None or other is None else not decides


class _FormulaReader(_AnyReader):
    def __init__(self, inputs: Mapping[str, float | None]) -> None:
        self._inputs = inputs

    def _leaf(self, tree: Tree) -> Any:
        if isinstance(tree, Input):
            return self._inputs[tree.name]
        raise TypeError(tree)


class _GroupReader(_AnyReader):
    def __init__(self, units: Sequence[Unit], period_end: date | None) -> None:
        self._readers = [_Reader(unit, period_end) for unit in units]
        self._period_end = period_end

    def _leaf(self, tree: Tree) -> Any:
        if isinstance(tree, PeriodEnd):
            return self._period_end
        if isinstance(tree, Grouped):
            values = (reader.value(tree.argument) for reader in self._readers)
            return _sum_up(tree.operation, [value for value in values if value is not None])
        raise TypeError(tree)


class _Reader(_AnyReader):
    def __init__(self, unit: Unit, period_end: date | None) -> None:
        self._unit = unit
        self._period_end = period_end

    def _leaf(self, tree: Tree) -> Any:
        if isinstance(tree, Answer):
            return _answer(self._unit.holding(tree.table), tree)
        if isinstance(tree, Aggregate):
            return self._aggregate(tree)
        if isinstance(tree, Indexed):
            return self._indexed(tree)
        if isinstance(tree, Position):
            return float(self._unit.position)
        if isinstance(tree, PeriodEnd):
            return self._period_end
        raise TypeError(tree)

    def _apply(self, tree: Apply) -> Any:
        if tree.operation == "day":
            (answer,) = tree.arguments
            return self._day(answer)
        return super()._apply(tree)

    def _day(self, tree: Tree) -> date | None:
        """The day on the phone's calendar: the text that came begins with it."""
        if not isinstance(tree, Answer):
            raise TypeError(tree)
        row = self._unit.holding(tree.table)
        if tree.path not in row.values:
            return None
        day: date | None = OPERATIONS["date"](row.texts[tree.path].strip()[:10])
        return day

    def _aggregate(self, tree: Aggregate) -> float | None:
        rows = self._unit.below(tree.table, tree.around)
        argument = tree.argument
        if argument is None:
            return float(sum(1 for _ in rows))
        return _sum_up(tree.operation, [value for row in rows if (value := _answer(row, argument)) is not None])

    def _indexed(self, tree: Indexed) -> Any:
        index = self.value(tree.index)
        if index is None:
            return None
        rows = self._unit.below(tree.answer.table, tree.around)
        return next((_answer(row, tree.answer) for row in rows if row.position == int(index)), None)


def _sum_up(operation: str, known: Sequence[Any]) -> float | None:
    if operation == "count":
        return float(len(known))
    if operation == "sum":
        total: float | None = OPERATIONS["bounded"](float(sum(known)))
        return total
    return None if not known else min(known) if operation == "min" else max(known)


def _answer(row: Row, answer: Answer) -> Any:
    value = row.values.get(answer.path)
    return OPERATIONS["bounded"](float(value)) if answer.kind == "number" and value is not None else value

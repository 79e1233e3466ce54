"""Somebody who asks for every table there is, knows how cells add up, and computes what was hidden."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product

from server.indicators.margins import TOTAL, Axis, Coordinates, Table
from server.indicators.suppression import hide

Row = dict[Coordinates, Fraction]


def found_out(cells: Mapping[Coordinates, int], axes: Sequence[Axis], minimum: int) -> set[Coordinates]:
    """The small cells and totals that can be known exactly, from everything shown and since none is below 0."""
    full = Table(cells, axes)
    shown: set[Coordinates] = set()
    for asked, left in questions(full, axes):
        gone = hide({at: full.units[whole] for at, whole in asked.items()}, left, minimum)
        shown.update(whole for at, whole in asked.items() if at not in gone)
    equations = []
    for parent, axis in product(full.units, range(len(axes))):
        if full.line(parent, axis):
            equation = dict.fromkeys(full.line(parent, axis), 1) | {parent: -1}
            equations.append({at: factor for at, factor in equation.items() if at not in shown})
    hidden = {at: n for at, n in full.units.items() if at not in shown}
    return fixed(hidden, equations, {at for at, n in hidden.items() if 0 < n < minimum})


def questions(full: Table, axes: Sequence[Axis]) -> Iterator[tuple[dict[Coordinates, Coordinates], list[Axis]]]:
    """Every table that can be asked for: axes left out (where they add up), all their levels or a single one, with what
    has no place at that level.

    Each as the coordinates in the answer with those in `full`, and the axes that are left.
    """
    choices: list[list[set[str]]] = []
    for number, axis in enumerate(axes):
        codes = {at[number] for at in full.units}
        inner, real = {axis.parents.get(code) for code in codes}, codes - {TOTAL}
        levels = [
            {code for code in real if depth(axis, code) == level or (depth(axis, code) < level and code not in inner)}
            for level in {depth(axis, code) for code in real}
        ]
        top = [{at[number] for level in full.levels[:1] for at in level}] if axis.additive else []
        choices.append([real, *levels, *top])
    for chosen in product(*choices):
        kept = [
            number
            for number, codes in enumerate(chosen)
            if not axes[number].additive or codes is not choices[number][-1]
        ]
        asked = {
            tuple(at[number] for number in kept): at
            for at in full.units
            if all(at[number] in codes for number, codes in enumerate(chosen))
        }
        yield asked, [axes[number] for number in kept]


def depth(axis: Axis, code: str) -> int:
    """How many codes a code lies in."""
    parent = axis.parents.get(code)
    return 0 if parent is None else depth(axis, parent) + 1


def fixed(
    hidden: Mapping[Coordinates, int], equations: Iterable[Mapping[Coordinates, int]], wanted: set[Coordinates]
) -> set[Coordinates]:
    """Those of `wanted` that have the same value in every solution of `equations` in which nothing is below 0.

    A cell is free where some change keeps all equations, moves it, and takes nothing from hidden cells of 0: exactly
    computed, by elimination over the rationals and, where hidden cells are 0, the first phase of the simplex method.
    """
    changes = free_changes(hidden, equations)
    empty = [at for at, n in hidden.items() if not n]
    return {
        at
        for at in wanted
        if not any(change.get(at) for change in changes)
        or (empty and not any(can_move(changes, at, by, empty) for by in (1, -1)))
    }


def free_changes(unknown: Iterable[Coordinates], equations: Iterable[Mapping[Coordinates, int]]) -> list[Row]:
    """A basis of the changes of the unknowns that keep all equations (whose right sides are known)."""
    rows: dict[Coordinates, Row] = {}  # reduced, by the first unknown of each
    for equation in equations:
        row: Row = {at: Fraction(factor) for at, factor in equation.items()}
        for first in [at for at in row if at in rows]:
            take(row, rows[first], row.get(first, Fraction(0)))
        if not row:
            continue
        first = min(row)
        row = {at: factor / row[first] for at, factor in row.items()}
        for other in rows.values():
            take(other, row, other.get(first, Fraction(0)))
        rows[first] = row
    loose = [at for at in unknown if at not in rows]
    return [{at: Fraction(1)} | {first: -row[at] for first, row in rows.items() if at in row} for at in loose]


def take(row: Row, other: Row, times: Fraction) -> None:
    """Takes so many times the other row away."""
    if times:
        for at, factor in other.items():
            left = row.pop(at, Fraction(0)) - times * factor
            if left:
                row[at] = left


def can_move(changes: Sequence[Row], at: Coordinates, by: int, empty: Sequence[Coordinates]) -> bool:
    """Whether some sum of changes moves one cell by 1 up or down and none of the empty cells down."""
    bounds = [*(one for one in empty if one != at), at]
    table: list[list[Fraction]] = []
    for number, one in enumerate(bounds):
        over = [change.get(one, Fraction(0)) for change in changes]
        slack = [Fraction(-1 if number == place else 0) for place in range(len(bounds) - 1)]
        row = [*over, *(-factor for factor in over), *slack, Fraction(by if one == at else 0)]
        table.append([-factor for factor in row] if row[-1] < 0 else row)
    return solvable(table)


def solvable(table: list[list[Fraction]]) -> bool:
    """Whether equations (the last number of each is its right side, not below 0) have a solution without negatives.

    The first phase of the simplex method, by Bland's rule.
    """
    columns = len(table[0]) - 1
    basis = [columns + number for number in range(len(table))]
    cost = [-sum((row[column] for row in table), Fraction(0)) for column in range(columns + 1)]
    while True:
        enter = next((column for column in range(columns) if cost[column] < 0), None)
        if enter is None:
            return cost[-1] == 0
        _, _, leave = min((row[-1] / row[enter], basis[n], n) for n, row in enumerate(table) if row[enter] > 0)
        pivot = [factor / table[leave][enter] for factor in table[leave]]
        for number, row in enumerate(table):
            times = row[enter]
            if times and number != leave:
                table[number] = [factor - times * one for factor, one in zip(row, pivot, strict=True)]
        times = cost[enter]
        cost = [factor - times * one for factor, one in zip(cost, pivot, strict=True)]
        table[leave], basis[leave] = pivot, enter

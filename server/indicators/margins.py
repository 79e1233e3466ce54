"""A table of counts with all its margins: the cells given, and every total that they add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

Coordinates = tuple[str, ...]
"""One category code for each axis."""

TOTAL: Final = "\0"
"""The code of all categories of an axis together; no database takes it for a category."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: for each code the code that it lies in, None where in none. On a flat axis all are None.

    `additive` says that units of siblings add up to those of their parent; not so where a unit may be in several of them
    (a multiple selection, people counted in each place).
    """

    parents: Mapping[str, str | None]
    additive: bool = True


class Table:
    """Counts by coordinates: those given, 0 for every other mixture of their codes, and their margins, added up along
    every additive axis.

    `units` holds them all. `levels` lists all coordinates, the totals first: those of one list have the same number of
    steps above them. Raises ValueError where coordinates and axes do not match, a count is below 0 or a code lies in
    itself.
    """

    def __init__(self, cells: Mapping[Coordinates, int], axes: Sequence[Axis]) -> None:
        for at, n in cells.items():
            if len(at) != len(axes) or n < 0:
                raise ValueError(f"no cell of {len(axes)} axes: {at}, {n}")
        codes = [sorted({at[number] for at in cells}) for number in range(len(axes))]
        self._paths = [_paths(own, axis) for own, axis in zip(codes, axes, strict=True)]
        self._parents: dict[Coordinates, tuple[tuple[int, Coordinates], ...]] = {}
        self._lines: dict[tuple[Coordinates, int], list[Coordinates]] = {}
        self.units: dict[Coordinates, int] = {at: cells.get(at, 0) for at in product(*codes)} if cells else {}
        self.levels = self._add_up(list(self.units))

    def parents(self, at: Coordinates) -> tuple[tuple[int, Coordinates], ...]:
        """The axes along which a cell lies in another, each with that other."""
        return self._parents[at]

    def line(self, parent: Coordinates, axis: int) -> Sequence[Coordinates]:
        """The cells that lie in `parent` along `axis`, in order."""
        return self._lines.get((parent, axis), ())

    def _add_up(self, cells: Sequence[Coordinates]) -> list[list[Coordinates]]:
        waiting: dict[int, set[Coordinates]] = {}
        for at in cells:
            waiting.setdefault(self._depth(at), set()).add(at)
        levels = []
        for depth in range(max(waiting, default=-1), -1, -1):
            level = sorted(waiting.get(depth, ()))
            for at in level:
                if at not in self.units:
                    lines = (self._lines.get((at, axis)) for axis in range(len(at)))
                    self.units[at] = max(sum(self.units[one] for one in line) for line in lines if line)
                above = []
                for axis, code in enumerate(at):
                    parent = self._paths[axis][code][0]
                    if parent is not None:
                        over = (*at[:axis], parent, *at[axis + 1 :])
                        above.append((axis, over))
                        self._lines.setdefault((over, axis), []).append(at)
                        waiting.setdefault(depth - 1, set()).add(over)
                self._parents[at] = tuple(above)
            levels.append(level)
        return levels[::-1]

    def _depth(self, at: Coordinates) -> int:
        return sum(self._paths[axis][code][1] for axis, code in enumerate(at))


def _paths(codes: Sequence[str], axis: Axis) -> dict[str, tuple[str | None, int]]:
    """For each code and what it lies in, its parent and the number of steps above it; one total is over all."""
    if not axis.additive:
        return dict.fromkeys(codes, (None, 0))
    parents: dict[str, str | None] = {}
    for code in codes:
        at: str | None = code
        passed: set[str] = set()
        while at is not None and at not in parents:
            passed.add(at)
            parents[at] = axis.parents.get(at)
            at = parents[at]
            if at in passed:
                raise ValueError(f"{at} lies in itself")
    roots = [code for code, parent in parents.items() if parent is None]
    if len(roots) > 1:
        parents.update(dict.fromkeys(roots, TOTAL), **{TOTAL: None})
    depths: dict[str, int] = {}
    for code in parents:
        path: list[str] = []
        at = code
        while at is not None and at not in depths:
            path.append(at)
            at = parents[at]
        for one in reversed(path):
            over = parents[one]
            depths[one] = 0 if over is None else depths[over] + 1
    return {code: (parent, depths[code]) for code, parent in parents.items()}

"""Suppression: cells of few units are hidden, and others with them, so that no total gives them back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

from server.indicators.margins import Axis, Coordinates, Table

Reason = Literal["small", "complementary"]

_FEW: Final = 64
_MANY: Final = 1000
"""How many boxes are tried for a cell at first, and where none of those would do."""
_CHILDREN: Final = 8
"""How many children of a corner are tried."""
_BOTH: Final = frozenset((1, -1))


@dataclass(frozen=True, slots=True)
class _Move:
    """Cells that may change together, by +1 or −1, with no total that anybody sees changed.

    `ways` are the directions (1: as the signs say, −1: the other way) in which no cell falls below 0.
    """

    signs: Mapping[Coordinates, int]
    ways: frozenset[int]

    def turned(self) -> _Move:
        """The same with all signs the other way."""
        return _Move({at: -sign for at, sign in self.signs.items()}, frozenset(-way for way in self.ways))


def hide(
    cells: Mapping[Coordinates, int], axes: Sequence[Axis], minimum: int, *, totals: bool = False
) -> dict[Coordinates, Reason]:
    """The cells to be hidden, each with its reason, in order of their coordinates.

    `cells` gives the number of units (unweighted) by category codes, one for each of `axes`. Mixtures of its codes that
    are not there are zeros and may be among the hidden. Cells of several levels of an axis (districts and provinces,
    months and quarters) may stand beside one another. They should add up: units in no category have one of their own.

    - `small`: 1 to `minimum` − 1 units. Zeros are shown.
    - `complementary`: hidden so that the small ones stay unknown to one who sees everything else, in this table and in
      every table with fewer axes or higher levels of the same units, treated by this function too, with their totals.
      Along every additive axis, the hidden cells among siblings are two or more, of `minimum` units or more together;
      every small cell is a corner of a box of hidden cells, whose corners can grow and shrink by turns while all totals
      stay (the hypercube method: Giessing and Repsilber, 2002); and everything below a hidden cell is hidden.

    With `totals` the sums of cells that must be hidden are there too. The same cells always give the same answer. Raises
    ValueError where coordinates and axes do not match, a number of units is below 0 or a code lies in itself.
    """
    if minimum <= 1:
        return {}
    table = Table(cells, axes)
    forced: set[Coordinates] = set()
    while True:
        work = _Work(table, minimum, frozenset(forced))
        again = work.run()
        if not again - forced:
            break
        forced |= again
    asked: Iterable[Coordinates] = product(*({at[axis] for at in cells} for axis in range(len(axes)))) if cells else ()
    asked = table.units if totals else asked
    return {
        at: "small" if 0 < table.units[at] < minimum else "complementary" for at in sorted(asked) if at in work.hidden
    }


class _Work:
    """One pass over a table, from the totals down: what is above is decided without a look at what is below."""

    def __init__(self, table: Table, minimum: int, forced: frozenset[Coordinates]) -> None:
        self.table = table
        self.minimum = minimum
        self.forced = forced
        self.hidden: set[Coordinates] = set()
        self.moves: dict[Coordinates, _Move] = {}

    def run(self) -> set[Coordinates]:
        """Hides cells; gives what must be hidden further up before a new pass (empty: all is well)."""
        again: set[Coordinates] = set()
        for level in self.table.levels:
            self._hide_what_must_be(level)
            again |= self._protect([at for at in level if self._is_small(at)])
            again |= self._complete(level)
        return again

    def _is_small(self, at: Coordinates) -> bool:
        return 0 < self.table.units[at] < self.minimum

    def _hide_what_must_be(self, level: Iterable[Coordinates]) -> None:
        for at in level:
            below_hidden = any(parent in self.hidden for _, parent in self.table.parents(at))
            if self._is_small(at) or at in self.forced or below_hidden:
                self.hidden.add(at)

    def _protect(self, small: Iterable[Coordinates]) -> set[Coordinates]:
        """Gives every small cell a move, hiding what it needs; gives the parents to hide where there is none."""
        again = set()
        for at in sorted(small, key=lambda one: (-self.table.units[one], one)):
            if at in self.moves:
                continue
            move = self._move(at)
            if move is None:
                visible = [parent for _, parent in self.table.parents(at) if parent not in self.hidden]
                inner = [parent for parent in visible if self.table.parents(parent)]
                if inner:
                    again.add(min(inner, key=lambda one: (self.table.units[one], one)))
                continue
            self.hidden.update(move.signs)
            for corner, sign in move.signs.items():
                if corner not in self.moves:
                    self.moves[corner] = move if sign == move.signs[at] else move.turned()
        return again

    def _move(self, at: Coordinates) -> _Move | None:
        """A move for a small cell: one in which nothing falls below 0, and only where there is none any other."""
        for boxes in (_FEW, _MANY):
            move = self._inherited(at) or self._box(at, boxes)
            if move is not None:
                return move
        return self._inherited(at, strict=False) or self._box(at, _MANY, strict=False)

    def _inherited(self, at: Coordinates, *, strict: bool = True) -> _Move | None:
        """The move of a hidden parent, carried on by the cell and by one child of each other corner."""
        if not self.table.parents(at):
            return _Move({at: 1}, _BOTH)
        for axis, parent in self.table.parents(at):
            move = self.moves.get(parent)
            if move is not None:
                carried = self._carried(at, axis, parent[axis], move, strict=strict)
                if carried is not None:
                    return carried
        return None

    def _carried(self, at: Coordinates, axis: int, lies_in: str, move: _Move, *, strict: bool) -> _Move | None:
        corners: dict[str, list[Coordinates]] = defaultdict(list)
        for corner in move.signs:
            corners[corner[axis]].append(corner)
        choices = []
        for code, ones in corners.items():
            below = [one[axis] for one in self.table.line(ones[0], axis)] or [code]  # what has no parts stays
            choices.append([at[axis]] if code == lies_in else below[:_CHILDREN])
        for chosen in product(*choices):
            signs = {
                (*one[:axis], below, *one[axis + 1 :]): move.signs[one]
                for ones, below in zip(corners.values(), chosen, strict=True)
                for one in ones
            }
            carried = self._checked(signs, move.ways, strict=strict)
            if carried is not None:
                return carried
        return None

    def _box(self, at: Coordinates, boxes: int, *, strict: bool = True) -> _Move | None:
        """The cheapest box with a corner in `at`: one sibling along each axis, every mixture of their codes a corner.

        Few zeros are hidden for it, then few cells, then few units. About so many `boxes` are tried.
        """
        parents = self.table.parents(at)
        most = max(2, round(boxes ** (1 / len(parents))))
        siblings = []
        for axis, parent in parents:
            others = [one for one in self.table.line(parent, axis) if one != at]
            others.sort(key=lambda one: (one not in self.hidden, not self.table.units[one], self.table.units[one], one))
            siblings.append([(axis, one[axis]) for one in others[:most]])
        best: tuple[tuple[int, int, int, Sequence[tuple[int, str]]], _Move] | None = None
        for codes in product(*siblings):
            signs = {at: 1}
            for axis, code in codes:
                signs.update({(*one[:axis], code, *one[axis + 1 :]): -sign for one, sign in signs.items()})
            move = self._checked(signs, _BOTH, strict=strict)
            if move is None:
                continue
            new = [self.table.units[corner] for corner in signs if corner not in self.hidden]
            cost = (new.count(0), len(new), sum(new), codes)
            if best is None or cost < best[0]:
                best = cost, move
            if not new:
                break
        return best[1] if best else None

    def _checked(self, signs: Mapping[Coordinates, int], ways: frozenset[int], *, strict: bool) -> _Move | None:
        """The move of these cells, where all are in the table and, if `strict`, none falls below 0 one way."""
        units = self.table.units
        if not all(one in units for one in signs):
            return None
        empty = {sign for one, sign in signs.items() if not units[one]}
        ways = frozenset(way for way in ways if -way not in empty)
        return _Move(signs, ways) if ways or not strict else None

    def _complete(self, level: Sequence[Coordinates]) -> set[Coordinates]:
        """Hides more until every line has two hidden cells of `minimum` units or none; gives the parents to hide."""
        lines = {(parent, axis) for at in level for axis, parent in self.table.parents(at)}
        waiting = sorted(line for line in lines if line[0] not in self.hidden)
        again = set()
        while waiting:
            touched: set[tuple[Coordinates, int]] = set()
            for parent, axis in waiting:
                line = self.table.line(parent, axis)
                while True:
                    hidden = [one for one in line if one in self.hidden]
                    units = sum(self.table.units[one] for one in hidden)
                    if not hidden or (len(hidden) > 1 and units >= self.minimum):
                        break
                    shown = [one for one in line if one not in self.hidden and self.table.units[one]]
                    if not shown:
                        if units < self.minimum and self.table.units[parent] > units and self.table.parents(parent):
                            again.add(parent)
                        break
                    more = min(shown, key=lambda one: (self.table.units[one], one))
                    self.hidden.add(more)
                    touched.update((above, other) for other, above in self.table.parents(more) if other != axis)
            waiting = sorted(line for line in touched if line[0] not in self.hidden)
        return again

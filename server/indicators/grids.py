"""Grids: what an indicator counts, as one table in which everything that can be asked for is a cell or a sum of cells.

A place is told apart by the whole path to it, from the outermost level: units coded at a province only are a cell of their
own within it, and a district that changed its province is one cell in each. A category of a multiple selection is told apart
from its complement, and where an answer is sensitive those for whom it holds from those for whom not: whoever sees a total
and a part knows the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Final

from sqlalchemy import Connection

from forms.expressions.tree import Answer, walk
from server.indicators import values
from server.indicators.asking import Asked, Request
from server.indicators.catalogue import Catalogue
from server.indicators.margins import Axis
from server.indicators.periods import KINDS
from server.indicators.resolving import Resolved
from server.indicators.values import Figure, Values

NONE: Final = ""
"""The code of units without a category, and without a date; a category is never blank."""
Key = tuple[str, ...]
"""Codes of a cell: the period, the categories in the order of the request, the place; those that there are."""
Path = tuple[str | None, ...]
"""The places that hold a unit, one for each level, from the outermost."""
_WITHIN: Final = "\x1e"
_OTHERS: Final = "\x1f"
"""The code of everybody who is not in a category."""
YES, NO = "\x01", "\x02"
"""The codes of those for whom a sensitive numerator holds, and of the others."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Counts by key, and the axes that they go by. `leaves` are the paths of the places that have units, with their codes.
    A `sensitive` one has a last axis, of those for whom the numerator holds and of the others."""

    counts: Mapping[Key, int]
    axes: tuple[Axis, ...]
    leaves: Mapping[Path, str]
    sensitive: bool = False

    @cached_property
    def below(self) -> Mapping[str, frozenset[str]]:
        """The leaves within what holds them."""
        parents = self.axes[-2 if self.sensitive else -1].parents
        found: dict[str, set[str]] = {}
        for leaf in self.leaves.values():
            above = parents[leaf]
            while above is not None:
                found.setdefault(above, set()).add(leaf)
                above = parents[above]
        return {node: frozenset(leaves) for node, leaves in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Which grid a request is judged by: `others` are the axes that are no levels of places, `several` those of them that
    are multiple selections, `levels` every level that is asked for or lies above."""

    others: tuple[str, ...]
    several: tuple[str, ...]
    levels: tuple[str, ...]


def shape_of(catalogue: Catalogue, asked: Asked, place: str | None) -> Shape:
    """The shape of a request."""
    known = catalogue.book.levels
    within = catalogue.book.labels.get(place or "")
    used = [axis.level for axis in asked.axes if axis.level is not None] + (
        [within.level] if within is not None else []
    )
    deepest = max((known.index(level) for level in used), default=-1)
    others = [axis for axis in asked.axes if axis.level is None]
    return Shape(
        others=tuple(axis.name for axis in others),
        several=tuple(axis.name for axis in others if axis.tree is not None and axis.tree.kind == "choices"),
        levels=tuple(known[: deepest + 1]),
    )


def read(
    conn: Connection, catalogue: Catalogue, name: str, shape: Shape, request: Request
) -> dict[frozenset[str], Values]:
    """The figures that the grids of a shape are made of: for each choice of multiple selections that are left out one table,
    for none the whole one. `request` says which periods; its axes are the shape's."""
    found: dict[frozenset[str], Values] = {}
    for flags in product((False, True), repeat=len(shape.several)):
        left_out = frozenset(one for one, gone in zip(shape.several, flags, strict=True) if gone)
        by = (*(one for one in shape.others if one not in left_out), *shape.levels)
        found[left_out] = values.compute(conn, catalogue, [name], replace(request, by=by, place=None))[name]
    return found


def grids_of(
    resolved: Resolved, tables: Mapping[frozenset[str], Values], shape: Shape, *, excluded: bool = False
) -> Iterator[tuple[tuple[str, ...], Grid]]:
    """For each mixture of categories of the multiple selections: those codes, and the grid in which each of these axes has
    that code and its complement only. Without such axes there is one, the grid itself. `excluded`: of excluded units."""
    made = {left_out: _grid(resolved, table, shape, left_out, excluded=excluded) for left_out, table in tables.items()}
    return _binary(made, shape)


def _binary(grids: Mapping[frozenset[str], Grid], shape: Shape) -> Iterator[tuple[tuple[str, ...], Grid]]:
    whole = grids[frozenset()]
    if not shape.several:
        yield (), whole
        return
    places = [1 + shape.others.index(name) for name in shape.several]
    codes = [sorted({key[at] for key in whole.counts}) for at in places]
    for chosen in product(*codes):
        counts: dict[Key, int] = {}
        for left_out, grid in grids.items():
            kept = [
                (at, code) for at, code, name in zip(places, chosen, shape.several, strict=True) if name not in left_out
            ]
            for key, n in _widened(grid, shape, left_out):
                if any(key[at] != code for at, code in kept):
                    continue
                # of those who are not in a category: everybody, less those who are
                for flips in product((False, True), repeat=len(kept)):
                    cell, sign = list(key), 1
                    for at in (at for at, name in zip(places, shape.several, strict=True) if name in left_out):
                        cell[at] = _OTHERS
                    for (at, _), flip in zip(kept, flips, strict=True):
                        if flip:
                            cell[at], sign = _OTHERS, -sign
                    counts[tuple(cell)] = counts.get(tuple(cell), 0) + sign * n
        axes = [
            replace(axis, additive=True, parents={}) if at in places else axis for at, axis in enumerate(whole.axes)
        ]
        yield chosen, replace(whole, counts={key: max(n, 0) for key, n in counts.items()}, axes=tuple(axes))


def sums_of(grid: Grid, leaves: Collection[str]) -> set[str]:
    """The codes on the axis of places, leaves or what holds only such, that these leaves add up to."""
    parents = grid.axes[-2 if grid.sensitive else -1].parents
    found = set()
    for leaf in leaves:
        node = leaf
        while (above := parents[node]) is not None and all(one in leaves for one in grid.below[above]):
            node = above
        found.add(node)
    return found


def is_sensitive(resolved: Resolved) -> bool:
    """Whether the share that an indicator tells is of an answer marked `sensitive`."""
    tree = resolved.trees.get("numerator")
    if resolved.indicator.type != "percent" or tree is None or resolved.form is None:
        return False
    marks = resolved.form.privacy
    return any(isinstance(part, Answer) and marks.get(part.path) == "sensitive" for part in walk(tree))


def _widened(grid: Grid, shape: Shape, left_out: frozenset[str]) -> Iterator[tuple[Key, int]]:
    """The counts with a blank code in the place of every axis that is left out."""
    gone = [1 + at for at, name in enumerate(shape.others) if name in left_out]
    for key, n in grid.counts.items():
        cell = list(key)
        for at in gone:
            cell.insert(at, NONE)
        yield tuple(cell), n


def _grid(resolved: Resolved, table: Values, shape: Shape, left_out: frozenset[str], *, excluded: bool) -> Grid:
    names = [name for name in shape.others if name not in left_out]
    width = len(names)
    leaves = _codes({figure.categories[width:] for figure in _every(table)}) if shape.levels else {}
    secret = is_sensitive(resolved) and not excluded
    counts: dict[Key, int] = {}
    for figure in _every(table):
        key = (figure.period or NONE, *(code or NONE for code in figure.categories[:width]))
        if shape.levels:
            key = (*key, leaves[figure.categories[width:]])
        if secret:
            yes = _holding(figure)
            counts[*key, YES] = counts.get((*key, YES), 0) + yes
            counts[*key, NO] = counts.get((*key, NO), 0) + (max(1, figure.n - yes) if figure.n else 0)
        else:
            counts[key] = counts.get(key, 0) + (figure.excluded if excluded else figure.n)
    axes = [Axis(_period_parents(table), additive=not resolved.passes)]
    axes += [Axis({}, additive=name not in shape.several) for name in names]
    if shape.levels:
        axes.append(Axis(_parents(leaves.values())))
    if secret:
        axes.append(Axis({}))
    return Grid(counts=counts, axes=tuple(axes), leaves=leaves, sensitive=secret)


def _every(table: Values) -> Iterator[Figure]:
    """The figures, and those of units without a date."""
    yield from table.figures
    yield from table.loose


def _holding(figure: Figure) -> int:
    """Units for which the numerator holds, at least 1 (that there is none tells of everybody); of weighted ones about so
    many."""
    if not figure.n:
        return 0
    share = (figure.numerator or 0.0) / figure.denominator if figure.denominator else 0.0
    return max(1, min(figure.n, round(share * figure.n)))


def _codes(paths: Iterable[Path]) -> dict[Path, str]:
    """A code for each path, which begins with the codes of what holds it; units that lie deeper nowhere are a part of
    their own of what has parts."""
    told = {path: tuple(code for code in path if code is not None) for path in paths}
    inner = {code[:depth] for code in told.values() for depth in range(len(code))}
    return {
        path: _WITHIN.join((*code, NONE)) if code and code in inner else _WITHIN.join(code)
        for path, code in told.items()
    }


def _parents(codes: Iterable[str]) -> dict[str, str | None]:
    parents: dict[str, str | None] = {}
    for code in codes:
        at: str | None = code
        while at is not None and at not in parents:
            parents[at] = at.rpartition(_WITHIN)[0] if _WITHIN in at else None
            at = parents[at]
    return parents


def _period_parents(table: Values) -> dict[str, str | None]:
    asked = table.asked
    if asked is None or asked.split not in KINDS:
        return {}
    parents: dict[str, str | None] = {}
    for figure in table.figures:
        period = values.period_of(figure.period)
        while period is not None:
            parents[period.code] = period.parent.code if period.parent is not None else None
            period = period.parent
    return parents

"""Masking: figures of few units hidden from whoever may not see them, and others so that no total gives them back.

A figure is hidden by what the whole table of its indicator holds, all periods and all places: whoever asks for one cell at a
time learns no more than whoever asks for all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from sqlalchemy import Connection

from server.indicators import grids, values
from server.indicators.asking import EVERY_ROUND, Asked, Request, own_period, understand
from server.indicators.catalogue import Catalogue
from server.indicators.grids import NONE, Grid, Shape
from server.indicators.margins import TOTAL, Axis
from server.indicators.periods import KINDS, Period
from server.indicators.resolving import ROUND, Resolved
from server.indicators.suppression import hide as suppress
from server.indicators.values import Figure, Values

_Key = tuple[str | None, ...]


def minimum_of(catalogue: Catalogue, name: str) -> int:
    """Cells of an indicator with fewer units are hidden."""
    own = catalogue.book.indicators[name].record.minimum_n
    return catalogue.project.minimum_n if own is None else own


def hide(conn: Connection, catalogue: Catalogue, found: Mapping[str, Values], request: Request) -> dict[str, Values]:
    """The same figures; those that must not be seen have lost value and counts and are marked `hidden`."""
    made: dict[str, Values] = {}
    for name, one in found.items():
        resolved = catalogue.resolved[name]
        if one.asked is None or resolved.indicator.type == "manual":
            made[name] = one
            continue
        inputs = _measured(catalogue, resolved)
        asked_for = resolved.indicator.minimum_n or 0  # of a formula: more than its inputs ask for, never less
        minima = [max(minimum_of(catalogue, other.indicator.name), asked_for) for other in inputs]
        secret: set[_Key] = set()
        unsaid: set[_Key] = set()
        undated = one.undated
        for other, minimum in zip(inputs, minima, strict=True):
            cells, rest, loose = _secret(conn, catalogue, other, one, request, minimum)
            secret |= cells
            unsaid |= rest
            undated = None if loose or 0 < (undated or 0) < minimum else undated
        made[name] = replace(one, figures=tuple(_seen(one, secret, unsaid)), undated=undated)
    return made


def _seen(one: Values, secret: Collection[_Key], unsaid: Collection[_Key]) -> list[Figure]:
    """The figures with those hidden that are secret, and without the excluded units of those in `unsaid`.

    Cells of no unit at all are hidden too where that protects others, and stand among the others: their place would tell of
    them."""
    figures = {(figure.period, *figure.categories): figure for figure in one.figures}
    periods = {period: place for place, period in enumerate(dict.fromkeys(figure.period for figure in one.figures))}
    keys = {*figures, *(key for key in secret if key[0] in periods)}
    ordered = sorted(keys, key=lambda key: (periods[key[0]], *((code is None, code or NONE) for code in key[1:])))
    return [
        _masked(key) if key in secret else replace(figures[key], unsaid=key in unsaid and key in figures)
        for key in ordered
    ]


def _masked(key: _Key) -> Figure:
    return Figure(period=key[0], categories=key[1:], n=0, excluded=0, value=None, hidden=True)


def _measured(catalogue: Catalogue, resolved: Resolved) -> list[Resolved]:
    """The indicator itself, or those that its formula is computed from."""
    if resolved.indicator.type != "formula":
        return [resolved]
    found: dict[str, Resolved] = {}
    waiting, seen = list(resolved.inputs), set[str]()
    while waiting:
        name = waiting.pop()
        one = catalogue.resolved.get(name)
        if one is None or name in seen:
            continue
        seen.add(name)
        if one.indicator.type == "formula":
            waiting.extend(one.inputs)
        elif one.indicator.type != "manual":
            found[name] = one
    return list(found.values())


def _secret(
    conn: Connection, catalogue: Catalogue, resolved: Resolved, one: Values, request: Request, minimum: int
) -> tuple[set[_Key], set[_Key], bool]:
    """Period and categories of what must not be seen of an indicator, and of whose excluded units must not; whether undated
    units must not be told."""
    name, asked = resolved.indicator.name, one.asked
    if asked is None or minimum <= 1:
        return set(), set(), False
    own = understand(catalogue, resolved, replace(request, period="all"))
    shape = grids.shape_of(catalogue, own, request.place)
    cells = _Cells(catalogue, asked, request, shape, tuple(dict.fromkeys(figure.period for figure in one.figures)))
    whole = Request(period=_split(catalogue, resolved, asked), cumulative=False)
    if asked.split is None:
        whole = replace(whole, period="all")
    elif asked.cumulative and not _adds_up(resolved):
        whole = replace(whole, cumulative=True)
    tables = grids.read(conn, catalogue, name, shape, whole)
    found: list[set[_Key]] = []
    undated = False
    for excluded in (False, True):
        secret: set[_Key] = set()
        for chosen, grid in grids.grids_of(resolved, tables, shape, excluded=excluded):
            hidden = _hidden(resolved, grid, asked, minimum, cells.periods)
            secret |= cells.among(chosen, grid, hidden)
            undated = undated or (asked.split is not None and any(key[0] == NONE for key in hidden))
        found.append(secret)
    if resolved.indicator.type == "distinct":  # one who is in two places is one in what holds them
        direct = values.compute(conn, catalogue, [name], request)[name]
        found[0] |= {(each.period, *each.categories) for each in direct.figures if 0 < each.n < minimum}
    return found[0], found[1], undated


def _split(catalogue: Catalogue, resolved: Resolved, asked: Asked) -> str:
    split = asked.split if asked.split is not None else own_period(catalogue, resolved)
    return EVERY_ROUND if split == ROUND else split  # the role of the tree, and the word for all of them


def _hidden(
    resolved: Resolved, grid: Grid, asked: Asked, minimum: int, periods: Sequence[str | None]
) -> set[tuple[str, ...]]:
    """The keys of a grid that must not be seen, sums of cells among them."""
    if not asked.cumulative:
        return set(suppress(grid.counts, grid.axes, minimum, totals=True))
    if resolved.passes:  # each period by itself: what stood at its end
        found: set[tuple[str, ...]] = set()
        for period in {key[0] for key in grid.counts}:
            now = {key: n for key, n in grid.counts.items() if key[0] == period}
            found |= set(suppress(now, (Axis({}), *grid.axes[1:]), minimum, totals=True))
        return found
    counts = grid.counts if _adds_up(resolved) else _gains(grid)
    wide = _with_wider(counts)
    secret = set(suppress(wide, grid.axes, minimum, totals=True))
    return _running(wide, secret, periods) | {key for key in secret if key[0] == NONE}


def _adds_up(resolved: Resolved) -> bool:
    """Whether the units of a period are those of its parts."""
    return resolved.indicator.type != "distinct" and not resolved.passes


def _gains(grid: Grid) -> dict[tuple[str, ...], int]:
    """What each period adds to running totals: of people who are counted once, those who are new."""
    last: dict[tuple[str, ...], int] = {}
    found: dict[tuple[str, ...], int] = {}
    for key in sorted(grid.counts):
        if key[0] == NONE:
            found[key] = grid.counts[key]
            continue
        found[key] = max(0, grid.counts[key] - last.get(key[1:], 0))
        last[key[1:]] = grid.counts[key]
    return found


def _with_wider(counts: Mapping[tuple[str, ...], int]) -> dict[tuple[str, ...], int]:
    """The same counts, and beside them those of the wider periods of the calendar that they add up to."""
    found: dict[tuple[str, ...], int] = dict(counts)
    for key, n in counts.items():
        period = values.period_of(key[0])
        while period is not None and period.parent is not None:
            period = period.parent
            over = (period.code, *key[1:])
            found[over] = found.get(over, 0) + n
    return found


def _running(
    wide: Mapping[tuple[str, ...], int], secret: Collection[tuple[str, ...]], periods: Collection[str | None]
) -> set[tuple[str, ...]]:
    """What must be hidden of figures that accumulate: each that is not the sum of whole periods which may be seen.

    The difference of two would tell of the periods between them.
    """
    years = {period.year for key in wide if (period := values.period_of(key[0])) is not None}
    cells = {key[1:] for key in wide} | {key[1:] for key in secret}
    found: set[tuple[str, ...]] = set()
    for code in periods:
        until = values.period_of(code)
        if code is None or until is None:
            continue
        before = [Period("year", year) for year in sorted(years) if year <= until.year]
        found |= {(code, *cell) for cell in cells if not all(_is_told(year, until, cell, secret) for year in before)}
    return found


def _is_told(period: Period, until: Period, cell: tuple[str, ...], secret: Collection[tuple[str, ...]]) -> bool:
    """Whether what lies in `period`, up to the end of another, is the sum of periods that may be seen."""
    if period.months.start >= until.months.stop:
        return True
    whole = period.months.stop <= until.months.stop
    if whole and (period.code, *cell) not in secret:
        return True
    if period.kind == until.kind:
        return False
    narrower = KINDS[KINDS.index(period.kind) - 1]
    return all(_is_told(part, until, cell, secret) for part in period.parts(narrower))


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells that are asked for, each a sum of cells of a grid: it may be seen where all of these may."""

    catalogue: Catalogue
    asked: Asked
    request: Request
    shape: Shape
    periods: tuple[str | None, ...]

    def among(self, chosen: tuple[str, ...], grid: Grid, hidden: Collection[tuple[str, ...]]) -> set[_Key]:
        """The cells that are made of hidden ones; `chosen` are the categories of multiple selections that the grid is of."""
        width = len(self.shape.others)
        several = [self.shape.others.index(name) for name in self.shape.several]
        places = self._places(grid)
        shares: tuple[tuple[str, ...], ...] = ((grids.YES,), (grids.NO,), (TOTAL,)) if grid.sensitive else ((),)
        found: set[_Key] = set()
        for others in {key[1 : 1 + width] for key in (*grid.counts, *hidden)}:
            if TOTAL in others or tuple(others[at] for at in several) != chosen:
                continue
            for period, (given, nodes) in product(self.periods, places.items()):
                keys = ((period or NONE, *others, *node, *share) for node in nodes for share in shares)
                if any(key in hidden for key in keys):
                    found.add((period, *self._codes(others, given)))
        return found

    def _places(self, grid: Grid) -> dict[tuple[str | None, ...], list[tuple[str, ...]]]:
        """The places of the axes that are levels, as asked, with the codes that they are sums of."""
        if not self.shape.levels:
            return {(): [()]}
        place = self.catalogue.book.labels.get(self.request.place or "")
        number = self.shape.levels.index
        given = [number(axis.level) for axis in self.asked.axes if axis.level is not None]
        asked: dict[tuple[str | None, ...], set[str]] = {}
        for path, leaf in grid.leaves.items():
            if place is None or path[number(place.level)] == place.code:
                asked.setdefault(tuple(path[at] for at in given), set()).add(leaf)
        return {codes: [(code,) for code in grids.sums_of(grid, leaves)] for codes, leaves in asked.items()}

    def _codes(self, others: tuple[str, ...], given: tuple[str | None, ...]) -> list[str | None]:
        """The codes of the axes in their order."""
        names, levels = iter(others), iter(given)
        return [next(levels) if axis.level is not None else next(names) or None for axis in self.asked.axes]

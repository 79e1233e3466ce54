"""Masking: figures of few units hidden from whoever may not see them, and others so that no total gives them back.

A figure is hidden by what the whole table of its indicator holds, all periods and all places: whoever asks for one cell at a
time learns no more than whoever asks for all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from server.indicators import values
from server.indicators.asking import EVERY_ROUND, Request, own_period
from server.indicators.catalogue import Catalogue
from server.indicators.declarations import Place
from server.indicators.margins import Axis
from server.indicators.periods import KINDS, Period
from server.indicators.resolving import ROUND, Resolved
from server.indicators.suppression import hide as suppress
from server.indicators.values import Figure, Values

NONE: Final = ""
"""The code of units without a category; a category is never blank."""
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
        for other, minimum in zip(inputs, minima, strict=True):
            secret |= _secret(conn, catalogue, other, one, request, minimum)
        least = max(minima, default=0)
        undated = None if 0 < (one.undated or 0) < least else one.undated
        made[name] = replace(one, figures=tuple(_seen(one, secret)), undated=undated)
    return made


def _seen(one: Values, secret: Collection[_Key]) -> list[Figure]:
    """The figures with those hidden that are secret. Cells of no unit at all are hidden too where that protects others, and
    stand among the others: their place would tell of them."""
    figures = {(figure.period, *figure.categories): figure for figure in one.figures}
    periods = {period: place for place, period in enumerate(dict.fromkeys(figure.period for figure in one.figures))}
    keys = {*figures, *(key for key in secret if key[0] in periods)}
    ordered = sorted(keys, key=lambda key: (periods[key[0]], *((code is None, code or NONE) for code in key[1:])))
    return [_masked(key) if key in secret else figures[key] for key in ordered]


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
) -> set[_Key]:
    """Period and categories of what must not be seen of an indicator."""
    name, asked = resolved.indicator.name, one.asked
    if asked is None or minimum <= 1:
        return set()
    place = catalogue.book.labels.get(request.place or "")
    by, outer = request.by, frozenset[int]()
    if place is not None:
        levels = {at: axis.level for at, axis in enumerate(asked.axes) if axis.level is not None}
        depth = catalogue.book.levels.index
        if all(depth(level) < depth(place.level) for level in levels.values()):
            outer = frozenset(levels)  # what holds the place tells nothing apart
            by = (*(name for at, name in enumerate(request.by) if at not in outer), place.level)
    split = asked.split if asked.split is not None else own_period(catalogue, resolved)
    split = EVERY_ROUND if split == ROUND else split  # the role of the tree, and the word for all of them
    whole = Request(period=split, by=by, cumulative=False)
    table = values.compute(conn, catalogue, [name], whole)[name]
    hidden = _suppressed(catalogue, resolved, table, minimum, split=True)
    if asked.split is None:  # one figure for all periods: the table without periods says more
        table = values.compute(conn, catalogue, [name], replace(whole, period="all"))[name]
        hidden = _suppressed(catalogue, resolved, table, minimum, split=False)
    elif asked.cumulative and _adds_up(resolved):
        wide = _with_wider(table)
        secret = _suppressed(catalogue, resolved, wide, minimum, split=True)
        hidden = _running(wide, secret, {figure.period for figure in one.figures})
    elif asked.cumulative:
        table = values.compute(conn, catalogue, [name], replace(whole, cumulative=True))[name]
        for period in {figure.period for figure in table.figures}:
            now = replace(table, figures=tuple(figure for figure in table.figures if figure.period == period))
            hidden |= _suppressed(catalogue, resolved, now, minimum, split=False)
    if by == request.by or place is None:
        return hidden
    inside = {key[:-1] for key in hidden if key[-1] == place.code}
    if not outer:
        return inside
    found = {(figure.period, *figure.categories) for figure in one.figures}
    above = _above(catalogue, place)
    for period, *rest in inside:
        codes: list[str | None] = list(rest)
        for at in sorted(outer):
            codes.insert(at, above.get(asked.axes[at].level or ""))
        found.add((period, *codes))  # a cell of nobody may be hidden too
    return {key for key in found if tuple(code for at, code in enumerate(key, start=-1) if at not in outer) in inside}


def _adds_up(resolved: Resolved) -> bool:
    """Whether the units of a period are those of its parts."""
    return resolved.indicator.type != "distinct" and not resolved.passes


def _with_wider(table: Values) -> Values:
    """The same figures, and beside them those of the wider periods of the calendar that they add up to."""
    found: dict[_Key, int] = {}
    for figure in table.figures:
        period = values.period_of(figure.period)
        while period is not None and period.parent is not None:
            period = period.parent
            key = (period.code, *figure.categories)
            found[key] = found.get(key, 0) + figure.n
    wider = (Figure(period=key[0], categories=key[1:], n=n, excluded=0, value=None) for key, n in found.items())
    return replace(table, figures=(*table.figures, *wider))


def _running(wide: Values, secret: Collection[_Key], periods: Collection[str | None]) -> set[_Key]:
    """What must be hidden of figures that accumulate: each that is not the sum of whole periods which may be seen.

    The difference of two would tell of the periods between them.
    """
    years = {period.year for figure in wide.figures if (period := values.period_of(figure.period)) is not None}
    cells = {figure.categories for figure in wide.figures} | {key[1:] for key in secret}
    found: set[_Key] = set()
    for code in periods:
        until = values.period_of(code)
        if until is None:
            continue
        before = [Period("year", year) for year in sorted(years) if year <= until.year]
        found |= {(code, *cell) for cell in cells if not all(_is_told(year, until, cell, secret) for year in before)}
    return found


def _is_told(period: Period, until: Period, cell: tuple[str | None, ...], secret: Collection[_Key]) -> bool:
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


def _above(catalogue: Catalogue, place: Place) -> dict[str, str]:
    """What holds a place today, by level."""
    found: dict[str, str] = {}
    at = catalogue.book.labels.get(place.parent or "")
    while at is not None and at.level not in found:
        found[at.level] = at.code
        at = catalogue.book.labels.get(at.parent or "")
    return found


def _suppressed(catalogue: Catalogue, resolved: Resolved, table: Values, minimum: int, *, split: bool) -> set[_Key]:
    """Period and categories of the cells of a whole table that must be hidden (`split`: its periods add up to wider ones)."""
    if table.asked is None:
        return set()
    cells = {
        (*((figure.period or NONE,) if split else ()), *(code or NONE for code in figure.categories)): figure.n
        for figure in table.figures
    }
    period = table.figures[0].period if table.figures else None
    adds_up = resolved.indicator.type != "distinct"
    axes = []
    if split:
        axes.append(Axis(_period_parents(table), additive=_adds_up(resolved)))
    for axis in table.asked.axes:
        several = axis.tree is not None and axis.tree.kind == "choices"
        axes.append(Axis(_place_parents(catalogue) if axis.level else {}, additive=adds_up and not several))
    found = (tuple(code or None for code in at) for at in suppress(cells, axes, minimum))
    return {at if split else (period, *at) for at in found}


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


def _place_parents(catalogue: Catalogue) -> dict[str, str | None]:
    return {code: place.parent for code, place in catalogue.book.labels.items()}

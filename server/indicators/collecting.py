"""Collecting: which indicators are read together, and their cells in each period where what counts hangs on its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from server.db import is_about_values
from server.indicators import narrowing, sums, units
from server.indicators.asking import Asked, PeriodKey
from server.indicators.catalogue import Catalogue
from server.indicators.declarations import Indicator
from server.indicators.estimates import Psu
from server.indicators.periods import KINDS
from server.indicators.resolving import Resolved
from server.indicators.sums import Collected, Sums
from server.indicators.units import months_of


class UncomputableError(Exception):
    """A value in some record made the statement fail."""


def batches(catalogue: Catalogue, resolved: Sequence[Resolved], asked: Mapping[str, Asked]) -> list[list[Resolved]]:
    """Indicators whose units can be read by one statement."""
    found: dict[object, list[Resolved]] = {}
    for one in resolved:
        name = one.indicator.name
        if one.indicator.type in ("formula", "manual"):
            continue
        alone = one.passes or one.indicator.type in ("distinct", "median")
        if alone or units.is_live(catalogue, one, asked[name].axes):
            found[name] = [one]
            continue
        roles = ("date", "place", "period", *(("strata", "psu") if sums.has_design(one) else ()))
        shared = tuple(one.trees.get(role) for role in roles)
        key = (catalogue.table_of[name].table.name, asked[name], shared, sums.has_design(one))
        found.setdefault(key, []).append(one)
    return list(found.values())


def collect_safely(
    conn: Connection, catalogue: Catalogue, together: Sequence[Resolved], asked: Asked
) -> list[Collected]:
    """As `collect`. Raises UncomputableError where a record makes the statement fail, after which others may be run.

    What only adds up what fact tables keep does not compute with answers any more.
    """
    first = together[0]
    if not (first.passes or units.is_live(catalogue, first, asked.axes)):
        return collect(conn, catalogue, together, asked)
    try:
        with conn.begin_nested():
            return collect(conn, catalogue, together, asked)
    except DBAPIError as error:
        if not is_about_values(error):
            raise
        raise UncomputableError from error


def collect(conn: Connection, catalogue: Catalogue, together: Sequence[Resolved], asked: Asked) -> list[Collected]:
    """The cells of each indicator of a batch, by the periods that are asked for."""
    first = together[0]
    calendar = asked.split in KINDS
    ends = units.ends_with_period(catalogue, first, asked.axes)
    if ends or (calendar and (first.indicator.cohort is not None or (asked.cumulative and first.passes))):
        if ends or not _stands(catalogue, first, cumulative=asked.cumulative):
            return [_one_by_one(conn, catalogue, first, asked)]
        return [_at_ends(conn, catalogue, first, asked)]
    if not asked.cumulative:
        return sums.collect(conn, catalogue, together, asked.ask())
    if first.indicator.type == "distinct":
        return [_running(sums.first_counted(conn, catalogue, first, asked.ask(whole=True)), first.indicator, asked)]
    collected = sums.collect(conn, catalogue, together, asked.ask(whole=True))
    return [_running(one, each.indicator, asked) for one, each in zip(collected, together, strict=True)]


def _stands(catalogue: Catalogue, one: Resolved, *, cumulative: bool) -> bool:
    """Whether one pass gives what stands at the end of each period."""
    cohort = catalogue.resolved.get(one.indicator.cohort or "")
    if one.indicator.cohort is not None and cumulative:
        return False
    return all(narrowing.stands_exactly(each) for each in (one, cohort) if each is not None)


def _at_ends(conn: Connection, catalogue: Catalogue, one: Resolved, asked: Asked) -> Collected:
    """What counts hangs on the period's end, and one pass gives it for every period."""
    periods = tuple(key for key in _keys(conn, catalogue, one, asked) if isinstance(key, int))
    if not periods:
        return Collected()
    ask = replace(asked.ask(whole=asked.cumulative), ends_of=periods, running=asked.cumulative)
    (collected,) = sums.collect(conn, catalogue, [one], ask)
    found = {cell: each for cell, each in collected.cells.items() if cell[0] is not None}
    return Collected(found, {key: design for key, design in collected.design.items() if key is not None})


def _keys(conn: Connection, catalogue: Catalogue, one: Resolved, asked: Asked) -> Sequence[PeriodKey]:
    """The periods that are asked for, else those that have units: of whomever, since a cohort is another in each."""
    if asked.keys is not None:
        return asked.keys
    alone = replace(one, indicator=replace(one.indicator, cohort=None))
    return sums.span(conn, catalogue, alone, asked.ask(whole=True))


def _one_by_one(conn: Connection, catalogue: Catalogue, one: Resolved, asked: Asked) -> Collected:
    """What counts hangs on the period's end: each period is computed by itself."""
    whole = asked.ask(whole=True)
    found = Collected()
    for key in (None,) if asked.split is None else _keys(conn, catalogue, one, asked):
        if isinstance(key, int) and asked.split in KINDS:
            first, last = months_of(asked.period(key))
            ask = replace(whole, split=None, first=None if asked.cumulative else first, last=last)
            ask = replace(ask, ends=asked.last_day(key))
        else:
            ask = replace(whole, split=None, rounds=None if key is None else (str(key),))
            ask = replace(ask, ends=sums.last_day(conn, catalogue, one, ask))
        (collected,) = sums.collect(conn, catalogue, [one], ask)
        for (_, coordinates), cell in collected.cells.items():
            found.cells[key, coordinates] = cell
        for design in collected.design.values():
            found.design.setdefault(key, set()).update(design)
    return found


def _running(collected: Collected, indicator: Indicator, asked: Asked) -> Collected:
    """Each period with everything before it; periods that are asked for stand in between, the others where they have data."""
    present = {cell[0] for cell in collected.cells if isinstance(cell[0], int)}
    keys = sorted(present | {key for key in asked.keys or () if isinstance(key, int)})
    found = Collected()
    for cell, undated in collected.cells.items():
        if cell[0] is None:
            found.cells[cell] = undated
    for coordinates in dict.fromkeys(cell[1] for cell in collected.cells if cell[0] is not None):
        running = Sums()
        for key in keys:
            here = collected.cells.get((key, coordinates))
            if here is not None:
                running.add(here, largest=indicator.type == "max")
            if running.n or running.excluded:
                copy = replace(running, psus=dict(running.psus), values=list(running.values))
                found.cells[key, coordinates] = copy
    seen: set[Psu] = set()
    for key in sorted({*keys, *(key for key in collected.design if isinstance(key, int))}):
        seen = seen | collected.design.get(key, set())
        found.design[key] = seen
    return found

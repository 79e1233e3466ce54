"""Sums: what the units of each cell add up to, read from the database by one statement for indicators that go together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Double, Integer, Row, Subquery, case, cast, func, literal, null, or_, select

from forms.expressions.operations import LARGEST
from server.indicators import units
from server.indicators.asking import PeriodKey
from server.indicators.axes import Ask
from server.indicators.catalogue import Catalogue
from server.indicators.estimates import Psu
from server.indicators.resolving import Resolved
from server.tables.expressions import PERIOD_END
from server.tables.operations import Sql

Coordinates = tuple[str | None, ...]
"""The categories of a cell, one for each axis; None where a unit has none."""
Cell = tuple[PeriodKey, Coordinates]
ONCE: Final = {"compiled_cache": None}
"""Statements that are long and seldom asked again: nobody keeps them."""
EXTREMES: Final = ("min", "max")
_SMALLEST: Final = 1 / LARGEST


@dataclass(slots=True)
class Sums:
    """What the units of one cell and indicator add up to.

    `n` counts the units that are known, whatever their weight; `numerator` and `denominator` are weighted. `psus` are both by
    PSU, where there is a design; `nowhere` says that units with weight name none. `values` (median) are value, weight and PSU
    of each unit. `changed` is when the last of the records was received or edited.
    """

    n: int = 0
    excluded: int = 0
    numerator: float = 0.0
    denominator: float = 0.0
    extreme: float | None = None
    changed: datetime | None = None
    psus: dict[Psu, tuple[float, float]] = field(default_factory=dict)
    nowhere: bool = False
    values: list[tuple[float, float, Psu | None]] = field(default_factory=list)

    def add(self, other: Sums, *, largest: bool = False) -> None:
        """Take in what other units add up to (`largest`: the extreme is the greater one)."""
        self.n += other.n
        self.excluded += other.excluded
        self.numerator += other.numerator
        self.denominator += other.denominator
        if other.extreme is not None:
            chosen = (self.extreme, other.extreme) if self.extreme is not None else (other.extreme,)
            self.extreme = max(chosen) if largest else min(chosen)
        if other.changed is not None:
            self.changed = max(self.changed or other.changed, other.changed)
        for psu, (over, under) in other.psus.items():
            mine = self.psus.get(psu, (0.0, 0.0))
            self.psus[psu] = (mine[0] + over, mine[1] + under)
        self.nowhere = self.nowhere or other.nowhere
        self.values.extend(other.values)


@dataclass(slots=True)
class Collected:
    """The cells of one indicator, and every PSU that each period's sample has."""

    cells: dict[Cell, Sums] = field(default_factory=dict)
    design: dict[PeriodKey, set[Psu]] = field(default_factory=dict)

    def of(self, cell: Cell) -> Sums:
        """The sums of a cell, empty at first."""
        return self.cells.setdefault(cell, Sums())


def has_design(one: Resolved) -> bool:
    """Whether values carry a standard error: the units have weights and PSUs."""
    return "weight" in one.trees and "psu" in one.trees and one.indicator.type not in (*EXTREMES, "distinct")


def collect(conn: Connection, catalogue: Catalogue, together: Sequence[Resolved], ask: Ask) -> list[Collected]:
    """The cells of each indicator in `together`, which share table, date, place and design."""
    lines = units.select_units(conn, catalogue, together, ask)
    first = together[0]
    if first.indicator.type == "median":
        return [_medians(conn, first, lines, ask)]
    if first.indicator.type == "distinct":
        return [_distinct(conn, lines, ask)]
    return _totals(conn, together, lines, ask)


def first_counted(conn: Connection, catalogue: Catalogue, one: Resolved, ask: Ask) -> Collected:
    """Of a `distinct` indicator: each key in the first period that counts it, so that periods may be added up."""
    lines = units.select_units(conn, catalogue, [one], ask)
    axes = _axes(lines, ask)
    known = lines.c.numerator0 == 1
    keys = (
        select(*axes, lines.c.key, func.min(lines.c.period).label("period"), func.max(lines.c.changed).label("changed"))
        .where(known, lines.c.period.is_not(None))
        .group_by(*axes, lines.c.key)
        .subquery()
    )
    found = Collected()
    inner = _axes(keys, ask)
    counted = select(keys.c.period, *inner, func.count(), func.max(keys.c.changed)).group_by(keys.c.period, *inner)
    for row in _run(conn, counted, ask):
        n, changed = tuple(row)[-2:]
        sums = found.of(_cell(row, ask))
        sums.n, sums.numerator, sums.denominator, sums.changed = n, float(n), float(n), changed
    apart = (lines.c.period, *axes)
    excluded = func.sum(lines.c.excluded0)
    there = select(*apart, excluded).group_by(*apart).having(or_(excluded > 0, func.count(lines.c.numerator0) > 0))
    for row in _run(conn, there, ask):  # also where every key was counted before
        found.of(_cell(row, ask)).excluded = int(row[-1])
    return found


def span(conn: Connection, catalogue: Catalogue, one: Resolved, ask: Ask) -> list[PeriodKey]:
    """The periods in which an indicator looks at any unit, in order; those without a date left out."""
    lines = units.select_looked_at(conn, catalogue, one, ask)
    found = conn.execute(select(lines.c.period).where(lines.c.period.is_not(None)).distinct(), {PERIOD_END: date.max})
    return sorted(found.scalars())


def last_day(conn: Connection, catalogue: Catalogue, one: Resolved, ask: Ask) -> date | None:
    """The last date of the units that an indicator looks at: what `period-end()` means without a period of the calendar."""
    lines = units.select_looked_at(conn, catalogue, one, replace(ask, ends=date.max))
    found: date | None = conn.execute(select(func.max(lines.c.day)), {PERIOD_END: date.max}).scalar()
    return found


def _totals(conn: Connection, together: Sequence[Resolved], lines: Subquery, ask: Ask) -> list[Collected]:
    designed = has_design(together[0])
    apart = [lines.c.period, *_axes(lines, ask), *([lines.c.strata, lines.c.psu] if designed else [])]
    columns: list[Sql] = [func.max(lines.c.changed)]
    for number, one in enumerate(together):
        columns.extend(_columns(lines, one, number))
    found = [Collected() for _ in together]
    width = 1 + len(ask.axes)
    start = len(apart) + 1
    for row in _run(conn, select(*apart, *columns).group_by(*apart), ask):
        cell = _cell(row, ask)
        psu = _psu(row[width], row[width + 1]) if designed else None
        changed = row[start - 1]
        for number, collected in enumerate(found):
            n, excluded, over, under, extreme = row[start + 5 * number : start + 5 * number + 5]
            if psu is not None:
                collected.design.setdefault(cell[0], set()).add(psu)
            if not n and not excluded:
                continue
            sums = Sums(n, int(excluded or 0), over or 0.0, under or 0.0, extreme, changed)
            if psu is not None:
                sums.psus = {psu: (sums.numerator, sums.denominator)}
            sums.nowhere = designed and psu is None and n > 0
            collected.of(cell).add(sums, largest=together[number].indicator.type == "max")
    return found


def _columns(lines: Subquery, one: Resolved, number: int) -> Iterable[Sql]:
    numerator = lines.c[f"numerator{number}"]
    yield func.count(numerator)
    yield func.sum(lines.c[f"excluded{number}"])
    weight = lines.c[f"weight{number}"] if "weight" in one.trees else None
    if one.indicator.type == "ratio":
        denominator = lines.c[f"denominator{number}"]
        yield func.sum(_weighed(numerator, weight))
        yield func.sum(_weighed(denominator, weight))
    else:
        yield func.sum(_weighed(numerator, weight))
        yield func.count(numerator) if weight is None else func.sum(case((numerator.is_not(None), weight)))
    if one.indicator.type in EXTREMES:
        yield func.max(numerator) if one.indicator.type == "max" else func.min(numerator)
    else:
        yield cast(null(), Double)


def _weighed(value: Sql, weight: Sql | None) -> Sql:
    """A value times its weight. PostgreSQL refuses a product that is too small for its numbers: that is 0."""
    if weight is None:
        return value
    tiny = or_(func.abs(value) < _SMALLEST, func.abs(weight) < _SMALLEST)
    return case((tiny, literal(0.0, Double())), else_=value * weight)


def _distinct(conn: Connection, lines: Subquery, ask: Ask) -> Collected:
    apart = [lines.c.period, *_axes(lines, ask)]
    keys = func.count(case((lines.c.numerator0 == 1, lines.c.key)).distinct())
    statement = select(*apart, keys, func.sum(lines.c.excluded0), func.max(lines.c.changed)).group_by(*apart)
    found = Collected()
    for row in _run(conn, statement, ask):
        n, excluded, changed = tuple(row)[-3:]
        if n or excluded:
            found.cells[_cell(row, ask)] = Sums(n, int(excluded or 0), float(n), float(n), None, changed)
    return found


def _medians(conn: Connection, one: Resolved, lines: Subquery, ask: Ask) -> Collected:
    apart = [lines.c.period, *_axes(lines, ask)]
    weight: Sql = lines.c.weight0 if "weight" in one.trees else cast(1, Integer)
    chosen = [*apart, lines.c.strata, lines.c.psu, lines.c.numerator0, weight, lines.c.excluded0, lines.c.changed]
    found = Collected()
    designed = has_design(one)
    for row in _run(conn, select(*chosen), ask):
        strata, psu_code, value, heft, excluded, changed = row[len(apart) :]
        cell = _cell(row, ask)
        psu = _psu(strata, psu_code) if designed else None
        if psu is not None:
            found.design.setdefault(cell[0], set()).add(psu)
        if value is None and not excluded:
            continue
        sums = found.of(cell)
        sums.excluded += int(excluded or 0)
        sums.changed = max(sums.changed or changed, changed)
        if value is not None:
            sums.n += 1
            sums.numerator += value * heft
            sums.denominator += heft
            sums.values.append((value, float(heft), psu))
            sums.nowhere = sums.nowhere or (designed and psu is None)
    return found


def _psu(strata: str | None, code: str | None) -> Psu | None:
    return None if code is None or code == "" else Psu(strata or "", code)


def _axes(lines: Subquery, ask: Ask) -> list[Sql]:
    return [lines.c[f"axis{number}"] for number in range(len(ask.axes))]


def _cell(row: Row[Any], ask: Ask) -> Cell:
    return row[0], tuple(row[1 : 1 + len(ask.axes)])


def _run(conn: Connection, statement: Any, ask: Ask) -> Iterable[Row[Any]]:
    return conn.execute(statement, _parameters(ask), execution_options=ONCE)


def _parameters(ask: Ask) -> dict[str, Any]:
    return {PERIOD_END: ask.ends}

"""Independent: figures computed once more with pandas, from what the README says of them and from nothing else.

Units are whatever the roles can read: rows of an extract, or rows of an instance. They stand in the order in which their
submissions arrived, and within one in the order of its rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

Role = Callable[[Any, date | None], Any]
"""What a unit (or, of a grouped role, a list of units) has in a role, given the last day of the period; None: unknown."""
Key = tuple[str | None, ...]
Period = int | str | None
MONTHS: Final = {"month": 1, "quarter": 3, "semester": 6, "year": 12}
_GROUPED: Final = ("numerator", "denominator", "value")
_COLUMNS: Final = ("where", *_GROUPED, "key", "group", "weight", "strata", "psu", "date", "place", "period")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """An indicator. `states` are the review states of `units`; of a formula, `formula` takes the values of `inputs`."""

    name: str
    type: str
    roles: Mapping[str, Role] = field(default_factory=dict)
    units: Sequence[Any] = ()
    states: Sequence[str | None] = ()
    latest: int | None = None
    cohort: str | None = None
    period: str | None = None
    accumulates: bool = False
    ends: bool = False
    inputs: tuple[str, ...] = ()
    formula: Callable[[Mapping[str, float | None]], float | None] | None = None


@dataclass(frozen=True, kw_only=True)
class World:
    """What figures hang on besides their units: places, what counts, and the dimensions that requests may name.

    `places` are (code, parent, level, from, to); `dimensions` give a category, or a list of them, by name; those in `ending`
    ask for the end of the period.
    """

    specs: Mapping[str, Spec]
    places: Sequence[tuple[str, str | None, str, date | None, date | None]]
    dimensions: Mapping[str, Role]
    ending: frozenset[str] = frozenset()
    approved: bool = False
    frames: dict[tuple[str, date | None, tuple[str, ...]], pd.DataFrame] = field(default_factory=dict)

    @property
    def levels(self) -> set[str]:
        return {level for _, _, level, _, _ in self.places}

    @cached_property
    def by_code(self) -> dict[str, list[tuple[str, str | None, str, date | None, date | None]]]:
        found: dict[str, list[tuple[str, str | None, str, date | None, date | None]]] = {}
        for place in self.places:
            found.setdefault(place[0], []).append(place)
        return found

    def holder(self, code: str | None, level: str, day: date | None) -> str | None:
        """The place of a level in which a place lay on a day; without one, in which it lies at the end of time."""
        at, when = code, day or date.max
        while at is not None:
            here = [place for place in self.by_code.get(at, ()) if _holds(place, when)]
            if not here:
                return None
            if here[0][2] == level:
                return at
            at = here[0][1]
        return None

    def level_of(self, code: str) -> str:
        return next(level for one, _, level, _, _ in self.places if one == code)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A figure. `scale` is how large the numbers were that were added up; `se` is None where there is none."""

    value: float | None
    n: int = 0
    excluded: int = 0
    numerator: float | None = None
    denominator: float | None = None
    se: float | None = None
    scale: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A request: `period` is a kind, `round`, `all`, or a tuple of the indices of periods of `kind`."""

    period: str
    indices: tuple[int, ...] | None = None
    by: tuple[str, ...] = ()
    place: str | None = None
    cumulative: bool | None = None


def index_of(day: date, kind: str) -> int:
    return (day.year * 12 + day.month - 1) // MONTHS[kind]


def last_day(index: int, kind: str) -> date:
    month = (index + 1) * MONTHS[kind]
    return date.max if month == 120_000 else date(month // 12, month % 12 + 1, 1) - timedelta(days=1)


def code_of(index: int, kind: str) -> str:
    year, part = divmod(index * MONTHS[kind], 12)
    part = part // MONTHS[kind] + 1
    return f"{year:04d}" + {"month": f"-{part:02d}", "quarter": f"-Q{part}", "semester": f"-S{part}", "year": ""}[kind]


def figures(world: World, name: str, wanted: Wanted) -> dict[Period, dict[Key, Found]]:
    """The figures of an indicator by period and cell, of every period in which there is any unit, or of those wanted."""
    spec = world.specs[name]
    if spec.formula is not None:
        return _formula(world, spec, wanted)
    base = _frame(world, spec, None, ())
    if wanted.period == "all":
        return {None: _window(world, spec, wanted, base.index, None, None)}
    if wanted.period == "round":
        rounds = [one for one in dict.fromkeys(base["period"]) if one]
        return {one: _window(world, spec, wanted, base.index[base["period"] == one], None, None) for one in rounds}
    kind = wanted.period
    cumulative = spec.accumulates if wanted.cumulative is None else wanted.cumulative
    indices = base["date"].map(lambda day: index_of(day, kind) if day is not None else None)
    chosen = wanted.indices if wanted.indices is not None else sorted({int(one) for one in indices.dropna()})
    found: dict[Period, dict[Key, Found]] = {}
    for index in chosen:
        inside = (indices <= index) if cumulative else (indices == index)
        end = last_day(index, kind)
        found[index] = _window(world, spec, wanted, base.index[inside.fillna(False).astype(bool)], end, end)
    return found


def _formula(world: World, spec: Spec, wanted: Wanted) -> dict[Period, dict[Key, Found]]:
    inputs = {name: figures(world, name, wanted) for name in spec.inputs}
    periods = {period for one in inputs.values() for period in one}
    if wanted.period in MONTHS and wanted.indices is None:
        every = replace(wanted, indices=tuple(sorted(one for one in periods if isinstance(one, int))))
        inputs = {name: figures(world, name, every) for name in spec.inputs}
    found: dict[Period, dict[Key, Found]] = {}
    for period in periods:
        cells = {cell for one in inputs.values() for cell in one.get(period, {})}
        found[period] = {}
        for cell in cells:
            here = {name: one.get(period, {}).get(cell) for name, one in inputs.items()}
            values = {name: figure.value if figure is not None else None for name, figure in here.items()}
            assert spec.formula is not None
            value = None if None in values.values() else spec.formula(values)
            found[period][cell] = Found(value=value, scale=abs(value or 0.0))
    return found


def _frame(world: World, spec: Spec, end: date | None, by: tuple[str, ...]) -> pd.DataFrame:
    """One line a unit that its review state lets count, with a column for each role and each axis."""
    key = (spec.name, end if spec.ends or not world.ending.isdisjoint(by) else None, by)
    if key in world.frames:
        return world.frames[key]
    states = [(state == "approved") if world.approved else state != "rejected" for state in spec.states]
    columns: dict[str, list[Any]] = {"unit": list(spec.units)}
    for role in _COLUMNS:
        grouped = "group" in spec.roles and role in _GROUPED
        read = None if grouped else spec.roles.get(role)
        columns[role] = [read(unit, end) if read is not None else None for unit in spec.units]
    if "where" not in spec.roles:
        columns["where"] = [True] * len(spec.units)
    for number, axis in enumerate(by):
        if axis in world.levels:
            pairs = zip(columns["place"], columns["date"], strict=True)
            columns[f"axis{number}"] = [[world.holder(place, axis, day)] for place, day in pairs]
        else:
            given = [world.dimensions[axis](unit, end) for unit in spec.units]
            columns[f"axis{number}"] = [(one or [None]) if isinstance(one, list) else [one] for one in given]
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    world.frames[key] = frame[np.array(states, dtype=bool)]
    return world.frames[key]


def _window(
    world: World, spec: Spec, wanted: Wanted, inside: Any, end: date | None, until: date | None
) -> dict[Key, Found]:
    """The figures of the units of one period."""
    frame = _frame(world, spec, None, ()).loc[inside]
    if spec.cohort is not None:
        keys = cohort(world, spec.cohort, until)
        frame = frame[_where(frame, lambda row: row["key"] in keys)]
    if end is None:
        days = [day for day in frame["date"] if day is not None]
        end = max(days) if days else None
    frame = _frame(world, spec, end, wanted.by).loc[frame.index]
    frame = _left(spec, frame, end)
    frame = frame.assign(status=[_status(spec, row) for row in frame.to_dict("records")])
    design = {(row.strata or "", row.psu) for row in frame.itertuples() if row.psu}
    frame = frame[frame["status"] != "out"]
    if wanted.place is not None:
        level = world.level_of(wanted.place)
        pairs = zip(frame["place"], frame["date"], strict=True)
        frame = frame[np.array([world.holder(place, level, day) == wanted.place for place, day in pairs], dtype=bool)]
    axes = [f"axis{number}" for number in range(len(wanted.by))]
    for axis in axes:
        frame = frame.explode(axis)
    if not axes:
        return {(): _aggregate(spec, frame, design)} if len(frame) else {}
    cells: dict[Key, list[int]] = {}
    for position, cell in enumerate(zip(*(frame[axis] for axis in axes), strict=True)):
        cells.setdefault(tuple(one if isinstance(one, str) else None for one in cell), []).append(position)
    return {cell: _aggregate(spec, frame.iloc[positions], design) for cell, positions in cells.items()}


def cohort(world: World, name: str, until: date | None) -> set[str]:
    """The keys that a distinct indicator counted up to a day."""
    spec = world.specs[name]
    frame = _frame(world, spec, None, ())
    if until is not None:
        frame = frame[_where(frame, lambda row: row["date"] is not None and row["date"] <= until)]
    end = until or max((day for day in frame["date"] if day is not None), default=None)
    lines = _left(spec, _frame(world, spec, end, ()).loc[frame.index], end).to_dict("records")
    return {row["key"] for row in lines if _status(spec, row) == "counted"}


def _left(spec: Spec, frame: pd.DataFrame, end: date | None) -> pd.DataFrame:
    """The units of a period: its rows, the last of them, or groups of them."""
    if "group" in spec.roles:
        return _groups(spec, frame, end)
    if spec.latest is None:
        return frame
    frame = frame[_where(frame, lambda row: row["where"] is not False)]
    named = _where(frame, lambda row: bool(row["key"]))
    last = _newest_first(frame[named]).groupby("key", sort=False).head(spec.latest)
    return pd.concat([frame[~named], last]).sort_index()


def _where(frame: pd.DataFrame, condition: Callable[[Mapping[str, Any]], bool]) -> Any:
    return np.array([condition(row) for row in frame.to_dict("records")], dtype=bool)


def _newest_first(frame: pd.DataFrame) -> pd.DataFrame:
    """By date, those without one last; of one day, what arrived last first."""
    order = sorted(
        range(len(frame)), key=lambda at: (frame["date"].iloc[at] or date.min, frame.index[at]), reverse=True
    )
    dated = [at for at in order if frame["date"].iloc[at] is not None]
    return frame.iloc[[*dated, *(at for at in order if frame["date"].iloc[at] is None)]]


def _groups(spec: Spec, frame: pd.DataFrame, end: date | None) -> pd.DataFrame:
    """One line a group: its rows summed up, and otherwise what its last row says; and each row of no known group."""
    frame = frame[_where(frame, lambda row: row["where"] is True)]
    named = _where(frame, lambda row: bool(row["group"]))
    lines = [line for _, line in frame[~named].iterrows()]
    for _, rows in _newest_first(frame[named]).groupby("group", sort=False):
        kept = rows.head(spec.latest) if spec.latest is not None else rows
        line = kept.iloc[0].copy()
        for role in _GROUPED:
            if role in spec.roles:
                line[role] = spec.roles[role](list(kept["unit"]), end)
        lines.append(line)
    return pd.DataFrame(lines, columns=frame.columns, dtype=object).sort_index()


def both(one: bool | None, other: bool | None) -> bool | None:
    """`and` where something may be unknown."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def either(one: bool | None, other: bool | None) -> bool | None:
    """`or` where something may be unknown."""
    if one is True or other is True:
        return True
    return None if one is None or other is None else False


def _status(spec: Spec, row: Mapping[str, Any]) -> str:
    """`counted`, `excluded` (something is unknown), or `out`: not looked at."""
    if "group" in spec.roles and not row["group"]:
        return "excluded"
    looked_at = row["where"]
    needed = []
    if spec.type in ("count", "distinct") and "numerator" in spec.roles:
        looked_at = both(looked_at, row["numerator"])
    elif spec.type == "percent":
        if "denominator" in spec.roles:
            looked_at = both(looked_at, row["denominator"])
        needed.append(row["numerator"])
    elif spec.type == "ratio":
        needed.extend((row["numerator"], row["denominator"]))
    elif spec.type not in ("count", "distinct"):
        needed.append(row["value"])
    if looked_at is False:
        return "out"
    if "weight" in spec.roles:
        needed.append(None if row["weight"] is None or row["weight"] < 0 else row["weight"])
    if spec.type == "distinct" or (spec.latest is not None and "group" not in spec.roles):
        needed.append(row["key"] or None)
    return "excluded" if looked_at is None or any(one is None for one in needed) else "counted"


def _aggregate(spec: Spec, frame: pd.DataFrame, design: set[tuple[str, str]]) -> Found:
    known = frame[frame["status"] == "counted"]
    n, excluded = len(known), len(frame) - len(known)
    if spec.type == "distinct":
        keys = int(known["key"].nunique())
        return Found(value=float(keys), n=keys, excluded=excluded, numerator=keys, denominator=keys)
    weights = known["weight"].astype(float).tolist() if "weight" in spec.roles else [1.0] * n
    if spec.type in ("min", "max", "median"):
        values = known["value"].astype(float).tolist()
        if spec.type != "median":
            found = (min if spec.type == "min" else max)(values, default=None)
        elif "weight" in spec.roles:
            found = weighted_median(values, weights)
        else:
            found = float(np.median(values)) if values else None
        return Found(value=found, n=n, excluded=excluded, scale=abs(found or 0.0))
    over = _parts(spec, known)
    under = known["denominator"].astype(float).tolist() if spec.type == "ratio" else [1.0] * n
    numerator = math.fsum(w * one for w, one in zip(weights, over, strict=True))
    denominator = math.fsum(w * one for w, one in zip(weights, under, strict=True))
    factor = 100.0 if spec.type == "percent" else 1.0
    total = spec.type in ("count", "sum")
    value = numerator if total else factor * numerator / denominator if denominator else None
    size = math.fsum(abs(w * one) for w, one in zip(weights, over, strict=True))
    shrunk = 1.0 if total or not denominator else abs(factor / denominator)
    if spec.type == "ratio" and denominator:
        spread = math.fsum(abs(w * one) for w, one in zip(weights, under, strict=True)) / abs(denominator)
        shrunk *= spread
    return Found(
        value=value,
        n=n,
        excluded=excluded,
        numerator=numerator,
        denominator=denominator,
        scale=size * shrunk,
        se=_standard_error(spec, known, weights, over, under, design, total=total, factor=factor),
    )


def _parts(spec: Spec, known: pd.DataFrame) -> list[float]:
    if spec.type == "count":
        return [1.0] * len(known)
    if spec.type == "percent":
        return [1.0 if one else 0.0 for one in known["numerator"]]
    column = known["numerator"] if spec.type == "ratio" else known["value"]
    parts: list[float] = column.astype(float).tolist()
    return parts


def weighted_median(values: Sequence[float], weights: Sequence[float]) -> float | None:
    """The first value whose cumulative weight reaches half."""
    if not math.fsum(weights) > 0:
        return None
    half, reached = math.fsum(weights) / 2, []
    for value, weight in sorted(zip(values, weights, strict=True)):
        reached.append(weight)
        if math.fsum(reached) >= half * (1 - 1e-12):
            return value
    return None


def _standard_error(
    spec: Spec,
    known: pd.DataFrame,
    weights: Iterable[float],
    over: Iterable[float],
    under: Iterable[float],
    design: set[tuple[str, str]],
    *,
    total: bool,
    factor: float,
) -> float | None:
    """By brute force: z of every unit, added up by PSU, with 0 for the PSUs of the design that have no unit here."""
    if "weight" not in spec.roles or "psu" not in spec.roles or not all(known["psu"].map(bool)):
        return None
    rows = list(zip(known["strata"], known["psu"], weights, over, under, strict=True))
    sum_over, sum_under = math.fsum(w * a for *_, w, a, _ in rows), math.fsum(w * b for *_, w, _, b in rows)
    if not total and sum_under == 0:
        return None
    z = dict.fromkeys(design, 0.0)
    share = dict.fromkeys(design, 0.0)
    for strata, psu, w, a, b in rows:
        z[strata or "", psu] += w * a if total else w * (a - sum_over / sum_under * b) / sum_under
        share[strata or "", psu] += w * b
    by_stratum: dict[str, list[float]] = {}
    for (stratum, _), one in z.items():
        by_stratum.setdefault(stratum, []).append(one)
    if not by_stratum or any(len(ones) < 2 for ones in by_stratum.values()):
        return None
    if not total and sum(1 for one in share.values() if one) < 2:
        return None
    variance = math.fsum(
        len(ones) / (len(ones) - 1) * math.fsum((one - math.fsum(ones) / len(ones)) ** 2 for one in ones)
        for ones in by_stratum.values()
    )
    return factor * math.sqrt(variance)


def _holds(place: tuple[str, str | None, str, date | None, date | None], day: date) -> bool:
    return (place[3] or date.min) <= day <= (place[4] or date.max)

"""Values: an indicator's figures for each period and category, each with what it was made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection

from forms.expressions.evaluate import evaluate_formula
from forms.problems import Problem, Sentence
from server.indicators import collecting, estimates, quantiles, sums
from server.indicators.asking import Asked, PeriodKey, Request, own_period, understand
from server.indicators.book import Kept
from server.indicators.catalogue import Catalogue
from server.indicators.declarations import Indicator, Target
from server.indicators.estimates import Design, Estimate
from server.indicators.periods import KINDS, Period, PeriodError, parse
from server.indicators.resolving import Resolved
from server.indicators.sums import Cell, Collected, Coordinates, Sums

PERCENT: Final = 100.0
_NO_PSU: Final = Sentence(
    "Sin error estándar ni intervalo: hay unidades sin unidad primaria de muestreo.",
    "No standard error and no interval: some units name no primary sampling unit.",
)
_BEYOND: Final = Sentence(
    "Sin error estándar ni intervalo: hay números demasiado grandes para calcularlos.",
    "No standard error and no interval: there are numbers too large to compute them.",
)
UNCOMPUTABLE: Final = Sentence(
    "no se pudo calcular: un registro tiene una respuesta con la que la base de datos no puede contar.",
    "it could not be computed: a record has an answer that the database cannot compute with.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One value and what it was made of.

    `period` is a code (None: all of them), `categories` one for each axis, None for units without one. `n` counts units,
    `excluded` those of which something is unknown; `numerator` and `denominator` are weighted. `hidden` says that value and
    counts are kept from whoever may not see small numbers, `unsaid` that `excluded` is.
    """

    period: str | None
    categories: Coordinates
    n: int
    excluded: int
    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    estimate: Estimate | None = None
    changed: datetime | None = None
    source: str | None = None
    baseline: float | None = None
    target: float | None = None
    achievement: float | None = None
    hidden: bool = False
    unsaid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The figures of one indicator as asked; `undated` units lie in no period (None: hidden), `loose` are those by category.
    `waits`: why there are none."""

    kept: Kept[Indicator]
    asked: Asked | None
    figures: tuple[Figure, ...] = ()
    undated: int | None = 0
    loose: tuple[Figure, ...] = ()
    waits: Sentence | None = None


@dataclass(slots=True)
class _Cells:
    """The figures of an indicator by cell, before they are put in order."""

    asked: Asked
    figures: dict[Cell, Figure] = field(default_factory=dict)
    undated: int = 0
    loose: list[Figure] = field(default_factory=list)


def compute(
    conn: Connection, catalogue: Catalogue, names: Sequence[str], request: Request, *, strict: bool = True
) -> dict[str, Values]:
    """The figures of the indicators in `names`, as `request` asks; without baselines and targets, and nothing hidden.

    Raises Problem 400.8 where one of them cannot be asked so; if not `strict`, it has no figures then, but the reason.
    """
    known = [name for name in names if name in catalogue.resolved]
    if request.period is None:
        by_period: dict[str, list[str]] = {}
        for name in known:
            by_period.setdefault(own_period(catalogue, catalogue.resolved[name]), []).append(name)
        found: dict[str, Values] = {}
        for period, together in by_period.items():
            found |= compute(conn, catalogue, together, replace(request, period=period), strict=strict)
        return {name: found[name] for name in known}
    refused: dict[str, Sentence] = {}
    wanted = _with_inputs(catalogue, names)
    asked: dict[str, Asked] = {}
    for name in wanted:
        resolved = catalogue.resolved[name]
        if resolved.waits is not None:
            continue
        try:
            asked[name] = understand(catalogue, resolved, request)
        except Problem as problem:
            if strict:
                raise
            refused[name] = problem.sentence
    made = {name: _Cells(asked[name]) for name in asked}
    for batch in collecting.batches(catalogue, [catalogue.resolved[name] for name in asked], asked):
        shared = asked[batch[0].indicator.name]
        try:
            cells = collecting.collect_safely(conn, catalogue, batch, shared)
        except collecting.UncomputableError:
            for resolved in batch:
                refused[resolved.indicator.name] = UNCOMPUTABLE
                del made[resolved.indicator.name]
            continue
        for resolved, collected in zip(batch, cells, strict=True):
            _fill(made[resolved.indicator.name], resolved.indicator, collected)
    for name in wanted:
        resolved = catalogue.resolved[name]
        if resolved.indicator.type == "manual":
            _fill_typed(catalogue, resolved, made[name])
        elif resolved.indicator.type == "formula" and all(other in made for other in resolved.inputs):
            keys = {key for other in resolved.inputs for key, _ in made[other].figures}
            _fill_formula(resolved, made[name], [_at(conn, catalogue, other, keys, made) for other in resolved.inputs])
    return {name: _values(catalogue, name, made, refused) for name in known}


def _at(conn: Connection, catalogue: Catalogue, name: str, keys: set[PeriodKey], made: Mapping[str, _Cells]) -> _Cells:
    """What a formula is computed from at all its periods: where an input accumulates, also where it has nothing new."""
    cells, resolved = made[name], catalogue.resolved[name]
    wanted = {key for key in keys if isinstance(key, int)}
    shown = {key for key, _ in cells.figures}
    if (
        not cells.asked.cumulative
        or cells.asked.keys is not None
        or wanted <= shown
        or resolved.indicator.type == "manual"
    ):
        return cells
    found = _Cells(replace(cells.asked, keys=tuple(sorted(wanted))), undated=cells.undated)
    if resolved.indicator.type == "formula":
        _fill_formula(resolved, found, [_at(conn, catalogue, other, keys, made) for other in resolved.inputs])
    else:
        (collected,) = collecting.collect(conn, catalogue, [resolved], found.asked)
        _fill(found, resolved.indicator, collected)
        found.undated = cells.undated
    return found


def _with_inputs(catalogue: Catalogue, names: Iterable[str]) -> list[str]:
    """The names and, before each formula, what it is computed from."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in found or name not in catalogue.resolved:
            return
        for other in catalogue.resolved[name].inputs:
            visit(other)
        found[name] = None

    for name in names:
        visit(name)
    return list(found)


def _values(catalogue: Catalogue, name: str, made: Mapping[str, _Cells], refused: Mapping[str, Sentence]) -> Values:
    kept, resolved = catalogue.book.indicators[name], catalogue.resolved[name]
    waits = resolved.waits or _waiting_input(catalogue, resolved)
    waits = waits or next((refused[one] for one in _with_inputs(catalogue, [name]) if one in refused), None)
    if name not in made or waits is not None:
        return Values(kept=kept, asked=None, waits=waits)
    cells = made[name]
    ordered = sorted(cells.figures, key=_order)
    if cells.asked.keys is not None:
        keys = set(cells.asked.keys)
        ordered = [cell for cell in ordered if cell[0] in keys]
    figures = tuple(cells.figures[cell] for cell in ordered)
    return Values(kept=kept, asked=cells.asked, figures=figures, undated=cells.undated, loose=tuple(cells.loose))


def _waiting_input(catalogue: Catalogue, resolved: Resolved) -> Sentence | None:
    for name in _with_inputs(catalogue, resolved.inputs):
        waits = catalogue.resolved[name].waits
        if waits is not None:
            return Sentence(f"{name}: {waits.es}", f"{name}: {waits.en}")
    return None


def _order(cell: Cell) -> tuple[object, ...]:
    period, categories = cell
    when = (0, 0, period) if isinstance(period, int) else (1, 0, str(period or ""))
    return (*when, *((category is None, category or "") for category in categories))


def _fill(cells: _Cells, indicator: Indicator, collected: Collected) -> None:
    designs = {key: Design(psus) for key, psus in collected.design.items()}
    none = Design(())
    for cell, found in collected.cells.items():
        key, coordinates = cell
        if key is None and cells.asked.split is not None:
            cells.undated += found.n + found.excluded
            cells.loose.append(_loose(coordinates, found))
            continue
        design = designs.get(key, none)
        estimate = _tellable(partial(_estimate, indicator, found, design), partial(_estimate, indicator, found, none))
        cells.figures[cell] = Figure(
            period=cells.asked.code(key),
            categories=coordinates,
            n=found.n,
            excluded=found.excluded,
            value=estimate.value,
            numerator=_known(found.numerator) if found.n else None,
            denominator=_known(found.denominator) if found.n else None,
            estimate=estimate,
            changed=found.changed,
        )


def _estimate(indicator: Indicator, found: Sums, design: Design) -> Estimate:
    """The value of a cell, with its sampling error where there is a design."""
    kind = indicator.type
    if kind == "median":
        return _median(found, design, weighted=indicator.weight is not None)
    if kind in sums.EXTREMES:
        return _plain(found.extreme)
    if kind == "distinct":
        return _plain(float(found.n))
    factor = PERCENT if kind == "percent" else 1.0
    if not design or found.nowhere:
        note = _NO_PSU if design else None
        if kind in ("count", "sum"):
            value: float | None = found.numerator
        else:
            value = factor * found.numerator / found.denominator if found.denominator else None
        return Estimate(value, None, None, None, 0, note)
    over = {psu: pair[0] for psu, pair in found.psus.items()}
    if kind in ("count", "sum"):
        return estimates.total(over, design)
    under = {psu: pair[1] for psu, pair in found.psus.items()}
    return estimates.ratio(over, under, design, proportion=kind == "percent").times(factor)


def _loose(coordinates: Coordinates, found: Sums) -> Figure:
    """Units without a date: how many, and of how many something holds."""
    return Figure(
        period=None,
        categories=coordinates,
        n=found.n,
        excluded=found.excluded,
        value=None,
        numerator=found.numerator,
        denominator=found.denominator,
    )


def _tellable(estimate: Callable[[], Estimate], plain: Callable[[], Estimate]) -> Estimate:
    """An estimate; where its squares are beyond what numbers hold, `plain`: the value alone."""
    try:
        found = estimate()
    except OverflowError:
        found = replace(plain(), note=_BEYOND)
    told = (found.value, found.se, found.low, found.high)
    if any(number is not None and not math.isfinite(number) for number in told):
        return _plain(_known(found.value), _BEYOND)
    return found


def _known(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _median(found: Sums, design: Design, *, weighted: bool) -> Estimate:
    values = [value for value, _, _ in found.values]
    weights = [weight for _, weight, _ in found.values]
    psus = [psu for _, _, psu in found.values if psu is not None]
    if design and values and not found.nowhere:
        return estimates.median_interval(values, weights, psus, design)
    value = quantiles.median(values, weights if weighted else None)
    return _plain(value, _NO_PSU if design and values else None)


def _plain(value: float | None, note: Sentence | None = None) -> Estimate:
    return Estimate(value, None, None, None, 0, note)


def _fill_formula(resolved: Resolved, cells: _Cells, inputs: Sequence[_Cells]) -> None:
    tree, names = resolved.trees["value"], resolved.inputs

    def formula(values: Sequence[float | None]) -> float | None:
        return evaluate_formula(tree, dict(zip(names, values, strict=True)))

    for cell in dict.fromkeys(cell for one in inputs for cell in one.figures):
        found = [one.figures.get(cell) for one in inputs]
        known = [figure for figure in found if figure is not None]
        value = formula([figure.value if figure else None for figure in found])
        cells.figures[cell] = Figure(
            period=cells.asked.code(cell[0]),
            categories=cell[1],
            n=min((figure.n for figure in found if figure is not None), default=0) if len(known) == len(found) else 0,
            excluded=max(figure.excluded for figure in known),
            value=value,
            estimate=_tellable(partial(_combined, value, found, formula), partial(_plain, value)),
            changed=max((figure.changed for figure in known if figure.changed), default=None),
        )
    cells.undated = max((one.undated for one in inputs), default=0)


def _combined(
    value: float | None, found: Sequence[Figure | None], formula: Callable[[Sequence[float]], float | None]
) -> Estimate:
    """The sampling error of a formula over survey estimates; of others there is none."""
    known = [figure.estimate for figure in found if figure is not None and figure.estimate is not None]
    if len(known) < len(found) or all(not one.design and one.note is None for one in known):
        return _plain(value)
    values = [one.value for one in known if one.value is not None]
    slopes = estimates.slopes(formula, values) if len(values) == len(known) else None
    return estimates.combine(value, known, slopes)


def _fill_typed(catalogue: Catalogue, resolved: Resolved, cells: _Cells) -> None:
    """Figures typed by hand, in `targets` as `actual`."""
    asked = cells.asked
    for kept in catalogue.book.targets_of.get(resolved.indicator.name, ()):
        target = kept.record
        coordinates = _typed_at(catalogue, target, asked)
        if target.kind != "actual" or coordinates is None or not _is_asked(target.period, asked):
            continue
        key = parse(target.period).index if target.period and asked.split in KINDS else target.period
        cells.figures[key, coordinates] = Figure(
            period=target.period,
            categories=coordinates,
            n=0,
            excluded=0,
            value=target.value,
            changed=kept.since,
            source=target.source,
        )


def period_of(code: str | None) -> Period | None:
    """The period of the calendar that has this code; None where it has none."""
    try:
        return parse(code) if code else None
    except PeriodError:  # a round
        return None


def _is_asked(period: str | None, asked: Asked) -> bool:
    """Whether a typed figure's period is one of those asked for; where no periods are told apart, each is."""
    if asked.keys is not None:
        return period in {asked.code(key) for key in asked.keys}
    known = period_of(period)
    return asked.split not in KINDS or (known is not None and known.kind == asked.split)


def _typed_at(catalogue: Catalogue, target: Target, asked: Asked) -> Coordinates | None:
    """The cell of a typed figure among those asked for; None where it is none of them."""
    given: dict[str, str | None] = {target.dimension: target.category} if target.dimension else {}
    if target.place is not None and target.place != asked.within:
        place = catalogue.book.labels.get(target.place)
        given[place.level if place else ""] = target.place
    if set(given) != {axis.name for axis in asked.axes}:
        return None
    return tuple(given[axis.name] for axis in asked.axes)

"""Targets: each figure beside its baseline and target, and how much of the way is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from server.indicators import masking, values
from server.indicators.asking import Request
from server.indicators.catalogue import Catalogue
from server.indicators.declarations import Direction, Target
from server.indicators.sums import Coordinates
from server.indicators.values import Figure, Values


def achievement(
    value: float | None, baseline: float | None, target: float | None, direction: Direction
) -> float | None:
    """How much of the way from baseline to target is done, in %; without a baseline, how much of the target.

    Where less is better (`down`) and there is no baseline, target ÷ value. None where something is unknown or divides by
    zero: a target that equals its baseline says nothing.
    """
    if value is None or target is None:
        return None
    if baseline is not None:
        done, way = value - baseline, target - baseline
    else:
        done, way = (value, target) if direction == "up" else (target, value)
    return None if way == 0 else 100 * done / way


def beside(
    conn: Connection, catalogue: Catalogue, found: Mapping[str, Values], request: Request, *, masked: bool
) -> dict[str, Values]:
    """The same figures with baseline, target and achievement. A baseline without value is computed from its period.

    `masked`: what is computed from few units is left out of them.
    """
    computed: dict[tuple[str, str], Mapping[Coordinates, Figure]] = {}
    wanted: dict[str, list[str]] = {}
    for name, one in found.items():
        for kept in catalogue.book.targets_of.get(name, ()):
            target = kept.record
            if one.asked is not None and target.kind == "baseline" and target.value is None and target.period:
                wanted.setdefault(target.period, []).append(name)
    for period, names in wanted.items():
        asked = replace(request, period=period)
        made = values.compute(conn, catalogue, sorted(set(names)), asked)
        if masked:
            made = masking.hide(conn, catalogue, made, asked)
        for name, one in made.items():
            computed[name, period] = {figure.categories: figure for figure in one.figures if not figure.hidden}
    return {name: _beside(catalogue, name, one, request, computed) for name, one in found.items()}


def _beside(
    catalogue: Catalogue,
    name: str,
    one: Values,
    request: Request,
    computed: Mapping[tuple[str, str], Mapping[Coordinates, Figure]],
) -> Values:
    targets = [kept.record for kept in catalogue.book.targets_of.get(name, ())]
    if one.asked is None or not targets:
        return one
    figures = []
    for figure in one.figures:
        here = [target for target in targets if _is_of(catalogue, target, figure, one, request)]
        declared, baseline = _baseline(here, figure, {} if figure.hidden else computed, name)
        target = next((one.value for one in here if one.kind == "target" and one.period == figure.period), None)
        if target is None:
            target = next((one.value for one in here if one.kind == "target" and one.period is None), None)
        known = baseline is not None or not declared  # one that nobody knows is not the same as none
        done = achievement(figure.value, baseline, target, one.kept.record.direction) if known else None
        figures.append(replace(figure, baseline=baseline, target=target, achievement=done))
    return replace(one, figures=tuple(figures))


def _baseline(
    here: list[Target],
    figure: Figure,
    computed: Mapping[tuple[str, str], Mapping[Coordinates, Figure]],
    name: str,
) -> tuple[bool, float | None]:
    """Whether a figure has a baseline, and what it is: the one typed for its cell, else the one computed for every cell."""
    declared = sorted((one for one in here if one.kind == "baseline"), key=lambda one: one.value is None)
    for target in declared:
        if target.value is not None:
            return True, target.value
        at = computed.get((name, target.period or ""), {}).get(figure.categories)
        if at is not None and at.value is not None:
            return True, at.value
    return bool(declared), None


def _is_of(catalogue: Catalogue, target: Target, figure: Figure, one: Values, request: Request) -> bool:
    """Whether a target speaks of the figure's cell, whatever its period. A computed baseline speaks of every cell."""
    if target.kind == "baseline" and target.value is None:
        return True
    axes = one.asked.axes if one.asked is not None else ()
    cell: dict[str, str | None] = dict(zip((axis.name for axis in axes), figure.categories, strict=True))
    levels = catalogue.book.levels
    inner = max((name for name in cell if name in levels), key=levels.index, default=None)
    place = request.place if inner is None else cell[inner]
    if inner is not None and place is None:
        return False
    groups = {name: code for name, code in cell.items() if name not in levels}
    wanted = {target.dimension: target.category} if target.dimension else {}
    return target.place == place and groups == wanted

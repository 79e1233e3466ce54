"""Indicator values for tools of analysis: every figure that may leave the project, kept for the view `indicator_values`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from server import problems
from server.access import require
from server.context import Context
from server.indicators import asking, catalogue, masking, targets, values
from server.indicators.asking import Request, label_of, own_period
from server.indicators.catalogue import Catalogue
from server.indicators.periods import KINDS, WHOLE
from server.indicators.values import Figure, Values
from server.store import indicators, projects

LANGUAGES: Final = ("es", "en")
_ROUNDS: Final = "round"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The figures of a project, ready to be kept; `token` says of which records and declarations."""

    project_id: int
    token: str
    rows: tuple[dict[str, Any], ...]


def prepare_values(ctx: Context, project_id: int, *, always: bool = False) -> Prepared | None:
    """A project's figures, where they may be others than those that are kept (`always`: in any case), else None.

    Each indicator by its own periods and over all of them: in all, by each level of places and by each of its dimensions.
    Figures of few units are hidden: whoever reads the view reads what a viewer would. This only reads, so that nobody waits
    for it. Raises Problem 404.1.
    """
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "indicator.update", project)
    records = indicators.records_token(ctx.conn, project_id)
    token = "|".join((project.indicators_revision, project.counting, str(project.minimum_n), records))
    standing = indicators.find_value_state(ctx.conn, project_id)
    same = not project.indicators_revision if standing is None else standing[0] == token
    if same and not always:
        return None

    found = catalogue.load(ctx.conn, project)
    rows = tuple(row for request, names in _requests(found) for row in _rows(ctx, found, names, request))
    return Prepared(project_id=project_id, token=token, rows=rows)


def keep_values(ctx: Context, prepared: Prepared) -> None:
    """Let the view show these figures."""
    project = projects.find_project(ctx.conn, prepared.project_id)
    if project is None:
        raise problems.no_project(prepared.project_id)
    require(ctx, "indicator.update", project)
    indicators.replace_values(ctx.conn, project.id, prepared.rows, token=prepared.token, when=ctx.now())


def _requests(found: Catalogue) -> Iterator[tuple[Request, list[str]]]:
    """What is asked of which indicators: those that are asked alike go together."""
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, resolved in found.resolved.items():
        periods = dict.fromkeys((own_period(found, resolved), WHOLE))
        splits: list[tuple[str, ...]] = [()]
        if "place" in resolved.trees or resolved.inputs:
            splits.extend((level,) for level in found.book.levels)
        splits.extend((dimension,) for dimension in resolved.dimensions)
        splits.extend((dimension,) for dimension in resolved.indicator.disaggregate if resolved.inputs)
        for period in periods:
            for by in dict.fromkeys(splits):
                together.setdefault((period, by), []).append(name)
    for (period, by), names in together.items():
        yield Request(period=period, by=by), names


def _rows(ctx: Context, found: Catalogue, names: list[str], request: Request) -> Iterator[dict[str, Any]]:
    made = values.compute(ctx.conn, found, names, request, strict=False)
    made = masking.hide(ctx.conn, found, made, request)
    for one in targets.beside(ctx.conn, found, made, request, masked=True).values():
        yield from _rows_of(found, one, request)


def _rows_of(found: Catalogue, one: Values, request: Request) -> Iterable[dict[str, Any]]:
    if one.asked is None:
        return
    indicator, resolved = one.kept.record, found.resolved[one.kept.record.name]
    axis = one.asked.axes[0] if one.asked.axes else None
    names = {} if axis is None else {one.code: one.label for one in asking.categories_of(found, resolved, axis)}
    for figure in one.figures:
        code = figure.categories[0] if axis is not None else None
        placed = axis is not None and axis.level is not None
        texts = {
            "indicator": indicator.label,
            "unit": indicator.unit,
            "place": names.get(code or "", {}) if placed else {},
            "category": {} if placed else names.get(code or "", {}),
        }
        yield {
            "indicator": indicator.name,
            "version": one.kept.version,
            **_period(figure, request),
            "place_level": axis.level if axis is not None else None,
            "place": code if placed else None,
            "dimension": None if axis is None or placed else axis.name,
            "category": None if placed else code,
            "labels": {
                language: {what: label_of(text, language) or None for what, text in texts.items()}
                for language in LANGUAGES
            },
            **_numbers(figure),
        }


def _period(figure: Figure, request: Request) -> dict[str, Any]:
    period = values.period_of(figure.period)
    kind = request.period if request.period in (*KINDS, WHOLE) else _ROUNDS
    return {
        "period_kind": kind,
        "period": figure.period,
        "first_day": period.first if period is not None else None,
        "last_day": period.last if period is not None else None,
    }


def _numbers(figure: Figure) -> dict[str, Any]:
    estimate = figure.estimate
    return {
        "value": figure.value,
        "n": None if figure.hidden else figure.n,
        "excluded": None if figure.hidden or figure.unsaid else figure.excluded,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "se": estimate.se if estimate is not None else None,
        "low": estimate.low if estimate is not None else None,
        "high": estimate.high if estimate is not None else None,
        "baseline": figure.baseline,
        "target": figure.target,
        "achievement": figure.achievement,
        "hidden": figure.hidden,
    }

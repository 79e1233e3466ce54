"""Indicators: what a project measures, its figures, and the records behind each of them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forms.problems import Sentence
from server import problems
from server.access import may, require
from server.context import Context
from server.indicators import catalogue, masking, records, refusals, targets, values
from server.indicators.asking import Request, understand
from server.indicators.book import Kept
from server.indicators.catalogue import Catalogue
from server.indicators.declarations import Indicator
from server.indicators.records import Record
from server.indicators.resolving import Resolved, Wrong
from server.indicators.values import Values
from server.model.projects import Project
from server.store import forms, projects

UNMASK = "indicator.unmask"
"""Who holds this verb over a project sees figures of few units too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An indicator in force. `waits` says what it cannot be computed without, `broken` what is wrong with it by now."""

    kept: Kept[Indicator]
    resolved: Resolved | None
    waits: Sentence | None
    broken: tuple[Wrong, ...]


def get_catalogue(ctx: Context, project_id: int) -> Catalogue:
    """Everything that a project declares, resolved against its forms."""
    project = _project(ctx, project_id)
    require(ctx, "indicator.list", project)
    return catalogue.load(ctx.conn, project)


def list_indicators(ctx: Context, project_id: int) -> list[Listed]:
    """What a project measures, in the order of its workbooks."""
    found = get_catalogue(ctx, project_id)
    require(ctx, "indicator.list", found.project)
    return [_listed(found, name) for name in found.book.indicators]


def get_indicator(ctx: Context, project_id: int, name: str) -> Listed:
    """One indicator in force; raises Problem 404.1, with the name that may be meant."""
    found = get_catalogue(ctx, project_id)
    require(ctx, "indicator.read", found.project)
    require_known(found, name)
    return _listed(found, name)


def get_values(ctx: Context, project_id: int, names: Sequence[str] | None, request: Request) -> list[Values]:
    """The figures of some indicators (None: of each that can be asked so), with baselines, targets and achievement.

    Figures of few units are hidden from whoever may not see them. Raises Problem 404.1, 400.8.
    """
    found = get_catalogue(ctx, project_id)
    require(ctx, "indicator.read", found.project)
    for name in names or ():
        require_known(found, name)
    asked = [name for name in found.book.indicators if name in found.resolved] if names is None else list(names)
    broken = [name for name in asked if name in found.broken]
    if broken:
        raise refusals.indicator_broken(broken[0], found.broken[broken[0]][0].sentence)

    made = values.compute(ctx.conn, found, asked, request, strict=names is not None)
    masked = not may(ctx.actor, UNMASK, found.project)
    if masked:
        made = masking.hide(ctx.conn, found, made, request)
    return list(targets.beside(ctx.conn, found, made, request, masked=masked).values())


def list_records(
    ctx: Context,
    project_id: int,
    name: str,
    request: Request,
    only: Mapping[str, str | None],
    *,
    after: tuple[int, int] = (0, -1),
    most: int = records.MOST,
) -> list[Record]:
    """The rows behind one figure: those of the request's period and place, of the categories in `only` (by the names in
    `request.by`). Whoever asks must be allowed to read the form's submissions and to see small numbers.

    Raises Problem 404.1, 400.8; 403.1.
    """
    found = get_catalogue(ctx, project_id)
    require(ctx, UNMASK, found.project)
    require_known(found, name)
    resolved = found.resolved.get(name)
    if resolved is None:
        raise refusals.indicator_broken(name, found.broken[name][0].sentence)
    if resolved.form is None or resolved.waits is not None:
        raise refusals.no_records(name, resolved.inputs)
    require(ctx, "submission.read", forms.get_form(ctx.conn, resolved.form.id))

    asked = understand(found, resolved, request)
    return records.find(ctx.conn, found, resolved, asked, only, after=after, most=min(most, records.MOST))


def require_known(found: Catalogue, name: str) -> None:
    """Raises Problem 404.1 for an indicator that is not in force."""
    if name not in found.book.indicators:
        near = next(iter(difflib.get_close_matches(name, found.book.indicators, n=1, cutoff=0.5)), None)
        raise refusals.no_indicator(name, near)


def _listed(found: Catalogue, name: str) -> Listed:
    resolved = found.resolved.get(name)
    return Listed(
        kept=found.book.indicators[name],
        resolved=resolved,
        waits=resolved.waits if resolved is not None else None,
        broken=tuple(found.broken.get(name, ())),
    )


def _project(ctx: Context, project_id: int) -> Project:
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    return project

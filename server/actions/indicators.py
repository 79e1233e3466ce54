"""Indicators: what a project measures, its figures, and the records behind each of them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy.exc import DBAPIError

from forms.problems import Problem, Sentence
from server import problems
from server.access import may, require
from server.actions import entity_reading
from server.actions.disclosures import IDENTIFY, note_listing
from server.context import Context
from server.db import is_about_values
from server.indicators import catalogue, filling, kept, masking, records, refusals, splits, targets, values
from server.indicators.asking import Request, own_period, understand
from server.indicators.book import Kept
from server.indicators.catalogue import Catalogue
from server.indicators.categories import question_of
from server.indicators.declarations import ENTITIES, Indicator
from server.indicators.filling import Uncomputed
from server.indicators.periods import WHOLE
from server.indicators.records import Record
from server.indicators.resolving import Resolved, Wrong
from server.indicators.splits import Split
from server.indicators.values import Values
from server.model.projects import Project
from server.store import forms, indicators, projects

UNMASK = "indicator.unmask"
"""Who holds this verb over a project sees figures of few units too."""
_ONE_PERIOD: Final = Sentence(
    "pida los registros de un solo período a la vez.", "ask for the records of one period at a time."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An indicator in force. `waits` says what it cannot be computed without, `broken` what is wrong with it by now.

    `period` is what its values go by unless somebody asks otherwise: a kind of period, `round` or `all`. `uncomputed` are
    the records of which it could not be computed, told to whoever may see small numbers.
    """

    kept: Kept[Indicator]
    resolved: Resolved | None
    waits: Sentence | None
    broken: tuple[Wrong, ...]
    period: str
    minimum_n: int
    uncomputed: Uncomputed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What an indicator said before, and when it was in force."""

    record: Indicator
    version: int
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An indicator with what it can be split by and what it said before, the newest first."""

    listed: Listed
    splits: tuple[Split, ...]
    earlier: tuple[Earlier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of several indicators; `unavailable` says of the others why there are none.

    `uncomputed` are records that some could not be computed of: excluded from their figures, and named to whoever may see
    small numbers.
    """

    catalogue: Catalogue
    values: tuple[Values, ...]
    unavailable: Mapping[str, Sentence]
    uncomputed: Mapping[str, Uncomputed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The next records behind a figure, of the form with this XForm id or of an entity list (`entities:NAME`); `more`: others
    come after them."""

    name: str
    resolved: Resolved
    form_id: str
    records: tuple[Record, ...]
    more: bool


def get_catalogue(ctx: Context, project_id: int) -> Catalogue:
    """Everything that a project declares, resolved against its forms."""
    project = _project(ctx, project_id)
    require(ctx, "indicator.list", project)
    return catalogue.load(ctx.conn, project)


def list_indicators(ctx: Context, project_id: int) -> list[Listed]:
    """What a project measures, in the order of its workbooks."""
    found = get_catalogue(ctx, project_id)
    require(ctx, "indicator.list", found.project)
    uncomputed = _uncomputed(ctx, found)
    return [replace(_listed(found, name), uncomputed=uncomputed.get(name)) for name in found.book.indicators]


def get_indicator(ctx: Context, project_id: int, name: str) -> Listed:
    """One indicator in force; raises Problem 404.1, with the name that may be meant."""
    found = get_catalogue(ctx, project_id)
    require(ctx, "indicator.read", found.project)
    require_known(found, name)
    return replace(_listed(found, name), uncomputed=_uncomputed(ctx, found).get(name))


def describe_indicator(ctx: Context, project_id: int, name: str) -> Described:
    """One indicator with its categories and its earlier versions; raises Problem 404.1."""
    listed = get_indicator(ctx, project_id, name)
    found = get_catalogue(ctx, project_id)
    versions = indicators.list_versions(ctx.conn, project_id, "indicator", name)
    earlier = []
    for one in reversed(versions):
        record = kept.unpack(one.kind, one.content)
        if one.id != listed.kept.id and isinstance(record, Indicator):
            earlier.append(Earlier(record=record, version=one.version, since=one.created_at, until=one.retired_at))
    return Described(
        listed=listed,
        splits=splits.splits_of(found, listed.resolved) if listed.resolved is not None else (),
        earlier=tuple(earlier),
    )


def get_values(
    ctx: Context, project_id: int, names: Sequence[str] | None, request: Request, *, mask: bool = False
) -> Figures:
    """The figures of some indicators (None: of each that can be asked so), with baselines, targets and achievement.

    Figures of few units are hidden from whoever may not see them, and from everybody where `mask` says so. Raises
    Problem 404.1; 400.8 for what cannot be asked of them (of none of them, where `names` is None); 409.16.
    """
    found = get_catalogue(ctx, project_id)
    require(ctx, "indicator.read", found.project)
    for name in names or ():
        require_known(found, name)
        broken = _broken_below(found, name)
        if broken is not None:
            raise refusals.indicator_broken(broken, found.broken[broken][0].sentence)
    sound = [name for name in found.book.indicators if _broken_below(found, name) is None]
    asked = sound if names is None else list(names)
    if names is None:
        _require_some(found, asked, request)

    made = values.compute(ctx.conn, found, asked, request, strict=names is not None)
    masked = mask or not may(ctx.actor, UNMASK, found.project)
    if masked:
        for one in made.values():
            _require_open(found, one)
        made = masking.hide(ctx.conn, found, made, request)
    made = targets.beside(ctx.conn, found, made, request, masked=masked)
    reasons = {name: one.waits for name, one in made.items()}
    unavailable = {
        name: reason
        for name in (found.book.indicators if names is None else asked)
        if (reason := found.obstacle(name) or reasons.get(name)) is not None
    }
    return Figures(
        catalogue=found,
        values=tuple(one for name, one in made.items() if name not in unavailable),
        unavailable=unavailable,
        uncomputed={} if masked else _uncomputed(ctx, found),
    )


def list_records(
    ctx: Context,
    project_id: int,
    name: str,
    request: Request,
    only: Mapping[str, str | None],
    *,
    after: tuple[int, int] = (0, -1),
    most: int = records.MOST,
) -> Page:
    """The rows behind one figure: those of the request's period and place, of the categories in `only` (by the names in
    `request.by`), at the most `records.MOST`.

    Whoever asks must be allowed to read the form's submissions, of an entity list its entities, and to see small numbers.
    Whoever may not identify people is told neither which records they are nor the keys by which people or households are
    counted or grouped.

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
    layout = found.layouts[resolved.form.id]
    behind = found.project if layout.dataset_id is not None else forms.get_form(ctx.conn, resolved.form.id)
    require(ctx, "entity.read" if layout.dataset_id is not None else "submission.read", behind)

    asked = understand(found, resolved, request)
    if asked.keys is not None and len(asked.keys) > 1:
        raise problems.wrong_value("period", request.period, _ONE_PERIOD)
    wanted = min(most, records.MOST)
    try:
        rows = records.find(ctx.conn, found, resolved, asked, only, after=after, most=wanted + 1)
    except DBAPIError as error:
        if not is_about_values(error):
            raise
        raise refusals.indicator_broken(name, values.UNCOMPUTABLE) from error
    if not may(ctx.actor, IDENTIFY, behind):
        rows = [replace(one, key=None, group=None, instance_id="", row_key="") for one in rows]
    return Page(
        name=name,
        resolved=resolved,
        form_id=resolved.form.form_id,
        records=tuple(rows[:wanted]),
        more=len(rows) > wanted,
    )


def note_records(ctx: Context, project_id: int, page: Page) -> None:
    """The audit line of the records behind a figure that somebody was told."""
    require(ctx, UNMASK, _project(ctx, project_id))
    told = {"indicator": page.name, "records": len(page.records)}
    if page.form_id.startswith(ENTITIES):
        entity_reading.note_export(ctx, project_id, page.form_id.removeprefix(ENTITIES), "records", more=told)
    else:
        note_listing(ctx, project_id, page.form_id, "records", more=told)


def _require_open(found: Catalogue, one: Values) -> None:
    """Whoever may not see small numbers splits by what is declared and by questions with choices: the categories of another
    question are what people answered. Raises Problem 400.8."""
    resolved = found.resolved[one.kept.record.name]
    for axis in one.asked.axes if one.asked is not None else ():
        if axis.tree is None or axis.name in resolved.dimensions or resolved.form is None:
            continue
        entry = question_of(axis.tree, resolved.form.schema)
        if entry is None or entry.choices is None:
            raise problems.wrong_value(
                "by",
                axis.name,
                Sentence(
                    es="no es una dimensión declarada ni una pregunta con opciones.",
                    en="it is no declared dimension and no question with choices.",
                ),
            )


def require_known(found: Catalogue, name: str) -> None:
    """Raises Problem 404.1 for an indicator that is not in force."""
    if name not in found.book.indicators:
        near = next(iter(difflib.get_close_matches(name, found.book.indicators, n=1, cutoff=0.5)), None)
        raise refusals.no_indicator(name, near)


def _require_some(found: Catalogue, names: Sequence[str], request: Request) -> None:
    """Raises Problem 400.8 where none of the indicators that look at records can be asked so."""
    refused: Problem | None = None
    for name in names:
        resolved = found.resolved[name]
        if resolved.indicator.type in ("formula", "manual") or resolved.waits is not None:
            continue
        try:
            understand(found, resolved, request)
        except Problem as problem:
            refused = refused or problem
        else:
            return
    if refused is not None:
        raise refused


def _broken_below(found: Catalogue, name: str) -> str | None:
    """The indicator itself or the one below its formula that is broken; None where none is."""
    if name in found.broken:
        return name
    waiting, seen = [*reversed(found.resolved[name].inputs)], set[str]()
    while waiting:
        other = waiting.pop()
        if other in found.broken:
            return other
        if other not in seen:
            seen.add(other)
            waiting.extend(reversed(found.resolved[other].inputs))
    return None


def _uncomputed(ctx: Context, found: Catalogue) -> Mapping[str, Uncomputed]:
    """The records of which indicators could not be computed; nothing for who may not see small numbers."""
    if not may(ctx.actor, UNMASK, found.project):
        return {}
    return filling.list_uncomputed(ctx.conn, [table for tables in found.tables.values() for table in tables])


def _listed(found: Catalogue, name: str) -> Listed:
    resolved, one = found.resolved.get(name), found.book.indicators[name]
    return Listed(
        kept=one,
        resolved=resolved,
        waits=found.obstacle(name) if resolved is not None else None,
        broken=tuple(found.broken.get(name, ())),
        period=own_period(found, resolved) if resolved is not None else one.record.period or WHOLE,
        minimum_n=masking.minimum_of(found, name),
    )


def _project(ctx: Context, project_id: int) -> Project:
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    return project

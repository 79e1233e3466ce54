"""Feeds of entities: the rows of a list as CSV, OData and GeoJSON tell them, for whoever may see them and as far as that."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from forms import geo
from server import problems
from server.access import require
from server.actions import entity_sight
from server.actions.entity_finding import Found, find_dataset
from server.actions.entity_sight import Sight
from server.context import Context
from server.model.entities import Dataset
from server.odata import entity_rows, search
from server.odata.entity_rows import Line, Wanted
from server.store import datasets, projects

GEOMETRY = "geometry"
"""The property that ODK takes for an entity's place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a list in OData's words: `filter`, `search`, `order`; `after` the last entity of the page before (then
    `offset` is not looked at), at most so many."""

    filter: str | None = None
    search: str | None = None
    order: str | None = None
    after: str | None = None
    offset: int = 0
    most: int | None = None

    @property
    def narrows(self) -> bool:
        """Whether some rows are left out."""
        return self.filter is not None or self.search is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Rows of a list and the properties that they tell, in order. `tag` is another one where the whole feed is another.

    `count` are the entities that are asked for, `remaining` those of them after the cursor.
    """

    dataset: Dataset
    properties: tuple[str, ...]
    lines: Iterator[Line]
    tag: str
    count: int = 0
    remaining: int = 0


def open_feed(ctx: Context, project_id: int, name: str, request: Request, *, counted: bool = False) -> Feed:
    """The rows of a list that are asked for, read while the context is open.

    Raises Problem 404.1, 400.18 and 501.5 (a filter or order that cannot be), 400.8 (one that would tell what whoever asks
    may not know).
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.list", found.project)
    return _open(ctx, found, request, counted=counted)


def open_deleted(ctx: Context, project_id: int, dataset_id: int) -> Feed:
    """The entities of a list that was put away, which its number names: those that lived then. Raises Problem 404.1."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "entity.list", project)
    if datasets.find_project_of(ctx.conn, dataset_id) != project_id:
        raise problems.not_found()
    dataset = datasets.get(ctx.conn, dataset_id)
    if dataset.deleted_at is None:
        raise problems.not_found()
    return _open(ctx, Found(dataset, project), Request())


def list_properties(ctx: Context, project_id: int, name: str) -> tuple[str, ...]:
    """The properties of a list that are told to whoever asks, in order. Raises Problem 404.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.list", found.project)
    return tuple(entity_sight.of(ctx, found).properties)


def list_places(ctx: Context, project_id: int, name: str, request: Request) -> Iterator[tuple[str, str]]:
    """The entities of a list that have a place, at most `request.most`, each with its geometry as GeoJSON text, read while
    the context is open; none to whoever may not know where they are. Raises what `open_feed` does."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.list", found.project)
    feed = _open(ctx, found, replace(request, most=None))
    return _places(feed.lines, request.most)


def get_place(ctx: Context, project_id: int, name: str, uuid: str) -> tuple[str, str] | None:
    """The same of one entity; None where it has none. Raises Problem 404.1, 400.11."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.read", found.project)
    entity, seen = entity_sight.find(ctx, found, uuid)
    told = entity_sight.name_of(uuid, seen)
    geometry = place(seen.data(entity.data).get(GEOMETRY, ""))
    return None if geometry is None else (told, geometry)


def place(text: str) -> str | None:
    """A point, line or shape as phones write it, as GeoJSON text; a line that ends where it begins is a shape. None for what
    is none of them."""
    try:
        if ";" not in text:
            return geo.point_geometry(text)
        parts = [part.split()[:2] for part in text.split(";") if part.strip()]
        closed = len(parts) > 3 and parts[0] == parts[-1]
        return geo.polygon(text) if closed else geo.line_string(text)
    except ValueError:
        return None


def _open(ctx: Context, found: Found, request: Request, *, counted: bool = False) -> Feed:
    seen = entity_sight.of(ctx, found)
    wanted = _wanted(seen, request)
    count, remaining = entity_rows.count(ctx.conn, found.row.id, wanted) if counted else (0, 0)
    return Feed(
        dataset=found.row,
        properties=tuple(seen.properties),
        lines=(seen.line(one) for one in entity_rows.lines(ctx.conn, found.row.id, wanted)),
        tag=_tag(ctx, found.row, seen),
        count=count,
        remaining=remaining,
    )


def _wanted(seen: Sight, request: Request) -> Wanted:
    condition, deleted = (None, False) if request.filter is None else entity_rows.parse_filter(request.filter)
    wanted = Wanted(
        deleted=deleted,
        condition=condition,
        search=search.parse(request.search) if request.search is not None else None,
        searched=seen.searched,
        labels=seen.identifies,
        order=entity_rows.parse_order(request.order) if request.order is not None else (),
        after=request.after,
        offset=request.offset,
        most=request.most,
        names=seen.names,
    )
    if not seen.identifies:
        entity_rows.refuse_narrowing(wanted)
    return wanted


def _tag(ctx: Context, dataset: Dataset, seen: Sight) -> str:
    filled = datasets.fill(ctx.conn, [dataset.id]).get(dataset.id)
    told = (dataset.id, dataset.revision, filled, tuple(seen.properties), seen.identifies)
    return hashlib.md5(repr(told).encode(), usedforsecurity=False).hexdigest()


def _places(lines: Iterator[Line], most: int | None) -> Iterator[tuple[str, str]]:
    given = 0
    for one in lines:
        geometry = place(one.entity.data.get(GEOMETRY, ""))
        if geometry is not None:
            if most is not None and given >= most:
                return
            given += 1
            yield one.told, geometry

"""Removing deleted entities for good, by hand or on schedule."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from server import problems
from server.access import require
from server.actions.entity_finding import find_dataset
from server.context import Context
from server.model.entities import Dataset
from server.store import datasets, entity_purging, projects

_AT_ONCE: Final = 5000
"""Entities of a list that one transaction of the schedule removes: phones wait for it."""


def purge(ctx: Context, project_id: int, name: str | None = None, *, days: int | None = None) -> int:
    """Remove for good what was deleted so many days ago (None: as the settings say), of one list or of all that a project has
    or had; gives how many entities.

    Of a list that was put away so long ago, everything. Their ids are never given again. Merged entities and those that were
    told apart stay, since others rest on them. Raises Problem 404.1.
    """
    require(ctx, "config.set", None)
    lists: Iterable[Dataset]
    if name is not None:
        lists = [find_dataset(ctx, project_id, name).row]
    else:
        if projects.find_project(ctx.conn, project_id) is None:
            raise problems.no_project(project_id)
        lists = [
            *datasets.list_datasets(ctx.conn, project_id),
            *datasets.list_datasets(ctx.conn, project_id, deleted=True),
        ]
    before = _before(ctx, days)
    return sum(_purge(ctx, one.id, before) for one in sorted(lists, key=lambda each: each.id))


def list_due(ctx: Context) -> list[int]:
    """The lists, by row id, that have something to be removed by now, of all projects; none where the settings say never."""
    require(ctx, "config.set", None)
    if not ctx.settings.purge_days:
        return []
    return entity_purging.list_due(ctx.conn, before=_before(ctx, None))


def purge_due(ctx: Context, dataset_id: int) -> int:
    """Remove for good what is due of such a list, or a part of it; gives how many entities (0: nothing is due any more)."""
    require(ctx, "config.set", None)
    return _purge(ctx, dataset_id, _before(ctx, None), most=_AT_ONCE)


def _before(ctx: Context, days: int | None) -> datetime:
    return ctx.now() - timedelta(days=ctx.settings.purge_days if days is None else days)


def _purge(ctx: Context, dataset_id: int, before: datetime, *, most: int | None = None) -> int:
    dataset = datasets.hold_one(ctx.conn, dataset_id)
    doomed = entity_purging.list_purgeable(ctx.conn, dataset.id, before=before, most=most)
    if doomed:
        entity_purging.purge(ctx.conn, dataset.id, doomed, ctx.now())
        ctx.record(
            "entity.purge",
            project_id=dataset.project_id,
            dataset_id=dataset.id,
            details={"entitiesDeleted": len(doomed)},
        )
    return len(doomed)

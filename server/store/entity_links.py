"""SQL for which row of a submission speaks of which entity."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Text, cast, delete, func, insert, select

from server.model.entities import entities, entity_links
from server.prepared import Prepared

Link = tuple[str, str, int, str]
"""Key of the row, path of the declaration, list, id of the entity."""
_NAMES = ("row_key", "path", "dataset_id", "uuid")
_ADD = Prepared(insert(entity_links).inline(), columns=("submission_id", *_NAMES))


def replace(conn: Connection, submission_id: int, links: Sequence[Link], *, fresh: bool) -> None:
    """The links of a submission are these from now on; a `fresh` one has none yet."""
    if not fresh:
        clear(conn, submission_id)
    for link in links:
        _ADD.run(conn, {"submission_id": submission_id, **dict(zip(_NAMES, link, strict=True))})


def clear(conn: Connection, submission_id: int) -> None:
    """A submission speaks of no entity any more."""
    conn.execute(delete(entity_links).where(entity_links.c.submission_id == submission_id))


def told_by(row: FromClause, paths: Collection[str]) -> ColumnElement[Any]:
    """The id of the entity of which a typed row speaks in a block declared at one of `paths`, or of that which it was merged
    into; NULL where it speaks of none that there is."""
    held, survivor = entities.alias(), entities.alias()
    return (
        select(func.min(func.coalesce(survivor.c.uuid, held.c.uuid)))
        .select_from(
            entity_links.join(
                held, (held.c.dataset_id == entity_links.c.dataset_id) & (held.c.uuid == entity_links.c.uuid)
            ).outerjoin(survivor, survivor.c.id == held.c.merged_into_id)
        )
        .where(
            entity_links.c.submission_id == row.c["_submission_id"],
            entity_links.c.row_key == row.c["_key"],
            entity_links.c.path.in_(sorted(paths)),
        )
        .correlate_except(entity_links, held, survivor)
        .scalar_subquery()
    )


def standing_for(dataset_id: int, key: ColumnElement[Any]) -> ColumnElement[Any]:
    """The id of the entity that stands for an answer that names one of a list: after a merge that of the survivor."""
    held, survivor = entities.alias(), entities.alias()
    merged = (
        select(survivor.c.uuid)
        .select_from(held.join(survivor, survivor.c.id == held.c.merged_into_id))
        .where(held.c.dataset_id == dataset_id, held.c.uuid == cast(key, Text))
        .correlate_except(held, survivor)
        .scalar_subquery()
    )
    return func.coalesce(merged, cast(key, Text))


def all_of(dataset_id: int) -> Any:
    """The ids of every entity of a list, deleted and merged ones too, as a SELECT of one column."""
    return select(entities.c.uuid).where(entities.c.dataset_id == dataset_id)

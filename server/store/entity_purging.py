"""SQL for entities that are removed for good."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, exists, insert, or_, select, update

from server.model.entities import (
    datasets,
    entities,
    entity_receipts,
    entity_sources,
    entity_versions,
    purged_entities,
)
from server.model.merging import distinct_entities, entity_merges

_AT_ONCE: Final = 500
_LISTED: Final = entities.join(datasets, datasets.c.id == entities.c.dataset_id)
_ALIASES: Final = entities.alias()


def purge(conn: Connection, dataset_id: int, entity_ids: Collection[int], when: datetime) -> None:
    """Remove entities with every version for good; their ids are remembered, so that none comes back."""
    wanted = list(entity_ids)
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        gone = conn.execute(select(entities.c.uuid).where(entities.c.id.in_(some))).scalars()
        rows = [{"dataset_id": dataset_id, "uuid": uuid, "purged_at": when} for uuid in gone]
        conn.execute(
            update(entity_receipts)
            .where(entity_receipts.c.entity_id.in_(some))
            .values(entity_id=None, entity_version=None)
        )
        versions = entity_versions.c.entity_id.in_(some)
        sources = list(conn.execute(select(entity_versions.c.source_id).where(versions).distinct()).scalars())
        conn.execute(delete(entity_versions).where(versions))
        conn.execute(delete(entities).where(entities.c.id.in_(some)))
        conn.execute(insert(purged_entities), rows)
        still = exists().where(entity_versions.c.source_id == entity_sources.c.id)
        for first in range(0, len(sources), _AT_ONCE):
            orphans = entity_sources.c.id.in_(sources[first : first + _AT_ONCE])
            conn.execute(delete(entity_sources).where(orphans, ~still))


def list_purgeable(conn: Connection, dataset_id: int, *, before: datetime, most: int | None = None) -> list[int]:
    """Row ids of entities that were deleted before that moment, or whose list was, and that no merge holds."""
    statement = select(entities.c.id).select_from(_LISTED).where(entities.c.dataset_id == dataset_id, *_due(before))
    return list(conn.execute(statement.order_by(entities.c.id).limit(most)).scalars())


def list_due(conn: Connection, *, before: datetime) -> list[int]:
    """Row ids of the lists that have such entities."""
    statement = select(entities.c.dataset_id).select_from(_LISTED).where(*_due(before)).distinct()
    return list(conn.execute(statement.order_by(entities.c.dataset_id)).scalars())


def _due(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        or_(entities.c.deleted_at < before, datasets.c.deleted_at < before),
        # facts that were kept of who took back the consent are counted still, as long as there is the list
        or_(entities.c.withdrawn_at.is_(None), datasets.c.deleted_at < before),
        entities.c.merged_into_id.is_(None),
        entities.c.id.not_in(select(_ALIASES.c.merged_into_id).where(_ALIASES.c.merged_into_id.is_not(None))),
        entities.c.id.not_in(select(entity_merges.c.survivor_id)),
        entities.c.id.not_in(select(entity_merges.c.absorbed_id)),
        entities.c.id.not_in(select(distinct_entities.c.first_id)),
        entities.c.id.not_in(select(distinct_entities.c.second_id)),
    )

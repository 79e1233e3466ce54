"""SQL for merges of entities and for pairs that are two."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from server.model.entities import Entity, entities
from server.model.merging import Merge, distinct_entities, entity_merges
from server.store import entities as stored


def add(
    conn: Connection,
    *,
    survivor_id: int,
    absorbed_id: int,
    survivor_version: int,
    reason: str,
    actor_id: int | None,
    created_at: datetime,
) -> int:
    """A merge; gives its id."""
    statement = insert(entity_merges).values(
        survivor_id=survivor_id,
        absorbed_id=absorbed_id,
        survivor_version=survivor_version,
        reason=reason,
        actor_id=actor_id,
        created_at=created_at,
    )
    return int(conn.execute(statement.returning(entity_merges.c.id)).scalar_one())


def find(conn: Connection, dataset_id: int, merge_id: int) -> Merge | None:
    """A merge of a list by its number."""
    row = conn.execute(
        select(entity_merges)
        .join(entities, entities.c.id == entity_merges.c.survivor_id)
        .where(entity_merges.c.id == merge_id, entities.c.dataset_id == dataset_id)
    ).first()
    return Merge(*row) if row else None


def list_merges(conn: Connection, dataset_id: int) -> list[Merge]:
    """Every merge of a list, the newest first, undone ones too."""
    rows = conn.execute(
        select(entity_merges)
        .join(entities, entities.c.id == entity_merges.c.survivor_id)
        .where(entities.c.dataset_id == dataset_id)
        .order_by(entity_merges.c.id.desc())
    )
    return [Merge(*row) for row in rows]


def undo(conn: Connection, merge_id: int, *, actor_id: int | None, reason: str, when: datetime) -> None:
    """Note that a merge was taken back."""
    conn.execute(
        update(entity_merges)
        .where(entity_merges.c.id == merge_id)
        .values(undone_at=when, undone_by=actor_id, undone_reason=reason)
    )


def has_later(conn: Connection, merge: Merge) -> bool:
    """Whether one of the two was merged once more after this, and that stands."""
    both = (merge.survivor_id, merge.absorbed_id)
    later = (
        select(entity_merges.c.id)
        .where(
            entity_merges.c.id > merge.id,
            entity_merges.c.undone_at.is_(None),
            entity_merges.c.survivor_id.in_(both) | entity_merges.c.absorbed_id.in_(both),
        )
        .limit(1)
    )
    return conn.execute(later).first() is not None


def survivor_of(conn: Connection, entity: Entity) -> Entity:
    """The entity that stands for one: itself, or that which it was merged into (an alias is one step away)."""
    return entity if entity.merged_into_id is None else stored.get(conn, entity.merged_into_id)


def point(conn: Connection, from_id: int, to_id: int) -> None:
    """Whatever was merged into one entity is merged into another from now on: an alias is one step away."""
    conn.execute(update(entities).where(entities.c.merged_into_id == from_id).values(merged_into_id=to_id))


def point_back(conn: Connection, entity_id: int) -> None:
    """Whatever was merged into an entity before it was merged itself is merged into it again."""
    inside, found = {entity_id}, {entity_id}
    while found:
        standing = select(entity_merges.c.absorbed_id).where(
            entity_merges.c.survivor_id.in_(sorted(found)), entity_merges.c.undone_at.is_(None)
        )
        found = set(conn.execute(standing).scalars()) - inside
        inside |= found
    absorbed = sorted(inside - {entity_id})
    if absorbed:
        conn.execute(update(entities).where(entities.c.id.in_(absorbed)).values(merged_into_id=entity_id))


def set_distinct(
    conn: Connection, pair: tuple[int, int], *, reason: str | None, actor_id: int | None, when: datetime
) -> None:
    """Two entities, by row ids, are two persons or things."""
    first, second = sorted(pair)
    mine = (distinct_entities.c.first_id == first, distinct_entities.c.second_id == second)
    conn.execute(delete(distinct_entities).where(*mine))
    conn.execute(
        insert(distinct_entities).values(
            first_id=first, second_id=second, reason=reason, actor_id=actor_id, created_at=when
        )
    )


def list_distinct(conn: Connection, dataset_id: int) -> frozenset[tuple[int, int]]:
    """The pairs of a list that are two, by row ids, the lower first."""
    rows = conn.execute(
        select(distinct_entities.c.first_id, distinct_entities.c.second_id)
        .join(entities, entities.c.id == distinct_entities.c.first_id)
        .where(entities.c.dataset_id == dataset_id)
    )
    return frozenset((int(row.first_id), int(row.second_id)) for row in rows)

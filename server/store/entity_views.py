"""SQL for what somebody sees of an entity list: all living entities, or those that filters leave."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from server.model.entities import entities, purged_entities
from server.store.entities import LIVING, property_text

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A list as somebody sees it.

    `creator_id`: only what this actor created; `equal`: only entities whose property holds this text, each of them.
    `nothing`: no entity at all, since the actor lacks a value that a filter asks for.
    """

    dataset_id: int
    creator_id: int | None = None
    equal: tuple[tuple[str, str], ...] = ()
    nothing: bool = False

    @property
    def whole(self) -> bool:
        """Whether it holds every living entity."""
        return self.creator_id is None and not self.equal and not self.nothing


def rows(conn: Connection, view: View) -> Iterator[tuple[str, str, int, Mapping[str, str]]]:
    """Id, label, version and properties of each entity of a view, the newest first; memory does not grow with them."""
    if view.nothing:
        return
    statement = (
        select(entities.c.uuid, entities.c.label, entities.c.version, entities.c.data)
        .where(*_seen(conn, view), *LIVING)
        .order_by(entities.c.id.desc())
        .execution_options(stream_results=True, yield_per=1000)
    )
    for row in conn.execute(statement):
        yield row.uuid, row.label, row.version, row.data


def digest(conn: Connection, view: View) -> str:
    """A text that is another one whenever a view holds another entity, or another version of one."""
    if view.nothing:
        return ""
    told = hashlib.sha256()
    statement = select(entities.c.uuid, entities.c.version).where(*_seen(conn, view), *LIVING).order_by(entities.c.id)
    for row in conn.execute(statement.execution_options(stream_results=True, yield_per=1000)):
        told.update(f"{row.uuid}:{row.version}\n".encode())
    return told.hexdigest()


def states(conn: Connection, view: View, uuids: Collection[str]) -> dict[str, bool]:
    """Of these ids that the list has or had, whether the entity is gone for whoever has this view; others are left out."""
    found: dict[str, bool] = {}
    wanted = sorted(set(uuids))
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        known = select(entities.c.uuid).where(entities.c.dataset_id == view.dataset_id, entities.c.uuid.in_(some))
        purged = select(purged_entities.c.uuid).where(
            purged_entities.c.dataset_id == view.dataset_id, purged_entities.c.uuid.in_(some)
        )
        found.update(dict.fromkeys(conn.execute(known).scalars(), True))
        found.update(dict.fromkeys(conn.execute(purged).scalars(), True))
        if not view.nothing:
            seen = select(entities.c.uuid).where(*_seen(conn, view), *LIVING, entities.c.uuid.in_(some))
            found.update(dict.fromkeys(conn.execute(seen).scalars(), False))
    return found


def _seen(conn: Connection, view: View) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [entities.c.dataset_id == view.dataset_id]
    if view.creator_id is not None:
        conditions.append(entities.c.creator_id == view.creator_id)
    conditions.extend(property_text(conn, name) == value for name, value in view.equal)
    return conditions

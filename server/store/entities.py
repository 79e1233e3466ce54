"""SQL for entities and their versions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    bindparam,
    exists,
    func,
    insert,
    select,
    type_coerce,
    update,
)

from server.model.entities import (
    Entity,
    EntityVersion,
    SourceKind,
    entities,
    entity_sources,
    entity_versions,
    purged_entities,
    read_version,
)
from server.model.people import ActorLine
from server.model.submissions import submission_versions
from server.prepared import Prepared
from server.store import pseudonyms
from server.store.people import LINE

COLUMNS: tuple[ColumnElement[Any], ...] = (
    entities.c.id,
    entities.c.dataset_id,
    entities.c.uuid,
    entities.c.version,
    entities.c.label,
    entities.c.data,
    entities.c.conflict,
    entities.c.creator_id,
    entities.c.created_at,
    entities.c.updated_at,
    entities.c.deleted_at,
    entities.c.merged_into_id,
    entities.c.withdrawn_at,
)
LIVING: tuple[ColumnElement[bool], ...] = (
    entities.c.deleted_at.is_(None),
    entities.c.merged_into_id.is_(None),
    entities.c.withdrawn_at.is_(None),
)
"""What is true of an entity that stands: not deleted, not merged into another, its person's consent not taken back."""
VERSION_COLUMNS: tuple[ColumnElement[Any], ...] = (
    entity_versions.c.id,
    entity_versions.c.entity_id,
    entity_versions.c.version,
    entity_versions.c.label,
    entity_versions.c.data,
    entity_versions.c.received,
    entity_versions.c.base_version,
    entity_versions.c.trunk_version,
    entity_versions.c.branch_id,
    entity_versions.c.branch_base_version,
    entity_versions.c.conflicting,
    entity_versions.c.source_id,
    entity_versions.c.creator_id,
    entity_versions.c.user_agent,
    entity_versions.c.created_at,
    entity_sources.c.kind,
    entity_sources.c.forced,
    entity_sources.c.details,
    entity_sources.c.submission_version_id,
)
_AT_ONCE: Final = 500
_FIND = Prepared(
    select(*COLUMNS).where(entities.c.dataset_id == bindparam("dataset_id"), entities.c.uuid == bindparam("uuid"))
)
_GET = Prepared(select(*COLUMNS).where(entities.c.id == bindparam("id")))
_VERSIONS = Prepared(
    select(*VERSION_COLUMNS)
    .join(entity_sources, entity_sources.c.id == entity_versions.c.source_id)
    .where(entity_versions.c.entity_id == bindparam("entity_id"))
    .order_by(entity_versions.c.version)
)
_NEW = ("dataset_id", "uuid", "version", "label", "data", "creator_id", "created_at")
_ADD = Prepared(insert(entities).inline().returning(entities.c.id), columns=_NEW)
_NEW_VERSION = (
    *("entity_id", "version", "label", "data", "received", "base_version", "trunk_version", "branch_id"),
    *("branch_base_version", "conflicting", "source_id", "creator_id", "user_agent", "created_at"),
)
_ADD_VERSION = Prepared(insert(entity_versions).inline(), columns=_NEW_VERSION)
_NEW_SOURCE = ("kind", "submission_version_id", "forced", "details", "created_at")
_ADD_SOURCE = Prepared(insert(entity_sources).inline().returning(entity_sources.c.id), columns=_NEW_SOURCE)


def find(conn: Connection, dataset_id: int, uuid: str) -> Entity | None:
    """The entity of that id in a list, deleted and merged ones too."""
    row = _FIND.first(conn, {"dataset_id": dataset_id, "uuid": uuid})
    return Entity(*row) if row else None


def get(conn: Connection, entity_id: int) -> Entity:
    """The entity with this row id."""
    return Entity(*_GET.all(conn, {"id": entity_id})[0])


def list_versions(conn: Connection, entity_id: int) -> list[EntityVersion]:
    """Every version of an entity, eldest first."""
    return [read_version(row) for row in _VERSIONS.all(conn, {"entity_id": entity_id})]


def list_made(conn: Connection, submission_id: int) -> list[EntityVersion]:
    """The versions of whatever entities that a submission or its corrections made, in the order in which they were made."""
    statement = (
        select(*VERSION_COLUMNS)
        .join(entity_sources, entity_sources.c.id == entity_versions.c.source_id)
        .join(submission_versions, submission_versions.c.id == entity_sources.c.submission_version_id)
        .where(submission_versions.c.submission_id == submission_id)
        .order_by(entity_versions.c.id)
    )
    return [read_version(row) for row in conn.execute(statement)]


def was_purged(conn: Connection, dataset_id: int, uuid: str) -> bool:
    """Whether an entity of that id was in the list and is gone for good."""
    there = exists().where(purged_entities.c.dataset_id == dataset_id, purged_entities.c.uuid == uuid)
    return bool(conn.execute(select(there)).scalar())


def list_used(conn: Connection, dataset_id: int, uuids: Collection[str]) -> dict[str, bool]:
    """Which of these ids a list has or had, and whether its entity is deleted or purged."""
    found: dict[str, bool] = {}
    wanted = list(uuids)
    for at in range(0, len(wanted), 500):
        some = wanted[at : at + 500]
        for uuid, deleted_at in conn.execute(
            select(entities.c.uuid, entities.c.deleted_at).where(
                entities.c.dataset_id == dataset_id, entities.c.uuid.in_(some)
            )
        ):
            found[uuid] = deleted_at is not None
        gone = select(purged_entities.c.uuid).where(
            purged_entities.c.dataset_id == dataset_id, purged_entities.c.uuid.in_(some)
        )
        found.update(dict.fromkeys(conn.execute(gone).scalars(), True))
    return found


def add_source(
    conn: Connection,
    *,
    kind: SourceKind,
    created_at: datetime,
    submission_version_id: int | None = None,
    forced: bool = False,
    details: Mapping[str, Any] | None = None,
) -> int:
    """Where versions come from; gives its id."""
    values = {
        "kind": kind,
        "submission_version_id": submission_version_id,
        "forced": forced,
        "details": dict(details) if details is not None else None,
        "created_at": created_at,
    }
    return int(_ADD_SOURCE.all(conn, values)[0][0])


def begin(
    conn: Connection,
    *,
    dataset_id: int,
    uuid: str,
    label: str,
    data: Mapping[str, str],
    received: Mapping[str, str],
    source_id: int,
    creator_id: int | None,
    user_agent: str | None,
    created_at: datetime,
    branch_id: str | None = None,
    trunk_version: int | None = None,
    branch_base_version: int | None = None,
) -> int:
    """An entity with its first version; gives its row id."""
    entity_id = int(
        _ADD.all(
            conn,
            {
                "dataset_id": dataset_id,
                "uuid": uuid,
                "version": 1,
                "label": label,
                "data": dict(data),
                "creator_id": creator_id,
                "created_at": created_at,
            },
        )[0][0]
    )
    _add_version(
        conn,
        entity_id=entity_id,
        version=1,
        label=label,
        data=data,
        received=received,
        trunk_version=trunk_version,
        branch_id=branch_id,
        branch_base_version=branch_base_version,
        source_id=source_id,
        creator_id=creator_id,
        user_agent=user_agent,
        created_at=created_at,
    )
    return entity_id


def begin_many(
    conn: Connection,
    dataset_id: int,
    wanted: Sequence[tuple[str, str, Mapping[str, str]]],
    *,
    source_id: int,
    creator_id: int | None,
    user_agent: str | None,
    created_at: datetime,
) -> None:
    """Entities (id, label, properties) with their first versions, by few statements however many they are."""
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        common = {"version": 1, "creator_id": creator_id, "created_at": created_at}
        conn.execute(
            insert(entities),
            [
                {"dataset_id": dataset_id, "uuid": uuid, "label": label, "data": dict(data), **common}
                for uuid, label, data in some
            ],
        )
        made = select(entities.c.uuid, entities.c.id).where(
            entities.c.dataset_id == dataset_id, entities.c.uuid.in_([uuid for uuid, _, _ in some])
        )
        ids = {row.uuid: row.id for row in conn.execute(made)}
        conn.execute(
            insert(entity_versions),
            [
                {
                    "entity_id": ids[uuid],
                    "label": label,
                    "data": dict(data),
                    "received": {**data, "label": label},
                    "source_id": source_id,
                    "user_agent": user_agent,
                    **common,
                }
                for uuid, label, data in some
            ],
        )


def list_by_uuid(conn: Connection, dataset_id: int, uuids: Collection[str]) -> list[Entity]:
    """Those of these ids that a list has, deleted ones too; without those whose persons took back their consent."""
    wanted = list(uuids)
    found: list[Entity] = []
    for at in range(0, len(wanted), _AT_ONCE):
        statement = select(*COLUMNS).where(
            entities.c.dataset_id == dataset_id,
            entities.c.uuid.in_(wanted[at : at + _AT_ONCE]),
            entities.c.withdrawn_at.is_(None),
        )
        found.extend(Entity(*row) for row in conn.execute(statement))
    return found


def turn(conn: Connection, entity_ids: Sequence[int], *, when: datetime, deleted: bool) -> None:
    """Put entities away, or bring them back."""
    values = {"deleted_at": when} if deleted else {"deleted_at": None, "updated_at": when}
    for at in range(0, len(entity_ids), _AT_ONCE):
        some = entities.c.id.in_(entity_ids[at : at + _AT_ONCE])
        conn.execute(update(entities).where(some).values(**values))


def extend(
    conn: Connection,
    entity: Entity,
    *,
    label: str,
    data: Mapping[str, str],
    received: Mapping[str, str],
    base_version: int,
    conflict: str | None,
    conflicting: Collection[str],
    source_id: int,
    creator_id: int | None,
    user_agent: str | None,
    created_at: datetime,
    branch_id: str | None = None,
    trunk_version: int | None = None,
    branch_base_version: int | None = None,
) -> int:
    """One more version of an entity, which is current from now on; gives its number."""
    version = entity.version + 1
    _add_version(
        conn,
        entity_id=entity.id,
        version=version,
        label=label,
        data=data,
        received=received,
        base_version=base_version,
        trunk_version=trunk_version,
        branch_id=branch_id,
        branch_base_version=branch_base_version,
        conflicting=conflicting,
        source_id=source_id,
        creator_id=creator_id,
        user_agent=user_agent,
        created_at=created_at,
    )
    change(
        conn,
        entity.id,
        version=version,
        label=label,
        data=dict(data),
        conflict=conflict,
        updated_at=created_at,
    )
    return version


def _add_version(
    conn: Connection,
    *,
    data: Mapping[str, str],
    received: Mapping[str, str],
    base_version: int | None = None,
    conflicting: Collection[str] = (),
    **values: Any,
) -> None:
    more = {"base_version": base_version, "conflicting": list(conflicting) or None}
    _ADD_VERSION.run(conn, {**values, **more, "data": dict(data), "received": dict(received)})


def change(conn: Connection, entity_id: int, **values: Any) -> None:
    """Other values in an entity's row."""
    conn.execute(update(entities).where(entities.c.id == entity_id).values(**values))


def list_living(conn: Connection, dataset_id: int) -> Iterator[Entity]:
    """The living entities of a list, eldest first."""
    statement = select(*COLUMNS).where(entities.c.dataset_id == dataset_id, *LIVING).order_by(entities.c.id)
    for row in conn.execute(statement.execution_options(yield_per=1000)):
        yield Entity(*row)


def lacks_names(conn: Connection, dataset_id: int, project_id: int, subject: str) -> bool:
    """Whether an entity of a list, deleted or not, has no pseudonym under `subject`."""
    return pseudonyms.lacks(conn, project_id, subject, _uuids(dataset_id))


def give_names(conn: Connection, dataset_id: int, project_id: int, subject: str) -> None:
    """A pseudonym to each entity of a list that has none yet."""
    pseudonyms.give(conn, project_id, subject, _uuids(dataset_id))


def _uuids(dataset_id: int) -> Select[Any]:
    return select(entities.c.uuid).where(entities.c.dataset_id == dataset_id)


def list_creators(conn: Connection, dataset_id: int) -> list[ActorLine]:
    """Who made the living entities of a list, by name."""
    made = select(entities.c.creator_id).where(entities.c.dataset_id == dataset_id, *LIVING)
    rows = conn.execute(select(*LINE).where(LINE[0].in_(made)).order_by(LINE[2], LINE[0]))
    return [ActorLine(*row) for row in rows]


def list_valued(conn: Connection, dataset_id: int, name: str, *, most: int) -> tuple[int, list[tuple[str, str]]]:
    """How many living entities have a value of a property that is not blank, and id and label of the first of them."""
    value = property_text(conn, name)
    found = (entities.c.dataset_id == dataset_id, *LIVING, func.trim(func.coalesce(value, "")) != "")
    count = int(conn.execute(select(func.count()).select_from(entities).where(*found)).scalar_one())
    some = conn.execute(select(entities.c.uuid, entities.c.label).where(*found).order_by(entities.c.id).limit(most))
    return count, [(str(row.uuid), str(row.label)) for row in some]


def property_text(conn: Connection, name: str) -> ColumnElement[str]:
    """A property's text, NULL where it has none; names of properties hold no quotes (forms/entities.is_property_name)."""
    if conn.dialect.name == "postgresql":
        return type_coerce(entities.c.data, Text()).op("->>")(name)
    return func.json_extract(entities.c.data, f'$."{name}"', type_=Text())

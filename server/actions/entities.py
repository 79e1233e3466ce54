"""Entities by hand: listed, created, changed, deleted, brought back, and what became of each."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from forms import entity_history, entity_problems
from forms.entities import normal_uuid
from forms.entity_history import Step, Told
from forms.problems import Problem, Sentence
from server import problems
from server.access import require
from server.actions import entity_sight
from server.actions.entity_finding import find_dataset, find_entity
from server.context import Context
from server.model.entities import Dataset, Entity, EntityVersion, Property, SourceKind
from server.store import audits as stored_audits
from server.store import datasets, entities

MOST_AT_ONCE: Final = 50_000
"""Entities that one request may create."""
PURGE_AFTER: Final = timedelta(days=30)
"""How long deleted entities can be brought back, unless somebody says otherwise: as in ODK Central."""


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """An entity to be created; `uuid` None: a new one is made."""

    label: str
    uuid: str | None = None
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version and what is to be said of it."""

    version: EntityVersion
    current: bool
    told: Told


def list_entities(
    ctx: Context, project_id: int, name: str, *, deleted: bool = False, conflict: bool | None = None
) -> list[Entity]:
    """The entities of a list, the newest first; without what identifies people for whoever may not see that."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.list", found.project)
    seen = entity_sight.of(ctx, found.project, found.row)
    return [seen.entity(one) for one in entities.list_page(ctx.conn, found.row.id, deleted=deleted, conflict=conflict)]


def get_entity(ctx: Context, project_id: int, name: str, uuid: str, *, deleted: bool = False) -> Entity:
    """One entity. Raises Problem 404.1, 400.11."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.read", found.project)
    return entity_sight.of(ctx, found.project, found.row).entity(find_entity(ctx, found.row, uuid, deleted=deleted))


def get_current(ctx: Context, project_id: int, name: str, uuid: str) -> tuple[Entity, EntityVersion]:
    """One living entity and its current version. Raises Problem 404.1, 400.11."""
    entity = get_entity(ctx, project_id, name, uuid)
    version = entities.list_versions(ctx.conn, entity.id)[-1]
    found = find_dataset(ctx, project_id, name)
    return entity, entity_sight.of(ctx, found.project, found.row).version(version)


def list_versions(ctx: Context, project_id: int, name: str, uuid: str, *, relevant: bool = False) -> list[VersionLine]:
    """Every version of an entity, eldest first, or (`relevant`) those that its conflict is about. Raises Problem 404.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.read", found.project)
    entity = find_entity(ctx, found.row, uuid)
    versions = entities.list_versions(ctx.conn, entity.id)
    seen = entity_sight.of(ctx, found.project, found.row)
    told = entity_history.tell(
        [_step(one) for one in versions], resolved_up_to=stored_audits.last_resolved(ctx.conn, entity.id)
    )
    return [
        VersionLine(seen.version(one), one.version == entity.version, seen.told(what))
        for one, what in zip(versions, told, strict=True)
        if what.relevant or not relevant
    ]


def list_changes(ctx: Context, project_id: int, name: str, uuid: str) -> list[list[tuple[str, str | None, str]]]:
    """What each version but the first changed: property, old value, new value. Raises Problem 404.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.read", found.project)
    entity = find_entity(ctx, found.row, uuid)
    seen = entity_sight.of(ctx, found.project, found.row)
    versions = [seen.version(one) for one in entities.list_versions(ctx.conn, entity.id)]
    return entity_history.changes([_step(one) for one in versions])


def create(
    ctx: Context,
    project_id: int,
    name: str,
    wanted: Sequence[New],
    *,
    source: Mapping[str, Any] | None = None,
    user_agent: str | None = None,
) -> list[Entity]:
    """Add entities to a list, all or none. `source` says where many at once come from.

    Raises Problem 400.28 (a property that the list has not), 400.11, 409.3 (an id that is taken), 409.19 (one of a deleted
    entity).
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.create", found.project)
    if len(wanted) > MOST_AT_ONCE:
        raise problems.too_large("entities", MOST_AT_ONCE)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    known = {one.name for one in datasets.list_properties(ctx.conn, dataset.id)}
    ready = [(normal_uuid(one.uuid) if one.uuid else str(uuids.uuid4()), one) for one in wanted]
    for _, one in ready:
        check(one.label, one.data, known)
    _check_free(ctx, dataset, [identity for identity, _ in ready])
    source_id = entities.add_source(
        ctx.conn, kind="api" if source is None else "bulk", details=source, created_at=ctx.now()
    )
    made = [
        entities.begin(
            ctx.conn,
            dataset_id=dataset.id,
            uuid=identity,
            label=one.label,
            data=one.data,
            received={**one.data, "label": one.label},
            source_id=source_id,
            creator_id=ctx.actor_id,
            user_agent=user_agent,
            created_at=ctx.now(),
        )
        for identity, one in ready
    ]
    datasets.touch(ctx.conn, dataset.id)
    if source is None:
        for entity_id, (identity, _) in zip(made, ready, strict=True):
            _record(ctx, dataset, "entity.create", entity_id, identity)
    else:
        ctx.record("entity.bulk.create", project_id=project_id, dataset_id=dataset.id, details={"source": dict(source)})
    return [entities.get(ctx.conn, entity_id) for entity_id in made]


def change(
    ctx: Context,
    project_id: int,
    name: str,
    uuid: str,
    *,
    base_version: str | None,
    label: str | None = None,
    data: Mapping[str, str] | None = None,
    force: bool = False,
    resolve: bool = False,
    user_agent: str | None = None,
) -> Entity:
    """A new version of an entity by hand, and (`resolve`) its conflict resolved; only that where nothing is given.

    Raises Problem 409.15 where `base_version` is not the current one and nobody forces it, 400.32 where there is no conflict
    to resolve, 400.28 and 400.8 for what cannot stand.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.update", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    entity = find_entity(ctx, dataset, uuid)
    if resolve and entity.conflict is None:
        raise entity_problems.no_conflict()
    if base_version != str(entity.version) and not force:
        raise entity_problems.version_conflict(str(entity.version), base_version)
    if label is not None or data:
        known = {one.name for one in datasets.list_properties(ctx.conn, dataset.id)}
        check(entity.label if label is None else label, data or {}, known)
        _extend(ctx, entity, label=label, data=data or {}, kind="api", user_agent=user_agent)
        datasets.touch(ctx.conn, dataset.id)
        _record(ctx, dataset, "entity.update.version", entity.id, entity.uuid)
    elif not resolve:
        raise entity_problems.invalid(Sentence("No hay nada que cambiar.", "No entity data or label provided."))
    if resolve:
        entities.change(ctx.conn, entity.id, conflict=None, updated_at=ctx.now())
        current = entities.get(ctx.conn, entity.id)
        ctx.record(
            "entity.update.resolve",
            project_id=project_id,
            dataset_id=dataset.id,
            entity_id=entity.id,
            details={"entity": {"uuid": entity.uuid, "dataset": dataset.name, "version": current.version}},
        )
    return entities.get(ctx.conn, entity.id)


def delete(ctx: Context, project_id: int, name: str, wanted: Collection[str], *, bulk: bool = False) -> list[str]:
    """Put entities away: phones lose them at their next update. Gives the ids of those that lived.

    Raises Problem 404.1 where the only one asked for does not.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.delete", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    return _turn(ctx, dataset, wanted, deleted=True, bulk=bulk)


def restore(ctx: Context, project_id: int, name: str, wanted: Collection[str], *, bulk: bool = False) -> list[str]:
    """Bring deleted entities back; those that were merged come back by undoing that. Gives the ids of those that came.

    Raises Problem 404.1 where the only one asked for is not deleted.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.restore", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    return _turn(ctx, dataset, wanted, deleted=False, bulk=bulk)


def purge(ctx: Context, project_id: int, name: str, *, days: int | None = None) -> int:
    """Remove for good what was deleted so many days ago (None: PURGE_AFTER); gives how many entities.

    Their ids are never given again. Merged entities and those that were told apart stay, since others rest on them.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "config.set", None)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    before = ctx.now() - (PURGE_AFTER if days is None else timedelta(days=days))
    gone = entities.purge(
        ctx.conn, dataset.id, entities.list_deleted_ids(ctx.conn, dataset.id, before=before), ctx.now()
    )
    if gone:
        ctx.record("entity.purge", project_id=project_id, dataset_id=dataset.id, details={"entitiesPurged": gone})
    return gone


def stream(ctx: Context, project_id: int, name: str) -> tuple[list[Property], Iterator[Entity]]:
    """The properties of a list and its living entities, the newest first, read as they are asked for."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.list", found.project)
    seen = entity_sight.of(ctx, found.project, found.row)
    properties = [one for one in datasets.list_properties(ctx.conn, found.row.id) if one.name not in seen.hidden]
    return properties, (seen.entity(one) for one in entities.list_page(ctx.conn, found.row.id))


def check(label: str, data: Mapping[str, str], known: Collection[str]) -> None:
    """What is wrong with an entity that somebody writes. Raises Problem 400.8 (a blank label), 400.28."""
    if not label.strip():
        told = Sentence("no puede estar en blanco.", "Label cannot be blank.")
        raise problems.wrong_value("label", "(empty string)", told)
    if "\0" in label or any("\0" in text for text in data.values()):
        raise problems.not_storable()
    for name in data:
        if name not in known:
            raise entity_problems.invalid(
                Sentence(
                    f"La lista no tiene la propiedad «{name}».",
                    f"You specified the dataset property [{name}] which does not exist.",
                )
            )


def _check_free(ctx: Context, dataset: Dataset, wanted: Sequence[str]) -> None:
    doubled = {identity for identity in wanted if wanted.count(identity) > 1} if len(wanted) < 1000 else _twice(wanted)
    if doubled:
        raise entity_problems.taken(min(doubled))
    used = entities.list_used(ctx.conn, dataset.id, wanted)
    deleted = sorted(identity for identity, gone in used.items() if gone)
    if deleted:
        raise entity_problems.uses_deleted(*deleted)
    if used:
        raise entity_problems.taken(min(used))


def _twice(wanted: Sequence[str]) -> set[str]:
    seen: set[str] = set()
    return {identity for identity in wanted if identity in seen or seen.add(identity)}  # type: ignore[func-returns-value]


def _turn(ctx: Context, dataset: Dataset, wanted: Collection[str], *, deleted: bool, bulk: bool) -> list[str]:
    turned: list[tuple[int, str]] = []
    for text in wanted:
        try:
            entity = find_entity(ctx, dataset, text, deleted=not deleted)
        except Problem:
            if bulk:
                continue
            raise
        if not deleted and entity.merged_into_id is not None:
            raise entity_problems.not_mergeable(
                Sentence(
                    "La entidad se fusionó con otra: deshaga la fusión.",
                    "The entity was merged into another one: undo the merge.",
                )
            )
        entities.change(
            ctx.conn,
            entity.id,
            deleted_at=ctx.now() if deleted else None,
            updated_at=entity.updated_at if deleted else ctx.now(),
        )
        turned.append((entity.id, entity.uuid))
    if not turned:
        return []
    datasets.touch(ctx.conn, dataset.id)
    action = "delete" if deleted else "restore"
    if bulk and len(turned) > 1:
        ctx.record(
            f"entity.bulk.{action}",
            project_id=dataset.project_id,
            dataset_id=dataset.id,
            details={"entityUuids": [identity for _, identity in turned]},
        )
    else:
        for entity_id, identity in turned:
            _record(ctx, dataset, f"entity.{action}", entity_id, identity)
    return [identity for _, identity in turned]


def _extend(
    ctx: Context,
    entity: Entity,
    *,
    label: str | None,
    data: Mapping[str, str],
    kind: SourceKind,
    user_agent: str | None,
) -> None:
    source_id = entities.add_source(ctx.conn, kind=kind, created_at=ctx.now())
    entities.extend(
        ctx.conn,
        entity,
        label=label or entity.label,
        data={**entity.data, **data},
        received={**data, **({"label": label} if label is not None else {})},
        base_version=entity.version,
        conflict=entity.conflict,
        conflicting=(),
        source_id=source_id,
        creator_id=ctx.actor_id,
        user_agent=user_agent,
        created_at=ctx.now(),
    )


def _step(one: EntityVersion) -> Step:
    return Step(
        version=one.version,
        label=one.label,
        data=one.data,
        received=one.received,
        base_version=one.base_version,
        branch_id=one.branch_id,
        trunk_version=one.trunk_version,
        conflicting=one.conflicting or (),
        late=(one.details or {}).get("action") == "create",
    )


def _record(ctx: Context, dataset: Dataset, action: str, entity_id: int, identity: str) -> None:
    ctx.record(
        action,
        project_id=dataset.project_id,
        dataset_id=dataset.id,
        entity_id=entity_id,
        details={"entity": {"uuid": identity, "dataset": dataset.name}},
    )

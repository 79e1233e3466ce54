"""Entities by hand: created, changed, deleted and brought back."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forms import entity_problems
from forms.entities import find_uuid, normal_uuid
from forms.problems import Sentence
from server import problems
from server.access import require
from server.actions import entity_reading, entity_sight
from server.actions.entity_finding import find_dataset
from server.context import Context
from server.model.entities import Dataset, Entity
from server.odata.entity_rows import Line
from server.store import datasets, entities


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """An entity to be created; `uuid` None: a new one is made."""

    label: str
    uuid: str | None = None
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an entity is to be from now on: another label (None leaves it), other values of these properties."""

    label: str | None = None
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """With what somebody does something (`user_agent`), and what they say of it, for the audit."""

    user_agent: str | None = None
    note: str | None = None


def create(ctx: Context, project_id: int, name: str, wanted: New, by: By) -> Line:
    """Add an entity to a list. Raises Problem 400.28 (a property that the list has not), 400.8 (a blank label), 400.11, 409.3
    (an id that is taken), 409.19 (that of a deleted entity)."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.create", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    [uuid] = _add(ctx, dataset, [wanted], entities.add_source(ctx.conn, kind="api", created_at=ctx.now()), by)
    entity = _get(ctx, dataset, uuid)
    _record(ctx, dataset, "entity.create", entity, by, version=1)
    return entity_reading.line_of(ctx, entity, uuid, entity_sight.of(ctx, found))


def create_many(
    ctx: Context, project_id: int, name: str, wanted: Sequence[New], source: Mapping[str, Any], by: By
) -> list[str]:
    """Add entities to a list, all or none; `source` says where they come from (`name`, `size`). Gives their ids in order.

    Raises what `create` raises.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.create", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    return add_many(ctx, dataset, wanted, source, by)


def add_many(ctx: Context, dataset: Dataset, wanted: Sequence[New], source: Mapping[str, Any], by: By) -> list[str]:
    """The same for a list that is held, inside an action that has asked."""
    details = {**source, "count": len(wanted), "userAgent": by.user_agent}
    source_id = entities.add_source(ctx.conn, kind="bulk", details=details, created_at=ctx.now())
    made = _add(ctx, dataset, wanted, source_id, by)
    ctx.record(
        "entity.bulk.create",
        project_id=dataset.project_id,
        dataset_id=dataset.id,
        details=_noted({"sourceId": source_id}, by),
    )
    return made


def change(
    ctx: Context,
    project_id: int,
    name: str,
    uuid: str,
    wish: Change | None,
    by: By,
    *,
    base_version: str | None = None,
    force: bool = False,
    resolve: bool = False,
) -> Line:
    """A new version of an entity by hand, and (`resolve`) its conflict resolved; only that where there is no wish.

    Raises Problem 409.15 where `base_version` is not the current one and nobody forces it, 400.32 where there is no conflict
    to resolve, 400.28 and 400.8 for what cannot stand.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.update", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    entity, seen = entity_sight.find(ctx, found, uuid)
    if resolve and entity.conflict is None:
        raise entity_problems.no_conflict()
    if base_version != str(entity.version) and not force:
        raise entity_problems.version_conflict(str(entity.version), base_version or "undefined")
    if wish is not None:
        check(wish.label, wish.data, _known(ctx, dataset))
        source_id = entities.add_source(ctx.conn, kind="api", created_at=ctx.now())
        extend(ctx, dataset, entity, wish, source_id, by)
    elif not resolve:
        raise entity_problems.invalid(Sentence("No hay ni valores ni etiqueta.", "No entity data or label provided."))
    if resolve:
        entities.change(ctx.conn, entity.id, conflict=None, updated_at=ctx.now())
        current = entities.get(ctx.conn, entity.id)
        _record(ctx, dataset, "entity.update.resolve", current, by, version=current.version)
    told = entity_sight.name_of(uuid, seen)
    return entity_reading.line_of(ctx, entities.get(ctx.conn, entity.id), told, seen)


def extend(ctx: Context, dataset: Dataset, entity: Entity, wish: Change, source_id: int, by: By) -> int:
    """A new version of an entity whose list is held, inside an action that has asked; gives its number."""
    received = {**wish.data, **({"label": wish.label} if wish.label is not None else {})}
    version = entities.extend(
        ctx.conn,
        entity,
        label=entity.label if wish.label is None else wish.label,
        data={**entity.data, **wish.data},
        received=received,
        base_version=entity.version,
        conflict=entity.conflict,
        conflicting=(),
        source_id=source_id,
        creator_id=ctx.actor_id,
        user_agent=by.user_agent,
        created_at=ctx.now(),
    )
    datasets.touch(ctx.conn, dataset.id)
    _record(ctx, dataset, "entity.update.version", entity, by, version=version)
    return version


def delete(ctx: Context, project_id: int, name: str, uuid: str, by: By) -> None:
    """Put an entity away: phones lose it at their next update. Raises Problem 404.1, 400.11."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.delete", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    entity, _ = entity_sight.find(ctx, found, uuid)
    _turn(ctx, dataset, [entity], by, deleted=True)


def restore(ctx: Context, project_id: int, name: str, uuid: str, by: By) -> None:
    """Bring a deleted entity back; one that was merged comes back by undoing that. Raises Problem 404.1, 400.11, 409.90."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.restore", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    entity, _ = entity_sight.find(ctx, found, uuid, deleted=True)
    _turn(ctx, dataset, [entity], by, deleted=False)


def delete_many(ctx: Context, project_id: int, name: str, wanted: Collection[str], by: By) -> list[str]:
    """Put those away that live of these ids; gives them. Raises Problem 404.1 for the list alone."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.delete", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    return _turn(ctx, dataset, _named(ctx, dataset, wanted, deleted=False), by, deleted=True)


def restore_many(ctx: Context, project_id: int, name: str, wanted: Collection[str], by: By) -> list[str]:
    """Bring those back that are deleted of these ids; gives them. Raises Problem 404.1, 409.90 as `restore` does."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.restore", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    return _turn(ctx, dataset, _named(ctx, dataset, wanted, deleted=True), by, deleted=False)


def check(label: str | None, data: Mapping[str, str], known: Collection[str]) -> None:
    """What is wrong with an entity that somebody writes. Raises Problem 400.8 (a blank label), 400.28."""
    if label is not None and not label.strip():
        told = Sentence("no puede estar en blanco.", "Label cannot be blank.")
        raise problems.wrong_value("label", "(empty string)", told)
    if "\0" in (label or "") or any("\0" in text for text in data.values()):
        raise problems.not_storable()
    for name in data:
        if name not in known:
            raise entity_problems.invalid(
                Sentence(
                    f"La lista no tiene la propiedad «{name}».",
                    f"You specified the dataset property [{name}] which does not exist.",
                )
            )


def _known(ctx: Context, dataset: Dataset) -> set[str]:
    return {one.name for one in datasets.list_properties(ctx.conn, dataset.id)}


def _add(ctx: Context, dataset: Dataset, wanted: Sequence[New], source_id: int, by: By) -> list[str]:
    """Keep new entities of a list that is held; gives their ids."""
    known = _known(ctx, dataset)
    ready = [(normal_uuid(one.uuid) if one.uuid else str(uuids.uuid4()), one) for one in wanted]
    for _, one in ready:
        check(one.label, one.data, known)
    _check_free(ctx, dataset, [uuid for uuid, _ in ready])
    entities.begin_many(
        ctx.conn,
        dataset.id,
        [(uuid, one.label, one.data) for uuid, one in ready],
        source_id=source_id,
        creator_id=ctx.actor_id,
        user_agent=by.user_agent,
        created_at=ctx.now(),
    )
    datasets.touch(ctx.conn, dataset.id)
    return [uuid for uuid, _ in ready]


def _check_free(ctx: Context, dataset: Dataset, wanted: Sequence[str]) -> None:
    seen: set[str] = set()
    for uuid in wanted:
        if uuid in seen:
            raise entity_problems.taken(uuid)
        seen.add(uuid)
    used = entities.list_used(ctx.conn, dataset.id, wanted)
    deleted = sorted(uuid for uuid, gone in used.items() if gone)
    if deleted:
        raise entity_problems.uses_deleted(*deleted)
    if used:
        raise entity_problems.taken(min(used))


def _named(ctx: Context, dataset: Dataset, wanted: Collection[str], *, deleted: bool) -> list[Entity]:
    """Those of these ids that live, or (`deleted`) that are deleted, in the order in which they are named."""
    names = list(dict.fromkeys(uuid for text in wanted if (uuid := find_uuid(text)) is not None))
    held = {one.uuid: one for one in entities.list_by_uuid(ctx.conn, dataset.id, names)}
    return [held[uuid] for uuid in names if uuid in held and (held[uuid].deleted_at is not None) == deleted]


def _turn(ctx: Context, dataset: Dataset, some: Sequence[Entity], by: By, *, deleted: bool) -> list[str]:
    """Put away or bring back entities of a list that is held; gives their ids."""
    if not some:
        return []
    if not deleted and any(one.merged_into_id is not None for one in some):
        raise entity_problems.not_mergeable(
            Sentence(
                "La entidad se fusionó con otra: deshaga la fusión.",
                "The entity was merged into another one: undo the merge.",
            )
        )
    entities.turn(ctx.conn, [one.id for one in some], when=ctx.now(), deleted=deleted)
    datasets.touch(ctx.conn, dataset.id)
    action = "delete" if deleted else "restore"
    if len(some) == 1:
        _record(ctx, dataset, f"entity.{action}", some[0], by)
    else:
        ctx.record(
            f"entity.bulk.{action}",
            project_id=dataset.project_id,
            dataset_id=dataset.id,
            details=_noted({"entityUuids": [one.uuid for one in some]}, by),
        )
    return [one.uuid for one in some]


def _get(ctx: Context, dataset: Dataset, uuid: str) -> Entity:
    found = entities.find(ctx.conn, dataset.id, uuid)
    if found is None:
        raise entity_problems.no_entity(uuid)
    return found


def _record(ctx: Context, dataset: Dataset, action: str, entity: Entity, by: By, *, version: int | None = None) -> None:
    details: dict[str, Any] = {"entity": {"uuid": entity.uuid, "dataset": dataset.name}}
    if version is not None:
        details["version"] = version
    ctx.record(
        action,
        project_id=dataset.project_id,
        dataset_id=dataset.id,
        entity_id=entity.id,
        details=_noted(details, by),
    )


def _noted(details: dict[str, Any], by: By) -> dict[str, Any]:
    return {**details, "reason": by.note} if by.note else details

"""Entities as they are told: one by one or many, their versions, what each changed, what happened to them, who made them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from forms import entity_history
from forms.entity_history import Step, Told
from server import problems
from server.access import may, require
from server.actions import entity_sight, entity_sources
from server.actions.disclosures import IDENTIFY
from server.actions.entity_finding import find_dataset
from server.actions.entity_sight import Sight
from server.actions.entity_sources import FromSubmission
from server.context import Context
from server.model.audits import AuditLine
from server.model.entities import Entity, EntityVersion
from server.model.people import ActorLine
from server.odata import entity_rows
from server.odata.entity_rows import Line, Wanted
from server.store import audits, entities, people, projects


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version, what is to be said of it, who made it and where it came from."""

    version: EntityVersion
    current: bool
    told: Told
    creator: ActorLine | None = None
    source: FromSubmission | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """A line of the audit about an entity, and the version that it speaks of, with where that came from."""

    line: AuditLine
    version: EntityVersion | None
    source: FromSubmission | None


def list_entities(
    ctx: Context, project_id: int, name: str, *, deleted: bool = False, conflict: bool | None = None
) -> Iterator[Line]:
    """The entities of a list, the newest first, read while the context is open; for whoever may not identify people without
    what does, in the order of their pseudonyms. Raises Problem 404.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.list", found.project)
    seen = entity_sight.of(ctx, found)
    wanted = Wanted(deleted=deleted, conflict=conflict, names=seen.names)
    return (seen.line(one) for one in entity_rows.lines(ctx.conn, found.row.id, wanted))


def get(ctx: Context, project_id: int, name: str, uuid: str, *, deleted: bool = False) -> Line:
    """One entity with its current version. Raises Problem 404.1, 400.11."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.read", found.project)
    entity, seen = entity_sight.find(ctx, found, uuid, deleted=deleted)
    return line_of(ctx, entity, entity_sight.name_of(uuid, seen), seen)


def line_of(ctx: Context, entity: Entity, told: str, seen: Sight) -> Line:
    """An entity as it is told; inside an action that has asked."""
    versions = entities.list_versions(ctx.conn, entity.id)
    [*_, said] = entity_history.tell([_step(one) for one in versions])
    version = _with_conflict(versions[-1], said)
    into = entity.merged_into_id
    return seen.line(
        Line(
            told=told,
            entity=entity,
            creator=_actor(ctx, entity.creator_id),
            version=version,
            version_creator=_actor(ctx, version.creator_id),
            merged_into=entities.get(ctx.conn, into).uuid if into is not None else None,
        )
    )


def list_versions(ctx: Context, project_id: int, name: str, uuid: str, *, relevant: bool = False) -> list[VersionLine]:
    """Every version of an entity, eldest first, or (`relevant`) those that its conflict is about. Raises Problem 404.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.read", found.project)
    entity, seen = entity_sight.find(ctx, found, uuid)
    id_ = entity_sight.name_of(uuid, seen)
    versions = entities.list_versions(ctx.conn, entity.id)
    told = entity_history.tell(
        [_step(one) for one in versions], resolved_up_to=audits.last_resolved(ctx.conn, entity.id)
    )
    sources = entity_sources.of(ctx, versions) if seen.identifies else {}
    return [
        VersionLine(
            seen.version(_with_conflict(one, what), id_, current=one.version == entity.version),
            one.version == entity.version,
            replace(what, base_diff=_seen(seen, what.base_diff), server_diff=_seen(seen, what.server_diff)),
            creator=_actor(ctx, one.creator_id) if seen.identifies else None,
            source=sources.get(one.id),
        )
        for one, what in zip(versions, told, strict=True)
        if what.relevant or not relevant
    ]


def list_changes(ctx: Context, project_id: int, name: str, uuid: str) -> list[list[tuple[str, str | None, str]]]:
    """What each version but the first changed: property, old value, new value. Raises Problem 404.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.read", found.project)
    entity, seen = entity_sight.find(ctx, found, uuid)
    id_ = entity_sight.name_of(uuid, seen)
    versions = [seen.version(one, id_) for one in entities.list_versions(ctx.conn, entity.id)]
    return entity_history.changes([_step(one) for one in versions])


def list_audits(
    ctx: Context, project_id: int, name: str, uuid: str, *, offset: int = 0, most: int | None = None
) -> list[Happened]:
    """What happened to an entity, the newest first. To whoever may not identify people, nobody's name and only the day.

    Raises Problem 404.1.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.read", found.project)
    entity, seen = entity_sight.find(ctx, found, uuid)
    versions = entities.list_versions(ctx.conn, entity.id)
    lines = [
        one for one in audits.list_of_entity(ctx.conn, found.row.id, entity.id) if _concerns(one, entity, versions)
    ]
    page = lines[offset:] if most is None else lines[offset : offset + most]
    if not seen.identifies:
        return [Happened(_without_people(one), None, None) for one in page]
    of = [(one, _version_of(one, versions)) for one in page]
    sources = entity_sources.of(ctx, {each.id: each for _, each in of if each is not None}.values())
    return [Happened(one, each, sources.get(each.id) if each is not None else None) for one, each in of]


def list_creators(ctx: Context, project_id: int, name: str) -> list[ActorLine]:
    """Who made the living entities of a list, by name; for whoever may identify people. Raises Problem 404.1, 403.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.list", found.project)
    require(ctx, IDENTIFY, found.project)
    return entities.list_creators(ctx.conn, found.row.id)


def note_opened(ctx: Context, project_id: int, name: str, uuid: str, what: str, reason: str | None = None) -> None:
    """The audit line of an entity that was opened, where whoever opened it saw who it is. Raises Problem 404.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.read", found.project)
    entity, seen = entity_sight.find(ctx, found, uuid)
    if seen.identifies:
        ctx.record(
            audits.READ_ENTITY,
            project_id=project_id,
            dataset_id=found.row.id,
            entity_id=entity.id,
            details={"what": what, "reason": reason},
        )


def note_export(
    ctx: Context,
    project_id: int,
    name: str,
    what: str,
    reason: str | None = None,
    more: Mapping[str, object] = {},
) -> None:
    """The audit line of a list's entities that left together: with identities or without, why, and what `more` is to be
    said. Raises Problem 404.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.list", found.project)
    seen = entity_sight.of(ctx, found)
    details = {"format": what, "identities": seen.identifies, "reason": reason, **more}
    ctx.record("dataset.entities.export", project_id=project_id, dataset_id=found.row.id, details=details)


def note_deleted_export(ctx: Context, project_id: int, dataset_id: int, what: str) -> None:
    """The same of a list that was put away. Raises Problem 404.1."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "entity.list", project)
    details = {"format": what, "identities": may(ctx.actor, IDENTIFY, project), "reason": None}
    ctx.record("dataset.entities.export", project_id=project_id, dataset_id=dataset_id, details=details)


def _concerns(line: AuditLine, entity: Entity, versions: Sequence[EntityVersion]) -> bool:
    """Whether a line is about an entity; one about many names them, or where they all came from."""
    details = line.details or {}
    if line.action == "entity.bulk.create":
        return any(one.source_id == details.get("sourceId") for one in versions)
    if line.action.startswith("entity.bulk."):
        return entity.uuid in details.get("entityUuids", ())
    return True


def _version_of(line: AuditLine, versions: Sequence[EntityVersion]) -> EntityVersion | None:
    """The version that a line speaks of."""
    details: Mapping[str, Any] = line.details or {}
    if line.action == "entity.bulk.create":
        return next((one for one in versions if one.source_id == details.get("sourceId")), None)
    number = details.get("version") or (details.get("entity") or {}).get("version")
    return next((one for one in versions if one.version == number), None)


def _without_people(line: AuditLine) -> AuditLine:
    day = line.logged_at.replace(hour=0, minute=0, second=0, microsecond=0)
    return replace(line, actor_id=None, actor=None, actor_type=None, details={}, logged_at=day)


def _with_conflict(one: EntityVersion, said: Told) -> EntityVersion:
    """A version whose conflict touches no property names none, and one without a conflict has nothing to name."""
    return replace(one, conflicting=(one.conflicting or ()) if said.conflict is not None else None)


def _seen(seen: Sight, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if seen.identifies or name in seen.properties)


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


def _actor(ctx: Context, actor_id: int | None) -> ActorLine | None:
    return None if actor_id is None else people.find_line(ctx.conn, actor_id)

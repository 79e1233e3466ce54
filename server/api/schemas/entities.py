"""Entities on the wire, as ODK Central has them; merges and candidates, which are ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import Schema, fields

from server.actions.entities import VersionLine
from server.actions.entity_duplicates import Candidates
from server.actions.entity_merging import Merged, MergeLine
from server.api.options import Blank, Names
from server.api.schemas.datasets import Lenient
from server.api.schemas.wording import moment
from server.model.entities import Entity, EntityReceipt, EntityVersion


class NewEntities(Lenient):
    """One entity (`label`, `uuid`, `data`), or many (`entities`) with their `source`."""

    class Meta:
        """What else is said is a mistake, as in ODK Central."""

        unknown = "raise"

    label = fields.String(load_default=None, allow_none=True)
    uuid = fields.String(load_default=None, allow_none=True)
    data = fields.Dict(keys=fields.String(), values=fields.String(), load_default=None, allow_none=True)
    entities = fields.List(fields.Dict(), load_default=None)
    source = fields.Dict(load_default=None)


class EntityPatch(Schema):
    """What an entity is to be from now on."""

    label = fields.String(load_default=None, allow_none=True)
    uuid = fields.String(load_default=None, allow_none=True)
    data = fields.Dict(keys=fields.String(), values=fields.String(), load_default=None, allow_none=True)


class PatchQuery(Lenient):
    """`baseVersion`: the version that the change was made from; `force`; `resolve`: its conflict is resolved."""

    baseVersion = Blank(load_default=None)  # noqa: N815  the wire's name
    force = fields.Boolean(load_default=False)
    resolve = fields.Boolean(load_default=False)


class ListQuery(Lenient):
    """`deleted`: the deleted ones; `conflict`: those with one, or without."""

    deleted = fields.Boolean(load_default=False)
    conflict = fields.Boolean(load_default=None)


class VersionsQuery(Lenient):
    """`relevantToConflict`: only the versions that the conflict is about."""

    relevantToConflict = fields.Boolean(load_default=False)  # noqa: N815  the wire's name


class IdsSchema(Lenient):
    """Ids of entities."""

    ids = fields.List(fields.String(), required=True)


class MergeSchema(Schema):
    """A merge: which entity goes into which, why, and for properties whose value stands (`survivor` or `absorbed`)."""

    survivor = fields.String(required=True)
    absorbed = fields.String(required=True)
    reason = fields.String(required=True)
    choose = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)


class ReasonSchema(Schema):
    """Why."""

    reason = fields.String(required=True)


class PairSchema(Schema):
    """Two entities that are two."""

    entities = fields.List(fields.String(), required=True, validate=lambda pair: len(pair) == 2)
    reason = fields.String(load_default=None, allow_none=True)


class CandidatesQuery(Schema):
    """Which properties are compared, how alike names must be (0 to 100), and how many pairs are wanted."""

    names = Names(load_default=())
    births = Names(load_default=())
    places = Names(load_default=())
    least = fields.Float(load_default=85.0, validate=lambda value: 0 <= value <= 100)
    most = fields.Integer(load_default=200, validate=lambda value: 1 <= value <= 5000)


def entity(one: Entity, current: EntityVersion | None = None) -> dict[str, Any]:
    """An entity, with the values of its current version where that is given. Source: ODK Central API, "Entity"."""
    version: dict[str, Any] = {"label": one.label, "version": one.version, "current": True}
    if current is not None:
        version |= _version(current, current=True)
        version |= {"label": one.label, "data": dict(one.data)}
    return {
        "uuid": one.uuid,
        "createdAt": moment(one.created_at),
        "creatorId": one.creator_id,
        "updatedAt": moment(one.updated_at) if one.updated_at else None,
        "deletedAt": moment(one.deleted_at) if one.deleted_at else None,
        "conflict": one.conflict,
        "currentVersion": version,
    }


def version(line: VersionLine) -> dict[str, Any]:
    """A version in an entity's history. Source: ODK Central API, "Entity Version"."""
    told = line.told
    return {
        **_version(line.version, current=line.current),
        "conflict": told.conflict,
        "resolved": told.resolved,
        "baseDiff": list(told.base_diff),
        "serverDiff": list(told.server_diff),
        "lastGoodVersion": told.last_good,
        "relevantToConflict": told.relevant,
        "source": dict(line.version.details or {}) | {"kind": line.version.kind, "forced": line.version.forced},
    }


def changes(listed_: Sequence[Sequence[tuple[str, str | None, str]]]) -> list[list[dict[str, Any]]]:
    """What each version changed. Source: ODK Central API, "Getting changes between Versions"."""
    return [[{"propertyName": name, "old": old, "new": new} for name, old, new in version_] for version_ in listed_]


def merged(one: Merged) -> dict[str, Any]:
    """A merge and what stands after it."""
    return {"id": one.id, "survivor": entity(one.survivor), "absorbed": entity(one.absorbed)}


def merge_line(one: MergeLine) -> dict[str, Any]:
    """A merge among others."""
    held = one.merge
    return {
        "id": held.id,
        "survivor": one.survivor.uuid,
        "absorbed": one.absorbed.uuid,
        "version": held.survivor_version,
        "reason": held.reason,
        "actorId": held.actor_id,
        "createdAt": moment(held.created_at),
        "undoneAt": moment(held.undone_at) if held.undone_at else None,
        "undoneReason": held.undone_reason,
    }


def candidates(one: Candidates) -> dict[str, Any]:
    """Pairs that may be one, and by what they were compared."""
    return {
        "comparedBy": {
            "names": list(one.compared.names),
            "births": list(one.compared.births),
            "places": list(one.compared.places),
        },
        "whole": one.whole,
        "candidates": [
            {
                "likeness": pair.likeness,
                "entities": [
                    {"uuid": each.uuid, "label": each.label, "data": dict(each.data)}
                    for each in (pair.first, pair.second)
                ],
            }
            for pair in one.found
        ],
    }


def receipt(one: EntityReceipt, form_id: str, instance_id: str) -> dict[str, Any]:
    """What a submission wanted of an entity and did not get."""
    problem: Mapping[str, Any] | None = one.problem
    return {
        "formId": form_id,
        "instanceId": instance_id,
        "block": one.key,
        "dataset": one.dataset,
        "uuid": one.uuid,
        "outcome": one.outcome,
        "branchId": one.branch_id,
        "baseVersion": one.base_version,
        "problem": dict(problem) if problem else None,
        "since": moment(one.created_at),
    }


def _version(one: EntityVersion, *, current: bool) -> dict[str, Any]:
    return {
        "label": one.label,
        "data": dict(one.data),
        "dataReceived": dict(one.received),
        "current": current,
        "version": one.version,
        "baseVersion": one.base_version,
        "trunkVersion": one.trunk_version,
        "branchId": one.branch_id,
        "branchBaseVersion": one.branch_base_version,
        "conflictingProperties": list(one.conflicting) if one.conflicting is not None else None,
        "creatorId": one.creator_id,
        "userAgent": one.user_agent,
        "createdAt": moment(one.created_at),
    }

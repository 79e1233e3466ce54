"""Entities on the wire, as ODK Central has them; merges and candidates, which are ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from marshmallow import Schema, fields, post_load, pre_load

from forms.entities import missing_parameter, wrong_type
from forms.problems import Problem, Sentence
from server.actions.entities import Change, New
from server.actions.entity_duplicates import Candidates
from server.actions.entity_merging import Merged, MergeLine
from server.actions.entity_reading import Happened, VersionLine
from server.actions.entity_sources import Event, FromSubmission
from server.actions.entity_visits import Visit
from server.api.options import Blank, Flag, Names
from server.api.schemas.audits import line as audit_line
from server.api.schemas.datasets import Lenient, actor
from server.api.schemas.wording import moment
from server.model.entities import Entity, EntityReceipt, EntityVersion
from server.odata.entity_rows import Line

_OF_ENTITY: Final = ("label", "uuid", "data")
_TEXT: Final = Sentence("un texto", "string")


class EntitySchema(Schema):
    """An entity that somebody writes: `label`, `uuid`, `data`. What is wrong is told with ODK Central's codes."""

    label = fields.String(load_default=None, allow_none=True)
    uuid = fields.String(load_default=None, allow_none=True)
    data = fields.Dict(keys=fields.String(), values=fields.String(), load_default=None, allow_none=True)

    @pre_load
    def check(self, said: Any, **_: Any) -> Any:
        """Raises Problem 400.31 for what no entity has, 400.11 for what is no text."""
        if not isinstance(said, dict) or not set(said) <= set(_OF_ENTITY):
            raise unexpected(_OF_ENTITY, _names(said))
        for name in ("uuid", "label"):
            if said.get(name) is not None and not isinstance(said[name], str):
                raise wrong_type(name, str(said[name]), _TEXT)
        data = said.get("data")
        if data is not None and not isinstance(data, dict):
            raise wrong_type("data", str(data), Sentence("un objeto", "object"))
        for name, value in (data or {}).items():
            if not isinstance(value, str):
                raise wrong_type(name, str(value), _TEXT)
        return said


class NewEntity(EntitySchema):
    """One that is to be created. Raises Problem 400.2 where it has no label."""

    @post_load
    def settle(self, data: dict[str, Any], **_: Any) -> New:
        """The record that travels inside the house."""
        if data["label"] is None:
            raise missing_parameter("label")
        return New(label=data["label"], uuid=data["uuid"] or None, data=data["data"] or {})


class EntityPatch(EntitySchema):
    """What one is to be from now on; None where nothing is said."""

    @post_load
    def settle(self, data: dict[str, Any], **_: Any) -> Change | None:
        """The record that travels inside the house."""
        if data["label"] is None and data["data"] is None:
            return None
        return Change(label=data["label"], data=data["data"] or {})


def read_many(said: Mapping[str, Any]) -> tuple[list[New], dict[str, Any]]:
    """Many entities (`entities`) and their `source`. Raises Problem 400.31 where there are none, 400.2 where it is not said
    where they come from, and what NewEntity raises for the first that cannot be."""
    given = said["entities"]
    if not isinstance(given, list) or not given:
        raise unexpected(("entities: [...]",), ("empty array" if given == [] else "not an array",))
    schema = NewEntity()
    made = [schema.load(one) for one in given]
    source = said.get("source")
    if source is None:
        raise missing_parameter("source")
    name, size = (source.get("name"), source.get("size")) if isinstance(source, dict) else (None, None)
    if not name:
        raise missing_parameter("source.name")
    if not isinstance(name, str):
        raise wrong_type("name", str(name), _TEXT)
    if size is not None and (isinstance(size, bool) or not isinstance(size, int | float)):
        raise wrong_type("size", str(size), Sentence("un número", "number"))
    return made, {"name": name, **({"size": size} if size else {})}


def unexpected(expected: Sequence[str], actual: Sequence[str]) -> Problem:
    """400.31: other things than those that are expected."""
    wanted, got = ", ".join(expected), ", ".join(actual)
    return Problem(
        400.31,
        Sentence(f"Se esperaba: {wanted}. Llegó: {got}.", f"Expected parameters: ({wanted}). Got ({got})."),
        {"expected": list(expected), "actual": list(actual)},
    )


def _names(said: Any) -> list[str]:
    if isinstance(said, dict):
        return [str(name)[:60] for name in said]
    return [str(at) for at in range(len(said))] if isinstance(said, str | list) else []


class PatchQuery(Lenient):
    """`baseVersion`: the version that the change was made from; `force`; `resolve`: its conflict is resolved."""

    baseVersion = Blank(load_default=None)  # noqa: N815  the wire's name
    force = Flag(load_default=None)
    resolve = Flag(load_default=None)


class ListQuery(Lenient):
    """`deleted`: the deleted ones; `conflict` (ours): those with one, or without. `reason` is for the audit."""

    deleted = Flag(load_default=None)
    conflict = Flag(load_default=None)
    reason = Blank(load_default=None)


class OneQuery(Lenient):
    """`reason`: why an entity is opened, for the audit; `deleted` (ours): it is looked for among the deleted ones."""

    deleted = Flag(load_default=None)
    reason = Blank(load_default=None)


class VersionsQuery(OneQuery):
    """`relevantToConflict`: only the versions that the conflict is about."""

    relevantToConflict = Flag(load_default=None)  # noqa: N815  the wire's name


class AuditsQuery(OneQuery):
    """`offset` and `limit`: a page."""

    offset = fields.Integer(load_default=0, validate=lambda value: value >= 0)
    limit = fields.Integer(load_default=None, validate=lambda value: value >= 0)


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


def entity(one: Entity) -> dict[str, Any]:
    """An entity without its versions. Source: ODK Central API, "Entity"."""
    return {
        "uuid": one.uuid,
        "createdAt": moment(one.created_at),
        "updatedAt": moment(one.updated_at) if one.updated_at else None,
        "deletedAt": moment(one.deleted_at) if one.deleted_at else None,
        "creatorId": one.creator_id,
        "conflict": one.conflict,
    }


def line(one: Line, *, values: bool = False, extended: bool = False) -> dict[str, Any]:
    """An entity with its current version, and that with its `values`; `extended`: with who made them. `mergedInto` is ours,
    told of merged ones alone."""
    version_ = _version(one.version, current=True, values=values)
    told = entity(one.entity) if one.merged_into is None else {**entity(one.entity), "mergedInto": one.merged_into}
    if extended:
        version_["creator"] = actor(one.version_creator)
        return {**told, "creator": actor(one.creator), "currentVersion": version_}
    return {**told, "currentVersion": version_}


def version(one: VersionLine, *, extended: bool = False) -> dict[str, Any]:
    """A version in an entity's history; `forced` is ours: it was applied out of turn. Source: ODK Central API, "Entity
    Version"."""
    told = one.told
    return {
        **_version(one.version, current=one.current),
        **({"creator": actor(one.creator)} if extended else {}),
        "conflict": told.conflict,
        "resolved": told.resolved,
        "baseDiff": list(told.base_diff),
        "serverDiff": list(told.server_diff),
        "lastGoodVersion": told.last_good,
        "relevantToConflict": told.relevant,
        "forced": one.version.forced,
        "source": source(one.version, one.source),
    }


def source(one: EntityVersion, found: FromSubmission | None) -> dict[str, Any]:
    """Where a version came from: a submission and what brought it about; a file (`name`, `size`, `count`); what of ours made
    it (`kind`, with the submission of a correction); nothing where somebody wrote it. Source: ODK Central API, "Entity
    Version"."""
    if one.kind == "correction" and found is not None:
        return {"kind": one.kind, **(one.details or {}), "submission": _submission(found)}
    if found is not None:
        return {"event": event(found.event), "submission": _submission(found)}
    if one.kind in ("api", "bulk", "submission"):
        return {name: value for name, value in (one.details or {}).items() if name != "action"}
    return {"kind": one.kind, **(one.details or {})}


def event(one: Event) -> dict[str, Any]:
    """What brought a version about, as a line of the audit. Source: ODK Central API, "Audit"."""
    return {
        "actorId": one.actor.id if one.actor is not None else None,
        "actor": actor(one.actor),
        "action": one.action,
        "acteeId": None,
        "details": one.details,
        "loggedAt": moment(one.at),
        "notes": None,
    }


def happened(one: Happened) -> dict[str, Any]:
    """A line of the audit about an entity, with where the version came from that it speaks of."""
    told = audit_line(one.line, extended=True)
    details = {name: value for name, value in (told["details"] or {}).items() if name not in ("version", "reason")}
    if isinstance(details.get("entity"), dict):
        details["entity"] = {name: value for name, value in details["entity"].items() if name != "version"}
    if one.version is not None:
        details["source"] = source(one.version, one.source)
    return {name: value for name, value in {**told, "details": details}.items() if name not in ("formId", "instanceId")}


def changes(listed: Sequence[Sequence[tuple[str, str | None, str]]]) -> list[list[dict[str, Any]]]:
    """What each version changed; what had no value before has no `old`. Source: ODK Central API, "Getting changes between
    Versions"."""
    return [
        [{**({"old": old} if old is not None else {}), "new": new, "propertyName": name} for name, old, new in changed]
        for changed in listed
    ]


def visit(one: Visit) -> dict[str, Any]:
    """A row of a submission that spoke of an entity."""
    return {
        "form": one.form_id,
        "formName": one.form_name,
        "formVersion": one.form_version,
        "instanceId": one.record,
        "row": one.row,
        "day": one.day.isoformat(),
        "receivedAt": moment(one.received_at),
        "submitter": actor(one.submitter),
        "reviewState": one.review_state,
        "outcome": one.outcome,
        "version": one.version,
        "data": dict(one.said),
        "under": one.under,
    }


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


def _version(one: EntityVersion, *, current: bool, values: bool = True) -> dict[str, Any]:
    told: dict[str, Any] = {
        "label": one.label,
        "current": current,
        "creatorId": one.creator_id,
        "userAgent": one.user_agent,
        "version": one.version,
        "baseVersion": one.base_version,
        "conflictingProperties": list(one.conflicting) if one.conflicting is not None else None,
        "createdAt": moment(one.created_at),
        "branchId": one.branch_id,
        "trunkVersion": one.trunk_version,
        "branchBaseVersion": one.branch_base_version,
    }
    return {**told, "data": dict(one.data), "dataReceived": dict(one.received)} if values else told


def _submission(one: FromSubmission) -> dict[str, Any]:
    """The submission behind a version, as it stands; of one that is gone who sent it, and when."""
    held, current = one.submission, one.current
    told: dict[str, Any] = {
        "instanceId": held.instance_id,
        "createdAt": moment(held.created_at),
        "submitter": actor(one.submitter),
    }
    if one.gone:
        return told
    return {
        **told,
        "xmlFormId": one.form_id,
        "submitterId": held.submitter_id,
        "deviceId": held.device_id,
        "userAgent": one.user_agent,
        "reviewState": held.review_state,
        "updatedAt": moment(held.updated_at) if held.updated_at else None,
        "currentVersion": {
            "instanceId": current.instance_id,
            "instanceName": current.instance_name,
            "submitterId": current.submitter_id,
            "submitter": actor(one.current_submitter),
            "deviceId": current.device_id,
            "userAgent": one.user_agent,
            "createdAt": moment(current.created_at),
            "current": True,
        },
    }

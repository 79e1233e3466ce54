"""Entity lists and the properties of app users on the wire, as ODK Central has them."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from server.actions.actor_properties import AppUser
from server.actions.dataset_desk import Described, Filter, Listed, Wish
from server.api.options import Flag
from server.api.schemas.wording import moment
from server.model.entities import Dataset
from server.model.people import ActorLine
from server.odata import documents

_YES_OR_NO: Final = ["use true o false.", "use true or false."]


class Lenient(Schema):
    """Fields that ODK Central ignores are ignored."""

    class Meta:
        """See above."""

        unknown = EXCLUDE


class Bool(fields.Field[bool | None]):
    """true or false of JSON, and nothing that looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError(_YES_OR_NO)
        return value


class Said(fields.Field[str]):
    """A text; what is none is read as JSON writes it, and refused by what it says."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value)


class NameSchema(Lenient):
    """A name; what may stand in it the action says, in ODK Central's words."""

    name = Said(load_default="", allow_none=True)


class NewDataset(NameSchema):
    """A list to be made."""

    approvalRequired = Bool(load_default=False)  # noqa: N815  the wire's name
    ownerOnly = Bool(load_default=False)  # noqa: N815  the wire's name


class DatasetQuery(Lenient):
    """`convert`: whether submissions that wait for approval create their entities now."""

    convert = Flag(load_default=None)


class DeletedQuery(Lenient):
    """`deleted`: those that were put away."""

    deleted = Flag(load_default=None)


class DatasetPatch(Lenient):
    """What a list is to be from now on; `accessFilter` goes before `ownerOnly`."""

    approvalRequired = Bool(load_default=None)  # noqa: N815  the wire's name
    ownerOnly = Bool(load_default=None)  # noqa: N815  the wire's name
    accessFilter = fields.Dict(allow_none=True)  # noqa: N815  the wire's name

    @post_load
    def settle(self, data: dict[str, Any], **_: Any) -> Wish:
        """The record that travels inside the house."""
        return Wish(
            approval_required=data["approvalRequired"],
            owner_only=data["ownerOnly"],
            filter=_filter(data["accessFilter"]) if "accessFilter" in data else None,
        )


class ValuesSchema(Lenient):
    """Values of an app user's properties; null: none."""

    properties = fields.Dict(keys=fields.String(), values=fields.String(allow_none=True), load_default=dict)


def _filter(said: dict[str, Any] | None) -> Filter:
    if said is None:
        return Filter()
    if said.get("type") == "ownerOnly":
        return Filter(owner_only=True)
    if said.get("type") != "property":
        _wrong("use ownerOnly o property en type.", "type must be ownerOnly or property.")
    rules = said.get("rules")
    if not isinstance(rules, list) or not rules:
        _wrong("falta al menos una regla.", "rules must be a non-empty array.")
    return Filter(rules=tuple(dict.fromkeys(_rule(rule) for rule in rules)))


def _rule(said: Any) -> tuple[str, str]:
    pair = (said.get("datasetProperty"), said.get("actorProperty")) if isinstance(said, dict) else ("", "")
    if not all(isinstance(one, str) and one for one in pair):
        _wrong(
            "cada regla lleva datasetProperty y actorProperty.",
            "Each rule must have datasetProperty and actorProperty.",
        )
    return str(pair[0]), str(pair[1])


def _wrong(es: str, en: str) -> NoReturn:
    raise ValidationError({"accessFilter": [es, en]})


def dataset(one: Dataset) -> dict[str, Any]:
    """A list; one that was put away with its number, by which its entities can be had. Source: ODK Central API, "Dataset"."""
    told = {
        "name": one.name,
        "createdAt": moment(one.created_at),
        "projectId": one.project_id,
        "approvalRequired": one.approval_required,
        "ownerOnly": one.owner_only,
        "deletedAt": moment(one.deleted_at) if one.deleted_at else None,
    }
    return told if one.deleted_at is None else {**told, "id": one.id}


def listed(one: Listed, *, extended: bool) -> dict[str, Any]:
    """A list among others."""
    return {**dataset(one.dataset), **(_filled(one) if extended else {})}


def described(one: Described, *, extended: bool = False) -> dict[str, Any]:
    """A list with what it has to do with. Source: ODK Central API, "Dataset Metadata"."""
    held = one.dataset
    changes = [held.created_at, held.updated_at, one.filled.last_change]
    made = {
        **dataset(held),
        **(_filled(one) if extended else {}),
        "lastUpdate": moment(max(change for change in changes if change is not None)),
        **{name: [form.told() for form in forms] for name, forms in one.uses.by_kind().items()},
        "properties": [
            {name: value for name, value in property_.items() if name != "type"} for property_ in properties(one)
        ],
    }
    if held.owner_only:
        made["accessFilter"] = {"type": "ownerOnly"}
    elif one.filters:
        rules = [{"datasetProperty": mine, "actorProperty": theirs} for mine, theirs in one.filters]
        made["accessFilter"] = {"type": "property", "rules": rules}
    return made


def properties(one: Described) -> list[dict[str, Any]]:
    """The properties of a list with the types of the questions that are saved to them, which ODK Central does not tell."""
    return [
        {
            "name": property_.name,
            "odataName": documents.identifier(property_.name),
            "type": property_.type,
            "publishedAt": moment(property_.created_at),
            "forms": [
                {"xmlFormId": form.form_id, "name": form.title} for form in one.uses.by_property.get(property_.name, ())
            ],
        }
        for property_ in one.properties
    ]


def app_user(one: AppUser) -> dict[str, Any]:
    """An app user with its properties; its token is nowhere kept. Source: ODK Central API, "Extended App User"."""
    key = one.key
    return {
        "id": key.actor_id,
        "type": "field_key",
        "displayName": key.display_name,
        "createdAt": moment(key.created_at),
        "updatedAt": None,
        "deletedAt": None,
        "projectId": key.project_id,
        "token": None,
        "createdBy": actor(one.created_by),
        "lastUsed": None,
        "properties": dict(one.values) or None,
    }


def actor(one: ActorLine | None) -> dict[str, Any] | None:
    """Somebody as others are told of them. Source: ODK Central API, "Actor"."""
    if one is None:
        return None
    return {
        "id": one.id,
        "type": one.type,
        "displayName": one.display_name,
        "createdAt": moment(one.created_at),
        "updatedAt": None,
        "deletedAt": moment(one.deleted_at) if one.deleted_at else None,
    }


def _filled(one: Listed | Described) -> dict[str, Any]:
    last = one.filled.last_entity
    return {
        "entities": one.filled.entities,
        "lastEntity": moment(last) if last is not None else None,
        "conflicts": one.filled.conflicts,
    }

"""Properties of app users: what a project knows of each, by which lists are filtered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from forms.entities import is_property_name
from forms.problems import Sentence
from server import problems
from server.access import require
from server.context import Context
from server.model.people import ActorLine, FieldKey
from server.store import datasets, people, projects

_RESERVED: Final = "displayname"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppUser:
    """An app user with its values of the project's properties, and who made it."""

    key: FieldKey
    created_by: ActorLine | None
    values: Mapping[str, str]
    created_at: datetime


def list_properties(ctx: Context, project_id: int) -> dict[str, list[str]]:
    """The properties that app users of a project may have, each with the values that are in use. Raises Problem 404.1."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "dataset.list", project)
    return datasets.list_actor_properties(ctx.conn, project_id)


def add(ctx: Context, project_id: int, name: str | None) -> None:
    """A property that app users of a project may have. Raises Problem 400.8, 409.3."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "project.update", project)
    if name is None or not is_property_name(name) or name.lower() == _RESERVED:
        told = Sentence("no es un nombre de propiedad válido.", "This is not a valid property name.")
        raise problems.wrong_value("name", "null" if name is None else name[:60], told)
    if datasets.find_actor_property(ctx.conn, project_id, name) is not None:
        raise problems.not_unique_together({"projectId": project_id, "name": name})
    datasets.add_actor_property(ctx.conn, project_id, name, created_at=ctx.now())

    ctx.record("actor_property.create", project_id=project_id, details={"name": name})


def set_values(ctx: Context, project_id: int, actor_id: int, values: Mapping[str, str | None]) -> AppUser:
    """Other values of an app user's properties (None or blank: none). Phones get other entities with them at once.

    Raises Problem 404.1, 400.8.
    """
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "field_key.update", project)
    key = next((one for one in people.list_field_keys(ctx.conn, project_id) if one.actor_id == actor_id), None)
    if key is None:
        raise problems.no_app_user(actor_id)
    settled = {name: (value or "").strip() or None for name, value in values.items()}
    known = {name: datasets.find_actor_property(ctx.conn, project_id, name) for name in settled}
    for name, value in settled.items():
        property_id = known[name]
        if property_id is None:
            raise problems.wrong_value("properties", name, Sentence("no existe.", "Unknown property name."))
        datasets.set_actor_value(ctx.conn, actor_id, property_id, value)

    if settled:
        ctx.record(
            "field_key.property.set", project_id=project_id, details={"actorId": actor_id, "properties": settled}
        )
    return AppUser(
        key=key,
        created_by=people.find_line(ctx.conn, key.created_by) if key.created_by is not None else None,
        values=datasets.values_of_actor(ctx.conn, actor_id),
        created_at=key.created_at,
    )

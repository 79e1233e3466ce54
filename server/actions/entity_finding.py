"""Finding entities: a list by its name, an entity by its id, whoever asks for them."""

from __future__ import annotations

from dataclasses import dataclass

from forms import entity_problems
from forms.entities import normal_uuid
from server import problems
from server.context import Context
from server.model.entities import Dataset, Entity
from server.model.projects import Project
from server.store import datasets, entities, projects


@dataclass(frozen=True, slots=True)
class Found:
    """A living list and its project, of which rights are asked."""

    row: Dataset
    project: Project


def find_dataset(ctx: Context, project_id: int, name: str) -> Found:
    """The living list of exactly this name; the caller asks for rights next. Whoever is not of the project is not told what
    lists it has. Raises Problem 401.2, 403.1, 404.1."""
    actor = ctx.actor
    if actor is None:
        raise problems.credentials_missing()
    if not any(grant.project_id in (None, project_id) for grant in actor.grants):
        raise problems.insufficient_rights()
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    found = datasets.find(ctx.conn, project_id, name)
    if found is None or found.name != name:
        raise entity_problems.no_list(name)
    return Found(found, project)


def find_entity(ctx: Context, dataset: Dataset, uuid: str, *, deleted: bool = False) -> Entity:
    """The entity of that id, living or (`deleted`) deleted; the caller has asked for rights, those to identify people too.

    There is none any more of a person who took back the consent. Raises Problem 404.1, which says into which it was merged
    where it was, and 400.11.
    """
    found = entities.find(ctx.conn, dataset.id, normal_uuid(uuid))
    if found is None or found.withdrawn_at is not None:
        raise entity_problems.no_entity(uuid)
    if found.merged_into_id is not None and not deleted:
        raise entity_problems.merged_into(found.uuid, entities.get(ctx.conn, found.merged_into_id).uuid)
    if (found.deleted_at is not None) != deleted:
        raise entity_problems.no_entity(uuid)
    return found

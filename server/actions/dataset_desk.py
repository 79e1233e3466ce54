"""Entity lists by hand: described, made, changed, put away; their properties, and who sees which of their entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from forms import entity_problems
from forms.entities import is_dataset_name, is_property_name
from forms.problems import Sentence
from server import problems
from server.access import require
from server.actions.entity_finding import find_dataset
from server.actions.following import follow_stored
from server.context import Context
from server.model.entities import Dataset, Property, folded
from server.store import datasets, entity_receipts, form_attachments, forms, people, projects
from server.tables import registry

_CONVERTED: Final = 1000
"""Submissions that one request makes entities of, once their list needs no approval any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormOf:
    """A form that has to do with a list; `repeat` is the repeat whose rows are its entities."""

    form_id: str
    title: str
    repeat: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A list with its properties, the forms that write to it (`sources`) and those that read it (`readers`).

    `by_property` are the forms that save to each property; `filters` pairs of its property and the actor's.
    """

    dataset: Dataset
    properties: tuple[Property, ...]
    sources: tuple[FormOf, ...]
    readers: tuple[FormOf, ...]
    by_property: Mapping[str, tuple[FormOf, ...]]
    filters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list and how full it is."""

    dataset: Dataset
    entities: int
    last_entity: datetime | None
    conflicts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a list is to be from now on; None leaves it. `filters` are pairs of its property and the actor's; () none."""

    approval_required: bool | None = None
    owner_only: bool | None = None
    filters: Sequence[tuple[str, str]] | None = field(default=None)
    convert: bool | None = None


def list_datasets(ctx: Context, project_id: int) -> list[Listed]:
    """Every list of a project, by name. Raises Problem 404.1."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "dataset.list", project)
    listed = []
    for one in datasets.list_datasets(ctx.conn, project_id):
        filled = datasets.fill(ctx.conn, one.id)
        listed.append(
            Listed(
                dataset=one,
                entities=filled.entities,
                last_entity=filled.last_entity,
                conflicts=filled.conflicts,
            )
        )
    return listed


def describe(ctx: Context, project_id: int, name: str) -> Described:
    """A list and what it has to do with. Raises Problem 404.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "dataset.read", found.project)
    return _describe(ctx, found.row)


def create(
    ctx: Context, project_id: int, name: str, *, approval_required: bool = False, owner_only: bool = False
) -> Described:
    """A list that no form has declared yet. Raises Problem 400.8 (its name), 409.3, 409.16."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "dataset.create", project)
    if not is_dataset_name(name):
        told = Sentence("no es un nombre de lista válido.", "This is not a valid dataset name.")
        raise problems.wrong_value("name", name[:60], told)
    held = datasets.find(ctx.conn, project_id, name)
    if held is not None and held.name != name:
        raise entity_problems.dataset_name_conflict(held.name, name)
    if held is not None:
        raise problems.not_unique("name", name)
    dataset_id = datasets.add(
        ctx.conn,
        project_id=project_id,
        name=name,
        created_at=ctx.now(),
        approval_required=approval_required,
        owner_only=owner_only,
    )
    datasets.link_files(ctx.conn, project_id, dataset_id, name)

    ctx.record("dataset.create", project_id=project_id, dataset_id=dataset_id, details={"properties": []})
    return _describe(ctx, datasets.get(ctx.conn, dataset_id))


def change(ctx: Context, project_id: int, name: str, wish: Wish) -> Described:
    """Whether entities are created on approval alone, and who sees which of them.

    Where approval is no longer needed and submissions wait for it, `convert` must say whether they create theirs now.
    Raises Problem 400.29 where it does not, 400.8 for a filter by what there is not.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "dataset.update", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    waiting: list[int] = []
    if dataset.approval_required and wish.approval_required is False:
        waiting = entity_receipts.list_pending(ctx.conn, project_id, dataset.name, most=_CONVERTED)
        if waiting and wish.convert is None:
            raise entity_problems.pending_submissions(len(waiting))
    values = {
        key: value
        for key, value in (("approval_required", wish.approval_required), ("owner_only", wish.owner_only))
        if value is not None
    }
    if wish.filters is not None:
        datasets.replace_filters(ctx.conn, dataset.id, _filters(ctx, dataset, wish.filters))
    datasets.change(ctx.conn, dataset.id, updated_at=ctx.now(), **values)
    datasets.touch(ctx.conn, dataset.id)
    ctx.record(
        "dataset.update",
        project_id=project_id,
        dataset_id=dataset.id,
        details={"data": values, "autoConvert": wish.convert},
    )
    if wish.convert:
        for submission_id in waiting:
            follow_stored(ctx, submission_id)
    return _describe(ctx, datasets.get(ctx.conn, dataset.id))


def delete(ctx: Context, project_id: int, name: str) -> None:
    """Put a list away that no form writes to or reads. Raises Problem 409.21 where one does."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "dataset.delete", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    described = _describe(ctx, dataset)
    if described.sources or described.readers:
        raise entity_problems.list_in_use(sorted({one.form_id for one in (*described.sources, *described.readers)}))
    datasets.change(ctx.conn, dataset.id, deleted_at=ctx.now())

    ctx.record("dataset.delete", project_id=project_id, dataset_id=dataset.id)


def add_property(ctx: Context, project_id: int, name: str, wanted: str) -> None:
    """A property that no form has declared yet; it is text. Raises Problem 400.8, 409.3."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "dataset.update", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    if not is_property_name(wanted):
        told = Sentence("no es un nombre de propiedad válido.", "This is not a valid property name.")
        raise problems.wrong_value("name", wanted[:60], told)
    held = {folded(one.name) for one in datasets.list_properties(ctx.conn, dataset.id)}
    if folded(wanted) in held:
        raise problems.not_unique("name", wanted)
    datasets.add_property(ctx.conn, dataset.id, wanted, "string", created_at=ctx.now())
    datasets.touch(ctx.conn, dataset.id)

    ctx.record("dataset.update", project_id=project_id, dataset_id=dataset.id, details={"properties": [wanted]})


def list_actor_properties(ctx: Context, project_id: int) -> dict[str, list[str]]:
    """The properties that app users of a project may have, each with the values that are in use. Raises Problem 404.1."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "field_key.list", project)
    return datasets.list_actor_properties(ctx.conn, project_id)


def add_actor_property(ctx: Context, project_id: int, name: str) -> None:
    """A property that app users of a project may have. Raises Problem 400.8, 409.3."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "project.update", project)
    if not is_property_name(name):
        told = Sentence("no es un nombre de propiedad válido.", "This is not a valid property name.")
        raise problems.wrong_value("name", name[:60], told)
    if datasets.find_actor_property(ctx.conn, project_id, name) is not None:
        raise problems.not_unique("name", name)
    datasets.add_actor_property(ctx.conn, project_id, name, created_at=ctx.now())

    ctx.record("project.update", project_id=project_id, details={"actorProperty": name})


def set_actor_values(ctx: Context, project_id: int, actor_id: int, values: Mapping[str, str | None]) -> dict[str, str]:
    """Other values of an app user's properties (None: none); gives all that it has then. Raises Problem 404.1, 400.8."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "field_key.update", project)
    if all(one.actor_id != actor_id for one in people.list_field_keys(ctx.conn, project_id)):
        raise problems.no_app_user(actor_id)
    for name, value in values.items():
        property_id = datasets.find_actor_property(ctx.conn, project_id, name)
        if property_id is None:
            told = Sentence("el proyecto no tiene esta propiedad.", "the project has no such property.")
            raise problems.wrong_value("properties", name, told)
        datasets.set_actor_value(ctx.conn, actor_id, property_id, value)

    ctx.record("field_key.update", project_id=project_id, details={"actorId": actor_id, "properties": dict(values)})
    return datasets.values_of_actor(ctx.conn, actor_id)


def _describe(ctx: Context, dataset: Dataset) -> Described:
    sources: list[FormOf] = []
    readers: list[FormOf] = []
    by_property: dict[str, list[FormOf]] = {}
    for form in forms.list_forms(ctx.conn, dataset.project_id):
        if form.current_version_id is None:
            continue
        version = forms.get_version(ctx.conn, form.current_version_id)
        schema = registry.schema_of(ctx.conn, version)
        about = FormOf(form_id=form.xml_form_id, title=version.title or form.xml_form_id)
        for one in schema.entities:
            if one.dataset != dataset.name:
                continue
            inside = one.path.removesuffix("/meta/entity")
            repeat = inside if inside and schema.by_path[inside].kind == "repeat" else None
            sources.append(FormOf(form_id=about.form_id, title=about.title, repeat=repeat))
            for property_ in one.properties:
                by_property.setdefault(property_, []).append(about)
        if any(file.dataset_id == dataset.id for file in form_attachments.list_attachments(ctx.conn, version.id)):
            readers.append(about)
    return Described(
        dataset=dataset,
        properties=tuple(datasets.list_properties(ctx.conn, dataset.id)),
        sources=tuple(sources),
        readers=tuple(readers),
        by_property={name: tuple(dict.fromkeys(found)) for name, found in by_property.items()},
        filters=tuple(datasets.list_filters(ctx.conn, dataset.id)),
    )


def _filters(ctx: Context, dataset: Dataset, pairs: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
    """Filters by row ids; raises Problem 400.8 for a property that there is not."""
    mine = {one.name: one.id for one in datasets.list_properties(ctx.conn, dataset.id)}
    found = []
    for own, theirs in pairs:
        theirs_id = datasets.find_actor_property(ctx.conn, dataset.project_id, theirs)
        if own not in mine:
            told = Sentence("la lista no tiene esta propiedad.", "the list has no such property.")
            raise problems.wrong_value("datasetProperty", own, told)
        if theirs_id is None:
            told = Sentence("el proyecto no tiene esta propiedad.", "the project has no such property.")
            raise problems.wrong_value("actorProperty", theirs, told)
        found.append((mine[own], theirs_id))
    return list(dict.fromkeys(found))

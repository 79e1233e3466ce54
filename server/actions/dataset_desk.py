"""Entity lists by hand: described, made, changed, put away; their properties, and who sees which of their entities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from forms import entity_problems
from forms.entities import is_dataset_name, is_property_name
from forms.problems import Sentence
from server import problems
from server.access import require
from server.actions import dataset_uses
from server.actions.dataset_uses import Uses
from server.actions.entity_finding import find_dataset
from server.actions.following import ENTITIES, FOLLOWERS, follow_stored
from server.context import Context
from server.model.entities import Dataset, Property, folded
from server.store import datasets, entities, entity_receipts, projects
from server.store.datasets import Filled

_CHUNK: Final = 200
"""Submissions that are read at once where entities are made of those that waited."""
_EXAMPLES: Final = 3
_INVALID_LIST: Final = Sentence("no es un nombre de lista válido.", "This is not a valid dataset name.")
_INVALID_PROPERTY: Final = Sentence("no es un nombre de propiedad válido.", "This is not a valid property name.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A list with its properties, how full it is, and the forms that write to it and read it.

    `filters` are pairs of its property and the actor's.
    """

    dataset: Dataset
    properties: tuple[Property, ...]
    filled: Filled
    uses: Uses
    filters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A list and how full it is."""

    dataset: Dataset
    filled: Filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Who sees which entities of a list: everybody all (nothing is given), each one only what they made (`owner_only`), or
    what their own values open: `rules` are pairs of a property of the list and one of the actor."""

    owner_only: bool = False
    rules: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a list is to be from now on; None leaves it. `owner_only` is ODK Central's former word for a filter: where it is
    false, rules stay. `convert`: whether submissions that wait for approval create their entities now."""

    approval_required: bool | None = None
    owner_only: bool | None = None
    filter: Filter | None = None
    convert: bool | None = None


def expect(ctx: Context, project_id: int, name: str | None, verb: str) -> None:
    """Whether there is such a list (None: such a project) and whoever asks holds `verb` there: before anything else is looked
    at. Raises Problem 403.1, 404.1."""
    if name is not None:
        found = find_dataset(ctx, project_id, name)
        require(ctx, verb, found.project)
        return
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, verb, project)


def list_datasets(ctx: Context, project_id: int, *, deleted: bool = False) -> list[Listed]:
    """Every list of a project, or (`deleted`) every one that was put away, by name. Raises Problem 404.1."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "dataset.list", project)
    found = datasets.list_datasets(ctx.conn, project_id, deleted=deleted)
    filled = datasets.fill(ctx.conn, [one.id for one in found])
    return [Listed(one, filled.get(one.id, Filled())) for one in found]


def describe(ctx: Context, project_id: int, name: str) -> Described:
    """A list and what it has to do with. Raises Problem 404.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "dataset.read", found.project)
    return _describe(ctx, found.row)


def create(
    ctx: Context, project_id: int, name: str | None, *, approval_required: bool = False, owner_only: bool = False
) -> Described:
    """A list that no form has declared yet. Raises Problem 400.8 (its name), 409.3, 409.16."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "dataset.create", project)
    if name is None or not is_dataset_name(name):
        raise problems.wrong_value("name", _named(name), _INVALID_LIST)
    held = datasets.find(ctx.conn, project_id, name)
    if held is not None and held.name != name:
        raise entity_problems.dataset_name_conflict(held.name, name)
    if held is not None:
        raise problems.not_unique_together({"name": name, "projectId": project_id})
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

    Where approval is no longer needed and submissions wait for it, `convert` must say whether they create their entities now.
    Raises Problem 400.29 where it does not, 400.8 for a filter by what there is not.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "dataset.update", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    if wish.approval_required is False and wish.convert is None:
        waiting = len(entity_receipts.list_pending(ctx.conn, project_id, dataset.name))
        if waiting:
            raise entity_problems.pending_submissions(waiting)
    owner_only = wish.owner_only if wish.filter is None else wish.filter.owner_only
    if wish.filter is not None:
        datasets.replace_filters(ctx.conn, dataset.id, _filters(ctx, dataset, wish.filter.rules))
    elif wish.owner_only:
        datasets.replace_filters(ctx.conn, dataset.id, ())
    wanted = {"approval_required": wish.approval_required, "owner_only": owner_only}
    values = {key: value for key, value in wanted.items() if value is not None}
    if values:
        datasets.change(ctx.conn, dataset.id, updated_at=ctx.now(), **values)
        datasets.touch(ctx.conn, dataset.id)
        ctx.record(
            "dataset.update", project_id=project_id, dataset_id=dataset.id, details=_told(wish, owner_only=owner_only)
        )
    if wish.approval_required is False and wish.convert:
        _convert(ctx, dataset)
    return _describe(ctx, datasets.get(ctx.conn, dataset.id))


def delete(ctx: Context, project_id: int, name: str) -> None:
    """Put a list away that no form writes to or reads. Raises Problem 409.21 where one does, as a draft too."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "dataset.delete", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    uses = dataset_uses.of(ctx, dataset)
    if uses.any:
        told = {key: [form.told() for form in used] for key, used in uses.by_kind().items()}
        raise entity_problems.list_in_use(told)
    datasets.change(ctx.conn, dataset.id, deleted_at=ctx.now())

    ctx.record("dataset.delete", project_id=project_id, dataset_id=dataset.id)


def add_property(ctx: Context, project_id: int, name: str, wanted: str | None) -> None:
    """A property that no form has declared yet; it is text. Raises Problem 400.8, 409.3."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "dataset.update", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    if wanted is None or not is_property_name(wanted):
        raise problems.wrong_value("name", _named(wanted), _INVALID_PROPERTY)
    held = {folded(one.name): one.name for one in datasets.list_properties(ctx.conn, dataset.id)}
    if folded(wanted) in held:
        raise problems.not_unique_together({"name": held[folded(wanted)], "datasetId": dataset.id})
    datasets.add_property(ctx.conn, dataset.id, wanted, "string", created_at=ctx.now())
    datasets.change(ctx.conn, dataset.id, updated_at=ctx.now())
    datasets.touch(ctx.conn, dataset.id)

    ctx.record("dataset.update", project_id=project_id, dataset_id=dataset.id, details={"properties": [wanted]})


def delete_property(ctx: Context, project_id: int, name: str, unwanted: str) -> None:
    """Take a property out of a list. Raises Problem 404.1, and 409.22 where a form writes to it, an entity has a value of it,
    or the list's filter asks for it (without that rule more entities would be seen than anybody wanted)."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "dataset.update", found.project)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    property_ = next((one for one in datasets.list_properties(ctx.conn, dataset.id) if one.name == unwanted), None)
    if property_ is None:
        raise entity_problems.no_property(unwanted, dataset.name)
    prerequisites = _prerequisites(ctx, dataset, unwanted)
    if prerequisites:
        raise entity_problems.property_in_use(unwanted, prerequisites)
    datasets.change_property(ctx.conn, property_.id, deleted_at=ctx.now())
    datasets.change(ctx.conn, dataset.id, updated_at=ctx.now())
    datasets.touch(ctx.conn, dataset.id)

    ctx.record(
        "dataset.update.property.delete",
        project_id=project_id,
        dataset_id=dataset.id,
        details={"properties": [unwanted]},
    )


def _prerequisites(ctx: Context, dataset: Dataset, unwanted: str) -> dict[str, dict[str, Any]]:
    """What must be mended before a property can go."""
    found: dict[str, dict[str, Any]] = {}
    uses = dataset_uses.of(ctx, dataset)
    writing = [*uses.by_property.get(unwanted, ()), *uses.draft_by_property.get(unwanted, ())]
    if writing:
        told = [{"formName": form.title, "xmlFormId": form.form_id} for form in dict.fromkeys(writing)]
        message = "You can't delete this property because there are Form(s) writing to it"
        found["dependentForms"] = {"message": message, "details": {"forms": told}}
    count, some = entities.list_valued(ctx.conn, dataset.id, unwanted, most=_EXAMPLES)
    if count:
        message = (
            "You can't delete this property because there are Entity(ies) with the non-empty value for the "
            f"'{unwanted}'"
        )
        told = [{"uuid": uuid, "label": label} for uuid, label in some]
        found["nonEmptyEntities"] = {"message": message, "details": {"totalCount": count, "entities": told}}
    rules = [theirs for mine, theirs in datasets.list_filters(ctx.conn, dataset.id) if mine == unwanted]
    if rules:
        message = "You can't delete this property because the access filter of the Dataset asks for it"
        found["accessFilter"] = {"message": message, "details": {"actorProperties": rules}}
    return found


def _convert(ctx: Context, dataset: Dataset) -> None:
    """Let every submission that waited for approval make its entities."""
    others = [name for name in FOLLOWERS if name != ENTITIES]
    above = 0
    while waiting := entity_receipts.list_pending(ctx.conn, dataset.project_id, dataset.name, above=above, most=_CHUNK):
        for submission_id in waiting:
            follow_stored(ctx, submission_id, leave=others)
        above = waiting[-1]


def _named(name: str | None) -> str:
    """A name that cannot be, as ODK Central's sentence has it."""
    return "null" if name is None else name[:60] or "undefined"


def _told(wish: Wish, *, owner_only: bool | None) -> dict[str, Any]:
    """What the audit says of a change, in ODK Central's words."""
    data: dict[str, Any] = {}
    if wish.approval_required is not None:
        data["approvalRequired"] = wish.approval_required
    if owner_only is not None:
        data["ownerOnly"] = owner_only
    if wish.filter is not None:
        rules = [{"datasetProperty": mine, "actorProperty": theirs} for mine, theirs in wish.filter.rules]
        by_rules = {"type": "property", "rules": rules} if rules else None
        data["accessFilter"] = {"type": "ownerOnly"} if wish.filter.owner_only else by_rules
    if wish.approval_required is False:
        return {"data": data, "autoConvert": bool(wish.convert)}
    return {"data": data}


def _describe(ctx: Context, dataset: Dataset) -> Described:
    return Described(
        dataset=dataset,
        properties=tuple(datasets.list_properties(ctx.conn, dataset.id)),
        filled=datasets.fill(ctx.conn, [dataset.id]).get(dataset.id, Filled()),
        uses=dataset_uses.of(ctx, dataset),
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

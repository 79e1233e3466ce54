"""What a form has to do with entity lists: which it writes to, with which properties, and what its draft would make."""

from __future__ import annotations

from dataclasses import dataclass

from server import problems
from server.access import require
from server.context import Context
from server.store import datasets, forms, projects
from server.tables import registry


@dataclass(frozen=True, slots=True)
class PropertyOf:
    """A property of a list: whether the form saves to it, and whether the list has it only once the form is published."""

    name: str
    in_form: bool
    new: bool


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list that a form writes to, with all its properties: those that the form saves nothing to, in the list's order, then
    the form's in the order of its questions."""

    name: str
    new: bool
    properties: tuple[PropertyOf, ...]


def differences(ctx: Context, project_id: int, form_id: str, *, draft: bool) -> list[ListOf]:
    """The lists that a form writes to as published, or as its draft would; none for a form whose answers are encrypted.

    Raises Problem 404.1 where there is no such version. Source: ODK Central API, "Related Datasets".
    """
    form, project = forms.find_form(ctx.conn, project_id, form_id), projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    if form is None:
        raise problems.no_form(form_id)
    require(ctx, "form.read", form)
    require(ctx, "dataset.list", project)
    version_id = form.draft_version_id if draft else form.current_version_id
    if version_id is None:
        raise problems.no_draft(form_id) if draft else problems.never_published(form_id)
    schema = registry.schema_of(ctx.conn, forms.get_version(ctx.conn, version_id))
    if schema.submission.public_key:
        return []
    at = {field.path: number for number, field in enumerate(schema.fields)}
    saved: dict[str, dict[str, int]] = {}
    for one in schema.entities:
        names = saved.setdefault(one.dataset, {})
        for name, path in one.properties.items():
            names[name] = min(names.get(name, len(at)), at.get(path, len(at)))
    return [_list_of(ctx, project_id, name, sorted(names, key=names.__getitem__)) for name, names in saved.items()]


def _list_of(ctx: Context, project_id: int, name: str, in_form: list[str]) -> ListOf:
    dataset = datasets.find(ctx.conn, project_id, name)
    held = [one.name for one in datasets.list_properties(ctx.conn, dataset.id)] if dataset is not None else []
    return ListOf(
        name,
        dataset is None,
        (
            *(PropertyOf(one, in_form=False, new=False) for one in held if one not in in_form),
            *(PropertyOf(one, in_form=True, new=one not in held) for one in in_form),
        ),
    )

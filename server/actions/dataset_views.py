"""What somebody sees of an entity list: the file that a phone gets for it, its hash, and which entities are gone.

Whoever may list entities sees all of them; an app user sees what the list's filters leave (its own, or those of its region).
Who only reads data and may not see who people are sees nobody here: the file is for filling forms, with real ids and names.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from forms import entity_problems
from forms.entities import find_uuid
from server import problems
from server.access import may, require
from server.actions.disclosures import IDENTIFY
from server.actions.entity_finding import find_dataset
from server.context import Context
from server.model.entities import Dataset
from server.model.forms import Form, FormAttachment
from server.model.projects import Project
from server.store import datasets, entity_views, forms, projects
from server.store.entity_views import View
from server.tables import registry

_ROWS: Final = 500
"""Rows that are written at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneFile:
    """A file of a form as a manifest tells of it; `dataset` is the entity list that it is, if it is one."""

    name: str
    md5: str
    dataset: str | None = None
    approval: bool = False


def list_files(ctx: Context, form: Form, held: Iterable[FormAttachment]) -> list[PhoneFile]:
    """The files that are here of those `held`, entity lists as whoever asks sees them."""
    require(ctx, "form.read", form)
    return _files(ctx, form.project_id, held)


def list_draft_files(ctx: Context, project_id: int, held: Iterable[FormAttachment]) -> list[PhoneFile]:
    """The same for a draft under test, whose token was the permission (drafts.get_draft): nobody's view."""
    return _files(ctx, project_id, held)


def hash_of(ctx: Context, project_id: int, dataset_id: int) -> str:
    """The MD5 that stands for what whoever asks sees of a list; the action that asks has seen to the permission.

    It is another one exactly where that is another: an entity, a version of one, a property, or whether creations wait for
    approval. Raises Problem 404.1 where the list was put away.
    """
    dataset = _living(ctx, dataset_id)
    project = _project(ctx, project_id)
    return _hash(ctx, dataset, _view(ctx, project, dataset))


def write_csv(ctx: Context, project_id: int, dataset_id: int, out: BinaryIO) -> str:
    """Write a list as phones read it, and give the hash of what was written; the action that asks has seen to the permission.

    Columns are `name` (the id), `label`, `__version` and the properties. The connection must read one state of the database.
    Source: ODK Collect's entity lists, ODK Central's attachments.
    """
    dataset = _living(ctx, dataset_id)
    project = _project(ctx, project_id)
    view = _view(ctx, project, dataset)
    names = [one.name for one in datasets.list_properties(ctx.conn, dataset_id)]
    for piece in _csv(names, entity_views.rows(ctx.conn, view)):
        out.write(piece)
    return _hash(ctx, dataset, view)


def list_states(ctx: Context, project_id: int, name: str, uuids: Collection[str]) -> dict[str, bool]:
    """Of these ids that the list has or had, whether the entity is gone for whoever asks. Ids that never came are left out:
    the submission that creates them may still be on the phone.

    For whoever may list entities or read a form that uses the list. Raises Problem 403.1, 404.1.
    """
    found = find_dataset(ctx, project_id, name)
    _require_use(ctx, found.project, found.row)
    return _states(ctx, found.project, found.row, uuids)


def list_draft_states(
    ctx: Context, project_id: int, held: Iterable[FormAttachment], name: str, uuids: Collection[str]
) -> dict[str, bool]:
    """The same for a draft under test that uses the list. Raises Problem 404.1 where it does not."""
    dataset = datasets.find(ctx.conn, project_id, name)
    if dataset is None or dataset.name != name or all(file.dataset_id != dataset.id for file in held):
        raise entity_problems.no_list(name)
    return _states(ctx, _project(ctx, project_id), dataset, uuids)


def _states(ctx: Context, project: Project, dataset: Dataset, uuids: Collection[str]) -> dict[str, bool]:
    asked = {text: uuid for text in uuids if (uuid := find_uuid(text)) is not None}
    found = entity_views.states(ctx.conn, _view(ctx, project, dataset), asked.values())
    return {text: found[uuid] for text, uuid in asked.items() if uuid in found}


def _files(ctx: Context, project_id: int, held: Iterable[FormAttachment]) -> list[PhoneFile]:
    project = _project(ctx, project_id)
    listed = []
    for file in held:
        if file.dataset_id is not None:
            dataset = datasets.get(ctx.conn, file.dataset_id)
            if dataset.deleted_at is None:
                listed.append(
                    PhoneFile(
                        name=file.name,
                        md5=_hash(ctx, dataset, _view(ctx, project, dataset)),
                        dataset=dataset.name,
                        approval=dataset.approval_required,
                    )
                )
        elif file.md5 is not None:
            listed.append(PhoneFile(name=file.name, md5=file.md5))
    return listed


def _require_use(ctx: Context, project: Project, dataset: Dataset) -> None:
    actor = ctx.actor
    if actor is None:
        raise problems.credentials_missing()
    if may(actor, "entity.list", project):
        return
    linked = datasets.list_linked_versions(ctx.conn, dataset.id)
    for form in forms.list_forms(ctx.conn, project.id):
        if form.current_version_id in linked and may(actor, "form.read", form):
            return
    raise problems.insufficient_rights()


def _view(ctx: Context, project: Project, dataset: Dataset) -> View:
    """What whoever asks sees. Nobody at all (a draft's token) sees what needs no actor to be seen."""
    actor = ctx.actor
    if actor is not None and may(actor, "entity.list", project):
        fills = may(actor, "submission.create", project) or may(actor, IDENTIFY, project)
        return View(dataset_id=dataset.id, nothing=not fills)
    filters = datasets.list_filters(ctx.conn, dataset.id)
    if not filters and not dataset.owner_only:
        return View(dataset_id=dataset.id)
    if actor is None:
        return View(dataset_id=dataset.id, nothing=True)
    values = datasets.values_of_actor(ctx.conn, actor.id) if filters else {}
    own = {name: value for name, value in values.items() if value.strip()}  # a blank opens nothing
    return View(
        dataset_id=dataset.id,
        creator_id=actor.id if dataset.owner_only else None,
        equal=tuple((mine, own[theirs]) for mine, theirs in filters if theirs in own),
        nothing=any(theirs not in own for _, theirs in filters),
    )


def _hash(ctx: Context, dataset: Dataset, view: View) -> str:
    if view.whole:
        told = f"{dataset.id}:{dataset.revision}"
    else:
        key = ("entities", dataset.id, dataset.revision, view)
        seen = registry.remember(ctx.conn, key, lambda: entity_views.digest(ctx.conn, view))
        names = ",".join(one.name for one in datasets.list_properties(ctx.conn, dataset.id))
        told = f"{dataset.id}:{names}:{dataset.approval_required}:{seen}"
    return hashlib.md5(told.encode(), usedforsecurity=False).hexdigest()


def _csv(names: list[str], rows: Iterable[tuple[str, str, int, Mapping[str, str]]]) -> Iterator[bytes]:
    out = io.StringIO()
    writer = csv.writer(out)  # its line end is CR LF: values with either of the two stand in quotes only then
    writer.writerow(["name", "label", "__version", *names])
    for number, (uuid, label, version, data) in enumerate(rows, 1):
        writer.writerow([uuid, label, version, *(data.get(name, "") for name in names)])
        if number % _ROWS == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def _living(ctx: Context, dataset_id: int) -> Dataset:
    dataset = datasets.get(ctx.conn, dataset_id)
    if dataset.deleted_at is not None:
        raise problems.not_found()
    return dataset


def _project(ctx: Context, project_id: int) -> Project:
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    return project

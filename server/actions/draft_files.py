"""The files that go with a form, as they are listed, and which of a draft's are entity lists."""

from __future__ import annotations

import re
from typing import Final

from forms import entity_problems
from server import problems
from server.access import require
from server.context import Context
from server.model.forms import Form, FormAttachment
from server.store import datasets, form_attachments, forms, projects

_CSV: Final = re.compile(r"\.csv$", re.IGNORECASE)


def list_files(ctx: Context, project_id: int, form_id: str, *, draft: bool = False) -> list[FormAttachment]:
    """The files that a form expects, by name, with what is here of each: of the published version, or of the draft.

    Raises Problem 404.1.
    """
    form = _find(ctx, project_id, form_id)
    require(ctx, "form.read", form)
    version_id = form.draft_version_id if draft else form.current_version_id
    if version_id is None:
        raise problems.no_draft(form_id) if draft else problems.never_published(form_id)
    return form_attachments.list_attachments(ctx.conn, version_id)


def expect(ctx: Context, project_id: int, form_id: str) -> None:
    """Whether there is such a form and whoever asks may change it: before anything else is looked at. Raises Problem 404.1,
    403.1."""
    require(ctx, "form.update", _find(ctx, project_id, form_id))


def link_list(ctx: Context, project_id: int, form_id: str, name: str, *, linked: bool) -> FormAttachment:
    """Let a draft's file be the entity list of its name (`.csv` aside), or nothing; content that is here goes. Gives it.

    Where it is to be nothing it stays so, though there be a list of its name. Raises Problem 404.1 for a draft, file or list
    that there is not, 400.26 where it is no data file.
    """
    expect(ctx, project_id, form_id)
    draft = _hold(ctx, project_id, form_id)
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    found = datasets.find(ctx.conn, project_id, _CSV.sub("", name))
    if found is None or found.name != _CSV.sub("", name):
        raise entity_problems.no_list(_CSV.sub("", name))
    require(ctx, "entity.list", project)
    file = _file(ctx, draft, name)
    if linked and file.type != "file":
        raise entity_problems.not_linkable(name)
    dataset = datasets.hold_one(ctx.conn, found.id)
    if dataset.deleted_at is not None:  # somebody put it away meanwhile
        raise entity_problems.no_list(dataset.name)
    return _put(ctx, draft, file, dataset.id if linked else None)


def clear(ctx: Context, project_id: int, form_id: str, name: str) -> None:
    """Let a draft's file be nothing: neither content nor list. Raises Problem 404.1 where it is nothing already."""
    expect(ctx, project_id, form_id)
    draft = _hold(ctx, project_id, form_id)
    file = _file(ctx, draft, name)
    if file.sha256 is None and file.dataset_id is None:
        raise problems.not_found()
    _put(ctx, draft, file, None)


def _find(ctx: Context, project_id: int, form_id: str) -> Form:
    form = forms.find_form(ctx.conn, project_id, form_id)
    if form is None:
        raise problems.no_form(form_id)
    return form


def _hold(ctx: Context, project_id: int, form_id: str) -> Form:
    """A form with a draft, held against its publishing."""
    form = forms.hold_for_change(ctx.conn, _find(ctx, project_id, form_id).id)
    if form.draft_version_id is None:
        raise problems.no_draft(form_id)
    return form


def _file(ctx: Context, draft: Form, name: str) -> FormAttachment:
    file = form_attachments.find_attachment(ctx.conn, draft.draft_version_id or 0, name)
    if file is None:
        raise problems.not_found()
    return file


def _put(ctx: Context, draft: Form, file: FormAttachment, dataset_id: int | None) -> FormAttachment:
    form_attachments.link(ctx.conn, file.id, dataset_id, when=ctx.now())

    ctx.record(
        "form.attachment.update",
        project_id=draft.project_id,
        form_id=draft.id,
        details={"name": file.name, "oldDatasetId": file.dataset_id, "newDatasetId": dataset_id},
    )
    return _file(ctx, draft, file.name)

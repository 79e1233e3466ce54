"""Published forms, as phones and coordinators see them."""

from __future__ import annotations

from typing import Final, Literal, get_args

from forms.problems import Sentence
from server import problems
from server.access import may, require
from server.actions import logframes
from server.context import Context
from server.model.forms import Form, FormAttachment, FormVersion, ListedForm
from server.model.projects import Project
from server.store import form_attachments, forms, projects
from server.tables import ddl

State = Literal["open", "closing", "closed"]
STATES: Final[tuple[str, ...]] = get_args(State)


def get_form(ctx: Context, project_id: int, form_id: str) -> Form:
    """A living form by its XForm id; raises Problem 404.1."""
    form = forms.find_form(ctx.conn, project_id, form_id)
    if form is None:
        raise problems.no_form(form_id)
    require(ctx, "form.read", form)
    return form


def list_with_versions(ctx: Context, project_id: int) -> list[tuple[Form, FormVersion | None]]:
    """Every living form of a project with its published version, if it has one."""
    require(ctx, "form.list", _project(ctx, project_id))
    return [
        (form, forms.get_version(ctx.conn, form.current_version_id) if form.current_version_id else None)
        for form in forms.list_forms(ctx.conn, project_id)
    ]


def list_open(ctx: Context, project_id: int) -> list[ListedForm]:
    """The formList: open, published forms of the project that the asking actor may read.

    Someone who may read nothing at all in the project is refused (Problem 403.1): an empty list would make phones delete
    their forms.
    """
    project = _project(ctx, project_id)
    actor = ctx.actor
    if actor is None:
        raise problems.credentials_missing()
    if not any("form.read" in grant.verbs and grant.project_id in (None, project.id) for grant in actor.grants):
        raise problems.insufficient_rights()

    listed = forms.list_open(ctx.conn, project_id)
    whole = may(actor, "form.read", project)
    own = {grant.form_id for grant in actor.grants if "form.read" in grant.verbs}
    return [form for form in listed if whole or form.form_id in own]


def get_published(ctx: Context, project_id: int, form_id: str) -> tuple[Form, FormVersion]:
    """A form and its published version; raises Problem 404.1."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "form.read", form)
    if form.current_version_id is None:
        raise problems.never_published(form_id)
    return form, forms.get_version(ctx.conn, form.current_version_id)


def get_version(ctx: Context, project_id: int, form_id: str, version: str) -> FormVersion:
    """A version of a form that was published at some time; raises Problem 404.1."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "form.read", form)
    found = forms.find_published(ctx.conn, form.id, version)
    if found is None:
        raise problems.not_found()
    return found


def get_xml(ctx: Context, project_id: int, form_id: str, version: FormVersion) -> bytes:
    """The exact XML of a version of this form, whose MD5 the formList announced."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "form.read", form)
    if version.form_id != form.id:
        raise problems.not_found()
    return forms.get_xml(ctx.conn, version.id)


def list_attachments(ctx: Context, project_id: int, form_id: str) -> list[FormAttachment]:
    """The files of the published version, those that are missing too."""
    form, version = get_published(ctx, project_id, form_id)
    require(ctx, "form.read", form)
    return form_attachments.list_attachments(ctx.conn, version.id)


def get_attachment(ctx: Context, project_id: int, form_id: str, name: str) -> FormAttachment:
    """One file of the published version, or the entity list that it is; raises Problem 404.1 where it is not expected or not
    here."""
    form, version = get_published(ctx, project_id, form_id)
    require(ctx, "form.read", form)
    attachment = form_attachments.find_attachment(ctx.conn, version.id, name)
    if attachment is None or (attachment.sha256 is None and attachment.dataset_id is None):
        raise problems.not_found()
    return attachment


def set_state(ctx: Context, project_id: int, form_id: str, state: str) -> None:
    """open (phones get it), closing or closed (phones do not; what they still send is kept in every state)."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "form.update", form)
    if state not in STATES:
        raise problems.wrong_value(
            "state", state, Sentence(es="use open, closing o closed.", en="use open, closing or closed.")
        )
    forms.change_form(ctx.conn, form.id, state=state, updated_at=ctx.now())

    ctx.record("form.update", form_id=form.id, project_id=project_id, details={"state": state})


def delete_form(ctx: Context, project_id: int, form_id: str) -> None:
    """Put a form away: phones get it no more; what was and still is sent stays.

    Indicators over it have no figures from then on, until a form of the same id is published. Raises Problem 503.1 where
    somebody's reading holds up one of its tables of facts.
    """
    form = get_form(ctx, project_id, form_id)
    require(ctx, "form.delete", form)
    with ddl.waiting(ctx.conn, seconds=ctx.settings.database_wait, form_id=form_id):
        projects.hold_for_change(ctx.conn, project_id)
        form = forms.hold_for_change(ctx.conn, form.id)
        if form.deleted_at is not None:  # somebody else has just deleted it
            raise problems.no_form(form_id)
        forms.change_form(ctx.conn, form.id, deleted_at=ctx.now())
        logframes.drop_facts(ctx, form)

    ctx.record("form.delete", form_id=form.id, project_id=project_id)


def _project(ctx: Context, project_id: int) -> Project:
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    return project

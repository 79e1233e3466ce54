"""SQL for forms and their versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, exists, insert, select, update

from server.model.forms import Form, FormVersion, ListedForm, form_attachments, form_versions, forms
from server.model.projects import projects
from server.model.submissions import submissions
from server.prepared import Prepared

_FORM: tuple[ColumnElement[Any], ...] = (
    forms.c.id,
    forms.c.project_id,
    forms.c.xml_form_id,
    forms.c.state,
    forms.c.current_version_id,
    forms.c.draft_version_id,
    forms.c.layout_revision,
    forms.c.created_at,
    forms.c.updated_at,
    forms.c.deleted_at,
)
_VERSION: tuple[ColumnElement[Any], ...] = (
    form_versions.c.id,
    form_versions.c.form_id,
    form_versions.c.version,
    form_versions.c.title,
    form_versions.c.md5,
    form_versions.c.sha256,
    form_versions.c.workbook_sha256,
    form_versions.c.workbook_name,
    form_versions.c.marks,
    form_versions.c.draft_token_hash,
    form_versions.c.created_at,
    form_versions.c.published_at,
)
_BY_XML_FORM_ID = (
    select(*_FORM)
    .where(forms.c.project_id == bindparam("project_id"), forms.c.xml_form_id == bindparam("xml_form_id"))
    .order_by(forms.c.deleted_at.is_not(None), forms.c.id.desc())
)
_FOR_SUBMISSION = Prepared(
    select(*_FORM, form_versions.c.id.label("version_id"), form_versions.c.sha256)
    .select_from(
        forms.outerjoin(
            form_versions,
            (form_versions.c.form_id == forms.c.id)
            & (form_versions.c.version == bindparam("version"))
            & form_versions.c.published_at.is_not(None),
        ).join(projects, projects.c.id == forms.c.project_id)
    )
    .where(projects.c.deleted_at.is_(None))
    .where(forms.c.project_id == bindparam("project_id"), forms.c.xml_form_id == bindparam("xml_form_id"))
    .where(forms.c.current_version_id.is_not(None))  # a first draft must not hide the deleted form that it replaces
    .order_by(forms.c.deleted_at.is_not(None), form_versions.c.id.is_(None), forms.c.id.desc())
    .with_for_update(read=True, of=forms)  # PostgreSQL: no layout is changed while an instance is written to it
)
_LISTED = (
    select(
        forms.c.id,
        forms.c.xml_form_id,
        form_versions.c.id.label("version_id"),
        form_versions.c.version,
        form_versions.c.title,
        form_versions.c.md5,
        exists()
        .where(form_attachments.c.version_id == form_versions.c.id)
        .correlate(form_versions)
        .label("has_attachments"),
    )
    .join(form_versions, form_versions.c.id == forms.c.current_version_id)
    .where(forms.c.project_id == bindparam("project_id"), forms.c.state == "open", forms.c.deleted_at.is_(None))
    .order_by(forms.c.xml_form_id)
)


def find_form(conn: Connection, project_id: int, xml_form_id: str, *, deleted: bool = False) -> Form | None:
    """The form with this id in its project; a deleted one only where `deleted` is asked for and none lives."""
    row = conn.execute(_BY_XML_FORM_ID, {"project_id": project_id, "xml_form_id": xml_form_id}).first()
    if row is None or (row.deleted_at is not None and not deleted):
        return None
    return Form(*row)


def get_form(conn: Connection, form_id: int) -> Form:
    """The form with this row id, deleted or not."""
    return Form(*conn.execute(select(*_FORM).where(forms.c.id == form_id)).one())


def hold_for_change(conn: Connection, form_id: int) -> Form:
    """The form with this row id, once nobody writes to it any more; nobody begins to until the transaction ends."""
    statement = select(*_FORM).where(forms.c.id == form_id).with_for_update(key_share=True)
    return Form(*conn.execute(statement).one())


def hold_for_rows(conn: Connection, submission_id: int) -> Form:
    """The form of a submission, its layout kept as it is until the transaction ends.

    Whoever writes rows takes this before the submission itself: publishing holds the form and then asks for submissions.
    """
    statement = (
        select(*_FORM)
        .join(submissions, submissions.c.form_id == forms.c.id)
        .where(submissions.c.id == submission_id)
        .with_for_update(read=True, of=forms)
    )
    return Form(*conn.execute(statement).one())


def find_for_submission(
    conn: Connection, project_id: int, xml_form_id: str, version: str
) -> list[tuple[Form, int | None, str | None]]:
    """Where an arriving instance belongs, best first: the form (living before deleted), its published version of that name,
    and the SHA-256 of that version's XML; after it, the deleted forms that once had this id.

    The version is None where the form never had it; nothing where there is no such project or it never had the form.
    """
    values = {"project_id": project_id, "xml_form_id": xml_form_id, "version": version}
    return [(Form(*row[:-2]), row[-2], row[-1]) for row in _FOR_SUBMISSION.all(conn, values)]


def list_forms(conn: Connection, project_id: int) -> list[Form]:
    """Every form of a project that was not deleted, by id."""
    rows = conn.execute(
        select(*_FORM)
        .where(forms.c.project_id == project_id, forms.c.deleted_at.is_(None))
        .order_by(forms.c.xml_form_id)
    )
    return [Form(*row) for row in rows]


def list_deleted(conn: Connection, project_id: int) -> list[Form]:
    """Every form of a project that was deleted, eldest first."""
    rows = conn.execute(
        select(*_FORM).where(forms.c.project_id == project_id, forms.c.deleted_at.is_not(None)).order_by(forms.c.id)
    )
    return [Form(*row) for row in rows]


def list_every_form(conn: Connection) -> list[Form]:
    """Every form of every project, deleted ones too."""
    return [Form(*row) for row in conn.execute(select(*_FORM).order_by(forms.c.id))]


def list_open(conn: Connection, project_id: int) -> list[ListedForm]:
    """What a formList of the project shows: open, published, not deleted."""
    return [ListedForm(*row) for row in conn.execute(_LISTED, {"project_id": project_id})]


def add_form(conn: Connection, *, project_id: int, xml_form_id: str, created_at: datetime) -> int:
    """An open form without versions; gives its id."""
    statement = insert(forms).values(
        project_id=project_id, xml_form_id=xml_form_id, state="open", created_at=created_at
    )
    return int(conn.execute(statement.returning(forms.c.id)).scalar_one())


def change_form(conn: Connection, form_id: int, **values: Any) -> None:
    """Other values in a form's row."""
    conn.execute(update(forms).where(forms.c.id == form_id).values(**values))


def add_version(conn: Connection, **values: Any) -> int:
    """A version; gives its id. `values` are the columns of form_versions."""
    return int(conn.execute(insert(form_versions).values(**values).returning(form_versions.c.id)).scalar_one())


def change_version(conn: Connection, version_id: int, **values: Any) -> None:
    """Other values in a version's row."""
    conn.execute(update(form_versions).where(form_versions.c.id == version_id).values(**values))


_GET_VERSION = Prepared(select(*_VERSION).where(form_versions.c.id == bindparam("id")))


def get_version(conn: Connection, version_id: int) -> FormVersion:
    """The version with this row id."""
    return FormVersion(*_GET_VERSION.all(conn, {"id": version_id})[0])


def get_declarations(conn: Connection, version_id: int) -> dict[str, Any] | None:
    """What the indicator sheets of a version's workbook declare, as indicators/drafted keeps it; None: it has none."""
    found: dict[str, Any] | None = conn.execute(
        select(form_versions.c.declarations).where(form_versions.c.id == version_id)
    ).scalar_one()
    return found


def find_published(conn: Connection, form_id: int, version: str) -> FormVersion | None:
    """The published version of a form that carries this version string."""
    return _one(
        conn,
        select(*_VERSION).where(
            form_versions.c.form_id == form_id,
            form_versions.c.version == version,
            form_versions.c.published_at.is_not(None),
        ),
    )


def find_draft_by_token(conn: Connection, form_id: int, token_hash: str) -> FormVersion | None:
    """The form's present draft, if this is its token."""
    return _one(
        conn,
        select(*_VERSION)
        .join(forms, forms.c.draft_version_id == form_versions.c.id)
        .where(forms.c.id == form_id, forms.c.deleted_at.is_(None), form_versions.c.draft_token_hash == token_hash),
    )


def list_published(conn: Connection, form_id: int) -> list[FormVersion]:
    """Every version of a form that was ever published, eldest first."""
    rows = conn.execute(
        select(*_VERSION)
        .where(form_versions.c.form_id == form_id, form_versions.c.published_at.is_not(None))
        .order_by(form_versions.c.published_at, form_versions.c.id)
    )
    return [FormVersion(*row) for row in rows]


def list_every_published(conn: Connection, project_id: int) -> list[FormVersion]:
    """Every version that a form of the project ever published, deleted forms too, in order of its id."""
    rows = conn.execute(
        select(*_VERSION)
        .join(forms, forms.c.id == form_versions.c.form_id)
        .where(forms.c.project_id == project_id, form_versions.c.published_at.is_not(None))
        .order_by(form_versions.c.id)
    )
    return [FormVersion(*row) for row in rows]


def list_drafts(conn: Connection, project_id: int) -> list[FormVersion]:
    """The drafts of a project's living forms."""
    rows = conn.execute(
        select(*_VERSION)
        .join(forms, forms.c.draft_version_id == form_versions.c.id)
        .where(forms.c.project_id == project_id, forms.c.deleted_at.is_(None))
        .order_by(forms.c.xml_form_id)
    )
    return [FormVersion(*row) for row in rows]


def get_xml(conn: Connection, version_id: int) -> bytes:
    """The exact XML of a version, as phones get it."""
    return bytes(conn.execute(select(form_versions.c.xml).where(form_versions.c.id == version_id)).scalar_one())


def _one(conn: Connection, statement: Select[Any]) -> FormVersion | None:
    row = conn.execute(statement).first()
    return FormVersion(*row) if row else None

"""SQL for the files that go with a version of a form."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from forms.schema import ExpectedAttachment
from server.model.forms import FormAttachment, form_attachments


def expect(conn: Connection, version_id: int, expected: Iterable[ExpectedAttachment], *, like: int | None) -> None:
    """Note the files a version needs; those that version `like` already has are taken over."""
    held = {file.name: file for file in list_attachments(conn, like)} if like is not None else {}
    rows = []
    for entry in expected:
        file = held.get(entry.name)
        rows.append(
            {
                "version_id": version_id,
                "name": entry.name,
                "type": entry.type,
                "sha256": file.sha256 if file else None,
                "md5": file.md5 if file else None,
                "size": file.size if file else None,
                "content_type": file.content_type if file else None,
                "updated_at": file.updated_at if file else None,
                "dataset_id": file.dataset_id if file else None,
            }
        )
    if rows:
        conn.execute(insert(form_attachments), rows)


def list_attachments(conn: Connection, version_id: int) -> list[FormAttachment]:
    """The files of a version, by name."""
    rows = conn.execute(
        select(form_attachments).where(form_attachments.c.version_id == version_id).order_by(form_attachments.c.name)
    )
    return [FormAttachment(*row) for row in rows]


def find_attachment(conn: Connection, version_id: int, name: str) -> FormAttachment | None:
    """One file of a version."""
    row = conn.execute(
        select(form_attachments).where(form_attachments.c.version_id == version_id, form_attachments.c.name == name)
    ).first()
    return FormAttachment(*row) if row else None


def link(conn: Connection, attachment_id: int, dataset_id: int | None, *, when: datetime) -> None:
    """Let an expected file be an entity list, or (None) nothing at all, because somebody says so; its content goes."""
    conn.execute(
        update(form_attachments)
        .where(form_attachments.c.id == attachment_id)
        .values(dataset_id=dataset_id, sha256=None, md5=None, size=None, content_type=None, updated_at=when)
    )


def fill(
    conn: Connection,
    attachment_id: int,
    *,
    sha256: str,
    md5: str,
    size: int,
    content_type: str,
    when: datetime,
) -> None:
    """The content of an expected file, which is no entity list from then on."""
    conn.execute(
        update(form_attachments)
        .where(form_attachments.c.id == attachment_id)
        .values(sha256=sha256, md5=md5, size=size, content_type=content_type, updated_at=when, dataset_id=None)
    )

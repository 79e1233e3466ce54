"""SQL for the files of submissions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from server.blobs.blobs import Blob
from server.model.submissions import SubmissionAttachment, submission_attachments

_COLUMNS = (
    submission_attachments.c.version_id,
    submission_attachments.c.name,
    submission_attachments.c.expected,
    submission_attachments.c.sha256,
    submission_attachments.c.size,
    submission_attachments.c.content_type,
)
_ADD = insert(submission_attachments)


def list_attachments(conn: Connection, version_id: int) -> list[SubmissionAttachment]:
    """The files of a version, expected ones that are missing included, by name."""
    rows = conn.execute(
        select(*_COLUMNS)
        .where(submission_attachments.c.version_id == version_id)
        .order_by(submission_attachments.c.name)
    )
    return [SubmissionAttachment(*row) for row in rows]


def find_attachment(conn: Connection, version_id: int, name: str) -> SubmissionAttachment | None:
    """One file of a version."""
    row = conn.execute(
        select(*_COLUMNS).where(
            submission_attachments.c.version_id == version_id, submission_attachments.c.name == name
        )
    ).first()
    return SubmissionAttachment(*row) if row else None


def expect(conn: Connection, version_id: int, names: Iterable[str]) -> None:
    """Files that an instance names and that may come later."""
    rows = [{"version_id": version_id, "name": name, "expected": True} for name in names]
    if rows:
        conn.execute(_ADD, rows)


def keep(conn: Connection, version_id: int, name: str, blob: Blob, *, content_type: str, when: datetime) -> None:
    """The content of a file, expected or not; another content under the same name takes its place."""
    changed = conn.execute(
        update(submission_attachments)
        .where(submission_attachments.c.version_id == version_id, submission_attachments.c.name == name)
        .values(sha256=blob.sha256, size=blob.size, content_type=content_type, received_at=when)
    )
    if not changed.rowcount:
        conn.execute(
            _ADD,
            {
                "version_id": version_id,
                "name": name,
                "expected": False,
                "sha256": blob.sha256,
                "size": blob.size,
                "content_type": content_type,
                "received_at": when,
            },
        )

"""SQL for which blobs are named anywhere."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select, union

from server.model.forms import form_attachments, form_versions
from server.model.indicators import logframes
from server.model.submissions import submission_attachments


def list_named(conn: Connection) -> Iterator[tuple[str, str]]:
    """File name and SHA-256 of every blob that a form, a logframe or a submission names."""
    statement = union(
        select(form_attachments.c.name, form_attachments.c.sha256).where(form_attachments.c.sha256.is_not(None)),
        select(submission_attachments.c.name, submission_attachments.c.sha256).where(
            submission_attachments.c.sha256.is_not(None)
        ),
        select(form_versions.c.workbook_name, form_versions.c.workbook_sha256).where(
            form_versions.c.workbook_sha256.is_not(None)
        ),
        select(func.coalesce(logframes.c.workbook_name, "logframe"), logframes.c.workbook_sha256).where(
            logframes.c.workbook_sha256.is_not(None)
        ),
    )
    for row in conn.execute(statement):
        yield str(row[0]), str(row[1])

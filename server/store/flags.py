"""SQL for flags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from server.model.submissions import Flag, FlaggedValue, flags, submissions


def replace(conn: Connection, submission_id: int, checks: str, rows: Sequence[dict[str, Any]], *, fresh: bool) -> None:
    """The flags of one family of checks (`checks` begins their names) on a submission, in place of the earlier ones.

    `fresh` says that the submission cannot have any yet.
    """
    if not fresh:
        conn.execute(delete(flags).where(flags.c.submission_id == submission_id, flags.c.check.startswith(checks)))
    if rows:
        conn.execute(insert(flags), [{"submission_id": submission_id, **row} for row in rows])


def list_flags(conn: Connection, submission_id: int) -> list[Flag]:
    """The flags of a submission, in the order in which they were raised."""
    return [
        Flag(*row)
        for row in conn.execute(select(flags).where(flags.c.submission_id == submission_id).order_by(flags.c.id))
    ]


def list_of_form(conn: Connection, form_id: int) -> list[FlaggedValue]:
    """The flags on a form's living submissions (drafts not), by submission and in the order in which they were raised."""
    rows = conn.execute(
        select(
            submissions.c.instance_id,
            flags.c.check,
            flags.c.severity,
            flags.c.state,
            flags.c.row_key,
            flags.c.path,
            flags.c.text,
            flags.c.created_at,
        )
        .join(submissions, submissions.c.id == flags.c.submission_id)
        .where(submissions.c.form_id == form_id, submissions.c.draft.is_(False), submissions.c.deleted_at.is_(None))
        .order_by(submissions.c.id, flags.c.id)
    )
    return [FlaggedValue(*row) for row in rows]


def count_open(conn: Connection) -> int:
    """How many open flags living submissions have (drafts not)."""
    counted = (
        select(func.count())
        .select_from(flags.join(submissions, submissions.c.id == flags.c.submission_id))
        .where(flags.c.state == "open", submissions.c.draft.is_(False), submissions.c.deleted_at.is_(None))
    )
    return int(conn.execute(counted).scalar_one())

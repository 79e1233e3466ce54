"""SQL for what checks keep: which ones a form was looked through with, statistics, and sums of audit logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from server.model.cleaning import audit_logs, check_keys, check_plans, check_statistics
from server.model.submissions import submission_attachments, submission_versions, submissions
from server.prepared import Prepared

_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Plan:
    """The checks with which a form was looked through, by digest, and how many submissions it had then."""

    digests: Mapping[str, str]
    submissions: int
    ran_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What one audit log sums up to: see `forms.audit_log.Timing`."""

    submission_id: int
    form_id: int
    sha256: str
    seconds: float | None
    screens: int
    median_seconds: float | None


_HELD: Final = Prepared(
    select(submission_attachments.c.sha256)
    .join(submission_versions, submission_versions.c.id == submission_attachments.c.version_id)
    .where(
        submission_versions.c.submission_id == bindparam("submission"),
        submission_versions.c.current,
        submission_attachments.c.name == bindparam("name"),
        submission_attachments.c.sha256.is_not(None),
    )
)
_SUMMED: Final = Prepared(select(audit_logs.c.sha256).where(audit_logs.c.submission_id == bindparam("submission")))
_FORGET_LOG: Final = Prepared(delete(audit_logs).where(audit_logs.c.submission_id == bindparam("submission")))
_LOG_COLUMNS: Final = ("submission_id", "form_id", "sha256", "seconds", "screens", "median_seconds")


def find_plan(conn: Connection, form_id: int) -> Plan | None:
    """The plan that a form was last looked through with."""
    columns = (check_plans.c.digests, check_plans.c.submissions, check_plans.c.ran_at)
    row = conn.execute(select(*columns).where(check_plans.c.form_id == form_id)).first()
    return Plan(*row) if row else None


def keep_plan(conn: Connection, form_id: int, digests: Mapping[str, str], *, count: int, when: datetime) -> None:
    """The form was looked through with these checks."""
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    values = {"digests": dict(digests), "submissions": count, "ran_at": when}
    statement = make(check_plans).values(form_id=form_id, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["form_id"], set_=values))


def replace_statistics(conn: Connection, form_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """What all records of a form together say, in place of what they said before."""
    conn.execute(delete(check_statistics).where(check_statistics.c.form_id == form_id))
    for at in range(0, len(rows), _AT_ONCE):
        conn.execute(insert(check_statistics), [dict(row) for row in rows[at : at + _AT_ONCE]])


def drop_keys(conn: Connection, form_id: int) -> None:
    """Forget the keys of a form's records."""
    conn.execute(delete(check_keys).where(check_keys.c.form_id == form_id))


def find_log_file(conn: Connection, submission_id: int, name: str) -> str | None:
    """The SHA-256 of the audit log beside the current version of a submission, if it is here."""
    row = _HELD.first(conn, {"submission": submission_id, "name": name})
    return str(row[0]) if row else None


def find_summed(conn: Connection, submission_id: int) -> str | None:
    """The SHA-256 of the audit log that is summed up for a submission."""
    row = _SUMMED.first(conn, {"submission": submission_id})
    return str(row[0]) if row else None


def keep_log(conn: Connection, log: Log) -> None:
    """What a submission's audit log sums up to, in place of what an earlier one did."""
    forget_log(conn, log.submission_id)
    conn.execute(insert(audit_logs).values(**{name: getattr(log, name) for name in _LOG_COLUMNS}))


def forget_log(conn: Connection, submission_id: int) -> None:
    """Forget what a submission's audit log sums up to."""
    _FORGET_LOG.run(conn, {"submission": submission_id})


def list_unsummed(conn: Connection, form_id: int, name: str) -> list[tuple[int, str]]:
    """Submissions of a form whose audit log is here and was not summed up, with the file's SHA-256."""
    rows = conn.execute(
        select(submissions.c.id, submission_attachments.c.sha256)
        .join(submission_versions, submission_versions.c.submission_id == submissions.c.id)
        .join(submission_attachments, submission_attachments.c.version_id == submission_versions.c.id)
        .outerjoin(
            audit_logs,
            and_(
                audit_logs.c.submission_id == submissions.c.id,
                audit_logs.c.sha256 == submission_attachments.c.sha256,
            ),
        )
        .where(
            submissions.c.form_id == form_id,
            submissions.c.draft.is_(False),
            submissions.c.deleted_at.is_(None),
            submission_versions.c.current,
            submission_attachments.c.name == name,
            submission_attachments.c.sha256.is_not(None),
            audit_logs.c.submission_id.is_(None),
        )
        .order_by(submissions.c.id)
    )
    return [(row[0], row[1]) for row in rows]

"""SQL for what failed to follow from a submission, and is tried again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from server.model.submissions import follow_failures
from server.prepared import Prepared

_CLEAR_FAILURES = Prepared(
    delete(follow_failures).where(
        follow_failures.c.submission_id == bindparam("submission_id"),
        follow_failures.c.follower == bindparam("follower"),
    )
)


def note(conn: Connection, submission_id: int, follower: str, error: str, when: datetime) -> None:
    """Remember that something which follows from a submission could not be done yet."""
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = make(follow_failures).values(
        submission_id=submission_id, follower=follower, error=error, tries=1, failed_at=when
    )
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["submission_id", "follower"],
            set_={"error": error, "failed_at": when, "tries": follow_failures.c.tries + 1},
        )
    )


def clear(conn: Connection, submission_id: int, follower: str) -> None:
    """It was done after all."""
    _CLEAR_FAILURES.run(conn, {"submission_id": submission_id, "follower": follower})


def list_all(conn: Connection, *, most: int = 1000) -> list[tuple[int, str, str, int]]:
    """Submission id, follower, error and number of tries of what is still to be done, eldest first."""
    rows = conn.execute(
        select(
            follow_failures.c.submission_id,
            follow_failures.c.follower,
            follow_failures.c.error,
            follow_failures.c.tries,
        )
        .order_by(follow_failures.c.id)
        .limit(most)
    )
    return [(row.submission_id, row.follower, row.error, row.tries) for row in rows]

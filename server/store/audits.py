"""SQL for audits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, insert, select

from server.model.audits import audits
from server.prepared import Prepared

_ADD = Prepared(
    insert(audits).inline(),
    columns=("action", "actor_id", "details", "logged_at", "project_id", "form_id", "submission_id"),
)


def add(
    conn: Connection,
    *,
    action: str,
    actor_id: int | None,
    details: dict[str, Any] | None,
    logged_at: datetime,
    project_id: int | None = None,
    form_id: int | None = None,
    submission_id: int | None = None,
) -> None:
    """One line."""
    _ADD.run(
        conn,
        {
            "action": action,
            "actor_id": actor_id,
            "details": details,
            "logged_at": logged_at,
            "project_id": project_id,
            "form_id": form_id,
            "submission_id": submission_id,
        },
    )


def has_action(conn: Connection, action: str) -> bool:
    """Whether a line of this kind was ever written."""
    return bool(conn.execute(select(exists().where(audits.c.action == action))).scalar())

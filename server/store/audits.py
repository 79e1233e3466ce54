"""SQL for audits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from server.model.audits import audits

_ADD = insert(audits)


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
    conn.execute(
        _ADD.inline(),
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

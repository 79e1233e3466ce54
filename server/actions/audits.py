"""Audits: who did what and who saw what, read by whoever may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from server.access import require
from server.context import Context
from server.model.audits import AuditLine
from server.store import audits

READ = "audit.read"
MOST = 10_000
"""Lines of one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which lines: those of an action (`submission.read.identified`) or of all whose name begins so (`submission`), of a
    project, within a time; the newest first, after the first `offset` ones."""

    action: str | None = None
    project_id: int | None = None
    first: datetime | None = None
    last: datetime | None = None
    offset: int = 0
    most: int | None = None


def list_lines(ctx: Context, query: Query) -> list[AuditLine]:
    """The lines asked for, the newest first. Raises Problem 403.1."""
    require(ctx, READ, None)
    return audits.list_lines(
        ctx.conn,
        action=query.action,
        project_id=query.project_id,
        first=query.first,
        last=query.last,
        offset=query.offset,
        most=min(query.most or MOST, MOST),
    )

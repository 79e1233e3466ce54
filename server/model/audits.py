"""Audits: one line per action; lines are added and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from server.model.columns import METADATA, Id, Instant, Json

audits = Table(
    "audits",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("actor_id", Id, ForeignKey("actors.id")),
    Column("action", Text, nullable=False),
    Column("project_id", Id),
    Column("form_id", Id),
    Column("submission_id", Id),
    Column("dataset_id", Id),
    Column("entity_id", Id),
    Column("details", Json),
    Column("logged_at", Instant, nullable=False),
    Index(None, "action"),
    Index(None, "form_id"),
    Index(
        None,
        "entity_id",
        sqlite_where=Column("entity_id").is_not(None),
        postgresql_where=Column("entity_id").is_not(None),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One line as people read it; names are None where nobody is known, or nothing of the kind is meant."""

    id: int
    actor_id: int | None
    actor: str | None
    actor_type: str | None
    action: str
    project_id: int | None
    form_id: str | None
    instance_id: str | None
    details: dict[str, Any] | None
    logged_at: datetime

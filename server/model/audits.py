"""Audits: one line per action."""

from __future__ import annotations

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
    Column("details", Json),
    Column("logged_at", Instant, nullable=False),
    Index(None, "action"),
    Index(None, "form_id"),
)

"""Projects: what belongs together, and to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, Integer, Table, Text, false

from server.model.columns import METADATA, Id, Instant

projects = Table(
    "projects",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("archived", Boolean, nullable=False, server_default=false()),
    Column("created_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    Column("counting", Text, nullable=False, server_default="not_rejected"),  # or approved: what indicators count
    Column("minimum_n", Integer, nullable=False, server_default="10"),  # cells of fewer units are hidden
    Column("indicators_revision", Text, nullable=False, server_default=""),  # another at every change of declarations
    Column("withdrawal", Text, nullable=False, server_default="erase"),  # or keep_facts: what withdrawals of consent do
)


@dataclass(frozen=True, slots=True)
class Project:
    """A project as stored."""

    id: int
    name: str
    description: str | None
    archived: bool
    created_at: datetime
    deleted_at: datetime | None
    counting: str
    minimum_n: int
    indicators_revision: str
    withdrawal: str

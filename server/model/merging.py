"""Merges of entities that turned out to be one, and pairs that somebody looked at and found to be two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from server.model.columns import METADATA, Id, Instant

entity_merges = Table(
    "entity_merges",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("survivor_id", Id, ForeignKey("entities.id"), nullable=False),
    Column("absorbed_id", Id, ForeignKey("entities.id"), nullable=False),
    Column("survivor_version", Integer, nullable=False),  # the version of the survivor that the merge made
    Column("reason", Text, nullable=False),
    Column("actor_id", Id, ForeignKey("actors.id")),
    Column("created_at", Instant, nullable=False),
    Column("undone_at", Instant),
    Column("undone_by", Id, ForeignKey("actors.id")),
    Column("undone_reason", Text),
    Index(None, "survivor_id"),
    Index(None, "absorbed_id"),
)
distinct_entities = Table(
    "distinct_entities",
    METADATA,
    Column("first_id", Id, ForeignKey("entities.id"), primary_key=True),  # the lower row id
    Column("second_id", Id, ForeignKey("entities.id"), primary_key=True),
    Column("reason", Text),
    Column("actor_id", Id, ForeignKey("actors.id")),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("first_id < second_id", name="ordered"),
)


@dataclass(frozen=True, slots=True)
class Merge:
    """One entity taken into another, by whom and why, and whether that was undone."""

    id: int
    survivor_id: int
    absorbed_id: int
    survivor_version: int
    reason: str
    actor_id: int | None
    created_at: datetime
    undone_at: datetime | None
    undone_by: int | None
    undone_reason: str | None

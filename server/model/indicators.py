"""Indicators: what workbooks declare, version by version, the places that hold places, and where facts stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from server.model.columns import METADATA, Id, Instant, Json

logframes = Table(
    "logframes",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("project_id", Id, ForeignKey("projects.id"), nullable=False),
    Column("form_id", Id, ForeignKey("forms.id")),  # whose workbook it is; NULL: the project's logframe workbook
    Column("workbook_sha256", Text, nullable=False),
    Column("workbook_name", Text),
    Column("actor_id", Id, ForeignKey("actors.id")),
    Column("created_at", Instant, nullable=False),
    Index(None, "project_id"),
)
definitions = Table(
    "definitions",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("project_id", Id, ForeignKey("projects.id"), nullable=False),
    Column("form_id", Id, ForeignKey("forms.id")),  # whose workbook declares it; NULL: the project's
    Column("logframe_id", Id, ForeignKey("logframes.id"), nullable=False),  # which brought this version
    Column("kind", Text, nullable=False),  # result, indicator, dimension, target, check, place
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("position", Integer, nullable=False),  # among its kind in the workbook
    Column("content", Json, nullable=False),  # the row, as server/indicators/kept packs it; never changed
    Column("digest", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("retired_at", Instant),  # NULL: in force
    UniqueConstraint("project_id", "kind", "name", "version"),
    Index(
        "ix_definitions_in_force",
        "project_id",
        "kind",
        sqlite_where=text("retired_at IS NULL"),
        postgresql_where=text("retired_at IS NULL"),
    ),
)
place_ancestors = Table(
    "place_ancestors",
    METADATA,
    Column("project_id", Id, ForeignKey("projects.id"), primary_key=True),
    Column("level", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("valid_from", Date, primary_key=True),  # 0001-01-01 where it always was
    Column("valid_to", Date, nullable=False),  # 9999-12-31 where it still is
    Column("ancestor", Text, nullable=False),  # the place of this level that holds `code` then; itself at its own level
)
fact_tables = Table(
    "fact_tables",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("form_id", Id, ForeignKey("forms.id"), nullable=False),
    Column("path", Text, nullable=False),  # of the repeat whose rows are the units; "" for the submission
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),  # of what it holds
    UniqueConstraint("name"),
    Index(None, "form_id"),
)

indicator_values = Table(
    "indicator_values",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("project_id", Id, ForeignKey("projects.id"), nullable=False),
    Column("indicator", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("period_kind", Text, nullable=False),  # month, quarter, semester, year, round, all
    Column("period", Text),  # 2026-Q1, the code of a round; NULL: all
    Column("first_day", Date),
    Column("last_day", Date),
    Column("place_level", Text),  # NULL: all places
    Column("place", Text),
    Column("dimension", Text),  # NULL: everybody
    Column("category", Text),
    Column("value", Double),  # NULL: none, or hidden
    Column("n", BigInteger),
    Column("excluded", BigInteger),
    Column("numerator", Double),
    Column("denominator", Double),
    Column("se", Double),
    Column("low", Double),
    Column("high", Double),
    Column("baseline", Double),
    Column("target", Double),
    Column("achievement", Double),
    Column("hidden", Boolean, nullable=False),  # too few units to be shown
    Column("labels", Json, nullable=False),  # by language: indicator, place, category, unit
    Column("computed_at", Instant, nullable=False),
    Index(None, "project_id"),
)
value_states = Table(
    "value_states",
    METADATA,
    Column("project_id", Id, ForeignKey("projects.id"), primary_key=True),
    Column("token", Text, nullable=False),  # another wherever the values may be others
    Column("computed_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One version of something declared; `form_id` None where the project's logframe workbook declares it."""

    id: int
    kind: str
    name: str
    version: int
    form_id: int | None
    position: int
    content: dict[str, Any]
    digest: str
    created_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logframe:
    """A workbook whose declarations were taken."""

    id: int
    form_id: int | None
    workbook_sha256: str
    workbook_name: str | None
    actor_id: int | None
    created_at: datetime

"""Actors (users, app users), their credentials, the roles and who holds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Table, Text, UniqueConstraint

from server.model.columns import METADATA, Id, Instant, Json

actors = Table(
    "actors",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("type", Text, nullable=False),  # user, field_key
    Column("display_name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("deleted_at", Instant),
)
users = Table(
    "users",
    METADATA,
    Column("actor_id", Id, ForeignKey("actors.id"), primary_key=True),
    Column("email", Text, nullable=False),
    Column("password_hash", Text),
    UniqueConstraint("email"),
)
field_keys = Table(
    "field_keys",
    METADATA,
    Column("actor_id", Id, ForeignKey("actors.id"), primary_key=True),
    Column("project_id", Id, ForeignKey("projects.id"), nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("created_by", Id, ForeignKey("actors.id")),
    Column("revoked_at", Instant),
    UniqueConstraint("token_hash"),
)
roles = Table(
    "roles",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("system", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("verbs", Json, nullable=False),
    UniqueConstraint("system"),
)
assignments = Table(
    "assignments",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("actor_id", Id, ForeignKey("actors.id"), nullable=False),
    Column("role_id", Id, ForeignKey("roles.id"), nullable=False),
    Column("project_id", Id, ForeignKey("projects.id")),
    Column("form_id", Id, ForeignKey("forms.id")),
    Index(None, "actor_id"),
)


@dataclass(frozen=True, slots=True)
class Grant:
    """Verbs held over one form, one project (form None) or the whole site (both None)."""

    verbs: frozenset[str]
    project_id: int | None
    form_id: int | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone who may ask: a user or an app user, with what was granted."""

    id: int
    type: str
    display_name: str
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class ActorLine:
    """Somebody as others are told of them."""

    id: int
    type: str
    display_name: str
    created_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class FieldKey:
    """An app user of a project."""

    actor_id: int
    project_id: int
    display_name: str
    created_at: datetime
    revoked_at: datetime | None
    created_by: int | None = None


@dataclass(frozen=True, slots=True)
class User:
    """Someone who logs in with an address and a password."""

    actor_id: int
    email: str
    administrator: bool
    created_at: datetime

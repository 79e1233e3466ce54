"""Entity lists (datasets), their properties, their entities with every version, and what submissions did to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy import text as sql

from forms.schema import Type
from server.model.columns import METADATA, Id, Instant, Json

Conflict = Literal["soft", "hard"]
"""soft: somebody else changed it meanwhile, but other things · hard: the same property was changed to something else."""
SourceKind = Literal["submission", "api", "bulk", "merge", "correction", "withdrawal"]
Outcome = Literal["created", "updated", "held", "pending", "failed"]
"""What became of an entity block of a submission. held: an update whose base has not arrived · pending: a creation that waits
for the submission's approval · failed: `problem` says why."""
DONE: Final[tuple[Outcome, ...]] = ("created", "updated")
"""After these an edit of the submission changes nothing."""

datasets = Table(
    "datasets",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("project_id", Id, ForeignKey("projects.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False),  # in small letters: names that differ in capitals alone are one to a phone
    Column("approval_required", Boolean, nullable=False, server_default=false()),
    Column("owner_only", Boolean, nullable=False, server_default=false()),
    Column(
        "revision", BigInteger, nullable=False, server_default="0"
    ),  # a random one after every change that phones see
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant),
    Column("deleted_at", Instant),
    Index(
        "uq_datasets_living",
        "project_id",
        "folded",
        unique=True,
        sqlite_where=sql("deleted_at IS NULL"),
        postgresql_where=sql("deleted_at IS NULL"),
    ),
)
dataset_properties = Table(
    "dataset_properties",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("dataset_id", Id, ForeignKey("datasets.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("type", Text, nullable=False),  # of the question that is saved to it; on the wire it is text
    Column("created_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    Index(None, "dataset_id"),
    Index(
        "uq_dataset_properties_living",
        "dataset_id",
        "folded",
        unique=True,
        sqlite_where=sql("deleted_at IS NULL"),
        postgresql_where=sql("deleted_at IS NULL"),
    ),
)
actor_properties = Table(
    "actor_properties",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("project_id", Id, ForeignKey("projects.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("project_id", "name"),
)
actor_property_values = Table(
    "actor_property_values",
    METADATA,
    Column("actor_id", Id, ForeignKey("actors.id"), primary_key=True),
    Column("property_id", Id, ForeignKey("actor_properties.id"), primary_key=True),
    Column("value", Text, nullable=False),
)
dataset_filters = (
    Table(  # an actor sees entities whose property holds the actor's own value, in every filter of the list
        "dataset_filters",
        METADATA,
        Column("property_id", Id, ForeignKey("dataset_properties.id"), primary_key=True),
        Column("actor_property_id", Id, ForeignKey("actor_properties.id"), primary_key=True),
    )
)
entities = Table(
    "entities",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("dataset_id", Id, ForeignKey("datasets.id"), nullable=False),
    Column("uuid", Text, nullable=False),
    Column("version", Integer, nullable=False),  # the current one; its label and data stand here too
    Column("label", Text, nullable=False),
    Column("data", Json, nullable=False),  # property → text; a property without a value may be missing
    Column("conflict", Text),
    Column("creator_id", Id, ForeignKey("actors.id")),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant),
    Column("deleted_at", Instant),
    Column("merged_into_id", Id, ForeignKey("entities.id")),  # it turned out to be that one: its id is an alias
    Column("withdrawn_at", Instant),  # the person took back the consent
    UniqueConstraint("dataset_id", "uuid"),
    Index(None, "dataset_id", "id"),
)
entity_sources = Table(
    "entity_sources",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("submission_version_id", Id, ForeignKey("submission_versions.id")),
    Column("forced", Boolean, nullable=False, server_default=false()),  # out of turn, after it had waited its time
    Column("details", Json),
    Column("created_at", Instant, nullable=False),
    Index(None, "submission_version_id"),
)
entity_versions = Table(
    "entity_versions",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("entity_id", Id, ForeignKey("entities.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("data", Json, nullable=False),  # everything that stands in this version
    Column("received", Json, nullable=False),  # what came: property → text, and `label` where it came
    Column("base_version", Integer),  # the version here that it was made from; NULL for the first
    Column("trunk_version", Integer),  # the version from which the phone went on by itself
    Column("branch_id", Text),
    Column("branch_base_version", Integer),  # as the phone counts
    Column("conflicting", Json),  # the properties of a hard conflict
    Column("source_id", Id, ForeignKey("entity_sources.id"), nullable=False),
    Column("creator_id", Id, ForeignKey("actors.id")),
    Column("user_agent", Text),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("entity_id", "version"),
    Index(None, "source_id"),
)
entity_receipts = Table(
    "entity_receipts",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("submission_id", Id, ForeignKey("submissions.id"), nullable=False),
    Column("version_id", Id, ForeignKey("submission_versions.id"), nullable=False),  # whose block it is
    Column("key", Text, nullable=False),  # where the block stands: /meta/entity, /roster/member[2]/meta/entity
    Column("dataset", Text, nullable=False),  # as the block names it
    Column("uuid", Text),
    Column("outcome", Text, nullable=False),
    Column("entity_id", Id, ForeignKey("entities.id")),
    Column("entity_version", Integer),
    Column("branch_id", Text),
    Column("base_version", Integer),
    Column("change", Json),  # the block as read, while it is held
    Column("problem", Json),  # code, es, en, details
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("submission_id", "key"),
    Index(None, "entity_id"),
    Index(
        "ix_entity_receipts_held",
        "uuid",
        sqlite_where=sql("outcome = 'held'"),
        postgresql_where=sql("outcome = 'held'"),
    ),
)
entity_links = Table(
    "entity_links",
    METADATA,
    Column("submission_id", Id, ForeignKey("submissions.id"), primary_key=True),
    Column("row_key", Text, primary_key=True),  # as typed tables have it in `_key`
    Column("path", Text, primary_key=True),  # where the form declares the block, without positions
    Column("dataset_id", Id, ForeignKey("datasets.id"), nullable=False),
    Column(
        "uuid", Text, nullable=False
    ),  # as the block says, even where there is no such entity (yet), or it was merged
    Index(None, "uuid"),
)
"""Which row of a submission, as it stands, speaks of which entity."""
purged_entities = Table(
    "purged_entities",
    METADATA,
    Column("dataset_id", Id, ForeignKey("datasets.id"), primary_key=True),
    Column("uuid", Text, primary_key=True),
    Column("purged_at", Instant, nullable=False),
)


def folded(name: str) -> str:
    """What two names have in common that differ in capitals alone."""
    return name.lower()


@dataclass(frozen=True, slots=True)
class Dataset:
    """An entity list as stored."""

    id: int
    project_id: int
    name: str
    approval_required: bool
    owner_only: bool
    revision: int
    created_at: datetime
    updated_at: datetime | None
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a list: its name as forms write it, and the type of the question that is saved to it."""

    id: int
    dataset_id: int
    name: str
    type: Type
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity as it stands in its current version."""

    id: int
    dataset_id: int
    uuid: str
    version: int
    label: str
    data: Mapping[str, str]
    conflict: Conflict | None
    creator_id: int | None
    created_at: datetime
    updated_at: datetime | None
    deleted_at: datetime | None
    merged_into_id: int | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class EntityVersion:
    """One version of an entity, with the kind of its source and whether that was forced."""

    id: int
    entity_id: int
    version: int
    label: str
    data: Mapping[str, str]
    received: Mapping[str, str]
    base_version: int | None
    trunk_version: int | None
    branch_id: str | None
    branch_base_version: int | None
    conflicting: tuple[str, ...] | None
    source_id: int
    creator_id: int | None
    user_agent: str | None
    created_at: datetime
    kind: SourceKind
    forced: bool
    details: Mapping[str, Any] | None
    submission_version_id: int | None


_CONFLICTING: Final = [field.name for field in fields(EntityVersion)].index("conflicting")


def read_version(row: Sequence[Any]) -> EntityVersion:
    """A version from the values of its fields as the database gives them, in order."""
    values = list(row)
    values[_CONFLICTING] = tuple(values[_CONFLICTING]) if values[_CONFLICTING] is not None else None
    return EntityVersion(*values)


@dataclass(frozen=True, slots=True)
class EntityReceipt:
    """What became of one entity block of a submission."""

    id: int
    submission_id: int
    version_id: int
    key: str
    dataset: str
    uuid: str | None
    outcome: Outcome
    entity_id: int | None
    entity_version: int | None
    branch_id: str | None
    base_version: int | None
    change: Mapping[str, Any] | None
    problem: Mapping[str, Any] | None
    created_at: datetime
    updated_at: datetime

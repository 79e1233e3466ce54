"""Withdrawals of consent: whose data went, when and why, and files that nothing names any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, get_args

from sqlalchemy import Column, Date, ForeignKey, Table, Text, UniqueConstraint

from forms.redaction import Policy
from server.model.columns import METADATA, Id, Instant

POLICIES: Final[tuple[str, ...]] = get_args(Policy)
Reason = Literal["withdrawn", "objection", "deceased", "mistake", "community"]
"""The consent was taken back · the person objects to what is kept · the family of one who died asks · there never was a
consent · the community's authority took back its own."""
REASONS: Final[tuple[str, ...]] = get_args(Reason)
AskedBy = Literal["person", "guardian", "family", "authority", "programme"]
ASKED_BY: Final[tuple[str, ...]] = get_args(AskedBy)

withdrawals = Table(
    "withdrawals",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("project_id", Id, ForeignKey("projects.id"), nullable=False),
    Column("dataset_id", Id, ForeignKey("datasets.id"), nullable=False),
    Column("uuid", Text, nullable=False),  # no foreign key: under `erase` nothing else is left of it
    Column("policy", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_on", Date),
    Column("actor_id", Id, ForeignKey("actors.id")),
    Column("withdrawn_at", Instant, nullable=False),
    UniqueConstraint("dataset_id", "uuid"),
    UniqueConstraint("project_id", "uuid", "dataset_id"),
)
doomed_blobs = Table(
    "doomed_blobs",
    METADATA,
    Column("sha256", Text, primary_key=True),
    Column("since", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A withdrawal as stored: an id, and codes that name nobody."""

    id: int
    project_id: int
    dataset_id: int
    uuid: str
    policy: Policy
    reason: Reason
    asked_by: AskedBy
    asked_on: date | None
    actor_id: int | None
    withdrawn_at: datetime

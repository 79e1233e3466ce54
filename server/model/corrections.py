"""Corrections laid over raw answers, reviews of submissions, and what people say of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from server.model.columns import METADATA, Id, Instant

CorrectionState = Literal["active", "reopened", "settled", "replaced", "withdrawn"]
"""active: laid over the raw answer · reopened: an edit changed that answer, somebody must decide · settled: the edit brought
the very value · replaced: a later correction decided a reopened one · withdrawn: taken back."""
CORRECTION_STATES: Final[tuple[str, ...]] = get_args(CorrectionState)

corrections = Table(
    "corrections",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("submission_id", Id, ForeignKey("submissions.id"), nullable=False),
    Column("version_id", Id, ForeignKey("submission_versions.id"), nullable=False),  # whose row is meant
    Column("row_place", Text, nullable=False),  # the row in that version, "" for the form's: /member[2]
    Column("row_key", Text, nullable=False),  # its stable key, which follows from the versions
    Column("path", Text, nullable=False),
    Column("raw_text", Text),  # what that version says
    Column("old_text", Text),  # what stood when it was corrected: the raw answer or an earlier correction
    Column("new_text", Text),  # NULL: blank
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),  # the last of its changes
    Column("replaces_id", Id, ForeignKey("corrections.id")),
    Column("actor_id", Id, ForeignKey("actors.id")),
    Column("created_at", Instant, nullable=False),
    Index(None, "submission_id"),
)
correction_changes = Table(
    "correction_changes",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("correction_id", Id, ForeignKey("corrections.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("version_id", Id, ForeignKey("submission_versions.id")),  # the edit that brought it about
    Column("actor_id", Id, ForeignKey("actors.id")),
    Column("created_at", Instant, nullable=False),
    Index(None, "correction_id"),
)
reviews = Table(
    "reviews",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("submission_id", Id, ForeignKey("submissions.id"), nullable=False),
    Column("state", Text),  # NULL: received
    Column("note", Text),
    Column("actor_id", Id, ForeignKey("actors.id")),
    Column("created_at", Instant, nullable=False),
    Index(None, "submission_id"),
)
comments = Table(
    "comments",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("submission_id", Id, ForeignKey("submissions.id"), nullable=False),
    Column("body", Text, nullable=False),
    Column("actor_id", Id, ForeignKey("actors.id")),
    Column("created_at", Instant, nullable=False),
    Index(None, "submission_id"),
)


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction as stored."""

    id: int
    submission_id: int
    version_id: int
    row_place: str
    row_key: str
    path: str
    raw_text: str | None
    old_text: str | None
    new_text: str | None
    reason: str
    state: str
    replaces_id: int | None
    actor_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CorrectionChange:
    """What became of a correction; `actor` None: an edit from a phone, or the command line."""

    id: int
    correction_id: int
    state: str
    reason: str | None
    version_id: int | None
    actor_id: int | None
    actor: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LoggedCorrection:
    """A line of the cleaning log: the correction, its submission (`key`), who made it, and what became of it last."""

    correction: Correction
    key: str
    actor: str | None
    changed_at: datetime | None
    changed_by: str | None
    change_reason: str | None


@dataclass(frozen=True, slots=True)
class Review:
    """A decision on a submission; `state` None: received."""

    id: int
    submission_id: int
    state: str | None
    note: str | None
    actor_id: int | None
    actor: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said of a submission."""

    id: int
    submission_id: int
    body: str
    actor_id: int | None
    actor: str | None
    created_at: datetime

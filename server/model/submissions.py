"""Submissions, their versions as they arrived, their files, and what failed to follow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, false

from server.model.columns import METADATA, Bytes, Id, Instant, Json

submissions = Table(
    "submissions",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("form_id", Id, ForeignKey("forms.id"), nullable=False),
    Column("draft", Boolean, nullable=False, server_default=false()),
    Column("instance_id", Text, nullable=False),  # the eldest id of its chain of edits, arrived or only named
    Column("submitter_id", Id, ForeignKey("actors.id")),
    Column("device_id", Text),
    Column("review_state", Text),
    Column("edits", Integer, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant),
    Column("deleted_at", Instant),
    UniqueConstraint("form_id", "draft", "instance_id"),
)
submission_versions = Table(
    "submission_versions",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("submission_id", Id, ForeignKey("submissions.id"), nullable=False),
    Column("form_id", Id, ForeignKey("forms.id"), nullable=False),
    Column("draft", Boolean, nullable=False, server_default=false()),
    Column("current", Boolean, nullable=False),  # its answers stand
    Column("form_version_id", Id, ForeignKey("form_versions.id")),  # NULL: a version this server never had
    Column("form_version", Text, nullable=False),  # as the instance names it
    Column("instance_id", Text, nullable=False),
    Column("deprecated_id", Text),
    Column("instance_name", Text),
    Column("xml", Bytes, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("encrypted", Boolean, nullable=False, server_default=false()),
    Column("submitter_id", Id, ForeignKey("actors.id")),
    Column("device_id", Text),
    Column("user_agent", Text),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("form_id", "draft", "instance_id"),
    Index(None, "submission_id"),
    Index(
        "ix_submission_versions_deprecated",
        "form_id",
        "deprecated_id",
        sqlite_where=Column("deprecated_id").is_not(None),
        postgresql_where=Column("deprecated_id").is_not(None),
    ),
)
submission_attachments = Table(
    "submission_attachments",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("version_id", Id, ForeignKey("submission_versions.id"), nullable=False),
    Column("name", Text, nullable=False),  # NFC
    Column("expected", Boolean, nullable=False),  # a node of the instance names it
    Column("sha256", Text),
    Column("size", BigInteger),
    Column("content_type", Text),
    Column("received_at", Instant),
    UniqueConstraint("version_id", "name"),
)
follow_failures = Table(
    "follow_failures",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("submission_id", Id, ForeignKey("submissions.id"), nullable=False),
    Column("follower", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("failed_at", Instant, nullable=False),
    UniqueConstraint("submission_id", "follower"),
)
flags = Table(
    "flags",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("submission_id", Id, ForeignKey("submissions.id"), nullable=False),
    Column("check", Text, nullable=False),  # a name of the sheet `checks`, or builtin:…: TABULATED, builtin:clock
    Column("row_key", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("text", Text),
    Column("severity", Text, nullable=False),  # error, warning, note
    Column("state", Text, nullable=False),  # open, explained, corrected
    Column("created_at", Instant, nullable=False),
    Column("details", Json),  # the numbers that its message speaks of
    Column("explained_by", Id),  # an actor
    Column("explained_at", Instant),
    Column("comment", Text),
    Index(None, "submission_id"),
)
TABULATED: Final = frozenset(
    ("builtin:type", "builtin:unknown", "builtin:twice", "builtin:form_version", "builtin:correction")
)
"""The checks of whoever writes the typed tables: what found no place there."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission as stored."""

    id: int
    form_id: int
    draft: bool
    instance_id: str
    submitter_id: int | None
    device_id: str | None
    review_state: str | None
    edits: int
    created_at: datetime
    updated_at: datetime | None
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class SubmissionVersion:
    """One version of a submission, without its XML."""

    id: int
    submission_id: int
    current: bool
    form_version_id: int | None
    form_version: str
    instance_id: str
    deprecated_id: str | None
    instance_name: str | None
    fingerprint: str
    encrypted: bool
    submitter_id: int | None
    device_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SubmissionAttachment:
    """A file of one version of a submission; `sha256` None: expected and not here yet."""

    version_id: int
    name: str
    expected: bool
    sha256: str | None
    size: int | None
    content_type: str | None


@dataclass(frozen=True, slots=True)
class Flag:
    """A remark on one value of one record."""

    id: int
    submission_id: int
    check: str
    row_key: str
    path: str
    text: str | None
    severity: str
    state: str
    created_at: datetime
    details: dict[str, Any] | None
    explained_by: int | None
    explained_at: datetime | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class FlaggedValue:
    """A flag as people read it: the submission it is on (`key`), what was found, in which row, question and text.

    `submitter` and `explained_by` are names.
    """

    id: int
    submission_id: int
    key: str
    check: str
    severity: str
    state: str
    row_key: str
    path: str
    text: str | None
    details: dict[str, Any] | None
    submitter: str | None
    device_id: str | None
    created_at: datetime
    explained_by: str | None
    explained_at: datetime | None
    comment: str | None

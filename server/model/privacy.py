"""Privacy: answers that were not kept for want of consent, and the pseudonyms that stand for keys in what leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from server.model.columns import METADATA, Id, Instant

withheld_answers = Table(
    "withheld_answers",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("version_id", Id, ForeignKey("submission_versions.id"), nullable=False),
    Column("path", Text, nullable=False),  # question, group or repeat
    Column("question", Text, nullable=False),  # the consent that was not given
    Column("given", Text, nullable=False),  # the answer that would have given it
    Column("answers", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index(None, "version_id"),
)
pseudonyms = Table(
    "pseudonyms",
    METADATA,
    Column("project_id", Id, ForeignKey("projects.id"), nullable=False),
    Column(
        "subject", Text, nullable=False
    ),  # what the key is a key of: submission, submitter, device, question:…, list:…
    Column("key", Text, nullable=False),
    Column("pseudonym", Text, nullable=False),
    PrimaryKeyConstraint("project_id", "subject", "key"),
    UniqueConstraint("pseudonym"),
)


@dataclass(frozen=True, slots=True)
class WithheldAnswer:
    """Answers of one place in a version that were not kept: how many, and for want of which answer to which question."""

    path: str
    question: str
    given: str
    answers: int
    created_at: datetime

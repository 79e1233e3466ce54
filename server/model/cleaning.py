"""Cleaning: what checks found, and the keys, statistics and audit logs that they compare with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Column, Double, ForeignKey, Index, Integer, Table, Text

from server.model.columns import METADATA, Id, Instant, Json

OPEN: Final = "open"
EXPLAINED: Final = "explained"
CORRECTED: Final = "corrected"
STATES: Final = (OPEN, EXPLAINED, CORRECTED)
"""Of flags."""

check_plans = Table(
    "check_plans",
    METADATA,
    Column("form_id", Id, ForeignKey("forms.id"), primary_key=True),
    Column("digests", Json, nullable=False),  # by check: another where the check is another
    Column("submissions", Integer, nullable=False),  # how many there were when all were last looked at together
    Column("ran_at", Instant, nullable=False),
)
check_keys = Table(
    "check_keys",
    METADATA,
    Column("form_id", Id, primary_key=True, autoincrement=False),
    Column("check", Text, primary_key=True),
    Column("submission_id", Id, primary_key=True, autoincrement=False),  # no foreign key: it follows, as typed rows do
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("row_key", Text, nullable=False),
    Column("key", Text, nullable=False),
    Index(None, "form_id", "check", "key"),
    Index(None, "submission_id"),
)
check_statistics = Table(
    "check_statistics",
    METADATA,
    Column("form_id", Id, primary_key=True, autoincrement=False),
    Column("check", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("category", Text, primary_key=True),  # the code of a place; "" for all records
    Column("n", Integer, nullable=False),
    Column("middle", Double, nullable=False),  # the median; of places, of the latitudes
    Column(
        "spread", Double, nullable=False
    ),  # robust standard deviation; of places, kilometres in a degree of longitude
    Column("across", Double),  # of places: the median of the longitudes
)
audit_logs = Table(
    "audit_logs",
    METADATA,
    Column("submission_id", Id, primary_key=True, autoincrement=False),
    Column("form_id", Id, nullable=False),
    Column("sha256", Text, nullable=False),  # of the file that this sums up
    Column("seconds", Double),  # during which a screen of the form was open
    Column("screens", Integer, nullable=False),  # with questions, each counted once
    Column("median_seconds", Double),  # on one of them
    Index(None, "form_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a check found in a record: the flag that there should be.

    `row_key` names the row, `path` the question ("": none in particular), `text` the answer as the flag shows it; a flag is
    the same one as long as these and the check are. `details` are the numbers that its message speaks of.
    """

    submission_id: int
    check: str
    row_key: str
    path: str = ""
    text: str | None = None
    severity: str = "warning"
    details: Mapping[str, Any] = field(default_factory=dict)

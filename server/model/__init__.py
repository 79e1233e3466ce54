"""The fixed tables, each with the frozen record read from it."""

from server.model import (
    audits,
    cleaning,
    corrections,
    entities,
    forms,
    indicators,
    merging,
    people,
    privacy,
    projects,
    submissions,
    tables,
    withdrawals,
)
from server.model.columns import METADATA

__all__ = [
    "METADATA",
    "audits",
    "cleaning",
    "corrections",
    "entities",
    "forms",
    "indicators",
    "merging",
    "people",
    "privacy",
    "projects",
    "submissions",
    "tables",
    "withdrawals",
]

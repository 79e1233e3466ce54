"""Kept: declarations as the database keeps them, one JSON object a row, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, fields
from datetime import date
from typing import Any, Final

from server.indicators.declarations import (
    Category,
    Check,
    Declarations,
    Dimension,
    Indicator,
    Place,
    Result,
    Target,
)

Record = Result | Indicator | Dimension | Target | Check | Place
KINDS: Final[dict[str, type[Record]]] = {
    "result": Result,
    "indicator": Indicator,
    "dimension": Dimension,
    "target": Target,
    "check": Check,
    "place": Place,
}


def name_of(record: Record) -> tuple[str, str]:
    """The kind of a record, and the name under which its versions follow each other within a project."""
    if isinstance(record, Dimension):
        return "dimension", "|".join((record.name, record.form or "", record.over))
    if isinstance(record, Target):
        cell = (record.indicator, record.kind, record.period, record.place, record.dimension, record.category)
        return "target", "|".join(part or "" for part in cell)
    if isinstance(record, Place):
        return "place", "|".join((record.code, record.valid_from.isoformat() if record.valid_from else ""))
    kind = next(kind for kind, type_ in KINDS.items() if isinstance(record, type_))
    return kind, record.name


def pack(record: Record) -> dict[str, Any]:
    """A JSON object; what says nothing is left out."""
    packed = {name: value for name, value in asdict(record).items() if name != "at"}
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in packed.items()
        if value not in (None, "", (), {}) or (name == "label" and value == {})
    }


def unpack(kind: str, content: dict[str, Any]) -> Record:
    """The record that was packed."""
    type_ = KINDS[kind]
    known = {field.name for field in fields(type_)}
    given = {name: _unpacked(name, value) for name, value in content.items() if name in known}
    return type_(**given)


def digest(content: dict[str, Any]) -> str:
    """The same for the same content, however its keys are ordered."""
    written = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def records(declarations: Declarations) -> Iterator[tuple[int, Record]]:
    """Everything declared, each with its place among its kind."""
    for kind in (
        declarations.results,
        declarations.indicators,
        declarations.dimensions,
        declarations.targets,
        declarations.checks,
        declarations.places,
    ):
        yield from enumerate(kind)


def _unpacked(name: str, value: Any) -> Any:
    if name == "categories":
        return tuple(Category(**category) for category in value)
    if name in ("valid_from", "valid_to", "since"):
        return date.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value

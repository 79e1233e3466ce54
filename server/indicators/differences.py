"""Differences: what a logframe workbook changes of what the one before it declares, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.indicators.book import Book, Kept
from server.indicators.declarations import Declarations
from server.indicators.kept import KINDS, digest, name_of, pack, records

Named = Mapping[str, tuple[str, ...]]
"""Names by kind: result, indicator, dimension, target, check, place; kinds without any are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What is new, what says something else, what is gone, and how much stays as it is."""

    new: Named = field(default_factory=dict)
    changed: Named = field(default_factory=dict)
    gone: Named = field(default_factory=dict)
    unchanged: int = 0

    def __bool__(self) -> bool:
        """Whether anything becomes another."""
        return bool(self.new or self.changed or self.gone)


def compare(book: Book, declarations: Declarations) -> Difference:
    """The project's logframe as it is in force, and a workbook that would take its place."""
    everything: tuple[Iterable[Kept[Any]], ...] = (
        book.results,
        book.indicators.values(),
        book.dimensions,
        book.targets,
        book.checks,
        book.places,
    )
    standing = {
        name_of(kept.record): digest(pack(kept.record)) for kind in everything for kept in kind if kept.form_id is None
    }
    declared = {name_of(record): digest(pack(record)) for _, record in records(declarations)}
    return Difference(
        new=_by_kind(name for name in declared if name not in standing),
        changed=_by_kind(name for name, now in declared.items() if standing.get(name, now) != now),
        gone=_by_kind(name for name in standing if name not in declared),
        unchanged=sum(standing.get(name) == now for name, now in declared.items()),
    )


def _by_kind(names: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for kind, name in names:
        found[kind].append(name)
    return {kind: tuple(listed) for kind, listed in found.items() if listed}

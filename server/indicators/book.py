"""Book: everything that a project declares and has in force, as records with their versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from server.indicators import places as hierarchy
from server.indicators.declarations import Check, Dimension, Indicator, Place, Result, Target
from server.indicators.kept import unpack
from server.model.projects import Project
from server.store import indicators
from server.tables import registry

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Generic[R]):
    """A record in force: its row, its version, the form whose workbook declares it (None: the project's), since when."""

    record: R
    id: int
    version: int
    form_id: int | None
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Book:
    """What is in force in a project, in the order of its workbooks."""

    results: tuple[Kept[Result], ...] = ()
    indicators: Mapping[str, Kept[Indicator]] = field(default_factory=dict)
    dimensions: tuple[Kept[Dimension], ...] = ()
    targets: tuple[Kept[Target], ...] = ()
    checks: tuple[Kept[Check], ...] = ()
    places: tuple[Kept[Place], ...] = ()

    @property
    def everything(self) -> Iterator[Kept[Any]]:
        """Every record, kind by kind."""
        kinds: tuple[Iterable[Kept[Any]], ...] = (
            self.results,
            self.indicators.values(),
            self.dimensions,
            self.targets,
            self.checks,
            self.places,
        )
        for kind in kinds:
            yield from kind

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """The levels of places, outermost first."""
        return hierarchy.levels([kept.record for kept in self.places])

    @cached_property
    def labels(self) -> Mapping[str, Place]:
        """The places by code; of several, the last in time."""
        in_time = sorted((kept.record for kept in self.places), key=lambda one: (one.valid_to is None, one.valid_to))
        return {place.code: place for place in in_time}

    @cached_property
    def targets_of(self) -> Mapping[str, tuple[Kept[Target], ...]]:
        """Baselines, targets and typed figures by indicator."""
        found: dict[str, list[Kept[Target]]] = {}
        for kept in self.targets:
            found.setdefault(kept.record.indicator, []).append(kept)
        return {name: tuple(kept) for name, kept in found.items()}


def load(conn: Connection, project: Project) -> Book:
    """The book of a project as it is now."""
    key = ("book", project.id, project.indicators_revision)
    return registry.remember(conn, key, lambda: _load(conn, project.id))


def _load(conn: Connection, project_id: int) -> Book:
    found: list[Kept[Any]] = [
        Kept(
            record=unpack(one.kind, one.content),
            id=one.id,
            version=one.version,
            form_id=one.form_id,
            since=one.created_at,
        )
        for one in indicators.list_in_force(conn, project_id)
    ]

    def of(type_: type[R]) -> tuple[Kept[R], ...]:
        return tuple(kept for kept in found if isinstance(kept.record, type_))

    return Book(
        results=of(Result),
        indicators={kept.record.name: kept for kept in of(Indicator)},
        dimensions=of(Dimension),
        targets=of(Target),
        checks=of(Check),
        places=of(Place),
    )

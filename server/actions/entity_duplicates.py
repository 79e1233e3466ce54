"""Entities that may be one: proposed, told apart, never merged by themselves; for whoever may identify people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from forms import duplicates
from forms.duplicates import LEAST, Person
from forms.likeness import years
from forms.problems import Sentence
from server import problems
from server.access import require
from server.actions.disclosures import IDENTIFY
from server.actions.entity_finding import find_dataset, find_entity
from server.context import Context
from server.model.entities import Entity, Property
from server.store import datasets, entities, merging

_NAMES: Final = re.compile(r"name|nombre|apellido|surname")
_BIRTHS: Final = re.compile(r"birth|nacim|nacid|\bnac\b|_nac\b|\bnac_")
_PLACES: Final = (
    re.compile(r"corregimiento"),
    re.compile(r"commun|comunid"),
    re.compile(r"district|distrito|municip"),
    re.compile(r"provinc|comarca|region"),
    re.compile(r"place|lugar"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """By which properties the entities of a list are compared: names, the year of birth, the place. () for the label."""

    names: tuple[str, ...] = ()
    births: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two entities that may be one, and how alike their names are, from 0 to 100."""

    first: Entity
    second: Entity
    likeness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The most alike first; `whole` is False where there were too many entities to compare everybody."""

    found: tuple[Candidate, ...]
    compared: Compared
    whole: bool


def list_candidates(
    ctx: Context,
    project_id: int,
    name: str,
    *,
    by: Compared | None = None,
    least: float = LEAST,
    most: int = 200,
) -> Candidates:
    """Pairs of living entities of a list that may be one.

    `by` names the properties to compare by; None: those whose names say that they hold a name, a birth or a place, of
    places the narrowest. Raises Problem 404.1 and, for a property that the list has not, 400.8.
    """
    dataset = find_dataset(ctx, project_id, name)
    require(ctx, "entity.update", dataset.project)
    require(ctx, IDENTIFY, dataset.project)
    properties = datasets.list_properties(ctx.conn, dataset.row.id)
    compared = _checked(properties, by) if by is not None else _guess(properties)
    living = {one.id: one for one in entities.list_living(ctx.conn, dataset.row.id)}
    proposed = duplicates.propose(
        (_person(one, compared) for one in living.values()),
        distinct=merging.list_distinct(ctx.conn, dataset.row.id),
        least=least,
        most=most,
    )
    return Candidates(
        found=tuple(Candidate(living[pair.first], living[pair.second], pair.likeness) for pair in proposed.pairs),
        compared=compared,
        whole=proposed.whole,
    )


def tell_apart(ctx: Context, project_id: int, name: str, uuids: tuple[str, str], reason: str | None = None) -> None:
    """Two entities are two: they are proposed no more. Raises Problem 404.1, 400.8 where both are one."""
    dataset = find_dataset(ctx, project_id, name)
    require(ctx, "entity.update", dataset.project)
    require(ctx, IDENTIFY, dataset.project)
    datasets.hold_one(ctx.conn, dataset.row.id)
    first, second = (find_entity(ctx, dataset.row, uuid) for uuid in uuids)
    if first.id == second.id:
        told = Sentence("es la misma entidad dos veces.", "it is the same entity twice.")
        raise problems.wrong_value("entities", first.uuid, told)
    merging.set_distinct(ctx.conn, (first.id, second.id), reason=reason, actor_id=ctx.actor_id, when=ctx.now())

    ctx.record(
        "entity.distinct",
        project_id=project_id,
        dataset_id=dataset.row.id,
        entity_id=first.id,
        details={"entities": [first.uuid, second.uuid], "reason": reason},
    )


def _person(entity: Entity, by: Compared) -> Person:
    def first(names: Sequence[str]) -> str:
        return next((text for name in names if (text := entity.data.get(name, "").strip())), "")

    written = " ".join(text for name in by.names if (text := entity.data.get(name, "").strip()))
    return Person(
        id=entity.id,
        name=written or entity.label,
        place=first(by.places),
        years=years(entity.data.get(name, "") for name in by.births),
    )


def _guess(properties: Sequence[Property]) -> Compared:
    named = [one.name for one in properties]
    places = (tuple(name for name in named if pattern.search(name.casefold())) for pattern in _PLACES)
    return Compared(
        names=tuple(name for name in named if _NAMES.search(name.casefold())),
        births=tuple(name for name in named if _BIRTHS.search(name.casefold())),
        places=next((found for found in places if found), ()),
    )


def _checked(properties: Sequence[Property], by: Compared) -> Compared:
    known: Mapping[str, Property] = {one.name: one for one in properties}
    for name in (*by.names, *by.births, *by.places):
        if name not in known and name != "label":
            told = Sentence("la lista no tiene esta propiedad.", "the list has no such property.")
            raise problems.wrong_value("property", name, told)
    return by

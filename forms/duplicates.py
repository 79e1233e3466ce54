"""Duplicates: pairs of people who may be one, proposed by place, year of birth and name; a person decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from forms.likeness import alike, fold

LEAST: Final = 85.0
"""How alike two names must be, from 0 to 100, for their bearers to be proposed."""
MOST_COMPARED: Final = 3_000_000
"""Pairs that are compared at the most: some seconds."""
YEARS_APART: Final = 1
"""An age that somebody guessed is often off by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody as a list has them: the row id, the name as written, the place, and the years that their birth may be in."""

    id: int
    name: str
    place: str = ""
    years: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people who may be one, the one with the lower id first, and how alike their names are (0 to 100)."""

    first: int
    second: int
    likeness: float


@dataclass(frozen=True, slots=True)
class Proposed:
    """Pairs, the most alike first; `whole` is False where there were too many people to compare everybody."""

    pairs: tuple[Pair, ...]
    whole: bool


def propose(
    people: Iterable[Person], *, distinct: Collection[tuple[int, int]] = (), least: float = LEAST, most: int = 500
) -> Proposed:
    """Who may be one person.

    Only people of one place are compared whose years of birth are at most YEARS_APART apart, an unknown year fitting any;
    people without a place only among themselves. `distinct` are pairs of ids, the lower first, that somebody told apart.
    """
    blocks: dict[str, list[tuple[Person, str]]] = {}
    for person in people:
        folded = fold(person.name)
        if folded:
            blocks.setdefault(person.place.strip().casefold(), []).append((person, folded))
    found: list[Pair] = []
    compared, whole = 0, True
    for mine in blocks.values():
        for (one, name), (other, its) in _near(mine):
            compared += 1
            if compared > MOST_COMPARED:
                whole = False
                break
            likeness = alike(name, its)
            first, second = sorted((one.id, other.id))
            if likeness >= least and (first, second) not in distinct:
                found.append(Pair(first, second, round(likeness, 1)))
    found.sort(key=lambda pair: (-pair.likeness, pair.first, pair.second))
    return Proposed(tuple(found[:most]), whole)


def _near(people: list[tuple[Person, str]]) -> Iterator[tuple[tuple[Person, str], tuple[Person, str]]]:
    """Pairs of a place whose years fit, each once."""
    dated = sorted((entry for entry in people if entry[0].years), key=lambda entry: min(entry[0].years))
    undated = [entry for entry in people if not entry[0].years]
    for at, entry in enumerate(dated):
        last = max(entry[0].years) + YEARS_APART
        for other in dated[at + 1 :]:
            if min(other[0].years) > last:
                break
            yield entry, other
    for at, entry in enumerate(undated):
        yield from ((entry, other) for other in undated[at + 1 :])
        yield from ((entry, other) for other in dated)

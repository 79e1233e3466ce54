"""Ordering: things that need one another, each after what it needs, or the circles that make this impossible."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Circles:
    """Rounds of needs that come back to where they begin, each once around: ("R1", "R2") where R1 needs R2 needs R1."""

    rounds: tuple[tuple[str, ...], ...]

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return iter(self.rounds)


def told(around: tuple[str, ...]) -> str:
    """A circle as people read it: R1 → R2 → R1."""
    return " → ".join((*around, around[0]))


def in_order(needs: Mapping[str, Collection[str]]) -> tuple[str, ...] | Circles:
    """The names of `needs`, each after those that it needs and otherwise in the order given; Circles where none fits.

    Needs that are no names of the mapping are looked for elsewhere and hold nothing up. Of circles that run through each
    other one is told; the next shows when it is mended.
    """
    order: list[str] = []
    rounds: list[tuple[str, ...]] = []
    waiting = {name: [need for need in dict.fromkeys(inputs) if need in needs] for name, inputs in needs.items()}
    needed_by: dict[str, list[str]] = {name: [] for name in needs}
    for name, inputs in waiting.items():
        for need in inputs:
            needed_by[need].append(name)
    left = {name: len(inputs) for name, inputs in waiting.items()}
    free = [name for name, count in left.items() if count == 0]
    while left:
        while free:
            name = free.pop(0)
            del left[name]
            order.append(name)
            for later in needed_by[name]:
                if later in left:
                    left[later] -= 1
                    if left[later] == 0:
                        free.append(later)
        if left:
            around = _around(next(iter(left)), waiting, left)
            rounds.append(around)
            free = list(around)
            left.update(dict.fromkeys(around, -1))  # told once, they hold nobody else up
    return Circles(tuple(rounds)) if rounds else tuple(order)


def _around(start: str, waiting: Mapping[str, Collection[str]], left: Mapping[str, int]) -> tuple[str, ...]:
    """The circle that one comes to from `start`; each name that is left needs another that is left."""
    path: dict[str, None] = {}
    name = start
    while name not in path:
        path[name] = None
        name = next(need for need in waiting[name] if need in left)
    names = list(path)
    return tuple(names[names.index(name) :])

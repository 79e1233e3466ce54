"""Attackers who know more: of categories that overlap, of districts that moved, of shares, of people, of rounds.

What they ask of one indicator is put together as linear equations over every kind of unit that there may be. What they could
learn from several indicators of other units (how many were asked, how many answered) is not kept from them, nor what they know
from elsewhere.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import combinations, product
from typing import Any, ClassVar, Final

import numpy as np
import pytest

from server.actions import indicators
from server.indicators.asking import Request
from server.indicators.values import Figure, Values
from tests.server.desk import ON_SQLITE, Desk, form
from tests.server.indicators.independent import code_of, index_of
from tests.server.indicators.measuring import declare, send
from tests.server.indicators.test_attack import Equations
from tests.server.wire import Wire

MINIMUM: Final = 4
QUARTERS: Final = ("2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4")
Atom = tuple[Any, ...]
"""Everything that is known of a kind of unit, by the names of a scene."""
CHOICES: Final = """
| | list_name | name | label |
| | sexo | f | Mujer |
| | sexo | m | Hombre |
| | cosas | x | X |
| | cosas | y | Y |
| | sn | si | Sí |
| | sn | no | No |
| | rondas | r1 | R1 |
| | rondas | r2 | R2 |
| | rondas | r3 | R3 |
"""
SURVEY: Final = """
| | type | name | label | privacy |
| | date | dia | D | |
| | text | lugar | L | |
| | select_one sexo | sexo | S | |
| | select_multiple cosas | cosas | C | |
| | select_one sn | dice | ¿? | sensitive |
| | text | quien | Q | |
| | select_one rondas | ronda | R | |
"""
PLACES: Final = """
| places |
| | code | parent | level | label | valid_from | valid_to |
| | p1 | | province | P1 | | |
| | p2 | | province | P2 | | |
| | d1 | p1 | district | D1 | | |
| | d2 | p1 | district | D2 | | 2024-06-30 |
| | d2 | p2 | district | D2 | 2024-07-01 | |
| | d3 | p2 | district | D3 | | |
"""


def logframe(kind: str, more: Mapping[str, str], disaggregate: str) -> str:
    heads = ("numerator", "key", "place", "period")
    cells = " | ".join(more.get(head, "") for head in heads)
    return (
        "| indicators |\n"
        f"| | name | label | form | type | date | disaggregate | minimum_n | {' | '.join(heads)} |\n"
        f"| | N | N | hogar | {kind} | ${{dia}} | {disaggregate} | {MINIMUM} | {cells} |\n" + PLACES
    )


@dataclass
class Learned:
    """What an attacker has learned of the atoms, and what was hidden: sums of them that are too small."""

    atoms: Sequence[Atom]
    counts: Mapping[Atom, int]
    equations: Equations
    secret: dict[tuple[int, ...], tuple[int, str]] = field(default_factory=dict)

    def members(self, holds: Callable[[Atom], bool]) -> list[int]:
        return [number for number, atom in enumerate(self.atoms) if holds(atom)]

    def total(self, members: Iterable[int]) -> int:
        return sum(self.counts.get(self.atoms[number], 0) for number in members)

    def vector(self, members: Sequence[int]) -> Any:
        made = np.zeros(self.equations.size, dtype=np.int64)
        made[list(members)] = 1
        return made

    def see(self, members: Sequence[int], told: float | None, what: str) -> None:
        """Somebody tells how many they are."""
        assert told == self.total(members), what
        self.equations.add(self.vector(members))

    def keep(self, members: Sequence[int], what: str, *, least: int = 1) -> None:
        """What nobody may know where it is few (of `least` or more)."""
        n = self.total(members)
        if least <= n < MINIMUM and members:
            self.secret.setdefault(tuple(members), (n, what))

    def broken(self) -> list[str]:
        return [
            f"{what}: {n}"
            for members, (n, what) in self.secret.items()
            if self.equations.determines(self.vector(members))
        ]


def in_period(month: str | None, period: str | None, *, cumulative: bool) -> bool:
    if period is None or month is None:
        return period is None
    kind = "year" if len(period) == 4 else {"Q": "quarter", "S": "semester"}.get(period[5], "month")
    code = code_of(index_of(date.fromisoformat(f"{month}-01"), kind), kind)
    return code <= period if cumulative else code == period


def province_of(place: str, month: str | None) -> str | None:
    if place == "d2":
        return "p1" if month is not None and month < "2024-07" else "p2"
    return {"d1": "p1", "d3": "p2", "p1": "p1", "p2": "p2"}.get(place)


def lies_in(place: str, month: str | None, within: str | None) -> bool:
    return within is None or within in (place, province_of(place, month))


class Scene:
    """What is declared, who there is, and which of them lie in a cell. Atoms begin with the month (None: no date)."""

    kind = "count"
    more: ClassVar[Mapping[str, str]] = {}
    disaggregate = ""
    axes: ClassVar[Mapping[str, tuple[str | None, ...]]] = {}
    periods: tuple[str, ...] = ("all", "quarter", "year", "semester", "2024-Q1", "2024")
    places: tuple[str | None, ...] = (None,)
    overlapping: tuple[str, ...] = ()

    def atoms(self) -> list[Atom]:
        raise NotImplementedError

    def pick(self, chance: random.Random) -> Atom:
        raise NotImplementedError

    def send(self, phone: Wire, number: int, atom: Atom) -> None:
        raise NotImplementedError

    def is_in(self, atom: Atom, axis: str, code: str | None) -> bool:
        raise NotImplementedError

    def when(self, atom: Atom, period: str | None, *, cumulative: bool) -> bool:
        return in_period(atom[0], period, cumulative=cumulative)

    def where(self, atom: Atom, place: str | None) -> bool:
        return place is None

    def learn(self, learned: Learned, members: Sequence[int], figure: Figure | None, what: str) -> None:
        """What one figure tells; None: that there is nobody."""
        if figure is not None and figure.hidden:
            learned.keep(members, what)
        else:
            learned.see(members, figure.n if figure is not None else 0, what)


def answers(**given: str) -> str:
    return "".join(f"<{name}>{text}</{name}>" for name, text in given.items())


def day_in(month: str | None) -> str:
    return "" if month is None else f"{month}-15"


MONTHS: Final = ("2024-02", "2024-05", "2024-08", "2024-11")


class Moved(Scene):
    """A district changed its province, and some units know their province only."""

    more: ClassVar[Mapping[str, str]] = {"place": "${lugar}", "period": "quarter"}
    disaggregate = "sexo province district"
    axes: ClassVar[Mapping[str, tuple[str | None, ...]]] = {
        "sexo": ("f", "m"),
        "province": ("p1", "p2", None),
        "district": ("d1", "d2", "d3", None),
    }
    places = (None, "p1", "p2", "d1", "d2", "d3")

    def atoms(self) -> list[Atom]:
        return list(product((*MONTHS, None), ("d1", "d2", "d3", "p1", "p2", ""), ("f", "m")))

    def pick(self, chance: random.Random) -> Atom:
        return (
            chance.choices((*MONTHS, None), (5, 3, 3, 5, 0.3))[0],
            chance.choices(("d1", "d2", "d3", "p1", "p2", ""), (6, 2, 6, 0.7, 0.4, 0.3))[0],
            chance.choices("fm", (5, 2))[0],
        )

    def send(self, phone: Wire, number: int, atom: Atom) -> None:
        send(phone, "hogar", answers(dia=day_in(atom[0]), lugar=atom[1], sexo=atom[2]))

    def is_in(self, atom: Atom, axis: str, code: str | None) -> bool:
        month, place, sexo = atom
        if axis == "sexo":
            return bool(sexo == code)
        if axis == "province":
            return province_of(place, month) == code
        return (place if place.startswith("d") else None) == code

    def where(self, atom: Atom, place: str | None) -> bool:
        return lies_in(atom[1], atom[0], place)


class Overlapping(Scene):
    """People choose several things: who did not choose one is as few as who did."""

    more: ClassVar[Mapping[str, str]] = {"period": "quarter"}
    disaggregate = "sexo cosas"
    axes: ClassVar[Mapping[str, tuple[str | None, ...]]] = {"sexo": ("f", "m"), "cosas": ("x", "y", None)}
    overlapping = ("cosas",)

    def atoms(self) -> list[Atom]:
        return list(product((*MONTHS, None), ("f", "m"), ("", "x", "y", "x y")))

    def pick(self, chance: random.Random) -> Atom:
        return (
            chance.choices((*MONTHS, None), (5, 3, 3, 5, 0.3))[0],
            chance.choices("fm", (5, 2))[0],
            chance.choices(("", "x", "y", "x y"), (0.5, 6, 1, 1))[0],
        )

    def send(self, phone: Wire, number: int, atom: Atom) -> None:
        send(phone, "hogar", answers(dia=day_in(atom[0]), sexo=atom[1], cosas=atom[2]))

    def is_in(self, atom: Atom, axis: str, code: str | None) -> bool:
        if axis == "sexo":
            return bool(atom[1] == code)
        return not atom[2] if code is None else code in atom[2].split()


class Shares(Scene):
    """Few for whom something sensitive holds, among many; nobody, or everybody; few who did not answer."""

    kind = "percent"
    more: ClassVar[Mapping[str, str]] = {"numerator": "${dice} = 'si'", "period": "quarter"}
    disaggregate = "sexo"
    axes: ClassVar[Mapping[str, tuple[str | None, ...]]] = {"sexo": ("f", "m")}

    def atoms(self) -> list[Atom]:
        return list(product((*MONTHS, None), ("f", "m"), ("si", "no", "")))

    def pick(self, chance: random.Random) -> Atom:
        month = chance.choices((*MONTHS, None), (5, 3, 3, 5, 0.3))[0]
        sexo = chance.choices("fm", (5, 2))[0]
        weights = {"2024-02": (1, 8, 0.3), "2024-05": (0, 1, 0), "2024-08": (4, 5, 0.6)}.get(month or "", (5, 1, 0.1))
        return month, sexo, chance.choices(("si", "no", ""), weights)[0]

    def send(self, phone: Wire, number: int, atom: Atom) -> None:
        send(phone, "hogar", answers(dia=day_in(atom[0]), sexo=atom[1], dice=atom[2]))

    def is_in(self, atom: Atom, axis: str, code: str | None) -> bool:
        return bool(atom[1] == code)

    def learn(self, learned: Learned, members: Sequence[int], figure: Figure | None, what: str) -> None:
        by = {code: [n for n in members if learned.atoms[n][2] == code] for code in ("si", "no", "")}
        known = sorted(by["si"] + by["no"])
        if figure is None:
            learned.see(members, 0, what)
            return
        if not figure.hidden:
            learned.see(known, figure.n, what)
            if figure.n:
                learned.see(by["si"], figure.numerator, what)
                assert MINIMUM <= learned.total(by["si"]) <= learned.total(known) - MINIMUM, what
        else:
            learned.keep(known, f"{what} known")
            for code in ("si", "no"):
                if learned.total(known):
                    learned.keep(by[code], f"{what} {code}", least=0)
        if not figure.hidden and not figure.unsaid:
            learned.see(by[""], figure.excluded, what)
            assert not 0 < figure.excluded < MINIMUM, what
        else:
            learned.keep(by[""], f"{what} excluded")


class People(Scene):
    """People who came in one quarter or more, each of one sex: counted once, whenever that is asked."""

    kind = "distinct"
    more: ClassVar[Mapping[str, str]] = {"key": "${quien}", "period": "quarter", "place": "${lugar}"}
    disaggregate = "sexo"
    axes: ClassVar[Mapping[str, tuple[str | None, ...]]] = {"sexo": ("f", "m"), "district": ("d1", "d3")}
    places = (None, "d1", "d3")

    def atoms(self) -> list[Atom]:
        came = [one for size in (1, 2, 3, 4) for one in combinations(MONTHS, size)]
        return list(product(came, ("f", "m"), ("d1", "d3")))

    def pick(self, chance: random.Random) -> Atom:
        first = chance.choices(MONTHS, (8, 1, 2, 1))[0]
        later = tuple(month for month in MONTHS if month > first and chance.random() < 0.4)
        return (first, *later), chance.choices("fm", (5, 1))[0], chance.choices(("d1", "d3"), (5, 1))[0]

    def send(self, phone: Wire, number: int, atom: Atom) -> None:
        for month in atom[0]:
            send(phone, "hogar", answers(dia=day_in(month), sexo=atom[1], lugar=atom[2], quien=f"k{number}"))

    def is_in(self, atom: Atom, axis: str, code: str | None) -> bool:
        return bool(atom[1 if axis == "sexo" else 2] == code)

    def when(self, atom: Atom, period: str | None, *, cumulative: bool) -> bool:
        return any(in_period(month, period, cumulative=cumulative) for month in atom[0])

    def where(self, atom: Atom, place: str | None) -> bool:
        return place in (None, atom[2])


class Rounds(Scene):
    """A survey in rounds that last as long as they last, asked for by round and by quarter."""

    more: ClassVar[Mapping[str, str]] = {"period": "${ronda}"}
    disaggregate = "sexo"
    axes: ClassVar[Mapping[str, tuple[str | None, ...]]] = {"sexo": ("f", "m")}
    periods = ("all", "round", "r1", "quarter", "year", "2024-Q1")

    def atoms(self) -> list[Atom]:
        return list(product(MONTHS, ("f", "m"), ("r1", "r2", "r3")))

    def pick(self, chance: random.Random) -> Atom:
        month = chance.choices(MONTHS, (5, 3, 3, 5))[0]
        weights = {"2024-02": (9, 1, 0), "2024-05": (1, 9, 0), "2024-08": (0, 5, 1)}.get(month, (0, 0, 5))
        return month, chance.choices("fm", (5, 2))[0], chance.choices(("r1", "r2", "r3"), weights)[0]

    def send(self, phone: Wire, number: int, atom: Atom) -> None:
        send(phone, "hogar", answers(dia=day_in(atom[0]), sexo=atom[1], ronda=atom[2]))

    def is_in(self, atom: Atom, axis: str, code: str | None) -> bool:
        return bool(atom[1] == code)

    def when(self, atom: Atom, period: str | None, *, cumulative: bool) -> bool:
        if period is not None and period.startswith("r"):
            return bool(atom[2] == period)
        return in_period(atom[0], period, cumulative=cumulative)


def requests(scene: Scene, chance: random.Random, more: int) -> Iterator[Request]:
    """What an attacker asks for: every split by itself and in pairs, then anything."""
    for size in range(3):
        for by in combinations(scene.axes, size):
            yield from (Request(period=period, by=by) for period in scene.periods)
    yield from (Request(period=period, place=place) for place in scene.places for period in ("all", scene.periods[1]))
    for _ in range(more):
        yield Request(
            period=chance.choice(scene.periods),
            by=tuple(chance.sample(list(scene.axes), chance.randint(0, len(scene.axes)))),
            place=chance.choice(scene.places),
            cumulative=chance.choice((None, True)),
        )


def learn(scene: Scene, learned: Learned, request: Request, told: Values) -> None:
    assert told.asked is not None
    shown = {(figure.period, *figure.categories): figure for figure in told.figures}
    periods = dict.fromkeys(figure.period for figure in told.figures)
    for period in periods or {None: None}:
        for cell in product(*(scene.axes[axis] for axis in request.by)):

            def holds(atom: Atom, period: str | None = period, cell: tuple[str | None, ...] = cell) -> bool:
                return (
                    scene.when(atom, period, cumulative=told.asked is not None and told.asked.cumulative)
                    and scene.where(atom, request.place)
                    and all(scene.is_in(atom, axis, code) for axis, code in zip(request.by, cell, strict=True))
                )

            if period is None and told.asked.split is not None:
                continue
            what, members = f"{request} {period} {cell}", learned.members(holds)
            scene.learn(learned, members, shown.get((period, *cell)), what)
            for number, axis in enumerate(request.by):
                if axis in scene.overlapping:  # few who are not in it are as few as few who are
                    cells = [(*cell[:number], code, *cell[number + 1 :]) for code in scene.axes[axis]]
                    around = {one for other in cells for one in learned.members(partial(holds, cell=other))}
                    learned.keep(sorted(around - set(members)), f"{what} not {axis}")


SCENES: Final = {"moved": Moved, "overlapping": Overlapping, "shares": Shares, "people": People, "rounds": Rounds}
CASES = [pytest.param(name, seed, 60 + 15 * seed, 12, id=f"{name}{seed}") for name in SCENES for seed in (1, 2)] + [
    pytest.param(name, seed, 30 + 12 * (seed % 9), 150, id=f"{name}{seed}", marks=pytest.mark.long)
    for name in SCENES
    for seed in range(3, 15)
]


@ON_SQLITE
@pytest.mark.parametrize(("name", "seed", "number", "more"), CASES)
def test_who_knows_more_learns_no_small_number(desk: Desk, phone: Wire, name: str, seed: int, number: int, more: int):
    chance, scene = random.Random(seed), SCENES[name]()
    desk.publish(form("hogar", SURVEY, choices=CHOICES))
    declare(desk, logframe(scene.kind, scene.more, scene.disaggregate))
    counts: dict[Atom, int] = {}
    for one in range(number):
        atom = scene.pick(chance)
        counts[atom] = counts.get(atom, 0) + 1
        scene.send(phone, one, atom)
    atoms = scene.atoms()
    assert set(counts) <= set(atoms)
    learned = Learned(atoms, counts, Equations(len(atoms)))
    viewer = desk.user("mirar@example.org", "viewer")
    for request in requests(scene, chance, more):
        told = desk.ask(
            lambda ctx, request=request: indicators.get_values(ctx, desk.project_id, ["N"], request), viewer
        )
        learn(scene, learned, request, told.values[0])
    for place, atom in enumerate(atoms):
        learned.keep([place], f"atom {atom}")
    assert learned.secret  # there is something to find
    assert learned.broken() == []

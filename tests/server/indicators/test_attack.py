"""An attacker who may see figures of many units only, asks for everything, and solves what comes back for the others."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import combinations, product
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from server.actions import indicators
from server.indicators.asking import Request
from server.indicators.values import Values
from server.model.people import Actor
from tests.server.desk import ON_SQLITE, Desk, form
from tests.server.indicators.independent import code_of, index_of
from tests.server.indicators.measuring import declare, send
from tests.server.wire import Wire

MINIMUM: Final = 4
SURVEY: Final = form(
    "hogar",
    """
| | type | name | label |
| | date | dia | D |
| | text | lugar | L |
| | select_one sexo | sexo | S |
| | select_one grupo | grupo | G |
""",
    choices="""
| | list_name | name | label |
| | sexo | f | Mujer |
| | sexo | m | Hombre |
| | grupo | a | A |
| | grupo | b | B |
| | grupo | c | C |
""",
)
PLACES: Final = {"d1": "p1", "d2": "p1", "d3": "p1", "d4": "p2", "d5": "p2", "p1": None, "p2": None}
LOGFRAME: Final = f"""
| indicators |
| | name | label | form | type | date | place | period | disaggregate | minimum_n |
| | N | x | hogar | count | ${{dia}} | ${{lugar}} | quarter | sexo grupo province district | {MINIMUM} |
| places |
| | code | parent | level | label |
| | p1 | | province | P1 |
| | p2 | | province | P2 |
| | d1 | p1 | district | D1 |
| | d2 | p1 | district | D2 |
| | d3 | p1 | district | D3 |
| | d4 | p2 | district | D4 |
| | d5 | p2 | district | D5 |
"""
AXES: Final = ("sexo", "grupo", "province", "district")
_PRIME: Final = 2**31 - 1


@dataclass(frozen=True)
class Unit:
    """What is known of a unit: nothing else can be asked of it."""

    dia: date | None
    lugar: str
    sexo: str
    grupo: str

    def category(self, axis: str) -> str | None:
        if axis == "district":
            return self.lugar if self.lugar.startswith("d") else None
        if axis == "province":
            return PLACES.get(self.lugar) or (self.lugar if self.lugar.startswith("p") else None)
        return {"sexo": self.sexo, "grupo": self.grupo}[axis] or None

    def lies_in(self, place: str | None) -> bool:
        return place is None or place in (self.category("province"), self.category("district"))


Base = tuple[str | None, str, str, str]
"""Month, place, sexo, grupo: what requests can tell apart."""


@dataclass
class Equations:
    """Linear equations over the base cells, in reduced echelon form modulo a prime."""

    size: int
    rows: dict[int, NDArray[np.int64]] = field(default_factory=dict)

    def reduced(self, vector: NDArray[np.int64]) -> NDArray[np.int64]:
        rest = vector % _PRIME
        for pivot, row in self.rows.items():
            if rest[pivot]:
                rest = (rest - rest[pivot] * row) % _PRIME
        return rest

    def add(self, vector: NDArray[np.int64]) -> None:
        rest = self.reduced(vector)
        (places,) = np.nonzero(rest)
        if not len(places):
            return
        pivot = int(places[0])
        rest = rest * pow(int(rest[pivot]), -1, _PRIME) % _PRIME
        for other, row in self.rows.items():
            if row[pivot]:
                self.rows[other] = (row - row[pivot] * rest) % _PRIME
        self.rows[pivot] = rest

    def determines(self, vector: NDArray[np.int64]) -> bool:
        return not self.reduced(vector).any()


@dataclass
class Attack:
    """What an attacker has learned: `secret` are sums of base cells that were hidden, with what they are."""

    bases: dict[Base, int]
    count: dict[Base, int]
    equations: Equations
    secret: dict[tuple[int, ...], tuple[int, str]] = field(default_factory=dict)

    def learn(self, request: Request, cumulative: bool, answered: Values) -> None:
        shown = {(figure.period, *figure.categories): figure for figure in answered.figures}
        periods = self._periods(request, [figure.period for figure in answered.figures])
        for period in periods:
            for cell in product(*(_codes(axis) for axis in request.by)):
                members = [
                    number
                    for base, number in self.bases.items()
                    if _in_period(base[0], period, cumulative) and _is(base, request.by, cell, request.place)
                ]
                figure = shown.get((period, *cell))
                vector = self._vector(members)
                if figure is None or not figure.hidden:
                    true = sum(self.count[base] for base, number in self.bases.items() if number in set(members))
                    assert true == (figure.n if figure is not None else 0), (request, period, cell)
                    self.equations.add(vector)
                else:
                    self._keep(members, f"{request} {period} {cell}")
        every = request.period in ("month", "quarter", "semester", "year")
        if every and answered.undated is not None:
            self.equations.add(self._vector(self._undated(request)))
        elif every:
            self._keep(self._undated(request), f"{request} undated")

    def broken(self) -> list[str]:
        """What must not be known and is."""
        for base, number in self.bases.items():
            if 0 < self.count[base] < MINIMUM:
                self._keep([number], f"base {base}")
        return [
            f"{what}: {n}"
            for members, (n, what) in self.secret.items()
            if 0 < n < MINIMUM and self.equations.determines(self._vector(members))
        ]

    def _undated(self, request: Request) -> list[int]:
        return [n for base, n in self.bases.items() if base[0] is None and _is(base, (), (), request.place)]

    def _keep(self, members: Sequence[int], what: str) -> None:
        inside = set(members)
        n = sum(self.count[base] for base, number in self.bases.items() if number in inside)
        self.secret.setdefault(tuple(sorted(inside)), (n, what))

    def _vector(self, members: Iterable[int]) -> NDArray[np.int64]:
        vector = np.zeros(self.equations.size, dtype=np.int64)
        vector[list(members)] = 1
        return vector

    @staticmethod
    def _periods(request: Request, seen: Sequence[str | None]) -> list[str | None]:
        if request.period == "all":
            return [None]
        if request.period in ("month", "quarter", "semester", "year"):
            return list(dict.fromkeys(seen))
        return [request.period]


def _codes(axis: str) -> list[str | None]:
    known = {"sexo": "fm", "grupo": "abc"}
    if axis in known:
        return [*known[axis], None]
    return [*(place for place in PLACES if place.startswith(axis[0])), None]


def _is(base: Base, by: Sequence[str], cell: Sequence[str | None], place: str | None) -> bool:
    unit = Unit(None, *base[1:])
    return unit.lies_in(place) and all(unit.category(axis) == code for axis, code in zip(by, cell, strict=True))


def _in_period(month: str | None, period: str | None, cumulative: bool) -> bool:
    if period is None:
        return True
    if month is None:
        return False
    day = date.fromisoformat(f"{month}-01")
    kind = "year" if len(period) == 4 else {"Q": "quarter", "S": "semester"}.get(period[5], "month")
    code = code_of(index_of(day, kind), kind)
    return code <= period if cumulative else code == period


def random_units(chance: random.Random, number: int) -> list[Unit]:
    """Units that lie unevenly: much in one place, little in another, some without a place, a day or a category."""

    def pick(codes: Sequence[str], weights: Sequence[float]) -> str:
        return chance.choices(codes, weights)[0]

    return [
        Unit(
            dia=None if chance.random() < 0.03 else date(2024, 1, 1) + timedelta(days=chance.randrange(366)),
            lugar=pick((*PLACES, ""), (8, 3, 1, 5, 1, chance.choice((0, 0.5)), chance.choice((0, 0.2, 2)), 0.4)),
            sexo=pick(("f", "m", ""), (5, 4, 0.4)),
            grupo=pick(("a", "b", "c", ""), (6, 3, 1, 0.3)),
        )
        for _ in range(number)
    ]


def requests(chance: random.Random, number: int) -> Iterator[Request]:
    """What an attacker asks for: at first everything simple, then anything."""
    splits = ("all", "quarter", "year", "month", "semester", "2024-Q1", "2024", "2024-S2")
    yield from (Request(period=split) for split in splits)
    yield from (Request(period="all", by=by) for size in (1, 2) for by in combinations(AXES, size))
    yield from (Request(period="quarter", by=(axis,)) for axis in AXES)
    yield from (Request(period="all", place=place) for place in PLACES)
    for _ in range(number):
        yield Request(
            period=chance.choice(splits),
            by=tuple(chance.sample(AXES, chance.choice((0, 1, 1, 2, 2, 3)))),
            place=chance.choice((None, *PLACES)),
            cumulative=chance.choice((None, True)),
        )


def attack(desk: Desk, viewer: Actor, units: Sequence[Unit], asked: Iterable[Request]) -> Attack:
    """Everything that is learned from the answers to these requests."""
    months = [None, *sorted({unit.dia.isoformat()[:7] for unit in units if unit.dia is not None})]
    bases = {
        base: number for number, base in enumerate(product(months, (*PLACES, ""), ("f", "m", ""), ("a", "b", "c", "")))
    }
    count = dict.fromkeys(bases, 0)
    for unit in units:
        month = unit.dia.isoformat()[:7] if unit.dia is not None else None
        count[month, unit.lugar, unit.sexo, unit.grupo] += 1
    found = Attack(bases, count, Equations(len(bases)))
    for request in asked:
        answered = desk.ask(
            lambda ctx, request=request: indicators.get_values(ctx, desk.project_id, ["N"], request), viewer
        )
        found.learn(request, bool(request.cumulative) and request.period != "all", answered.values[0])
    return found


SIZES = [pytest.param(seed, 60, 40, id=f"quick{seed}") for seed in (1, 2)] + [
    pytest.param(seed, 40 + 20 * (seed % 8), 300, id=f"long{seed}", marks=pytest.mark.long) for seed in range(3, 19)
]


@ON_SQLITE
@pytest.mark.parametrize(("seed", "number", "more"), SIZES)
def test_no_small_cell_can_be_solved_for(desk: Desk, phone: Wire, seed: int, number: int, more: int):
    chance = random.Random(seed)
    desk.publish(SURVEY)
    declare(desk, LOGFRAME)
    units = random_units(chance, number)
    for unit in units:
        dia = unit.dia.isoformat() if unit.dia is not None else ""
        send(
            phone,
            "hogar",
            f"<dia>{dia}</dia><lugar>{unit.lugar}</lugar><sexo>{unit.sexo}</sexo><grupo>{unit.grupo}</grupo>",
        )
    viewer = desk.user("mirar@example.org", "viewer")
    learned = attack(desk, viewer, units, requests(chance, more))
    assert any(0 < n < MINIMUM for n, _ in learned.secret.values())  # there is something to find
    assert learned.broken() == []

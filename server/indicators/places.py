"""The hierarchy of places: what is wrong with it as declared, and in which place of each level every place lay, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from graphlib import TopologicalSorter
from typing import Final

from forms.problems import Sentence
from server.indicators.declarations import Place

PlaceFinding = tuple[Place, str, Sentence]
"""A record, the column of the sheet `places` that is wrong in it, and what is wrong with a way out."""

_ALWAYS: Final = Sentence("siempre", "always")


@dataclass(frozen=True, slots=True, order=True)
class Ancestor:
    """From `valid_from` to `valid_to` (both included) the place `code` lay in `ancestor`, a place of `level`, or was it.

    What is open is `date.min` or `date.max`.
    """

    code: str
    level: str
    ancestor: str
    valid_from: date
    valid_to: date


def check(places: Sequence[Place]) -> list[PlaceFinding]:
    """Everything wrong with `places`, in their order.

    Two records of one code whose times meet; a time that ends before it begins; a parent that nobody declares, that was
    not there at any time of the place, or that lies in the place itself; levels that stand above one another, and a
    level with and without parents. Levels go by what most records say, so that one wrong row is the one that is named.
    """
    by_code = _by_code(places)
    circling = _circling(places, by_code)
    findings = [
        *_wrong_times(by_code),
        *_wrong_parents(places, by_code, circling),
        *_wrong_levels([place for place in places if id(place) not in circling], by_code),
    ]
    order = {id(place): number for number, place in enumerate(places)}
    return sorted(findings, key=lambda finding: order[id(finding[0])])


def levels(places: Sequence[Place]) -> tuple[str, ...]:
    """Every level, the outermost first; what nobody puts above one another stands in the order of the rows."""
    names = list(dict.fromkeys(place.level for place in places))
    below = _order(_steps(places, _by_code(places)))
    depths: dict[str, int] = {}
    above: dict[str, set[str]] = {name: set() for name in names}
    for outer, inner in below:
        above[inner].add(outer)
    for name in TopologicalSorter(above).static_order():
        depths[name] = max((depths[outer] + 1 for outer in above[name]), default=0)
    return tuple(sorted(names, key=lambda name: depths[name]))


def ancestry(places: Sequence[Place]) -> list[Ancestor]:
    """For each place, in order, its ancestor at each level, itself included, and when; `check` must find nothing wrong.

    Times are met along the chain: a district that lay in one province until 2013 and in another from 2014 has both, and
    each only as long as that province was there. Records of one code with the same ancestor are joined where one
    follows the other. Raises graphlib.CycleError, a ValueError, where places lie in each other.
    """
    by_code = _by_code(places)
    parents = {code: {place.parent for place in of if place.parent in by_code} for code, of in by_code.items()}
    found: dict[str, list[Ancestor]] = {}
    for code in TopologicalSorter(parents).static_order():
        if code is not None:
            found[code] = _joined(_chains(by_code[code], found))
    return [ancestor for code in by_code for ancestor in found[code]]


def _chains(records: Iterable[Place], found: Mapping[str, Sequence[Ancestor]]) -> Iterator[Ancestor]:
    """The ancestors of one code, whose parents' are `found`."""
    for place in records:
        start, end = _times(place)
        if start <= end:
            yield Ancestor(place.code, place.level, place.code, start, end)
        for above in found.get(place.parent or "", ()):
            first, last = max(start, above.valid_from), min(end, above.valid_to)
            if first <= last:
                yield Ancestor(place.code, above.level, above.ancestor, first, last)


def _joined(ancestors: Iterable[Ancestor]) -> list[Ancestor]:
    joined: list[Ancestor] = []
    for ancestor in sorted(ancestors):
        before = joined[-1] if joined else None
        if (
            before is not None
            and (before.level, before.ancestor) == (ancestor.level, ancestor.ancestor)
            and ancestor.valid_from.toordinal() <= before.valid_to.toordinal() + 1
        ):
            last = max(before.valid_to, ancestor.valid_to)
            joined[-1] = Ancestor(before.code, before.level, before.ancestor, before.valid_from, last)
        else:
            joined.append(ancestor)
    return joined


def _by_code(places: Iterable[Place]) -> dict[str, list[Place]]:
    by_code: dict[str, list[Place]] = {}
    for place in places:
        by_code.setdefault(place.code, []).append(place)
    return by_code


def _times(place: Place) -> tuple[date, date]:
    return place.valid_from or date.min, place.valid_to or date.max


def _meet(one: Place, other: Place) -> bool:
    (start, end), (first, last) = _times(one), _times(other)
    return max(start, first) <= min(end, last)


def _when(place: Place, language: str) -> str:
    """The times of a record, as they are said."""
    words = {"es": ("desde", "hasta"), "en": ("from", "to")}[language]
    days = (place.valid_from, place.valid_to)
    said = [f"{word} {day.isoformat()}" for word, day in zip(words, days, strict=True) if day is not None]
    return " ".join(said) or _ALWAYS.say(language)


def _wrong_times(by_code: Mapping[str, Sequence[Place]]) -> Iterator[PlaceFinding]:
    for code, records in by_code.items():
        right = []
        for place in records:
            start, end = _times(place)
            if start <= end:
                right.append(place)
            else:
                yield (
                    place,
                    "valid_to",
                    Sentence(
                        f"«{code}» termina ({end}) antes de empezar ({start}); cambie una de las dos fechas.",
                        f"“{code}” ends ({end}) before it begins ({start}); change one of the two dates.",
                    ),
                )
        right.sort(key=_times)  # stable: of equals the later row is the one named
        latest = right[0] if right else None
        for place in right[1:]:
            if latest is not None and _meet(latest, place):
                yield place, *_meeting(latest, place)
            if latest is None or _times(place)[1] > _times(latest)[1]:
                latest = place


def _meeting(one: Place, other: Place) -> tuple[str, Sentence]:
    if _times(one) == _times(other):
        return "code", Sentence(
            f"«{other.code}» está declarado dos veces; deje una de las dos filas, o dé a cada una sus fechas.",
            f"“{other.code}” is declared twice; leave one of the two rows, or give each its dates.",
        )
    return "valid_from" if other.valid_from else "valid_to", Sentence(
        f"«{other.code}» ya está declarado para una parte de ese tiempo ({_when(one, 'es')}); dos filas de un lugar no "
        "pueden coincidir en ningún día.",
        f"“{other.code}” is declared already for a part of that time ({_when(one, 'en')}); two rows of one place may "
        "not share a day.",
    )


def _circling(places: Sequence[Place], by_code: Mapping[str, Sequence[Place]]) -> AbstractSet[int]:
    """The ids of the records whose code lies in itself, or between two that do.

    Codes that lie in none that is left are taken away until nothing changes, then those that hold none.
    """
    inside = {code: {place.parent for place in of if place.parent in by_code} for code, of in by_code.items()}
    holds: dict[str, set[str]] = defaultdict(set)
    for code, parents in inside.items():
        for parent in parents:
            holds[parent or ""].add(code)
    left = set(by_code)
    for edges, back in ((inside, holds), (holds, inside)):
        count = {code: sum(1 for other in edges.get(code, ()) if other in left) for code in left}
        free = [code for code in left if not count[code]]
        while free:
            code = free.pop()
            left.discard(code)
            for other in back.get(code, ()):
                if other in left and other is not None:
                    count[other] -= 1
                    if not count[other]:
                        free.append(other)
    return {id(place) for place in places if place.code in left and place.parent in left}


def _wrong_parents(
    places: Sequence[Place], by_code: Mapping[str, Sequence[Place]], circling: AbstractSet[int]
) -> Iterator[PlaceFinding]:
    nearly = {_loose(code): code for code in reversed(list(by_code))}
    for place in places:
        parent = place.parent
        if not parent:
            continue
        if parent == place.code:
            yield (
                place,
                "parent",
                Sentence(
                    f"«{place.code}» está dentro de sí mismo; ponga el lugar que lo contiene, o deje la celda vacía.",
                    f"“{place.code}” lies in itself; put the place that holds it, or leave the cell empty.",
                ),
            )
        elif id(place) in circling:
            yield (
                place,
                "parent",
                Sentence(
                    f"«{place.code}» está dentro de «{parent}», y «{parent}» a su vez dentro de «{place.code}»; corrija "
                    "uno de los lugares de ese círculo.",
                    f"“{place.code}” lies in “{parent}”, and “{parent}” in turn in “{place.code}”; correct one of the "
                    "places of that circle.",
                ),
            )
        elif parent not in by_code:
            near = nearly.get(_loose(parent))
            es, en = (
                (f"¿quiso decir «{near}»? Excel quita los ceros de delante si la celda no es de texto",
                 f"did you mean “{near}”? Excel takes leading zeros away where a cell is not text")
                if near
                else ("declárelo en una fila propia, o corrija el código",
                      "declare it in a row of its own, or correct the code")
            )  # fmt: skip
            yield (
                place,
                "parent",
                Sentence(
                    f"«{place.code}» está dentro de «{parent}», que no está en la hoja: {es}.",
                    f"“{place.code}” lies in “{parent}”, which is not in the sheet: {en}.",
                ),
            )
        elif not any(_meet(place, above) for above in by_code[parent]):
            one = by_code[parent][0]
            yield (
                place,
                "parent",
                Sentence(
                    f"«{place.code}» ({_when(place, 'es')}) está dentro de «{parent}», que en ese tiempo no existía "
                    f"({_when(one, 'es')}); ponga el lugar que entonces lo contenía, o corrija las fechas.",
                    f"“{place.code}” ({_when(place, 'en')}) lies in “{parent}”, which was not there in that time "
                    f"({_when(one, 'en')}); put the place that held it then, or correct the dates.",
                ),
            )


def _loose(code: str) -> str:
    """What is left of a code after Excel."""
    return code.strip().lstrip("0").casefold()


Step = tuple[str, str]
"""Two levels: one, and one that lies in it."""


def _steps(places: Iterable[Place], by_code: Mapping[str, Sequence[Place]]) -> dict[Step, list[Place]]:
    """The records by the levels of their parent's (as it was in their time) and their own."""
    steps: dict[Step, list[Place]] = {}
    for place in places:
        above = dict.fromkeys(one.level for one in by_code.get(place.parent or "", ()) if _meet(place, one))
        for level in above:
            steps.setdefault((level, place.level), []).append(place)
    return steps


def _order(steps: Mapping[Step, Sequence[Place]]) -> list[Step]:
    """The steps that stand together without a level above itself: the most frequent are believed first."""
    believed: list[Step] = []
    under: dict[str, set[str]] = defaultdict(set)
    for step in sorted(steps, key=lambda one: -len(steps[one])):
        outer, inner = step
        if outer != inner and outer not in _reach(inner, under):
            under[outer].add(inner)
            believed.append(step)
    return believed


def _reach(level: str, under: Mapping[str, AbstractSet[str]]) -> AbstractSet[str]:
    reached: set[str] = set()
    ahead = [level]
    while ahead:
        for inner in under.get(ahead.pop(), ()):
            if inner not in reached:
                reached.add(inner)
                ahead.append(inner)
    return reached


def _wrong_levels(places: Sequence[Place], by_code: Mapping[str, Sequence[Place]]) -> Iterator[PlaceFinding]:
    steps = _steps(places, by_code)
    believed = _order(steps)
    order = Sentence(
        "; ".join(f"«{inner}» está dentro de «{outer}»" for outer, inner in believed),
        "; ".join(f"“{inner}” lies in “{outer}”" for outer, inner in believed),
    )
    for outer, inner in steps:
        if (outer, inner) in believed:
            continue
        for place in steps[outer, inner]:
            yield (
                place,
                "level",
                Sentence(
                    f"«{place.code}», de nivel «{inner}», está dentro de «{place.parent}», de nivel «{outer}»"
                    + (": un lugar no puede estar en otro de su mismo nivel." if outer == inner else
                       f", pero en el resto de la hoja {order.es}. Corrija el nivel o el lugar que lo contiene."),
                    f"“{place.code}”, of level “{inner}”, lies in “{place.parent}”, of level “{outer}”"
                    + (": a place cannot lie in another of its own level." if outer == inner else
                       f", but in the rest of the sheet {order.en}. Correct the level or the place that holds it."),
                ),
            )  # fmt: skip
    yield from _wrong_roots(places)


def _wrong_roots(places: Sequence[Place]) -> Iterator[PlaceFinding]:
    """Places without a parent at a level where most have one, and the other way round."""
    of_level: dict[str, tuple[list[Place], list[Place]]] = {}
    for place in places:
        of_level.setdefault(place.level, ([], []))[bool(place.parent)].append(place)
    for level, (without, within) in of_level.items():
        if without and len(within) >= len(without):
            for place in without:
                yield (
                    place,
                    "parent",
                    Sentence(
                        f"«{place.code}» no tiene lugar que lo contenga, y otros de nivel «{level}» sí: ponga el suyo.",
                        f"“{place.code}” has no place that holds it, and others of level “{level}” have: put its own.",
                    ),
                )
        elif within and without:
            for place in within:
                yield (
                    place,
                    "parent",
                    Sentence(
                        f"«{place.code}» está dentro de «{place.parent}», y otros de nivel «{level}» no están dentro de "
                        "ninguno: deje la celda vacía, o corrija el nivel.",
                        f"“{place.code}” lies in “{place.parent}”, and others of level “{level}” lie in none: leave the "
                        "cell empty, or correct the level.",
                    ),
                )

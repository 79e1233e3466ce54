"""Lineage: which repeat row of one version of a submission is which row of another.

Instances carry no ids of their rows, so rows are told by what they say. The answer depends on the documents alone: asked
again, over the same versions, it is the same.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Final

from forms.schema import Schema
from forms.tables import Row

ENOUGH: Final = 250
"""Thousandths of the answers of two rows that must be equal for them to be one row beyond doubt."""
_ALIKE: Final = 0.5
"""Likeness of two texts (difflib's ratio) from which on one may be a correction of the other."""
_MOST: Final = 40_000
"""Pairs of rows that are compared with each other, of one stretch without a row that is surely the same."""
_MOST_TEXTS: Final = 2_500
"""The same, where texts are compared letter by letter."""
_LETTERS: Final = 60
_ID: Final = re.compile(r"\b(once\s*\(\s*)?uuid\s*\(")
_POSITION: Final = re.compile(r"position\(\.\.(/\.\.)*\)")


@dataclass(frozen=True, slots=True)
class Match:
    """The row of the earlier version; not `sure` where only its place tells it, and hardly an answer is the same."""

    key: str
    sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How rows of a form are told: `ids` are questions that hold an id of their own, `ignored` say only where the row stands,
    `names` gives the present path of a question or repeat that was renamed."""

    ids: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a submission. The keys of its rows begin with nothing: "" is the form's row, `/member[2]` a repeat's."""

    id: int
    instance_id: str
    deprecated_id: str | None
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Traced:
    """A row in one version: `key` is its stable key; where `doubts` of two versions differ, it is hardly the same row."""

    key: str
    doubts: tuple[int, ...]


def told_by(schema: Schema, names: Mapping[str, str] | None = None) -> Told:
    """How rows of a form are told: ids are calculations of a `uuid()`, positions those of nothing but `position()`."""
    calculated = [(entry.path, entry.calculate) for entry in schema.fields if entry.calculate]
    return Told(
        ids=frozenset(path for path, calculate in calculated if _ID.search(calculate)),
        ignored=frozenset(path for path, calculate in calculated if _is_position(calculate)),
        names=names or {},
    )


def match(before: Sequence[Row], after: Sequence[Row], told: Told = Told()) -> dict[str, Match]:
    """The row of `before` that each row of `after` is, by its key; new rows are left out.

    Within one parent, rows of the same id or of the same answers are the same, wherever they stand; of the others those that
    share the most answers, in order; and where as many are left on both sides between known ones, those of the same place.
    Rows of different ids are never the same.
    """
    found = {"": Match("", sure=True)}
    waiting = [(_tree(before, told), _tree(after, told))]
    while waiting:
        old, new = waiting.pop()
        for table, rows in new.children.items():
            earlier = old.children.get(table, [])
            for i, j, sure in _pairs(earlier, rows):
                found[rows[j].key] = Match(earlier[i].key, sure)
                waiting.append((earlier[i], rows[j]))
    return found


def trace(versions: Sequence[Version], eldest_id: str, told: Told) -> dict[int, dict[str, Traced]]:
    """The stable key of every row of every version: by the version's id, then by the row's key within it.

    `versions` are in order of arrival; of those that edit nothing that is here, the one that `eldest_id` names (or that edits
    it) comes first. A row is called by the version in which it first appeared: `eldest_id` and its key for the first one, so
    that rows of a submission without edits are called as they stand; the version's own instance id and its key later.
    """
    by_id = {version.instance_id: version for version in versions}
    depths = {version.id: _depth(version, by_id) for version in versions}
    roots = [version for version in versions if depths[version.id] == 1] or list(versions)
    first = next((one for one in roots if eldest_id in (one.instance_id, one.deprecated_id)), roots[0])
    traced: dict[int, dict[str, Traced]] = {first.id: {row.key: Traced(eldest_id + row.key, ()) for row in first.rows}}
    for version in sorted(versions, key=lambda one: depths[one.id]):
        if version is first:
            continue
        edited = by_id.get(version.deprecated_id or "", first)
        if edited.id not in traced:  # a chain that bites its tail
            edited = first
        matches = match(edited.rows, version.rows, told)
        earlier = traced[edited.id]
        traced[version.id] = {row.key: _traced(version, row.key, matches.get(row.key), earlier) for row in version.rows}
    return traced


def _traced(version: Version, key: str, found: Match | None, earlier: Mapping[str, Traced]) -> Traced:
    if found is None:
        return Traced(version.instance_id + key, ())
    was = earlier[found.key]
    return was if found.sure else Traced(was.key, (*was.doubts, version.id))


def _depth(version: Version, by_id: Mapping[str, Version]) -> int:
    seen: set[str] = set()
    at: Version | None = version
    while at is not None and at.instance_id not in seen:
        seen.add(at.instance_id)
        at = by_id.get(at.deprecated_id or "")
    return len(seen)


def _is_position(calculate: str) -> bool:
    rest, found = _POSITION.subn("", calculate.replace(" ", ""))
    return found > 0 and "/" not in rest


@dataclass(slots=True)
class _Item:
    """A row with the rows below it. `said` is equal for two rows of the same answers (None: it has none), `whole` where all
    that is below them is equal too."""

    key: str
    own: dict[str, str]
    id: str | None
    said: tuple[tuple[str, str], ...] | None
    children: dict[str, list[_Item]] = field(default_factory=dict)
    whole: tuple[object, ...] = ()


def _tree(rows: Sequence[Row], told: Told) -> _Item:
    items: dict[str, _Item] = {}
    for row in rows:  # parents come first
        item = items[row.key] = _item(row, told)
        if row.parent_key is not None:
            table = told.names.get(row.table, row.table)
            items[row.parent_key].children.setdefault(table, []).append(item)
    for item in reversed(items.values()):
        below = tuple((table, tuple(child.whole for child in item.children[table])) for table in sorted(item.children))
        item.whole = (item.said, below)
    return items[rows[0].key]


def _item(row: Row, told: Told) -> _Item:
    texts = {path: str(value) for path, value in row.values.items()} | row.texts
    ids = [text for path, text in texts.items() if path in told.ids]
    own = {told.names.get(path, path): text for path, text in texts.items() if path not in told.ignored}
    return _Item(row.key, own, ids[0] if len(ids) == 1 else None, tuple(sorted(own.items())) or None)


def _pairs(before: list[_Item], after: list[_Item]) -> Iterator[tuple[int, int, bool]]:
    known = dict(_certain(before, after))
    yield from ((i, j, True) for i, j in known.items())
    left = set(range(len(before))) - known.keys(), set(range(len(after))) - set(known.values())
    for old, new in _gaps(known, len(before), len(after)):
        olds = [i for i in old if i in left[0]]
        news = [j for j in new if j in left[1]]
        for i, j, sure in _in_order(before, olds, after, news):
            left[0].discard(i)
            left[1].discard(j)
            yield i, j, sure
    for i, j in _moved(before, sorted(left[0]), after, sorted(left[1])):
        yield i, j, True


def _certain(before: list[_Item], after: list[_Item]) -> Iterator[tuple[int, int]]:
    """Rows whose id, or else whose answers (with those below them, or without), occur once on each side."""
    taken: tuple[set[int], set[int]] = (set(), set())
    for name in ("id", "whole", "said"):
        sides: tuple[dict[object, list[int]], dict[object, list[int]]] = ({}, {})
        for side, items, gone in zip(sides, (before, after), taken, strict=True):
            for number, item in enumerate(items):
                if number not in gone and getattr(item, name) is not None:
                    side.setdefault(getattr(item, name), []).append(number)
        for value, olds in sides[0].items():
            news = sides[1].get(value, [])
            if len(olds) == len(news) == 1:
                taken[0].add(olds[0])
                taken[1].add(news[0])
                yield olds[0], news[0]


def _gaps(known: Mapping[int, int], old: int, new: int) -> Iterator[tuple[range, range]]:
    """The stretches between rows that are known and stand in the same order on both sides."""
    at = (0, 0)
    for i, j in [*_longest(sorted(known.items())), (old, new)]:
        yield range(at[0], i), range(at[1], j)
        at = (i + 1, j + 1)


def _longest(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs that rises on both sides (Fredman 1975)."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, j) in enumerate(pairs):
        at = bisect_left(ends, j)
        before.append(last[at - 1] if at else -1)
        ends[at:] = [j] if at == len(ends) else [j, *ends[at + 1 :]]
        last[at:] = [number] if at == len(last) else [number, *last[at + 1 :]]
    found: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _in_order(
    before: list[_Item], olds: list[int], after: list[_Item], news: list[int]
) -> Iterator[tuple[int, int, bool]]:
    """The pairs of one stretch, none crossing another."""
    pairs = []
    if olds and news and len(olds) * len(news) <= _MOST:
        pairs = _aligned(before, olds, after, news)
    yield from ((i, j, True) for i, j in pairs)
    places = {i: at for at, i in enumerate(olds)}, {j: at for at, j in enumerate(news)}
    ends = [(places[0][i], places[1][j]) for i, j in pairs]
    at = (0, 0)
    for end in [*ends, (len(olds), len(news))]:
        between = olds[at[0] : end[0]], news[at[1] : end[1]]
        if len(between[0]) == len(between[1]):
            for old, new in zip(*between, strict=True):
                if not _differ(before[old], after[new]):
                    yield old, new, before[old].whole == after[new].whole
        at = (end[0] + 1, end[1] + 1)


def _aligned(before: list[_Item], olds: list[int], after: list[_Item], news: list[int]) -> list[tuple[int, int]]:
    """The pairs in order that share most, by dynamic programming (Needleman and Wunsch 1970); equal rows weigh most."""
    letters = len(olds) * len(news) <= _MOST_TEXTS
    heaviest = 1000 * (len(olds) + len(news))
    scores = [[_score(before[i], after[j], heaviest, letters=letters) for j in news] for i in olds]
    best = [[0] * (len(news) + 1) for _ in range(len(olds) + 1)]
    for i in reversed(range(len(olds))):
        for j in reversed(range(len(news))):
            paired = best[i + 1][j + 1] + scores[i][j] if scores[i][j] else 0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(olds) and j < len(news):
        if scores[i][j] and best[i][j] == best[i + 1][j + 1] + scores[i][j]:
            pairs.append((olds[i], news[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _score(old: _Item, new: _Item, heaviest: int, *, letters: bool) -> int:
    """How much two rows share: 0 where they cannot be the same row."""
    if _differ(old, new):
        return 0
    if old.whole == new.whole:
        return heaviest
    shared = sum(new.own.get(path) == text for path, text in old.own.items())
    score = 1000 * shared // max(1, len(old.own.keys() | new.own.keys()))
    if score < ENOUGH and letters:
        score = _likeness(old, new)
    return score if score >= ENOUGH else 0


def _likeness(old: _Item, new: _Item) -> int:
    """The same of rows that share few answers, where every answer that both give is much alike (Berto for Beto)."""
    common = old.own.keys() & new.own.keys()
    ratios = [
        SequenceMatcher(None, old.own[path][:_LETTERS], new.own[path][:_LETTERS], autojunk=False).ratio()
        for path in sorted(common)
    ]
    return ENOUGH if ratios and min(ratios) >= _ALIKE else 0


def _differ(old: _Item, new: _Item) -> bool:
    return old.id is not None and new.id is not None and old.id != new.id


def _moved(
    before: list[_Item], olds: Collection[int], after: list[_Item], news: Collection[int]
) -> Iterator[tuple[int, int]]:
    """Rows of the same answers that are left on both sides, however they stand."""
    waiting: dict[object, list[int]] = {}
    for i in reversed(list(olds)):
        waiting.setdefault(before[i].whole, []).append(i)
    counts = Counter({whole: len(rows) for whole, rows in waiting.items()})
    for j in news:
        if counts[after[j].whole]:
            counts[after[j].whole] -= 1
            yield waiting[after[j].whole].pop(), j

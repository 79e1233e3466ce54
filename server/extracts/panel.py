"""Panel: the entities of a list, one row each, with what a form asked of them in every round side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, cast

from forms.problems import Sentence
from server.extracts import columns
from server.extracts.columns import Column, Values
from server.extracts.frame import Frame, Piece
from server.extracts.questions import Question
from server.extracts.rows import BATCH, Read, Source
from server.extracts.treatments import KEPT

VISITS: Final = Sentence("Visitas", "Visits")
FIRST: Final = Sentence("Primera visita", "First visit")
LAST: Final = Sentence("Última visita", "Last visit")
LABEL: Final = Sentence("Etiqueta", "Label")


@dataclass(frozen=True, slots=True)
class Member:
    """An entity of the list: what it is told by, its label (None: not told), its properties as they may be seen."""

    told: str
    label: str | None
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """What tells rounds apart: the answer to `question`, or `of_day` of the day of a visit, or (neither) its number.

    `codes`: rounds in their order, where that is known; others follow, by number or letter.
    """

    question: Question | None = None
    of_day: Callable[[date], str] | None = None
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Visit:
    at: tuple[date, datetime]
    round: str | None
    values: tuple[Any, ...]


def build(
    base: Frame,
    dataset: str,
    day: Question | None,
    rounds: Rounds,
    wanted: Sequence[Question],
    members: Iterable[Member],
    properties: Sequence[str],
    *,
    words: str,
    missing: str | None = None,
) -> Frame:
    """The table of `members`; `base` is the table of the form that speaks of them, with the questions in `wanted` and that
    of `rounds`. Of several visits in one round the last one counts, and `_visits_ROUND` says how many there were.

    `missing`: only those without a visit in this round. Visits of whom the list does not hold are left out. All visits are
    held in memory.
    """
    pieces = [piece for piece in base.pieces if piece.question is not None and _is_of(piece.question, wanted)]
    asked = tuple(column for piece in pieces for column in piece.columns)
    visits = _read(base, dataset, day, rounds, pieces)
    names = _in_order({one.round for each in visits.values() for one in each if one.round is not None}, rounds.codes)
    lines, labelled = [], False
    for one in members:
        mine = visits.get(one.told, ())
        labelled = labelled or one.label is not None
        if missing is None or all(each.round != missing for each in mine):
            lines.append((*_known(one, mine, properties), *_line(mine, names, len(asked))))
    told = [
        *_about(words, dataset, properties),
        *(column for name in names for column in _of_round(name, asked, words)),
    ]
    made = [Piece((column,), (_NOTHING,), _as_made) for column in told]
    if not labelled:
        del made[1]
        lines = [(line[0], *line[2:]) for line in lines]
    return Frame(path="", name=f"panel_{dataset}", pieces=tuple(made), source=cast(Source, _Made(lines)))


def rounds_of(frame: Frame) -> list[str]:
    """The rounds of a panel, in order."""
    start = "_visits_"
    return [column.part for column in frame.columns if column.name.startswith(start)]


class _Made:
    """Rows that are there already, as a source of a frame."""

    def __init__(self, lines: Sequence[Sequence[Any]]) -> None:
        self._lines = lines

    def count(self) -> int:
        return len(self._lines)

    def batches(self, reads: Sequence[Read], *, newest_first: bool = False) -> Iterator[Sequence[Sequence[Any]]]:
        lines = self._lines[::-1] if newest_first else self._lines
        for at in range(0, len(lines), BATCH):
            yield lines[at : at + BATCH]


_NOTHING: Final = cast(Read, None)


def _as_made(read: Sequence[Values]) -> Sequence[Values]:
    return read


def _is_of(question: Question, wanted: Sequence[Question]) -> bool:
    return any(one.column.id == question.column.id for one in wanted)


def _read(
    base: Frame, dataset: str, day: Question | None, rounds: Rounds, pieces: Sequence[Piece]
) -> dict[str, list[_Visit]]:
    """The visits of each entity in their order, with their rounds."""
    entity = next(piece for piece in base.pieces if piece.columns[0].path == f"_entity_{dataset}")
    parts = base.source.parts("")
    reads = [Read("", 1, parts[0].c["_received_at"])]
    if day is not None:
        reads.append(Read("", day.column.part, parts[day.column.part - 1].c[day.column.names[-1]]))
    order = Piece(tuple(_COUNTED for _ in reads), tuple(reads), _as_made, None, KEPT)
    told = [piece for piece in base.pieces if rounds.question is not None and piece.question == rounds.question]
    read = replace(base, pieces=(entity, order, *told[:1], *pieces))
    found: dict[str, list[_Visit]] = {}
    for batch in read.batches():
        for row in zip(*batch, strict=True):
            if row[0] is None:
                continue
            rest = row[1 + len(reads) :]
            at = _day(row[1], row[2] if day is not None else None)
            name: str | None = None
            if rounds.question is not None:
                name = None if not told or rest[0] is None else str(rest[0])
                rest = rest[len(told[0].columns) if told else 0 :]
            elif rounds.of_day is not None:
                name = rounds.of_day(at)
            found.setdefault(row[0], []).append(_Visit((at, row[1]), name, tuple(rest)))
    for visits in found.values():
        visits.sort(key=lambda one: one.at)
        if rounds.question is None and rounds.of_day is None:
            visits[:] = [replace(one, round=str(number)) for number, one in enumerate(visits, 1)]
    return found


_COUNTED: Final = Column(name="_order", kind="text", path="_order")


def _day(received: datetime, told: Any) -> date:
    if told is None:
        return received.date()
    return told if isinstance(told, date) and not isinstance(told, datetime) else date.fromisoformat(str(told)[:10])


def _in_order(names: set[str], codes: Sequence[str]) -> list[str]:
    known = [code for code in codes if code in names]
    others = sorted(
        names - set(known), key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)
    )
    return [*known, *others]


def _about(words: str, dataset: str, properties: Sequence[str]) -> Iterator[Column]:
    yield Column(
        name=f"_entity_{dataset}", kind="text", path=f"_entity_{dataset}", label=columns.entity(dataset).say(words)
    )
    yield Column(name="_label", kind="text", path="_label", label=LABEL.say(words))
    for name in properties:
        yield Column(name=name, kind="text", path=name, label=name)
    yield Column(name="_visits", kind="integer", path="_visits", label=VISITS.say(words))
    yield Column(name="_first_day", kind="date", path="_first_day", label=FIRST.say(words))
    yield Column(name="_last_day", kind="date", path="_last_day", label=LAST.say(words))


def _of_round(name: str, asked: Sequence[Column], words: str) -> Iterator[Column]:
    label = f"{VISITS.say(words)}: {name}"
    yield Column(name=f"_visits_{name}", kind="integer", path=f"_visits_{name}", label=label, part=name)
    for column in asked:
        yield replace(column, name=f"{column.name}_{name}", label=f"{column.label} ({name})")


def _known(one: Member, visits: Sequence[_Visit], properties: Sequence[str]) -> tuple[Any, ...]:
    days = [visit.at[0] for visit in visits]
    return (
        one.told,
        one.label,
        *(one.data.get(name) or None for name in properties),
        len(visits),
        min(days, default=None),
        max(days, default=None),
    )


def _line(visits: Sequence[_Visit], names: Sequence[str], wide: int) -> Iterator[Any]:
    mine: dict[str, list[_Visit]] = {}
    for visit in visits:
        if visit.round is not None:
            mine.setdefault(visit.round, []).append(visit)
    for name in names:
        there = mine.get(name, [])
        yield len(there)
        yield from there[-1].values if there else (None,) * wide

"""Panel: the entities of a list, one row each, with what a form asked of them in every round side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, cast

from forms.problems import Sentence
from server.extracts import columns, naming
from server.extracts.columns import Column, Values
from server.extracts.frame import Frame, Piece
from server.extracts.questions import Question
from server.extracts.rows import BATCH, Read, Source
from server.extracts.treatments import KEPT

VISITS: Final = Sentence("Visitas", "Visits")
FIRST: Final = Sentence("Primera visita", "First visit")
LAST: Final = Sentence("Última visita", "Last visit")
LAST_BY: Final = Sentence("Quién envió la última visita", "Who sent the last visit")
DAY: Final = Sentence("Última visita de la ronda", "Last visit of the round")
BY: Final = Sentence("Quién envió la última visita de la ronda", "Who sent the last visit of the round")
ROUND: Final = Sentence("Ronda", "Round")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a panel is told, its labels in the language `words` (es, en).

    `missing`: only those without a visit in this round. `long`: a row for each entity and round, instead of rounds side by
    side. `days`: whether the days of visits may be told; who sent the last one is told where the form's table tells it.
    """

    words: str
    missing: str | None = None
    long: bool = False
    days: bool = True


@dataclass(frozen=True, slots=True)
class _Visit:
    at: tuple[date, datetime]
    round: str | None
    by: str | None
    values: tuple[Any, ...]


def build(
    base: Frame,
    dataset: str,
    day: Question | None,
    rounds: Rounds,
    wanted: Sequence[Question],
    members: Iterable[Member],
    properties: Sequence[str],
    shape: Shape,
) -> Frame:
    """The table of `members`; `base` is the table of the form that speaks of them, with the questions in `wanted` and that
    of `rounds`. Of several visits in one round the last one counts, and `_visits_ROUND` says how many there were; in the long
    shape `_visits` of the row with that `_round`.

    Visits of whom the list does not hold are left out. All visits are held in memory.
    """
    pieces = [piece for piece in base.pieces if piece.question is not None and _is_of(piece.question, wanted)]
    asked = tuple(column for piece in pieces for column in piece.columns)
    visits = _read(base, dataset, day, rounds, pieces)
    names = _in_order({one.round for each in visits.values() for one in each if one.round is not None}, rounds.codes)
    hidden = {"_label"} | ({"_first_day", "_last_day", "_day"} if not shape.days else set())
    if _sender(base) is None:
        hidden |= {"_last_submitter", "_submitter"}
    told = [*_about(shape.words, dataset, properties)]
    if shape.long:
        told += _of_rows(asked, shape.words)
    else:
        told += [*_of_visits(shape.words), *(one for name in names for one in _of_round(name, asked, shape.words))]
    lines: list[tuple[Any, ...]] = []
    for one in members:
        mine = visits.get(one.told, ())
        if one.label is not None:
            hidden.discard("_label")
        if shape.missing is not None and any(each.round == shape.missing for each in mine):
            continue
        known = (one.told, one.label, *(one.data.get(name) or None for name in properties))
        if shape.long:
            lines.extend((*known, *row) for row in _rows(mine, names, len(asked)))
        else:
            lines.append((*known, *_all(mine), *_line(mine, names, len(asked))))
    kept = [at for at, column in enumerate(told) if column.path != column.name or column.name not in hidden]
    if len(kept) < len(told):
        lines = [tuple(line[at] for at in kept) for line in lines]
    unlike = list(naming.unlike(told[at].name for at in kept))
    made = tuple(
        Piece((replace(told[at], name=name),), (_NOTHING,), _as_made) for at, name in zip(kept, unlike, strict=True)
    )
    return Frame(path="", name=f"panel_{dataset}", pieces=made, source=cast(Source, _Made(lines)))


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
    sender = _sender(base)
    others = [] if sender is None else [sender]
    if rounds.question is not None:  # its codes, whatever is told beside them
        column = rounds.question.column
        raw = Read("", column.part, parts[column.part - 1].c[column.names[0]])
        others.append(Piece((_COUNTED,), (raw,), _as_made, None, KEPT))
    read = replace(base, pieces=(entity, order, *others, *pieces))
    found: dict[str, list[_Visit]] = {}
    for batch in read.batches():
        for row in zip(*batch, strict=True):
            if row[0] is None:
                continue
            rest = row[1 + len(reads) :]
            at = _day(row[1], row[2] if day is not None else None)
            by: str | None = None
            if sender is not None:
                by, rest = rest[0], rest[1:]
            name: str | None = None
            if rounds.question is not None:
                name = None if rest[0] is None else str(rest[0])
                rest = rest[1:]
            elif rounds.of_day is not None:
                name = rounds.of_day(at)
            found.setdefault(row[0], []).append(_Visit((at, row[1]), name, by, tuple(rest)))
    for visits in found.values():
        visits.sort(key=lambda one: one.at)
        if rounds.question is None and rounds.of_day is None:
            visits[:] = [replace(one, round=str(number)) for number, one in enumerate(visits, 1)]
    return found


def _sender(base: Frame) -> Piece | None:
    """Who sent a submission, where that may be told."""
    return next((piece for piece in base.pieces if piece.columns[0].path == "_submitter"), None)


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
        yield Column(name=name, kind="text", path=f"{dataset}.{name}", label=name)


def _of_visits(words: str) -> Iterator[Column]:
    yield Column(name="_visits", kind="integer", path="_visits", label=VISITS.say(words))
    yield Column(name="_first_day", kind="date", path="_first_day", label=FIRST.say(words))
    yield Column(name="_last_day", kind="date", path="_last_day", label=LAST.say(words))
    yield Column(name="_last_submitter", kind="text", path="_last_submitter", label=LAST_BY.say(words))


def _of_rows(asked: Sequence[Column], words: str) -> Iterator[Column]:
    yield Column(name="_round", kind="text", path="_round", label=ROUND.say(words))
    yield Column(name="_visits", kind="integer", path="_visits", label=VISITS.say(words))
    yield Column(name="_day", kind="date", path="_day", label=DAY.say(words))
    yield Column(name="_submitter", kind="text", path="_submitter", label=BY.say(words))
    yield from asked


def _of_round(name: str, asked: Sequence[Column], words: str) -> Iterator[Column]:
    label = f"{VISITS.say(words)}: {name}"
    yield Column(name=f"_visits_{name}", kind="integer", path=f"_visits_{name}", label=label, part=name)
    for column in asked:
        yield replace(column, name=f"{column.name}_{name}", label=f"{column.label} ({name})")


def _all(visits: Sequence[_Visit]) -> tuple[Any, ...]:
    days = [visit.at[0] for visit in visits]
    return (
        len(visits),
        min(days, default=None),
        max(days, default=None),
        visits[-1].by if visits else None,
    )


def _line(visits: Sequence[_Visit], names: Sequence[str], wide: int) -> Iterator[Any]:
    for _, count, _, _, *values in _rows(visits, names, wide):
        yield count
        yield from values


def _rows(visits: Sequence[_Visit], names: Sequence[str], wide: int) -> Iterator[tuple[Any, ...]]:
    """For each round its name, how many visits, and of the last one the day, who sent it, and the answers."""
    mine: dict[str, list[_Visit]] = {}
    for visit in visits:
        if visit.round is not None:
            mine.setdefault(visit.round, []).append(visit)
    for name in names:
        there = mine.get(name, [])
        if there:
            last = there[-1]
            yield (name, len(there), last.at[0], last.by, *last.values)
        else:
            yield (name, 0, None, None, *(None for _ in range(wide)))

"""Frame: the tables of an extract as named, labelled columns of typed values; what every format writes, decided once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from sqlalchemy import Connection, func

from forms.problems import Sentence
from server.extracts import columns, naming, questions, selection, treatments
from server.extracts.columns import Batch, Column, Kind, Values
from server.extracts.questions import Asked, Question
from server.extracts.rows import Read, Source
from server.extracts.selection import Selection
from server.extracts.treatments import Treatment, Treatments
from server.tables import ddl
from server.tables import lists as entity_lists
from server.tables.layout import DataColumn

_KINDS: Final[dict[str, Kind]] = {
    "int": "integer",
    "decimal": "number",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "dateTime": "moment",
    "geotrace": "geojson",
    "geoshape": "geojson",
}
_POINT: Final = (
    ("latitude", Sentence("latitud", "latitude")),
    ("longitude", Sentence("longitud", "longitude")),
    ("altitude", Sentence("altitud (m)", "altitude (m)")),
    ("accuracy", Sentence("precisión (m)", "accuracy (m)")),
)
_CHOSEN: Final = (Sentence("No", "No"), Sentence("Sí", "Yes"))
_Make = Callable[[Batch], Sequence[Values]]


@dataclass(frozen=True, slots=True)
class Piece:
    """What is read together: `made` of the values of `reads` are those of `columns`."""

    columns: tuple[Column, ...]
    reads: tuple[Read, ...]
    make: _Make
    question: Question | None = None
    treatment: Treatment = treatments.KEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One table of an extract. `path` is its repeat's ("" for the form's own), `name` what its file or sheet is called."""

    path: str
    name: str
    pieces: tuple[Piece, ...]
    source: Source

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column, in order."""
        return tuple(column for piece in self.pieces for column in piece.columns)

    def count(self) -> int:
        """How many rows it has."""
        return self.source.count()

    def batches(self) -> Iterator[list[Values]]:
        """Its rows, some at a time: the values of each column, as many in every column."""
        reads = [read for piece in self.pieces for read in piece.reads]
        for rows in self.source.batches(reads):
            read = list(zip(*rows, strict=True)) if reads else []
            made: list[Values] = []
            at = 0
            for piece in self.pieces:
                made.extend(piece.make(read[at : at + len(piece.reads)]))
                at += len(piece.reads)
            yield made


def build(conn: Connection, asked: Asked, chosen: Selection, disclosed: Treatments) -> list[Frame]:
    """The tables that `chosen` asks for, the form's own first.

    A joined table has a row for each row of that repeat, in it the answers of the rows that hold it; rows of the form that
    hold none are not in it.
    """
    if chosen.joined is not None:
        return [_Builder(conn, asked, chosen, disclosed, asked.chain(chosen.joined)).frame(asked.chain(chosen.joined))]
    paths = [path for path in ("", *asked.repeats) if chosen.tables is None or path in chosen.tables]
    return [_Builder(conn, asked, chosen, disclosed, asked.chain(path)).frame([path]) for path in paths]


class _Builder:
    """Builds one frame: `chain` are the tables that hold its rows."""

    def __init__(
        self, conn: Connection, asked: Asked, chosen: Selection, disclosed: Treatments, chain: Sequence[str]
    ) -> None:
        self._asked = asked
        self._chosen = chosen
        self._disclosed = disclosed
        form_parts = ddl.sql_tables(conn, asked.layout.table(""))
        keyed = treatments.of(disclosed, "_key").select
        self._source = Source(conn, asked.layout, chain, selection.conditions(chosen.rows, form_parts), keyed=keyed)
        self._default = asked.newest.default_language
        self._language = chosen.language or self._default
        self._words = naming.words_of(self._language)

    def frame(self, told: Sequence[str]) -> Frame:
        """The frame of the tables in `told`, of which the last gives the rows."""
        pieces: list[Piece] = []
        path = self._source.path
        asked = [question for table in told for question in self._asked.of(table) if self._chosen.wants(question)]
        names = naming.question_names(asked, groups=self._chosen.group_paths, below=told[0])
        pieces.extend(self._keys(path))
        pieces.extend(piece for table in told for piece in self._entities(table))
        for question in asked:
            treatment = treatments.of(self._disclosed, question.path)
            if treatment.left_out or (treatment.what == "place" and question.column.type.startswith("geo")):
                continue
            pieces.append(self._question(question, names[question.column.id], treatment))
        if "" in told:
            pieces.extend(self._known())
        return Frame(
            path=path,
            name=naming.table_name(self._asked, path),
            pieces=_unlike(pieces),
            source=self._source,
        )

    def _keys(self, path: str) -> Iterator[Piece]:
        """What tells rows apart and ties them together, first."""
        row = self._source.parts(path)[0].c
        treatment = treatments.of(self._disclosed, "_key")
        form = Read("", 1, self._source.parts("")[0].c["_key"])
        told = form if treatment.select is None else Read("", 1, treatment.select([form.column]))
        wanted = [("_key", columns.KEY)]
        if path:
            wanted += [
                ("_parent_key", columns.PARENT_KEY),
                ("_submission_key", columns.SUBMISSION_KEY),
                ("_stable_key", columns.STABLE_KEY),
            ]
        if treatment.left_out:
            return
        for name, label in wanted:
            column = Column(name=name, kind="text", path=name, label=label.say(self._words))
            if not path or name == "_submission_key":
                yield Piece((column,), (told,), _changed(treatment.change), None, treatment)
                continue
            read = Read(path, 1, func.coalesce(row[name], row["_key"]) if name == "_stable_key" else row[name])
            if treatment.changes:
                yield Piece((column,), (read, form, told), _row_key(treatment.change), None, treatment)
            else:
                yield Piece((column,), (read,), _as_read, None, treatment)
        if path:
            column = Column(name="_position", kind="integer", path="_position", label=columns.POSITION.say(self._words))
            yield Piece((column,), (Read(path, 1, row["_position"]),), _as_read)

    def _entities(self, table: str) -> Iterator[Piece]:
        """Of which entities the rows of a table speak."""
        for one in self._asked.touched:
            treatment = treatments.of(self._disclosed, one.key)
            if one.table != table or treatment.left_out:
                continue
            label = columns.entity(one.dataset).say(self._words)
            column = Column(name=f"_entity_{one.dataset}", kind="text", path=f"_entity_{one.dataset}", label=label)
            told = entity_lists.told_by(self._source.parts(table)[0], one.paths)
            read = told if treatment.select is None else treatment.select([told])
            yield Piece((column,), (Read(table, 1, read),), _as_read, None, treatment)

    def _known(self) -> Iterator[Piece]:
        """What is known of every submission, last."""
        form = self._source.parts("")[0].c
        for name, kind, label in columns.KNOWN_OF_SUBMISSIONS:
            treatment = treatments.of(self._disclosed, name)
            if treatment.left_out:
                continue
            make = _in_zone(self._chosen.zone) if kind == "moment" and not treatment.changes else _as_read
            codes = self._yes_no() if kind == "boolean" else ()
            column = Column(name=name, kind=kind, path=name, label=label.say(self._words), codes=codes)
            read = form[name] if treatment.select is None else treatment.select([form[name]])
            yield _treated(Piece((column,), (Read("", 1, read),), make, None, treatment))

    def _question(self, question: Question, name: str, treatment: Treatment) -> Piece:
        """The columns of one question."""
        column: DataColumn = question.column
        table = self._source.parts(question.table)[column.part - 1]
        reads = tuple(Read(question.table, column.part, table.c[physical]) for physical in column.names)
        label = questions.say(question.entry.label, self._language, self._default) or question.entry.name
        if treatment.changes:
            if treatment.select is not None:
                read = treatment.select([table.c[physical] for physical in column.names])
                reads = (Read(question.table, column.part, read),)
            told = Column(name=name, kind=_KINDS.get(column.type, "text"), path=question.path, label=label)
            return _treated(Piece((told,), reads[:1], _as_read, question, treatment))
        if column.type == "geopoint":
            return Piece(self._point(question, name, label), reads, _as_read, question, treatment)
        kind = _KINDS.get(column.type, "text")
        plain = Column(name=name, kind=kind, path=question.path, label=label)
        codes = tuple(
            (choice.name, questions.say(choice.label, self._language, self._default) or choice.name)
            for choice in question.choices
        )
        if question.entry.control in ("select", "rank") and kind == "text":
            piece = self._multiple(question, plain, codes, reads, treatment)
        elif codes and self._chosen.labels:
            piece = Piece((replace(plain, kind="text"),), reads, _labelled(dict(codes)), question, treatment)
        elif kind == "moment":
            piece = Piece((plain,), reads[:1], _in_zone(self._chosen.zone), question, treatment)
        else:
            told = replace(plain, codes=self._yes_no() if kind == "boolean" else codes, numbers=question.numbers)
            piece = Piece((told,), reads[:1], _as_read, question, treatment)
        return piece

    def _yes_no(self) -> tuple[tuple[int, str], ...]:
        return tuple((number, sentence.say(self._words)) for number, sentence in enumerate(_CHOSEN))

    def _point(self, question: Question, name: str, label: str) -> tuple[Column, ...]:
        return tuple(
            Column(
                name=f"{name}_{part}",
                kind="number",
                path=question.path,
                label=f"{label}: {words.say(self._words)}",
                part=part,
            )
            for part, words in _POINT
        )

    def _multiple(
        self,
        question: Question,
        plain: Column,
        codes: tuple[tuple[str, str], ...],
        reads: tuple[Read, ...],
        treatment: Treatment,
    ) -> Piece:
        """What was chosen, as one text, and 0/1 for each choice."""
        labels = dict(codes) if self._chosen.labels else None
        split = self._chosen.split and question.entry.control == "select"
        words = self._yes_no()
        one_each = tuple(
            replace(
                plain,
                name=f"{plain.name}/{code}",
                kind="integer",
                label=f"{plain.label}: {label}",
                part=code,
                codes=words,
            )
            for code, label in (codes if split else ())
            if code in question.offered
        )
        make = _chosen(labels, [column.part for column in one_each])
        return Piece((plain, *one_each), reads, make, question, treatment)


def _unlike(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The same pieces, no two columns of one name."""
    names = iter(naming.unlike(column.name for piece in pieces for column in piece.columns))
    return tuple(
        replace(piece, columns=tuple(replace(column, name=next(names)) for column in piece.columns)) for piece in pieces
    )


def _treated(piece: Piece) -> Piece:
    """A piece whose values are changed as its treatment says; codes that are changed have no labels any more."""
    change = piece.treatment.change
    if not piece.treatment.changes:
        return piece
    make, treat = piece.make, _changed(change)
    kind = piece.treatment.kind
    told = (
        tuple(replace(column, kind=kind, codes=(), numbers=()) for column in piece.columns) if kind else piece.columns
    )
    return replace(piece, columns=told, make=lambda read: make(treat(read)))


def _as_read(read: Batch) -> Sequence[Values]:
    return read


def _changed(change: Callable[[Any], Any] | None) -> _Make:
    if change is None:
        return _as_read
    return lambda read: [[None if value is None else change(value) for value in values] for values in read]


def _row_key(change: Callable[[Any], Any] | None) -> _Make:
    """Keys of rows, whose beginning is the key of their submission: `change` of what is told of that."""

    def make(read: Batch) -> Sequence[Values]:
        keys, submissions, told = read
        told = told if change is None else [change(one) for one in told]
        return [
            [
                f"{one}{key[len(whole) :]}" if key.startswith(whole) else None
                for key, whole, one in zip(keys, submissions, told, strict=True)
            ]
        ]

    return make


def _in_zone(zone: tzinfo) -> _Make:
    if zone is UTC:
        return _as_read

    def make(read: Batch) -> Sequence[Values]:
        return [
            [value.astimezone(zone) if isinstance(value, datetime) else value for value in values] for values in read
        ]

    return make


def _labelled(labels: dict[str, str]) -> _Make:
    def make(read: Batch) -> Sequence[Values]:
        (values,) = read
        return [[None if value is None else labels.get(str(value), value) for value in values]]

    return make


def _chosen(labels: dict[str, str] | None, codes: Sequence[str]) -> _Make:
    """What was chosen as it came, or its labels; then for each code 1, 0, or None where nothing was answered."""

    def make(read: Batch) -> Sequence[Values]:
        (texts,) = read
        if not codes and labels is None:
            return [texts]
        chosen = [None if text is None else text.split() for text in texts]
        told: Values = texts
        if labels is not None:
            told = [None if one is None else "; ".join(labels.get(code, code) for code in one) for one in chosen]
        sets = [None if one is None else frozenset(one) for one in chosen]
        return [told, *([None if one is None else int(code in one) for one in sets] for code in codes)]

    return make

"""CSV in the layout of ODK Central: one table for the form, one for each repeat, keyed to each other."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Text, exists, func, select, type_coerce
from sqlalchemy.sql import ColumnElement

from forms import values
from forms.schema import Choice, Field
from server.extracts import naming, selection, treatments
from server.extracts.archive import Entry
from server.extracts.delimited import Lines, harmless, moment
from server.extracts.questions import Asked
from server.extracts.rows import Read, Source
from server.extracts.selection import Rows
from server.extracts.treatments import Treatment, Treatments
from server.model.submissions import submission_attachments, submission_versions
from server.tables import ddl
from server.tables.layout import DataColumn

_POINT: Final = ("-Latitude", "-Longitude", "-Altitude", "-Accuracy")
_BEFORE: Final = (("SubmissionDate", "_received_at"),)
_KNOWN: Final = (
    ("KEY", "_key"), ("SubmitterID", "_submitter_id"), ("SubmitterName", "_submitter"), ("AttachmentsPresent", None),
    ("AttachmentsExpected", None), ("Status", "_encrypted"), ("ReviewState", "_review_state"), ("DeviceID", "_device_id"),
    ("Edits", "_edits"), ("FormVersion", "_form_version"),
)  # fmt: skip
_KEY: Final = "_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the CSV is written.

    `group_paths`: column names carry their groups (`group-question`). `split_select_multiples`: one 0/1 column per choice
    besides; blank where the question was not answered. `deleted_fields`: also what only earlier versions ask. `neutralise`:
    a text that a spreadsheet would run as a formula begins with an apostrophe.
    """

    group_paths: bool = True
    split_select_multiples: bool = False
    deleted_fields: bool = False
    neutralise: bool = True
    rows: Rows = Rows()


@dataclass(frozen=True, slots=True)
class _Cells:
    """One question in one table: its headers, the columns that it reads, and how its cells are made of their values.

    `made` gets the row, at which of its columns the question's begin, and the texts that values would not give again.
    """

    headers: tuple[str, ...]
    reads: tuple[Read, ...]
    made: Callable[[Sequence[Any], int, dict[str, str]], tuple[Any, ...]]


def tables(
    conn: Connection, asked: Asked, form_id: int, options: Options, disclosed: Treatments = treatments.EVERYTHING
) -> list[Entry]:
    """`<form>.csv` and `<form>-<repeat>.csv` of every submission that is asked for, the newest first.

    Read from the typed tables; memory does not grow with rows. Layout: ODK Central's `submissions.csv.zip`.
    """
    work = _Work(conn, asked, form_id, options, disclosed)
    known = asked.newest.by_path
    return [
        (f"{naming.table_name(asked, path)}.csv", lambda path=path: work.table(path))  # type: ignore[misc]
        for path in ("", *asked.repeats)
        if path == "" or options.deleted_fields or path in known
    ]


class _Work:
    def __init__(self, conn: Connection, asked: Asked, form_id: int, options: Options, disclosed: Treatments) -> None:
        self._conn = conn
        self._asked = asked
        self._form_id = form_id
        self._options = options
        self._disclosed = disclosed
        self._where = selection.conditions(options.rows, ddl.sql_tables(conn, asked.layout.table("")))

    def table(self, path: str) -> Iterator[bytes]:
        """The CSV of one table."""
        keyed = treatments.of(self._disclosed, _KEY).select
        source = Source(self._conn, self._asked.layout, self._asked.chain(path), self._where, keyed=keyed)
        first = source.parts(path)[0].c
        cells = [self._question(entry, column, source, path) for entry, column in self._questions(path)]
        around = self._of_submission(source) if path == "" else self._of_row(source, path)
        texts = Read(path, 1, first["_texts"])
        before, after = around
        every = [*before, *cells, *after]
        reads = [texts, *(read for one in every for read in one.reads)]
        starts, at = [], 1
        for one in every:
            starts.append(at)
            at += len(one.reads)
        plan = list(zip(every, starts, strict=True))
        lines: list[str] = []
        writer = csv.writer(Lines(lines), lineterminator="\n")
        writer.writerow([header for one in every for header in one.headers])
        for batch in source.batches(reads, newest_first=True):
            for row in batch:
                kept = json.loads(row[0]) if isinstance(row[0], str) else row[0] or {}
                line = [cell for one, at in plan for cell in one.made(row, at, kept)]
                writer.writerow([harmless(cell) for cell in line] if self._options.neutralise else line)
            data = "".join(lines).encode()
            lines.clear()
            yield data
        if lines:
            yield "".join(lines).encode()

    def _questions(self, path: str) -> Iterator[tuple[Field, DataColumn]]:
        """What the newest version asks in a table, in its order, and on request what only earlier ones ask."""
        schema, layout = self._asked.newest, self._asked.layout
        shown: set[int] = set()
        for entry in schema.fields:
            if entry.kind == "question" and schema.repeat_of(entry.path) in layout.table(path).paths:
                column = layout.find_column(path, entry.path, entry.type or "string")
                if column is not None:
                    shown.add(column.id)
                    yield entry, column
        if self._options.deleted_fields:
            yield from ((one.entry, one.column) for one in self._asked.of(path) if one.column.id not in shown)

    def _of_submission(self, source: Source) -> tuple[list[_Cells], list[_Cells]]:
        form = source.parts("")[0].c
        counts = iter(_attachment_counts(self._conn, self._form_id, form["_submission_id"]))
        before = [self._known(header, name, Read("", 1, form[name])) for header, name in _BEFORE]
        after = [
            self._known(header, name, Read("", 1, next(counts) if name is None else form[name]))
            for header, name in _KNOWN
        ]
        return before, after

    def _of_row(self, source: Source, path: str) -> tuple[list[_Cells], list[_Cells]]:
        row = source.parts(path)[0].c
        treatment = treatments.of(self._disclosed, _KEY)
        whole = Read("", 1, source.parts("")[0].c[_KEY])
        headers = (("PARENT_KEY", "_parent_key"), ("KEY", _KEY))
        if treatment.left_out:
            return [], [_Cells((header,), (), lambda *_: (None,)) for header, _ in headers]
        if not treatment.changes:
            return [], [_Cells((header,), (Read(path, 1, row[name]),), _plain) for header, name in headers]
        told = whole if treatment.select is None else Read("", 1, treatment.select([whole.column]))
        made = _row_key(treatment)
        return [], [_Cells((header,), (Read(path, 1, row[name]), whole, told), made) for header, name in headers]

    def _known(self, header: str, name: str | None, read: Read) -> _Cells:
        """What is known of a submission; its column stays, blank, where it is left out, since clients expect it."""
        treatment = treatments.of(self._disclosed, name or header)
        if treatment.left_out:
            return _Cells((header,), (), lambda *_: (None,))
        if name == "_encrypted":
            return _Cells((header,), (read,), lambda row, at, _: ("not decrypted" if row[at] else None,))
        if name == "_received_at" and treatment.change is None:
            return _Cells((header,), (read,), lambda row, at, _: (moment(row[at]),))
        if treatment.select is not None:
            read = Read(read.table, read.part, treatment.select([read.column]))
        return _Cells((header,), (read,), _treated(treatment) if treatment.changes else _plain)

    def _question(self, entry: Field, column: DataColumn, source: Source, path: str) -> _Cells:
        treatment = treatments.of(self._disclosed, self._asked.path_of(column, entry))
        base = self._header(entry, path)
        is_point = entry.type == "geopoint" and column.type == "geopoint"
        headers = tuple(base + suffix for suffix in _POINT) if is_point else (base,)
        if treatment.left_out or (treatment.what == "place" and column.type.startswith("geo")):
            return _Cells((), (), lambda *_: ())
        table = source.parts(path)[column.part - 1]
        if treatment.changes:
            reads = tuple(Read(path, column.part, table.c[name]) for name in column.names)
            if treatment.select is not None:
                reads = (Read(path, column.part, treatment.select([read.column for read in reads])),)
            return _Cells(headers, reads if is_point else reads[:1], _treated(treatment, len(headers)))
        names = column.names[1:] if column.type in values.KEEPS_TEXT else column.names
        physical = [table.c[name] for name in names]
        reads = tuple(
            Read(path, column.part, type_coerce(one, Text) if column.type == "date" else one) for one in physical
        )
        if is_point:
            return _Cells(headers, reads, _point(column.name))
        choices = self._choices(entry)
        if self._options.split_select_multiples and choices:
            headers = (base, *(f"{base}/{choice.name}" for choice in choices))
            return _Cells(headers, reads, _split([choice.name for choice in choices]))
        if column.type in values.KEEPS_TEXT or column.type == "string":
            return _Cells(headers, reads, _plain)
        return _Cells(headers, reads, _boolean(column.name) if column.type == "boolean" else _typed(column.name))

    def _choices(self, entry: Field) -> Sequence[Choice]:
        if entry.control != "select":
            return ()
        schema = next((one for one in reversed(self._asked.schemas) if entry.path in one.by_path), self._asked.newest)
        return schema.options(entry.path)

    def _header(self, entry: Field, path: str) -> str:
        if not self._options.group_paths:
            return entry.name
        paths = self._asked.layout.table(path).paths
        below = next(one for one in reversed(paths) if one == "" or entry.path.startswith(f"{one}/"))
        return entry.path[len(below) + 1 :].replace("/", "-")


def _plain(row: Sequence[Any], at: int, _: dict[str, str]) -> tuple[Any, ...]:
    return (row[at],)


def _typed(name: str) -> Callable[[Sequence[Any], int, dict[str, str]], tuple[Any, ...]]:
    return lambda row, at, texts: (texts.get(name, row[at]),)


def _boolean(name: str) -> Callable[[Sequence[Any], int, dict[str, str]], tuple[Any, ...]]:
    def made(row: Sequence[Any], at: int, texts: dict[str, str]) -> tuple[Any, ...]:
        value = row[at]
        return (texts.get(name, None if value is None else "true" if value else "false"),)

    return made


def _point(name: str) -> Callable[[Sequence[Any], int, dict[str, str]], tuple[Any, ...]]:
    def made(row: Sequence[Any], at: int, texts: dict[str, str]) -> tuple[Any, ...]:
        text = texts.get(name)
        if text is not None:
            parts: list[Any] = text.split()[:4]
            return tuple(parts + [None] * (4 - len(parts)))
        return tuple(row[at : at + 4])

    return made


def _split(choices: Sequence[str]) -> Callable[[Sequence[Any], int, dict[str, str]], tuple[Any, ...]]:
    def made(row: Sequence[Any], at: int, _: dict[str, str]) -> tuple[Any, ...]:
        text = row[at]
        if text is None:
            return (None,) * (len(choices) + 1)
        chosen = set(text.split())
        return (text, *(1 if choice in chosen else 0 for choice in choices))

    return made


def _treated(treatment: Treatment, wide: int = 1) -> Callable[[Sequence[Any], int, dict[str, str]], tuple[Any, ...]]:
    """Values as their treatment changes them; a text that did not fit its type is not told."""
    change = treatment.change or (lambda value: value)

    def made(row: Sequence[Any], at: int, _: dict[str, str]) -> tuple[Any, ...]:
        return tuple(None if value is None else change(value) for value in row[at : at + wide])

    return made


def _row_key(treatment: Treatment) -> Callable[[Sequence[Any], int, dict[str, str]], tuple[Any, ...]]:
    change = treatment.change or (lambda value: value)

    def made(row: Sequence[Any], at: int, _: dict[str, str]) -> tuple[Any, ...]:
        key, whole, told = row[at : at + 3]
        return (f"{change(told)}{key[len(whole) :]}",)

    return made


def _attachment_counts(conn: Connection, form_id: int, submission: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Present and expected files of the current version; constants where the form has none, which is quicker."""
    files, versions = submission_attachments, submission_versions
    of_form = exists().where(files.c.version_id == versions.c.id, versions.c.form_id == form_id, files.c.expected)
    if not conn.execute(select(of_form)).scalar_one():
        return [func.coalesce(0, 0), func.coalesce(0, 0)]
    return [
        select(func.count(counted))
        .select_from(files.join(versions, versions.c.id == files.c.version_id))
        .where(versions.c.submission_id == submission, versions.c.current, files.c.expected)
        .correlate(submission.table)
        .scalar_subquery()
        for counted in (files.c.sha256, files.c.id)
    ]

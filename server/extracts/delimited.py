"""CSV in the layout of ODK Central: one table for the form, one for each repeat, keyed to each other."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Table, Text, and_, exists, func, select, type_coerce
from sqlalchemy.sql import ColumnElement, Select

from forms import values
from forms.schema import Field, Schema
from server.extracts.archive import zipped
from server.model.submissions import submission_attachments, submission_versions
from server.tables import ddl
from server.tables.layout import DataColumn, DataTable, Layout

_BATCH: Final = 500
_MOST: Final = 1500
"""Columns of one query."""
_POINT: Final = ("-Latitude", "-Longitude", "-Altitude", "-Accuracy")
_AFTER: Final = (
    "KEY", "SubmitterID", "SubmitterName", "AttachmentsPresent", "AttachmentsExpected", "Status", "ReviewState", "DeviceID",
    "Edits", "FormVersion",
)  # fmt: skip
_Selected = tuple[int, ColumnElement[Any]]
"""A column of a query, and which part of its table it stands in."""
_HARMLESS: Final = re.compile(r"[+-][0-9 ().\-]*(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the CSV is written.

    `group_paths`: column names carry their groups (`group-question`). `split_select_multiples`: one 0/1 column per choice
    besides; blank where the question was not answered. `neutralise`: a text that a spreadsheet would run as a formula
    begins with an apostrophe.
    """

    group_paths: bool = True
    split_select_multiples: bool = False
    neutralise: bool = True


@dataclass(frozen=True, slots=True)
class _Column:
    """One question in one table: its headers, its place in the selected row, and how its cells are made."""

    headers: tuple[str, ...]
    cells: Callable[[Any, dict[str, str]], tuple[Any, ...]]


def archive(
    conn: Connection,
    layout: Layout,
    schema: Schema,
    form_id: int,
    options: Options = Options(),
) -> Iterator[bytes]:
    """A zip with `<form>.csv` and `<form>-<repeat>.csv` of every submission that stands, the newest first.

    Read from the typed tables; memory does not grow with rows. Layout: ODK Central's `submissions.csv.zip`.
    """
    base = _file_name(schema.form_id)
    entries = [(f"{base}.csv", lambda: _form_csv(conn, layout, schema, form_id, options))]
    repeats = [entry for entry in schema.fields if entry.kind == "repeat"]
    every, seen = Counter(entry.name for entry in repeats), Counter[str]()
    for entry in repeats:
        seen[entry.name] += 1
        number = f"~{seen[entry.name]}" if every[entry.name] > 1 else ""
        entries.append((f"{base}-{entry.name}{number}.csv", _repeat_writer(conn, layout, schema, entry.path, options)))
    return zipped(entries)


def _form_csv(conn: Connection, layout: Layout, schema: Schema, form_id: int, options: Options) -> Iterator[bytes]:
    table = layout.table("")
    parts = ddl.sql_tables(conn, table)
    columns, selected = _questions(conn, layout, schema, "", options)
    first = parts[0].c
    system = [
        first["_received_at"], first["_key"], first["_submitter_id"], first["_submitter"], first["_review_state"],
        first["_device_id"], first["_edits"], first["_form_version"], first["_encrypted"],
    ]  # fmt: skip
    fixed = [*system, first["_texts"], *_attachment_counts(conn, form_id, parts[0])]
    statements = _from_parts(parts, fixed, selected, [first["_submission_id"].desc()])
    headers = ["SubmissionDate", *(header for column in columns for header in column.headers), *_AFTER]

    def cells(row: Any) -> list[Any]:
        received, key, submitter_id, submitter, review, device, edits, version, encrypted, texts, present, expected = (
            row[:12]
        )
        answers = _answers(columns, row[12:], texts)
        status = "not decrypted" if encrypted else None
        after = (key, submitter_id, submitter, present, expected, status, review, device, edits, version)
        return [_moment(received), *answers, *after]

    return _csv(conn, statements, headers, cells, options)


def _repeat_writer(
    conn: Connection, layout: Layout, schema: Schema, path: str, options: Options
) -> Callable[[], Iterator[bytes]]:
    def write() -> Iterator[bytes]:
        parts = ddl.sql_tables(conn, layout.table(path))
        columns, selected = _questions(conn, layout, schema, path, options)
        first = parts[0].c
        fixed = [first["_parent_key"], first["_key"], first["_texts"]]
        statements = _from_parts(parts, fixed, selected, [first["_submission_id"].desc(), first["_row"]])
        headers = [*(header for column in columns for header in column.headers), "PARENT_KEY", "KEY"]
        return _csv(
            conn, statements, headers, lambda row: [*_answers(columns, row[3:], row[2]), row[0], row[1]], options
        )

    return write


def _csv(
    conn: Connection,
    statements: list[Select[Any]],
    headers: list[str],
    cells: Callable[[Any], list[Any]],
    options: Options,
) -> Iterator[bytes]:
    lines: list[str] = []
    writer = csv.writer(_Lines(lines), lineterminator="\n")
    writer.writerow(headers)
    streaming = conn.execution_options(stream_results=True, yield_per=_BATCH)
    with ExitStack() as stack:
        results = [stack.enter_context(streaming.execute(statement)) for statement in statements]
        for batches in zip(*(result.partitions() for result in results), strict=True):
            for row in batches[0] if len(batches) == 1 else map(_joined, *batches):
                line = cells(row)
                writer.writerow([harmless(cell) for cell in line] if options.neutralise else line)
            data = "".join(lines).encode()
            lines.clear()
            yield data
    if lines:
        yield "".join(lines).encode()


class _Lines:
    """What csv.writer writes to."""

    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append


def _questions(
    conn: Connection, layout: Layout, schema: Schema, table_path: str, options: Options
) -> tuple[list[_Column], list[_Selected]]:
    table = layout.table(table_path)
    parts = ddl.sql_tables(conn, table)
    columns: list[_Column] = []
    selected: list[_Selected] = []
    for entry in schema.fields:
        if entry.kind != "question" or schema.repeat_of(entry.path) != table_path:
            continue
        column = layout.find_column(table_path, entry.path, entry.type or "string")
        if column is None:
            continue
        physical = _wanted(column, parts[column.part - 1])
        columns.append(_column(entry, column, len(selected), table, schema, options))
        coerced = (type_coerce(one, Text) if column.type == "date" else one for one in physical)
        selected.extend((column.part, one) for one in coerced)
    return columns, selected


def _wanted(column: DataColumn, table: Table) -> list[ColumnElement[Any]]:
    names = column.names[1:] if column.type in values.KEEPS_TEXT else column.names
    return [table.c[name] for name in names]


def _column(entry: Field, column: DataColumn, at: int, table: DataTable, schema: Schema, options: Options) -> _Column:
    table_path = next(path for path in reversed(table.paths) if path == "" or entry.path.startswith(f"{path}/"))
    base = entry.path[len(table_path) + 1 :].replace("/", "-") if options.group_paths else entry.name
    name, type_ = column.name, column.type
    if entry.type == "geopoint" and type_ == "geopoint":
        return _Column(
            tuple(base + suffix for suffix in _POINT), lambda row, texts: _point_cells(row, at, texts.get(name))
        )
    choices = [choice.name for choice in schema.options(entry.path)] if entry.control == "select" else []
    if options.split_select_multiples and choices:
        headers = (base, *(f"{base}/{choice}" for choice in choices))
        return _Column(headers, lambda row, _: _split(row[at], choices))
    if type_ in values.KEEPS_TEXT or type_ == "string":
        return _Column((base,), lambda row, _: (row[at],))
    if type_ == "boolean":
        return _Column((base,), lambda row, texts: (texts.get(name, _boolean(row[at])),))
    return _Column((base,), lambda row, texts: (texts.get(name, row[at]),))


def _point_cells(row: Any, at: int, text: str | None) -> tuple[Any, ...]:
    if text is not None:
        parts: list[Any] = text.split()[:4]
        return tuple(parts + [None] * (4 - len(parts)))
    return tuple(row[at : at + 4])


def _split(text: str | None, choices: list[str]) -> tuple[Any, ...]:
    if text is None:
        return (None,) * (len(choices) + 1)
    chosen = set(text.split())
    return (text, *(1 if choice in chosen else 0 for choice in choices))


def _boolean(value: Any) -> str | None:
    return None if value is None else "true" if value else "false"


def _answers(columns: list[_Column], row: Any, texts: Any) -> list[Any]:
    if isinstance(texts, str):
        texts = json.loads(texts)
    kept: dict[str, str] = texts or {}
    return [cell for column in columns for cell in column.cells(row, kept)]


def _joined(*pieces: Any) -> tuple[Any, ...]:
    """One row from what several queries gave of it."""
    return tuple(chain.from_iterable(pieces))


def _from_parts(
    parts: tuple[Table, ...], fixed: list[Any], selected: list[_Selected], order: list[Any]
) -> list[Select[Any]]:
    """`fixed` and `selected` of every row, from as few queries as the databases allow (PostgreSQL: 1,664 columns).

    All give the same rows in the same order, each its share of the columns.
    """
    shares = [selected[at : at + _MOST] for at in range(0, len(selected), _MOST)] or [[]]
    statements = []
    for number, share in enumerate(shares):
        source: Any = parts[0]
        for part in (parts[at - 1] for at in sorted({at for at, _ in share} - {1})):
            on = parts[0].c["_submission_id"] == part.c["_submission_id"]
            if "_row" in part.c:
                on = and_(on, parts[0].c["_row"] == part.c["_row"])
            source = source.outerjoin(part, on)
        columns = [*(fixed if number == 0 else ()), *(column for _, column in share)]
        statements.append(select(*columns).select_from(source).order_by(*order))
    return statements


def _attachment_counts(conn: Connection, form_id: int, table: Table) -> list[ColumnElement[Any]]:
    """Present and expected files of the current version; constants where the form has none, which is quicker."""
    files, versions = submission_attachments, submission_versions
    of_form = exists().where(files.c.version_id == versions.c.id, versions.c.form_id == form_id, files.c.expected)
    if not conn.execute(select(of_form)).scalar_one():
        return [func.coalesce(0, 0), func.coalesce(0, 0)]
    return [
        select(func.count(counted))
        .select_from(files.join(versions, versions.c.id == files.c.version_id))
        .where(versions.c.submission_id == table.c["_submission_id"], versions.c.current, files.c.expected)
        .correlate(table)
        .scalar_subquery()
        for counted in (files.c.sha256, files.c.id)
    ]


def _moment(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def harmless(cell: Any) -> Any:
    """`cell`, with an apostrophe before a text that a spreadsheet would run as a formula."""
    if isinstance(cell, str) and cell[:1] in ("=", "@", "\t", "\r", "+", "-") and not _HARMLESS.fullmatch(cell):
        return f"'{cell}"
    return cell


def _file_name(form_id: str) -> str:
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", form_id).strip(". ") or "form"

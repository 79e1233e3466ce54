"""The registry of typed tables: layouts as they are stored, and the caches that a process keeps of them."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, delete, insert, select, update

from forms import xform
from forms.schema import Schema, SecondaryInstance
from server.model.forms import FormVersion
from server.model.tables import data_columns, data_tables
from server.store import forms
from server.tables.layout import DataColumn, DataTable, Layout, Widening

T = TypeVar("T")
_KEPT: Final = 256
_CACHES: Final[WeakKeyDictionary[Engine, OrderedDict[Hashable, Any]]] = WeakKeyDictionary()


def load(conn: Connection, form_id: int) -> Layout:
    """The layout of a form as stored."""
    columns: dict[int, list[DataColumn]] = {}
    tables = conn.execute(select(data_tables).where(data_tables.c.form_id == form_id).order_by(data_tables.c.id)).all()
    rows = conn.execute(
        select(data_columns)
        .join(data_tables, data_tables.c.id == data_columns.c.table_id)
        .where(data_tables.c.form_id == form_id)
        .order_by(data_columns.c.id)
    )
    for row in rows:
        columns.setdefault(row.table_id, []).append(
            DataColumn(
                id=row.id,
                paths=tuple(row.paths),
                name=row.name,
                type=row.type,
                accepts=tuple(row.accepts),
                part=row.part,
            )
        )
    return Layout(
        tuple(
            DataTable(id=row.id, paths=tuple(row.paths), name=row.name, columns=tuple(columns.get(row.id, ())))
            for row in tables
        )
    )


def taken_names(conn: Connection) -> set[str]:
    """The names of all typed tables."""
    return set(conn.execute(select(data_tables.c.name)).scalars())


def store(conn: Connection, form_id: int, widening: Widening) -> Layout:
    """Write down a widening; gives the layout with its lasting ids, and marks the form's layout as changed."""
    ids: dict[int, int] = {}
    for table in widening.new_tables:
        statement = insert(data_tables).values(form_id=form_id, paths=list(table.paths), name=table.name)
        ids[table.id] = conn.execute(statement.returning(data_tables.c.id)).scalar_one()
    for table, column in widening.new_columns:
        new_column = insert(data_columns).values(
            table_id=ids.get(table.id, table.id),
            paths=list(column.paths),
            name=column.name,
            type=column.type,
            accepts=list(column.accepts),
            part=column.part,
        )
        ids[column.id] = conn.execute(new_column.returning(data_columns.c.id)).scalar_one()
    for changed in (*widening.renamed, *(after for _, _, after in widening.widened)):
        if isinstance(changed, DataTable):
            conn.execute(update(data_tables).where(data_tables.c.id == changed.id).values(paths=list(changed.paths)))
        else:
            conn.execute(
                update(data_columns)
                .where(data_columns.c.id == changed.id)
                .values(paths=list(changed.paths), type=changed.type, accepts=list(changed.accepts))
            )
    gone = [column.id for _, column, _ in widening.joined]
    if gone:
        conn.execute(delete(data_columns).where(data_columns.c.id.in_(gone)))
    forms.change_form(conn, form_id, layout_revision=new_revision())
    return Layout(
        tuple(
            replace(
                table,
                id=ids.get(table.id, table.id),
                columns=tuple(replace(column, id=ids.get(column.id, column.id)) for column in table.columns),
            )
            for table in widening.layout.tables
        )
    )


def new_revision() -> str:
    """Another revision of a form's layout or marks: whatever is remembered of the one before is forgotten."""
    return secrets.token_hex(8)


def schema_of(conn: Connection, version: FormVersion) -> Schema:
    """The schema of a stored version, read from its XML once per process."""
    return remember(conn, ("schema", version.sha256), lambda: xform.read(forms.get_xml(conn, version.id)))


def schema_of_form(conn: Connection, form_id: int, newest: Schema | None = None) -> Schema:
    """What a form asks and once asked: its newest published version (or `newest`), with the questions of earlier ones that
    are gone by name; their answers stand in the typed tables still. Raises LookupError for a form that has no version.
    """
    published = forms.list_published(conn, form_id)
    if newest is None:
        if not published:
            raise LookupError(form_id)
        key = ("schemas", tuple(version.sha256 for version in published))
        return remember(conn, key, lambda: over_versions([schema_of(conn, version) for version in published]))
    return over_versions([*(schema_of(conn, version) for version in published), newest])


def over_versions(schemas: Sequence[Schema]) -> Schema:
    """The last of `schemas`, with what only earlier ones have: questions, lists, and choices of their lists."""
    merged = schemas[-1]
    for earlier in reversed(schemas[:-1]):
        names = {entry.name for entry in merged.fields if entry.kind == "question"}
        paths, ids = set(merged.by_path), set(merged.by_instance)
        gone = [entry for entry in earlier.fields if entry.path not in paths]
        kept = {entry.path for entry in gone if entry.kind == "question" and entry.name not in names}
        around = {path for one in kept for path in _around(one)}
        merged = replace(
            merged,
            fields=(*merged.fields, *(entry for entry in gone if entry.path in kept or entry.path in around)),
            instances=(
                *(_with_choices(one, earlier.by_instance.get(one.id)) for one in merged.instances),
                *(one for one in earlier.instances if one.id not in ids),
            ),
        )
    return merged


def _with_choices(newest: SecondaryInstance, earlier: SecondaryInstance | None) -> SecondaryInstance:
    """A list of the form with the choices that it once offered after those that it offers."""
    if earlier is None or newest.src is not None or earlier.src is not None:
        return newest
    names = {choice.name for choice in newest.choices}
    once = tuple(choice for choice in earlier.choices if choice.name not in names)
    return replace(newest, choices=(*newest.choices, *once)) if once else newest


def _around(path: str) -> Iterator[str]:
    """The paths of the groups and repeats that hold a question."""
    at = path.rpartition("/")[0]
    while at:
        yield at
        at = at.rpartition("/")[0]


def remember(conn: Connection, key: Hashable, make: Callable[[], T]) -> T:
    """What `make` gave for `key` earlier in this process on this database, or gives now; the least used are forgotten.

    Keys must name what they stand for for ever (a hash, a layout revision): nothing here is ever invalidated.
    """
    cache = _CACHES.setdefault(conn.engine, OrderedDict())
    try:
        value: T = cache[key]
    except KeyError:
        value = cache[key] = make()
        while len(cache) > _KEPT:
            cache.popitem(last=False)
    return value

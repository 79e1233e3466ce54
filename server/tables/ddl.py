"""Typed tables as the database knows them: created, and widened without losing a value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Double,
    Integer,
    MetaData,
    Table,
    Text,
    Time,
    inspect,
    text,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateColumn, CreateTable, DropTable
from sqlalchemy.types import TypeEngine

from forms.schema import Type
from server import problems
from server.model.columns import Id, Instant, Json
from server.tables.layout import DataColumn, DataTable, Layout, Widening

SCHEMA: Final = "data"
"""The PostgreSQL schema of typed tables, which analysts may be given to read; on SQLite a prefix."""

_LOCK_NOT_AVAILABLE: Final = "55P03"
_TYPES: Final[dict[Type, tuple[TypeEngine[Any], ...]]] = {
    "string": (Text(),),
    "int": (BigInteger(),),
    "decimal": (Double(),),
    "boolean": (Boolean(),),
    "date": (Date(),),
    "time": (Time(), Text()),
    "dateTime": (Instant(), Text()),
    "geopoint": (Double(), Double(), Double(), Double()),
    "geotrace": (Text(), Text()),
    "geoshape": (Text(), Text()),
}


def sql_tables(conn: Connection, table: DataTable) -> tuple[Table, ...]:
    """The physical tables of `table`, one per part, as SQLAlchemy sees them."""
    return _sql_tables(table, conn.dialect.name)


def apply(conn: Connection, widening: Widening, layout: Layout) -> None:
    """Create and alter what `widening` asks for; `layout` is the one after it, with lasting ids."""
    by_name = {table.name: table for table in layout.tables}
    new = {table.name for table in widening.new_tables}
    for name in new:
        for part in sql_tables(conn, by_name[name]):
            conn.execute(CreateTable(part))
    created: set[tuple[str, int]] = set()
    for table, column in widening.new_columns:
        if table.name in new:
            continue
        stored = by_name[table.name]
        part = sql_tables(conn, stored)[column.part - 1]
        before = [other for other in stored.columns if other.part == column.part and not _is_new(widening, other)]
        if column.part > 1 and not before:
            if (table.name, column.part) not in created:
                conn.execute(CreateTable(part))
                created.add((table.name, column.part))
            continue
        for physical in column.names:
            _add_column(conn, part, part.c[physical])
    for table, before_column, after in widening.widened:
        _convert(conn, sql_tables(conn, by_name[table.name])[after.part - 1], before_column, after)
    for table, gone, _ in widening.joined:
        _drop(conn, by_name[table.name], gone)


@contextmanager
def waiting(conn: Connection, *, seconds: int, form_id: str) -> Iterator[None]:
    """Within this, no table or row is waited for longer than `seconds`; PostgreSQL only, SQLite has one writer.

    Whoever waits for a table holds up everyone behind it. Raises Problem 503.1 when the time is over.
    """
    if conn.dialect.name != "postgresql":
        yield
        return
    limit = text("SELECT set_config('lock_timeout', :limit, true)")
    conn.execute(limit, {"limit": f"{seconds}s"})
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise problems.form_in_use(form_id) from error
        raise
    conn.execute(limit, {"limit": "0"})


def repair(conn: Connection, layout: Layout) -> None:
    """Make again every typed table that is missing or lacks a column; its rows are then to be written again."""
    inspector = inspect(conn)
    for table in layout.tables:
        for part in sql_tables(conn, table):
            if inspector.has_table(part.name, schema=part.schema):
                present = {column["name"] for column in inspector.get_columns(part.name, schema=part.schema)}
                if present >= set(part.columns.keys()):
                    continue
                conn.execute(DropTable(part))
            conn.execute(CreateTable(part))


@lru_cache(maxsize=512)
def _sql_tables(table: DataTable, dialect: str) -> tuple[Table, ...]:
    return tuple(_sql_table(table, part, dialect) for part in range(1, table.parts + 1))


def _sql_table(table: DataTable, part: int, dialect: str) -> Table:
    name = table.name if part == 1 else f"{table.name}_part{part}"
    keys: list[Column[Any]] = [Column("_submission_id", Id, primary_key=True, autoincrement=False)]
    is_form = "" in table.paths
    if not is_form:
        keys.append(Column("_row", Integer, primary_key=True, autoincrement=False))
    if part == 1:
        keys.extend(_form_columns() if is_form else _repeat_columns())
    questions = [
        Column(physical, type_)
        for column in table.columns
        if column.part == part
        for physical, type_ in zip(column.names, _TYPES[column.type], strict=True)
    ]
    metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})
    if dialect == "postgresql":
        return Table(name, metadata, *keys, *questions, schema=SCHEMA)
    return Table(f"{SCHEMA}_{name}", metadata, *keys, *questions)


def _form_columns() -> list[Column[Any]]:
    return [
        Column("_key", Text, nullable=False),
        Column("_instance_name", Text),
        Column("_form_version", Text),
        Column("_received_at", Instant, nullable=False),
        Column("_updated_at", Instant),
        Column("_submitter_id", Id),
        Column("_submitter", Text),
        Column("_device_id", Text),
        Column("_review_state", Text),
        Column("_edits", Integer),
        Column("_encrypted", Boolean, nullable=False),
        Column("_texts", Json),
    ]


def _repeat_columns() -> list[Column[Any]]:
    return [
        Column("_parent_row", Integer),
        Column("_position", Integer, nullable=False),
        Column("_key", Text, nullable=False),
        Column("_parent_key", Text, nullable=False),
        Column("_stable_key", Text),  # the same after edits, whatever became of the rows before it
        Column("_texts", Json),
    ]


def _is_new(widening: Widening, column: DataColumn) -> bool:
    return any(new.name == column.name and new.paths == column.paths for _, new in widening.new_columns)


def _add_column(conn: Connection, table: Table, column: Column[Any]) -> None:
    definition = CreateColumn(column).compile(dialect=conn.dialect)
    conn.exec_driver_sql(f"ALTER TABLE {_quoted(conn, table)} ADD COLUMN {definition}")


def _convert(conn: Connection, table: Table, before: DataColumn, after: DataColumn) -> None:
    """Another type under the same name; the values follow when the form's rows are written again."""
    preparer = conn.dialect.identifier_preparer
    for old in before.names:
        conn.exec_driver_sql(f"ALTER TABLE {_quoted(conn, table)} DROP COLUMN {preparer.quote(old)}")
    for new in after.names:
        _add_column(conn, table, table.c[new])


def _drop(conn: Connection, table: DataTable, gone: DataColumn) -> None:
    """Drop a column that joined another, and a last part that held nothing else."""
    was = replace(table, columns=(*table.columns, gone))
    part = sql_tables(conn, was)[gone.part - 1]
    if gone.part > table.parts:
        conn.execute(DropTable(part, if_exists=True))
        return
    preparer = conn.dialect.identifier_preparer
    for name in gone.names:
        conn.exec_driver_sql(f"ALTER TABLE {_quoted(conn, part)} DROP COLUMN {preparer.quote(name)}")


def _quoted(conn: Connection, table: Table) -> str:
    return conn.dialect.identifier_preparer.format_table(table)

"""Filling: typed tables written directly, as if so many submissions had come in; much faster than receiving them."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any, Final

from sqlalchemy import Connection, Table, text

from server.model.submissions import submissions
from server.store import forms
from server.tables import registry
from server.tables.ddl import sql_tables
from server.tables.layout import DataTable
from tests.bench.installation import Installation
from tests.bench.programme import Record, Values

_AT_ONCE: Final = 2_000
Rows = dict[Table, list[dict[str, Any]]]


def fill(installed: Installation, form_id: str, records: Iterable[Record]) -> int:
    """Write so many submissions to a form and their rows to its typed tables; gives how many rows that made.

    There is no XML behind them: what needs it (an extract of raw data, a rebuild) would find none.
    """
    office = installed.office()
    made = 0
    try:
        left = iter(records)
        while chunk := list(itertools.islice(left, _AT_ONCE)):
            made += office.database.write(lambda conn, chunk=chunk: _write(conn, installed, form_id, chunk))  # type: ignore[misc]
        with office.database.engine.connect() as conn:
            conn.execute(text("ANALYZE"))
            conn.commit()
    finally:
        office.database.close()
    return made


def _write(conn: Connection, installed: Installation, form_id: str, chunk: Sequence[Record]) -> int:
    form = forms.find_form(conn, installed.project_id, form_id)
    if form is None:
        raise LookupError(form_id)
    version = registry.schema_of_form(conn, form.id).version
    layout = registry.load(conn, form.id)
    first = (conn.execute(text("SELECT max(id) FROM submissions")).scalar() or 0) + 1
    rows: Rows = {submissions: []}
    for number, record in enumerate(chunk, start=first):
        day = next(value for path, value in record.values.items() if path == "/today")
        about = {
            "key": f"uuid:{uuid.UUID(int=number)}",
            "received": datetime.combine(day, time(20, 15), tzinfo=UTC),
            "version": version,
        }
        rows[submissions].append(
            {
                "id": number, "form_id": form.id, "draft": False, "instance_id": about["key"], "edits": 0,
                "created_at": about["received"],
            }
        )  # fmt: skip
        _place(conn, layout.table(""), number, record.values, _of_submission(about), rows)
        line = 0
        for path, mine in record.rows.items():
            for position, values in enumerate(mine, start=1):
                line += 1
                own = {"_row": line, "_position": position, "_key": f"{about['key']}/{line}"}
                own |= {"_parent_key": about["key"], "_stable_key": own["_key"]}
                _place(conn, layout.table(path), number, values, own, rows)
    for table, mine in rows.items():
        _insert(conn, table, mine)
    if conn.dialect.name == "postgresql":
        conn.execute(
            text("SELECT setval(pg_get_serial_sequence('submissions', 'id'), :id)"), {"id": first + len(chunk)}
        )
    return sum(len(mine) for mine in rows.values())


def _of_submission(about: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "_key": about["key"], "_form_version": about["version"], "_received_at": about["received"], "_edits": 0,
        "_device_id": "collect:banco", "_encrypted": False,
    }  # fmt: skip


def _place(conn: Connection, table: DataTable, number: int, values: Values, own: Mapping[str, Any], rows: Rows) -> None:
    parts = sql_tables(conn, table)
    made: list[dict[str, Any]] = [{"_submission_id": number} for _ in parts]
    for part in made[1:]:
        if "_row" in own:
            part["_row"] = own["_row"]
    made[0].update(own)
    for column in table.columns:
        value = values.get(column.paths[-1])
        if value is not None:
            made[column.part - 1].update(zip(column.names, _stored(value), strict=False))
    for part, row in zip(parts, made, strict=True):
        rows.setdefault(part, []).append(row)


def _stored(value: Any) -> tuple[Any, ...]:
    """A value in its columns: a moment with its text, a point as four numbers."""
    if isinstance(value, datetime):
        return (value, value.isoformat(timespec="milliseconds"))
    return value if isinstance(value, tuple) else (value,)


def _insert(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    names = [column.name for column in table.columns if any(column.name in row for row in rows)]
    whole = ([row.get(name) for name in names] for row in rows)
    if conn.dialect.name == "postgresql":
        _copy(conn, table, names, whole)
        return
    kinds = [table.c[name].type.dialect_impl(conn.dialect).bind_processor(conn.dialect) for name in names]
    quoted = ", ".join(f'"{name}"' for name in names)
    statement = f'INSERT INTO "{table.name}" ({quoted}) VALUES ({", ".join("?" * len(names))})'
    conn.exec_driver_sql(statement, list(_processed(whole, kinds)))


def _processed(rows: Iterable[list[Any]], kinds: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        yield tuple([value if kind is None else kind(value) for value, kind in zip(row, kinds, strict=True)])


def _copy(conn: Connection, table: Table, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    driver: Any = conn.connection.driver_connection
    where = conn.dialect.identifier_preparer.format_table(table)
    quoted = ", ".join(f'"{name}"' for name in names)
    with driver.cursor() as cursor, cursor.copy(f"COPY {where} ({quoted}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)

"""Filling: fact tables made, filled and kept in step, by one statement for all records or for one as it arrives.

No operation of an expression fails, whatever a record holds (`server.tables.operations`). Should one fail all the same, the
record is found, what could not be computed of it is unknown, and the record is marked: the others are not touched.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import Connection, MetaData, Select, Table, bindparam, delete, exists, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable, DropTable

from server.db import is_about_values
from server.indicators.facts import UNCOMPUTED, FactTable
from server.model.submissions import submissions
from server.prepared import Prepared, statement
from server.store import indicators
from server.tables.ddl import SCHEMA

_LOG: Final = structlog.get_logger(__name__)


class Writer:
    """Writes the facts of one submission to the fact tables of its form."""

    def __init__(self, tables: Sequence[FactTable]) -> None:
        self._statements = [
            (
                one,
                Prepared(delete(one.table).where(one.table.c["_submission_id"] == bindparam("submission"))),
                Prepared(_insert(one, one.own)),
            )
            for one in tables
        ]

    def write(self, conn: Connection, submission_id: int, *, fresh: bool, careful: bool = False) -> None:
        """Replace the facts of a submission whose typed rows stand already (`fresh`: it has no facts yet).

        With `careful` an expression that fails is unknown; without, it raises.
        """
        for one, cleared, written in self._statements:
            if not fresh:
                cleared.run(conn, {"submission": submission_id})
            if careful:
                _write_carefully(conn, one, submission_id)
            else:
                written.run(conn, {"submission": submission_id})

    def clear(self, conn: Connection, submission_id: int) -> None:
        """Remove the facts of a submission."""
        for _, cleared, _ in self._statements:
            cleared.run(conn, {"submission": submission_id})


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncomputed:
    """Records of which an indicator could not be computed: how many, and the first of them by their instance ids."""

    count: int
    first: tuple[str, ...]


NAMED: Final = 20
"""Records that are named of each indicator."""


def renew(conn: Connection, form_id: int, tables: Sequence[FactTable], *, rewritten: bool = False) -> bool:
    """Make and fill a form's fact tables where they are not what `tables` says (`rewritten`: the typed rows are others).

    The form is held for change. Gives whether there was anything to do.
    """
    standing = indicators.list_fact_tables(conn, form_id)
    wanted = [(one.unit, one.table.name, one.digest) for one in tables]
    if not rewritten and [row[1:] for row in standing] == wanted:
        return False
    for _, _, name, _ in standing:
        conn.execute(DropTable(_standing(conn, name), if_exists=True))
    for one in tables:
        conn.execute(DropTable(one.table, if_exists=True))
        conn.execute(CreateTable(one.table))
        _fill(conn, one)
        for index in one.table.indexes:
            conn.execute(CreateIndex(index))
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql(f"ANALYZE {conn.dialect.identifier_preparer.format_table(one.table)}")
    indicators.replace_fact_tables(conn, form_id, wanted)
    return True


def clear_orphans(conn: Connection, tables: Sequence[FactTable]) -> None:
    """Remove facts whose submission is not there or was deleted."""
    for one in tables:
        held = exists().where(submissions.c.id == one.table.c["_submission_id"], submissions.c.deleted_at.is_(None))
        conn.execute(delete(one.table).where(~held))


def list_uncomputed(conn: Connection, tables: Collection[FactTable]) -> Mapping[str, Uncomputed]:
    """The indicators that could not be computed of every record."""
    found: dict[str, list[str]] = {}
    for one in tables:
        marked = one.table.c[UNCOMPUTED]
        statement = (
            select(submissions.c.instance_id, marked)
            .join(one.table, one.table.c["_submission_id"] == submissions.c.id)
            .where(marked.is_not(None))
            .distinct()
            .order_by(submissions.c.instance_id)
        )
        for instance_id, names in conn.execute(statement):
            for name in names.split(" "):
                found.setdefault(name, []).append(instance_id)
    return {name: Uncomputed(count=len(ids), first=tuple(ids[:NAMED])) for name, ids in found.items()}


def _fill(conn: Connection, one: FactTable) -> None:
    """Everybody's facts at once; where a record fails, halves of them until it is found."""
    if _attempt(conn, _insert(one, one.rows), {}) is None:
        return
    of_form = select(submissions.c.id).where(submissions.c.form_id == one.form.id).order_by(submissions.c.id)
    ids = list(conn.execute(of_form).scalars())
    waiting = [ids]
    while waiting:
        share = waiting.pop()
        if len(share) == 1:
            _write_carefully(conn, one, share[0])
        elif share and _attempt(conn, _insert(one, one.some), {"first": share[0], "last": share[-1]}) is not None:
            half = len(share) // 2
            waiting += [share[half:], share[:half]]


def _write_carefully(conn: Connection, one: FactTable, submission_id: int) -> None:
    about = {"submission": submission_id}
    if _attempt(conn, _insert(one, one.own), about) is None:
        return
    failed = {}
    for piece in one.pieces:
        reason = _attempt(conn, piece.alone, about)
        if reason is not None:
            failed[piece.name] = reason
            _LOG.warning(
                "indicators.uncomputed",
                submission=submission_id,
                indicators=sorted(piece.indicators),
                reason=reason,
            )
    conn.execute(_insert(one, one.without(failed)), about)


def _attempt(conn: Connection, wanted: Any, parameters: Mapping[str, Any]) -> str | None:
    """Run a statement; why a value made it fail, which leaves no trace then, or None. Any other error is raised."""
    statement(conn, "SAVEPOINT attempt")
    try:
        result = conn.execute(wanted, parameters)
        if result.returns_rows:
            result.all()
    except DBAPIError as error:
        if not is_about_values(error):
            raise
        statement(conn, "ROLLBACK TO SAVEPOINT attempt")
        statement(conn, "RELEASE SAVEPOINT attempt")
        return str(error.orig).split("\n", 1)[0]
    statement(conn, "RELEASE SAVEPOINT attempt")
    return None


def _standing(conn: Connection, name: str) -> Table:
    """A table by the name that the registry has, which is the whole of it."""
    return Table(name, MetaData(), schema=SCHEMA if conn.dialect.name == "postgresql" else None)


def _insert(one: FactTable, rows: Select[Any]) -> Any:
    return insert(one.table).from_select(list(one.table.columns.keys()), rows)

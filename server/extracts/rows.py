"""Rows: the typed rows that a selection asks for, some at a time, from however many tables and queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, func, select
from sqlalchemy.sql import ColumnElement, Select

from server.tables import ddl
from server.tables.layout import Layout

BATCH: Final = 500
MOST_COLUMNS: Final = 1500
"""Columns of one query (PostgreSQL: 1,664; SQLite: 2,000)."""


@dataclass(frozen=True, slots=True)
class Read:
    """A column that is read: the path of its table, the part it stands in (from 1), and itself."""

    table: str
    part: int
    column: ColumnElement[Any]


class Source:
    """The rows of the typed table at the end of `chain`, each with the rows that hold it where their columns are read.

    `chain` are paths of tables, "" first; `where` are conditions over the first part of the form's own table. `keyed` by a
    column that stands for the form's key: rows come in its order, those without it not at all.
    """

    def __init__(
        self,
        conn: Connection,
        layout: Layout,
        chain: Sequence[str],
        where: Sequence[ColumnElement[bool]] = (),
        *,
        keyed: Callable[[Sequence[ColumnElement[Any]]], ColumnElement[Any]] | None = None,
    ) -> None:
        self._conn = conn
        self._chain = tuple(chain)
        self._parts = {path: ddl.sql_tables(conn, layout.table(path)) for path in self._chain}
        self._keyed = keyed([self._parts[""][0].c["_key"]]) if keyed is not None else None
        self._where = (*where, self._keyed.is_not(None)) if self._keyed is not None else tuple(where)

    @property
    def path(self) -> str:
        """The table whose rows are given."""
        return self._chain[-1]

    def parts(self, path: str) -> tuple[Table, ...]:
        """The physical tables of one of the chain."""
        return self._parts[path]

    def count(self) -> int:
        """How many rows there are."""
        first = self._parts[self.path][0]
        statement = select(func.count(first.c["_submission_id"]))
        return int(self._conn.execute(self._from(statement, [])).scalar_one())

    def statements(self, reads: Sequence[Read], *, newest_first: bool = False) -> list[Select[Any]]:
        """As few queries as the databases allow; all give the same rows in the same order, each its share of `reads`."""
        shares = [reads[at : at + MOST_COLUMNS] for at in range(0, len(reads), MOST_COLUMNS)] or [reads]
        first = self._parts[self.path][0].c
        submission = first["_submission_id"]
        order: list[Any] = [submission.desc() if newest_first else submission]
        if self._keyed is not None:
            order = [self._keyed]
        order += [first["_row"]] if "_row" in first else []
        return [self._from(select(*(read.column for read in share)), share).order_by(*order) for share in shares]

    def batches(self, reads: Sequence[Read], *, newest_first: bool = False) -> Iterator[list[Sequence[Any]]]:
        """Some rows at a time, each a sequence of what `reads` names."""
        streaming = self._conn.execution_options(stream_results=True, yield_per=BATCH)
        with ExitStack() as stack:
            results = [
                stack.enter_context(streaming.execute(statement))
                for statement in self.statements(reads, newest_first=newest_first)
            ]
            for batches in zip(*(result.partitions() for result in results), strict=True):
                if len(batches) == 1:
                    yield batches[0]
                else:
                    yield [tuple(chain.from_iterable(pieces)) for pieces in zip(*batches, strict=True)]

    def _from(self, statement: Select[Any], share: Sequence[Read]) -> Select[Any]:
        """The statement over the tables that its columns stand in and its conditions look at."""
        own = self._parts[self.path]
        source: Any = own[0]
        wanted = {(read.table, read.part) for read in share}
        if self._where:
            wanted.add(("", 1))
        below = own[0]
        for path in reversed(self._chain):
            first = self._parts[path][0]
            held = [reach for reach in self._chain[: self._chain.index(path) + 1] if any(t == reach for t, _ in wanted)]
            if path != self.path and held:
                source = source.join(first, _holding(first, below))
                below = first
            for part in sorted(part for table, part in wanted if table == path and part > 1):
                other = self._parts[path][part - 1]
                source = source.outerjoin(other, _same_row(first, other))
        return statement.select_from(source).where(*self._where)


def _holding(holder: Table, held: Table) -> ColumnElement[bool]:
    """The row of `holder` that holds a row of `held`."""
    same: ColumnElement[bool] = holder.c["_submission_id"] == held.c["_submission_id"]
    if "_row" in holder.c:
        return and_(same, holder.c["_row"] == held.c["_parent_row"])
    return same


def _same_row(first: Table, other: Table) -> ColumnElement[bool]:
    same: ColumnElement[bool] = first.c["_submission_id"] == other.c["_submission_id"]
    if "_row" in other.c:
        return and_(same, first.c["_row"] == other.c["_row"])
    return same

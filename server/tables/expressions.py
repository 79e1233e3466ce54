"""Expressions: the SQL reader, which computes a checked tree over the typed tables; every value is a bound parameter."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Alias,
    Connection,
    Date,
    Double,
    FromClause,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.types import TypeEngine

from forms.expressions.tree import Aggregate, Answer, Apply, Constant, Grouped, Indexed, PeriodEnd, Position, Tree
from forms.schema import Schema
from server.tables.ddl import sql_tables
from server.tables.layout import DataColumn, Layout
from server.tables.lists import rows_of
from server.tables.operations import TYPES, Operations, Sql

_AROUND: Final = "".join(chr(number) for number in range(0x3001) if chr(number).isspace())
"""What may stand before a moment: whatever the typed tables take for white space."""
_JULIAN_EPOCH: Final = 2_440_587.5
PERIOD_END: Final = "period_end"
"""The bound parameter that `period-end()` reads, a date."""


class _Below(NamedTuple):
    """Rows that lie in the unit: their table, what to select from, where the answer stands, and which ones they are."""

    first: FromClause
    source: FromClause
    place: FromClause
    which: Sql


class _Reader:
    """What is read alike whatever an expression is about."""

    def __init__(self, conn: Connection) -> None:
        self.is_sqlite = conn.dialect.name == "sqlite"
        self._operations = Operations(sqlite=self.is_sqlite)

    def value(self, tree: Tree) -> Sql:
        """The tree as a column; NULL is unknown."""
        if isinstance(tree, Constant):
            return null() if tree.value is None else literal(tree.value, TYPES[tree.kind])
        if isinstance(tree, Apply):
            return self._apply(tree)
        if isinstance(tree, PeriodEnd):
            return bindparam(PERIOD_END, type_=Date())
        return self._leaf(tree)

    def _apply(self, tree: Apply) -> Sql:
        if tree.operation == "if":
            branches: list[tuple[Sql, Sql]] = []
            last: Tree = tree
            while isinstance(last, Apply) and last.operation == "if":
                condition, yes, last = last.arguments
                branches.append((self.value(condition), self.value(yes)))
            return self._operations.first_that_holds(branches, self.value(last))
        if tree.operation in ("plus", "minus"):
            return self._operations.sum_of([self.value(term) for term in _terms(tree)])
        return self._operations.apply(tree, [self.value(argument) for argument in tree.arguments])

    def _leaf(self, tree: Tree) -> Sql:
        raise TypeError(tree)


def _terms(tree: Apply) -> list[Tree]:
    """What a sum adds up, from left to right; what is taken away, negated. Flat, since a parser's stack is not deep."""
    terms: list[Tree] = []
    rest: Tree = tree
    while isinstance(rest, Apply) and rest.operation in ("plus", "minus"):
        before, last = rest.arguments
        terms.append(last if rest.operation == "plus" else Apply("neg", (last,), "number"))
        rest = before
    return [rest, *reversed(terms)]


class Groups(_Reader):
    """Groups of rows: `columns` gives what each tree within `Grouped` is in one row, in a query that groups them; or what
    a `Grouped` itself is, where that is summed up already."""

    def __init__(self, conn: Connection, columns: Mapping[Tree, Sql]) -> None:
        super().__init__(conn)
        self._columns = columns

    def _leaf(self, tree: Tree) -> Sql:
        if isinstance(tree, Grouped):
            known = self._columns.get(tree)
            found = known if known is not None else summed_up(tree.operation, self._columns[tree.argument])
            return self._operations.bounded(found) if tree.operation == "sum" else found
        return super()._leaf(tree)


class Rows(_Reader):
    """The rows of one unit: the typed table of a form ("") or of a repeat, with what holds them and what lies in them.

    `schema` is the version that expressions were checked against; a question of another type in another version stands in
    another column and is unknown here. Use `value` for every expression first, then `source` to select from.
    """

    def __init__(self, conn: Connection, layout: Layout, schema: Schema, unit: str = "") -> None:
        super().__init__(conn)
        self._conn = conn
        self._layout = layout
        self._schema = schema
        self._unit = unit
        self._joined: dict[tuple[str, int], Alias] = {}
        self.row = self._alias(unit, 1)

    @property
    def source(self) -> FromClause:
        """What the expressions asked for so far are computed from: one line per unit."""
        source: FromClause = self.row
        chain = self._chain(self._unit)
        outermost = max(chain.index(table) for table, _ in self._joined)
        for inner, outer in pairwise(chain[: outermost + 1]):
            held = self._held(self._alias(inner, 1), self._alias(outer, 1), outer)
            source = source.outerjoin(self._alias(outer, 1), held)
        for (table, part), alias in self._joined.items():
            if part > 1:
                source = source.outerjoin(alias, self._same(self._alias(table, 1), alias, table))
        return source

    def about(self, name: str) -> Sql:
        """What the form's table knows of the submission, such as `_received_at`."""
        found: Sql = self._alias("", 1).c[name]
        return found

    def received_day(self) -> Sql:
        """The day on which the submission was received, in UTC."""
        received = self.about("_received_at")
        if self.is_sqlite:
            return func.substr(cast(received, Text), 1, 10, type_=Date())
        return cast(func.timezone("UTC", received), Date)

    def point(self, answer: Answer) -> tuple[Sql, Sql, Sql, Sql] | None:
        """Latitude, longitude, altitude and accuracy of a point; None where no column holds them."""
        column = self._column(answer)
        if column is None or column.type != "geopoint":
            return None
        place = self._alias(answer.table, column.part)
        latitude, longitude, altitude, accuracy = (place.c[name] for name in column.names)
        return latitude, longitude, altitude, accuracy

    def days(self, moment: Sql) -> Sql:
        """A moment as a number of days since 1970, to the millisecond, by the database's own means."""
        if self.is_sqlite:
            return func.julianday(cast(moment, Text), type_=Double()) - _JULIAN_EPOCH
        return self._operations.apply(Apply("instant", (Constant("moment", None),), "number"), [moment])

    def _leaf(self, tree: Tree) -> Sql:
        if isinstance(tree, Answer):
            return self._answer(tree)
        if isinstance(tree, Aggregate):
            return self._aggregate(tree)
        if isinstance(tree, Indexed):
            return self._indexed(tree)
        if isinstance(tree, Position):
            return cast(self.row.c["_position"], Double)
        return super()._leaf(tree)

    # where answers stand

    def _chain(self, table: str) -> list[str]:
        """A table and those that hold its rows, outwards."""
        chain = [table]
        while chain[-1]:
            chain.append(self._schema.repeat_of(chain[-1]))
        return chain

    def _alias(self, table: str, part: int) -> Alias:
        found = self._joined.get((table, part))
        if found is None:
            if part > 1:
                self._alias(table, 1)
            found = self._joined[table, part] = self._physical(table, part).alias()
        return found

    def _physical(self, table: str, part: int) -> Any:
        if self._layout.dataset_id is not None:
            return rows_of(self._conn, self._layout)
        return sql_tables(self._conn, self._layout.table(table))[part - 1]

    def _same(self, left: FromClause, right: FromClause, table: str) -> Sql:
        """Two parts of one row."""
        same = left.c["_submission_id"] == right.c["_submission_id"]
        return same if table == "" else and_(same, left.c["_row"] == right.c["_row"])

    def _held(self, inner: FromClause, outer: FromClause, table: str) -> Sql:
        """A row lies in a row of `table`."""
        same = inner.c["_submission_id"] == outer.c["_submission_id"]
        return same if table == "" else and_(same, inner.c["_parent_row"] == outer.c["_row"])

    def _column(self, answer: Answer) -> DataColumn | None:
        return self._layout.find_column(answer.table, answer.path, self._schema.by_path[answer.path].type or "string")

    def _answer(self, answer: Answer) -> Sql:
        column = self._column(answer)
        if column is None:
            return null()
        return self._read(answer, column, self._alias(answer.table, column.part))

    def _read(self, answer: Answer, column: DataColumn, place: FromClause) -> Sql:
        """The answer in its column, where a later version may have widened a number to a text."""
        stored: Sql = place.c[column.names[0]]
        if answer.kind != "number":
            return stored
        if column.type == "string":
            return self._operations.number(stored)
        number = cast(stored, Double)
        return number if column.type == "int" else self._operations.bounded(number)

    def _below(self, table: str, around: str, column: DataColumn | None) -> _Below:
        """Rows of `table` within the unit's row of `around`, with the part that `column` stands in."""
        first = self._physical(table, 1).alias()
        source: FromClause = first
        chain = self._chain(table)
        inner: FromClause = first
        for outer in chain[1 : chain.index(around)]:
            joined = self._physical(outer, 1).alias()
            source = source.join(joined, self._held(inner, joined, outer))
            inner = joined
        which = self._held(inner, self._alias(around, 1) if around else self.row, around)
        place: FromClause = first
        if column is not None and column.part > 1:
            place = self._physical(table, column.part).alias()
            source = source.outerjoin(place, self._same(first, place, table))
        return _Below(first, source, place, which)

    def _aggregate(self, tree: Aggregate) -> Sql:
        argument = tree.argument
        column = None if argument is None else self._column(argument)
        if argument is not None and column is None:
            return null() if tree.operation in ("min", "max") else literal(0.0, Double())
        below = self._below(tree.table, tree.around, column)
        if argument is None or column is None:
            counted: Sql = cast(func.count(), Double)
        else:
            counted = summed_up(tree.operation, self._read(argument, column, below.place))
        found = self._inner(select(counted).select_from(below.source).where(below.which), Double())
        return self._operations.bounded(found) if tree.operation == "sum" else found

    def _indexed(self, tree: Indexed) -> Sql:
        column = self._column(tree.answer)
        if column is None:
            return null()
        below = self._below(tree.answer.table, tree.around, column)
        there = cast(below.first.c["_position"], Double) == self._operations.truncated(self.value(tree.index))
        value = self._read(tree.answer, column, below.place)
        return self._inner(select(value).select_from(below.source).where(below.which, there).limit(1), value.type)

    def _inner(self, chosen: Any, type_: TypeEngine[Any]) -> Sql:
        """A query for each unit; the unit's own tables stay outside."""
        inside: Sql = chosen.correlate(*self._joined.values()).scalar_subquery()
        inside.type = type_
        return inside

    def _apply(self, tree: Apply) -> Sql:
        return self._day(tree.arguments[0]) if tree.operation == "day" else super()._apply(tree)

    def _day(self, tree: Tree) -> Sql:
        """The day on the phone's calendar: the text kept beside a moment begins with it."""
        column = self._column(tree) if isinstance(tree, Answer) else None
        if not isinstance(tree, Answer) or column is None or len(column.names) != 2:
            return cast(null(), Date)
        place = self._alias(tree.table, column.part)
        begins = func.substr(func.ltrim(place.c[column.names[1]], _AROUND), 1, 10)
        known = place.c[column.names[0]].is_not(None)
        if self.is_sqlite:
            return case((known, func.substr(begins, 1, 10, type_=Date())), else_=cast(null(), Text))
        return case((known, cast(begins, Date)), else_=cast(null(), Date))


def summed_up(operation: str, value: Sql, **over: Any) -> Sql:
    """Rows where `value` is unknown are left out; with `over`, of the rows in that window."""
    if operation == "count":
        return cast(_within(func.count(value), over), Double)
    if operation == "sum":
        return func.coalesce(_within(func.sum(value), over), 0.0)
    return _within(func.min(value) if operation == "min" else func.max(value), over)


def _within(found: Any, over: Mapping[str, Any]) -> Sql:
    column: Sql = found.over(**over) if over else found
    return column

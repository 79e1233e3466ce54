"""Facts: what each unit gives to each indicator, kept in fact tables beside the typed tables.

A fact table holds the units of one form or repeat: one row a unit, and for each indicator what it counts there, so that a
value is the sum of a column. One SELECT over the typed tables says it all; written for one submission as it arrives and for
every one when a definition changes. What depends on the period that is asked for is not kept: see `units`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Double,
    Integer,
    MetaData,
    Select,
    SmallInteger,
    Table,
    Text,
    bindparam,
    column,
    delete,
    exists,
    insert,
    select,
)
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.types import TypeEngine

from forms.expressions.tree import PeriodEnd, Tree, walk
from server.indicators.measuring import SHARED, about, arguments_of, is_grouped, measured, shared
from server.indicators.resolving import FormView, Resolved
from server.model.columns import Id, Instant
from server.model.submissions import submissions
from server.prepared import Prepared
from server.store import indicators
from server.tables.ddl import SCHEMA
from server.tables.expressions import Rows
from server.tables.layout import Layout, slug
from server.tables.operations import TYPES, Sql

MOST: Final = 60
"""Indicators of one fact table: with what they share, their columns fit one row of every database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The columns of one indicator in its fact table.

    `numerator` is NULL where the unit does not count, else 1, 0 or a number; `denominator` is there for ratios only, else it
    is 1 wherever the numerator is known; `excluded` is 1 where the unit should count and something is unknown. `scope` (with
    `latest` or `group`) is 1 where the unit is looked at; `arguments` are what `group` sums up.
    """

    numerator: str
    excluded: str
    denominator: str | None = None
    scope: str | None = None
    arguments: Mapping[Tree, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FactTable:
    """One fact table: which units, its columns, the SELECT that gives its rows (`own`: those of one submission, a bound
    parameter); `digest` is another wherever that is."""

    form: FormView
    unit: str
    table: Table
    shared: Mapping[tuple[str, Tree | None], str]
    measures: Mapping[str, Measure]
    rows: Select[Any]
    own: Select[Any]
    digest: str


class Writer:
    """Writes the facts of one submission to the fact tables of its form."""

    def __init__(self, tables: Sequence[FactTable]) -> None:
        self._statements = [
            (
                Prepared(delete(one.table).where(one.table.c["_submission_id"] == bindparam("submission"))),
                Prepared(_insert(one, one.own)),
            )
            for one in tables
        ]

    def write(self, conn: Connection, submission_id: int, *, fresh: bool) -> None:
        """Replace the facts of a submission whose typed rows stand already (`fresh`: it has no facts yet)."""
        for cleared, written in self._statements:
            if not fresh:
                cleared.run(conn, {"submission": submission_id})
            written.run(conn, {"submission": submission_id})

    def clear(self, conn: Connection, submission_id: int) -> None:
        """Remove the facts of a submission."""
        for cleared, _ in self._statements:
            cleared.run(conn, {"submission": submission_id})


def is_kept(resolved: Resolved) -> bool:
    """Whether the indicator's units can be kept: it has a form, waits for nothing, and nothing hangs on the period's end."""
    if resolved.form is None or resolved.waits is not None:
        return False
    return not any(isinstance(part, PeriodEnd) for tree in row_trees(resolved) for part in walk(tree))


def row_trees(resolved: Resolved) -> list[Tree]:
    """The trees that are about one unit by itself; of a group, what is summed up."""
    alone = [tree for role, tree in resolved.trees.items() if not is_grouped(resolved, role)]
    return [*alone, *arguments_of(resolved)]


def plan(conn: Connection, layout: Layout, resolved: Sequence[Resolved]) -> list[FactTable]:
    """The fact tables of one form, for those of `resolved` that can be kept."""
    by_unit: dict[str, list[Resolved]] = {}
    for one in resolved:
        if is_kept(one):
            by_unit.setdefault(one.unit, []).append(one)
    tables = []
    for unit, mine in by_unit.items():
        for number, at in enumerate(range(0, len(mine), MOST), start=1):
            suffix = "" if number == 1 else f"_{number}"
            name = f"{layout.table(unit).name}__facts{suffix}"  # names of typed tables never hold two underscores
            tables.append(_Plan(conn, layout, mine[at : at + MOST], name).done())
    return tables


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
        conn.execute(_insert(one, one.rows))
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql(f"ANALYZE {conn.dialect.identifier_preparer.format_table(one.table)}")
    indicators.replace_fact_tables(conn, form_id, wanted)
    return True


def clear_orphans(conn: Connection, tables: Sequence[FactTable]) -> None:
    """Remove facts whose submission is not there or was deleted."""
    for one in tables:
        held = exists().where(submissions.c.id == one.table.c["_submission_id"], submissions.c.deleted_at.is_(None))
        conn.execute(delete(one.table).where(~held))


def trees_of(resolved: Resolved) -> list[tuple[str, Tree | None]]:
    """What an indicator may share with others, by role."""
    found: list[tuple[str, Tree | None]] = [("date", resolved.trees.get("date")), ("month", resolved.trees.get("date"))]
    roles = ("place", "key", "group", "weight", "strata", "psu", "period")
    found.extend((role, resolved.trees[role]) for role in roles if role in resolved.trees)
    found.extend(
        ("dimension", tree)
        for tree in resolved.dimensions.values()
        if not any(isinstance(part, PeriodEnd) for part in walk(tree))
    )
    return found


class _Stage:
    """Values that are computed before others are made of them, each once: `columns` by the names that stand for them."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._names: dict[Hashable, str] = {}
        self.columns: dict[str, Sql] = {}

    def value(self, tree: Tree, /) -> Sql:
        return self.keep(tree, self._rows.value(tree), TYPES[tree.kind])

    def keep(self, what: Hashable, value: Sql, type_: TypeEngine[Any]) -> Sql:
        """The column that stands for a value of `what`."""
        name = self._names.setdefault(what, f"v{len(self._names)}")
        self.columns[name] = value
        return column(name, type_)


class _Plan:
    def __init__(self, conn: Connection, layout: Layout, resolved: Sequence[Resolved], name: str) -> None:
        first = resolved[0]
        if first.form is None:
            raise TypeError(first)
        self._conn = conn
        self._form = first.form
        self._unit = first.unit
        self._resolved = resolved
        self._name = name
        self._rows = Rows(conn, layout, first.form.schema, first.unit)
        self._stage = _Stage(self._rows)
        self._columns: dict[str, tuple[TypeEngine[Any], Sql]] = {}
        self._shared: dict[tuple[str, Tree | None], str] = {}

    def done(self) -> FactTable:
        for one in self._resolved:
            for role, tree in trees_of(one):
                if (role, tree) not in self._shared:
                    names = [name for name, other in one.dimensions.items() if other == tree]
                    wish = f"{role}_{slug(names[0])}" if role == "dimension" and names else f"_{role}"
                    value = self._stage.keep((role, tree), shared(self._rows, role, tree), SHARED[role])
                    self._shared[role, tree] = self._add(wish, SHARED[role], value)
        measures = {one.indicator.name: self._measure(one) for one in self._resolved}
        known = about(self._rows)
        table = _physical(
            self._conn,
            self._name,
            [
                Column("_submission_id", Id, primary_key=True, autoincrement=False),
                Column("_row", Integer, primary_key=True, autoincrement=False),
                Column("_review_state", Text),
                Column("_changed_at", Instant, nullable=False),
                *(Column(name, type_) for name, (type_, _) in self._columns.items()),
            ],
        )
        rows = self._select(known)
        made = rows.compile(dialect=self._conn.dialect)
        told = repr((self._name, table.columns.keys(), str(made), sorted(made.params.items())))
        return FactTable(
            form=self._form,
            unit=self._unit,
            table=table,
            shared=self._shared,
            measures=measures,
            rows=rows,
            own=self._select(known, known["_submission_id"] == bindparam("submission")),
            digest=hashlib.sha256(told.encode()).hexdigest(),
        )

    def _select(self, known: Mapping[str, Sql], *only: Sql) -> Select[Any]:
        """Every expression is computed once, in an inner query that no database may merge with what is made of it."""
        first = {**known, **self._stage.columns}
        inner = (
            select(*(value.label(name) for name, value in first.items())).select_from(self._rows.source).where(*only)
        )
        fenced = inner.offset(0).subquery()
        values = {
            **{name: fenced.c[name] for name in known},
            **{name: value for name, (_, value) in self._columns.items()},
        }
        rows = select(*(value.label(name) for name, value in values.items())).select_from(fenced)
        return rows.where(fenced.c["_submission_id"].is_not(None))

    def _measure(self, one: Resolved) -> Measure:
        name = slug(one.indicator.name) or "i"
        columns: dict[str | Tree, str] = {}
        for role, value in measured(self._stage, one).items():
            whole = role in ("excluded", "scope")
            wish = f"{name}_{role}" if isinstance(role, str) else f"{name}_argument"
            columns[role] = self._add(wish, SmallInteger() if whole else Double(), value)
        return Measure(
            numerator=columns.get("numerator", ""),
            excluded=columns.get("excluded", ""),
            denominator=columns.get("denominator"),
            scope=columns.get("scope"),
            arguments={role: column for role, column in columns.items() if not isinstance(role, str)},
        )

    def _add(self, wish: str, type_: TypeEngine[Any], value: Sql) -> str:
        name, number = wish, 2
        while name in self._columns:
            name, number = f"{wish}_{number}", number + 1
        self._columns[name] = (type_, value)
        return name


def _physical(conn: Connection, name: str, columns: Sequence[Column[Any]]) -> Table:
    metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})
    if conn.dialect.name == "postgresql":
        return Table(name, metadata, *columns, schema=SCHEMA)
    return Table(f"{SCHEMA}_{name}", metadata, *columns)


def _standing(conn: Connection, name: str) -> Table:
    """A table by the name that the registry has, which is the whole of it."""
    return Table(name, MetaData(), schema=SCHEMA if conn.dialect.name == "postgresql" else None)


def _insert(one: FactTable, rows: Select[Any]) -> Any:
    return insert(one.table).from_select(list(one.table.columns.keys()), rows)

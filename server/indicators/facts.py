"""Facts: what each unit gives to each indicator, as fact tables beside the typed tables hold it.

A fact table holds the units of one form or repeat: one row a unit, and for each indicator what it counts there, so that a
value is the sum of a column. One SELECT over the typed tables says it all; written for one submission as it arrives and for
every one when a definition changes. What depends on the period that is asked for is not kept: see `units`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Double,
    Index,
    Integer,
    MetaData,
    Select,
    SmallInteger,
    Table,
    Text,
    bindparam,
    cast,
    column,
    literal,
    null,
    select,
)
from sqlalchemy.types import TypeEngine

from forms.expressions.tree import PeriodEnd, Tree, walk
from server.indicators.measuring import SHARED, about, arguments_of, is_grouped, measured, shared
from server.indicators.resolving import FormView, Resolved
from server.model.columns import Id, Instant
from server.tables import functions
from server.tables.ddl import SCHEMA
from server.tables.expressions import Rows
from server.tables.layout import Layout, slug
from server.tables.operations import TYPES, Sql

UNCOMPUTED: Final = "_uncomputed"
"""The column that names the indicators which the database could not compute of a record, with a space between."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One expression of a fact table: `alone` computes it for one submission, a bound parameter, and for nothing else.
    `indicators` are those that need it."""

    name: str
    alone: Select[Any]
    indicators: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class FactTable:
    """One fact table: which units, its columns, the SELECT that gives its rows.

    `own`: those of one submission, a bound parameter; `some`: those from `first` to `last`. `digest` is another wherever
    the rows would be: another SELECT, or a function that it calls written otherwise. `pieces` are what it is computed of, and
    `without` gives `own` where some of them, by name, are unknown.
    """

    form: FormView
    unit: str
    table: Table
    shared: Mapping[tuple[str, Tree | None], str]
    measures: Mapping[str, Measure]
    rows: Select[Any]
    own: Select[Any]
    digest: str
    some: Select[Any]
    pieces: Sequence[Piece]
    without: Callable[[Collection[str]], Select[Any]]


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
    computed_by = functions.state(conn)
    tables = []
    for unit, mine in by_unit.items():
        for number, at in enumerate(range(0, len(mine), MOST), start=1):
            suffix = "" if number == 1 else f"_{number}"
            name = f"{layout.table(unit).name}__facts{suffix}"  # names of typed tables never hold two underscores
            tables.append(_Plan(conn, layout, mine[at : at + MOST], name).done(computed_by))
    return tables


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
    """Values that are computed before others are made of them, each once: `columns` by the names that stand for them.

    `users` are the indicators that need each; `user` is the one that asks now."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._names: dict[Hashable, str] = {}
        self.columns: dict[str, Sql] = {}
        self.types: dict[str, TypeEngine[Any]] = {}
        self.users: dict[str, set[str]] = {}
        self.user = ""

    def value(self, tree: Tree, /) -> Sql:
        return self.keep(tree, self._rows.value(tree), TYPES[tree.kind])

    def keep(self, what: Hashable, value: Sql, type_: TypeEngine[Any]) -> Sql:
        """The column that stands for a value of `what`."""
        name = self._names.setdefault(what, f"v{len(self._names)}")
        self.columns[name], self.types[name] = value, type_
        self.users.setdefault(name, set()).add(self.user)
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

    def done(self, computed_by: str) -> FactTable:
        for one in self._resolved:
            self._stage.user = one.indicator.name
            for role, tree in trees_of(one):
                value = self._stage.keep((role, tree), shared(self._rows, role, tree), SHARED[role])
                if (role, tree) not in self._shared:
                    names = [name for name, other in one.dimensions.items() if other == tree]
                    wish = f"{role}_{slug(names[0])}" if role == "dimension" and names else f"_{role}"
                    self._shared[role, tree] = self._add(wish, SHARED[role], value)
        measures = {one.indicator.name: self._measure(one) for one in self._resolved}
        known = about(self._rows)
        mine = known["_submission_id"] == bindparam("submission")
        table = _physical(
            self._conn,
            self._name,
            [
                Column("_submission_id", Id, primary_key=True, autoincrement=False),
                Column("_row", Integer, primary_key=True, autoincrement=False),
                Column("_review_state", Text),
                Column("_changed_at", Instant, nullable=False),
                Column(UNCOMPUTED, Text),
                *(Column(name, type_) for name, (type_, _) in self._columns.items()),
            ],
        )
        rows = self._select(known)
        made = rows.compile(dialect=self._conn.dialect)
        told = repr((self._name, table.columns.keys(), str(made), sorted(made.params.items()), computed_by))
        return FactTable(
            form=self._form,
            unit=self._unit,
            table=table,
            shared=self._shared,
            measures=measures,
            rows=rows,
            own=self._select(known, mine),
            some=self._select(known, known["_submission_id"].between(bindparam("first"), bindparam("last"))),
            pieces=[
                Piece(
                    name=name,
                    alone=select(value).select_from(self._rows.source).where(mine),
                    indicators=frozenset(self._stage.users[name]),
                )
                for name, value in self._stage.columns.items()
            ],
            without=lambda unknown: self._select(known, mine, unknown=unknown),
            digest=hashlib.sha256(told.encode()).hexdigest(),
        )

    def _select(self, known: Mapping[str, Sql], *only: Sql, unknown: Collection[str] = ()) -> Select[Any]:
        """Every expression is computed once, in an inner query that no database may merge with what is made of it."""
        first = {**known, **self._stage.columns}
        first.update({name: cast(null(), self._stage.types[name]) for name in unknown})
        inner = (
            select(*(value.label(name) for name, value in first.items())).select_from(self._rows.source).where(*only)
        )
        fenced = inner.offset(0).subquery()
        lacking = sorted(set().union(*(self._stage.users[name] for name in unknown)))
        values = {
            **{name: fenced.c[name] for name in known},
            UNCOMPUTED: literal(" ".join(lacking), Text()) if lacking else cast(null(), Text),
            **{name: value for name, (_, value) in self._columns.items()},
        }
        rows = select(*(value.label(name) for name, value in values.items())).select_from(fenced)
        return rows.where(fenced.c["_submission_id"].is_not(None))

    def _measure(self, one: Resolved) -> Measure:
        self._stage.user = one.indicator.name
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
    postgresql = conn.dialect.name == "postgresql"
    named, schema = (name, SCHEMA) if postgresql else (f"{SCHEMA}_{name}", None)
    table = Table(named, metadata, *columns, schema=schema)
    there = table.c[UNCOMPUTED].is_not(None)
    short = hashlib.sha256(name.encode()).hexdigest()[:12]
    Index(f"ix_uncomputed_{short}", table.c["_submission_id"], postgresql_where=there, sqlite_where=there)
    return table

"""Sweeps: one statement for each unit of a form that says where its rules find something, in one record or in all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, SmallInteger, bindparam, case, literal, or_, select

from forms.schema import Schema
from server.cleaning.conditions import Condition, condition
from server.cleaning.describing import describe
from server.cleaning.rules import Rule
from server.model.cleaning import Found
from server.prepared import Prepared
from server.tables.expressions import Rows
from server.tables.layout import Layout
from server.tables.operations import Sql

MOST: Final = 40
"""Rules of one statement: with what they measure, their columns fit every database."""
_AT_ONCE: Final = 2_000
_YES: Final = literal(1, SmallInteger())
_NO: Final = literal(0, SmallInteger())


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a rule's outcome and what it measured stand in a line."""

    rule: Rule
    holds: int
    measured: tuple[tuple[str, int], ...]


class Sweep:
    """Rules over the rows of one unit. Every expression is computed once, in an inner query that no database may merge."""

    def __init__(self, conn: Connection, layout: Layout, schema: Schema, rules: Sequence[Rule]) -> None:
        self._rows = Rows(conn, layout, schema, rules[0].unit)
        self._columns: list[Sql] = [self._rows.row.c["_submission_id"], self._rows.row.c["_key"]]
        found = [condition(self._rows, rule) for rule in rules]
        self._places = [self._place(rule, one) for rule, one in zip(rules, found, strict=True)]
        self._readable = self._rows.about("_encrypted").is_(False)  # what nobody can read is not blank
        self._source = self._rows.source  # once everything that is read of it is known
        for one in found:
            for beside, on in one.joined:
                self._source = self._source.outerjoin(beside, on)
        self._every = self._select()
        self._own = Prepared(self._select(self._rows.row.c["_submission_id"] == bindparam("submission")))

    def find(self, conn: Connection, submission_id: int) -> Iterator[Found]:
        """What the rules find in one submission."""
        for line in self._own.all(conn, {"submission": submission_id}):
            yield from self._found(line)

    def find_all(self, conn: Connection) -> Iterator[Found]:
        """What they find in every one."""
        for some in conn.execute(self._every).partitions(_AT_ONCE):
            for line in some:
                yield from self._found(tuple(line))

    def _place(self, rule: Rule, found: Condition) -> _Place:
        measured = tuple((name, self._add(value)) for name, value in found.measured.items())
        return _Place(rule, self._add(case((found.holds, _YES), else_=_NO)), measured)

    def _add(self, value: Sql) -> int:
        self._columns.append(value)
        return len(self._columns) - 1

    def _select(self, *only: Sql) -> Select[Any]:
        inner = select(*(value.label(f"v{at}") for at, value in enumerate(self._columns)))
        fenced = inner.select_from(self._source).where(self._readable, *only).offset(0).subquery()
        holds = [fenced.c[f"v{place.holds}"] == 1 for place in self._places]
        return select(*fenced.c).where(or_(*holds))

    def _found(self, line: Sequence[Any]) -> Iterator[Found]:
        for place in self._places:
            if line[place.holds]:
                measured = {name: line[at] for name, at in place.measured}
                yield describe(place.rule, line[0], line[1], measured)


def sweeps(conn: Connection, layout: Layout, schema: Schema, rules: Sequence[Rule]) -> list[Sweep]:
    """The sweeps that a form's rules need; `duplicate` has none."""
    by_unit: dict[str, list[Rule]] = {}
    for rule in rules:
        if rule.kind != "duplicate":
            by_unit.setdefault(rule.unit, []).append(rule)
    return [
        Sweep(conn, layout, schema, mine[at : at + MOST])
        for mine in by_unit.values()
        for at in range(0, len(mine), MOST)
    ]

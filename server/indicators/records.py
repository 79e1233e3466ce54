"""Records: the rows behind a figure, each with what it gave to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Subquery, and_, or_, select

from server.indicators import sums, units
from server.indicators.asking import Asked
from server.indicators.axes import Ask
from server.indicators.catalogue import Catalogue
from server.indicators.periods import KINDS
from server.indicators.resolving import Resolved
from server.indicators.units import months_of
from server.model.submissions import submissions
from server.tables.ddl import sql_tables
from server.tables.expressions import PERIOD_END
from server.tables.layout import Layout
from server.tables.lists import rows_of

MOST: Final = 1000
"""Records of one page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row behind a figure.

    `instance_id` names the submission, `row_key` the row (the same where the submission itself is the unit). `excluded` says
    that something which it should tell is unknown: then it does not count. `group` names the group that the row is part of,
    where rows are summed up first: then there are no numbers here.
    """

    submission_id: int
    row: int
    instance_id: str
    row_key: str
    day: date | None
    key: str | None
    group: str | None
    categories: Mapping[str, str | None]
    numerator: float | None
    denominator: float | None
    weight: float | None
    excluded: bool


def find(
    conn: Connection,
    catalogue: Catalogue,
    one: Resolved,
    asked: Asked,
    only: Mapping[str, str | None],
    *,
    after: tuple[int, int] = (0, -1),
    most: int = MOST,
) -> list[Record]:
    """The next rows behind the figure of one cell: of the periods asked for (of the last, where it accumulates) and of the
    categories in `only`. In order of submission and row, after the pair `after`."""
    ask = _of_one_period(conn, catalogue, one, replace(asked.ask(whole=asked.cumulative), only=only), asked)
    lines = units.select_records(conn, catalogue, one, ask)
    if one.form is None:
        raise TypeError(one)
    layout = catalogue.layouts[one.form.id]
    if layout.dataset_id is not None:
        return _entities(conn, layout, lines, asked, ask, after=after, most=most)
    table = sql_tables(conn, layout.table(one.unit))[0]
    same = table.c["_submission_id"] == lines.c.submission
    if one.unit:
        same = and_(same, table.c["_row"] == lines.c.row)
    later = or_(lines.c.submission > after[0], and_(lines.c.submission == after[0], lines.c.row > after[1]))
    statement = (
        select(lines, submissions.c.instance_id, table.c["_key"].label("row_key"))
        .join(submissions, submissions.c.id == lines.c.submission)
        .join(table, same)
        .where(later)
        .order_by(lines.c.submission, lines.c.row)
        .limit(most)
    )
    rows = conn.execute(statement, {PERIOD_END: ask.ends}).mappings()
    return [_record(row, asked) for row in rows]


def _entities(
    conn: Connection,
    layout: Layout,
    lines: Subquery,
    asked: Asked,
    ask: Ask,
    *,
    after: tuple[int, int],
    most: int,
) -> list[Record]:
    """The entities behind a figure, each named by its id."""
    entity = rows_of(conn, layout)
    statement = (
        select(lines, entity.c["_key"].label("instance_id"), entity.c["_key"].label("row_key"))
        .join(entity, entity.c["_submission_id"] == lines.c.submission)
        .where(lines.c.submission > after[0])
        .order_by(lines.c.submission)
        .limit(most)
    )
    return [_record(row, asked) for row in conn.execute(statement, {PERIOD_END: ask.ends}).mappings()]


def _of_one_period(conn: Connection, catalogue: Catalogue, one: Resolved, ask: Ask, asked: Asked) -> Ask:
    """The units as they were counted for the last of the periods asked for."""
    key = asked.keys[-1] if asked.keys else None
    if isinstance(key, int) and asked.split in KINDS:
        first, last = months_of(asked.period(key))
        first = first if len(asked.keys or ()) == 1 else (ask.first or first)
        ask = replace(ask, first=None if asked.cumulative else first, last=last, ends=asked.last_day(key))
        return replace(ask, split=None if asked.cumulative or len(asked.keys or ()) == 1 else asked.split)
    return replace(ask, ends=sums.last_day(conn, catalogue, one, ask), split=None)


def _record(row: Mapping[Any, Any], asked: Asked) -> Record:
    return Record(
        submission_id=row["submission"],
        row=row["row"],
        instance_id=row["instance_id"],
        row_key=row["row_key"],
        day=row["day"],
        key=row["key"],
        group=row.get("group"),
        categories={axis.name: row[f"axis{number}"] for number, axis in enumerate(asked.axes)},
        numerator=row.get("numerator0"),
        denominator=row.get("denominator0"),
        weight=row.get("weight0"),
        excluded=row.get("excluded0") == 1,
    )

"""Narrowing: of the units looked at, the last rows of each key, or one line for each group.

In each period by itself, or as it stands at the end of each, with everything up to there. One pass gives that for all of
them: a line stands from the period that made it until the next one in which its key or group has rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    SmallInteger,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from forms.expressions.tree import Grouped, walk
from server.indicators import measuring
from server.indicators.resolving import Resolved
from server.tables.expressions import Groups, summed_up
from server.tables.operations import Sql


def is_narrowed(one: Resolved) -> bool:
    """Whether anything is: what counts of a unit hangs on others of its key or group."""
    return one.indicator.latest is not None or one.indicator.group is not None


def latest(one: Resolved, lines: Subquery, *, split: bool) -> Subquery:
    """Of each key (in each period), the last rows; a row without key counts as excluded."""
    apart = [lines.c.key, *([lines.c.period] if split else [])]
    place = func.row_number().over(partition_by=apart, order_by=_newest_first(lines)).label("place")
    ranked = select(lines, place).where(lines.c.scope0 == 1).subquery()
    kept = or_(_is_nameless(ranked), ranked.c.place <= one.indicator.latest)
    return select(*_known_by_key(ranked)).where(kept).subquery()


def grouped(conn: Connection, one: Resolved, lines: Subquery, *, split: bool) -> Subquery:
    """One line for each group (in each period): what its rows sum up to, and for the rest what its last row says.

    A row whose group is unknown is a line by itself, which counts as excluded.
    """
    ranked = ranked_in_groups(lines, one, split=split)
    sums = {tree: ranked.c[f"argument{number}"] for number, tree in enumerate(measuring.arguments_of(one))}
    reader = Groups(conn, sums)
    given = {role: reader.value(tree) for role, tree in one.trees.items() if measuring.is_grouped(one, role)}
    for role, name in (("weight", "weight0"), ("key", "key")):
        if role in one.trees:
            given[role] = _of_last(ranked, name)
    kept = [column.name for column in ranked.columns if column.name not in _summed(ranked)]
    columns = {name: _of_last(ranked, name) for name in kept}
    if split:
        columns["period"] = ranked.c.period
    measures = _known_by_group(_measures(one, given), func.max(ranked.c.alone))
    statement = select(*(value.label(name) for name, value in {**columns, **measures}.items()))
    return statement.group_by(ranked.c.apart, *([ranked.c.period] if split else [])).subquery()


def ranked_in_groups(lines: Subquery, one: Resolved, *, split: bool) -> Subquery:
    """The rows of each group that count, the newest first; `place` is 1 for that one. `apart` tells groups apart, `alone` is
    1 for a row whose group is unknown."""
    apart = _apart(lines)
    by = [apart, *([lines.c.period] if split else [])]
    place = func.row_number().over(partition_by=by, order_by=_newest_first(lines)).label("place")
    told = (apart.label("apart"), _alone(lines).label("alone"), place)
    ranked = select(lines, *told).where(lines.c.scope0 == 1).subquery()
    limit = one.indicator.latest
    return ranked if limit is None else select(ranked).where(ranked.c.place <= limit).subquery()


def stands_exactly(one: Resolved) -> bool:
    """Whether `standing` gives to the last digit what each period by itself would.

    Of the last rows of a group the sum would be taken by taking away what falls out of it, which rounds.
    """
    if one.indicator.group is None or one.indicator.latest is None:
        return True
    return all(part.operation != "sum" for part in _parts(one))


def standing(conn: Connection, one: Resolved, lines: Subquery, periods: Sequence[int]) -> Subquery:
    """What `latest` or `grouped` would leave at the end of each of `periods`, from all rows up to it; `period` says which."""
    if one.indicator.group is not None:
        spans = _groups_standing(conn, one, lines)
    elif one.indicator.latest is not None:
        spans = _latest_standing(one.indicator.latest, lines)
    else:
        spans = select(lines, cast(null(), Integer).label("until")).where(lines.c.period.is_not(None)).subquery()
    asked = union_all(*(select(literal(period, Integer()).label("period")) for period in periods)).subquery()
    stands = and_(spans.c.period <= asked.c.period, or_(spans.c.until.is_(None), spans.c.until > asked.c.period))
    columns = [column for column in spans.columns if column.name not in ("period", "until")]
    return select(asked.c.period, *columns).select_from(spans.join(asked, stands)).subquery()


def _latest_standing(limit: int, lines: Subquery) -> Subquery:
    """A row stands until so many newer ones of its key are there."""
    gone = func.lead(lines.c.period, limit).over(partition_by=lines.c.key, order_by=_oldest_first(lines))
    looked_at = and_(lines.c.scope0 == 1, lines.c.period.is_not(None))
    rows = select(lines, gone.label("gone")).where(looked_at).subquery()
    nameless = _is_nameless(rows)
    until = case((nameless, null()), else_=rows.c.gone).label("until")
    columns = [column for column in _known_by_key(rows) if column.name != "gone"]
    return select(*columns, until).where(or_(nameless, rows.c.gone.is_(None), rows.c.gone > rows.c.period)).subquery()


def _groups_standing(conn: Connection, one: Resolved, lines: Subquery) -> Subquery:
    """A group's last row of each period stands for it, with what it and the rows before it sum up to."""
    order = _oldest_first(lines)
    apart = _apart(lines)
    limit = one.indicator.latest
    frame = (None if limit is None else 1 - limit, 0)
    arguments = {tree: lines.c[f"argument{number}"] for number, tree in enumerate(measuring.arguments_of(one))}
    sums = {
        part: summed_up(part.operation, arguments[part.argument], partition_by=apart, order_by=order, rows=frame)
        for part in _parts(one)
    }
    newer = func.lead(lines.c.period, 1).over(partition_by=apart, order_by=order)
    named = {part: f"sum{number}" for number, part in enumerate(sums)}
    looked_at = and_(lines.c.scope0 == 1, lines.c.period.is_not(None))
    kept = [column for column in lines.columns if column.name != "scope0" and not column.name.startswith("argument")]
    summed = [value.label(named[part]) for part, value in sums.items()]
    told = (_alone(lines).label("alone"), newer.label("until"))
    rows = select(*kept, *summed, *told).where(looked_at).subquery()
    reader = Groups(conn, {part: rows.c[name] for part, name in named.items()})
    given = {role: reader.value(tree) for role, tree in one.trees.items() if measuring.is_grouped(one, role)}
    given.update({role: rows.c[name] for role, name in (("weight", "weight0"), ("key", "key")) if role in one.trees})
    columns = [rows.c[column.name] for column in kept]
    known = _known_by_group(_measures(one, given), rows.c.alone)
    measures = [value.label(name) for name, value in known.items()]
    last = or_(rows.c.until.is_(None), rows.c.until > rows.c.period)
    stand = select(*columns, *measures, rows.c.until).where(last)
    return stand.offset(0).subquery()  # measured once, before each is looked at for every period


def _parts(one: Resolved) -> list[Grouped]:
    """What is summed up in a group, each once."""
    trees = [tree for role, tree in one.trees.items() if measuring.is_grouped(one, role)]
    return list(dict.fromkeys(part for tree in trees for part in walk(tree) if isinstance(part, Grouped)))


def _measures(one: Resolved, given: Mapping[str, Sql]) -> dict[str, Sql]:
    return {f"{role}0": value for role, value in measuring.measure(one, given).items() if isinstance(role, str)}


def _known_by_key(rows: Subquery) -> list[Sql]:
    """The columns of rows, where one without a key is excluded."""
    looked_at = or_(rows.c.numerator0.is_not(None), rows.c.excluded0 == 1)
    excluded = case((looked_at, 1), else_=0)
    unknown: Mapping[str, Sql] = {"numerator0": null(), "denominator0": null(), "excluded0": excluded}
    nameless = _is_nameless(rows)
    return [
        case((nameless, unknown[column.name]), else_=column).label(column.name) if column.name in unknown else column
        for column in rows.columns
    ]


def _is_nameless(rows: Subquery) -> Sql:
    return or_(rows.c.key.is_(None), rows.c.key == "")


def _apart(lines: Subquery) -> Sql:
    """What tells groups apart: their name, or for a row without one the row, by a text that no answer can be."""
    itself = literal("\x01") + cast(lines.c.submission, Text) + "." + cast(lines.c.row, Text)
    return func.coalesce(func.nullif(lines.c.group, ""), itself)


def _alone(lines: Subquery) -> Sql:
    return case((or_(lines.c.group.is_(None), lines.c.group == ""), 1), else_=0)


def _known_by_group(measures: Mapping[str, Sql], alone: Sql) -> dict[str, Sql]:
    """The measures of groups, where a row of no known group is excluded."""
    excluded = literal(1, SmallInteger())
    return {
        name: case((alone == 1, excluded if name == "excluded0" else null()), else_=value)
        for name, value in measures.items()
    }


def _newest_first(lines: Subquery) -> tuple[Any, ...]:
    return (lines.c.day.desc().nulls_last(), lines.c.submission.desc(), lines.c.row.desc())


def _oldest_first(lines: Subquery) -> tuple[Any, ...]:
    return (lines.c.day.asc().nulls_first(), lines.c.submission.asc(), lines.c.row.asc())


def _summed(ranked: Subquery) -> set[str]:
    return {
        "place",
        "apart",
        "alone",
        "scope0",
        *(column.name for column in ranked.columns if column.name.startswith("argument")),
    }


def _of_last(ranked: Subquery, name: str) -> Sql:
    return func.max(case((ranked.c.place == 1, ranked.c[name])), type_=ranked.c[name].type)

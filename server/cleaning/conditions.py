"""Conditions: where a rule finds something, as columns over the rows of its unit, and what it has measured there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import (
    Date,
    Double,
    FromClause,
    Integer,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
)

from forms.expressions.tree import Answer, Apply
from server.cleaning.rules import FEWEST_POINTS, FEWEST_VALUES, Kind, Rule
from server.model.cleaning import audit_logs, check_statistics
from server.tables.expressions import Rows
from server.tables.operations import TYPES, Sql

KILOMETRES_NORTH: Final = 110.574
"""In a degree of latitude, near the equator."""
_HOURS: Final = 24.0
_MINUTES: Final = 1440.0
_BLUR: Final = 1e-7
"""Days that two moments as numbers may seem to differ by: some milliseconds."""
_AHEAD: Final = 14 / 24
"""Days by which the calendar of the easternmost zone is ahead of UTC's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Where a rule finds something (NULL: unknown, so it does not), and what is to be told of it, by name.

    `joined` is what stands beside a row, at most one line each, and on which condition.
    """

    holds: Sql
    measured: Mapping[str, Sql] = field(default_factory=dict)
    joined: tuple[tuple[FromClause, Sql], ...] = ()


def condition(rows: Rows, rule: Rule) -> Condition:
    """The condition of a rule that looks at rows by themselves: of every kind but `duplicate`."""
    made = _MAKERS[rule.kind](rows, rule)
    shown: dict[str, Sql] = {}
    for name, tree in rule.shown:
        point = rows.point(tree) if isinstance(tree, Answer) and tree.kind == "point" else None
        shown[f"={name}"] = rows.value(tree) if point is None else point[0]
        if point is not None:
            shown[f"+{name}"] = point[1]
    limited = looked_at(rows, rule)
    return Condition(
        holds=made.holds if limited is None or rule.kind == "when" else and_(limited, made.holds),
        measured={**shown, **made.measured},
        joined=made.joined,
    )


def looked_at(rows: Rows, rule: Rule) -> Sql | None:
    """What `when` limits a rule to; None where it does not."""
    return None if rule.when is None else rows.value(rule.when)


def number(rows: Rows, rule: Rule) -> Sql:
    """The value that an `outlier` rule looks at."""
    return rows.value(rule.shown[0][1])


def _when(rows: Rows, rule: Rule) -> Condition:
    return Condition(holds=true() if rule.when is None else rows.value(rule.when))


def _clock(rows: Rows, rule: Rule) -> Condition:
    """What the phone says lies after the receipt, ends before it begins, or lies before the survey began."""
    received = rows.about("_received_at")
    off: Sql = literal((rule.maximum or 0) / _HOURS + _BLUR, Double())
    ahead: list[Sql] = []
    early: list[Sql] = []
    days: dict[str, Sql] = {}
    for name, tree in rule.shown:
        value = rows.value(tree)
        is_day = tree.kind == "date"
        days[name] = rows.value(Apply("days", (tree,), "number")) if is_day else rows.days(value)
        ahead.append(days[name] - rows.days(received) > (off + _AHEAD if is_day else off))
        if rule.since is not None:
            day = value if is_day else rows.value(Apply("day", (tree,), "date"))
            early.append(day < literal(rule.since, Date()))
    backwards = [days["start"] - days["end"] > off] if "start" in days and "end" in days else []
    return Condition(
        holds=or_(*ahead, *early, *backwards),
        measured={"received": received, "ahead": _flag(ahead), "early": _flag(early)},
    )


def _duration(rows: Rows, rule: Rule) -> Condition:
    """By the audit log where there is one, else from start to end. An end before the start is the clock's matter."""
    log, beside = _log(rows)
    logged = log.c.seconds / 60.0 if rule.logged else cast(null(), Double)
    passed: Sql = cast(null(), Double)
    moments = dict(rule.shown)
    if len(moments) == 2:
        between = (rows.days(rows.value(moments["end"])) - rows.days(rows.value(moments["start"]))) * _MINUTES
        passed = case((between >= 0, between), else_=cast(null(), Double))
    minutes = func.coalesce(logged, passed, type_=Double())
    outside = []
    if rule.minimum is not None:
        outside.append(minutes < rule.minimum - _BLUR * _MINUTES)
    if rule.maximum is not None:
        outside.append(minutes > rule.maximum + _BLUR * _MINUTES)
    return Condition(
        holds=or_(*outside) if outside else false(),
        measured={"minutes": minutes, "logged": case((logged.is_not(None), 1), else_=0)},
        joined=beside if rule.logged else (),
    )


def _speeding(rows: Rows, rule: Rule) -> Condition:
    log, beside = _log(rows)
    seconds = log.c.median_seconds
    return Condition(
        holds=seconds < rule.minimum, measured={"seconds": seconds, "screens": log.c.screens}, joined=beside
    )


def _gps_missing(rows: Rows, rule: Rule) -> Condition:
    point = _point(rows, rule)
    return Condition(holds=true() if point is None else point[0].is_(None))


def _gps_imprecise(rows: Rows, rule: Rule) -> Condition:
    point = _point(rows, rule)
    if point is None:
        return Condition(holds=false())
    return Condition(holds=point[3] > rule.maximum, measured={"metres": point[3]})


def _gps_outside(rows: Rows, rule: Rule) -> Condition:
    """Outside the declared area, or far from where the records of the same place lie in the middle.

    Distances are those on a plane that touches the Earth there: right to a few in a thousand over tens of kilometres.
    """
    point = _point(rows, rule)
    if point is None:
        return Condition(holds=false())
    latitude, longitude = point[0], point[1]
    measured = {"latitude": latitude, "longitude": longitude}
    wrong: list[Sql] = []
    joined: tuple[tuple[FromClause, Sql], ...] = ()
    if rule.box:
        south, west, north, east = rule.box
        beyond = or_(latitude < south, latitude > north, longitude < west, longitude > east)
        wrong.append(beyond)
        measured["beyond"] = case((beyond, 1), else_=0)
    if rule.place is not None:
        place = rows.value(rule.place)
        kept = check_statistics.alias()
        middle = and_(_statistics(kept, rule, FEWEST_POINTS), kept.c.category == place)
        north_south = (latitude - kept.c.middle) * KILOMETRES_NORTH
        east_west = (longitude - kept.c.across) * kept.c.spread
        squared = north_south * north_south + east_west * east_west
        wrong.append(squared > (rule.maximum or 0) ** 2)
        measured |= {"place": place, "squared": squared}
        joined = ((kept, middle),)
    return Condition(holds=or_(*wrong) if wrong else false(), measured=measured, joined=joined)


def _straight_lining(rows: Rows, rule: Rule) -> Condition:
    """Of the items that were answered, enough are, and all with one answer."""
    answers = [func.nullif(rows.value(tree), "", type_=TYPES[tree.kind]) for _, tree in rule.shown]
    answered = sum((case((answer.is_not(None), 1), else_=0) for answer in answers[1:]), _one(answers[0]))
    first: Sql = func.coalesce(*answers, type_=answers[0].type)
    same = [or_(answer.is_(None), answer == first) for answer in answers]
    holds = and_(answered >= literal(int(rule.minimum or 0), Integer()), *same)
    return Condition(holds=holds, measured={"answer": first, "answered": answered})


def _outlier(rows: Rows, rule: Rule) -> Condition:
    value = number(rows, rule)
    kept = check_statistics.alias()
    middle, spread = (
        select(column).where(_statistics(kept, rule, FEWEST_VALUES)).scalar_subquery()
        for column in (kept.c.middle, kept.c.spread)
    )
    far: Sql = func.abs(value - middle, type_=Double())
    return Condition(
        holds=far > spread * (rule.maximum or 0), measured={"value": value, "middle": middle, "spread": spread}
    )


def _flag(conditions: list[Sql]) -> Sql:
    """1 where one of them holds."""
    return case((or_(*conditions), 1), else_=0) if conditions else literal(0, Integer())


def _one(answer: Sql) -> Sql:
    return case((answer.is_not(None), 1), else_=0)


def _point(rows: Rows, rule: Rule) -> tuple[Sql, Sql, Sql, Sql] | None:
    return rows.point(rule.point) if isinstance(rule.point, Answer) else None


def _log(rows: Rows) -> tuple[FromClause, tuple[tuple[FromClause, Sql], ...]]:
    """What the submission's audit log sums up to, beside its row."""
    log = audit_logs.alias()
    return log, ((log, log.c.submission_id == rows.row.c["_submission_id"]),)


def _statistics(kept: FromClause, rule: Rule, fewest: int) -> Sql:
    """What all records together say of the rule's question, as it was last computed, where they are enough."""
    return and_(
        kept.c.form_id == rule.form_id, kept.c.check == rule.check, kept.c.path == rule.path, kept.c.n >= fewest
    )


_MAKERS: Final[Mapping[Kind, Callable[[Rows, Rule], Condition]]] = {
    "when": _when,
    "clock": _clock,
    "duration": _duration,
    "speeding": _speeding,
    "gps_missing": _gps_missing,
    "gps_imprecise": _gps_imprecise,
    "gps_outside": _gps_outside,
    "straight_lining": _straight_lining,
    "outlier": _outlier,
}

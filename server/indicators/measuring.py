"""Measuring: what one unit, or one group of rows, gives to an indicator, as columns over the typed tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from sqlalchemy import (
    Date,
    Double,
    Integer,
    SmallInteger,
    Text,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    not_,
    null,
    true,
)
from sqlalchemy.types import TypeEngine

from forms.expressions.tree import Grouped, Tree, walk
from server.indicators.resolving import Resolved
from server.model.columns import Instant
from server.tables.expressions import Rows
from server.tables.operations import Sql

SHARED: Final[Mapping[str, TypeEngine[Any]]] = {
    "date": Date(),
    "month": Integer(),
    "place": Text(),
    "key": Text(),
    "group": Text(),
    "weight": Double(),
    "strata": Text(),
    "psu": Text(),
    "period": Text(),
    "dimension": Text(),
}
"""What indicators may share: the roles of their trees; `month` counts months of the date since the year 0."""
_ONE: Final[Sql] = literal(1.0, Double())
_YES: Final = literal(1, SmallInteger())
_NO: Final = literal(0, SmallInteger())


class Reader(Protocol):
    """What gives trees as columns."""

    def value(self, tree: Tree, /) -> Sql:
        """The tree as a column; NULL is unknown."""
        ...


def measured(rows: Reader, resolved: Resolved) -> dict[str | Tree, Sql]:
    """What one unit gives to an indicator: `numerator`, `excluded` and, where the type needs them, `denominator`, `scope` and
    what a group sums up, by its tree. For what they mean see `Measure`."""
    given = {role: rows.value(tree) for role, tree in resolved.trees.items() if not is_grouped(resolved, role)}
    where = given.get("where", true())
    if resolved.indicator.group is not None:
        looked_at: Sql = case((where, _YES), else_=_NO)
        summed = {tree: _number(rows.value(tree), tree) for tree in arguments_of(resolved)}
        found: dict[str | Tree, Sql] = {"scope": looked_at}
        return found | summed
    scope: dict[str | Tree, Sql] = {}
    if resolved.indicator.latest is not None:
        scope["scope"] = case((not_(where), _NO), else_=_YES)
    return {**measure(resolved, given), **scope}


def measure(resolved: Resolved, given: Mapping[str, Sql]) -> dict[str | Tree, Sql]:
    """`numerator`, `excluded` and, for ratios, `denominator`, from what each role is for a unit or a group."""
    where = given.get("where", true())
    weighed = [given["weight"] >= 0] if "weight" in given else []
    kind = resolved.indicator.type
    if kind == "ratio":
        numerator, denominator = given["numerator"], given["denominator"]
        known = and_(where, *weighed, numerator.is_not(None), denominator.is_not(None))
        counted = _when(known, numerator)
        return {
            "numerator": counted,
            "denominator": _when(known, denominator),
            "excluded": _excluded(counted, where),
        }
    looked_at = where
    if kind == "percent":
        looked_at, holds = and_(where, given.get("denominator", true())), given["numerator"]
        counted = case(
            (and_(looked_at, *weighed, holds), _ONE),
            (and_(looked_at, *weighed, not_(holds)), literal(0.0, Double())),
            else_=cast(null(), Double),
        )
    elif kind in ("count", "distinct"):
        looked_at = and_(where, given.get("numerator", true()))
        named = [given["key"] != ""] if kind == "distinct" else []
        counted = _when(and_(looked_at, *weighed, *named), _ONE)
    else:
        counted = _when(and_(where, *weighed), given["value"])
    return {"numerator": counted, "excluded": _excluded(counted, looked_at)}


def shared(rows: Rows, role: str, tree: Tree | None) -> Sql:
    """The column of a role. Without a tree, `date` is the day on which the submission was received."""
    if role == "month":
        day = shared(rows, "date", tree)
        return cast(extract("year", day) * 12 + extract("month", day) - 1, Integer)
    if tree is not None:
        return rows.value(tree)
    if role != "date":
        return cast(null(), SHARED[role])
    return rows.received_day()


def about(rows: Rows) -> dict[str, Sql]:
    """What every unit knows of its record."""
    number: Sql = rows.row.c["_row"] if "_row" in rows.row.c else literal(0, Integer())
    changed = func.coalesce(rows.about("_updated_at"), rows.about("_received_at"), type_=Instant())
    return {
        "_submission_id": rows.row.c["_submission_id"],
        "_row": number,
        "_review_state": rows.about("_review_state"),
        "_changed_at": changed,
    }


def is_grouped(resolved: Resolved, role: str) -> bool:
    """Whether a role is about the rows of a group at once."""
    return resolved.indicator.group is not None and role in ("numerator", "denominator", "value")


def arguments_of(resolved: Resolved) -> list[Tree]:
    """What a group sums up, each once, always in the same order."""
    grouped = [tree for role, tree in resolved.trees.items() if is_grouped(resolved, role)]
    return list(dict.fromkeys(part.argument for tree in grouped for part in walk(tree) if isinstance(part, Grouped)))


def _number(value: Sql, tree: Tree) -> Sql:
    """What is only counted may be of any kind: 1 wherever it is known."""
    if tree.kind == "number":
        return value
    known = and_(value.is_not(None), value != "") if tree.kind in ("text", "choices") else value.is_not(None)
    return _when(known, _ONE)


def _when(condition: Sql, value: Sql) -> Sql:
    return case((condition, value), else_=cast(null(), Double))


def _excluded(counted: Sql, looked_at: Sql) -> Sql:
    return case((counted.is_not(None), _NO), (not_(looked_at), _NO), else_=_YES)

"""Medians: what all records together say, kept for each to be compared with: the middle of a question's answers and how far
they spread, the middle of a place's points."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, func, select

from forms.schema import Schema
from server.cleaning.conditions import looked_at, number
from server.cleaning.keys import REJECTED
from server.cleaning.rules import Rule
from server.store import checks
from server.tables.expressions import Rows
from server.tables.layout import Layout
from server.tables.operations import Sql

OF_DEVIATION: Final = 1.4826
"""A normal distribution's standard deviation, in median absolute deviations."""
OF_MEAN: Final = 1.2533
"""The same in mean absolute deviations, for answers of which more than half are one."""
KILOMETRES_EAST: Final = 111.320
"""In a degree of longitude at the equator."""


def renew(conn: Connection, layout: Layout, schema: Schema, form_id: int, rules: Sequence[Rule]) -> None:
    """Compute the statistics of a form's rules anew, over every record that was not rejected."""
    found: list[dict[str, Any]] = []
    for rule in rules:
        if rule.compares:
            rows = Rows(conn, layout, schema, rule.unit)
            lines = _places(conn, rows, rule) if rule.kind == "gps_outside" else _values(conn, rows, rule)
            found += [{"form_id": form_id, "check": rule.check, "path": rule.path, **line} for line in lines]
    checks.replace_statistics(conn, form_id, found)


def spread_of(values: Sequence[float], middle: float) -> float:
    """How far values spread, so that a few wild ones do not matter: by the median absolute deviation, or the mean one where
    more than half of the values are the median itself. In the unit of a standard deviation."""
    away = [abs(value - middle) for value in values]
    deviation = statistics.median(away)
    return deviation * OF_DEVIATION if deviation > 0 else statistics.fmean(away) * OF_MEAN


def _values(conn: Connection, rows: Rows, rule: Rule) -> list[dict[str, Any]]:
    value = number(rows, rule)
    given = [one for (one,) in conn.execute(_chosen(rows, rule, value).where(value.is_not(None)))]
    if not given:
        return []
    middle = statistics.median(given)
    spread = spread_of(given, middle)
    if not 0 < spread < math.inf:
        return []
    return [{"category": "", "n": len(given), "middle": middle, "spread": spread, "across": None}]


def _places(conn: Connection, rows: Rows, rule: Rule) -> list[dict[str, Any]]:
    point = rows.point(rule.point) if rule.point is not None else None
    if point is None or rule.place is None:
        return []
    latitude, longitude, place = point[0], point[1], rows.value(rule.place)
    points: dict[str, list[tuple[float, float]]] = {}
    chosen = _chosen(rows, rule, place, latitude, longitude)
    for code, north, east in conn.execute(chosen.where(and_(latitude.is_not(None), place != ""))):
        points.setdefault(code, []).append((north, east))
    return [_middle(code, mine) for code, mine in points.items()]


def _middle(code: str, points: Sequence[tuple[float, float]]) -> dict[str, Any]:
    north, east = (statistics.median(point[at] for point in points) for at in (0, 1))
    scale = KILOMETRES_EAST * math.cos(math.radians(north))
    return {"category": code, "n": len(points), "middle": north, "spread": scale, "across": east}


def _chosen(rows: Rows, rule: Rule, *values: Sql) -> Select[Any]:
    limited = looked_at(rows, rule)
    counts = func.coalesce(rows.about("_review_state"), "") != REJECTED
    chosen = select(*values).select_from(rows.source)
    return chosen.where(counts) if limited is None else chosen.where(counts, limited)

"""Units: the SELECT of everything that an indicator counts, as it was asked for: which period, which places, split by what.

Fact tables give what they keep; what hangs on the period's end (`period-end()`, `latest`, `group`, `cohort`) or was not
foreseen (another question to split by) is computed over them, or over the typed tables themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Date,
    FromClause,
    Integer,
    Select,
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
    tuple_,
    union_all,
)

from forms.expressions.tree import PeriodEnd, Tree, walk
from server.indicators import measuring, narrowing
from server.indicators.axes import Ask, Axis
from server.indicators.catalogue import Catalogue
from server.indicators.facts import FactTable
from server.indicators.periods import MONTHS, Period
from server.indicators.resolving import ROUND, Resolved
from server.model.indicators import place_ancestors
from server.tables.counting import counts
from server.tables.expressions import Rows
from server.tables.lists import ids_of
from server.tables.operations import Sql

_LAST_DAY: Final = date(9999, 12, 31)
_MEASURES: Final = ("numerator", "denominator", "excluded", "scope")


class Source:
    """Where one unit's columns stand: in a fact table, or in the typed tables."""

    def __init__(self, conn: Connection, catalogue: Catalogue, resolved: Resolved, *, live: bool) -> None:
        self._table: FactTable | None = None if live else catalogue.table_of[resolved.indicator.name]
        self._rows: Rows | None = None
        if self._table is None:
            if resolved.form is None:
                raise TypeError(resolved)
            layout = catalogue.layouts[resolved.form.id]
            self._rows = Rows(conn, layout, resolved.form.schema, resolved.unit)
        self.about = self._about()

    def _about(self) -> Mapping[str, Sql]:
        if self._table is not None:
            return {
                name: self._table.table.c[name] for name in ("_submission_id", "_row", "_review_state", "_changed_at")
            }
        return measuring.about(self._live)

    @property
    def _live(self) -> Rows:
        if self._rows is None:
            raise TypeError(self)
        return self._rows

    @property
    def source(self) -> FromClause:
        """What to select from, once every column was asked for."""
        return self._table.table if self._table is not None else self._live.source

    def shared(self, role: str, tree: Tree | None) -> Sql:
        """The column of a role."""
        if self._table is not None:
            found: Sql = self._table.table.c[self._table.shared[role, tree]]
            return found
        return measuring.shared(self._live, role, tree)

    def measures(self, resolved: Resolved) -> Mapping[str | Tree, Sql]:
        """What a unit gives to the indicator, as `measuring.measured` names it."""
        if self._table is None:
            return measuring.measured(self._live, resolved)
        kept = self._table.measures[resolved.indicator.name]
        columns = {role: getattr(kept, role) for role in _MEASURES}
        named: dict[str | Tree, str] = {role: name for role, name in columns.items() if name}
        named.update((tree, name) for tree, name in kept.arguments.items())
        return {role: self._table.table.c[name] for role, name in named.items()}


def is_live(catalogue: Catalogue, resolved: Resolved, axes: Sequence[Axis]) -> bool:
    """Whether the units must be computed from the typed tables, since no fact table has all that is asked for."""
    table = catalogue.table_of.get(resolved.indicator.name)
    if table is None:
        return True
    return any(
        axis.tree is not None and not axis.joined and ("dimension", axis.tree) not in table.shared for axis in axes
    )


def select_units(conn: Connection, catalogue: Catalogue, together: Sequence[Resolved], ask: Ask) -> Subquery:
    """The units of indicators that share table, date, place and design, one line each.

    Its columns: `period` (a number or round; NULL where nothing is split), `axis0`…, `weight0`, `numerator0`, `denominator0`,
    `excluded0`… by place in `together`, `key`, `strata`, `psu`, `day`, `submission`, `row`, `changed`. With `latest`, `group`
    or `cohort` there is one indicator only, and the lines are what is left of its units.
    """
    first = together[0]
    picked = _Picked(conn, catalogue, together, ask)
    lines = picked.select().subquery()
    split = ask.split is not None
    if ask.running:
        lines = narrowing.standing(conn, first, lines, ask.ends_of)
    elif first.indicator.group is not None:
        lines = narrowing.grouped(conn, first, lines, split=split)
    elif first.indicator.latest is not None:
        lines = narrowing.latest(first, lines, split=split)
    return _told_apart(conn, first, lines, ask) if narrowing.is_narrowed(first) else lines


def select_looked_at(conn: Connection, catalogue: Catalogue, one: Resolved, ask: Ask) -> Subquery:
    """`period` and `day` of every unit that an indicator may look at, whatever it gives to it."""
    lines = _Picked(conn, catalogue, [one], replace(ask, axes=(), within=None)).select(measured=False).subquery()
    return select(lines.c.period, lines.c.day).subquery()


def select_records(conn: Connection, catalogue: Catalogue, one: Resolved, ask: Ask) -> Subquery:
    """The rows behind a figure: `submission`, `row`, `day`, `key`, `numerator0`, `denominator0`, `excluded0`, `weight0` where
    there are such, and the axes. Of groups, every row that was summed up, with `group`; excluded where that is unknown."""
    if one.indicator.group is None:
        lines = select_units(conn, catalogue, [one], ask)
        kept = or_(lines.c.numerator0.is_not(None), lines.c.excluded0 == 1)
        return select(lines).where(kept).subquery()
    split = ask.split is not None
    ranked = narrowing.ranked_in_groups(_Picked(conn, catalogue, [one], ask).select().subquery(), one, split=split)
    of_group = [ranked.c.apart, *([ranked.c.period] if split else [])]
    columns = [
        func.max(case((ranked.c.place == 1, column))).over(partition_by=of_group).label(column.name)
        if column.name == "inside" or column.name.startswith("axis")
        else column
        for column in ranked.columns
    ]
    excluded = ranked.c.alone.label("excluded0")
    return _told_apart(conn, one, select(*columns, excluded).subquery(), ask)


class _Picked:
    """The units that are looked at, as they stand."""

    def __init__(self, conn: Connection, catalogue: Catalogue, together: Sequence[Resolved], ask: Ask) -> None:
        self._conn = conn
        self._catalogue = catalogue
        self._together = together
        self._ask = ask
        self._first = together[0]
        self._source = Source(conn, catalogue, self._first, live=is_live(catalogue, self._first, ask.axes))
        self._late = narrowing.is_narrowed(self._first)
        self._joins: list[tuple[FromClause, Sql]] = []
        self._entity: Rows | None = None
        self._filters: list[Sql] = []

    def select(self, *, measured: bool = True) -> Select[Any]:
        columns = {**self._period(), **self._axes(), **self._known(), **(self._measured() if measured else {})}
        self._bound()
        inside = self._inside(columns)
        if not self._late:
            columns = _only_inside(self._first, columns, inside, self._filters)
        elif inside:  # told apart once it is known which rows are the last
            columns["inside"] = case((and_(*inside), 1), else_=0)
        source = self._source.source
        for table, condition in self._joins:
            source = source.outerjoin(table, condition)
        chosen = [value.label(name) for name, value in columns.items()]
        return select(*chosen).select_from(source).where(*self._filters)

    def _shared(self, role: str) -> Sql:
        tree = self._first.trees.get("date" if role == "month" else role)
        if tree is None and role not in ("date", "month"):
            return cast(null(), measuring.SHARED[role])
        return self._source.shared(role, tree)

    def _period(self) -> dict[str, Sql]:
        split = self._ask.split
        if split is None:
            return {"period": cast(null(), Integer)}
        if split == ROUND:
            return {"period": self._shared(ROUND)}
        return {"period": self._shared("month") // MONTHS[split]}  # type: ignore[index]

    def _axes(self) -> dict[str, Sql]:
        found: dict[str, Sql] = {}
        for number, axis in enumerate(self._ask.axes):
            column = self._place(axis.level) if axis.level is not None else self._category(axis)
            found[f"axis{number}"] = column
        return found

    def _inside(self, columns: Mapping[str, Sql]) -> list[Sql]:
        """What a unit must be to lie in the place that is asked for and in the categories."""
        found = [] if self._late else _in_categories(columns, self._ask)
        if self._ask.within is not None:
            place = self._catalogue.book.labels.get(self._ask.within)
            held = self._ancestors(place.level).c.ancestor if place is not None else self._shared("place")
            found.append(func.coalesce(held, "", type_=Text()) == self._ask.within)
        return found

    def _category(self, axis: Axis) -> Sql:
        if axis.tree is None:
            raise TypeError(axis)
        value = self._of_entity(axis.tree) if axis.joined else self._source.shared("dimension", axis.tree)
        if self._late or not axis.codes:
            return func.nullif(value, "", type_=Text())
        codes, chosen = _chosen(self._conn, axis, value)
        self._joins.append((codes, chosen))
        column: Sql = codes.c.code
        return column

    def _of_entity(self, tree: Tree) -> Sql:
        """What a tree is for the entity that the unit's key names, or for that it was merged into."""
        joins = self._first.joins
        if joins is None:
            raise TypeError(self._first)
        if self._entity is None:
            layout = self._catalogue.layouts[joins.id]
            named, entity = ids_of(-joins.id), Rows(self._conn, layout, joins.schema)
            self._joins.append((named, named.c.key == self._shared("key")))
            self._joins.append((entity.row, entity.row.c["_submission_id"] == named.c.entity_id))
            self._entity = entity
        return self._entity.value(tree)

    def _place(self, level: str) -> Sql:
        column: Sql = self._ancestors(level).c.ancestor
        return column

    def _ancestors(self, level: str) -> FromClause:
        holding = place_ancestors.alias()
        day = func.coalesce(self._shared("date"), _LAST_DAY, type_=Date())
        condition = and_(
            holding.c.project_id == self._catalogue.project.id,
            holding.c.level == level,
            holding.c.code == self._shared("place"),
            day >= holding.c.valid_from,
            day <= holding.c.valid_to,
        )
        self._joins.append((holding, condition))
        return holding

    def _known(self) -> dict[str, Sql]:
        about = self._source.about
        return {
            "submission": about["_submission_id"],
            "row": about["_row"],
            "changed": about["_changed_at"],
            "day": self._shared("date"),
            "key": self._shared("key"),
            "strata": self._shared("strata"),
            "psu": self._shared("psu"),
            **({"group": self._shared("group")} if "group" in self._first.trees else {}),
        }

    def _measured(self) -> dict[str, Sql]:
        found: dict[str, Sql] = {}
        for number, one in enumerate(self._together):
            weight = one.trees.get("weight")
            if weight is not None:
                found[f"weight{number}"] = self._source.shared("weight", weight)
            arguments = 0
            for role, column in self._source.measures(one).items():
                if isinstance(role, str):
                    found[f"{role}{number}"] = column
                else:
                    found[f"argument{arguments}"] = column
                    arguments += 1
        return found

    def _bound(self) -> None:
        ask, state = self._ask, self._source.about["_review_state"]
        self._filters.append(counts(state, self._catalogue.project.counting))
        if ask.first is not None:
            self._filters.append(self._shared("month") >= ask.first)
        if ask.last is not None:
            self._filters.append(self._shared("month") <= ask.last)
        if ask.rounds is not None:
            self._filters.append(self._shared(ROUND).in_(ask.rounds))
        cohort = self._first.indicator.cohort
        if cohort is not None:
            self._filters.append(self._in_cohort(self._catalogue.resolved.get(cohort)))

    def _in_cohort(self, other: Resolved | None) -> Sql:
        if not self._ask.ends_of or other is None:
            return self._shared("key").in_(self._cohort(other))
        asked = Ask(split=self._ask.split, last=self._ask.last, ends_of=self._ask.ends_of, running=True)
        units = select_units(self._conn, self._catalogue, [other], asked)
        counted = select(units.c.key, units.c.period).where(units.c.numerator0 == 1, units.c.key.is_not(None))
        return tuple_(self._shared("key"), self._period()["period"]).in_(counted)

    def _cohort(self, other: Resolved | None) -> Select[Any]:
        """The keys that another indicator counted up to the end of the period, wherever they were."""
        if other is None:
            return select(cast(null(), Text)).where(literal(value=False))
        asked = Ask(last=self._ask.last, ends=self._ask.ends)
        units = select_units(self._conn, self._catalogue, [other], asked)
        return select(units.c.key).where(units.c.numerator0 == 1, units.c.key.is_not(None))


def _chosen(conn: Connection, axis: Axis, value: Sql) -> tuple[Subquery, Sql]:
    """The categories of a multiple selection as lines, and the condition that `value` holds one."""
    codes = union_all(*(select(literal(code, Text()).label("code")) for code in axis.codes)).subquery()
    spaced = literal(" ", Text()) + func.coalesce(value, "", type_=Text()) + literal(" ", Text())
    sought = literal(" ", Text()) + codes.c.code + literal(" ", Text())
    found = func.instr(spaced, sought) if conn.dialect.name == "sqlite" else func.strpos(spaced, sought)
    return codes, found > 0


def _in_categories(columns: Mapping[str, Sql], ask: Ask) -> list[Sql]:
    found = []
    for number, axis in enumerate(ask.axes):
        if axis.name in ask.only:
            column, wanted = columns[f"axis{number}"], ask.only[axis.name]
            found.append(column.is_(None) if wanted is None else func.coalesce(column, "", type_=Text()) == wanted)
    return found


def _only_inside(one: Resolved, columns: dict[str, Sql], inside: Sequence[Sql], filters: list[Sql]) -> dict[str, Sql]:
    """The columns of what lies inside. Of a sample every unit stays, so that its PSUs do; what lies outside gives nothing."""
    if not inside or not ("weight" in one.trees and "psu" in one.trees):
        filters.extend(inside)
        return columns
    held = and_(*inside)
    blank: Mapping[str, Sql] = {"numerator": null(), "denominator": null(), "excluded": literal(0, Integer())}
    return {
        name: case((held, column), else_=blank[role]) if (role := name.rstrip("0123456789")) in blank else column
        for name, column in columns.items()
    }


def _told_apart(conn: Connection, one: Resolved, lines: Subquery, ask: Ask) -> Subquery:
    """What is left after `latest` and `group`: each unit in every category that it chose, and only what lies inside."""
    source: FromClause = lines
    columns: dict[str, Sql] = {column.name: column for column in lines.columns}
    for number, axis in enumerate(ask.axes):
        if axis.codes:
            codes, chosen = _chosen(conn, axis, columns[f"axis{number}"])
            source = source.outerjoin(codes, chosen)
            columns[f"axis{number}"] = codes.c.code
    inside = _in_categories(columns, ask)
    held = columns.pop("inside", None)
    if held is not None:
        inside.append(held == 1)
    filters: list[Sql] = []
    columns = _only_inside(one, columns, inside, filters)
    return (
        select(*(value.label(name) for name, value in columns.items())).select_from(source).where(*filters).subquery()
    )


def ends_with_period(catalogue: Catalogue, resolved: Resolved, axes: Sequence[Axis]) -> bool:
    """Whether `period-end()` is asked for, of the units or of their cohort."""
    cohort = catalogue.resolved.get(resolved.indicator.cohort or "")
    trees = [*resolved.trees.values(), *(axis.tree for axis in axes if axis.tree is not None)]
    trees.extend(cohort.trees.values() if cohort is not None else ())
    return any(isinstance(part, PeriodEnd) for tree in trees for part in walk(tree))


def months_of(period: Period) -> tuple[int, int]:
    """The first and the last month of a period, counted since the year 0."""
    return period.months.start, period.months.stop - 1

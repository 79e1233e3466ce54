"""Units: the SELECT of everything that an indicator counts, as it was asked for: which period, which places, split by what.

Fact tables give what they keep; what hangs on the period's end (`period-end()`, `latest`, `group`, `cohort`) or was not
foreseen (another question to split by) is computed over them, or over the typed tables themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    union_all,
)

from forms.expressions.tree import PeriodEnd, Tree, walk
from server.indicators import facts
from server.indicators.catalogue import Catalogue
from server.indicators.facts import FactTable
from server.indicators.periods import Period, PeriodKind
from server.indicators.resolving import ROUND, Resolved
from server.model.indicators import place_ancestors
from server.tables.expressions import Groups, Rows
from server.tables.operations import Sql

MONTHS: Final[Mapping[PeriodKind, int]] = {"month": 1, "quarter": 3, "semester": 6, "year": 12}
_LAST_DAY: Final = date(9999, 12, 31)
_MEASURES: Final = ("numerator", "denominator", "excluded", "scope")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What cells are split by: a level of places, or the categories of a tree (`codes`: those of a multiple selection)."""

    name: str
    level: str | None = None
    tree: Tree | None = None
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Which units, and how they are told apart.

    `split`: by periods of a kind, by rounds, or not at all (None). `first` and `last` bound the months of the units' dates,
    both included; `rounds` the rounds. `ends` is the day that `period-end()` means. `within` is a place that holds them,
    `only` the categories that they must have.
    """

    split: PeriodKind | str | None = None
    first: int | None = None
    last: int | None = None
    rounds: tuple[str, ...] | None = None
    ends: date | None = None
    axes: tuple[Axis, ...] = ()
    within: str | None = None
    only: Mapping[str, str | None] = field(default_factory=dict)


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
        return facts.about(self._live)

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
        return facts.shared(self._live, role, tree)

    def measures(self, resolved: Resolved) -> Mapping[str | Tree, Sql]:
        """What a unit gives to the indicator, as `facts.measured` names it."""
        if self._table is None:
            return facts.measured(self._live, resolved)
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
    return any(axis.tree is not None and ("dimension", axis.tree) not in table.shared for axis in axes)


def select_units(conn: Connection, catalogue: Catalogue, together: Sequence[Resolved], ask: Ask) -> Subquery:
    """The units of indicators that share table, date, place and design, one line each.

    Its columns: `period` (a number or round; NULL where nothing is split), `axis0`…, `weight0`, `numerator0`, `denominator0`,
    `excluded0`… by place in `together`, `key`, `strata`, `psu`, `day`, `submission`, `row`, `changed`. With `latest`, `group`
    or `cohort` there is one indicator only, and the lines are what is left of its units.
    """
    first = together[0]
    picked = _Picked(conn, catalogue, together, ask)
    statement = picked.select()
    if first.indicator.group is not None:
        return _told_apart(conn, first, _grouped(conn, first, statement, ask), ask)
    if first.indicator.latest is not None:
        return _told_apart(conn, first, _latest(first, statement, ask), ask)
    return statement.subquery()


def select_looked_at(conn: Connection, catalogue: Catalogue, one: Resolved, ask: Ask) -> Subquery:
    """`period` and `day` of every unit that an indicator may look at, whatever it gives to it."""
    lines = _Picked(conn, catalogue, [one], replace(ask, axes=(), within=None)).select(measured=False).subquery()
    return select(lines.c.period, lines.c.day).subquery()


def select_records(conn: Connection, catalogue: Catalogue, one: Resolved, ask: Ask) -> Subquery:
    """The rows behind a figure: `submission`, `row`, `day`, `key`, `numerator0`, `denominator0`, `excluded0`, `weight0` where
    there are such, and the axes. Of groups, every row that was summed up, with `group`."""
    if one.indicator.group is None:
        lines = select_units(conn, catalogue, [one], ask)
        kept = or_(lines.c.numerator0.is_not(None), lines.c.excluded0 == 1)
        return select(lines).where(kept).subquery()
    ranked = _ranked_in_groups(_Picked(conn, catalogue, [one], ask).select().subquery(), one, ask)
    of_group = [ranked.c.group, *([ranked.c.period] if ask.split is not None else [])]
    columns = [
        func.max(case((ranked.c.place == 1, column))).over(partition_by=of_group).label(column.name)
        if column.name == "inside" or column.name.startswith("axis")
        else column
        for column in ranked.columns
    ]
    return _told_apart(conn, one, select(*columns).subquery(), ask)


class _Picked:
    """The units that are looked at, as they stand."""

    def __init__(self, conn: Connection, catalogue: Catalogue, together: Sequence[Resolved], ask: Ask) -> None:
        self._conn = conn
        self._catalogue = catalogue
        self._together = together
        self._ask = ask
        self._first = together[0]
        self._source = Source(conn, catalogue, self._first, live=is_live(catalogue, self._first, ask.axes))
        self._late = self._first.indicator.latest is not None or self._first.indicator.group is not None
        self._joins: list[tuple[FromClause, Sql]] = []
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
            return cast(null(), facts.SHARED[role])
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
        value = self._source.shared("dimension", axis.tree)
        if self._late or not axis.codes:
            return func.nullif(value, "", type_=Text())
        codes, chosen = _chosen(self._conn, axis, value)
        self._joins.append((codes, chosen))
        column: Sql = codes.c.code
        return column

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
        if self._catalogue.project.counting == "approved":
            self._filters.append(state == "approved")
        else:
            self._filters.append(or_(state.is_(None), state != "rejected"))
        if ask.first is not None:
            self._filters.append(self._shared("month") >= ask.first)
        if ask.last is not None:
            self._filters.append(self._shared("month") <= ask.last)
        if ask.rounds is not None:
            self._filters.append(self._shared(ROUND).in_(ask.rounds))
        cohort = self._first.indicator.cohort
        if cohort is not None:
            self._filters.append(self._shared("key").in_(self._cohort(self._catalogue.resolved.get(cohort))))

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


def _newest_first(lines: Subquery) -> tuple[Any, ...]:
    return (lines.c.day.desc().nulls_last(), lines.c.submission.desc(), lines.c.row.desc())


def _latest(one: Resolved, statement: Select[Any], ask: Ask) -> Subquery:
    """Of each key, the last rows; a row without key counts as excluded."""
    lines = statement.subquery()
    apart = [lines.c.key, *([lines.c.period] if ask.split is not None else [])]
    place = func.row_number().over(partition_by=apart, order_by=_newest_first(lines)).label("place")
    ranked = select(lines, place).where(lines.c.scope0 == 1).subquery()
    nameless = or_(ranked.c.key.is_(None), ranked.c.key == "")
    looked_at = or_(ranked.c.numerator0.is_not(None), ranked.c.excluded0 == 1)
    unknown: Mapping[str, Sql] = {
        "numerator0": null(),
        "denominator0": null(),
        "excluded0": case((looked_at, 1), else_=0),
    }
    columns = [
        case((nameless, unknown[column.name]), else_=column).label(column.name) if column.name in unknown else column
        for column in ranked.columns
    ]
    return select(*columns).where(or_(nameless, ranked.c.place <= one.indicator.latest)).subquery()


def _grouped(conn: Connection, one: Resolved, statement: Select[Any], ask: Ask) -> Subquery:
    """One line for each group: what its rows sum up to, and for the rest what its last row says."""
    ranked = _ranked_in_groups(statement.subquery(), one, ask)
    sums = {tree: ranked.c[f"argument{number}"] for number, tree in enumerate(facts.arguments_of(one))}
    reader = Groups(conn, sums)
    given = {role: reader.value(tree) for role, tree in one.trees.items() if facts.is_grouped(one, role)}
    for role, name in (("weight", "weight0"), ("key", "key")):
        if role in one.trees:
            given[role] = _of_last(ranked, name)
    kept = [column.name for column in ranked.columns if column.name not in _summed(ranked)]
    columns = {name: _of_last(ranked, name) for name in kept}
    if ask.split is not None:
        columns["period"] = ranked.c.period
    measures = {f"{role}0": value for role, value in facts.measure(one, given).items() if isinstance(role, str)}
    grouped = select(*(value.label(name) for name, value in {**columns, **measures}.items()))
    return grouped.group_by(ranked.c.group, *([ranked.c.period] if ask.split is not None else [])).subquery()


def _ranked_in_groups(lines: Subquery, one: Resolved, ask: Ask) -> Subquery:
    """The rows of each group that count, the newest first; `place` is 1 for that one."""
    apart = [lines.c.group, *([lines.c.period] if ask.split is not None else [])]
    place = func.row_number().over(partition_by=apart, order_by=_newest_first(lines)).label("place")
    ranked = select(lines, place).where(lines.c.scope0 == 1, lines.c.group.is_not(None), lines.c.group != "").subquery()
    limit = one.indicator.latest
    return ranked if limit is None else select(ranked).where(ranked.c.place <= limit).subquery()


def _summed(ranked: Subquery) -> set[str]:
    return {"place", "scope0", *(column.name for column in ranked.columns if column.name.startswith("argument"))}


def _of_last(ranked: Subquery, name: str) -> Sql:
    return func.max(case((ranked.c.place == 1, ranked.c[name])), type_=ranked.c[name].type)


def ends_with_period(catalogue: Catalogue, resolved: Resolved, axes: Sequence[Axis]) -> bool:
    """Whether `period-end()` is asked for, of the units or of their cohort."""
    cohort = catalogue.resolved.get(resolved.indicator.cohort or "")
    trees = [*resolved.trees.values(), *(axis.tree for axis in axes if axis.tree is not None)]
    trees.extend(cohort.trees.values() if cohort is not None else ())
    return any(isinstance(part, PeriodEnd) for tree in trees for part in walk(tree))


def months_of(period: Period) -> tuple[int, int]:
    """The first and the last month of a period, counted since the year 0."""
    size = MONTHS[period.kind]
    return period.index * size, period.index * size + size - 1

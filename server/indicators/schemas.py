"""Schemas: the columns of each indicator sheet, and what their cells may hold. One row is one load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from marshmallow import Schema

from server.indicators.cells import (
    Box,
    Day,
    Expression,
    Figure,
    Name,
    Names,
    Period,
    PeriodKind,
    Text,
    Texts,
    Unit,
    Whole,
    Word,
    YesNo,
)
from server.indicators.declarations import (
    BUILTINS,
    LEVELS,
    SEVERITIES,
    TYPES,
    Check,
    Dimension,
    Indicator,
    Place,
    Result,
    Target,
)


class RowSchema(Schema):
    """A row of a sheet. `record` is what it becomes (None: it is only looked up), `limit` the rows that a sheet may have."""

    record: ClassVar[type | None] = None
    limit: ClassVar[int] = 2_000


class ResultRow(RowSchema):
    """`results`."""

    record = Result

    name = Name(required=True)
    parent = Name()
    level = Word(LEVELS, required=True)
    label = Texts(required=True)
    assumptions = Text()


class IndicatorRow(RowSchema):
    """`indicators`."""

    record = Indicator

    name = Name(required=True)
    type = Word(TYPES, required=True)
    label = Texts(required=True)
    definition = Texts()
    result = Name()
    form = Text()
    over = Unit()
    where = Expression()
    numerator = Expression()
    denominator = Expression()
    value = Expression()
    key = Expression()
    latest = Whole(1)
    group = Expression()
    cohort = Name()
    join = Text()
    weight = Expression()
    strata = Expression()
    psu = Expression()
    date = Expression()
    period = PeriodKind()
    place = Expression()
    disaggregate = Names()
    unit = Texts()
    decimals = Whole(0, 6)
    direction = Word(("up", "down"))
    accumulate = YesNo()
    minimum_n = Whole(0)
    reference = Text()
    responsible = Text()


class DimensionRow(RowSchema):
    """`dimensions`."""

    record = Dimension

    name = Name(required=True)
    label = Texts(required=True)
    expression = Expression(required=True)
    form = Text()
    over = Unit()
    list_name = Text()


class TargetRow(RowSchema):
    """`targets`."""

    record = Target
    limit = 100_000

    indicator = Name(required=True)
    kind = Word(("baseline", "target", "actual"), required=True)
    period = Period()
    place = Name()
    dimension = Name()
    category = Text()
    value = Figure()
    source = Text()
    note = Text()


class CheckRow(RowSchema):
    """`checks`."""

    record = Check

    name = Name(required=True)
    label = Texts(required=True)
    when = Expression()
    form = Text()
    over = Unit()
    severity = Word(SEVERITIES)
    message = Texts()
    fields_ = Names(data_key="fields", attribute="fields")
    builtin = Word(BUILTINS)
    minimum = Figure()
    maximum = Figure()
    key = Expression()
    place = Expression()
    within = Box()
    since = Day()


class PlaceRow(RowSchema):
    """`places`."""

    record = Place
    limit = 20_000

    code = Name(required=True)
    level = Name(required=True)
    label = Texts(required=True)
    parent = Name()
    valid_from = Day()
    valid_to = Day(last=True)


class ChoiceRow(RowSchema):
    """`choices`: XLSForm's own sheet, of which only the lists are read."""

    limit = 100_000

    list_name = Text(required=True)
    name = Text(required=True)
    label = Texts()


SCHEMAS: Final[Mapping[str, RowSchema]] = {
    "results": ResultRow(),
    "indicators": IndicatorRow(),
    "dimensions": DimensionRow(),
    "targets": TargetRow(),
    "checks": CheckRow(),
    "places": PlaceRow(),
    "choices": ChoiceRow(),
}
"""By sheet, in the order in which findings are told."""


def columns_of(schema: RowSchema) -> Mapping[str, Any]:
    """The columns of a sheet by heading, with their fields."""
    return {field.data_key or name: field for name, field in schema.fields.items()}

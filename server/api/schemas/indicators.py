"""Indicators on the wire: what may be asked of them, and how they, their figures and records are written."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from marshmallow import INCLUDE, Schema, ValidationError, fields, post_load

from server.actions.indicators import Listed
from server.api.options import Blank, Flag, Names
from server.api.schemas.wording import Moment, Said, Texts, moment, sentence
from server.indicators.asking import Request
from server.indicators.declarations import EXPRESSIONS, Indicator
from server.indicators.values import Figure

MOST: Final = 1000
"""Records of one page."""


class ListQuery(Schema):
    """The list takes no options."""


class ValuesQuery(Schema):
    """What is asked of figures; what is not given is the indicator's own.

    `period`: `2026`, `2026-S1`, `2026-Q1..2026-Q4`, `2026-05,2026-07`, a kind (`quarter`), `round`, the code of a round, or
    `all`. `by`: dimensions, levels of places or questions, with commas. `place`: a code. `cumulative`: `true` for everything
    up to the end of each period, `false` for what lies in it.
    """

    period = Blank(load_default=None)
    by = Names(load_default=())
    place = Blank(load_default=None)
    cumulative = Flag(load_default=None)

    @post_load
    def to_request(self, data: dict[str, Any], **_: Any) -> Any:
        """The record that travels inside the house."""
        return Request(**data)


class FactsQuery(Schema):
    """As ValuesQuery, with one period; besides `after` (a page's `next`), `limit` (1 to 1000 records), and categories.

    For each name in `by` the category of the figure may be given: `by=sex&sex=f`, blank for records without one.
    `by.sex=f` says the same, also where the name is that of an option.
    """

    class Meta:
        """The names of dimensions are the project's."""

        unknown = INCLUDE

    period = Blank(load_default=None)
    by = Names(load_default=())
    place = Blank(load_default=None)
    cumulative = Flag(load_default=None)
    after = Blank(load_default=None)
    limit = fields.Method(deserialize="read_limit", load_default=MOST)

    def read_limit(self, value: str) -> int:
        """A number of records."""
        if not value.isascii() or not value.isdigit() or not 1 <= len(value) <= 4 or not 1 <= int(value) <= MOST:
            raise ValidationError([f"use un número de 1 a {MOST}.", f"use a number from 1 to {MOST}."])
        return int(value)


class IndicatorSchema(Schema):
    """An indicator in force, as it is listed."""

    name = fields.String(attribute="kept.record.name")
    version = fields.Integer(attribute="kept.version")
    since = Moment(attribute="kept.since")
    label = Texts(attribute="kept.record.label")
    definition = Texts(attribute="kept.record.definition")
    type = fields.String(attribute="kept.record.type")
    form = fields.String(attribute="kept.record.form")
    over = fields.String(attribute="kept.record.over")
    unit = Texts(attribute="kept.record.unit")
    direction = fields.String(attribute="kept.record.direction")
    decimals = fields.Integer(attribute="kept.record.decimals")
    result = fields.String(attribute="kept.record.result")
    disaggregate = fields.List(fields.String(), attribute="kept.record.disaggregate")
    period = fields.String()
    accumulate = fields.Boolean(attribute="kept.record.accumulates")
    minimum_n = fields.Integer(data_key="minimumN")
    reference = fields.String(attribute="kept.record.reference")
    responsible = fields.String(attribute="kept.record.responsible")
    waits = Said()
    broken = fields.Method("list_broken")
    uncomputed = fields.Method("tell_uncomputed")

    def tell_uncomputed(self, listed: Listed) -> dict[str, Any] | None:
        """Records of which it could not be computed: how many, and the first of them."""
        found = listed.uncomputed
        return None if found is None else {"records": found.count, "instanceIds": list(found.first)}

    def list_broken(self, listed: Listed) -> list[dict[str, str]]:
        """What is wrong with it by now: the column of its row, and a sentence."""
        return [{"column": wrong.column, **sentence(wrong.sentence)} for wrong in listed.broken]


class CategorySchema(Schema):
    """A category of a dimension."""

    code = fields.String()
    label = Texts()


class SplitSchema(Schema):
    """What an indicator can be split by."""

    name = fields.String()
    label = Texts()
    is_level = fields.Boolean(data_key="isLevel")
    categories = fields.List(fields.Nested(CategorySchema))


class RowSchema(Schema):
    """The row of an indicator as it was written; a blank cell is null."""

    label = Texts()
    definition = Texts()
    unit = Texts()
    cells: ClassVar[tuple[str, ...]] = (
        *("result", "type", "form", "over", *EXPRESSIONS, "period", "latest", "cohort", "join"),
        *("decimals", "direction", "accumulate", "reference", "responsible"),
    )
    written = fields.Method("list_cells")

    def list_cells(self, record: Indicator) -> dict[str, Any]:
        """Every other cell by its heading."""
        return {
            **{name: getattr(record, name) or None for name in self.cells if name not in ("accumulate", "decimals")},
            "decimals": record.decimals,
            "accumulate": record.accumulate,
            "disaggregate": list(record.disaggregate),
            "minimum_n": record.minimum_n,
        }


class EarlierSchema(Schema):
    """What an indicator said before."""

    version = fields.Integer()
    since = Moment()
    until = Moment()
    row = fields.Nested(RowSchema, attribute="record")


class DescribedSchema(Schema):
    """An indicator with its row, its categories and its earlier versions, the newest first."""

    row = fields.Nested(RowSchema, attribute="listed.kept.record")
    dimensions = fields.List(fields.Nested(SplitSchema), attribute="splits")
    earlier = fields.List(fields.Nested(EarlierSchema))


FIGURE: Final = (
    *("value", "n", "numerator", "denominator", "excluded", "se", "low", "high", "df", "note"),
    *("baseline", "target", "achievement", "source", "changed", "hidden"),
)
"""What is told of a figure, after its period and categories. `n`: units; `df`: degrees of freedom of the interval."""


def figure(one: Figure, axes: tuple[str, ...]) -> dict[str, Any]:
    """A figure as JSON. Written by hand, not by a schema, since there may be 100,000 of them in one answer.

    Of a hidden figure nothing is told but that it is there; `df` is null where there is no standard error.
    """
    estimate = one.estimate
    known = estimate is not None and estimate.se is not None
    return {
        "period": one.period,
        "categories": dict(zip(axes, one.categories, strict=True)),
        "value": one.value,
        "n": None if one.hidden else one.n,
        "numerator": one.numerator,
        "denominator": one.denominator,
        "excluded": None if one.hidden or one.unsaid else one.excluded,
        "se": estimate.se if estimate else None,
        "low": estimate.low if estimate else None,
        "high": estimate.high if estimate else None,
        "df": estimate.df if estimate is not None and known else None,
        "note": sentence(estimate.note) if estimate is not None and estimate.note is not None else None,
        "baseline": one.baseline,
        "target": one.target,
        "achievement": one.achievement,
        "source": one.source,
        "changed": moment(one.changed) if one.changed is not None else None,
        "hidden": one.hidden,
    }


class RecordSchema(Schema):
    """A row behind a figure. `key`: the row's key in the typed tables; `identifier`: what the indicator's `key` says."""

    form = fields.String()
    instance_id = fields.String(data_key="instanceId")
    row_key = fields.String(data_key="key")
    row = fields.Integer()
    day = fields.Date()
    key = fields.String(data_key="identifier")
    group = fields.String()
    categories = fields.Raw()
    numerator = fields.Raw()
    denominator = fields.Raw()
    weight = fields.Raw()
    excluded = fields.Boolean()

"""Declarations: what the sheets beside `survey` say, as frozen records; expressions are texts as they were written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, get_args

Texts = Mapping[str, str]
"""Text per language as headings name it (`Español (es)`); the key "" holds a text that is the same in every language."""
Type = Literal[
    "count", "distinct", "sum", "mean", "median", "min", "max", "percent", "ratio", "formula", "manual"
]  # fmt: skip
Level = Literal["impact", "outcome", "output"]
Direction = Literal["up", "down"]
TargetKind = Literal["baseline", "target", "actual"]
Severity = Literal["error", "warning", "note", "off"]
Builtin = Literal[
    "clock", "duration", "speeding", "gps_missing", "gps_imprecise", "gps_outside", "duplicate", "straight_lining", "outlier"
]  # fmt: skip
TYPES: Final[tuple[str, ...]] = get_args(Type)
LEVELS: Final[tuple[str, ...]] = get_args(Level)
BUILTINS: Final[tuple[str, ...]] = get_args(Builtin)
SEVERITIES: Final[tuple[str, ...]] = get_args(Severity)
ENTITIES: Final = "entities:"
"""How `over` begins where the unit is an entity of a list."""
EXPRESSIONS: Final = (
    "where", "numerator", "denominator", "value", "key", "group", "weight", "strata", "psu", "date", "place",
)  # fmt: skip
"""The columns of `indicators` that hold expressions over a form; `period` may hold one too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A line of the logframe. `at` is its row of the sheet, in this record and the others (0: none)."""

    name: str
    level: Level
    label: Texts
    parent: str | None = None
    assumptions: str | None = None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """An indicator as declared. `over` is "" for the submission, a repeat's name, or `entities:list`."""

    name: str
    type: Type
    label: Texts
    definition: Texts = field(default_factory=dict)
    result: str | None = None
    form: str | None = None
    over: str = ""
    where: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    value: str | None = None
    key: str | None = None
    latest: int | None = None
    group: str | None = None
    cohort: str | None = None
    join: str | None = None
    weight: str | None = None
    strata: str | None = None
    psu: str | None = None
    date: str | None = None
    period: str | None = None
    place: str | None = None
    disaggregate: tuple[str, ...] = ()
    unit: Texts = field(default_factory=dict)
    decimals: int = 1
    direction: Direction = "up"
    accumulate: bool | None = None
    minimum_n: int | None = None
    reference: str | None = None
    responsible: str | None = None
    at: int = field(default=0, compare=False)

    @property
    def accumulates(self) -> bool:
        """Whether a period's value takes everything up to its end, where nobody asks for the other."""
        return self.latest is not None if self.accumulate is None else self.accumulate


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One category of a dimension: the value of its expression, and how people read it."""

    code: str
    label: Texts = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A disaggregation on one form or entity list. `categories` are () where no list names them."""

    name: str
    label: Texts
    expression: str
    form: str | None = None
    over: str = ""
    list_name: str | None = None
    categories: tuple[Category, ...] = ()
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A baseline, a target or a figure typed by hand, of one cell. `value` None: a baseline computed from its period."""

    indicator: str
    kind: TargetKind
    period: str | None = None
    place: str | None = None
    dimension: str | None = None
    category: str | None = None
    value: float | None = None
    source: str | None = None
    note: str | None = None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A rule of data quality: where `when` holds, the record is flagged; with `builtin`, where that finds something too.

    `within` is south, west, north, east in degrees; `severity` off: a built-in that is not wanted.
    """

    name: str
    label: Texts
    when: str | None = None
    form: str | None = None
    over: str = ""
    severity: Severity = "warning"
    message: Texts = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    builtin: Builtin | None = None
    minimum: float | None = None
    maximum: float | None = None
    key: str | None = None
    place: str | None = None
    within: tuple[float, ...] = ()
    since: date | None = None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place, as it was between two days (None: always). One code may have several, whose times do not meet."""

    code: str
    level: str
    label: Texts
    parent: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """Everything that one workbook declares, in the order of its rows."""

    results: tuple[Result, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    targets: tuple[Target, ...] = ()
    checks: tuple[Check, ...] = ()
    places: tuple[Place, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is declared."""
        return any((self.results, self.indicators, self.dimensions, self.targets, self.checks, self.places))

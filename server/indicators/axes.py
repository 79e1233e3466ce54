"""Axes: what units are asked for, and what they are told apart by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from forms.expressions.tree import Tree
from server.indicators.periods import PeriodKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What cells are split by: a level of places, or the categories of a tree (`codes`: those of a multiple selection).

    `joined`: the tree is seen from the entity that the unit's key names, in the list that the indicator joins.
    """

    name: str
    level: str | None = None
    tree: Tree | None = None
    codes: tuple[str, ...] = ()
    joined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Which units, and how they are told apart.

    `split`: by periods of a kind, by rounds, or not at all (None). `first` and `last` bound the months of the units' dates,
    both included; `rounds` the rounds. `ends` is the day that `period-end()` means. `within` is a place that holds them,
    `only` the categories that they must have. `ends_of` are periods of the calendar, of the kind `split`, at whose ends a
    cohort is looked at; `running` says that each of them is given everything up to its end.
    """

    split: PeriodKind | str | None = None
    first: int | None = None
    last: int | None = None
    rounds: tuple[str, ...] | None = None
    ends: date | None = None
    axes: tuple[Axis, ...] = ()
    within: str | None = None
    only: Mapping[str, str | None] = field(default_factory=dict)
    ends_of: tuple[int, ...] = ()
    running: bool = False

"""Rules: what a check looks for in the rows of one unit, as records that hold trees and thresholds, and no SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from forms.expressions.tree import Answer, Tree

Kind = Literal[
    "when", "clock", "duration", "speeding", "gps_missing", "gps_imprecise", "gps_outside", "duplicate", "straight_lining",
    "outlier",
]  # fmt: skip
CLOCK: Final = "builtin:clock"
"""The check that every form has whose phone says when it was filled in."""
FEWEST_VALUES: Final = 20
"""Known values that there must be before one can lie far outside the rest."""
FEWEST_POINTS: Final = 5
"""Records of a place that there must be before one can lie far from the others."""
_MEANING: Final = 1
"""Another number wherever the code finds something else for the same rule: everything is then looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing to be looked for, in the rows of `unit` ("": the submission) of a form, by its row id.

    `when` limits the rows that are looked at, and is the whole condition of the kind `when`. `path` is the question that is
    flagged ("": none in particular). `shown` are the answers that the flag tells, by name: of `clock` start and end (or
    today), of `straight_lining` the items. `minimum`, `maximum`, `box` (south, west, north, east) and `since` are thresholds,
    in the unit that the kind has. `logged`: an audit log can be there.
    """

    form_id: int
    check: str
    kind: Kind
    unit: str = ""
    severity: str = "warning"
    path: str = ""
    when: Tree | None = None
    shown: tuple[tuple[str, Tree], ...] = ()
    point: Answer | None = None
    key: Tree | None = None
    place: Tree | None = None
    minimum: float | None = None
    maximum: float | None = None
    box: tuple[float, ...] = ()
    since: date | None = None
    logged: bool = False

    @property
    def compares(self) -> bool:
        """Whether a record is judged by what the others say: medians that are computed over all of them."""
        return self.kind == "outlier" or (self.kind == "gps_outside" and self.place is not None)

    @property
    def times(self) -> bool:
        """Whether the audit log is needed."""
        return self.logged and self.kind in ("duration", "speeding")


def digests(rules: Iterable[Rule]) -> Mapping[str, str]:
    """By check, a digest of its rules: the same as long as they find the same."""
    told: dict[str, list[str]] = {}
    for rule in rules:
        told.setdefault(rule.check, []).append(repr((_MEANING, rule)))
    return {check: hashlib.sha256("\n".join(texts).encode()).hexdigest() for check, texts in told.items()}

"""Treatments: what becomes of the answers to a question before they leave in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy.sql import ColumnElement

from forms.privacy import Judged
from server.extracts.columns import Kind

What = Literal["keep", "leave out", "place", "pseudonym", "day", "month", "year"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What becomes of one question's answers, or of one thing that is known of each submission (`_submitter`, `_key`).

    `change` makes of one value (never None) the one that is written, `kind` says what that is where it is not what came.
    `select` says what is read in place of the question's columns (its moment and its text, for a moment): the pseudonym of a
    key of `subject`. Without these two values stay as they are. `judged` is why, where the form says so.

    What is left out, and a point or shape under `place`, is not even read; the place itself stands in the question that
    names it. Files are sent only of questions that are kept. The treatment of `_key` is given a submission's key, from which
    the keys of repeat rows are made again. Where it is a pseudonym, rows come in the order of pseudonyms, since that of
    arrival would tell which is which, and without those that arrived after pseudonyms were given.
    """

    what: What = "keep"
    change: Callable[[Any], Any] | None = None
    kind: Kind | None = None
    select: Callable[[Sequence[ColumnElement[Any]]], ColumnElement[Any]] | None = None
    subject: str | None = None
    judged: Judged | None = None

    @property
    def changes(self) -> bool:
        """Whether values are written otherwise than they came."""
        return self.change is not None or self.select is not None

    @property
    def left_out(self) -> bool:
        """Whether nothing is written at all."""
        return self.what == "leave out"


KEPT: Final = Treatment()
LEFT_OUT: Final = Treatment(what="leave out")
Treatments = Mapping[str, Treatment]
"""Treatments by the question's path (the newest) or the name of a column that begins with an underscore; others are kept."""
EVERYTHING: Final[Treatments] = {}
"""Nothing is changed: for whoever may see all of a submission."""


def of(treatments: Treatments, path: str) -> Treatment:
    """The treatment of a question or column."""
    return treatments.get(path, KEPT)

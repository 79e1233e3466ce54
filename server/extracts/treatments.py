"""Treatments: what becomes of the answers to a question before they leave in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from server.extracts.columns import Kind

What = Literal["keep", "leave out", "place", "pseudonym", "month", "year"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What becomes of one question's answers, or of one thing that is known of each submission (`_submitter`, `_key`).

    `change` makes of one value (never None) the one that is written, `kind` says what that is where it is not what came.
    Without `change` values stay as they are. What is left out, and a point or shape under `place`, is not even read; the
    place itself stands in the question that names it. Files are sent only of questions that are kept. The treatment of
    `_key` is given a submission's key, from which the keys of repeat rows are made again.
    """

    what: What = "keep"
    change: Callable[[Any], Any] | None = None
    kind: Kind | None = None

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

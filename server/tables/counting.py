"""Counting: which submissions a project counts, as one condition that indicators and extracts share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, or_


def counts(review_state: ColumnElement[Any], counting: str) -> ColumnElement[bool]:
    """Whether a submission of this review state counts: `approved` ones only, or all that are `not_rejected`.

    Those that were only received have no state. `counting` is the project's setting.
    """
    if counting == "approved":
        return review_state == "approved"
    return or_(review_state.is_(None), review_state != "rejected")

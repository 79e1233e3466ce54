"""Selection: what is asked of an extract: which tables, columns and rows, and in which words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final

from sqlalchemy import Table, and_, func, or_, select
from sqlalchemy.sql import ColumnElement

from server.extracts.questions import Question
from server.odata.filters import Condition, to_sql
from server.tables.counting import counts
from server.tables.layout import DataColumn

REVIEWS: Final = ("received", "edited", "hasIssues", "approved", "rejected")
"""States of review; `received`: nobody has looked at it, nor was it edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `first` to before `until`; None is open."""

    first: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Submissions whose answer to `question`, one of the form's own table, is one of `codes` or lies within the days from
    `first` to before `until`."""

    question: Question
    codes: frozenset[str] | None = None
    first: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Which submissions: those that fulfil all that is said; what is empty or None asks for nothing.

    `review` are of REVIEWS; `counting`: what indicators count by this setting of the project. `changed_since`: received or
    changed at that moment or later. `condition` is OData's $filter.
    """

    received: Span = Span()
    updated: Span = Span()
    changed_since: datetime | None = None
    review: tuple[str, ...] = ()
    counting: str | None = None
    versions: tuple[str, ...] = ()
    submitters: tuple[int, ...] = ()
    answers: tuple[Answers, ...] = ()
    condition: Condition | None = None

    @property
    def every(self) -> bool:
        """Whether all submissions are asked for."""
        return self == Rows()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is asked of an extract.

    `tables` are paths of repeats, "" for the form's own table; None is all of them. `joined`: one table with a row for each
    row of that repeat, and the answers of what holds it repeated beside them. `columns` are names or paths of questions;
    None is all. `labels`: a choice's label in `language` instead of its code (a language of the form; None is its default).
    `group_paths`: names carry their groups (`group-question`); without them only where two are alike. `split`: a 0/1
    column besides for each choice of a multiple selection, blank where it was not answered. `zone`: in which zone moments
    are told. `geometry`: the path of the question that says where a row of GeoJSON is. `neutralise`: a text that a
    spreadsheet would run as a formula is made harmless. `bom`: a mark at the beginning of CSV by which Excel knows its
    accents.
    """

    tables: tuple[str, ...] | None = None
    joined: str | None = None
    columns: frozenset[str] | None = None
    rows: Rows = Rows()
    labels: bool = False
    language: str | None = None
    group_paths: bool = False
    split: bool = True
    zone: tzinfo = UTC
    geometry: str | None = None
    neutralise: bool = True
    bom: bool = False

    def wants(self, question: Question) -> bool:
        """Whether the question is among the columns."""
        return self.columns is None or not self.columns.isdisjoint((question.path, question.entry.name))


def conditions(rows: Rows, parts: Sequence[Table]) -> list[ColumnElement[bool]]:
    """What rows of the form's own table (in `parts`) must fulfil."""
    form = parts[0].c
    found: list[ColumnElement[bool]] = []
    for column, span in ((form["_received_at"], rows.received), (form["_updated_at"], rows.updated)):
        found.extend(_within(column, span.first, span.until))
    if rows.changed_since is not None:
        since = rows.changed_since
        found.append(or_(form["_received_at"] >= since, form["_updated_at"] >= since))
    if rows.review:
        states = [state for state in rows.review if state != "received"]
        looked_at = form["_review_state"].in_(states)
        found.append(or_(looked_at, form["_review_state"].is_(None)) if "received" in rows.review else looked_at)
    if rows.counting is not None:
        found.append(counts(form["_review_state"], rows.counting))
    if rows.versions:
        found.append(func.coalesce(form["_form_version"], "").in_(rows.versions))
    if rows.submitters:
        found.append(form["_submitter_id"].in_(rows.submitters))
    found.extend(_answering(answers, parts) for answers in rows.answers)
    if rows.condition is not None:
        found.append(to_sql(rows.condition, {name: form[column] for name, column in _ODATA.items()}))
    return found


_ODATA: Final = {
    "submissionDate": "_received_at",
    "updatedAt": "_updated_at",
    "submitterId": "_submitter_id",
    "reviewState": "_review_state",
}
"""What ODK Central's $filter may speak of, below `__system/`."""


def _answering(answers: Answers, parts: Sequence[Table]) -> ColumnElement[bool]:
    column: DataColumn = answers.question.column
    part = parts[column.part - 1]
    answer: ColumnElement[Any] = part.c[column.name]
    asked: list[ColumnElement[bool]] = [] if answers.codes is None else [answer.in_(sorted(answers.codes))]
    if answers.first is not None or answers.until is not None:
        if column.type == "dateTime":  # the day as it was where the phone was, which only the text says
            answer = func.substr(part.c[column.names[1]], 1, 10)
            asked.extend(_within(answer, _text(answers.first), _text(answers.until)))
        else:
            asked.extend(_within(answer, answers.first, answers.until))
    if part is parts[0]:
        return and_(*asked)
    return parts[0].c["_submission_id"].in_(select(part.c["_submission_id"]).where(*asked))


def _within(column: ColumnElement[Any], first: Any, until: Any) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if first is not None:
        found.append(column >= first)
    if until is not None:
        found.append(column < until)
    return found


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()

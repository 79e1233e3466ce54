"""Disclosure: what becomes of each answer for whoever may not see identities, and what then may not be asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Text, cast, func, select

from forms import privacy, values
from forms.privacy import Judged, Mark
from forms.schema import Field, Type
from server.extracts import refusals
from server.extracts.questions import Asked, Question
from server.extracts.selection import Rows
from server.extracts.treatments import KEPT, LEFT_OUT, Treatment, Treatments
from server.model.privacy import pseudonyms
from server.odata import filters
from server.tables import ddl
from server.tables import lists as entity_lists

SUBMISSION: Final = "submission"
LIST: Final = "list:"
"""What the ids of a list are keys of begins so; its name follows."""
_BIRTH: Final = re.compile(r"naci|birth|(?<![a-z])dob(?![a-z])|(?<![a-z])born(?![a-z])", re.IGNORECASE)
_PLACES: Final = frozenset(("geopoint", "geotrace", "geoshape"))
_MOMENTS: Final = frozenset(("timestamp/start", "timestamp/end"))
_SUBJECTS: Final[Mapping[str, str]] = {"property/deviceid": "device", "property/username": "username"}
_EXACT: Final = frozenset(("submitterId", "submissionDate", "updatedAt"))
"""What $filter may not ask of records without identities: who sent them, and when to the second."""


@dataclass(frozen=True, slots=True)
class Named:
    """Keys that pseudonyms stand for: what they are keys of, and the column of the typed table that holds them."""

    subject: str
    keys: Select[Any]


def without_identities(
    asked: Asked, marks: Mapping[str, Mark], project_id: int, lists: Mapping[str, int] = {}
) -> Treatments:
    """What becomes of each question and of what is known of each submission. `marks` are those of all the form's versions,
    `lists` the entity lists of the project by name (their row ids): answers that choose from them are keys.

    Names, own words, photos and whatever identifies: left out. Positions: only the place, which its own question says. Keys,
    of records, people, devices and those who sent: pseudonyms, the same in every table and form of the project. Days of
    birth: the year; other dates that help to identify: the month; when the phone began, ended and sent: the day. What helps
    to identify in own words: left out. What the form makes up of answers for people's eyes (the name of a submission): left
    out. All else stays as it is; small groups are for whoever releases data to look at.
    """
    judged = _judged(asked, marks)
    made: dict[str, Treatment] = {
        "_key": _pseudonym(project_id, SUBMISSION),
        "_instance_name": LEFT_OUT,
        "_received_at": Treatment(what="day", change=_day, kind="date"),
        "_updated_at": Treatment(what="day", change=_day, kind="date"),
        "_submitter_id": _pseudonym(project_id, "submitter"),
        "_submitter": LEFT_OUT,
        "_device_id": _pseudonym(project_id, "device"),
    }
    for one in asked.touched:
        made[one.key] = _pseudonym(project_id, f"{LIST}{one.dataset}")
    for question in asked.questions:
        treatment = _treatment(question, judged.get(question.path), project_id, lists)
        if treatment != KEPT:
            made[question.path] = replace(treatment, judged=judged.get(question.path))
    for path in ("/meta/instanceName", "/meta/entity/label"):
        made.setdefault(path, LEFT_OUT)
    made.setdefault("/meta/instanceID", _pseudonym(project_id, SUBMISSION))
    return made


def named(conn: Connection, asked: Asked, disclosed: Treatments, lists: Mapping[str, int] = {}) -> Iterator[Named]:
    """Every key of the form for which a pseudonym must stand."""
    subjects = {one.subject for one in disclosed.values()}
    for name, dataset_id in lists.items():
        if f"{LIST}{name}" in subjects:
            yield Named(f"{LIST}{name}", entity_lists.all_of(dataset_id))
    form = ddl.sql_tables(conn, asked.layout.table(""))[0].c
    for name in ("_key", "_submitter_id", "_device_id"):
        treatment = disclosed.get(name, KEPT)
        if treatment.subject is not None:
            yield Named(treatment.subject, select(form[name]))
    for question in asked.questions:
        treatment = disclosed.get(question.path, KEPT)
        if treatment.subject is not None and treatment.subject != SUBMISSION:
            column = question.column
            part = ddl.sql_tables(conn, asked.layout.table(question.table))[column.part - 1]
            yield Named(treatment.subject, select(part.c[column.name]))


def refuse_narrowing(rows: Rows, disclosed: Treatments) -> None:
    """Raises Problem 400.8 where asking for these rows would tell what the extract does not: who sent a record, at what
    second, or the answer to a question that is not told as it is."""
    if not disclosed:
        return
    if rows.submitters:
        raise refusals.needs_identities("submitter")
    for answers in rows.answers:
        if disclosed.get(answers.question.path, KEPT).what not in ("keep", "day"):
            raise refusals.needs_identities(answers.question.entry.name)
    for name in sorted(filters.names_in(rows.condition) & _EXACT) if rows.condition is not None else ():
        raise refusals.needs_identities(f"__system/{name}")


def no_later_than(since: datetime) -> datetime:
    """The day on which something changed, in place of the moment: asked for again and again with other moments, an extract
    would tell them."""
    return since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def of_text(type_: Type, text: str, treatment: Treatment) -> str | None:
    """An answer as text, as an extract tells it; None where it tells nothing. The pseudonym of a key is not known here."""
    if treatment == KEPT or treatment.what == "keep":
        return text
    if treatment.left_out or treatment.what == "place" or treatment.subject is not None:
        return None
    if treatment.what == "day":
        day = _readable_day(text[:10])
        return None if day is None else day.isoformat()
    try:
        changed = treatment.change(values.parse(type_, text)) if treatment.change is not None else None
    except ValueError:
        return None
    return None if changed is None else str(changed)


def standing_for(project_id: int, subject: str, key: ColumnElement[Any]) -> ColumnElement[Any]:
    """The pseudonym of a key, beside it; NULL where it has none."""
    return (
        select(pseudonyms.c.pseudonym)
        .where(
            pseudonyms.c.project_id == project_id,
            pseudonyms.c.subject == subject,
            pseudonyms.c.key == cast(key, Text),
        )
        .scalar_subquery()
    )


def _judged(asked: Asked, marks: Mapping[str, Mark]) -> dict[str, Judged]:
    """What each question tells, by its newest path: the strictest of what it told in any version."""
    found: dict[str, Judged] = {}
    every = [privacy.judge(schema, marks) for schema in asked.schemas]
    for question in asked.questions:
        told = [one[path] for one in every for path in question.column.paths if path in one]
        if told:
            found[question.path] = min(told, key=lambda one: privacy.STRICTEST.index(one.mark))
    return found


def _treatment(question: Question, judged: Judged | None, project_id: int, lists: Mapping[str, int]) -> Treatment:
    entry, type_ = question.entry, question.column.type
    mark = judged.mark if judged is not None else None
    if mark in ("direct", "free_text"):
        return Treatment(what="place") if type_ in _PLACES else LEFT_OUT
    chosen_from = lists.get(entry.choices.instance or "") if entry.choices is not None else None
    if chosen_from is not None and entry.control != "select1":
        return LEFT_OUT  # several ids in one text, for which no pseudonym can stand
    if mark == "key" or chosen_from is not None:
        return _pseudonym(project_id, _subject(entry), chosen_from)
    if type_ == "dateTime" and (entry.preload in _MOMENTS or entry.calculate is not None or mark == "quasi"):
        return Treatment(what="day", select=_local_day, change=_readable_day, kind="date")
    if mark != "quasi":
        return KEPT
    if type_ == "date":
        if _BIRTH.search(" ".join([entry.name, *entry.label.values()])):
            return Treatment(what="year", change=lambda value: value.year, kind="integer")
        return Treatment(what="month", change=lambda value: f"{value:%Y-%m}", kind="text")
    if type_ in ("string", "barcode") and entry.choices is None and entry.calculate is None:
        return LEFT_OUT  # own words, which nothing makes coarser
    return Treatment(what="place") if type_ in _PLACES else KEPT


def _subject(entry: Field) -> str:
    """What a key is a key of: an entry of a list that forms share, else of whatever asks by this name."""
    if entry.choices is not None and entry.choices.instance is not None:
        return f"{LIST}{entry.choices.instance}"
    return _SUBJECTS.get((entry.preload or "").lower(), f"question:{entry.name}")


def _pseudonym(project_id: int, subject: str, dataset_id: int | None = None) -> Treatment:
    """The pseudonym of a key; of an entity of the list `dataset_id` that was merged, that of the survivor."""

    def stand(columns: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
        key = columns[0] if dataset_id is None else entity_lists.standing_for(dataset_id, columns[0])
        return standing_for(project_id, subject, key)

    return Treatment(what="pseudonym", select=stand, kind="text", subject=subject)


def _local_day(columns: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    """The day as it was where the phone was, which only the text says."""
    return func.substr(columns[1], 1, 10)


def _readable_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


_day: Final[Callable[[datetime], date]] = datetime.date

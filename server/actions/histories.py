"""Histories: all that happened to a submission, in order, and what stood of it at any past moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from forms import tables, values
from server.access import require
from server.actions import consents, corrections, naming, sight
from server.actions.disclosures import IDENTIFY
from server.actions.forms import get_form
from server.actions.naming import Name
from server.actions.sight import Sight
from server.cleaning import refusals, standing
from server.cleaning.standing import Standing
from server.context import Context
from server.model.corrections import LoggedCorrection
from server.model.forms import Form
from server.model.submissions import Submission, SubmissionVersion
from server.store import corrections as correction_store
from server.store import people, reviews, submissions

_PAGE: Final = 500
EDITED: Final = "edited"
Kind = Literal["received", "edited", "correction", "correctionChange", "review", "comment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a submission; `actor` None: a phone without a name, an edit, or the command line."""

    kind: Kind
    at: datetime
    actor: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row as it stood: its stable key, its table ("" for the form's) and its answers as text, by question."""

    key: str
    table: str
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What stood of a submission: its instance id, its review state, the version that was current, its rows with the
    corrections of then."""

    at: datetime
    record: str
    review_state: str | None
    version: SubmissionVersion
    rows: tuple[Row, ...]


def get_history(ctx: Context, project_id: int, form_id: str, instance_id: str) -> list[Event]:
    """Versions, corrections and what became of them, reviews and comments, eldest first.

    Whoever may not identify people is told days instead of moments, and neither who sent what with which device, nor what
    identifies, nor what people wrote in their own words. Raises Problem 404.1.
    """
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    submission = corrections.find(ctx, form, instance_id)

    seen = _sight(ctx, form, submission)
    name = naming.of(ctx, form, [submission.instance_id])[submission.instance_id]
    logged = list(correction_store.log(ctx.conn, form.id, submission_id=submission.id))
    events = [*_versions(ctx, submission, seen, name), *_corrections(ctx, submission, logged, seen, name)]
    for review in reviews.list_reviews(ctx.conn, submission.id):
        told = {"reviewState": review.state, "note": review.note if seen.identifies else None}
        sent = review.state == EDITED and not seen.identifies
        events.append(Event(kind="review", at=review.created_at, actor=None if sent else review.actor, details=told))
    for comment in reviews.list_comments(ctx.conn, submission.id):
        said = {"body": comment.body if seen.identifies else None}
        events.append(Event(kind="comment", at=comment.created_at, actor=comment.actor, details=said))
    in_order = sorted(events, key=lambda event: event.at)
    return [replace(event, at=seen.when(event.at)) for event in in_order]


def get_state(ctx: Context, project_id: int, form_id: str, instance_id: str, at: datetime | None = None) -> State:
    """What stands of a submission, or stood at a past moment, without answers that whoever asks may not see.

    Raises Problem 404.1 where it had not arrived, 409.52 where it cannot be read.
    """
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    submission = corrections.find(ctx, form, instance_id)

    seen = _sight(ctx, form, submission)
    moment = seen.until(at or ctx.now())
    chain = [one for one in submissions.list_versions(ctx.conn, submission.id) if one.created_at <= moment]
    if not chain:
        raise refusals.no_submission(instance_id)
    stands = standing.read(ctx.conn, form, submission, at=moment)
    if stands is None or stands.sent.encrypted:
        raise refusals.unreadable(instance_id)
    return _state(ctx, form, stands, moment, seen)


def stream_states(ctx: Context, project_id: int, form_id: str, at: datetime | None = None) -> Iterator[State]:
    """The same of every submission that had arrived, eldest first, read while the context is open.

    What cannot be read is left out. Memory does not grow with submissions. It is for whoever may identify people: the others
    have extracts. Raises Problem 404.1, 403.1.
    """
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    require(ctx, IDENTIFY, form)
    return _states(ctx, form, at or ctx.now(), sight.of(ctx, form))


def note_opened(
    ctx: Context, project_id: int, form_id: str, instance_id: str, what: str, reason: str | None = None
) -> None:
    """The audit line of one record whose `what` (history, state) was told to whoever may identify people."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    sight.note_opened(ctx, form, corrections.find(ctx, form, instance_id).id, what, reason)


def note_states(ctx: Context, project_id: int, form_id: str, reason: str | None = None) -> None:
    """The audit line of the states of every submission."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    sight.note_export(ctx, form, "states", reason)


def _states(ctx: Context, form: Form, moment: datetime, seen: Sight) -> Iterator[State]:
    above = 0
    while chunk := submissions.list_living(ctx.conn, form.id, above=above, most=_PAGE):
        above = chunk[-1][0]
        for _, instance_id in chunk:
            submission = submissions.find(ctx.conn, form.id, instance_id)
            stands = standing.read(ctx.conn, form, submission, at=moment) if submission is not None else None
            if stands is not None and not stands.sent.encrypted:
                yield _state(ctx, form, stands, moment, seen)


def _sight(ctx: Context, form: Form, submission: Submission) -> Sight:
    """What may be seen of one record, whose newest answers say what is no longer allowed of earlier ones."""
    seen = sight.of(ctx, form)
    return seen if seen.identifies else replace(seen, denied=consents.denied(ctx, form, submission.id))


def _state(ctx: Context, form: Form, stands: Standing, moment: datetime, seen: Sight) -> State:
    listed = reviews.list_reviews(ctx.conn, stands.submission.id)
    decided = [one for one in listed if one.created_at <= moment]
    own = stands.submission.instance_id
    name = naming.of(ctx, form, [own])[own]
    version = replace(stands.version, created_at=seen.when(stands.version.created_at))
    return State(
        at=moment,
        record=name.told,
        review_state=decided[-1].state if decided else None,
        version=version if seen.identifies else replace(version, instance_id=name.told),
        rows=tuple(_rows(ctx, form, stands, seen, name)),
    )


def _versions(ctx: Context, submission: Submission, seen: Sight, called: Name) -> Iterator[Event]:
    for version in submissions.list_versions(ctx.conn, submission.id):
        known = version.submitter_id is not None and seen.identifies
        name = people.find_name(ctx.conn, version.submitter_id or 0) if known else None
        told = {
            "instanceId": version.instance_id if seen.identifies else called.told,
            "deprecatedId": version.deprecated_id if seen.identifies else None,
            "formVersion": version.form_version,
            "current": version.current,
            "deviceId": version.device_id if seen.identifies else None,
        }
        kind: Kind = "received" if version.deprecated_id is None else "edited"
        yield Event(kind=kind, at=version.created_at, actor=name, details=told)


def _corrections(
    ctx: Context, submission: Submission, logged: list[LoggedCorrection], seen: Sight, name: Name
) -> Iterator[Event]:
    hidden = {line.correction.id for line in logged if seen.hides(line.correction.path)}
    for line in logged:
        one = corrections.hide(line, seen).correction
        told = {
            "id": one.id,
            "row": name.tell(one.row_key),
            "question": one.path,
            "oldValue": one.old_text,
            "newValue": one.new_text,
            "reason": one.reason,
            "replaces": one.replaces_id,
        }
        yield Event(kind="correction", at=one.created_at, actor=line.actor, details=told)
    for change in correction_store.list_changes(ctx.conn, submission.id):
        reason = None if change.correction_id in hidden else change.reason
        told = {"id": change.correction_id, "state": change.state, "reason": reason}
        yield Event(kind="correctionChange", at=change.created_at, actor=change.actor, details=told)


def _rows(ctx: Context, form: Form, stands: Standing, seen: Sight, name: Name) -> Iterator[Row]:
    types = {entry.path: entry.type or "string" for entry in stands.schema.fields if entry.kind == "question"}
    for row in tables.rows_of(tables.Plan(stands.schema), stands.instance, instance_id="")[0]:
        answers = {path: values.render(types[path], value) for path, value in row.values.items()} | row.texts
        told = {
            path: sight.tell(ctx, form, seen, path, types[path], answers[path]) for path in types if path in answers
        }
        shown = {path: text for path, text in told.items() if text is not None}
        yield Row(key=name.tell(stands.keys[row.key]), table=row.table, answers=shown)

"""Sources of entity versions: the submission that one came from and what brought it about, in ODK Central's words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.actions.entity_receiving import APPROVED
from server.context import Context
from server.model.entities import EntityVersion
from server.model.people import ActorLine
from server.model.submissions import Submission, SubmissionVersion
from server.store import forms, people, reviews, submissions


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What brought a version about: the submission came, was edited, or was decided upon."""

    action: str
    actor: ActorLine | None
    at: datetime
    details: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FromSubmission:
    """The submission that a version came from, as it stands now; `gone`: it was deleted since, or its form was."""

    form_id: str
    submission: Submission
    current: SubmissionVersion
    submitter: ActorLine | None
    current_submitter: ActorLine | None
    user_agent: str | None
    event: Event
    gone: bool


def of(ctx: Context, versions: Iterable[EntityVersion]) -> dict[int, FromSubmission]:
    """The submissions behind versions, by the version's row id; inside an action that has asked, for whoever may identify
    people."""
    found = {}
    for one in versions:
        if one.submission_version_id is not None:
            found[one.id] = _of(ctx, one, submissions.get_version(ctx.conn, one.submission_version_id))
    return found


def _of(ctx: Context, one: EntityVersion, sent: SubmissionVersion) -> FromSubmission:
    submission = submissions.get(ctx.conn, sent.submission_id)
    current = submissions.get_current(ctx.conn, submission.id)
    form = forms.get_form(ctx.conn, submission.form_id)
    return FromSubmission(
        form_id=form.xml_form_id,
        submission=submission,
        current=current,
        submitter=_actor(ctx, submission.submitter_id),
        current_submitter=_actor(ctx, current.submitter_id),
        user_agent=submissions.get_user_agent(ctx.conn, sent.id),
        event=_event(ctx, one, submission, sent),
        gone=submission.deleted_at is not None or form.deleted_at is not None,
    )


def _event(ctx: Context, one: EntityVersion, submission: Submission, sent: SubmissionVersion) -> Event:
    about = {"instanceId": submission.instance_id, "submissionId": submission.id, "submissionDefId": sent.id}
    decided = [
        each
        for each in reviews.list_reviews(ctx.conn, submission.id)
        if each.state == APPROVED and sent.created_at < each.created_at <= one.created_at
    ]
    if decided:
        return Event(
            action="submission.update",
            actor=_actor(ctx, decided[-1].actor_id),
            at=decided[-1].created_at,
            details={**about, "reviewState": decided[-1].state},
        )
    return Event(
        action="submission.create" if sent.deprecated_id is None else "submission.update.version",
        actor=_actor(ctx, sent.submitter_id),
        at=sent.created_at,
        details=about,
    )


def _actor(ctx: Context, actor_id: int | None) -> ActorLine | None:
    return None if actor_id is None else people.find_line(ctx.conn, actor_id)

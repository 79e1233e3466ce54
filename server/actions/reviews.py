"""Reviews: what somebody decides about a submission, and what people say of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

from forms.problems import Sentence
from server import problems
from server.access import require
from server.actions import corrections, naming, sight
from server.actions.forms import get_form
from server.context import Context
from server.model.corrections import Comment
from server.model.forms import Form
from server.model.submissions import Submission, SubmissionVersion
from server.store import reviews, submissions

ReviewState = Literal["edited", "hasIssues", "approved", "rejected"]
REVIEW_STATES: Final[tuple[str, ...]] = get_args(ReviewState)
"""As ODK Central names them; none at all is a submission that was only received."""
MAX_TEXT: Final = 20_000
"""Characters of a comment or a note."""


@dataclass(frozen=True, slots=True)
class Described:
    """A submission, and the version whose answers stand."""

    submission: Submission
    version: SubmissionVersion


def get_submission(ctx: Context, project_id: int, form_id: str, instance_id: str) -> Described:
    """A submission, without who sent it and what it calls itself for whoever may not identify people.

    Raises Problem 404.1.
    """
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    return _described(ctx, form, instance_id)


def review(
    ctx: Context, project_id: int, form_id: str, instance_id: str, state: str | None, note: str | None = None
) -> Described:
    """Decide about a submission (None: received, as if nobody had); indicators follow at once.

    Raises Problem 404.1, and 400.8 for a state that there is not.
    """
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.update", form)
    if state is not None and state not in REVIEW_STATES:
        listed = ", ".join(REVIEW_STATES)
        raise problems.wrong_value(
            "reviewState", state[:60], Sentence(f"use {listed} o null.", f"use {listed} or null.")
        )
    note = _text("note", note) if note is not None and note.strip() else None
    submission = corrections.hold(ctx, form, instance_id)

    submissions.change(ctx.conn, submission.id, review_state=state)
    reviews.add_review(ctx.conn, submission.id, state=state, note=note, actor_id=ctx.actor_id, when=ctx.now())
    ctx.record(
        "submission.update",
        project_id=project_id,
        form_id=form.id,
        submission_id=submission.id,
        details={"reviewState": state},
    )
    corrections.finish(ctx, submission.id, corrected=False)
    return _described(ctx, form, instance_id)


def comment(ctx: Context, project_id: int, form_id: str, instance_id: str, body: str) -> Comment:
    """Say something of a submission; raises Problem 404.1, and 400.8 where nothing is said."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.update", form)
    submission = corrections.find(ctx, form, instance_id)
    body = _text("body", body)

    made = reviews.add_comment(ctx.conn, submission.id, body=body, actor_id=ctx.actor_id, when=ctx.now())
    ctx.record("submission.comment.create", project_id=project_id, form_id=form.id, submission_id=submission.id)
    return next(one for one in reviews.list_comments(ctx.conn, submission.id) if one.id == made)


def list_comments(ctx: Context, project_id: int, form_id: str, instance_id: str) -> list[Comment]:
    """What was said of a submission, the newest first, as ODK Central has it; to whoever may not identify people only by whom
    and on which day. Raises Problem 404.1."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    submission = corrections.find(ctx, form, instance_id)
    listed = reviews.list_comments(ctx.conn, submission.id)[::-1]
    seen = sight.of(ctx, form)
    if seen.identifies:
        return listed
    return [replace(one, body="", created_at=seen.when(one.created_at)) for one in listed]


def _described(ctx: Context, form: Form, instance_id: str) -> Described:
    submission = corrections.find(ctx, form, instance_id)
    version = submissions.get_current(ctx.conn, submission.id)
    seen = sight.of(ctx, form)
    if seen.identifies:
        return Described(submission, version)
    told = naming.of(ctx, form, [submission.instance_id])[submission.instance_id].told
    unknown: dict[str, Any] = {"instance_id": told, "submitter_id": None, "device_id": None}
    updated_at = None if submission.updated_at is None else seen.when(submission.updated_at)
    return Described(
        replace(submission, **unknown, created_at=seen.when(submission.created_at), updated_at=updated_at),
        replace(version, **unknown, created_at=seen.when(version.created_at), instance_name=None),
    )


def _text(field: str, text: str) -> str:
    """A text that says something; raises Problem 400.8."""
    said = text.strip()
    if "\0" in said:
        raise problems.not_storable()
    if not said:
        raise problems.wrong_value(field, "", Sentence("está en blanco.", "it is blank."))
    if len(said) > MAX_TEXT:
        told = Sentence(f"tiene más de {MAX_TEXT} letras.", f"it is longer than {MAX_TEXT} letters.")
        raise problems.wrong_value(field, f"{said[:40]}…", told)
    return said

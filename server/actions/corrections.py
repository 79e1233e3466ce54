"""Corrections: a value laid over an answer, taken back, confirmed after an edit; and the log of all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from forms import overlay
from forms.overlay import Place
from forms.problems import Problem, Sentence
from server import problems
from server.access import require
from server.actions import consents, following, naming, sight
from server.actions.forms import get_form
from server.actions.naming import Name
from server.actions.sight import Sight
from server.cleaning import corrections as rules
from server.cleaning import refusals, standing
from server.cleaning.standing import Standing
from server.context import Context
from server.model.corrections import CORRECTION_STATES, Correction, LoggedCorrection
from server.model.forms import Form
from server.model.submissions import Submission
from server.store import corrections, forms, submissions

MAX_REASON: Final = 2_000
"""Characters of a reason."""
UNSAID: Final = "\0"
"""Stands for an old value that nobody gave: nothing is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants an answer to be: `row` is the stable key of its row ("" or the submission's own: the form's row),
    `new_text` None is blank, and `old_text` what they saw there."""

    row: str
    path: str
    new_text: str | None
    reason: str
    old_text: str | None = UNSAID


@dataclass(frozen=True, slots=True)
class Corrected:
    """A correction that was made, and what should be said of it."""

    correction: Correction
    remark: Sentence | None


def correct(ctx: Context, project_id: int, form_id: str, instance_id: str, wish: Wish) -> Corrected:
    """Lay a value over an answer. Typed rows, indicators and entities follow at once; what was sent stays as it was.

    Raises Problem 404.1 (no such submission, row or question), 403.1 (also for an answer that whoever asks may not see),
    400.8 (a value of another type, no choice of the list, no reason, nothing to correct), 409.51 (something else stands there
    than was expected), 409.52 (it cannot be read), 409.54 (consent to keep such an answer was not given).
    """
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.update", form)
    submission = hold(ctx, form, instance_id)

    name = naming.of(ctx, form, [submission.instance_id])[submission.instance_id]
    made = lay(ctx, form, read(ctx, form, submission), replace(wish, row=name.mean(wish.row)))
    finish(ctx, submission.id)

    return replace(made, correction=_told(ctx, form, made.correction))


def withdraw(ctx: Context, project_id: int, form_id: str, number: int, reason: str) -> Correction:
    """Take a correction back: what lies beneath it stands again. Raises Problem 404.1, 400.8, 409.53."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.update", form)
    one = _open(ctx, form, number)

    corrections.change_state(
        ctx.conn, one.id, "withdrawn", when=ctx.now(), reason=_reason(reason), actor_id=ctx.actor_id
    )
    ctx.record(
        "submission.correction.update",
        project_id=project_id,
        form_id=form.id,
        submission_id=one.submission_id,
        details={"id": one.id, "state": "withdrawn"},
    )
    finish(ctx, one.submission_id, corrected=False)
    return _told(ctx, form, _get(ctx, form, number))


def confirm(ctx: Context, project_id: int, form_id: str, number: int, reason: str | None = None) -> Corrected:
    """Lay the value of a reopened correction over what the edit says, as a correction of its own.

    The reason is the former one where none is given. Raises Problem 404.1 (its row is gone), 409.53 (it is not reopened),
    400.8 (the value is none of this version of the form).
    """
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.update", form)
    one = _open(ctx, form, number)
    if one.state != "reopened":
        raise refusals.not_open(number, one.state)

    submission = submissions.lock(ctx.conn, one.submission_id)
    stands = read(ctx, form, submission)
    made = lay(
        ctx,
        form,
        stands,
        Wish(row=one.row_key, path=one.path, new_text=one.new_text, reason=reason or one.reason),
    )
    finish(ctx, submission.id)
    return replace(made, correction=_told(ctx, form, made.correction))


def list_log(
    ctx: Context, project_id: int, form_id: str, *, instance_id: str | None = None, states: Collection[str] = ()
) -> Iterator[LoggedCorrection]:
    """The cleaning log of a form, or of one submission, eldest first; read while the context is open.

    Of answers that whoever asks may not see, neither values nor reasons are told; nor, to whoever may not identify people,
    whose answers they are, unless `instance_id` says so. Raises Problem 404.1, and 400.8 for a state
    that there is not.
    """
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    for state in states:
        if state not in CORRECTION_STATES:
            listed = ", ".join(CORRECTION_STATES)
            raise problems.wrong_value("state", state, Sentence(f"use {listed}.", f"use {listed}."))
    submission = find(ctx, form, instance_id) if instance_id is not None else None
    seen = sight.of(ctx, form)
    logged = corrections.log(
        ctx.conn, form.id, submission_id=None if submission is None else submission.id, states=states
    )
    if seen.identifies:
        return logged
    names = naming.of(ctx, form, [submission.instance_id]) if submission is not None else {}
    denied: dict[int, frozenset[str]] = {}
    return (_without_keys(_hide(ctx, form, line, seen, denied), seen, names.get(line.key)) for line in logged)


def note_log(
    ctx: Context, project_id: int, form_id: str, instance_id: str | None = None, reason: str | None = None
) -> None:
    """The audit line of the log, or of one record's, that was read."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    if instance_id is None:
        sight.note_export(ctx, form, "corrections.log", reason)
    else:
        sight.note_opened(ctx, form, find(ctx, form, instance_id).id, "corrections", reason)


def _hide(
    ctx: Context, form: Form, line: LoggedCorrection, seen: Sight, denied: dict[int, frozenset[str]]
) -> LoggedCorrection:
    """The line without what may not be seen; `denied` remembers, by submission, what its newest answers no longer allow."""
    of = line.correction.submission_id
    if of not in denied:
        denied[of] = consents.denied(ctx, form, of)
    return hide(line, replace(seen, denied=denied[of]))


def _without_keys(line: LoggedCorrection, seen: Sight, name: Name | None) -> LoggedCorrection:
    """A line as whoever may not identify people sees it: of one record with its pseudonym, of many with no key at all."""
    one = line.correction
    row_key = name.tell(one.row_key) if name is not None else ""
    changed_at = None if line.changed_at is None else seen.when(line.changed_at)
    bare = replace(one, row_key=row_key, created_at=seen.when(one.created_at))
    return replace(line, key=name.told if name is not None else "", correction=bare, changed_at=changed_at)


def _told(ctx: Context, form: Form, one: Correction) -> Correction:
    """A correction as whoever made it may see it."""
    require(ctx, "submission.read", form)
    key = submissions.lock(ctx.conn, one.submission_id).instance_id
    name = naming.of(ctx, form, [key]).get(key)
    return replace(one, row_key=name.tell(one.row_key) if name is not None else "")


def hide(line: LoggedCorrection, seen: Sight) -> LoggedCorrection:
    """A line of the log without what may not be seen."""
    one = line.correction
    if not seen.hides(one.path):
        return line
    bare = replace(one, raw_text=None, old_text=None, new_text=None, reason="")
    return replace(line, correction=bare, change_reason=None)


def find(ctx: Context, form: Form, instance_id: str) -> Submission:
    """A living submission by what whoever asks calls it; raises Problem 404.1."""
    require(ctx, "submission.read", form)
    found = naming.find(ctx, form, instance_id)
    if found is None or found.deleted_at is not None:
        raise refusals.no_submission(instance_id)
    return found


def hold(ctx: Context, form: Form, instance_id: str) -> Submission:
    """The same, held against other changes; its form first, as whoever writes rows does."""
    found = find(ctx, form, instance_id)
    forms.hold_for_rows(ctx.conn, found.id)
    return submissions.lock(ctx.conn, found.id)


def read(ctx: Context, form: Form, submission: Submission) -> Standing:
    """What stands of a submission, for whoever corrects it. Raises Problem 409.52."""
    require(ctx, "submission.read", form)
    stands = standing.read(ctx.conn, form, submission)
    if stands is None or stands.sent.encrypted:
        raise refusals.unreadable(submission.instance_id)
    return stands


def look(stands: Standing, wish: Wish, seen: Sight) -> tuple[str, str, str | None]:
    """Where a wish would lie (row in the current version, path) and what stands there; raises what `correct` raises."""
    submission = stands.submission
    key = wish.row or submission.instance_id
    place = stands.places.get(key)
    if place is None:
        raise refusals.no_row(key)
    entry = stands.find_question(wish.path)
    table = stands.table_of(place)
    if entry is None or stands.schema.repeat_of(entry.path) != table:
        raise refusals.no_question(wish.path, key)
    if seen.hides(entry.path):
        raise problems.insufficient_rights()
    said = stands.answers.get((place, entry.path))
    type_ = entry.type or "string"
    if wish.old_text != UNSAID and not rules.same(type_, wish.old_text or None, said):
        raise refusals.not_as_expected(entry.path, wish.old_text, said)
    refused = rules.refusal(stands.schema, entry, wish.new_text)
    if refused is not None:
        raise problems.wrong_value("newValue", "" if wish.new_text is None else wish.new_text[:200], refused)
    return place, entry.path, said


def lay(ctx: Context, form: Form, stands: Standing, wish: Wish) -> Corrected:
    """Keep a correction of a submission that is held; nothing follows yet. Raises what `correct` raises."""
    require(ctx, "submission.update", form)
    reason = _reason(wish.reason)
    place, path, said = look(stands, wish, sight.of(ctx, form))
    reopened = [
        one.correction for one in stands.found if one.place == (place, path) and one.correction.state == "reopened"
    ]
    if said == wish.new_text and not reopened:
        raise refusals.nothing_to_correct(path, said)
    if wish.new_text is not None:
        require_consent(ctx, form, stands, (place, path), wish.new_text)

    made = Correction(
        id=0,
        submission_id=stands.submission.id,
        version_id=stands.version.id,
        row_place=place,
        row_key=stands.keys[place],
        path=path,
        raw_text=stands.sent_answers.get((place, path)),
        old_text=said,
        new_text=wish.new_text,
        reason=reason,
        state="active",
        replaces_id=reopened[-1].id if reopened else None,
        actor_id=ctx.actor_id,
        created_at=ctx.now(),
    )
    made = replace(made, id=corrections.add(ctx.conn, made))
    for one in reopened:
        corrections.change_state(ctx.conn, one.id, "replaced", when=ctx.now(), reason=reason, actor_id=ctx.actor_id)
    ctx.record(
        "submission.correction.create",
        project_id=form.project_id,
        form_id=form.id,
        submission_id=stands.submission.id,
        details={"id": made.id, "path": path},
    )
    return Corrected(made, rules.remark(stands.schema, stands.schema.by_path[path]))


def require_consent(ctx: Context, form: Form, stands: Standing, at: Place, text: str) -> None:
    """Raises Problem 409.54 where what stands of the submission does not allow such an answer to be kept."""
    require(ctx, "submission.read", form)
    if not consents.guards(ctx, form, stands.version.form_version_id):
        return
    laid = overlay.lay(stands.instance, stands.schema, {at: text})
    for one in consents.allow(ctx, form, stands.version.form_version_id, laid).withheld:
        if at[1] == one.path or at[1].startswith(f"{one.path}/"):
            raise refusals.not_allowed(at[1], one.question)


def finish(ctx: Context, submission_id: int, *, corrected: bool = True) -> None:
    """Let everything follow from what now stands of a submission, where flags that go are `corrected` ones. The gate was
    taken by the action that asks."""
    submissions.change(ctx.conn, submission_id, updated_at=ctx.now())
    following.follow_stored(ctx, submission_id, corrected=corrected)


def _open(ctx: Context, form: Form, number: int) -> Correction:
    """A correction that can be decided upon, its submission held; raises Problem 404.1, 409.53."""
    found = _get(ctx, form, number)
    forms.hold_for_rows(ctx.conn, found.submission_id)
    submissions.lock(ctx.conn, found.submission_id)
    found = _get(ctx, form, number)  # somebody else may just have decided
    if found.state not in ("active", "reopened"):
        raise refusals.not_open(number, found.state)
    return found


def _get(ctx: Context, form: Form, number: int) -> Correction:
    found = corrections.find(ctx.conn, form.id, number)
    if found is None:
        raise refusals.no_correction(number)
    return found


def _reason(text: str) -> str:
    """A reason that says something; raises Problem 400.8."""
    reason = text.strip()
    if not reason:
        raise _bad_reason(text, Sentence("diga por qué se corrige.", "say why it is corrected."))
    if len(reason) > MAX_REASON:
        raise _bad_reason(reason[:40], Sentence(f"como máximo {MAX_REASON} letras.", f"{MAX_REASON} letters at most."))
    return reason


def _bad_reason(text: str, why: Sentence) -> Problem:
    return problems.wrong_value("reason", text, why)

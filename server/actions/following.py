"""What follows from a submission: its typed rows today, and whatever else must keep step with it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from forms import instance as instances
from forms.instance import Instance
from forms.tables import Misfit
from server.access import require
from server.actions import checks, entity_corrections, entity_receiving
from server.cleaning import standing
from server.cleaning.standing import Standing
from server.context import Context
from server.db import Again
from server.indicators import catalogue, filling
from server.model.cleaning import Found
from server.model.forms import Form
from server.model.submissions import Submission
from server.prepared import statement
from server.store import corrections, flags, follow_failures, forms, people, submissions
from server.tables import registry, rows
from server.tables.rows import Provenance, Tabulator

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Told how many submissions are done, and how many there are."""

CORRECTIONS: Final = "corrections"
ENTITIES: Final = "entities"
INDICATORS: Final = "indicators"
CHECKS: Final = "checks"
CHUNK: Final = 200
"""Submissions that are written again in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A submission whose current version others must follow. `fresh`: nothing has followed from it yet; `corrected`: it
    follows once more because a correction came or went, and flags that go are corrected ones.

    `instance` has the corrections laid over it; `stands` is what that was read from, where there is more than was sent;
    `stable_keys` are those of repeat rows by their keys, where these differ; `reopened` are corrections that an edit reopened
    and nobody has decided upon.
    """

    form: Form
    submission: Submission
    instance: Instance
    form_version_id: int | None
    form_version_sha256: str | None
    submitter: str | None
    fresh: bool
    stands: Standing | None = None
    stable_keys: Mapping[str, str] = field(default_factory=dict)
    reopened: Sequence[standing.Reopened] = ()
    corrected: bool = False


Follower = Callable[[Context, Followed], None]


def follow(ctx: Context, followed: Followed, *, leave: Collection[str] = ()) -> None:
    """Let every follower of the table FOLLOWERS (but those in `leave`) do its part, each in a savepoint.

    One that fails leaves nothing half done; its failure is written down with the submission and tried again later. Almost
    none ever does, so the first run goes without savepoints, and a failure there raises Again.
    """
    followers = {name: follower for name, follower in FOLLOWERS.items() if name not in leave}
    if not ctx.careful:
        for follower in followers.values():
            try:
                follower(ctx, followed)
            except Exception as error:
                raise Again from error
        return
    for name, follower in followers.items():
        _try(ctx, followed, name, follower)


def _try(ctx: Context, followed: Followed, name: str, work: Callable[[Context, Followed], T]) -> T | None:
    """What `work` gives; None where it failed, which is written down and leaves nothing half done."""
    done = None
    statement(ctx.conn, "SAVEPOINT follow")
    try:
        done = work(ctx, followed)
    except Exception as error:
        if getattr(error, "connection_invalidated", False):
            raise
        statement(ctx.conn, "ROLLBACK TO SAVEPOINT follow")
        reason = "".join(traceback.format_exception_only(error)).strip()
        follow_failures.note(ctx.conn, followed.submission.id, name, reason, ctx.now())
    else:
        if not followed.fresh:
            follow_failures.clear(ctx.conn, followed.submission.id, name)
    statement(ctx.conn, "RELEASE SAVEPOINT follow")
    return done


def follow_stored(ctx: Context, submission_id: int, *, leave: Collection[str] = (), corrected: bool = False) -> None:
    """Let everything (but the followers in `leave`) follow once more from what is stored of a submission.

    `corrected`: for the sake of a correction, so that a flag which is found no more is a corrected one.
    """
    form = forms.hold_for_rows(ctx.conn, submission_id)
    submission = submissions.lock(ctx.conn, submission_id)
    if submission.draft:
        return
    if submission.deleted_at is not None:
        forget(ctx, form, submission_id, leave=leave)
        return
    current = submissions.get_current(ctx.conn, submission_id)
    version = forms.get_version(ctx.conn, current.form_version_id) if current.form_version_id else None
    submitter = people.find_name(ctx.conn, submission.submitter_id) if submission.submitter_id else None
    followed = Followed(
        form=form,
        submission=submission,
        instance=instances.read(submissions.get_xml(ctx.conn, current.id)),
        form_version_id=current.form_version_id,
        form_version_sha256=version.sha256 if version else None,
        submitter=submitter,
        fresh=False,
        corrected=corrected,
    )
    follow(ctx, _lay(ctx, followed), leave=leave)


def follow_corrected(ctx: Context, form: Form, stands: Standing) -> None:
    """Let everything follow from a submission that is held, as its form is, for the sake of corrections that were made since
    `stands` was read. Runs inside an action that has asked."""
    now = standing.again(ctx.conn, stands, replace(stands.submission, updated_at=ctx.now()))
    submission, version = now.submission, None
    if now.version.form_version_id is not None:
        version = forms.get_version(ctx.conn, now.version.form_version_id)
    followed = Followed(
        form=form,
        submission=submission,
        instance=now.sent,
        form_version_id=version.id if version is not None else None,
        form_version_sha256=version.sha256 if version is not None else None,
        submitter=people.find_name(ctx.conn, submission.submitter_id) if submission.submitter_id else None,
        fresh=False,
        corrected=True,
    )
    follow(ctx, _stood(ctx, followed, now))


def forget(ctx: Context, form: Form, submission_id: int, *, leave: Collection[str] = ()) -> None:
    """Take back what followed from a submission (but what the followers in `leave` did)."""
    rows.clear(ctx.conn, registry.load(ctx.conn, form.id), submission_id)
    if ENTITIES not in leave:
        entity_receiving.forget(ctx, submission_id)
    if INDICATORS not in leave:
        facts_of(ctx, form).clear(ctx.conn, submission_id)
    if CHECKS not in leave:
        checks.forget(ctx, form, submission_id)


def check_stored(ctx: Context, submission_id: int) -> None:
    """Let the checks alone follow once more: something beside the answers of a submission is another."""
    follow_stored(ctx, submission_id, leave=[name for name in FOLLOWERS if name != CHECKS])


def tabulate_all(ctx: Context, form_id: int, *, progress: Progress | None = None) -> None:
    """Write every typed row of a form again, inside the present transaction; its facts and flags are then to be made anew.

    The gate was taken by the action that asks.
    """
    every, done, above = submissions.count_every(ctx.conn, form_id), 0, 0
    while chunk := submissions.list_ids(ctx.conn, form_id, above=above, most=CHUNK):
        for submission_id in chunk:
            follow_stored(ctx, submission_id, leave=(ENTITIES, INDICATORS, CHECKS))
        above, done = chunk[-1], done + len(chunk)
        if progress:
            progress(done, every)


def retry_failures(ctx: Context, *, most: int = 50) -> int:
    """Try again what failed to follow; gives how many submissions were tried."""
    require(ctx, "config.set", None)
    waiting = list(dict.fromkeys(failure[0] for failure in follow_failures.list_all(ctx.conn, most=most)))
    for submission_id in sorted(waiting):  # in the order of a rebuild, so that neither waits for the other
        follow_stored(ctx, submission_id)
    return len(waiting)


def _lay(ctx: Context, followed: Followed) -> Followed:
    """The submission with its corrections laid over it; as it was sent where that failed, which is tried again later."""
    if ctx.careful:
        return _try(ctx, followed, CORRECTIONS, _laid) or followed
    try:
        return _laid(ctx, followed)
    except Exception as error:
        raise Again from error


def _laid(ctx: Context, followed: Followed) -> Followed:
    if followed.instance.encrypted:
        return followed
    stands = standing.follow(ctx.conn, followed.form, followed.submission)
    if stands is None:
        return followed
    return _stood(ctx, followed, stands)


def _stood(ctx: Context, followed: Followed, stands: Standing) -> Followed:
    _note_edit(ctx, followed, stands)
    return replace(
        followed,
        instance=stands.instance,
        stands=stands,
        stable_keys=stands.stable_keys(),
        reopened=stands.reopened(),
    )


def _note_edit(ctx: Context, followed: Followed, stands: Standing) -> None:
    """What an edit made of corrections: those that it touched are not laid over it, and somebody must be told."""
    for one in stands.renamed:
        corrections.rename_row(ctx.conn, one.id, one.row_key)
    for one, state in stands.decision.changes:
        corrections.change_state(ctx.conn, one.id, state, when=ctx.now(), version_id=stands.version.id)
        ctx.record(
            "submission.correction.update",
            project_id=followed.form.project_id,
            form_id=followed.form.id,
            submission_id=followed.submission.id,
            details={"id": one.id, "state": state},
        )


def _tabulate(ctx: Context, followed: Followed) -> None:
    """Typed rows and, for what found no place in them, flags."""
    conn, form = ctx.conn, followed.form
    version_id, sha256 = followed.form_version_id, followed.form_version_sha256
    if version_id is None or sha256 is None:
        if form.current_version_id is None:
            return
        version = forms.get_version(conn, form.current_version_id)
        version_id, sha256 = version.id, version.sha256
    key = ("tabulator", form.id, form.layout_revision, sha256)
    known = version_id
    tabulator = registry.remember(conn, key, lambda: _tabulator(ctx, form, known))
    submission = followed.submission
    misfits = tabulator.write(
        conn,
        followed.instance,
        Provenance(
            submission_id=submission.id,
            instance_id=submission.instance_id,
            received_at=submission.created_at,
            updated_at=submission.updated_at,
            submitter_id=submission.submitter_id,
            submitter=followed.submitter,
            device_id=submission.device_id,
            review_state=submission.review_state,
            edits=submission.edits,
            stable_keys=followed.stable_keys,
        ),
        fresh=followed.fresh,
    )
    found = [_flag(submission.id, misfit) for misfit in misfits]
    found.extend(_reopened_flag(submission.id, one) for one in followed.reopened)
    if followed.form_version_id is None:
        found.append(_version_flag(followed))
    raised = [] if followed.fresh else flags.list_tabulated(conn, submission.id)
    if found or raised:
        flags.settle(conn, raised, found, now=ctx.now(), corrected=followed.corrected)


def _measure(ctx: Context, followed: Followed) -> None:
    """What the submission gives to each indicator."""
    writer = facts_of(ctx, followed.form)
    writer.write(ctx.conn, followed.submission.id, fresh=followed.fresh, careful=ctx.careful)


def facts_of(ctx: Context, form: Form) -> filling.Writer:
    """What writes the facts of a form's submissions."""
    key = ("facts", form.id, form.layout_revision)
    return registry.remember(ctx.conn, key, lambda: filling.Writer(catalogue.tables_of(ctx.conn, form)))


def _check(ctx: Context, followed: Followed) -> None:
    """The flags that checks raise."""
    checks.judge(
        ctx,
        followed.form,
        followed.submission.id,
        instance=followed.instance,
        received_at=followed.submission.created_at,
        fresh=followed.fresh,
        corrected=followed.corrected,
    )


def _apply_entities(ctx: Context, followed: Followed) -> None:
    """What the submission makes of entities, and its corrections of those that it made."""
    entity_receiving.apply(
        ctx,
        followed.form,
        followed.submission,
        followed.instance,
        followed.form_version_id,
        followed.form_version_sha256,
        followed.stands,
        fresh=followed.fresh,
    )
    if followed.stands is not None:
        entity_corrections.bring(ctx, followed.form, followed.stands)


FOLLOWERS: Final[dict[str, Follower]] = {
    "tables": _tabulate,
    ENTITIES: _apply_entities,
    INDICATORS: _measure,
    CHECKS: _check,
}
"""Everything that follows from a received or edited submission, in this order."""


def _tabulator(ctx: Context, form: Form, version_id: int) -> Tabulator:
    schema = registry.schema_of(ctx.conn, forms.get_version(ctx.conn, version_id))
    return Tabulator(ctx.conn, registry.load(ctx.conn, form.id), schema)


def _flag(submission_id: int, misfit: Misfit) -> Found:
    return Found(
        submission_id=submission_id,
        check=f"builtin:{misfit.reason}",
        row_key=misfit.row_key,
        path=misfit.path,
        text=misfit.text,
        severity="error" if misfit.reason == "type" else "warning",
    )


def _reopened_flag(submission_id: int, one: standing.Reopened) -> Found:
    return Found(
        submission_id=submission_id,
        check="builtin:correction",
        row_key=one.row_key,
        path=one.path,
        text=one.text,
    )


def _version_flag(followed: Followed) -> Found:
    return Found(
        submission_id=followed.submission.id,
        check="builtin:form_version",
        row_key=followed.submission.instance_id,
        text=followed.instance.version,
    )

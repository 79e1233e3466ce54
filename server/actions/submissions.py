"""Receiving: the one way in for every submission, from a phone, a browser or a hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from forms import audit_log
from forms.consent import Allowed
from forms.instance import Instance
from forms.media import named_files, same_name
from forms.receipt import Held, MoreAttachments, NewSubmission, NewVersion, decide
from server import problems
from server.access import require
from server.actions import consents, drafts, naming, withdrawn_arrivals
from server.actions.following import Followed, check_stored, follow, follow_stored, forget
from server.blobs.blobs import Blob
from server.cleaning.standing import newest
from server.context import Context
from server.db import Again
from server.model.forms import Form
from server.model.submissions import Submission, SubmissionVersion
from server.store import entity_receipts, forms, projects, reviews, submission_attachments, submissions
from server.tables import registry

EDITED: Final = "edited"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that came with an instance and is among the blobs already."""

    name: str
    blob: Blob
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Where an instance came from, as far as it says."""

    device_id: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of an instance: the version it is, and whether it is new."""

    submission_id: int
    version_id: int
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Destination:
    form: Form
    form_version_id: int | None
    form_version_sha256: str | None
    draft: bool
    gone: bool = False


def receive(ctx: Context, project_id: int, instance: Instance, files: Sequence[File], device: Device) -> Received:
    """Keep an instance and its files, and let everything follow from it.

    Closed and deleted forms and old or unknown versions are accepted: a phone that was away for months has nobody to ask.
    Sent again, the same instance adds only files, also where its form was deleted since and its id given to another one;
    other content under an id that only the deleted form knows is a submission of the living form. Raises Problem 404.1
    where the project never had the form, 409.1 where the id is taken by other content. Sources: OpenRosa Form Submission
    API; ODK XForms specification, "deprecatedID".
    """
    found = forms.find_for_submission(ctx.conn, project_id, instance.form_id, instance.version)
    require(ctx, "submission.create", found[0][0] if found else projects.find_project(ctx.conn, project_id))
    if not found:
        raise problems.form_not_found(instance.form_id)
    form, form_version_id, sha256 = next(
        (former for former in found[1:] if _holds(ctx, former[0], former[1], instance)), found[0]
    )

    return _keep(
        ctx,
        _Destination(form=form, form_version_id=form_version_id, form_version_sha256=sha256, draft=False),
        instance,
        files,
        device,
    )


def list_withheld(ctx: Context, project_id: int, instance: Instance, token: str | None = None) -> frozenset[str]:
    """The files that an arriving instance names in answers which may not be kept, by its own consents or since a person took
    back the consent: they are not to be stored.

    `token` is that of the draft which the instance tries. Raises what receiving it would.
    """
    if token is not None:
        form, version = drafts.get_draft(ctx, project_id, instance.form_id, token)
        return _withheld(ctx, form, version.id, instance)
    found = forms.find_for_submission(ctx.conn, project_id, instance.form_id, instance.version)
    require(ctx, "submission.create", found[0][0] if found else projects.find_project(ctx.conn, project_id))
    if not found:
        raise problems.form_not_found(instance.form_id)
    return _withheld(ctx, found[0][0], found[0][1], instance)


def _withheld(ctx: Context, form: Form, form_version_id: int | None, instance: Instance) -> frozenset[str]:
    allowed = consents.allow(ctx, form, form_version_id, instance)
    return allowed.files | withdrawn_arrivals.allow(ctx, form, form_version_id, allowed.instance).files


def _holds(ctx: Context, former: Form, form_version_id: int | None, instance: Instance) -> bool:
    """Whether this very document was received for a form that was deleted since: sent again, it is no new submission."""
    same, _ = submissions.held(ctx.conn, former.id, draft=False, instance=instance)
    if same is None:
        return False
    kept = consents.allow(ctx, former, form_version_id, instance).instance
    return consents.recognise(ctx, former, form_version_id, same, kept)


def receive_test(
    ctx: Context, project_id: int, token: str, instance: Instance, files: Sequence[File], device: Device
) -> Received:
    """Keep an instance that tries a draft, apart from real data; the token is the permission. Raises Problem 404.4."""
    form, version = drafts.get_draft(ctx, project_id, instance.form_id, token)
    destination = _Destination(form=form, form_version_id=version.id, form_version_sha256=version.sha256, draft=True)
    return _keep(ctx, destination, instance, files, device)


def _keep(
    ctx: Context, destination: _Destination, instance: Instance, files: Sequence[File], device: Device
) -> Received:
    form = destination.form
    allowed = consents.allow(ctx, form, destination.form_version_id, instance)
    arrived = withdrawn_arrivals.allow(ctx, form, destination.form_version_id, allowed.instance)
    destination, instance = replace(destination, gone=arrived.gone), arrived.instance
    files = [file for file in files if same_name(file.name) not in allowed.files | arrived.files]
    if instance.deprecated_id is None and not ctx.careful:
        received = _begin(ctx, destination, NewSubmission(awaits=None), instance, files, device)
        if received is not None:
            return _noted(ctx, form, received, allowed)
    submissions.lock_edits(ctx.conn, form.id)
    same, neighbours = submissions.held(ctx.conn, form.id, draft=destination.draft, instance=instance)
    if same is not None and consents.recognise(ctx, form, destination.form_version_id, same, instance):
        same = replace(same, fingerprint=instance.fingerprint)

    receipt = decide(instance, same=same, neighbours=neighbours)

    if isinstance(receipt, MoreAttachments):
        return _add_files(ctx, form, receipt.held, files)
    if isinstance(receipt, NewSubmission):
        begun = _begin(ctx, destination, receipt, instance, files, device)
        if begun is None:  # another one began it meanwhile
            raise Again
        return _noted(ctx, form, begun, allowed)
    return _noted(ctx, form, _extend(ctx, destination, receipt, instance, files, device), allowed)


def _noted(ctx: Context, form: Form, received: Received, allowed: Allowed) -> Received:
    if allowed.withheld:
        consents.note(ctx, form, received.submission_id, received.version_id, allowed.withheld)
    return received


def _begin(
    ctx: Context,
    destination: _Destination,
    receipt: NewSubmission,
    instance: Instance,
    files: Sequence[File],
    device: Device,
) -> Received | None:
    """The first version of a submission; None where one with its id is held already."""
    form, now = destination.form, ctx.now()
    actor_id = ctx.actor.id if ctx.actor else None
    instance_id = receipt.awaits or instance.instance_id
    begun = submissions.begin(
        ctx.conn,
        form_id=form.id,
        draft=destination.draft,
        instance_id=instance_id,
        form_version_id=destination.form_version_id,
        instance=instance,
        submitter_id=actor_id,
        device_id=device.device_id,
        user_agent=device.user_agent,
        created_at=now,
    )
    if begun is None:
        return None
    submission_id, version_id = begun
    _keep_files(ctx, destination, version_id, instance, files)
    if destination.gone:  # nothing follows from it: it is kept to be known again
        submissions.change(ctx.conn, submission_id, deleted_at=now)
    elif not destination.draft:
        follow(
            ctx,
            Followed(
                form=form,
                submission=Submission(
                    id=submission_id,
                    form_id=form.id,
                    draft=False,
                    instance_id=instance_id,
                    submitter_id=actor_id,
                    device_id=device.device_id,
                    review_state=None,
                    edits=0,
                    created_at=now,
                    updated_at=None,
                    deleted_at=None,
                ),
                instance=instance,
                form_version_id=destination.form_version_id,
                form_version_sha256=destination.form_version_sha256,
                submitter=ctx.actor.display_name if ctx.actor else None,
                fresh=True,
            ),
        )

    ctx.record("submission.create", project_id=form.project_id, form_id=form.id, submission_id=submission_id)
    return Received(submission_id=submission_id, version_id=version_id, new=True)


def _extend(
    ctx: Context,
    destination: _Destination,
    receipt: NewVersion,
    instance: Instance,
    files: Sequence[File],
    device: Device,
) -> Received:
    form, submission_id = destination.form, receipt.submission_id
    before = [submissions.get(ctx.conn, one).instance_id for one in (submission_id, *receipt.joined)]
    for joined in receipt.joined:
        entity_receipts.move(ctx.conn, joined, submission_id)
        submissions.merge(ctx.conn, joined, submission_id)
        forget(ctx, form, joined)  # it turned out to be part of this one
    version_id = submissions.add_version(
        ctx.conn,
        submission_id=submission_id,
        form_id=form.id,
        draft=destination.draft,
        form_version_id=destination.form_version_id,
        instance=instance,
        submitter_id=ctx.actor.id if ctx.actor else None,
        device_id=device.device_id,
        user_agent=device.user_agent,
        created_at=ctx.now(),
    )
    _keep_files(ctx, destination, version_id, instance, files)
    chain = submissions.list_versions(ctx.conn, submission_id)
    current = newest(chain)
    submissions.set_current(ctx.conn, submission_id, current.id)
    _carry_files(ctx, chain)
    key = eldest_id(chain, current)
    submissions.change(
        ctx.conn,
        submission_id,
        instance_id=key,
        review_state=EDITED,
        edits=len(chain) - 1,
        created_at=min(version.created_at for version in chain),
        updated_at=ctx.now(),
    )
    if not destination.draft:
        naming.pass_on(ctx, form, before, key)
    reviews.add_review(ctx.conn, submission_id, state=EDITED, note=None, actor_id=ctx.actor_id, when=ctx.now())
    if not destination.draft:
        follow_stored(ctx, submission_id)

    ctx.record(
        "submission.update.version",
        project_id=form.project_id,
        form_id=form.id,
        submission_id=submission_id,
        details={"instanceId": instance.instance_id},
    )
    return Received(submission_id=submission_id, version_id=version_id, new=True)


def eldest_id(chain: Sequence[SubmissionVersion], current: SubmissionVersion) -> str:
    """The first id of the chain of edits that ends in `current`, even where that version never came."""
    by_id = {version.instance_id: version for version in chain}
    seen: set[str] = set()
    version: SubmissionVersion | None = current
    eldest = current.instance_id
    while version is not None and version.instance_id not in seen:
        seen.add(version.instance_id)
        eldest = version.deprecated_id or version.instance_id
        version = by_id.get(version.deprecated_id or "")
    return eldest


def _keep_files(
    ctx: Context, destination: _Destination, version_id: int, instance: Instance, files: Sequence[File]
) -> None:
    form_version_id = destination.form_version_id or destination.form.current_version_id
    if instance.encrypted:
        expected = named_files(frozenset(), instance)
    elif form_version_id is not None:
        expected = named_files(_media_paths(ctx, form_version_id, destination.form_version_sha256), instance)
    else:
        expected = ()
    submission_attachments.expect(ctx.conn, version_id, expected)
    for file in files:
        submission_attachments.keep(
            ctx.conn,
            version_id,
            same_name(file.name),
            file.blob,
            content_type=file.content_type,
            when=ctx.now(),
        )


def _media_paths(ctx: Context, form_version_id: int, sha256: str | None) -> frozenset[str]:
    def read() -> frozenset[str]:
        schema = registry.schema_of(ctx.conn, forms.get_version(ctx.conn, form_version_id))
        return frozenset(field.path for field in schema.fields if field.type == "binary")

    return registry.remember(ctx.conn, ("media", sha256), read) if sha256 else read()


def _carry_files(ctx: Context, chain: Sequence[SubmissionVersion]) -> None:
    """An edit need not bring again the files of the version that it edits."""
    by_id = {version.instance_id: version for version in chain}
    for version in sorted(chain, key=lambda version: _depth(version, by_id)):
        earlier = by_id.get(version.deprecated_id or "")
        if earlier is None:
            continue
        held = {file.name: file for file in submission_attachments.list_attachments(ctx.conn, earlier.id)}
        for file in submission_attachments.list_attachments(ctx.conn, version.id):
            source = held.get(file.name)
            if file.sha256 is None and source is not None and source.sha256 is not None:
                submission_attachments.keep(
                    ctx.conn,
                    version.id,
                    file.name,
                    Blob(source.sha256, "", source.size or 0),
                    content_type=source.content_type or "application/octet-stream",
                    when=ctx.now(),
                )


def _depth(version: SubmissionVersion, by_id: dict[str, SubmissionVersion]) -> int:
    seen: set[str] = set()
    at: SubmissionVersion | None = version
    while at is not None and at.instance_id not in seen:
        seen.add(at.instance_id)
        at = by_id.get(at.deprecated_id or "")
    return len(seen)


def _add_files(ctx: Context, form: Form, held: Held, files: Sequence[File]) -> Received:
    present = {file.name: file.sha256 for file in submission_attachments.list_attachments(ctx.conn, held.version_id)}
    new = [file for file in files if present.get(same_name(file.name)) != file.blob.sha256]
    for file in new:
        submission_attachments.keep(
            ctx.conn,
            held.version_id,
            same_name(file.name),
            file.blob,
            content_type=file.content_type,
            when=ctx.now(),
        )
    if new:
        ctx.record(
            "submission.attachment.update",
            project_id=form.project_id,
            form_id=form.id,
            submission_id=held.submission_id,
            details={"names": [file.name for file in new]},
        )
        chain = submissions.list_versions(ctx.conn, held.submission_id)
        if len(chain) > 1:
            _carry_files(ctx, chain)
        if any(same_name(file.name) == audit_log.NAME for file in new):
            check_stored(ctx, held.submission_id)
    return Received(submission_id=held.submission_id, version_id=held.version_id, new=False)

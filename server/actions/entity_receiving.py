"""What submissions do to entities: their blocks applied, held until their turn, or noted with what was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Final

from forms import entities as blocks
from forms import entity_labels, entity_problems
from forms.entities import Block, Change
from forms.entity_problems import told
from forms.entity_receipt import (
    Await,
    Circumstances,
    FirstVersion,
    HeldEntity,
    HeldVersion,
    Hold,
    NextVersion,
    decide,
)
from forms.instance import Instance
from forms.problems import Problem
from forms.schema import Schema
from server.access import require
from server.actions import entity_blocks
from server.cleaning.standing import Standing
from server.context import Context
from server.model.entities import DONE, Dataset, Entity, EntityReceipt, EntityVersion
from server.model.forms import Form
from server.model.submissions import Submission, SubmissionVersion
from server.store import datasets, entities, entity_links, entity_receipts, forms, merging, submissions, withdrawals
from server.tables import registry

APPROVED: Final = "approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """Where a block came from: who sent the version, with what, and whether the submission is approved."""

    form: Form
    submission_id: int
    version_id: int
    submitter_id: int | None
    user_agent: str | None
    approved: bool
    schema: Schema | None


def apply(
    ctx: Context,
    form: Form,
    submission: Submission,
    instance: Instance,
    form_version_id: int | None,
    sha256: str | None,
    stands: Standing | None = None,
    *,
    fresh: bool = False,
) -> None:
    """Do what the entity blocks of a submission's current version say, but for those that were done already, and keep which
    row speaks of which entity. `fresh`: nothing was done for this submission yet.

    `stands` is what the corrections were read from that are laid over `instance`: they change labels too.

    What fails is noted with the submission and leaves the other blocks alone. An edit of a submission whose block was done
    changes nothing: the phone repeats the block with every edit. Source: ODK Entities specification.
    """
    schema = _schema(ctx, form, form_version_id, sha256)
    if schema is None or not schema.entities:
        return
    found = blocks.read(schema, instance)
    if not found:
        if not fresh:
            entity_links.clear(ctx.conn, submission.id)
        return
    lists = datasets.hold(ctx.conn, form.project_id, {block.dataset for block in found})
    entity_links.replace(ctx.conn, submission.id, entity_blocks.links(submission, found, lists), fresh=fresh)
    done = {} if fresh else entity_receipts.list_of_submission(ctx.conn, submission.id)
    version = submissions.get_current(ctx.conn, submission.id)
    origin = _origin(ctx, form, submission, version, schema)
    for block in found:
        before = entity_blocks.before(done, block)
        if before is not None and before.outcome in DONE:
            continue
        if before is None and block.key in done:
            block = replace(block, key=entity_blocks.another_key(block))
        label = entity_labels.laid(schema, block, stands.sent_answers, stands.answers) if stands is not None else None
        if label is not None:
            block = replace(block, label=label)
        _take(ctx, origin, block, lists.get(block.dataset), before)


def force(ctx: Context, project_id: int | None = None, *, days: int | None = None, most: int = 200) -> int:
    """Apply held updates whose base never came, each branch in its order; gives how many were taken.

    `days`: only those that have been held so long; None: all there are.
    """
    require(ctx, "config.set", None)
    since = ctx.now() - timedelta(days=days) if days is not None else None
    waiting = entity_receipts.list_held(ctx.conn, project_id, since=since, most=most)
    entity_receipts.hold_lists(ctx.conn, waiting)
    for one in waiting:
        held = entity_receipts.find_held(ctx.conn, one.id)
        if held is not None:
            _resume(ctx, held, forced=True)
    return len(waiting)


def _take(ctx: Context, origin: _Origin, block: Block, dataset: Dataset | None, before: EntityReceipt | None) -> None:
    try:
        change = blocks.parse(block)
        if dataset is None:
            raise entity_problems.no_dataset(block.dataset)
    except Problem as problem:
        uuid = blocks.find_uuid(block.id)
        gone = dataset is not None and uuid is not None and withdrawals.find(ctx.conn, dataset.id, uuid) is not None
        wrong = told(
            entity_problems.withdrawn(uuid) if gone and uuid is not None else problem
        )  # its label went with it
        _note(ctx, origin, block.key, block.dataset, None, before, outcome="failed", problem=wrong)
        return
    _apply(ctx, origin, dataset, change, before, forced=False)


def _apply(
    ctx: Context, origin: _Origin, dataset: Dataset, change: Change, before: EntityReceipt | None, *, forced: bool
) -> None:
    """One change, and whatever waited for it. The list is held."""
    try:
        if origin.schema is not None:
            blocks.check_permitted(origin.schema, change)
        entity, held = _held(ctx, dataset, change.id)
        if held is not None and held.deleted and withdrawals.find(ctx.conn, dataset.id, change.id) is not None:
            raise entity_problems.withdrawn(change.id)
        decision = decide(
            change,
            held,
            Circumstances(
                dataset=dataset.name,
                approved=origin.approved or not dataset.approval_required,
                forced=forced,
            ),
        )
        if isinstance(decision, FirstVersion) and entities.was_purged(ctx.conn, dataset.id, change.id):
            raise entity_problems.uses_deleted(change.id)
    except Problem as problem:
        _note(ctx, origin, change.key, dataset.name, change, before, outcome="failed", problem=told(problem))
        return
    if isinstance(decision, Hold):
        waits = before is not None and before.outcome == "held" and before.version_id == origin.version_id
        if not waits or before is None or before.change != _written(change):  # it was corrected while it waits
            _note(ctx, origin, change.key, dataset.name, change, before, outcome="held", change_=_written(change))
        if not waits:
            _record(ctx, origin, dataset, "submission.backlog.hold")
        return
    if isinstance(decision, Await):
        _note(ctx, origin, change.key, dataset.name, change, before, outcome="pending")
        return
    entity_id, version = _keep(ctx, origin, dataset, entity, change, decision, forced=forced)
    outcome = "created" if isinstance(decision, FirstVersion) else "updated"
    _note(
        ctx, origin, change.key, dataset.name, change, before,
        outcome=outcome, entity_id=entity_id, entity_version=version,
    )  # fmt: skip
    datasets.touch(ctx.conn, dataset.id)
    _go_on(ctx, origin, dataset, change, decision)


def _keep(
    ctx: Context,
    origin: _Origin,
    dataset: Dataset,
    entity: Entity | None,
    change: Change,
    decision: FirstVersion | NextVersion,
    *,
    forced: bool,
) -> tuple[int, int]:
    """The version that was decided upon; gives the entity's row id and the number of the version."""
    details = {"action": "create"} if isinstance(decision, NextVersion) and decision.late else {}
    if entity is not None and entity.uuid != change.id:
        details["alias"] = change.id  # the entity that it names was merged into this one
    source_id = entities.add_source(
        ctx.conn,
        kind="submission",
        submission_version_id=origin.version_id,
        forced=forced,
        details=details or None,
        created_at=ctx.now(),
    )
    about: dict[str, Any] = {
        "label": decision.label,
        "data": decision.data,
        "received": decision.received,
        "branch_base_version": decision.branch_base_version,
        "branch_id": change.branch_id,
        "trunk_version": change.trunk_version,
        "source_id": source_id,
        "creator_id": origin.submitter_id,
        "user_agent": origin.user_agent,
        "created_at": ctx.now(),
    }
    if isinstance(decision, FirstVersion):
        entity_id = entities.begin(ctx.conn, dataset_id=dataset.id, uuid=change.id, **about)
        _record(ctx, origin, dataset, "entity.create", entity_id=entity_id, uuid=change.id, version=1)
        return entity_id, 1
    if entity is None:
        raise TypeError(entity)
    version = entities.extend(
        ctx.conn,
        entity,
        base_version=decision.base,
        conflict=decision.conflict,
        conflicting=decision.conflicting,
        **about,
    )
    _record(ctx, origin, dataset, "entity.update.version", entity_id=entity.id, uuid=entity.uuid, version=version)
    return entity.id, version


def _go_on(
    ctx: Context, origin: _Origin, dataset: Dataset, change: Change, decision: FirstVersion | NextVersion
) -> None:
    """Apply what waited for this version."""
    if isinstance(decision, NextVersion) and decision.branch_base_version is None:
        return
    for waiting in entity_receipts.list_next(
        ctx.conn,
        origin.form.project_id,
        dataset.name,
        change.id,
        branch_id=change.branch_id,
        base_version=(decision.branch_base_version or 0) + 1,
    ):
        held = entity_receipts.find_held(ctx.conn, waiting.id)
        if held is not None:
            _resume(ctx, held, forced=False)


def _resume(ctx: Context, held: EntityReceipt, *, forced: bool) -> None:
    """A held update whose turn has come, or whose time is over."""
    submission = submissions.get(ctx.conn, held.submission_id)
    version = submissions.get_version(ctx.conn, held.version_id)
    form = forms.get_form(ctx.conn, submission.form_id)
    lists = datasets.hold(ctx.conn, form.project_id, {held.dataset})
    stored = forms.get_version(ctx.conn, version.form_version_id) if version.form_version_id else None
    schema = _schema(ctx, form, version.form_version_id, stored.sha256 if stored else None)
    origin = _origin(ctx, form, submission, version, schema)
    dataset = lists.get(held.dataset)
    change = _read(held.change or {})
    if dataset is None:
        gone = entity_problems.no_dataset(held.dataset)
        _note(ctx, origin, held.key, held.dataset, change, held, outcome="failed", problem=told(gone))
        return
    _record(ctx, origin, dataset, "submission.backlog.force" if forced else "submission.backlog.reprocess")
    _apply(ctx, origin, dataset, change, held, forced=forced)


def _origin(
    ctx: Context, form: Form, submission: Submission, version: SubmissionVersion, schema: Schema | None
) -> _Origin:
    return _Origin(
        form=form,
        submission_id=submission.id,
        version_id=version.id,
        submitter_id=version.submitter_id,
        user_agent=submissions.get_user_agent(ctx.conn, version.id),
        approved=submission.review_state == APPROVED,
        schema=schema,
    )


def _held(ctx: Context, dataset: Dataset, uuid: str) -> tuple[Entity | None, HeldEntity | None]:
    """The entity of that id, or the one that it was merged into."""
    named = entities.find(ctx.conn, dataset.id, uuid)
    if named is None:
        if entities.was_purged(ctx.conn, dataset.id, uuid):
            return None, HeldEntity(versions=(), deleted=True)
        return None, None
    entity = merging.survivor_of(ctx.conn, named)
    versions = entities.list_versions(ctx.conn, entity.id)
    through = entities.list_versions(ctx.conn, named.id) if entity.id != named.id else []
    return entity, HeldEntity(
        versions=[_version(one) for one in versions],
        conflict=entity.conflict,
        deleted=entity.deleted_at is not None,
        forced=versions[0].forced,
        through=[_version(one) for one in through],
    )


def _version(one: EntityVersion) -> HeldVersion:
    return HeldVersion(
        version=one.version,
        label=one.label,
        data=one.data,
        branch_id=one.branch_id,
        branch_base_version=one.branch_base_version,
        received=one.received,
    )


def _note(
    ctx: Context,
    origin: _Origin,
    key: str,
    dataset: str,
    change: Change | None,
    before: EntityReceipt | None,
    *,
    outcome: str,
    change_: dict[str, Any] | None = None,
    problem: dict[str, Any] | None = None,
    entity_id: int | None = None,
    entity_version: int | None = None,
) -> None:
    entity_receipts.put(
        ctx.conn,
        before,
        when=ctx.now(),
        submission_id=origin.submission_id,
        version_id=origin.version_id,
        key=key,
        dataset=dataset,
        uuid=change.id if change else None,
        outcome=outcome,
        entity_id=entity_id,
        entity_version=entity_version,
        branch_id=change.branch_id if change else None,
        base_version=change.base_version if change else None,
        change=change_,
        problem=problem,
    )
    if outcome == "failed":
        ctx.record(
            "entity.error",
            project_id=origin.form.project_id,
            form_id=origin.form.id,
            submission_id=origin.submission_id,
            details={"problem": problem},
        )


def _record(
    ctx: Context,
    origin: _Origin,
    dataset: Dataset,
    action: str,
    *,
    entity_id: int | None = None,
    uuid: str | None = None,
    version: int | None = None,
) -> None:
    ctx.record(
        action,
        project_id=origin.form.project_id,
        form_id=origin.form.id,
        submission_id=origin.submission_id,
        dataset_id=dataset.id,
        entity_id=entity_id,
        details={"entity": {"uuid": uuid, "dataset": dataset.name, "version": version}} if uuid else None,
    )


def _schema(ctx: Context, form: Form, form_version_id: int | None, sha256: str | None) -> Schema | None:
    """What the version of the form declares; that of the current version where the instance's own was never here."""
    wanted = form_version_id or form.current_version_id
    if wanted is None:
        return None
    known = wanted

    def read() -> Schema:
        return registry.schema_of(ctx.conn, forms.get_version(ctx.conn, known))

    key = ("entities", sha256 or known)
    return registry.remember(ctx.conn, key, read)


def _written(change: Change) -> dict[str, Any]:
    return asdict(change)


def _read(kept: Mapping[str, Any]) -> Change:
    return Change(**kept)


def forget(ctx: Context, submission_id: int) -> None:
    """A submission is gone: what it wanted of entities and did not get is forgotten; entities that it made stay."""
    entity_links.clear(ctx.conn, submission_id)
    entity_receipts.drop_undone(ctx.conn, submission_id)

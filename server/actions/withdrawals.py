"""Withdrawals of consent: what is kept of a person goes, as the project's policy says, and follow-up ends.

Whoever withdraws sees who the person is: it is for whoever may identify people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, cast

from forms import entity_problems
from forms.entities import normal_uuid
from forms.entity_problems import told
from forms.problems import Sentence
from forms.redaction import Policy
from server import problems
from server.access import require
from server.actions import erasing
from server.actions.disclosures import IDENTIFY
from server.actions.entity_finding import find_dataset
from server.actions.erasing import Effect, Person
from server.context import Context
from server.model.entities import Dataset, Entity
from server.model.projects import Project
from server.model.withdrawals import ASKED_BY, POLICIES, REASONS, Withdrawal
from server.prepared import taken_back
from server.store import datasets, entities, forms, projects, submissions, withdrawals

WITHDRAW: Final = "entity.withdraw"
LATE: Final = timedelta(hours=1)
"""How long after a withdrawal what arrived in the same moments is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Why somebody's data goes and who asked, in codes that name nobody; `policy` None: the project's."""

    reason: str
    asked_by: str
    asked_on: date | None = None
    policy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a withdrawal did, or would: the ids that are withdrawn, the policy, and how much was touched."""

    uuids: tuple[str, ...]
    policy: Policy
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A withdrawal, and the name of its list."""

    withdrawal: Withdrawal
    dataset: str


def withdraw(ctx: Context, project_id: int, name: str, uuid: str, wish: Wish) -> Done:
    """Take what is kept of an entity's person out of everything: the list, submissions, files, corrections, flags.

    Entities that were merged with it go with it; of one that was removed for good, what submissions hold. One whose facts
    were kept can be erased later. Raises Problem 404.1, 400.8, 403.1 where another policy than the project's is wished for
    without the right to change that, 409.91 where it was withdrawn already.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, WITHDRAW, found.project)
    require(ctx, IDENTIFY, found.project)
    policy = _policy(ctx, found.project, wish)
    wanted = normal_uuid(uuid)
    entity = entities.find(ctx.conn, found.row.id, wanted)
    earlier = withdrawals.find(ctx.conn, found.row.id, wanted)
    if earlier is not None and (entity is None or earlier.policy == policy or policy == "keep_facts"):
        raise entity_problems.withdrawn(wanted)
    if entity is None and not entities.was_purged(ctx.conn, found.row.id, wanted):
        raise entity_problems.no_entity(uuid)
    return _withdraw(ctx, found.row, wanted, entity, policy, wish)


def foresee(ctx: Context, project_id: int, name: str, uuid: str, wish: Wish) -> Done:
    """What withdrawing would do; nothing is changed. Raises what `withdraw` raises."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, WITHDRAW, found.project)
    with taken_back(ctx.conn):
        return withdraw(ctx, project_id, name, uuid, wish)


def list_withdrawals(ctx: Context, project_id: int, name: str | None = None) -> list[Listed]:
    """Every withdrawal of a project, or of one of its lists, eldest first: ids and codes. Raises Problem 404.1, 403.1."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, WITHDRAW, project)
    dataset_id = find_dataset(ctx, project_id, name).row.id if name is not None else None
    found = withdrawals.list_all(ctx.conn, project_id, dataset_id)
    names = {one.dataset_id: datasets.get(ctx.conn, one.dataset_id).name for one in found}
    return [Listed(withdrawal=one, dataset=names[one.dataset_id]) for one in found]


def reapply(ctx: Context, project_id: int, name: str, uuid: str, wish: Wish) -> Done | None:
    """Withdraw again what a restored backup brought back; None where it stands withdrawn already.

    An id that the list does not have is remembered all the same: what phones still send of it is not kept. Raises Problem
    404.1, 403.1, 400.8, 400.11.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, WITHDRAW, found.project)
    require(ctx, IDENTIFY, found.project)
    policy = _policy(ctx, found.project, wish)
    wanted = normal_uuid(uuid)
    entity = entities.find(ctx.conn, found.row.id, wanted)
    earlier = withdrawals.find(ctx.conn, found.row.id, wanted)
    if earlier is not None and (earlier.policy in (policy, "erase") or entity is None):
        return None
    return _withdraw(ctx, found.row, wanted, entity, policy, wish)


def settle(ctx: Context) -> int:
    """Finish what withdrawals left to do once they were durable: files that nothing names go from the disk, and documents
    that arrived in the very moments of a withdrawal are redacted too. Gives how many of both."""
    require(ctx, "config.set", None)
    done = 0
    for sha256 in withdrawals.list_doomed(ctx.conn):
        if not withdrawals.is_named(ctx.conn, sha256):
            ctx.blobs.delete(sha256)
            done += 1
        withdrawals.spare(ctx.conn, sha256)
    for project in projects.list_projects(ctx.conn):
        for one in withdrawals.list_all(ctx.conn, project.id):
            if one.withdrawn_at > ctx.now() - LATE:
                done += _catch_up(ctx, one)
    return done


def _catch_up(ctx: Context, one: Withdrawal) -> int:
    dataset = datasets.get(ctx.conn, one.dataset_id)
    person = Person(dataset=dataset, uuids=frozenset((one.uuid,)), policy=one.policy)
    arrived = withdrawals.list_submissions(
        ctx.conn, one.project_id, dataset.name, person.uuids, since=one.withdrawn_at - LATE
    )
    late = [submission_id for submission_id in arrived if _is_whole(ctx, submission_id)]
    if late:
        _hold(ctx, late)
        erasing.erase_submissions(ctx, person, late, Effect())
    return len(late)


def _is_whole(ctx: Context, submission_id: int) -> bool:
    """Whether a document of a submission is not redacted, as it would be had it come a moment later."""
    chain = submissions.list_versions(ctx.conn, submission_id)
    return any(not erasing.is_redacted(submissions.get_xml(ctx.conn, one.id)) for one in chain if not one.encrypted)


def _policy(ctx: Context, project: Project, wish: Wish) -> Policy:
    """What is to be done; every code of the wish is looked at."""
    for field, given, known in (
        ("reason", wish.reason, REASONS),
        ("askedBy", wish.asked_by, ASKED_BY),
        ("policy", wish.policy or project.withdrawal, POLICIES),
    ):
        if given not in known:
            listed = ", ".join(known)
            raise problems.wrong_value(field, given, Sentence(f"use uno de: {listed}.", f"use one of: {listed}."))
    if wish.asked_on is not None and wish.asked_on > ctx.now().date() + timedelta(days=1):
        told_so = Sentence("está en el futuro.", "it is in the future.")
        raise problems.wrong_value("askedOn", wish.asked_on.isoformat(), told_so)
    if wish.policy is not None and wish.policy != project.withdrawal:
        require(ctx, "project.update", project)
    return cast(Policy, wish.policy or project.withdrawal)


def _withdraw(ctx: Context, listed: Dataset, uuid: str, entity: Entity | None, policy: Policy, wish: Wish) -> Done:
    """Submissions are held before the list, as whoever writes rows of an edit does; then looked for once more."""

    def group() -> dict[str, int]:
        if entity is None:
            return {}
        return {name: row_id for row_id, name in withdrawals.list_group(ctx.conn, entity.merged_into_id or entity.id)}

    uuids = frozenset(group()) or frozenset((uuid,))
    ids = withdrawals.list_submissions(ctx.conn, listed.project_id, listed.name, uuids)
    _hold(ctx, ids)
    dataset = datasets.hold_one(ctx.conn, listed.id)
    held = group()
    person = Person(dataset=dataset, uuids=frozenset(held) or uuids, policy=policy)
    more = withdrawals.list_submissions(ctx.conn, dataset.project_id, dataset.name, person.uuids)
    _hold(ctx, [one for one in more if one not in ids])
    if not held:
        withdrawals.remember_purged(ctx.conn, dataset.id, uuid, ctx.now())
    return _finish(ctx, person, more, wish, sorted(held.values()))


def _finish(ctx: Context, person: Person, submission_ids: list[int], wish: Wish, entity_ids: list[int]) -> Done:
    dataset, effect = person.dataset, Effect()
    for uuid in sorted(person.uuids):
        withdrawals.put(
            ctx.conn,
            dataset.id,
            uuid,
            project_id=dataset.project_id,
            policy=person.policy,
            reason=wish.reason,
            asked_by=wish.asked_by,
            asked_on=wish.asked_on,
            actor_id=ctx.actor_id,
            withdrawn_at=ctx.now(),
        )
    erasing.gather(ctx, person, entity_ids)
    erasing.erase_submissions(ctx, person, submission_ids, effect)
    first = min(person.uuids)
    withdrawals.fail_receipts(
        ctx.conn,
        dataset.project_id,
        dataset.name,
        person.uuids,
        problem=told(entity_problems.withdrawn(first)),
        when=ctx.now(),
    )
    erasing.erase_entities(ctx, person, entity_ids, effect)
    datasets.touch(ctx.conn, dataset.id)

    ctx.record(
        WITHDRAW,
        project_id=dataset.project_id,
        dataset_id=dataset.id,
        entity_id=entity_ids[0] if entity_ids else None,
        details={
            "entity": {"uuid": first, "dataset": dataset.name},
            "withdrawn": sorted(person.uuids),
            "policy": person.policy,
            "reason": wish.reason,
            "askedBy": wish.asked_by,
            "askedOn": wish.asked_on.isoformat() if wish.asked_on is not None else None,
            "submissions": effect.submissions,
        },
    )
    return Done(uuids=tuple(sorted(person.uuids)), policy=person.policy, effect=effect)


def _hold(ctx: Context, submission_ids: list[int]) -> None:
    for submission_id in submission_ids:
        forms.hold_for_rows(ctx.conn, submission_id)
        submissions.lock(ctx.conn, submission_id)

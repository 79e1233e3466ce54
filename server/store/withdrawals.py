"""SQL for withdrawals of consent: which there are, and what of the database speaks of a person."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from server.model.entities import (
    DONE,
    entities,
    entity_links,
    entity_receipts,
    entity_sources,
    entity_versions,
    purged_entities,
)
from server.model.forms import form_attachments, form_versions, forms
from server.model.indicators import logframes
from server.model.merging import distinct_entities, entity_merges
from server.model.submissions import submission_attachments, submission_versions, submissions
from server.model.withdrawals import Withdrawal, doomed_blobs, withdrawals
from server.prepared import Prepared

_COLUMNS: tuple[ColumnElement[Any], ...] = (
    withdrawals.c.id,
    withdrawals.c.project_id,
    withdrawals.c.dataset_id,
    withdrawals.c.uuid,
    withdrawals.c.policy,
    withdrawals.c.reason,
    withdrawals.c.asked_by,
    withdrawals.c.asked_on,
    withdrawals.c.actor_id,
    withdrawals.c.withdrawn_at,
)
_AT_ONCE: Final = 500
_ANY: Final = Prepared(select(withdrawals.c.id).where(withdrawals.c.project_id == bindparam("project_id")).limit(1))


def put(conn: Connection, dataset_id: int, uuid: str, **values: Any) -> None:
    """A withdrawal; in place of an earlier one of the same id."""
    changed = conn.execute(
        update(withdrawals).where(withdrawals.c.dataset_id == dataset_id, withdrawals.c.uuid == uuid).values(**values)
    )
    if not changed.rowcount:
        conn.execute(insert(withdrawals).values(dataset_id=dataset_id, uuid=uuid, **values))


def has_any(conn: Connection, project_id: int) -> bool:
    """Whether anybody of a project ever took back the consent."""
    return _ANY.first(conn, {"project_id": project_id}) is not None


def find(conn: Connection, dataset_id: int, uuid: str) -> Withdrawal | None:
    """The withdrawal of this id in a list."""
    row = conn.execute(
        select(*_COLUMNS).where(withdrawals.c.dataset_id == dataset_id, withdrawals.c.uuid == uuid)
    ).first()
    return Withdrawal(*row) if row else None


def list_named(conn: Connection, project_id: int, uuids: Collection[str]) -> list[Withdrawal]:
    """The withdrawals in a project of those of these ids that were withdrawn, in any of its lists."""
    wanted, found = sorted(uuids), list[Withdrawal]()
    for at in range(0, len(wanted), _AT_ONCE):
        some = withdrawals.c.uuid.in_(wanted[at : at + _AT_ONCE])
        rows = conn.execute(select(*_COLUMNS).where(withdrawals.c.project_id == project_id, some))
        found.extend(Withdrawal(*row) for row in rows)
    return found


def list_all(conn: Connection, project_id: int, dataset_id: int | None = None) -> list[Withdrawal]:
    """Every withdrawal of a project, or of one of its lists, eldest first."""
    statement = select(*_COLUMNS).where(withdrawals.c.project_id == project_id).order_by(withdrawals.c.id)
    if dataset_id is not None:
        statement = statement.where(withdrawals.c.dataset_id == dataset_id)
    return [Withdrawal(*row) for row in conn.execute(statement)]


def list_group(conn: Connection, entity_id: int) -> list[tuple[int, str]]:
    """Row ids and ids of an entity and of all that were merged into it."""
    statement = select(entities.c.id, entities.c.uuid).where(
        or_(entities.c.id == entity_id, entities.c.merged_into_id == entity_id)
    )
    return [(row.id, row.uuid) for row in conn.execute(statement.order_by(entities.c.id))]


def list_submissions(
    conn: Connection, project_id: int, dataset: str, uuids: Collection[str], *, since: datetime | None = None
) -> list[int]:
    """Row ids of the submissions, drafts and deleted ones too, that made something of these entities or name them anywhere in
    a version; by id. Every document of the project is looked through, or (`since`) those alone that came since then."""
    wanted = sorted(uuids)
    named = (
        select(submission_versions.c.submission_id)
        .join(forms, forms.c.id == submission_versions.c.form_id)
        .where(
            forms.c.project_id == project_id,
            or_(*(_holds(conn, written) for uuid in wanted for written in (uuid, uuid.upper()))),
        )
    )
    if since is not None:
        return sorted(set(conn.execute(named.where(submission_versions.c.created_at >= since)).scalars()))
    by_receipt = (
        select(entity_receipts.c.submission_id)
        .join(submissions, submissions.c.id == entity_receipts.c.submission_id)
        .join(forms, forms.c.id == submissions.c.form_id)
        .where(
            forms.c.project_id == project_id,
            entity_receipts.c.dataset == dataset,
            entity_receipts.c.uuid.in_(wanted),
        )
    )
    by_version = (
        select(submission_versions.c.submission_id)
        .join(entity_sources, entity_sources.c.submission_version_id == submission_versions.c.id)
        .join(entity_versions, entity_versions.c.source_id == entity_sources.c.id)
        .join(entities, entities.c.id == entity_versions.c.entity_id)
        .join(forms, forms.c.id == submission_versions.c.form_id)
        .where(forms.c.project_id == project_id, entities.c.uuid.in_(wanted))
    )
    found: set[int] = set()
    for statement in (by_receipt, by_version, named):
        found.update(conn.execute(statement).scalars())
    return sorted(found)


def _holds(conn: Connection, text: str) -> ColumnElement[bool]:
    given = literal(text.encode(), LargeBinary())
    if conn.dialect.name == "postgresql":
        return func.position(given.op("IN")(submission_versions.c.xml)) > 0
    return func.instr(submission_versions.c.xml, given) > 0


def redact_version(conn: Connection, version_id: int, xml: bytes, instance_name: str | None) -> None:
    """Another document in place of a version's; its ids and its fingerprint stay."""
    conn.execute(
        update(submission_versions)
        .where(submission_versions.c.id == version_id)
        .values(xml=xml, instance_name=instance_name)
    )


def fail_receipts(
    conn: Connection, project_id: int, dataset: str, uuids: Collection[str], *, problem: dict[str, Any], when: datetime
) -> None:
    """What waits for something, or failed, of these entities fails for this; what is done keeps nothing but that."""
    mine = (
        select(entity_receipts.c.id)
        .join(submissions, submissions.c.id == entity_receipts.c.submission_id)
        .join(forms, forms.c.id == submissions.c.form_id)
        .where(
            forms.c.project_id == project_id,
            entity_receipts.c.dataset == dataset,
            entity_receipts.c.uuid.in_(sorted(uuids)),
        )
    )
    ids = list(conn.execute(mine).scalars())
    here = entity_receipts.c.id.in_(ids)
    conn.execute(update(entity_receipts).where(here).values(change=None))
    conn.execute(
        update(entity_receipts)
        .where(here, entity_receipts.c.outcome.not_in(DONE))
        .values(outcome="failed", problem=problem, updated_at=when)
    )


def forget_links(conn: Connection, dataset_id: int, uuids: Collection[str]) -> None:
    """No row of a submission speaks of these entities any more."""
    here = (entity_links.c.dataset_id == dataset_id, entity_links.c.uuid.in_(sorted(uuids)))
    conn.execute(delete(entity_links).where(*here))


def forget_relations(conn: Connection, entity_ids: Collection[int]) -> None:
    """Merges that these entities were part of, and pairs that they were told apart in: reasons are people's own words."""
    some = sorted(entity_ids)
    merge = or_(entity_merges.c.survivor_id.in_(some), entity_merges.c.absorbed_id.in_(some))
    pair = or_(distinct_entities.c.first_id.in_(some), distinct_entities.c.second_id.in_(some))
    conn.execute(delete(entity_merges).where(merge))
    conn.execute(delete(distinct_entities).where(pair))


def rewrite_version(
    conn: Connection, version_id: int, label: str, data: dict[str, str], received: dict[str, str]
) -> None:
    """Another label and other values in a version of an entity."""
    conn.execute(
        update(entity_versions)
        .where(entity_versions.c.id == version_id)
        .values(label=label, data=data, received=received)
    )


def rewrite_source(conn: Connection, source_id: int, details: dict[str, Any] | None) -> None:
    """Other details of where versions come from."""
    conn.execute(update(entity_sources).where(entity_sources.c.id == source_id).values(details=details))


def withdraw_entity(conn: Connection, entity_id: int, label: str, data: dict[str, str], when: datetime) -> None:
    """An entity stands no more; one that was deleted before keeps the moment, since figures did not count it either."""
    conn.execute(
        update(entities)
        .where(entities.c.id == entity_id)
        .values(
            label=label,
            data=data,
            conflict=None,
            withdrawn_at=when,
            deleted_at=func.coalesce(entities.c.deleted_at, literal(when, entities.c.deleted_at.type)),
            updated_at=when,
        )
    )


def remember_purged(conn: Connection, dataset_id: int, uuid: str, when: datetime) -> None:
    """An id that a list never had here is given to nobody."""
    there = exists().where(purged_entities.c.dataset_id == dataset_id, purged_entities.c.uuid == uuid)
    if not conn.execute(select(there)).scalar():
        conn.execute(insert(purged_entities).values(dataset_id=dataset_id, uuid=uuid, purged_at=when))


# --------------------------------------------------------------------------- files


def drop_files(conn: Connection, version_id: int, names: Collection[str], when: datetime) -> int:
    """Forget files of a version; what nothing else names is doomed. Gives how many had come."""
    here = (submission_attachments.c.version_id == version_id, submission_attachments.c.name.in_(sorted(names)))
    found = [one for one in conn.execute(select(submission_attachments.c.sha256).where(*here)).scalars() if one]
    conn.execute(delete(submission_attachments).where(*here))
    for sha256 in set(found):
        held = conn.execute(select(exists().where(doomed_blobs.c.sha256 == sha256))).scalar()
        if not held:
            conn.execute(insert(doomed_blobs).values(sha256=sha256, since=when))
    return len(found)


def list_doomed(conn: Connection) -> list[str]:
    """The files that were forgotten and lie on the disk still."""
    return list(conn.execute(select(doomed_blobs.c.sha256).order_by(doomed_blobs.c.sha256)).scalars())


def is_named(conn: Connection, sha256: str) -> bool:
    """Whether anything names a file."""
    columns = (
        submission_attachments.c.sha256,
        form_attachments.c.sha256,
        form_versions.c.workbook_sha256,
        logframes.c.workbook_sha256,
    )
    return any(conn.execute(select(exists().where(column == sha256))).scalar() for column in columns)


def spare(conn: Connection, sha256: str) -> None:
    """A file is doomed no more: it is gone, or something names it."""
    conn.execute(delete(doomed_blobs).where(doomed_blobs.c.sha256 == sha256))

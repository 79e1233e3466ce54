"""SQL for what became of the entity blocks of submissions: done, held until their turn, waiting for approval, or failed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, insert, or_, select, update

from server.model.entities import DONE, EntityReceipt, datasets, entity_receipts
from server.model.forms import forms
from server.model.submissions import submissions

_COLUMNS: tuple[ColumnElement[Any], ...] = (
    entity_receipts.c.id,
    entity_receipts.c.submission_id,
    entity_receipts.c.version_id,
    entity_receipts.c.key,
    entity_receipts.c.dataset,
    entity_receipts.c.uuid,
    entity_receipts.c.outcome,
    entity_receipts.c.entity_id,
    entity_receipts.c.entity_version,
    entity_receipts.c.branch_id,
    entity_receipts.c.base_version,
    entity_receipts.c.change,
    entity_receipts.c.problem,
    entity_receipts.c.created_at,
    entity_receipts.c.updated_at,
)


def list_of_submission(conn: Connection, submission_id: int) -> dict[str, EntityReceipt]:
    """What became of a submission's blocks, by their keys."""
    rows = conn.execute(select(*_COLUMNS).where(entity_receipts.c.submission_id == submission_id))
    return {row.key: EntityReceipt(*row) for row in rows}


def put(conn: Connection, before: EntityReceipt | None, *, when: datetime, **values: Any) -> None:
    """What became of a block: a new row, or other values in that of `before`."""
    if before is None:
        conn.execute(insert(entity_receipts).values(created_at=when, updated_at=when, **values))
        return
    conn.execute(update(entity_receipts).where(entity_receipts.c.id == before.id).values(updated_at=when, **values))


def list_next(
    conn: Connection, project_id: int, dataset: str, uuid: str, *, branch_id: str | None, base_version: int
) -> list[EntityReceipt]:
    """Held updates of an entity whose turn has come: the next of a branch, or those that begin on a creation (no branch)."""
    statement = _held(project_id).where(
        entity_receipts.c.dataset == dataset,
        entity_receipts.c.uuid == uuid,
        entity_receipts.c.base_version == base_version,
    )
    if branch_id is not None:
        statement = statement.where(entity_receipts.c.branch_id == branch_id)
    return [EntityReceipt(*row) for row in conn.execute(statement.order_by(entity_receipts.c.id))]


def list_held(
    conn: Connection, project_id: int | None = None, *, since: datetime | None = None, most: int | None = None
) -> list[EntityReceipt]:
    """Held updates, each branch in its order; with `since`, those that have been held from before then."""
    statement = _held(project_id)
    if since is not None:
        statement = statement.where(entity_receipts.c.created_at < since)
    statement = statement.order_by(
        entity_receipts.c.branch_id, entity_receipts.c.base_version, entity_receipts.c.id
    ).limit(most)
    return [EntityReceipt(*row) for row in conn.execute(statement)]


def hold_lists(conn: Connection, receipts: Collection[EntityReceipt]) -> None:
    """Hold the lists that these are about until the transaction ends, in the order in which submissions hold them."""
    named = (
        select(datasets.c.id)
        .join(forms, forms.c.project_id == datasets.c.project_id)
        .join(submissions, submissions.c.form_id == forms.c.id)
        .join(entity_receipts, entity_receipts.c.submission_id == submissions.c.id)
        .where(
            datasets.c.name == entity_receipts.c.dataset,
            datasets.c.deleted_at.is_(None),
            entity_receipts.c.id.in_([one.id for one in receipts]),
        )
    )
    held = select(datasets.c.id).where(datasets.c.id.in_(named)).order_by(datasets.c.id)
    conn.execute(held.with_for_update(key_share=True)).all()


def list_pending(
    conn: Connection, project_id: int, dataset: str, *, above: int = 0, most: int | None = None
) -> list[int]:
    """Living submissions with a row id `above` that one that wait for approval to create an entity of a list, by row id."""
    statement = (
        select(entity_receipts.c.submission_id)
        .join(submissions, submissions.c.id == entity_receipts.c.submission_id)
        .join(forms, forms.c.id == submissions.c.form_id)
        .where(
            forms.c.project_id == project_id,
            forms.c.deleted_at.is_(None),
            entity_receipts.c.dataset == dataset,
            entity_receipts.c.outcome == "pending",
            submissions.c.id > above,
            submissions.c.deleted_at.is_(None),
            submissions.c.review_state.is_distinct_from("rejected"),
        )
        .distinct()
        .order_by(entity_receipts.c.submission_id)
        .limit(most)
    )
    return list(conn.execute(statement).scalars())


def list_undone(conn: Connection, project_id: int, outcomes: Collection[str]) -> list[tuple[EntityReceipt, str, str]]:
    """Receipts of living submissions with these outcomes, the newest first, with the ids of the form and the instance."""
    statement = (
        select(*_COLUMNS, forms.c.xml_form_id, submissions.c.instance_id)
        .join(submissions, submissions.c.id == entity_receipts.c.submission_id)
        .join(forms, forms.c.id == submissions.c.form_id)
        .where(
            forms.c.project_id == project_id,
            entity_receipts.c.outcome.in_(outcomes),
            submissions.c.deleted_at.is_(None),
        )
        .order_by(entity_receipts.c.id.desc())
    )
    return [(EntityReceipt(*row[:-2]), row[-2], row[-1]) for row in conn.execute(statement)]


def find_held(conn: Connection, receipt_id: int) -> EntityReceipt | None:
    """The receipt with this row id, if it is held still."""
    row = conn.execute(
        select(*_COLUMNS).where(entity_receipts.c.id == receipt_id, entity_receipts.c.outcome == "held")
    ).first()
    return EntityReceipt(*row) if row else None


def drop_undone(conn: Connection, submission_id: int) -> None:
    """Forget what a submission wanted and did not get."""
    conn.execute(
        delete(entity_receipts).where(
            entity_receipts.c.submission_id == submission_id, entity_receipts.c.outcome.not_in(DONE)
        )
    )


def move(conn: Connection, submission_id: int, to: int) -> None:
    """The receipts of a submission that turned out to be a part of another; what that one did stands."""
    other = entity_receipts.alias()
    there = exists().where(other.c.submission_id == to, other.c.key == entity_receipts.c.key)
    mine = entity_receipts.c.submission_id == submission_id
    undone = and_(entity_receipts.c.submission_id == to, entity_receipts.c.outcome.not_in(DONE))
    conn.execute(delete(entity_receipts).where(or_(undone, and_(mine, entity_receipts.c.outcome.not_in(DONE)))))
    conn.execute(delete(entity_receipts).where(mine, there))
    conn.execute(update(entity_receipts).where(mine).values(submission_id=to))


def _held(project_id: int | None) -> Any:
    """Held updates of living submissions."""
    statement = (
        select(*_COLUMNS)
        .join(submissions, submissions.c.id == entity_receipts.c.submission_id)
        .where(entity_receipts.c.outcome == "held", submissions.c.deleted_at.is_(None))
    )
    if project_id is not None:
        statement = statement.join(forms, forms.c.id == submissions.c.form_id).where(forms.c.project_id == project_id)
    return statement

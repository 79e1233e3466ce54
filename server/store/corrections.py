"""SQL for corrections and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, insert, or_, select, update

from server.model.corrections import (
    Correction,
    CorrectionChange,
    LoggedCorrection,
    correction_changes,
    corrections,
)
from server.model.people import actors
from server.model.submissions import flags, submissions
from server.prepared import Prepared

_COLUMNS: tuple[ColumnElement[Any], ...] = (
    corrections.c.id,
    corrections.c.submission_id,
    corrections.c.version_id,
    corrections.c.row_place,
    corrections.c.row_key,
    corrections.c.path,
    corrections.c.raw_text,
    corrections.c.old_text,
    corrections.c.new_text,
    corrections.c.reason,
    corrections.c.state,
    corrections.c.replaces_id,
    corrections.c.actor_id,
    corrections.c.created_at,
)
_OF_SUBMISSION = Prepared(
    select(*_COLUMNS).where(corrections.c.submission_id == bindparam("submission_id")).order_by(corrections.c.id)
)
_NEW = tuple(column.name for column in corrections.columns if column.name != "id")
_ADD = Prepared(insert(corrections).inline().returning(corrections.c.id), columns=_NEW)


def list_of_submission(conn: Connection, submission_id: int) -> list[Correction]:
    """Every correction of a submission, eldest first, whatever its state."""
    return [Correction(*row) for row in _OF_SUBMISSION.all(conn, {"submission_id": submission_id})]


def find(conn: Connection, form_id: int, correction_id: int) -> Correction | None:
    """A correction of a living submission of a form, by its number."""
    row = conn.execute(
        select(*_COLUMNS)
        .join(submissions, submissions.c.id == corrections.c.submission_id)
        .where(
            corrections.c.id == correction_id,
            submissions.c.form_id == form_id,
            submissions.c.draft.is_(False),
            submissions.c.deleted_at.is_(None),
        )
    ).first()
    return Correction(*row) if row else None


def list_flagged(
    conn: Connection, form_id: int, *, checks: Collection[str] = (), most: int
) -> list[tuple[str, str, str, str]]:
    """Where open flags of a form's living submissions stand: instance id, key of the row as typed tables have it, question
    ("": none in particular) and check; by submission, `most` of them. `checks` are beginnings of their names."""
    statement = (
        select(submissions.c.instance_id, flags.c.row_key, flags.c.path, flags.c.check)
        .join(submissions, submissions.c.id == flags.c.submission_id)
        .where(
            submissions.c.form_id == form_id,
            submissions.c.draft.is_(False),
            submissions.c.deleted_at.is_(None),
            flags.c.state == "open",
        )
        .order_by(submissions.c.id, flags.c.id)
        .limit(most)
    )
    if checks:
        statement = statement.where(or_(*(flags.c.check.startswith(check, autoescape=True) for check in checks)))
    return [(key, row_key, path, check) for key, row_key, path, check in conn.execute(statement)]


def add(conn: Connection, one: Correction) -> int:
    """A correction that has no number yet; gives it."""
    return int(_ADD.all(conn, {name: getattr(one, name) for name in _NEW})[0][0])


def change_state(
    conn: Connection,
    correction_id: int,
    state: str,
    *,
    when: datetime,
    reason: str | None = None,
    actor_id: int | None = None,
    version_id: int | None = None,
) -> None:
    """Another state, and the line of its history that says since when, by whom or by which version, and why."""
    conn.execute(update(corrections).where(corrections.c.id == correction_id).values(state=state))
    conn.execute(
        insert(correction_changes).values(
            correction_id=correction_id,
            state=state,
            reason=reason,
            version_id=version_id,
            actor_id=actor_id,
            created_at=when,
        )
    )


def rename_row(conn: Connection, correction_id: int, row_key: str) -> None:
    """The stable key of the row meant became another one: an earlier version of the submission arrived."""
    conn.execute(update(corrections).where(corrections.c.id == correction_id).values(row_key=row_key))


def list_changes(conn: Connection, submission_id: int) -> list[CorrectionChange]:
    """What became of the corrections of a submission, in order."""
    changes = correction_changes
    rows = conn.execute(
        select(
            changes.c.id,
            changes.c.correction_id,
            changes.c.state,
            changes.c.reason,
            changes.c.version_id,
            changes.c.actor_id,
            actors.c.display_name,
            changes.c.created_at,
        )
        .join(corrections, corrections.c.id == changes.c.correction_id)
        .outerjoin(actors, actors.c.id == changes.c.actor_id)
        .where(corrections.c.submission_id == submission_id)
        .order_by(changes.c.id)
    )
    return [CorrectionChange(*row) for row in rows]


def log(
    conn: Connection, form_id: int, *, submission_id: int | None = None, states: Collection[str] = ()
) -> Iterator[LoggedCorrection]:
    """The cleaning log of a form (or of one submission): every correction of living submissions, eldest first.

    `states` narrows it; memory does not grow with rows where the connection streams.
    """
    number = len(_COLUMNS)
    for row in conn.execute(_log(form_id, submission_id, states).execution_options(yield_per=500)):
        yield LoggedCorrection(Correction(*row[:number]), *row[number:])


def _log(form_id: int, submission_id: int | None, states: Collection[str]) -> Select[Any]:
    last = (
        select(func.max(correction_changes.c.id))
        .where(correction_changes.c.correction_id == corrections.c.id)
        .correlate(corrections)
        .scalar_subquery()
    )
    maker, changer = actors.alias("maker"), actors.alias("changer")
    statement = (
        select(
            *_COLUMNS,
            submissions.c.instance_id,
            maker.c.display_name,
            correction_changes.c.created_at,
            changer.c.display_name.label("changed_by"),
            correction_changes.c.reason.label("change_reason"),
        )
        .join(submissions, submissions.c.id == corrections.c.submission_id)
        .outerjoin(maker, maker.c.id == corrections.c.actor_id)
        .outerjoin(correction_changes, correction_changes.c.id == last)
        .outerjoin(changer, changer.c.id == correction_changes.c.actor_id)
        .where(
            submissions.c.form_id == form_id,
            submissions.c.draft.is_(False),
            submissions.c.deleted_at.is_(None),
        )
        .order_by(corrections.c.id)
    )
    if submission_id is not None:
        statement = statement.where(corrections.c.submission_id == submission_id)
    if states:
        statement = statement.where(or_(*(corrections.c.state == state for state in sorted(states))))
    return statement

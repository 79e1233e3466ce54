"""SQL for audits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, Text, and_, cast, exists, insert, or_, select

from server.model.audits import AuditLine, audits
from server.model.forms import forms
from server.model.people import actors
from server.model.submissions import submissions
from server.prepared import Prepared

READ_ENTITY: Final = "entity.read.identified"
"""The line of an entity that was opened with all it says."""
_BULK: Final = ("entity.bulk.create", "entity.bulk.delete", "entity.bulk.restore")
_ADD = Prepared(
    insert(audits).inline(),
    columns=(
        "action",
        "actor_id",
        "details",
        "logged_at",
        "project_id",
        "form_id",
        "submission_id",
        "dataset_id",
        "entity_id",
    ),
)


def add(
    conn: Connection,
    *,
    action: str,
    actor_id: int | None,
    details: dict[str, Any] | None,
    logged_at: datetime,
    project_id: int | None = None,
    form_id: int | None = None,
    submission_id: int | None = None,
    dataset_id: int | None = None,
    entity_id: int | None = None,
) -> None:
    """One line."""
    _ADD.run(
        conn,
        {
            "action": action,
            "actor_id": actor_id,
            "details": details,
            "logged_at": logged_at,
            "project_id": project_id,
            "form_id": form_id,
            "submission_id": submission_id,
            "dataset_id": dataset_id,
            "entity_id": entity_id,
        },
    )


def has_action(conn: Connection, action: str) -> bool:
    """Whether a line of this kind was ever written."""
    return bool(conn.execute(select(exists().where(audits.c.action == action))).scalar())


def last_resolved(conn: Connection, entity_id: int) -> int:
    """The version at which somebody last resolved an entity's conflict; 0 where nobody did."""
    details: dict[str, Any] | None = conn.execute(
        select(audits.c.details)
        .where(audits.c.entity_id == entity_id, audits.c.action == "entity.update.resolve")
        .order_by(audits.c.id.desc())
        .limit(1)
    ).scalar()
    return int(details["version"]) if details else 0


def list_of_entity(conn: Connection, dataset_id: int, entity_id: int) -> list[AuditLine]:
    """The lines about an entity, and those about many entities of its list at once, the newest first; lines that say only
    who read it are left out."""
    many = and_(audits.c.action.in_(_BULK), audits.c.dataset_id == dataset_id)
    statement = _lines().where(or_(audits.c.entity_id == entity_id, many), audits.c.action != READ_ENTITY)
    return [AuditLine(**row) for row in conn.execute(statement).mappings()]


def list_lines(
    conn: Connection,
    *,
    action: str | None,
    project_id: int | None,
    first: datetime | None,
    last: datetime | None,
    offset: int,
    most: int,
) -> list[AuditLine]:
    """Lines of an action or of those whose name begins so (`submission` for `submission.create`), the newest first."""
    statement = _lines().offset(offset).limit(most)
    if action is not None:
        statement = statement.where(
            or_(audits.c.action == action, audits.c.action.startswith(f"{action}.", autoescape=True))
        )
    if project_id is not None:
        statement = statement.where(audits.c.project_id == project_id)
    if first is not None:
        statement = statement.where(audits.c.logged_at >= first)
    if last is not None:
        statement = statement.where(audits.c.logged_at <= last)
    return [AuditLine(**row) for row in conn.execute(statement).mappings()]


def list_worded(conn: Connection, project_id: int) -> Iterator[str]:
    """The details, as text, of a project's lines in which somebody said why in words of their own."""
    said = cast(audits.c.details, Text)
    statement = select(said).where(audits.c.project_id == project_id, said.contains('"reason"'))
    yield from conn.execute(statement).scalars()


def _lines() -> Select[Any]:
    return (
        select(
            audits.c.id,
            audits.c.actor_id,
            actors.c.display_name.label("actor"),
            actors.c.type.label("actor_type"),
            audits.c.action,
            audits.c.project_id,
            forms.c.xml_form_id.label("form_id"),
            submissions.c.instance_id,
            audits.c.details,
            audits.c.logged_at,
        )
        .outerjoin(actors, actors.c.id == audits.c.actor_id)
        .outerjoin(forms, forms.c.id == audits.c.form_id)
        .outerjoin(submissions, submissions.c.id == audits.c.submission_id)
        .order_by(audits.c.id.desc())
    )

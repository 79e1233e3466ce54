"""SQL for which row of a submission speaks of which entity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, or_, select

from server.model.entities import entities, entity_links
from server.model.forms import forms
from server.model.submissions import submissions
from server.prepared import Prepared

Link = tuple[str, str, int, str]
"""Key of the row, path of the declaration, list, id of the entity."""
_NAMES = ("row_key", "path", "dataset_id", "uuid")
_ADD = Prepared(insert(entity_links).inline(), columns=("submission_id", *_NAMES))


def replace(conn: Connection, submission_id: int, links: Sequence[Link], *, fresh: bool) -> None:
    """The links of a submission are these from now on; a `fresh` one has none yet."""
    if not fresh:
        clear(conn, submission_id)
    for link in links:
        _ADD.run(conn, {"submission_id": submission_id, **dict(zip(_NAMES, link, strict=True))})


def clear(conn: Connection, submission_id: int) -> None:
    """A submission speaks of no entity any more."""
    conn.execute(delete(entity_links).where(entity_links.c.submission_id == submission_id))


@dataclass(frozen=True, slots=True)
class Spoken:
    """A row of a living submission that speaks of an entity under the id `uuid`."""

    submission_id: int
    form_id: int
    row_key: str
    path: str
    uuid: str


def list_of_entity(conn: Connection, dataset_id: int, entity_id: int) -> list[Spoken]:
    """The rows that speak of an entity, under its own id or one that was merged into it, eldest submission first."""
    ids = select(entities.c.uuid).where(or_(entities.c.id == entity_id, entities.c.merged_into_id == entity_id))
    statement = (
        select(
            entity_links.c.submission_id,
            submissions.c.form_id,
            entity_links.c.row_key,
            entity_links.c.path,
            entity_links.c.uuid,
        )
        .join(submissions, submissions.c.id == entity_links.c.submission_id)
        .join(forms, forms.c.id == submissions.c.form_id)
        .where(
            entity_links.c.dataset_id == dataset_id,
            entity_links.c.uuid.in_(ids),
            submissions.c.deleted_at.is_(None),
            forms.c.deleted_at.is_(None),
        )
        .order_by(entity_links.c.submission_id, entity_links.c.row_key, entity_links.c.path)
    )
    return [Spoken(*row) for row in conn.execute(statement)]

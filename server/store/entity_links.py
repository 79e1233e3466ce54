"""SQL for which row of a submission speaks of which entity."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert

from server.model.entities import entity_links
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

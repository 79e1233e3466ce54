"""Private: how a form's questions are marked, over all its versions and under every name that a question had."""

from __future__ import annotations

from sqlalchemy import Connection

from forms import privacy
from forms.privacy import Mark
from server.store import forms
from server.tables import registry
from server.tables.layout import Layout


def marks_of(conn: Connection, form_id: int, layout: Layout | None = None) -> dict[str, Mark]:
    """The mark of each path: the strictest that any published version gives it, so that no later version makes answers open
    that were given as private ones. `layout`: the form's, where it is at hand."""
    published = [version.marks.get("privacy", {}) for version in forms.list_published(conn, form_id)]
    standing = layout or registry.load(conn, form_id)
    former = {
        path: column.paths
        for table in standing.tables
        for column in table.columns
        if len(column.paths) > 1
        for path in column.paths
    }
    return privacy.over_versions(published, former)

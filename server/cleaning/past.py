"""The past: the typed tables of a form as they stood at a past moment, for one connection: what reads them reads that.

Nothing but raw versions, corrections and reviews is asked. The tables are temporary, stand before the real ones under their
names, and are gone with the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table, insert
from sqlalchemy.schema import CreateTable

from forms import consent
from server.cleaning import standing
from server.cleaning.standing import Standing
from server.model.forms import Form, FormVersion
from server.model.submissions import Submission
from server.store import corrections, forms, people, reviews, submissions
from server.tables import ddl, registry
from server.tables.layout import Layout
from server.tables.rows import Provenance, Tabulator

_PAGE: Final = 200
_ROWS: Final = 500
Denied = Callable[[int], Collection[str]]
"""The places of a submission, by its row id, whose answers are not to be told."""


def lay(conn: Connection, form: Form, at: datetime, denied: Denied | None = None) -> None:
    """Put the typed tables of a form as they stood at the end of `at` before those that stand, until the transaction ends.

    Living submissions that had arrived by then, each in the version that was current, with corrections and review state of
    then; columns are those of today. What no version of the form describes is left out. On SQLite the connection should
    keep temporary tables in a file. Nothing else may be read of this form's typed tables afterwards.
    """
    layout = registry.load(conn, form.id)
    tables = {(table.paths[-1], part): one for table in layout.tables for part, one in _parts(conn, table)}
    schema = "pg_temp" if conn.dialect.name == "postgresql" else "temp"
    for one in tables.values():
        conn.execute(CreateTable(one.to_metadata(MetaData(), schema=schema)))
    if conn.dialect.name == "postgresql":
        conn.execution_options(schema_translate_map={ddl.SCHEMA: schema})

    waiting: dict[tuple[str, int], list[dict[str, Any]]] = {place: [] for place in tables}
    for stands in _standing(conn, form, at):
        instance = stands.instance
        hidden = denied(stands.submission.id) if denied is not None else ()
        if hidden and not instance.encrypted:
            repeats = {entry.path for entry in stands.schema.fields if entry.kind == "repeat"}
            instance = consent.without(instance, hidden, repeats)
        tabulator = _tabulator(conn, form, layout, stands)
        for place, rows in tabulator.parameters(instance, _about(conn, stands, at)).items():
            waiting[place].extend(rows)
        for place, rows in waiting.items():
            if len(rows) >= _ROWS:
                conn.execute(insert(tables[place]), rows)
                waiting[place] = []
    for place, rows in waiting.items():
        if rows:
            conn.execute(insert(tables[place]), rows)


def _parts(conn: Connection, table: Any) -> Iterator[tuple[int, Table]]:
    return enumerate(ddl.sql_tables(conn, table))


def _standing(conn: Connection, form: Form, at: datetime) -> Iterator[Standing]:
    above = 0
    while chunk := submissions.list_living(conn, form.id, above=above, most=_PAGE):
        above = chunk[-1][0]
        for submission_id, _ in chunk:
            stands = standing.read(conn, form, submissions.get(conn, submission_id), at=at)
            if stands is not None:
                yield stands


def _tabulator(conn: Connection, form: Form, layout: Layout, stands: Standing) -> Tabulator:
    version_id = stands.version.form_version_id or form.current_version_id
    if version_id is None:
        raise LookupError(form.id)
    version: FormVersion = forms.get_version(conn, version_id)
    key = ("tabulator", form.id, form.layout_revision, version.sha256)
    return registry.remember(conn, key, partial(Tabulator, conn, layout, registry.schema_of(conn, version)))


def _about(conn: Connection, stands: Standing, at: datetime) -> Provenance:
    """What every row knew of its submission then."""
    submission: Submission = stands.submission
    chain = [one for one in submissions.list_versions(conn, submission.id) if one.created_at <= at]
    decided = [one for one in reviews.list_reviews(conn, submission.id) if one.created_at <= at]
    changes = [one.created_at for one in decided]
    if len(chain) > 1:
        changes.append(chain[-1].created_at)
    if stands.touched:
        changes += [one.created_at for one in corrections.list_of_submission(conn, submission.id)]
        changes += [one.created_at for one in corrections.list_changes(conn, submission.id)]
    submitter = people.find_name(conn, submission.submitter_id) if submission.submitter_id else None
    return Provenance(
        submission_id=submission.id,
        instance_id=submission.instance_id,
        received_at=submission.created_at,
        updated_at=max((moment for moment in changes if moment <= at), default=None),
        submitter_id=submission.submitter_id,
        submitter=submitter,
        device_id=submission.device_id,
        review_state=decided[-1].state if decided else None,
        edits=len(chain) - 1,
        stable_keys=stands.stable_keys(),
    )

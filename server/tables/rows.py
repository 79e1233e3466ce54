"""Rows: one submission's answers written to the typed tables of its form, in place of what stood there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, delete, exists, insert

from forms import tables, values
from forms.instance import Instance
from forms.schema import Schema, Type
from forms.tables import Misfit
from server.model.submissions import submissions
from server.prepared import Prepared
from server.tables import ddl
from server.tables.layout import Layout

_FIRST: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What every row must know of its submission. `stable_keys`: those of repeat rows by their keys, where these differ."""

    submission_id: int
    instance_id: str
    received_at: datetime
    updated_at: datetime | None
    submitter_id: int | None
    submitter: str | None
    device_id: str | None
    review_state: str | None
    edits: int
    stable_keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Place:
    part: int
    type: Type
    name: str
    names: tuple[str, ...]


class Tabulator:
    """Writes the instances of one form version to one layout. Made once per version and layout, then only read."""

    def __init__(self, conn: Connection, layout: Layout, schema: Schema) -> None:
        self._places: dict[str, _Place] = {}
        self._unplaced: set[str] = set()
        types: dict[str, Type] = {}
        repeats = {""}
        for entry in schema.fields:
            if entry.kind == "repeat":
                repeats.add(entry.path)
            elif entry.kind == "question":
                column = layout.find_column(schema.repeat_of(entry.path), entry.path, entry.type or "string")
                if column is not None:
                    self._places[entry.path] = _Place(column.part - 1, column.type, column.name, column.names)
                    types[entry.path] = column.type
        self._plan = tables.Plan(schema, types)
        self._tables = {path: layout.table(path) for path in repeats}
        self._inserts = {path: _inserts(ddl.sql_tables(conn, table)) for path, table in self._tables.items()}
        self._deletes = [
            Prepared(delete(part).where(part.c["_submission_id"] == bindparam("submission")))
            for table in layout.tables
            for part in ddl.sql_tables(conn, table)
        ]

    def write(self, conn: Connection, instance: Instance, about: Provenance, *, fresh: bool) -> list[Misfit]:
        """Replace the rows of a submission (`fresh`: it has none yet); gives what found no place in them."""
        if not fresh:
            self.clear(conn, about.submission_id)
        gathered, misfits = self._gather(instance, about)
        for (path, part), parameter_rows in gathered.items():
            statement, _ = self._inserts[path][part]
            statement.many(conn, parameter_rows)
        return misfits

    def parameters(self, instance: Instance, about: Provenance) -> dict[tuple[str, int], list[dict[str, Any]]]:
        """The rows of a submission by the newest path of their table and its part (from 0), as they would be written."""
        gathered, _ = self._gather(instance, about)
        return {(self._tables[path].paths[-1], part): rows for (path, part), rows in gathered.items()}

    def _gather(
        self, instance: Instance, about: Provenance
    ) -> tuple[dict[tuple[str, int], list[dict[str, Any]]], list[Misfit]]:
        rows, misfits = tables.rows_of(self._plan, instance, instance_id=about.instance_id)
        gathered: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for row in rows:
            for part, parameters in enumerate(self._parameters(row, about, instance)):
                gathered.setdefault((row.table, part), []).append(parameters)
        return gathered, misfits

    def clear(self, conn: Connection, submission_id: int) -> None:
        """Remove the rows of a submission."""
        for statement in self._deletes:
            statement.run(conn, {"submission": submission_id})

    def _parameters(self, row: tables.Row, about: Provenance, instance: Instance) -> list[dict[str, Any]]:
        parts = [dict(template) for _, template in self._inserts[row.table]]
        texts: dict[str, str] = {}
        for path, value in row.values.items():
            place = self._places[path]
            if place.type == "geopoint":
                parts[place.part].update(zip(place.names, value, strict=True))
            else:
                parts[place.part][place.names[0]] = value
        for path, text in row.texts.items():
            place = self._places[path]
            if place.type in values.KEEPS_TEXT:
                parts[place.part][place.names[1]] = text
            else:
                texts[place.name] = text
        for parameters in parts:
            parameters["_submission_id"] = about.submission_id
        first = parts[_FIRST]
        first["_key"] = row.key
        first["_texts"] = texts or None
        if row.table == "":
            first["_instance_name"] = instance.instance_name
            first["_form_version"] = instance.version
            first["_received_at"] = about.received_at
            first["_updated_at"] = about.updated_at
            first["_submitter_id"] = about.submitter_id
            first["_submitter"] = about.submitter
            first["_device_id"] = about.device_id
            first["_review_state"] = about.review_state
            first["_edits"] = about.edits
            first["_encrypted"] = instance.encrypted
        else:
            for parameters in parts:
                parameters["_row"] = row.number
            first["_parent_row"] = row.parent
            first["_position"] = row.position
            first["_parent_key"] = row.parent_key
            first["_stable_key"] = about.stable_keys.get(row.key, row.key)
        return parts


def clear(conn: Connection, layout: Layout, submission_id: int) -> None:
    """Remove the rows of a submission from every typed table of a layout."""
    for table in layout.tables:
        for part in ddl.sql_tables(conn, table):
            conn.execute(delete(part).where(part.c["_submission_id"] == submission_id))


def clear_orphans(conn: Connection, layout: Layout) -> None:
    """Remove rows whose submission is not there or was deleted; one statement each, so that none that arrives is taken."""
    for table in layout.tables:
        for part in ddl.sql_tables(conn, table):
            held = exists().where(submissions.c.id == part.c["_submission_id"], submissions.c.deleted_at.is_(None))
            conn.execute(delete(part).where(~held))


def _inserts(parts: tuple[Table, ...]) -> list[tuple[Prepared, dict[str, Any]]]:
    names = [part.columns.keys() for part in parts]
    return [
        (Prepared(insert(part).inline(), columns=columns), dict.fromkeys(columns))
        for part, columns in zip(parts, names, strict=True)
    ]

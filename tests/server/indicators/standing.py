"""Standing: the facts that are kept beside those that the typed tables give now."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, select, text

from server.actions import following, rebuilds
from server.context import Context
from server.indicators import catalogue
from server.store import forms, indicators, submissions
from tests.server.desk import Desk

Facts = dict[tuple[int, str], list[dict[str, Any]]]
"""(form's row id, fact table) → its rows in order of submission and row, every column."""


def kept(desk: Desk) -> Facts:
    """Every fact table that the registry names, as it stands in the database."""

    def look(conn: Connection) -> Facts:
        found: Facts = {}
        for form in forms.list_every_form(conn):
            tables = {one.table.name: one.table for one in catalogue.tables_of(conn, form)}
            for _, _, name, _ in indicators.list_fact_tables(conn, form.id):
                found[form.id, name] = _rows(conn, select(tables[name]))
        return found

    return desk.look(look)


def fresh(desk: Desk) -> Facts:
    """What the typed tables give now, for everything that is declared now."""

    def look(conn: Connection) -> Facts:
        return {
            (form.id, one.table.name): _rows(conn, one.rows)
            for form in forms.list_every_form(conn)
            for one in catalogue.tables_of(conn, form)
        }

    return desk.look(look)


def delete(desk: Desk, form_id: str, instance_id: str) -> None:
    """A submission deleted: its row is marked, and what followed from it is taken back."""
    _change(desk, form_id, instance_id, deleted_at=desk.office.clock())


def review(desk: Desk, form_id: str, instance_id: str, state: str) -> None:
    """A submission approved or rejected, and followed."""
    _change(desk, form_id, instance_id, review_state=state)


def rebuild(desk: Desk) -> None:
    """As `tejido rebuild` does it."""
    for held in desk.act(rebuilds.prepare_rebuild):
        rebuilds.rebuild_form(desk.act, held)


def drop(desk: Desk, name: str) -> None:
    """A fact table gone by somebody's hand."""
    place = f"data_{name}" if desk.office.database.is_sqlite else f"data.{name}"
    desk.change(lambda conn: conn.execute(text(f"DROP TABLE {place}")))


def _change(desk: Desk, form_id: str, instance_id: str, **values: Any) -> None:
    row_id = desk.form_row_id(form_id)

    def work(ctx: Context) -> None:
        found = submissions.find(ctx.conn, row_id, instance_id)
        assert found is not None
        submissions.change(ctx.conn, found.id, **values)
        following.follow_stored(ctx, found.id)

    desk.act(work)


def _rows(conn: Connection, statement: Select[Any]) -> list[dict[str, Any]]:
    rows = [dict(row) for row in conn.execute(statement).mappings()]
    return sorted(rows, key=lambda row: (row["_submission_id"], row["_row"]))

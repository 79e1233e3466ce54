"""SQL for projects."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from server.model.projects import Project, projects
from server.prepared import Prepared

_BY_ID = Prepared(select(projects).where(projects.c.id == bindparam("id"), projects.c.deleted_at.is_(None)))


def find_project(conn: Connection, project_id: int) -> Project | None:
    """A project that was not deleted."""
    row = _BY_ID.first(conn, {"id": project_id})
    return Project(*row) if row else None


def list_projects(conn: Connection) -> list[Project]:
    """Every project that was not deleted, eldest first."""
    rows = conn.execute(select(projects).where(projects.c.deleted_at.is_(None)).order_by(projects.c.id))
    return [Project(*row) for row in rows]


def add_project(conn: Connection, *, name: str, description: str | None, created_at: datetime) -> int:
    """A project; gives its id."""
    statement = insert(projects).values(name=name, description=description, created_at=created_at)
    return int(conn.execute(statement.returning(projects.c.id)).scalar_one())


def hold_for_change(conn: Connection, project_id: int) -> Project:
    """The project with this row id, held against other changes of what it declares."""
    statement = select(projects).where(projects.c.id == project_id).with_for_update(key_share=True)
    return Project(*conn.execute(statement).one())


def change_project(conn: Connection, project_id: int, **values: Any) -> None:
    """Other values in a project's row."""
    conn.execute(update(projects).where(projects.c.id == project_id).values(**values))

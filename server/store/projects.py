"""SQL for projects."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

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

"""Alembic migrations, the same steps on SQLite and PostgreSQL."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Final

from sqlalchemy import inspect, text

from server.db import Database

FOLDER: Final = Path(__file__).parent
HEAD: Final = max(path.name[:4] for path in (FOLDER / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))
"""The newest revision: the number at the beginning of its file's name."""


def current(database: Database) -> str | None:
    """The revision the database is at; None for an empty one."""
    with database.reading() as conn:
        if not inspect(conn).has_table("alembic_version"):
            return None
        return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(database: Database) -> bool:
    """Bring the database to HEAD; gives whether there was anything to do. Two at once wait for each other."""
    if current(database) == HEAD:
        return False
    steps = import_module("server.migrations.steps")  # Alembic takes long to import: only when there is work for it
    steps.run(database.engine)
    return True

"""Running Alembic's steps on one connection, with no other process doing the same."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, func, select

from server.migrations import FOLDER

LOCK = 0x7E11D0
"""PostgreSQL advisory lock held while migrating."""


def run(engine: Engine) -> None:
    """Upgrade to the newest revision inside one transaction."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with engine.connect().execution_options(tejido_writes=True) as conn, conn.begin():
        if conn.dialect.name == "postgresql":
            conn.execute(select(func.pg_advisory_xact_lock(LOCK)))
        config.attributes["connection"] = conn
        command.upgrade(config, "head")

"""The migrated database is what the model says, table by table and column by column."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from server.model import METADATA
from tests.server.desk import Desk


def test_the_migrated_database_is_what_the_model_says(desk: Desk):
    def differences(conn: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(conn), METADATA))

    assert desk.look(differences) == []

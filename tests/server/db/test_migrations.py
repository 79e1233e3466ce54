"""The migrated database is what the model says, table by table and column by column."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from server import migrations
from server.app import open_office
from server.context import Office
from server.migrations import FOLDER
from server.model import METADATA
from server.settings import Settings
from tests.server.desk import Desk


def test_the_migrated_database_is_what_the_model_says(desk: Desk):
    def differences(conn: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(conn), METADATA))

    assert desk.look(differences) == []


NOW = datetime(2026, 8, 15, tzinfo=UTC).isoformat()
BEFORE = (
    "INSERT INTO projects (id, name, created_at) VALUES (1, 'p', :now)",
    "INSERT INTO forms (id, project_id, xml_form_id, state, created_at) VALUES (1, 1, 'hogar', 'open', :now)",
    "INSERT INTO data_tables (id, form_id, paths, name) VALUES (1, 1, '[\"\"]', 'hogar'), (2, 1, '[\"/m\"]', 'hogar_m')",
    "CREATE TABLE {data}hogar_m (_submission_id bigint, _row integer, _key text)",
    "INSERT INTO submissions (id, form_id, instance_id, review_state, edits, created_at, updated_at)"
    " VALUES (1, 1, 'uuid:A', NULL, 0, :now, NULL), (2, 1, 'uuid:B', 'edited', 1, :now, :now)",
    "INSERT INTO {data}hogar_m VALUES (1, 1, 'uuid:A/m[1]'), (2, 1, 'uuid:B/m[1]')",
)


def test_an_installation_with_edits_gets_stable_keys_and_their_rows_are_written_again(
    database_url: str, tmp_path: Path
):
    office = open_office(Settings(data=tmp_path, database_url=database_url))
    try:
        bring_to(office, "0005")
        data = "data." if office.database.engine.dialect.name == "postgresql" else "data_"
        office.database.write(
            lambda conn: [
                conn.execute(text(sql.format(data=data)), {"now": NOW} if ":now" in sql else {}) for sql in BEFORE
            ]
        )

        migrations.upgrade(office.database)

        def look(conn: Connection, sql: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in conn.execute(text(sql.format(data=data)))]

        keys = "SELECT _key, _stable_key FROM {data}hogar_m ORDER BY _submission_id"
        assert office.database.read(lambda conn: look(conn, keys)) == [("uuid:A/m[1]",) * 2, ("uuid:B/m[1]",) * 2]
        waiting = "SELECT submission_id, follower FROM follow_failures"
        assert office.database.read(lambda conn: look(conn, waiting)) == [(2, "tables")]
        decided = "SELECT submission_id, state FROM reviews"
        assert office.database.read(lambda conn: look(conn, decided)) == [(2, "edited")]
    finally:
        office.database.close()


def bring_to(office: Office, revision: str) -> None:
    """The database as an earlier version of the program left it."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    with office.database.engine.connect().execution_options(tejido_writes=True) as conn, conn.begin():
        config.attributes["connection"] = conn
        command.upgrade(config, revision)

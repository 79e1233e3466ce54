"""Alembic's environment: the connection that was handed in, batch mode where the database is SQLite."""

from alembic import context

from server.model import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()

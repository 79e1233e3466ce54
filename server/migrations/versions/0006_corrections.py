"""Corrections over raw data, reviews and their comments; the stable keys of repeat rows."""

import sqlalchemy as sa
from alembic import op

from server.model import columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "corrections",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("submission_id", columns.Id, nullable=False),
        sa.Column("version_id", columns.Id, nullable=False),
        sa.Column("row_place", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("raw_text", sa.Text(), nullable=True),
        sa.Column("old_text", sa.Text(), nullable=True),
        sa.Column("new_text", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("replaces_id", columns.Id, nullable=True),
        sa.Column("actor_id", columns.Id, nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_corrections_submission_id")),
        sa.ForeignKeyConstraint(["version_id"], ["submission_versions.id"], name=op.f("fk_corrections_version_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["corrections.id"], name=op.f("fk_corrections_replaces_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_corrections_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    op.create_index(op.f("ix_corrections_submission_id"), "corrections", ["submission_id"], unique=False)
    op.create_table(
        "correction_changes",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("correction_id", columns.Id, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version_id", columns.Id, nullable=True),
        sa.Column("actor_id", columns.Id, nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["corrections.id"], name=op.f("fk_correction_changes_correction_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["submission_versions.id"], name=op.f("fk_correction_changes_version_id")
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_correction_changes_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction_changes")),
    )
    op.create_index(op.f("ix_correction_changes_correction_id"), "correction_changes", ["correction_id"], unique=False)
    for name, own in (("reviews", ("state", "note")), ("comments", ("body",))):
        op.create_table(
            name,
            sa.Column("id", columns.Id, nullable=False),
            sa.Column("submission_id", columns.Id, nullable=False),
            *(sa.Column(column, sa.Text(), nullable=column != "body") for column in own),
            sa.Column("actor_id", columns.Id, nullable=True),
            sa.Column("created_at", columns.Instant(), nullable=False),
            sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f(f"fk_{name}_submission_id")),
            sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f(f"fk_{name}_actor_id")),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        )
        op.create_index(op.f(f"ix_{name}_submission_id"), name, ["submission_id"], unique=False)
    op.execute(
        "INSERT INTO reviews (submission_id, state, created_at)"
        " SELECT id, review_state, updated_at FROM submissions WHERE review_state IS NOT NULL AND updated_at IS NOT NULL"
    )
    _give_keys()


def _give_keys() -> None:
    """A column for the stable key in the table of every repeat.

    It is the row's own key where nothing was edited; rows of edited submissions are written again by the schedule, which
    looks after what failed to follow.
    """
    conn = op.get_bind()
    postgresql = conn.dialect.name == "postgresql"
    data_tables = sa.table("data_tables", sa.column("name"), sa.column("paths", columns.Json()))
    for row in conn.execute(sa.select(data_tables)).all():
        if "" in row.paths:
            continue
        name, schema = (row.name, "data") if postgresql else (f"data_{row.name}", None)
        if not sa.inspect(conn).has_table(name, schema=schema):
            continue  # `rebuild` makes it
        op.add_column(name, sa.Column("_stable_key", sa.Text()), schema=schema)
        table = sa.table(name, sa.column("_key"), sa.column("_stable_key"), schema=schema)
        conn.execute(sa.update(table).values(_stable_key=table.c["_key"]))
    conn.execute(
        sa.text(
            "INSERT INTO follow_failures (submission_id, follower, error, tries, failed_at)"
            " SELECT id, 'tables', 'stable keys', 0, updated_at FROM submissions"
            " WHERE edits > 0 AND NOT draft AND deleted_at IS NULL AND updated_at IS NOT NULL"
            " ON CONFLICT DO NOTHING"
        )
    )

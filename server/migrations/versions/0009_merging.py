"""Merges of entities, and pairs that are two."""

import sqlalchemy as sa
from alembic import op

from server.model import columns

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "entity_merges",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("survivor_id", columns.Id, nullable=False),
        sa.Column("absorbed_id", columns.Id, nullable=False),
        sa.Column("survivor_version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor_id", columns.Id, nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("undone_at", columns.Instant(), nullable=True),
        sa.Column("undone_by", columns.Id, nullable=True),
        sa.Column("undone_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["survivor_id"], ["entities.id"], name=op.f("fk_entity_merges_survivor_id")),
        sa.ForeignKeyConstraint(["absorbed_id"], ["entities.id"], name=op.f("fk_entity_merges_absorbed_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_entity_merges_actor_id")),
        sa.ForeignKeyConstraint(["undone_by"], ["actors.id"], name=op.f("fk_entity_merges_undone_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entity_merges")),
    )
    op.create_index(op.f("ix_entity_merges_survivor_id"), "entity_merges", ["survivor_id"], unique=False)
    op.create_index(op.f("ix_entity_merges_absorbed_id"), "entity_merges", ["absorbed_id"], unique=False)
    op.create_table(
        "distinct_entities",
        sa.Column("first_id", columns.Id, nullable=False),
        sa.Column("second_id", columns.Id, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("actor_id", columns.Id, nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_distinct_entities_ordered")),
        sa.ForeignKeyConstraint(["first_id"], ["entities.id"], name=op.f("fk_distinct_entities_first_id")),
        sa.ForeignKeyConstraint(["second_id"], ["entities.id"], name=op.f("fk_distinct_entities_second_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_distinct_entities_actor_id")),
        sa.PrimaryKeyConstraint("first_id", "second_id", name=op.f("pk_distinct_entities")),
    )

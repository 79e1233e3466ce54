"""Withdrawals of consent, what a project does at one, and the verb for it."""

import sqlalchemy as sa
from alembic import op

from server.model import columns

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_WITHDRAW = "entity.withdraw"
_MAY_WITHDRAW = ("admin", "manager")


def upgrade() -> None:
    """Forward."""
    op.add_column("projects", sa.Column("withdrawal", sa.Text(), nullable=False, server_default="erase"))
    op.create_table(
        "withdrawals",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("project_id", columns.Id, nullable=False),
        sa.Column("dataset_id", columns.Id, nullable=False),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=True),
        sa.Column("actor_id", columns.Id, nullable=True),
        sa.Column("withdrawn_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_withdrawals_project_id")),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_withdrawals_dataset_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_withdrawals_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawals")),
        sa.UniqueConstraint("dataset_id", "uuid", name=op.f("uq_withdrawals_dataset_id_uuid")),
        sa.UniqueConstraint("project_id", "uuid", "dataset_id", name=op.f("uq_withdrawals_project_id_uuid_dataset_id")),
    )
    op.create_table(
        "doomed_blobs",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("since", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_doomed_blobs")),
    )
    roles = sa.table("roles", sa.column("id"), sa.column("system"), sa.column("verbs", columns.Json()))
    conn = op.get_bind()
    for row in conn.execute(sa.select(roles)).all():
        if row.system in _MAY_WITHDRAW and _WITHDRAW not in row.verbs:
            conn.execute(sa.update(roles).where(roles.c.id == row.id).values(verbs=[*row.verbs, _WITHDRAW]))

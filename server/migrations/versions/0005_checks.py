"""Checks: what flags say and who explained them, keys and statistics that checks compare with, what audit logs sum up to."""

import sqlalchemy as sa
from alembic import op

from server.model import columns

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_VERBS = {"manager": ("flag.update",), "admin": ("flag.update",)}


def upgrade() -> None:
    """Forward."""
    op.add_column("flags", sa.Column("details", columns.Json(), nullable=True))
    op.add_column("flags", sa.Column("explained_by", columns.Id, nullable=True))
    op.add_column("flags", sa.Column("explained_at", columns.Instant(), nullable=True))
    op.add_column("flags", sa.Column("comment", sa.Text(), nullable=True))
    op.create_table(
        "check_plans",
        sa.Column("form_id", columns.Id, nullable=False),
        sa.Column("digests", columns.Json(), nullable=False),
        sa.Column("submissions", sa.Integer(), nullable=False),
        sa.Column("ran_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["form_id"], ["forms.id"], name=op.f("fk_check_plans_form_id")),
        sa.PrimaryKeyConstraint("form_id", name=op.f("pk_check_plans")),
    )
    op.create_table(
        "check_keys",
        sa.Column("form_id", columns.Id, nullable=False),
        sa.Column("check", sa.Text(), nullable=False),
        sa.Column("submission_id", columns.Id, nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("form_id", "check", "submission_id", "row", name=op.f("pk_check_keys")),
    )
    op.create_index(op.f("ix_check_keys_form_id_check_key"), "check_keys", ["form_id", "check", "key"], unique=False)
    op.create_index(op.f("ix_check_keys_submission_id"), "check_keys", ["submission_id"], unique=False)
    op.create_table(
        "check_statistics",
        sa.Column("form_id", columns.Id, nullable=False),
        sa.Column("check", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("middle", sa.Double(), nullable=False),
        sa.Column("spread", sa.Double(), nullable=False),
        sa.Column("across", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("form_id", "check", "path", "category", name=op.f("pk_check_statistics")),
    )
    op.create_table(
        "audit_logs",
        sa.Column("submission_id", columns.Id, nullable=False),
        sa.Column("form_id", columns.Id, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("screens", sa.Integer(), nullable=False),
        sa.Column("median_seconds", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_audit_logs")),
    )
    op.create_index(op.f("ix_audit_logs_form_id"), "audit_logs", ["form_id"], unique=False)
    _give_verbs()


def _give_verbs() -> None:
    roles = sa.table("roles", sa.column("id"), sa.column("system"), sa.column("verbs", columns.Json()))
    conn = op.get_bind()
    for row in conn.execute(sa.select(roles)).all():
        added = [verb for verb in _VERBS.get(row.system, ()) if verb not in row.verbs]
        if added:
            conn.execute(sa.update(roles).where(roles.c.id == row.id).values(verbs=[*row.verbs, *added]))

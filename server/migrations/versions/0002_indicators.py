"""Indicators: declarations in versions, the places that hold places, fact tables, and who may read and change them."""

import sqlalchemy as sa
from alembic import op

from server.model import columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_READER = ("indicator.list", "indicator.read")
_VERBS = {
    "viewer": _READER,
    "manager": (*_READER, "indicator.update", "indicator.unmask"),
    "admin": (*_READER, "indicator.update", "indicator.unmask"),
}


def upgrade() -> None:
    """Forward."""
    op.add_column("projects", sa.Column("counting", sa.Text(), nullable=False, server_default="not_rejected"))
    op.add_column("projects", sa.Column("minimum_n", sa.Integer(), nullable=False, server_default="10"))
    op.add_column("projects", sa.Column("indicators_revision", sa.Text(), nullable=False, server_default=""))
    op.add_column("form_versions", sa.Column("declarations", columns.Json(), nullable=True))
    op.create_table(
        "logframes",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("project_id", columns.Id, nullable=False),
        sa.Column("form_id", columns.Id, nullable=True),
        sa.Column("workbook_sha256", sa.Text(), nullable=False),
        sa.Column("workbook_name", sa.Text(), nullable=True),
        sa.Column("actor_id", columns.Id, nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_logframes_project_id")),
        sa.ForeignKeyConstraint(["form_id"], ["forms.id"], name=op.f("fk_logframes_form_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_logframes_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logframes")),
    )
    op.create_index(op.f("ix_logframes_project_id"), "logframes", ["project_id"], unique=False)
    op.create_table(
        "definitions",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("project_id", columns.Id, nullable=False),
        sa.Column("form_id", columns.Id, nullable=True),
        sa.Column("logframe_id", columns.Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content", columns.Json(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("retired_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_definitions_project_id")),
        sa.ForeignKeyConstraint(["form_id"], ["forms.id"], name=op.f("fk_definitions_form_id")),
        sa.ForeignKeyConstraint(["logframe_id"], ["logframes.id"], name=op.f("fk_definitions_logframe_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_definitions")),
        sa.UniqueConstraint(
            "project_id", "kind", "name", "version", name=op.f("uq_definitions_project_id_kind_name_version")
        ),
    )
    op.create_index(
        "ix_definitions_in_force",
        "definitions",
        ["project_id", "kind"],
        unique=False,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_table(
        "place_ancestors",
        sa.Column("project_id", columns.Id, nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("ancestor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_place_ancestors_project_id")),
        sa.PrimaryKeyConstraint("project_id", "level", "code", "valid_from", name=op.f("pk_place_ancestors")),
    )
    op.create_table(
        "fact_tables",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("form_id", columns.Id, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["form_id"], ["forms.id"], name=op.f("fk_fact_tables_form_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_tables")),
        sa.UniqueConstraint("name", name=op.f("uq_fact_tables_name")),
    )
    op.create_index(op.f("ix_fact_tables_form_id"), "fact_tables", ["form_id"], unique=False)
    _give_verbs()


def _give_verbs() -> None:
    roles = sa.table("roles", sa.column("id"), sa.column("system"), sa.column("verbs", columns.Json()))
    conn = op.get_bind()
    for row in conn.execute(sa.select(roles)).all():
        added = [verb for verb in _VERBS.get(row.system, ()) if verb not in row.verbs]
        if added:
            conn.execute(sa.update(roles).where(roles.c.id == row.id).values(verbs=[*row.verbs, *added]))

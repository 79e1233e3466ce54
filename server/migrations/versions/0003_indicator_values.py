"""Indicator values as tools of analysis read them: kept in a table, seen through a view beside the typed tables."""

import sqlalchemy as sa
from alembic import op

from server.model import columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SHOWN = (
    *("indicator", "version", "period_kind", "period", "first_day", "last_day", "place_level", "place", "dimension"),
    *("category", "value", "n", "excluded", "numerator", "denominator", "se", "low", "high", "baseline", "target"),
    *("achievement", "hidden", "computed_at"),
)
_LABELS = ("indicator", "place", "category", "unit")


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "indicator_values",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("project_id", columns.Id, nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("period_kind", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("place_level", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("dimension", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("n", sa.BigInteger(), nullable=True),
        sa.Column("excluded", sa.BigInteger(), nullable=True),
        sa.Column("numerator", sa.Double(), nullable=True),
        sa.Column("denominator", sa.Double(), nullable=True),
        sa.Column("se", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("baseline", sa.Double(), nullable=True),
        sa.Column("target", sa.Double(), nullable=True),
        sa.Column("achievement", sa.Double(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("labels", columns.Json(), nullable=False),
        sa.Column("computed_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_indicator_values_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_indicator_values")),
    )
    op.create_index(op.f("ix_indicator_values_project_id"), "indicator_values", ["project_id"], unique=False)
    op.create_table(
        "value_states",
        sa.Column("project_id", columns.Id, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("computed_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_value_states_project_id")),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_value_states")),
    )
    _create_view()


def _create_view() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    name = "data.indicator_values" if on_postgresql else "data_indicator_values"
    labels = ", ".join(
        (
            f"v.labels -> '{language}' ->> '{what}'"
            if on_postgresql
            else f"json_extract(v.labels, '$.{language}.{what}')"
        )
        + f" AS {what}_{language}"
        for language in ("es", "en")
        for what in _LABELS
    )
    shown = ", ".join(f"v.{column}" for column in _SHOWN)
    op.execute(
        f"CREATE VIEW {name} AS SELECT v.project_id, p.name AS project, {shown}, {labels} "
        "FROM indicator_values v JOIN projects p ON p.id = v.project_id WHERE p.deleted_at IS NULL"
    )

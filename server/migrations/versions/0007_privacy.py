"""Privacy: pseudonyms, answers that were not kept, an audit that only grows, and verbs for whoever may see more."""

import sqlalchemy as sa
from alembic import op

from server.model import columns

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_IDENTIFY = "submission.identify"
_MAY_IDENTIFY = ("admin", "manager")


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "withheld_answers",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("version_id", columns.Id, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["submission_versions.id"], name=op.f("fk_withheld_answers_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withheld_answers")),
    )
    op.create_index(op.f("ix_withheld_answers_version_id"), "withheld_answers", ["version_id"], unique=False)
    op.create_table(
        "pseudonyms",
        sa.Column("project_id", columns.Id, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_pseudonyms_project_id")),
        sa.PrimaryKeyConstraint("project_id", "subject", "key", name=op.f("pk_pseudonyms")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_pseudonyms_pseudonym")),
    )
    _let_audits_only_grow()
    _give_verbs()


def _let_audits_only_grow() -> None:
    """No line of the audit is changed or taken away, whoever holds the connection."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audits_only_grow() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit only grows'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audits_only_grow BEFORE UPDATE OR DELETE ON audits "
            "FOR EACH ROW EXECUTE FUNCTION audits_only_grow()"
        )
        op.execute(
            "CREATE TRIGGER audits_are_not_emptied BEFORE TRUNCATE ON audits "
            "FOR EACH STATEMENT EXECUTE FUNCTION audits_only_grow()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audits_only_grow_{event.lower()} BEFORE {event} ON audits "
            "BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END"
        )


def _give_verbs() -> None:
    roles = sa.table("roles", sa.column("id"), sa.column("system"), sa.column("verbs", columns.Json()))
    conn = op.get_bind()
    for row in conn.execute(sa.select(roles)).all():
        if row.system in _MAY_IDENTIFY and _IDENTIFY not in row.verbs:
            conn.execute(sa.update(roles).where(roles.c.id == row.id).values(verbs=[*row.verbs, _IDENTIFY]))

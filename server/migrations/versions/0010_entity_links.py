"""Which row of which submission speaks of which entity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.model import columns

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

FROM_RECEIPTS = (
    "INSERT INTO entity_links (submission_id, row_key, path, dataset_id, uuid) "
    "SELECT receipts.submission_id, submissions.instance_id, receipts.key, datasets.id, receipts.uuid "
    "FROM entity_receipts AS receipts JOIN submissions ON submissions.id = receipts.submission_id "
    "JOIN forms ON forms.id = submissions.form_id "
    "JOIN datasets ON datasets.project_id = forms.project_id AND datasets.name = receipts.dataset "
    "AND datasets.deleted_at IS NULL "
    "WHERE receipts.uuid IS NOT NULL AND receipts.key NOT LIKE '%]%'"
)
"""What was done of the blocks of forms themselves says of whom they speak."""


def upgrade() -> None:
    """Forward. Of submissions that are here the form's own blocks are linked; `tejido rebuild` links those of repeat rows."""
    op.create_table(
        "entity_links",
        sa.Column("submission_id", columns.Id, nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("dataset_id", columns.Id, nullable=False),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_entity_links_submission_id")),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_entity_links_dataset_id")),
        sa.PrimaryKeyConstraint("submission_id", "row_key", "path", name=op.f("pk_entity_links")),
    )
    op.create_index(op.f("ix_entity_links_uuid"), "entity_links", ["uuid"], unique=False)
    op.execute(sa.text(FROM_RECEIPTS))

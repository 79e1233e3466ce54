"""Entity lists, their entities with every version, what submissions did to them, and who sees which of them."""

import sqlalchemy as sa
from alembic import op

from server.model import columns

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "datasets",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("project_id", columns.Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("approval_required", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("owner_only", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("revision", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=True),
        sa.Column("deleted_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_datasets_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
    )
    op.create_index(
        op.f("uq_datasets_living"),
        "datasets",
        ["project_id", "folded"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "dataset_properties",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("dataset_id", columns.Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("deleted_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_dataset_properties_dataset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_properties")),
    )
    op.create_index(op.f("ix_dataset_properties_dataset_id"), "dataset_properties", ["dataset_id"], unique=False)
    op.create_index(
        op.f("uq_dataset_properties_living"),
        "dataset_properties",
        ["dataset_id", "folded"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "actor_properties",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("project_id", columns.Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_actor_properties_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actor_properties")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_actor_properties_project_id_name")),
    )
    op.create_table(
        "actor_property_values",
        sa.Column("actor_id", columns.Id, nullable=False),
        sa.Column("property_id", columns.Id, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_actor_property_values_actor_id")),
        sa.ForeignKeyConstraint(
            ["property_id"], ["actor_properties.id"], name=op.f("fk_actor_property_values_property_id")
        ),
        sa.PrimaryKeyConstraint("actor_id", "property_id", name=op.f("pk_actor_property_values")),
    )
    op.create_table(
        "dataset_filters",
        sa.Column("property_id", columns.Id, nullable=False),
        sa.Column("actor_property_id", columns.Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["property_id"], ["dataset_properties.id"], name=op.f("fk_dataset_filters_property_id")
        ),
        sa.ForeignKeyConstraint(
            ["actor_property_id"], ["actor_properties.id"], name=op.f("fk_dataset_filters_actor_property_id")
        ),
        sa.PrimaryKeyConstraint("property_id", "actor_property_id", name=op.f("pk_dataset_filters")),
    )
    op.create_table(
        "entities",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("dataset_id", columns.Id, nullable=False),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("data", columns.Json(), nullable=False),
        sa.Column("conflict", sa.Text(), nullable=True),
        sa.Column("creator_id", columns.Id, nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=True),
        sa.Column("deleted_at", columns.Instant(), nullable=True),
        sa.Column("merged_into_id", columns.Id, nullable=True),
        sa.Column("withdrawn_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_entities_dataset_id")),
        sa.ForeignKeyConstraint(["creator_id"], ["actors.id"], name=op.f("fk_entities_creator_id")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["entities.id"], name=op.f("fk_entities_merged_into_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entities")),
        sa.UniqueConstraint("dataset_id", "uuid", name=op.f("uq_entities_dataset_id_uuid")),
    )
    op.create_index(op.f("ix_entities_dataset_id_id"), "entities", ["dataset_id", "id"], unique=False)
    op.create_table(
        "entity_sources",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("submission_version_id", columns.Id, nullable=True),
        sa.Column("forced", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("details", columns.Json(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_version_id"], ["submission_versions.id"], name=op.f("fk_entity_sources_submission_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entity_sources")),
    )
    op.create_index(
        op.f("ix_entity_sources_submission_version_id"), "entity_sources", ["submission_version_id"], unique=False
    )
    op.create_table(
        "entity_versions",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("entity_id", columns.Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("data", columns.Json(), nullable=False),
        sa.Column("received", columns.Json(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=True),
        sa.Column("trunk_version", sa.Integer(), nullable=True),
        sa.Column("branch_id", sa.Text(), nullable=True),
        sa.Column("branch_base_version", sa.Integer(), nullable=True),
        sa.Column("conflicting", columns.Json(), nullable=True),
        sa.Column("source_id", columns.Id, nullable=False),
        sa.Column("creator_id", columns.Id, nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entities.id"], name=op.f("fk_entity_versions_entity_id")),
        sa.ForeignKeyConstraint(["source_id"], ["entity_sources.id"], name=op.f("fk_entity_versions_source_id")),
        sa.ForeignKeyConstraint(["creator_id"], ["actors.id"], name=op.f("fk_entity_versions_creator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entity_versions")),
        sa.UniqueConstraint("entity_id", "version", name=op.f("uq_entity_versions_entity_id_version")),
    )
    op.create_index(op.f("ix_entity_versions_source_id"), "entity_versions", ["source_id"], unique=False)
    op.create_table(
        "entity_receipts",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("submission_id", columns.Id, nullable=False),
        sa.Column("version_id", columns.Id, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("uuid", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("entity_id", columns.Id, nullable=True),
        sa.Column("entity_version", sa.Integer(), nullable=True),
        sa.Column("branch_id", sa.Text(), nullable=True),
        sa.Column("base_version", sa.Integer(), nullable=True),
        sa.Column("change", columns.Json(), nullable=True),
        sa.Column("problem", columns.Json(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_entity_receipts_submission_id")),
        sa.ForeignKeyConstraint(["version_id"], ["submission_versions.id"], name=op.f("fk_entity_receipts_version_id")),
        sa.ForeignKeyConstraint(["entity_id"], ["entities.id"], name=op.f("fk_entity_receipts_entity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entity_receipts")),
        sa.UniqueConstraint("submission_id", "key", name=op.f("uq_entity_receipts_submission_id_key")),
    )
    op.create_index(op.f("ix_entity_receipts_entity_id"), "entity_receipts", ["entity_id"], unique=False)
    op.create_index(
        op.f("ix_entity_receipts_held"),
        "entity_receipts",
        ["uuid"],
        unique=False,
        sqlite_where=sa.text("outcome = 'held'"),
        postgresql_where=sa.text("outcome = 'held'"),
    )
    op.create_table(
        "purged_entities",
        sa.Column("dataset_id", columns.Id, nullable=False),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("purged_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_purged_entities_dataset_id")),
        sa.PrimaryKeyConstraint("dataset_id", "uuid", name=op.f("pk_purged_entities")),
    )
    op.add_column("form_attachments", sa.Column("dataset_id", columns.Id))
    op.add_column("audits", sa.Column("dataset_id", columns.Id))
    op.add_column("audits", sa.Column("entity_id", columns.Id))
    there = sa.text("entity_id IS NOT NULL")
    op.create_index(op.f("ix_audits_entity_id"), "audits", ["entity_id"], sqlite_where=there, postgresql_where=there)

"""Foundation: people, projects, forms, submissions, the registry of typed tables, audits."""

import sqlalchemy as sa
from alembic import op

from server.model import columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_VIEWER = [
    "project.read",
    "form.list",
    "form.read",
    "submission.list",
    "submission.read",
    "dataset.list",
    "entity.list",
]
_VIEWER += ["dataset.read", "entity.read"]
_MANAGER = [*_VIEWER, "project.update", "project.delete", "form.create", "form.update", "form.delete", "form.restore"]
_MANAGER += ["submission.create", "submission.update", "submission.delete", "submission.restore"]
_MANAGER += ["field_key.create", "field_key.list", "field_key.update", "field_key.delete", "public_link.create"]
_MANAGER += ["public_link.list", "public_link.read", "public_link.update", "public_link.delete", "session.end"]
_MANAGER += ["assignment.list", "assignment.create", "assignment.delete", "dataset.create", "dataset.update"]
_MANAGER += ["dataset.delete", "entity.create", "entity.update", "entity.delete", "entity.restore"]
_ADMIN = [*_MANAGER, "project.create", "user.create", "user.list", "user.read", "user.update", "user.delete"]
_ADMIN += ["user.password.invalidate", "role.create", "role.update", "role.delete", "audit.read", "config.read"]
_ADMIN += ["config.set", "backup.run", "analytics.read"]
_ROLES = {
    "admin": ("Administrator", _ADMIN),
    "manager": ("Project Manager", _MANAGER),
    "viewer": ("Project Viewer", _VIEWER),
    "formfill": ("Data Collector", ["project.read", "form.list", "form.read", "submission.create"]),
    "app-user": ("App User", ["form.read", "submission.create"]),
}


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "actors",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("deleted_at", columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actors")),
    )
    op.create_table(
        "projects",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("archived", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("deleted_at", columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.create_table(
        "roles",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("verbs", columns.Json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("system", name=op.f("uq_roles_system")),
    )
    op.create_table(
        "audits",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("actor_id", columns.Id, nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("project_id", columns.Id, nullable=True),
        sa.Column("form_id", columns.Id, nullable=True),
        sa.Column("submission_id", columns.Id, nullable=True),
        sa.Column("details", columns.Json(), nullable=True),
        sa.Column("logged_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_audits_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audits")),
    )
    op.create_index(op.f("ix_audits_action"), "audits", ["action"], unique=False)
    op.create_index(op.f("ix_audits_form_id"), "audits", ["form_id"], unique=False)
    op.create_table(
        "field_keys",
        sa.Column("actor_id", columns.Id, nullable=False),
        sa.Column("project_id", columns.Id, nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_by", columns.Id, nullable=True),
        sa.Column("revoked_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_field_keys_actor_id")),
        sa.ForeignKeyConstraint(["created_by"], ["actors.id"], name=op.f("fk_field_keys_created_by")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_field_keys_project_id")),
        sa.PrimaryKeyConstraint("actor_id", name=op.f("pk_field_keys")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_field_keys_token_hash")),
    )
    op.create_table(
        "forms",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("project_id", columns.Id, nullable=False),
        sa.Column("xml_form_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("current_version_id", columns.Id, nullable=True),
        sa.Column("draft_version_id", columns.Id, nullable=True),
        sa.Column("layout_revision", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=True),
        sa.Column("deleted_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_forms_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forms")),
    )
    op.create_index(
        "uq_forms_living",
        "forms",
        ["project_id", "xml_form_id"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "users",
        sa.Column("actor_id", columns.Id, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_users_actor_id")),
        sa.PrimaryKeyConstraint("actor_id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "assignments",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("actor_id", columns.Id, nullable=False),
        sa.Column("role_id", columns.Id, nullable=False),
        sa.Column("project_id", columns.Id, nullable=True),
        sa.Column("form_id", columns.Id, nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name=op.f("fk_assignments_actor_id")),
        sa.ForeignKeyConstraint(["form_id"], ["forms.id"], name=op.f("fk_assignments_form_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_assignments_project_id")),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("fk_assignments_role_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
    )
    op.create_index(op.f("ix_assignments_actor_id"), "assignments", ["actor_id"], unique=False)
    op.create_table(
        "data_tables",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("form_id", columns.Id, nullable=False),
        sa.Column("paths", columns.Json(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["form_id"], ["forms.id"], name=op.f("fk_data_tables_form_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_tables")),
        sa.UniqueConstraint("name", name=op.f("uq_data_tables_name")),
    )
    op.create_index(op.f("ix_data_tables_form_id"), "data_tables", ["form_id"], unique=False)
    op.create_table(
        "form_versions",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("form_id", columns.Id, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("xml", sa.LargeBinary(), nullable=False),
        sa.Column("md5", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("workbook_sha256", sa.Text(), nullable=True),
        sa.Column("workbook_name", sa.Text(), nullable=True),
        sa.Column("marks", columns.Json(), nullable=False),
        sa.Column("draft_token_hash", sa.Text(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("published_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["form_id"], ["forms.id"], name=op.f("fk_form_versions_form_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_versions")),
        sa.UniqueConstraint("draft_token_hash", name=op.f("uq_form_versions_draft_token_hash")),
    )
    op.create_index(op.f("ix_form_versions_form_id_version"), "form_versions", ["form_id", "version"], unique=False)
    op.create_table(
        "submissions",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("form_id", columns.Id, nullable=False),
        sa.Column("draft", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("instance_id", sa.Text(), nullable=False),
        sa.Column("submitter_id", columns.Id, nullable=True),
        sa.Column("device_id", sa.Text(), nullable=True),
        sa.Column("review_state", sa.Text(), nullable=True),
        sa.Column("edits", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=True),
        sa.Column("deleted_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["form_id"], ["forms.id"], name=op.f("fk_submissions_form_id")),
        sa.ForeignKeyConstraint(["submitter_id"], ["actors.id"], name=op.f("fk_submissions_submitter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("form_id", "draft", "instance_id", name=op.f("uq_submissions_form_id_draft_instance_id")),
    )
    op.create_table(
        "data_columns",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("table_id", columns.Id, nullable=False),
        sa.Column("paths", columns.Json(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("accepts", columns.Json(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["table_id"], ["data_tables.id"], name=op.f("fk_data_columns_table_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_columns")),
        sa.UniqueConstraint("table_id", "name", name=op.f("uq_data_columns_table_id_name")),
    )
    op.create_table(
        "flags",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("submission_id", columns.Id, nullable=False),
        sa.Column("check", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_flags_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flags")),
    )
    op.create_index(op.f("ix_flags_submission_id"), "flags", ["submission_id"], unique=False)
    op.create_table(
        "follow_failures",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("submission_id", columns.Id, nullable=False),
        sa.Column("follower", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failed_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_follow_failures_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_failures")),
        sa.UniqueConstraint("submission_id", "follower", name=op.f("uq_follow_failures_submission_id_follower")),
    )
    op.create_table(
        "form_attachments",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("version_id", columns.Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("md5", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("updated_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["version_id"], ["form_versions.id"], name=op.f("fk_form_attachments_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_attachments")),
        sa.UniqueConstraint("version_id", "name", name=op.f("uq_form_attachments_version_id_name")),
    )
    op.create_table(
        "submission_versions",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("submission_id", columns.Id, nullable=False),
        sa.Column("form_id", columns.Id, nullable=False),
        sa.Column("draft", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("form_version_id", columns.Id, nullable=True),
        sa.Column("form_version", sa.Text(), nullable=False),
        sa.Column("instance_id", sa.Text(), nullable=False),
        sa.Column("deprecated_id", sa.Text(), nullable=True),
        sa.Column("instance_name", sa.Text(), nullable=True),
        sa.Column("xml", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("encrypted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("submitter_id", columns.Id, nullable=True),
        sa.Column("device_id", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["form_id"], ["forms.id"], name=op.f("fk_submission_versions_form_id")),
        sa.ForeignKeyConstraint(
            ["form_version_id"], ["form_versions.id"], name=op.f("fk_submission_versions_form_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_submission_versions_submission_id")
        ),
        sa.ForeignKeyConstraint(["submitter_id"], ["actors.id"], name=op.f("fk_submission_versions_submitter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission_versions")),
        sa.UniqueConstraint(
            "form_id", "draft", "instance_id", name=op.f("uq_submission_versions_form_id_draft_instance_id")
        ),
    )
    op.create_index(
        "ix_submission_versions_deprecated",
        "submission_versions",
        ["form_id", "deprecated_id"],
        unique=False,
        sqlite_where=sa.text("deprecated_id IS NOT NULL"),
        postgresql_where=sa.text("deprecated_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_submission_versions_submission_id"), "submission_versions", ["submission_id"], unique=False
    )
    op.create_table(
        "submission_attachments",
        sa.Column("id", columns.Id, nullable=False),
        sa.Column("version_id", columns.Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("expected", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("received_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["version_id"], ["submission_versions.id"], name=op.f("fk_submission_attachments_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission_attachments")),
        sa.UniqueConstraint("version_id", "name", name=op.f("uq_submission_attachments_version_id_name")),
    )
    roles = sa.table("roles", sa.column("system"), sa.column("name"), sa.column("verbs", columns.Json()))
    op.bulk_insert(
        roles,
        [{"system": system, "name": name, "verbs": verbs} for system, (name, verbs) in _ROLES.items()],
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SCHEMA IF NOT EXISTS data")

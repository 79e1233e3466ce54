"""Forms, their versions and the files that go with a version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, UniqueConstraint, text

from server.model.columns import METADATA, Bytes, Id, Instant, Json

forms = Table(
    "forms",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("project_id", Id, ForeignKey("projects.id"), nullable=False),
    Column("xml_form_id", Text, nullable=False),
    Column("state", Text, nullable=False),  # open, closing, closed
    Column("current_version_id", Id),  # published; no foreign key: the two tables name each other
    Column("draft_version_id", Id),
    Column("layout_revision", Text, nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant),
    Column("deleted_at", Instant),
    Index(
        "uq_forms_living",
        "project_id",
        "xml_form_id",
        unique=True,
        sqlite_where=text("deleted_at IS NULL"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
)
form_versions = Table(
    "form_versions",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("form_id", Id, ForeignKey("forms.id"), nullable=False),
    Column("version", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("xml", Bytes, nullable=False),
    Column("md5", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("workbook_sha256", Text),
    Column("workbook_name", Text),
    Column("marks", Json, nullable=False),  # what the workbook says beside the form: actions/workbooks.Marks
    Column("declarations", Json),  # its indicator sheets, as indicators/drafted keeps them; NULL: it has none
    Column("draft_token_hash", Text),
    Column("created_at", Instant, nullable=False),
    Column("published_at", Instant),
    Index(None, "form_id", "version"),
    UniqueConstraint("draft_token_hash"),
)
form_attachments = Table(
    "form_attachments",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("version_id", Id, ForeignKey("form_versions.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),  # image, audio, video, file
    Column("sha256", Text),
    Column("md5", Text),
    Column("size", BigInteger),
    Column("content_type", Text),
    Column("updated_at", Instant),
    Column("dataset_id", Id),  # the entity list that it is, in place of a file
    UniqueConstraint("version_id", "name"),
)


@dataclass(frozen=True, slots=True)
class Form:
    """A form as stored, without its versions."""

    id: int
    project_id: int
    xml_form_id: str
    state: str
    current_version_id: int | None
    draft_version_id: int | None
    layout_revision: str
    created_at: datetime
    updated_at: datetime | None
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class FormVersion:
    """One version of a form, without its XML (that is fetched by itself)."""

    id: int
    form_id: int
    version: str
    title: str
    md5: str
    sha256: str
    workbook_sha256: str | None
    workbook_name: str | None
    marks: dict[str, dict[str, Any]]
    draft_token_hash: str | None
    created_at: datetime
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListedForm:
    """One line of a formList."""

    form_id: int
    xml_form_id: str
    version_id: int
    version: str
    title: str
    md5: str
    has_attachments: bool


@dataclass(frozen=True, slots=True)
class FormAttachment:
    """A file that a version of a form expects; its content once it was uploaded, or the entity list that it is."""

    id: int
    version_id: int
    name: str
    type: str
    sha256: str | None
    md5: str | None
    size: int | None
    content_type: str | None
    updated_at: datetime | None
    dataset_id: int | None = None

"""The registry of typed tables: which table and column holds which question, chosen once."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from server.model.columns import METADATA, Id, Json

data_tables = Table(
    "data_tables",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("form_id", Id, ForeignKey("forms.id"), nullable=False),
    Column("paths", Json, nullable=False),  # paths of the repeat, "" for the form; the newest name last
    Column("name", Text, nullable=False),
    UniqueConstraint("name"),
    Index(None, "form_id"),
)
data_columns = Table(
    "data_columns",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("table_id", Id, ForeignKey("data_tables.id"), nullable=False),
    Column("paths", Json, nullable=False),  # paths of the question; the newest name last
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),  # what the column holds now
    Column("accepts", Json, nullable=False),  # the declared types whose answers go here
    Column("part", Integer, nullable=False),  # very wide forms continue in further tables
    UniqueConstraint("table_id", "name"),
)

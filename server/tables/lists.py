"""Entity lists in SQL: the entities of a list as the rows of a table, each property read as its type."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Double,
    FromClause,
    Select,
    Subquery,
    Text,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)

from forms.expressions.tree import Apply, Constant
from server.model.columns import Id
from server.model.entities import entities, entity_links
from server.store.entities import property_text
from server.tables.layout import DataColumn, Layout
from server.tables.operations import Operations, Sql

COUNTED: tuple[ColumnElement[bool], ...] = (
    entities.c.merged_into_id.is_(None),
    or_(entities.c.deleted_at.is_(None), entities.c.deleted_at == entities.c.withdrawn_at),
)
"""What is true of an entity that figures over a list count: it stands, or stood until its person took back the consent, and
the facts of it were kept without who it was."""


def rows_of(conn: Connection, layout: Layout) -> Subquery:
    """The entities of a list that count (COUNTED), with the columns that a form's table has and one for each
    property.

    `_submission_id` is the entity's row id, `_key` its id. A text that is not of the property's type is unknown.
    """
    if layout.dataset_id is None:
        raise TypeError(layout)
    operations = Operations(sqlite=conn.dialect.name == "sqlite")
    known: dict[str, Sql] = {
        "_submission_id": entities.c.id,
        "_key": entities.c.uuid,
        "_instance_name": entities.c.label,
        "_form_version": cast(null(), Text),
        "_received_at": entities.c.created_at,
        "_updated_at": entities.c.updated_at,
        "_submitter_id": entities.c.creator_id,
        "_submitter": cast(null(), Text),
        "_device_id": cast(null(), Text),
        "_review_state": literal("approved", Text()),  # whatever else counts, an entity that stands does
        "_edits": cast(null(), Id),
        "_encrypted": literal(False, Boolean()),
    }
    columns = {
        column.name: _typed(operations, column, _said(property_text(conn, column.paths[-1].removeprefix("/"))))
        for column in layout.table("").columns
    }
    return (
        select(*(value.label(name) for name, value in {**known, **columns}.items()))
        .where(entities.c.dataset_id == layout.dataset_id, *COUNTED)
        .subquery()
    )


def ids_of(dataset_id: int) -> Subquery:
    """`key` (an entity's id, as answers hold it) and `entity_id`: the row id of the entity, or of that it was merged into."""
    return (
        select(
            entities.c.uuid.label("key"),
            func.coalesce(entities.c.merged_into_id, entities.c.id, type_=Id).label("entity_id"),
        )
        .where(entities.c.dataset_id == dataset_id)
        .subquery()
    )


def told_by(row: FromClause, paths: Collection[str]) -> ColumnElement[Any]:
    """The id of the entity of which a typed row speaks in a block declared at one of `paths`, or of that which it was merged
    into; NULL where it speaks of none that there is, or of one whose person took back the consent."""
    held, survivor = entities.alias(), entities.alias()
    return (
        select(func.min(func.coalesce(survivor.c.uuid, held.c.uuid)))
        .select_from(
            entity_links.join(
                held, (held.c.dataset_id == entity_links.c.dataset_id) & (held.c.uuid == entity_links.c.uuid)
            ).outerjoin(survivor, survivor.c.id == held.c.merged_into_id)
        )
        .where(
            entity_links.c.submission_id == row.c["_submission_id"],
            entity_links.c.row_key == row.c["_key"],
            entity_links.c.path.in_(sorted(paths)),
            held.c.withdrawn_at.is_(None),
        )
        .correlate_except(entity_links, held, survivor)
        .scalar_subquery()
    )


def standing_for(dataset_id: int, key: ColumnElement[Any]) -> ColumnElement[Any]:
    """The id of the entity that stands for an answer that names one of a list: after a merge that of the survivor."""
    held, survivor = entities.alias(), entities.alias()
    merged = (
        select(survivor.c.uuid)
        .select_from(held.join(survivor, survivor.c.id == held.c.merged_into_id))
        .where(held.c.dataset_id == dataset_id, held.c.uuid == cast(key, Text))
        .correlate_except(held, survivor)
        .scalar_subquery()
    )
    return func.coalesce(merged, cast(key, Text))


def all_of(dataset_id: int) -> Select[Any]:
    """The ids of every entity of a list, deleted and merged ones too, as a SELECT of one column."""
    return select(entities.c.uuid).where(entities.c.dataset_id == dataset_id)


def _said(text: ColumnElement[str]) -> Sql:
    """NULL where a text is blank."""
    return func.nullif(text, "", type_=Text())


def _typed(operations: Operations, column: DataColumn, text: Sql) -> Sql:
    if column.type in ("int", "decimal"):
        return cast(operations.number(text), Double)
    if column.type == "date":
        return operations.apply(Apply("date", (Constant("text", None),), "date"), [text])
    return text

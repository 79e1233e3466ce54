"""SQL for entity lists, their properties and who sees which of their entities."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, delete, func, insert, select, update

from server.model.entities import (
    Dataset,
    Property,
    actor_properties,
    actor_property_values,
    dataset_filters,
    dataset_properties,
    datasets,
    entities,
    folded,
)
from server.model.forms import form_attachments, form_versions, forms

_COLUMNS: tuple[ColumnElement[Any], ...] = (
    datasets.c.id,
    datasets.c.project_id,
    datasets.c.name,
    datasets.c.approval_required,
    datasets.c.owner_only,
    datasets.c.revision,
    datasets.c.created_at,
    datasets.c.updated_at,
    datasets.c.deleted_at,
)
_PROPERTY: tuple[ColumnElement[Any], ...] = (
    dataset_properties.c.id,
    dataset_properties.c.dataset_id,
    dataset_properties.c.name,
    dataset_properties.c.type,
    dataset_properties.c.created_at,
)


def find(conn: Connection, project_id: int, name: str) -> Dataset | None:
    """The living list of that name, capitals ignored: look at `name` for how it is written."""
    row = conn.execute(_living(project_id).where(datasets.c.folded == folded(name))).first()
    return Dataset(*row) if row else None


def get(conn: Connection, dataset_id: int) -> Dataset:
    """The list with this row id, deleted or not."""
    return Dataset(*conn.execute(select(*_COLUMNS).where(datasets.c.id == dataset_id)).one())


def find_project_of(conn: Connection, dataset_id: int) -> int | None:
    """The project of the list with this row id, deleted or not."""
    found: int | None = conn.execute(select(datasets.c.project_id).where(datasets.c.id == dataset_id)).scalar()
    return found


def list_datasets(conn: Connection, project_id: int, *, deleted: bool = False) -> list[Dataset]:
    """Every living list of a project, or (`deleted`) every one that was put away, by name."""
    statement = (
        select(*_COLUMNS)
        .where(
            datasets.c.project_id == project_id,
            datasets.c.deleted_at.is_not(None) if deleted else datasets.c.deleted_at.is_(None),
        )
        .order_by(datasets.c.name, datasets.c.id)
    )
    return [Dataset(*row) for row in conn.execute(statement)]


def hold(conn: Connection, project_id: int, names: Collection[str]) -> dict[str, Dataset]:
    """Living lists by the very names given, held until the transaction ends; always in one order, so that nobody waits for
    somebody who waits."""
    if not names:
        return {}
    statement = (
        _living(project_id)
        .where(datasets.c.folded.in_([folded(name) for name in names]))
        .order_by(datasets.c.id)
        .with_for_update(key_share=True)
    )
    held = [Dataset(*row) for row in conn.execute(statement)]
    return {one.name: one for one in held if one.name in names}


def hold_one(conn: Connection, dataset_id: int) -> Dataset:
    """A list, held until the transaction ends."""
    return Dataset(
        *conn.execute(select(*_COLUMNS).where(datasets.c.id == dataset_id).with_for_update(key_share=True)).one()
    )


def add(conn: Connection, *, project_id: int, name: str, created_at: datetime, **values: Any) -> int:
    """A list without properties; gives its id."""
    statement = insert(datasets).values(
        project_id=project_id,
        name=name,
        folded=folded(name),
        revision=_revision(),
        created_at=created_at,
        **values,
    )
    return int(conn.execute(statement.returning(datasets.c.id)).scalar_one())


def change(conn: Connection, dataset_id: int, **values: Any) -> None:
    """Other values in a list's row."""
    conn.execute(update(datasets).where(datasets.c.id == dataset_id).values(**values))


def touch(conn: Connection, dataset_id: int) -> None:
    """Phones are to get the list anew: something in it, or who sees what, is another."""
    conn.execute(update(datasets).where(datasets.c.id == dataset_id).values(revision=_revision()))


def _revision() -> int:
    """One that no list ever had, even where the database was set back to an earlier day: phones compare what comes of it."""
    return secrets.randbits(63)


# --------------------------------------------------------------------------- properties


def list_properties(conn: Connection, dataset_id: int) -> list[Property]:
    """The living properties of a list, in the order in which they came."""
    rows = conn.execute(
        select(*_PROPERTY)
        .where(dataset_properties.c.dataset_id == dataset_id, dataset_properties.c.deleted_at.is_(None))
        .order_by(dataset_properties.c.id)
    )
    return [Property(*row) for row in rows]


def add_property(conn: Connection, dataset_id: int, name: str, type_: str, *, created_at: datetime) -> int:
    """A property; gives its id."""
    statement = insert(dataset_properties).values(
        dataset_id=dataset_id, name=name, folded=folded(name), type=type_, created_at=created_at
    )
    return int(conn.execute(statement.returning(dataset_properties.c.id)).scalar_one())


def change_property(conn: Connection, property_id: int, **values: Any) -> None:
    """Other values in a property's row."""
    conn.execute(update(dataset_properties).where(dataset_properties.c.id == property_id).values(**values))


@dataclass(frozen=True, slots=True)
class Filled:
    """How full a list is: living entities, when the last one came, how many are in conflict, and when one last changed (came,
    changed or went)."""

    entities: int = 0
    last_entity: datetime | None = None
    conflicts: int = 0
    last_change: datetime | None = None


def fill(conn: Connection, dataset_ids: Collection[int]) -> dict[int, Filled]:
    """How full lists are, by row id; one that never had an entity is left out."""
    living = entities.c.deleted_at.is_(None)
    statement = (
        select(
            entities.c.dataset_id,
            func.count(case((living, entities.c.id))),
            func.max(case((living, entities.c.created_at))),
            func.count(case((living, entities.c.conflict))),
            func.max(entities.c.created_at),
            func.max(entities.c.updated_at),
            func.max(entities.c.deleted_at),
        )
        .where(entities.c.dataset_id.in_(dataset_ids), entities.c.withdrawn_at.is_(None))
        .group_by(entities.c.dataset_id)
    )
    return {
        dataset_id: Filled(
            entities=count,
            last_entity=last,
            conflicts=conflicts,
            last_change=max((one for one in changes if one is not None), default=None),
        )
        for dataset_id, count, last, conflicts, *changes in conn.execute(statement)
    }


# --------------------------------------------------------------------------- who sees what


def list_filters(conn: Connection, dataset_id: int) -> list[tuple[str, str]]:
    """The filters of a list: (its property, the property of the actor that must be equal), in order."""
    rows = conn.execute(
        select(dataset_properties.c.name, actor_properties.c.name)
        .select_from(
            dataset_filters.join(dataset_properties, dataset_properties.c.id == dataset_filters.c.property_id).join(
                actor_properties, actor_properties.c.id == dataset_filters.c.actor_property_id
            )
        )
        .where(dataset_properties.c.dataset_id == dataset_id)
        .order_by(dataset_properties.c.name, actor_properties.c.name)
    )
    return [(str(mine), str(theirs)) for mine, theirs in rows]


def replace_filters(conn: Connection, dataset_id: int, pairs: Collection[tuple[int, int]]) -> None:
    """The filters of a list from now on, by row ids: (its property, the actor's property)."""
    mine = select(dataset_properties.c.id).where(dataset_properties.c.dataset_id == dataset_id)
    conn.execute(delete(dataset_filters).where(dataset_filters.c.property_id.in_(mine)))
    if pairs:
        conn.execute(
            insert(dataset_filters),
            [{"property_id": property_id, "actor_property_id": theirs} for property_id, theirs in pairs],
        )


def find_actor_property(conn: Connection, project_id: int, name: str) -> int | None:
    """The row id of a property of the project's app users and public links."""
    found: int | None = conn.execute(
        select(actor_properties.c.id).where(
            actor_properties.c.project_id == project_id, actor_properties.c.name == name
        )
    ).scalar()
    return found


def list_actor_properties(conn: Connection, project_id: int) -> dict[str, list[str]]:
    """The properties of a project's app users and public links by name, with the values that are in use."""
    rows = conn.execute(
        select(actor_properties.c.name, actor_property_values.c.value)
        .outerjoin(actor_property_values, actor_property_values.c.property_id == actor_properties.c.id)
        .where(actor_properties.c.project_id == project_id)
        .distinct()
        .order_by(actor_properties.c.name, actor_property_values.c.value)
    )
    found: dict[str, list[str]] = {}
    for name, value in rows:
        found.setdefault(name, []).extend([value] if value is not None else [])
    return found


def add_actor_property(conn: Connection, project_id: int, name: str, *, created_at: datetime) -> int:
    """A property that app users and public links of the project may have; gives its id."""
    statement = insert(actor_properties).values(project_id=project_id, name=name, created_at=created_at)
    return int(conn.execute(statement.returning(actor_properties.c.id)).scalar_one())


def set_actor_value(conn: Connection, actor_id: int, property_id: int, value: str | None) -> None:
    """The value of an actor's property; None: it has none."""
    conn.execute(
        delete(actor_property_values).where(
            actor_property_values.c.actor_id == actor_id, actor_property_values.c.property_id == property_id
        )
    )
    if value is not None:
        conn.execute(insert(actor_property_values).values(actor_id=actor_id, property_id=property_id, value=value))


def values_of_actor(conn: Connection, actor_id: int) -> dict[str, str]:
    """The properties of an app user or public link."""
    rows = conn.execute(
        select(actor_properties.c.name, actor_property_values.c.value)
        .join(actor_properties, actor_properties.c.id == actor_property_values.c.property_id)
        .where(actor_property_values.c.actor_id == actor_id)
    )
    return {str(name): str(value) for name, value in rows}


# --------------------------------------------------------------------------- forms that use it


def link_files(conn: Connection, project_id: int, dataset_id: int, name: str) -> None:
    """Let every version that expects a file of the list's name, and has none, have the list for it; but for those of which
    somebody said that they are to have none."""
    mine = (
        select(form_versions.c.id)
        .join(forms, forms.c.id == form_versions.c.form_id)
        .where(forms.c.project_id == project_id)
    )
    conn.execute(
        update(form_attachments)
        .where(
            form_attachments.c.version_id.in_(mine),
            form_attachments.c.name == f"{name}.csv",
            form_attachments.c.type == "file",
            form_attachments.c.sha256.is_(None),
            form_attachments.c.dataset_id.is_(None),
            form_attachments.c.updated_at.is_(None),
        )
        .values(dataset_id=dataset_id)
    )


def list_linked_versions(conn: Connection, dataset_id: int) -> frozenset[int]:
    """The versions of forms that have a list for one of their files, by row id."""
    statement = select(form_attachments.c.version_id).where(form_attachments.c.dataset_id == dataset_id)
    return frozenset(conn.execute(statement).scalars())


def list_empty_files(conn: Connection, project_id: int, name: str, *, most: int) -> list[tuple[int, str]]:
    """Small files of the list's name that versions of forms have, by row id, with their SHA-256."""
    rows = conn.execute(
        select(form_attachments.c.id, form_attachments.c.sha256)
        .join(form_versions, form_versions.c.id == form_attachments.c.version_id)
        .join(forms, forms.c.id == form_versions.c.form_id)
        .where(
            forms.c.project_id == project_id,
            form_attachments.c.name == f"{name}.csv",
            form_attachments.c.type == "file",
            form_attachments.c.sha256.is_not(None),
            form_attachments.c.size <= most,
        )
    )
    return [(int(row.id), str(row.sha256)) for row in rows]


def link_file(conn: Connection, attachment_id: int, dataset_id: int) -> None:
    """Let an expected file be the list from now on."""
    conn.execute(
        update(form_attachments)
        .where(form_attachments.c.id == attachment_id)
        .values(dataset_id=dataset_id, sha256=None, md5=None, size=None, content_type=None)
    )


def _living(project_id: int) -> Select[Any]:
    return select(*_COLUMNS).where(datasets.c.project_id == project_id, datasets.c.deleted_at.is_(None))

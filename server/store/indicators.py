"""SQL for what workbooks declare, for the places that hold places, and for the registry of fact tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from server.model.entities import datasets
from server.model.forms import forms
from server.model.indicators import (
    Definition,
    Logframe,
    definitions,
    fact_tables,
    indicator_values,
    logframes,
    place_ancestors,
    value_states,
)
from server.model.people import actors
from server.model.submissions import submissions

_DEFINITION: tuple[ColumnElement[Any], ...] = (
    definitions.c.id,
    definitions.c.kind,
    definitions.c.name,
    definitions.c.version,
    definitions.c.form_id,
    definitions.c.position,
    definitions.c.content,
    definitions.c.digest,
    definitions.c.created_at,
    definitions.c.retired_at,
)


def add_logframe(conn: Connection, **values: Any) -> int:
    """A workbook whose declarations are taken; gives its id. `values` are the columns of logframes."""
    return int(conn.execute(insert(logframes).values(**values).returning(logframes.c.id)).scalar_one())


def list_logframes(conn: Connection, project_id: int) -> list[Logframe]:
    """Every workbook whose declarations were taken, the newest first."""
    rows = conn.execute(
        select(logframes).where(logframes.c.project_id == project_id).order_by(logframes.c.id.desc())
    ).mappings()
    return [Logframe(**{name: row[name] for name in Logframe.__dataclass_fields__}) for row in rows]


def list_uploads(conn: Connection, project_id: int) -> list[tuple[Logframe, str | None, str | None]]:
    """The same with the name of who gave each (None: nobody is known) and the XForm id of its form (None: the project's)."""
    source = logframes.outerjoin(actors, actors.c.id == logframes.c.actor_id).outerjoin(
        forms, forms.c.id == logframes.c.form_id
    )
    rows = conn.execute(
        select(logframes, actors.c.display_name, forms.c.xml_form_id)
        .select_from(source)
        .where(logframes.c.project_id == project_id)
        .order_by(logframes.c.id.desc())
    ).mappings()
    names = Logframe.__dataclass_fields__
    return [(Logframe(**{name: row[name] for name in names}), row["display_name"], row["xml_form_id"]) for row in rows]


def list_in_force(conn: Connection, project_id: int) -> list[Definition]:
    """What a project declares now, by kind and in the order of its workbooks."""
    rows = conn.execute(
        select(*_DEFINITION)
        .where(definitions.c.project_id == project_id, definitions.c.retired_at.is_(None))
        .order_by(definitions.c.kind, definitions.c.form_id.is_not(None), definitions.c.form_id, definitions.c.position)
    ).mappings()
    return [Definition(**row) for row in rows]


def list_versions(conn: Connection, project_id: int, kind: str, name: str) -> list[Definition]:
    """Every version of something declared, eldest first."""
    rows = conn.execute(
        select(*_DEFINITION)
        .where(definitions.c.project_id == project_id, definitions.c.kind == kind, definitions.c.name == name)
        .order_by(definitions.c.version)
    ).mappings()
    return [Definition(**row) for row in rows]


def last_versions(conn: Connection, project_id: int) -> dict[tuple[str, str], int]:
    """The number of the newest version, in force or retired, by kind and name."""
    rows = conn.execute(
        select(definitions.c.kind, definitions.c.name, func.max(definitions.c.version))
        .where(definitions.c.project_id == project_id)
        .group_by(definitions.c.kind, definitions.c.name)
    )
    return {(kind, name): int(version) for kind, name, version in rows}


def retire(conn: Connection, ids: Collection[int], when: datetime) -> None:
    """Let definitions be in force no more."""
    known = sorted(ids)
    for at in range(0, len(known), 500):
        chosen = definitions.c.id.in_(known[at : at + 500])
        conn.execute(update(definitions).where(chosen).values(retired_at=when))


def hand_over(conn: Connection, ids: Collection[int], form_id: int | None) -> None:
    """Let definitions be declared by another form's workbook (None: the project's)."""
    known = sorted(ids)
    for at in range(0, len(known), 500):
        chosen = definitions.c.id.in_(known[at : at + 500])
        conn.execute(update(definitions).where(chosen).values(form_id=form_id))


def move(conn: Connection, definition_id: int, position: int) -> None:
    """Another place among its kind: not part of what it says."""
    conn.execute(update(definitions).where(definitions.c.id == definition_id).values(position=position))


def add_definitions(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """New versions; `rows` are the columns of definitions."""
    if rows:
        conn.execute(insert(definitions), list(rows))


def replace_ancestors(conn: Connection, project_id: int, rows: Sequence[tuple[str, str, date, date, str]]) -> None:
    """Which place holds which, as (level, code, valid_from, valid_to, ancestor), in place of what stood there."""
    conn.execute(delete(place_ancestors).where(place_ancestors.c.project_id == project_id))
    if rows:
        names = ("level", "code", "valid_from", "valid_to", "ancestor")
        conn.execute(
            insert(place_ancestors),
            [{"project_id": project_id, **dict(zip(names, row, strict=True))} for row in rows],
        )


def list_codes_within(conn: Connection, project_id: int, code: str) -> frozenset[str]:
    """The codes of the places that lie or once lay in a place, its own too."""
    held = select(place_ancestors.c.code).where(
        place_ancestors.c.project_id == project_id, place_ancestors.c.ancestor == code
    )
    return frozenset(conn.execute(held).scalars())


def list_fact_tables(conn: Connection, form_id: int) -> list[tuple[int, str, str, str]]:
    """Id, path, name and digest of a form's fact tables."""
    rows = conn.execute(
        select(fact_tables.c.id, fact_tables.c.path, fact_tables.c.name, fact_tables.c.digest)
        .where(fact_tables.c.form_id == form_id)
        .order_by(fact_tables.c.id)
    )
    return [(row.id, row.path, row.name, row.digest) for row in rows]


def replace_fact_tables(conn: Connection, form_id: int, rows: Sequence[tuple[str, str, str]]) -> None:
    """A form's fact tables as (path, name, digest), in place of those that stood there."""
    conn.execute(delete(fact_tables).where(fact_tables.c.form_id == form_id))
    if rows:
        conn.execute(
            insert(fact_tables),
            [{"form_id": form_id, "path": path, "name": name, "digest": digest} for path, name, digest in rows],
        )


def records_token(conn: Connection, project_id: int) -> str:
    """Another wherever a submission of the project arrived, was edited, reviewed or deleted, or an entity changed."""
    row = conn.execute(
        select(
            func.count(),
            func.max(submissions.c.id),
            func.max(submissions.c.updated_at),
            func.max(submissions.c.deleted_at),
            func.count(submissions.c.deleted_at),
        )
        .join(forms, forms.c.id == submissions.c.form_id)
        .where(forms.c.project_id == project_id, submissions.c.draft.is_(False))
    ).one()
    lists = conn.execute(
        select(func.count(), func.sum(datasets.c.revision)).where(datasets.c.project_id == project_id)
    ).one()
    return "|".join(str(part) for part in (*row, *lists))


def find_value_state(conn: Connection, project_id: int) -> tuple[str, datetime] | None:
    """The token with which a project's values were kept, and when."""
    row = conn.execute(
        select(value_states.c.token, value_states.c.computed_at).where(value_states.c.project_id == project_id)
    ).first()
    return (row.token, row.computed_at) if row else None


def replace_values(
    conn: Connection, project_id: int, rows: Sequence[dict[str, Any]], *, token: str, when: datetime
) -> None:
    """A project's values as tools of analysis read them, in place of those that stood there."""
    conn.execute(delete(indicator_values).where(indicator_values.c.project_id == project_id))
    about = {"project_id": project_id, "computed_at": when}
    for at in range(0, len(rows), 500):
        conn.execute(insert(indicator_values), [{**about, **row} for row in rows[at : at + 500]])
    conn.execute(delete(value_states).where(value_states.c.project_id == project_id))
    conn.execute(insert(value_states).values(project_id=project_id, token=token, computed_at=when))

"""SQL for actors, users, app users, roles and assignments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, insert, select, update

from server.model.people import Actor, ActorLine, FieldKey, Grant, User, actors, assignments, field_keys, roles, users
from server.prepared import Prepared

_GRANTS = actors.outerjoin(assignments, assignments.c.actor_id == actors.c.id).outerjoin(
    roles, roles.c.id == assignments.c.role_id
)
_ACTOR_COLUMNS = (
    actors.c.id,
    actors.c.type,
    actors.c.display_name,
    assignments.c.project_id,
    assignments.c.form_id,
    roles.c.id.label("role_id"),
    roles.c.verbs,
)
LINE: tuple[ColumnElement[Any], ...] = (
    actors.c.id,
    actors.c.type,
    actors.c.display_name,
    actors.c.created_at,
    actors.c.deleted_at,
)
"""The columns of an ActorLine."""
_BY_TOKEN = Prepared(
    select(*_ACTOR_COLUMNS)
    .select_from(field_keys.join(_GRANTS, actors.c.id == field_keys.c.actor_id))
    .where(field_keys.c.token_hash == bindparam("token_hash"))
    .where(field_keys.c.revoked_at.is_(None), actors.c.deleted_at.is_(None))
)
_BY_ID = Prepared(
    select(*_ACTOR_COLUMNS)
    .select_from(_GRANTS)
    .where(actors.c.id == bindparam("actor_id"))
    .where(actors.c.deleted_at.is_(None))
)


def ask_actor_by_token(conn: Connection, token_hash: str) -> Callable[[], Actor | None]:
    """What gives the app user whose token has this hash, unless revoked."""
    rows = _BY_TOKEN.ask(conn, {"token_hash": token_hash})
    return lambda: _actor(rows())


def ask_actor(conn: Connection, actor_id: int) -> Callable[[], Actor | None]:
    """What gives a living actor with what was granted."""
    rows = _BY_ID.ask(conn, {"actor_id": actor_id})
    return lambda: _actor(rows())


_NAME = Prepared(select(actors.c.display_name).where(actors.c.id == bindparam("id")))


def find_name(conn: Connection, actor_id: int) -> str | None:
    """The display name of an actor, deleted or not."""
    row = _NAME.first(conn, {"id": actor_id})
    return str(row[0]) if row else None


def find_line(conn: Connection, actor_id: int) -> ActorLine | None:
    """An actor as others are told of them, deleted or not."""
    row = conn.execute(select(*LINE).where(actors.c.id == actor_id)).first()
    return ActorLine(*row) if row else None


def find_credentials(conn: Connection, email: str) -> tuple[int, str] | None:
    """The actor id and password hash of a living user; addresses are compared without case."""
    row = conn.execute(
        select(users.c.actor_id, users.c.password_hash)
        .join(actors, actors.c.id == users.c.actor_id)
        .where(
            users.c.email == email.strip().lower(), actors.c.deleted_at.is_(None), users.c.password_hash.is_not(None)
        )
    ).first()
    return (row.actor_id, row.password_hash) if row else None


def count_users(conn: Connection) -> int:
    """How many users there are."""
    return conn.execute(select(func.count()).select_from(users)).scalar_one()


def list_users(conn: Connection) -> list[User]:
    """Every living user, eldest first."""
    administrators = {actor_id for actor_id, _ in list_administrators(conn)}
    rows = conn.execute(
        select(users.c.actor_id, users.c.email, actors.c.created_at)
        .join(actors, actors.c.id == users.c.actor_id)
        .where(actors.c.deleted_at.is_(None))
        .order_by(users.c.actor_id)
    )
    return [User(row.actor_id, row.email, row.actor_id in administrators, row.created_at) for row in rows]


def list_administrators(conn: Connection) -> list[tuple[int, str]]:
    """Actor id and address of every living user with the site's admin role, eldest first."""
    rows = conn.execute(
        select(users.c.actor_id, users.c.email)
        .join(actors, actors.c.id == users.c.actor_id)
        .join(assignments, assignments.c.actor_id == users.c.actor_id)
        .join(roles, roles.c.id == assignments.c.role_id)
        .where(roles.c.system == "admin", assignments.c.project_id.is_(None), actors.c.deleted_at.is_(None))
        .order_by(users.c.actor_id)
    )
    return [(row.actor_id, row.email) for row in rows]


def add_user(
    conn: Connection, *, email: str, password_hash: str | None, display_name: str, created_at: datetime
) -> int:
    """A user; gives the actor's id."""
    actor_id = _add_actor(conn, "user", display_name, created_at)
    conn.execute(insert(users).values(actor_id=actor_id, email=email.strip().lower(), password_hash=password_hash))
    return actor_id


def set_password(conn: Connection, actor_id: int, password_hash: str) -> None:
    """Another password."""
    conn.execute(update(users).where(users.c.actor_id == actor_id).values(password_hash=password_hash))


def add_field_key(
    conn: Connection,
    *,
    project_id: int,
    display_name: str,
    token_hash: str,
    created_by: int | None,
    created_at: datetime,
) -> int:
    """An app user; gives the actor's id."""
    actor_id = _add_actor(conn, "field_key", display_name, created_at)
    conn.execute(
        insert(field_keys).values(
            actor_id=actor_id, project_id=project_id, token_hash=token_hash, created_by=created_by
        )
    )
    return actor_id


def list_field_keys(conn: Connection, project_id: int) -> list[FieldKey]:
    """The app users of a project, eldest first."""
    rows = conn.execute(
        select(
            field_keys.c.actor_id,
            field_keys.c.project_id,
            actors.c.display_name,
            actors.c.created_at,
            field_keys.c.revoked_at,
            field_keys.c.created_by,
        )
        .join(actors, actors.c.id == field_keys.c.actor_id)
        .where(field_keys.c.project_id == project_id)
        .order_by(field_keys.c.actor_id)
    )
    return [FieldKey(*row) for row in rows]


def revoke_field_key(conn: Connection, project_id: int, actor_id: int, when: datetime) -> bool:
    """Whether there was such an app user to revoke."""
    return bool(
        conn.execute(
            update(field_keys)
            .where(and_(field_keys.c.project_id == project_id, field_keys.c.actor_id == actor_id))
            .where(field_keys.c.revoked_at.is_(None))
            .values(revoked_at=when)
        ).rowcount
    )


def assign(
    conn: Connection, *, actor_id: int, role: str, project_id: int | None = None, form_id: int | None = None
) -> None:
    """Give an actor the role with this system name over the site, a project or a form."""
    role_id = conn.execute(select(roles.c.id).where(roles.c.system == role)).scalar_one()
    conn.execute(insert(assignments).values(actor_id=actor_id, role_id=role_id, project_id=project_id, form_id=form_id))


def _add_actor(conn: Connection, type_: str, display_name: str, created_at: datetime) -> int:
    statement = insert(actors).values(type=type_, display_name=display_name, created_at=created_at)
    return int(conn.execute(statement.returning(actors.c.id)).scalar_one())


def _actor(rows: list[tuple[Any, ...]]) -> Actor | None:
    if not rows:
        return None
    actor_id, type_, display_name, *_ = rows[0]
    grants = tuple(
        Grant(_verbs(tuple(verbs)), project_id, form_id)
        for _, _, _, project_id, form_id, role_id, verbs in rows
        if role_id is not None
    )
    return Actor(actor_id, type_, display_name, grants)


@lru_cache(maxsize=64)
def _verbs(verbs: tuple[str, ...]) -> frozenset[str]:
    return frozenset(verbs)

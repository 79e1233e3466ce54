"""SQL for pseudonyms: random texts that stand for keys in what leaves a project, the same for a key for ever."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Text, cast, exists, func, insert, literal, select, update

from server.model.forms import forms
from server.model.privacy import pseudonyms
from server.model.submissions import submissions

_SOME: Final = 500


def lacks(conn: Connection, project_id: int, subject: str, keys: Select[Any]) -> bool:
    """Whether one of `keys` (a SELECT of one column) has no pseudonym."""
    return bool(conn.execute(select(exists(_fresh(project_id, subject, keys)))).scalar_one())


def give(conn: Connection, project_id: int, subject: str, keys: Select[Any]) -> None:
    """A pseudonym to each of `keys` (a SELECT of one column) that has none yet.

    They are the database's own random bits (128 of them on SQLite, 122 on PostgreSQL) and follow from nothing: who has a
    pseudonym and every key there is cannot tell which belong together, and another server gives others.
    """
    fresh = _fresh(project_id, subject, keys).distinct().subquery()
    if conn.dialect.name == "postgresql":
        chance: ColumnElement[Any] = func.replace(cast(func.gen_random_uuid(), Text), "-", "")
    else:
        chance = func.lower(func.hex(func.randomblob(16)))
    conn.execute(
        insert(pseudonyms).from_select(
            ["project_id", "subject", "key", "pseudonym"],
            select(literal(project_id), literal(subject), fresh.c.key, chance),
        )
    )


def give_one(conn: Connection, project_id: int, subject: str, key: str) -> None:
    """A pseudonym to one key, if it has none yet."""
    give(conn, project_id, subject, select(literal(key)))


def find(conn: Connection, project_id: int, subject: str, keys: Collection[str]) -> dict[str, str]:
    """The pseudonyms of those of `keys` that have one, by key."""
    found: dict[str, str] = {}
    wanted = list(keys)
    for at in range(0, len(wanted), _SOME):
        statement = select(pseudonyms.c.key, pseudonyms.c.pseudonym).where(
            pseudonyms.c.project_id == project_id,
            pseudonyms.c.subject == subject,
            pseudonyms.c.key.in_(wanted[at : at + _SOME]),
        )
        found.update((row.key, row.pseudonym) for row in conn.execute(statement))
    return found


def key_of(conn: Connection, project_id: int, subject: str, pseudonym: str) -> str | None:
    """The key that a pseudonym stands for; None where it stands for none of these."""
    statement = select(pseudonyms.c.key).where(
        pseudonyms.c.project_id == project_id, pseudonyms.c.subject == subject, pseudonyms.c.pseudonym == pseudonym
    )
    key: str | None = conn.execute(statement).scalar()
    return key


def is_record(conn: Connection, project_id: int, instance_id: str) -> bool:
    """Whether a submission of any form of a project has this instance id, drafts left out."""
    statement = (
        select(submissions.c.id)
        .join(forms, forms.c.id == submissions.c.form_id)
        .where(
            forms.c.project_id == project_id,
            submissions.c.instance_id == instance_id,
            submissions.c.draft.is_(False),
        )
        .limit(1)
    )
    return conn.execute(statement).first() is not None


def pass_on(conn: Connection, project_id: int, subject: str, key: str, to: str) -> bool:
    """Let the pseudonym of a key stand for what that key has become, where that has none yet; gives whether it now does."""
    held = find(conn, project_id, subject, [key, to])
    if key not in held or to in held:
        return False
    mine = (pseudonyms.c.project_id == project_id, pseudonyms.c.subject == subject, pseudonyms.c.key == key)
    conn.execute(update(pseudonyms).where(*mine).values(key=to))
    return True


def _fresh(project_id: int, subject: str, keys: Select[Any]) -> Select[Any]:
    wanted = keys.subquery()
    key = cast(wanted.c[0], Text)
    held = exists().where(
        pseudonyms.c.project_id == project_id, pseudonyms.c.subject == subject, pseudonyms.c.key == key
    )
    return select(key.label("key")).where(wanted.c[0].is_not(None), ~held)

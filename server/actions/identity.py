"""Who is asking: credentials turned into an actor. Needs no permission, since it is what permissions rest on."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from server import credentials
from server.model.people import Actor, Grant
from server.store import people

_EVERYTHING = frozenset(
    (
        "audit.read", "config.read", "config.set", "dataset.create", "dataset.delete", "dataset.list", "dataset.read",
        "dataset.update", "entity.create", "entity.delete", "entity.list", "entity.read", "entity.restore", "entity.update",
        "entity.withdraw",
        "field_key.create", "field_key.delete", "field_key.list", "field_key.update",
        "flag.update", "form.create", "form.delete", "form.list",
        "form.read", "form.update", "indicator.list", "indicator.read", "indicator.unmask", "indicator.update",
        "project.create", "project.read", "project.update", "submission.identify", "submission.list", "submission.read",
        "submission.update", "user.create", "user.list", "user.update",
    )
)  # fmt: skip

CONSOLE = Actor(0, "console", "console", (Grant(_EVERYTHING, None, None),))
"""Whoever holds the keys of the house: the command line, on the machine that holds the data."""


def by_token(conn: Connection, token: str) -> Callable[[], Actor | None]:
    """What gives the app user with this token."""
    return people.ask_actor_by_token(conn, credentials.token_hash(token))


def by_password(conn: Connection, email: str) -> tuple[int, str] | None:
    """Actor id and password hash of the user with this address; the hash is checked outside the transaction (0.1 s)."""
    return people.find_credentials(conn, email)


def by_id(conn: Connection, actor_id: int) -> Callable[[], Actor | None]:
    """What gives a living actor."""
    return people.ask_actor(conn, actor_id)

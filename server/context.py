"""What a process holds while it serves, and what an action holds while it runs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection

from server.blobs.blobs import Blobs
from server.db import Database
from server.model.people import Actor
from server.settings import Settings
from server.store import audits

Clock = Callable[[], datetime]
Who = Callable[[], Actor | None]
T = TypeVar("T")


def wall_clock() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Office:
    """What one process of the server holds while it runs."""

    settings: Settings
    database: Database
    blobs: Blobs
    clock: Clock = field(default=wall_clock)

    def context(self, conn: Connection, actor: Actor | None) -> Context:
        """A context for one person on one connection."""
        return Context(conn, lambda: actor, self.blobs, self.settings, self.clock)

    def act(self, action: Callable[[Context], T], ask: Callable[[Connection], Who]) -> T:
        """What a writing action gives, once it is durable. It runs again, with care, where its first run met a conflict.

        `ask` asks the database who this is; the answer is waited for when the action looks at its actor, or when it ends.
        """
        runs = itertools.count()

        def work(conn: Connection) -> T:
            moment = self.clock()  # everything that one action does, it does at one moment
            who = cache(ask(conn))
            result = action(Context(conn, who, self.blobs, self.settings, lambda: moment, careful=next(runs) > 0))
            who()
            return result

        return self.database.write(work)


@dataclass(frozen=True, slots=True)
class Context:
    """One person asking for one thing: a connection inside a transaction, who asks, and the outside world.

    `who` gives the actor: None for someone who gave no credentials. An action that is not `careful` may take the short way
    and raise `db.Again` (or let a unique conflict happen) where that does not work out.
    """

    conn: Connection
    who: Who
    blobs: Blobs
    settings: Settings
    clock: Clock = field(default=wall_clock)
    careful: bool = True

    @property
    def actor(self) -> Actor | None:
        """Who asks. Raises Problem 403.1 for a token that opens nothing."""
        return self.who()

    def now(self) -> datetime:
        """The time now, in UTC."""
        return self.clock()

    @property
    def actor_id(self) -> int | None:
        """Who asks, as the database knows them: the console is nobody there."""
        actor = self.actor
        return (actor.id or None) if actor else None

    def record(self, action: str, *, details: dict[str, Any] | None = None, **subjects: int | None) -> None:
        """One audit line. `subjects` are project_id, form_id, submission_id, dataset_id, entity_id."""
        audits.add(
            self.conn,
            action=action,
            actor_id=self.actor_id,
            details=details,
            logged_at=self.now(),
            **subjects,
        )

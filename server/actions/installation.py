"""Installation: how far the first start of an empty installation has come."""

from __future__ import annotations

from typing import Final, Literal

from server.access import require
from server.actions import people
from server.context import Context
from server.store import audits
from server.store import people as stored_people

BEGUN: Final = "installation.begin"
COMPLETE: Final = "installation.complete"
Stage = Literal["new", "begun", "complete"]


def get_stage(ctx: Context) -> Stage:
    """`new` where nobody can log in yet; `begun` where a first start was cut off; `complete` otherwise, also where somebody
    set the installation up by hand.
    """
    require(ctx, "config.read", None)
    if audits.has_action(ctx.conn, COMPLETE):
        return "complete"
    if audits.has_action(ctx.conn, BEGUN):
        return "begun"
    return "complete" if stored_people.count_users(ctx.conn) else "new"


def begin(ctx: Context, email: str, password: str) -> int:
    """The first administrator, and the mark that a first start began; gives the actor's id.

    Raises Problem 400.8, 400.21, 400.38.
    """
    actor_id = people.create_user(ctx, email, password, administrator=True)
    ctx.record(BEGUN)
    return actor_id


def complete(ctx: Context) -> None:
    """The first start came to its end."""
    require(ctx, "user.create", None)
    ctx.record(COMPLETE)

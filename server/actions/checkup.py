"""Checkup: what an administrator should know of the state of the house."""

from __future__ import annotations

from forms.problems import Problem
from server.access import require
from server.context import Context
from server.store import blobs, flags, submissions


def count_failures(ctx: Context) -> int:
    """How many submissions wait for something that could not follow yet."""
    require(ctx, "config.read", None)
    return len({failure[0] for failure in submissions.list_failures(ctx.conn, most=100_000)})


def count_flags(ctx: Context) -> int:
    """How many values of living submissions found no place in the tables."""
    require(ctx, "config.read", None)
    return flags.count_open(ctx.conn)


def list_lost_files(ctx: Context, *, most: int = 20) -> list[str]:
    """Files that the database names and the blobs do not have, the first `most`."""
    require(ctx, "config.read", None)
    lost = []
    for name, sha256 in blobs.list_named(ctx.conn):
        try:
            ctx.blobs.open(sha256).close()
        except Problem:
            lost.append(name)
            if len(lost) == most:
                break
    return lost

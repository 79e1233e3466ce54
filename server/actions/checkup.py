"""Checkup: what an administrator should know of the state of the house."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forms.problems import Problem, Sentence
from server.access import require
from server.context import Context
from server.indicators import catalogue, soundness
from server.store import blobs, flags, follow_failures, forms, projects


@dataclass(frozen=True, slots=True, kw_only=True)
class Ailing:
    """Indicators of a project that cannot be computed for one reason; `waits`: for want of something that may come."""

    project_id: int
    names: Sequence[str]
    reason: Sentence
    waits: bool


def count_failures(ctx: Context) -> int:
    """How many submissions wait for something that could not follow yet."""
    require(ctx, "config.read", None)
    return len({failure[0] for failure in follow_failures.list_all(ctx.conn, most=100_000)})


def count_flags(ctx: Context) -> int:
    """How many values of living submissions found no place in the tables."""
    require(ctx, "config.read", None)
    return flags.count_open(ctx.conn)


def list_flawed_facts(ctx: Context) -> list[tuple[str, Sentence]]:
    """The fact tables that are not as they should be, and what is wrong with each."""
    require(ctx, "config.read", None)
    return [
        flaw
        for form in forms.list_every_form(ctx.conn)
        for flaw in soundness.find_flaws(ctx.conn, form.id, catalogue.tables_of(ctx.conn, form))
    ]


def list_ailing_indicators(ctx: Context) -> list[Ailing]:
    """The indicators in force that cannot be computed: those that wait for something, and those that broke."""
    require(ctx, "config.read", None)
    found: dict[tuple[int, bool, Sentence], list[str]] = {}
    for project in projects.list_projects(ctx.conn):
        now = catalogue.load(ctx.conn, project)
        for name in now.book.indicators:
            if name in now.broken:
                reason = next(wrong.sentence for wrong in now.broken[name])
                found.setdefault((project.id, False, reason), []).append(name)
            elif (waits := now.resolved[name].waits) is not None:
                found.setdefault((project.id, True, waits), []).append(name)
    return [
        Ailing(project_id=project_id, names=names, reason=reason, waits=waits)
        for (project_id, waits, reason), names in found.items()
    ]


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

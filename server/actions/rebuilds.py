"""Rebuilding: every typed row, fact and flag of a form written again from what is stored, while the server goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from server.access import require
from server.actions import checks
from server.actions.following import CHUNK, Progress, follow_stored
from server.context import Context
from server.indicators import catalogue, filling
from server.model.forms import Form
from server.store import forms, indicators, projects, submissions
from server.tables import ddl, registry, rows

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a form holds when a rebuild begins. `every`: how many submissions; `highest`: the greatest of their ids, or 0."""

    form: Form
    every: int
    highest: int


class Act(Protocol):
    """Runs a writing action in a transaction of its own, in somebody's name."""

    def __call__(self, action: Callable[[Context], T], /) -> T:
        """What the action gives, once it is durable."""
        ...


def prepare_rebuild(ctx: Context) -> list[Held]:
    """Make sure that every typed table stands as its layout says, and its facts as declared; gives what each form holds now.

    Projects are held before forms, as whoever changes declarations does.
    """
    require(ctx, "config.set", None)
    for project in projects.list_projects(ctx.conn):
        projects.hold_for_change(ctx.conn, project.id)
    everything = forms.list_every_form(ctx.conn)
    for form in everything:
        wanted = catalogue.tables_of(ctx.conn, form)
        if wanted or indicators.list_fact_tables(ctx.conn, form.id):
            forms.hold_for_change(ctx.conn, form.id)
        ddl.repair(ctx.conn, registry.load(ctx.conn, form.id))
        filling.renew(ctx.conn, form.id, wanted, rewritten=True)
    ctx.record("config.rebuild")
    conn = ctx.conn
    return [
        Held(form=form, every=submissions.count_every(conn, form.id), highest=submissions.highest_id(conn, form.id))
        for form in everything
    ]


def rebuild_form(act: Act, held: Held, *, progress: Progress | None = None) -> None:
    """Write every row of a form again, a chunk in each transaction, while the server may go on.

    It ends at the highest submission that was held when the rebuild began, however many arrive meanwhile: those are written
    as they arrive. A count would not do for an end: a lower id may be committed after it was taken.
    """
    above: int | None = 0
    done = 0
    while above is not None:
        above = act(partial(rebuild_chunk, form_id=held.form.id, above=above, highest=held.highest))
        done = min(held.every, done + CHUNK)
        if progress:
            progress(done, held.every)


def rebuild_chunk(ctx: Context, form_id: int, above: int, highest: int | None = None) -> int | None:
    """Write the next rows of a form again, after submission `above` and up to `highest` (None: all there are).

    Gives the last one done; None at the end, when rows without a submission have been removed too.
    """
    require(ctx, "config.set", None)
    chunk = submissions.list_ids(ctx.conn, form_id, above=above, most=CHUNK)
    if highest is not None:
        chunk = [submission_id for submission_id in chunk if submission_id <= highest]
    if not chunk:
        sweep(ctx, form_id)
        return None
    for submission_id in chunk:
        follow_stored(ctx, submission_id)
    return chunk[-1]


def sweep(ctx: Context, form_id: int) -> None:
    """Remove typed rows of a form whose submission is not there, and look through those that are with every check."""
    require(ctx, "config.set", None)
    rows.clear_orphans(ctx.conn, registry.load(ctx.conn, form_id))
    form = forms.hold_for_change(ctx.conn, form_id)
    filling.clear_orphans(ctx.conn, catalogue.tables_of(ctx.conn, form))
    if form.deleted_at is None:
        checks.look_through(ctx, form)

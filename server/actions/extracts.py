"""Extracts: who may take data out, and what is noted of it."""

from __future__ import annotations

from collections.abc import Iterator

from server import problems
from server.access import require
from server.actions.forms import get_published
from server.context import Context
from server.extracts import delimited
from server.extracts.delimited import Options
from server.store import forms, submissions
from server.tables import registry


def stream_csv(ctx: Context, project_id: int, form_id: str, options: Options) -> Iterator[bytes]:
    """A zip of CSV tables, to be read while the context is open. Raises Problem 404.1, 403.1 before the first byte."""
    form = forms.find_form(ctx.conn, project_id, form_id)
    if form is None:
        raise problems.no_form(form_id)
    require(ctx, "submission.read", form)
    form, version = get_published(ctx, project_id, form_id)

    schema = registry.schema_of(ctx.conn, version)
    layout = registry.load(ctx.conn, form.id)
    return delimited.archive(ctx.conn, layout, schema, form.id, options)


def note_export(ctx: Context, project_id: int, form_id: str, kind: str) -> int:
    """The audit line of an extract; gives how many submissions it holds."""
    form = forms.find_form(ctx.conn, project_id, form_id)
    if form is None:
        raise problems.no_form(form_id)
    require(ctx, "submission.read", form)

    ctx.record("form.submission.export", project_id=project_id, form_id=form.id, details={"format": kind})
    return submissions.count(ctx.conn, form.id)

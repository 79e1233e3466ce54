"""Flags: what the checks found in the answers of a form, and what people say of it."""

from __future__ import annotations

from server.access import require
from server.actions import checks
from server.actions.checks import Run
from server.actions.forms import get_form
from server.context import Context
from server.model.submissions import FlaggedValue
from server.store import flags, forms


def list_flagged(ctx: Context, project_id: int, form_id: str) -> list[FlaggedValue]:
    """The flags on every living submission of a form, eldest submission first. Raises Problem 404.1, 403.1."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    return flags.list_of_form(ctx.conn, form.id)


def run(ctx: Context, project_id: int, form_id: str) -> Run:
    """Look through every submission of a form anew, medians and audit logs too. Raises Problem 404.1, 403.1."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "flag.update", form)
    form = forms.hold_for_change(ctx.conn, form.id)
    made = checks.look_through(ctx, form)

    ctx.record("flag.run", project_id=project_id, form_id=form.id, details={"submissions": made.submissions})
    return made

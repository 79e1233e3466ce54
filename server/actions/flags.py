"""Flags: what the checks found in the answers of a form."""

from __future__ import annotations

from server.access import require
from server.actions.forms import get_form
from server.context import Context
from server.model.submissions import FlaggedValue
from server.store import flags


def list_flagged(ctx: Context, project_id: int, form_id: str) -> list[FlaggedValue]:
    """The flags on every living submission of a form, eldest submission first. Raises Problem 404.1, 403.1."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    return flags.list_of_form(ctx.conn, form.id)

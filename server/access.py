"""Access: who may do what, by verbs held over the site, a project or a form."""

from __future__ import annotations

from server import problems
from server.context import Context
from server.model.forms import Form
from server.model.people import Actor
from server.model.projects import Project

Subject = Form | Project | None
"""What a verb is asked over; None is the site."""


def may(actor: Actor | None, verb: str, subject: Subject) -> bool:
    """Whether `actor` holds `verb` over `subject`, over what it belongs to, or over the site."""
    if actor is None:
        return False
    project_id = subject.project_id if isinstance(subject, Form) else subject.id if subject is not None else None
    form_id = subject.id if isinstance(subject, Form) else None
    return any(
        verb in grant.verbs
        and (grant.project_id is None or grant.project_id == project_id)
        and (grant.form_id is None or grant.form_id == form_id)
        for grant in actor.grants
    )


def require(ctx: Context, verb: str, subject: Subject) -> None:
    """Raises Problem 403.1 (or 401.2 where nobody is known) unless the asking actor holds `verb` over `subject`."""
    if ctx.actor is None:
        raise problems.credentials_missing()
    if not may(ctx.actor, verb, subject):
        raise problems.insufficient_rights()

"""Comparisons: what a checked file would do to its form and to indicators, before anything is changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from forms.problems import Finding, Problem, Sentence, Severity, severest_first
from server import problems
from server.access import require
from server.actions import consequences
from server.actions.workbooks import Checked
from server.context import Context
from server.model.forms import Form, FormVersion
from server.model.projects import Project
from server.store import form_attachments, forms, projects


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a file would do to its form.

    `against` is the published version that it is compared with (None: there is none), `same` says that it is that very
    version, `held` names the files that the form has already and would keep.
    """

    against: FormVersion | None
    same: bool
    held: frozenset[str]
    findings: tuple[Finding, ...]


def compare(ctx: Context, project_id: int, checked: Checked) -> Comparison:
    """What uploading and publishing would say; nothing is changed. Who may do that may ask.

    Its errors are what publishing would refuse.
    """
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    form = forms.find_form(ctx.conn, project_id, checked.schema.form_id)
    require(ctx, "form.update" if form else "form.create", form or project)

    if form is None:
        found = consequences.foresee_declarations(ctx, project, None, checked.schema, checked.marks, checked.sheets)
        return Comparison(against=None, same=False, held=frozenset(), findings=found)
    against = forms.get_version(ctx.conn, form.current_version_id) if form.current_version_id else None
    like = form.draft_version_id or form.current_version_id
    held = form_attachments.list_attachments(ctx.conn, like) if like else []
    return Comparison(
        against=against,
        same=against is not None and against.sha256 == hashlib.sha256(checked.xml).hexdigest(),
        held=frozenset(file.name for file in held if file.sha256 is not None),
        findings=foresee(ctx, project, form, checked, taken="error"),
    )


def foresee(ctx: Context, project: Project, form: Form, checked: Checked, *, taken: Severity) -> tuple[Finding, ...]:
    """What the version does to the form and to indicators; a version string that is taken is as severe as `taken`.

    Runs inside an action that has asked.
    """
    foreseen = consequences.foresee(ctx, form, checked.schema, checked.marks, checked.rows)
    held = forms.find_published(ctx.conn, form.id, checked.schema.version)
    problem = version_taken(form, held, hashlib.sha256(checked.xml).hexdigest())
    found = foreseen.findings
    if held is None or problem is not None or checked.sheets is not None:  # else nothing but media can be new
        declared = consequences.foresee_declarations(
            ctx, project, form, checked.schema, checked.marks, checked.sheets, standing=foreseen.widening.layout
        )
        found = severest_first((*found, *declared))
    if problem is None:
        return found
    told = Sentence(problem.say("es"), problem.say("en"))
    return (Finding(severity=taken, sentence=told, sheet="settings", column="version"), *found)


def version_taken(form: Form, held: FormVersion | None, sha256: str) -> Problem | None:
    """Problem 409.6 where `held`, the published version of the same string, is other content or no longer current."""
    if held is None or (held.sha256 == sha256 and held.id == form.current_version_id):
        return None
    return problems.version_taken(form.xml_form_id, held.version)

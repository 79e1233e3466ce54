"""Disclosures: who may see identities, for what stated reason, and the audit line of each time that they were seen."""

from __future__ import annotations

from collections.abc import Mapping

from server import problems
from server.access import may, require
from server.actions.forms import get_form
from server.context import Context
from server.extracts import disclosure, questions, refusals, treatments
from server.extracts.disclosure import Named
from server.extracts.questions import Asked
from server.extracts.treatments import EVERYTHING, Treatment, Treatments
from server.model.forms import Form
from server.store import datasets, forms, pseudonyms, submissions
from server.tables import private, registry

IDENTIFY = "submission.identify"
"""Who holds this verb over a form may see who the people in its records are, and where exactly."""
READ = "submission.read.identified"
"""The audit line of a record that was opened with all it says."""
_LONGEST = 1000


def settle(ctx: Context, project_id: int, form_id: str, wanted: bool | None, reason: str | None) -> bool:
    """Whether an extract has identities: as `wanted`, which asks for the right and for a reason; None: as far as the asking
    person's rights go, without a reason, as ODK Central's clients ask. Raises Problem 404.1, 403.1, 400.2."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    if wanted is None:
        return may(ctx.actor, IDENTIFY, form)
    if wanted:
        require(ctx, IDENTIFY, form)
        if not stated(reason):
            raise refusals.no_reason()
    return wanted


def stated(reason: str | None) -> str | None:
    """A reason as the audit keeps it; None where nothing was said."""
    said = " ".join((reason or "").split())[:_LONGEST]
    return said or None


def treatments_of(ctx: Context, form: Form, asked: Asked, *, identities: bool) -> Treatments:
    """What becomes of a form's answers for whoever asks. Inside an action that has asked; identities ask for their own
    right. Raises Problem 403.1."""
    if identities:
        require(ctx, IDENTIFY, form)
        return EVERYTHING
    marks = private.marks_of(ctx.conn, form.id, asked.layout)
    return disclosure.without_identities(asked, marks, form.project_id, _lists(ctx, form))


def lacks_pseudonyms(ctx: Context, project_id: int, form_id: str) -> bool:
    """Whether some key of a form has no pseudonym yet."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    return any(pseudonyms.lacks(ctx.conn, form.project_id, one.subject, one.keys) for one in _named(ctx, form))


def give_pseudonyms(ctx: Context, project_id: int, form_id: str) -> None:
    """Let a pseudonym stand for every key of a form that has none yet; what is read without identities then has them all."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    for one in _named(ctx, form):
        pseudonyms.give(ctx.conn, form.project_id, one.subject, one.keys)


def note_record(ctx: Context, form: Form, submission_id: int, what: str, reason: str | None = None) -> None:
    """The audit line of one record that is shown with all it says; `what` of it. Raises Problem 403.1 for whoever may not
    see identities, so that calling this is the gate as well."""
    require(ctx, IDENTIFY, form)
    ctx.record(
        READ,
        project_id=form.project_id,
        form_id=form.id,
        submission_id=submission_id,
        details={"what": what, "reason": stated(reason)},
    )


def get_xml(ctx: Context, project_id: int, form_id: str, instance_id: str, reason: str | None = None) -> bytes:
    """The document of a submission's version that stands, as it is kept. Raises Problem 404.1, 403.1."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, IDENTIFY, form)
    submission = submissions.find(ctx.conn, form.id, instance_id)
    if submission is None or submission.deleted_at is not None:
        raise problems.not_found()

    note_record(ctx, form, submission.id, "xml", reason)
    return submissions.get_xml(ctx.conn, submissions.get_current(ctx.conn, submission.id).id)


def note_listing(
    ctx: Context, project_id: int, form_id: str, what: str, reason: str | None = None, more: Mapping[str, object] = {}
) -> None:
    """The audit line of records that are listed as far as the asking person's rights go: `what` is listed."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    told = {"format": what, "identities": may(ctx.actor, IDENTIFY, form), "reason": stated(reason), **more}
    ctx.record("form.submission.export", project_id=project_id, form_id=form.id, details=told)


def by_path(ctx: Context, form: Form) -> dict[str, Treatment]:
    """What becomes of the answers to each question for whoever may not see identities, under every path that it ever had."""
    require(ctx, "submission.read", form)
    return paths_of(ctx, form)


def paths_of(ctx: Context, form: Form) -> dict[str, Treatment]:
    """The same, inside an action that has asked for a right of its own."""
    asked = _asked(ctx, form)
    if asked is None:
        return {}
    disclosed = treatments_of(ctx, form, asked, identities=False)
    told = {path: one for path, one in disclosed.items() if path.startswith("/")}
    for question in asked.questions:
        for path in question.column.paths:
            told[path] = treatments.of(disclosed, question.path)
    return told


def _named(ctx: Context, form: Form) -> list[Named]:
    asked = _asked(ctx, form)
    if asked is None:
        return []
    disclosed = treatments_of(ctx, form, asked, identities=False)
    return list(disclosure.named(ctx.conn, asked, disclosed, _lists(ctx, form)))


def _lists(ctx: Context, form: Form) -> dict[str, int]:
    """The entity lists of the form's project by name; of those that were put away, the last of a name."""
    gone = datasets.list_datasets(ctx.conn, form.project_id, deleted=True)
    return {one.name: one.id for one in [*gone, *datasets.list_datasets(ctx.conn, form.project_id)]}


def _asked(ctx: Context, form: Form) -> Asked | None:
    published = forms.list_published(ctx.conn, form.id)
    if not published:
        return None
    schemas = [registry.schema_of(ctx.conn, version) for version in published]
    return questions.read(form.xml_form_id, schemas, registry.load(ctx.conn, form.id))

"""The logframe workbooks themselves: who gave which, the one in force as a file, and what another one would change."""

from __future__ import annotations

from dataclasses import dataclass

from forms.problems import Finding
from server.access import require
from server.actions import logframes
from server.actions.logframes import Taken
from server.actions.projects import get_project
from server.blobs.blobs import Blob
from server.context import Context
from server.indicators import book as books
from server.indicators import catalogue, differences, refusals
from server.indicators.differences import Difference
from server.indicators.workbook import Sheets
from server.model.forms import Form
from server.model.indicators import Logframe
from server.store import forms, indicators, projects
from server.tables import ddl


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A workbook whose declarations were taken. `form_id`: the XForm id of the form whose workbook it is (None: the
    project's logframe); `created_by`: who gave it (None: the command line); `in_force`: no later one took its place."""

    logframe: Logframe
    form_id: str | None
    created_by: str | None
    in_force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What a workbook would change, and what would be said of it."""

    difference: Difference
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """What a workbook changed, and what taking it did."""

    difference: Difference
    taken: Taken


def expect(ctx: Context, project_id: int) -> None:
    """Whether whoever asks may change what the project measures: to be asked before a workbook is read, which takes time.

    Raises Problem 404.1, 403.1.
    """
    require(ctx, "indicator.update", get_project(ctx, project_id))


def foresee(ctx: Context, project_id: int, sheets: Sheets) -> Foreseen:
    """What `replace` would do, with nothing changed. Raises Problem 400.15 with everything that is wrong."""
    found = logframes.compare(ctx, project_id, sheets)
    project = get_project(ctx, project_id)
    if any(finding.severity == "error" for finding in found):
        raise refusals.logframe_not_valid(found)
    return Foreseen(difference=differences.compare(books.load(ctx.conn, project), sheets.declarations), findings=found)


def replace(ctx: Context, project_id: int, sheets: Sheets, *, original: Blob, name: str | None) -> Replaced:
    """Put the logframe workbook of the project in the place of the one before. Raises what `logframes.put` raises."""
    require(ctx, "indicator.update", get_project(ctx, project_id))
    project = projects.hold_for_change(ctx.conn, project_id)
    difference = differences.compare(books.load(ctx.conn, project), sheets.declarations)

    return Replaced(difference=difference, taken=logframes.put(ctx, project_id, sheets, original=original, name=name))


def list_uploads(ctx: Context, project_id: int) -> list[Upload]:
    """Every workbook whose declarations were taken, the newest first."""
    project = get_project(ctx, project_id)
    require(ctx, "indicator.list", project)
    found = indicators.list_uploads(ctx.conn, project.id)
    newest = {logframe.form_id: logframe.id for logframe, _, _ in reversed(found)}
    return [
        Upload(
            logframe=logframe,
            form_id=form_id,
            created_by=name,
            in_force=newest[logframe.form_id] == logframe.id,
        )
        for logframe, name, form_id in found
    ]


def get_upload(ctx: Context, project_id: int, logframe_id: int | None = None) -> Upload:
    """One of them; None: the project's logframe that is in force. Raises Problem 404.1."""
    uploads = list_uploads(ctx, project_id)
    for one in uploads:
        wanted = one.logframe.id == logframe_id if logframe_id is not None else one.form_id is None
        if wanted:
            return one
    raise refusals.no_logframe()


def prepare_refresh(ctx: Context, project_id: int) -> list[Form]:
    """The forms of a project whose records indicators look at: their fact tables can be made anew."""
    project = get_project(ctx, project_id)
    require(ctx, "indicator.update", project)
    ctx.record("indicator.refresh", project_id=project.id)
    found = sorted(forms.list_forms(ctx.conn, project.id), key=lambda form: form.id)
    wanted = catalogue.load(ctx.conn, project).tables
    return [form for form in found if form.id in wanted or indicators.list_fact_tables(ctx.conn, form.id)]


def refresh_form(ctx: Context, project_id: int, form_id: int) -> None:
    """Make the fact tables of one form anew from its typed tables, however they are. Doing it twice does no harm.

    Raises Problem 503.1 where somebody's reading holds up a fact table.
    """
    require(ctx, "indicator.update", get_project(ctx, project_id))
    project = projects.hold_for_change(ctx.conn, project_id)
    with ddl.waiting(ctx.conn, seconds=ctx.settings.database_wait, form_id=project.name):
        logframes.renew(ctx, project_id, rewritten=form_id)

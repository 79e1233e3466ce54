"""Logframes: what a workbook declares is taken whole or refused whole; what it changes is computed anew at once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from forms.problems import Finding, Sentence, severest_first
from server import problems
from server.access import require
from server.actions import checks
from server.blobs.blobs import Blob
from server.context import Context
from server.indicators import book as books
from server.indicators import catalogue, declaring, filling, lists, publishing, refusals, workbook
from server.indicators import kept as keeping
from server.indicators import places as hierarchy
from server.indicators.book import Book
from server.indicators.declarations import Declarations
from server.indicators.declaring import Change
from server.indicators.resolving import FormView
from server.indicators.succession import hand_over, inherited
from server.indicators.workbook import Sheets
from server.model.forms import Form, FormVersion
from server.model.indicators import Logframe
from server.model.projects import Project
from server.store import datasets, forms, indicators, projects
from server.tables import ddl

MAX_WORKBOOK: Final = 30_000_000
"""Bytes of a workbook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What taking a workbook did: how many definitions are new or new versions (by kind), retired, unchanged.

    `waiting` are the indicators that cannot be computed yet, with why.
    """

    added: Mapping[str, int]
    retired: int
    unchanged: int
    findings: tuple[Finding, ...]
    waiting: Mapping[str, Sentence]


def read(data: bytes, filename: str) -> Sheets:
    """The indicator sheets of a workbook. Needs no permission: nothing of the office is touched.

    Raises Problem 413.1 for one that is too large, 400.15 for a form's workbook.
    """
    if len(data) > MAX_WORKBOOK:
        raise problems.too_large(filename, MAX_WORKBOOK)
    sheets = workbook.read(data, filename)
    if sheets.has_survey:
        raise refusals.logframe_not_valid([_has_survey(), *sheets.findings])
    return sheets


def compare(ctx: Context, project_id: int, sheets: Sheets) -> tuple[Finding, ...]:
    """Everything that `put` would say; its errors are what it would refuse. Nothing is changed."""
    project = _project(ctx, project_id)
    require(ctx, "indicator.update", project)
    return _findings(ctx, project, sheets)


def put(ctx: Context, project_id: int, sheets: Sheets, *, original: Blob, name: str | None) -> Taken:
    """Let the project's logframe workbook declare this from now on, in place of what it declared before.

    `original` is the workbook, already among the blobs. Raises Problem 400.15 with everything that is wrong: then nothing is
    changed. Raises Problem 503.1 where somebody's reading holds up a fact table.
    """
    require(ctx, "indicator.update", _project(ctx, project_id))
    project = projects.hold_for_change(ctx.conn, project_id)
    found = _findings(ctx, project, sheets)
    if any(finding.severity == "error" for finding in found):
        raise refusals.logframe_not_valid(found)

    made = _keep(ctx, project, sheets.declarations, None, lambda: original.sha256, name)
    with ddl.waiting(ctx.conn, seconds=ctx.settings.database_wait, form_id=project.name):
        renew(ctx, project_id)

    counts = _counts(made)
    ctx.record("indicator.update", project_id=project_id, details={"added": counts, "retired": len(made.retired)})
    held = sum(1 for _ in keeping.records(sheets.declarations))
    now = catalogue.load(ctx.conn, _project(ctx, project_id))
    return Taken(
        added={kind: number for kind, number in counts.items() if number},
        retired=len(made.retired),
        unchanged=held - len(made.added),
        findings=found,
        waiting={one: resolved.waits for one, resolved in now.resolved.items() if resolved.waits is not None},
    )


def list_logframes(ctx: Context, project_id: int) -> list[Logframe]:
    """Every workbook whose declarations were taken, the newest first."""
    project = _project(ctx, project_id)
    require(ctx, "indicator.list", project)
    return indicators.list_logframes(ctx.conn, project.id)


def renew_stale(ctx: Context, project_id: int) -> list[str]:
    """Make the fact tables anew that are not as this program makes them, as after an upgrade; gives the ids of their forms.

    Raises Problem 404.1, and 503.1 where somebody's reading holds up a fact table.
    """
    require(ctx, "indicator.update", _project(ctx, project_id))
    project = projects.hold_for_change(ctx.conn, project_id)
    with ddl.waiting(ctx.conn, seconds=ctx.settings.database_wait, form_id=project.name):
        return renew(ctx, project_id)


def renew(ctx: Context, project_id: int, *, rewritten: int | None = None) -> list[str]:
    """Let every fact table and flag of a project follow what is declared now (`rewritten`: a form with other typed rows);
    gives the ids of the forms whose fact tables were made anew.

    The gate was taken by the action that asks, which holds the project for change.
    """
    renewed = []
    project = _project(ctx, project_id)
    now = catalogue.load(ctx.conn, project)
    for form in sorted(forms.list_forms(ctx.conn, project_id), key=lambda form: form.id):
        wanted = now.tables.get(form.id, ())
        standing = [row[1:] for row in indicators.list_fact_tables(ctx.conn, form.id)]
        if rewritten != form.id and standing == [(one.unit, one.table.name, one.digest) for one in wanted]:
            continue
        if not standing and not wanted:
            continue
        forms.hold_for_change(ctx.conn, form.id)
        filling.renew(ctx.conn, form.id, wanted, rewritten=rewritten == form.id)
        forms.change_form(ctx.conn, form.id, layout_revision=secrets.token_hex(8))
        renewed.append(form.xml_form_id)
    checks.renew(ctx, project_id, rewritten=rewritten)
    return renewed


def drop_facts(ctx: Context, form: Form) -> None:
    """Remove the fact tables of a form that is put away. The gate was taken by the action that asks, which holds both."""
    if indicators.list_fact_tables(ctx.conn, form.id):
        filling.renew(ctx.conn, form.id, [])
        forms.change_form(ctx.conn, form.id, layout_revision=secrets.token_hex(8))
    _revise(ctx, form.project_id)


def check_form(
    ctx: Context, project: Project, owner: FormView, sheets: Sheets, is_asked: Callable[[str], bool]
) -> tuple[Finding, ...]:
    """What is wrong with what a form's own workbook declares, and what its new version does to other workbooks.

    `owner` is the form as it would be, `is_asked` says of a path whether the version asks that question still. The findings
    of `sheets` themselves are not among them.
    """
    declared = declaring.owned(sheets.declarations, owner.form_id)
    book = _inherited(ctx, project, declared, owner.id, owner.form_id)
    found = publishing.foresee(
        ctx.conn,
        project,
        book,
        declared,
        owner=owner,
        before=_views(ctx, project),
        finding=sheets.finding,
        is_asked=is_asked,
    )
    return severest_first(dict.fromkeys(sheets.further(found)))


def take_form(ctx: Context, project: Project, form: Form, version: FormVersion, sheets: Sheets | None) -> Change:
    """Let the workbook of a form's version declare this from now on (None: nothing); gives what changed.

    The gate was taken by publishing, which holds the project.
    """

    def file() -> str:
        """The workbook, or the XForm where there is none."""
        return version.workbook_sha256 or ctx.blobs.put(BytesIO(forms.get_xml(ctx.conn, version.id))).sha256

    declarations = declaring.owned((sheets or Sheets()).declarations, form.xml_form_id)
    made = _keep(ctx, project, declarations, form, file, version.workbook_name)
    _revise(ctx, project.id)
    if made:
        details = {"added": _counts(made), "retired": len(made.retired)}
        ctx.record("indicator.update", project_id=project.id, form_id=form.id, details=details)
    return made


def _counts(made: Change) -> dict[str, int]:
    return {kind: sum(one["kind"] == kind for one in made.added) for kind in keeping.KINDS}


def _revise(ctx: Context, project_id: int) -> None:
    """What is computed from the declarations of a project may be another from now on."""
    if _project(ctx, project_id).indicators_revision:
        projects.change_project(ctx.conn, project_id, indicators_revision=secrets.token_hex(8))


def _findings(ctx: Context, project: Project, sheets: Sheets) -> tuple[Finding, ...]:
    declared = sheets.declarations
    if not declared and all(finding.severity != "error" for finding in sheets.findings):
        return (_nothing(), *sheets.findings)
    book = _inherited(ctx, project, declared, None, None)
    found = sheets.further(declaring.findings(book, declared, None, _views(ctx, project), sheets.finding))
    return severest_first(dict.fromkeys((*sheets.findings, *found)))


def _inherited(
    ctx: Context, project: Project, declarations: Declarations, owner: int | None, form_id: str | None
) -> Book:
    """What is in force, with what the workbook takes over from deleted forms as its own."""
    book = books.load(ctx.conn, project)
    return hand_over(book, inherited(book, declarations, _gone(ctx, project), form_id), owner)


def _gone(ctx: Context, project: Project) -> dict[int, str]:
    """The XForm ids of a project's deleted forms, by row id."""
    return {form.id: form.xml_form_id for form in forms.list_deleted(ctx.conn, project.id)}


def _views(ctx: Context, project: Project) -> dict[str, FormView]:
    living = [form for form in forms.list_forms(ctx.conn, project.id) if form.current_version_id is not None]
    listed = [one.name for one in datasets.list_datasets(ctx.conn, project.id)]
    views = {form.xml_form_id: catalogue.view_of(ctx.conn, form) for form in living}
    return views | lists.load(ctx.conn, project.id, listed)


def _keep(
    ctx: Context,
    project: Project,
    declarations: Declarations,
    form: Form | None,
    file: Callable[[], str],
    name: str | None,
) -> Change:
    """Write down what changes; gives it.

    `form` is whose workbook it is (None: the project's), `file` gives the SHA-256 under which it is among the blobs.
    """
    conn, now, owner = ctx.conn, ctx.now(), form.id if form else None
    heirlooms = inherited(
        books.load(conn, project), declarations, _gone(ctx, project), form.xml_form_id if form else None
    )
    indicators.hand_over(conn, heirlooms, owner)
    standing = indicators.list_in_force(conn, project.id)
    made = declaring.change(standing, declarations, owner, indicators.last_versions(conn, project.id))
    for definition_id, position in made.moved.items():
        indicators.move(conn, definition_id, position)
    if made:
        logframe_id = indicators.add_logframe(
            conn,
            project_id=project.id,
            form_id=owner,
            workbook_sha256=file(),
            workbook_name=name,
            actor_id=(ctx.actor.id or None) if ctx.actor else None,
            created_at=now,
        )
        about: dict[str, Any] = {"project_id": project.id, "form_id": owner, "logframe_id": logframe_id}
        indicators.retire(conn, made.retired, now)
        indicators.add_definitions(conn, [{**about, **row, "created_at": now} for row in made.added])
    if made or made.moved or heirlooms:
        projects.change_project(conn, project.id, indicators_revision=secrets.token_hex(8))
    if _touches_places(made, standing):
        _place(ctx, project.id)
    return made


def _touches_places(made: Change, standing: Sequence[Any]) -> bool:
    retired = set(made.retired)
    gone = any(one.kind == "place" and one.id in retired for one in standing)
    return gone or any(one["kind"] == "place" for one in made.added)


def _place(ctx: Context, project_id: int) -> None:
    """Which place holds which, as the places say that are in force."""
    book = books.load(ctx.conn, _project(ctx, project_id))
    found = hierarchy.ancestry([kept.record for kept in book.places])
    rows = [(one.level, one.code, one.valid_from, one.valid_to, one.ancestor) for one in found]
    indicators.replace_ancestors(ctx.conn, project_id, rows)


def _project(ctx: Context, project_id: int) -> Project:
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    return project


def _has_survey() -> Finding:
    return Finding(
        severity="error",
        sheet="survey",
        sentence=Sentence(
            "un marco lógico no lleva preguntas: publique este libro como formulario, y sus indicadores se toman con él.",
            "a logframe asks no questions: publish this workbook as a form, and its indicators are taken with it.",
        ),
    )


def _nothing() -> Finding:
    return Finding(
        severity="error",
        sentence=Sentence(
            "este archivo no declara nada: un marco lógico tiene hojas results, indicators, dimensions, targets o places.",
            "this file declares nothing: a logframe has sheets results, indicators, dimensions, targets or places.",
        ),
    )

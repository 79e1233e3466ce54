"""Extracts: who may take data out, in which files, and what is noted of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from server import problems
from server.access import require
from server.context import Context
from server.extracts import asking, central, frame, naming, questions, refusals, treatments
from server.extracts.archive import zipped
from server.extracts.asking import Request
from server.extracts.central import Options
from server.extracts.formats import FORMATS
from server.extracts.questions import Asked
from server.extracts.selection import Rows
from server.extracts.treatments import Treatments
from server.model.forms import Form
from server.odata import filters
from server.store import forms, projects, submissions
from server.tables import registry


@dataclass(frozen=True, slots=True)
class File:
    """An extract to be sent or kept: its name, its content type, and its bytes, which come while the context is open."""

    name: str
    content_type: str
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralRequest:
    """What is asked of CSV in ODK Central's layout; see central.Options. `filter` is OData's $filter."""

    group_paths: bool = True
    split_select_multiples: bool = False
    deleted_fields: bool = False
    attachments: bool = False
    neutralise: bool = True
    filter: str | None = None


def open_file(
    ctx: Context, project_id: int, form_id: str, kind: str, request: Request, *, archive: bool = False
) -> File:
    """An extract of a form in one of the FORMATS. With `archive` a zip with a file for each table.

    A format that holds one table gives the form's own unless another one is asked for. Raises Problem 404.1, 403.1, 400.8.
    """
    form = _find(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    asked, disclosed = _read(ctx, form)
    one = FORMATS.get(kind)
    if one is None:
        raise refusals.no_format(kind, list(FORMATS))
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    chosen = asking.understand(asked, request, counting=project.counting)
    frames = frame.build(ctx.conn, asked, chosen, disclosed)
    if archive and not one.whole:
        entries = [(f"{table.name}.{kind}", lambda table=table: one.write([table], chosen)) for table in frames]
        return File(f"{naming.file_name(form_id)}.{kind}.zip", "application/zip", zipped(entries))
    if not one.whole:
        frames = frames[:1] if not request.tables else frames
        if len(frames) > 1:
            raise refusals.one_table_only(kind, [table.name for table in frames])
        return File(f"{frames[0].name}.{kind}", one.content_type, one.write(frames, chosen))
    return File(f"{naming.file_name(form_id)}.{kind}", one.content_type, one.write(frames, chosen))


def open_central(ctx: Context, project_id: int, form_id: str, request: CentralRequest, *, archive: bool = True) -> File:
    """CSV in ODK Central's layout: a zip of all tables, or the form's own alone. Raises Problem 404.1, 403.1, 400.18."""
    form = _find(ctx, project_id, form_id)
    require(ctx, "submission.read", form)

    if request.attachments:
        raise refusals.not_served("attachments")
    asked, disclosed = _read(ctx, form)
    options = Options(
        group_paths=request.group_paths,
        split_select_multiples=request.split_select_multiples,
        deleted_fields=request.deleted_fields,
        neutralise=request.neutralise,
        rows=Rows(condition=filters.parse(request.filter) if request.filter is not None else None),
    )
    tables = central.tables(ctx.conn, asked, form.id, options, disclosed)
    if archive:
        return File(f"{form_id}.zip", "application/zip", zipped(tables))
    name, content = tables[0]
    return File(name, "text/csv; charset=utf-8", content())


def note_export(ctx: Context, project_id: int, form_id: str, kind: str) -> int:
    """The audit line of an extract; gives how many submissions the form holds."""
    form = _find(ctx, project_id, form_id)
    require(ctx, "submission.read", form)

    ctx.record("form.submission.export", project_id=project_id, form_id=form.id, details={"format": kind})
    return submissions.count(ctx.conn, form.id)


def _find(ctx: Context, project_id: int, form_id: str) -> Form:
    form = forms.find_form(ctx.conn, project_id, form_id)
    if form is None:
        raise problems.no_form(form_id)
    return form


def _read(ctx: Context, form: Form) -> tuple[Asked, Treatments]:
    """A form as extracts see it, and what becomes of its answers for whoever asks. Raises Problem 404.1."""
    if form.current_version_id is None:
        raise problems.never_published(form.xml_form_id)
    schemas = [registry.schema_of(ctx.conn, version) for version in forms.list_published(ctx.conn, form.id)]
    asked = questions.read(form.xml_form_id, schemas, registry.load(ctx.conn, form.id))
    return asked, treatments.EVERYTHING

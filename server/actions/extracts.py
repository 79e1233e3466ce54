"""Extracts: who may take data out, in which files, and what is noted of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from server import problems
from server.access import require
from server.context import Context
from server.extracts import asking, central, frame, naming, questions, refusals, treatments
from server.extracts.archive import Entry, zipped
from server.extracts.asking import Request
from server.extracts.central import Options
from server.extracts.codebook import Book
from server.extracts.formats import FORMATS, codebook_files
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

    one = FORMATS.get(kind)
    if one is None or (archive and one.whole):
        raise refusals.no_format(f"{kind}.zip" if archive else kind, list(FORMATS))
    book = _book(ctx, form, request, coded=one.coded)
    frames, base = book.frames, naming.file_name(form_id)
    if one.whole:
        return File(f"{base}.{kind}", one.content_type, one.write(frames, book.chosen, book))
    if archive:
        entries: list[Entry] = [
            (f"{table.name}.{kind}", partial(one.write, [table], book.chosen, book)) for table in frames
        ]
        beside = [(f"codebook.{end}", write) for end, (_, write) in codebook_files(book).items()]
        return File(f"{base}.{kind}.zip", "application/zip", zipped([*entries, *beside]))
    if len(frames) > 1 and request.tables:
        raise refusals.one_table_only(kind, [table.name for table in frames])
    return File(f"{frames[0].name}.{kind}", one.content_type, one.write(frames[:1], book.chosen, book))


def open_codebook(ctx: Context, project_id: int, form_id: str, kind: str, request: Request) -> File:
    """What the columns of such an extract are, as `xlsx` or `html`. Raises Problem 404.1, 403.1, 400.8."""
    form = _find(ctx, project_id, form_id)
    require(ctx, "submission.read", form)

    files = codebook_files(_book(ctx, form, request))
    if kind not in files:
        raise refusals.no_format(kind, list(files))
    content_type, write = files[kind]
    return File(f"{naming.file_name(form_id)}.codebook.{kind}", content_type, write())


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


def _book(ctx: Context, form: Form, request: Request, *, coded: bool = False) -> Book:
    """The tables that are asked for, with all that the codebook says of them."""
    project = projects.find_project(ctx.conn, form.project_id)
    if project is None:
        raise problems.no_project(form.project_id)
    asked, disclosed = _read(ctx, form)
    chosen = asking.understand(asked, request, counting=project.counting)
    chosen = replace(chosen, labels=chosen.labels and not coded)
    marks = [version.marks.get("privacy", {}) for version in forms.list_published(ctx.conn, form.id)]
    return Book(
        asked=asked,
        frames=frame.build(ctx.conn, asked, chosen, disclosed),
        chosen=chosen,
        disclosed=disclosed,
        privacy={path: str(mark) for version in marks for path, mark in version.items()},
        made_at=ctx.now(),
    )


def _read(ctx: Context, form: Form) -> tuple[Asked, Treatments]:
    """A form as extracts see it, and what becomes of its answers for whoever asks. Raises Problem 404.1."""
    if form.current_version_id is None:
        raise problems.never_published(form.xml_form_id)
    schemas = [registry.schema_of(ctx.conn, version) for version in forms.list_published(ctx.conn, form.id)]
    asked = questions.read(form.xml_form_id, schemas, registry.load(ctx.conn, form.id))
    return asked, treatments.EVERYTHING

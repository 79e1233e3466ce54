"""Extracts: who may take data out, in which files, and what is noted of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import chain

from forms.schema import Choice, Schema
from server import problems
from server.access import require
from server.actions import consents, disclosures
from server.actions.disclosures import IDENTIFY
from server.cleaning import past
from server.context import Context
from server.extracts import (
    asking,
    central,
    cursors,
    delimited,
    disclosure,
    frame,
    lists,
    media,
    naming,
    questions,
    refusals,
)
from server.extracts.archive import Entry, zipped
from server.extracts.asking import Place, Request
from server.extracts.central import Options
from server.extracts.codebook import Book
from server.extracts.formats import FORMATS, Format, codebook_files
from server.extracts.questions import Asked, Lists
from server.extracts.selection import Rows
from server.extracts.treatments import Treatments
from server.indicators import catalogue
from server.indicators.categories import question_of
from server.model.forms import Form
from server.model.projects import Project
from server.odata import filters
from server.store import form_attachments, forms, indicators, projects, pseudonyms, submissions
from server.tables import private, registry


@dataclass(frozen=True, slots=True)
class File:
    """An extract to be sent or kept: its name, its content type, and its bytes, which come while the context is open.

    `cursor` is what to ask with the next time for what is new by then; `deleted` how many submissions were deleted since the
    cursor that was given.
    """

    name: str
    content_type: str
    pieces: Iterator[bytes]
    cursor: str | None = None
    deleted: int | None = None


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
    ctx: Context,
    project_id: int,
    form_id: str,
    kind: str,
    request: Request,
    *,
    archive: bool = False,
    identities: bool = False,
) -> File:
    """An extract of a form in one of the FORMATS. With `archive` a zip with a file for each table.

    A format that holds one table gives the form's own unless another one is asked for. `identities` as disclosures.settle
    says; without them pseudonyms are to be there already. Raises Problem 404.1, 403.1, 400.8.
    """
    form = _find(ctx, project_id, form_id)
    require(ctx, "submission.read", form)

    one = FORMATS.get(kind)
    if one is None or (archive and one.whole):
        raise refusals.no_format(f"{kind}.zip" if archive else kind, list(FORMATS))
    if request.at is not None:
        _go_back(ctx, form, request, identities=identities)
    book = _book(ctx, form, request, one, identities=identities)
    since = cursors.read(request.since, form.id) if request.since is not None else None
    if since is not None and not identities:
        since = disclosure.no_later_than(since)
    deleted = submissions.count_deleted(ctx.conn, form.id, since) if since is not None else None
    cursor = cursors.after(ctx.conn, form.id, ctx.now()) if request.at is None else None
    told = partial(File, cursor=cursor, deleted=deleted)
    frames, base = book.frames, naming.file_name(form_id)
    if one.whole:
        return told(f"{base}.{kind}", one.content_type, one.write(frames, book.chosen, book))
    if archive:
        entries: list[Entry] = [
            (f"{table.name}.{kind}", partial(one.write, [table], book.chosen, book)) for table in frames
        ]
        if since is not None:
            entries.append((f"{base}-deleted.csv", partial(_deleted, ctx, form, since, identities=identities)))
        beside = [(f"codebook.{end}", write) for end, (_, write) in codebook_files(book).items()]
        return told(f"{base}.{kind}.zip", "application/zip", zipped([*entries, *beside]))
    if len(frames) > 1 and request.tables:
        raise refusals.one_table_only(kind, [table.name for table in frames])
    return told(f"{frames[0].name}.{kind}", one.content_type, one.write(frames[:1], book.chosen, book))


def open_media(ctx: Context, project_id: int, form_id: str, request: Request, *, identities: bool = False) -> File:
    """The files of the submissions that are asked for, as a zip. Raises Problem 404.1, 403.1, 400.8."""
    form = _find(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    if request.at is not None:
        raise refusals.not_of_the_past("media.zip")

    book = _book(ctx, form, request, identities=identities)
    entries = media.files(ctx.conn, ctx.blobs, book.asked, book.chosen.rows, book.disclosed)
    return File(f"{naming.file_name(form_id)}.media.zip", "application/zip", zipped(entries))


def open_deleted(ctx: Context, project_id: int, form_id: str, request: Request, *, identities: bool = False) -> File:
    """The keys of submissions that were deleted since a cursor (without one: ever), as CSV. Raises Problem 404.1, 403.1."""
    form = _find(ctx, project_id, form_id)
    require(ctx, "submission.read", form)

    since = cursors.read(request.since, form.id) if request.since is not None else datetime.min.replace(tzinfo=UTC)
    if identities:
        require(ctx, IDENTIFY, form)
    name = f"{naming.file_name(form_id)}-deleted.csv"
    return File(name, "text/csv; charset=utf-8", _deleted(ctx, form, since, identities=identities))


def open_codebook(
    ctx: Context, project_id: int, form_id: str, kind: str, request: Request, *, identities: bool = False
) -> File:
    """What the columns of such an extract are, as `xlsx` or `html`. Raises Problem 404.1, 403.1, 400.8."""
    form = _find(ctx, project_id, form_id)
    require(ctx, "submission.read", form)

    files = codebook_files(_book(ctx, form, request, identities=identities))
    if kind not in files:
        raise refusals.no_format(kind, list(files))
    content_type, write = files[kind]
    return File(f"{naming.file_name(form_id)}.codebook.{kind}", content_type, write())


def open_central(
    ctx: Context,
    project_id: int,
    form_id: str,
    request: CentralRequest,
    *,
    archive: bool = True,
    identities: bool = False,
) -> File:
    """CSV in ODK Central's layout: a zip of all tables, or the form's own alone. `identities` as in open_file. Raises Problem
    404.1, 403.1, 400.8, 400.18."""
    form = _find(ctx, project_id, form_id)
    require(ctx, "submission.read", form)

    asked, disclosed = read(ctx, form, identities=identities)
    options = Options(
        group_paths=request.group_paths,
        split_select_multiples=request.split_select_multiples,
        deleted_fields=request.deleted_fields,
        neutralise=request.neutralise,
        rows=Rows(condition=filters.parse(request.filter) if request.filter is not None else None),
    )
    disclosure.refuse_narrowing(options.rows, disclosed)
    tables = central.tables(ctx.conn, asked, form.id, options, disclosed)
    if archive:
        files: Iterable[Entry] = ()
        if request.attachments:
            kept = media.files(ctx.conn, ctx.blobs, asked, options.rows, disclosed, folders=False)
            files = ((f"media/{name}", content) for name, content in kept)
        return File(f"{form_id}.zip", "application/zip", zipped(chain(tables, files)))
    name, content = tables[0]
    return File(name, "text/csv; charset=utf-8", content())


def note_export(
    ctx: Context, project_id: int, form_id: str, kind: str, *, identities: bool = False, reason: str | None = None
) -> int:
    """The audit line of an extract, which says whether it has identities and for what; gives how many submissions the form
    holds."""
    form = _find(ctx, project_id, form_id)
    require(ctx, IDENTIFY if identities else "submission.read", form)

    told = {"format": kind, "identities": identities, "reason": disclosures.stated(reason)}
    ctx.record("form.submission.export", project_id=project_id, form_id=form.id, details=told)
    return submissions.count(ctx.conn, form.id)


def _go_back(ctx: Context, form: Form, request: Request, *, identities: bool) -> None:
    """Let whatever is read of the form's tables from here on be as it was at a past moment.

    Without identities a moment is its whole day, and what the newest version of a record no longer allows is left out.
    """
    if request.since is not None:
        raise refusals.not_of_the_past("since")
    if form.current_version_id is None:
        raise problems.never_published(form.xml_form_id)
    moment = request.at or ctx.now()
    if identities:
        require(ctx, IDENTIFY, form)
        past.lay(ctx.conn, form, moment)
        return
    day = datetime.combine(moment.astimezone(UTC).date(), time(), UTC)
    past.lay(ctx.conn, form, day + timedelta(days=1, microseconds=-1), partial(consents.denied, ctx, form))


def _find(ctx: Context, project_id: int, form_id: str) -> Form:
    form = forms.find_form(ctx.conn, project_id, form_id)
    if form is None:
        raise problems.no_form(form_id)
    return form


def _book(ctx: Context, form: Form, request: Request, one: Format | None = None, *, identities: bool) -> Book:
    """The tables that are asked for, with all that the codebook says of them."""
    project = projects.find_project(ctx.conn, form.project_id)
    if project is None:
        raise problems.no_project(form.project_id)
    asked, disclosed = read(ctx, form, identities=identities)
    place = _place(ctx, project, form, request.place) if request.place is not None else None
    since = cursors.read(request.since, form.id) if request.since is not None else None
    if since is not None and not identities:
        since = disclosure.no_later_than(since)
    chosen = asking.understand(asked, request, counting=project.counting, place=place, since=since)
    disclosure.refuse_narrowing(chosen.rows, disclosed)
    if one is not None and one.coded:
        chosen = replace(chosen, labels=False)
    if one is not None and one.located:
        chosen = asking.located(asked, chosen)
    marks = private.marks_of(ctx.conn, form.id, asked.layout)
    return Book(
        asked=asked,
        frames=frame.build(ctx.conn, asked, chosen, disclosed),
        chosen=chosen,
        disclosed=disclosed,
        privacy={path: str(mark) for path, mark in marks.items()},
        made_at=ctx.now(),
    )


def read(ctx: Context, form: Form, *, identities: bool) -> tuple[Asked, Treatments]:
    """A form as extracts see it, and what becomes of its answers for whoever asks. Raises Problem 404.1."""
    require(ctx, "submission.read", form)
    if form.current_version_id is None:
        raise problems.never_published(form.xml_form_id)
    schemas = [registry.schema_of(ctx.conn, version) for version in forms.list_published(ctx.conn, form.id)]
    layout = registry.load(ctx.conn, form.id)
    asked = questions.read(form.xml_form_id, schemas, layout, _lists(ctx, form.current_version_id, schemas[-1]))
    return asked, disclosures.treatments_of(ctx, form, asked, identities=identities)


def _lists(ctx: Context, version_id: int, schema: Schema) -> Lists:
    """The choices that the published version takes from CSV files."""
    found: dict[str, Sequence[Choice]] = {}
    for instance, (name, value, label) in lists.wanted(schema).items():
        file = form_attachments.find_attachment(ctx.conn, version_id, name)
        if file is not None and file.sha256 is not None:
            key = ("list", file.sha256, value, label)
            found[instance] = registry.remember(ctx.conn, key, partial(_choices, ctx, file.sha256, value, label))
    return found


def _choices(ctx: Context, sha256: str, value: str, label: str) -> Sequence[Choice]:
    return lists.read(ctx.blobs.open(sha256), value, label)


def _place(ctx: Context, project: Project, form: Form, code: str) -> Place:
    """A place of the project as the form's answers name it. Raises Problem 400.8."""
    known = catalogue.load(ctx.conn, project)
    if code not in known.book.labels:
        raise refusals.no_place(code)
    for one in known.resolved.values():
        if one.form is not None and one.form.id == form.id and "place" in one.trees:
            entry = question_of(one.trees["place"], one.form.schema)
            if entry is not None and one.form.schema.repeat_of(entry.path) == "":
                return Place(path=entry.path, codes=indicators.list_codes_within(ctx.conn, project.id, code))
    raise refusals.no_places(form.xml_form_id)


def _deleted(ctx: Context, form: Form, since: datetime, *, identities: bool) -> Iterator[bytes]:
    """What was deleted and when; without identities under its pseudonym, where it ever had one, and to the day."""
    yield b"_key,_deleted_at\n"
    if identities:
        for key, when in submissions.list_deleted(ctx.conn, form.id, since):
            yield f"{delimited.quoted(key)},{delimited.moment(when)}\n".encode()
        return
    since = disclosure.no_later_than(since)
    keys = dict(submissions.list_deleted(ctx.conn, form.id, since))
    known = pseudonyms.find(ctx.conn, form.project_id, disclosure.SUBMISSION, keys)
    for told, key in sorted((told, key) for key, told in known.items()):
        yield f"{told},{keys[key].date().isoformat()}\n".encode()

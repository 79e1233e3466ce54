"""Extracts over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Any

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.actions import dataset_desk, disclosures, extracts, panels
from server.actions.extracts import CentralRequest, File
from server.actions.panels import Asking
from server.api import options
from server.api.schemas.extracts import CsvQuery, DeletedQuery, ExtractQuery, PanelQuery
from server.api.wire import tell
from server.context import Context
from server.extracts.asking import Request
from server.http.answers import disposition
from server.http.endpoint import act, ask, asking

blueprint = Blueprint("api_extracts", __name__)
blueprint.register_error_handler(Problem, tell)
_FORM = "/v1/projects/<number:project_id>/forms/<segment:form_id>"


@blueprint.get(f"{_FORM}/submissions.csv.zip")
def csv_zip(project_id: int, form_id: str) -> Response:
    """Every submission of a form as keyed CSV tables in a zip, as ODK Central gives it."""
    given, told = _central()

    def opened(ctx: Context, identities: bool) -> File:
        return extracts.open_central(ctx, project_id, form_id, given, identities=identities)

    return _streamed(project_id, form_id, "csv.zip", told, opened)


@blueprint.get(f"{_FORM}/submissions.csv")
def csv(project_id: int, form_id: str) -> Response:
    """The form's own table as CSV, as ODK Central gives it."""
    given, told = _central()

    def opened(ctx: Context, identities: bool) -> File:
        return extracts.open_central(ctx, project_id, form_id, given, archive=False, identities=identities)

    return _streamed(project_id, form_id, "csv", told, opened)


@blueprint.get(f"{_FORM}/extract.<kind>")
def extract(project_id: int, form_id: str, kind: str) -> Response:
    """An extract in one of the formats (`csv`, `xlsx`, …), or a zip with a file for each table (`csv.zip`)."""
    wanted: Request = options.read(request, ExtractQuery())
    one, _, zipped = kind.partition(".")
    name = one if zipped in ("", "zip") else kind

    def opened(ctx: Context, identities: bool) -> File:
        return extracts.open_file(ctx, project_id, form_id, name, wanted, archive=bool(zipped), identities=identities)

    return _streamed(project_id, form_id, kind, _Told(bool(wanted.identities), wanted.reason), opened)


@blueprint.get(f"{_FORM}/codebook.<kind>")
def codebook(project_id: int, form_id: str, kind: str) -> Response:
    """What the columns of an extract are, as `xlsx` or `html`."""
    wanted: Request = options.read(request, ExtractQuery())

    def opened(ctx: Context, identities: bool) -> File:
        return extracts.open_codebook(ctx, project_id, form_id, kind, wanted, identities=identities)

    return _streamed(project_id, form_id, f"codebook.{kind}", _Told(bool(wanted.identities), wanted.reason), opened)


@blueprint.get(f"{_FORM}/media.zip")
def media(project_id: int, form_id: str) -> Response:
    """The files of the submissions that are asked for."""
    wanted: Request = options.read(request, ExtractQuery())

    def opened(ctx: Context, identities: bool) -> File:
        return extracts.open_media(ctx, project_id, form_id, wanted, identities=identities)

    return _streamed(project_id, form_id, "media.zip", _Told(bool(wanted.identities), wanted.reason), opened)


@blueprint.get(f"{_FORM}/deleted.csv")
def deleted(project_id: int, form_id: str) -> Response:
    """The keys of submissions that were deleted, since a cursor where one is given."""
    wanted: Request = options.read(request, DeletedQuery())

    def opened(ctx: Context, identities: bool) -> File:
        return extracts.open_deleted(ctx, project_id, form_id, wanted, identities=identities)

    return _streamed(project_id, form_id, "deleted.csv", _Told(bool(wanted.identities), wanted.reason), opened)


@blueprint.get("/v1/projects/<number:project_id>/datasets/<segment:name>/panel.<kind>")
def panel(project_id: int, name: str, kind: str) -> Response:
    """The entities of a list, one row each, with the visits of a form by round."""
    ask(lambda ctx: dataset_desk.expect(ctx, project_id, name, "entity.list"))
    wanted: Asking = options.read(request, PanelQuery())
    told = wanted.request

    def opened(ctx: Context, identities: bool) -> File:
        return panels.open_panel(ctx, project_id, name, kind, wanted, identities=identities)

    response = _streamed(project_id, wanted.form_id, f"panel.{kind}", _Told(told.identities, told.reason), opened)
    act(lambda ctx: panels.note_export(ctx, project_id, name, wanted.form_id, kind, identities=told.identities))
    return response


@dataclass(frozen=True, slots=True)
class _Told:
    """Whether identities are asked for (None: as far as rights go, since ODK Central's clients cannot ask), and why."""

    identities: bool | None
    reason: str | None


def _central() -> tuple[CentralRequest, _Told]:
    given: dict[str, Any] = options.read(request, CsvQuery())
    wanted = CentralRequest(
        group_paths=given["groupPaths"] is not False,
        split_select_multiples=bool(given["splitSelectMultiples"]),
        deleted_fields=bool(given["deletedFields"]),
        attachments=given["attachments"] is not False,
        neutralise=given["formulas"],
        filter=given["filter"],
    )
    return wanted, _Told(given["identities"], given["reason"])


def _streamed(
    project_id: int, form_id: str, kind: str, told: _Told, opened: Callable[[Context, bool], File]
) -> Response:
    """A file while it is made. What goes wrong before its first bytes are there is told as a problem.

    Pseudonyms are given before the state that is read begins, the audit line is durable before the first byte leaves.
    """
    identities = ask(lambda ctx: disclosures.settle(ctx, project_id, form_id, told.identities, told.reason))
    if not identities and ask(lambda ctx: disclosures.lacks_pseudonyms(ctx, project_id, form_id)):
        act(lambda ctx: disclosures.give_pseudonyms(ctx, project_id, form_id))
    with ExitStack() as stack:
        ctx = stack.enter_context(asking(spill=True))
        file = opened(ctx, identities)
        if request.method == "HEAD":
            return Response(content_type=file.content_type, headers=_headers(file))
        first = next(file.pieces, b"")
        act(lambda ctx: extracts.note_export(ctx, project_id, form_id, kind, identities=identities, reason=told.reason))
        held = stack.pop_all()
    body: Iterator[bytes] = chain((first,), file.pieces)
    response = Response(body, content_type=file.content_type, headers=_headers(file))
    response.call_on_close(held.close)
    return response


def _headers(file: File) -> dict[str, str]:
    headers = {"Content-Disposition": disposition(file.name)}
    if file.cursor is not None:
        headers["Tejido-Cursor"] = file.cursor
    if file.deleted is not None:
        headers["Tejido-Deleted"] = str(file.deleted)
    return headers

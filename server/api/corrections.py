"""Corrections over HTTP: made, taken back, confirmed, by workbook too; the log of all of them as JSON and CSV."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any, Final

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.actions import correction_sheets, correction_uploads, corrections, disclosures
from server.actions.correction_sheets import Wanted
from server.api import bodies, options
from server.api.schemas import corrections as wire
from server.api.wire import tell
from server.cleaning import uploads
from server.extracts import cleaning_log
from server.http.answers import disposition
from server.http.endpoint import act, ask, asking

blueprint = Blueprint("api_corrections", __name__)
blueprint.register_error_handler(Problem, tell)
_FORM: Final = "/v1/projects/<number:project_id>/forms/<segment:form_id>"
_JSON: Final = "application/json; charset=utf-8"
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV: Final = "text/csv; charset=utf-8"


@blueprint.post(f"{_FORM}/submissions/<segment:instance_id>/corrections")
def correct(project_id: int, form_id: str, instance_id: str) -> Response:
    """Lay a value over an answer."""
    wish = wire.wish(bodies.read(request, wire.WishSchema()))
    made = act(lambda ctx: corrections.correct(ctx, project_id, form_id, instance_id, wish))
    return _answer(wire.corrected(made))


@blueprint.get(f"{_FORM}/submissions/<segment:instance_id>/corrections")
def list_of_submission(project_id: int, form_id: str, instance_id: str) -> Response:
    """Every correction of a submission, eldest first."""
    return _log(project_id, form_id, instance_id)


@blueprint.get(f"{_FORM}/corrections")
@blueprint.get(f"{_FORM}/corrections.csv", defaults={"csv": True})
def get_log(project_id: int, form_id: str, csv: bool = False) -> Response:
    """The cleaning log of a form, eldest first, streamed."""
    return _log(project_id, form_id, None, csv=csv)


@blueprint.get(f"{_FORM}/corrections.xlsx")
def download(project_id: int, form_id: str) -> Response:
    """The workbook in which answers are corrected: those with an open flag, or to the questions that are named."""
    given: dict[str, Any] = options.read(request, wire.SheetQuery())
    wanted = Wanted(checks=given["check"], questions=given["question"], records=given["record"])
    language = given["language"] or ("en" if request.accept_languages.best_match(["es", "en"]) == "en" else "es")
    if not ask(lambda ctx: disclosures.settle(ctx, project_id, form_id, None, None)) and ask(
        lambda ctx: disclosures.lacks_pseudonyms(ctx, project_id, form_id)
    ):
        act(lambda ctx: disclosures.give_pseudonyms(ctx, project_id, form_id))
    data = ask(lambda ctx: correction_sheets.download(ctx, project_id, form_id, wanted, language))
    act(lambda ctx: correction_sheets.note_download(ctx, project_id, form_id, given["reason"]))
    response = Response(data, content_type=_XLSX)
    response.headers["Content-Disposition"] = disposition(f"{form_id}-corrections.xlsx")
    return response


@blueprint.post(f"{_FORM}/corrections.xlsx")
def upload(project_id: int, form_id: str) -> Response:
    """Take back the workbook in the body, or with `?dryRun=true` say what it would change."""
    given: dict[str, Any] = options.read(request, wire.UploadQuery())
    ask(lambda ctx: correction_uploads.expect(ctx, project_id, form_id))
    read = uploads.read(bodies.read_bytes(request, "corrections.xlsx", uploads.MAX_FILE))
    if given["dryRun"]:
        return _answer(wire.outcome(ask(lambda ctx: correction_uploads.foresee(ctx, project_id, form_id, read))))
    return _answer(wire.outcome(correction_uploads.carry_out(ask, act, project_id, form_id, read)))


@blueprint.patch(f"{_FORM}/corrections/<number:correction_id>")
def change(project_id: int, form_id: str, correction_id: int) -> Response:
    """Take a correction back, or confirm one that an edit reopened (which makes another one)."""
    said = bodies.read(request, wire.ChangeSchema())
    reason: str | None = said["reason"]
    if said["state"] == "active":
        made = act(lambda ctx: corrections.confirm(ctx, project_id, form_id, correction_id, reason))
        return _answer(wire.corrected(made))
    gone = act(lambda ctx: corrections.withdraw(ctx, project_id, form_id, correction_id, reason or ""))
    return _answer(cleaning_log.bare(gone))


def _log(project_id: int, form_id: str, instance_id: str | None, *, csv: bool = False) -> Response:
    given: dict[str, Any] = options.read(request, wire.LogQuery())
    record = instance_id or given["record"]
    with ExitStack() as stack:
        ctx = stack.enter_context(asking())
        logged = corrections.list_log(ctx, project_id, form_id, instance_id=record, states=given["state"])
        pieces = cleaning_log.as_csv(logged) if csv else cleaning_log.as_json(logged)
        act(lambda ctx: corrections.note_log(ctx, project_id, form_id, record, given["reason"]))
        held = stack.pop_all()
    response = Response(pieces, content_type=_CSV if csv else _JSON)
    response.call_on_close(held.close)
    if csv:
        response.headers["Content-Disposition"] = disposition(f"{form_id}-corrections.csv")
    return response


def _answer(document: dict[str, Any]) -> Response:
    return Response(json.dumps(document, ensure_ascii=False), content_type=_JSON)

"""Corrections over HTTP: made, taken back, confirmed; the log of all of them as JSON and CSV."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any, Final

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.actions import corrections
from server.api import bodies, options
from server.api.schemas import corrections as wire
from server.api.wire import tell
from server.extracts import cleaning_log
from server.http.answers import disposition
from server.http.endpoint import act, asking

blueprint = Blueprint("api_corrections", __name__)
blueprint.register_error_handler(Problem, tell)
_FORM: Final = "/v1/projects/<number:project_id>/forms/<segment:form_id>"
_JSON: Final = "application/json; charset=utf-8"
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
        held = stack.pop_all()
    response = Response(pieces, content_type=_CSV if csv else _JSON)
    response.call_on_close(held.close)
    if csv:
        response.headers["Content-Disposition"] = disposition(f"{form_id}-corrections.csv")
    return response


def _answer(document: dict[str, Any]) -> Response:
    return Response(json.dumps(document, ensure_ascii=False), content_type=_JSON)

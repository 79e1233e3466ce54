"""Extracts over HTTP."""

from __future__ import annotations

from contextlib import ExitStack

from flask import Blueprint, Response, request
from marshmallow import ValidationError

from forms.problems import Problem, Sentence
from server import problems
from server.actions import extracts
from server.api.schemas.extracts import CsvOptions
from server.api.wire import tell
from server.http.answers import disposition
from server.http.endpoint import act, asking

blueprint = Blueprint("api_extracts", __name__)
blueprint.register_error_handler(Problem, tell)


@blueprint.get("/v1/projects/<number:project_id>/forms/<segment:form_id>/submissions.csv.zip")
def csv_zip(project_id: int, form_id: str) -> Response:
    """Every submission of a form as keyed CSV tables in a zip, streamed."""
    try:
        options = CsvOptions().load(request.args.to_dict())
    except ValidationError as error:
        field = str(next(iter(error.messages))) if isinstance(error.messages, dict) else "options"
        allowed = ("neutralise", "keep") if field == "formulas" else ("true", "false")
        sentence = Sentence(es=f"use {' o '.join(allowed)}.", en=f"use {' or '.join(allowed)}.")
        raise problems.wrong_value(field, request.args.get(field), sentence) from error
    with ExitStack() as stack:
        ctx = stack.enter_context(asking())
        act(lambda ctx: extracts.note_export(ctx, project_id, form_id, "csv.zip"))
        body = extracts.stream_csv(ctx, project_id, form_id, options)
        held = stack.pop_all()
    response = Response(body, content_type="application/zip")
    response.call_on_close(held.close)
    response.headers["Content-Disposition"] = disposition(f"{form_id}.zip")
    return response

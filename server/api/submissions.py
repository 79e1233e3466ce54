"""Submissions over HTTP: one of them, its review, what is said of it, all that happened to it and what stood of it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any, Final
from urllib.parse import unquote

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.actions import disclosures, histories, reviews
from server.api import bodies, options
from server.api.schemas import submissions as wire
from server.api.wire import tell
from server.http import answers
from server.http.endpoint import act, ask, asking

blueprint = Blueprint("api_submissions", __name__)
blueprint.register_error_handler(Problem, tell)
_ONE: Final = "/v1/projects/<number:project_id>/forms/<segment:form_id>/submissions/<segment:instance_id>"
_JSON: Final = "application/json; charset=utf-8"


@blueprint.get(_ONE)
def get_submission(project_id: int, form_id: str, instance_id: str) -> Response:
    """A submission."""
    found = ask(lambda ctx: reviews.get_submission(ctx, project_id, form_id, instance_id))
    reason = request.args.get("reason")
    act(lambda ctx: histories.note_opened(ctx, project_id, form_id, instance_id, "submission", reason))
    return _answer(wire.submission(found))


@blueprint.get(f"{_ONE}.xml")
def get_xml(project_id: int, form_id: str, instance_id: str) -> Response:
    """The document of a submission as it is kept, for whoever may identify people."""
    reason = options.read(request, wire.RecordQuery())["reason"]
    xml = act(lambda ctx: disclosures.get_xml(ctx, project_id, form_id, instance_id, reason))
    return Response(xml, content_type="text/xml; charset=utf-8")


@blueprint.patch(_ONE)
def review(project_id: int, form_id: str, instance_id: str) -> Response:
    """Decide about a submission; the header X-Action-Notes (percent-encoded) says why."""
    said = bodies.read(request, wire.ReviewSchema())
    note = unquote(request.headers.get("X-Action-Notes", ""))
    made = act(lambda ctx: reviews.review(ctx, project_id, form_id, instance_id, said["reviewState"], note))
    return _answer(wire.submission(made))


@blueprint.get(f"{_ONE}/comments")
def list_comments(project_id: int, form_id: str, instance_id: str) -> Response:
    """What was said of a submission, the newest first."""
    extended = request.headers.get("X-Extended-Metadata", "").lower() == "true"
    listed = ask(lambda ctx: reviews.list_comments(ctx, project_id, form_id, instance_id))
    return _answer([wire.comment(one, extended=extended) for one in listed])


@blueprint.post(f"{_ONE}/comments")
def comment(project_id: int, form_id: str, instance_id: str) -> Response:
    """Say something of a submission."""
    body = bodies.read(request, wire.CommentSchema())["body"]
    return _answer(wire.comment(act(lambda ctx: reviews.comment(ctx, project_id, form_id, instance_id, body))))


@blueprint.get(f"{_ONE}/history")
def get_history(project_id: int, form_id: str, instance_id: str) -> Response:
    """All that happened to a submission, eldest first."""
    reason = options.read(request, wire.RecordQuery())["reason"]
    events = ask(lambda ctx: histories.get_history(ctx, project_id, form_id, instance_id))
    act(lambda ctx: histories.note_opened(ctx, project_id, form_id, instance_id, "history", reason))
    return _answer([wire.event(one) for one in events])


@blueprint.get(f"{_ONE}/state")
def get_state(project_id: int, form_id: str, instance_id: str) -> Response:
    """What stands of a submission, or stood at a past moment."""
    given: dict[str, Any] = options.read(request, wire.StateQuery())
    found = ask(lambda ctx: histories.get_state(ctx, project_id, form_id, instance_id, given["at"]))
    act(lambda ctx: histories.note_opened(ctx, project_id, form_id, instance_id, "state", given["reason"]))
    return _answer(wire.state(found))


@blueprint.get("/v1/projects/<number:project_id>/forms/<segment:form_id>/states")
def stream_states(project_id: int, form_id: str) -> Response:
    """What stands of every submission, or stood at a past moment, one object of JSON in each line."""
    given: dict[str, Any] = options.read(request, wire.StateQuery())
    with ExitStack() as stack:
        ctx = stack.enter_context(asking())
        found = histories.stream_states(ctx, project_id, form_id, given["at"])
        act(lambda ctx: histories.note_states(ctx, project_id, form_id, given["reason"]))
        held = stack.pop_all()
    lines = (json.dumps(wire.state(one), ensure_ascii=False) + "\n" for one in found)
    response = Response(lines, content_type="application/x-ndjson; charset=utf-8")
    response.call_on_close(held.close)
    response.headers["Content-Disposition"] = answers.disposition(f"{form_id}-states.ndjson")
    return response


def _answer(document: Any) -> Response:
    return answers.document(request, json.dumps(document, ensure_ascii=False).encode(), _JSON)

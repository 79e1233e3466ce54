"""Audits over HTTP: who did what and who saw what, the newest first, in ODK Central's shape."""

from __future__ import annotations

import json
from typing import Final

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.actions import audits
from server.actions.audits import Query
from server.api import options
from server.api.schemas.audits import AuditQuery, line
from server.api.wire import tell
from server.http.endpoint import ask

blueprint = Blueprint("api_audits", __name__)
blueprint.register_error_handler(Problem, tell)
_JSON: Final = "application/json; charset=utf-8"


@blueprint.get("/v1/audits")
def list_audits() -> Response:
    """The lines asked for; with X-Extended-Metadata also who the actor is and which form and submission are meant."""
    query: Query = options.read(request, AuditQuery())
    extended = request.headers.get("X-Extended-Metadata", "").lower() == "true"
    lines = ask(lambda ctx: audits.list_lines(ctx, query))
    told = [line(one, extended=extended) for one in lines]
    return Response(json.dumps(told, ensure_ascii=False), content_type=_JSON)

"""Files of entities over HTTP: CSV and GeoJSON, taken whole or not at all."""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Blueprint, Response, request

from forms import entity_files as files
from forms.problems import Problem
from server.actions import entity_files
from server.actions.entity_files import Wish
from server.api import bodies, options
from server.api.entities import said_by
from server.api.schemas import entity_files as wire
from server.api.wire import tell
from server.http.endpoint import act, ask

blueprint = Blueprint("api_entity_files", __name__)
blueprint.register_error_handler(Problem, tell)
_FILE: Final = "/v1/projects/<number:project_id>/datasets/<segment:name>/entities/file"
_JSON: Final = "application/json; charset=utf-8"


@blueprint.post(_FILE)
def take(project_id: int, name: str) -> Response:
    """Take the file in the body, or with `?dryRun=true` say what it would do."""
    query: dict[str, Any] = options.read(request, wire.FileQuery())
    wish = Wish(update=bool(query["update"]), add_properties=bool(query["addProperties"]), name=query["name"] or "")
    ask(lambda ctx: entity_files.expect(ctx, project_id, name, wish))
    data, by = bodies.read_bytes(request, "CSV, GeoJSON", files.MAX_FILE), said_by()
    wish, read = wish.of(len(data)), files.read(data)
    if query["dryRun"]:
        return _answer(wire.outcome(ask(lambda ctx: entity_files.foresee(ctx, project_id, name, read, wish))))
    return _answer(wire.outcome(act(lambda ctx: entity_files.apply(ctx, project_id, name, read, wish, by))))


def _answer(document: dict[str, Any]) -> Response:
    return Response(json.dumps(document, ensure_ascii=False), content_type=_JSON)

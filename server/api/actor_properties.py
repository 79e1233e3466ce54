"""Properties of app users over HTTP, as ODK Central has them."""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.actions import actor_properties, dataset_desk
from server.api import bodies
from server.api.schemas import datasets as wire
from server.api.wire import tell
from server.http import answers
from server.http.endpoint import act, ask

blueprint = Blueprint("api_actor_properties", __name__)
blueprint.register_error_handler(Problem, tell)
_PROJECT: Final = "/v1/projects/<number:project_id>"


@blueprint.get(f"{_PROJECT}/actor-properties")
def list_properties(project_id: int) -> Response:
    """The properties that app users may have; with X-Extended-Metadata the values that are in use too."""
    extended = request.headers.get("X-Extended-Metadata", "").lower() == "true"
    listed = ask(lambda ctx: actor_properties.list_properties(ctx, project_id))
    return _answer([{"name": name, **({"values": values} if extended else {})} for name, values in listed.items()])


@blueprint.post(f"{_PROJECT}/actor-properties")
def add(project_id: int) -> Response:
    """A property that app users may have."""
    ask(lambda ctx: dataset_desk.expect(ctx, project_id, None, "project.update"))
    name = bodies.read(request, wire.NameSchema())["name"]
    act(lambda ctx: actor_properties.add(ctx, project_id, name))
    return _answer({"success": True})


@blueprint.patch(f"{_PROJECT}/app-users/<number:actor_id>")
def set_values(project_id: int, actor_id: int) -> Response:
    """Other values of an app user's properties."""
    ask(lambda ctx: dataset_desk.expect(ctx, project_id, None, "field_key.update"))
    values = bodies.read(request, wire.ValuesSchema())["properties"]
    return _answer(wire.app_user(act(lambda ctx: actor_properties.set_values(ctx, project_id, actor_id, values))))


def _answer(document: Any) -> Response:
    body = json.dumps(document, ensure_ascii=False).encode()
    return answers.document(request, body, "application/json; charset=utf-8")

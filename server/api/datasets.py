"""Entity lists over HTTP."""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.actions import dataset_desk
from server.actions.dataset_desk import Wish
from server.api import bodies, options
from server.api.schemas import entities as wire
from server.api.wire import tell
from server.http import answers
from server.http.endpoint import act, ask

blueprint = Blueprint("api_datasets", __name__)
blueprint.register_error_handler(Problem, tell)
_PROJECT: Final = "/v1/projects/<number:project_id>"
_ONE: Final = f"{_PROJECT}/datasets/<segment:name>"
_JSON: Final = "application/json; charset=utf-8"


@blueprint.get(f"{_PROJECT}/datasets")
def list_datasets(project_id: int) -> Response:
    """Every list of a project."""
    extended = request.headers.get("X-Extended-Metadata", "").lower() == "true"
    listed = ask(lambda ctx: dataset_desk.list_datasets(ctx, project_id))
    return _answer([wire.listed(one, extended=extended) for one in listed])


@blueprint.post(f"{_PROJECT}/datasets")
def create_dataset(project_id: int) -> Response:
    """A list that no form has declared yet."""
    said = bodies.read(request, wire.NewDataset())
    made = act(
        lambda ctx: dataset_desk.create(
            ctx,
            project_id,
            said["name"],
            approval_required=said["approvalRequired"],
            owner_only=said["ownerOnly"],
        )
    )
    return _answer(wire.described(made))


@blueprint.get(_ONE)
def get_dataset(project_id: int, name: str) -> Response:
    """A list and what it has to do with."""
    return _answer(wire.described(ask(lambda ctx: dataset_desk.describe(ctx, project_id, name))))


@blueprint.patch(_ONE)
def change_dataset(project_id: int, name: str) -> Response:
    """Approval, and who sees which of its entities."""
    query: dict[str, Any] = options.read(request, wire.DatasetQuery())
    said = bodies.read(request, wire.DatasetPatch())
    wish = Wish(**said, convert=query["convert"])
    return _answer(wire.described(act(lambda ctx: dataset_desk.change(ctx, project_id, name, wish))))


@blueprint.delete(_ONE)
def delete_dataset(project_id: int, name: str) -> Response:
    """Put a list away."""
    act(lambda ctx: dataset_desk.delete(ctx, project_id, name))
    return _answer({"success": True})


@blueprint.post(f"{_ONE}/properties")
def add_property(project_id: int, name: str) -> Response:
    """A property that no form has declared yet."""
    wanted = bodies.read(request, wire.NameSchema())["name"]
    act(lambda ctx: dataset_desk.add_property(ctx, project_id, name, wanted))
    return _answer({"success": True})


@blueprint.get(f"{_PROJECT}/actor-properties")
def list_actor_properties(project_id: int) -> Response:
    """The properties that app users may have."""
    extended = request.headers.get("X-Extended-Metadata", "").lower() == "true"
    listed = ask(lambda ctx: dataset_desk.list_actor_properties(ctx, project_id))
    return _answer([{"name": name, **({"values": values} if extended else {})} for name, values in listed.items()])


@blueprint.post(f"{_PROJECT}/actor-properties")
def add_actor_property(project_id: int) -> Response:
    """A property that app users may have."""
    name = bodies.read(request, wire.NameSchema())["name"]
    act(lambda ctx: dataset_desk.add_actor_property(ctx, project_id, name))
    return _answer({"success": True})


@blueprint.patch(f"{_PROJECT}/app-users/<number:actor_id>")
def set_actor_values(project_id: int, actor_id: int) -> Response:
    """Other values of an app user's properties."""
    values = bodies.read(request, wire.ValuesSchema())["properties"]
    made = act(lambda ctx: dataset_desk.set_actor_values(ctx, project_id, actor_id, values))
    return _answer({"id": actor_id, "properties": made})


def _answer(document: Any) -> Response:
    return answers.document(request, json.dumps(document, ensure_ascii=False).encode(), _JSON)

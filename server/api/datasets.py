"""Entity lists over HTTP."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.actions import dataset_desk
from server.actions.dataset_desk import Wish
from server.api import bodies, options
from server.api.schemas import datasets as wire
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
    """Every list of a project, or with `?deleted=true` those that were put away."""
    deleted = bool(options.read(request, wire.DeletedQuery())["deleted"])
    listed = ask(lambda ctx: dataset_desk.list_datasets(ctx, project_id, deleted=deleted))
    return _answer([wire.listed(one, extended=_extended()) for one in listed])


@blueprint.post(f"{_PROJECT}/datasets")
def create_dataset(project_id: int) -> Response:
    """A list that no form has declared yet."""
    ask(lambda ctx: dataset_desk.expect(ctx, project_id, None, "dataset.create"))
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
    found = ask(lambda ctx: dataset_desk.describe(ctx, project_id, name))
    return _answer(wire.described(found, extended=_extended()))


@blueprint.patch(_ONE)
def change_dataset(project_id: int, name: str) -> Response:
    """Approval, and who sees which of its entities."""
    ask(lambda ctx: dataset_desk.expect(ctx, project_id, name, "dataset.update"))
    query: dict[str, Any] = options.read(request, wire.DatasetQuery())
    wish: Wish = replace(bodies.load(request, wire.DatasetPatch()), convert=query["convert"])
    return _answer(wire.described(act(lambda ctx: dataset_desk.change(ctx, project_id, name, wish))))


@blueprint.delete(_ONE)
def delete_dataset(project_id: int, name: str) -> Response:
    """Put a list away."""
    act(lambda ctx: dataset_desk.delete(ctx, project_id, name))
    return _answer({"success": True})


@blueprint.get(f"{_ONE}/properties")
def list_properties(project_id: int, name: str) -> Response:
    """The properties of a list with their types, which ODK Central does not tell."""
    return _answer(wire.properties(ask(lambda ctx: dataset_desk.describe(ctx, project_id, name))))


@blueprint.post(f"{_ONE}/properties")
def add_property(project_id: int, name: str) -> Response:
    """A property that no form has declared yet."""
    ask(lambda ctx: dataset_desk.expect(ctx, project_id, name, "dataset.update"))
    wanted = bodies.read(request, wire.NameSchema())["name"]
    act(lambda ctx: dataset_desk.add_property(ctx, project_id, name, wanted))
    return _answer({"success": True})


@blueprint.delete(f"{_ONE}/properties/<segment:property_name>")
def delete_property(project_id: int, name: str, property_name: str) -> Response:
    """Take out a property that nobody uses."""
    act(lambda ctx: dataset_desk.delete_property(ctx, project_id, name, property_name))
    return _answer({"success": True})


def _extended() -> bool:
    return request.headers.get("X-Extended-Metadata", "").lower() == "true"


def _answer(document: Any) -> Response:
    return answers.document(request, json.dumps(document, ensure_ascii=False).encode(), _JSON)

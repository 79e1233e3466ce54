"""The files of forms over HTTP: which are expected, which of a draft's are entity lists, and which lists a form writes to."""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.actions import dataset_differences, draft_files
from server.api import bodies
from server.api.schemas import form_files as wire
from server.api.wire import tell
from server.http import answers
from server.http.endpoint import act, ask

blueprint = Blueprint("api_form_files", __name__)
blueprint.register_error_handler(Problem, tell)
_FORM: Final = "/v1/projects/<number:project_id>/forms/<segment:form_id>"
_FILE: Final = f"{_FORM}/draft/attachments/<segment:name>"
_JSON: Final = "application/json; charset=utf-8"


@blueprint.get(f"{_FORM}/attachments", defaults={"draft": False})
@blueprint.get(f"{_FORM}/draft/attachments", defaults={"draft": True})
def list_files(project_id: int, form_id: str, *, draft: bool) -> Response:
    """The files that a form or its draft expects."""
    listed = ask(lambda ctx: draft_files.list_files(ctx, project_id, form_id, draft=draft))
    return _answer([wire.file(one) for one in listed])


@blueprint.patch(_FILE)
def link_list(project_id: int, form_id: str, name: str) -> Response:
    """Let a draft's file be the entity list of its name, or nothing."""
    ask(lambda ctx: draft_files.expect(ctx, project_id, form_id))
    linked = bool(bodies.read(request, wire.LinkPatch())["dataset"])
    return _answer(wire.file(act(lambda ctx: draft_files.link_list(ctx, project_id, form_id, name, linked=linked))))


@blueprint.delete(_FILE)
def clear(project_id: int, form_id: str, name: str) -> Response:
    """Let a draft's file be nothing."""
    act(lambda ctx: draft_files.clear(ctx, project_id, form_id, name))
    return _answer({"success": True})


@blueprint.get(f"{_FORM}/dataset-diff", defaults={"draft": False})
@blueprint.get(f"{_FORM}/draft/dataset-diff", defaults={"draft": True})
def list_differences(project_id: int, form_id: str, *, draft: bool) -> Response:
    """The entity lists that a form or its draft writes to, with their properties."""
    listed = ask(lambda ctx: dataset_differences.differences(ctx, project_id, form_id, draft=draft))
    return _answer([wire.difference(one, draft=draft) for one in listed])


def _answer(document: Any) -> Response:
    return answers.document(request, json.dumps(document, ensure_ascii=False).encode(), _JSON)

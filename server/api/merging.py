"""Entities that may be one, over HTTP: candidates, merges, and taking them back."""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.actions import entity_duplicates, entity_merging
from server.actions.entity_duplicates import Compared
from server.api import bodies, options
from server.api.schemas import entities as wire
from server.api.wire import tell
from server.http import answers
from server.http.endpoint import act, ask

blueprint = Blueprint("api_merging", __name__)
blueprint.register_error_handler(Problem, tell)
_LIST: Final = "/v1/projects/<number:project_id>/datasets/<segment:name>"


@blueprint.get(f"{_LIST}/duplicates")
def list_candidates(project_id: int, name: str) -> Response:
    """Pairs that may be one."""
    query: dict[str, Any] = options.read(request, wire.CandidatesQuery())
    named = {key: query[key] for key in ("names", "births", "places")}
    by = Compared(**named) if any(named.values()) else None
    found = ask(
        lambda ctx: entity_duplicates.list_candidates(
            ctx, project_id, name, by=by, least=query["least"], most=query["most"]
        )
    )
    return _answer(wire.candidates(found))


@blueprint.post(f"{_LIST}/duplicates/distinct")
def tell_apart(project_id: int, name: str) -> Response:
    """Two that are two: they are proposed no more."""
    said = bodies.read(request, wire.PairSchema())
    first, second = said["entities"]
    act(lambda ctx: entity_duplicates.tell_apart(ctx, project_id, name, (first, second), said["reason"]))
    return _answer({"success": True})


@blueprint.get(f"{_LIST}/merges")
def list_merges(project_id: int, name: str) -> Response:
    """Every merge, the newest first."""
    return _answer([wire.merge_line(one) for one in ask(lambda ctx: entity_merging.list_merges(ctx, project_id, name))])


@blueprint.post(f"{_LIST}/merges")
def merge(project_id: int, name: str) -> Response:
    """Take one entity into another."""
    said = bodies.read(request, wire.MergeSchema())
    made = act(lambda ctx: entity_merging.merge(ctx, project_id, name, **said))
    return _answer(wire.merged(made))


@blueprint.post(f"{_LIST}/merges/<number:merge_id>/undo")
def undo(project_id: int, name: str, merge_id: int) -> Response:
    """Take a merge back."""
    reason = bodies.read(request, wire.ReasonSchema())["reason"]
    made = act(lambda ctx: entity_merging.undo(ctx, project_id, name, merge_id, reason=reason))
    return _answer(wire.merged(made))


def _answer(document: Any) -> Response:
    body = json.dumps(document, ensure_ascii=False).encode()
    return answers.document(request, body, "application/json; charset=utf-8")

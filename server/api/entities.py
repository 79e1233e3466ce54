"""Entities over HTTP: the entities of a list, their versions and what happened to them; what submissions did not get."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final
from urllib.parse import unquote

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.actions import (
    dataset_desk,
    entities,
    entity_backlog,
    entity_feeds,
    entity_reading,
    entity_sight,
    entity_visits,
)
from server.actions.entities import By
from server.api import bodies, options
from server.api.schemas import entities as wire
from server.api.schemas.datasets import actor
from server.api.wire import tell
from server.http import answers
from server.http.endpoint import act, ask, asking, office

blueprint = Blueprint("api_entities", __name__)
blueprint.register_error_handler(Problem, tell)
_LIST: Final = "/v1/projects/<number:project_id>/datasets/<segment:name>"
_ALL: Final = f"{_LIST}/entities"
_ONE: Final = f"{_ALL}/<segment:uuid>"
_JSON: Final = "application/json; charset=utf-8"
_LONGEST_AGENT: Final = 300


@blueprint.get(_ALL)
def list_entities(project_id: int, name: str) -> Response:
    """The entities of a list without their values, the newest first, streamed."""
    query: dict[str, Any] = options.read(request, wire.ListQuery())
    extended, deleted = _extended(), bool(query["deleted"])
    give_names(project_id, name)
    with ExitStack() as stack:
        ctx = stack.enter_context(asking())
        found = entity_reading.list_entities(ctx, project_id, name, deleted=deleted, conflict=query["conflict"])
        act(lambda ctx: entity_reading.note_export(ctx, project_id, name, "entities", query["reason"]))
        held = stack.pop_all()
    response = Response(_array(wire.line(one, extended=extended) for one in found), content_type=_JSON)
    response.call_on_close(held.close)
    return response


@blueprint.post(_ALL)
def create(project_id: int, name: str) -> Response:
    """One entity, or many with their source."""
    _expect(project_id, name, "entity.create")
    said, by = bodies.read_object(request, most=office().settings.max_body), said_by()
    if "entities" not in said:
        wanted = wire.NewEntity().load(said)
        return _answer(wire.line(act(lambda ctx: entities.create(ctx, project_id, name, wanted, by)), values=True))
    many, source = wire.read_many(said)
    act(lambda ctx: entities.create_many(ctx, project_id, name, many, source, by))
    return _answer({"success": True})


@blueprint.get(f"{_ALL}/creators")
def list_creators(project_id: int, name: str) -> Response:
    """Who made the entities of a list."""
    return _answer([actor(one) for one in ask(lambda ctx: entity_reading.list_creators(ctx, project_id, name))])


@blueprint.post(f"{_ALL}/bulk-delete")
def bulk_delete(project_id: int, name: str) -> Response:
    """Put many away."""
    _expect(project_id, name, "entity.delete")
    ids, by = bodies.read(request, wire.IdsSchema(), most=office().settings.max_body)["ids"], said_by()
    return _answer({"count": len(act(lambda ctx: entities.delete_many(ctx, project_id, name, ids, by)))})


@blueprint.post(f"{_ALL}/bulk-restore")
def bulk_restore(project_id: int, name: str) -> Response:
    """Bring many back."""
    _expect(project_id, name, "entity.restore")
    ids, by = bodies.read(request, wire.IdsSchema(), most=office().settings.max_body)["ids"], said_by()
    return _answer({"count": len(act(lambda ctx: entities.restore_many(ctx, project_id, name, ids, by)))})


@blueprint.get(_ONE)
def get_entity(project_id: int, name: str, uuid: str) -> Response:
    """An entity as it stands."""
    query: dict[str, Any] = options.read(request, wire.OneQuery())
    deleted = bool(query["deleted"])
    found = ask(lambda ctx: entity_reading.get(ctx, project_id, name, uuid, deleted=deleted))
    if not deleted:
        _note(project_id, name, uuid, "entity", query["reason"])
    return _answer(wire.line(found, values=True, extended=_extended()))


@blueprint.patch(_ONE)
def change(project_id: int, name: str, uuid: str) -> Response:
    """A new version by hand, or a conflict resolved."""
    _expect(project_id, name, "entity.update")
    ask(lambda ctx: entity_reading.get(ctx, project_id, name, uuid))
    query: dict[str, Any] = options.read(request, wire.PatchQuery())
    wish, by = wire.EntityPatch().load(bodies.read_object(request)), said_by()
    made = act(
        lambda ctx: entities.change(
            ctx,
            project_id,
            name,
            uuid,
            wish,
            by,
            base_version=query["baseVersion"],
            force=bool(query["force"]),
            resolve=bool(query["resolve"]),
        )
    )
    return _answer(wire.line(made, values=True))


@blueprint.delete(_ONE)
def delete(project_id: int, name: str, uuid: str) -> Response:
    """Put one away."""
    by = said_by()
    act(lambda ctx: entities.delete(ctx, project_id, name, uuid, by))
    return _answer({"success": True})


@blueprint.post(f"{_ONE}/restore")
def restore(project_id: int, name: str, uuid: str) -> Response:
    """Bring one back."""
    by = said_by()
    act(lambda ctx: entities.restore(ctx, project_id, name, uuid, by))
    return _answer({"success": True})


@blueprint.get(f"{_ONE}/versions")
def list_versions(project_id: int, name: str, uuid: str) -> Response:
    """Every version, eldest first."""
    query: dict[str, Any] = options.read(request, wire.VersionsQuery())
    relevant, extended = bool(query["relevantToConflict"]), _extended()
    listed = ask(lambda ctx: entity_reading.list_versions(ctx, project_id, name, uuid, relevant=relevant))
    _note(project_id, name, uuid, "versions", query["reason"])
    return _answer([wire.version(one, extended=extended) for one in listed])


@blueprint.get(f"{_ONE}/diffs")
def list_changes(project_id: int, name: str, uuid: str) -> Response:
    """What each version changed."""
    query: dict[str, Any] = options.read(request, wire.OneQuery())
    listed = ask(lambda ctx: entity_reading.list_changes(ctx, project_id, name, uuid))
    _note(project_id, name, uuid, "diffs", query["reason"])
    return _answer(wire.changes(listed))


@blueprint.get(f"{_ONE}/visits")
def list_visits(project_id: int, name: str, uuid: str) -> Response:
    """Every submission that spoke of one, the eldest first."""
    query: dict[str, Any] = options.read(request, wire.OneQuery())
    listed = ask(lambda ctx: entity_visits.list_visits(ctx, project_id, name, uuid))
    _note(project_id, name, uuid, "visits", query["reason"])
    return _answer([wire.visit(one) for one in listed])


@blueprint.get(f"{_ONE}/audits")
def list_audits(project_id: int, name: str, uuid: str) -> Response:
    """What happened to one, the newest first."""
    query: dict[str, Any] = options.read(request, wire.AuditsQuery())
    listed = ask(
        lambda ctx: entity_reading.list_audits(ctx, project_id, name, uuid, offset=query["offset"], most=query["limit"])
    )
    return _answer([wire.happened(one) for one in listed])


@blueprint.get(f"{_ONE}/geojson")
def get_place(project_id: int, name: str, uuid: str) -> Response:
    """Where one is, as a FeatureCollection of one or none."""
    found = ask(lambda ctx: entity_feeds.get_place(ctx, project_id, name, uuid))
    _note(project_id, name, uuid, "geojson", options.read(request, wire.OneQuery())["reason"])
    features = [] if found is None else [feature(*found)]
    return _answer({"type": "FeatureCollection", "features": features})


@blueprint.get("/v1/projects/<number:project_id>/entity-receipts")
def list_undone(project_id: int) -> Response:
    """What submissions wanted of entities and did not get: held, waiting for approval, or failed."""
    listed = ask(lambda ctx: entity_backlog.list_undone(ctx, project_id))
    return _answer([wire.receipt(*one) for one in listed])


def give_names(project_id: int, name: str) -> None:
    """Let every entity of a list have the pseudonym by which it is told to whoever asks, before what is told is read."""
    if ask(lambda ctx: entity_sight.lacks_names(ctx, project_id, name)):
        act(lambda ctx: entity_sight.give_names(ctx, project_id, name))


def feature(told: str, geometry: str) -> dict[str, Any]:
    """An entity as a feature of GeoJSON (RFC 7946), without properties, as ODK Central tells it."""
    return {"type": "Feature", "id": told, "properties": None, "geometry": json.loads(geometry)}


def said_by() -> By:
    """With what the request was made, and the note for the audit (X-Action-Notes, percent-encoded)."""
    agent = request.headers.get("User-Agent", "").strip()[:_LONGEST_AGENT]
    note = " ".join(unquote(request.headers.get("X-Action-Notes", "")).split())[:1000]
    return By(user_agent=agent or None, note=note or None)


def _expect(project_id: int, name: str, verb: str) -> None:
    ask(lambda ctx: dataset_desk.expect(ctx, project_id, name, verb))


def _note(project_id: int, name: str, uuid: str, what: str, reason: str | None) -> None:
    act(lambda ctx: entity_reading.note_opened(ctx, project_id, name, uuid, what, reason))


def _extended() -> bool:
    return request.headers.get("X-Extended-Metadata", "").lower() == "true"


def _array(documents: Iterator[Any]) -> Iterator[bytes]:
    """A JSON array while it is made."""
    mark = "["
    for one in documents:
        yield f"{mark}{json.dumps(one, ensure_ascii=False)}".encode()
        mark = ","
    yield b"[]" if mark == "[" else b"]"


def _answer(document: Any) -> Response:
    return answers.document(request, json.dumps(document, ensure_ascii=False).encode(), _JSON)

"""Entities over HTTP: the entities of a list, their versions, and what submissions wanted of them and did not get."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

from flask import Blueprint, Response, request

from forms.entities import missing_parameter
from forms.problems import Problem, Sentence
from server import problems
from server.actions import entities, entity_backlog
from server.actions.entities import New
from server.api import bodies, options
from server.api.schemas import entities as wire
from server.api.schemas.wording import moment
from server.api.wire import tell
from server.extracts.delimited import harmless
from server.http import answers
from server.http.endpoint import act, ask, asking
from server.model.entities import Entity, Property

blueprint = Blueprint("api_entities", __name__)
blueprint.register_error_handler(Problem, tell)
_LIST: Final = "/v1/projects/<number:project_id>/datasets/<segment:name>"
_ALL: Final = f"{_LIST}/entities"
_ONE: Final = f"{_ALL}/<segment:uuid>"
_JSON: Final = "application/json; charset=utf-8"
_SYSTEM: Final = ("__createdAt", "__creatorId", "__updates", "__updatedAt", "__version")


@blueprint.get(_ALL)
def list_entities(project_id: int, name: str) -> Response:
    """The entities of a list, the newest first."""
    query: dict[str, Any] = options.read(request, wire.ListQuery())
    listed = ask(lambda ctx: entities.list_entities(ctx, project_id, name, **query))
    return _answer([wire.entity(one) for one in listed])


@blueprint.post(_ALL)
def create(project_id: int, name: str) -> Response:
    """One entity, or many with their source."""
    said = bodies.read(request, wire.NewEntities())
    agent = request.user_agent.string[:300] or None
    if said["entities"] is None:
        wanted = [_new(said)]
        made = act(lambda ctx: entities.create(ctx, project_id, name, wanted, user_agent=agent))
        return _answer(wire.entity(*ask(lambda ctx: entities.get_current(ctx, project_id, name, made[0].uuid))))
    if not said["entities"]:
        raise problems.wrong_value("entities", "[]", Sentence("no hay ninguna.", "there is none."))
    source = said["source"] or {}
    if not isinstance(source.get("name"), str) or not source["name"]:
        raise missing_parameter("source.name")
    wanted = [_new({"label": None, "uuid": None, "data": None, **one}) for one in said["entities"]]
    told = {key: source[key] for key in ("name", "size") if key in source} | {"count": len(wanted)}
    act(lambda ctx: entities.create(ctx, project_id, name, wanted, source=told, user_agent=agent))
    return _answer({"success": True})


@blueprint.get(f"{_LIST}/entities.csv")
def stream_csv(project_id: int, name: str) -> Response:
    """The living entities of a list, with what is known of each."""
    with ExitStack() as stack:
        ctx = stack.enter_context(asking())
        properties, found = entities.stream(ctx, project_id, name)
        lines = _lines(properties, found)
        held = stack.pop_all()
    response = Response(lines, content_type="text/csv; charset=utf-8")
    response.call_on_close(held.close)
    response.headers["Content-Disposition"] = answers.disposition(f"{name}.csv")
    return response


@blueprint.post(f"{_ALL}/bulk-delete")
def bulk_delete(project_id: int, name: str) -> Response:
    """Put many away."""
    ids = bodies.read(request, wire.IdsSchema())["ids"]
    gone = act(lambda ctx: entities.delete(ctx, project_id, name, ids, bulk=True))
    return _answer({"count": len(gone)})


@blueprint.post(f"{_ALL}/bulk-restore")
def bulk_restore(project_id: int, name: str) -> Response:
    """Bring many back."""
    ids = bodies.read(request, wire.IdsSchema())["ids"]
    come = act(lambda ctx: entities.restore(ctx, project_id, name, ids, bulk=True))
    return _answer({"count": len(come)})


@blueprint.get(_ONE)
def get_entity(project_id: int, name: str, uuid: str) -> Response:
    """An entity as it stands."""
    return _answer(wire.entity(*ask(lambda ctx: entities.get_current(ctx, project_id, name, uuid))))


@blueprint.patch(_ONE)
def change(project_id: int, name: str, uuid: str) -> Response:
    """A new version by hand, or a conflict resolved."""
    query: dict[str, Any] = options.read(request, wire.PatchQuery())
    said = bodies.read(request, wire.EntityPatch())
    agent = request.user_agent.string[:300] or None
    act(
        lambda ctx: entities.change(
            ctx,
            project_id,
            name,
            uuid,
            base_version=query["baseVersion"],
            label=said["label"],
            data=said["data"],
            force=query["force"],
            resolve=query["resolve"],
            user_agent=agent,
        )
    )
    return _answer(wire.entity(*ask(lambda ctx: entities.get_current(ctx, project_id, name, uuid))))


@blueprint.delete(_ONE)
def delete(project_id: int, name: str, uuid: str) -> Response:
    """Put one away."""
    act(lambda ctx: entities.delete(ctx, project_id, name, [uuid]))
    return _answer({"success": True})


@blueprint.post(f"{_ONE}/restore")
def restore(project_id: int, name: str, uuid: str) -> Response:
    """Bring one back."""
    act(lambda ctx: entities.restore(ctx, project_id, name, [uuid]))
    return _answer({"success": True})


@blueprint.get(f"{_ONE}/versions")
def list_versions(project_id: int, name: str, uuid: str) -> Response:
    """Every version, eldest first."""
    relevant = options.read(request, wire.VersionsQuery())["relevantToConflict"]
    listed = ask(lambda ctx: entities.list_versions(ctx, project_id, name, uuid, relevant=relevant))
    return _answer([wire.version(one) for one in listed])


@blueprint.get(f"{_ONE}/diffs")
def list_changes(project_id: int, name: str, uuid: str) -> Response:
    """What each version changed."""
    return _answer(wire.changes(ask(lambda ctx: entities.list_changes(ctx, project_id, name, uuid))))


@blueprint.get("/v1/projects/<number:project_id>/entity-receipts")
def list_undone(project_id: int) -> Response:
    """What submissions wanted of entities and did not get: held, waiting for approval, or failed."""
    listed = ask(lambda ctx: entity_backlog.list_undone(ctx, project_id))
    return _answer([wire.receipt(*one) for one in listed])


def _new(said: dict[str, Any]) -> New:
    if said["label"] is None:
        raise missing_parameter("label")
    data = said["data"] or {}
    if not isinstance(said["label"], str):
        raise problems.wrong_value("label", str(said["label"])[:60], Sentence("use un texto.", "use a text."))
    for key, value in data.items():
        if not isinstance(value, str):
            raise problems.wrong_value(str(key), str(value)[:60], Sentence("use un texto.", "use a text."))
    return New(label=said["label"], uuid=said["uuid"], data=data)


def _lines(properties: list[Property], found: Iterator[Entity]) -> Iterator[bytes]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [one.name for one in properties]
    writer.writerow(["__id", "label", *names, *_SYSTEM])
    for number, one in enumerate(found, 1):
        system = [
            moment(one.created_at),
            one.creator_id,
            one.version - 1,
            moment(one.updated_at) if one.updated_at else "",
            one.version,
        ]
        values = (one.data.get(name, "") for name in names)
        writer.writerow([one.uuid, harmless(one.label), *(harmless(value) for value in values), *system])
        if number % 500 == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def _answer(document: Any) -> Response:
    return answers.document(request, json.dumps(document, ensure_ascii=False).encode(), _JSON)

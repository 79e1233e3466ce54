"""Feeds of entity lists over HTTP: CSV, OData and GeoJSON, as ODK Central gives them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import Any, Final

from flask import Blueprint, Response, request

from forms.problems import Problem, Sentence
from server.actions import entity_feeds, entity_reading
from server.actions.entity_feeds import Feed, Request
from server.api import options
from server.api.entities import feature, give_names
from server.api.schemas import entity_feeds as wire
from server.api.schemas.wording import moment
from server.api.wire import tell
from server.extracts.delimited import harmless
from server.http import answers
from server.http.endpoint import act, ask, asking, base_url
from server.odata import documents
from server.odata.entity_rows import Line

blueprint = Blueprint("api_entity_feeds", __name__)
blueprint.register_error_handler(Problem, tell)
_PROJECT: Final = "/v1/projects/<number:project_id>"
_LIST: Final = f"{_PROJECT}/datasets/<segment:name>"
_CSV: Final = "text/csv; charset=utf-8"
_JSON: Final = "application/json; charset=utf-8"
_SYSTEM: Final = ("__createdAt", "__creatorId", "__creatorName", "__updates", "__updatedAt", "__version")
_LINES: Final = 500


@blueprint.get(f"{_LIST}/entities.csv")
def stream_csv(project_id: int, name: str) -> Response:
    """The entities of a list with what is known of each; nothing new is told where the client has it (ETag)."""
    query: dict[str, Any] = options.read(request, wire.CsvQuery())
    wanted = Request(filter=query["filter"], search=query["search"])
    give_names(project_id, name)
    with ExitStack() as stack:
        ctx = stack.enter_context(asking())
        feed = entity_feeds.open_feed(ctx, project_id, name, wanted)
        if not wanted.narrows and request.if_none_match.contains_weak(feed.tag):
            return _tagged(Response(status=304), feed)
        act(lambda ctx: entity_reading.note_export(ctx, project_id, name, "csv", query["reason"]))
        held = stack.pop_all()
    response = _file(feed, f"{name}.csv", neutralise=query["formulas"])
    response.call_on_close(held.close)
    return response if wanted.narrows else _tagged(response, feed)


@blueprint.get(f"{_PROJECT}/trash/datasets/<number:dataset_id>/entities.csv")
def stream_deleted(project_id: int, dataset_id: int) -> Response:
    """The entities of a list that was put away."""
    with ExitStack() as stack:
        ctx = stack.enter_context(asking())
        feed = entity_feeds.open_deleted(ctx, project_id, dataset_id)
        act(lambda ctx: entity_reading.note_deleted_export(ctx, project_id, dataset_id, "csv"))
        held = stack.pop_all()
    response = _file(feed, f"{feed.dataset.name}-deleted.csv", neutralise=True)
    response.call_on_close(held.close)
    return response


@blueprint.get(f"{_LIST}/entities.geojson")
def stream_places(project_id: int, name: str) -> Response:
    """The entities of a list that have a place, as features."""
    query: dict[str, Any] = options.read(request, wire.PlacesQuery())
    wanted = Request(filter=query["filter"], search=query["search"], most=query["limit"])
    give_names(project_id, name)
    with ExitStack() as stack:
        ctx = stack.enter_context(asking())
        found = entity_feeds.list_places(ctx, project_id, name, wanted)
        act(lambda ctx: entity_reading.note_export(ctx, project_id, name, "geojson", query["reason"]))
        held = stack.pop_all()
    features = (json.dumps(feature(*one)) for one in found)
    response = Response(_joined('{"type":"FeatureCollection","features":[', features, "]}"), content_type=_JSON)
    response.call_on_close(held.close)
    return response


@blueprint.get(f"{_LIST}.svc")
def get_service(project_id: int, name: str) -> Response:
    """The service document."""
    _require_odata("json")
    ask(lambda ctx: entity_feeds.list_properties(ctx, project_id, name))
    told = json.dumps(documents.service(_address(".svc")))
    return _odata(Response(told, content_type="application/json; odata.metadata=minimal"))


@blueprint.get(f"{_LIST}.svc/$metadata")
def get_metadata(project_id: int, name: str) -> Response:
    """What the feed holds."""
    _require_odata("xml")
    properties = ask(lambda ctx: entity_feeds.list_properties(ctx, project_id, name))
    return _odata(Response(documents.metadata(name, properties), content_type="application/xml; charset=utf-8"))


@blueprint.get(f"{_LIST}.svc/Entities")
def stream_rows(project_id: int, name: str) -> Response:
    """The rows of a list, a page of them where `$top` says so."""
    _require_odata("json")
    query: dict[str, Any] = options.read(request, wire.RowsQuery())
    wanted: Request = query["request"]
    give_names(project_id, name)
    with ExitStack() as stack:
        ctx = stack.enter_context(asking())
        feed = entity_feeds.open_feed(ctx, project_id, name, wanted, counted=True)
        chosen = documents.selected(query["select"], feed.properties)
        act(lambda ctx: entity_reading.note_export(ctx, project_id, name, "odata", query["reason"]))
        held = stack.pop_all()
    pieces = _page(feed, chosen, wanted, list(request.args.items(multi=True)), counted=query["count"])
    response = _odata(Response(pieces, content_type=_JSON))
    response.call_on_close(held.close)
    return response


def _page(
    feed: Feed, chosen: Any, wanted: Request, query: Sequence[tuple[str, str]], *, counted: bool
) -> Iterator[bytes]:
    """A page while it is made: its rows, then what follows from them."""
    address = _address(".svc/Entities")
    root = address.removesuffix("/Entities")
    last = ""

    def rows() -> Iterator[str]:
        nonlocal last
        for one in feed.lines:
            last = one.told
            yield json.dumps(wire.row(one, feed.properties, chosen), ensure_ascii=False)

    def rest() -> Iterator[bytes]:
        told: dict[str, Any] = {"@odata.context": f"{root}/$metadata#Entities"}
        most = wanted.most
        left = 0 if most is None else feed.remaining - most - (0 if wanted.after is not None else wanted.offset)
        if left > 0 and last:
            told["@odata.nextLink"] = documents.next_link(address, query, last)
        if counted:
            told["@odata.count"] = feed.count
        yield json.dumps(told, ensure_ascii=False)[1:].encode()

    return chain(_joined('{"value":[', rows(), "],"), rest())


def _file(feed: Feed, name: str, *, neutralise: bool) -> Response:
    response = Response(_lines(feed, neutralise=neutralise), content_type=_CSV)
    response.headers["Content-Disposition"] = answers.disposition(name)
    return response


def _lines(feed: Feed, *, neutralise: bool) -> Iterator[bytes]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["__id", "label", *feed.properties, *_SYSTEM])
    for number, one in enumerate(feed.lines, 1):
        held = one.entity
        texts = [held.label, *(held.data.get(name, "") for name in feed.properties)]
        writer.writerow([held.uuid, *(map(harmless, texts) if neutralise else texts), *_system(one)])
        if number % _LINES == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def _system(one: Line) -> list[Any]:
    held = one.entity
    return [
        moment(held.created_at),
        held.creator_id,
        one.creator.display_name if one.creator is not None else None,
        held.version - 1,
        moment(held.updated_at) if held.updated_at is not None else None,
        held.version,
    ]


def _joined(before: str, pieces: Iterable[str], after: str) -> Iterator[bytes]:
    yield before.encode()
    mark = ""
    for piece in pieces:
        yield f"{mark}{piece}".encode()
        mark = ","
    yield after.encode()


def _require_odata(kind: str) -> None:
    """Raises what ODK Central raises for a client that wants another format or another OData."""
    asked = request.args.get("$format") or request.headers.get("Accept", "")
    words = {word.strip().partition(";")[0].lower() for word in asked.split(",")}
    json_, xml = {"application/json", "json"}, {"application/xml", "application/atom+xml", "atom", "xml"}
    wrong, right = (xml, json_) if kind == "json" else (json_, xml)
    if words & wrong and not words & right:
        allowed = "application/json, json" if kind == "json" else "application/xml, atom"
        raise Problem(
            406.1,
            Sentence(
                f"Aquí solo hay: {allowed}.", f"Requested format not acceptable; this resource allows: {allowed}."
            ),
            {"allowed": allowed, "got": asked},
        )
    for name in request.args:
        if name.startswith("$") and name not in wire.ODATA:
            raise documents.not_implemented(name)


def _address(ending: str) -> str:
    """The address of the feed as the client knows it, which ends so."""
    path = request.path.partition(".svc")[0]
    return f"{base_url()}{path}{ending}"


def _odata(response: Response) -> Response:
    response.headers["OData-Version"] = "4.0"
    return response


def _tagged(response: Response, feed: Feed) -> Response:
    response.set_etag(feed.tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response

"""GeoJSON of a frame: its rows as features (RFC 7946), written while they are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from server.extracts.columns import Column, Kind, Values
from server.extracts.delimited import moment
from server.extracts.frame import Frame, Piece
from server.extracts.selection import Selection

_END: Final = b"]}\n"


def written(frame: Frame, chosen: Selection) -> Iterator[bytes]:
    """The table as a FeatureCollection: a feature for each row, the place that `chosen.geometry` says its geometry, the other
    columns its properties.

    The geometry is null where the question was not answered, and everywhere where its place may not be told. Positions are
    longitude, latitude and, where it is known, altitude. Dates and times are ISO 8601.
    """
    yield json.dumps({"type": "FeatureCollection", "name": frame.name}, ensure_ascii=False)[:-1].encode()
    yield b',"features":['
    place = next((piece for piece in frame.pieces if _is_of(piece, chosen.geometry)), None)
    at = _position(frame, place)
    shown = [
        (number, column)
        for number, column in enumerate(frame.columns)
        if place is None or not at <= number < at + len(place.columns)
    ]
    names = [column.name for _, column in shown]
    identity = next((number for number, column in enumerate(frame.columns) if column.path == "_key"), None)
    first = True
    for batch in frame.batches():
        told = zip(*(_told(column, batch[number]) for number, column in shown), strict=True)
        geometries = _geometries(batch, at, place)
        lines: list[str] = []
        for number, values in enumerate(told):
            feature: dict[str, Any] = {"type": "Feature"}
            if identity is not None:
                feature["id"] = batch[identity][number]
            feature["geometry"] = geometries[number] if geometries is not None else None
            feature["properties"] = dict(zip(names, values, strict=True))
            lines.append(json.dumps(feature, ensure_ascii=False, separators=(",", ":")))
        if lines:
            yield ("" if first else ",\n").encode() + ",\n".join(lines).encode()
            first = False
    yield _END


def _is_of(piece: Piece, path: str | None) -> bool:
    return piece.question is not None and piece.question.path == path


def _position(frame: Frame, place: Piece | None) -> int:
    """Where the columns of the place begin."""
    at = 0
    for piece in frame.pieces:
        if piece is place:
            return at
        at += len(piece.columns)
    return at


def _geometries(batch: list[Values], at: int, place: Piece | None) -> list[Any] | None:
    if place is None:
        return None
    if len(place.columns) == 1:
        return [None if text is None else json.loads(text) for text in batch[at]]
    latitudes, longitudes, altitudes = batch[at : at + 3]
    return [
        None if latitude is None else {"type": "Point", "coordinates": _coordinates(longitude, latitude, altitude)}
        for latitude, longitude, altitude in zip(latitudes, longitudes, altitudes, strict=True)
    ]


def _coordinates(longitude: float, latitude: float, altitude: float | None) -> list[float]:
    return [longitude, latitude] if altitude is None else [longitude, latitude, altitude]


def _told(column: Column, values: Values) -> Values:
    convert = _CONVERTED.get(column.kind)
    return values if convert is None else [None if value is None else convert(value) for value in values]


_CONVERTED: Final[dict[Kind, Callable[[Any], Any]]] = {
    "date": lambda value: value.isoformat(),
    "time": lambda value: value.isoformat(),
    "moment": moment,
    "geojson": json.loads,
}

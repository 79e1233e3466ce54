"""Places on earth as phones write them ("lat lon alt acc; …"), read as points and as GeoJSON (RFC 7946)."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

Point = tuple[float, float, float | None, float | None]
"""Latitude and longitude in degrees, altitude and accuracy in metres."""

_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", re.ASCII)


def point(text: str) -> Point | None:
    """The geopoint in `text`: two to four numbers; None for four zeros, which is how phones write "no point".

    Raises ValueError for anything else and for degrees off the globe.
    """
    parts = text.split()
    if not 2 <= len(parts) <= 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        raise ValueError(text)
    numbers = [float(part) for part in parts]
    if not all(map(math.isfinite, numbers)) or abs(numbers[0]) > 90 or abs(numbers[1]) > 180:
        raise ValueError(text)
    if len(numbers) == 4 and not any(numbers):
        return None
    latitude, longitude, *rest = numbers
    altitude = rest[0] if rest else None
    accuracy = rest[1] if len(rest) > 1 else None
    return latitude, longitude, altitude, accuracy


def point_geometry(text: str) -> str | None:
    """The geopoint in `text` as GeoJSON Point text, None for "no point"; raises what `point` does."""
    found = point(text)
    if found is None:
        return None
    latitude, longitude, altitude, _ = found
    return _geojson("Point", [longitude, latitude] if altitude is None else [longitude, latitude, altitude])


def line_string(text: str) -> str:
    """The geotrace in `text` as GeoJSON LineString text; raises ValueError for fewer than two points."""
    positions = _positions(text)
    if len(positions) < 2:
        raise ValueError(text)
    return _geojson("LineString", positions)


def polygon(text: str) -> str:
    """The geoshape in `text` as GeoJSON Polygon text, its ring closed; raises ValueError for fewer than three corners."""
    ring = _positions(text)
    if ring and ring[0] != ring[-1]:
        ring.append(ring[0])
    if len(ring) < 4:
        raise ValueError(text)
    return _geojson("Polygon", [ring])


def _positions(text: str) -> list[list[float]]:
    points = [point(part) for part in text.split(";") if part.strip()]
    return [[p[1], p[0]] if p[2] is None else [p[1], p[0], p[2]] for p in points if p is not None]


def _geojson(kind: str, coordinates: Any) -> str:
    return json.dumps({"type": kind, "coordinates": coordinates}, separators=(",", ":"))

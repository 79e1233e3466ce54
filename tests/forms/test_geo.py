"""Places as phones write them, as points and as GeoJSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms import geo

LATITUDE, LONGITUDE = st.floats(-90, 90), st.floats(-180, 180)
METRES = st.floats(-1e4, 1e5)


@given(LATITUDE, LONGITUDE, METRES, METRES)
def test_a_point_comes_back_to_the_last_bit(latitude: float, longitude: float, altitude: float, accuracy: float):
    numbers = (latitude, longitude, altitude, accuracy)

    assert geo.point(" ".join(map(repr, numbers))) == (numbers if any(numbers) else None)


@given(st.lists(st.tuples(LATITUDE, LONGITUDE), min_size=2, max_size=20))
def test_a_trace_is_geojson_with_longitude_first(points: list[tuple[float, float]]):
    text = "; ".join(f"{latitude!r} {longitude!r} 1.0 2.0" for latitude, longitude in points)

    assert json.loads(geo.line_string(text)) == {
        "type": "LineString",
        "coordinates": [[longitude, latitude, 1.0] for latitude, longitude in points],
    }


@given(st.lists(st.tuples(LATITUDE, LONGITUDE), min_size=3, max_size=20, unique=True))
def test_a_shape_is_a_closed_ring_whether_the_phone_closed_it_or_not(points: list[tuple[float, float]]):
    corners = [f"{latitude!r} {longitude!r}" for latitude, longitude in points]
    ring = json.loads(geo.polygon(";".join(corners)))["coordinates"][0]

    assert ring[0] == ring[-1]
    assert len(ring) == len(points) + 1
    assert geo.polygon(";".join([*corners, corners[0]])) == geo.polygon(";".join(corners))


@pytest.mark.parametrize("text", ["1 2;3 4;", "1 2; 3 4 ;;", " 1 2 ;3 4"])
def test_old_traces_may_end_in_a_semicolon(text: str):
    assert geo.line_string(text) == '{"type":"LineString","coordinates":[[2.0,1.0],[4.0,3.0]]}'

"""GeoJSON extracts: features with points, ways and areas."""

from __future__ import annotations

import json
from typing import Any

from tests.server.desk import ON_SQLITE, Desk, form, questions
from tests.server.extracts.asking import Analyst
from tests.server.extracts.village import FEW, FULL, VILLAGE
from tests.server.wire import Wire, instance


def features(analyst: Analyst, form_id: str, **options: str) -> list[dict[str, Any]]:
    read = json.loads(analyst.file(form_id, "geojson", **options))
    assert read["type"] == "FeatureCollection"
    return read["features"]  # type: ignore[no-any-return]


def test_rows_are_features_with_their_point(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL, instance_id="uuid:1"))
    phone.post(instance("aldea", FEW, instance_id="uuid:2"))

    first, second = features(analyst, "aldea", labels="true", columns="gps,nombre,pueblo,cuartos,dia,momento,camino")

    assert (first["type"], first["id"]) == ("Feature", "uuid:1")
    assert first["geometry"] == {"type": "Point", "coordinates": [-81.25, 8.5, 120.0]}
    told = first["properties"]
    assert {name: told[name] for name in ("nombre", "pueblo", "cuartos", "dia", "momento", "camino")} == {
        "nombre": "Ñürüm «del río»",
        "pueblo": "Naso Tjër Di",
        "cuartos": 3,
        "dia": "2026-08-15",
        "momento": "2026-08-16T04:30:00.125Z",
        "camino": {"type": "LineString", "coordinates": [[-81.25, 8.5, 0.0], [-81.3, 8.6, 0.0]]},
    }
    assert not any(name.startswith("gps") for name in told)
    assert (second["geometry"], second["properties"]["nombre"]) == (None, "Sola")


def test_the_question_with_the_place_is_chosen(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL))

    (way,) = features(analyst, "aldea", geometry="camino")

    assert way["geometry"] == {"type": "LineString", "coordinates": [[-81.25, 8.5, 0.0], [-81.3, 8.6, 0.0]]}
    assert way["properties"]["gps_latitude"] == 8.5


def test_areas_of_repeats_and_of_what_holds_them(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(
        form("finca", questions("geopoint casa", "begin repeat lote", "geoshape area", "text cultivo", "end repeat"))
    )
    shape = "8 -80 0 0; 8 -81 0 0; 9 -81 0 0; 8 -80 0 0"
    phone.post(
        instance(
            "finca", f"<casa>8.5 -80.5</casa><lote><area>{shape}</area></lote><lote><cultivo>ñame</cultivo></lote>"
        )
    )

    own = features(analyst, "finca", table="lote")
    holding = features(analyst, "finca", join="lote", geometry="casa")

    assert own[0]["geometry"] == {
        "type": "Polygon",
        "coordinates": [[[-80.0, 8.0, 0.0], [-81.0, 8.0, 0.0], [-81.0, 9.0, 0.0], [-80.0, 8.0, 0.0]]],
    }
    assert own[1]["geometry"] is None
    assert [feature["geometry"]["coordinates"] for feature in holding] == [[-80.5, 8.5], [-80.5, 8.5]]


@ON_SQLITE
def test_an_empty_table_and_a_form_without_places(desk: Desk, analyst: Analyst):
    desk.publish(VILLAGE)
    desk.publish(form("sin", questions("text x")))

    assert features(analyst, "aldea") == []
    assert analyst.refused("sin", "geojson") == (400, 400.8, {"field": "geometry", "value": ""})
    assert analyst.refused("aldea", "geojson", geometry="nombre")[2] == {"field": "geometry", "value": "nombre"}

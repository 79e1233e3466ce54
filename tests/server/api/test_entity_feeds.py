"""Entity lists as CSV, OData and GeoJSON: what ODK Central's clients, spreadsheets and tools of analysis read."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from lxml import etree

from server.odata.documents import cursor
from tests.server.api.clients import Client, client, said
from tests.server.desk import ADMIN, Desk
from tests.server.entities.trees import LIST, Trees, creation, update, uuid_of
from tests.server.wire import to_app

HERE = f"/datasets/{LIST}"
ALL = f"{HERE}/entities"
CSV = f"{HERE}/entities.csv"
ROWS = f"{HERE}.svc/Entities"
HEADER = (
    "__id,label,especie,geometry,circunferencia,estado,"
    "__createdAt,__creatorId,__creatorName,__updates,__updatedAt,__version"
)


def odata(who: Client, **options: str) -> dict[str, Any]:
    query = "&".join(f"{quote('$' + name)}={quote(value)}" for name, value in options.items())
    told: dict[str, Any] = who.json(f"{ROWS}?{query}" if query else ROWS)
    return told


def found(who: Client, **options: str) -> list[str]:
    return [one["__id"] for one in odata(who, **options)["value"]]


# --------------------------------------------------------------------------- CSV


def test_the_csv_is_central_s_to_the_letter(forest: Trees, admin: Client):
    assert admin.ask(CSV).content.decode() == f"{HEADER}\n"
    forest.send(creation(1), creation(2, especie="pino, viejo"), update(1, 1, sent="uuid:u", estado="sano"))

    first, second = admin.json(ALL)
    phone = first["creatorId"]
    text = admin.ask(CSV).content.decode()

    assert text.splitlines() == [
        HEADER,
        f'{uuid_of(2)},"pino, viejo 30","pino, viejo",,30,,{first["createdAt"]},{phone},Teléfono 1,0,,1',
        f"{uuid_of(1)},cedro 30,cedro,,30,sano,{second['createdAt']},{phone},Teléfono 1,1,{second['updatedAt']},2",
    ]


def test_a_csv_that_the_client_has_is_not_sent_again(forest: Trees, admin: Client):
    forest.send(creation(1))
    place = f"{ALL}/{uuid_of(1)}"

    def tag() -> str:
        return str(admin.ask(CSV).headers["ETag"])

    seen = [tag()]
    assert admin.ask(CSV, If_None_Match=seen[0]).status == 304
    for method, path, body in (
        ("PATCH", f"{place}?force=true", {"data": {"estado": "sano"}}),
        ("DELETE", place, None),
        ("POST", f"{place}/restore", None),
        ("POST", f"{HERE}/properties", {"name": "altura"}),
    ):
        said(admin, method, path, body)
        assert admin.ask(CSV, If_None_Match=seen[-1]).status == 200
        seen.append(tag())

    assert len(set(seen)) == 5
    assert admin.ask(f"{CSV}?$filter=true").headers.get("ETag") is None


def test_a_csv_is_narrowed_by_filter_and_search_together(forest: Trees, admin: Client):
    forest.send(creation(1, especie="Ñandubay"), creation(2, especie="nandubay"), creation(3, especie="pino"))
    said(admin, "DELETE", f"{ALL}/{uuid_of(2)}")

    def ids(query: str) -> list[str]:
        return [one["__id"] for one in admin.lines(f"{CSV}?{query}")]

    assert ids("$search=NANDUBAY") == [uuid_of(1)]
    assert ids("$filter=__system/deletedAt ne null") == [uuid_of(2)]
    assert ids("$filter=__system/deletedAt ne null&$search=pino") == []
    assert admin.ask(f"{CSV}?$filter=label eq 'x'").status == 501
    assert admin.ask(f"{CSV}?$filter=x y").status == 400


def test_text_that_a_spreadsheet_would_run_can_be_kept(forest: Trees, admin: Client):
    forest.send(creation(1, especie="=1+1"))

    assert admin.lines(CSV)[0]["especie"] == "'=1+1"
    assert admin.lines(f"{CSV}?formulas=keep")[0]["especie"] == "=1+1"


def test_a_list_that_was_put_away_can_still_be_had(desk: Desk, admin: Client, app: Flask):
    said(admin, "POST", "/datasets", {"name": "fincas"})
    for number in (1, 2):
        said(admin, "POST", "/datasets/fincas/entities", {"uuid": uuid_of(number), "label": "x"})
    said(admin, "DELETE", f"/datasets/fincas/entities/{uuid_of(2)}")
    living = admin.json("/datasets?deleted=true")
    said(admin, "DELETE", "/datasets/fincas")
    [gone] = admin.json("/datasets?deleted=true")
    path = f"/trash/datasets/{gone['id']}/entities.csv"

    assert living == []
    assert [one["__id"] for one in admin.lines(path)] == [uuid_of(1)]
    assert "fincas-deleted.csv" in admin.ask(path).headers["Content-Disposition"]
    assert client(desk, to_app(app), "none").ask(path).status == 403
    other = Client(admin.send, *ADMIN, project_id=desk.add_project("Otro"))
    assert other.ask(path).status == 404
    said(admin, "POST", "/datasets", {"name": "fincas"})
    assert admin.ask(f"/trash/datasets/{gone['id'] + 1}/entities.csv").status == 404


# --------------------------------------------------------------------------- OData


def test_a_row_of_odata_has_central_s_shape(forest: Trees, admin: Client):
    forest.send(creation(1), update(1, 1, sent="uuid:u", estado="sano"))
    said(admin, "POST", f"{HERE}/properties", {"name": "el.alto"})
    held = admin.json(f"{ALL}/{uuid_of(1)}")

    told = odata(admin)

    assert told["@odata.context"].endswith(f"/v1/projects/1/datasets/{LIST}.svc/$metadata#Entities")
    assert told["value"] == [
        {
            "__id": uuid_of(1),
            "label": "cedro 30",
            "__system": {
                "createdAt": held["createdAt"],
                "creatorId": str(held["creatorId"]),
                "creatorName": "Teléfono 1",
                "updates": 1,
                "updatedAt": held["updatedAt"],
                "deletedAt": None,
                "version": 2,
                "conflict": None,
            },
            "especie": "cedro",
            "geometry": "",
            "circunferencia": "30",
            "estado": "sano",
            "el_alto": "",
        }
    ]
    assert set(told) == {"@odata.context", "value"}


def test_pages_follow_each_other_whatever_comes_and_goes(forest: Trees, admin: Client):
    forest.send(*(creation(n) for n in range(1, 6)))

    first = odata(admin, top="2", count="true")
    for number in (5, 3, 1):
        said(admin, "DELETE", f"{ALL}/{uuid_of(number)}")
    forest.send(creation(6))
    link = first["@odata.nextLink"]
    second = admin.json(link.partition("/projects/1")[2])

    assert [one["__id"] for one in first["value"]] == [uuid_of(5), uuid_of(4)]
    assert first["@odata.count"] == 5
    assert link.endswith(
        f"/{LIST}.svc/Entities?%24top=2&%24count=true&%24skiptoken={quote(cursor(uuid_of(4)), safe='')}"
    )
    assert [one["__id"] for one in second["value"]] == [uuid_of(2)]
    assert second["@odata.count"] == 3
    assert "@odata.nextLink" not in second


def test_a_page_may_begin_anywhere_and_hold_nothing(forest: Trees, admin: Client):
    forest.send(*(creation(n) for n in (1, 2, 3)))

    assert found(admin, top="1", skip="1") == [uuid_of(2)]
    assert found(admin, skip="2") == [uuid_of(1)]
    assert "@odata.nextLink" not in odata(admin, skip="1", top="2")
    nothing = odata(admin, top="0", count="true")
    assert (nothing["value"], nothing["@odata.count"]) == ([], 3)


def test_filters_find_what_they_say(forest: Trees, admin: Client):
    forest.send(
        creation(1),
        update(1, 1, sent="uuid:a", branch=5, trunk=1, circunferencia="31"),
        update(1, 1, sent="uuid:b", branch=6, trunk=1, circunferencia="32"),
        creation(2),
    )
    said(admin, "POST", ALL, {"uuid": uuid_of(3), "label": "x"})
    said(admin, "DELETE", f"{ALL}/{uuid_of(2)}")
    held = admin.json(f"{ALL}/{uuid_of(3)}")

    expected = {
        f"__id eq '{uuid_of(3)}'": [uuid_of(3)],
        "__system/conflict eq 'hard'": [uuid_of(1)],
        "null eq __system/conflict": [uuid_of(3)],
        "__system/deletedAt eq null": [uuid_of(3), uuid_of(1)],
        "null ne __system/deletedAt": [uuid_of(2)],
        f"__system/creatorId eq {held['creatorId']}": [uuid_of(3)],
        f"__system/createdAt ge {held['createdAt']}": [uuid_of(3)],
        f"__system/createdAt le {held['createdAt']}": [uuid_of(3), uuid_of(1)],
        f"__system/createdAt gt {held['createdAt']}": [],
        "__system/updatedAt ne null and year(__system/createdAt) gt 2000": [uuid_of(1)],
    }

    assert {text: found(admin, filter=text) for text in expected} == expected


def test_a_filter_by_a_property_is_refused_in_central_s_words(forest: Trees, admin: Client):
    told = admin.refused(f"{ROWS}?$filter=especie eq 'cedro'", 501.5)

    words = "The given OData filter expression references fields not supported by this server: especie at 0"
    assert told["message"] == words


def test_rows_come_in_the_order_that_is_wanted(forest: Trees, admin: Client):
    forest.send(
        creation(1),
        update(1, 1, sent="uuid:a", branch=5, trunk=1, circunferencia="31"),
        update(1, 1, sent="uuid:b", branch=6, trunk=1, circunferencia="32"),
        creation(2),
    )
    said(admin, "POST", ALL, {"uuid": uuid_of(3), "label": "x"})
    one, two, three = uuid_of(1), uuid_of(2), uuid_of(3)
    by_creator = [one, two, three] if forest.get(1).creator_id < forest.get(3).creator_id else [three, one, two]

    expected = {
        "__system/createdAt asc": [one, two, three],
        "__system/createdAt desc": [three, two, one],
        "__system/conflict": [two, three, one],
        "__system/conflict desc": [one, three, two],
        "__system/creatorId": by_creator,
        "__system/creatorId asc, __system/conflict DESC": by_creator,
        "__id desc": [three, two, one],
    }

    assert {text: found(admin, orderby=text) for text in expected} == expected
    assert admin.refused(f"{ROWS}?$orderby=especie", 501.5)["details"]["text"] == "especie"
    assert admin.refused(f"{ROWS}?$orderby=__id up", 501.5)["details"]["text"] == "up"
    both = f"{ROWS}?$orderby=__id&$skiptoken={quote(cursor(one))}"
    words = "The requested feature using $orderby and $skiptoken together is not supported by this server."
    assert admin.refused(both, 501.1)["message"] == words


def test_fields_are_chosen(forest: Trees, admin: Client):
    forest.send(creation(1))

    def keys(select: str) -> list[Any]:
        [row] = odata(admin, select=select)["value"]
        return [{name: list(value)} if isinstance(value, dict) else name for name, value in row.items()]

    assert keys("__id") == ["__id"]
    assert keys("especie, label") == ["label", "especie"]
    assert keys("__system/createdAt,__system/version") == [{"__system": ["createdAt", "version"]}]
    assert len(keys("__system")[0]["__system"]) == 8
    assert len(keys("*")) == 7
    assert admin.refused(f"{ROWS}?$select=color", 400.23)["message"] == "Could not find a property named 'color'"


def test_words_are_looked_for_as_search_engines_do(forest: Trees, admin: Client):
    for number, (label, kind) in enumerate(
        [("John Doe", "cedro"), ("Jane Doe", "pino"), ("Johnny Núñez", "cedro rojo"), ("100%_x", "ceibo")], 1
    ):
        said(admin, "POST", ALL, {"uuid": uuid_of(number), "label": label, "data": {"especie": kind}})

    expected = {
        "john": [1],
        "DOE": [2, 1],
        "doe cedro": [1],
        "jane OR nunez": [3, 2],
        "NÚÑEZ": [3],
        '"cedro rojo"': [3],
        '"rojo cedro"': [],
        "cedro -doe": [3],
        '-"john doe" doe': [2],
        "100": [4],
        "%": [],
        "_": [],
        "oh": [],
        "30": [],
    }

    assert {text: [int(one[:8], 16) for one in found(admin, search=text)] for text in expected} == expected
    link = odata(admin, search="doe", top="1")["@odata.nextLink"]
    assert [one["label"] for one in admin.json(link.partition("/projects/1")[2])["value"]] == ["John Doe"]


def test_the_service_and_its_metadata_are_documents_of_odata(forest: Trees, admin: Client):
    said(admin, "POST", f"{HERE}/properties", {"name": "el.alto"})

    service = admin.ask(f"{HERE}.svc")
    metadata = admin.ask(f"{HERE}.svc/$metadata")

    assert service.headers["OData-Version"] == "4.0"
    told = json.loads(service.content)
    assert told["value"] == [{"name": "Entities", "kind": "EntitySet", "url": "Entities"}]
    assert told["@odata.context"].endswith(f"/v1/projects/1/datasets/{LIST}.svc/$metadata")
    edm = "{http://docs.oasis-open.org/odata/ns/edm}"
    properties = metadata.xml.findall(f".//{edm}EntityType/{edm}Property")
    assert [one.get("Name") for one in properties] == [
        *("__id", "__system", "label", "especie", "geometry", "circunferencia", "estado", "el_alto")
    ]
    names = etree.XPath("string(//*[local-name()='EntitySet']/@EntityType)")(metadata.xml)
    assert names == f"org.opendatakit.user.{LIST}.Entities"


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        (ROWS, {"Accept": "application/xml"}, 406.1),
        (f"{ROWS}?$format=xml", {}, 406.1),
        (f"{HERE}.svc/$metadata", {"Accept": "application/json"}, 406.1),
        (f"{ROWS}?$apply=x", {}, 501.1),
        (f"{ROWS}?$top=x", {}, 400.8),
        (f"{ROWS}?$skiptoken=x", {}, 400.35),
        (f"{ROWS}?$skiptoken=01eyJ4IjoxfQ==", {}, 400.35),
    ],
)
def test_what_odata_cannot_be_asked_is_refused(
    forest: Trees, admin: Client, path: str, headers: dict[str, str], code: float
):
    admin.refused(path, code, **headers)


# --------------------------------------------------------------------------- GeoJSON


PLACES = {
    1: ("1 2 3 0", {"type": "Point", "coordinates": [2, 1, 3]}),
    2: ("1 2; 1 2 3; 1 2 3 4", {"type": "LineString", "coordinates": [[2, 1], [2, 1, 3], [2, 1, 3]]}),
    3: ("1 2; 3 4; 5 6; 1 2", {"type": "Polygon", "coordinates": [[[2, 1], [4, 3], [6, 5], [2, 1]]]}),
    4: ("1 2 not-an-altitude", None),
    5: ("100 200", None),
}


def test_places_of_every_kind_are_features(forest: Trees, admin: Client):
    for number, (text, _) in PLACES.items():
        said(admin, "POST", ALL, {"uuid": uuid_of(number), "label": "x", "data": {"geometry": text}})
    said(admin, "POST", ALL, {"uuid": uuid_of(9), "label": "nowhere"})

    told = admin.json(f"{HERE}/entities.geojson")

    assert told["type"] == "FeatureCollection"
    assert {one["id"]: one["geometry"] for one in told["features"]} == {
        uuid_of(number): geometry for number, (_, geometry) in PLACES.items() if geometry is not None
    }
    assert all((one["type"], one["properties"]) == ("Feature", None) for one in told["features"])
    assert len(admin.json(f"{HERE}/entities.geojson?limit=2")["features"]) == 2
    [only] = admin.json(f"{HERE}/entities.geojson?$filter=__id eq '{uuid_of(1)}'")["features"]
    assert admin.json(f"{ALL}/{uuid_of(1)}/geojson")["features"] == [only]
    assert admin.json(f"{ALL}/{uuid_of(4)}/geojson") == {"type": "FeatureCollection", "features": []}
    assert admin.json(f"{HERE}/entities.geojson?$search=nowhere")["features"] == []


# --------------------------------------------------------------------------- rights


@pytest.mark.parametrize("path", [CSV, ROWS, f"{HERE}.svc", f"{HERE}.svc/$metadata", f"{HERE}/entities.geojson"])
def test_feeds_are_for_those_who_may_list_entities(forest: Trees, app: Flask, path: str):
    forest.send(creation(1))

    status = {
        role: client(forest.desk, to_app(app), role).ask(path).status
        for role in ("admin", "manager", "viewer", "formfill", "none", "nobody")
    }

    assert status == {"admin": 200, "manager": 200, "viewer": 200, "formfill": 403, "none": 403, "nobody": 401}
    assert client(forest.desk, to_app(app), "admin").ask(path.replace(LIST, "otra")).status == 404

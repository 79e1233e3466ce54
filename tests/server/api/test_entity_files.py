"""Entities from files over HTTP: whole or not at all, laid over what stands only where that is asked for, by role."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from tests.server.api.clients import Client, client
from tests.server.entities.trees import LIST, Trees, creation, uuid_of
from tests.server.wire import to_app

HERE = f"/datasets/{LIST}"
ALL = f"{HERE}/entities"
FILE = f"{ALL}/file"
CSV = f"name,label,especie,circunferencia\n{uuid_of(8)},Ceibo,ceibo,90\n,Cedro joven,cedro,\n"


def take(who: Client, body: str, query: str = "", *, status: int = 200) -> dict[str, Any]:
    answer = who.ask(f"{FILE}{query}", "POST", body.encode())
    assert answer.status == status, answer.content
    told: dict[str, Any] = json.loads(answer.content)
    return told


def faults(who: Client, body: str, query: str = "") -> list[tuple[int | None, str | None, str]]:
    told = take(who, body, query, status=400)
    assert told["code"] == 400.52
    assert told["details"]["count"] == len(told["details"]["findings"])
    return [(one["row"], one["column"], one["en"]) for one in told["details"]["findings"]]


def listed(who: Client) -> dict[str, dict[str, Any]]:
    return {one["label"]: one for one in who.json(f"{HERE}.svc/Entities")["value"]}


def test_a_file_is_added_and_its_entities_tell_where_they_came_from(forest: Trees, admin: Client):
    told = take(admin, CSV, "?name=%C3%A1rboles.csv")

    assert told == {
        "dryRun": False, "created": 2, "updated": 0, "unchanged": 0, "withoutId": 1, "propertiesAdded": [],
    }  # fmt: skip
    found = listed(admin)
    assert (found["Ceibo"]["__id"], found["Ceibo"]["circunferencia"]) == (uuid_of(8), "90")
    assert found["Cedro joven"]["circunferencia"] == ""
    details = forest.versions(8)[0].details or {}
    assert (details["name"], details["size"], details["count"]) == ("árboles.csv", len(CSV.encode()), 2)


def test_a_dry_run_says_the_same_and_changes_nothing(forest: Trees, admin: Client):
    told = take(admin, CSV, "?dryRun=true")

    assert (told["dryRun"], told["created"]) == (True, 2)
    assert listed(admin) == {}


def test_what_stands_is_changed_only_where_that_is_asked_for(forest: Trees, admin: Client):
    forest.send(creation(1, circunferencia="30"), creation(2), creation(3))
    file = f"uuid,label,circunferencia,estado\n{uuid_of(1)},,31,\n{uuid_of(2)},cedro 30,30,\n{uuid_of(3)},Otro,,sano\n"

    refused = faults(admin, file)
    told = take(admin, file, "?update=true")

    assert [(row, text[:28]) for row, _, text in refused] == [
        (row, "This entity is there already") for row in (2, 3, 4)
    ]
    assert (told["created"], told["updated"], told["unchanged"]) == (0, 2, 1)
    assert [(forest.get(number).label, forest.get(number).data["circunferencia"]) for number in (1, 2, 3)] == [
        ("cedro 30", "31"),
        ("cedro 30", "30"),
        ("Otro", "30"),
    ]
    assert [forest.get(number).version for number in (1, 2, 3)] == [2, 1, 2]
    assert take(admin, file, "?update=true")["unchanged"] == 3


def test_properties_are_added_only_where_that_is_asked_for(forest: Trees, admin: Client):
    file = "label,especie,alto\nx,cedro,3\n"

    refused = faults(admin, file)
    told = take(admin, file, "?addProperties=true")

    assert [one[:2] for one in refused] == [(1, "alto")]
    assert refused[0][2].startswith("The list has no such property; it has especie, geometry")
    assert told["propertiesAdded"] == ["alto"]
    assert listed(admin)["x"]["alto"] == "3"


def test_every_fault_is_told_and_nothing_is_added(forest: Trees, admin: Client):
    forest.send(creation(1), creation(2))
    admin.ask(f"{ALL}/{uuid_of(2)}", "DELETE")

    names = faults(admin, "label,Especie,2x\nx,1,2\n", "?addProperties=true")
    rows = faults(admin, f"uuid,label\n{uuid_of(1)},a\n{uuid_of(2)},b\n{uuid_of(5)},\n{uuid_of(6)},c\n")

    assert [one[:2] for one in names] == [(1, "Especie"), (1, "2x")]
    assert [(row, column) for row, column, _ in rows] == [(2, None), (3, None), (4, "label")]
    assert list(listed(admin)) == ["cedro 30"]
    assert forest.find(6) is None


def test_a_geojson_brings_places(forest: Trees, admin: Client):
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [-82.5, 8.25]},
        "properties": {"label": "Ceibo", "circunferencia": 90},
    }

    take(admin, json.dumps({"type": "FeatureCollection", "features": [feature]}))

    assert (listed(admin)["Ceibo"]["geometry"], listed(admin)["Ceibo"]["circunferencia"]) == ("8.25 -82.5 0 0", "90")
    [place] = admin.json(f"{ALL}.geojson")["features"]
    assert place["geometry"]["coordinates"] == [-82.5, 8.25, 0]


def test_what_this_server_gives_it_takes_back(forest: Trees, admin: Client):
    forest.send(creation(1, especie="=1+1"), creation(2, especie='el "grande", ñ'))
    given = admin.ask(f"{ALL}.csv").content.decode()

    told = take(admin, given, "?update=true")

    assert (told["created"], told["updated"], told["unchanged"]) == (0, 0, 2)


@pytest.mark.parametrize(("role", "status"), [("manager", 200), ("viewer", 403), ("formfill", 403), ("nobody", 401)])
def test_whoever_may_add_entities_adds_files(forest: Trees, app: Flask, role: str, status: int):
    who = client(forest.desk, to_app(app), role)

    assert who.ask(FILE, "POST", CSV.encode()).status == status
    assert who.ask(FILE, "POST", b"label\n\xff").status == (400 if status == 200 else status)

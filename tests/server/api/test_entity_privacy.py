"""What of entities they see who may not identify people: what extracts without identities tell of the questions behind."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from tests.server.api.clients import Client, client, said
from tests.server.desk import Desk, form
from tests.server.entities.trees import uuid_of
from tests.server.wire import Wire, instance, to_app

SURVEY = """
| | type     | name       | label         | save_to    | privacy   | save_to_confirmed |
| | text     | nombre     | Nombre        | nombre     | direct    | yes               |
| | integer  | edad       | Edad          | edad       |           |                   |
| | date     | nacimiento | Nacimiento    | nacimiento | quasi     | yes               |
| | date     | ingreso    | Ingreso       | ingreso    | quasi     | yes               |
| | text     | oficio     | Oficio        | oficio     | quasi     | yes               |
| | text     | notas      | Notas         | notas      | free_text | yes               |
| | text     | cedula     | Cédula        | documento  |           | yes               |
| | geopoint | casa       | Casa          | casa       | direct    | yes               |
| | text     | barrio     | Barrio        | barrio     | open      |                   |
"""
PEOPLE = form("gente", SURVEY).replace(
    "| settings |",
    "| entities |\n| | list_name | label |\n| | gente | ${nombre} |\n| settings |",
)
ALL = "/datasets/gente/entities"
ANSWERS = {
    "nombre": "Ana Ruiz",
    "edad": "34",
    "nacimiento": "1991-05-17",
    "ingreso": "2026-03-09",
    "oficio": "panadera",
    "notas": "vive sola",
    "cedula": "8-123-456",
    "casa": "8.1 -80.123456 0 0",
    "barrio": "Boca",
}
SECRETS = (b"Ana", b"1991-05-17", b"2026-03-09", b"panadera", b"sola", b"8-123-456", b"80.123456", b"7-7-7")
TOLD = {"edad": "34", "nacimiento": "1991", "ingreso": "2026-03", "barrio": "Boca"}


def person(number: int, **answers: str) -> bytes:
    given = {**ANSWERS, **answers}
    block = f'<entity dataset="gente" id="{uuid_of(number)}" create="1"><label>{given["nombre"]}</label></entity>'
    body = "".join(f"<{name}>{value}</{name}>" for name, value in given.items())
    return instance("gente", body, instance_id=f"uuid:p{number}").replace(b"</meta>", block.encode() + b"</meta>")


@pytest.fixture
def viewer(app: Flask, desk: Desk) -> Client:
    return client(desk, to_app(app), "viewer")


@pytest.fixture
def people(desk: Desk, phone: Wire, admin: Client) -> Desk:
    """Two people, one of whom changed, with a telephone that no form ever asked for."""
    desk.publish(PEOPLE)
    for one in (person(1), person(2, nombre="Eva Sol", edad="50", barrio="Centro")):
        assert phone.post(one).status == 201
    for name in ("telefono", "grupo"):
        said(admin, "POST", "/datasets/gente/properties", {"name": name})
    body = {"label": "Ana R.", "data": {"telefono": "7-7-7", "grupo": "A", "edad": "35"}}
    said(admin, "PATCH", f"{ALL}/{uuid_of(1)}?force=true", body)
    return desk


def rows(who: Client, query: str = "") -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = who.json(f"/datasets/gente.svc/Entities{query}")["value"]
    return told


def test_nothing_that_identifies_is_in_any_answer(people: Desk, viewer: Client, admin: Client):
    [name] = [one["__id"] for one in rows(viewer) if one["edad"] == "35"]

    paths = [
        *("/datasets/gente/entities", "/datasets/gente/entities.csv", "/datasets/gente.svc/Entities"),
        *("/datasets/gente/entities.geojson", "/datasets/gente.svc/$metadata", "/datasets/gente/entities?deleted=true"),
        *(f"{ALL}/{name}{end}" for end in ("", "/versions", "/diffs", "/audits", "/geojson")),
    ]
    for path in paths:
        told = viewer.ask(path, X_Extended_Metadata="true")
        assert told.status == 200, (path, told.content)
        leaks = [
            one for one in (*SECRETS, uuid_of(1).encode(), b"uuid:p1", b"Tel\xc3\xa9fono 1") if one in told.content
        ]
        assert (path, leaks) == (path, [])
    everything = b"".join(admin.ask(path.replace(name, uuid_of(1))).content for path in paths)
    assert [one for one in SECRETS if one not in everything] == []


def test_what_is_told_is_what_extracts_tell(people: Desk, viewer: Client):
    told = {one["edad"]: one for one in rows(viewer)}

    row = told["50"]
    own = {name: value for name, value in row.items() if name not in ("__id", "label", "__system")}
    assert own == {**TOLD, "edad": "50", "barrio": "Centro", "grupo": ""}
    assert row["label"] == row["__id"]
    system = row["__system"]
    assert (system["creatorId"], system["creatorName"]) == (None, None)
    assert system["createdAt"].endswith("T00:00:00.000Z")
    entity = viewer.json(f"{ALL}/{row['__id']}")
    assert entity["currentVersion"]["data"] == {**TOLD, "edad": "50", "barrio": "Centro"}
    assert entity["creatorId"] is None


def test_an_entity_has_one_name_and_its_id_opens_nothing(people: Desk, viewer: Client):
    first = {one["edad"]: one["__id"] for one in rows(viewer)}
    second = {line["edad"]: line["__id"] for line in viewer.lines("/datasets/gente/entities.csv")}

    assert first == second
    assert viewer.ask(f"{ALL}/{uuid_of(1)}").status == 404
    assert viewer.json(f"{ALL}/{first['35']}/diffs") == [
        [
            {"new": "35", "old": "34", "propertyName": "edad"},
            {"new": "A", "propertyName": "grupo"},
        ]
    ]
    [line, made] = viewer.json(f"{ALL}/{first['35']}/audits")
    assert (line["action"], line["actorId"], line["details"]) == ("entity.update.version", None, {})
    assert made["action"] == "entity.create"
    assert [one["source"] for one in viewer.json(f"{ALL}/{first['35']}/versions")] == [{}, {}]


def test_rows_can_be_chosen_by_what_is_told_alone(people: Desk, viewer: Client, admin: Client):
    def ages(who: Client, **options: str) -> list[str]:
        query = "&".join(f"${name}={quote(value)}" for name, value in options.items())
        return [one["edad"] for one in rows(who, f"?{query}")]

    assert ages(admin, search="Ana") == ages(admin, search="panadera 35") == ages(admin, search="Boca") == ["35"]
    assert ages(viewer, search="Ana") == ages(viewer, search="panadera") == ages(viewer, search="1991") == []
    assert ages(viewer, search="Boca") == ["35"]
    [name] = [one["__id"] for one in rows(viewer) if one["edad"] == "35"]
    assert ages(viewer, filter=f"__id eq '{name}'") == ["35"]
    assert ages(viewer, filter=f"__id eq '{uuid_of(1)}'") == []
    assert ages(viewer, filter="__system/updatedAt ne null") == ["35"]
    for query in (
        "$filter=__system/createdAt gt 2026-01-01",
        "$filter=__system/creatorId eq 2",
        "$orderby=__system/createdAt",
    ):
        viewer.refused(f"/datasets/gente.svc/Entities?{query}", 400.8)


def test_pages_of_pseudonyms_follow_each_other(people: Desk, viewer: Client):
    every = [one["__id"] for one in rows(viewer)]
    first = viewer.json("/datasets/gente.svc/Entities?$top=1")

    second = viewer.json(first["@odata.nextLink"].partition("/projects/1")[2])

    assert [one["__id"] for page in (first, second) for one in page["value"]] == every == sorted(every)
    assert "@odata.nextLink" not in second


def test_pseudonyms_are_those_of_extracts_of_forms_that_choose_from_the_list(people: Desk, phone: Wire, viewer: Client):
    survey = """
    | | type                           | name    | label   | privacy |
    | | select_one_from_file gente.csv | persona | Persona | key     |
    """
    people.publish(form("visita", survey))
    assert phone.post(instance("visita", f"<persona>{uuid_of(1)}</persona>")).status == 201

    [visit] = viewer.lines("/forms/visita/extract.csv")

    assert visit["persona"] in {one["__id"] for one in rows(viewer)}
    assert visit["persona"] == next(one["__id"] for one in rows(viewer) if one["edad"] == "35")


def test_a_later_version_without_the_mark_opens_nothing(people: Desk, viewer: Client):
    lighter = PEOPLE.replace("| free_text |", "| open      |").replace("| gente | 1 |", "| gente | 2 |")
    people.publish(lighter.replace("| gente | gente | 1 |", "| gente | gente | 2 |"))

    assert "notas" not in rows(viewer)[0]


def test_reading_says_whether_identities_were_seen(people: Desk, viewer: Client, admin: Client):
    people.audited()
    viewer.ask("/datasets/gente/entities.csv")
    [name] = [one["__id"] for one in rows(viewer) if one["edad"] == "35"]
    before = people.audited().count("entity.read.identified")
    viewer.json(f"{ALL}/{name}")
    assert people.audited().count("entity.read.identified") == before
    admin.json(f"{ALL}/{uuid_of(1)}")
    assert people.audited().count("entity.read.identified") == before + 1

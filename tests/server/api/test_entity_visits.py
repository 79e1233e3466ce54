"""Visits of an entity: every submission that spoke of it, in the order in which it was visited, as far as one may see."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from server.actions import entity_merging
from tests.server.api.clients import Client, client
from tests.server.desk import PROJECT, Desk, form
from tests.server.entities.trees import CREATES, LIST, UPDATES, Trees, creation, uuid_of
from tests.server.entities.trees import update as follow_up
from tests.server.wire import Wire, instance, to_app

HERE = f"/datasets/{LIST}/entities"
PEOPLE = form(
    "gente",
    """
| | type    | name   | label  | save_to | privacy | save_to_confirmed |
| | today   | hoy    |        |         |         |                   |
| | text    | nombre | Nombre | nombre  | direct  | yes               |
| | integer | edad   | Edad   | edad    |         |                   |
""",
).replace("| settings |", "| entities |\n| | list_name | label |\n| | gente | ${nombre} |\n| settings |")
VISIT = form(
    "visita",
    """
| | type | name | label | save_to |
| | today | hoy | | |
| | select_one_from_file gente.csv | persona | Persona | |
| | integer | edad | Edad | edad |
""",
).replace("| settings |", "| entities |\n| | list_name | entity_id |\n| | gente | ${persona} |\n| settings |")


def told(visits: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(one[name] for name in names) for one in visits]


def person(day: str, name: str, number: int) -> bytes:
    block = f'<entity dataset="gente" id="{uuid_of(number)}" create="1"><label>{name}</label></entity>'
    body = f"<hoy>{day}</hoy><nombre>{name}</nombre><edad>30</edad>"
    return instance("gente", body, instance_id=f"uuid:p{number}").replace(b"</meta>", block.encode() + b"</meta>")


def visit(day: str, number: int, base: int, age: int, sent: str) -> bytes:
    block = f'<entity dataset="gente" id="{uuid_of(number)}" update="1" baseVersion="{base}"/>'
    body = f"<hoy>{day}</hoy><persona>{uuid_of(number)}</persona><edad>{age}</edad>"
    return instance("visita", body, instance_id=sent).replace(b"</meta>", block.encode() + b"</meta>")


@pytest.fixture
def people(desk: Desk, phone: Wire) -> Desk:
    """A person who was visited twice, the later visit sent first; another one; and a visit of nobody known."""
    desk.publish(PEOPLE)
    desk.publish(VISIT)
    for one in (
        person("2026-01-10", "Ana", 1),
        person("2026-01-11", "Eva", 2),
        visit("2026-06-02", 1, 1, 32, "uuid:junio"),
        visit("2026-03-01", 1, 2, 31, "uuid:marzo"),
        visit("2026-03-05", 9, 1, 50, "uuid:nadie"),
    ):
        assert phone.post(one).status == 201
    return desk


def test_visits_are_told_in_their_order_with_what_they_said(people: Desk, admin: Client):
    visits = admin.json(f"/datasets/gente/entities/{uuid_of(1)}/visits")

    assert told(visits, "form", "instanceId", "day", "outcome", "version", "data", "under") == [
        ("gente", "uuid:p1", "2026-01-10", "created", 1, {"nombre": "Ana", "edad": "30", "label": "Ana"}, None),
        ("visita", "uuid:marzo", "2026-03-01", "updated", 3, {"edad": "31"}, None),
        ("visita", "uuid:junio", "2026-06-02", "updated", 2, {"edad": "32"}, None),
    ]
    assert visits[0]["submitter"]["displayName"] == "Teléfono 1"
    assert people.audited().count("entity.read.identified") == 1


def test_what_failed_and_was_held_is_a_visit_too_and_what_was_deleted_is_none(forest: Trees, admin: Client):
    forest.send(creation(1), follow_up(1, 7, sent="uuid:mal"), follow_up(1, 3, sent="uuid:espera", branch=5, trunk=2))
    forest.send(follow_up(1, 1, sent="uuid:va", circunferencia="31"))

    visits = admin.json(f"{HERE}/{uuid_of(1)}/visits")

    assert sorted(told(visits, "instanceId", "outcome")) == [
        ("uuid:create-1", "created"), ("uuid:espera", "held"), ("uuid:mal", "failed"), ("uuid:va", "updated"),
    ]  # fmt: skip
    forest.desk.delete_form(UPDATES)
    assert told(admin.json(f"{HERE}/{uuid_of(1)}/visits"), "form") == [(CREATES,)]


def test_visits_under_a_merged_id_are_those_of_the_survivor(forest: Trees, admin: Client):
    forest.send(creation(1), creation(2), follow_up(2, 1, sent="uuid:v", circunferencia="31"))
    forest.desk.act(lambda ctx: entity_merging.merge(ctx, PROJECT, LIST, uuid_of(1), uuid_of(2), reason="la misma"))
    forest.send(follow_up(2, 2, sent="uuid:w", circunferencia="32"))

    visits = admin.json(f"{HERE}/{uuid_of(1)}/visits")

    assert told(visits, "instanceId", "under") == [
        ("uuid:create-1", None),
        ("uuid:create-2", uuid_of(2)),
        ("uuid:v", uuid_of(2)),
        ("uuid:w", uuid_of(2)),
    ]
    assert visits[-1]["data"] == {"circunferencia": "32"}


def test_whoever_may_not_identify_people_learns_of_no_one(people: Desk, app: Flask, admin: Client):
    viewer = client(people, to_app(app), "viewer")
    for form_id in ("gente", "visita"):
        viewer.lines(f"/forms/{form_id}/extract.csv")  # gives pseudonyms
    rows = {one["edad"]: one["__id"] for one in viewer.json("/datasets/gente.svc/Entities")["value"]}

    visits = viewer.json(f"/datasets/gente/entities/{rows['31']}/visits")

    assert told(visits, "form", "day", "data", "submitter", "under") == [
        ("gente", "2026-01-10", {"edad": "30"}, None, None),
        ("visita", "2026-03-01", {"edad": "31"}, None, None),
        ("visita", "2026-06-02", {"edad": "32"}, None, None),
    ]
    assert not any(secret in json.dumps(visits) for secret in ("Ana", "uuid:", uuid_of(1), "Teléfono"))
    assert viewer.ask(f"/datasets/gente/entities/{uuid_of(1)}/visits").status == 404
    assert client(people, to_app(app), "formfill").ask(f"/datasets/gente/entities/{rows['31']}/visits").status == 403

"""Corrections and reviews over HTTP, as clients of ODK Central and as ours ask for them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from server.model.audits import audits
from tests.server.api.clients import Client, called, client
from tests.server.desk import Desk, form
from tests.server.wire import Wire, instance, to_app

HOUSE = form(
    "hogar",
    """
| | type            | name | label  |
| | integer         | edad | Edad   |
| | text            | dice | Dice   |
| | select_one sexo | sexo | Sexo   |
| | begin repeat    | m    | Alguien|
| | text            | n    | Nombre |
| | end repeat      |      |        |
""",
    choices="""
| | list_name | name   | label  |
| | sexo      | mujer  | Mujer  |
| | sexo      | hombre | Hombre |
""",
)
ONE = "/forms/hogar/submissions/uuid:A"
ANSWERS = "<edad>34</edad><dice>=1+1</dice><sexo>mujer</sexo><m><n>Ana</n></m><m><n>Beto</n></m>"


def house(name: str = "A", *, answers: str = ANSWERS, before: str | None = None) -> bytes:
    return instance(
        "hogar", answers, instance_id=f"uuid:{name}", deprecated_id=f"uuid:{before}" if before else None, name="Casa 1"
    )


@pytest.fixture
def at(desk: Desk, phone: Wire) -> Desk:
    """A desk with one house received."""
    desk.publish(HOUSE)
    assert phone.post(house()).status == 201
    return desk


@pytest.fixture
def manager(at: Desk, app: Flask) -> Client:
    return client(at, to_app(app), "manager")


def send(who: Client, method: str, path: str, body: object, status: int = 200, **headers: str) -> Any:
    answer = who.ask(path, method, json.dumps(body).encode(), Content_Type="application/json", **headers)
    assert answer.status == status, answer.content
    return json.loads(answer.content)


def ask_for(who: Client, new: object, status: int = 200, **more: object) -> Any:
    wish = {"question": "/edad", "newValue": new, "reason": "por teléfono", **more}
    return send(who, "POST", f"{ONE}/corrections", wish, status)


def test_a_submission_is_described_as_central_describes_it(manager: Client):
    found = manager.json(ONE)

    assert {**found, "createdAt": None, "currentVersion": None} == {
        "instanceId": "uuid:A",
        "submitterId": found["submitterId"],
        "deviceId": "collect:abcdefghij123456",
        "reviewState": None,
        "createdAt": None,
        "updatedAt": None,
        "currentVersion": None,
    }
    assert (found["currentVersion"]["instanceId"], found["currentVersion"]["instanceName"]) == ("uuid:A", "Casa 1")
    manager.refused("/forms/hogar/submissions/uuid:Z", 404.1)


@pytest.mark.parametrize("state", ["approved", "hasIssues", "rejected", "edited", None])
def test_a_review_is_kept_and_reaches_rows(at: Desk, manager: Client, state: str | None):
    made = send(manager, "PATCH", ONE, {"reviewState": state, "instanceId": "ignored"})

    assert (made["reviewState"], made["instanceId"]) == (state, "uuid:A")
    assert made["updatedAt"] is not None
    assert at.whole_rows("hogar")[0]["_review_state"] == state
    assert manager.json(ONE)["reviewState"] == state


def test_a_review_that_is_none_is_refused(at: Desk, manager: Client):
    assert send(manager, "PATCH", ONE, {"reviewState": "bueno"}, 400)["code"] == 400.8
    assert send(manager, "PATCH", ONE, {"reviewState": 3}, 400)["code"] == 400.8
    assert send(manager, "PATCH", ONE, {}, 400)["code"] == 400.2
    assert send(manager, "PATCH", ONE, [], 400)["code"] == 400.1
    assert at.whole_rows("hogar")[0]["_review_state"] is None


def test_comments_come_newest_first(manager: Client):
    first = send(manager, "POST", f"{ONE}/comments", {"body": "llamé: no contesta"})
    send(manager, "POST", f"{ONE}/comments", {"body": "contestó ✓"})

    assert (first["body"], set(first)) == ("llamé: no contesta", {"body", "actorId", "createdAt"})
    assert [one["body"] for one in manager.json(f"{ONE}/comments")] == ["contestó ✓", "llamé: no contesta"]
    extended = manager.json(f"{ONE}/comments", X_Extended_Metadata="true")
    assert [one["actor"]["displayName"] for one in extended] == ["manager@example.org"] * 2
    assert send(manager, "POST", f"{ONE}/comments", {}, 400)["code"] == 400.2
    assert send(manager, "POST", f"{ONE}/comments", {"body": " "}, 400)["code"] == 400.8
    send(manager, "POST", "/forms/hogar/submissions/uuid:Z/comments", {"body": "x"}, 404)


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [
        ("manager", 200, 200),
        ("viewer", 200, 403),
        ("formfill", 403, 403),
        ("none", 403, 403),
        ("nobody", 401, 401),
    ],
)
def test_managers_decide_viewers_read_collectors_do_neither(at: Desk, app: Flask, role: str, reads: int, writes: int):
    who = client(at, to_app(app), role)
    one = f"/forms/hogar/submissions/{called(who, 'hogar')[0]}" if role == "viewer" else ONE

    for path in ("", "/comments", "/history", "/state", "/corrections"):
        assert who.ask(f"{one}{path}").status == reads, path
    for path in ("corrections", "corrections.csv"):
        assert who.ask(f"/forms/hogar/{path}").status == reads
    assert who.ask("/forms/hogar/states").status == (writes if role == "viewer" else reads)
    send(who, "PATCH", ONE, {"reviewState": "approved"}, writes)
    send(who, "POST", f"{ONE}/comments", {"body": "x"}, writes)
    ask_for(who, "35", writes)
    send(who, "PATCH", "/forms/hogar/corrections/1", {"state": "withdrawn", "reason": "x"}, writes)


def test_a_correction_is_made_and_taken_back(at: Desk, manager: Client):
    made = ask_for(manager, 35, oldValue="34")

    assert {**made, "at": None} == {
        "id": 1, "state": "active", "row": "uuid:A", "question": "/edad", "oldValue": "34", "newValue": "35",
        "reason": "por teléfono", "at": None, "replaces": None, "remark": None,
    }  # fmt: skip
    assert at.rows("hogar")[0]["edad"] == 35
    gone = send(manager, "PATCH", "/forms/hogar/corrections/1", {"state": "withdrawn", "reason": "no era"})
    assert (gone["state"], at.rows("hogar")[0]["edad"]) == ("withdrawn", 34)
    assert send(manager, "PATCH", "/forms/hogar/corrections/1", {"state": "active"}, 409)["code"] == 409.53
    assert send(manager, "PATCH", "/forms/hogar/corrections/1", {"state": "gone"}, 400)["code"] == 400.8
    assert send(manager, "PATCH", "/forms/hogar/corrections/9", {"state": "active"}, 404)["code"] == 404.1


def test_bad_bodies_are_told_by_name(at: Desk, manager: Client):
    assert ask_for(manager, "x", 400)["details"]["field"] == "newValue"
    assert ask_for(manager, ["35"], 400)["details"]["field"] == "newValue"
    assert ask_for(manager, "35", 409, oldValue="33")["code"] == 409.51
    assert ask_for(manager, "35", 400, rson="x")["details"]["field"] == "rson"
    told = send(manager, "POST", f"{ONE}/corrections", {"question": "/edad", "reason": "x"}, 400)
    assert (told["code"], told["details"]) == (400.2, {"field": "newValue"})
    assert manager.ask(f"{ONE}/corrections", "POST", b"{", Content_Type="application/json").status == 400
    assert manager.ask(f"{ONE}/corrections", "POST", b" " * 1_000_001, Content_Type="application/json").status == 413
    assert at.rows("hogar")[0]["edad"] == 34


def test_the_log_is_json_and_csv_with_the_same_lines(at: Desk, manager: Client, phone: Wire):
    ask_for(manager, 35)
    ask_for(manager, "=2+2", question="/dice", row="uuid:A", oldValue="=1+1")
    ask_for(manager, None, question="/m/n", row="uuid:A/m[2]")
    phone.post(house("B", answers=ANSWERS.replace("34", "43"), before="A"))

    log = manager.json("/forms/hogar/corrections")

    assert [(one["state"], one["row"], one["question"], one["oldValue"], one["newValue"]) for one in log] == [
        ("reopened", "uuid:A", "/edad", "34", "35"),
        ("active", "uuid:A", "/dice", "=1+1", "=2+2"),
        ("active", "uuid:A/m[2]", "/m/n", "Beto", None),
    ]
    assert {one["by"] for one in log} == {"manager@example.org"}
    lines = manager.lines("/forms/hogar/corrections.csv")
    assert [line["newValue"] for line in lines] == ["35", "'=2+2", ""]
    assert [list(line) for line in lines] == [list(one) for one in log]
    assert [one["id"] for one in manager.json("/forms/hogar/corrections?state=reopened,settled")] == [1]
    assert manager.json(f"{ONE}/corrections") == log
    manager.refused("/forms/hogar/corrections?state=x", 400.8)
    manager.refused("/forms/hogar/corrections?record=uuid:Z", 404.1)
    made = send(manager, "PATCH", "/forms/hogar/corrections/1", {"state": "active"})
    assert (made["replaces"], made["oldValue"], at.rows("hogar")[0]["edad"]) == (1, "43", 35)


def test_a_form_without_corrections_has_an_empty_log(manager: Client):
    assert manager.json("/forms/hogar/corrections") == []
    assert manager.lines("/forms/hogar/corrections.csv") == []


def test_a_history_tells_everything_in_order_and_any_past_state_can_be_had(at: Desk, app: Flask):
    send_ = to_app(app)
    phone = Wire(send_, f"/v1/key/{'t' * 64}/projects/1")
    with time_machine.travel("2026-03-01T10:00:00Z", tick=False) as clock:
        at.user("coord@example.org", "manager", password="una contraseña larga")
        manager = Client(send_, "coord@example.org")
        assert phone.post(house("D")).status == 201
        one = "/forms/hogar/submissions/uuid:D"
        clock.move_to("2026-03-02T10:00:00Z")
        wish = {"question": "/edad", "newValue": "35", "reason": "por teléfono"}
        number = send(manager, "POST", f"{one}/corrections", wish)["id"]
        clock.move_to("2026-03-03T10:00:00Z")
        send(manager, "PATCH", one, {"reviewState": "approved"}, X_Action_Notes="bien%20hecho")
        clock.move_to("2026-03-04T10:00:00Z")
        phone.post(house("E", answers=ANSWERS.replace("34", "43").replace("<m><n>Ana</n></m>", ""), before="D"))
        clock.move_to("2026-03-05T10:00:00Z")
        send(manager, "POST", f"{one}/comments", {"body": "¿43?"})
        clock.move_to("2026-03-06T10:00:00Z")
        send(manager, "PATCH", f"/forms/hogar/corrections/{number}", {"state": "withdrawn", "reason": "era 43"})
        history = manager.json(f"{one}/history")

    assert [(e["event"], e["at"][:10], e["by"]) for e in history] == [
        ("received", "2026-03-01", "Teléfono 1"),
        ("correction", "2026-03-02", "coord@example.org"),
        ("review", "2026-03-03", "coord@example.org"),
        ("edited", "2026-03-04", "Teléfono 1"),
        ("correctionChange", "2026-03-04", None),
        ("review", "2026-03-04", "Teléfono 1"),
        ("comment", "2026-03-05", "coord@example.org"),
        ("correctionChange", "2026-03-06", "coord@example.org"),
    ]
    assert (history[2]["reviewState"], history[2]["note"]) == ("approved", "bien hecho")
    assert [(e["state"], e["reason"]) for e in history if e["event"] == "correctionChange"] == [
        ("reopened", None),
        ("withdrawn", "era 43"),
    ]

    def stood(at: str) -> tuple[str, str | None, list[tuple[str, str]]]:
        found = manager.json(f"{one}/state?at={at}")
        rows = found["rows"]
        members = [(row["row"], row["answers"]["/m/n"]) for row in rows if row["table"] == "/m"]
        return rows[0]["answers"]["/edad"], found["reviewState"], members

    ana, beto = ("uuid:D/m[1]", "Ana"), ("uuid:D/m[2]", "Beto")
    assert stood("2026-03-01") == ("34", None, [ana, beto])
    assert stood("2026-03-02T09:59:59Z") == ("34", None, [ana, beto])
    assert stood("2026-03-02T05:00:00-05:00") == ("35", None, [ana, beto])
    assert stood("2026-03-03") == ("35", "approved", [ana, beto])
    assert stood("2026-03-04") == ("43", "edited", [beto])
    assert stood("2026-03-31") == ("43", "edited", [beto])
    assert manager.json(f"{one}/state")["version"]["instanceId"] == "uuid:E"

    def all_stood(at: str) -> list[tuple[str, str]]:
        answer = manager.ask(f"/forms/hogar/states?at={at}")
        found = [json.loads(line) for line in answer.content.splitlines()]
        return [(state["record"], state["rows"][0]["answers"]["/edad"]) for state in found]

    assert all_stood("2026-02-28") == []
    assert all_stood("2026-03-02") == [("uuid:D", "35")]
    assert all_stood("2099-01-01") == [("uuid:A", "34"), ("uuid:D", "43")]
    manager.refused(f"{one}/state?at=2026-02-28", 404.1)
    manager.refused(f"{one}/state?at=ayer", 400.8)
    manager.refused(f"{one}/state?at=2026-03-01T10:00:00", 400.8)


PRIVATE = form(
    "persona",
    """
| | type     | name   | label  | privacy |
| | integer  | edad   | Edad   |         |
| | text     | quien  | Quién  | direct  |
| | text     | relato | Relato | free_text |
| | geopoint | lugar  | Lugar  |         |
""",
)
# the latitude has more digits than the seconds of any time
SECRETS = ("Marta Secreta", "me contaron", "8.9817263", "Vive en", "collect:", "Teléfono 1", "Ficha de")


def test_whoever_may_not_identify_people_is_not_told_who_they_are(desk: Desk, app: Flask, phone: Wire):
    desk.publish(PRIVATE)
    answers = (
        "<edad>34</edad><quien>Marta Secreta</quien><relato>me contaron</relato><lugar>8.9817263 -79.5 0 5</lugar>"
    )
    assert phone.post(instance("persona", answers, instance_id="uuid:A", name="Ficha de Marta")).status == 201
    manager, viewer = (client(desk, to_app(app), role) for role in ("manager", "viewer"))
    one = "/forms/persona/submissions/uuid:A"
    for question, new in (("/edad", "35"), ("/quien", "Marta Secreta Gil"), ("/lugar", "8.9817263 -79.51")):
        wish = {"question": question, "newValue": new, "reason": "Vive en otra parte" if question != "/edad" else "x"}
        send(manager, "POST", f"{one}/corrections", wish)
    send(manager, "PATCH", "/forms/persona/corrections/2", {"state": "withdrawn", "reason": "Vive en otra"})
    edit = answers.replace("Marta", "Berta Secreta; Marta")
    assert phone.post(instance("persona", edit, instance_id="uuid:B", deprecated_id="uuid:A")).status == 201
    (key,) = called(viewer, "persona")
    theirs = f"/forms/persona/submissions/{key}"
    paths = ("", "/history", "/state", "/state?at=2099-01-01", "/corrections")
    lists = [f"/forms/persona/{path}" for path in ("corrections", "corrections.csv", "states")]

    for path in (*(theirs + path for path in paths), *lists):
        told = viewer.ask(path).content.decode()
        assert not [secret for secret in (*SECRETS, "uuid:") if secret in told], path
    seen = "".join(manager.ask(path).content.decode() for path in (*(one + path for path in paths), *lists))
    assert [secret for secret in SECRETS if secret not in seen] == ["Ficha de"]  # the edit has no name

    assert {viewer.ask(one + path).status for path in paths} == {404}
    assert viewer.json(f"{theirs}/state")["rows"][0]["answers"] == {"/edad": "35"}
    log = viewer.json("/forms/persona/corrections")
    assert [(line["newValue"], line["record"], line["row"]) for line in log] == [("35", "", ""), *[(None, "", "")] * 2]
    viewer.refused("/forms/persona/states", 403.1)
    viewer.refused("/forms/persona/corrections.xlsx?question=quien", 403.1)
    assert viewer.ask("/forms/persona/corrections.xlsx?question=edad").status == 200
    assert manager.ask("/forms/persona/corrections.xlsx?question=quien").status == 200


def test_whoever_opens_records_with_identities_is_written_down(at: Desk, app: Flask):
    manager, viewer = (client(at, to_app(app), role) for role in ("manager", "viewer"))
    (key,) = called(viewer, "hogar")
    for who, one in ((viewer, f"/forms/hogar/submissions/{key}"), (manager, ONE)):
        who.json(f"{one}/state?reason=queja%2012")
        who.json(f"{one}/history")
        who.json("/forms/hogar/corrections?reason=informe")

    lines = at.look(
        lambda conn: conn.execute(
            select(audits.c.action, audits.c.details)
            .where(audits.c.action.in_(("submission.read.identified", "form.submission.export")))
            .order_by(audits.c.id)
        ).all()
    )

    log = {"format": "corrections.log", "reason": "informe"}
    extract = {"format": "csv", "identities": False, "reason": None}
    assert [tuple(line) for line in lines] == [
        ("form.submission.export", extract),
        ("form.submission.export", {**log, "identities": False}),
        ("submission.read.identified", {"what": "state", "reason": "queja 12"}),
        ("submission.read.identified", {"what": "history", "reason": None}),
        ("form.submission.export", {**log, "identities": True}),
    ]

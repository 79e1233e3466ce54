"""Flags over HTTP: listed by page, explained, counted; the same as JSON and as CSV."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from tests.server.api.clients import Client, client, texts
from tests.server.cleaning.raising import publish, send, table
from tests.server.desk import Desk
from tests.server.wire import Wire, to_app

FLAGS = "/forms/hogar/flags"
SURVEY = table(
    "survey", "type | name | label", "today | today |", "deviceid | deviceid |", "integer | edad | Edad", "text | c | C"
)
CHECKS = table(
    "checks",
    "name | label::Español (es) | label::English (en) | severity | when | builtin | key | message::Español (es)",
    "mayor | Mayor | Old | error | ${edad} > 110 | | | ¿${edad} años?",
    "doble | Doble | Twice | | | duplicate | ${c} |",
)


def answers(day: str, device: str, age: int, code: str) -> str:
    return f"<today>{day}</today><deviceid>{device}</deviceid><edad>{age}</edad><c>{code}</c>"


@pytest.fixture
def asked(desk: Desk, phone: Wire, app: Flask) -> Client:
    """A manager, once two devices sent four interviews of two days."""
    publish(desk, SURVEY, checks=CHECKS)
    send(phone, answers("2026-05-01", "t1", 111, "x"), "a")
    send(phone, answers("2026-05-01", "t1", 30, "x"), "b")
    send(phone, answers("2026-05-02", "t1", 31, "y"), "c")
    send(phone, answers("2026-05-02", "t2", 112, "z"), "d")
    return client(desk, to_app(app), "manager")


def test_flags_are_listed_a_page_at_a_time_with_what_they_say(asked: Client):
    everything = asked.json(FLAGS)
    assert everything["next"] is None
    assert [(one["check"], one["instanceId"], one["text"]) for one in everything["flags"]] == [
        ("mayor", "uuid:a", "111"),
        ("doble", "uuid:a", "x"),
        ("doble", "uuid:b", "x"),
        ("mayor", "uuid:d", "112"),
    ]
    first = everything["flags"][0]
    told = {name: first[name] for name in first if name not in ("id", "createdAt", "submitter", "deviceId")}
    assert told == {
        "instanceId": "uuid:a",
        "rowKey": "uuid:a",
        "path": "/edad",
        "text": "111",
        "check": "mayor",
        "label": {"es": "Mayor", "en": "Old"},
        "severity": "error",
        "state": "open",
        "message": {"es": "¿111 años?"},
        "details": {"kind": "when", "answers": {"edad": "111"}},
        "explainedBy": None,
        "explainedAt": None,
        "comment": None,
    }
    assert everything["flags"][1]["message"] == {
        "es": "la misma clave está en: uuid:b",
        "en": "the same key is in: uuid:b",
    }
    assert first["submitter"] == "Teléfono 1"

    pages, path = [], f"{FLAGS}?limit=3"
    while path:
        page = asked.json(path)
        pages.append(page["flags"])
        path = f"{FLAGS}?limit=3&after={page['next']}" if page["next"] else ""
    assert [len(page) for page in pages] == [3, 1]
    assert [one for page in pages for one in page] == everything["flags"]

    lines = asked.lines(f"{FLAGS}.csv")
    flat = {**texts({k: v for k, v in first.items() if k not in ("label", "message", "details")})}
    assert lines[0] == {**flat, "label_es": "Mayor", "label_en": "Old", "message_es": "¿111 años?", "message_en": ""}


def test_flags_are_filtered_and_what_cannot_be_asked_is_refused(asked: Client):
    def count(query: str) -> int:
        return len(asked.json(f"{FLAGS}?{query}")["flags"])

    assert count("check=doble") == count("state=open&check=doble,nada") == 2
    assert count("severity=error") == 2
    assert count("day=2026-05-02") == 1
    assert count("device=t2") == 1
    assert count("enumerator=Tel%C3%A9fono%201") == 4
    assert count("state=explained,corrected") == 0
    for query in ("state=abierta", "severity=off", "day=ayer", "after=x", "limit=0", "limit=1001", "cheque=doble"):
        asked.refused(f"{FLAGS}?{query}", 400.8)


def test_a_flag_is_explained_and_opened_again(asked: Client, desk: Desk, app: Flask):
    number = asked.json(FLAGS)["flags"][0]["id"]

    def change(body: object, who: Client = asked, flag: int = number) -> tuple[int, dict[str, object]]:
        answer = who.ask(f"{FLAGS}/{flag}", "PATCH", json.dumps(body).encode(), Content_Type="application/json")
        return answer.status, json.loads(answer.content)

    status, told = change({"state": "explained", "comment": "Es la abuela"})
    assert (status, told["state"], told["comment"], told["explainedBy"]) == (
        *(200, "explained", "Es la abuela"),
        "manager@example.org",
    )
    assert [one["id"] for one in asked.json(f"{FLAGS}?state=explained")["flags"]] == [number]
    status, told = change({"state": "open"})
    assert (status, told["state"], told["comment"], told["explainedBy"]) == (200, "open", None, None)

    for body in ({"state": "corrected"}, {"state": "explained"}, {"state": "explained", "comment": 7}, {}, [], "x"):
        assert change(body)[0] == 400, body
    assert change({"state": "open"}, flag=10**6)[0] == 404
    assert change({"state": "explained", "comment": "x"}, client(desk, to_app(app), "viewer"))[0] == 403
    assert asked.json(FLAGS)["flags"][0]["state"] == "open"


def test_figures_count_submissions_and_flags_by_enumerator_and_day(asked: Client):
    told = asked.json(f"{FLAGS}/figures")
    assert told["by"] == ["submitter", "device", "day"]
    assert told["checks"] == {"doble": {"es": "Doble", "en": "Twice"}, "mayor": {"es": "Mayor", "en": "Old"}}
    assert [
        (one["submitter"], one["deviceId"], one["day"], one["submissions"], one["flagged"], one["open"])
        for one in told["figures"]
    ] == [
        ("Teléfono 1", "t1", "2026-05-01", 2, 2, {"doble": 2, "mayor": 1}),
        ("Teléfono 1", "t1", "2026-05-02", 1, 0, {"doble": 0, "mayor": 0}),
        ("Teléfono 1", "t2", "2026-05-02", 1, 1, {"doble": 0, "mayor": 1}),
    ]
    by_day = asked.lines(f"{FLAGS}/figures.csv?by=day")
    assert by_day == [
        {"day": "2026-05-01", "submissions": "2", "flagged": "2", "open.doble": "2", "open.mayor": "1"},
        {"day": "2026-05-02", "submissions": "2", "flagged": "1", "open.doble": "0", "open.mayor": "1"},
    ]
    asked.refused(f"{FLAGS}/figures?by=place", 400.8)


def test_everything_is_looked_through_again_when_asked(asked: Client, desk: Desk, app: Flask):
    answer = asked.ask(f"{FLAGS}/run", "POST")
    assert (answer.status, json.loads(answer.content)) == (
        200,
        {"submissions": 4, "checks": 3, "added": 0, "gone": 0},
    )
    assert client(desk, to_app(app), "viewer").ask(f"{FLAGS}/run", "POST").status == 403


def test_only_those_of_the_project_see_flags(asked: Client, desk: Desk, app: Flask):
    assert client(desk, to_app(app), "viewer").json(FLAGS)["flags"]
    stranger = client(desk, to_app(app), "none")
    stranger.refused(FLAGS, 403.1)
    stranger.refused(f"{FLAGS}/figures", 403.1)
    client(desk, to_app(app), "nobody").refused(FLAGS, 401.2)
    asked.refused("/forms/nada/flags", 404.1)

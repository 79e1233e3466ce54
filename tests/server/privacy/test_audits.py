"""The audit: who did what, who saw whom, and that nobody can make it say otherwise."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from forms.problems import Problem
from server.model.audits import audits
from tests.server.api.clients import PASSWORD
from tests.server.desk import ADMIN, ON_SQLITE, PROJECT, Desk, form
from tests.server.privacy.test_disclosure import basic
from tests.server.wire import Answer, Wire, instance

SHEET = form(
    "visita",
    "| | type | name | label | privacy |\n| | text | quien | Quién | direct |\n| | integer | edad | Edad | |",
)
ONE = f"/v1/projects/{PROJECT}/forms/visita/submissions/uuid%3A1"


@pytest.fixture
def people(desk: Desk, phone: Wire) -> dict[str, str]:
    """A form with one record, and the credentials of those who may look at it."""
    desk.publish(SHEET)
    phone.post(
        instance("visita", "<quien>Ana-Secreta</quien><edad>30</edad>", instance_id="uuid:1", name="Ana-Secreta")
    )
    for role in ("manager", "viewer"):
        desk.user(f"{role}@example.org", role, password=PASSWORD)
    return {role: basic(f"{role}@example.org") for role in ("manager", "viewer")} | {"admin": basic(*ADMIN)}


def get(phone: Wire, path: str, who: str, **headers: str) -> Answer:
    return phone.send("GET", path, {"Authorization": who, **headers}, None)


def lines(desk: Desk, action: str) -> list[Any]:
    statement = select(audits.c.submission_id, audits.c.details).where(audits.c.action == action).order_by(audits.c.id)
    return desk.look(lambda conn: list(conn.execute(statement).all()))


@pytest.mark.parametrize(
    ("path", "what"), [("", "submission"), ("/state", "state"), ("/history", "history"), (".xml", "xml")]
)
def test_practice_32_opening_a_person_s_record_is_in_the_audit(
    desk: Desk, phone: Wire, people: dict[str, str], path: str, what: str
):
    reason = quote("Llamada de la señora")

    answer = get(phone, f"{ONE}{path}?reason={reason}", people["manager"])

    assert answer.status == 200, answer.content
    ((submission_id, details),) = lines(desk, "submission.read.identified")
    assert submission_id is not None
    assert details == {"what": what, "reason": "Llamada de la señora"}
    (told,) = json.loads(
        get(
            phone, "/v1/audits?action=submission.read.identified", people["admin"], **{"X-Extended-Metadata": "true"}
        ).content
    )
    assert (told["actor"]["displayName"], told["formId"], told["instanceId"], told["notes"]) == (
        "manager@example.org", "visita", "uuid:1", "Llamada de la señora",
    )  # fmt: skip


def test_practice_32_who_may_not_identify_sees_nobody_and_leaves_no_such_line(
    desk: Desk, phone: Wire, people: dict[str, str]
):
    listed = get(
        phone, f"/v1/projects/{PROJECT}/forms/visita/extract.csv?columns=edad", people["viewer"]
    ).content.decode()
    one = ONE.replace("uuid%3A1", listed.splitlines()[1].partition(",")[0])
    told = {path: get(phone, one + path, people["viewer"]) for path in ("", "/state", "/history", ".xml")}

    assert {path: answer.status for path, answer in told.items()} == {
        "": 200,
        "/state": 200,
        "/history": 200,
        ".xml": 403,
    }
    assert [path for path, answer in told.items() if b"Ana-Secreta" in answer.content] == []
    assert lines(desk, "submission.read.identified") == []


def test_the_document_is_given_as_it_is_kept(desk: Desk, phone: Wire, people: dict[str, str]):
    assert get(phone, f"{ONE}.xml", people["manager"]).content == desk.xml_of("uuid:1")
    assert get(phone, ONE.replace("%3A1", "%3A2") + ".xml", people["manager"]).status == 404


def test_the_audit_is_told_as_central_tells_it_to_administrators_alone(desk: Desk, phone: Wire, people: dict[str, str]):
    whole = json.loads(get(phone, "/v1/audits", people["admin"]).content)

    assert [one["action"] for one in whole] == desk.audited()[::-1]
    assert {"actorId", "acteeId", "action", "details", "loggedAt"} <= whole[0].keys()
    assert [one["id"] for one in whole] == sorted((one["id"] for one in whole), reverse=True)
    assert {get(phone, "/v1/audits", people[role]).status for role in ("manager", "viewer")} == {403}
    assert get(phone, "/v1/audits", "").status == 401


def test_the_audit_is_narrowed_by_action_time_and_page(desk: Desk, phone: Wire, people: dict[str, str]):
    def told(query: str) -> list[str]:
        answer = get(phone, f"/v1/audits?{query}", people["admin"])
        assert answer.status == 200, answer.content
        return [one["action"] for one in json.loads(answer.content)]

    every = desk.audited()[::-1]
    assert told("action=submission.create") == ["submission.create"]
    assert told("action=submission") == [one for one in every if one.startswith("submission.")]
    assert told("action=submi") == []
    assert told("limit=2") == every[:2]
    assert told("limit=2&offset=1") == every[1:3]
    assert told("project=1&action=submission.create") == ["submission.create"]
    assert told("project=2") == []
    assert told("start=2000-01-01z") == every
    assert told("end=2000-01-01T00:00:00Z") == []
    for wrong in ("limit=x", "start=ayer", "offset=-1", "acton=user"):
        assert json.loads(get(phone, f"/v1/audits?{wrong}", people["admin"]).content)["code"] == 400.8


@pytest.mark.parametrize("change", [update(audits).values(action="x"), delete(audits)])
def test_no_line_of_the_audit_can_be_changed_or_taken_away(desk: Desk, people: dict[str, str], change: Any):
    before = desk.audited()

    with pytest.raises((DBAPIError, Problem)):
        desk.change(lambda conn: conn.execute(change))

    assert desk.audited() == before
    assert before != []


@ON_SQLITE
def test_bulk_readings_of_records_are_in_the_audit(desk: Desk, phone: Wire, people: dict[str, str]):
    root = f"/v1/projects/{PROJECT}/forms/visita"
    status = {
        (who, path): get(phone, root + path, people[who]).status
        for who in ("manager", "viewer")
        for path in ("/states", "/corrections")
    }

    assert [key for key, told in status.items() if told != 200] == [("viewer", "/states")]
    assert [(details["format"], details["identities"]) for _, details in lines(desk, "form.submission.export")] == [
        ("states", True), ("corrections.log", True), ("corrections.log", False),
    ]  # fmt: skip

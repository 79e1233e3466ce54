"""Which submissions an extract holds: by day, review, version, submitter, place and $filter."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import time_machine

from server.actions import reviews
from tests.server.desk import ON_SQLITE, PROJECT, Desk, form, questions
from tests.server.extracts.asking import Analyst
from tests.server.indicators.measuring import declare
from tests.server.wire import Wire, instance

SURVEY = """
| | type | name | label |
| | today | today | |
| | dateTime | momento | m |
| | date | dia | d |
| | text | lugar | l |
| | begin repeat | r | r |
| | text | x | x |
| | end repeat | | |
"""
HOUSE = form("hogar", SURVEY)


def send(phone: Wire, number: int, when: str, answers: str = "", *, version: str = "1") -> None:
    with time_machine.travel(datetime.fromisoformat(when).astimezone(UTC), tick=False):
        given = f"{answers}<r><x>{number}</x></r>"
        answer = phone.post(instance("hogar", given, instance_id=f"uuid:{number}", version=version))
        assert answer.status == 201, answer.body


def found(analyst: Analyst, **options: str) -> list[int]:
    """The submissions in the form's table; those in its repeat's must be the same."""
    keys = list(analyst.csv("hogar", **options)["_key"])
    assert list(analyst.csv("hogar", table="r", **options)["_submission_key"]) == keys
    return [int(key.removeprefix("uuid:")) for key in keys]


def test_days_on_which_they_were_received(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(HOUSE)
    send(phone, 1, "2026-08-14T23:59:59Z")
    send(phone, 2, "2026-08-15T00:00:00Z")
    send(phone, 3, "2026-08-15T23:59:59.999Z")
    send(phone, 4, "2026-08-16T04:59:59Z")

    assert found(analyst, from_="2026-08-15") == [2, 3, 4]
    assert found(analyst, until="2026-08-15") == [1, 2, 3]
    assert found(analyst, from_="2026-08-15", until="2026-08-15") == [2, 3]
    assert found(analyst, from_="2026-08-15", until="2026-08-15", zone="America/Panama") == [3, 4]
    assert found(analyst, from_="2026-08-17") == []


def test_days_on_which_they_changed(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(HOUSE)
    send(phone, 1, "2026-08-14T12:00:00Z")
    send(phone, 2, "2026-08-14T12:00:00Z")
    with time_machine.travel(datetime(2026, 8, 20, tzinfo=UTC), tick=False):
        desk.act(lambda ctx: reviews.review(ctx, PROJECT, "hogar", "uuid:2", "approved"))

    assert found(analyst, dateOf="updated", from_="2026-08-20", until="2026-08-20") == [2]
    assert found(analyst, dateOf="updated", until="2026-08-19") == []


def test_days_of_answers(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(HOUSE)
    now = "2026-09-01T00:00:00Z"
    send(
        phone, 1, now, "<today>2026-08-01</today><momento>2026-08-15T23:30:00.000-05:00</momento><dia>2026-01-31</dia>"
    )
    send(
        phone, 2, now, "<today>2026-08-02</today><momento>2026-08-16T00:30:00.000-05:00</momento><dia>2026-02-01</dia>"
    )
    send(phone, 3, now)

    assert found(analyst, dateOf="answered", until="2026-08-01") == [1]
    assert found(analyst, dateOf="momento", from_="2026-08-15", until="2026-08-15") == [1]
    assert found(analyst, dateOf="dia", from_="2026-02-01") == [2]
    assert analyst.refused("hogar", "csv", dateOf="lugar", from_="2026-02-01") == (
        400,
        400.8,
        {"field": "dateOf", "value": "lugar"},
    )


def test_states_of_review(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(HOUSE)
    for number, state in enumerate((None, "approved", "rejected", "hasIssues"), 1):
        send(phone, number, "2026-08-14T12:00:00Z")
        if state is not None:
            desk.act(
                lambda ctx, number=number, state=state: reviews.review(ctx, PROJECT, "hogar", f"uuid:{number}", state)
            )  # type: ignore[misc]

    assert found(analyst, review="received") == [1]
    assert found(analyst, review="approved,hasIssues") == [2, 4]
    assert found(analyst, review="received,rejected") == [1, 3]
    assert found(analyst, review="counting") == [1, 2, 4]
    assert analyst.refused("hogar", "csv", review="approbed")[2] == {"field": "review", "value": "approbed"}


def test_versions_and_submitters(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(HOUSE)
    send(phone, 1, "2026-08-14T12:00:00Z")
    desk.publish(form("hogar", SURVEY, version="2"))
    send(phone, 2, "2026-08-14T12:00:00Z", version="2")
    (submitter,) = {row["_submitter_id"] for row in desk.whole_rows("hogar")}

    assert found(analyst, version="2") == [2]
    assert found(analyst, version="1,2") == [1, 2]
    assert found(analyst, submitter=str(submitter)) == [1, 2]
    assert found(analyst, submitter="9999") == []


def test_odatas_filter_in_every_layout(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(HOUSE)
    send(phone, 1, "2026-08-14T12:00:00Z")
    send(phone, 2, "2026-08-15T12:00:00Z")
    wanted = {"$filter": "__system/submissionDate ge 2026-08-15 and __system/reviewState eq null"}

    central = analyst.get("hogar", "submissions.csv", **wanted)
    archive = analyst.get("hogar", "submissions.csv.zip", **wanted)

    assert found(analyst, **wanted) == [2]
    assert central.body.decode().count("uuid:2") == 2  # KEY and meta-instanceID
    assert b"uuid:1" not in central.body
    assert archive.status == 200
    assert analyst.get("hogar", "submissions.csv", **{"$filter": "edad eq"}).status == 400


@ON_SQLITE
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("from", "ayer"),
        ("until", "2026-02-30"),
        ("submitter", "ana"),
        ("labels", "sí"),
        ("tabla", "x"),
        ("columns", "edad"),
    ],
)
def test_options_that_cannot_be_meant_are_refused_by_name(desk: Desk, analyst: Analyst, option: str, value: str):
    desk.publish(HOUSE)

    status, code, details = analyst.refused("hogar", "csv", **{option: value})

    assert (status, code, details["field"]) == (400, 400.8, option)


@ON_SQLITE
def test_a_name_that_is_almost_right_is_offered(desk: Desk, analyst: Analyst):
    desk.publish(HOUSE)

    told = json.loads(analyst.get("hogar", "extract.csv", columns="lugr").body)

    assert told["message"] == "Unexpected columns value lugr; did you mean “lugar”?"


PLACES = """
| indicators |
| | name | label | form | type | place |
| | hogares | Hogares | hogar | count | ${lugar} |
| places |
| | code | label | level | parent |
| | 4 | Chiriquí | provincia | |
| | 401 | Alanje | distrito | 4 |
| | 402 | Barú | distrito | 4 |
| | 12 | Comarca Ngäbe-Buglé | provincia | |
"""


def test_places_by_the_projects_hierarchy(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(HOUSE)
    refused = analyst.refused("hogar", "csv", place="4")
    declare(desk, PLACES)
    for number, place in enumerate(("401", "402", "12", ""), 1):
        send(phone, number, "2026-08-14T12:00:00Z", f"<lugar>{place}</lugar>")

    assert refused == (400, 400.8, {"field": "place", "value": "4"})
    assert found(analyst, place="4") == [1, 2]
    assert found(analyst, place="402") == [2]
    assert analyst.refused("hogar", "csv", place="5")[2] == {"field": "place", "value": "5"}


@ON_SQLITE
def test_a_form_whose_place_nobody_named_says_so(desk: Desk, analyst: Analyst):
    desk.publish(HOUSE)
    desk.publish(form("otro", questions("text x")))
    declare(desk, PLACES)

    assert analyst.refused("otro", "csv", place="4") == (400, 400.8, {"field": "place", "xmlFormId": "otro"})

"""Lists of records and flags: what they tell whoever may not see identities."""

from __future__ import annotations

import json

from sqlalchemy import insert

from server.model.people import roles
from tests.server.api.clients import PASSWORD, Client, client
from tests.server.desk import Desk, form
from tests.server.wire import Wire, instance

SHEET = form(
    "visita",
    "| | type | name | label | privacy |\n| | text | ben_id | Persona | key |\n| | integer | cedula | Cédula | |\n"
    "| | integer | edad | Edad | |\n| | date | dia | Día | |",
)
INDICATORS = """
| indicators |
| | name | label | type | form | numerator | key | date | minimum_n |
| | N | Personas | distinct | visita | ${edad} > 0 | ${ben_id} | ${dia} | 1 |
"""


def set_up(desk: Desk, phone: Wire) -> None:
    desk.publish(SHEET + INDICATORS)
    given = "<ben_id>B-7788</ben_id><cedula>8-123-4567</cedula><edad>30</edad><dia>2026-01-02</dia>"
    assert phone.post(instance("visita", given, instance_id="uuid:1")).status == 201
    assert desk.failures() == []


def analyst(desk: Desk, phone: Wire) -> Client:
    """Somebody who may see small numbers and read submissions, but not who the people are."""
    verbs = ["project.read", "form.read", "submission.read", "submission.list", "indicator.list", "indicator.read"]
    desk.change(
        lambda conn: conn.execute(
            insert(roles).values(system="analyst", name="Analyst", verbs=[*verbs, "indicator.unmask"])
        )
    )
    desk.user("analyst@example.org", "analyst", password=PASSWORD)
    return Client(phone.send, "analyst@example.org", PASSWORD)


def test_records_behind_a_figure_do_not_tell_keys_of_people_without_the_right(desk: Desk, phone: Wire):
    set_up(desk, phone)

    (seen,) = client(desk, phone.send, "manager").json("/indicators/N/facts?period=2026-01")["records"]
    (hidden,) = analyst(desk, phone).json("/indicators/N/facts?period=2026-01")["records"]

    assert (seen["identifier"], hidden["identifier"]) == ("B-7788", None)
    assert (seen["numerator"], hidden["numerator"]) == (1, 1)


def test_flags_do_not_tell_what_an_unmarked_question_with_a_telling_name_was_answered(desk: Desk, phone: Wire):
    set_up(desk, phone)

    told = {
        role: json.dumps(client(desk, phone.send, role).json("/forms/visita/flags")) for role in ("manager", "viewer")
    }

    assert {role: "8-123-4567" in text for role, text in told.items()} == {"manager": True, "viewer": False}
    assert "builtin:type" in told["viewer"]

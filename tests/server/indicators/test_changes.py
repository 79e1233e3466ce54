"""What changes a figure after it was read: reviews, edits, deletions, late answers, new versions of a form."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from server.actions import following
from server.model.projects import projects
from server.model.submissions import submissions
from tests.server.desk import Desk, form
from tests.server.indicators.measuring import declare, send, table
from tests.server.wire import Wire, new_id

QUESTIONS = """
| | type | name | label |
| | date | dia | D |
| | select_one sexo | sexo | S |
| | integer | edad | E |
| | text | clave | C |
| | date | nacido | N |
| | select_one sn | hecho | H |
| | integer | dado | D |
| | integer | tomado | T |
"""
CHOICES = """
| | list_name | name | label |
| | sexo | f | Mujer |
| | sexo | m | Hombre |
| | sn | si | Sí |
| | sn | no | No |
"""
INDICATORS = """
| indicators |
| | name | label | form | type | where | numerator | denominator | value | key | latest | group | cohort | date | period | disaggregate | accumulate |
| | N | x | hogar | count | | | | | | | | | ${dia} | quarter | sexo | no |
| | M | x | hogar | mean | | | | ${edad} | | | | | ${dia} | quarter | sexo | no |
| | A | x | hogar | mean | | | | int((period-end() - ${nacido}) div 365.25) | | | | | ${dia} | year | | yes |
| | L | x | hogar | mean | | | | ${edad} | ${clave} | 1 | | | ${dia} | quarter | sexo | |
| | G | x | hogar | percent | | sum(${tomado}) >= 0.8 * sum(${dado}) | | | | | ${clave} | | ${dia} | quarter | sexo | yes |
| | GL | x | hogar | mean | | | | sum(${tomado}) | | 2 | ${clave} | | ${dia} | quarter | sexo | |
| | D | x | hogar | distinct | ${hecho} = 'si' | | | | ${clave} | | | | ${dia} | quarter | | yes |
| | K | x | hogar | percent | | ${edad} >= 18 | | | ${clave} | 1 | | D | ${dia} | quarter | | yes |
"""


@pytest.fixture
def house(desk: Desk) -> Desk:
    """A form and its indicators, without records."""
    desk.publish(form("hogar", QUESTIONS, choices=CHOICES))
    declare(desk, INDICATORS)
    return desk


def answer(dia: str, **given: object) -> str:
    return "".join(f"<{name}>{text}</{name}>" for name, text in {"dia": dia, **given}.items())


def review(desk: Desk, instance_id: str, **values: Any) -> None:
    """The state of a submission, as a reviewer would set it."""

    def work(ctx: Any) -> None:
        chosen = submissions.c.instance_id == instance_id
        ctx.conn.execute(update(submissions).where(chosen).values(**values))
        following.follow_stored(ctx, ctx.conn.execute(select(submissions.c.id).where(chosen)).scalar_one())

    desk.act(work)


def test_review_states_and_what_counts(house: Desk, phone: Wire):
    ids = [new_id() for _ in range(4)]
    for number, one in enumerate(ids):
        send(phone, "hogar", answer("2025-01-10", sexo="f", edad=10 * (number + 1)), instance_id=one)
    assert table(house, "M", period="all") == {(): (25.0, 4, 0)}
    review(house, ids[0], review_state="rejected")
    review(house, ids[1], review_state="approved")
    review(house, ids[2], review_state="hasIssues")
    assert table(house, "M", period="all") == {(): (30.0, 3, 0)}
    house.change(lambda conn: conn.execute(update(projects).values(counting="approved")))
    assert table(house, "M", period="all") == {(): (20.0, 1, 0)}
    review(house, ids[0], review_state="approved")
    assert table(house, "M", period="all") == {(): (15.0, 2, 0)}


def test_an_edit_moves_its_unit_to_another_cell(house: Desk, phone: Wire):
    first, second = new_id(), new_id()
    send(phone, "hogar", answer("2025-01-10", sexo="f", edad=20), instance_id=first)
    send(phone, "hogar", answer("2025-01-11", sexo="f", edad=40))
    assert table(house, "M", period="quarter", by=("sexo",)) == {("2025-Q1", "f"): (30.0, 2, 0)}
    send(phone, "hogar", answer("2025-05-01", sexo="m", edad=""), instance_id=second, deprecated_id=first)
    assert table(house, "M", period="quarter", by=("sexo",)) == {
        ("2025-Q1", "f"): (40.0, 1, 0),
        ("2025-Q2", "m"): (None, 0, 1),
    }
    # an edit that arrives before what it edits
    lost, late = new_id(), new_id()
    send(phone, "hogar", answer("2025-01-12", sexo="m", edad=60), instance_id=late, deprecated_id=lost)
    send(phone, "hogar", answer("2025-01-12", sexo="m", edad=99), instance_id=lost)
    assert table(house, "M", period="2025-Q1", by=("sexo",))["2025-Q1", "m"] == (60.0, 1, 0)


def test_a_deleted_submission_is_gone_and_a_late_one_changes_a_closed_period(house: Desk, phone: Wire):
    gone = new_id()
    send(phone, "hogar", answer("2024-02-10", sexo="f", edad=20), instance_id=gone)
    send(phone, "hogar", answer("2025-05-11", sexo="f", edad=40))
    assert table(house, "N", period="quarter") == {("2024-Q1",): (1.0, 1, 0), ("2025-Q2",): (1.0, 1, 0)}
    review(house, gone, deleted_at=house.office.clock())
    assert table(house, "N", period="quarter") == {("2025-Q2",): (1.0, 1, 0)}
    send(phone, "hogar", answer("2024-03-31", sexo="m", edad=7))
    assert table(house, "N", period="quarter") == {("2024-Q1",): (1.0, 1, 0), ("2025-Q2",): (1.0, 1, 0)}
    assert table(house, "N", period="2024-Q1", by=("sexo",)) == {("2024-Q1", "m"): (1.0, 1, 0)}


def test_ages_are_those_at_the_end_of_the_period(house: Desk, phone: Wire):
    send(phone, "hogar", answer("2023-06-01", nacido="2000-06-15"))
    send(phone, "hogar", answer("2024-06-01", nacido="2010-12-31"))
    # at the end of 2023: 23; of 2024: 24 and 14; of 2025, where nobody new came, 25 and 15
    assert table(house, "A", period="2023..2025") == {
        ("2023",): (23.0, 1, 0),
        ("2024",): (19.0, 2, 0),
        ("2025",): (20.0, 2, 0),
    }
    # without a period of the calendar: at the last date, 2024-06-01
    assert table(house, "A", period="all") == {(): ((23 + 13) / 2, 2, 0)}


def test_latest_of_equal_dates_is_what_arrived_last(house: Desk, phone: Wire):
    send(phone, "hogar", answer("2025-01-10", clave="a", edad=30, sexo="f"))
    send(phone, "hogar", answer("2025-01-10", clave="a", edad=50, sexo="m"))
    send(phone, "hogar", answer("2025-01-09", clave="a", edad=70, sexo="f"))
    send(phone, "hogar", answer("", clave="a", edad=90, sexo="f"))
    assert table(house, "L", period="quarter") == {("2025-Q1",): (50.0, 1, 0)}
    assert table(house, "L", period="all", by=("sexo",)) == {("m",): (50.0, 1, 0)}


def test_groups_sum_up_and_latest_takes_their_last_rows(house: Desk, phone: Wire):
    for dia, clave, dado, tomado, sexo in (
        ("2025-01-10", "a", 10, 5, "f"), ("2025-02-10", "a", 10, 10, "f"), ("2025-04-10", "a", 10, 10, "m"),
        ("2025-01-11", "b", 10, 9, "m"), ("2025-05-11", "b", 10, "", "m"), ("2025-05-12", "", 10, 10, "m"),
    ):  # fmt: skip
        send(phone, "hogar", answer(dia, clave=clave, dado=dado, tomado=tomado, sexo=sexo))
    # up to March: a 15 of 20, b 9 of 10; up to June: a 25 of 30, b 9 of 20, and a row of nobody
    assert table(house, "G", period="quarter") == {("2025-Q1",): (50.0, 2, 0), ("2025-Q2",): (50.0, 2, 1)}
    assert table(house, "G", period="2025-Q1", by=("sexo",)) == {
        ("2025-Q1", "f"): (0.0, 1, 0),
        ("2025-Q1", "m"): (100.0, 1, 0),
    }
    # the last two rows: a 10 + 10, b 9 + nothing
    assert table(house, "GL", period="2025-Q2") == {("2025-Q2",): ((20 + 9) / 2, 2, 1)}  # and nobody's row


def test_a_cohort_grows_with_time(house: Desk, phone: Wire):
    for dia, clave, edad, hecho in (
        ("2025-01-10", "a", 20, "no"), ("2025-01-11", "b", 17, "si"), ("2025-04-10", "a", 15, "si"),
        ("2025-07-10", "b", 19, "no"), ("2025-07-11", "c", 50, "no"),
    ):  # fmt: skip
        send(phone, "hogar", answer(dia, clave=clave, edad=edad, hecho=hecho))
    # in March b alone finished (17); in June a too (15 and 17); in September b is 19, and c is none of them
    assert table(house, "K", period="quarter") == {
        ("2025-Q1",): (0.0, 1, 0),
        ("2025-Q2",): (0.0, 2, 0),
        ("2025-Q3",): (50.0, 2, 0),
    }
    assert table(house, "D", period="quarter") == {
        ("2025-Q1",): (1.0, 1, 0),
        ("2025-Q2",): (2.0, 2, 0),
    }
    assert table(house, "D", period="2025-Q3") == {("2025-Q3",): (2.0, 2, 0)}


def test_a_question_added_renamed_and_retyped(desk: Desk, phone: Wire):
    first = "| | type | name | label |\n| | date | dia | D |\n| | integer | edad | E |\n"
    desk.publish(form("censo", first))
    send(phone, "censo", "<dia>2025-01-01</dia><edad>20</edad>")
    second = (
        "| | type | name | label | was |\n| | date | dia | D | |\n| | decimal | anios | A | edad |\n"
        "| | integer | nuevo | N | |\n"
    )
    desk.publish(form("censo", second, version="2"))
    declare(
        desk,
        """
| indicators |
| | name | label | form | type | value | date | period |
| | M | x | censo | mean | ${anios} | ${dia} | year |
| | S | x | censo | sum | ${nuevo} | ${dia} | year |
""",
    )
    send(phone, "censo", "<dia>2025-01-02</dia><anios>30.5</anios><nuevo>4</nuevo>", version="2")
    send(phone, "censo", "<dia>2025-01-03</dia><edad>40</edad>")  # a phone that still has the first version
    assert desk.failures() == []
    assert table(desk, "M", period="all") == {(): (90.5 / 3, 3, 0)}
    # a question that was not asked yet is unknown
    assert table(desk, "S", period="all") == {(): (4.0, 1, 2)}
    third = second.replace("| | integer | nuevo | N | |", "| | text | nuevo | N | |").replace("| edad |", "| |")
    desk.publish(form("censo", third, version="3"))
    assert table(desk, "M", period="all") == {(): (90.5 / 3, 3, 0)}
    send(phone, "censo", "<dia>2025-01-04</dia><anios>10</anios><nuevo>7</nuevo>", version="3")
    assert desk.failures() == []
    assert table(desk, "M", period="all") == {(): (100.5 / 4, 4, 0)}


def test_an_encrypted_submission_is_excluded_wherever_something_is_asked(house: Desk, phone: Wire):
    send(phone, "hogar", answer("2025-01-10", edad=20))
    sent = phone.post(
        b'<data xmlns="http://www.opendatakit.org/xforms/encrypted" id="hogar" version="1" encrypted="yes">'
        b"<meta><instanceID>uuid:7</instanceID></meta><encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>"
    )
    assert sent.status == 201
    assert table(house, "M", period="all") == {(): (20.0, 1, 1)}
    assert table(house, "D", period="all") == {(): (0.0, 0, 2)}
    # it has no date that anybody can read
    assert table(house, "M", period="quarter") == {("2025-Q1",): (20.0, 1, 0)}


def test_a_cohort_of_plain_keys_has_figures_by_period(house: Desk, phone: Wire):
    send(phone, "hogar", answer("2025-01-11", clave="b", edad=17, hecho="si"))
    send(phone, "hogar", answer("2025-04-10", clave="b", edad=18, hecho="no"))
    assert table(house, "K", period="2025-Q2", cumulative=False) == {("2025-Q2",): (100.0, 1, 0)}
    assert table(house, "K", period="2025-Q1..2025-Q2") == {("2025-Q1",): (0.0, 1, 0), ("2025-Q2",): (100.0, 1, 0)}

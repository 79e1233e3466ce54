"""What arrives, in any order and at once, is flagged as a look through everything would flag it."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from server.actions import flags
from server.jobs.schedule import Schedule
from tests.server.cleaning.raising import found, publish, raised, rebuild, send, table
from tests.server.desk import PROJECT, Desk
from tests.server.indicators.measuring import declare
from tests.server.wire import Wire

SURVEY = table(
    "survey",
    "type | name | label",
    *("start | start |", "end | end |", "audit | audit |", "text | cedula | C", "integer | edad | Edad"),
    *("geopoint | gps | GPS", "select_one l | p1 | 1", "select_one l | p2 | 2", "select_one l | p3 | 3"),
    *("begin repeat | m | M", "integer | anios | A", "text | codigo | Código", "end repeat | |"),
)
LIST = table("choices", "list_name | name | label", "l | 1 | Uno", "l | 2 | Dos")
CHECKS = table(
    "checks",
    "name | label | over | when | builtin | minimum | maximum | key | within | fields",
    "mayor | A | | ${edad} > 90 or count(${m}) > 2 | | | | | |",
    "anciano | A | m | ${anios} > ${edad} | | | | | |",
    "de_tres | A | m | ${anios} = 3 | | | | | |",
    "lento | A | | | duration | 10 | 100 | | |",
    "rapido | A | | | speeding | 5 | | | |",
    "sin_gps | A | | ${edad} > 20 | gps_missing | | | | |",
    "impreciso | A | | | gps_imprecise | | 20 | | |",
    "fuera | A | | | gps_outside | | | | 7 -83 10 -77 |",
    "doble | A | | | duplicate | | | ${cedula} | |",
    "codigo | A | m | ${anios} > 3 | duplicate | | | ${codigo} | |",
    "igual | A | | | straight_lining | 2 | | | | p1 p2 p3",
)


def random_answers(chance: random.Random, now: datetime) -> str:
    def some(name: str, *texts: str) -> str:
        text = chance.choice(texts)
        return f"<{name}>{text}</{name}>" if text else ""

    start = now + timedelta(hours=chance.choice((-300, -30, -2, 11, 12, 13, 23.9, 24.1, 40)))
    end = start + timedelta(minutes=chance.choice((-3000, -1500, -600, 5, 50, 500)))
    rows = "".join(
        f"<m>{some('anios', '', '3', '50', '95')}{some('codigo', '', 'a', 'b', ' a')}</m>"
        for _ in range(chance.choice((0, 0, 1, 2, 3)))
    )
    return (
        chance.choice((f"<start>{start.isoformat(timespec='milliseconds')}</start>", ""))
        + chance.choice((f"<end>{end.isoformat(timespec='milliseconds')}</end>", "", "<end>mañana</end>"))
        + some("cedula", "", "1", "2", "3", *(str(number) for number in range(10, 30)))
        + some("edad", "", "5", "30", "91", "x")
        + some("gps", "", "8.9 -79.5 0 5", "8.9 -79.5 0 30", "0 0 0 0", "aquí")
        + some("p1", "", "1", "2")
        + some("p2", "", "1", "2")
        + some("p3", "", "1", "2")
        + rows
    )


def random_log(chance: random.Random) -> bytes:
    at, lines = 0, []
    for number in range(chance.choice((0, 1, 5))):
        lasting = chance.choice((100, 4_000, 300_000))
        lines.append(f"question,/data/q{number},{at},{at + lasting}")
        at += lasting
    return "\n".join(["event,node,start,end", *lines, ""]).encode()


@pytest.mark.parametrize("seed", range(3))
def test_what_arrives_is_flagged_as_a_look_through_everything_flags_it(desk: Desk, phone: Wire, seed: int):
    chance = random.Random(seed)
    now = desk.office.clock()
    publish(desk, SURVEY, choices=LIST, checks=CHECKS)
    newest: dict[str, str] = {}
    for number in range(40):
        eldest = f"s{number}" if not newest or chance.random() < 0.6 else chance.choice(list(newest))
        name = f"s{number}"
        edits = newest.get(eldest)
        meta = "<meta><audit>audit.csv</audit><instanceID>uuid:{}</instanceID>{}</meta>".format(
            name, f"<deprecatedID>uuid:{edits}</deprecatedID>" if edits else ""
        )
        xml = f'<data id="hogar" version="1">{random_answers(chance, now)}{meta}</data>'.encode()
        files = {"audit.csv": random_log(chance)}
        if chance.random() < 0.4:
            assert phone.post(xml).status == 201  # the log comes later, or never
            if chance.random() < 0.5:
                assert phone.post(xml, files).status == 201
        else:
            assert phone.post(xml, files).status == 201
        newest[eldest] = name
    assert desk.failures() == []
    arrived = raised(desk)
    assert {one[0] for one in arrived} > {
        "builtin:clock",
        "builtin:type",
        "mayor",
        "doble",
        "codigo",
        "lento",
        "rapido",
    }

    done = desk.act(lambda ctx: flags.run(ctx, PROJECT, "hogar"))

    assert (done.settled.added, done.settled.gone) == (0, 0)
    assert raised(desk) == arrived
    rebuild(desk)
    assert raised(desk) == arrived


def test_two_submissions_that_turn_out_to_be_one_have_one_key(desk: Desk, phone: Wire):
    publish(desk, SURVEY, choices=LIST, checks=CHECKS)
    send(phone, "<cedula>1</cedula>", "a")
    send(phone, "<cedula>1</cedula>", "c", edits="b")  # an edit of what has not come yet
    assert found(desk, "doble") == {"a": "1", "b": "1"}

    send(phone, "<cedula>1</cedula>", "b", edits="a")  # now they are one chain

    assert desk.submissions() == 1
    assert found(desk, "doble") == {}
    assert desk.failures() == []


def test_submissions_of_one_key_that_arrive_at_once_are_all_flagged(desk: Desk, phone: Wire):
    publish(desk, SURVEY, choices=LIST, checks=CHECKS)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: send(phone, f"<cedula>{number % 3}</cedula>", f"{number:02}"), range(18)))

    assert found(desk, "doble") == {f"{number:02}": str(number % 3) for number in range(18)}
    assert desk.failures() == []


def test_what_nobody_can_read_is_not_blank(desk: Desk, phone: Wire):
    sheet = table(
        "checks", "name | label | when | builtin", "nada | Nada | ${cedula} = '' |", "sin | Sin | | gps_missing"
    )
    publish(desk, SURVEY, choices=LIST, checks=sheet)
    phone.post(
        b'<data xmlns="http://www.opendatakit.org/xforms/encrypted" id="hogar" version="1" encrypted="yes">'
        b"<base64EncryptedKey>x</base64EncryptedKey>"
        b'<orx:meta xmlns:orx="http://openrosa.org/xforms"><orx:instanceID>uuid:e</orx:instanceID></orx:meta>'
        b"<encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>"
    )
    send(phone, "", "blank")

    assert [one[:2] for one in raised(desk)] == [("nada", "blank"), ("sin", "blank")]


def test_a_running_server_computes_medians_anew_once_there_are_many_more_records(desk: Desk, phone: Wire):
    sheet = table("checks", "name | label | builtin | fields", "raro | Raro | outlier | edad")
    publish(desk, SURVEY, choices=LIST, checks=sheet)
    for number in range(25):
        send(phone, f"<edad>{30 + number}</edad>", f"{number:02}")
    send(phone, "<edad>900</edad>", "high")
    assert raised(desk) == []
    assert desk.ask(flags.list_grown) == [(PROJECT, "hogar")]

    Schedule(desk.office)._look_through()

    assert found(desk, "raro") == {"high": "900"}
    assert desk.ask(flags.list_grown) == []


def test_a_version_that_breaks_a_check_of_the_logframe_says_so_and_goes_on(desk: Desk, phone: Wire):
    publish(desk, SURVEY, choices=LIST)
    declare(desk, table("checks", "name | label | form | when", "mayor | Mayor | hogar | ${edad} > 90"))
    send(phone, "<edad>91</edad>", "a")
    assert found(desk, "mayor") == {"a": "91"}

    made = desk.draft(
        SURVEY.replace("integer | edad", "select_one l | edad")
        + LIST
        + table("settings", "form_id | form_title | version", "hogar | hogar | 2")
    )
    assert "«mayor», de otro libro del proyecto, dejaría de valer" in " ".join(one.sentence.es for one in made.findings)
    publish(desk, SURVEY.replace("integer | edad", "select_one l | edad"), choices=LIST, version="2")

    assert raised(desk) == []
    send(phone, "<edad>2</edad>", "b", version="2")
    assert desk.failures() == []

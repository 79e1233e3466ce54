"""What nobody allowed is not stored: consent per purpose, and refusals that are counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from forms.library import bundled
from forms.problems import Problem
from server.actions import drafts, workbooks
from server.model.audits import audits
from server.model.submissions import submission_attachments, submission_versions
from server.store import submissions, withheld
from tests.server.api.clients import client
from tests.server.desk import Desk, form
from tests.server.wire import Wire, instance, new_id

YES_NO = """
| | list_name | name | label |
| | sn | yes | Sí |
| | sn | no | No |
| | m | time | Tiempo |
| | m | fear | Miedo |
"""
VISIT = """
| | type | name | label | consent | privacy |
| | select_one sn | consent | ¿Acepta? | | |
| | select_one m | why_not | ¿Por qué? | | |
| | select_one sn | consent_gps | ¿Ubicación? | | |
| | select_one sn | consent_photo | ¿Foto? | | |
| | begin group | main | Entrevista | consent | |
| | geopoint | home | Casa | consent_gps | direct |
| | image | photo | Foto | consent_photo | direct |
| | integer | size | Personas | | |
| | begin repeat | member | Persona | | |
| | text | m_name | Nombre | | direct |
| | end repeat | | | | |
| | end group | | | | |
"""
SHEET = form("visita", VISIT, choices=YES_NO)
PLACE = "8.9824 -79.5199 12.0 4.5"
HOME = f"<home>{PLACE}</home>"
MAIN = f"<main>{HOME}<photo>a.jpg</photo><size>2</size><member><m_name>Ana</m_name></member></main>"


def answers(main: str = MAIN, *, consent: str = "yes", gps: str = "yes", photo: str = "yes", why: str = "") -> str:
    return (
        f"<consent>{consent}</consent><why_not>{why}</why_not><consent_gps>{gps}</consent_gps>"
        f"<consent_photo>{photo}</consent_photo>{main}"
    )


def everything_kept(desk: Desk, data: Path) -> bytes:
    """Whatever stands in the database or on the disk of the blobs, as one heap of bytes."""
    heap = []

    def dump(conn):
        for name, table in (("v", submission_versions), ("a", submission_attachments), ("l", audits)):
            heap.append(f"{name} {conn.execute(select(table)).all()!r}".encode())
        heap.extend(bytes(xml) for xml in conn.execute(select(submission_versions.c.xml)).scalars())

    desk.look(dump)
    heap.extend(repr(rows).encode() for rows in desk.tables("visita").values())
    heap.extend(repr(flag).encode() for flag in desk.flags("visita"))
    heap.extend(file.read_bytes() for file in sorted(data.rglob("*")) if file.is_file())
    return b"\n".join(heap)


def test_practice_2_gps_without_consent_is_not_stored(desk: Desk, phone: Wire, settings):
    desk.publish(SHEET)

    assert phone.post(instance("visita", answers(gps="no"), instance_id="uuid:1"), {"a.jpg": b"FOTO"}).status == 201

    (row,) = desk.rows("visita")
    assert [row[f"home_{part}"] for part in ("latitude", "longitude", "altitude", "accuracy")] == [None] * 4
    assert (row["size"], row["photo"]) == (2, "a.jpg")
    kept = everything_kept(desk, settings.data)
    assert (b"8.9824" in kept, b"79.5199" in kept, b"FOTO" in kept) == (False, False, True)


def test_practice_2_gps_with_consent_is_stored_byte_for_byte(desk: Desk, phone: Wire, settings):
    desk.publish(SHEET)
    sent = instance("visita", answers(), instance_id="uuid:1")

    assert phone.post(sent, {"a.jpg": b"FOTO"}).status == 201

    assert desk.xml_of("uuid:1") == sent
    assert desk.rows("visita")[0]["home_latitude"] == 8.9824
    assert b"79.5199" in everything_kept(desk, settings.data)


def test_practice_2_a_photo_without_consent_never_reaches_the_disk(desk: Desk, phone: Wire, settings):
    desk.publish(SHEET)
    sent = instance("visita", answers(photo="no"), instance_id="uuid:1")

    assert phone.post(sent, {"a.jpg": b"FOTO SIN PERMISO"}).status == 201
    assert phone.post(sent, {"a.jpg": b"FOTO SIN PERMISO"}).status == 201  # and not when it is sent again

    assert desk.files("uuid:1") == {}
    assert b"FOTO SIN PERMISO" not in everything_kept(desk, settings.data)


def test_what_was_not_kept_is_written_down_with_the_consent_that_is_missing(desk: Desk, phone: Wire):
    desk.publish(SHEET)
    phone.post(instance("visita", answers(gps="no"), instance_id="uuid:1"), {"a.jpg": b"F"})
    form_id = desk.form_row_id("visita")

    def read(conn):
        found = submissions.find(conn, form_id, "uuid:1")
        assert found is not None
        lines = conn.execute(select(audits.c.details).where(audits.c.action == "submission.withhold")).scalars().all()
        return withheld.list_of_submission(conn, found.id), lines

    (one,), lines = desk.look(read)
    assert (one.path, one.question, one.given, one.answers) == ("/main/home", "/consent_gps", "yes", 1)
    assert lines == [{"fields": [{"path": "/main/home", "consent": "/consent_gps", "answers": 1}]}]


def test_the_same_instance_is_recognised_whatever_was_withheld_of_it(desk: Desk, phone: Wire):
    desk.publish(SHEET)
    sent = instance("visita", answers(gps="no"), instance_id="uuid:1")

    told = [phone.post(sent).status, phone.post(sent, {"a.jpg": b"F"}).status]
    changed = phone.post(sent.replace(b"<size>2<", b"<size>3<"))

    assert (told, changed.status) == ([201, 201], 409)
    assert (desk.submissions(), desk.files("uuid:1")) == (1, {"a.jpg": b"F"})
    assert len(desk.versions("visita", "uuid:1")) == 1


def test_an_instance_is_recognised_after_another_version_guards_more(desk: Desk, phone: Wire):
    unguarded = SHEET.replace("| Casa | consent_gps |", "| Casa | |")
    desk.publish(unguarded)
    sent = instance("visita", answers(gps="no"), instance_id="uuid:1")
    assert phone.post(sent).status == 201
    assert b"8.9824" in desk.xml_of("uuid:1")

    desk.publish(SHEET.replace("| visita | 1 |", "| visita | 2 |"))

    assert phone.post(sent).status == 201
    assert phone.post(sent.replace(b"<size>2<", b"<size>3<")).status == 409
    assert phone.post(instance("visita", answers(gps="no"), instance_id="uuid:2")).status == 201  # still of version 1
    assert (desk.submissions(), b"8.9824" in desk.xml_of("uuid:2")) == (2, False)


def test_consents_written_later_into_the_very_same_form_hold_from_then_on(desk: Desk, phone: Wire):
    desk.publish(SHEET.replace("| Casa | consent_gps |", "| Casa | |"))
    phone.post(instance("visita", answers(gps="no"), instance_id="uuid:1"))

    assert desk.publish(SHEET).again

    phone.post(instance("visita", answers(gps="no"), instance_id="uuid:2"))
    assert [b"8.9824" in desk.xml_of(key) for key in ("uuid:1", "uuid:2")] == [True, False]


def test_an_edit_is_judged_by_its_own_answers(desk: Desk, phone: Wire):
    desk.publish(SHEET)
    phone.post(instance("visita", answers(), instance_id="uuid:1"))

    phone.post(instance("visita", answers(gps="no"), instance_id="uuid:2", deprecated_id="uuid:1"))

    assert desk.rows("visita")[0]["home_latitude"] is None
    assert b"8.9824" not in desk.xml_of("uuid:2")


def test_a_trial_of_a_draft_is_judged_too(desk: Desk, phone: Wire, settings):
    made = desk.draft(SHEET)
    test = Wire(phone.send, f"/v1/test/{made.test_token}/projects/1/forms/visita/draft")

    sent = instance("visita", answers(gps="no", photo="no"), instance_id="uuid:1")
    assert test.post(sent, {"a.jpg": b"PRUEBA"}).status == 201

    assert b"8.9824" not in desk.xml_of("uuid:1")
    assert not any(b"PRUEBA" in file.read_bytes() for file in settings.data.rglob("*") if file.is_file())


def test_a_cell_of_consent_that_cannot_be_meant_is_told_with_its_place(desk: Desk):
    broken = SHEET.replace("| Casa | consent_gps |", "| Casa | consent_gpss |")

    with pytest.raises(Problem) as told:
        desk.draft(broken)

    assert "fila 7, columna consent: no hay ninguna pregunta «consent_gpss»" in told.value.say("es")


INDICATORS = """
| indicators |
| | name | label | type | form | where | disaggregate | minimum_n |
| | rechazos | Rechazos | count | visita | ${consent} = 'no' | why_not | 1 |
"""


def test_practice_3_refusals_are_counted_by_reason_and_leave_no_people(desk: Desk, phone: Wire):
    desk.publish(SHEET + INDICATORS)
    for why, how_many in (("time", 2), ("fear", 1)):
        for _ in range(how_many):
            refused = answers(
                consent="no", why=why
            )  # a phone would not send what is not relevant; nothing relies on it
            assert phone.post(instance("visita", refused, instance_id=new_id())).status == 201
    phone.post(instance("visita", answers(), instance_id=new_id()))

    assert [row["m_name"] for row in desk.rows("visita", "/main/member")] == ["Ana"]
    assert [(row["consent"], row["why_not"], row["size"]) for row in desk.rows("visita")] == [
        *[("no", "time", None)] * 2, ("no", "fear", None), ("yes", None, 2),
    ]  # fmt: skip
    told = client(desk, phone.send, "manager").json("/indicators/rechazos/values?by=why_not&period=all")
    assert [(one["categories"]["why_not"], one["value"]) for one in told["values"]] == [("fear", 1.0), ("time", 2.0)]


def test_practice_3_a_refusal_of_the_bundled_survey_leaves_no_household_members(desk: Desk, phone: Wire):
    survey = bundled()[0]
    checked = workbooks.read(survey.workbook.read_bytes(), survey.workbook.name)
    desk.act(lambda ctx: drafts.upload(ctx, desk.project_id, checked, original=None, name=survey.workbook.name))
    desk.act(lambda ctx: drafts.publish(ctx, desk.project_id, survey.name))
    refused = (
        "<ident><area>urban</area><hh_available>yes</hh_available></ident>"
        "<consent_grp><consent>no</consent><refusal_why>time</refusal_why></consent_grp>"
        f"<main><location><hh_gps>{PLACE}</hh_gps></location><roster><hh_size>1</hh_size>"
        "<member><m_name>Ana</m_name></member></roster><comments>Vive sola</comments></main>"
    )

    sent = instance("hh_baseline", refused, version="2026010101", instance_id="uuid:1")
    assert phone.post(sent).status == 201

    (row,) = desk.rows("hh_baseline")
    assert (row["consent"], row["refusal_why"], row["hh_size"], row["comments"]) == ("no", "time", None, None)
    assert desk.rows("hh_baseline", "/main/roster/member") == []
    assert [secret in desk.xml_of("uuid:1") for secret in (b"Ana", b"8.9824", b"Vive sola")] == [False] * 3
    assert desk.failures() == []

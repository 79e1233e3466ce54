"""What every answer to a phone looks like: status codes, headers, sentences."""

from __future__ import annotations

import re

import pytest

from server.app import create_app
from tests.server.desk import ON_SQLITE, PROJECT, TOKEN, Desk, form, questions
from tests.server.wire import Wire, instance, to_app

ONE = form("hogar", questions("integer edad", "image foto"))


def test_case_01_post_answers_201_and_head_204(desk: Desk, phone: Wire):
    desk.publish(ONE)

    head, post = phone.head(), phone.post(instance("hogar", "<edad>5</edad>"))

    assert (head.status, head.body) == (204, b"")
    assert post.status == 201


@ON_SQLITE
def test_case_01_head_announces_how_much_one_request_may_hold(desk: Desk, phone: Wire):
    head = phone.head()

    assert head.headers["X-OpenRosa-Accept-Content-Length"] == "5000000"
    assert head.headers["X-OpenRosa-Version"] == "1.0"
    assert "Location" not in head.headers


@ON_SQLITE
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_case_01_other_methods_on_submission_are_answered_405_in_openrosa(phone: Wire, method: str):
    answer = phone.send(method, f"{phone.root}/submission", {}, b"")

    assert answer.status == 405
    assert answer.message


@ON_SQLITE
def test_case_02_documents_are_text_xml_and_say_openrosa(desk: Desk, phone: Wire):
    desk.publish(ONE)
    desk.publish(
        form("escuela", questions("select_one_from_file escuelas.csv escuela")), {"escuelas.csv": b"name,label\na,A\n"}
    )

    for path in ("/formList", "/forms/escuela/manifest", "/forms/escuela.xml"):
        answer = phone.get(path)
        assert answer.status == 200
        assert answer.headers["Content-Type"].split(";")[0] == "text/xml"
        assert answer.headers["X-OpenRosa-Version"] == "1.0"


@ON_SQLITE
def test_every_answer_carries_a_clock_with_24_hours(phone: Wire):
    date = phone.get("/formList").headers["Date"]

    assert re.fullmatch(r"\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT", date)


@ON_SQLITE
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"hola", 400),
        (b"<data id='hogar'>", 400),
        (b"<data id='hogar'/>", 400),
        (b"<data><meta><instanceID>uuid:1</instanceID></meta></data>", 400),
        (instance("nadie"), 404),
        (b"\xff\xfe\x00", 400),
        (b"<?xml version='1.0' encoding='nada'?><data id='hogar'/>", 400),
    ],
    ids=["empty", "text", "cut", "no-instance-id", "no-form-id", "unknown-form", "bytes", "encoding"],
)
def test_case_26_what_cannot_be_kept_is_refused_in_plain_words(desk: Desk, phone: Wire, body: bytes, status: int):
    desk.publish(ONE)

    answer = phone.post(body)

    assert answer.status == status
    assert len(answer.message) > 20
    assert "Traceback" not in answer.message
    assert desk.submissions() == 0


@ON_SQLITE
def test_case_26_without_the_xml_part_the_answer_names_it(desk: Desk, phone: Wire):
    answer = phone.post(None, {"foto.jpg": b"x"})

    assert (answer.status, answer.message) == (400, "Al envío le falta la parte xml_submission_file.")


@ON_SQLITE
@pytest.mark.parametrize("content_type", ["text/xml", "multipart/form-data", "multipart/form-data; boundary=zzz", ""])
def test_case_26_a_body_that_is_no_multipart_is_refused_in_openrosa(desk: Desk, phone: Wire, content_type: str):
    answer = phone.raw(instance("hogar"), content_type)

    assert answer.status == 400
    assert answer.message


@ON_SQLITE
def test_case_26_messages_are_english_where_the_server_speaks_english(office, desk: Desk):
    english = type(office)(office.settings.with_(language="en"), office.database, office.blobs, office.clock)
    desk.publish(ONE)
    phone = Wire(to_app(create_app(english)), f"/v1/key/{TOKEN}/projects/{PROJECT}")

    assert phone.post(instance("hogar")).message == "Received and kept. Thank you!"
    assert phone.post(instance("otro")).message.startswith("This project has no form “otro”.")


def test_case_26_unknown_paths_and_projects_are_told_in_openrosa(desk: Desk, phone: Wire):
    nowhere = Wire(phone.send, f"/v1/key/{TOKEN}/projects/99")

    for answer in (nowhere.get("/formList"), nowhere.head(), nowhere.post(instance("hogar"))):
        assert answer.status in (403, 404)
    assert nowhere.post(instance("hogar")).message
    assert nowhere.get("/formList").message


def test_odd_identities_of_devices_do_not_stop_a_submission(desk: Desk, phone: Wire):
    desk.publish(ONE)

    for number, device in enumerate(["", "ñandú", "x" * 5000, "collect:\x00abc", "a&b=c", None]):
        assert phone.post(instance("hogar", instance_id=f"uuid:{number}"), device=device).status == 201

    kept = [row["_device_id"] for row in desk.whole_rows("hogar")]
    assert kept == [None, "ñandú", "x" * 200, "collect:abc", "a&b=c", None]


@pytest.mark.parametrize("path", ["/forms/%00.xml", "/forms/hogar%00/manifest", "/forms/hogar/attachments/%00", "/%00"])
def test_a_nul_in_a_path_finds_nothing(desk: Desk, phone: Wire, path: str):
    desk.publish(ONE)

    assert phone.get(path).status == 404


@ON_SQLITE
@pytest.mark.parametrize("form_id", ["a&#29;b", "a&lt;b&gt;&amp;", "&#x1F600;", "x" * 250])
def test_case_26_a_message_about_anything_is_well_formed(desk: Desk, phone: Wire, form_id: str):
    xml = instance("hogar", "<q/>").replace(b'id="hogar"', f'id="{form_id}"'.encode())

    answer = phone.post(xml)

    assert answer.status == 404
    assert answer.message.startswith("Este proyecto no tiene ningún formulario «")


@ON_SQLITE
@pytest.mark.parametrize("date", ["Thu, 01 Jan 1970 05:00:00 GMT", "Wed, 25 Nov 2026 00:61:00 GMT", "ayer", "\xff", ""])
def test_case_15_the_date_of_a_request_is_not_read(desk: Desk, phone: Wire, date: str):
    desk.publish(ONE)

    assert phone.get("/formList", Date=date).status == 200

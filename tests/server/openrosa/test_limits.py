"""Strangers' input: too large, too deep, dangerous; and how much time and memory it may take."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

import pytest
import requests

from server.settings import Settings
from tests.server.desk import ON_SQLITE, PROJECT, TOKEN, Desk, form, questions
from tests.server.serving import serving
from tests.server.wire import Wire, instance, to_server

HOUSE = form("hogar", questions("text nombre", "image foto", "begin repeat m", "text n", "integer e", "end repeat"))
ROOT = f"/v1/key/{TOKEN}/projects/{PROJECT}"


@ON_SQLITE
@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE data [<!ENTITY a "aaaa">]>',
        '<!DOCTYPE data [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE data SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<!doctype data [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>',
    ],
)
def test_case_25_a_doctype_is_refused_and_nothing_is_fetched_or_expanded(desk: Desk, phone: Wire, prolog: str):
    desk.publish(HOUSE)
    xml = instance("hogar", "<nombre>&a;</nombre>").decode().partition("?>")[2]

    for body in (f"{prolog}{xml}".encode(), f'<?xml version="1.0" encoding="UTF-16"?>{prolog}{xml}'.encode("utf-16")):
        answer = phone.post(body)
        assert answer.status == 400
        assert "root:" not in answer.message

    assert desk.submissions() == 0


@ON_SQLITE
@pytest.mark.parametrize("name", ["../x", "..", ".", "/etc/passwd", "a/b", "..\\\\x", "a\x07b", "", "x" * 300, " "])
def test_case_25_file_names_that_lead_elsewhere_are_refused(desk: Desk, phone: Wire, name: str):
    desk.publish(HOUSE)
    boundary = "b"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="xml_submission_file"; filename="a.xml"\r\n'
        "Content-Type: text/xml\r\n\r\n".encode()
        + instance("hogar", "<nombre>Ana</nombre>")
        + f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="x"; filename="{name}"\r\n\r\nA\r\n'
        f"--{boundary}--\r\n".encode()
    )

    answer = phone.raw(body, f"multipart/form-data; boundary={boundary}")

    if name == "":
        assert answer.status == 201  # no file name at all: a plain field, which is no file
        assert desk.submissions() == 1
        return
    assert answer.status == 400
    assert answer.message.startswith("El nombre de archivo")
    assert desk.submissions() == 0
    assert not [path for path in desk.office.settings.data.rglob("*") if path.is_file()]


@ON_SQLITE
def test_case_25_an_xml_that_is_too_deep_is_refused(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    answer = phone.post(instance("hogar", "<a>" * 300 + "</a>" * 300))

    assert answer.status == 400
    assert answer.message.startswith("El contenido no es XML bien formado")


@ON_SQLITE
@pytest.mark.parametrize("field", ["id", "version", "instance_id", "deprecated_id"])
def test_case_25_identities_that_no_phone_makes_are_refused(desk: Desk, phone: Wire, field: str):
    desk.publish(HOUSE)
    given = {"id": "hogar", "version": "1", "instance_id": "uuid:1", field: "x" * 251}

    answer = phone.post(
        instance(
            given["id"],
            version=given["version"],
            instance_id=given["instance_id"],
            deprecated_id=given.get("deprecated_id"),
        )
    )

    assert (answer.status, "250" in answer.message) == (400, True)


@ON_SQLITE
def test_case_17_an_xml_over_its_limit_is_told_413_in_openrosa(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    answer = phone.post(instance("hogar", f"<nombre>{'x' * 10_000_001}</nombre>"))

    assert (answer.status, answer.message) == (413, "xml_submission_file: supera el máximo de 10 MB.")


@ON_SQLITE
def test_case_17_a_body_over_the_limit_is_told_413_in_openrosa_and_not_in_html(desk: Desk, settings: Settings):
    desk.publish(HOUSE)
    with serving(settings.data, settings.database_url, max_body=1_000_000) as server:
        phone = Wire(to_server(server.url), ROOT)

        answer = phone.post(instance("hogar"), {"a.jpg": b"x" * 1_500_000})

        assert answer.status == 413
        assert answer.message == "El envío / the submission: supera el máximo de 1 MB."
        assert phone.post(instance("hogar", "<nombre>Ana</nombre>"), {"a.jpg": b"x" * 900_000}).status == 201


@ON_SQLITE
@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
def test_case_17_a_large_body_does_not_sit_in_memory(desk: Desk, settings: Settings, tmp_path: Path):
    desk.publish(HOUSE)
    with serving(settings.data, settings.database_url) as server:
        phone = Wire(to_server(server.url), ROOT)
        assert phone.post(instance("hogar", "<nombre>Ana</nombre>"), {"a.jpg": b"A"}).status == 201
        before = server.peak_memory()

        film = bytes(range(256)) * (100_000_000 // 256)
        assert phone.post(instance("hogar", "<foto>b.mp4</foto>", instance_id="uuid:2"), {"b.mp4": film}).status == 201

        assert server.peak_memory() - before < 16_000_000
    assert desk.files("uuid:2") == {"b.mp4": film}


@ON_SQLITE
def test_case_17_a_phone_that_stops_half_way_leaves_nothing_and_holds_up_nobody(desk: Desk, settings: Settings):
    desk.publish(HOUSE)
    with serving(settings.data, settings.database_url, threads=2) as server:
        host, port = server.url.removeprefix("http://").split(":")
        stalled = [socket.create_connection((host, int(port))) for _ in range(20)]
        for one in stalled:
            head = f"POST {ROOT}/submission HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            one.sendall(f"{head}Content-Length: 100000\r\n\r\n--b\r\n".encode())

        begun = time.monotonic()
        assert Wire(to_server(server.url), ROOT).post(instance("hogar", "<nombre>Ana</nombre>")).status == 201
        assert time.monotonic() - begun < 5

        for one in stalled:
            one.close()
    assert desk.submissions() == 1


def test_case_18_thousands_of_repeat_rows_and_megabytes_are_answered_in_time(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    members = "".join(f"<m><n>{'persona ' * 200}{number}</n><e>{number}</e></m>" for number in range(3000))
    xml = instance("hogar", f"<nombre>Ana</nombre>{members}")
    assert len(xml) > 4_800_000

    begun = time.monotonic()
    answer = phone.post(xml)

    assert (answer.status, time.monotonic() - begun < 30) == (201, True)
    rows = desk.rows("hogar", "/m")
    assert (len(rows), rows[2999]["e"]) == (3000, 2999)


@ON_SQLITE
def test_case_06_a_trusted_proxy_says_how_phones_reach_the_server(desk: Desk, settings: Settings):
    desk.publish(HOUSE)
    forwarded = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "datos.example.org",
        "X-Forwarded-For": "203.0.113.9",
    }
    for trusted, prefix in (("127.0.0.1", "https://datos.example.org/"), ("", None)):
        with serving(settings.data, settings.database_url, trusted_proxy=trusted) as server:
            answer = Wire(to_server(server.url), ROOT).get("/formList", **forwarded)
            url = answer.xml[0].findtext("{*}downloadUrl") or ""
            assert url.startswith(prefix or f"{server.url}/")


@ON_SQLITE
def test_case_21_a_long_request_line_is_taken(desk: Desk, settings: Settings):
    """A phone names every offline entity in one URL: 2,000 ids are 78 kB."""
    desk.publish(HOUSE)
    with serving(settings.data, settings.database_url) as server:
        answer = requests.get(f"{server.url}{ROOT}/formList?id={'a' * 100_000}", timeout=30)

    assert answer.status_code == 200

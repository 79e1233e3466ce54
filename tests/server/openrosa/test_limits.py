"""Strangers' input: too large, too deep, dangerous; and how much time and memory it may take."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.app import open_office
from server.settings import Settings
from tests.helpers.databases import Databases
from tests.server.conftest import prepared
from tests.server.desk import ON_SQLITE, PROJECT, TOKEN, Desk, form, open_desk, questions
from tests.server.serving import Server, serving
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


@dataclass(frozen=True)
class Running:
    """A server process over a prepared SQLite with the form published."""

    desk: Desk
    server: Server
    wire: Wire


@contextmanager
def running(databases: Databases, folder: Path, **settings: object) -> Iterator[Running]:
    with databases.fresh("sqlite", folder, prepared) as url:
        office = open_office(Settings(data=folder / "data", database_url=url))
        desk = open_desk(office)
        desk.publish(HOUSE)
        with serving(folder / "data", url, **settings) as server:
            yield Running(desk, server, Wire(to_server(server.url), ROOT))
        office.database.close()


@pytest.fixture(scope="module")
def plain(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server as it comes."""
    with running(databases, tmp_path_factory.mktemp("plain")) as made:
        yield made


@pytest.fixture(scope="module")
def proxied(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server behind a proxy, that takes little."""
    with running(databases, tmp_path_factory.mktemp("small"), max_body=1_000_000, trusted_proxy="127.0.0.1") as made:
        yield made


def test_case_17_a_body_over_the_limit_is_told_413_in_openrosa_and_not_in_html(proxied: Running):
    answer = proxied.wire.post(instance("hogar"), {"a.jpg": b"x" * 1_500_000})

    assert (answer.status, answer.message) == (413, "El envío / the submission: supera el máximo de 1 MB.")
    assert proxied.wire.post(instance("hogar", "<nombre>Ana</nombre>"), {"a.jpg": b"x" * 900_000}).status == 201


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
def test_case_17_a_large_body_does_not_sit_in_memory(plain: Running):
    assert plain.wire.post(instance("hogar", "<nombre>Ana</nombre>"), {"a.jpg": b"A"}).status == 201
    before = plain.server.peak_memory()
    film = bytes(range(256)) * (100_000_000 // 256)

    assert plain.wire.post(instance("hogar", "<foto>b.mp4</foto>", instance_id="uuid:b"), {"b.mp4": film}).status == 201

    assert plain.server.peak_memory() - before < 16_000_000
    assert plain.desk.files("uuid:b") == {"b.mp4": film}


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


FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "datos.example.org", "X-Forwarded-For": "203.0.113.9"}


def test_case_06_a_trusted_proxy_says_how_phones_reach_the_server(proxied: Running):
    listed = proxied.wire.get("/formList", **FORWARDED)

    assert (listed.xml[0].findtext("{*}downloadUrl") or "").startswith("https://datos.example.org/v1/")


@pytest.mark.parametrize(
    ("forwarded", "root"),
    [
        ({"X-Forwarded-Host": "datos.example.org:8443"}, "https://datos.example.org:8443"),
        ({"X-Forwarded-Proto": "http", "X-Forwarded-Host": "192.168.4.1"}, "http://192.168.4.1"),
        ({"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}, "https://datos.example.org"),
        ({"X-Forwarded-Host": "otro.example.org, datos.example.org"}, "https://datos.example.org"),
    ],
)
def test_case_06_a_trusted_proxy_is_read_as_proxies_write(proxied: Running, forwarded: dict[str, str], root: str):
    listed = proxied.wire.get("/formList", **{**FORWARDED, **forwarded})

    assert [line.findtext("{*}downloadUrl") for line in listed.xml] == [f"{root}{ROOT}/forms/hogar.xml"]


def test_case_06_an_encoded_slash_in_a_form_id_reaches_the_form(plain: Running):
    name = "zona/2026 ñ"
    plain.desk.publish(form(name, questions("text nombre")))
    try:
        url = plain.wire.forms()[name]["downloadUrl"]
        assert url == f"{plain.server.url}{ROOT}/forms/zona%2F2026%20%C3%B1.xml"
        assert plain.wire.follow(url).status == 200
        assert plain.wire.post(instance(name)).status == 201
    finally:
        plain.desk.delete_form(name)


def test_case_06_nobody_else_is_believed(plain: Running):
    listed = plain.wire.get("/formList", **FORWARDED)

    assert (listed.xml[0].findtext("{*}downloadUrl") or "").startswith(f"{plain.server.url}/v1/")


def test_case_21_a_long_request_line_is_taken(plain: Running):
    """A phone names every offline entity in one URL: 2,000 ids are 78 kB."""
    assert plain.wire.get(f"/formList?id={'a' * 100_000}").status == 200

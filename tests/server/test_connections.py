"""What happens on a connection, byte for byte: how long it is kept, and what no two readers may read differently."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from urllib.parse import urlsplit

import pytest

from server.app import open_office
from server.settings import Settings
from tests.helpers.databases import Databases
from tests.server.conftest import prepared
from tests.server.desk import PROJECT, TOKEN, form, open_desk, questions
from tests.server.serving import serving
from tests.server.wire import Answer, Headers, instance

ROOT = f"/v1/key/{TOKEN}/projects/{PROJECT}"
CHUNKED = "Transfer-Encoding: chunked\r\n"


@dataclass(frozen=True)
class Raw:
    """One connection, on which anything can be written."""

    socket: socket.socket

    def ask(self, method: str, path: str, headers: str = "", body: bytes = b"", *, version: str = "1.1") -> Answer:
        """What is answered to one request; the connection stays as the server leaves it."""
        self.socket.sendall(f"{method} {path} HTTP/{version}\r\nHost: h.example\r\n{headers}\r\n".encode() + body)
        with HTTPResponse(self.socket, method=method) as response:
            response.begin()
            return Answer(response.status, Headers(response.getheaders()), response.read())

    def closed(self) -> bool:
        """Whether the server has closed it; waits until it does, or two seconds."""
        self.socket.settimeout(2)
        try:
            return self.socket.recv(1) == b""
        except TimeoutError:
            return False


@pytest.fixture(scope="module")
def address(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """A server with a form."""
    folder = tmp_path_factory.mktemp("connections")
    with databases.fresh("sqlite", folder, prepared) as url:
        office = open_office(Settings(data=folder / "data", database_url=url))
        open_desk(office).publish(form("hogar", questions("text nombre")))
        office.database.close()
        with serving(folder / "data", url, threads=4, max_body=1_000_000) as server:
            parts = urlsplit(server.url)
            yield str(parts.hostname), int(parts.port or 0)


@pytest.fixture
def raw(address: tuple[str, int]) -> Iterator[Raw]:
    with connected(address) as made:
        yield made


@contextmanager
def connected(address: tuple[str, int]) -> Iterator[Raw]:
    with socket.create_connection(address, timeout=30) as plain:
        yield Raw(plain)


def submission(name: str) -> bytes:
    return (
        b'--B\r\nContent-Disposition: form-data; name="xml_submission_file"; filename="x.xml"\r\n\r\n'
        + instance("hogar", f"<nombre>{name}</nombre>")
        + b"\r\n--B--\r\n"
    )


def test_case_19_one_connection_serves_a_sync_in_which_nothing_changed(raw: Raw):
    """HEAD and 304 have no Content-Length; the connection stays nevertheless."""
    tag = raw.ask("GET", f"{ROOT}/formList").headers["ETag"]
    port = raw.socket.getsockname()

    for _ in range(3):
        listed = raw.ask("GET", f"{ROOT}/formList", f"If-None-Match: {tag}\r\n")
        assert (listed.status, listed.body) == (304, b"")
        assert not {"Connection", "Content-Length", "Transfer-Encoding"} & {name.title() for name in listed.headers}
    assert raw.ask("HEAD", f"{ROOT}/submission").status == 204
    body = submission("Ana")
    headers = f"Content-Type: multipart/form-data; boundary=B\r\nContent-Length: {len(body)}\r\n"
    assert raw.ask("POST", f"{ROOT}/submission", headers, body).status == 201
    assert raw.ask("GET", f"{ROOT}/forms/hogar.xml").status == 200
    assert raw.socket.getsockname() == port
    assert not raw.closed()


def test_a_connection_ends_after_an_answer_without_a_body_where_the_phone_wants_it_so(address: tuple[str, int]):
    for headers, version in (("Connection: close\r\n", "1.1"), ("", "1.0")):
        with connected(address) as raw:
            assert raw.ask("HEAD", f"{ROOT}/submission", headers, version=version).status == 204
            assert raw.closed()


def test_a_chunked_body_is_read_whole(raw: Raw):
    """pyODK and hubs send files so."""
    body = submission("Eva")
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:100], body[100:])) + b"0\r\n\r\n"

    answer = raw.ask(
        "POST", f"{ROOT}/submission", f"Content-Type: multipart/form-data; boundary=B\r\n{CHUNKED}", chunked
    )

    assert answer.status == 201


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        (f"Content-Length: 6\r\n{CHUNKED}", "1.1"),
        (f"{CHUNKED}Content-Length: 6\r\n", "1.1"),
        ("Content-Length: 6\r\nTransfer-Encoding:\r\n chunked\r\n", "1.1"),
        (f"{CHUNKED}{CHUNKED}", "1.1"),
        ("Transfer-Encoding: chunked, chunked\r\n", "1.1"),
        ("Transfer-Encoding:\r\n", "1.1"),
        ("Transfer-Encoding: gzip, chunked\r\n", "1.1"),
        (CHUNKED, "1.0"),
        ("Content-Length: 6\r\nContent-Length: 5\r\n", "1.1"),
        ("Content-Length: +6\r\n", "1.1"),
    ],
)
def test_a_body_whose_end_two_readers_see_at_different_places_is_refused(raw: Raw, headers: str, version: str):
    """Else a stranger's second request would be answered on the connection that a proxy shares among phones."""
    smuggled = f"0\r\n\r\nGET {ROOT}/formList HTTP/1.1\r\nHost: h.example\r\n\r\n".encode()

    answer = raw.ask("POST", f"{ROOT}/submission", headers, smuggled, version=version)

    assert answer.status in (400, 501)
    assert answer.message == ("La petición no llegó como el servidor la entiende. Inténtelo otra vez, o con otra red.")
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert raw.closed()


def test_case_26_what_never_reaches_the_application_is_told_to_a_phone_in_openrosa(raw: Raw):
    """A body so large that it is not read to its end."""
    answer = raw.ask("POST", f"{ROOT}/submission?deviceID=x", "Content-Length: 5000000000\r\n")

    assert (answer.status, answer.message) == (413, "HTTP: supera el máximo de 1 MB.")


def test_what_never_reaches_the_application_is_told_to_a_program_in_json(raw: Raw):
    answer = raw.ask("GET", "/v1/projects/1", "a header without a colon\r\n")

    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/json; charset=utf-8")
    assert json.loads(answer.body)["code"] == 400.1


def test_a_path_that_was_never_read_is_answered_in_json(raw: Raw):
    """Headers beyond a megabyte: waitress forgets where they were going before it answers."""
    answer = raw.ask("GET", f"{ROOT}/formList", f"X-Larga: {'x' * 1_100_000}\r\n")

    assert (answer.status, json.loads(answer.body)["code"]) == (431, 431.1)


def test_slashes_side_by_side_in_an_address_are_one(raw: Raw):
    """Collect takes all slashes from the end of the address for formList, and one for submission."""
    for path in (f"{ROOT}//formList", f"/{ROOT}/formList", f"{ROOT}//forms/hogar.xml?deviceID=a%2F%2Fb"):
        assert raw.ask("GET", path).status == 200
    assert raw.ask("HEAD", f"{ROOT}//submission").status == 204

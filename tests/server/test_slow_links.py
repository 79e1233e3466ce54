"""Phones on weak links, as many as there are threads, hold up nobody."""

from __future__ import annotations

import base64
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from sqlalchemy import create_engine, text

from tests.server.desk import ADMIN, ON_SQLITE, PROJECT, TOKEN, Desk, form, questions
from tests.server.openrosa.test_access import basic
from tests.server.serving import Server, serving
from tests.server.wire import Wire, instance

FILM: Final = bytes(range(256)) * 200_000
EXTRACT: Final = f"/v1/projects/{PROJECT}/forms/hogar/submissions.csv.zip"


def test_stalled_uploads_leave_every_thread_to_others(prepared_url: str, tmp_path: Path) -> None:
    with serving(tmp_path / "data", prepared_url, threads=4) as server, ExitStack() as stack:
        base = f"{server.url}/v1/key/{TOKEN}/projects/{PROJECT}"
        for _ in range(20):
            stack.enter_context(_stalled_upload(base))

        times = []
        for _ in range(10):
            began = time.monotonic()
            assert requests.get(f"{base}/formList", timeout=30).status_code == 200
            times.append(time.monotonic() - began)

        # a stalled upload lasts as long as this test: a server that gave it a thread would not answer at all
        assert sorted(times)[5] < 5


def test_more_idle_connections_than_waitress_takes_by_itself_hold_up_nobody(prepared_url: str, tmp_path: Path) -> None:
    with serving(tmp_path / "data", prepared_url, threads=4) as server, ExitStack() as stack:
        parts = urlsplit(server.url)
        for _ in range(150):
            stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=30))

        assert requests.get(f"{server.url}/healthz", timeout=30).status_code == 200


def _stalled_upload(base: str) -> socket.socket:
    """A phone that announced a megabyte, sent a little of it, and now waits for its network."""
    parts = urlsplit(base)
    phone = socket.create_connection((parts.hostname, parts.port), timeout=30)
    phone.sendall(
        f"POST {parts.path}/submission HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 1000000\r\n"
        "Content-Type: multipart/form-data; boundary=weak\r\n\r\n"
        "--weak\r\nContent-Disposition: form-data; name=".encode()
    )
    return phone


@pytest.mark.skipif(sys.platform != "linux", reason="looks at the open files of a process in /proc")
def test_stalled_downloads_of_media_leave_every_thread_to_others_and_copy_nothing(
    desk: Desk, prepared_url: str, tmp_path: Path
) -> None:
    sheet = "| | type | name | label | media::video |\n| | text | nombre | Nombre | film.mp4 |"
    desk.publish(form("hogar", sheet), {"film.mp4": FILM})
    path = f"/v1/key/{TOKEN}/projects/{PROJECT}/forms/hogar/attachments/film.mp4"
    with serving(tmp_path / "data", prepared_url, threads=4) as server, ExitStack() as stack:
        for _ in range(16):
            stack.enter_context(_stalled_download(server, path))

        began = time.monotonic()
        assert requests.get(f"{server.url}/v1/key/{TOKEN}/projects/{PROJECT}/formList", timeout=30).status_code == 200
        assert time.monotonic() - began < 5
        assert _temporary_bytes(server) == 0
        assert requests.get(f"{server.url}{path}", timeout=30).content == FILM


def test_stalled_downloads_of_extracts_leave_threads_and_connections_to_others(
    desk: Desk, phone: Wire, prepared_url: str, tmp_path: Path
) -> None:
    desk.publish(form("hogar", questions("text nombre")))
    for number in range(40):
        noise = base64.b64encode(os.urandom(100_000)).decode()
        assert phone.post(instance("hogar", f"<nombre>{noise}</nombre>", instance_id=f"uuid:{number}")).status == 201
    with serving(tmp_path / "data", prepared_url, threads=4) as server, ExitStack() as stack:
        for _ in range(16):
            stack.enter_context(_stalled_download(server, EXTRACT))

        began = time.monotonic()
        assert requests.get(f"{server.url}/v1/key/{TOKEN}/projects/{PROJECT}/formList", timeout=30).status_code == 200
        assert time.monotonic() - began < 5
        if prepared_url.startswith("postgresql"):
            engine = create_engine(prepared_url)
            with engine.connect() as conn:
                held = (
                    "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database()"
                )
                assert conn.execute(text(held)).scalar() == 0
            engine.dispose()


@ON_SQLITE
def test_extracts_being_made_leave_three_quarters_of_the_threads_to_phones(desk: Desk, phone: Wire, app: Flask) -> None:
    """The app has 4 threads: one extract at a time."""
    desk.publish(form("hogar", questions("text nombre")))
    phone.post(instance("hogar", "<nombre>Ana</nombre>"))
    headers = {"Authorization": basic(*ADMIN)}

    being_made = app.test_client().get(EXTRACT, headers=headers)
    second = app.test_client().get(EXTRACT, headers=headers)
    listed = phone.get("/formList")
    being_made.close()
    third = app.test_client().get(EXTRACT, headers=headers)

    assert [being_made.status_code, second.status_code, listed.status, third.status_code] == [200, 503, 200, 200]
    assert second.get_json()["es"] == (
        "Ya se están preparando otras descargas de datos. Inténtelo de nuevo en un minuto."
    )
    assert second.headers["Retry-After"] == "60"
    assert desk.audited().count("form.submission.export") == 2
    third.close()


@contextmanager
def _stalled_download(server: Server, path: str) -> Iterator[None]:
    """A download whose reader stops after the first bytes of the answer; asked for again while the server says 503."""
    parts = urlsplit(server.url)
    until = time.monotonic() + 60
    while True:
        with socket.socket() as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.settimeout(30)
            reader.connect((parts.hostname, parts.port))
            headers = f"Host: {parts.netloc}\r\nAuthorization: {basic(*ADMIN)}\r\n"
            reader.sendall(f"GET {path} HTTP/1.1\r\n{headers}\r\n".encode())
            status = reader.recv(12)
            if status == b"HTTP/1.1 200":
                yield
                return
        assert status == b"HTTP/1.1 503"
        assert time.monotonic() < until
        time.sleep(0.05)


def _temporary_bytes(server: Server) -> int:
    """What a process keeps in files that have no name any more (Linux)."""
    kept = 0
    for file in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            kept += file.stat().st_size if str(file.readlink()).endswith(" (deleted)") else 0
    return kept

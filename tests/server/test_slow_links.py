"""Phones on weak links, as many as there are threads, hold up nobody."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import requests

from tests.server.desk import PROJECT, TOKEN
from tests.server.serving import serving


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

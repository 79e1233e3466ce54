"""Connections: what is sent passes through the server and does not stay in it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.server.serving import ROOT, Server, clean_environment, free_port

PIECE = 1 << 16
_STREAMING = f"""
import sys
from pathlib import Path
from waitress.server import create_server
from server.cli import connections
from server.settings import Settings

def stream(environ, start):
    start("200 OK", [])
    return (bytes({PIECE}) for _ in range(int(environ["PATH_INFO"][1:])))

server = create_server(stream, host="127.0.0.1", port=int(sys.argv[1]), outbuf_high_watermark=1 << 32)
connections.use(server, Settings(data=Path()))
server.run()
"""


@contextmanager
def streaming() -> Iterator[Server]:
    """A server of ours whose answer to /N are N pieces."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", _STREAMING, str(port)], cwd=ROOT, env=clean_environment()) as process:
        server = Server(f"http://127.0.0.1:{port}", process)
        try:
            until = time.monotonic() + 60
            while not answers(server):
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.05)
            yield server
        finally:
            process.kill()


def answers(server: Server) -> bool:
    try:
        return requests.get(f"{server.url}/1", timeout=5).status_code == 200
    except requests.exceptions.ConnectionError:
        return False


def received(server: Server, pieces: int) -> int:
    """Bytes of an answer, read as fast as they come."""
    with requests.get(f"{server.url}/{pieces}", stream=True, timeout=60) as answer:
        return sum(len(piece) for piece in answer.iter_content(PIECE))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
def test_a_long_answer_to_a_client_that_keeps_up_does_not_sit_in_memory():
    with streaming() as server:
        assert received(server, 50) == 50 * PIECE
        before = server.peak_memory()

        assert received(server, 1600) == 1600 * PIECE  # 105 MB

        assert server.peak_memory() - before < 10_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
def test_a_long_answer_to_a_client_that_waits_does_not_sit_in_memory_and_arrives_whole():
    with streaming() as server, requests.get(f"{server.url}/1600", stream=True, timeout=60) as answer:
        before = server.peak_memory()
        time.sleep(2)  # meanwhile all of it is made
        assert sum(len(piece) for piece in answer.iter_content(PIECE)) == 1600 * PIECE

        assert server.peak_memory() - before < 10_000_000

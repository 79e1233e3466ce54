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
LONG = 1600  # pieces: 105 MB
KEPT = 30_000_000  # bytes that may stay of a long answer: far from all of it, and more than Python's own to and fro
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


def received(server: Server, pieces: int, *, waits: float) -> int:
    """Bytes of an answer, read as fast as they come, or after seconds in which all of it is made."""
    with requests.get(f"{server.url}/{pieces}", stream=True, timeout=60) as answer:
        time.sleep(waits)
        return sum(len(piece) for piece in answer.iter_content(PIECE))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
@pytest.mark.parametrize("waits", [0, 2], ids=["keeps_up", "waits"])
def test_a_long_answer_does_not_sit_in_memory_and_arrives_whole(waits: float):
    with streaming() as server:
        assert received(server, 200, waits=waits / 4) == 200 * PIECE
        before = server.peak_memory()

        assert received(server, LONG, waits=waits) == LONG * PIECE

        assert server.peak_memory() - before < KEPT

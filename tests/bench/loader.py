"""The loader: many senders over kept connections, in a process of its own and cheap enough not to be the limit."""

from __future__ import annotations

import base64
import json
import selectors
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from tests.bench.figures import percentile
from tests.bench.surveys import PLACE_OF_ID

_ROOT: Final = Path(__file__).resolve().parents[2]
_BLOCK: Final = 1 << 16
_SILENCE: Final = 30.0  # seconds without any answer: the server hangs


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run of the loader saw. Latencies in milliseconds; `cpu` is the loader's own, in processors.
    `connections`: how many it took; as many as senders where the server keeps them open."""

    answers: int
    connections: int
    seconds: float
    p50: float
    p99: float
    cpu: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds


class Loader:
    """A loader process that waits for runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, port: int, requests: Sequence[bytes], *, senders: int, seconds: float, expected: int) -> Run:
        """Send the whole `requests` (heads and bodies) in turn, each with an id of its own where PLACE_OF_ID stands.

        Every sender keeps its connection as long as the server does, and sends when the answer is there. An answer other
        than `expected` raises
        RuntimeError: a benchmark of refusals would look splendid.
        """
        job = {
            "port": port,
            "senders": senders,
            "seconds": seconds,
            "expected": expected,
            "requests": [base64.b64encode(request).decode() for request in requests],
        }
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the loader has no pipes")
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline() or '{"error": "the loader ended"}')
        if "error" in told:
            raise RuntimeError(told["error"])
        return Run(**told)


@contextmanager
def loading() -> Iterator[Loader]:
    """A loader, ended with the context."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.loader"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
    ) as process:
        try:
            yield Loader(process)
        finally:
            process.terminate()


def main() -> None:
    """Runs named on standard input, one JSON a line; what they gave on standard output."""
    for line in sys.stdin:
        try:
            told = _perform(json.loads(line))
        except (OSError, ValueError) as error:
            told = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


class _Sender:
    """One phone: a connection that is kept as long as the server keeps it."""

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self._port = port
        self._selector = selector
        self._connection: socket.socket | None = None
        self._answer = b""
        self._began = 0.0
        self.connections = 0

    def send(self, request: bytes) -> None:
        self._answer = b""
        self._began = time.perf_counter()
        if self._connection is None:
            self.connect()
        if self._connection is not None:
            self._connection.sendall(request)

    def receive(self, expected: bytes) -> float | None:
        """Seconds since the request was sent, once its whole answer is there."""
        data = self._connection.recv(_BLOCK) if self._connection is not None else b""
        self._answer += data
        if not data:
            raise ValueError(f"connection closed after {self._answer!r}")
        if not _whole(self._answer):
            return None
        seconds = time.perf_counter() - self._began
        if not self._answer.startswith(expected):
            raise ValueError(f"unexpected answer: {self._answer[:500]!r}")
        if b"\r\nconnection: close" in self._answer.partition(b"\r\n\r\n")[0].lower():
            self.close()
        return seconds

    def connect(self) -> None:
        self._connection = socket.create_connection(("127.0.0.1", self._port))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(self._connection, selectors.EVENT_READ, self)
        self.connections += 1

    def close(self) -> None:
        if self._connection is not None:
            self._selector.unregister(self._connection)
            self._connection.close()
            self._connection = None


def _perform(job: dict[str, Any]) -> dict[str, Any]:
    place = PLACE_OF_ID.encode()
    following = cycle([base64.b64decode(request).split(place) for request in job["requests"]])
    expected = f"HTTP/1.1 {job['expected']} ".encode()
    latencies: list[float] = []
    with selectors.DefaultSelector() as selector:
        senders = [_Sender(job["port"], selector) for _ in range(job["senders"])]
        for sender in senders:
            sender.connect()
        cpu, began = time.process_time(), time.perf_counter()
        for sender in senders:
            sender.send(_next(following))
        while selector.get_map():
            ready = selector.select(_SILENCE)
            if not ready:
                raise ValueError("the server does not answer")
            for key, _ in ready:
                sender = key.data
                seconds = sender.receive(expected)
                if seconds is None:
                    continue
                latencies.append(seconds)
                if time.perf_counter() - began < job["seconds"]:
                    sender.send(_next(following))
                else:
                    sender.close()
        lasted = time.perf_counter() - began
        used = time.process_time() - cpu
    return {
        "answers": len(latencies),
        "connections": sum(sender.connections for sender in senders),
        "seconds": lasted,
        "p50": percentile(latencies, 50) * 1e3,
        "p99": percentile(latencies, 99) * 1e3,
        "cpu": used / lasted,
    }


def _next(following: Iterator[list[bytes]]) -> bytes:
    return str(uuid.uuid4()).encode().join(next(following))


def _whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    status = head[9:12]
    if status in (b"204", b"304"):
        return True
    lowered = head.lower()
    at = lowered.find(b"\r\ncontent-length:")
    if at < 0:
        raise ValueError(f"an answer without a length: {head!r}")
    return len(body) >= int(lowered[at + 17 :].split(b"\r\n", 1)[0])


if __name__ == "__main__":
    main()

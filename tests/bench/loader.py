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
    """What one run of the loader saw. Latencies in milliseconds; `cpu` is the loader's own, in processors."""

    answers: int
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

        Every sender keeps one connection and sends when the answer is there. An answer other than `expected` raises
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


def _perform(job: dict[str, Any]) -> dict[str, Any]:
    place = PLACE_OF_ID.encode()
    following = cycle([base64.b64decode(request).split(place) for request in job["requests"]])
    expected = f"HTTP/1.1 {job['expected']} ".encode()
    selector = selectors.DefaultSelector()
    senders = [socket.create_connection(("127.0.0.1", job["port"])) for _ in range(job["senders"])]
    for sender in senders:
        sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(sender, selectors.EVENT_READ)
    by_number = {sender.fileno(): sender for sender in senders}
    sent: dict[socket.socket, float] = {}
    held: dict[socket.socket, bytes] = {}
    latencies: list[float] = []

    def send(sender: socket.socket) -> None:
        held[sender] = b""
        sent[sender] = time.perf_counter()
        sender.sendall(str(uuid.uuid4()).encode().join(next(following)))

    try:
        cpu, began = time.process_time(), time.perf_counter()
        for sender in senders:
            send(sender)
        while sent:
            ready = selector.select(_SILENCE)
            if not ready:
                raise ValueError("the server does not answer")
            for key, _ in ready:
                sender = by_number[key.fd]
                data = sender.recv(_BLOCK)
                held[sender] += data
                if not data:
                    raise ValueError(f"connection closed after {held[sender]!r}")
                if not _whole(held[sender]):
                    continue
                now = time.perf_counter()
                if not held[sender].startswith(expected):
                    raise ValueError(f"unexpected answer: {held[sender][:500]!r}")
                latencies.append(now - sent.pop(sender))
                if now - began < job["seconds"]:
                    send(sender)
        seconds = time.perf_counter() - began
    finally:
        for sender in senders:
            sender.close()
        selector.close()
    return {
        "answers": len(latencies),
        "seconds": seconds,
        "p50": percentile(latencies, 50) * 1e3,
        "p99": percentile(latencies, 99) * 1e3,
        "cpu": (time.process_time() - cpu) / seconds,
    }


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

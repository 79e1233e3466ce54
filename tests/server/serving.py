"""A server process of its own: `tejido serve`, with sockets, memory and a life that can end at any moment."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests

ROOT: Final = Path(__file__).parents[2]
_START_SECONDS: Final = 60


@dataclass
class Server:
    """A running server; `url` has no slash at its end."""

    url: str
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """A power cut for this process: no handler runs."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def peak_memory(self) -> int:
        """The most bytes that it held at once until now (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024


@contextmanager
def serving(data: Path, database_url: str, *, largest_file: int | None = None, **settings: object) -> Iterator[Server]:
    """A server over a prepared database. `largest_file` is the most bytes a file may have, as on a disk that is full;
    `settings` are TEJIDO_… in lower case."""
    port = free_port()
    environment = clean_environment()
    environment |= {f"TEJIDO_{name.upper()}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-m", "server.cli.main", "--data", str(data), "--database-url", database_url]
    limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))) if largest_file else None
    process = subprocess.Popen(
        [*command, "serve", "--empty", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=limit,
    )
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        wait_for(server)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def wait_for(server: Server) -> None:
    """Until it answers."""
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            if requests.get(f"{server.url}/healthz", timeout=5).status_code == 200:
                return
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout):
            pass  # the port listens before the server does: a first start makes its phones wait
        assert server.process.poll() is None, "the server ended by itself"
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """This process's environment without settings of Tejido and without proxies."""
    kept: Mapping[str, str] = os.environ
    return {
        name: value
        for name, value in kept.items()
        if not name.startswith("TEJIDO_") and not name.lower().endswith("_proxy")
    }

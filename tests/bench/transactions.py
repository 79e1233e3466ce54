"""Transactions: how many rows a second a database takes when each is durable before the next, with nothing around it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
import psycopg

from tests.bench.barest import open_sqlite

_ROOT: Final = Path(__file__).resolve().parents[2]
_ROW: Final = b"x" * 3000


def rate(url: str, *, writers: int, seconds: float) -> float:
    """Durable one-row transactions per second of so many threads of a process of its own, each with its connection."""
    command = [sys.executable, "-m", "tests.bench.transactions", "--database", url]
    command += ["--writers", str(writers), "--seconds", str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=_ROOT)
    return float(json.loads(done.stdout))


def _writer(url: str) -> Callable[[], object]:
    if url.startswith("postgresql://"):
        postgres = psycopg.connect(url, autocommit=True)
        return lambda: postgres.execute("INSERT INTO bare (xml) VALUES (%s)", (_ROW,))
    sqlite = open_sqlite(url)
    return lambda: sqlite.execute("INSERT INTO bare (xml) VALUES (?)", (_ROW,))


@click.command()
@click.option("--database", "url", required=True)
@click.option("--writers", type=int, required=True)
@click.option("--seconds", type=float, required=True)
def main(url: str, writers: int, seconds: float) -> None:
    """Write, then print the rate as JSON."""
    counts = [0] * writers
    ends = [0.0] * writers
    made = [_writer(url) for _ in range(writers)]
    began = time.perf_counter()

    def work(number: int) -> None:
        write = made[number]
        while time.perf_counter() - began < seconds:
            write()
            counts[number] += 1
        ends[number] = time.perf_counter()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    click.echo(json.dumps(sum(counts) / (max(ends) - began)))


if __name__ == "__main__":
    main()

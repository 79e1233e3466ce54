"""receive: accepted submissions per second, all followers included, beside what database and web server allow."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench import transactions
from tests.bench.barest import prepare
from tests.bench.figures import Figure, median_ratio
from tests.bench.installation import Databases, Server, environment, install, serving, submission_request
from tests.bench.loader import Loader, Run, loading
from tests.bench.machine import busy_seconds, cpu_seconds, family, memory
from tests.bench.surveys import instances, survey

NAME: Final = "receive"
SENDERS: Final = (1, 16)
_CENTRAL: Final = {1: 52.0, 16: 115.0}
"""The most that ODK Central's backend took on a machine like the one this was first measured on, per second."""
_TIMES_CENTRAL: Final = 5
_OF_BAREST: Final = 0.6


@dataclass(slots=True)
class _Seen:
    """What the rounds gave, in order, for one number of senders."""

    ours: list[Run] = field(default_factory=list)
    barest: dict[str, list[float]] = field(default_factory=dict)
    rows: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    machine: list[float] = field(default_factory=list)


def measure(databases: Databases, engine: str, folder: Path, *, quick: bool) -> Iterator[Figure]:
    """The figures of one database engine: served by one process, and on PostgreSQL by one per processor too, beside a barest
    server of as many."""
    yield from _measure(databases, engine, engine, folder, processes=1, quick=quick)
    several = max(2, os.cpu_count() or 1)
    if engine == "postgresql":
        beside = folder / "several"
        beside.mkdir()
        name = f"{engine} ×{several}"
        yield from _measure(databases, engine, name, beside, processes=several, quick=quick)


def _measure(
    databases: Databases, engine: str, name: str, folder: Path, *, processes: int, quick: bool
) -> Iterator[Figure]:
    """The runs of a round stand side by side and are compared pair by pair."""
    rounds, seconds = (2, 1.5) if quick else (5, 4.0)
    asked = survey()
    answers = instances(asked, 64)
    size = statistics.mean(len(answer) for answer in answers)
    keepers = ("locked", "grouped") if engine == "sqlite" else ("pooled",)
    with ExitStack() as stack:
        url = stack.enter_context(databases.fresh(engine, folder / "tejido.sqlite3"))
        bare = _driver_url(stack.enter_context(databases.fresh(engine, folder / "bare.sqlite3")))
        prepare(bare)
        installed = install(folder / "data", url, [asked], processes=processes)
        loader = stack.enter_context(loading())
        server = stack.enter_context(installed.serving())
        others = {}
        for keeper in keepers:
            command = [sys.executable, "-m", "tests.bench.barest", "--database", bare, "--keep", keeper]
            command += ["--threads", str(installed.settings.threads), "--processes", str(processes)]
            others[keeper] = stack.enter_context(
                serving(command, environment(installed.settings), "/document", folder / keeper)
            )
        requests = [submission_request(f"{installed.key_path}/submission", answer) for answer in answers]
        plain = [submission_request("/submission", answer) for answer in answers]
        fresh = sum(memory(one).now for one in family(server.pid))
        seen = {senders: _Seen() for senders in SENDERS}
        for count in (0, *range(1, rounds + 1)):  # round 0 warms up and is forgotten
            for senders in SENDERS:
                into = seen[senders] if count else _Seen()
                lasting = seconds if count else 1.0
                _ours(loader, server, requests, into, senders=senders, seconds=lasting)
                for keeper, other in others.items():
                    run = loader.run(other.port, plain, senders=senders, seconds=lasting, expected=201)
                    into.barest.setdefault(keeper, []).append(run.rate)
                into.rows.append(transactions.rate(bare, writers=senders, seconds=lasting))
        held = sum(memory(one).most for one in family(server.pid))
        for senders in SENDERS:
            yield from _figures(name, senders, seen[senders], size)
        yield _figure(name, "server memory after start", fresh, "MB")
        yield _figure(name, "server memory at its most", held, "MB")


def _ours(loader: Loader, server: Server, requests: list[bytes], into: _Seen, *, senders: int, seconds: float) -> None:
    used, busy = _used(server), busy_seconds()
    run = loader.run(server.port, requests, senders=senders, seconds=seconds, expected=201)
    into.ours.append(run)
    into.server.append((_used(server) - used) / run.seconds)
    into.machine.append((busy_seconds() - busy) / run.seconds)


def _used(server: Server) -> float:
    return sum(cpu_seconds(one) for one in family(server.pid))


def _figures(engine: str, senders: int, seen: _Seen, size: float) -> Iterator[Figure]:
    who = f"{senders} sender{'s' if senders > 1 else ''}"
    rates = [run.rate for run in seen.ours]
    yield _figure(
        engine, f"{who}: accepted", statistics.median(rates), "/s", at_least=_CENTRAL[senders] * _TIMES_CENTRAL,
        note=f"40 questions, {size / 1000:.1f} kB of XML; rounds {min(rates):.0f}–{max(rates):.0f}",
    )  # fmt: skip
    yield _figure(engine, f"{who}: latency p50", statistics.median(run.p50 for run in seen.ours), "ms")
    yield _figure(engine, f"{who}: latency p99", statistics.median(run.p99 for run in seen.ours), "ms")
    for keeper, others in seen.barest.items():
        yield _figure(engine, f"{who}: barest Flask, {keeper}", statistics.median(others), "/s")
    yield _figure(engine, f"{who}: durable one-row transactions", statistics.median(seen.rows), "/s")
    for keeper, others in seen.barest.items():
        yield _figure(
            engine, f"{who}: of barest Flask, {keeper}", median_ratio(rates, others), "×",
            at_least=_OF_BAREST if senders > 1 else None,
        )  # fmt: skip
    yield _figure(engine, f"{who}: of one-row transactions", median_ratio(rates, seen.rows), "×")
    server, loader = statistics.median(seen.server), statistics.median(run.cpu for run in seen.ours)
    machine = statistics.median(seen.machine)
    yield _figure(
        engine,
        f"{who}: processors of the server",
        server,
        "",
        note=f"{server / statistics.median(rates) * 1e6:.0f} µs each",
    )
    yield _figure(engine, f"{who}: processors of the loader", loader, "")
    yield _figure(
        engine, f"{who}: processors of all else", max(0.0, machine - server - loader), "", note="database, system"
    )


def _driver_url(url: str) -> str:
    """What the drivers take: a file's path, or a libpq address."""
    return url.removeprefix("sqlite:///").replace("postgresql+psycopg://", "postgresql://")


def _figure(
    engine: str, name: str, value: float, unit: str, *, at_least: float | None = None, note: str = ""
) -> Figure:
    return Figure(program=NAME, database=engine, name=name, value=value, unit=unit, at_least=at_least, note=note)

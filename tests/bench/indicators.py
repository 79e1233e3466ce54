"""indicators: 28 indicators of a programme over many submissions: all their figures, one changed definition, and what they
add to a submission that arrives."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.bench import filling, programme
from tests.bench.computing import declare
from tests.bench.figures import Figure, median_ratio
from tests.bench.installation import Databases, Installation, install, submission_request
from tests.bench.loader import Run, loading

NAME: Final = "indicators"
SENDERS: Final = (1, 16)
_SIZE: Final = 200_000
_QUICK: Final = 2_000
_CHANGED: Final[dict[str, str]] = {"hh_baseline": "I1", "ben_followup": "R3.7", "inst_assessment": "R2.2"}
_MOST_SECONDS: Final = 1.0
_MOST_REFRESH: Final = 10.0
_MOST_ADDED: Final = 0.2
_ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class _Seen:
    """What the rounds gave, in order: with the logframe in force, and without one."""

    measured: list[Run] = field(default_factory=list)
    plain: list[Run] = field(default_factory=list)


def measure(databases: Databases, engine: str, folder: Path, *, quick: bool) -> Iterator[Figure]:
    """The figures of one database engine."""
    beside = folder / "values"
    beside.mkdir()
    with databases.fresh(engine, beside / "tejido.sqlite3") as url:
        yield from _values(engine, install(beside / "data", url, programme.surveys()), _QUICK if quick else _SIZE)
    yield from _receiving(databases, engine, folder, quick=quick)


def _values(engine: str, installed: Installation, size: int) -> Iterator[Figure]:
    """Computing and refreshing over so many submissions."""
    began = time.perf_counter()
    rows = 0
    for form_id in programme.FORMS:
        count = round(size * programme.SHARES[form_id])
        rows += filling.fill(installed, form_id, programme.records(form_id, count))
    seconds = time.perf_counter() - began
    yield _figure(engine, f"{size:,}: typed tables filled directly", rows / seconds, "rows/s", note=f"{seconds:.0f} s")

    office = installed.office()
    try:
        first = declare(office, installed.project_id, *programme.logframe())
    finally:
        office.database.close()
    yield _figure(engine, f"{size:,}: the whole logframe taken", first, "s")

    told = _computing(installed)
    note = f"{told['figures']:,} figures by province and quarter"
    yield _figure(engine, f"{size:,}: 28 indicators, again", told["warm"], "s", at_most=_MOST_SECONDS, note=note)
    yield _figure(engine, f"{size:,}: 28 indicators, first in the process", told["cold"], "s")
    yield _figure(engine, f"{size:,}: one GROUP BY over each fact table", told["limit"], "s")
    yield _figure(engine, f"{size:,}: 28 indicators, of that", told["warm"] / told["limit"], "×")
    for name, took in sorted(told["each"].items(), key=lambda item: -item[1])[:8]:
        yield _figure(engine, f"{size:,}: {name} alone", took * 1e3, "ms")
    yield _figure(engine, f"{size:,}: memory at its most", told["memory"], "MB")

    for form_id, name in _CHANGED.items():
        told = _computing(installed, "--change", name)
        yield _figure(
            engine, f"{size:,}: {name} of {form_id} changed", told["seconds"], "s", at_most=_MOST_REFRESH,
            note=f"{told['memory']:.0f} MB",
        )  # fmt: skip


def _computing(installed: Installation, *words: str) -> Any:
    """What a process of its own tells."""
    command = [sys.executable, "-m", "tests.bench.computing", "--data", str(installed.settings.data)]
    command += ["--database", installed.settings.database_url, "--project", str(installed.project_id), *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=_ROOT)
    return json.loads(done.stdout)


def _receiving(databases: Databases, engine: str, folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Two servers that take turns: one measures what arrives, the other only keeps it."""
    rounds, seconds = (3, 1.5) if quick else (9, 3.0)
    answers = [programme.instance("hh_baseline", record) for record in programme.records("hh_baseline", 64)]
    with ExitStack() as stack:
        installations = {}
        for name in ("measured", "plain"):
            beside = folder / name
            beside.mkdir()
            url = stack.enter_context(databases.fresh(engine, beside / "tejido.sqlite3"))
            installations[name] = install(beside / "data", url, programme.surveys())
        office = installations["measured"].office()
        try:
            declare(office, installations["measured"].project_id, *programme.logframe())
        finally:
            office.database.close()
        loader = stack.enter_context(loading())
        servers = {name: stack.enter_context(one.serving()) for name, one in installations.items()}
        requests = {
            name: [submission_request(f"{one.key_path}/submission", answer) for answer in answers]
            for name, one in installations.items()
        }
        seen = {senders: _Seen() for senders in SENDERS}
        for count in range(rounds + 1):  # round 0 warms up and is forgotten
            for senders in SENDERS:
                turns = list(servers.items())
                for name, server in turns if count % 2 else reversed(turns):
                    lasting = seconds if count else 1.0
                    run = loader.run(server.port, requests[name], senders=senders, seconds=lasting, expected=201)
                    if count:
                        getattr(seen[senders], name).append(run)
    size = statistics.mean(len(answer) for answer in answers)
    for senders in SENDERS:
        yield from _added(engine, senders, seen[senders], size)


def _added(engine: str, senders: int, seen: _Seen, size: float) -> Iterator[Figure]:
    who = f"{senders} sender{'s' if senders > 1 else ''}"
    measured, plain = ([run.rate for run in runs] for runs in (seen.measured, seen.plain))
    note = f"hh_baseline, {size / 1000:.1f} kB of XML; rounds {min(plain):.0f}–{max(plain):.0f}"
    yield _figure(engine, f"{who}: accepted without a logframe", statistics.median(plain), "/s", note=note)
    yield _figure(
        engine, f"{who}: accepted with 28 indicators", statistics.median(measured), "/s",
        note=f"rounds {min(measured):.0f}–{max(measured):.0f}",
    )  # fmt: skip
    added = median_ratio(plain, measured) - 1
    yield _figure(engine, f"{who}: time that they add to a submission", added, "×", at_most=_MOST_ADDED)
    for name, runs in (("without", seen.plain), ("with", seen.measured)):
        middle = statistics.median(run.p50 for run in runs)
        slow = statistics.median(run.p99 for run in runs)
        yield _figure(engine, f"{who}: latency p50, {name}", middle, "ms", note=f"p99 {slow:.1f} ms")


def _figure(engine: str, name: str, value: float, unit: str, *, at_most: float | None = None, note: str = "") -> Figure:
    return Figure(program=NAME, database=engine, name=name, value=value, unit=unit, at_most=at_most, note=note)

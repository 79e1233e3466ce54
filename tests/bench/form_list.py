"""formlist: what phones ask most often, with and without the ETag that says nothing changed."""

from __future__ import annotations

import statistics
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.bench.barest import prepare
from tests.bench.figures import Figure, median_ratio
from tests.bench.installation import Databases, environment, get_request, install, serving
from tests.bench.loader import Run, loading
from tests.bench.surveys import survey

NAME: Final = "formlist"
_FORMS: Final = 20
_SENDERS: Final = (1, 16)


def measure(databases: Databases, engine: str, folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Requests per second for the list of 20 forms, beside a Flask endpoint that gives the same bytes every time."""
    rounds, seconds = (2, 1.0) if quick else (5, 3.0)
    with ExitStack() as stack:
        url = stack.enter_context(databases.fresh(engine, folder / "tejido.sqlite3"))
        installed = install(folder / "data", url, [survey(f"encuesta_{number:02d}") for number in range(_FORMS)])
        server = stack.enter_context(installed.serving())
        loader = stack.enter_context(loading())
        path = f"{installed.key_path}/formList"
        # the list holds URLs of the host that was asked for: the same as the loader names
        first = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", headers={"Host": "127.0.0.1"})
        with urllib.request.urlopen(first, timeout=30) as answer:
            body, etag = answer.read(), answer.headers["ETag"]
        if body.count(b"<xform>") != _FORMS:
            raise RuntimeError(f"the form list holds other than {_FORMS} forms")
        bare = str(folder / "bare.sqlite3")
        prepare(bare)
        command = [sys.executable, "-m", "tests.bench.barest", "--database", bare, "--keep", "locked"]
        command += ["--threads", str(installed.settings.threads), "--document", str(len(body))]
        barest = stack.enter_context(serving(command, environment(installed.settings), "/document", folder / "barest"))
        asked = {
            "whole": (server.port, get_request(path), 200),
            "ETag": (server.port, get_request(path, etag=etag), 304),
            "barest": (barest.port, get_request("/document"), 200),
        }
        seen: dict[tuple[str, int], list[Run]] = {}
        for count in (0, *range(1, rounds + 1)):  # round 0 warms up and is forgotten
            for senders in _SENDERS:
                for name, (port, request, expected) in asked.items():
                    lasting = seconds if count else 0.5
                    run = loader.run(port, [request], senders=senders, seconds=lasting, expected=expected)
                    if count:
                        seen.setdefault((name, senders), []).append(run)
    for senders in _SENDERS:
        limit = [run.rate for run in seen["barest", senders]]
        for name, said in (("whole", f"{len(body) / 1000:.1f} kB"), ("ETag", "304")):
            runs = seen[name, senders]
            rates = [run.rate for run in runs]
            what = f"{senders} sender{'s' if senders > 1 else ''}, {name}"
            yield _figure(engine, what, statistics.median(rates), "/s", said)
            yield _figure(engine, f"{what}: latency p50", statistics.median(run.p50 for run in runs), "ms")
            yield _figure(engine, f"{what}: latency p99", statistics.median(run.p99 for run in runs), "ms")
            yield _figure(engine, f"{what}: of barest Flask", median_ratio(rates, limit), "×")
            opened = statistics.median(run.connections / run.answers for run in runs)
            yield _figure(engine, f"{what}: connections per answer", opened, "")
        yield _figure(
            engine, f"{senders} sender{'s' if senders > 1 else ''}, barest Flask", statistics.median(limit), "/s"
        )


def _figure(engine: str, name: str, value: float, unit: str, note: str = "") -> Figure:
    return Figure(program=NAME, database=engine, name=name, value=value, unit=unit, note=note)

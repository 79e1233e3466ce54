"""extract: rows per second and memory of the CSV extract, from the command line and over HTTP."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from forms import instance as instances
from server.actions import submissions
from server.actions.identity import CONSOLE
from server.actions.submissions import Device
from server.context import Context, Office
from server.http.identity import Claim, resolve
from tests.bench import surveys
from tests.bench.figures import Figure
from tests.bench.installation import ADMIN, Databases, Installation, install, tejido
from tests.bench.machine import memory

NAME: Final = "extract"
_SIZES: Final = (20_000, 100_000)
_QUICK: Final = (1_000, 5_000)
REPEATS: Final = 3  # rows of the repeat in every submission
_AT_ONCE: Final = 250
_MOST_MEMORY: Final = 200.0
_FLAT: Final = 1.15  # memory at the larger size over memory at the smaller
_ROOT: Final = Path(__file__).resolve().parents[2]


def measure(databases: Databases, engine: str, folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Extracts at two sizes, beside a program that writes the same tables to a zip with the bare driver."""
    asked = surveys.survey("hogares", repeats=True)
    with databases.fresh(engine, folder / "tejido.sqlite3") as url:
        installed = install(folder / "data", url, [asked])
        held = 0
        most: dict[str, float] = {}
        for size in _QUICK if quick else _SIZES:
            rate = fill(installed, asked, size - held)
            held = size
            yield _figure(engine, f"{size:,}: filled through actions.receive", rate, "submissions/s")
            rows = size * (1 + REPEATS)
            limit, _ = command(
                [sys.executable, "-m", "tests.bench.dump", "--database", url, "--out", str(folder / "bare.zip")],
                installed,
            )
            yield _figure(engine, f"{size:,}: bare driver to zip", rows / limit, "rows/s", note=f"{limit:.1f} s")
            out = folder / "extract.zip"
            for name, (seconds, peak) in {
                "command line": _from_command_line(installed, asked, out),
                "HTTP": _over_http(installed, asked, out),
            }.items():
                _check(out, size)
                yield _figure(engine, f"{size:,}: {name}", rows / seconds, "rows/s", note=f"{seconds:.1f} s")
                yield _figure(engine, f"{size:,}: {name}, of the bare driver", limit / seconds, "×")
                yield _figure(engine, f"{size:,}: {name}, memory at its most", peak, "MB", at_most=_MOST_MEMORY)
                if name in most:
                    yield _figure(engine, f"{name}: growth of memory", peak / most[name], "×", at_most=_FLAT)
                most[name] = peak


def fill(installed: Installation, asked: surveys.Survey, count: int) -> float:
    """Give the form so many more submissions; gives how many a second one process took without any HTTP."""
    templates = surveys.instances(asked, 200)
    office = installed.office()
    try:
        arriving = (instances.read(surveys.with_id(templates[number % len(templates)])) for number in range(count))
        began = time.perf_counter()
        while group := list(islice(arriving, _AT_ONCE)):
            _receive(office, installed, group)
        return count / (time.perf_counter() - began)
    finally:
        office.database.close()


def _receive(office: Office, installed: Installation, group: list[instances.Instance]) -> None:
    device = Device(device_id="collect:banco", user_agent="banco")

    def work(ctx: Context) -> None:
        for instance in group:
            submissions.receive(ctx, installed.project_id, instance, [], device)

    def begin(conn: object) -> None:
        work(office.context(conn, resolve(conn, Claim(token=installed.token)) or CONSOLE))  # type: ignore[arg-type]

    office.database.write(begin)


def _from_command_line(installed: Installation, asked: surveys.Survey, out: Path) -> tuple[float, float]:
    arguments = ["extract", asked.form_id, "--project", str(installed.project_id), "--out", str(out)]
    return command(tejido(*arguments), installed)


def command(command: list[str], installed: Installation) -> tuple[float, float]:
    """Seconds from start to end of a process, and its memory at its most."""
    peak = 0.0
    began = time.perf_counter()
    with subprocess.Popen(command, env=installed.environment(), cwd=_ROOT, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, memory(process.pid).most)
            time.sleep(0.02)
        seconds = time.perf_counter() - began
    if process.returncode != 0:
        raise RuntimeError(f"failed: {' '.join(command)}")
    return seconds, peak


def _over_http(installed: Installation, asked: surveys.Survey, out: Path) -> tuple[float, float]:
    credentials = base64.b64encode(":".join(ADMIN).encode()).decode()
    path = f"/v1/projects/{installed.project_id}/forms/{asked.form_id}/submissions.csv.zip"
    with installed.serving() as server:
        request = urllib.request.Request(
            f"http://127.0.0.1:{server.port}{path}", headers={"Authorization": f"Basic {credentials}"}
        )
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=600) as answer, out.open("wb") as file:
            while block := answer.read(1 << 16):
                file.write(block)
        return time.perf_counter() - began, memory(server.pid).most


def _check(out: Path, size: int) -> None:
    """The extract holds every row: a benchmark of half an extract would look splendid."""
    with zipfile.ZipFile(out) as held:
        lines = [sum(1 for _ in held.open(name)) - 1 for name in held.namelist()]
    if sorted(lines) != sorted((size, size * REPEATS)):
        raise RuntimeError(f"the extract holds {json.dumps(lines)} rows")


def _figure(engine: str, name: str, value: float, unit: str, *, at_most: float | None = None, note: str = "") -> Figure:
    return Figure(program=NAME, database=engine, name=name, value=value, unit=unit, at_most=at_most, note=note)

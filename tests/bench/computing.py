"""Computing: figures and refreshed definitions as one process of the program makes them, timed in a process of its own."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from sqlalchemy import Connection, func, select

from server.actions import logframes
from server.app import open_office
from server.cli.desk import act
from server.context import Office
from server.indicators import catalogue, values
from server.indicators.asking import Request
from server.indicators.facts import FactTable
from server.indicators.workbook import Sheets
from server.model.projects import Project
from server.settings import Settings
from server.store import projects
from tests.bench import programme
from tests.bench.machine import memory

T = TypeVar("T")
_REQUEST: Final = Request(period="quarter", by=("province",))
_REPEATS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """Seconds: the first time in the process, the median of the next ones, of each indicator by itself; `limit` is one
    `GROUP BY` over each fact table. `memory` (MB) is the most there ever was."""

    cold: float
    warm: float
    each: dict[str, float]
    limit: float
    figures: int
    memory: float


def compute(settings: Settings, project_id: int) -> Computed:
    """All 28 by province and quarter, and what the database takes for one pass over the same facts."""
    office = open_office(settings)
    try:
        _, sheets = programme.logframe()
        names = programme.codes(sheets)
        began = time.perf_counter()
        found = _figures(office, project_id, names)
        cold = time.perf_counter() - began
        runs, limits = [], []
        for _ in range(_REPEATS):
            runs.append(_seconds(lambda: _figures(office, project_id, names)))
            limits.append(sum(office.database.read(lambda conn: _limits(conn, project_id))))
        each = {
            name: statistics.median(_seconds(lambda name=name: _figures(office, project_id, [name])) for _ in range(3))  # type: ignore[misc]
            for name in names
        }
        most = memory(os.getpid()).most
    finally:
        office.database.close()
    return Computed(
        cold=cold,
        warm=statistics.median(runs),
        each=each,
        limit=statistics.median(limits),
        figures=sum(len(one.figures) for one in found.values()),
        memory=most,
    )


def declare(office: Office, project_id: int, data: bytes, sheets: Sheets) -> float:
    """Let the project's logframe be this; gives the seconds that it took."""
    blob = office.blobs.put(BytesIO(data))

    def put() -> None:
        act(office, lambda ctx: logframes.put(ctx, project_id, sheets, original=blob, name="logframe.xlsx"))

    return _seconds(put)


def _figures(office: Office, project_id: int, names: list[str]) -> dict[str, values.Values]:
    def work(conn: Connection) -> dict[str, values.Values]:
        found = catalogue.load(conn, _project(conn, project_id))
        return values.compute(conn, found, names, _REQUEST, strict=False)

    return office.database.read(work)


def _limits(conn: Connection, project_id: int) -> list[float]:
    found = catalogue.load(conn, _project(conn, project_id))
    return [_scan(conn, one) for tables in found.tables.values() for one in tables]


def _scan(conn: Connection, one: FactTable) -> float:
    """One pass over a fact table: what every indicator counts, summed up by quarter."""
    month = next(name for (role, _), name in one.shared.items() if role == "month")
    quarter = one.table.c[month] // 3
    names = [measure.numerator for measure in one.measures.values() if measure.numerator]
    sums = [func.sum(one.table.c[name]) for name in names]
    return _seconds(lambda: conn.execute(select(quarter, func.count(), *sums).group_by(quarter)).all())


def _project(conn: Connection, project_id: int) -> Project:
    project = projects.find_project(conn, project_id)
    if project is None:
        raise LookupError(project_id)
    return project


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--database", "url", required=True)
@click.option("--project", "project_id", type=int, required=True)
@click.option("--change", "name", help="Change this definition instead of computing figures.")
def main(data: Path, url: str, project_id: int, name: str | None) -> None:
    """Print what it took, as JSON."""
    settings = Settings(data=data, database_url=url)
    if name is None:
        click.echo(json.dumps(asdict(compute(settings, project_id))))
        return
    office = open_office(settings)
    try:
        workbook, sheets = programme.logframe()
        seconds = declare(office, project_id, workbook, programme.changed(sheets, name))
        click.echo(json.dumps({"seconds": seconds, "memory": memory(os.getpid()).most}))
    finally:
        office.database.close()


if __name__ == "__main__":
    main()

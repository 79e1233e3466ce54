"""checks: a sheet of checks and every built-in over many submissions: all of them looked through, and one that arrives."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select

from server.actions import checks, flags, logframes
from server.cli.desk import act, ask
from server.context import Context, Office
from server.model.cleaning import audit_logs
from server.model.submissions import flags as flag_table
from server.model.submissions import submissions
from server.store import forms
from tests.bench import filling, programme
from tests.bench.figures import Figure
from tests.bench.installation import Databases, install
from tests.bench.programme import Record

NAME: Final = "checks"
_FORM: Final = "hh_baseline"
_GPS: Final = "/main/location/hh_gps"
_SIZE: Final = 100_000
_QUICK: Final = 2_000
_MOST_SECONDS: Final = 10.0
_ONE_BY_ONE: Final = 200
_COLUMNS: Final = "name | label | form | over | when | builtin | minimum | maximum | key | place | within | fields"
_ROWS: Final = (
    "few_rooms | A | F |  | ${rooms} < 1 |  |  |  |  |  |  | rooms hh_size",
    "crowded | A | F |  | ${hh_size} div ${rooms} > 6 |  |  |  |  |  |  | ",
    "income_none | A | F |  | ${income_month} = 0 and ${save12} = 'yes' |  |  |  |  |  |  | ",
    "far_clinic | A | F |  | ${t_health} > 600 |  |  |  |  |  |  | ",
    "water_far | A | F |  | ${ws3} > 240 and ${ws2} != 'elsewhere' |  |  |  |  |  |  | ",
    "nobody_adult | A | F |  | count(${m_age}) > 0 and max(${m_age}) < 15 |  |  |  |  |  |  | ",
    "roster_short | A | F |  | count(${member}) != ${hh_size} |  |  |  |  |  |  | ",
    "old | A | F | member | ${m_age} > 105 |  |  |  |  |  |  | ",
    "child_works | A | F | member | ${m_age} < 10 and ${m_work} != '' |  |  |  |  |  |  | ",
    "young_graduate | A | F | member | ${m_age} < 15 and ${m_edu} = 'univ' |  |  |  |  |  |  | ",
    "duration | A | F |  |  | duration | 15 | 240 |  |  |  | ",
    "speeding | A | F |  |  | speeding | 2 |  |  |  |  | ",
    "no_gps | A | F |  | ${consent_gps} = 'yes' | gps_missing |  |  |  |  |  | ",
    "gps_coarse | A | F |  |  | gps_imprecise |  | 50 |  |  |  | ",
    "gps_off | A | F |  |  | gps_outside |  | 60 |  | ${district} | 7 -83.2 9.8 -77 | ",
    "twice | A | F |  |  | duplicate |  |  | concat(${survey_round}, ' ', ${hh_code}) |  |  | ",
    "fies_alike | A | F |  |  | straight_lining |  |  |  |  |  | fies",
    "odd_numbers | A | F |  |  | outlier |  | 6 |  |  |  | income_month t_health hh_size",
)


def measure(databases: Databases, engine: str, folder: Path, *, quick: bool) -> Iterator[Figure]:
    """The figures of one database engine."""
    size = _QUICK if quick else _SIZE
    with databases.fresh(engine, folder / "tejido.sqlite3") as url:
        installed = install(folder / "data", url, [one for one in programme.surveys() if one.form_id == _FORM])
        rows = filling.fill(installed, _FORM, _plausible(programme.records(_FORM, size)))
        office = installed.office()
        try:
            office.database.write(lambda conn: _logs(conn, installed.project_id))
            first = _seconds(lambda: _declare(office, installed.project_id))
            count = _count(office)
            note = f"{len(_ROWS)} checks, {rows:,} rows, {count:,} flags"
            yield _figure(engine, f"{size:,}: declared and looked through", first, at_most=_MOST_SECONDS, note=note)
            again = _seconds(lambda: act(office, lambda ctx: flags.run(ctx, installed.project_id, _FORM)))
            yield _figure(engine, f"{size:,}: looked through again", again, at_most=_MOST_SECONDS)
            if _count(office) != count:
                raise AssertionError("looked through again, the flags are others")
            listed = _seconds(lambda: ask(office, lambda ctx: flags.get_figures(ctx, installed.project_id, _FORM)))
            yield _figure(engine, f"{size:,}: figures by enumerator and day", listed)
            each = act(office, lambda ctx: _one_by_one(ctx, installed.project_id))
            yield _figure(engine, f"{size:,}: one submission judged", statistics.median(each) * 1e3, unit="ms")
        finally:
            office.database.close()


def _plausible(records: Iterator[Record]) -> Iterator[Record]:
    """The answers with times and points as of fieldwork: one in fifty is somewhere else, one in a hundred ends tomorrow."""
    chance = random.Random(7)
    for record in records:
        start = datetime.combine(record.values["/today"], datetime.min.time(), tzinfo=UTC) + timedelta(hours=14)
        minutes = chance.lognormvariate(4.0, 0.35) + (3_000 if chance.random() < 0.01 else 0)
        record.values["/start"], record.values["/end"] = start, start + timedelta(minutes=minutes)
        if record.values.get(_GPS) is not None:
            district = random.Random(str(record.values["/ident/district"]))
            north, east = district.uniform(7.5, 9.2), district.uniform(-82.5, -77.8)
            away = 2.0 if chance.random() < 0.02 else 0.1
            record.values[_GPS] = (
                north + chance.gauss(0, away), east + chance.gauss(0, away), 20.0, chance.expovariate(0.1),
            )  # fmt: skip
        yield record


def _declare(office: Office, project_id: int) -> None:
    rows = "\n".join(f"| | {row} |".replace("| F |", f"| {_FORM} |") for row in _ROWS)
    data = f"| checks |\n| | {_COLUMNS} |\n{rows}\n".encode()
    sheets = logframes.read(data, "checks.md")
    blob = office.blobs.put(BytesIO(data))
    act(office, lambda ctx: logframes.put(ctx, project_id, sheets, original=blob, name="checks.md"))


def _logs(conn: Connection, project_id: int) -> None:
    """What audit logs sum up to, as if one had come with each submission."""
    form = forms.find_form(conn, project_id, _FORM)
    if form is None:
        raise LookupError(_FORM)
    ids = list(conn.execute(select(submissions.c.id).where(submissions.c.form_id == form.id)).scalars())
    rows = [
        {
            "submission_id": number,
            "form_id": form.id,
            "sha256": "",
            "seconds": 600.0 + number % 3000,
            "screens": 40,
            "median_seconds": 1.5 + number % 40,
        }
        for number in ids
    ]
    conn.execute(insert(audit_logs), rows)


def _one_by_one(ctx: Context, project_id: int) -> list[float]:
    """Seconds for each of some submissions whose flags are made again."""
    form = forms.find_form(ctx.conn, project_id, _FORM)
    if form is None:
        raise LookupError(_FORM)
    checker = checks.checker_of(ctx, form)
    some = select(submissions.c.id).where(submissions.c.form_id == form.id).limit(_ONE_BY_ONE)
    ids = list(ctx.conn.execute(some).scalars())
    return [_seconds(lambda one=one: checker.judge(ctx.conn, one, now=ctx.now(), fresh=False)) for one in ids]  # type: ignore[misc]


def _count(office: Office) -> int:
    return int(
        office.database.read(lambda conn: conn.execute(select(func.count()).select_from(flag_table)).scalar_one())
    )


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _figure(
    engine: str, name: str, value: float, *, unit: str = "s", at_most: float | None = None, note: str = ""
) -> Figure:
    return Figure(program=NAME, database=engine, name=name, value=value, unit=unit, at_most=at_most, note=note)

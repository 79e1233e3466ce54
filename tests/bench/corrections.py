"""corrections: a workbook of 2,000 corrections foreseen and applied, and what a phone waits that sends meanwhile."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, func, select

from forms import instance as instances
from server.actions import correction_uploads, logframes, submissions
from server.actions.identity import by_token
from server.actions.submissions import Device
from server.cleaning.uploads import Line, Upload
from server.cli.desk import act, ask
from server.context import Office
from server.model.corrections import corrections as table
from server.store import forms
from server.tables import ddl, registry
from tests.bench import surveys
from tests.bench.figures import Figure
from tests.bench.installation import Databases, Installation, install

NAME: Final = "corrections"
_SIZE: Final = 20_000
_QUICK: Final = 2_500
_LINES: Final = 2_000
_AT_ONCE: Final = 250
_CODE: Final = re.compile(rb"PA-[0-9]+")
_MOST_WAIT: Final = 1.0
_SHEETS: Final = """
| indicators |
| | name | label | form | over | type | where | numerator | value | date | period |
| | edades | Edad | F | | mean | | | ${edad} | ${today} | quarter |
| | mayores | Mayores | F | | percent | | ${edad} >= 60 | | ${today} | quarter |
| | menores | Menores | F | miembro | count | ${edad_miembro} < 18 | | | ${today} | quarter |
| checks |
| | name | label | form | over | when | builtin | minimum | maximum | key | fields |
| | viejo | Viejo | F | | ${edad} > 110 | | | | | |
| | nadie | Nadie | F | | ${personas_hogar} = 0 | | | | | |
| | dos | Dos veces | F | | | duplicate | | | ${codigo_hogar} | |
| | raro | Raro | F | | | outlier | | 6 | | ingreso_mensual |
"""


def measure(databases: Databases, engine: str, folder: Path, *, quick: bool) -> Iterator[Figure]:
    """One correction of each of 2,000 records, half of them in rows of a repeat; then the same answers once more."""
    asked = surveys.survey("hogares", repeats=True)
    with databases.fresh(engine, folder / "tejido.sqlite3") as url:
        installed = install(folder / "data", url, [asked])
        office = installed.office()
        try:
            _fill(office, installed, asked, _QUICK if quick else _SIZE)
            _declare(office, installed, asked)
            for title in ("the first time", "once more"):
                upload = Upload(_lines(office, installed, asked))
                foreseen = _seconds(lambda upload=upload: _foresee(office, installed, asked, upload))  # type: ignore[misc]
                with _Phone(office, installed, asked) as phone:
                    applied = _seconds(lambda upload=upload: _apply(office, installed, asked, upload))  # type: ignore[misc]
                about = f"{_LINES:,} corrections, {title}"
                yield _figure(engine, f"{about}: dry run", foreseen, "s")
                yield _figure(engine, f"{about}: applied", applied, "s", f"{_LINES / applied:,.0f} a second")
                yield _figure(
                    engine,
                    f"{about}: a phone's longest wait",
                    phone.longest,
                    "s",
                    f"{phone.sent} sent meanwhile",
                    at_most=_MOST_WAIT,
                )
            held = office.database.read(lambda conn: conn.execute(select(func.count()).select_from(table)).scalar_one())
            if held != 2 * _LINES:
                raise AssertionError(f"{held} corrections were kept")
        finally:
            office.database.close()


def _fill(office: Office, installed: Installation, asked: surveys.Survey, count: int) -> None:
    """So many households, each with a code of its own, as in real data."""
    templates = surveys.instances(asked, 200)
    for first in range(0, count, _AT_ONCE):
        group = [
            _CODE.sub(f"PA-{number}".encode(), surveys.with_id(templates[number % len(templates)]))
            for number in range(first, min(first + _AT_ONCE, count))
        ]
        office.database.write(lambda conn, group=group: _receive(office, conn, installed, group))  # type: ignore[misc]


def _receive(office: Office, conn: Connection, installed: Installation, group: list[bytes]) -> None:
    ctx = office.context(conn, by_token(conn, installed.token)())
    for sent in group:
        submissions.receive(ctx, installed.project_id, instances.read(sent), [], Device())


class _Phone:
    """Sends one submission after another until it is closed; `longest` is the longest that one took, in seconds."""

    def __init__(self, office: Office, installed: Installation, asked: surveys.Survey) -> None:
        self.longest, self.sent = 0.0, 0
        self._office, self._installed = office, installed
        self._templates = itertools.cycle(surveys.instances(asked, 20, seed=9))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> _Phone:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _send(self) -> None:
        while not self._stop.is_set():
            sent = _CODE.sub(f"PA-P{self.sent}".encode(), surveys.with_id(next(self._templates)))
            began = time.perf_counter()
            self._office.database.write(lambda conn, sent=sent: _receive(self._office, conn, self._installed, [sent]))  # type: ignore[misc]
            self.longest = max(self.longest, time.perf_counter() - began)
            self.sent += 1
            time.sleep(0.02)


def _declare(office: Office, installed: Installation, asked: surveys.Survey) -> None:
    data = _SHEETS.replace("| F |", f"| {asked.form_id} |").encode()
    blob = office.blobs.put(BytesIO(data))
    sheets = logframes.read(data, "medidas.md")
    act(office, lambda ctx: logframes.put(ctx, installed.project_id, sheets, original=blob, name="medidas.md"))


def _foresee(office: Office, installed: Installation, asked: surveys.Survey, upload: Upload) -> None:
    """The dry run."""
    told = ask(office, lambda ctx: correction_uploads.foresee(ctx, installed.project_id, asked.form_id, upload))
    if told.applied != _LINES:
        raise AssertionError(f"{told.applied} would be applied")


def _apply(office: Office, installed: Installation, asked: surveys.Survey, upload: Upload) -> None:
    """The upload itself, as its doors do it."""
    told = correction_uploads.carry_out(
        partial(ask, office), partial(act, office), installed.project_id, asked.form_id, upload
    )
    if told.applied != _LINES or told.refused:
        raise AssertionError(f"{told.applied} were applied")


def _lines(office: Office, installed: Installation, asked: surveys.Survey) -> list[Line]:
    """The ages of 1,000 records and of the first member of 1,000 others, as they stand."""
    schema = asked.checked.schema
    paths = {entry.name: entry.path for entry in schema.fields}

    def read(conn: Connection) -> list[Line]:
        form = forms.find_form(conn, installed.project_id, asked.form_id)
        if form is None:
            raise LookupError(asked.form_id)
        layout = registry.load(conn, form.id)
        found: list[tuple[str, str, str, int]] = []
        for path, above in ((paths["edad"], 0), (paths["edad_miembro"], _LINES // 2)):
            table = layout.table(schema.repeat_of(path))
            column = next(one.name for one in table.columns if one.paths[-1] == path)
            [part] = ddl.sql_tables(conn, table)
            statement = select(part.c["_key"], part.c[column]).where(part.c["_submission_id"] > above)
            if schema.repeat_of(path):
                statement = statement.where(part.c["_position"] == 1)
            rows = conn.execute(statement.order_by(part.c["_submission_id"]).limit(_LINES // 2))
            found.extend((key.partition("/")[0], key, path, value) for key, value in rows)
        return [_line(number, *one) for number, one in enumerate(found, start=2)]

    return office.database.read(read)


def _line(number: int, record: str, row: str, question: str, old: int) -> Line:
    return Line(
        number=number,
        record=record,
        row=row if row != record else "",
        question=question,
        old=str(old),
        mark=None,
        new=str(old + 1),
        reason="se llamó",
        columns={},
    )


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _figure(engine: str, name: str, value: float, unit: str, note: str = "", *, at_most: float | None = None) -> Figure:
    return Figure(program=NAME, database=engine, name=name, value=value, unit=unit, note=note, at_most=at_most)

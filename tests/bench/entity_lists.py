"""entities: a long entity list as phones get it, and updates made offline that arrive before what they were made from."""

from __future__ import annotations

import statistics
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from forms import instance as instances
from server.actions import entities, submissions, workbooks
from server.actions.entities import By, New
from server.actions.identity import by_token
from server.actions.submissions import Device
from server.cli.desk import act
from server.context import Office
from server.store import entity_receipts
from tests.bench.figures import Figure
from tests.bench.installation import Databases, Installation, install
from tests.bench.machine import memory
from tests.bench.surveys import Survey

NAME: Final = "entities"
_LIST: Final = "personas"
_SURVEY: Final = f"""
| survey |
| | type                                | name     | label    | save_to  |
| | select_one_from_file {_LIST}.csv    | persona  | Persona  |          |
| | text                                | distrito | Distrito | distrito |
| | integer                             | visitas  | Visitas  | visitas  |
| | text                                | estado   | Estado   | estado   |
| entities |
| | list_name | entity_id    | label |
| | {_LIST}   | ${{persona}} |       |
| settings |
| | form_id     | form_title  | version |
| | seguimiento | Seguimiento | 1       |
"""


def measure(databases: Databases, engine: str, folder: Path, *, quick: bool) -> Iterator[Figure]:
    """The first byte and the whole of a list of 50,000, its 304, and how fast 10,000 held updates are applied."""
    people, chains = (2_000, 100) if quick else (50_000, 2_000)
    with ExitStack() as stack:
        url = stack.enter_context(databases.fresh(engine, folder / "tejido.sqlite3"))
        checked = workbooks.read(_SURVEY.encode(), "seguimiento.md")
        installed = install(folder / "data", url, [Survey(checked=checked, questions=(), repeats=False)])
        office = installed.office()
        try:
            ids = _register(office, installed, people)
            yield from _drain(office, installed, engine, ids[:chains])
        finally:
            office.database.close()
        server = stack.enter_context(installed.serving())
        path = f"http://127.0.0.1:{server.port}{installed.key_path}/forms/seguimiento/attachments/{_LIST}.csv"
        before = memory(server.pid).now
        cold, whole, size, etag = _get(path)
        warm = [_get(path) for _ in range(5)]
        unchanged = [_unchanged(path, etag) for _ in range(20)]
        grown = memory(server.pid).now - before
    said = f"{people:,} entities, {size / 1e6:.1f} MB"
    yield _figure(engine, "list, cold: first byte", cold * 1000, "ms", said)
    yield _figure(engine, "list, cold: rows", people / whole, "/s")
    yield _figure(engine, "list, warm: first byte", statistics.median(one[0] for one in warm) * 1000, "ms", most=200)
    yield _figure(engine, "list, warm: rows", people / statistics.median(one[1] for one in warm), "/s")
    yield _figure(engine, "list: 304", statistics.median(unchanged) * 1000, "ms", most=10)
    yield _figure(engine, "list: memory grown by", grown, "MB")


def _register(office: Office, installed: Installation, people: int) -> list[str]:
    ids = [str(uuid.uuid4()) for _ in range(people)]
    for at in range(0, people, 10_000):
        wanted = [
            New(
                label=f"Demostración {number}",
                uuid=identity,
                data={"distrito": f"d{number % 80:04d}", "visitas": "0", "estado": "activa"},
            )
            for number, identity in enumerate(ids[at : at + 10_000], at)
        ]
        act(
            office,
            lambda ctx, wanted=wanted: entities.create_many(  # type: ignore[misc]
                ctx, installed.project_id, _LIST, wanted, {"name": "banco.csv"}, By()
            ),
        )
    return ids


def _drain(office: Office, installed: Installation, engine: str, ids: list[str]) -> Iterator[Figure]:
    """Of five updates of each entity, made in one branch, the first comes last: four are held, then all are applied."""
    held = [_update(identity, base) for base in (5, 4, 3, 2) for identity in ids]
    began = time.perf_counter()
    for xml in held:
        _receive(office, installed, xml)
    between = time.perf_counter()
    waiting = len(office.database.read(entity_receipts.list_held))
    for identity in ids:
        _receive(office, installed, _update(identity, 1))
    ended = time.perf_counter()
    if waiting != len(held) or office.database.read(entity_receipts.list_held):
        raise RuntimeError(f"{waiting} of {len(held)} updates were held, and not all were applied")
    yield _figure(
        engine, "offline updates held", len(held) / (between - began), "/s", "received, one sender, in process"
    )
    yield _figure(
        engine, "offline updates drained", 5 * len(ids) / (ended - between), "/s", f"{5 * len(ids):,} applied in order"
    )


def _receive(office: Office, installed: Installation, xml: bytes) -> None:
    instance = instances.read(xml)
    office.act(
        lambda ctx: submissions.receive(ctx, installed.project_id, instance, (), Device()),
        lambda conn: by_token(conn, installed.token),
    )


def _update(identity: str, base: int) -> bytes:
    branch = str(uuid.UUID(int=uuid.UUID(identity).int ^ (1 << 120), version=4))
    return (
        '<data id="seguimiento" version="1">'
        f"<persona>{identity}</persona><distrito>d0001</distrito><visitas>{base}</visitas><estado>activa</estado>"
        f"<meta><instanceID>uuid:{uuid.uuid4()}</instanceID>"
        f'<entity dataset="{_LIST}" id="{identity}" update="1" baseVersion="{base}" trunkVersion="1" branchId="{branch}"/>'
        "</meta></data>"
    ).encode()


def _get(url: str) -> tuple[float, float, int, str]:
    """Seconds to the first byte and to the last, bytes, ETag."""
    began = time.perf_counter()
    with urllib.request.urlopen(url, timeout=300) as answer:
        first_bytes = answer.read(1)
        first = time.perf_counter() - began
        body = first_bytes + answer.read()
        return first, time.perf_counter() - began, len(body), str(answer.headers["ETag"])


def _unchanged(url: str, etag: str) -> float:
    began = time.perf_counter()
    request = urllib.request.Request(url, headers={"If-None-Match": etag})
    try:
        with urllib.request.urlopen(request, timeout=60):
            raise RuntimeError("the list came again")
    except urllib.error.HTTPError as answer:
        if answer.code != 304:
            raise
    return time.perf_counter() - began


def _figure(engine: str, name: str, value: float, unit: str, note: str = "", *, most: float | None = None) -> Figure:
    return Figure(program=NAME, database=engine, name=name, value=value, unit=unit, note=note, at_most=most)

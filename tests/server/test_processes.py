"""Several processes serve over the same port where PostgreSQL keeps the data."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from server.app import open_office
from server.settings import Settings
from tests.helpers.databases import Databases
from tests.server.conftest import prepared
from tests.server.desk import PROJECT, TOKEN, Desk, open_desk
from tests.server.serving import serving, wait_for
from tests.server.wire import Wire, instance, to_server

FORM = "| survey |\n| | type | name | label |\n| | text | q | Q |\n| settings |\n| | form_id | version |\n| | visita | 1 |\n"

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork, and the setting is refused there")


def children(process: int) -> set[int]:
    found = set()
    for task in Path(f"/proc/{process}/task").iterdir():
        found |= {int(child) for child in (task / "children").read_text().split()}
    return found


def until(said: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(process: int) -> bool:
    """Whether a process runs (one that ended and waits to be asked about counts as ended)."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_processes_share_the_port_and_one_that_dies_gets_a_successor(databases: Databases, tmp_path: Path):
    with databases.fresh("postgresql", tmp_path, prepared) as url:
        office = open_office(Settings(data=tmp_path / "data", database_url=url))
        desk: Desk = open_desk(office)
        desk.publish(FORM)
        office.database.close()
        with serving(tmp_path / "data", url, processes=2, threads=4) as server:
            first = children(server.process.pid)
            assert len(first) == 2

            def send(number: int) -> int:
                phone = Wire(to_server(server.url), f"/v1/key/{TOKEN}/projects/{PROJECT}")
                return phone.post(instance("visita", "<q>hola</q>", instance_id=f"uuid:{number}")).status

            with ThreadPoolExecutor(8) as senders:
                assert set(senders.map(send, range(40))) == {201}
            victim = min(first)
            os.kill(victim, signal.SIGKILL)
            until(lambda: len(children(server.process.pid) - {victim}) == 2)
            wait_for(server)
            with ThreadPoolExecutor(8) as senders:
                assert set(senders.map(send, range(40, 60))) == {201}
            last = children(server.process.pid)

        assert server.process.returncode == 0
        assert not any(alive(process) for process in first | last)
        engine = create_engine(url)
        with engine.connect() as conn:
            assert conn.execute(text("SELECT count(*) FROM data.visita WHERE q = 'hola'")).scalar() == 60
        engine.dispose()


def test_processes_end_with_the_first_even_where_it_is_killed(databases: Databases, tmp_path: Path):
    with (
        databases.fresh("postgresql", tmp_path, prepared) as url,
        serving(tmp_path / "data", url, processes=2, threads=4) as server,
    ):
        serving_ones = children(server.process.pid)
        assert len(serving_ones) == 2

        server.process.kill()

        until(lambda: not any(alive(process) for process in serving_ones))

"""A full disk, a locked or stopped database: 503, nothing lost, nothing acknowledged that is not kept."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from flask import Flask

from server.app import create_app, open_office
from server.settings import Settings
from tests.helpers.postgres import USER, running_cluster
from tests.server.conftest import prepared
from tests.server.desk import ON_SQLITE, PROJECT, TOKEN, Desk, form, open_desk, questions
from tests.server.serving import serving
from tests.server.wire import Wire, instance, new_id, to_app, to_server

HOUSE = form("hogar", questions("text nombre", "image foto"))
LATER = "El servidor no puede guardar en este momento. Su teléfono conserva el formulario: inténtelo más tarde."
ROOT = f"/v1/key/{TOKEN}/projects/{PROJECT}"


def test_a_disk_that_cannot_be_written_is_503_and_the_retry_is_kept(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    blobs = desk.office.settings.data / "blobs"
    blobs.write_bytes(b"")  # where the folder should be; root writes to folders that are read-only
    xml = instance("hogar", "<foto>a.jpg</foto>", instance_id="uuid:1")

    answer = phone.post(xml, {"a.jpg": b"A"})

    assert (answer.status, answer.message) == (503, LATER)
    assert answer.headers["Retry-After"] == "60"
    assert desk.submissions() == 0
    blobs.unlink()
    assert phone.post(xml, {"a.jpg": b"A"}).status == 201
    assert desk.files("uuid:1") == {"a.jpg": b"A"}


@ON_SQLITE
@pytest.mark.skipif(sys.platform == "win32", reason="files are limited by setrlimit")
def test_a_full_disk_is_503_and_everything_acknowledged_is_kept(desk: Desk, settings: Settings):
    desk.publish(HOUSE)
    file = Path(settings.database_url.removeprefix("sqlite:///"))
    held = {}
    with serving(settings.data, settings.database_url, largest_file=file.stat().st_size + 600_000) as server:
        phone = Wire(to_server(server.url), ROOT)
        statuses = []
        for number in range(60):
            xml = instance("hogar", f"<nombre>{'x' * 100_000}</nombre>", instance_id=f"uuid:{number}")
            answer = phone.post(xml)
            statuses.append(answer.status)
            if answer.status == 201:
                held[f"uuid:{number}"] = xml
            else:
                assert answer.message == LATER

    assert set(statuses) == {201, 503}
    assert {name: desk.xml_of(name) for name in held} == held
    assert desk.submissions() == len(held)
    assert len(desk.rows("hogar")) == len(held)


@ON_SQLITE
def test_a_locked_database_is_503_after_the_wait_and_serves_when_it_is_free(
    desk: Desk, phone: Wire, settings: Settings
):
    desk.publish(HOUSE)
    xml = instance("hogar", "<nombre>Ana</nombre>", instance_id="uuid:1")
    phone.post(instance("hogar"))
    with locked(settings.database_url.removeprefix("sqlite:///")):
        begun = time.monotonic()
        answer = phone.post(xml)
        waited = time.monotonic() - begun
        listed = phone.get("/formList")

    assert (answer.status, answer.message) == (503, LATER)
    assert settings.database_wait <= waited < settings.database_wait + 10
    assert listed.status == 200  # reading goes on meanwhile
    assert phone.post(xml).status == 201
    assert desk.submissions() == 2


def test_case_26_what_nobody_foresaw_is_told_in_openrosa_and_never_acknowledged(
    desk: Desk, phone: Wire, caplog: pytest.LogCaptureFixture
):
    desk.publish(HOUSE)
    desk.change(lambda conn: conn.exec_driver_sql("ALTER TABLE submission_versions RENAME TO lost"))

    answer = phone.post(instance("hogar", "<nombre>Ana</nombre>"))

    assert answer.status >= 500
    assert answer.message in (LATER, "Ocurrió un problema interno. Inténtelo más tarde.")
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert desk.submissions() == 0


@contextmanager
def locked(file: str) -> Iterator[None]:
    """Another process writes and does not end."""
    program = f"import sqlite3,sys\nc=sqlite3.connect({file!r},isolation_level=None)\nc.execute('BEGIN EXCLUSIVE')\n"
    program += "print('held',flush=True)\nsys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline().strip() == b"held"
        try:
            yield
        finally:
            other.stdin.close()
            other.wait(10)


@ON_SQLITE
def test_a_damaged_database_is_an_error_and_no_acknowledgement(desk: Desk, settings: Settings, app: Flask):
    desk.publish(HOUSE)
    desk.office.database.close()
    file = Path(settings.database_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(file)) as held:
        held.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for beside in file.parent.glob(f"{file.name}-*"):
        beside.unlink()
    file.write_bytes(b"no database at all" * 1000)
    office = open_office(settings)
    phone = Wire(to_app(create_app(office)), ROOT)

    assert phone.post(instance("hogar")).message == LATER
    assert phone.get("/formList").message
    office.database.close()


@pytest.mark.skipif(sys.platform != "linux", reason="finds the command of the database in /proc")
def test_a_stopped_postgresql_is_503_and_serves_when_it_is_back(tmp_path: Path):
    with running_cluster() as cluster:
        url = cluster.url(cluster.create())
        prepared(url)
        office = open_office(Settings(data=tmp_path / "data", database_url=url, threads=4, database_wait=2))
        desk, phone = open_desk(office), Wire(to_app(create_app(office)), ROOT)
        desk.publish(HOUSE)
        xml = instance("hogar", "<nombre>Ana</nombre>", instance_id="uuid:1")
        assert phone.post(instance("hogar", instance_id="uuid:0")).status == 201
        cluster.close()

        with stopped(Path(cluster.host) / "data"):
            for answer in (phone.post(xml), phone.post(xml, {"a.jpg": b"A"}), phone.get("/formList")):
                assert (answer.status, answer.message) == (503, LATER)
            assert phone.head().status == 503
        assert phone.post(xml, {"a.jpg": b"A"}).status in (201, 503)  # a connection of before may still be found broken
        assert phone.post(xml, {"a.jpg": b"A"}).status == 201

        assert sorted(row["_key"] for row in desk.rows("hogar")) == ["uuid:0", "uuid:1"]
        assert desk.files("uuid:1") == {"a.jpg": b"A"}
        office.database.close()


@pytest.mark.skipif(sys.platform != "linux", reason="finds the command of the database in /proc")
def test_every_201_is_kept_though_postgresql_breaks_down_under_load(tmp_path: Path):
    acknowledged: list[str] = []
    enough = threading.Event()
    with running_cluster(durable=True) as cluster:
        url = cluster.url(cluster.create())
        prepared(url)
        office = open_office(Settings(data=tmp_path / "data", database_url=url, database_wait=2))
        desk = open_desk(office)
        desk.publish(HOUSE)
        with serving(office.settings.data, url) as server:
            phone = Wire(to_server(server.url), ROOT)

            def send() -> list[int]:
                statuses = [201]
                while statuses[-1] == 201:
                    instance_id = new_id()
                    answer = phone.post(instance("hogar", "<nombre>Ana</nombre>", instance_id=instance_id))
                    statuses.append(answer.status)
                    if answer.status == 201:
                        acknowledged.append(instance_id)
                    if len(acknowledged) > 200:
                        enough.set()
                return statuses

            with ThreadPoolExecutor(8) as pool:
                senders = [pool.submit(send) for _ in range(8)]
                assert enough.wait(60)
                cluster.close()
                with stopped(Path(cluster.host) / "data", signal.SIGQUIT):  # no last write to the disk
                    last = {sender.result(60)[-1] for sender in senders}

        assert last == {503}
        office.database.close()
        assert set(acknowledged) <= {row["_key"] for row in desk.rows("hogar")}
        assert len(desk.rows("hogar")) == desk.submissions()
        assert desk.failures() == []
        office.database.close()


@contextmanager
def stopped(data: Path, how: signal.Signals = signal.SIGINT) -> Iterator[None]:
    """The database server is stopped at once, and started again at the end."""
    pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    command = [part.decode() for part in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") if part]
    os.kill(pid, how)
    until = time.monotonic() + 30
    while (data / "postmaster.pid").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < until
        time.sleep(0.05)
    (data / "postmaster.pid").unlink(missing_ok=True)
    yield
    owner = data.stat()
    who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    with (data.parent / "log2").open("wb") as log:
        again = subprocess.Popen(command, cwd=data.parent, stdout=log, stderr=log, start_new_session=True, **who)
    try:
        wait_until_it_answers(data.parent, until=time.monotonic() + 60)
    except BaseException:
        again.kill()
        raise
    AGAIN.append(again)


AGAIN: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def _stop_again() -> Iterator[None]:
    yield
    while AGAIN:
        process = AGAIN.pop()
        process.send_signal(signal.SIGINT)
        process.wait(30)


def wait_until_it_answers(folder: Path, *, until: float) -> None:

    while True:
        try:
            psycopg.connect(host=str(folder), user=USER, dbname="postgres").close()
        except psycopg.OperationalError:
            assert time.monotonic() < until
            time.sleep(0.05)
        else:
            return

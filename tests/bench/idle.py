"""idle: how much memory a server holds that has the bundled forms and nothing to do."""

from __future__ import annotations

import re
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from server.settings import Settings
from tests.bench.figures import Figure
from tests.bench.installation import Databases, Server, environment, serving, submission_request, tejido
from tests.bench.loader import loading
from tests.bench.machine import memory

NAME: Final = "idle"
_MOST: Final = 120.0
_SETTLE_SECONDS: Final = 2.0


def measure(databases: Databases, engine: str, folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Memory after the first start, which compiles four workbooks, and after the next ones."""
    with databases.fresh(engine, folder / "tejido.sqlite3") as url:
        settings = Settings(data=folder / "data", database_url=url)
        settings.data.mkdir()
        for number, name in enumerate(("first start (compiles and publishes four workbooks)", "any later start")):
            log = folder / f"log{number}"
            with serving(tejido("serve"), environment(settings), "/healthz", log) as server:
                if number == 0:
                    path = _key_path(log)
                fresh = memory(server.pid).now
                _use(server, path)
                time.sleep(_SETTLE_SECONDS)
                held = memory(server.pid).now
            yield Figure(program=NAME, database=engine, name=f"{name}: answering", value=fresh, unit="MB")
            yield Figure(
                program=NAME, database=engine, name=f"{name}: after a formList and a submission", value=held, unit="MB",
                at_most=_MOST if number else None,
            )  # fmt: skip


def _key_path(log: Path) -> str:
    """The path of the app user's URL, which the first start prints."""
    found = re.search(r"https?://[^/\s]+(/v1/key/\S+)", log.read_text(encoding="utf-8", errors="replace"))
    if found is None:
        raise RuntimeError("the first start printed no URL for a phone")
    return found[1]


def _use(server: Server, path: str) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}/formList", timeout=30) as answer:
        listed = answer.read().decode()
    found = re.search(r"<formID>([^<]*)</formID>.*?<version>([^<]*)</version>", listed, re.DOTALL)
    if found is None:
        raise RuntimeError("the form list is empty")
    xml = (
        f'<data id="{found[1]}" version="{found[2]}"><meta><instanceID>uuid:{uuid.uuid4()}</instanceID></meta></data>'
    ).encode()
    with loading() as loader:
        loader.run(server.port, [submission_request(f"{path}/submission", xml)], senders=1, seconds=0, expected=201)

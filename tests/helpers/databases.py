"""Fresh databases for tests, on each engine the program runs on, empty or prepared once and copied."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.helpers.postgres import Cluster

ENGINES: Final = ("sqlite", "postgresql")
Prepare = Callable[[str], None]


@dataclass
class Databases:
    """Gives databases away. `cluster` starts PostgreSQL when it is first asked for; `folder` holds prepared files."""

    cluster: Callable[[], Cluster]
    folder: Path
    _prepared: dict[tuple[str, str], str] = field(default_factory=dict)

    @contextmanager
    def fresh(self, engine: str, folder: Path, prepare: Prepare | None = None) -> Iterator[str]:
        """The URL of a database of its own, dropped at the end.

        `prepare` gets the URL of an empty database once per session (it migrates it, say, and closes what it
        opened); every later database is a copy of that one.
        """
        if engine == "sqlite":
            yield f"sqlite:///{self._sqlite(folder, prepare)}"
            return
        cluster = self.cluster()
        name = cluster.create(template=self._template(cluster, prepare))
        try:
            yield cluster.url(name)
        finally:
            cluster.drop(name)

    def _sqlite(self, folder: Path, prepare: Prepare | None) -> Path:
        file = folder / "tejido.sqlite"
        if prepare is not None:
            key = ("sqlite", _name(prepare))
            if key not in self._prepared:
                made = self.folder / f"prepared-{len(self._prepared)}.sqlite"
                prepare(f"sqlite:///{made}")
                self._prepared[key] = str(made)
            with closing(sqlite3.connect(self._prepared[key])) as source, closing(sqlite3.connect(file)) as target:
                source.backup(target)  # what still lies in its write-ahead log comes along
        return file

    def _template(self, cluster: Cluster, prepare: Prepare | None) -> str:
        if prepare is None:
            return "template0"
        key = ("postgresql", _name(prepare))
        if key not in self._prepared:
            made = cluster.create()
            prepare(cluster.url(made))
            self._prepared[key] = made
        return self._prepared[key]


def _name(prepare: Prepare) -> str:
    return f"{prepare.__module__}.{prepare.__qualname__}"

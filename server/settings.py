"""Settings: everything a deployment may choose, each with a sentence of help."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from forms.problems import Sentence
from server import problems

PREFIX: Final = "TEJIDO_"


def _setting(default: Any, help_: str) -> Any:
    return field(default=default, metadata={"help": help_})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Defaults < TOML file < environment `TEJIDO_…` < command line. Nothing else reads the environment."""

    data: Path = _setting(Path("data"), "Folder of everything that is kept: database, attachments, workbooks.")
    database_url: str = _setting(
        "", "SQLAlchemy URL; empty: SQLite in the data folder. PostgreSQL: postgresql+psycopg://…"
    )
    host: str = _setting("127.0.0.1", "Address to listen on; 0.0.0.0 lets phones of the same network in.")
    port: int = _setting(8000, "Port to listen on.")
    base_url: str = _setting(
        "", "Public address, such as https://datos.example.org; empty: the one each request came to."
    )
    language: str = _setting("es", "Language of messages to phones and in the terminal: es or en.")
    accept_content_length: int = _setting(
        5_000_000, "Bytes per upload that phones are told to keep to (weak links: less)."
    )
    max_body: int = _setting(200_000_000, "Bytes of one request that are taken at the most.")
    max_xml: int = _setting(10_000_000, "Bytes of one submission's XML that are taken at the most.")
    threads: int = _setting(16, "Requests answered at the same time.")
    processes: int = _setting(1, "Processes that serve, on PostgreSQL only; as many as processors is a good number.")
    database_wait: int = _setting(10, "Seconds to wait for a busy database before answering 503.")
    backlog_days: int = _setting(
        5, "Days that an update of an entity is held for want of what came before it; then it is applied as it is."
    )
    purge_days: int = _setting(
        30, "Days after which deleted entities are removed for good, on schedule; until then they come back. 0: never."
    )
    trusted_proxy: str = _setting(
        "", "Address of the reverse proxy whose X-Forwarded-Proto, -Host and -For are believed."
    )
    admin_email: str = _setting("admin@example.org", "Administrator made on an empty data folder.")
    admin_password: str = _setting("", "The administrator's first password; empty: a generated one, printed once.")

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        if not self.database_url:
            return f"sqlite:///{self.sqlite_file}"
        for scheme in ("postgres://", "postgresql://"):
            if self.database_url.startswith(scheme):
                return "postgresql+psycopg://" + self.database_url.removeprefix(scheme)
        return self.database_url

    @property
    def sqlite_file(self) -> Path:
        """The embedded database, where no other one is named."""
        return self.data / "tejido.sqlite3"

    @property
    def address_file(self) -> Path:
        """Where a serving process notes the address it gives to phones and the one it listens at, for other terminals."""
        return self.data / "address.txt"

    def with_(self, **values: Any) -> Settings:
        """These settings with other values; None leaves one as it is."""
        return replace(self, **{name: value for name, value in values.items() if value is not None})


def load(
    environment: Mapping[str, str], *, file: Path | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """Settings from their four sources.

    `file` is TOML with the names of the fields; `environment` is what the operating system gives; `overrides` come from the
    command line (None values are left out). Raises Problem 500.8 for an unknown name or a value that cannot be meant.
    """
    given: dict[str, Any] = {}
    if file is not None:
        given |= read_file(file)
    known = {entry.name: entry for entry in fields(Settings)}
    given |= {key.removeprefix(PREFIX).lower(): value for key, value in environment.items() if key.startswith(PREFIX)}
    given |= {key: value for key, value in (overrides or {}).items() if value is not None}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise problems.unknown_setting(name)
        values[name] = _convert(name, value, known[name].default)
    settings = replace(Settings(), **values)
    _require_sound(settings)
    return replace(settings, base_url=settings.base_url.rstrip("/"))


def read_file(file: Path) -> dict[str, Any]:
    """What a settings file says, by name. Raises Problem 500.8 where it is not readable as TOML."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise problems.bad_setting(str(file), Sentence(str(error), str(error))) from error


def _require_sound(settings: Settings) -> None:
    if settings.language not in ("es", "en"):
        raise problems.bad_setting("language", Sentence("debe ser es o en", "it must be es or en"))
    if not 1 <= settings.port <= 65535:
        raise problems.bad_setting("port", Sentence("debe estar entre 1 y 65535", "it must be from 1 to 65535"))
    if settings.purge_days < 0:
        raise problems.bad_setting("purge_days", Sentence("no puede ser negativo", "it cannot be negative"))
    for name in (
        "accept_content_length",
        "max_body",
        "max_xml",
        "threads",
        "processes",
        "database_wait",
        "backlog_days",
    ):
        if getattr(settings, name) < 1:
            raise problems.bad_setting(name, Sentence("debe ser mayor que 0", "it must be more than 0"))
    try:
        url = urlsplit(settings.base_url)
        whole = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        whole = False
    if settings.base_url and (not whole or url.query or url.fragment):
        raise problems.bad_setting(
            "base_url",
            Sentence(
                f"«{settings.base_url}» no es una dirección como https://datos.example.org",
                f"“{settings.base_url}” is no address such as https://datos.example.org",
            ),
        )
    try:
        embedded = make_url(settings.database).get_backend_name() == "sqlite"
    except ArgumentError as error:
        raise problems.bad_setting(
            "database_url",
            Sentence(
                "no es una dirección como postgresql://usuario:clave@equipo/base",
                "it is no address such as postgresql://user:password@host/database",
            ),
        ) from error
    if settings.processes > 1 and (embedded or not hasattr(os, "fork")):
        raise problems.bad_setting(
            "processes",
            Sentence(
                "varios procesos necesitan PostgreSQL, y un sistema que no sea Windows",
                "several processes need PostgreSQL, and a system other than Windows",
            ),
        )


def _convert(name: str, value: Any, default: Any) -> Any:
    try:
        if isinstance(default, int):
            return int(value)
        if isinstance(default, Path):
            return Path(value)
    except (TypeError, ValueError) as error:
        told = Sentence(f"«{value}» no sirve", f"“{value}” will not do")
        raise problems.bad_setting(name, told) from error
    return str(value)

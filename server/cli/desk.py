"""The desk: what every command shares: settings, an open office, words in the person's language."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
from tqdm import tqdm

from forms.problems import Finding, Sentence
from server import migrations, problems
from server.actions.identity import CONSOLE
from server.app import open_office
from server.cli import terminal
from server.context import Context, Office
from server.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """The settings in force and the language of the terminal."""

    settings: Settings
    language: str

    def say(self, es: str, en: str, *, err: bool = False) -> None:
        """One sentence in the person's language."""
        click.echo(Sentence(es, en).say(self.language), err=err)

    def tell(self, findings: Iterable[Finding], *, err: bool = False) -> None:
        """Findings, one a line: errors, warnings, notes."""
        for line in terminal.lines(findings, self.language):
            click.echo(line, err=err)

    @contextmanager
    def office(self, *, create: bool = False, migrate: bool = True) -> Iterator[Office]:
        """The open office; the database brought up to date first.

        Only where `create` is said is an installation made; elsewhere its absence is Problem 404.1, since a command typed in
        the wrong folder would otherwise work on an empty database.
        """
        settings = self.settings
        if not create and not settings.database_url and not settings.sqlite_file.exists():
            raise problems.no_installation(str(settings.data.absolute()))
        office = open_office(settings)
        try:
            if not create and migrate and migrations.current(office.database) is None:
                raise problems.no_installation(office.database.engine.url.render_as_string(hide_password=True))
            if migrate:
                migrations.upgrade(office.database)
            yield office
        finally:
            office.database.close()

    @contextmanager
    def progress(self, es: str, en: str) -> Iterator[Callable[[int, int], None]]:
        """A progress bar, told (done, all); silent where there is no terminal."""
        with tqdm(desc=Sentence(es, en).say(self.language), disable=None, leave=False) as bar:

            def tell(done: int, every: int) -> None:
                bar.total = every
                bar.update(done - bar.n)

            yield tell

    def base_url(self) -> str:
        """The address phones are given: the setting; else the one that the server of this data folder last listened to, where
        the command itself names none; else this machine's own on the network."""
        settings, plain = self.settings, Settings()
        if settings.base_url:
            return settings.base_url
        noted = self._noted()
        if (settings.host, settings.port) == (plain.host, plain.port) and noted:
            return noted[0]
        return self.own_url()

    def note_address(self) -> None:
        """Write down what address phones are given and at what this server listens, for commands in another terminal."""
        lines = (self.own_url(), self.listening_url())
        self.settings.address_file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def last_listened(self) -> tuple[str, int] | None:
        """The host and port at which the server of this data folder listens, or last did; None where none is known."""
        noted = self._noted()
        if len(noted) < 2:
            return None
        url = urlsplit(noted[1])
        return (url.hostname or "", url.port) if url.port else None

    def listening_url(self) -> str:
        """The host and port to listen at, as an address."""
        host = self.settings.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.settings.port}"

    def _noted(self) -> list[str]:
        file = self.settings.address_file
        return file.read_text(encoding="utf-8").split() if file.exists() else []

    def own_url(self) -> str:
        """The address by the settings alone."""
        if self.settings.base_url:
            return self.settings.base_url
        host = self.settings.host
        if host in ("0.0.0.0", "::", ""):  # noqa: S104  compared, not bound
            host = own_address()
        return f"http://{host}:{self.settings.port}"


def act(office: Office, action: Callable[[Context], T]) -> T:
    """A writing action in the name of the command line."""
    return office.act(action, lambda _: lambda: CONSOLE)


def ask(office: Office, action: Callable[[Context], T]) -> T:
    """A reading action in the name of the command line."""
    return office.database.read(lambda conn: action(_context(office, conn)))


def own_address() -> str:
    """This machine's address on its network. Connecting a datagram socket sends nothing: it only picks the way out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1, RFC 5737
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def read_file(path: Path) -> bytes:
    """A file named on the command line."""
    return path.read_bytes()


def desk(context: click.Context) -> Desk:
    """The desk that the main command set up."""
    found = context.find_object(Desk)
    if found is None:
        raise RuntimeError("no desk")
    return found


def _context(office: Office, conn: Any) -> Context:
    return office.context(conn, CONSOLE)

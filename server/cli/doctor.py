"""tejido doctor: what is wrong with an installation, and how to mend it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import click
from sqlalchemy import text

from forms.problems import Problem, Sentence
from forms.validate import find_java
from server import migrations
from server.actions import checkup, people
from server.cli.desk import Desk, ask, desk
from server.context import Office

_LEAST_FREE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was looked at; `wrong` makes the command fail, and `way_out` says what to do."""

    wrong: bool
    sentence: Sentence
    way_out: Sentence | None = None


@click.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Look at the installation and say what is wrong and how to mend it; exit code 1 where something is."""
    at = desk(context)
    wrong = False
    for remark in _look(at):
        wrong = wrong or remark.wrong
        click.echo(f"{'✗' if remark.wrong else '✓'} {remark.sentence.say(at.language)}")
        if remark.way_out is not None:
            click.echo(f"    → {remark.way_out.say(at.language)}")
    if wrong:
        context.exit(1)


def _look(at: Desk) -> Iterator[Remark]:
    yield from _folder(at)
    yield from _address(at)
    yield _java()
    try:
        with at.office(create=True, migrate=False) as office:
            yield from _database(office)
    except Problem as problem:
        yield Remark(
            True,
            Sentence(
                f"La base de datos no responde: {problem.say('es')}",
                f"The database does not answer: {problem.say('en')}",
            ),
            Sentence(
                "Compruebe TEJIDO_DATABASE_URL y que el servidor de base de datos esté encendido.",
                "Check TEJIDO_DATABASE_URL and that the database server is running.",
            ),
        )


def _folder(at: Desk) -> Iterator[Remark]:
    folder = at.settings.data
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        yield Remark(
            True,
            Sentence(
                f"No se puede escribir en {folder}: {error.strerror}.", f"Cannot write to {folder}: {error.strerror}."
            ),
            Sentence("Cambie sus permisos o use TEJIDO_DATA.", "Change its permissions or use TEJIDO_DATA."),
        )
        return
    free = shutil.disk_usage(folder).free
    yield Remark(
        free < _LEAST_FREE,
        Sentence(f"{folder}: {free // 1_000_000} MB libres.", f"{folder}: {free // 1_000_000} MB free."),
        Sentence(
            "Libere espacio: con el disco lleno no se recibe nada.", "Free some space: a full disk receives nothing."
        )
        if free < _LEAST_FREE
        else None,
    )
    if os.name == "posix" and folder.stat().st_mode & 0o077:
        yield Remark(
            False,
            Sentence(
                f"Otros usuarios del equipo pueden abrir {folder}.", f"Other users of this machine can open {folder}."
            ),
            Sentence(f"chmod 700 {folder}", f"chmod 700 {folder}"),
        )


def _address(at: Desk) -> Iterator[Remark]:
    base = at.base_url()
    parts = urlsplit(base)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or "_" in host:
        yield Remark(
            True,
            Sentence(f"Los teléfonos no pueden usar la dirección {base}.", f"Phones cannot use the address {base}."),
            Sentence(
                "TEJIDO_BASE_URL debe empezar con http:// o https:// y su nombre no puede llevar «_».",
                "TEJIDO_BASE_URL must begin with http:// or https://, and its host name must have no “_”.",
            ),
        )
    elif host in ("127.0.0.1", "localhost", "::1"):
        yield Remark(
            False,
            Sentence(
                f"La dirección {base} solo sirve en este equipo.", f"The address {base} works on this machine only."
            ),
            Sentence(
                "Para teléfonos de la misma red: TEJIDO_HOST=0.0.0.0. Con nombre propio: TEJIDO_BASE_URL=https://…",
                "For phones on the same network: TEJIDO_HOST=0.0.0.0. With a name: TEJIDO_BASE_URL=https://…",
            ),
        )
    else:
        yield Remark(False, Sentence(f"Dirección para teléfonos: {base}", f"Address for phones: {base}"))


def _java() -> Remark:
    found = find_java()
    if found is not None:
        return Remark(False, Sentence(f"Java para ODK Validate: {found}", f"Java for ODK Validate: {found}"))
    return Remark(
        False,
        Sentence(
            "Sin Java: ODK Validate no revisa los formularios.", "No Java: forms are not checked by ODK Validate."
        ),
        Sentence(
            ".venv/bin/pip install '.[java]' (en la carpeta de Tejido), o instale un Java.",
            ".venv/bin/pip install '.[java]' (in Tejido's folder), or install a Java.",
        ),
    )


def _database(office: Office) -> Iterator[Remark]:
    revision = migrations.current(office.database)
    if revision is None:
        yield Remark(
            False,
            Sentence("Base de datos vacía: se creará al iniciar.", "Empty database: it is made at the first start."),
        )
        return
    if revision != migrations.HEAD:
        yield Remark(
            True,
            Sentence(
                f"La base de datos está en {revision} y este programa en {migrations.HEAD}.",
                f"The database is at {revision}, this program at {migrations.HEAD}.",
            ),
            Sentence("tejido migrate", "tejido migrate"),
        )
        return
    yield Remark(False, Sentence(f"Base de datos al día ({revision}).", f"Database up to date ({revision})."))
    if office.database.is_sqlite:
        yield _integrity(office)
    if not ask(office, people.has_users):
        yield Remark(
            True,
            Sentence("No hay ningún usuario.", "There is no user."),
            Sentence("tejido user create CORREO --administrator", "tejido user create EMAIL --administrator"),
        )
    failures = ask(office, checkup.count_failures)
    if failures:
        yield Remark(
            True,
            Sentence(
                f"{failures} envíos recibidos aún no están en las tablas.",
                f"{failures} received submissions are not in the tables yet.",
            ),
            Sentence("tejido rebuild", "tejido rebuild"),
        )
    lost = ask(office, checkup.list_lost_files)
    if lost:
        yield Remark(
            True,
            Sentence(
                f"Faltan en el disco {len(lost)} archivos registrados, por ejemplo {lost[0]}.",
                f"{len(lost)} registered files are missing on the disk, {lost[0]} for one.",
            ),
            Sentence("Restaure la carpeta blobs de una copia de seguridad.", "Restore the folder blobs from a backup."),
        )


def _integrity(office: Office) -> Remark:
    try:
        with office.database.reading() as conn:
            said = conn.execute(text("PRAGMA quick_check(1)")).scalar()
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said == "ok":
        return Remark(False, Sentence("SQLite íntegro.", "SQLite is sound."))
    return Remark(
        True,
        Sentence(f"SQLite dañado: {said}", f"SQLite is damaged: {said}"),
        Sentence("Detenga el servidor y restaure una copia de seguridad.", "Stop the server and restore a backup."),
    )

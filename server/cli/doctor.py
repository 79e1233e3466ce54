"""tejido doctor: what is wrong with an installation, and how to mend it."""

from __future__ import annotations

import errno
import http.client
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

import click
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from forms.problems import Problem, Sentence
from forms.validate import find_java
from server import migrations, problems
from server.actions import checkup, people
from server.app import look_into
from server.cli.desk import Desk, ask, desk
from server.context import Office
from server.settings import Settings

_LEAST_FREE: Final = 1_000_000_000
"""Bytes of free disk below which something is wrong."""
_NO_RIGHT: Final = Sentence("falta el permiso", "permission denied")


Grade = Literal["sound", "advice", "wrong"]
_MARKS: Final[dict[Grade, str]] = {"sound": "✓", "advice": "!", "wrong": "✗"}


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was looked at; one that is `wrong` makes the command fail, and `way_out` says what to do."""

    grade: Grade
    sentence: Sentence
    way_out: Sentence | None = None


@click.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Say what is wrong with the installation and how to mend it, changing nothing; exit code 1 at a ✗, not at a !."""
    at = desk(context)
    wrong = False
    for remark in _look(at):
        wrong = wrong or remark.grade == "wrong"
        click.echo(f"{_MARKS[remark.grade]} {remark.sentence.say(at.language)}")
        if remark.way_out is not None:
            click.echo(f"    → {remark.way_out.say(at.language)}")
    if wrong:
        context.exit(1)


_EMPTY: Final = Remark(
    "advice",
    Sentence("No hay base de datos todavía: se crea al iniciar.", "There is no database yet: serving makes it."),
    Sentence("tejido serve", "tejido serve"),
)


_MENDS: Final = Sentence(
    "Publique lo que falta, o corrija el libro que los declara y vuelva a cargarlo.",
    "Publish what is missing, or mend the workbook that declares them and give it again.",
)


def _look(at: Desk) -> Iterator[Remark]:
    for part in (_folder(at), _address(at), _port(at), _java(), _database(at)):
        try:
            yield from part
        except (
            Problem,
            OSError,
            SQLAlchemyError,
        ) as error:  # one part that cannot be looked at hides none of the others
            es, en = (error.say("es"), error.say("en")) if isinstance(error, Problem) else (str(error), str(error))
            yield Remark("wrong", Sentence(f"No se pudo revisar: {es}", f"Could not be looked at: {en}"))


def _folder(at: Desk) -> Iterator[Remark]:
    folder = at.settings.data.absolute()
    standing = next(place for place in (folder, *folder.parents) if place.exists())
    if not standing.is_dir() or not os.access(standing, os.W_OK | os.X_OK):
        reason = Sentence("no es una carpeta", "it is no folder") if not standing.is_dir() else _NO_RIGHT
        yield Remark(
            "wrong",
            Sentence(f"No se puede escribir en {standing}: {reason.es}.", f"Cannot write to {standing}: {reason.en}."),
            Sentence("Cambie sus permisos o use TEJIDO_DATA.", "Change its permissions or use TEJIDO_DATA."),
        )
        return
    free = shutil.disk_usage(standing).free
    yield Remark(
        "wrong" if free < _LEAST_FREE else "sound",
        Sentence(f"{folder}: {free // 1_000_000} MB libres.", f"{folder}: {free // 1_000_000} MB free."),
        Sentence(
            "Libere espacio: con el disco lleno no se recibe nada.", "Free some space: a full disk receives nothing."
        )
        if free < _LEAST_FREE
        else None,
    )
    if standing != folder:
        yield Remark(
            "advice",
            Sentence(
                "La carpeta no existe todavía: se crea al iniciar.", "The folder does not exist yet: serving makes it."
            ),
        )
    elif os.name == "posix" and folder.stat().st_mode & 0o077:
        yield Remark(
            "advice",
            Sentence(
                f"Otros usuarios del equipo pueden abrir {folder}.", f"Other users of this machine can open {folder}."
            ),
            Sentence(f"chmod 700 '{folder}'", f"chmod 700 '{folder}'"),
        )


def _address(at: Desk) -> Iterator[Remark]:
    base = at.base_url()
    parts = urlsplit(base)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or "_" in host:
        yield Remark(
            "wrong",
            Sentence(f"Los teléfonos no pueden usar la dirección {base}.", f"Phones cannot use the address {base}."),
            Sentence(
                "TEJIDO_BASE_URL debe empezar con http:// o https:// y su nombre no puede llevar «_».",
                "TEJIDO_BASE_URL must begin with http:// or https://, and its host name must have no “_”.",
            ),
        )
    elif host in ("127.0.0.1", "localhost", "::1"):
        yield Remark(
            "advice",
            Sentence(
                f"La dirección {base} solo sirve en este equipo.", f"The address {base} works on this machine only."
            ),
            Sentence(
                "Para teléfonos de la misma red: TEJIDO_HOST=0.0.0.0. Con nombre propio: TEJIDO_BASE_URL=https://…",
                "For phones on the same network: TEJIDO_HOST=0.0.0.0. With a name: TEJIDO_BASE_URL=https://…",
            ),
        )
    else:
        yield Remark("sound", Sentence(f"Dirección para teléfonos: {base}", f"Address for phones: {base}"))


def _port(at: Desk) -> Iterator[Remark]:
    host, port = at.settings.host, at.settings.port
    noted = at.last_listened() if port == Settings().port else None
    if noted is not None and _is_tejido(*noted):
        yield _runs_on(noted[1])
        return
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: a closing one is free
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and _is_tejido(host, port):
            yield _runs_on(port)
            return
        taken = error.errno == errno.EADDRINUSE
        problem = problems.cannot_listen(host, port, taken=taken, reason=error.strerror or str(error))
        yield Remark("wrong", problem.sentence, problem.way_out)
    else:
        yield Remark(
            "sound",
            Sentence(
                f"El puerto {port} está libre: Tejido no está en marcha.",
                f"Port {port} is free: Tejido is not running.",
            ),
        )


def _runs_on(port: int) -> Remark:
    return Remark("sound", Sentence(f"Tejido está en marcha en el puerto {port}.", f"Tejido runs on port {port}."))


def _is_tejido(host: str, port: int) -> bool:
    near = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104  compared, not bound
    connection = http.client.HTTPConnection(near, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().getheader("Server") == "Tejido"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _java() -> Iterator[Remark]:
    found = find_java()
    if found is not None:
        yield Remark("sound", Sentence(f"Java para ODK Validate: {found}", f"Java for ODK Validate: {found}"))
        return
    yield Remark(
        "advice",
        Sentence(
            "Sin Java: ODK Validate no revisa los formularios.", "No Java: forms are not checked by ODK Validate."
        ),
        Sentence(
            ".venv/bin/pip install '.[java]' (en la carpeta de Tejido), o instale un Java.",
            ".venv/bin/pip install '.[java]' (in Tejido's folder), or install a Java.",
        ),
    )


def _database(at: Desk) -> Iterator[Remark]:
    if not at.settings.database_url and not at.settings.sqlite_file.exists():
        yield _EMPTY
        return
    office = look_into(at.settings)
    try:
        try:
            office.database.engine.connect().close()
        except DBAPIError as error:
            reason = str(error.orig).strip().partition("\n")[0]
            yield Remark(
                "wrong",
                Sentence(f"La base de datos no responde: {reason}", f"The database does not answer: {reason}"),
                Sentence(
                    "Compruebe TEJIDO_DATABASE_URL y que el servidor de base de datos esté encendido.",
                    "Check TEJIDO_DATABASE_URL and that the database server is running.",
                ),
            )
            return
        yield from _contents(office)
    finally:
        office.database.close()


def _contents(office: Office) -> Iterator[Remark]:
    revision = migrations.current(office.database)
    if revision is None:
        yield _EMPTY
        return
    if revision != migrations.HEAD:
        yield Remark(
            "wrong",
            Sentence(
                f"La base de datos está en {revision} y este programa en {migrations.HEAD}.",
                f"The database is at {revision}, this program at {migrations.HEAD}.",
            ),
            Sentence("tejido migrate", "tejido migrate"),
        )
        return
    yield Remark("sound", Sentence(f"Base de datos al día ({revision}).", f"Database up to date ({revision})."))
    if office.database.is_sqlite:
        yield _integrity(office)
    if not ask(office, people.has_users):
        yield Remark(
            "wrong",
            Sentence("No hay ningún usuario.", "There is no user."),
            Sentence("tejido user create CORREO --administrator", "tejido user create EMAIL --administrator"),
        )
    failures = ask(office, checkup.count_failures)
    if failures:
        yield Remark(
            "wrong",
            Sentence(
                f"{failures} envíos recibidos aún no están en las tablas.",
                f"{failures} received submissions are not in the tables yet.",
            ),
            Sentence("tejido rebuild", "tejido rebuild"),
        )
    yield from _facts(office)
    yield from _indicators(office)
    unplaced = ask(office, checkup.count_flags)
    if unplaced:
        yield Remark(
            "advice",
            Sentence(
                f"{unplaced} valores no encontraron lugar en las tablas.",
                f"{unplaced} values found no place in the tables.",
            ),
            Sentence("tejido flags FORMULARIO --project NÚMERO", "tejido flags FORM --project NUMBER"),
        )
    lost = ask(office, checkup.list_lost_files)
    if lost:
        yield Remark(
            "wrong",
            Sentence(
                f"Faltan en el disco {len(lost)} archivos registrados, por ejemplo {lost[0]}.",
                f"{len(lost)} registered files are missing on the disk, {lost[0]} for one.",
            ),
            Sentence("Restaure la carpeta blobs de una copia de seguridad.", "Restore the folder blobs from a backup."),
        )


def _facts(office: Office) -> Iterator[Remark]:
    for name, flaw in ask(office, checkup.list_flawed_facts):
        yield Remark(
            "wrong",
            Sentence(f"Tabla de hechos «{name}»: {flaw.es}.", f"Table of facts “{name}”: {flaw.en}."),
            Sentence("tejido rebuild", "tejido rebuild"),
        )


def _indicators(office: Office) -> Iterator[Remark]:
    for one in ask(office, checkup.list_ailing_indicators):
        names = ", ".join(one.names)
        es, en = ("esperan", "wait") if one.waits else ("no se pueden calcular", "cannot be computed")
        yield Remark(
            "advice" if one.waits else "wrong",
            Sentence(
                f"Proyecto {one.project_id}: indicadores que {es}: {names}. {one.reason.es}",
                f"Project {one.project_id}: indicators that {en}: {names}. {one.reason.en}",
            ),
            None if one.waits else _MENDS,
        )


def _integrity(office: Office) -> Remark:
    try:
        with office.database.reading() as conn:
            said = conn.execute(text("PRAGMA quick_check(1)")).scalar()
    except (Problem, DBAPIError) as error:
        said = str(error)
    if said == "ok":
        return Remark("sound", Sentence("SQLite íntegro.", "SQLite is sound."))
    return Remark(
        "wrong",
        Sentence(f"SQLite dañado: {said}", f"SQLite is damaged: {said}"),
        Sentence("Detenga el servidor y restaure una copia de seguridad.", "Stop the server and restore a backup."),
    )

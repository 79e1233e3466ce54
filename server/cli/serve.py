"""tejido serve: the server, and what an empty data folder gets at its first start."""

from __future__ import annotations

import signal
from collections.abc import Collection
from functools import partial
from importlib.resources.abc import Traversable
from io import BytesIO

import click

from forms import library
from forms.problems import Sentence
from server import credentials
from server.actions import installation, logframe_files, logframes, people, projects
from server.cli.desk import Desk, act, ask, desk
from server.cli.forms import publish_file
from server.cli.people import show_code
from server.cli.serving import listening, serve_here, serve_in_processes
from server.context import Office
from server.http import collect


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--empty", is_flag=True, help="Do not publish the bundled forms on an empty data folder.")
@click.pass_context
def serve(context: click.Context, host: str | None, port: int | None, empty: bool) -> None:
    """Serve until stopped. An empty data folder gets an administrator, a project with the bundled forms and a QR code."""
    at = _listening(desk(context), host, port)
    settings = at.settings
    # a service manager's stop is the person's Ctrl-C: what was begun is answered, then the process ends with 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with listening(settings) as sockets:  # the port first: what cannot be served is not begun
        with at.office(create=True) as office:
            at.note_address()
            first_start(at, office, bundled=not empty)
            _renew_facts(at, office)
            _say_where(at)
            if settings.processes == 1:
                serve_here(office, sockets, schedule=True)
        if settings.processes > 1:
            serve_in_processes(at, sockets)
    at.say("Tejido terminó.", "Tejido stopped.")


def _renew_facts(at: Desk, office: Office) -> None:
    """After an upgrade, figures come from fact tables as this program makes them."""
    for project in ask(office, projects.list_projects):
        renewed = act(office, partial(logframes.renew_stale, project_id=project.id))
        if renewed:
            listed = ", ".join(renewed)
            at.say(
                f"Hechos de los indicadores puestos al día tras la actualización: {listed}.",
                f"Facts of the indicators brought up to date after the upgrade: {listed}.",
            )


def _say_where(at: Desk) -> None:
    listens = at.listening_url()
    at.say(f"Tejido escucha en {listens} (Ctrl-C para terminar).", f"Tejido listens on {listens} (Ctrl-C to stop).")
    at.say(
        f"Dirección para los teléfonos: {at.base_url()}. Otro teléfono: tejido app-user create NOMBRE --project NÚMERO",
        f"Address for phones: {at.base_url()}. Another phone: tejido app-user create NAME --project NUMBER",
    )


def first_start(at: Desk, office: Office, *, bundled: bool) -> None:
    """What an empty installation needs before anyone can use it; a first start that was cut off goes on where it stopped."""
    stage = ask(office, installation.get_stage)
    if stage == "complete":
        return
    settings = at.settings
    if stage == "new":
        password = settings.admin_password or credentials.new_password()
        act(office, lambda ctx: installation.begin(ctx, settings.admin_email, password))
        at.say(f"Administrador: {settings.admin_email}", f"Administrator: {settings.admin_email}")
        if not settings.admin_password:
            at.say(f"Contraseña (no se vuelve a mostrar): {password}", f"Password (not shown again): {password}")
    else:
        at.say(
            "El primer inicio quedó a medias: sigue ahora. Contraseña nueva, si hace falta: tejido user password CORREO",
            "The first start was cut off: it goes on now. A new password, if needed: tejido user password EMAIL",
        )
    if bundled:
        _open_project(at, office)
    act(office, installation.complete)


def _open_project(at: Desk, office: Office) -> None:
    """The project with the bundled forms, the demonstration logframe over them, and one app user."""
    held = ask(office, projects.list_projects)
    project = held[0] if held else act(office, lambda ctx: projects.create_project(ctx, "Cohesión social"))
    for form in library.bundled():
        publish_file(at, office, project.id, form.workbook, _media(form))
    _put_logframe(at, office, project.id)
    phone = act(office, lambda ctx: people.create_app_user(ctx, project.id, "Teléfono 1"))
    url = collect.app_user_url(at.base_url(), project.id, phone.token)
    show_code(at, url, collect.settings(url, project_name=project.name, language=at.settings.language))


def _media(form: library.Bundled) -> dict[str, Traversable]:
    """The files of a bundled form by name; its entity lists are kept by the server."""
    return {file.name: file for file in form.media if file.name not in library.ENTITY_LISTS}


def _put_logframe(at: Desk, office: Office, project_id: int) -> None:
    """The demonstration logframe, unless the project has one: a first start that was cut off, or somebody's own."""
    if any(one.form_id is None for one in ask(office, lambda ctx: logframe_files.list_uploads(ctx, project_id))):
        return
    file = library.logframe()
    data = file.read_bytes()
    sheets = logframes.read(data, file.name)
    blob = office.blobs.put(BytesIO(data))
    made = act(office, lambda ctx: logframe_files.replace(ctx, project_id, sheets, original=blob, name=file.name))
    names = [one.name for one in sheets.declarations.indicators]
    parts = sum(_is_part(name, names) for name in names)
    waiting = made.taken.waiting
    wait = Sentence("", "")
    if waiting:
        listed = ", ".join(waiting)
        wait = Sentence(f"; {len(waiting)} esperan ({listed})", f"; {len(waiting)} wait ({listed})")
    at.say(
        f"Marco lógico de demostración: {len(names) - parts} indicadores y {parts} partes de ellos{wait.es}.",
        f"Demonstration logframe: {len(names) - parts} indicators and {parts} parts of them{wait.en}.",
    )


def _is_part(name: str, names: Collection[str]) -> bool:
    """Whether an indicator is there for another one: I2a for I2."""
    return name[-1:].islower() and name[:-1] in names


def _listening(at: Desk, host: str | None, port: int | None) -> Desk:
    chosen = at.settings.with_(host=host, port=port)
    return Desk(chosen, at.language)

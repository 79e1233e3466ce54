"""tejido serve: the server, and what an empty data folder gets at its first start."""

from __future__ import annotations

import signal

import click

from forms import library
from server import credentials
from server.actions import installation, people, projects
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
            settings.address_file.write_text(at.own_url(), encoding="utf-8")
            first_start(at, office, bundled=not empty)
            _say_where(at)
            if settings.processes == 1:
                serve_here(office, sockets, schedule=True)
        if settings.processes > 1:
            serve_in_processes(at, sockets)
    at.say("Tejido terminó.", "Tejido stopped.")


def _say_where(at: Desk) -> None:
    host, port = at.settings.host, at.settings.port
    shown = f"[{host}]" if ":" in host else host
    at.say(
        f"Tejido escucha en http://{shown}:{port} (Ctrl-C para terminar).",
        f"Tejido listens on http://{shown}:{port} (Ctrl-C to stop).",
    )
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
    """The project with the bundled forms and one app user."""
    held = ask(office, projects.list_projects)
    project = held[0] if held else act(office, lambda ctx: projects.create_project(ctx, "Cohesión social"))
    for form in library.bundled():
        publish_file(at, office, project.id, form.workbook, {file.name: file for file in form.media})
    phone = act(office, lambda ctx: people.create_app_user(ctx, project.id, "Teléfono 1"))
    url = collect.app_user_url(at.base_url(), project.id, phone.token)
    show_code(at, url, collect.settings(url, project_name=project.name, language=at.settings.language))


def _listening(at: Desk, host: str | None, port: int | None) -> Desk:
    chosen = at.settings.with_(host=host, port=port)
    return Desk(chosen, at.language)

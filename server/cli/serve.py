"""tejido serve: the server, and what an empty data folder gets at its first start."""

from __future__ import annotations

from typing import Any

import click
from waitress.server import create_server

from forms import library
from server import credentials
from server.actions import people, projects
from server.app import create_app
from server.cli.desk import Desk, act, ask, desk
from server.cli.forms import publish_file
from server.cli.people import show_code
from server.context import Office
from server.http import collect
from server.jobs.schedule import Schedule
from server.settings import Settings


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@click.option("--empty", is_flag=True, help="Do not publish the bundled forms on an empty data folder.")
@click.pass_context
def serve(context: click.Context, host: str | None, port: int | None, empty: bool) -> None:
    """Serve until stopped. An empty data folder gets an administrator, a project with the bundled forms and a QR code."""
    at = _listening(desk(context), host, port)
    settings = at.settings
    with at.office(create=True) as office:
        settings.address_file.write_text(at.own_url(), encoding="utf-8")
        first_start(at, office, bundled=not empty)
        app = create_app(office)
        server = create_server(app, **_waitress(settings))
        at.say(
            f"Tejido escucha en http://{settings.host}:{settings.port} (Ctrl-C para terminar).",
            f"Tejido listens on http://{settings.host}:{settings.port} (Ctrl-C to stop).",
        )
        with Schedule(office):
            try:
                server.run()
            except KeyboardInterrupt:
                pass
            finally:
                server.close()


def _waitress(settings: Settings) -> dict[str, Any]:
    """How waitress serves: it reads whole requests before a thread is taken, so that weak links hold up nobody."""
    options: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "threads": settings.threads,
        "connection_limit": 5000,  # phones keep idle connections for minutes
        "asyncore_use_poll": True,  # select() knows only 1024 of them
        "channel_timeout": 120,
        "outbuf_high_watermark": 1 << 32,  # a slow download waits in a file, not in a thread
        "max_request_body_size": 4 * settings.max_body,  # beyond `max_body` we answer ourselves, in OpenRosa's words
        "max_request_header_size": 1 << 20,  # a phone names every offline entity in one URL
        "ident": "Tejido",
        "clear_untrusted_proxy_headers": True,
    }
    if settings.trusted_proxy:
        options |= {
            "trusted_proxy": settings.trusted_proxy,
            "trusted_proxy_count": 1,
            "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"},
        }
    return options


def first_start(at: Desk, office: Office, *, bundled: bool) -> None:
    """What an empty installation needs before anyone can use it."""
    if ask(office, people.has_users):
        return
    settings = at.settings
    generated = not settings.admin_password
    password = settings.admin_password or credentials.new_password()
    act(office, lambda ctx: people.create_user(ctx, settings.admin_email, password, administrator=True))
    at.say(f"Administrador: {settings.admin_email}", f"Administrator: {settings.admin_email}")
    if generated:
        at.say(f"Contraseña (no se vuelve a mostrar): {password}", f"Password (not shown again): {password}")
    if not bundled:
        return
    project = act(office, lambda ctx: projects.create_project(ctx, "Cohesión social"))
    for form in library.bundled():
        publish_file(at, office, project.id, form.workbook, {file.name: file for file in form.media})
    phone = act(office, lambda ctx: people.create_app_user(ctx, project.id, "Teléfono 1"))
    url = collect.app_user_url(at.base_url(), project.id, phone.token)
    show_code(at, url, collect.settings(url, project_name=project.name, language=settings.language))


def _listening(at: Desk, host: str | None, port: int | None) -> Desk:
    chosen = at.settings.with_(host=host, port=port)
    return Desk(chosen, at.language)

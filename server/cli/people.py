"""tejido user, project, app-user."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import click

from forms.problems import Sentence
from server import credentials
from server.actions import people, projects
from server.cli.desk import Desk, act, ask, desk
from server.http import collect
from server.model.withdrawals import POLICIES

_COUNTED: Final = {
    "approved": Sentence("solo los envíos aprobados", "approved submissions only"),
    "not_rejected": Sentence("todos los envíos que no fueron rechazados", "every submission that was not rejected"),
}
_HIDDEN: Final = Sentence("las cifras de menos unidades se ocultan", "figures of fewer units are hidden")

_WITHDRAWN: Final = {
    "erase": Sentence("quien retira su consentimiento se borra entero", "who takes back the consent is erased whole"),
    "keep_facts": Sentence(
        "de quien retira su consentimiento quedan los hechos, sin lo que identifica",
        "of who takes back the consent the facts stay, without what identifies",
    ),
}


@click.group()
def user() -> None:
    """People who log in."""


@user.command("create")
@click.argument("email")
@click.option("--password", help="Asked for where it is not given, else made up and shown once.")
@click.option("--administrator/--no-administrator", default=False, help="May do everything on this server.")
@click.pass_context
def create_user(context: click.Context, email: str, password: str | None, administrator: bool) -> None:
    """Create a user."""
    at = desk(context)
    chosen, generated = _password(at, password)
    with at.office(create=True) as office:
        act(office, lambda ctx: people.create_user(ctx, email, chosen, administrator=administrator))
    at.say(f"Usuario {email} creado.", f"User {email} created.")
    if generated:
        at.say(f"Contraseña (no se vuelve a mostrar): {chosen}", f"Password (not shown again): {chosen}")


@user.command("list")
@click.pass_context
def list_users(context: click.Context) -> None:
    """List the people who log in."""
    at = desk(context)
    with at.office() as office:
        found = ask(office, people.list_users)
    at.say("n.º\tcorreo\tdesde\tpapel", "no.\te-mail\tsince\trole")
    for one in found:
        role = Sentence("administra", "administrator").say(at.language) if one.administrator else ""
        click.echo(f"{one.actor_id}\t{one.email}\t{one.created_at:%Y-%m-%d}\t{role}")


@user.command("password")
@click.argument("email")
@click.option("--password", help="The new password; asked for where it is not given, else made up and shown once.")
@click.pass_context
def set_password(context: click.Context, email: str, password: str | None) -> None:
    """Give a user a new password; the old one opens nothing from then on."""
    at = desk(context)
    with at.office() as office:
        chosen, generated = _password(at, password)
        act(office, lambda ctx: people.set_password(ctx, email, chosen))
    at.say(f"Contraseña de {email} cambiada.", f"Password of {email} changed.")
    if generated:
        at.say(f"Contraseña (no se vuelve a mostrar): {chosen}", f"Password (not shown again): {chosen}")


def _password(at: Desk, given: str | None) -> tuple[str, bool]:
    """The password to use and whether it was made up: the given one, else the one typed, else a generated one."""
    if given is None and sys.stdin.isatty():
        asked = Sentence("Contraseña", "Password").say(at.language)
        given = click.prompt(asked, hide_input=True, confirmation_prompt=True)
    return (credentials.new_password(), True) if given is None else (given, False)


@click.group()
def project() -> None:
    """Projects."""


@project.command("create")
@click.argument("name")
@click.pass_context
def create_project(context: click.Context, name: str) -> None:
    """Create a project; prints its number."""
    at = desk(context)
    with at.office(create=True) as office:
        made = act(office, lambda ctx: projects.create_project(ctx, name))
    at.say(f"Proyecto {made.id}: {made.name}", f"Project {made.id}: {made.name}")


@project.command("list")
@click.pass_context
def list_projects(context: click.Context) -> None:
    """List the projects."""
    at = desk(context)
    with at.office() as office:
        found = ask(office, projects.list_projects)
    at.say("n.º\tnombre", "no.\tname")
    for one in found:
        click.echo(f"{one.id}\t{one.name}")


@project.command("settings")
@click.argument("project_id", type=int)
@click.option("--counting", type=click.Choice(projects.COUNTINGS), help="What indicators count.")
@click.option("--minimum-n", type=int, help="Figures of fewer units are hidden from whoever may not see them.")
@click.option("--withdrawal", type=click.Choice(POLICIES), help="What a withdrawal of consent takes out.")
@click.pass_context
def change_settings(
    context: click.Context, project_id: int, counting: str | None, minimum_n: int | None, withdrawal: str | None
) -> None:
    """Show or change what a project's indicators count, which figures are hidden, and what withdrawals of consent do."""
    at = desk(context)
    with at.office() as office:
        if counting is None and minimum_n is None and withdrawal is None:
            one = ask(office, lambda ctx: projects.get_project(ctx, project_id))
        else:
            one = act(
                office,
                lambda ctx: projects.change_settings(
                    ctx, project_id, counting=counting, minimum_n=minimum_n, withdrawal=withdrawal
                ),
            )
    counted = _COUNTED[one.counting].say(at.language)
    at.say(f"Proyecto {one.id}: {one.name}", f"Project {one.id}: {one.name}")
    click.echo(f"counting\t{one.counting}\t{counted}")
    click.echo(f"minimum_n\t{one.minimum_n}\t{_HIDDEN.say(at.language)}")
    click.echo(f"withdrawal\t{one.withdrawal}\t{_WITHDRAWN[one.withdrawal].say(at.language)}")


@click.group("app-user")
def app_user() -> None:
    """Phones: one app user each, so that a lost one can be shut out."""


@app_user.command("create")
@click.argument("name")
@click.option("--project", "project_id", type=int, required=True, help="Number of the project.")
@click.option(
    "--form", "form_ids", multiple=True, help="Only this form (may be repeated); default: all of the project."
)
@click.option("--json", "as_json", is_flag=True, help="Print URL, settings and QR text as JSON.")
@click.option("--png", type=click.Path(dir_okay=False, path_type=Path), help="Write the QR code as PNG.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write the QR code as SVG.")
@click.pass_context
def create_app_user(
    context: click.Context,
    name: str,
    project_id: int,
    form_ids: tuple[str, ...],
    as_json: bool,
    png: Path | None,
    svg: Path | None,
) -> None:
    """Create an app user and show the QR code that connects a phone."""
    at = desk(context)
    with at.office() as office:
        made = act(office, lambda ctx: people.create_app_user(ctx, project_id, name, xml_form_ids=form_ids))
        named = ask(office, lambda ctx: projects.get_project(ctx, project_id)).name
    url = collect.app_user_url(at.base_url(), project_id, made.token)
    settings = collect.settings(url, project_name=named, language=at.settings.language)
    code = collect.qr_code(settings)
    if png is not None:
        code.save(str(png), scale=6, border=4)
    if svg is not None:
        code.save(str(svg), scale=6, border=4)
    if as_json:
        told = {"id": made.actor_id, "name": made.display_name, "url": url, "settings": settings}
        click.echo(json.dumps({**told, "qr": collect.encode(settings)}, ensure_ascii=False, indent=2))
        return
    show_code(at, url, settings)


@app_user.command("list")
@click.option("--project", "project_id", type=int, required=True, help="Number of the project.")
@click.pass_context
def list_app_users(context: click.Context, project_id: int) -> None:
    """List the app users of a project."""
    at = desk(context)
    with at.office() as office:
        found = ask(office, lambda ctx: people.list_app_users(ctx, project_id))
    at.say("n.º\tnombre\tdesde\testado", "no.\tname\tsince\tstate")
    for key in found:
        state = Sentence("revocado", "revoked") if key.revoked_at else Sentence("con acceso", "active")
        click.echo(f"{key.actor_id}\t{key.display_name}\t{key.created_at:%Y-%m-%d}\t{state.say(at.language)}")


@app_user.command("revoke")
@click.argument("actor_id", type=int)
@click.option("--project", "project_id", type=int, required=True, help="Number of the project.")
@click.pass_context
def revoke_app_user(context: click.Context, actor_id: int, project_id: int) -> None:
    """Shut out a phone; what it sent stays."""
    at = desk(context)
    with at.office() as office:
        act(office, lambda ctx: people.revoke_app_user(ctx, project_id, actor_id))
    at.say("Acceso revocado.", "Access revoked.")


def show_code(at: Desk, url: str, settings: dict[str, Any]) -> None:
    """The URL and the QR code in the terminal, with what to do about it."""
    at.say(
        "En ODK Collect: «Configurar con código QR» y escanee esto. (O escriba la dirección a mano.)",
        "In ODK Collect: “Configure with QR code” and scan this. (Or type the address.)",
    )
    collect.qr_code(settings).terminal(sys.stdout, border=2, compact=True)
    click.echo(url)
    if "//127." in url or "//localhost" in url:
        at.say(
            "Esta dirección solo sirve en este equipo. Para teléfonos de la misma red, inicie con TEJIDO_HOST=0.0.0.0.",
            "This address works on this machine only. For phones on the same network, start with TEJIDO_HOST=0.0.0.0.",
        )

"""tejido rebuild, migrate."""

from __future__ import annotations

from functools import partial

import click

from server import migrations
from server.actions import rebuilds
from server.cli.desk import act, desk


@click.command()
@click.pass_context
def rebuild(context: click.Context) -> None:
    """Write every typed table again from the raw submissions; the server may go on meanwhile."""
    at = desk(context)
    with at.office() as office:
        for held in act(office, rebuilds.prepare_rebuild):
            name = held.form.xml_form_id
            with at.progress(name, name) as progress:
                rebuilds.rebuild_form(partial(act, office), held, progress=progress)
            at.say(f"{name}: {held.every} envíos", f"{name}: {held.every} submissions")


@click.command()
@click.pass_context
def migrate(context: click.Context) -> None:
    """Bring the database to this program's version."""
    at = desk(context)
    with at.office(create=True, migrate=False) as office:
        changed = migrations.upgrade(office.database)
    if changed:
        at.say(f"Base de datos actualizada a {migrations.HEAD}.", f"Database brought to {migrations.HEAD}.")
    else:
        at.say(f"La base de datos ya estaba en {migrations.HEAD}.", f"The database was at {migrations.HEAD} already.")

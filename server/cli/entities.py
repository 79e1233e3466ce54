"""tejido entities: the entity lists of a project, and entities from files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from forms import entity_files as files
from server.actions import dataset_desk, entity_files
from server.actions.entities import By
from server.actions.entity_files import Outcome, Wish
from server.cli.desk import Desk, act, ask, desk, read_file
from server.context import Context
from server.prepared import taken_back

_PROJECT = click.option("--project", "project_id", type=int, required=True, help="Number of the project.")


@click.group()
def entities() -> None:
    """Entity lists: what a project has, and entities from files."""


@entities.command("list")
@_PROJECT
@click.pass_context
def list_lists(context: click.Context, project_id: int) -> None:
    """The entity lists of a project, with how many entities and conflicts each has."""
    at = desk(context)
    with at.office() as office:
        found = ask(office, lambda ctx: dataset_desk.list_datasets(ctx, project_id))
    if not found:
        at.say("El proyecto no tiene listas de entidades.", "The project has no entity lists.")
        return
    at.say("lista\tentidades\tconflictos", "list\tentities\tconflicts")
    for one in found:
        click.echo(f"{one.dataset.name}\t{one.filled.entities}\t{one.filled.conflicts}")


@entities.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_PROJECT
@click.option("--list", "name", required=True, help="Name of the entity list.")
@click.option("--create-list", is_flag=True, help="Create the list, with the properties of the file.")
@click.option("--add-properties", is_flag=True, help="Give the list the properties of the file that it lacks.")
@click.option("--update", is_flag=True, help="Also change entities that there are, by their ids.")
@click.option("--dry-run", is_flag=True, help="Say what would be done and change nothing.")
@click.pass_context
def take(
    context: click.Context,
    file: Path,
    project_id: int,
    name: str,
    create_list: bool,
    add_properties: bool,
    update: bool,
    dry_run: bool,
) -> None:
    """Add the entities of FILE (CSV or GeoJSON) to a list: all of them or, where something is wrong, none."""
    at = desk(context)
    data = read_file(file)
    read = files.read(data)
    wish = Wish(update=update, add_properties=add_properties or create_list, name=file.name, size=len(data))

    def work(ctx: Context) -> Outcome:
        if create_list:
            dataset_desk.create(ctx, project_id, name)
        return entity_files.apply(ctx, project_id, name, read, wish, By())

    def foreseen(ctx: Context) -> Outcome:
        with taken_back(ctx.conn):
            return replace(work(ctx), dry_run=True)

    with at.office() as office:
        outcome = act(office, foreseen if dry_run else work)
    _tell(at, outcome)


def _tell(at: Desk, outcome: Outcome) -> None:
    if outcome.properties:
        listed = ", ".join(outcome.properties)
        at.say(f"Propiedades nuevas: {listed}.", f"New properties: {listed}.")
    if outcome.dry_run:
        at.say(
            f"Se crearían {outcome.created} entidades y se cambiarían {outcome.updated}; sin cambio, {outcome.unchanged}.",
            f"{outcome.created} entities would be created, {outcome.updated} changed; {outcome.unchanged} unchanged.",
        )
    else:
        at.say(
            f"Entidades creadas: {outcome.created}; cambiadas: {outcome.updated}; sin cambio: {outcome.unchanged}.",
            f"Entities created: {outcome.created}; changed: {outcome.updated}; unchanged: {outcome.unchanged}.",
        )
    if outcome.nameless:
        at.say(
            f"! {outcome.nameless} sin identificador en el archivo: si lo añade otra vez, se crean otra vez.",
            f"! {outcome.nameless} without an id in the file: adding it once more creates them once more.",
        )

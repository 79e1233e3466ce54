"""tejido extract, rebuild, migrate."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from server import migrations
from server.actions import extracts, following
from server.actions.identity import CONSOLE
from server.cli.desk import act, desk
from server.extracts.delimited import Options


@click.command()
@click.argument("form_id")
@click.option("--project", "project_id", type=int, required=True, help="Number of the project.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The .zip to write.")
@click.option("--split-select-multiples", is_flag=True, help="One 0/1 column per choice besides.")
@click.option("--no-group-paths", is_flag=True, help="Column names without their groups.")
@click.option("--keep-formulas", is_flag=True, help="Do not put an apostrophe before formula-like text.")
@click.pass_context
def extract(
    context: click.Context,
    form_id: str,
    project_id: int,
    out: Path,
    split_select_multiples: bool,
    no_group_paths: bool,
    keep_formulas: bool,
) -> None:
    """Write every submission of a form as CSV tables in a zip."""
    at = desk(context)
    options = Options(
        group_paths=not no_group_paths, split_select_multiples=split_select_multiples, neutralise=not keep_formulas
    )
    unfinished = out.with_name(f"{out.name}.part")
    with at.office() as office, at.progress(f"{form_id}: KB", f"{form_id}: KB") as progress:
        count = act(office, lambda ctx: extracts.note_export(ctx, project_id, form_id, "csv.zip"))
        written = 0
        with office.database.reading() as conn, unfinished.open("wb") as file:
            ctx = office.context(conn, CONSOLE)
            for piece in extracts.stream_csv(ctx, project_id, form_id, options):
                file.write(piece)
                written += len(piece)
                progress(written // 1024, written // 1024)
        unfinished.replace(out)
    at.say(f"{count} envíos en {out}", f"{count} submissions in {out}")


@click.command()
@click.pass_context
def rebuild(context: click.Context) -> None:
    """Write every typed table again from the raw submissions; the server may go on meanwhile."""
    at = desk(context)
    with at.office() as office:
        for held in act(office, following.prepare_rebuild):
            name = held.form.xml_form_id
            with at.progress(name, name) as progress:
                following.rebuild_form(partial(act, office), held, progress=progress)
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

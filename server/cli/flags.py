"""tejido flags: the values of a form that found no place in its typed tables."""

from __future__ import annotations

import csv
import sys
from typing import Final

import click

from forms.problems import Sentence
from server.actions import flags
from server.cli.desk import ask, desk
from server.extracts.delimited import harmless

_FOUND: Final = {
    "builtin:type": Sentence("el valor no es de su tipo", "the value is not of its type"),
    "builtin:unknown": Sentence("la versión no tiene esta pregunta", "the version has no such question"),
    "builtin:twice": Sentence("la pregunta llegó dos veces", "the question came twice"),
    "builtin:form_version": Sentence("versión del formulario desconocida", "unknown version of the form"),
}


@click.command("flags")
@click.argument("form_id")
@click.option("--project", "project_id", type=int, required=True, help="Number of the project.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, with every field.")
@click.pass_context
def list_flags(context: click.Context, form_id: str, project_id: int, as_csv: bool) -> None:
    """List what found no place in a form's tables: values that do not fit their type, unknown questions and versions."""
    at = desk(context)
    with at.office() as office:
        found = ask(office, lambda ctx: flags.list_flagged(ctx, project_id, form_id))
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(["key", "row_key", "path", "text", "check", "severity", "state", "created_at"])
        for flag in found:
            line = (flag.key, flag.row_key, flag.path, flag.text, flag.check, flag.severity, flag.state)
            writer.writerow([*map(harmless, line), flag.created_at.isoformat()])
        return
    if not found:
        at.say("No hay nada señalado.", "Nothing is flagged.")
        return
    at.say("envío\tpregunta\ttexto\tqué se encontró", "submission\tquestion\ttext\twhat was found")
    for flag in found:
        said = _FOUND.get(flag.check, Sentence(flag.check, flag.check)).say(at.language)
        click.echo(f"{flag.row_key}\t{flag.path}\t{flag.text if flag.text is not None else ''}\t{said}")

"""tejido flags: list, explain, reopen, figures, run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime

import click

from forms.problems import Sentence
from server.actions import flags
from server.actions.flags import Filter
from server.api import flagged
from server.cleaning.fieldwork import AXES
from server.cli import grid
from server.cli.desk import Desk, act, ask, desk
from server.indicators.asking import label_of
from server.indicators.declarations import SEVERITIES
from server.model.cleaning import EXPLAINED, OPEN, STATES

_PROJECT = click.option("--project", "project_id", type=int, required=True, help="Number of the project.")


class _Flags(click.Group):
    """`tejido flags FORM` lists, as `tejido flags list FORM` does, which is also right for a form that is called `run`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take what is no command for a form's id."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Flags)
def flags_group() -> None:
    """Flags: what the checks found in the answers of a form, and what people say of it."""


@flags_group.command("list")
@click.argument("form_id")
@_PROJECT
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only flags in this state.")
@click.option("--check", "checks", multiple=True, help="Only flags of this check.")
@click.option(
    "--severity", "severities", multiple=True, type=click.Choice(SEVERITIES[:-1]), help="Only flags of this severity."
)
@click.option("--enumerator", help="Only what this person or app user sent: name or number.")
@click.option("--device", help="Only what this device sent.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Only interviews of this day.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, with every field.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every field.")
@click.pass_context
def list_flags(
    context: click.Context,
    form_id: str,
    project_id: int,
    states: tuple[str, ...],
    checks: tuple[str, ...],
    severities: tuple[str, ...],
    enumerator: str | None,
    device: str | None,
    day: datetime | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    """List what the checks found, and what found no place in a form's tables; corrected flags only where asked for."""
    at = desk(context)
    wanted = Filter(
        states=states or (OPEN, EXPLAINED),
        checks=checks,
        severities=severities,
        enumerator=enumerator,
        device=device,
        day=day.date() if day is not None else None,
    )
    with at.office() as office:
        found = ask(office, lambda ctx: flags.list_flagged(ctx, project_id, form_id, wanted)).flags
        act(office, lambda ctx: flags.note_listed(ctx, project_id, form_id))
    if as_json:
        click.echo(json.dumps(flagged.flags(found), ensure_ascii=False))
    elif as_csv:
        click.echo(flagged.flags_csv(found).decode(), nl=False)
    elif not found:
        at.say("No hay nada señalado.", "Nothing is flagged.")
    else:
        _tell(at, found)


@flags_group.command("explain")
@click.argument("form_id")
@click.argument("number", type=int)
@click.argument("comment")
@_PROJECT
@click.pass_context
def explain(context: click.Context, form_id: str, number: int, comment: str, project_id: int) -> None:
    """Say why what was flagged is right as it is; NUMBER is the flag's."""
    at = desk(context)
    with at.office() as office:
        made = act(office, lambda ctx: flags.explain(ctx, project_id, form_id, number, comment))
    at.say(f"{made.flag.row_key}: explicada.", f"{made.flag.row_key}: explained.")


@flags_group.command("reopen")
@click.argument("form_id")
@click.argument("number", type=int)
@_PROJECT
@click.pass_context
def reopen(context: click.Context, form_id: str, number: int, project_id: int) -> None:
    """Open a flag again whose explanation does not hold; NUMBER is the flag's."""
    at = desk(context)
    with at.office() as office:
        made = act(office, lambda ctx: flags.reopen(ctx, project_id, form_id, number))
    at.say(f"{made.flag.row_key}: abierta de nuevo.", f"{made.flag.row_key}: open again.")


@flags_group.command("figures")
@click.argument("form_id")
@_PROJECT
@click.option("--by", multiple=True, help="submitter, device, day, or some of them (with commas); default: all.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, with every field.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every field.")
@click.pass_context
def show_figures(
    context: click.Context, form_id: str, project_id: int, by: tuple[str, ...], as_csv: bool, as_json: bool
) -> None:
    """Count submissions and flags by enumerator and day."""
    at = desk(context)
    axes = [name.strip() for text in by for name in text.split(",") if name.strip()] or list(AXES)
    with at.office() as office:
        found = ask(office, lambda ctx: flags.get_figures(ctx, project_id, form_id, axes))
    if as_json:
        click.echo(json.dumps(flagged.figures(found), ensure_ascii=False))
    elif as_csv:
        click.echo(flagged.figures_csv(found).decode(), nl=False)
    elif not found.figures:
        at.say("No hay envíos.", "There are no submissions.")
    else:
        _tell_figures(at, found)


@flags_group.command("run")
@click.argument("form_id")
@_PROJECT
@click.pass_context
def run(context: click.Context, form_id: str, project_id: int) -> None:
    """Look through every submission of a form anew, with the medians of today; the server may go on."""
    at = desk(context)
    with at.office() as office:
        made = act(office, lambda ctx: flags.run(ctx, project_id, form_id))
    done = made.settled
    at.say(
        f"{made.submissions} envíos, {made.checks} verificaciones: {done.added} señales nuevas, {done.gone} que ya no están.",
        f"{made.submissions} submissions, {made.checks} checks: {done.added} new flags, {done.gone} that are gone.",
    )


def _tell(at: Desk, found: Sequence[flags.Flagged]) -> None:
    heads = Sentence(
        "número\tgravedad\testado\tfila\tpregunta\trespuesta\tverificación\tqué se encontró\texplicación",
        "number\tseverity\tstate\trow\tquestion\tanswer\tcheck\twhat was found\texplanation",
    )
    rows = []
    for one in found:
        flag = one.flag
        severity, state = (_WORDS[word].say(at.language) for word in (flag.severity, flag.state))
        message = label_of(one.message, at.language)
        rows.append(
            (
                str(flag.id),
                severity,
                state,
                flag.row_key,
                flag.path,
                flag.text or "",
                flag.check,
                message,
                flag.comment or "",
            )
        )
    for line in grid.lines(heads.say(at.language).split("\t"), rows, right=(0,)):
        click.echo(line)


def _tell_figures(at: Desk, found: flags.Figures) -> None:
    axes = {
        "submitter": Sentence("enumerador", "enumerator"),
        "device": Sentence("dispositivo", "device"),
        "day": Sentence("día", "day"),
    }
    heads = [axes[axis].say(at.language) for axis in found.by]
    heads += [Sentence("envíos", "submissions").say(at.language), Sentence("señalados", "flagged").say(at.language)]
    heads += list(found.checks)
    rows = []
    for figure in found.figures:
        known = {"submitter": figure.submitter, "device": figure.device, "day": _written(figure.day)}
        counts = (figure.submissions, figure.flagged, *(figure.open.get(name, 0) for name in found.checks))
        rows.append((*(known[axis] or "—" for axis in found.by), *map(str, counts)))
    for line in grid.lines(heads, rows, right=range(len(found.by), len(heads))):
        click.echo(line)


def _written(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


_WORDS = {
    "error": Sentence("error", "error"),
    "warning": Sentence("advertencia", "warning"),
    "note": Sentence("nota", "note"),
    "open": Sentence("abierta", "open"),
    "explained": Sentence("explicada", "explained"),
    "corrected": Sentence("corregida", "corrected"),
}

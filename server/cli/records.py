"""tejido record: one submission: what stands of it, all that happened to it, its review and what is said of it."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import click
from marshmallow import ValidationError

from forms.problems import Sentence
from server.actions import histories, reviews
from server.actions.histories import Event
from server.actions.identity import CONSOLE
from server.api.schemas import submissions as wire
from server.cli.desk import Desk, act, ask, desk
from server.extracts.delimited import harmless

_PROJECT = click.option("--project", "project_id", type=int, required=True, help="Number of the project.")
_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON, with every field.")
_RECEIVED: Final = "received"
_HAPPENED: Final = {
    "received": Sentence("recibido", "received"),
    "edited": Sentence("editado en el teléfono", "edited on the phone"),
    "correction": Sentence("corrección", "correction"),
    "correctionChange": Sentence("corrección cambiada", "correction changed"),
    "review": Sentence("revisión", "review"),
    "comment": Sentence("comentario", "comment"),
}
_TOLD: Final = (
    *("instanceId", "formVersion", "id", "state", "row", "question", "oldValue", "newValue", "reason"),
    *("reviewState", "note", "body"),
)
"""Which details a terminal shows, in order."""


@click.group()
def record() -> None:
    """One submission: what stands of it, what happened to it, its review, comments."""


@record.command("show")
@click.argument("form_id")
@click.argument("record")
@_PROJECT
@click.option("--at", "moment", help="A day (2026-03-31, all of it in UTC) or a moment with its zone; default: now.")
@_JSON
@click.pass_context
def show(context: click.Context, form_id: str, record: str, project_id: int, moment: str | None, as_json: bool) -> None:
    """What stands of RECORD (its instance id) with its corrections, now or at any past moment."""
    at = desk(context)
    when = read_past(at, moment) if moment is not None else None
    with at.office() as office:
        found = ask(office, lambda ctx: histories.get_state(ctx, project_id, form_id, record, when))
        act(office, lambda ctx: histories.note_opened(ctx, project_id, form_id, record, "state"))
    if as_json:
        _echo(wire.state(found))
        return
    state = found.review_state or _RECEIVED
    at.say(f"Estado de revisión: {state}", f"Review state: {state}")
    for row in found.rows:
        click.echo(row.key)
        for path, text in row.answers.items():
            click.echo(f"  {path}\t{_in_line(text)}")


@record.command("states")
@click.argument("form_id")
@_PROJECT
@click.option("--at", "moment", help="A day (2026-03-31, all of it in UTC) or a moment with its zone; default: now.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV: a line for each answer.")
@click.pass_context
def states(context: click.Context, form_id: str, project_id: int, moment: str | None, as_csv: bool) -> None:
    """What stands of every submission, now or at any past moment: a line of JSON for each."""
    at = desk(context)
    when = read_past(at, moment) if moment is not None else None
    writer = csv.writer(sys.stdout)
    if as_csv:
        writer.writerow(["record", "reviewState", "version", "row", "table", "question", "value"])
    with at.office() as office, office.database.reading() as conn:
        act(office, lambda ctx: histories.note_states(ctx, project_id, form_id))
        for one in histories.stream_states(office.context(conn, CONSOLE), project_id, form_id, when):
            if not as_csv:
                click.echo(json.dumps(wire.state(one), ensure_ascii=False))
                continue
            about = (one.record, one.review_state, one.version.form_version)
            for row in one.rows:
                for path, text in row.answers.items():
                    writer.writerow([harmless(cell) for cell in (*about, row.key, row.table, path, text)])


@record.command("history")
@click.argument("form_id")
@click.argument("record")
@_PROJECT
@_JSON
@click.pass_context
def history(context: click.Context, form_id: str, record: str, project_id: int, as_json: bool) -> None:
    """All that happened to RECORD, eldest first: versions, corrections, reviews, comments."""
    at = desk(context)
    with at.office() as office:
        events = ask(office, lambda ctx: histories.get_history(ctx, project_id, form_id, record))
        act(office, lambda ctx: histories.note_opened(ctx, project_id, form_id, record, "history"))
    if as_json:
        _echo([wire.event(one) for one in events])
        return
    for one in events:
        click.echo("\t".join(_line(at, one)))


@record.command("review")
@click.argument("form_id")
@click.argument("record")
@click.argument("state", type=click.Choice([*reviews.REVIEW_STATES, _RECEIVED]))
@_PROJECT
@click.option("--note", help="Why.")
@click.pass_context
def review(context: click.Context, form_id: str, record: str, state: str, project_id: int, note: str | None) -> None:
    """Decide about RECORD; indicators follow at once. received: as if nobody had."""
    at = desk(context)
    decided = None if state == _RECEIVED else state
    with at.office() as office:
        act(office, lambda ctx: reviews.review(ctx, project_id, form_id, record, decided, note))
    at.say(f"{record}: {state}", f"{record}: {state}")


@record.command("comment")
@click.argument("form_id")
@click.argument("record")
@click.argument("text")
@_PROJECT
@click.pass_context
def comment(context: click.Context, form_id: str, record: str, text: str, project_id: int) -> None:
    """Say something of RECORD."""
    at = desk(context)
    with at.office() as office:
        act(office, lambda ctx: reviews.comment(ctx, project_id, form_id, record, text))
    at.say("Comentario guardado.", "Comment kept.")


def _line(at: Desk, one: Event) -> Iterable[str]:
    details = [f"{name}={_in_line(str(one.details[name]))}" for name in _TOLD if one.details.get(name) is not None]
    return (f"{one.at:%Y-%m-%d %H:%M}", _HAPPENED[one.kind].say(at.language), one.actor or "", " · ".join(details))


def read_past(at: Desk, text: str) -> datetime:
    """A past moment as an option says it; a day is its end."""
    try:
        return wire.read_moment(text)
    except ValidationError as error:
        told = Sentence(
            "use un día (2026-03-31) o un momento con su zona.", "use a day (2026-03-31) or a moment with its zone."
        )
        raise click.BadParameter(told.say(at.language), param_hint="--at") from error


def _in_line(text: str) -> str:
    return " ".join(text.split())


def _echo(document: Any) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))

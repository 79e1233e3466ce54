"""tejido correction: values laid over answers one by one or by workbook, taken back, and the log of all of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import click

from forms.problems import Sentence
from server.actions import correction_sheets, correction_uploads, corrections
from server.actions.correction_sheets import Wanted
from server.actions.correction_uploads import Outcome, Row
from server.actions.corrections import UNSAID, Corrected, Wish
from server.cleaning import uploads
from server.cli.desk import Desk, act, ask, desk, read_file
from server.extracts import cleaning_log
from server.extracts.delimited import harmless
from server.model.corrections import CORRECTION_STATES

_PROJECT = click.option("--project", "project_id", type=int, required=True, help="Number of the project.")


@click.group()
def correction() -> None:
    """Corrections: values laid over what was sent, which stays as it was."""


@correction.command("set")
@click.argument("form_id")
@click.argument("record")
@click.argument("question")
@click.argument("value", required=False)
@_PROJECT
@click.option("--reason", required=True, help="Why it is corrected.")
@click.option("--row", default="", help="Stable key of the repeat row; default: the form's row.")
@click.option("--blank", is_flag=True, help="Make the answer blank.")
@click.option("--old", help="The value that you see there; another one there is refused.")
@click.pass_context
def set_value(
    context: click.Context,
    form_id: str,
    record: str,
    question: str,
    value: str | None,
    project_id: int,
    reason: str,
    row: str,
    blank: bool,
    old: str | None,
) -> None:
    """Lay VALUE over the answer of RECORD (its instance id) to QUESTION (its path)."""
    at = desk(context)
    if blank == (value is not None):
        told = Sentence("Dé un valor, o --blank.", "Give a value, or --blank.")
        raise click.UsageError(told.say(at.language), context)
    wish = Wish(row=row, path=question, new_text=value, reason=reason, old_text=UNSAID if old is None else old)
    with at.office() as office:
        made = act(office, lambda ctx: corrections.correct(ctx, project_id, form_id, record, wish))
    _tell(at, made)


@correction.command("withdraw")
@click.argument("form_id")
@click.argument("number", type=int)
@_PROJECT
@click.option("--reason", required=True, help="Why it is taken back.")
@click.pass_context
def withdraw(context: click.Context, form_id: str, number: int, project_id: int, reason: str) -> None:
    """Take correction NUMBER back: what lies beneath it stands again."""
    at = desk(context)
    with at.office() as office:
        act(office, lambda ctx: corrections.withdraw(ctx, project_id, form_id, number, reason))
    at.say(f"Corrección {number} retirada.", f"Correction {number} taken back.")


@correction.command("confirm")
@click.argument("form_id")
@click.argument("number", type=int)
@_PROJECT
@click.option("--reason", help="Why; default: the former reason.")
@click.pass_context
def confirm(context: click.Context, form_id: str, number: int, project_id: int, reason: str | None) -> None:
    """Lay the value of correction NUMBER, which an edit reopened, over what the edit says."""
    at = desk(context)
    with at.office() as office:
        made = act(office, lambda ctx: corrections.confirm(ctx, project_id, form_id, number, reason))
    _tell(at, made)


@correction.command("list")
@click.argument("form_id")
@_PROJECT
@click.option("--record", help="Only those of this submission.")
@click.option("--state", "states", multiple=True, type=click.Choice(CORRECTION_STATES), help="May be repeated.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, with every field.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every field.")
@click.pass_context
def list_corrections(
    context: click.Context,
    form_id: str,
    project_id: int,
    record: str | None,
    states: tuple[str, ...],
    as_csv: bool,
    as_json: bool,
) -> None:
    """The cleaning log: every correction, who made it, when and why, and what became of it."""
    at = desk(context)
    with at.office() as office:
        logged = ask(
            office,
            lambda ctx: list(corrections.list_log(ctx, project_id, form_id, instance_id=record, states=states)),
        )
        act(office, lambda ctx: corrections.note_log(ctx, project_id, form_id, record))
    if as_csv or as_json:
        for piece in cleaning_log.as_csv(logged) if as_csv else cleaning_log.as_json(logged):
            click.echo(piece.decode(), nl=False)
        return
    if not logged:
        at.say("No hay correcciones.", "There are no corrections.")
        return
    at.say(
        "n.º\testado\tfila\tpregunta\tvalor anterior\tvalor nuevo\tmotivo",
        "no.\tstate\trow\tquestion\told value\tnew value\treason",
    )
    for line in logged:
        one = line.correction
        told = (one.row_key, one.path, one.old_text or "", one.new_text or "", one.reason)
        click.echo("\t".join([str(one.id), one.state, *(_in_line(text) for text in told)]))


@correction.command("download")
@click.argument("form_id")
@_PROJECT
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The .xlsx to write.")
@click.option(
    "--question", "questions", multiple=True, help="Path or name (may be repeated); default: what is flagged."
)
@click.option("--record", "records", multiple=True, help="Instance id (may be repeated); default: every submission.")
@click.option("--check", "checks", multiple=True, help="Only flags of this check (may be repeated).")
@click.pass_context
def download(
    context: click.Context,
    form_id: str,
    project_id: int,
    out: Path,
    questions: tuple[str, ...],
    records: tuple[str, ...],
    checks: tuple[str, ...],
) -> None:
    """Write a workbook in which answers are corrected: old values are locked, new ones are written beside them."""
    at = desk(context)
    wanted = Wanted(checks=checks, questions=questions, records=records)
    with at.office() as office:
        data = ask(office, lambda ctx: correction_sheets.download(ctx, project_id, form_id, wanted, at.language))
        act(office, lambda ctx: correction_sheets.note_download(ctx, project_id, form_id))
    out.write_bytes(data)
    at.say(f"Escrito: {out}", f"Written: {out}")


@correction.command("upload")
@click.argument("form_id")
@click.argument("workbook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_PROJECT
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.pass_context
def upload(context: click.Context, form_id: str, workbook: Path, project_id: int, dry_run: bool) -> None:
    """Apply the new values written in WORKBOOK; rows whose old value stands no more are refused by name."""
    at = desk(context)
    read = uploads.read(read_file(workbook))
    with at.office() as office:
        if dry_run:
            outcome = ask(office, lambda ctx: correction_uploads.foresee(ctx, project_id, form_id, read))
        else:
            outcome = correction_uploads.carry_out(
                partial(ask, office), partial(act, office), project_id, form_id, read
            )
    _summarise(at, outcome)
    if outcome.refused:
        sys.exit(1)


def _summarise(at: Desk, outcome: Outcome) -> None:
    _list(at, (row for row in outcome.rows if row.refused is None))
    for row in outcome.refused:
        reason = row.refused or Sentence("", "")
        at.say(
            f"✗ fila {row.number}: {row.record} {row.question}: {reason.es}",
            f"✗ row {row.number}: {row.record} {row.question}: {reason.en}",
        )
    done = outcome.applied
    if outcome.dry_run:
        at.say(f"Se corregirían {done} respuestas.", f"{done} answers would be corrected.")
    else:
        at.say(f"Respuestas corregidas: {done}.", f"Answers corrected: {done}.")
    at.say(
        f"Rechazadas: {len(outcome.refused)}. Sin cambio: {outcome.unchanged}.",
        f"Refused: {len(outcome.refused)}. Unchanged: {outcome.unchanged}.",
    )


def _list(at: Desk, rows: Iterable[Row]) -> None:
    for row in rows:
        change = f"{_in_line(row.old_text or '')} → {_in_line(row.new_text or '')}"
        remark = f"  ! {row.remark.say(at.language)}" if row.remark is not None else ""
        click.echo(f"{row.row or row.record} {row.question}: {change}{remark}")


def _tell(at: Desk, made: Corrected) -> None:
    one = made.correction
    at.say(f"Corrección {one.id}: {one.path}", f"Correction {one.id}: {one.path}")
    click.echo(f"{_in_line(one.old_text or '')} → {_in_line(one.new_text or '')}")
    if made.remark is not None:
        click.echo(f"! {made.remark.say(at.language)}")


def _in_line(text: str) -> str:
    """A text in one line of a terminal."""
    return str(harmless(" ".join(text.split())))

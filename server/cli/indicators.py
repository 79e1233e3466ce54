"""tejido indicators: list, values, records, check, put, refresh."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from forms.problems import Sentence
from server import problems
from server.actions import indicators, logframe_files, logframes
from server.api import figures
from server.cli import grid
from server.cli.desk import Desk, act, ask, desk, read_file
from server.cli.measures import tell_difference, tell_unavailable, tell_values, tell_waiting, uncomputed_of
from server.indicators.asking import Request, label_of
from server.jobs.schedule import keep_for

F = TypeVar("F", bound=Callable[..., Any])
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_PROJECT: Final = click.option("--project", "project_id", type=int, required=True, help="Number of the project.")


def _asked(command: F) -> F:
    """The options that say which figures are meant."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="As JSON, with every field."),
        click.option("--csv", "as_csv", is_flag=True, help="As CSV, with every field."),
        click.option(
            "--cumulative/--period-only",
            default=None,
            help="Everything up to the end of each period, or what lies in it; default: as the indicator says.",
        ),
        click.option("--place", help="Only what lies in the place with this code."),
        click.option("--by", multiple=True, help="Split by dimensions, levels of places or questions (with commas)."),
        click.option(
            "--period",
            help="2026, 2026-S1, 2026-Q1..2026-Q4, 2026-05, month, quarter, semester, year, round or all.",
        ),
        _PROJECT,
    ):
        command = option(command)
    return command


@click.group()
def indicators_group() -> None:
    """Indicators: what a project measures, its figures, and the records behind them."""


@indicators_group.command("list")
@_PROJECT
@click.pass_context
def list_indicators(context: click.Context, project_id: int) -> None:
    """List what a project measures, and what cannot be computed yet or any more."""
    at = desk(context)
    with at.office() as office:
        listed = ask(office, lambda ctx: indicators.list_indicators(ctx, project_id))
    if not listed:
        at.say("El proyecto no mide nada todavía.", "The project measures nothing yet.")
        return
    heads = Sentence(
        "código\tversión\ttipo\tperíodo\tindicador\testado", "code\tversion\ttype\tperiod\tindicator\tstate"
    )
    rows = []
    for one in listed:
        record = one.kept.record
        wrong = next((wrong.sentence for wrong in one.broken), None)
        state = Sentence("", "") if one.uncomputed is None else uncomputed_of(one.uncomputed)
        if one.waits is not None:
            state = Sentence(f"espera: {one.waits.es}", f"waits: {one.waits.en}")
        if wrong is not None:
            state = Sentence(f"ya no vale: {wrong.es}", f"holds no more: {wrong.en}")
        label = label_of(record.label, at.language)
        rows.append((record.name, str(one.kept.version), record.type, one.period, label, state.say(at.language)))
    for line in grid.lines(heads.say(at.language).split("\t"), rows, right=(1,)):
        click.echo(line)


@indicators_group.command("values")
@click.argument("codes", nargs=-1)
@_asked
@click.option("--masked", is_flag=True, help="Hide figures of few units, as from whoever may not see them.")
@click.pass_context
def show_values(
    context: click.Context,
    codes: tuple[str, ...],
    project_id: int,
    period: str | None,
    by: tuple[str, ...],
    place: str | None,
    cumulative: bool | None,
    as_csv: bool,
    as_json: bool,
    masked: bool,
) -> None:
    """Show the figures of indicators; without codes, of each that can be asked so."""
    at = desk(context)
    request = _request(period, by, place, cumulative)
    names = list(dict.fromkeys(codes)) or None
    with at.office() as office:
        found = ask(office, lambda ctx: indicators.get_values(ctx, project_id, names, request, mask=masked))
    if as_json:
        document = {"indicators": figures.values(found, request), "unavailable": figures.unavailable(found)}
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    if as_csv:
        click.echo(figures.values_csv(found, request).decode(), nl=False)
    else:
        tell_values(at, found)
    tell_unavailable(at, found.unavailable, err=as_csv)


@indicators_group.command("records")
@click.argument("code")
@_asked
@click.option("--in", "only", multiple=True, help="Only the category, as NAME=CODE (NAME= for none); NAME is in --by.")
@click.pass_context
def show_records(
    context: click.Context,
    code: str,
    project_id: int,
    period: str | None,
    by: tuple[str, ...],
    place: str | None,
    cumulative: bool | None,
    as_csv: bool,
    as_json: bool,
    only: tuple[str, ...],
) -> None:
    """List the records behind a figure: of one period, place and category."""
    at = desk(context)
    request = _request(period, by, place, cumulative)
    chosen = dict(_category(one, request.by) for one in only)
    with at.office() as office:
        after, more, pages = (0, -1), True, []
        while more:
            page = ask(
                office,
                partial(
                    indicators.list_records,
                    project_id=project_id,
                    name=code,
                    request=request,
                    only=chosen,
                    after=after,
                ),
            )
            pages.append(page)
            more = page.more
            after = (page.records[-1].submission_id, page.records[-1].row) if page.records else after
    whole = indicators.Page(
        name=code,
        resolved=pages[0].resolved,
        form_id=pages[0].form_id,
        records=tuple(record for page in pages for record in page.records),
        more=False,
    )
    if as_json:
        click.echo(json.dumps(figures.records(whole), ensure_ascii=False))
    elif as_csv:
        click.echo(figures.records_csv(whole, request).decode(), nl=False)
    else:
        _tell_records(at, whole, request)


@indicators_group.command("check")
@click.argument("file", type=_FILE)
@click.option("--project", "project_id", type=int, help="Compare with what this project has.")
@click.pass_context
def check(context: click.Context, file: Path, project_id: int | None) -> None:
    """Say everything that is wrong with a logframe workbook, and with --project what it would change."""
    at = desk(context)
    sheets = logframes.read(read_file(file), file.name)
    declared = sheets.declarations
    at.say(
        f"{file.name}: {len(declared.indicators)} indicadores, {len(declared.targets)} metas y líneas de base, "
        f"{len(declared.places)} lugares.",
        f"{file.name}: {len(declared.indicators)} indicators, {len(declared.targets)} targets and baselines, "
        f"{len(declared.places)} places.",
    )
    found = sheets.findings
    if project_id is not None:
        with at.office() as office:
            found = ask(office, lambda ctx: logframes.compare(ctx, project_id, sheets))
            wrong = any(one.severity == "error" for one in found)
            seen = None if wrong else ask(office, lambda ctx: logframe_files.foresee(ctx, project_id, sheets))
        if seen is not None:
            tell_difference(at, seen.difference)
    at.tell(found)
    if any(one.severity == "error" for one in found):
        context.exit(1)
    at.say("Se puede tomar.", "It can be taken.")


@indicators_group.command("put")
@click.argument("file", type=_FILE)
@_PROJECT
@click.pass_context
def put(context: click.Context, file: Path, project_id: int) -> None:
    """Take a logframe workbook in place of the one before: what it declares is computed at once."""
    at = desk(context)
    data = read_file(file)
    sheets = logframes.read(data, file.name)
    with at.office() as office:
        found = ask(office, lambda ctx: logframes.compare(ctx, project_id, sheets))
        if any(one.severity == "error" for one in found):
            at.say(
                "El libro no se puede tomar, y sigue vigente lo anterior:",
                "The workbook cannot be taken, and what was in force stays:",
                err=True,
            )
            at.tell(found, err=True)
            context.exit(1)
        blob = office.blobs.put(BytesIO(data))
        made = act(office, lambda ctx: logframe_files.replace(ctx, project_id, sheets, original=blob, name=file.name))
    at.tell(made.taken.findings)
    tell_difference(at, made.difference)
    tell_waiting(at, made.taken.waiting)


@indicators_group.command("refresh")
@_PROJECT
@click.pass_context
def refresh(context: click.Context, project_id: int) -> None:
    """Compute every fact of a project anew from its typed tables, and the view of its values; the server may go on."""
    at = desk(context)
    with at.office() as office, at.progress("hechos", "facts") as progress:
        forms = act(office, lambda ctx: logframe_files.prepare_refresh(ctx, project_id))
        for number, form in enumerate(forms, start=1):
            act(office, partial(logframe_files.refresh_form, project_id=project_id, form_id=form.id))
            progress(number, len(forms))
            name = form.xml_form_id
            at.say(f"{name}: hechos calculados de nuevo.", f"{name}: facts computed anew.")
        keep_for(office, project_id, always=True)
    if not forms:
        at.say("Ningún indicador mira registros.", "No indicator looks at records.")
    else:
        at.say("Vista indicator_values: al día.", "View indicator_values: up to date.")


def _request(period: str | None, by: tuple[str, ...], place: str | None, cumulative: bool | None) -> Request:
    names = tuple(name.strip() for text in by for name in text.split(",") if name.strip())
    return Request(period=period, by=names, place=place, cumulative=cumulative)


def _category(text: str, by: tuple[str, ...]) -> tuple[str, str | None]:
    name, separator, code = text.partition("=")
    if not separator or name not in by:
        reason = Sentence(
            "escriba NOMBRE=CÓDIGO, con un NOMBRE que esté en --by.", "write NAME=CODE, with a NAME that is in --by."
        )
        raise problems.wrong_value("--in", text, reason)
    return name, code or None


def _tell_records(at: Desk, page: indicators.Page, request: Request) -> None:
    if not page.records:
        at.say("No hay registros.", "There are no records.")
        return
    heads = Sentence("fecha\tenvío\tfila", "day\tsubmission\trow").say(at.language).split("\t")
    heads += [*request.by, *Sentence("numerador\texcluido", "numerator\texcluded").say(at.language).split("\t")]
    rows = [
        (
            one.day.isoformat() if one.day is not None else "",
            one.instance_id,
            str(one.row) if one.row else "",
            *(one.categories[name] or "—" for name in request.by),
            f"{one.numerator:g}" if one.numerator is not None else "",
            Sentence("sí", "yes").say(at.language) if one.excluded else "",
        )
        for one in page.records
    ]
    for line in grid.lines(heads, rows, right=(2, 3 + len(request.by))):
        click.echo(line)

"""tejido extract, panel, codebook: data as files, and what stands in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from forms.problems import Sentence
from server import problems
from server.actions import disclosures, extracts, panels
from server.actions.extracts import CentralRequest, File
from server.actions.identity import CONSOLE
from server.actions.panels import VISIT, Asking
from server.cli.desk import Desk, act, ask, desk
from server.cli.records import read_past
from server.context import Context, Office
from server.extracts.asking import Request
from server.extracts.formats import FORMATS

F = TypeVar("F", bound=Callable[..., Any])
MEDIA: Final = "media"
"""`.media.zip`: the files of submissions."""
_WRITTEN: Final = {"tables": "table", "spoken": "language", "first": "from", "last": "until", "versions": "version",
                   "submitters": "submitter"}  # fmt: skip
_DAY = click.DateTime(["%Y-%m-%d"])


def _past(context: click.Context, _: click.Parameter, text: str | None) -> datetime | None:
    """A past moment as the option says it."""
    return None if text is None else read_past(desk(context), text)


def _asked(command: F) -> F:
    """The options that say what is in the files."""
    for option in (
        click.option("--filter", help="OData: \"__system/reviewState eq 'approved'\"."),
        click.option(
            "--submitter", "submitters", type=int, multiple=True, help="Only what this actor sent (by number)."
        ),
        click.option("--version", "versions", multiple=True, help="Only this version of the form."),
        click.option("--geometry", help="The question with the place, for .geojson; default: the first."),
        click.option("--place", help="Only what lies in the place with this code."),
        click.option(
            "--review",
            multiple=True,
            help="Only in this state: received, edited, hasIssues, approved, rejected, counting.",
        ),
        click.option("--date-of", default="received", help="received, updated, answered, or a question with a date."),
        click.option("--until", "last", type=_DAY, help="Last day (of --date-of)."),
        click.option("--from", "first", type=_DAY, help="First day (of --date-of)."),
        click.option("--zone", default="UTC", help="In which zone moments are told: America/Panama."),
        click.option("--bom", is_flag=True, help="Begin CSV with the mark by which Excel knows accents."),
        click.option("--keep-formulas", is_flag=True, help="Do not make formula-like text harmless."),
        click.option(
            "--split/--no-split",
            "split",
            default=None,
            help="One 0/1 column per choice besides; default: yes, but for ODK Central's layout.",
        ),
        click.option(
            "--group-paths/--no-group-paths",
            "group_paths",
            default=None,
            help="Column names with their groups; default: no, but for ODK Central's layout.",
        ),
        click.option("--language", "spoken", help="Language of labels, one of the form's."),
        click.option("--labels", is_flag=True, help="Labels of choices instead of their codes."),
        click.option("--columns", multiple=True, help="Only these questions (with commas)."),
        click.option("--join", help="One table with a row for each row of this repeat."),
        click.option(
            "--at",
            callback=_past,
            help="What stood then: a day (2026-03-31, all of it in UTC) or a moment with its zone.",
        ),
        click.option("--reason", help="What identities are needed for; kept in the audit."),
        click.option("--identities", is_flag=True, help="With all that identifies people; needs --reason."),
        click.option("--table", "tables", multiple=True, help="Only this repeat; the form's own table: the form's id."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("form_id")
@click.option("--project", "project_id", type=int, required=True, help="Number of the project.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to write: .csv, .xlsx, …; a .csv.zip has all tables, a .zip ODK Central's layout.",
)
@click.option(
    "--cursor",
    "cursor_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Only what came or changed since the last time; this file keeps how far that was.",
)
@click.option("--attachments", is_flag=True, help="With the files of submissions, in ODK Central's layout.")
@_asked
@click.pass_context
def extract(
    context: click.Context,
    /,
    form_id: str,
    project_id: int,
    out: Path,
    cursor_file: Path | None,
    attachments: bool,
    **given: Any,
) -> None:
    """Write the submissions of a form to a file; the end of its name says which kind."""
    at = desk(context)
    kind, archive = _kind(out)
    since = cursor_file.read_text(encoding="utf-8").strip() if cursor_file and cursor_file.exists() else None

    identities, reason = bool(given["identities"]), given["reason"]

    def opened(ctx: Context) -> File:
        if kind is None:
            _only_centrals({**given, "cursor": cursor_file})
            wanted = _central(given, attachments=attachments)
            return extracts.open_central(ctx, project_id, form_id, wanted, identities=identities)
        request = replace(_request(given), since=since)
        if kind == MEDIA:
            return extracts.open_media(ctx, project_id, form_id, request, identities=identities)
        return extracts.open_file(ctx, project_id, form_id, kind, request, archive=archive, identities=identities)

    with at.office() as office:
        ask(office, lambda ctx: disclosures.settle(ctx, project_id, form_id, identities, reason))
        if not identities:
            act(office, lambda ctx: disclosures.give_pseudonyms(ctx, project_id, form_id))
        file = _keep(at, office, form_id, out, opened)
        if cursor_file is not None and file.cursor is not None:
            cursor_file.write_text(file.cursor + "\n", encoding="utf-8")
        count = act(
            office,
            lambda ctx: extracts.note_export(
                ctx, project_id, form_id, kind or "csv.zip", identities=identities, reason=reason
            ),
        )
    if given["filter"] or kind is not None:
        at.say(
            f"{out} está listo; el formulario tiene {count} envíos.",
            f"{out} is there; the form has {count} submissions.",
        )
    else:
        at.say(f"{count} envíos en {out}", f"{count} submissions in {out}")
    if file.deleted:
        at.say(
            f"Desde la vez anterior se borraron {file.deleted}.", f"{file.deleted} were deleted since the last time."
        )


@click.command()
@click.argument("form_id")
@click.option("--project", "project_id", type=int, required=True, help="Number of the project.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The .xlsx or .html to write."
)
@_asked
@click.pass_context
def codebook(context: click.Context, /, form_id: str, project_id: int, out: Path, **given: Any) -> None:
    """Say what the columns of an extract are, and which codes stand in them; takes the same options."""
    at = desk(context)
    kind = out.suffix.lower().removeprefix(".")
    with at.office() as office:
        _keep(
            at,
            office,
            form_id,
            out,
            lambda ctx: extracts.open_codebook(
                ctx, project_id, form_id, kind, _request(given), identities=bool(given["identities"])
            ),
        )
    at.say(f"Libro de códigos en {out}", f"Codebook in {out}")


@click.command()
@click.argument("name")
@click.option("--project", "project_id", type=int, required=True, help="Number of the project.")
@click.option("--form", "form_id", required=True, help="The form of the visits, by its id.")
@click.option("--by", default=VISIT, help="Rounds: month, quarter, semester, year, visit (default) or a question.")
@click.option("--missing", help="Only the entities without a visit in this round.")
@click.option("--long", is_flag=True, help="A row for each entity and round, not one for each entity.")
@click.option("--columns", multiple=True, help="Only these questions (with commas).")
@click.option("--labels", is_flag=True, help="Labels of choices instead of their codes.")
@click.option("--language", "spoken", help="Language of labels, one of the form's.")
@click.option("--bom", is_flag=True, help="Begin CSV with the mark by which Excel knows accents.")
@click.option("--identities", is_flag=True, help="With all that identifies people; needs --reason.")
@click.option("--reason", help="What identities are needed for; kept in the audit.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write: .csv, .xlsx, …"
)
@click.pass_context
def panel(
    context: click.Context,
    name: str,
    project_id: int,
    form_id: str,
    by: str,
    missing: str | None,
    long: bool,
    columns: tuple[str, ...],
    labels: bool,
    spoken: str | None,
    bom: bool,
    identities: bool,
    reason: str | None,
    out: Path,
) -> None:
    """Write the entities of the list NAME, one row each, with the visits of a form by round side by side."""
    at = desk(context)
    kind, _ = _kind(out)
    request = Request(
        columns=_names(columns), labels=labels, language=spoken, bom=bom, identities=identities, reason=reason
    )
    wanted = Asking(form_id=form_id, by=by, missing=missing, long=long, request=request)

    def opened(ctx: Context) -> File:
        return panels.open_panel(ctx, project_id, name, kind or "zip", wanted, identities=identities)

    with at.office() as office:
        ask(office, lambda ctx: disclosures.settle(ctx, project_id, form_id, identities, reason))
        if not identities:
            act(office, lambda ctx: disclosures.give_pseudonyms(ctx, project_id, form_id))
        _keep(at, office, name, out, opened)
        told = f"panel.{kind}"
        act(
            office,
            lambda ctx: extracts.note_export(ctx, project_id, form_id, told, identities=identities, reason=reason),
        )
        act(
            office,
            lambda ctx: panels.note_export(ctx, project_id, name, form_id, str(kind), identities=identities),
        )
    at.say(f"Panel en {out}", f"Panel in {out}")


def _names(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Names that are given one by one, or with commas."""
    return tuple(name.strip() for text in texts for name in text.split(",") if name.strip())


def _keep(at: Desk, office: Office, form_id: str, out: Path, opened: Callable[[Context], File]) -> File:
    """Write a file under another name first, so that none is ever there in part."""
    unfinished = out.with_name(f"{out.name}.part")
    written = 0
    with at.progress(f"{form_id}: KB", f"{form_id}: KB") as progress, office.database.reading(spill=True) as conn:
        file = opened(office.context(conn, CONSOLE))
        try:
            with unfinished.open("wb") as target:
                for piece in file.pieces:
                    target.write(piece)
                    written += len(piece)
                    progress(written // 1024, written // 1024)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    unfinished.replace(out)
    return file


def _kind(out: Path) -> tuple[str | None, bool]:
    """The format that a name ends in, and whether it is a zip of such files; None: ODK Central's zip."""
    ends = [end.lower().removeprefix(".") for end in out.suffixes[-2:]]
    if ends[-1:] == ["zip"]:
        return (ends[0], True) if len(ends) == 2 and ends[0] in (*FORMATS, MEDIA) else (None, True)
    if ends and ends[-1] in FORMATS:
        return ends[-1], False
    raise problems.wrong_value(
        "--out",
        out.name,
        Sentence(
            es=f"termine el nombre en .zip o en uno de estos: {', '.join(FORMATS)}.",
            en=f"end the name in .zip or one of these: {', '.join(FORMATS)}.",
        ),
    )


def _only_centrals(given: dict[str, Any]) -> None:
    """Refuse what ODK Central's layout has not, rather than ignore it."""
    plain = {"date_of": "received", "zone": "UTC"}
    known = {"split", "group_paths", "keep_formulas", "filter", "identities", "reason"}
    for name, value in given.items():
        if name not in known and value and value != plain.get(name):
            option = _WRITTEN.get(name, name).replace("_", "-")
            told = value if isinstance(value, str) else " ".join(map(str, value)) if isinstance(value, tuple) else ""
            raise problems.wrong_value(
                f"--{option}",
                told,
                Sentence(
                    es="el formato de ODK Central no la tiene; escriba --out con .csv.zip.",
                    en="ODK Central's layout has no such option; write --out with .csv.zip.",
                ),
            )


def _central(given: dict[str, Any], *, attachments: bool) -> CentralRequest:
    return CentralRequest(
        group_paths=given["group_paths"] is not False,
        split_select_multiples=bool(given["split"]),
        attachments=attachments,
        neutralise=not given["keep_formulas"],
        filter=given["filter"],
    )


def _request(given: dict[str, Any]) -> Request:
    days: dict[str, datetime | None] = {name: given[name] for name in ("first", "last")}
    return Request(
        tables=given["tables"],
        join=given["join"],
        columns=_names(given["columns"]),
        labels=given["labels"],
        language=given["spoken"],
        group_paths=bool(given["group_paths"]),
        split=given["split"] is not False,
        neutralise=not given["keep_formulas"],
        bom=given["bom"],
        zone=given["zone"],
        geometry=given["geometry"],
        date_of=given["date_of"],
        first=days["first"].date() if days["first"] else None,
        last=days["last"].date() if days["last"] else None,
        review=given["review"],
        versions=given["versions"],
        submitters=given["submitters"],
        place=given["place"],
        filter=given["filter"],
        at=given["at"],
    )

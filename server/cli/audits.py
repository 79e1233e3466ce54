"""tejido audit: who did what, and who saw what."""

from __future__ import annotations

import csv
import json
import sys
from datetime import UTC, datetime, time, timedelta

import click

from server.actions import audits
from server.actions.audits import Query
from server.cli.desk import ask, desk
from server.extracts.delimited import harmless

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("audit")
@click.option(
    "--action", help="Only this, or what begins so: submission.read.identified, form.submission.export, user."
)
@click.option("--project", "project_id", type=int, help="Number of the project.")
@click.option("--from", "first", type=_DAY, help="First day (UTC).")
@click.option("--until", "last", type=_DAY, help="Last day (UTC).")
@click.option("--most", type=click.IntRange(1, audits.MOST), default=100, help="So many lines, the newest.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, with every field.")
@click.pass_context
def list_audits(
    context: click.Context,
    action: str | None,
    project_id: int | None,
    first: datetime | None,
    last: datetime | None,
    most: int,
    as_csv: bool,
) -> None:
    """List who did what and who saw what, the newest first."""
    at = desk(context)
    query = Query(
        action=action,
        project_id=project_id,
        first=datetime.combine(first.date(), time(), UTC) if first else None,
        last=datetime.combine(last.date() + timedelta(days=1), time(), UTC) if last else None,
        most=most,
    )
    with at.office() as office:
        lines = ask(office, lambda ctx: audits.list_lines(ctx, query))
    heading = ["logged_at", "actor", "action", "project", "form", "record", "details"]
    writer = csv.writer(sys.stdout) if as_csv else None
    if writer:
        writer.writerow(heading)
    elif lines:
        at.say(
            "cuándo\tquién\tqué\tproyecto\tformulario\tenvío\tdetalles",
            "when\twho\twhat\tproject\tform\trecord\tdetails",
        )
    else:
        at.say("No hay nada anotado.", "Nothing is noted.")
    for one in lines:
        details = json.dumps(one.details, ensure_ascii=False) if one.details else ""
        actor = one.actor or ("" if one.actor_id is None else str(one.actor_id))
        cells = [
            one.logged_at.isoformat(timespec="seconds"),
            actor,
            one.action,
            one.project_id,
            one.form_id,
            one.instance_id,
        ]
        told = [harmless("" if cell is None else cell) for cell in (*cells, details)]
        if writer:
            writer.writerow(told)
        else:
            click.echo("\t".join(" ".join(str(cell).split()) for cell in told))

"""tejido withdrawal: make, list, reapply."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import click

from server.actions import withdrawal_list, withdrawals
from server.actions.withdrawals import Done, Wish
from server.api.schemas import withdrawals as wire
from server.cli.desk import Desk, act, ask, desk
from server.context import Office
from server.model.withdrawals import ASKED_BY, POLICIES, REASONS

_PROJECT: Final = click.option("--project", "project_id", type=int, required=True, help="Number of the project.")


@click.group()
def withdrawal() -> None:
    """Withdrawals of consent: what is kept of a person goes, and follow-up ends."""


@withdrawal.command("make")
@click.argument("list_name", metavar="LIST")
@click.argument("uuid")
@_PROJECT
@click.option("--reason", type=click.Choice(REASONS), required=True, help="Why.")
@click.option("--asked-by", type=click.Choice(ASKED_BY), required=True, help="Who asked for it.")
@click.option("--asked-on", type=click.DateTime(["%Y-%m-%d"]), help="The day on which they asked.")
@click.option("--policy", type=click.Choice(POLICIES), help="What goes; default: what the project says.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every field.")
@click.pass_context
def make(
    context: click.Context,
    list_name: str,
    uuid: str,
    project_id: int,
    reason: str,
    asked_by: str,
    asked_on: datetime | None,
    policy: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take out what is kept of the person of entity UUID of the entity list LIST; it cannot be undone."""
    at = desk(context)
    day = asked_on.date() if asked_on is not None else None
    wish = Wish(reason=reason, asked_by=asked_by, asked_on=day, policy=policy)
    does = withdrawals.foresee if dry_run else withdrawals.withdraw
    with at.office() as office:
        made = act(office, lambda ctx: does(ctx, project_id, list_name, uuid, wish))
        if not dry_run:
            _settle(office)
    if as_json:
        click.echo(json.dumps(wire.done(made)))
        return
    _tell(at, made, dry_run=dry_run)


@withdrawal.command("list")
@_PROJECT
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every field.")
@click.pass_context
def list_withdrawals(context: click.Context, project_id: int, as_json: bool) -> None:
    """List whose data went, by id: when, why, and what was done."""
    at = desk(context)
    with at.office() as office:
        found = ask(office, lambda ctx: withdrawals.list_withdrawals(ctx, project_id))
    if as_json:
        click.echo(json.dumps([wire.line(one) for one in found]))
        return
    if not found:
        at.say("Nadie retiró su consentimiento.", "Nobody took back the consent.")
        return
    at.say("cuándo\tlista\tid\tpolítica\tmotivo\tpidió", "when\tlist\tid\tpolicy\treason\tasked by")
    for one in found:
        held = one.withdrawal
        told = (f"{held.withdrawn_at:%Y-%m-%d}", one.dataset, held.uuid, held.policy, held.reason, held.asked_by)
        click.echo("\t".join(told))


@withdrawal.command("reapply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def reapply(context: click.Context, file: Path) -> None:
    """Withdraw again, after a backup was restored, everybody whom FILE (a withdrawals.jsonl) names."""
    at = desk(context)
    listed = withdrawal_list.read(file)
    done = 0
    with at.office() as office:
        for project_id, name, uuid, wish in listed:
            again = partial(withdrawals.reapply, project_id=project_id, name=name, uuid=uuid, wish=wish)
            done += act(office, again) is not None
        _settle(office)
    at.say(
        f"Retiros de la lista: {len(listed)}; aplicados ahora: {done}.",
        f"Withdrawals in the list: {len(listed)}; applied now: {done}.",
    )


def _settle(office: Office) -> None:
    act(office, withdrawals.settle)
    act(office, withdrawal_list.keep)


def _tell(at: Desk, made: Done, *, dry_run: bool) -> None:
    effect = made.effect
    if dry_run:
        at.say("No se cambió nada. Se tocaría:", "Nothing was changed. This would be touched:")
    else:
        at.say("Consentimiento retirado. Se tocó:", "Consent withdrawn. This was touched:")
    for es, en, number in (
        ("entidades", "entities", effect.entities),
        ("versiones de ellas", "versions of them", effect.versions),
        ("envíos", "submissions", effect.submissions),
        ("de ellos, borrados enteros", "of them, deleted whole", effect.deleted),
        ("documentos", "documents", effect.documents),
        ("archivos", "files", effect.files),
        ("correcciones", "corrections", effect.corrections),
        ("señales", "flags", effect.flags),
        (
            "líneas de la auditoría que lo nombran y se quedan",
            "lines of the audit that say who it was and stay",
            effect.audits,
        ),
    ):
        at.say(f"{number}\t{es}", f"{number}\t{en}")
    click.echo(f"policy\t{made.policy}")

"""The list of withdrawn ids beside the data: with it a restored backup is made to forget again whom it brought back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from forms.problems import Sentence
from server import problems
from server.access import require
from server.actions.withdrawals import Listed, Wish, list_withdrawals
from server.context import Context
from server.store import projects

NAME: Final = "withdrawals.jsonl"
"""In the data folder: a line of JSON for each withdrawal, with ids, dates and codes alone."""
_KEY: Final = ("project", "list", "uuid", "policy")


def keep(ctx: Context) -> None:
    """Write down withdrawals that the list in the data folder lacks; none is ever taken out of it, whatever the database has
    forgotten meanwhile."""
    require(ctx, "config.set", None)
    found = [one for project in projects.list_projects(ctx.conn) for one in list_withdrawals(ctx, project.id)]
    if not found:
        return
    path = ctx.settings.data / NAME
    held = {_key(one) for one in _lines(path.read_text(encoding="utf-8"))} if path.exists() else set()
    new = [line for line in map(to_line, found) if _key(line) not in held]
    if new:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(line)}\n" for line in new)


def to_line(one: Listed) -> dict[str, Any]:
    """A withdrawal as the list has it."""
    held = one.withdrawal
    return {
        "project": held.project_id,
        "list": one.dataset,
        "uuid": held.uuid,
        "policy": held.policy,
        "reason": held.reason,
        "asked_by": held.asked_by,
        "asked_on": held.asked_on.isoformat() if held.asked_on is not None else None,
        "withdrawn_at": held.withdrawn_at.isoformat(),
    }


def read(path: Path) -> list[tuple[int, str, str, Wish]]:
    """The project, list and id of each line of a list, and the wish. Raises Problem 400.8 for what is no such list."""
    try:
        lines = _lines(path.read_text(encoding="utf-8"))
        return [(int(one["project"]), str(one["list"]), str(one["uuid"]), _wish(one)) for one in lines]
    except (ValueError, KeyError, TypeError) as error:
        told = Sentence("no es una lista de retiros de consentimiento.", "it is no list of withdrawals of consent.")
        raise problems.wrong_value("file", path.name, told) from error


def _wish(one: Mapping[str, Any]) -> Wish:
    asked_on = one.get("asked_on")
    return Wish(
        reason=str(one["reason"]),
        asked_by=str(one["asked_by"]),
        asked_on=date.fromisoformat(asked_on) if asked_on else None,
        policy=str(one["policy"]),
    )


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _key(one: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(one[name] for name in _KEY)

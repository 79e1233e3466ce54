"""Raising: workbooks with checks published, answers sent, and what was flagged, as a coordinator would say it."""

from __future__ import annotations

from server.actions import rebuilds
from tests.server.desk import Desk
from tests.server.wire import Wire, instance

FORM = "hogar"


def table(sheet: str, columns: str, *rows: str) -> str:
    """A sheet as a markdown table: columns and cells with `|` between them."""
    lines = "\n".join(f"| | {row} |" for row in (columns, *rows))
    return f"| {sheet} |\n{lines}\n"


def publish(desk: Desk, survey: str, *, checks: str = "", choices: str = "", version: str = "1") -> None:
    """The form, whose workbook has the sheet `checks`."""
    settings = table("settings", "form_id | form_title | version", f"{FORM} | {FORM} | {version}")
    desk.publish(survey + choices + checks + settings)


def send(
    phone: Wire, answers: str, name: str, *, version: str = "1", edits: str | None = None, **about: object
) -> None:
    """A submission of this instance id, acknowledged."""
    deprecated = f"uuid:{edits}" if edits else None
    sent = instance(FORM, answers, version=version, instance_id=f"uuid:{name}", deprecated_id=deprecated)
    answer = phone.post(sent, **about)  # type: ignore[arg-type]
    assert answer.status == 201, answer.body


def raised(desk: Desk) -> list[tuple[str, str, str, str | None, str]]:
    """Check, row, question, text and state of every flag, in order."""
    found = [
        (flag.check, flag.row_key.removeprefix("uuid:"), flag.path, flag.text, flag.state) for flag in desk.flags(FORM)
    ]
    return sorted(found, key=lambda one: tuple(part or "" for part in one))


def found(desk: Desk, check: str) -> dict[str, str | None]:
    """By row, the text of the flags of one check that are not corrected."""
    return {row: text for name, row, _, text, state in raised(desk) if name == check and state != "corrected"}


def rebuild(desk: Desk) -> None:
    """Every row, fact and flag made again, as `tejido rebuild` does."""
    for held in desk.act(rebuilds.prepare_rebuild):
        rebuilds.rebuild_form(desk.act, held)
    assert desk.failures() == []

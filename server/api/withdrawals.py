"""Withdrawals of consent over HTTP: one person's, seen before it is done, and which there were."""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.actions import withdrawal_list, withdrawals
from server.actions.identity import CONSOLE
from server.actions.withdrawals import Wish
from server.api import bodies, options
from server.api.schemas import withdrawals as wire
from server.api.wire import tell
from server.http import answers
from server.http.endpoint import act, ask, office, shelf

blueprint = Blueprint("api_withdrawals", __name__)
blueprint.register_error_handler(Problem, tell)
_LIST: Final = "/v1/projects/<number:project_id>/datasets/<segment:name>"


@blueprint.post(f"{_LIST}/entities/<segment:uuid>/withdraw")
def withdraw(project_id: int, name: str, uuid: str) -> Response:
    """Take out what is kept of a person, or (`dryRun=true`) say how much that is."""
    dry_run = bool(options.read(request, wire.WithdrawalQuery())["dry_run"])
    wish: Wish = bodies.load(request, wire.WithdrawalSchema())
    if dry_run:
        return _answer(wire.done(act(lambda ctx: withdrawals.foresee(ctx, project_id, name, uuid, wish))))
    made = act(lambda ctx: withdrawals.withdraw(ctx, project_id, name, uuid, wish))
    shelf().clear()
    for work in (withdrawals.settle, withdrawal_list.keep):
        office().act(work, lambda _: lambda: CONSOLE)
    return _answer(wire.done(made))


@blueprint.get(f"{_LIST}/withdrawals")
def list_withdrawals(project_id: int, name: str) -> Response:
    """Which there were in a list, eldest first."""
    found = ask(lambda ctx: withdrawals.list_withdrawals(ctx, project_id, name))
    return _answer([wire.line(one) for one in found])


def _answer(document: Any) -> Response:
    body = json.dumps(document, ensure_ascii=False).encode()
    return answers.document(request, body, "application/json; charset=utf-8")

"""Flags over HTTP: what the checks found, what people say of it, and the figures of fieldwork."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from forms.problems import Problem
from server.actions import flags
from server.api import bodies, flagged, options
from server.api.schemas.flags import ChangeSchema, FiguresQuery, FlagsQuery, filter_of
from server.api.wire import tell
from server.http import answers
from server.http.endpoint import act, ask
from server.model.cleaning import EXPLAINED

blueprint = Blueprint("api_flags", __name__)
blueprint.register_error_handler(Problem, tell)
_ROOT: Final = "/v1/projects/<number:project_id>/forms/<segment:form_id>/flags"
_JSON: Final = "application/json; charset=utf-8"
_CSV: Final = "text/csv; charset=utf-8"


@blueprint.get(_ROOT)
@blueprint.get(f"{_ROOT}.csv", defaults={"csv": True})
def list_flags(project_id: int, form_id: str, csv: bool = False) -> Response:
    """The flags of a form, a page at a time."""
    given: dict[str, Any] = options.read(request, FlagsQuery())
    after, limit = given["after"], given["limit"]
    act(lambda ctx: flags.note_listed(ctx, project_id, form_id, given["reason"]))
    page = ask(lambda ctx: flags.list_flagged(ctx, project_id, form_id, filter_of(given), after=after, most=limit))
    last = page.flags[-1].flag if page.more else None
    following = f"{last.submission_id}-{last.id}" if last is not None else None
    response = _answer(
        csv,
        lambda: {"flags": flagged.flags(page.flags), "next": following},
        lambda: flagged.flags_csv(page.flags),
        f"{form_id}-flags.csv",
    )
    if following is not None:
        query = [*((name, text) for name, text in request.args.items(multi=True) if name != "after")]
        response.headers["Link"] = f'<?{urlencode([*query, ("after", following)])}>; rel="next"'
    return response


@blueprint.patch(f"{_ROOT}/<number:flag_id>")
def change_flag(project_id: int, form_id: str, flag_id: int) -> Response:
    """Explain a flag, `{"state": "explained", "comment": "…"}`, or open it again, `{"state": "open"}`."""
    said = bodies.read(request, ChangeSchema())
    if said["state"] == EXPLAINED:
        made = act(lambda ctx: flags.explain(ctx, project_id, form_id, flag_id, said["comment"] or ""))
    else:
        made = act(lambda ctx: flags.reopen(ctx, project_id, form_id, flag_id))
    (told,) = flagged.flags([made])
    return Response(json.dumps(told, ensure_ascii=False), content_type=_JSON)


@blueprint.get(f"{_ROOT}/figures")
@blueprint.get(f"{_ROOT}/figures.csv", defaults={"csv": True})
def get_figures(project_id: int, form_id: str, csv: bool = False) -> Response:
    """Submissions and flags by enumerator and day."""
    by: tuple[str, ...] = options.read(request, FiguresQuery())["by"]
    found = ask(lambda ctx: flags.get_figures(ctx, project_id, form_id, by))
    return _answer(csv, lambda: flagged.figures(found), lambda: flagged.figures_csv(found), f"{form_id}-figures.csv")


@blueprint.post(f"{_ROOT}/run")
def run(project_id: int, form_id: str) -> Response:
    """Look through every submission of the form anew."""
    made = act(lambda ctx: flags.run(ctx, project_id, form_id))
    told = {
        "submissions": made.submissions,
        "checks": made.checks,
        "added": made.settled.added,
        "gone": made.settled.gone,
    }
    return Response(json.dumps(told), content_type=_JSON)


def _answer(csv: bool, document: Callable[[], Any], lines: Callable[[], bytes], name: str) -> Response:
    """JSON, or CSV where the path or the client asks for it; 304 where the client has it."""
    if csv or request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv":
        response = answers.document(request, lines(), _CSV)
        response.headers["Content-Disposition"] = answers.disposition(name)
    else:
        response = answers.document(request, json.dumps(document(), ensure_ascii=False).encode(), _JSON)
    response.headers["Vary"] = "Accept, Accept-Encoding"
    return response

"""Indicators over HTTP: what a project measures, its figures, and the records behind each of them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from forms.problems import Problem, Sentence
from server import problems
from server.actions import indicators
from server.api import figures, options
from server.api.schemas.indicators import FactsQuery, ListQuery, ValuesQuery
from server.api.wire import tell
from server.http import answers
from server.http.endpoint import act, ask
from server.indicators.asking import Request

blueprint = Blueprint("api_indicators", __name__)
blueprint.register_error_handler(Problem, tell)
_ROOT: Final = "/v1/projects/<number:project_id>/indicators"
_JSON: Final = "application/json; charset=utf-8"
_CSV: Final = "text/csv; charset=utf-8"


@blueprint.get(_ROOT)
@blueprint.get(f"{_ROOT}.csv", defaults={"csv": True})
def list_indicators(project_id: int, csv: bool = False) -> Response:
    """What a project measures."""
    options.read(request, ListQuery())
    listed = ask(lambda ctx: indicators.list_indicators(ctx, project_id))
    return _answer(csv, lambda: figures.indicators(listed), lambda: figures.indicators_csv(listed), "indicators.csv")


@blueprint.get(f"{_ROOT}/<segment:name>")
def get_indicator(project_id: int, name: str) -> Response:
    """One indicator: its row as written, its categories, its earlier versions."""
    options.read(request, ListQuery())
    described = ask(lambda ctx: indicators.describe_indicator(ctx, project_id, name))
    return answers.document(request, _json(figures.indicator(described)), _JSON)


@blueprint.get(f"{_ROOT}/values")
@blueprint.get(f"{_ROOT}/values.csv", defaults={"csv": True})
def list_values(project_id: int, csv: bool = False) -> Response:
    """The figures of every indicator that can be asked so; of the others, why they cannot."""
    wanted: Request = options.read(request, ValuesQuery())
    found = ask(lambda ctx: indicators.get_values(ctx, project_id, None, wanted))
    return _answer(
        csv,
        lambda: {"indicators": figures.values(found, wanted), "unavailable": figures.unavailable(found)},
        lambda: figures.values_csv(found, wanted),
        "values.csv",
    )


@blueprint.get(f"{_ROOT}/<segment:name>/values")
@blueprint.get(f"{_ROOT}/<segment:name>/values.csv", defaults={"csv": True})
def get_values(project_id: int, name: str, csv: bool = False) -> Response:
    """The figures of one indicator; `waits` says why there are none yet."""
    wanted: Request = options.read(request, ValuesQuery())
    found = ask(lambda ctx: indicators.get_values(ctx, project_id, [name], wanted))
    return _answer(csv, lambda: _one(name, found, wanted), lambda: figures.values_csv(found, wanted), f"{name}.csv")


@blueprint.get(f"{_ROOT}/<segment:name>/facts")
@blueprint.get(f"{_ROOT}/<segment:name>/facts.csv", defaults={"csv": True})
def list_facts(project_id: int, name: str, csv: bool = False) -> Response:
    """The records behind one figure, a page at a time."""
    given: dict[str, Any] = options.read(request, FactsQuery())
    after, limit = _position(given.pop("after")), given.pop("limit")
    names = tuple(FactsQuery().fields)
    wanted = Request(**{option: given.pop(option) for option in ("period", "by", "place", "cumulative")})
    only = _categories(given, wanted.by, names)
    page = ask(lambda ctx: indicators.list_records(ctx, project_id, name, wanted, only, after=after, most=limit))
    act(lambda ctx: indicators.note_records(ctx, project_id, page))
    following = _cursor(page) if page.more else None
    response = _answer(
        csv,
        lambda: {"indicator": name, "records": figures.records(page), "next": following},
        lambda: figures.records_csv(page, wanted),
        f"{name}.csv",
    )
    if following is not None:
        response.headers["Link"] = _next(following)
    return response


def _one(name: str, found: indicators.Figures, wanted: Request) -> dict[str, Any]:
    made = figures.values(found, wanted)
    return {**made[0], "waits": None} if made else {"indicator": name, "values": [], "waits": _reason(found, name)}


def _reason(found: indicators.Figures, name: str) -> dict[str, str]:
    return next(one["reason"] for one in figures.unavailable(found) if one["indicator"] == name)


def _categories(given: Mapping[str, str], by: tuple[str, ...], names: tuple[str, ...]) -> dict[str, str | None]:
    """The category of each axis that a request names; None: the records without one."""
    only: dict[str, str | None] = {}
    for option, code in sorted(given.items()):
        name = option if option in by else option.removeprefix("by.")
        if name not in by:
            raise options.unknown(option, [*names, *by])
        if name in only:
            raise problems.wrong_value(name, code, Sentence("está dos veces.", "it is given twice."))
        only[name] = code or None
    return only


def _cursor(page: indicators.Page) -> str:
    last = page.records[-1]
    return base64.urlsafe_b64encode(f"{last.submission_id}.{last.row}".encode()).decode().rstrip("=")


def _position(cursor: str | None) -> tuple[int, int]:
    """Submission and row that a cursor says; raises Problem 400.8 for a text that this server never gave."""
    if cursor is None:
        return 0, -1
    try:
        said = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        submission_id, row = (int(part) for part in said.split("."))
    except (ValueError, binascii.Error) as error:
        raise _no_cursor(cursor) from error
    if not 0 <= submission_id < 2**63 or not 0 <= row < 2**31:
        raise _no_cursor(cursor)
    return submission_id, row


def _no_cursor(cursor: str) -> Problem:
    return problems.wrong_value(
        "after",
        cursor,
        Sentence("use lo que dice «next» en la página anterior.", "use what “next” says in the page before."),
    )


def _next(cursor: str) -> str:
    """The header Link (RFC 8288): the present request, of the page after `cursor`."""
    query = [*((name, text) for name, text in request.args.items(multi=True) if name != "after"), ("after", cursor)]
    return f'<?{urlencode(query)}>; rel="next"'


def _answer(csv: bool, document: Callable[[], Any], lines: Callable[[], bytes], name: str) -> Response:
    """JSON, or CSV where the path or the client asks for it; 304 where the client has it."""
    if csv or request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv":
        response = answers.document(request, lines(), _CSV)
        response.headers["Content-Disposition"] = answers.disposition(name)
    else:
        response = answers.document(request, _json(document()), _JSON)
    response.headers["Vary"] = "Accept, Accept-Encoding"
    return response


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()

"""What every resource of the API shares: problems as JSON."""

from __future__ import annotations

from flask import Response, json

from forms.problems import Problem


def tell(problem: Problem) -> Response:
    """A problem as ODK Central words it: {message, code, details}; `es` and `wayOut` are ours."""
    body = {
        "message": problem.sentence.en,
        "code": problem.code,
        "details": dict(problem.details),
        "es": problem.say("es"),
        "wayOut": problem.way_out.en if problem.way_out else None,
    }
    response = Response(json.dumps(body), status=problem.status, content_type="application/json; charset=utf-8")
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Tejido", charset="UTF-8"'
    if problem.status == 503:
        response.headers["Retry-After"] = "60"
    return response

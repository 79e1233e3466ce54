"""Opens the house: the WSGI application."""

from __future__ import annotations

import re
from typing import Final

import structlog
from flask import Flask, Response, json, request
from werkzeug.exceptions import HTTPException

from forms.problems import Problem
from server import problems
from server.api import (
    actor_properties,
    audits,
    corrections,
    datasets,
    entities,
    entity_feeds,
    entity_files,
    extracts,
    flags,
    form_files,
    indicators,
    logframes,
    merging,
    submissions,
    wire,
    withdrawals,
)
from server.blobs.disk import DiskBlobs
from server.context import Clock, Office, wall_clock
from server.db import Database
from server.http import endpoint
from server.http.paths import Number, RawPath, Segment
from server.openrosa import routes
from server.settings import Settings
from server.web import welcome

log = structlog.get_logger("tejido")
_TOKEN: Final = re.compile(r"(/key|/test)/[^/]+/")
"""Tokens in paths stay out of the log."""


def open_office(settings: Settings, *, clock: Clock = wall_clock) -> Office:
    """What one process holds: database and blobs. The database is not migrated here.

    Raises Problem 500.8 where the data folder cannot be made.
    """
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise problems.bad_folder(str(settings.data), error.strerror or str(error)) from error
    return look_into(settings, clock=clock)


def look_into(settings: Settings, *, clock: Clock = wall_clock) -> Office:
    """The office of an installation that is there already, or is only looked at: no folder is made."""
    return Office(settings, Database(settings), DiskBlobs(settings.data / "blobs"), clock)


def create_app(office: Office) -> Flask:
    """The application over an open office."""
    app = Flask("tejido", static_folder=None)
    app.url_map.converters |= {"segment": Segment, "number": Number}
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # RawPath does, without a redirect
    app.config["MAX_CONTENT_LENGTH"] = office.settings.max_body
    endpoint.install(app, office)
    app.register_blueprint(routes.blueprint)
    app.register_blueprint(corrections.blueprint)
    app.register_blueprint(actor_properties.blueprint)
    app.register_blueprint(audits.blueprint)
    app.register_blueprint(datasets.blueprint)
    app.register_blueprint(entities.blueprint)
    app.register_blueprint(entity_files.blueprint)
    app.register_blueprint(entity_feeds.blueprint)
    app.register_blueprint(merging.blueprint)
    app.register_blueprint(extracts.blueprint)
    app.register_blueprint(flags.blueprint)
    app.register_blueprint(form_files.blueprint)
    app.register_blueprint(indicators.blueprint)
    app.register_blueprint(logframes.blueprint)
    app.register_blueprint(submissions.blueprint)
    app.register_blueprint(withdrawals.blueprint)
    app.register_blueprint(welcome.blueprint)
    app.add_url_rule("/healthz", "health", _health)
    app.register_error_handler(Problem, _tell)
    app.register_error_handler(HTTPException, _tell_http)
    app.register_error_handler(Exception, _tell_unforeseen)
    app.wsgi_app = RawPath(app.wsgi_app)  # type: ignore[method-assign]
    return app


def speaks_openrosa(path: str) -> bool:
    """Whether an error is told to a phone, where no route says who asks."""
    return path.endswith(("/formList", "/submission", "/manifest"))


def _health() -> Response:
    """200 where the database answers."""
    endpoint.ask(lambda ctx: ctx.conn.exec_driver_sql("SELECT 1").scalar(), anonymous=True)
    return Response(json.dumps({"ok": True}), content_type="application/json")


def _tell(problem: Problem) -> Response:
    if speaks_openrosa(request.path):
        return routes.tell(problem)
    return wire.tell(problem)


def _tell_http(error: HTTPException) -> Response:
    if error.code in (404, 405):
        response = _tell(problems.not_found())
        response.status_code = error.code
        return response
    if error.code == 413:
        return _tell(problems.too_large("HTTP", endpoint.office().settings.max_body))
    return _tell(problems.unreadable_request(error.code or 400, error.description or ""))


def _tell_unforeseen(error: Exception) -> Response:
    log.error("unforeseen", path=_TOKEN.sub(r"\1/…/", request.path), method=request.method, exc_info=error)
    return _tell(problems.internal())

"""Logframes over HTTP: the workbook that declares what a project measures, given, taken back and listed."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any, Final
from urllib.parse import unquote

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header

from forms.problems import Problem
from server import problems
from server.actions import logframe_files, logframes
from server.api import options
from server.api.schemas.logframes import LogframeQuery, foreseen, replaced, uploads
from server.api.wire import tell
from server.http import answers
from server.http.endpoint import act, ask, office

blueprint = Blueprint("api_logframes", __name__)
blueprint.register_error_handler(Problem, tell)
_ROOT: Final = "/v1/projects/<number:project_id>"
_JSON: Final = "application/json; charset=utf-8"
_TYPES: Final = (
    (b"PK", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"\xd0\xcf\x11\xe0", ".xls", "application/vnd.ms-excel"),
    (b"", ".md", "text/markdown; charset=utf-8"),
)
"""How a workbook begins, how its name ends where nobody names it, and its content type."""


@blueprint.put(f"{_ROOT}/logframe")
def put_logframe(project_id: int) -> Response:
    """Take the workbook in the body in place of the one before, or with `?dryRun=true` say what that would change."""
    given: dict[str, Any] = options.read(request, LogframeQuery())
    ask(lambda ctx: logframe_files.expect(ctx, project_id))
    data = _body()
    name = _name(given["name"]) or f"logframe{_kind_of(data)[1]}"
    sheets = logframes.read(data, name)
    if given["dryRun"]:
        told = foreseen(ask(lambda ctx: logframe_files.foresee(ctx, project_id, sheets)))
        return Response(_json(told), content_type=_JSON)
    blob = office().blobs.put(BytesIO(data))
    made = act(lambda ctx: logframe_files.replace(ctx, project_id, sheets, original=blob, name=name))
    return Response(_json(replaced(made)), content_type=_JSON)


@blueprint.get(f"{_ROOT}/logframe")
def get_logframe(project_id: int) -> Response:
    """The project's logframe in force, byte for byte as it was given."""
    return _file(ask(lambda ctx: logframe_files.get_upload(ctx, project_id)))


@blueprint.get(f"{_ROOT}/logframes")
def list_logframes(project_id: int) -> Response:
    """Every workbook whose declarations were taken, the newest first."""
    listed = ask(lambda ctx: logframe_files.list_uploads(ctx, project_id))
    return answers.document(request, _json(uploads(listed)), _JSON)


@blueprint.get(f"{_ROOT}/logframes/<number:logframe_id>")
def get_upload(project_id: int, logframe_id: int) -> Response:
    """One of them, byte for byte as it was given."""
    return _file(ask(lambda ctx: logframe_files.get_upload(ctx, project_id, logframe_id)))


def _file(upload: logframe_files.Upload) -> Response:
    sha256 = upload.logframe.workbook_sha256
    if sha256 is None:
        raise problems.not_found()
    with office().blobs.open(sha256) as content:
        data = content.read()
    _, suffix, content_type = _kind_of(data)
    response = answers.document(request, data, content_type, etag=sha256)
    response.headers["Content-Disposition"] = answers.disposition(upload.logframe.workbook_name or f"logframe{suffix}")
    return response


def _body() -> bytes:
    request.max_content_length = logframes.MAX_WORKBOOK
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise problems.too_large("logframe", logframes.MAX_WORKBOOK) from error


def _name(option: str | None) -> str | None:
    """The workbook's name: `?name=`, else Content-Disposition's, else X-XlsForm-FormId-Fallback (percent-encoded, as
    ODK Central's clients send it). Raises Problem 400.8 for what is no bare file name."""
    _, parameters = parse_options_header(request.headers.get("Content-Disposition"))
    name = option or parameters.get("filename") or unquote(request.headers.get("X-XlsForm-FormId-Fallback", ""))
    if not name:
        return None
    if len(name.encode()) > 255 or any(one in "/\\" or ord(one) < 32 for one in name) or not name.strip(". "):
        raise problems.bad_file_name(name[:100])
    return name


def _kind_of(data: bytes) -> tuple[bytes, str, str]:
    return next(kind for kind in _TYPES if data.startswith(kind[0]))


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()

"""Connections: what waitress reads and answers on them by itself, in the words of this server."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Final

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer
from waitress.task import ErrorTask, WSGITask

from forms.problems import Problem
from server import problems
from server.api import wire
from server.app import speaks_openrosa
from server.openrosa import documents
from server.settings import Settings

_FRAMING: Final = re.compile(rb"\r\ntransfer-encoding:[ \t]*([^\r]*)", re.IGNORECASE)


def use(server: BaseWSGIServer, settings: Settings) -> None:
    """Let a server of waitress speak as this one does on every connection it takes from now on."""
    server.channel_class = partial(_Channel, settings)  # type: ignore[assignment]  # it is only called


class _Parser(HTTPRequestParser):
    """Refuses a body whose end two readers may see at different places.

    waitress takes Transfer-Encoding beside Content-Length; a proxy that believes the other one would let a stranger put a
    request into somebody else's connection (RFC 9112, sections 6.1 and 11.2).
    """

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        given = [value.strip(b" \t").lower() for value in _FRAMING.findall(header_plus)]
        plain = given == [b"chunked"] and self.version == "1.1" and "CONTENT_LENGTH" not in self.headers
        if given and not plain:
            raise ParsingError("Transfer-Encoding beside Content-Length, in HTTP/1.0, or other than chunked")


class _Task(WSGITask):
    """Keeps the connection after an answer that has no body by its status.

    waitress closes it for want of a Content-Length, which 204 and 304 may not have (RFC 9110, section 8.6); a phone would
    connect anew for every document that it has already, and between HEAD and POST of a submission.
    """

    def set_close_on_finish(self) -> None:
        wanted: dict[str, str] = self.request.headers  # type: ignore[attr-defined]
        if self.version != "1.1" or self.has_body or wanted.get("CONNECTION", "").lower() == "close":
            super().set_close_on_finish()


class _Refusal(ErrorTask):
    """What waitress refuses by itself: an OpenRosaResponse to a phone, JSON to everybody else, where the path is known."""

    channel: _Channel

    def execute(self) -> None:
        error: Any = self.request.error  # type: ignore[attr-defined]
        settings = self.channel.settings
        problem = _problem(error.code, str(error.body), settings)
        line: bytes = getattr(self.request, "first_line", b"")
        path = line.partition(b" ")[2].partition(b" ")[0].partition(b"?")[0].decode("latin-1")
        if speaks_openrosa(path):
            body = documents.message(problem.say(settings.language), nature="error")
            headers = [("Content-Type", documents.CONTENT_TYPE), ("X-OpenRosa-Version", "1.0")]
        else:
            told = wire.tell(problem)
            body, headers = told.get_data(), [("Content-Type", told.content_type)]
        self.status = f"{error.code} {error.reason}"
        self.response_headers = [*self.response_headers, *headers]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    parser_class = _Parser
    task_class = _Task
    error_task_class = _Refusal

    def __init__(self, settings: Settings, *args: Any, **kwargs: Any) -> None:
        self.settings = settings
        super().__init__(*args, **kwargs)

    def write_soon(self, data: Any) -> Any:
        """Begin another buffer where most of the present one has been sent.

        waitress lets go of what was sent only with the whole buffer, and moves a buffer from memory to a file only by what it
        has not sent yet: the answer to a client that keeps up would pile up in memory, whatever its size.
        """
        most = self.adj.outbuf_overflow
        with self.outbuf_lock:
            if self.current_outbuf_count >= most and len(self.outbufs[-1]) < most // 2:
                self.current_outbuf_count = self.adj.outbuf_high_watermark
        return super().write_soon(data)


def _problem(status: int, reason: str, settings: Settings) -> Problem:
    if status == 413:
        return problems.too_large("HTTP", settings.max_body)
    if status >= 500 and status != 501:
        return problems.internal()
    return problems.unreadable_request(status, reason)

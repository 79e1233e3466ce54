"""Paths: names in a URL may hold any character, an encoded slash too."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote, unquote, unquote_to_bytes
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.routing import BaseConverter, IntegerConverter, Map, ValidationError

_SLASHES: Final = re.compile("/{2,}")
_KEPT: Final = re.compile(r"%(2[Ff]|25)")


class RawPath:
    """WSGI middleware: decodes the path from the request line, but for %2F and %25, which `Segment` decodes.

    PATH_INFO has lost the difference between a slash and an encoded one; form ids may hold both. Slashes side by side are
    one: of an address typed with two at its end Collect takes one away before it adds `/submission`.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on."""
        uri = environ.get("REQUEST_URI", "")
        if uri.startswith("/") and ("%" in uri or "//" in uri):
            path = _KEPT.sub(lambda match: f"%25{match[1]}", _SLASHES.sub("/", uri.partition("?")[0]))
            environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
        return self._app(environ, start_response)


class Number(IntegerConverter):
    """A row's number: what both databases can hold, so that no other one is ever asked for."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**63 - 1)


class Segment(BaseConverter):
    """One segment of a path, whatever characters it holds."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        """The name that was meant; one with a NUL, which no database keeps, names nothing."""
        name = unquote(value)
        if "\0" in name:
            raise ValidationError(name)
        return name

    def to_url(self, value: Any) -> str:
        """The name, encoded for a URL."""
        return segment(str(value))


def segment(name: str) -> str:
    """A name as one segment of a URL; nothing stays that `java.net.URI` would refuse."""
    return quote(name, safe="")

"""Answers: bodies with an ETag, compressed where that helps, and files streamed from the blobs."""

from __future__ import annotations

import gzip
import hashlib
import os
from typing import BinaryIO, Final
from urllib.parse import quote

from flask import Request, Response
from werkzeug.wsgi import wrap_file

from server import problems
from server.blobs.disk import CHUNK

_COMPRESSIBLE: Final = ("text/", "application/json", "application/geo+json", "application/xml", "image/svg+xml")
_LEAST: Final = 600
_MOST: Final = 8_000_000


def document(request: Request, body: bytes, content_type: str, *, etag: str | None = None) -> Response:
    """`body` with an ETag (of the content where none is given); 304 where the client has it, gzip where it takes it."""
    tag = etag or hashlib.md5(body, usedforsecurity=False).hexdigest()
    if request.if_none_match.contains_weak(tag):
        return _tagged(Response(status=304), tag)
    response = Response(body, content_type=content_type)
    if len(body) >= _LEAST and _compresses(request, content_type):
        response.set_data(gzip.compress(body, 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    return _tagged(response, tag)


def blob(request: Request, content: BinaryIO, *, size: int, content_type: str, etag: str, name: str) -> Response:
    """A file from the blobs, 304 where the client has it. The file is closed when the answer ends.

    A large one is handed to the server as it is (PEP 3333, file_wrapper), which sends it at the client's pace: no thread
    copies it anywhere for a slow client. Raises Problem 503.1 where it is not whole.
    """
    if request.if_none_match.contains_weak(etag):
        content.close()
        return _tagged(Response(status=304), etag)
    if content.seek(0, os.SEEK_END) != size:  # a phone would not notice
        content.close()
        raise problems.unavailable("blobs: a file has another size than when it came")
    content.seek(0)
    if _LEAST <= size <= _MOST and _compresses(request, content_type):
        with content:
            response = document(request, content.read(), content_type, etag=etag)
    else:
        file = wrap_file(request.environ, content, CHUNK)
        response = Response(file, content_type=content_type, direct_passthrough=True)
        response.content_length = size
    response.headers["Content-Disposition"] = disposition(name)
    return _tagged(response, etag)


def made(request: Request, content: BinaryIO, *, packed: bool, content_type: str, etag: str, name: str) -> Response:
    """A file that was made for answers like this (`packed`: by gzip), sent at the client's pace and closed when it ends."""
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    file = wrap_file(request.environ, content, CHUNK)
    response = Response(file, content_type=content_type, direct_passthrough=True)
    response.content_length = size
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Content-Disposition"] = disposition(name)
    return _tagged(response, etag)


def unchanged(etag: str) -> Response:
    """304: the client has it."""
    response = Response(status=304)
    response.headers["Vary"] = "Accept-Encoding"
    return _tagged(response, etag)


def of_whoever_asks(response: Response) -> Response:
    """Who asks decides what is in it: no cache may give it to anybody else."""
    response.vary.add("Authorization")
    return response


def takes_gzip(request: Request) -> bool:
    """Whether the client unpacks gzip."""
    return request.accept_encodings["gzip"] > 0


def disposition(name: str) -> str:
    """An attachment's name with any characters: an ASCII form and RFC 6266's UTF-8 form."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _tagged(response: Response, etag: str) -> Response:
    response.set_etag(etag, weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _compresses(request: Request, content_type: str) -> bool:
    return content_type.startswith(_COMPRESSIBLE) and request.accept_encodings["gzip"] > 0

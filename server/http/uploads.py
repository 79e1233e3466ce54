"""Uploads: the multipart body of a submission, read within limits."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO, Final, cast

from flask import Request
from werkzeug.datastructures import FileStorage, Headers, ImmutableMultiDict
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.sansio import multipart

from forms import instance as instances
from forms.instance import Instance
from forms.media import same_name
from server import problems
from server.http import dispositions
from server.http.dispositions import Disposition

XML_PART: Final = "xml_submission_file"
INCOMPLETE_PART: Final = "*isIncomplete*"
_MAX_PARTS: Final = 10_000
_CHUNK: Final = 64 * 1024
_IN_MEMORY: Final = 500 * 1024
"""Bytes of a part that wait in memory; a larger one waits in a temporary file."""
_UNKNOWN_TYPE: Final = "application/octet-stream"
_HEADER: Final = re.compile("[A-Za-z][A-Za-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a multipart body."""

    name: str
    content: BinaryIO
    content_type: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part as it stands in the body."""

    disposition: Disposition
    content_type: str
    content: IO[bytes]


def read_submission(request: Request, *, max_body: int, max_xml: int) -> tuple[Instance, list[Part]]:
    """The submission in a body and the other files that came with it.

    The part `*isIncomplete*` says that more requests follow; nothing depends on it, since a submission is whole without its
    files. A part without a file name is a file where the submission names it or where it has a content type; any other one
    is a field of a form in a browser, and no part of a submission. What does not read as RFC 7578 says is refused as a
    whole, so that no part gets lost behind a slip in the one before it. Sources: OpenRosa Form Submission API; RFC 7578;
    Collect's OkHttpConnection. Raises Problem 400.7 (no XML part), 400.8 (a name that is no bare file name), 400.39 (no
    multipart), 413.1, and what forms.instance.read raises.
    """
    pieces = _pieces(request, max_body=max_body, max_xml=max_xml)
    instance = instances.read(_xml(pieces, max_xml))
    named: set[str] | None = None
    parts = []
    for piece in pieces:
        given = piece.disposition
        if given.name in (XML_PART, INCOMPLETE_PART):
            continue
        if given.filename is None or "%" in given.filename:
            named = _texts(instance) if named is None else named
        if given.filename is None and not piece.content_type and same_name(given.name) not in (named or ()):
            continue
        name = dispositions.file_name(given, named or frozenset())
        parts.append(Part(name, cast(BinaryIO, piece.content), piece.content_type or _UNKNOWN_TYPE))
    return instance, parts


def _xml(pieces: list[_Piece], max_xml: int) -> bytes:
    xml: bytes | None = None
    for piece in pieces:
        if piece.disposition.name == XML_PART:
            content = piece.content.read(max_xml + 1)
            if xml not in (None, content):
                raise problems.bad_multipart()  # two submissions in one body: neither may get lost
            xml = content
    if xml is None:
        raise problems.missing_file_part()
    if len(xml) > max_xml:
        raise problems.too_large(XML_PART, max_xml)
    return xml


def _texts(instance: Instance) -> set[str]:
    """Every answer that could be the name of a file, in the form by which names are compared."""
    return {same_name((element.text or "").strip()) for element in instance.root.iter() if not len(element)}


def _pieces(request: Request, *, max_body: int, max_xml: int) -> list[_Piece]:
    """The parts of the body; the request closes them when it ends, whatever becomes of it."""
    request.max_content_length = max_body
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not boundary or not boundary.isascii():
        raise problems.bad_multipart()
    decoder = multipart.MultipartDecoder(boundary.encode(), max_xml, max_parts=_MAX_PARTS)
    made: list[_Piece] = []
    try:
        for event in _events(request, decoder):
            if isinstance(event, multipart.File | multipart.Field):
                made.append(_begin(event.headers))
            elif isinstance(event, multipart.Data):
                made[-1].content.write(event.data)
            elif isinstance(event, multipart.Preamble | multipart.Epilogue) and event.data.strip():
                raise problems.bad_multipart()  # something stands outside of all parts
        for piece in made:
            piece.content.seek(0)
    except RequestEntityTooLarge as error:
        raise problems.too_large("El envío / the submission", max_body) from error
    except OSError as error:  # a full disk where large parts wait
        raise problems.unavailable(f"uploads: {error.strerror}") from error
    except (ValueError, HTTPException) as error:
        raise problems.bad_multipart() from error
    finally:
        request.files = ImmutableMultiDict((str(n), FileStorage(piece.content, "")) for n, piece in enumerate(made))
    return made


def _events(request: Request, decoder: multipart.MultipartDecoder) -> Iterator[multipart.Event]:
    ended = False
    while not ended:
        chunk = request.stream.read(_CHUNK)
        ended = not chunk
        decoder.receive_data(chunk or None)
        while not isinstance(event := decoder.next_event(), multipart.NeedData):
            yield event
            if isinstance(event, multipart.Epilogue):
                return


def _begin(headers: Headers) -> _Piece:
    """A part from its headers; raises ValueError where they are not what RFC 7578 says."""
    if not all(_HEADER.fullmatch(name) and value for name, value in headers):
        raise ValueError("a line that is no header")
    if headers.get("Content-Transfer-Encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
        raise ValueError("an encoded part")
    given = headers.getlist("Content-Disposition")
    if len(given) != 1:
        raise ValueError("not one Content-Disposition")
    disposition = dispositions.read(given[0])
    content = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # the request closes it
    return _Piece(disposition, _printable(headers.get("Content-Type", "")), cast(IO[bytes], content))


def _printable(content_type: str) -> str:
    """A content type that can be kept and sent again, without parameters."""
    return "".join(c for c in content_type.partition(";")[0].lower() if "\x21" <= c <= "\x7e")[:100]

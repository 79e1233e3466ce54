"""Uploads: the multipart body of a submission, read within limits."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Final, cast

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser, default_stream_factory

from server import problems

XML_PART: Final = "xml_submission_file"
INCOMPLETE_PART: Final = "*isIncomplete*"
_MAX_PARTS: Final = 10_000
_UNKNOWN_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a multipart body."""

    name: str
    content: BinaryIO
    content_type: str


def read_submission(request: Request, *, max_body: int, max_xml: int) -> tuple[bytes, list[Part]]:
    """The XML of a submission and the other files of the body.

    The part `*isIncomplete*` says that more requests follow; nothing depends on it, since a submission is whole without its
    files. Source: OpenRosa Form Submission API; Collect's OkHttpConnection. Raises Problem 400.7 (no XML part), 400.8 (a name
    with a path in it), 400.39 (no multipart), 413.1.
    """
    request.max_content_length = max_body
    if request.mimetype != "multipart/form-data" or not request.mimetype_params.get("boundary"):
        raise problems.bad_multipart()
    streams: list[IO[bytes]] = []
    parser = FormDataParser(_collecting(streams), max_form_memory_size=max_xml, max_form_parts=_MAX_PARTS, silent=False)
    try:
        _, fields, files = parser.parse(
            request.stream, request.mimetype, request.content_length, request.mimetype_params
        )
        request.files = ImmutableMultiDict(files)  # the request closes them when it ends
    except RequestEntityTooLarge as error:
        _close(streams)
        raise problems.too_large("El envío / the submission", max_body) from error
    except OSError as error:  # a full disk where large parts wait
        _close(streams)
        raise problems.unavailable(f"uploads: {error.strerror}") from error
    except (ValueError, HTTPException) as error:
        _close(streams)
        raise problems.bad_multipart() from error
    xml: bytes | None = None
    parts = []
    for field, storage in files.items(multi=True):
        if field == XML_PART:
            content = storage.stream.read(max_xml + 1)
            if xml not in (None, content):
                raise problems.bad_multipart()  # two submissions in one body: neither may get lost
            xml = content
            continue
        if field == INCOMPLETE_PART:
            continue
        name = _bare(storage.filename or field)
        parts.append(Part(name, cast(BinaryIO, storage.stream), _printable(storage.mimetype)))
    for written in fields.getlist(XML_PART):  # without a file name, as no phone sends it
        content = written.encode()
        if (
            xml not in (None, content) or "\ufffd" in written
        ):  # the parser put that in place of what it could not decode
            raise problems.bad_multipart()
        xml = content
    if xml is None:
        raise problems.missing_file_part()
    if len(xml) > max_xml:
        raise problems.too_large(XML_PART, max_xml)
    return xml, parts


def _collecting(streams: list[IO[bytes]]) -> Callable[..., IO[bytes]]:
    """A stream factory that remembers what it made, so that nothing stays open where the body turns out broken."""

    def make(*args: Any, **kwargs: Any) -> IO[bytes]:
        streams.append(default_stream_factory(*args, **kwargs))
        return streams[-1]

    return make


def _close(streams: list[IO[bytes]]) -> None:
    for stream in streams:
        stream.close()


def _printable(mimetype: str | None) -> str:
    """A content type that can be kept and sent again."""
    return re.sub(r"[^\x21-\x7e]", "", mimetype or "")[:100] or _UNKNOWN_TYPE


def _bare(name: str) -> str:
    """A bare file name; clients write `"` as %22 (WHATWG HTML, multipart/form-data encoding)."""
    bare = name.replace("%22", '"')
    if (
        not bare.strip(". ")
        or len(bare.encode()) > 255
        or any(character in "/\\" or ord(character) < 32 for character in bare)
    ):
        raise problems.bad_file_name(name[:100])
    return bare

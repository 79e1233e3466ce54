"""Uploads: the multipart body of a submission, read within limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Final, cast

from flask import Request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from server import problems

XML_PART: Final = "xml_submission_file"
INCOMPLETE_PART: Final = "*isIncomplete*"


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
    request.max_form_memory_size = max_xml
    request.max_form_parts = 10_000
    try:
        files, fields = request.files, request.form
    except RequestEntityTooLarge as error:
        raise problems.too_large("El envío / the submission", max_body) from error
    except HTTPException as error:
        raise problems.bad_multipart() from error
    xml: bytes | None = None
    parts = []
    for field, storage in files.items(multi=True):
        if field == XML_PART:
            if xml is None:
                xml = storage.stream.read(max_xml + 1)
            continue
        if field == INCOMPLETE_PART:
            continue
        name = _bare(storage.filename or field)
        parts.append(Part(name, cast(BinaryIO, storage.stream), storage.mimetype or "application/octet-stream"))
    if xml is None and XML_PART in fields:
        xml = fields[XML_PART].encode()
    if xml is None:
        raise problems.missing_file_part()
    if len(xml) > max_xml:
        raise problems.too_large(XML_PART, max_xml)
    return xml, parts


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

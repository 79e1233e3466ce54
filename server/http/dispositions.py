"""Content-Disposition: the header that names a part of a multipart body, and the file name in it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from forms.media import same_name
from server import problems

_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105  # RFC 9110's word for it
_PARAMETER: Final = re.compile(rf'[ \t]*;[ \t]*({_TOKEN})[ \t]*=[ \t]*(?:({_TOKEN})|"((?:[^"\\]|\\.)*)")', re.DOTALL)
_UTF_8: Final = re.compile(r"utf-8'[^']*'(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Disposition:
    """The name of a part and, of a file, its name as the client wrote it."""

    name: str
    filename: str | None


def read(header: str) -> Disposition:
    """A part's Content-Disposition. Raises ValueError where it is not what RFC 7578 says, Problem 400.8 for a backslash.

    A name stands between quotes, raw UTF-8, as OkHttp and browsers write it; `filename*` is RFC 5987's form, which some
    libraries write. Everything in the header is read or it is refused: a parameter that is passed over may be a file.
    """
    kind, separator, _ = header.partition(";")
    if kind.strip().lower() != "form-data":
        raise ValueError("no form-data")
    given: dict[str, str] = {}
    at = len(kind) if separator else len(header)
    while at < len(header):
        found = _PARAMETER.match(header, at)
        if found is None:
            if header[at:].strip(" \t;"):
                raise ValueError("no parameter")
            break
        key, word, quoted = found[1].lower(), found[2], found[3]
        if key in given:
            raise ValueError("a parameter twice")
        given[key] = word if quoted is None else _unquoted(quoted)
        at = found.end()
    if any(re.match(r"(file)?name\*\d", key) for key in given):
        raise ValueError("a name in pieces")
    filename = _decoded(given["filename*"]) if "filename*" in given else given.get("filename")
    name = given.get("name", filename)
    if name is None:
        raise ValueError("no name")
    return Disposition(_with_quotes(name), filename)


def file_name(disposition: Disposition, named: Collection[str]) -> str:
    """The bare name of a file; `named` are the names that the submission's answers give, as media.same_name
    has them.

    Clients write `"` as %22 and leave `%` alone (WHATWG HTML, multipart/form-data encoding algorithm), so that %22 may be
    either: it is what the answers say, and a quote where they say nothing. Raises Problem 400.8.
    """
    written = disposition.filename or disposition.name
    name = written if same_name(written) in named else _with_quotes(written)
    if (
        not name.strip(". ")
        or len(name.encode()) > 255
        or any(character in "/\\" or ord(character) < 32 for character in name)
    ):
        raise problems.bad_file_name(name[:100])
    return name


def _unquoted(text: str) -> str:
    r"""`\"` is a quote in a quoted string (RFC 9110), while OkHttp and browsers write a backslash as it is.

    So nobody can tell what any other backslash means. No file of a phone has one in its name; such a name is refused.
    """
    plain = text.replace('\\"', '"')
    if "\\" in plain:
        raise problems.bad_file_name(text[:100])
    return plain


def _decoded(text: str) -> str:
    found = _UTF_8.fullmatch(text)
    if found is None:
        raise ValueError("not UTF-8")
    return unquote_to_bytes(found[1]).decode()


def _with_quotes(name: str) -> str:
    return name.replace("%22", '"')

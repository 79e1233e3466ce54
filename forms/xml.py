"""XML from strangers: parsed without DOCTYPE, entities or network, with limits, control characters mended."""

from __future__ import annotations

import re
import threading
from typing import Final

from lxml import etree

from forms.problems import Problem, Sentence

_PARSER_OPTIONS: Final = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "dtd_validation": False,
    "remove_comments": True,
    "remove_pis": True,
    "huge_tree": False,  # libxml2 then refuses more than 256 levels and single texts over 10 MB
    "recover": False,
}
_OWN: Final = threading.local()
_FORBIDDEN: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_REFERENCE: Final = re.compile(rb"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,8}));")
_DOCTYPE: Final = re.compile(rb"<!DOCTYPE", re.IGNORECASE)


def not_xml(reason: str) -> Problem:
    """400.1: the text could not be read as XML; the parser's own words are in the details."""
    return Problem(
        400.1,
        Sentence(
            es=f"El contenido no es XML bien formado ({reason}).",
            en=f"The content is not well-formed XML ({reason}).",
        ),
        {"format": "xml", "reason": reason},
    )


def parse(data: bytes) -> etree._Element:
    """The root element of `data`.

    Characters that XML 1.0 forbids (phones write them as `&#29;` when they were pasted into an answer) are dropped and
    the rest is read. Raises Problem 400.1 for a DOCTYPE, for anything else ill-formed, and for more than 256 levels.
    """
    if _DOCTYPE.search(data):
        raise not_xml("DOCTYPE")
    try:
        root = etree.fromstring(data, _parser())
    except (etree.XMLSyntaxError, ValueError, LookupError) as first:
        mended = _mend(data)
        if mended == data:
            raise not_xml(str(first)) from first
        try:
            root = etree.fromstring(mended, _parser())
        except (etree.XMLSyntaxError, ValueError, LookupError) as second:
            raise not_xml(str(second)) from second
    if root is None:
        raise not_xml("empty document")
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise not_xml("DOCTYPE")
    return root


def local_name(element: etree._Element) -> str:
    """The tag without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _parser() -> etree.XMLParser:
    """This thread's own parser: making one takes as long as reading an instance with it."""
    if not hasattr(_OWN, "parser"):
        _OWN.parser = etree.XMLParser(**_PARSER_OPTIONS)  # type: ignore[arg-type]
    parser: etree.XMLParser = _OWN.parser
    return parser


def _mend(data: bytes) -> bytes:
    return _REFERENCE.sub(_keep_allowed, _FORBIDDEN.sub(b"", data))


def _keep_allowed(match: re.Match[bytes]) -> bytes:
    code = int(match[1], 16) if match[1] else int(match[2])
    allowed = code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
    return match[0] if allowed else b""

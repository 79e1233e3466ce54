"""The XML documents of OpenRosa: form list, manifest, response."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

CONTENT_TYPE: Final = "text/xml; charset=utf-8"
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLine:
    """One form of a form list; URLs are absolute and percent-encoded."""

    form_id: str
    name: str
    version: str
    md5: str
    download_url: str
    manifest_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """One file of a manifest; `type` and `integrity_url` only of an entity list."""

    name: str
    md5: str
    download_url: str
    type: str | None = None
    integrity_url: str | None = None


def form_list(lines: Iterable[FormLine]) -> bytes:
    """OpenRosa Form Discovery API, namespace xformsList."""
    forms = "".join(
        "  <xform>\n"
        f"    <formID>{escape(line.form_id)}</formID>\n"
        f"    <name>{escape(line.name)}</name>\n"
        f"    <version>{escape(line.version)}</version>\n"
        f"    <hash>md5:{line.md5}</hash>\n"
        f"    <downloadUrl>{escape(line.download_url)}</downloadUrl>\n"
        + (f"    <manifestUrl>{escape(line.manifest_url)}</manifestUrl>\n" if line.manifest_url else "")
        + "  </xform>\n"
        for line in lines
    )
    return f'{_DECLARATION}<xforms xmlns="http://openrosa.org/xforms/xformsList">\n{forms}</xforms>\n'.encode()


def manifest(lines: Iterable[FileLine]) -> bytes:
    """OpenRosa Form Discovery API, namespace xformsManifest."""
    files = "".join(
        f"  <mediaFile{f' type={quoteattr(line.type)}' if line.type else ''}>\n"
        f"    <filename>{escape(line.name)}</filename>\n"
        f"    <hash>md5:{line.md5}</hash>\n"
        f"    <downloadUrl>{escape(line.download_url)}</downloadUrl>\n"
        + (f"    <integrityUrl>{escape(line.integrity_url)}</integrityUrl>\n" if line.integrity_url else "")
        + "  </mediaFile>\n"
        for line in lines
    )
    return f'{_DECLARATION}<manifest xmlns="http://openrosa.org/xforms/xformsManifest">\n{files}</manifest>\n'.encode()


def entity_states(deleted: Mapping[str, bool]) -> bytes:
    """Which entities are gone, by id. Source: OpenRosa Form Discovery API, "integrityUrl"; ODK Central's answer."""
    states = "".join(
        f"    <entity id={quoteattr(uuid)}>\n      <deleted>{str(gone).lower()}</deleted>\n    </entity>\n"
        for uuid, gone in deleted.items()
    )
    return f"{_DECLARATION}<data>\n  <entities>\n{states}  </entities>\n</data>\n".encode()


def message(text: str, *, nature: str) -> bytes:
    """OpenRosaResponse with one message: the only text an enumerator sees. What XML forbids is left out of it."""
    text = _FORBIDDEN.sub("", text)
    return (
        f'{_DECLARATION}<OpenRosaResponse xmlns="http://openrosa.org/http/response" items="0">\n'
        f"  <message nature={quoteattr(nature)}>{escape(text)}</message>\n"
        "</OpenRosaResponse>\n"
    ).encode()

"""What a server says, read and judged as Collect does: form list, manifest, deleted entities, the form itself."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

_LIST: Final = "{http://openrosa.org/xforms/xformsList}"
_MANIFEST: Final = "{http://openrosa.org/xforms/xformsManifest}"
_ENTITY_TYPES: Final = ("entityList", "approvalEntityList")


class FormSourceError(Exception):
    """`kind` is Collect's: AuthRequired, Unreachable, ServerError, ParseError, ServerNotOpenRosaError, FetchError,
    SecurityError, FormWithNoHash, FormParsingError."""

    def __init__(self, kind: str, message: str = "") -> None:
        super().__init__(f"{kind}: {message}" if message else kind)
        self.kind = kind


@dataclass(frozen=True)
class ListedForm:
    """One `xform` of a form list; `hash` is the bare MD5 (None: it cannot be downloaded)."""

    form_id: str
    name: str
    version: str | None
    hash: str | None
    download_url: str
    manifest_url: str | None


@dataclass(frozen=True)
class MediaFile:
    """One `mediaFile` of a manifest; `type` is `entityList`, `approvalEntityList` or None for a plain file."""

    filename: str
    hash: str
    download_url: str
    type: str | None
    integrity_url: str | None


@dataclass(frozen=True)
class FormMetadata:
    """What Collect reads from a form's XML when it is installed."""

    title: str
    form_id: str
    version: str | None
    submission_url: str | None


def root_of(body: bytes) -> ET.Element:
    try:
        return ET.fromstring(body)
    except ET.ParseError as error:
        raise FormSourceError("FetchError", f"XML Syntax Error: {error}") from error


def read_form_list(root: ET.Element) -> tuple[ListedForm, ...]:
    """Raises ParseError where one form lacks its id, name or address: Collect then drops the whole list."""
    if root.tag != f"{_LIST}xforms":
        raise FormSourceError("ParseError", f"root {root.tag}")
    return tuple(_listed(fields) for _, fields in _children(root, _LIST, "xform"))


def _listed(fields: dict[str, str | None]) -> ListedForm:
    form_id, name, download = fields.get("formID"), fields.get("name"), fields.get("downloadUrl")
    if not (form_id and name and download):
        raise FormSourceError("ParseError", "xform lacks formID, name or downloadUrl")
    announced = fields.get("hash") or ""
    return ListedForm(
        form_id,
        name,
        fields.get("version"),
        announced.removeprefix("md5:") if announced.startswith("md5:") else None,
        download,
        fields.get("manifestUrl"),
    )


def read_manifest(root: ET.Element) -> tuple[MediaFile, ...]:
    """Raises ParseError where one file lacks its name, address or hash: Collect then drops the whole manifest."""
    if root.tag != f"{_MANIFEST}manifest":
        raise FormSourceError("ParseError", f"root {root.tag}")
    return tuple(_media(element, fields) for element, fields in _children(root, _MANIFEST, "mediafile"))


def _media(element: ET.Element, fields: dict[str, str | None]) -> MediaFile:
    filename, download, announced = fields.get("filename"), fields.get("downloadUrl"), fields.get("hash")
    base = PurePosixPath(filename).name if filename else None
    if not (base and download and announced):
        raise FormSourceError("ParseError", "mediaFile lacks filename, downloadUrl or hash")
    kind = element.get("type")
    return MediaFile(
        base,
        announced[4:],  # Collect cuts four characters without looking
        download,
        kind if kind in _ENTITY_TYPES else None,
        fields.get("integrityUrl"),
    )


def read_deleted_states(root: ET.Element) -> dict[str, bool]:
    """Entity id → deleted, from the answer of an integrity URL."""
    entities = next((child for child in root if _local(child) == "entities"), None)
    if _local(root) != "data" or entities is None:
        raise FormSourceError("ParseError", "no <data><entities>")
    states: dict[str, bool] = {}
    for entity in entities:
        if _local(entity) == "entity":
            told = next((child.text for child in entity if _local(child) == "deleted"), None)
            if told not in ("true", "false"):
                raise FormSourceError("ParseError", "deleted must be exactly true or false")
            states[entity.get("id", "")] = told == "true"
    return states


def read_form(body: bytes) -> FormMetadata:
    """Raises FormParsingError: a form without a title or an id cannot be installed."""
    try:
        root = ET.fromstring(body)
        head = next(child for child in root if _local(child) == "head")
        title = next(child for child in head if _local(child) == "title").text
        model = next(child for child in head if _local(child) == "model")
        instance = next(child for child in model if _local(child) == "instance")[0]
    except (ET.ParseError, StopIteration, IndexError) as error:
        raise FormSourceError("FormParsingError", str(error)) from error
    form_id = instance.get("id")
    if not title or not form_id:
        raise FormSourceError("FormParsingError", "title or id missing")
    submission = next((child for child in model if _local(child) == "submission"), None)
    action = submission.get("action") if submission is not None else None
    return FormMetadata(title, form_id, instance.get("version") or None, action)


def read_message(body: bytes) -> str | None:
    """The text shown to the enumerator: the first `message`, in any namespace, of an OpenRosaResponse."""
    if b"OpenRosaResponse" not in body:
        return None
    try:
        return next((element.text for element in ET.fromstring(body).iter() if _local(element) == "message"), None)
    except ET.ParseError:
        return None


def _children(root: ET.Element, namespace: str, name: str) -> Iterator[tuple[ET.Element, dict[str, str | None]]]:
    for child in root:
        if child.tag.startswith(namespace) and child.tag[len(namespace) :].lower() == name:
            fields = {
                field.tag[len(namespace) :]: (field.text or "").strip() or None
                for field in child
                if field.tag.startswith(namespace)
            }
            yield child, fields


def _local(element: ET.Element) -> str:
    return element.tag.split("}")[-1]

"""An instance: one XML of one submission, as it arrived, with the identity it claims."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from lxml import etree

from forms import xml
from forms.problems import Problem, Sentence

ENCRYPTED_NAMESPACE: Final = "http://www.opendatakit.org/xforms/encrypted"
MAX_ID: Final = 250
"""Characters in a form id, a version or an instance id; longer ones are refused."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """What a phone sent as xml_submission_file.

    `version` is "" where the form has none. `instance_id` is kept as sent (usually `uuid:` and a UUID).
    `root` is the parsed tree; nobody changes it. `came_as` is the fingerprint of the document as it came, where only a part
    of it may be kept and it must be known again all the same (forms/redaction).
    """

    xml: bytes
    root: etree._Element
    form_id: str
    version: str
    instance_id: str
    deprecated_id: str | None = None
    instance_name: str | None = None
    encrypted: bool = False
    came_as: str | None = None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the exact bytes, hexadecimal: equal only for the identical document."""
        return self.came_as or hashlib.sha256(self.xml).hexdigest()


def missing(field: str) -> Problem:
    """400.2: the submission lacks something it cannot be filed without."""
    return Problem(
        400.2,
        Sentence(es=f"Al envío le falta {field}.", en=f"The submission lacks {field}."),
        {"field": field},
    )


def too_long(field: str) -> Problem:
    """400.13: an identity longer than any phone makes."""
    return Problem(
        400.13,
        Sentence(
            es=f"{field} tiene más de {MAX_ID} caracteres.",
            en=f"{field} is longer than {MAX_ID} characters.",
        ),
        {"field": field},
    )


def read(data: bytes) -> Instance:
    """The instance in `data`.

    `meta` may stand in no namespace (pyxform) or in OpenRosa's; the version attribute likewise. Sources: OpenRosa
    metadata schema; ODK XForms specification, "Metadata" and "Encryption". Raises Problem 400.1 (not XML), 400.2 (no form
    id, no instanceID), 400.13 (an id of more than MAX_ID characters).
    """
    root = xml.parse(data)
    form_id = (root.get("id") or "").strip()
    if not form_id:
        raise missing("el atributo id del formulario / the form's id attribute")
    meta = _child(root, "meta")
    instance_id = _child_text(meta, "instanceID") or (root.get("instanceID") or "").strip()
    if not instance_id:
        raise missing("meta/instanceID")
    version = _attribute(root, "version")
    deprecated_id = _child_text(meta, "deprecatedID") or None
    for field, value in (
        ("id", form_id),
        ("version", version),
        ("instanceID", instance_id),
        ("deprecatedID", deprecated_id or ""),
    ):
        if len(value) > MAX_ID:
            raise too_long(field)
    return Instance(
        xml=data,
        root=root,
        form_id=form_id,
        version=version,
        instance_id=instance_id,
        deprecated_id=deprecated_id,
        instance_name=_child_text(meta, "instanceName") or None,
        encrypted=(root.get("encrypted") or "").strip().lower() == "yes"
        and etree.QName(root).namespace == ENCRYPTED_NAMESPACE,
    )


def _child(element: etree._Element | None, name: str) -> etree._Element | None:
    if element is None:
        return None
    for child in reversed(element):  # `meta` usually stands last
        if xml.local_name(child) == name:
            return child
    return None


def _child_text(element: etree._Element | None, name: str) -> str:
    child = _child(element, name)
    return str(child.text or "").strip() if child is not None else ""


def _attribute(root: etree._Element, name: str) -> str:
    plain = root.get(name)
    if plain is not None:
        return plain
    return next((str(value) for key, value in root.attrib.items() if etree.QName(key).localname == name), "")

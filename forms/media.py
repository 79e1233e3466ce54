"""Media: the files that an instance names in its answers."""

from __future__ import annotations

import unicodedata
from typing import Final

from lxml import etree

from forms.instance import Instance

MAX_NAME: Final = 255
"""Bytes of a file name, as file systems have it; a longer text in a media answer names no file."""


def same_name(name: str) -> str:
    """A file name in the form by which names are compared: Unicode NFC (phones and browsers differ)."""
    return unicodedata.normalize("NFC", name)


def named_files(paths: frozenset[str], instance: Instance) -> tuple[str, ...]:
    """The names in the instance's media answers, each once; of an encrypted one, the names in its envelope.

    `paths` are the questions whose answer is a file (type binary).
    """
    if instance.encrypted:
        return _distinct(_envelope(instance.root))
    return _distinct(_answers(instance.root, "", paths)) if paths else ()


def _distinct(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(same_name(name) for name in names if name and len(same_name(name).encode()) <= MAX_NAME))


def _answers(element: etree._Element, path: str, wanted: frozenset[str]) -> list[str]:
    names = []
    for child in element:
        below = f"{path}/{etree.QName(child).localname}"
        if below in wanted:
            names.append((child.text or "").strip())
        elif len(child):
            names.extend(_answers(child, below, wanted))
    return names


def _envelope(root: etree._Element) -> list[str]:
    """`media/file` and `encryptedXmlFile`; ODK XForms specification, "Encryption"."""
    return [
        (element.text or "").strip()
        for element in root.iter()
        if etree.QName(element).localname in ("file", "encryptedXmlFile")
    ]

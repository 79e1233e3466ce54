"""Overlay: the answers of an instance found by row and question, and other answers laid over them without touching it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace

from lxml import etree

from forms import xml
from forms.instance import Instance
from forms.schema import Schema

Place = tuple[str, str]
"""Where an answer stands: the key of its row, begun with nothing ("": the form's, `/member[2]`), and a question's path."""


class Answers:
    """The answers of one instance to the form that `schema` describes.

    Rows are counted as `forms.tables` counts them. Of a question that came twice in a row, the first answer is meant.
    """

    def __init__(self, root: etree._Element, schema: Schema) -> None:
        self._schema = schema
        self._rows: dict[str, etree._Element] = {"": root}
        self._counts: dict[tuple[str, str], int] = {}
        self._kinds = {entry.path: entry.kind for entry in schema.fields}
        self._walk(root, "", "", "")

    def has_row(self, row: str) -> bool:
        """Whether the instance has this row."""
        return row in self._rows

    def get(self, place: Place) -> str | None:
        """The text of an answer as it was sent; None where there is none. Raises KeyError for a row that is not there."""
        element = self._find(place)
        return (element.text or None) if element is not None else None

    def put(self, place: Place, text: str | None) -> None:
        """Another text (None: blank). Raises KeyError for a row that is not there."""
        row, path = place
        element = self._rows[row]
        for name in self._below(place):
            found = _child(element, name)
            if found is None:
                found = etree.SubElement(element, etree.QName(etree.QName(element).namespace, name))
            element = found
        if path:
            element.text = text

    def _find(self, place: Place) -> etree._Element | None:
        element: etree._Element | None = self._rows[place[0]]
        for name in self._below(place):
            element = _child(element, name) if element is not None else None
        return element

    def _below(self, place: Place) -> list[str]:
        return place[1].removeprefix(self._schema.repeat_of(place[1])).split("/")[1:]

    def _walk(self, element: etree._Element, path: str, row: str, table: str) -> None:
        for child in element:
            name = xml.local_name(child)
            inner = f"{path}/{name}"
            kind = self._kinds.get(inner)
            if kind == "group":
                self._walk(child, inner, row, table)
            elif kind == "repeat":
                at = self._counts[row, inner] = self._counts.get((row, inner), 0) + 1
                key = f"{row}{inner.removeprefix(table)}[{at}]"
                self._rows[key] = child
                self._walk(child, inner, key, inner)


def lay(instance: Instance, schema: Schema, layers: Mapping[Place, str | None]) -> Instance:
    """`instance` with other answers in these places; its XML stays what was sent. Places whose row is not there are left."""
    root = copy.deepcopy(instance.root)
    answers = Answers(root, schema)
    for place, text in layers.items():
        if answers.has_row(place[0]):
            answers.put(place, text)
    return replace(instance, root=root)


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return next((child for child in element if xml.local_name(child) == name), None)

"""Tables: one instance as the rows it becomes, one for the form and one per repeat instance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from unicodedata import normalize

from lxml import etree

from forms import values, xml
from forms.instance import Instance
from forms.redaction import ERASED
from forms.schema import Field, Schema, Type

Reason = Literal["type", "unknown", "twice"]


@dataclass(slots=True, kw_only=True)
class Row:
    """One row of the table `table` (the path of its repeat; "" for the form).

    `number` counts the rows of its table in this instance from 1; `parent` is the parent row's number (None for the form);
    `position` counts from 1 within the parent. `key` is stable for the same XML: `uuid:…/roster/member[2]`, as ODK Central
    writes it. `values` maps a question's path to its typed value (blank questions are left out); `texts` maps it to
    the text that came, for the types that keep it and where the value alone would not give that text again.
    """

    table: str
    number: int
    parent: int | None
    position: int
    key: str
    parent_key: str | None
    values: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """A text that no column took: it does not fit its type, the form has no such question, or a question came twice."""

    reason: Reason
    row_key: str
    path: str
    type: Type | None
    text: str


@dataclass(slots=True)
class _Node:
    """What the walk must know of one element name in one place.

    Of a question: how its text is read (None: the value is the text), and how the value is written (None: the text is kept
    beside it in any case).
    """

    path: str
    kind: Literal["group", "repeat", "question"]
    type: Type | None
    children: dict[str, _Node] = field(default_factory=dict)
    parse: Callable[[str], Any] | None = None
    render: Callable[[Any], str] | None = None


class Plan:
    """How to walk the instances of one form version; made once per version.

    `types` overrides the declared type of a question where its column has been widened by another version.
    """

    def __init__(self, schema: Schema, types: Mapping[str, Type] | None = None) -> None:
        overrides: Mapping[str, Type] = types or {}
        self.root = _Node("", "group", None)
        nodes = {"": self.root}
        for entry in schema.fields:
            node = _node(entry, overrides)
            nodes[entry.path] = node
            nodes[entry.parent_path].children[entry.name] = node


def rows_of(plan: Plan, instance: Instance, *, instance_id: str) -> tuple[list[Row], list[Misfit]]:
    """Every row of `instance`, parents before children, and what could not be placed.

    `instance_id` is the submission's own id (that of its first version), which begins every key. An encrypted instance
    gives one row without values.
    """
    walk = _Walk(instance_id)
    if not instance.encrypted:
        walk.group(instance.root, plan.root, walk.rows[0])
    return walk.rows, walk.misfits


def _node(entry: Field, overrides: Mapping[str, Type]) -> _Node:
    if entry.kind != "question":
        return _Node(entry.path, entry.kind, None)
    declared = overrides.get(entry.path, entry.type)
    type_: Type = declared or "string"
    return _Node(
        entry.path,
        entry.kind,
        declared,
        parse=None if type_ in values.TEXT_TYPES else values.parser_of(type_),
        render=None if type_ in values.KEEPS_TEXT else values.renderer_of(type_),
    )


class _Walk:
    def __init__(self, instance_id: str) -> None:
        self.rows = [Row(table="", number=1, parent=None, position=1, key=instance_id, parent_key=None)]
        self.misfits: list[Misfit] = []
        self._counts: dict[str, int] = {}
        self._positions: dict[tuple[str, str], int] = {}

    def group(self, element: etree._Element, node: _Node, row: Row) -> None:
        if not len(element):
            self._loose(element.text, node.path, row)  # a text where this version has a group
            return
        children = node.children
        for child in element:
            tag = child.tag
            inner = children.get(tag)
            if inner is None:
                if not isinstance(tag, str):
                    continue
                name = tag.rpartition("}")[2]
                inner = children.get(name)
                if inner is None:
                    if not _is_deprecated_id(node.path, name):
                        self._unknown(child, f"{node.path}/{name}", row)
                    continue
            if inner.kind == "question":
                self._question(child, inner, row)
            elif inner.kind == "group":
                self.group(child, inner, row)
            else:
                self._repeat(child, inner, row)

    def _repeat(self, element: etree._Element, node: _Node, parent: Row) -> None:
        self._counts[node.path] = number = self._counts.get(node.path, 0) + 1
        place = (parent.key, node.path)
        self._positions[place] = position = self._positions.get(place, 0) + 1
        if element.get(ERASED) is not None:  # gone with its person; the others keep their places
            return
        below = node.path.removeprefix(parent.table)
        row = Row(
            table=node.path,
            number=number,
            parent=None if parent.table == "" else parent.number,
            position=position,
            key=f"{parent.key}{below}[{position}]",
            parent_key=parent.key,
        )
        self.rows.append(row)
        self.group(element, node, row)

    def _question(self, element: etree._Element, node: _Node, row: Row) -> None:
        if len(element):
            for child in element:
                self._unknown(child, f"{node.path}/{xml.local_name(child)}", row)
            self._loose("".join(child.tail or "" for child in element), node.path, row)
        text = element.text
        if not text:
            return
        path = node.path
        if path in row.values or path in row.texts:
            self.misfits.append(Misfit(reason="twice", row_key=row.key, path=path, type=node.type, text=text))
            return
        if node.parse is None:
            row.values[path] = composed = text if text.isascii() else normalize("NFC", text)
            if composed != text:
                row.texts[path] = text
            return
        if text.isspace():
            row.texts[path] = text
            return
        try:
            value = node.parse(text)
        except values.MisfitError:
            row.texts[path] = text
            self.misfits.append(Misfit(reason="type", row_key=row.key, path=path, type=node.type, text=text))
            return
        if value is not None:
            row.values[path] = value
        if node.render is None or value is None or node.render(value) != text:
            row.texts[path] = text

    def _unknown(self, element: etree._Element, path: str, row: Row) -> None:
        self._loose("".join(str(part) for part in element.itertext()), path, row)

    def _loose(self, text: str | None, path: str, row: Row) -> None:
        if text and text.strip():
            self.misfits.append(Misfit(reason="unknown", row_key=row.key, path=path, type=None, text=text))


def _is_deprecated_id(parent: str, name: str) -> bool:
    """Collect appends `deprecatedID` to `meta` on edits; it is kept with the version, not as an answer."""
    return name == "deprecatedID" and parent == "/meta"

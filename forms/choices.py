"""Choices: the options of selects, written beside the question or kept in a secondary instance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from unicodedata import normalize

from lxml import etree

from forms import references
from forms.itext import Itext, text_of
from forms.schema import Choice, ChoiceSource, SecondaryInstance
from forms.xml import local_name

_INSTANCE: Final = re.compile(r"""instance\(\s*(['"])(.*?)\1\s*\)""")
_ITEXT_COLUMN: Final = "itextId"


def source_of(control: etree._Element, itext: Itext) -> ChoiceSource | None:
    """Where the select `control` takes its options from; None where it names none.

    Of an itemset over `randomize(instance('x')/root/item[a = 1], seed)` remain the instance `x`, the nodeset
    `instance('x')/root/item` and the filter `a = 1` (several predicates are joined by `and`). An itemset over a repeat has
    a nodeset and no instance. `label_ref` of `jr:itext(itextId)` is `itextId`.
    """
    choices: list[Choice] = []
    for child in control:
        name = local_name(child)
        if name == "itemset":
            return _itemset(child)
        if name == "item":
            choices.append(_item(child, itext))
    return ChoiceSource(choices=tuple(choices)) if choices else None


def instances_of(
    elements: Iterable[etree._Element], sources: Iterable[ChoiceSource], itext: Itext
) -> tuple[SecondaryInstance, ...]:
    """The secondary instances of a form, in order, each with its choices where they stand in the form.

    Which elements are items and which of their columns is the code follows the first select that uses the list. Two
    instances with one id: the first counts.
    """
    users: dict[str, ChoiceSource] = {}
    for source in sources:
        if source.instance is not None:
            users.setdefault(source.instance, source)
    found: dict[str, SecondaryInstance] = {}
    for element in elements:
        identity = (element.get("id") or "").strip()
        if not identity or identity in found:
            continue
        src = (element.get("src") or "").strip() or None
        choices = () if src else _list(element, users.get(identity, _USUAL), itext)
        found[identity] = SecondaryInstance(id=identity, src=src, choices=choices)
    return tuple(found.values())


_USUAL: Final = ChoiceSource()


def _itemset(itemset: etree._Element) -> ChoiceSource:
    expression = (itemset.get("nodeset") or "").strip()
    shuffled = references.arguments(expression, "randomize")
    nodeset, predicates = references.without_predicates(shuffled[0] if shuffled else expression)
    instance = _INSTANCE.match(nodeset)
    refs = {local_name(child): (child.get("ref") or "").strip() for child in itemset}
    label_ref = refs.get("label") or "label"
    translated = references.arguments(label_ref, "jr:itext")
    return ChoiceSource(
        instance=instance[2] if instance else None,
        nodeset=nodeset or None,
        filter=_joined(predicates),
        value_ref=refs.get("value") or refs.get("copy") or "name",
        label_ref=translated[0] if translated else label_ref,
    )


def _joined(predicates: Sequence[str]) -> str | None:
    if len(predicates) < 2:
        return predicates[0] if predicates else None
    return " and ".join(f"({predicate})" for predicate in predicates)


def _item(item: etree._Element, itext: Itext) -> Choice:
    parts = {local_name(child): child for child in item}
    value = parts.get("value")
    return Choice(
        name=normalize("NFC", (value.text or "").strip()) if value is not None else "",
        label=itext.shown(parts.get("label")),
    )


def _list(instance: etree._Element, user: ChoiceSource, itext: Itext) -> tuple[Choice, ...]:
    value_ref, label_ref = user.value_ref, user.label_ref
    choices: list[Choice] = []
    for item in _items(instance, user.nodeset):
        columns = {local_name(column): text_of(column) for column in item}
        code = columns.pop(value_ref, None)
        if code is None and (code := columns.pop("name", None)) is None:
            continue
        code = normalize("NFC", code)  # answers are kept composed as well
        text_id = columns.pop(_ITEXT_COLUMN, None)
        written = columns.pop(label_ref, None)
        if text_id is not None and text_id in itext.texts:
            choices.append(Choice(name=code, label=itext.texts[text_id], columns=columns))
        else:
            # a label_ref of another name may hold the id of a text as well
            label = itext.texts.get(written, {"": written}) if written else {}
            choices.append(Choice(name=code, label=label, columns=columns))
    return tuple(choices)


def _items(instance: etree._Element, nodeset: str | None) -> list[etree._Element]:
    """The elements that `nodeset` names in `instance`; the children of its root where it names none of them."""
    if nodeset is not None:
        level = list(instance)
        steps = [
            step.strip().rpartition(":")[2] for step in _INSTANCE.sub("", nodeset, count=1).split("/") if step.strip()
        ]
        for depth, step in enumerate(steps):
            if depth:
                level = [child for element in level for child in element]
            level = [element for element in level if step in ("*", local_name(element))]
        if level and len(steps) > 1:
            return level
    return [child for root in instance for child in root]

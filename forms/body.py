"""Body: the controls of a form, found by the element that each of them asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from forms import references
from forms.problems import Sentence, form_not_valid
from forms.schema import Control
from forms.xml import local_name

CONTROLS: Final[dict[str, Control]] = {
    "input": "input",
    "select1": "select1",
    "select": "select",
    "rank": "rank",
    "range": "range",
    "upload": "upload",
    "trigger": "trigger",
    "secret": "secret",
}
_TEXTS: Final = frozenset(("label", "hint", "help", "item", "itemset", "value", "output"))


@dataclass(frozen=True, slots=True)
class Repeat:
    """A <repeat>, and the <group> that carries its label where there is one."""

    element: etree._Element
    group: etree._Element | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The controls by absolute path, root element included. Of several on one element the most telling is kept."""

    questions: dict[str, etree._Element] = field(default_factory=dict)
    groups: dict[str, etree._Element] = field(default_factory=dict)
    repeats: dict[str, Repeat] = field(default_factory=dict)


def read(body: etree._Element, root_path: str, nodesets: Mapping[str, str | None]) -> Body:
    """What stands in `body`. `nodesets` maps the ids of binds to their absolute paths.

    A relative `ref` starts from the group or repeat around it. Raises Problem 400.1 where a control names a bind that
    is not there.
    """
    found = Body()
    _walk(body, root_path, found, nodesets)
    return found


def _walk(parent: etree._Element, context: str, found: Body, nodesets: Mapping[str, str | None]) -> None:
    for element in parent:
        name = local_name(element)
        if name in CONTROLS:
            path = _target(element, context, nodesets)
            if path is not None:
                _keep(found.questions, path, element)
        elif name == "repeat":
            path = _target(element, context, nodesets)
            if path is not None:
                found.repeats.setdefault(path, Repeat(element, _labelling(parent, path, context, nodesets)))
            _walk(element, path or context, found, nodesets)
        elif name == "group":
            path = _target(element, context, nodesets)
            if path is not None:
                found.groups.setdefault(path, element)
            _walk(element, path or context, found, nodesets)
        elif name not in _TEXTS:
            _walk(element, context, found, nodesets)  # a wrapper from another vocabulary shows its content


def _keep(questions: dict[str, etree._Element], path: str, element: etree._Element) -> None:
    held = questions.get(path)
    if held is None or (local_name(held) == "input" and local_name(element) != "input"):
        questions[path] = element


def _labelling(
    parent: etree._Element, path: str, context: str, nodesets: Mapping[str, str | None]
) -> etree._Element | None:
    """`parent`, where it is a group made only to show the repeat: without a target of its own, or with the same."""
    if local_name(parent) != "group":
        return None
    target = _target(parent, context, nodesets)
    return parent if target is None or path in (target, context) else None


def _target(element: etree._Element, context: str, nodesets: Mapping[str, str | None]) -> str | None:
    identity = (element.get("bind") or "").strip()
    if identity:
        if identity not in nodesets:
            raise form_not_valid(
                Sentence(
                    es=f"Un elemento <{local_name(element)}> se refiere al bind “{identity}”, que no existe.",
                    en=f"A <{local_name(element)}> element refers to the bind “{identity}”, which does not exist.",
                )
            )
        return nodesets[identity]
    expression = element.get("nodeset") or element.get("ref")
    if not expression:
        return None
    return references.resolve(expression, context)

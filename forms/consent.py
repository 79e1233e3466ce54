"""Consent: which answer allows which others to be kept, and an instance without what nobody allowed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Final

from lxml import etree

from forms import xml
from forms.instance import Instance
from forms.media import same_name
from forms.problems import Finding, Sentence
from forms.schema import Field, Schema

_CELL: Final = re.compile(
    r"(?:\$\{\s*([^\s{}=]+)\s*\}|([^\s{}='\"]+))\s*(?:=\s*(?:'([^']*)'|\"([^\"]*)\"|([^\s'\"]+)))?"
)
_YES: Final = ("yes", "si", "sí", "true", "1")
"""Codes that say yes where the workbook does not name the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What stands at `path` (a question, a group or a repeat) is kept only where the answer to `question` is `given`."""

    path: str
    question: str
    given: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Answers that were not kept: `count` of them at `path`, since `question` was not answered with `given`."""

    path: str
    question: str
    given: str
    count: int


@dataclass(frozen=True, slots=True)
class Allowed:
    """What of an instance may be kept.

    `instance` is the one that came where nothing was withheld; `files` are the names in the answers that were withheld,
    composed (NFC).
    """

    instance: Instance
    withheld: tuple[Withheld, ...] = ()
    files: frozenset[str] = frozenset()


def resolve(
    schema: Schema, cells: Mapping[str, str], rows: Mapping[str, int]
) -> tuple[tuple[Guard, ...], tuple[Finding, ...]]:
    """The guards that the column `consent` declares (`cells` by path), and what is wrong with it.

    A cell names a question (`consent_gps` or `${consent_gps}`), whose answer `yes`, `si`, `sí`, `true` or `1` then gives the
    consent; where its choices have none or several of these, the cell says which: `${consent_gps} = 'acepta'`.
    """
    guards: list[Guard] = []
    wrong: list[Finding] = []
    for path, text in cells.items():
        made = _guard(schema, path, text)
        if isinstance(made, Guard):
            guards.append(made)
        else:
            wrong.append(Finding(severity="error", sentence=made, sheet="survey", row=rows.get(path), column="consent"))
    return tuple(guards), tuple(wrong)


def to_json(guards: Sequence[Guard]) -> dict[str, Any]:
    """As the marks of a version keep them."""
    return {guard.path: [guard.question, guard.given] for guard in guards}


def from_json(kept: Mapping[str, Any]) -> tuple[Guard, ...]:
    """From the marks of a version."""
    return tuple(Guard(path=path, question=pair[0], given=pair[1]) for path, pair in kept.items())


def over_versions(own: Sequence[Guard], others: Sequence[Guard], schema: Schema | None) -> tuple[Guard, ...]:
    """The guards of an instance: those of its version, and those of other versions whose questions it has too.

    `schema` is None for a version that nobody knows: then every guard counts.
    """
    known = (
        others
        if schema is None
        else [one for one in others if one.path in schema.by_path and one.question in schema.by_path]
    )
    return tuple(dict.fromkeys((*own, *known)))


def allow(instance: Instance, guards: Sequence[Guard], *, repeats: Collection[str], media: Collection[str]) -> Allowed:
    """The instance without what its own answers do not allow to be kept; the same one where they allow everything.

    An answer that is not there gives no consent. Withheld questions stay as empty elements, withheld repeat instances are
    gone. `repeats` and `media` are the paths of repeats and of questions whose answer is a file. An encrypted instance is
    left as it is: its answers cannot be read.
    """
    if instance.encrypted or not guards:
        return Allowed(instance)
    root = deepcopy(instance.root)
    copies = dict(zip(instance.root.iter(), root.iter(), strict=True))
    withheld: list[Withheld] = []
    gone: list[tuple[etree._Element, str]] = []
    files: set[str] = set()
    for guard in guards:  # every consent is read before anything is taken out
        refused = [one for one in _at(instance.root, guard.path) if not _given(instance.root, one, guard)]
        count = sum(_count(one, guard.path, media, files) for one in refused)
        if count:
            withheld.append(Withheld(path=guard.path, question=guard.question, given=guard.given, count=count))
            gone.extend((copies[one], guard.path) for one in refused)
    if not withheld:
        return Allowed(instance)
    for element, path in gone:
        _empty(element, path, repeats)
    named = {text for path in media for element in _at(root, path) if (text := (element.text or "").strip())}
    content = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    kept = replace(instance, xml=content, root=xml.parse(content))
    return Allowed(kept, tuple(withheld), frozenset(map(same_name, files)) - frozenset(map(same_name, named)))


def denied(instance: Instance, guards: Sequence[Guard]) -> frozenset[str]:
    """The places whose answers an instance does not allow to be kept: a consent was refused, or not answered at all."""
    return frozenset(
        guard.path
        for guard in guards
        if not all(guard.given in (text, *text.split()) for text in _below(instance.root, guard.question) or [""])
    )


def without(instance: Instance, paths: Collection[str], repeats: Collection[str]) -> Instance:
    """The instance without the answers at these paths, as `allow` leaves them out; its XML stays what was sent."""
    root = deepcopy(instance.root)
    for path in paths:
        for element in _at(root, path):
            _empty(element, path, repeats)
    return replace(instance, root=root)


def same(one: Instance, other: Instance, guards: Sequence[Guard], *, repeats: Collection[str]) -> bool:
    """Whether two documents are one and the same but for what may not be kept of either."""
    left, right = (allow(each, guards, repeats=repeats, media=()).instance for each in (one, other))
    return bool(etree.tostring(left.root, method="c14n") == etree.tostring(right.root, method="c14n"))


def _empty(element: etree._Element, path: str, repeats: Collection[str]) -> None:
    """Take everything out of a group or a question, and repeat instances away."""
    parent = element.getparent()
    if path in repeats and parent is not None:
        parent.remove(element)
        return
    element.text = None
    for child in list(element):
        child.tail = None
        below = f"{path}/{xml.local_name(child)}"
        _empty(child, below, repeats)


def _guard(schema: Schema, path: str, text: str) -> Guard | Sentence:
    match = _CELL.fullmatch(text.strip())
    if match is None:
        return Sentence(
            f"«{text}» no se entiende. Escriba la pregunta del consentimiento, por ejemplo ${{consent_gps}}, o "
            "${consent_gps} = 'acepta'.",
            f"“{text}” is not understood. Write the question of the consent, for example ${{consent_gps}}, or "
            "${consent_gps} = 'agrees'.",
        )
    name = match[1] or match[2]
    code = next((group for group in match.groups()[2:] if group is not None), None)
    found = [entry for entry in schema.fields if entry.kind == "question" and name in (entry.name, entry.path)]
    seen = [entry for entry in found if _sees(schema, entry.path, path)]
    if not seen:
        return Sentence(
            f"no hay ninguna pregunta «{name}» que se responda una sola vez para esta fila.",
            f"there is no question “{name}” that is answered once for this row.",
        )
    if len(seen) > 1:
        return Sentence(
            f"hay {len(seen)} preguntas «{name}»: escriba la ruta, por ejemplo {seen[0].path}.",
            f"{len(seen)} questions are named “{name}”: write the path, for example {seen[0].path}.",
        )
    question = seen[0]
    if question.path == path or question.path.startswith(f"{path}/"):
        return Sentence(
            f"«{name}» está dentro de lo que guarda: sin consentimiento se borraría también la respuesta.",
            f"“{name}” stands within what it guards: without consent the answer itself would be erased.",
        )
    return _with_code(schema, path, question, code)


def _with_code(schema: Schema, path: str, question: Field, code: str | None) -> Guard | Sentence:
    codes = [choice.name for choice in schema.options(question.path)]
    if question.control == "trigger":
        codes = ["OK"]
    elif question.type == "boolean":
        codes = ["true", "false"]
    if code is not None:
        if codes and code not in codes:
            listed = ", ".join(codes)
            return Sentence(
                f"«{question.name}» no tiene la opción «{code}»; tiene {listed}.",
                f"“{question.name}” has no choice “{code}”; it has {listed}.",
            )
        return Guard(path=path, question=question.path, given=code)
    meant = codes if codes == ["OK"] else [one for one in codes if one.lower() in _YES]
    if len(meant) != 1:
        return Sentence(
            f"no se sabe qué respuesta de «{question.name}» da el consentimiento: escríbala, por ejemplo "
            f"${{{question.name}}} = '{codes[0] if codes else 'acepta'}'.",
            f"it is not known which answer to “{question.name}” gives consent: write it, for example "
            f"${{{question.name}}} = '{codes[0] if codes else 'agrees'}'.",
        )
    return Guard(path=path, question=question.path, given=meant[0])


def _sees(schema: Schema, question: str, path: str) -> bool:
    """Whether each row at `path` has one answer to `question`."""
    repeat = schema.repeat_of(question)
    return not repeat or path.startswith(f"{repeat}/")


def _given(root: etree._Element, element: etree._Element, guard: Guard) -> bool:
    """The answer nearest to `element`: that of its own row, where the question is asked for each row."""
    at: etree._Element | None = element
    while at is not None:
        here = _path(root, at)
        if not here or guard.question.startswith(f"{here}/"):
            answers = _below(at, guard.question[len(here) :])
            return any(guard.given in (text, *text.split()) for text in answers)
        at = at.getparent()
    return False


def _below(element: etree._Element, path: str) -> list[str]:
    found = [element]
    for name in path.strip("/").split("/"):
        found = [child for one in found for child in one if xml.local_name(child) == name]
    return [(one.text or "").strip() for one in found]


def _at(root: etree._Element, path: str) -> list[etree._Element]:
    found = [root]
    for name in path.strip("/").split("/"):
        found = [child for one in found for child in one if xml.local_name(child) == name]
    return found


def _path(root: etree._Element, element: etree._Element) -> str:
    names: list[str] = []
    at: etree._Element | None = element
    while at is not None and at is not root:
        names.append(xml.local_name(at))
        at = at.getparent()
    return "".join(f"/{name}" for name in reversed(names))


def _count(element: etree._Element, path: str, media: Collection[str], files: set[str]) -> int:
    """How many texts stand at and below an element; those that name files are added to `files`."""
    text = "".join([element.text or "", *(child.tail or "" for child in element)]).strip()
    if text and path in media:
        files.add(text)
    return bool(text) + sum(_count(child, f"{path}/{xml.local_name(child)}", media, files) for child in element)

"""References: the XPath location paths of a form, resolved to the element they name and taken apart."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"[^\W\d][\w.\-]*")
_PLAIN: Final = re.compile(r"(?:/[^\W\d][\w.\-]*)+")
_CURRENT: Final = re.compile(r"current\(\s*\)")
_CLOSING: Final = {"(": ")", "[": "]"}


def resolve(expression: str, context: str) -> str | None:
    """The absolute path that `expression` names from `context`: `../age` from `/data/roster/name` is `/data/roster/age`.

    Paths begin with the root element, hold local names only, and predicates are dropped. None for whatever is not one
    element of the primary instance: attributes, `//`, wildcards, functions other than current().
    """
    text = expression.strip()
    if _PLAIN.fullmatch(text):
        return text
    text = _CURRENT.sub(".", without_predicates(text)[0])
    if not text or "//" in text:
        return None
    steps = [] if text.startswith("/") else context.split("/")[1:]
    for written in text.strip("/").split("/"):
        step = written.strip()
        if step == ".":
            continue
        if step == "..":
            if not steps:
                return None
            steps.pop()
            continue
        name = step.rpartition(":")[2]
        if not _NAME.fullmatch(name):
            return None
        steps.append(name)
    return "/" + "/".join(steps) if steps else None


def without_predicates(expression: str) -> tuple[str, tuple[str, ...]]:
    """The path without its outermost `[…]`, and what stood in them: `x[a = 1]/y` gives `x/y` and `("a = 1",)`."""
    if "[" not in expression:
        return expression.strip(), ()
    kept: list[str] = []
    predicates: list[str] = []
    position = 0
    while position < len(expression):
        character = expression[position]
        end = _end_of(expression, position)
        if character == "[":
            predicates.append(expression[position + 1 : end - 1].strip())
        else:
            kept.append(expression[position:end])
        position = end
    return "".join(kept).strip(), tuple(predicates)


def arguments(expression: str, function: str) -> tuple[str, ...] | None:
    """The arguments where the whole expression is one call of `function`; None where it is anything else."""
    text = expression.strip()
    called = text.removeprefix(function).lstrip()
    if not text.startswith(function) or not called.startswith("(") or _end_of(called, 0) != len(called):
        return None
    inside = called[1:-1]
    found: list[str] = []
    start = position = 0
    while position < len(inside):
        if inside[position] == ",":
            found.append(inside[start:position].strip())
            start = position + 1
        position = _end_of(inside, position)
    found.append(inside[start:].strip())
    return tuple(found)


def _end_of(text: str, position: int) -> int:
    """Where the quoted text, the bracket or the single character that begins at `position` is over."""
    character = text[position]
    if character in "'\"":
        end = text.find(character, position + 1)
        return len(text) if end < 0 else end + 1
    if character not in _CLOSING:
        return position + 1
    waiting = [_CLOSING[character]]
    position += 1
    while position < len(text) and waiting:
        character = text[position]
        if character in _CLOSING:
            waiting.append(_CLOSING[character])
        elif character == waiting[-1]:
            waiting.pop()
        position = _end_of(text, position) if character in "'\"" else position + 1
    return position

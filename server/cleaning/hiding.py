"""Hiding: what a flag must not tell whoever may not see who the people in the records are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Final

from forms.expressions.tree import Answer, Tree, walk
from server.cleaning.rules import Rule
from server.model.submissions import FlaggedValue

Hides = Callable[[str], bool]
"""Whether the answers to the question at a path are not to be seen."""
_TELLING: Final = ("answers", "place", "median")
"""Details that hold answers."""
_NAMING: Final = "others"


def telling(rules: Iterable[Rule], hides: Hides) -> frozenset[str]:
    """The checks whose flags tell a point, or an answer that is not to be seen."""
    return frozenset(
        rule.check
        for rule in rules
        if rule.point is not None or any(_identifies(answer, hides) for answer in _answers(rule))
    )


def hide(flag: FlaggedValue, checks: Collection[str], hides: Hides) -> FlaggedValue:
    """The flag without saying on which record it is, and without answers where its check is one of `checks` (see `telling`)
    or they are to a question whose answers are not to be seen."""
    details = {name: value for name, value in (flag.details or {}).items() if name != _NAMING}
    text = flag.text
    if flag.check in checks or (flag.path and hides(flag.path)):
        text = None
        details = {name: value for name, value in details.items() if name not in _TELLING}
    return replace(flag, key="", row_key="", text=text, details=details or None)


def _identifies(answer: Answer, hides: Hides) -> bool:
    return answer.kind in ("point", "shape") or hides(answer.path)


def _answers(rule: Rule) -> Iterable[Answer]:
    trees: list[Tree | None] = [rule.when, rule.key, rule.place, *(tree for _, tree in rule.shown)]
    for tree in trees:
        if tree is not None:
            yield from (part for part in walk(tree) if isinstance(part, Answer))

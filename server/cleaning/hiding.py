"""Hiding: what a flag must not tell whoever may not see who the people in the records are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

from forms.expressions.tree import Answer, Tree, walk
from server.cleaning.rules import Rule
from server.model.submissions import FlaggedValue

IDENTIFYING: Final = ("direct", "free_text")
"""Marks of the column `privacy` of a question whose answers say who somebody is, or may."""
_TELLING: Final = ("answers", "place", "median")
"""Details that hold answers."""


def telling(rules: Iterable[Rule], privacy: Mapping[str, str]) -> frozenset[str]:
    """The checks whose flags tell a point, or an answer that is marked as identifying."""
    return frozenset(
        rule.check
        for rule in rules
        if rule.point is not None or any(_identifies(answer, privacy) for answer in _answers(rule))
    )


def hide(flag: FlaggedValue, checks: Collection[str], privacy: Mapping[str, str]) -> FlaggedValue:
    """The flag without answers, where its check is one of `checks` (see `telling`), its question is marked, or the form has
    no such question, so that nobody knows what was answered."""
    open_ = flag.check not in checks and privacy.get(flag.path) not in IDENTIFYING
    if open_ and flag.check != "builtin:unknown":
        return flag
    details = {name: value for name, value in (flag.details or {}).items() if name not in _TELLING}
    return replace(flag, text=None, details=details or None)


def _identifies(answer: Answer, privacy: Mapping[str, str]) -> bool:
    return answer.kind in ("point", "shape") or privacy.get(answer.path) in IDENTIFYING


def _answers(rule: Rule) -> Iterable[Answer]:
    trees: list[Tree | None] = [rule.when, rule.key, rule.place, *(tree for _, tree in rule.shown)]
    for tree in trees:
        if tree is not None:
            yield from (part for part in walk(tree) if isinstance(part, Answer))

"""Checks: the text of an expression becomes a checked tree, or everything that is wrong with it is said at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from forms.expressions import comparisons, functions, repeats
from forms.expressions.checking import Checking, Handler
from forms.expressions.mistakes import MistakenError
from forms.expressions.parser import parse
from forms.expressions.scope import Scope
from forms.expressions.tree import Kind, Tree
from forms.schema import Schema

_NO_FORM: Final = Schema(form_id="", version="", title="", root="", fields=())
HANDLERS: Final[Mapping[str, Handler]] = {**comparisons.HANDLERS, **functions.HANDLERS, **repeats.HANDLERS}


def check(text: str, scope: Scope, wanted: Kind | None = None) -> Tree:
    """The expression in `text`, seen from `scope`, as a value of the `wanted` kind (None: whatever it is).

    Raises MistakenError with everything that is wrong.
    """
    node = parse(text)
    checker = Checking(scope, HANDLERS)
    tree = checker.read(node)
    if tree is not None and wanted is not None:
        tree = checker.convert(tree, node, wanted)
    if checker.mistakes or tree is None:
        raise MistakenError(tuple(sorted(checker.mistakes, key=lambda mistake: mistake.at)))
    return tree


def check_formula(text: str, indicators: Collection[str]) -> Tree:
    """The formula in `text` over other indicators, `{name}`, as a number. Raises MistakenError."""
    return check(text, Scope(_NO_FORM, indicators=indicators), "number")

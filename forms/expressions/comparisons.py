"""Comparisons: two values meet as one kind, or it is said why they cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from forms import values
from forms.expressions.checking import WORDS, Checking, Handler, is_unsure
from forms.expressions.nodes import Call
from forms.expressions.tree import Answer, Apply, Constant, Kind, Tree
from forms.problems import Sentence

_COMPARISONS: Final = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_TEXTS: Final = frozenset(("text", "choices"))
_CONVERTED: Final[tuple[Kind, ...]] = ("number", "date")
"""What the answer of a calculation, a text by itself, is read as beside such a value."""
_ORDERED: Final = frozenset(("number", "date", "moment", "time"))


def _compare(checking: Checking, node: Call) -> Tree | None:
    operands = checking.operands(node)
    if operands is None:
        return None
    left, right = operands
    equality = node.function in ("=", "!=")
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Constant) and one.value == "" and equality:
            return Apply("blank" if node.function == "=" else "answered", (other,), "boolean")
    met = _meet(checking, node, left, right, equality=equality)
    return None if met is None else Apply(_COMPARISONS[node.function], met, "boolean")


def _meet(checking: Checking, node: Call, left: Tree, right: Tree, *, equality: bool) -> tuple[Tree, Tree] | None:
    """Both sides as one kind that can be compared."""
    kinds = {left.kind, right.kind}
    if kinds <= _TEXTS:
        return _meet_texts(checking, node, left, right, equality=equality)
    wanted = next((kind for kind in _CONVERTED if kinds == {kind, "text"}), None)
    if wanted is not None:
        if all(is_unsure(tree) for tree in (left, right) if tree.kind == "text"):
            first = checking.convert(left, node.arguments[0], wanted)
            second = checking.convert(right, node.arguments[1], wanted)
            return None if first is None or second is None else (first, second)
        coded = _coded(checking, left, right) if equality else None
        if coded is not None:
            return coded
    if len(kinds) == 1 and (left.kind in _ORDERED or (left.kind == "boolean" and equality)):
        return left, right
    if "choices" in kinds:
        checking.no(
            node,
            "una selección múltiple se pregunta con selected().",
            "a multiple selection is asked by selected().",
        )
        return None
    _differ(checking, node, left, right)
    return None


def _meet_texts(checking: Checking, node: Call, left: Tree, right: Tree, *, equality: bool) -> tuple[Tree, Tree] | None:
    if "choices" in (left.kind, right.kind):
        checking.no(
            node,
            "una selección múltiple se pregunta con selected(): «=» solo vale si hay una sola opción marcada.",
            "a multiple selection is asked by selected(): “=” holds only where nothing else is chosen.",
        )
        return None
    if not equality:
        if is_unsure(left) and is_unsure(right):
            return Apply("number", (left,), "number"), Apply("number", (right,), "number")
        checking.no(
            node,
            "los textos no tienen orden: compare números con number() o fechas con date().",
            "texts have no order: compare numbers by number() or dates by date().",
        )
        return None
    for tree, constant, place in ((left, right, node.arguments[1]), (right, left, node.arguments[0])):
        if isinstance(constant, Constant) and not checking.is_option(tree, str(constant.value), place):
            return None
    return left, right


def _coded(checking: Checking, left: Tree, right: Tree) -> tuple[Tree, Tree] | None:
    """A select whose codes are numbers, compared with a number: the code that is meant."""
    for tree, other in ((left, right), (right, left)):
        if not isinstance(tree, Answer) or not isinstance(other, Constant) or other.kind != "number":
            continue
        options = checking.scope.options(checking.scope.schema.by_path[tree.path]) or ()
        meant = [option.name for option in options if _as_number(option.name) == other.value]
        if len(meant) == 1:
            return tree, Constant("text", meant[0])
    return None


def _differ(checking: Checking, node: Call, left: Tree, right: Tree) -> None:
    constant = next((tree for tree in (left, right) if isinstance(tree, Constant)), None)
    way = Sentence("", "")
    kinds = {left.kind, right.kind}
    if constant is not None and constant.kind == "text":
        if "number" in kinds:
            way = Sentence(": escriba el número sin comillas", ": write the number without quotes")
        elif "date" in kinds:
            way = Sentence(": escriba date('2026-12-31')", ": write date('2026-12-31')")
    elif kinds == {"number", "text"}:
        way = Sentence(": convierta el texto con number()", ": convert the text by number()")
    elif "moment" in kinds:
        way = Sentence(": tome el día con date()", ": take the day by date()")
    checking.no(
        node,
        f"no se puede comparar {WORDS[left.kind].es} con {WORDS[right.kind].es}{way.es}.",
        f"{WORDS[left.kind].en} cannot be compared with {WORDS[right.kind].en}{way.en}.",
    )


def _as_number(text: str) -> float | None:
    try:
        return float(values.parse("decimal", text))
    except values.MisfitError:
        return None


HANDLERS: Final[Mapping[str, Handler]] = dict.fromkeys(_COMPARISONS, _compare)

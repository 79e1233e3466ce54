"""Functions: what may be written besides comparisons and repeats, a closed list, and what each needs to be given."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from forms import values
from forms.expressions.checking import Checking, Handler, is_unsure
from forms.expressions.nodes import Call, Node, Reference, Text
from forms.expressions.patterns import is_pattern
from forms.expressions.tree import Apply, Constant, Kind, PeriodEnd, Tree

_ARITHMETIC: Final = {"+": "plus", "-": "minus", "*": "times", "div": "div", "mod": "mod"}
_FORMAT: Final = re.compile(r"(?:%[YymndeHM]|[^%])*".replace("HM", ""), re.ASCII)
_QUOTED_REFERENCE: Final = re.compile(r"\$\{\s*([^{}]*?)\s*\}")
_TEXTS: Final = frozenset(("text", "choices"))

PLAIN: Final[Mapping[str, tuple[tuple[Kind, ...], tuple[Kind, ...], Kind]]] = {
    # function: what it must be given, what it may be given besides, what it gives
    "abs": (("number",), (), "number"),
    "int": (("number",), (), "number"),
    "round": (("number",), ("number",), "number"),
    "pow": (("number", "number"), (), "number"),
    "not": (("boolean",), (), "boolean"),
    "string-length": (("text",), (), "number"),
    "substr": (("text", "number"), ("number",), "text"),
    "contains": (("text", "text"), (), "boolean"),
    "starts-with": (("text", "text"), (), "boolean"),
    "ends-with": (("text", "text"), (), "boolean"),
    "translate": (("text", "text", "text"), (), "text"),
    "true": ((), (), "boolean"),
    "false": ((), (), "boolean"),
}
"""Functions that need nothing but their arguments, each of one kind."""


def _both(checking: Checking, node: Call) -> Tree | None:
    operands = checking.operands(node)
    if operands is None:
        return None
    left, right = (
        checking.convert(tree, place, "boolean") for tree, place in zip(operands, node.arguments, strict=True)
    )
    return None if left is None or right is None else Apply(node.function, (left, right), "boolean")


def _negative(checking: Checking, node: Call) -> Tree | None:
    (operand,) = node.arguments
    tree = checking.convert_node(operand, "number")
    if isinstance(tree, Constant) and tree.value is not None:
        return Constant("number", -tree.value)
    return None if tree is None else Apply("neg", (tree,), "number")


def _calculate(checking: Checking, node: Call) -> Tree | None:
    operands = checking.operands(node)
    if operands is None:
        return None
    left, right = operands
    first = checking.convert(left, node.arguments[0], "number")
    second = checking.convert(right, node.arguments[1], "number")
    if first is None or second is None:
        return None
    if node.function in ("div", "mod") and isinstance(second, Constant) and second.value == 0:
        checking.no(node, "se divide entre cero.", "this divides by zero.")
        return None
    return Apply(_ARITHMETIC[node.function], (first, second), "number")


def _plain(checking: Checking, node: Call) -> Tree | None:
    needed, more, gives = PLAIN[node.function]
    if not checking.count(node, len(needed), len(needed) + len(more)):
        return None
    kinds = (*needed, *more)[: len(node.arguments)]
    trees = [checking.convert_node(argument, kind) for argument, kind in zip(node.arguments, kinds, strict=True)]
    if node.function in ("true", "false"):
        return Constant("boolean", node.function == "true")
    return checking.apply(node.function, trees, gives)


def _one_kind(checking: Checking, pairs: Sequence[tuple[Tree, Node]]) -> list[Tree | None]:
    """Values of which one is chosen: all of the kind that is not nobody's word."""
    firm = [tree for tree, _ in pairs if not (isinstance(tree, Constant) and tree.value == "")]
    sure = [tree for tree in firm if not is_unsure(tree)] or firm
    kind: Kind = sure[0].kind if sure else "text"
    if kind == "choices":
        kind = "text"
    return [checking.convert(tree, node, kind) for tree, node in pairs]


def _if(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 3, 3):
        return None
    condition = checking.convert_node(node.arguments[0], "boolean")
    branches = [checking.read(argument) for argument in node.arguments[1:]]
    if condition is None or branches[0] is None or branches[1] is None:
        return None
    pairs = [(tree, place) for tree, place in zip(branches, node.arguments[1:], strict=True) if tree is not None]
    chosen = _one_kind(checking, pairs)
    kind: Kind = next((tree.kind for tree in chosen if tree is not None), "text")
    return checking.apply("if", [condition, *chosen], kind)


def _coalesce(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 2, 2):
        return None
    trees = [checking.read(argument) for argument in node.arguments]
    pairs = [(tree, place) for tree, place in zip(trees, node.arguments, strict=True) if tree is not None]
    if len(pairs) < 2:
        return None
    chosen = _one_kind(checking, pairs)
    kind: Kind = next((tree.kind for tree in chosen if tree is not None), "text")
    return checking.apply("coalesce", chosen, kind)


def _concat(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 1, None):
        return None
    return checking.apply("concat", [checking.convert_node(argument, "text") for argument in node.arguments], "text")


def _boolean(checking: Checking, node: Call) -> Tree | None:
    return checking.convert_node(node.arguments[0], "boolean") if checking.count(node, 1, 1) else None


def _number(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 1, 1):
        return None
    tree = checking.read(node.arguments[0])
    if tree is not None and tree.kind == "text":
        return Apply("number", (tree,), "number")
    return None if tree is None else checking.convert(tree, node.arguments[0], "number")


def _date(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 1, 1):
        return None
    argument = node.arguments[0]
    tree = checking.read(argument)
    if tree is None:
        return None
    if isinstance(tree, Constant) and tree.kind == "text" and tree.value:
        day = _as_date(str(tree.value))
        if day is None:
            checking.no(
                argument,
                f"'{tree.value}' no es una fecha: escriba año-mes-día, como '2026-12-31'.",
                f"'{tree.value}' is no date: write year-month-day, such as '2026-12-31'.",
            )
            return None
        return Constant("date", day)
    if tree.kind == "number":
        return Apply("from-days", (tree,), "date")
    if tree.kind == "text":
        return Apply("date", (tree,), "date")
    return checking.convert(tree, argument, "date")


def _days(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 1, 1):
        return None
    tree = checking.read(node.arguments[0])
    if tree is not None and tree.kind == "date":
        checking.no(
            node,
            "decimal-date-time() de una fecha sin hora depende de la zona del teléfono: reste las fechas.",
            "decimal-date-time() of a date without time depends on the phone's zone: subtract the dates.",
        )
        return None
    if tree is not None and tree.kind != "moment":
        checking.unfit(node.arguments[0], tree, "moment")
        return None
    return checking.apply("instant", [tree], "number")


def _format_date(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 2, 2):
        return None
    tree = checking.convert_node(node.arguments[0], "date")
    form = node.arguments[1]
    if not isinstance(form, Text) or not _FORMAT.fullmatch(form.value):
        checking.no(
            form,
            "el formato va entre comillas, con %Y %y %m %n %d %e (los nombres de meses y días cambian con el idioma).",
            "the format stands in quotes, with %Y %y %m %n %d %e (names of months and days change with the language).",
        )
        return None
    return None if tree is None else Apply("format-date", (tree, Constant("text", form.value)), "text")


def _regex(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 2, 2):
        return None
    tree = checking.convert_node(node.arguments[0], "text")
    pattern = node.arguments[1]
    if not isinstance(pattern, Text) or not is_pattern(pattern.value):
        checking.no(
            pattern,
            "la expresión regular va entre comillas y debe poder leerse: letras, [ ], ( ), |, . * + ? { } y \\d \\w \\s.",
            "the regular expression stands in quotes and must be readable: letters, [ ], ( ), |, . * + ? { }, \\d \\w \\s.",
        )
        return None
    return None if tree is None else Apply("regex", (tree, Constant("text", pattern.value)), "boolean")


def _selected(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 2, 2):
        return None
    tree, code = checking.read(node.arguments[0]), checking.convert_node(node.arguments[1], "text")
    if tree is None or code is None:
        return None
    if tree.kind not in _TEXTS:
        checking.unfit(node.arguments[0], tree, "choices")
        return None
    if isinstance(code, Constant) and not checking.is_option(tree, str(code.value or ""), node.arguments[1]):
        return None
    return Apply("selected", (tree, code), "boolean")


def _selected_at(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 2, 2):
        return None
    return checking.apply(
        "selected-at",
        [checking.convert_node(node.arguments[0], "text"), checking.convert_node(node.arguments[1], "number")],
        "text",
    )


def _count_selected(checking: Checking, node: Call) -> Tree | None:
    return (
        checking.apply("count-selected", [checking.convert_node(node.arguments[0], "text")], "number")
        if checking.count(node, 1, 1)
        else None
    )


def _choice_name(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 2, 2):
        return None
    named = node.arguments[1]
    match = _QUOTED_REFERENCE.fullmatch(named.value.strip()) if isinstance(named, Text) else None
    code = checking.convert_node(node.arguments[0], "text")
    entry = checking.field(Reference(match[1], named.at)) if match else None
    options = checking.scope.options(entry) if entry is not None else None
    if options is None:
        if match is None or entry is not None:
            checking.no(
                named,
                "el segundo argumento nombra entre comillas una pregunta con opciones: jr:choice-name(${a}, '${a}').",
                "the second argument names a question with choices in quotes: jr:choice-name(${a}, '${a}').",
            )
        return None
    language = checking.scope.language or checking.scope.schema.default_language or ""
    labels = {option.name: option.label.get(language, option.label.get("", option.name)) for option in options}
    written = Constant("text", json.dumps(labels, ensure_ascii=False))
    return None if code is None else Apply("choice-name", (code, written), "text")


def _period_end(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 0, 0):
        return None
    if not checking.scope.periods:
        checking.no(node, "period-end() solo vale en indicadores.", "period-end() has a meaning in indicators only.")
        return None
    return PeriodEnd()


def _passing(checking: Checking, node: Call) -> None:
    checking.no(
        node,
        f"{node.function}() no se admite: el resultado cambiaría cada día. Use period-end() o una fecha preguntada.",
        f"{node.function}() is not accepted: the result would change every day. Use period-end() or a date that is asked.",
    )


def _as_date(text: str) -> date | None:
    try:
        day: date = values.parse("date", text)
    except values.MisfitError:
        return None
    return day


HANDLERS: Final[Mapping[str, Handler]] = {
    **dict.fromkeys(_ARITHMETIC, _calculate),
    **dict.fromkeys(PLAIN, _plain),
    "and": _both,
    "or": _both,
    "neg": _negative,
    "if": _if,
    "coalesce": _coalesce,
    "concat": _concat,
    "boolean": _boolean,
    "number": _number,
    "date": _date,
    "format-date": _format_date,
    "decimal-date-time": _days,
    "regex": _regex,
    "selected": _selected,
    "selected-at": _selected_at,
    "count-selected": _count_selected,
    "jr:choice-name": _choice_name,
    "period-end": _period_end,
    "today": _passing,
    "now": _passing,
}

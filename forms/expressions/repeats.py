"""Repeats: what may be asked of rows that lie in the unit: how many, how much, which one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from forms.expressions.checking import Checking, Handler
from forms.expressions.nodes import Call, Node, Path, Reference
from forms.expressions.scope import kind_of
from forms.expressions.tree import Aggregate, Answer, Grouped, Indexed, Position, Tree
from forms.schema import Field

_OPERATIONS: Final[Mapping[str, Literal["sum", "count", "min", "max"]]] = {
    "sum": "sum",
    "count": "count",
    "min": "min",
    "max": "max",
}


def _repeated(checking: Checking, node: Node) -> tuple[Field, str] | None:
    """What stands in a repeat that this unit holds, and the repeat."""
    if not isinstance(node, Reference):
        checking.no(
            node,
            "aquí va una sola ${pregunta} de una repetición.",
            "a single ${question} of a repeat is needed here.",
        )
        return None
    entry = checking.field(node)
    if entry is None:
        return None
    table = entry.path if entry.kind == "repeat" else checking.scope.table_of(entry)
    if checking.scope.holds_unit(table):
        checking.no(
            node,
            f"«{node.name}» no se repite visto desde aquí.",
            f"“{node.name}” does not repeat as seen from here.",
        )
        return None
    return entry, table


def _aggregate(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 1, 1):
        return None
    if checking.scope.grouped:
        return _grouped(checking, node)
    found = _repeated(checking, node.arguments[0])
    if found is None:
        return None
    entry, table = found
    around = checking.scope.common(table)
    if node.function == "count":
        answer = None if entry.kind != "question" else Answer(kind_of(entry), entry.path, table)
        return Aggregate("count", table, around, answer)
    numbers = entry.kind == "question" and (kind_of(entry) == "number")
    if not numbers:
        checking.no(
            node.arguments[0],
            f"{node.function}() necesita una pregunta numérica.",
            f"{node.function}() needs a question of numbers.",
        )
        return None
    return Aggregate(_OPERATIONS[node.function], table, around, Answer("number", entry.path, table))


def _grouped(checking: Checking, node: Call) -> Tree | None:
    within = checking.within_group()
    argument = within.read(node.arguments[0])
    if argument is not None and node.function != "count":
        argument = within.convert(argument, node.arguments[0], "number")
    checking.mistakes.extend(within.mistakes)
    return None if argument is None else Grouped(_OPERATIONS[node.function], argument)


def _refused_in_groups(checking: Checking, node: Call) -> bool:
    if checking.scope.grouped:
        checking.no(
            node,
            f"{node.function}() tiene varios valores en un grupo: use sum(), count(), min() o max().",
            f"{node.function}() has several values in a group: use sum(), count(), min() or max().",
        )
    return checking.scope.grouped


def _extreme(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 1, None):
        return None
    if len(node.arguments) == 1:
        return _aggregate(checking, node)
    return checking.apply(
        node.function, [checking.convert_node(argument, "number") for argument in node.arguments], "number"
    )


def _indexed(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 3, 3) or _refused_in_groups(checking, node):
        return None
    found, repeat = _repeated(checking, node.arguments[0]), _repeated(checking, node.arguments[1])
    index = checking.convert_node(node.arguments[2], "number")
    if found is None or repeat is None or index is None:
        return None
    entry, table = found
    around = checking.scope.common(table)
    if (
        repeat[0].kind != "repeat"
        or repeat[1] != table
        or entry.kind != "question"
        or around != checking.scope.schema.repeat_of(table)
    ):
        checking.no(
            node,
            "indexed-repeat(${pregunta}, ${repetición}, número): la pregunta debe estar en esa repetición, y ella aquí.",
            "indexed-repeat(${question}, ${repeat}, number): the question must stand in that repeat, and the repeat here.",
        )
        return None
    return Indexed(Answer(kind_of(entry), entry.path, table), index, around)


def _position(checking: Checking, node: Call) -> Tree | None:
    up = len(node.arguments) == 1 and isinstance(node.arguments[0], Path) and node.arguments[0].text == ".."
    if node.arguments and not up:
        checking.no(node, "position() va sin argumentos, o con «..».", "position() takes no argument, or “..”.")
        return None
    if _refused_in_groups(checking, node):
        return None
    if not checking.scope.unit:
        checking.no(node, "position() solo vale en una repetición.", "position() has a meaning in a repeat only.")
        return None
    return Position(checking.scope.unit)


HANDLERS: Final[Mapping[str, Handler]] = {
    "sum": _aggregate,
    "count": _aggregate,
    "min": _extreme,
    "max": _extreme,
    "indexed-repeat": _indexed,
    "position": _position,
}

"""Repeats: what may be asked of rows that lie in the unit: how many, how much, which one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from forms.expressions.checking import Checking, Handler
from forms.expressions.nodes import Call, Node, Path, Reference
from forms.expressions.scope import kind_of
from forms.expressions.tree import Aggregate, Answer, Indexed, Position, Tree
from forms.schema import Field


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
    operation: Literal["sum", "min", "max"] = (
        "sum" if node.function == "sum" else "min" if node.function == "min" else "max"
    )
    return Aggregate(operation, table, around, Answer("number", entry.path, table))


def _extreme(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 1, None):
        return None
    if len(node.arguments) == 1:
        return _aggregate(checking, node)
    return checking.apply(
        node.function, [checking.convert_node(argument, "number") for argument in node.arguments], "number"
    )


def _indexed(checking: Checking, node: Call) -> Tree | None:
    if not checking.count(node, 3, 3):
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

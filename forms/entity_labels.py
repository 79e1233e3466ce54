"""Labels of entities: what the form's own calculation makes of other answers, where it only strings texts together."""

from __future__ import annotations

import re
from typing import Final

from forms import references
from forms.entities import Block
from forms.expressions.mistakes import MistakenError
from forms.expressions.nodes import Call, Node, Path, Reference, Text
from forms.expressions.parser import parse
from forms.overlay import Answers
from forms.schema import Schema

_POSITION: Final = re.compile(r"\[[0-9]+\]")
_LARGEST: Final = 10_000


def row_of(key: str) -> str:
    """The row whose block this is, by the block's key: `/roster/member[2]/meta/entity` is that of `/roster/member[2]`."""
    return key[: key.rfind("]") + 1]


def read_by(schema: Schema, block: Block) -> frozenset[str]:
    """The paths of the questions that the label of a block is made of; none where it does more than string them together."""
    node = _expression(schema, block)
    if node is None:
        return frozenset()
    found = {_target(schema, block, one) for one in _leaves(node) if isinstance(one, Path)}
    return frozenset(path for path in found if path is not None)


def of(schema: Schema, block: Block, answers: Answers) -> str | None:
    """The label of a block over these answers, a blank one being "" as to JavaRosa; None where that cannot be said.

    Paths, texts, `concat()`, `string()`, `normalize-space()` are read: what nearly every label is made of.
    """
    node = _expression(schema, block)
    text = _text(schema, block, answers, node) if node is not None else None
    return text if text is not None and len(text) <= _LARGEST else None


def laid(schema: Schema, block: Block, sent: Answers, stands: Answers) -> str | None:
    """The label of a block over what stands, if over what was sent it is the very label that the phone made; else None, as it
    is where nothing but blanks comes out."""
    if of(schema, block, sent) != (block.label or ""):
        return None
    made = of(schema, block, stands)
    return made if made is not None and made.strip() else None


def _expression(schema: Schema, block: Block) -> Node | None:
    entry = schema.by_path.get(f"{block.path}/label")
    if entry is None or entry.calculate is None:
        return None
    try:
        return parse(entry.calculate)
    except MistakenError:
        return None


def _leaves(node: Node) -> list[Node]:
    return [leaf for one in node.arguments for leaf in _leaves(one)] if isinstance(node, Call) else [node]


def _text(schema: Schema, block: Block, answers: Answers, node: Node) -> str | None:
    if isinstance(node, Text):
        return node.value
    if isinstance(node, Path | Reference):
        return _answer(schema, block, answers, node) if isinstance(node, Path) else None
    if not isinstance(node, Call):
        return None
    given = [_text(schema, block, answers, one) for one in node.arguments]
    parts = [one for one in given if one is not None]
    if len(parts) < len(given) or not parts:
        return None
    if node.function == "concat":
        return "".join(parts)
    if node.function == "string" and len(parts) == 1:
        return parts[0]
    if node.function == "normalize-space" and len(parts) == 1:
        return " ".join(parts[0].split())
    return None


def _answer(schema: Schema, block: Block, answers: Answers, node: Path) -> str | None:
    path = _target(schema, block, node)
    if path is None:
        return None
    table, row = schema.repeat_of(path), row_of(block.key)
    while table != _POSITION.sub("", row):  # the question stands in this row or in one around it
        if not row:
            return None
        row = row[: row.rstrip("]").rpartition("[")[0].rfind("]") + 1]
    return (answers.get((row, path)) or "") if answers.has_row(row) else None


def _target(schema: Schema, block: Block, node: Path) -> str | None:
    """The question that a path names, seen from the block's label."""
    if node.inside:
        return None
    root = f"/{schema.root}"
    found = references.resolve(node.text, f"{root}{block.path}/label")
    path = found.removeprefix(root) if found is not None and found.startswith(f"{root}/") else None
    entry = schema.by_path.get(path) if path is not None else None
    return path if entry is not None and entry.kind == "question" else None

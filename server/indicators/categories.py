"""Categories: what a tree must be for units to be split by it, and the question whose choices they are."""

from __future__ import annotations

from typing import Final

from forms.expressions.tree import Answer, Apply, Constant, Tree
from forms.schema import Field, Schema

_CATEGORIES: Final = ("text", "choices", "number", "boolean")


def as_category(tree: Tree) -> Tree | None:
    """What a unit's category is, as a text (or several codes); None where the tree gives no categories."""
    if tree.kind not in _CATEGORIES:
        return None
    if tree.kind == "boolean":
        return Apply("if", (tree, Constant("text", "true"), Constant("text", "false")), "text")
    return Apply("text", (tree,), "text") if tree.kind == "number" else tree


def question_of(tree: Tree, schema: Schema) -> Field | None:
    """The question whose answers are the categories, where the tree is nothing else."""
    return schema.by_path.get(tree.path) if isinstance(tree, Answer) else None

"""Tree: a checked expression. Every name is found, every conversion is written out, every kind is known.

Whoever reads it (SQL, Python) needs to know only what each operation does to known values; a value that is not known makes
every operation unknown but those of LENIENT.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["number", "text", "choices", "date", "moment", "time", "boolean", "point", "shape"]
"""What a value is: float · str · str, codes with a space between · date · datetime in UTC · naive time · bool · places."""

LENIENT: Final = frozenset(("and", "or", "blank", "answered", "coalesce", "if"))
"""Operations that may know an answer although something they are given is unknown."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the expression; None is nobody's answer ('')."""

    kind: Kind
    value: Any


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to the question at `path`, in the unit's own row of `table` or in the one that holds it. Of a `loose` one
    nobody said what kind it is."""

    kind: Kind
    path: str
    table: str
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Apply:
    """An operation on values. Its names are those of `forms.expressions.operations`."""

    operation: str
    arguments: tuple[Tree, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Aggregate:
    """sum, count, min, max over the rows of the repeat `table` that belong to the unit's row of `around` (its own table, or
    one that holds it). `argument` None counts rows; else rows without an answer are left out."""

    operation: Literal["sum", "count", "min", "max"]
    table: str
    around: str
    argument: Answer | None
    kind: Kind = "number"


@dataclass(frozen=True, slots=True)
class Indexed:
    """The answer in the row of its repeat that has this position (from 1) within the unit's row of `around`."""

    answer: Answer
    index: Tree
    around: str

    @property
    def kind(self) -> Kind:
        """That of the answer."""
        return self.answer.kind


@dataclass(frozen=True, slots=True)
class Position:
    """The unit's position within its parent, from 1."""

    table: str
    kind: Kind = "number"


@dataclass(frozen=True, slots=True)
class PeriodEnd:
    """The last day of the period that is asked for."""

    kind: Kind = "date"


@dataclass(frozen=True, slots=True)
class Grouped:
    """sum, count, min, max of what `argument` is in the rows of one group; rows where it is unknown are left out."""

    operation: Literal["sum", "count", "min", "max"]
    argument: Tree
    kind: Kind = "number"


@dataclass(frozen=True, slots=True)
class Input:
    """The value of another indicator, in a formula."""

    name: str
    kind: Kind = "number"


Tree = Constant | Answer | Apply | Aggregate | Indexed | Position | PeriodEnd | Grouped | Input


def parts(tree: Tree) -> tuple[Tree, ...]:
    """The trees that `tree` is made of."""
    if isinstance(tree, Apply):
        return tree.arguments
    if isinstance(tree, Aggregate):
        return (tree.argument,) if tree.argument is not None else ()
    if isinstance(tree, Indexed):
        return (tree.answer, tree.index)
    if isinstance(tree, Grouped):
        return (tree.argument,)
    return ()


def walk(tree: Tree) -> Iterator[Tree]:
    """The tree and everything that it is made of."""
    yield tree
    for part in parts(tree):
        yield from walk(part)

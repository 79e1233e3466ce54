"""Nodes: an expression as it was written. `at` counts the characters before the node."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float
    at: int


@dataclass(frozen=True, slots=True)
class Text:
    """A text in quotes, without them."""

    value: str
    at: int


@dataclass(frozen=True, slots=True)
class Reference:
    """`${name}`: a question, a group or a repeat of the form."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """`{name}`: another indicator, in formulas."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Path:
    """An XPath location path as written, such as `../age` or `instance('x')/root/item`; `inside` are its predicates and
    arguments."""

    text: str
    inside: tuple[Node, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator and what it is given; a minus before one value is `neg`."""

    function: str
    arguments: tuple[Node, ...]
    at: int


Node = Number | Text | Reference | Parameter | Path | Call

"""The text of an expression becomes nodes, or a mistake; what is too long for the stack is a mistake too."""

from __future__ import annotations

import bisect

import pytest

from forms.expressions.mistakes import MistakenError
from forms.expressions.parser import parse


def refused(terms: int) -> bool:
    try:
        parse(" and ".join(["1"] * terms))
    except MistakenError:
        return True
    return False


def test_an_expression_is_read_or_refused_at_every_length():
    longest = bisect.bisect_left(range(1000), True, key=lambda terms: refused(terms + 1))
    around = range(longest - 5, longest + 15)

    assert [refused(terms) for terms in around] == [terms > longest for terms in around]


@pytest.mark.parametrize("text", ["", "   ", "1" * 20_001])
def test_no_expression_is_empty_or_endless(text: str):
    with pytest.raises(MistakenError):
        parse(text)

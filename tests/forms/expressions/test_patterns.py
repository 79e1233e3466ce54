"""Regular expressions: the same for Java, PostgreSQL and us, and never slower than their text is long."""

from __future__ import annotations

import pytest

from forms.expressions.patterns import is_pattern, matches


@pytest.mark.parametrize("pattern", ["(a|aa)*b", "(a+)+b", "(.*a){20}b", "a*a*a*a*a*a*b"])
def test_matches_is_done_with_a_long_text_at_once(pattern: str):
    assert is_pattern(pattern)
    assert not matches("a" * 50_000, pattern)
    assert matches("a" * 50_000 + "b", pattern)


@pytest.mark.parametrize(
    ("text", "pattern", "held"),
    [
        ("ñandú", r"[a-zñú]+", True),
        ("ñandú", r"\w+", False),
        ("٣", r"\d", False),
        ("a\nb", "a.b", False),
        ("a\u2028b", "a.b", False),
        ("a\tb", r"a\sb", True),
        ("a-b", r"[\w-]+", True),
        ("a.b", r"a\.b", True),
        ("", "", True),
    ],
)
def test_matches_as_java_does(text: str, pattern: str, held: bool):
    assert matches(text, pattern) is held


@pytest.mark.parametrize(
    "pattern", ["a{256}", ".{0,300}", "((a{200}){200}){200}", "(?=a)", r"(a)\1", r"\bx", "a++", "["]
)
def test_is_pattern_refuses_what_not_every_reader_understands(pattern: str):
    assert not is_pattern(pattern)

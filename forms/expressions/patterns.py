"""Patterns: the regular expressions that every reader understands alike, and in time that grows with the text alone."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import re2

MOST_REPEATS: Final = 255
"""What PostgreSQL counts up to in `{n}`."""
_UNSHARED: Final = re.compile(r"\\[^dwsDWS.\-/\\()\[\]{}|*+?^$]|\(\?|[*+?}][+?]|\[\[|&&")
_COUNTS: Final = re.compile(r"\{([0-9]*),?([0-9]*)\}")
_RANGES: Final = {"d": "0-9", "w": "A-Za-z0-9_", "s": r" \t\n\r\f\v"}
_ANY: Final = "[^\n\r\x85\u2028\u2029]"  # Java's dot
_QUIET: Final = re2.Options()
_QUIET.log_errors = False


def is_pattern(pattern: str) -> bool:
    r"""Whether Java, PostgreSQL and we read it alike: no look-around, no back reference, no \b, no count above MOST_REPEATS
    (nor above 1000 where counts stand within others)."""
    if _UNSHARED.search(pattern):
        return False
    if any(int(count) > MOST_REPEATS for match in _COUNTS.finditer(pattern) for count in match.groups() if count):
        return False
    try:
        _compiled(pattern)
    except re2.error:
        return False
    return True


def matches(text: str, pattern: str) -> bool:
    """Whether the whole text is what the pattern says."""
    return _compiled(pattern).fullmatch(text) is not None


def plain(pattern: str) -> str:
    r"""The pattern as both engines read it: \d \w \s are ASCII, a dot is no line end."""
    inside = False
    written = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "\\" and at + 1 < len(pattern):
            letter = pattern[at + 1]
            at += 2
            if letter in _RANGES:
                written.append(_RANGES[letter] if inside else f"[{_RANGES[letter]}]")
            elif letter.lower() in _RANGES:
                written.append(f"\\{letter}" if inside else f"[^{_RANGES[letter.lower()]}]")
            else:
                written.append(f"\\{letter}")
            continue
        if character == "[" and not inside:
            inside = True
        elif character == "]" and inside and pattern[at - 1] not in ("[", "^"):
            inside = False
        elif character == "." and not inside:
            character = _ANY
        written.append(character)
        at += 1
    return "".join(written)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re2._Regexp:
    return re2.compile(plain(pattern), _QUIET)

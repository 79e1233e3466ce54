"""What identifies a person in answers: what becomes of each where consent is taken back, and texts that are looked for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final, Literal

from forms.privacy import Mark
from forms.schema import Field

Fate = Literal["blank", "code", "keep"]
"""What becomes of an answer where facts alone are kept. code: a random one stands for it, the same for the same answer."""
IN_WORDS: Final = frozenset(("string", "barcode"))
"""Types whose answers may be anybody's words."""

_WORD: Final = re.compile(r"\w+")
_SHORTEST: Final = 4
_SHORTEST_NUMBER: Final = 6


def fate(entry: Field | None, mark: Mark | None) -> Fate:
    """What becomes of the answer to a question under keep_facts.

    What identifies, own words, files and what nobody knows: blank. Keys: a code. Own words that help to identify: blank.
    """
    if entry is None or mark in ("direct", "free_text"):
        return "blank"
    if mark == "key":
        if entry.preload is not None:
            return "keep"  # of the phone or of who asks
        return "code" if (entry.type or "string") in IN_WORDS else "blank"
    own_words = (entry.type or "string") in IN_WORDS and entry.choices is None and entry.calculate is None
    return "blank" if mark == "quasi" and own_words else "keep"


def telling(text: str) -> str | None:
    """A text that identifies somebody, as it is looked for elsewhere; None where it is too short to tell."""
    looked_for = _plain(text)
    return looked_for if len(looked_for) >= (_SHORTEST_NUMBER if looked_for.isdigit() else _SHORTEST) else None


def tells(text: str | None, texts: Collection[str]) -> bool:
    """Whether one of these texts (folded) stands in a text."""
    if not text or not texts:
        return False
    looked_at = _plain(text)
    return any(one in looked_at for one in texts)


def words(text: str) -> frozenset[str]:
    """The words of a text, folded."""
    return frozenset(_WORD.findall(_plain(text)))


def _plain(text: str) -> str:
    """A text by which it is compared: small letters without marks, blanks alike."""
    parts = (char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join("".join(parts).casefold().split())

"""Likeness: how alike the names of two people are, however somebody wrote them down.

Names of Ngäbe, Buglé, Guna, Emberá and other peoples have no one spelling on paper: whoever writes them by ear takes `k`, `c`
or `qu`, leaves out a glottal stop or the points over a vowel, doubles a vowel or does not. Spanish names lose accents, and
`b` and `v`, `s`, `z` and `c`, `y` and `ll` sound the same. A name is therefore folded to how it sounds before names are
compared; what is folded is shown to nobody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from rapidfuzz import fuzz

_SOUNDS: Final = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"[’'`´ʼʔ]", ""),  # glottal stops, as they are typed
        (r"[^a-zñ]+", " "),
        (r"\b(?:de|del|la|las|los|y|e)\b", " "),  # particles that come and go
        (r"ph", "f"),
        (r"qu(?=[ei])", "k"),
        (r"q", "k"),
        (r"ch", "x"),
        (r"c(?=[eiy])", "s"),
        (r"[ck]+", "k"),
        (r"z", "s"),
        (r"v", "b"),
        (r"\bhu(?=[aeio])", "w"),
        (r"gu(?=[ei])", "g"),
        (r"g[uw](?=[ao])", "w"),
        (r"g(?=[ei])", "j"),
        (r"h", ""),
        (r"ll", "y"),
        (r"i(?=[aeou])", "y"),
        (r"y\b", "i"),
        (r"ñ", "n"),
        (r"(.)\1+", r"\1"),
    )
)


def fold(name: str) -> str:
    """A name as it sounds: small letters without marks, one letter for each sound, words apart by one blank.

    It compares; it is not to be shown. "" where nothing of the name is a Latin letter.
    """
    text = name.casefold().replace("ñ", "\0")
    text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    text = text.replace("\0", "ñ")
    for pattern, sound in _SOUNDS:
        text = pattern.sub(sound, text)
    return " ".join(text.split())


def alike(one: str, other: str) -> float:
    """How alike two folded names are, from 0 to 100: 100 where they sound the same, in whatever order their words stand.

    A name that is the other one without a surname is very like it, and not the same.
    """
    if not one or not other:
        return 0.0
    whole = fuzz.token_sort_ratio(one, other)
    fewer = min(len(one.split()), len(other.split()))
    part = fuzz.token_set_ratio(one, other) * (0.9 if fewer > 1 else 0.8)
    return float(max(whole, part))


def years(texts: Iterable[str]) -> frozenset[int]:
    """The years that these texts name: a date, a year, or a number of four digits."""
    return frozenset(int(found) for text in texts for found in re.findall(r"\b(?:1[89]|20)[0-9]{2}\b", text))

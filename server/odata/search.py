"""Search: OData's $search over texts, by whole words, in capitals or not, with accents or without."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, false, func, literal, not_, or_

from server.sqlite_functions import function_name

_ACCENTED: Final = "áàâäãéèêëíìîïóòôöõúùûüñç"
_PLAIN: Final = "aaaaaeeeeiiiiooooouuuunc"
_SIGNS: Final = f"{string.punctuation}¿¡«»“”‘’—–…·\t\r\n"
_FROM: Final = f"{string.ascii_uppercase}{_ACCENTED}{_ACCENTED.upper()}{_SIGNS}"
_TO: Final = f"{string.ascii_lowercase}{_PLAIN}{_PLAIN}{' ' * len(_SIGNS)}"
_TABLE: Final = str.maketrans(_FROM, _TO)
_MOST: Final = 30
"""Words that one search may have; further ones are not looked at."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand side by side, which must be there or (`out`) must not."""

    words: str
    out: bool = False


Search = Sequence[Sequence[Term]]
"""Terms of which all must hold, in groups of which one must."""


def parse(text: str) -> Search:
    """What $search says, as search engines read it: all words must be there, `OR` between two says one of them, quotes hold
    words together, a dash before one means without it. Source: ODK Central API, "OData Dataset Service"."""
    groups: list[list[Term]] = [[]]
    found = 0
    for piece, quoted, out in _pieces(text):
        if not quoted and piece.lower() == "or":
            groups.append([])
            continue
        words = " ".join(piece.translate(_TABLE).split())
        if words and found < _MOST:
            groups[-1].append(Term(words, out))
            found += 1
    return [group for group in groups if group]


def to_sql(conn: Connection, search: Search, texts: Sequence[ColumnElement[Any]]) -> ColumnElement[bool]:
    """Whether the texts of a row, taken together, are what is looked for; a search without any word finds nothing."""
    whole: ColumnElement[Any] = literal(" ")
    for text in texts:
        whole = whole + func.coalesce(_plain(conn, text), "") + " "
    for _ in range(3):  # blanks side by side become one, up to eight of them
        whole = func.replace(whole, "  ", " ")
    groups = [and_(*(_holds(whole, term) for term in group)) for group in search]
    return or_(*groups) if groups else false()


def _holds(whole: ColumnElement[Any], term: Term) -> ColumnElement[bool]:
    there = whole.like(f"% {term.words} %")
    return not_(there) if term.out else there


def _plain(conn: Connection, text: ColumnElement[Any]) -> ColumnElement[Any]:
    if conn.dialect.name == "postgresql":
        return func.translate(text, _FROM, _TO)
    return getattr(func, function_name("translate"))(text, _FROM, _TO)  # type: ignore[no-any-return]


def _pieces(text: str) -> list[tuple[str, bool, bool]]:
    """The pieces of a search: (what it says, whether in quotes, whether with a dash before it)."""
    pieces = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        out = text[at] == "-"
        at += out
        if at < len(text) and text[at] == '"':
            end = text.find('"', at + 1)
            end = len(text) if end < 0 else end
            pieces.append((text[at + 1 : end], True, out))
            at = end + 1
            continue
        end = at
        while end < len(text) and not text[end].isspace() and text[end] != '"':
            end += 1
        pieces.append((text[at:end], False, out))
        at = end
    return pieces

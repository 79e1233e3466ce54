"""Grids: lines of cells set under each other for a terminal, numbers to the right."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from typing import Final

_GAP: Final = "  "


def lines(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> Iterator[str]:
    """The heads and each row as one line; the columns in `right` are numbers. One that is blank in every row is left out."""
    kept = [at for at in range(len(heads)) if any(row[at] for row in rows)]
    every = [[row[at] for at in kept] for row in (heads, *rows)]
    widths = [max(width(row[at]) for row in every) for at in range(len(kept))]
    for row in every:
        cells = []
        for number, (text, wide) in enumerate(zip(row, widths, strict=True)):
            blank = " " * (wide - width(text))
            cells.append(blank + text if kept[number] in right else text + blank)
        yield _GAP.join(cells).rstrip()


def width(text: str) -> int:
    """How many places of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text
    )

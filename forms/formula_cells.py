"""Formula cells: those of a spreadsheet that hold no result, or Excel's word for a failed one."""

from __future__ import annotations

import re
from typing import Final

from openpyxl.utils import column_index_from_string

FAILED: Final = frozenset({"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!"})
"""What a cell shows whose formula fails."""

_PLACE: Final = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_TEXT: Final = re.compile(rb'\bt="str"')
_RESULT: Final = re.compile(rb"<v[^>/]*>[^<]")


def without_result(part: bytes) -> frozenset[tuple[int, int]]:
    """Row (from 1) and column (from 0) of each formula in a worksheet's XML whose result was never saved.

    Programs that write workbooks without calculating leave them so, and every reader sees an empty cell. A text formula
    that gives an empty text is not among them. Source: ECMA-376 part 1, 18.3.1.4 (`c`), 18.3.1.40 (`f`), 18.3.1.96 (`v`).
    """
    if b"<f" not in part:
        return frozenset()
    found = set()
    for chunk in part.split(b"<c ")[1:]:
        attributes, _, body = chunk.partition(b">")
        cell = body.partition(b"</c>")[0]
        place = _PLACE.search(attributes)
        if place and b"<f" in cell and not _TEXT.search(attributes) and not _RESULT.search(cell):
            found.add((int(place[2]), column_index_from_string(place[1].decode()) - 1))
    return frozenset(found)

"""Weighing: a process of its own that makes one extract small, then large, and says how much memory each took at its most.

`python -m tests.server.extracts.weighing DATA URL KIND` prints two numbers of bytes. A peak never falls, so the second is at
least the first: the modules, the connection and the first rows are in both, and what grows with rows is the difference.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from server.actions import extracts
from server.actions.extracts import CentralRequest
from server.actions.identity import CONSOLE
from server.app import open_office
from server.context import Context
from server.extracts.asking import Request
from server.settings import Settings

PROJECT: Final = 1
FORM: Final = "hogar"
SMALL_UNTIL: Final = date(2026, 3, 1)
"""Records received until this day are the small extract."""
KINDS: Final = (
    *("csv.zip", "csv joined", "csv without identities", "xlsx", "parquet.zip", "dta.zip", "sav.zip", "geojson"),
    "central",
)
HELD: Final = "csv joined, all of it held"
"""What an extract must not do; the test sees that it would be seen."""


def _pieces(ctx: Context, kind: str, last: date | None) -> Iterator[bytes]:
    if kind == "central":
        chosen = f"__system/submissionDate lt {SMALL_UNTIL}T23:59:59Z" if last is not None else None
        request = CentralRequest(filter=chosen)
        return extracts.open_central(ctx, PROJECT, FORM, request, identities=True).pieces
    name = kind.partition(" ")[0].rstrip(",")
    asked = Request(last=last, join="m" if kind in ("csv joined", HELD) else None)
    file = extracts.open_file(
        ctx,
        PROJECT,
        FORM,
        name.removesuffix(".zip"),
        asked,
        archive=name.endswith(".zip"),
        identities=kind != "csv without identities",
    )
    return file.pieces


def _peak() -> int:
    """Bytes at the most. Not ru_maxrss, which on Linux begins with what the starting process held."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise OSError("VmHWM")
    return int(found[1]) * 1024


def main(data: str, url: str, kind: str) -> None:
    office = open_office(Settings(data=Path(data), database_url=url))
    sizes: list[int] = []
    for last in (SMALL_UNTIL, None):

        def stream(ctx: Context, last: date | None = last) -> list[bytes]:
            kept = []
            size = 0
            for piece in _pieces(ctx, kind, last):
                size += len(piece)
                if kind == HELD:
                    kept.append(piece)
            sizes.append(size)
            return kept

        with office.database.reading(spill=True) as conn:  # as both doors do
            with_all = stream(office.context(conn, CONSOLE))
        sys.stdout.write(f"{_peak()} {sizes[-1]}\n")
        del with_all
    office.database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Archives: a zip that is written while it is sent, with no more than one piece of it in memory."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Final

PIECE: Final = 1 << 16
_PACKED: Final = (".jpg", ".jpeg", ".png", ".webp", ".mp4", ".3gp", ".m4a", ".aac", ".mp3", ".amr", ".ogg", ".zip", ".xlsx",
                  ".parquet", ".pdf", ".enc")  # fmt: skip
"""Ends of names of files that are packed already."""
Entry = tuple[str, Callable[[], Iterator[bytes]]]
"""A file of an archive: its name, and what gives its content piece by piece."""


class Outlet:
    """A file that cannot seek: it only remembers what was written since the last look."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._waiting = 0

    def write(self, data: bytes) -> int:
        """Remember some bytes."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._waiting += len(piece)
        return len(piece)

    def flush(self) -> None:
        """Nothing to do: `take` hands out what there is."""

    def close(self) -> None:
        """Nothing to do."""

    def take(self, least: int) -> bytes:
        """What was written since the last time, if it is `least` bytes or more."""
        if self._waiting < least or not self._waiting:
            return b""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._waiting = 0
        return data


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    """What a file holds, from its beginning."""
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece


def zipped(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The bytes of a zip with these entries."""
    outlet = Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name, date_time=time.localtime()[:6])
            packed = name.lower().endswith(_PACKED)
            info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            with archive.open(info, "w", force_zip64=True) as entry:
                for data in content():
                    entry.write(data)
                    if piece := outlet.take(PIECE):
                        yield piece
    if piece := outlet.take(0):
        yield piece

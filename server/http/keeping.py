"""Keeping: files that were made for an answer, kept a while for the next who asks for the very same."""

from __future__ import annotations

import gzip
import io
import os
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import BinaryIO, Final, cast

from server import problems

MOST: Final = 32
"""Files that are kept; the one that nobody asked for the longest goes first."""
MOST_BYTES: Final = 256_000_000
"""What they may take of the disk together."""

Key = tuple[str, bool]


class _Kept:
    """A file without a name: however the process ends, nothing of it is left on the disk."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115  # closed when nobody reads it any more
        self.size = 0
        weakref.finalize(self, self.file.close)
        self._lock = threading.Lock()

    def read(self, at: int, most: int) -> bytes:
        with self._lock:
            self.file.seek(at)
            return self.file.read(most)


class _Reader(io.RawIOBase):
    """A place of its own in a file that others read too."""

    def __init__(self, kept: _Kept) -> None:
        self._kept = kept
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._kept.size}[whence] + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        found = self._kept.read(self._at, len(buffer))
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)


class Shelf:
    """The files of one process. Whoever asks for one that is being made waits for it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[Key, threading.Lock] = {}

    def open(self, key: str, *, packed: bool, make: Callable[[BinaryIO], str]) -> tuple[str, BinaryIO]:
        """The file of `key`, as it is or packed by gzip, and its key; where it is not here, `make` writes it and gives the
        key of what it wrote. Raises Problem 503.1 where there is no room for it."""
        wanted = (key, packed)
        with self._lock:
            making = self._making.setdefault(wanted, threading.Lock())
        try:
            with making:
                found = self._find(wanted)
                if found is None:
                    key, found = self._make(make, packed=packed)
        except OSError as error:
            raise problems.unavailable(f"keeping: {error.strerror}") from error
        finally:
            with self._lock:
                self._making.pop(wanted, None)
        return key, cast(BinaryIO, io.BufferedReader(_Reader(found)))

    def clear(self) -> None:
        """Let go of every file: something in them may not be kept. Whoever reads one goes on."""
        with self._lock:
            self._kept.clear()

    def _find(self, key: Key) -> _Kept | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def _make(self, make: Callable[[BinaryIO], str], *, packed: bool) -> tuple[str, _Kept]:
        kept = _Kept()
        if packed:
            with gzip.GzipFile(fileobj=kept.file, mode="wb", compresslevel=6, mtime=0) as out:
                key = make(cast(BinaryIO, out))
        else:
            key = make(cast(BinaryIO, kept.file))
        kept.file.flush()
        kept.size = kept.file.tell()
        with self._lock:
            self._kept[key, packed] = kept
            self._kept.move_to_end((key, packed))
            while len(self._kept) > 1 and (len(self._kept) > MOST or self._taken() > MOST_BYTES):
                self._kept.popitem(last=False)  # whoever reads it goes on
        return key, kept

    def _taken(self) -> int:
        return sum(kept.size for kept in self._kept.values())

"""Keeping: files that were made for an answer, kept a while for the next who asks for the very same."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

MOST: Final = 32
"""Files that are kept; the one that nobody asked for the longest goes first."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file and the same one packed by gzip."""

    plain: Path
    packed: Path


class Shelf:
    """The files of one process, in a folder that goes with it. Whoever asks for one that is being made waits for it."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._made = 0
        self._lock = threading.Lock()
        self._making: dict[str, threading.Lock] = {}

    def get(self, key: str, make: Callable[[BinaryIO], str]) -> tuple[str, Kept]:
        """The file of `key`; where it is not here, `make` writes it and gives the key of what it wrote."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                found = self._find(key)
                return (key, found) if found is not None else self._make(make)
        finally:
            with self._lock:
                self._making.pop(key, None)

    def open(self, key: str, *, packed: bool, make: Callable[[BinaryIO], str]) -> tuple[str, BinaryIO]:
        """The same opened for reading, as it is or packed, with the key of what it is."""
        for _ in range(10):
            made, kept = self.get(key, make)
            try:
                return made, (kept.packed if packed else kept.plain).open("rb")
            except FileNotFoundError:  # it has just had to make room
                continue
        raise FileNotFoundError(key)

    def _find(self, key: str) -> Kept | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def _make(self, make: Callable[[BinaryIO], str]) -> tuple[str, Kept]:
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="tejido-"))
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            self._made += 1
            name = self._folder / str(self._made)
        kept = Kept(name, name.with_suffix(".gz"))
        with kept.plain.open("wb") as out:
            key = make(out)
        with kept.plain.open("rb") as plain, gzip.open(kept.packed, "wb", compresslevel=6) as packed:
            shutil.copyfileobj(plain, packed)
        gone: list[Kept] = []
        with self._lock:
            if (before := self._kept.pop(key, None)) is not None:
                gone.append(before)
            self._kept[key] = kept
            while len(self._kept) > MOST:
                gone.append(self._kept.popitem(last=False)[1])
        for one in gone:
            for path in (one.plain, one.packed):
                path.unlink(missing_ok=True)  # whoever reads it goes on
        return key, kept

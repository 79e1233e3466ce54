"""Blobs in a folder of this machine."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import BinaryIO, Final

from server import problems
from server.blobs.blobs import Blob

CHUNK: Final = 1 << 16
_NAME: Final = re.compile(r"[0-9a-f]{64}")


class DiskBlobs:
    """Files below `folder`, as ab/cd/abcd….

    A file is written beside its place, flushed to the disk, then renamed: at its name it is always whole, and when `put`
    returns it survives a power cut.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: BinaryIO) -> Blob:
        """See Blobs.put."""
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, prefix="incoming-")
            path = Path(name)
            try:
                with os.fdopen(handle, "wb") as file:
                    while chunk := content.read(CHUNK):
                        sha256.update(chunk)
                        md5.update(chunk)
                        size += len(chunk)
                        file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
                self._settle(path, self._path(sha256.hexdigest()))
            finally:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise problems.unavailable(f"blobs: {error.strerror}") from error
        return Blob(sha256.hexdigest(), md5.hexdigest(), size)

    def open(self, sha256: str) -> BinaryIO:
        """See Blobs.open."""
        try:
            return self._path(sha256).open("rb")
        except OSError as error:
            raise problems.unavailable(f"blobs: {error.strerror}") from error

    def delete(self, sha256: str) -> None:
        """See Blobs.delete."""
        self._path(sha256).unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        if not _NAME.fullmatch(sha256):
            raise ValueError(sha256)
        return self._folder / sha256[:2] / sha256[2:4] / sha256

    def _settle(self, written: Path, place: Path) -> None:
        if place.exists():
            return
        parents = [folder for folder in (place.parent, place.parent.parent) if not folder.exists()]
        place.parent.mkdir(parents=True, exist_ok=True)
        written.replace(place)
        for folder in {place.parent, *(parent.parent for parent in parents)}:
            _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows has no handle on a folder; its rename is durable with the file's flush
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""What a store of blobs can do, wherever it keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Blob:
    """A kept file: SHA-256 and MD5 of its content (hexadecimal) and its size in bytes."""

    sha256: str
    md5: str
    size: int


class Blobs(Protocol):
    """A store of files named by their content; putting the same content twice keeps it once."""

    def put(self, content: BinaryIO) -> Blob:
        """Keep what `content` gives from its position on; when this returns it is durable. Raises Problem 503.1."""

    def open(self, sha256: str) -> BinaryIO:
        """The content, to be closed by the caller. Raises Problem 503.1 where it is not there."""

    def delete(self, sha256: str) -> None:
        """Forget the content, where it is there."""

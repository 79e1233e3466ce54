"""The body of one POST, byte for byte as OkHttp 5 writes multipart/form-data, cut where the connection is to fail."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_BLOCK: Final = 8192


class Interrupted(Exception):
    """The connection failed, because the test wanted it to."""


@dataclass(frozen=True)
class Part:
    """One part: `content` is a file to stream or the bytes themselves; no file name, no content type = a plain field."""

    name: str
    content: Path | bytes
    filename: str | None = None
    content_type: str | None = None

    @property
    def size(self) -> int:
        return self.content.stat().st_size if isinstance(self.content, Path) else len(self.content)


@dataclass(frozen=True)
class Multipart:
    """A body of known length. `cut_after` is the number of bytes after which reading it raises Interrupted."""

    parts: tuple[Part, ...]
    cut_after: int | None = None
    boundary: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def content_type(self) -> str:
        return f"multipart/form-data; boundary={self.boundary}"

    def __len__(self) -> int:
        framing = sum(len(self._head(part)) + part.size + 2 for part in self.parts)
        return framing + len(self._tail())

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for block in self._blocks():
            if self.cut_after is not None and sent + len(block) > self.cut_after:
                yield block[: max(0, self.cut_after - sent)]
                raise Interrupted(f"connection cut after {self.cut_after} bytes")
            sent += len(block)
            yield block

    def _blocks(self) -> Iterator[bytes]:
        for part in self.parts:
            yield self._head(part)
            if isinstance(part.content, bytes):
                yield part.content
            else:
                with part.content.open("rb") as opened:
                    while block := opened.read(_BLOCK):
                        yield block
            yield b"\r\n"
        yield self._tail()

    def _head(self, part: Part) -> bytes:
        """No Content-Length per part, raw UTF-8 in names, no RFC 5987 `filename*` (OkHttp 5)."""
        head = f'--{self.boundary}\r\nContent-Disposition: form-data; name="{_quoted(part.name)}"'
        if part.filename is not None:
            head += f'; filename="{_quoted(part.filename)}"'
        head += "\r\n"
        if part.content_type:
            head += f"Content-Type: {part.content_type}\r\n"
        return (head + "\r\n").encode()

    def _tail(self) -> bytes:
        return f"--{self.boundary}--\r\n".encode()


def _quoted(name: str) -> str:
    return name.replace("\n", "%0A").replace("\r", "%0D").replace('"', "%22")

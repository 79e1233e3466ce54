"""Formats: the files that an extract can be, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from server.extracts import delimited, spreadsheet
from server.extracts.frame import Frame
from server.extracts.selection import Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A kind of file. `whole`: it holds several tables; others hold one, and several go into a zip."""

    name: str
    content_type: str
    whole: bool
    write: Callable[[Sequence[Frame], Selection], Iterator[bytes]]


def _csv(frames: Sequence[Frame], chosen: Selection) -> Iterator[bytes]:
    (frame,) = frames
    return delimited.written(frame, chosen)


FORMATS: Final = {
    one.name: one
    for one in (
        Format(name="csv", content_type="text/csv; charset=utf-8", whole=False, write=_csv),
        Format(
            name="xlsx",
            content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            whole=True,
            write=spreadsheet.written,
        ),
    )
}

"""Formats: the files that an extract can be, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from server.extracts import codebook, delimited, geojson, parquet, spreadsheet, spss, stata
from server.extracts.codebook import Book
from server.extracts.frame import Frame
from server.extracts.selection import Selection

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Write = Callable[[Sequence[Frame], Selection, Book], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A kind of file. `whole`: it holds several tables; others hold one, and several go into a zip. `coded`: values are codes
    with labels, whatever is asked. `located`: it shows places."""

    name: str
    content_type: str
    write: Write
    whole: bool = False
    coded: bool = False
    located: bool = False


def _one(write: Callable[[Frame, Selection], Iterator[bytes]]) -> Write:
    def written(frames: Sequence[Frame], chosen: Selection, _: Book) -> Iterator[bytes]:
        (frame,) = frames
        return write(frame, chosen)

    return written


def _workbook(frames: Sequence[Frame], chosen: Selection, book: Book) -> Iterator[bytes]:
    return spreadsheet.written(frames, chosen, codebook.sheets(book))


FORMATS: Final = {
    one.name: one
    for one in (
        Format(name="csv", content_type="text/csv; charset=utf-8", write=_one(delimited.written)),
        Format(name="xlsx", content_type=XLSX, whole=True, write=_workbook),
        Format(name="parquet", content_type="application/vnd.apache.parquet", write=_one(parquet.written)),
        Format(name="geojson", content_type="application/geo+json", located=True, write=_one(geojson.written)),
        Format(
            name="dta",
            content_type="application/x-stata-dta",
            coded=True,
            write=_one(lambda frame, _: stata.written(frame)),
        ),
        Format(
            name="sav",
            content_type="application/x-spss-sav",
            coded=True,
            write=_one(lambda frame, _: spss.written(frame)),
        ),
    )
}


def codebook_files(book: Book) -> dict[str, tuple[str, Callable[[], Iterator[bytes]]]]:
    """The codebook as XLSX and as HTML: content type, and what gives its bytes."""
    return {
        "xlsx": (XLSX, lambda: spreadsheet.written([], book.chosen, codebook.sheets(book))),
        "html": ("text/html; charset=utf-8", lambda: iter([codebook.as_html(book)])),
    }

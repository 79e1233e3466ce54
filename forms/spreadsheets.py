"""Spreadsheets: the cells of .xlsx, .xls and .md files, read as text and within limits."""

from __future__ import annotations

import io
import re
import threading
import warnings
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from unicodedata import normalize

import xlrd  # type: ignore[import-untyped]
from openpyxl import load_workbook
from pyxform.xls2json_backends import xls_value_to_unicode, xlsx_value_to_str

from forms import formula_cells
from forms.problems import Finding, Problem, Sentence, workbook_not_valid

MAX_FILE: Final = 20 * 2**20
"""Bytes of a workbook file."""
MAX_UNPACKED: Final = 64 * 2**20
"""Bytes of a .xlsx, unpacked, by its own directory (zipfile never unpacks more than the directory declares)."""
MAX_PARTS: Final = 2_000
"""Files inside a .xlsx."""
MAX_COLUMNS: Final = 1_000
"""Columns of one sheet."""
MAX_CELLS: Final = 1_000_000
"""Cells of all sheets read, counted as non-empty rows times columns."""
MAX_GAP: Final = 2_000
"""Empty rows in the middle of a sheet; a longer gap ends the sheet."""
_SHOWN: Final = 20
"""Formula cells without a result that are named, of each sheet."""

_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_OTHER_STREAMS: Final = ("WordDocument".encode("utf-16-le"), "PowerPoint Document".encode("utf-16-le"))
_ENCRYPTED_STREAM: Final = "EncryptedPackage".encode("utf-16-le")
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPACES: Final = re.compile(" +")
_PIPE: Final = re.compile(r"(?<!\\)\|")
_WARNINGS_LOCK: Final = threading.Lock()  # warnings.catch_warnings changes what all threads see

Row = Mapping[str, str]
_Rows = Callable[[int, int | None], Iterable[list[str | None]]]
"""Gives the rows of a sheet from a row number (1: the headers) on, cut to a width in cells (None: as wide as it is)."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name as written, its column headers, and its cells.

    `rows[i]` is the row that Excel numbers i + 2; it maps header to text and leaves empty cells out.
    """

    name: str
    headers: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook: the names of all its sheets as written, and the sheets that were asked for by lower-case name."""

    names: tuple[str, ...]
    sheets: Mapping[str, Sheet]


def read(data: bytes, filename: str, wanted: Collection[str]) -> Book:
    """The sheets of the workbook `data` whose lower-case names are in `wanted`.

    What the file is, its content says; `filename` only helps to tell Markdown from other text. Characters that XML
    cannot hold are dropped from cells. Raises Problem 400.15 for a file that is no workbook, is protected by a password
    or damaged, is larger than the limits above, or has formulas without a result under its headers.
    """
    if not data:
        raise _refused("El archivo está vacío.", "The file is empty.")
    if len(data) > MAX_FILE:
        raise _too_large(f"{MAX_FILE // 2**20} MB")
    try:
        if data.startswith(b"PK"):
            return _read_xlsx(data, wanted)
        if data.startswith(_OLE):
            return _read_xls(data, wanted)
        return _read_markdown(data, filename, wanted)
    except Problem:
        raise
    except Exception as error:  # openpyxl and xlrd let any exception through when a file is damaged
        raise _damaged(error) from error


def _read_xlsx(data: bytes, wanted: Collection[str]) -> Book:
    _check_archive(data)
    with _WARNINGS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of validations, styles and print areas that forms do not use
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        try:
            counter = _CellCounter()
            sheets = {
                name.lower(): _sheet(name, _xlsx_rows(book[name]), counter, _without_result(data, book[name]))
                for name in book.sheetnames
                if name.lower() in wanted and hasattr(book[name], "iter_rows")  # a chart sheet has no cells
            }
            return Book(tuple(book.sheetnames), sheets)
        finally:
            book.close()


def _check_archive(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise _damaged(error) from error
    names = {part.filename for part in parts}
    if "xl/workbook.bin" in names:
        raise _refused(
            "El archivo es un libro binario de Excel (.xlsb). Guárdelo como «Libro de Excel (.xlsx)».",
            "The file is a binary Excel workbook (.xlsb). Save it as “Excel Workbook (.xlsx)”.",
        )
    if "content.xml" in names:
        raise _refused(
            "El archivo es un documento de LibreOffice. Guárdelo como «Libro de Excel (.xlsx)».",
            "The file is a LibreOffice document. Save it as “Excel Workbook (.xlsx)”.",
        )
    if "[Content_Types].xml" not in names:
        raise _not_a_workbook("un archivo comprimido (zip)", "a zip archive")
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise _too_large(f"{MAX_UNPACKED // 2**20} MB")


def _xlsx_rows(sheet: Any) -> _Rows:
    def rows(first: int, width: int | None) -> Iterator[list[str | None]]:
        for row in sheet.iter_rows(min_row=first, max_col=width, values_only=True):
            yield [_clean(xlsx_value_to_str(value)) if value is not None else None for value in row]

    return rows


def _without_result(data: bytes, sheet: Any) -> frozenset[tuple[int, int]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return formula_cells.without_result(archive.read(sheet._worksheet_path.lstrip("/")))


def _read_xls(data: bytes, wanted: Collection[str]) -> Book:
    if _ENCRYPTED_STREAM in data:
        raise _protected()
    if any(stream in data for stream in _OTHER_STREAMS):
        raise _not_a_workbook("un documento antiguo de Office", "an old Office document")
    try:
        book = xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), on_demand=True)
    except xlrd.XLRDError as error:
        raise _protected() if "encrypted" in str(error) else _damaged(error) from error
    try:
        names = tuple(str(name) for name in book.sheet_names())
        counter = _CellCounter()
        sheets = {
            name.lower(): _sheet(name, _xls_rows(book, index), counter)
            for index, name in enumerate(names)
            if name.lower() in wanted
        }
        return Book(names, sheets)
    finally:
        book.release_resources()


def _xls_rows(book: Any, index: int) -> _Rows:
    sheet = book.sheet_by_index(index)

    def rows(first: int, width: int | None) -> Iterator[list[str | None]]:
        for row in range(first - 1, sheet.nrows):
            yield [
                _clean(_xls_text(cell, book.datemode)) if cell.value != "" else None for cell in sheet.row(row)[:width]
            ]

    return rows


def _xls_text(cell: Any, datemode: int) -> str:
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, "#VALUE!"))
    return str(xls_value_to_unicode(cell.value, cell.ctype, datemode))


def _read_markdown(data: bytes, filename: str, wanted: Collection[str]) -> Book:
    if data.startswith(b"%PDF"):
        raise _not_a_workbook("un PDF", "a PDF")
    if data.lstrip()[:200].lower().startswith((b"<!doctype html", b"<html")):
        raise _not_a_workbook("una página web (HTML)", "a web page (HTML)")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_a_workbook("de otro tipo", "of another kind") from error
    grids = _markdown_grids(text)
    if not grids:
        if filename.lower().endswith(".md"):
            raise _refused(
                "El archivo .md no contiene tablas de XLSForm: la primera debe comenzar con «| survey |».",
                "The .md file holds no XLSForm tables: the first one should begin with “| survey |”.",
            )
        raise _not_a_workbook("un texto", "plain text")
    counter = _CellCounter()
    sheets = {
        name.lower(): _sheet(name, _listed(rows), counter) for name, rows in grids.items() if name.lower() in wanted
    }
    return Book(tuple(grids), sheets)


def _markdown_grids(text: str) -> dict[str, list[list[str | None]]]:
    """Tables as pyxform writes them: a first cell with text begins the sheet of that name, other rows are its rows."""
    grids: dict[str, list[list[str | None]]] = {}
    name = ""
    for line in text.splitlines():
        begin, end = line.find("|"), line.rfind("|")
        if begin == end or line[:begin].strip():
            continue
        inner = line[begin + 1 : end]
        if not inner.strip("|-: "):
            continue
        first, *cells = (_clean(cell.replace(r"\|", "|")) for cell in _PIPE.split(inner))
        if first is not None:
            name = first
            grids.setdefault(name, [])
        if name and any(cells):
            grids[name].append(cells)
    return grids


def _listed(grid: list[list[str | None]]) -> _Rows:
    return lambda first, width: (row[:width] for row in grid[first - 1 :])


class _CellCounter:
    """Counts the cells of all sheets of a workbook and refuses it when they are too many."""

    def __init__(self) -> None:
        self._cells = 0

    def add(self, cells: int) -> None:
        self._cells += cells
        if self._cells > MAX_CELLS:
            raise _too_large(f"{MAX_CELLS:,}", cells=True)


def _sheet(name: str, rows: _Rows, counter: _CellCounter, without_result: Collection[tuple[int, int]] = ()) -> Sheet:
    columns = _columns(name, next(iter(rows(1, None)), []))
    width = columns[-1][0] + 1 if columns else 0
    read: list[Row] = []
    filled = 0
    for row in rows(2, width) if columns else ():
        cells = {header: text for index, header in columns if index < len(row) and (text := row[index]) is not None}
        read.append(cells)
        if cells:
            filled = len(read)
            counter.add(width)
        elif len(read) - filled > MAX_GAP:
            break
    kept = tuple(read[:filled])
    failed = [*_failed(name, kept), *_unsaved(name, columns, without_result)]
    if failed:
        raise workbook_not_valid(failed[:_SHOWN])
    return Sheet(name, tuple(header for _, header in columns), kept)


def _failed(sheet: str, rows: Sequence[Row]) -> Iterator[Finding]:
    for number, row in enumerate(rows, start=2):
        for header, text in row.items():
            if text in formula_cells.FAILED:
                yield Finding(
                    severity="error",
                    sentence=Sentence(
                        es=f"La fórmula de esta celda falla y Excel muestra «{text}». Corríjala o escriba el texto.",
                        en=f"This cell's formula fails and Excel shows “{text}”. Correct it, or write the text.",
                    ),
                    sheet=sheet,
                    row=number,
                    column=header,
                )


def _unsaved(
    sheet: str, columns: Sequence[tuple[int, str]], without_result: Collection[tuple[int, int]]
) -> Iterator[Finding]:
    headers = dict(columns)
    for row, index in sorted(without_result):
        if index in headers:
            yield Finding(
                severity="error",
                sentence=Sentence(
                    es="El archivo no guarda el resultado de la fórmula de esta celda. Abra el libro en Excel y guárdelo, o "
                    "escriba el texto en vez de la fórmula.",
                    en="The file does not hold the result of this cell's formula. Open the workbook in Excel and save it, or "
                    "write the text instead of the formula.",
                ),
                sheet=sheet,
                row=row,
                column=headers[index],
            )


def _columns(sheet: str, cells: Sequence[str | None]) -> tuple[tuple[int, str], ...]:
    columns = [(index, _SPACES.sub(" ", cell)) for index, cell in enumerate(cells) if cell is not None]
    if columns and columns[-1][0] >= MAX_COLUMNS:
        raise _too_large(str(MAX_COLUMNS), cells=True)
    seen: set[str] = set()
    for _, header in columns:
        if header in seen:
            sentence = Sentence(
                es=f"La columna «{header}» aparece dos veces. Borre o cambie el nombre de una de ellas.",
                en=f"The column “{header}” appears twice. Delete or rename one of them.",
            )
            raise workbook_not_valid([Finding(severity="error", sentence=sentence, sheet=sheet, row=1, column=header)])
        seen.add(header)
    return tuple(columns)


def _clean(text: str) -> str | None:
    """The text composed (NFC), without characters that XML cannot hold and without space around it; None where nothing is
    left."""
    return normalize("NFC", _FORBIDDEN.sub("", text.replace("\xa0", " "))).strip() or None


def _refused(es: str, en: str) -> Problem:
    return workbook_not_valid([Finding(severity="error", sentence=Sentence(es=es, en=en))])


def _not_a_workbook(es: str, en: str) -> Problem:
    return _refused(
        f"El archivo no es un libro de Excel: es {es}. Suba un archivo .xlsx, .xls o .md.",
        f"The file is not an Excel workbook: it is {en}. Upload an .xlsx, .xls or .md file.",
    )


def _protected() -> Problem:
    return _refused(
        "El libro está protegido con contraseña. Ábralo en Excel, quite la contraseña y guárdelo de nuevo.",
        "The workbook is protected by a password. Open it in Excel, remove the password and save it again.",
    )


def _damaged(error: Exception) -> Problem:
    reason = f"{type(error).__name__}: {str(error)[:200]}"
    return _refused(
        f"El libro está dañado o no se puede leer ({reason}). Ábralo en Excel y guárdelo de nuevo como .xlsx.",
        f"The workbook is damaged or cannot be read ({reason}). Open it in Excel and save it again as .xlsx.",
    )


def _too_large(limit: str, *, cells: bool = False) -> Problem:
    es, en = (" celdas o columnas", " cells or columns") if cells else ("", "")
    return _refused(
        f"El libro es demasiado grande: el límite es de {limit}{es}.",
        f"The workbook is too large: the limit is {limit}{en}.",
    )

"""Workbooks for tests: XLSForms written as markdown tables, turned into .xlsx or .xls files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence

import openpyxl
import xlwt

Sheets = Mapping[str, Sequence[Sequence[object]]]


def sheets_of(markdown: str) -> dict[str, list[list[str | None]]]:
    """The tables of `markdown` (XLSForm, without escaped pipes) by sheet name, empty cells as None."""
    sheets: dict[str, list[list[str | None]]] = {}
    name = ""
    for line in filter(None, (line.strip() for line in markdown.splitlines())):
        first, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        if first:
            name = first
            sheets[name] = []
        elif any(cells):
            sheets[name].append([cell or None for cell in cells])
    return sheets


def xlsx(sheets: Sheets) -> bytes:
    """A .xlsx with these sheets; each is rows of cells, the first row holds the headers."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def xls(sheets: Sheets) -> bytes:
    """The same as an old .xls."""
    book = xlwt.Workbook(encoding="utf-8")
    for name, rows in sheets.items():
        sheet = book.add_sheet(name)
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell is not None:
                    sheet.write(number, column, cell)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def repacked(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """A .xlsx with each of its parts changed by `change(name, content)`."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, change(part.filename, old.read(part)))
    return file.getvalue()

"""Uploads: a workbook of corrections read within limits, and all that is wrong with it said by cell."""

from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from forms.problems import Finding, Problem, Sentence
from forms.schema import Type
from server.cleaning.refusals import MOST_TOLD, sheet_refused
from server.cleaning.sheets import BLANK, HEADINGS, MOST_LINES, MOST_NEW, NAME, Part, heading_of, mark, needed

MAX_FILE: Final = 10 * 2**20
"""Bytes of the file."""
MAX_UNPACKED: Final = 48 * 2**20
"""Bytes of its parts by the archive's own directory; zipfile never unpacks more than that declares."""
MAX_PARTS: Final = 500
MAX_TAGS: Final = 800_000
"""Tags of its sheets and texts: a workbook of MOST_LINES rows has half as many."""
MAX_TAGS_BESIDE: Final = 100_000
"""Tags of all its other parts."""
_MOST_COLUMNS: Final = 256
_MOST_GAP: Final = 2_000
"""Empty rows after which nothing more is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row in which a new value was written; `number` is Excel's, `columns` the letter of each part.

    `new` is what stands in the cell: a text, or a number, truth value, date or time of Excel's.
    """

    number: int
    record: str
    row: str
    question: str
    old: str | None
    mark: str | None
    new: Any
    reason: str
    columns: Mapping[Part, str]

    def wrong(self, part: Part, sentence: Sentence) -> Finding:
        """An error in one of its cells."""
        return Finding(severity="error", sentence=sentence, row=self.number, column=self.columns.get(part))

    @property
    def is_blank(self) -> bool:
        """Whether the answer is to be blank."""
        return isinstance(self.new, str) and self.new.strip().lower() in (BLANK.es, BLANK.en)

    def sees(self, text: str | None) -> bool:
        """Whether `text` is the old value that was downloaded."""
        return self.mark == mark(text) if self.mark else (self.old or None) == text


@dataclass(slots=True)
class _Found:
    """Errors; counted beyond those that are told."""

    findings: list[Finding] = field(default_factory=list)

    def add(self, sentence: Sentence, row: int | None = None, column: int | None = None) -> None:
        letter = get_column_letter(column) if column is not None else None
        self.findings.append(Finding(severity="error", sentence=sentence, row=row, column=letter))


@dataclass(frozen=True, slots=True)
class Upload:
    """The rows in which a new value was written, and what is wrong with the sheet by cell: formulas, faults of Excel's, rows
    without a reason, the same answer twice."""

    lines: Sequence[Line]
    findings: Sequence[Finding] = ()


def read(data: bytes) -> Upload:
    """What is in the workbook `data`.

    Raises Problem 400.51 for what is no .xlsx, for one larger than the limits above, and for foreign, missing or double
    headings, of which it lists every one.
    """
    if len(data) > MAX_FILE:
        raise _too_large(f"{MAX_FILE // 2**20} MB")
    _check_archive(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of parts of Excel that it does not keep
            book = load_workbook(io.BytesIO(data), read_only=True)
            try:
                return _read(book)
            finally:
                book.close()
    except Problem:
        raise
    except Exception as error:  # openpyxl lets any exception through when a file is damaged
        reason = type(error).__name__
        raise sheet_refused(
            [
                _whole(
                    f"El libro está dañado o no se puede leer ({reason}).",
                    f"The workbook is damaged or cannot be read ({reason}).",
                )
            ]
        ) from error


def _read(book: Any) -> Upload:
    sheet = _sheet(book)
    sheet.reset_dimensions()  # what the file says of its size may be wrong, and rows would be left out
    found, lines, gap, filled = _Found(), [], 0, 0
    columns: dict[int, Part] = {}
    for number, cells in enumerate(sheet.iter_rows(max_col=_MOST_COLUMNS), start=1):
        if number == 1:
            columns = _columns(cells, found)
            if found.findings:
                raise sheet_refused(found.findings)
            continue
        values = {columns[at]: cell for at, cell in enumerate(cells, start=1) if at in columns and _is_filled(cell)}
        if not values and not any(_is_filled(cell) for cell in cells):
            gap += 1
            if gap > _MOST_GAP:
                break
            continue
        gap, filled = 0, filled + 1
        if filled > MOST_LINES:
            raise _too_large(f"{MOST_LINES:,} filas", f"{MOST_LINES:,} rows")
        _check_cells(number, cells, columns, found)
        line = _line(number, values, columns, found)
        if line is not None:
            lines.append(line)
        if len(found.findings) > MOST_TOLD:
            break
    if len(lines) > MOST_NEW:
        raise _too_large(f"{MOST_NEW:,} valores nuevos", f"{MOST_NEW:,} new values")
    _check_twice(lines, found)
    return Upload(lines, found.findings)


def _sheet(book: Any) -> Any:
    names = {name.lower(): name for name in book.sheetnames if hasattr(book[name], "iter_rows")}
    for wanted in (NAME.es, NAME.en):
        if wanted.lower() in names:
            return book[names[wanted.lower()]]
    if len(names) == 1:
        return book[next(iter(names.values()))]
    raise sheet_refused(
        [_whole(f"El libro no tiene ninguna hoja «{NAME.es}».", f"The workbook has no sheet “{NAME.en}”.")]
    )


def _columns(cells: Sequence[Any], found: _Found) -> dict[int, Part]:
    columns: dict[int, Part] = {}
    for at, cell in enumerate(cells, start=1):
        if not _is_filled(cell):
            continue
        text = str(cell.value)
        part = heading_of(text) if cell.data_type != "f" else None
        if part is None:
            shown = text[:40]
            found.add(
                Sentence(f"Columna ajena: «{shown}». Bórrela.", f"A foreign column: “{shown}”. Delete it."), 1, at
            )
        elif part in columns.values():
            found.add(Sentence(f"«{text}» está dos veces.", f"“{text}” is there twice."), 1, at)
        else:
            columns[at] = part
    for part in needed():
        if part not in columns.values():
            name = HEADINGS[part]
            found.add(Sentence(f"Falta la columna «{name.es}».", f"The column “{name.en}” is missing."), 1)
    return columns


def _check_cells(number: int, cells: Sequence[Any], columns: Mapping[int, Part], found: _Found) -> None:
    for at, cell in enumerate(cells, start=1):
        if not _is_filled(cell):
            continue
        if at not in columns:
            found.add(Sentence("Un valor fuera de las columnas.", "A value outside of the columns."), number, at)
        elif cell.data_type == "f":
            found.add(Sentence("Una fórmula: escriba el valor.", "A formula: write the value."), number, at)
        elif cell.data_type == "e":
            found.add(Sentence(f"Un error de Excel: {cell.value}.", f"A fault of Excel's: {cell.value}."), number, at)


def _line(number: int, values: Mapping[Part, Any], columns: Mapping[int, Part], found: _Found) -> Line | None:
    """The row, if a new value was written in it that can be read."""
    new = values.get("new")
    if new is None or new.data_type in ("f", "e"):
        return None
    places = {part: at for at, part in columns.items()}
    for part in ("record", "question", "reason"):
        if part not in values or not _text(values[part]).strip():
            told = {
                "record": Sentence("Falta el registro.", "The record is missing."),
                "question": Sentence("Falta la pregunta.", "The question is missing."),
                "reason": Sentence("Diga por qué se corrige.", "Say why it is corrected."),
            }[part]
            found.add(told, number, places[part])
    text = {part: _text(cell) for part, cell in values.items() if part != "new"}
    return Line(
        number=number,
        record=text.get("record", "").strip(),
        row=text.get("row", "").strip(),
        question=text.get("question", "").strip(),
        old=text.get("old"),
        mark=text.get("mark", "").strip() or None,
        new=new.value,
        reason=text.get("reason", "").strip(),
        columns={part: get_column_letter(at) for part, at in places.items()},
    )


def _check_twice(lines: Sequence[Line], found: _Found) -> None:
    first: dict[tuple[str, str, str], int] = {}
    for line in lines:
        place = (line.record, line.row if line.row != line.record else "", line.question)
        earlier = first.setdefault(place, line.number)
        if earlier != line.number:
            told = Sentence(f"La misma respuesta está en la fila {earlier}.", f"The same answer is in row {earlier}.")
            found.findings.append(line.wrong("question", told))


def text_of(type_: Type, value: Any) -> str | Sentence:
    """What a phone would have sent for the value of a cell; or why it cannot be known."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip()
    if isinstance(value, bool):
        return _boolean(value) if type_ == "boolean" else _write_text("true/false")
    if isinstance(value, int | float):
        whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
        return str(int(value)) if whole or isinstance(value, int) else repr(value)
    if isinstance(value, datetime):
        if type_ == "date" and value.time() == time():
            return value.date().isoformat()
        return _write_text("2026-03-31")
    if isinstance(value, date):
        return value.isoformat() if type_ == "date" else _write_text("2026-03-31")
    if isinstance(value, time) and type_ == "time":
        return value.isoformat()
    return _write_text("08:30")


def _write_text(example: str) -> Sentence:
    return Sentence(
        f"Excel lo convirtió en otra cosa; escríbalo como texto, con un apóstrofo delante ('{example}).",
        f"Excel made something else of it; write it as text, with an apostrophe before it ('{example}).",
    )


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _is_filled(cell: Any) -> bool:
    return cell.value is not None and cell.value != ""


def _text(cell: Any) -> str:
    value = cell.value
    made = value if isinstance(value, str) else text_of("date" if isinstance(value, date) else "string", value)
    return made if isinstance(made, str) else str(value)


def _check_archive(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise _no_workbook() from error
    if "[Content_Types].xml" not in {part.filename for part in parts} or any(
        part.filename in ("xl/workbook.bin", "content.xml") for part in parts
    ):
        raise _no_workbook()
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise _too_large(f"{MAX_UNPACKED // 2**20} MB")
    _check_tags(data, parts)


def _check_tags(data: bytes, parts: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse what is small and yet holds so many elements (cells, styles, names) that reading them takes minutes."""
    left = {True: MAX_TAGS, False: MAX_TAGS_BESIDE}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for part in parts:
                holds_cells = part.filename.startswith(("xl/worksheets/", "xl/sharedStrings"))
                with archive.open(part) as file:
                    while block := file.read(1 << 20):
                        left[holds_cells] -= block.count(b"<")
                        if left[holds_cells] < 0:
                            raise _too_large(f"{MAX_TAGS:,} elementos", f"{MAX_TAGS:,} elements")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise _no_workbook() from error


def _no_workbook() -> Problem:
    return sheet_refused(
        [
            _whole(
                "El archivo no es un libro de Excel (.xlsx). Guárdelo como «Libro de Excel (.xlsx)».",
                "The file is no Excel workbook (.xlsx). Save it as “Excel Workbook (.xlsx)”.",
            )
        ]
    )


def _too_large(limit: str, english: str | None = None) -> Problem:
    return sheet_refused(
        [
            _whole(
                f"El libro es demasiado grande: el límite es de {limit}.",
                f"The workbook is too large: the limit is {english or limit}.",
            )
        ]
    )


def _whole(es: str, en: str) -> Finding:
    return Finding(severity="error", sentence=Sentence(es, en))

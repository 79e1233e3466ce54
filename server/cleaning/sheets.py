"""Sheets: the workbook in which answers are corrected: the old value, locked, beside the new one."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from forms.problems import Sentence
from forms.schema import Type

Part = Literal["record", "row", "question", "label", "found", "expected", "old", "new", "reason", "mark"]
HEADINGS: Final[Mapping[Part, Sentence]] = {
    "record": Sentence("registro", "record"),
    "row": Sentence("fila", "row"),
    "question": Sentence("pregunta", "question"),
    "label": Sentence("etiqueta", "label"),
    "found": Sentence("señalado", "flagged"),
    "expected": Sentence("qué se espera", "expected"),
    "old": Sentence("valor anterior", "old value"),
    "new": Sentence("valor nuevo", "new value"),
    "reason": Sentence("motivo", "reason"),
    "mark": Sentence("marca", "mark"),
}
"""The headings of the sheet, in order. `mark` (hidden) tells the old value where a cell cannot hold it exactly."""
NAME: Final = Sentence("Correcciones", "Corrections")
BLANK: Final = Sentence("[en blanco]", "[blank]")
"""What stands for blank as a new value."""
MOST_LINES: Final = 5_000
"""Answers of one workbook."""
MOST_NEW: Final = 2_000
"""New values of one upload: all of them are read and foreseen at once."""
_CELL: Final = 32_000
_WIDTHS: Final = {"record": 24, "row": 24, "question": 24, "label": 32, "found": 24, "expected": 28, "mark": 4}
_OPEN: Final[frozenset[Part]] = frozenset({"new", "reason"})
_SHOWN: Final[Mapping[Type, str]] = {"date": "yyyy-mm-dd", "int": "General", "decimal": "General"}
_HELP: Final = (
    Sentence(
        "Escriba el valor correcto en «valor nuevo» y por qué en «motivo»; las demás columnas no se cambian.",
        "Write the right value in “new value” and why in “reason”; the other columns are not changed.",
    ),
    Sentence(
        f"Una fila sin valor nuevo se deja como está. Para dejar la respuesta en blanco escriba {BLANK.es}.",
        f"A row without a new value is left as it is. To make the answer blank write {BLANK.en}.",
    ),
    Sentence(
        "De una selección se escriben los códigos, con espacios entre ellos si son varios.",
        "Of a selection the codes are written, with spaces between them if there are several.",
    ),
    Sentence(
        "Al subir el libro, una fila cuyo valor anterior ya no es el que está guardado se rechaza; las demás se aplican.",
        "When the workbook is uploaded, a row whose old value is no longer what is kept is refused; the others are applied.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLine:
    """An answer to be corrected: where it stands (`row` is "" for the form's row), what is known of it, what it says."""

    record: str
    row: str
    question: str
    label: str
    found: str
    expected: str
    type: Type
    old: str | None


def mark(text: str | None) -> str:
    """What tells an old value: the beginning of its SHA-256. Blank is told too."""
    return hashlib.sha256(b"" if text is None else b"=" + text.encode()).hexdigest()[:20]


def write(lines: Iterable[SheetLine], language: str) -> bytes:
    """The workbook. Only the new value and the reason can be written; text never becomes a formula or a link."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        locked = book.add_format({"quote_prefix": True, "font_color": "#555555", "valign": "top"})
        open_ = {
            shown: book.add_format({"num_format": shown, "locked": False, "bg_color": "#FFF8E1", "border": 1})
            for shown in ("@", *_SHOWN.values())
        }
        sheet = book.add_worksheet(NAME.say(language))
        for at, (part, heading) in enumerate(HEADINGS.items()):
            sheet.set_column(at, at, _WIDTHS.get(part, 24), None, {"hidden": part == "mark"})
            sheet.write_string(0, at, heading.say(language), bold)
        number = 0
        for number, line in enumerate(lines, start=1):
            _write_line(sheet, number, line, locked, open_)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(number, 1), len(HEADINGS) - 1)
        sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})
        _explain(book.add_worksheet(Sentence("Instrucciones", "How to").say(language)), language)
    return file.getvalue()


def _write_line(sheet: Worksheet, number: int, line: SheetLine, locked: Format, open_: Mapping[str, Format]) -> None:
    texts: dict[Part, str] = {
        "record": line.record,
        "row": line.row,
        "question": line.question,
        "label": line.label,
        "found": line.found,
        "expected": line.expected,
        "old": line.old or "",
        "mark": mark(line.old),
    }
    for at, part in enumerate(HEADINGS):
        if part in _OPEN:
            shown = _SHOWN.get(line.type, "@") if part == "new" else "@"
            sheet.write_blank(number, at, None, open_[shown])
        elif texts[part]:
            sheet.write_string(number, at, _fit(texts[part]), locked)


def _explain(sheet: Worksheet, language: str) -> None:
    sheet.set_column(0, 0, 120)
    for at, sentence in enumerate(_HELP):
        sheet.write_string(at, 0, sentence.say(language))
    sheet.protect()


def _fit(text: str) -> str:
    """What a cell can hold (Excel counts characters beyond U+FFFF twice); the mark tells the rest."""
    return text if len(text) <= _CELL // 2 else text[: _CELL // 2]


def heading_of(text: str) -> Part | None:
    """The part of the sheet that a heading names, in either language."""
    wanted = text.strip().lower()
    return next((part for part, heading in HEADINGS.items() if wanted in (heading.es, heading.en)), None)


def needed() -> Sequence[Part]:
    """The headings that an upload cannot do without."""
    return ("record", "question", "old", "new", "reason")

"""Translations: how complete each language of a workbook is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from forms.problems import Finding, Sentence
from forms.spreadsheets import Sheet

_TEXTS: Final[Mapping[str, str]] = {
    "label": "label",
    "caption": "label",
    "hint": "hint",
    "guidance_hint": "guidance_hint",
    "constraint_message": "constraint_message",
    "constraining_message": "constraint_message",
    "jr:constraintmsg": "constraint_message",
    "required_message": "required_message",
    "requiredmsg": "required_message",
    "jr:requiredmsg": "required_message",
}
_MEDIA: Final = frozenset({"image", "big-image", "audio", "video"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """Of the texts and media that exist in some language, how many this language has; and the first it lacks."""

    language: str
    filled: int
    total: int
    sheet: str | None = None
    row: int | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True)
class _Column:
    header: str
    base: str
    language: str


def completeness(sheets: Sequence[Sheet], default_language: str) -> tuple[Completeness, ...]:
    """One record per language of `sheets` (survey and choices), in order of appearance; () for a form in one language.

    A text counts where a cell in some language is filled. A column without language belongs to `default_language` where
    the same column also exists with a language; a label or hint that stands only without language is the same text in
    all of them and is not counted, media are, since pyxform shows them in the default language only.
    """
    languages = dict.fromkeys(
        column.language for sheet in sheets for column in _columns(sheet, default_language) if column.language
    )
    if len(languages) < 2:
        return ()
    cells = [cell for sheet in sheets for cell in _cells(sheet, default_language)]
    records = []
    for language in languages:
        missing = next((cell for cell in cells if language not in cell[3]), None)
        records.append(
            Completeness(
                language=language,
                filled=sum(language in cell[3] for cell in cells),
                total=len(cells),
                sheet=missing[0] if missing else None,
                row=missing[1] if missing else None,
                column=f"{missing[2]}::{language}" if missing else None,
            )
        )
    return tuple(records)


def findings(records: Sequence[Completeness], default_language: str) -> Iterator[Finding]:
    """A warning for each incomplete language: pyxform writes “-” for what is missing, and Collect shows that."""
    for record in records:
        if record.filled == record.total:
            continue
        share = f"{record.filled} / {record.total}"
        es = (
            f"Idioma «{record.language}»: {share} textos ({_percent(record)} %). Donde falta la traducción, el teléfono "
            "muestra «-»."
        )
        en = (
            f"Language “{record.language}”: {share} texts ({_percent(record)} %). Where the translation is missing, the "
            "phone shows “-”."
        )
        if record.language == default_language:
            es += " Es el idioma principal del formulario: complételo antes de publicar."
            en += " It is the form's default language: complete it before publishing."
        yield Finding(
            severity="warning",
            sentence=Sentence(es=es, en=en),
            sheet=record.sheet,
            row=record.row,
            column=record.column,
        )


def _percent(record: Completeness) -> int:
    return 100 * record.filled // record.total


def _cells(sheet: Sheet, default_language: str) -> Iterator[tuple[str, int, str, set[str]]]:
    """Sheet, row, base column and the languages that have it, for each text of the sheet."""
    bases: dict[str, list[_Column]] = {}
    for column in _columns(sheet, default_language):
        bases.setdefault(column.base, []).append(column)
    for number, row in enumerate(sheet.rows, start=2):
        for base, columns in bases.items():
            if base not in _MEDIA and not any(column.language for column in columns):
                continue
            filled = {column.language or default_language for column in columns if column.header in row}
            if filled:
                yield sheet.name, number, base, filled


def _columns(sheet: Sheet, default_language: str) -> list[_Column]:
    """The translatable columns of a sheet. `language` is "" where neither the header nor a sister column has one."""
    delimiter = "::" if any("::" in header for header in sheet.headers) else ":"
    found: list[_Column] = []
    for header in sheet.headers:
        base, language = _read(header, delimiter)
        if base:
            found.append(_Column(header, base, language))
    localised = {column.base for column in found if column.language}
    return [
        column
        if column.language or column.base not in localised
        else _Column(column.header, column.base, default_language)
        for column in found
    ]


def _read(header: str, delimiter: str) -> tuple[str, str]:
    tokens = [token.strip() for token in header.split(delimiter)]
    if len(tokens) > 1 and tokens[0].lower() in {"media", "bind", "jr"}:
        tokens = tokens[1:] if tokens[0].lower() != "jr" else [f"jr:{tokens[1]}", *tokens[2:]]
    name = "_".join(tokens[0].lower().split())
    base = name if name in _MEDIA else _TEXTS.get(name, "")
    return base, tokens[1] if base and len(tokens) > 1 else ""

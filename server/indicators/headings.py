"""Headings: which heading of a sheet is which column, in which language, and which headings nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from forms.problems import Finding, Sentence, Severity
from forms.spreadsheets import Sheet
from server.indicators.cells import Texts
from server.indicators.schemas import SCHEMAS, columns_of

_SPANISH: Final[Mapping[str, str]] = {
    "nombre": "name", "código": "code", "codigo": "code", "etiqueta": "label", "tipo": "type", "nivel": "level",
    "padre": "parent", "formulario": "form", "valor": "value", "clave": "key", "peso": "weight", "fecha": "date",
    "lugar": "place", "unidad": "unit", "fuente": "source", "categoría": "category", "categoria": "category",
    "condición": "where", "mensaje": "message", "campos": "fields", "lista": "list_name", "cuando": "when",
}  # fmt: skip
_ALIASES: Final[Mapping[str, str]] = {"value": "name", "caption": "label"}  # XLSForm's, in choices


MOST_COMPARED: Final = 200
"""Words that one is compared with, where it is almost one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A sheet's name as written, and its headings: heading → column and language ("" for none)."""

    sheet: str
    columns: Mapping[str, tuple[str, str]]

    def heading(self, column: str) -> str:
        """The heading that a column has in this sheet; the column's own name where it has none."""
        return next((heading for heading, (name, _) in self.columns.items() if name == column), column)

    def has(self, column: str) -> bool:
        """Whether the sheet has the column."""
        return any(name == column for name, _ in self.columns.values())


def nearest(written: str, known: Collection[str]) -> str | None:
    """The word of `known` that somebody who wrote `written` may have meant, in Spanish or other letters too.

    Among more than MOST_COMPARED words only one that differs by capital letters or by zeros before it is looked for.
    """
    folded = {_loose(word): word for word in known}
    meant = folded.get(_loose(written)) or folded.get(_SPANISH.get(written.casefold(), ""))
    if meant is not None or len(folded) > MOST_COMPARED:
        return meant
    return next((folded[near] for near in difflib.get_close_matches(_loose(written), folded, n=1, cutoff=0.75)), None)


def _loose(word: str) -> str:
    """A word without what Excel and people lose: capital letters, and zeros before a code."""
    return word.casefold().lstrip("0") or "0"


def arrange(sheet: Sheet, name: str) -> tuple[Layout, tuple[Finding, ...]]:
    """The layout of the sheet `name`, and findings: a heading twice and one that seems misspelt are errors.

    A column that seems misspelt would change numbers unseen if it were passed over; any other unknown one only warns.
    Further columns of `choices`, and those that begin with an underscore, are nobody's business, as in XLSForm.
    """
    fields = columns_of(SCHEMAS[name])
    read = {heading: _read(heading, name, fields) for heading in sheet.headers}
    columns: dict[str, tuple[str, str]] = {}
    unknown: list[str] = []
    findings: list[Finding] = []
    for heading, (column, language) in read.items():
        if column not in fields or (language and not isinstance(fields[column], Texts)):
            if not heading.startswith("_"):
                unknown.append(heading)
        elif (column, language) in columns.values():
            other = next(other for other, found in columns.items() if found == (column, language))
            findings.append(
                _finding(
                    sheet,
                    heading,
                    "error",
                    f"Las columnas «{other}» y «{heading}» dicen lo mismo. Borre una de ellas.",
                    f"The columns “{other}” and “{heading}” say the same. Delete one of them.",
                )
            )
        else:
            columns[heading] = (column, language)
    layout = Layout(sheet=sheet.name, columns=columns)
    if name != "choices":
        findings.extend(_unknown(sheet, unknown, read, layout, fields))
    return layout, tuple(findings)


def _read(heading: str, sheet: str, fields: Mapping[str, object]) -> tuple[str, str]:
    """Column and language: `label::Español (es)`, and `label:Español` as older XLSForms write it."""
    base, double, language = heading.partition("::")
    if not double:
        begin, colon, rest = heading.partition(":")
        if colon and isinstance(fields.get(begin.strip().lower()), Texts):
            base, language = begin, rest
    column = "_".join(base.lower().split())
    if sheet == "choices":
        column = _ALIASES.get(column, column)
    return column, " ".join(language.split())


def _unknown(
    sheet: Sheet,
    unknown: Collection[str],
    read: Mapping[str, tuple[str, str]],
    layout: Layout,
    fields: Mapping[str, object],
) -> Iterator[Finding]:
    free = [column for column, field in fields.items() if isinstance(field, Texts) or not layout.has(column)]
    for heading in unknown:
        column, language = read[heading]
        meant = column if column in fields else nearest(column, free)
        if meant is None or not any(heading in row for row in sheet.rows):
            yield _finding(
                sheet,
                heading,
                "warning",
                f"La columna «{heading}» no se conoce y no se lee. Las columnas de esta hoja son: {', '.join(fields)}.",
                f"The column “{heading}” is unknown and is not read. The columns of this sheet are: {', '.join(fields)}.",
            )
            continue
        if language and isinstance(fields[meant], Texts):
            meant = f"{meant}::{language}"
        yield _finding(
            sheet,
            heading,
            "error",
            f"La columna «{heading}» no se conoce. ¿Quiso decir «{meant}»? Corrija el título, o borre la columna.",
            f"The column “{heading}” is unknown. Did you mean “{meant}”? Correct the heading, or delete the column.",
        )


def _finding(sheet: Sheet, heading: str, severity: Severity, es: str, en: str) -> Finding:
    return Finding(severity=severity, sentence=Sentence(es, en), sheet=sheet.name, row=1, column=heading)

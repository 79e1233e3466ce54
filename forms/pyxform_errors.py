"""pyxform's messages as findings: the place in the workbook, and a sentence in Spanish and English."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pyxform.errors import ErrorCode, PyXFormError

from forms.problems import Finding, Sentence, Severity
from forms.pyxform_spanish import CODES, COLUMNS, RULES, Rule

Locate = Callable[[str, Mapping[str, str]], int | None]
"""Row of a sheet (first argument) that holds these cells (column → text); None where no row or several do."""

_ROW: Final = re.compile(r"\[row : (?P<row>\w+)\]\s*")
_SHEET: Final = re.compile(r"(?:On the '(?P<on>[^']*)' sheet, |Invalid headers provided for sheet: '(?P<of>[^']*)'\. )")
_COLUMN: Final = re.compile(r"the '(?P<column>[^']*)' value\b")
_NEAR: Final = re.compile(r"sheets with similar names were found: (?P<sheets>.*?)\.(?: |$)")
_NEXT: Final = re.compile(r"\n(?=\[row : )")
_TRANSLATIONS: Final = re.compile(r"Language '.*' is missing the (?:survey|choices) ")
_MISSPELT: Final = re.compile(r"When looking for a sheet named ")
_WRITTEN: Final[Mapping[str, str]] = {"dataset": "list_name"}  # pyxform's inner names of columns


def error_findings(error: PyXFormError, locate: Locate) -> tuple[Finding, ...]:
    """The findings of an exception of pyxform (it stops at the first error, but reports repeated codes together)."""
    code: ErrorCode | None = error.code
    if code is not None:
        return (_of_code(code, error.context, "error"),)
    return tuple(_finding(message, "error", locate) for message in _NEXT.split(str(error)))


def warning_findings(warnings: list[str], locate: Locate) -> Iterator[Finding]:
    """pyxform's warnings, without those that `forms.translations` and `forms.misspellings` say more of."""
    for warning in warnings:
        if not _TRANSLATIONS.match(warning) and not _MISSPELT.match(warning):
            yield from (_finding(message, "warning", locate) for message in _NEXT.split(warning))


def _finding(message: str, severity: Severity, locate: Locate) -> Finding:
    for code, pattern in _CODE_PATTERNS:
        if match := pattern.match(message):
            return _of_code(code, match.groupdict(), severity)
    row, words = _without_row(message)
    for rule in RULES:
        if match := rule.pattern.match(words):
            return _of_rule(rule, match, row, words, severity, locate)
    sheet = _SHEET.search(words)
    column = _COLUMN.search(words)
    sentence = Sentence(es=f"pyxform dice: «{words}»", en=words)
    return Finding(
        severity=severity,
        sentence=sentence,
        sheet=(sheet["on"] or sheet["of"]) if sheet else ("survey" if row else None),
        row=row,
        column=column["column"] if column else None,
    )


def _of_code(code: ErrorCode, context: Mapping[str, Any], severity: Severity) -> Finding:
    fields = _Fields({key: _WRITTEN.get(value, value) for key, value in context.items() if value is not None})
    _, words = _without_row(code.value.msg.format_map(fields))
    sheet = _SHEET.match(words)
    words = _SHEET.sub("", words, count=1)
    spanish = CODES.get(code.name)
    return Finding(
        severity=severity,
        sentence=Sentence(
            es=spanish.format_map(fields) if spanish else f"pyxform dice: «{words}»",
            en=words[:1].upper() + words[1:],
        ),
        sheet=_sheet_of(code, sheet, fields),
        row=_number(fields.get("row")) or (1 if code.name.startswith("HEADER") else None),
        column=COLUMNS.get(code.name) or fields.get("column"),
    )


def _sheet_of(code: ErrorCode, match: re.Match[str] | None, fields: Mapping[str, Any]) -> str | None:
    if match:
        return match["on"] or match["of"]
    return "survey" if "row" in fields and code is not ErrorCode.NAMES_013 else None


def _of_rule(
    rule: Rule, match: re.Match[str], row: int | None, words: str, severity: Severity, locate: Locate
) -> Finding:
    fields = match.groupdict()
    if row is None and rule.sheet and rule.find:
        row = locate(rule.sheet, {column: text.format_map(fields) for column, text in rule.find.items()})
    near = _NEAR.search(words)
    return Finding(
        severity=severity,
        sentence=Sentence(
            es=rule.es.format_map(fields) + (f" Hay hojas con un nombre parecido: {near['sheets']}." if near else ""),
            en=rule.en.format_map(fields) if rule.en else words,
        ),
        sheet=rule.sheet,
        row=row,
        column=rule.column,
    )


class _Fields(dict[str, Any]):
    """Fields of a message; one that pyxform did not give reads as a question mark."""

    def __missing__(self, key: str) -> str:
        return "?"


def _without_row(message: str) -> tuple[int | None, str]:
    match = _ROW.match(message)
    return (_number(match["row"]), message[match.end() :].strip()) if match else (None, message.strip())


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None


def _pattern(message: str) -> re.Pattern[str]:
    """A pattern that reads the fields of a formatted message back; doubled braces stand for single ones."""
    parts = re.split(r"(\{\{|\}\}|\{\w+\})", message)
    seen: set[str] = set()
    pattern = ""
    for part in parts:
        if part in ("{{", "}}"):
            pattern += re.escape(part[0])
        elif part.startswith("{"):
            field = part[1:-1]
            pattern += f"(?P={field})" if field in seen else f"(?P<{field}>.*?)"
            seen.add(field)
        else:
            pattern += re.escape(part)
    return re.compile(pattern + r"(?:\s.*)?$", re.DOTALL)


_CODE_PATTERNS: Final = tuple((code, _pattern(code.value.msg)) for code in ErrorCode)

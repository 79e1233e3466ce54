"""Workbooks: an XLSForm becomes an XForm and the marks of its own columns (`privacy`, `consent`, `was`,
`save_to_confirmed`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree
from pyxform.errors import PyXFormError
from pyxform.parsing.expression import is_xml_tag
from pyxform.xls2xform import ConvertResult, convert

from forms import misspellings, privacy, spreadsheets, survey_expressions, translations
from forms.problems import Finding, Problem, Sentence, workbook_not_valid
from forms.pyxform_errors import error_findings, warning_findings
from forms.spreadsheets import Book, Row, Sheet

FORM_SHEETS: Final = frozenset({"survey", "choices", "settings", "external_choices", "entities", "osm"})
"""The sheets of an XLSForm; all others of a workbook are extra sheets."""

_BEGIN: Final = re.compile(r"begin[ _](?:group|lgroup|repeat|looped group|loop)(?: .*)?")
_END: Final = re.compile(r"end[ _](?:group|lgroup|repeat|looped group|loop)")
_ALIASES: Final[Mapping[str, str]] = {"command": "type", "tag": "name", "value": "name"}
_YES: Final = frozenset({"yes", "true", "true()"})
_FILES: Final = frozenset({"csv-external", "xml-external"})  # rows that name a file and ask nothing
_OURS: Final = frozenset({"privacy", "consent", "was", "save_to_confirmed"})
_CONFIRMED: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("yes", "sí", "si", "true", "true()", "1"), True),
    **dict.fromkeys(("no", "false", "false()", "0"), False),
}
_H: Final = "{http://www.w3.org/1999/xhtml}"
_XF: Final = "{http://www.w3.org/2002/xforms}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a row of the survey sheet says of its question beside XLSForm: how private it is (`forms.privacy`), which answer
    allows to keep it (`forms.consent`), the name it had before, and whether it may go into a list of entities although it
    identifies a person (`forms.entity_findings`)."""

    privacy: str | None = None
    consent: str | None = None
    was: str | None = None
    save_to_confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A workbook turned into a form.

    `xml` is exactly what phones are served. `marks` and `rows` (row of the survey sheet) go by question path, as
    `forms.schema.Field.path` writes it; `lists` gives the row of the entities sheet by entity list, `choices_were` list →
    code → former code. `itemsets` must be attached to the form as itemsets.csv where it is not None. `sheets` are the
    workbook's extra sheets, named as written.
    `findings` are warnings.
    """

    xml: bytes
    form_id: str
    version: str
    title: str
    findings: tuple[Finding, ...] = ()
    marks: Mapping[str, Mark] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    lists: Mapping[str, int] = field(default_factory=dict)
    choices_were: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    languages: tuple[translations.Completeness, ...] = ()
    itemsets: bytes | None = None
    sheets: tuple[str, ...] = ()


def compile(  # noqa: A001 - said as forms.workbook.compile
    data: bytes, filename: str, *, form_id_fallback: str | None = None
) -> Compiled:
    """The form in the workbook `data` (.xlsx, .xls or .md).

    A workbook without form_id takes `form_id_fallback`, else the name of the file. Raises Problem 400.15, whose findings
    name sheet, row and column where known.
    """
    book = spreadsheets.read(data, filename, FORM_SHEETS)
    survey = _survey(book)
    settings = _settings(book)
    questions = tuple(_questions(survey))

    unread = misspellings.findings(book)
    errors = [*_mark_findings(survey, questions), *_name_findings(survey, questions), *_choice_column_findings(book)]
    if errors or any(finding.severity == "error" for finding in unread):
        raise workbook_not_valid([*unread, *errors])
    result = _convert(book, form_id_fallback or _stem(filename), unread)
    formulas = tuple(survey_expressions.findings(survey))
    broken = [finding for finding in formulas if finding.severity == "error"]
    if broken:
        raise workbook_not_valid(broken)
    content = result.xform.encode()
    root = _root(content)
    instance = root.find(f"{_H}head/{_XF}model/{_XF}instance/*")
    if instance is None:
        raise _one_error("El formulario está vacío.", "The form is empty.")
    version = str(instance.get("version", ""))
    completeness = translations.completeness(
        [book.sheets[name] for name in ("survey", "choices") if name in book.sheets],
        settings.get("default_language", "default"),
    )
    return Compiled(
        xml=content,
        form_id=str(instance.get("id", "")),
        version=version,
        title=root.findtext(f"{_H}head/{_H}title") or "",
        findings=(
            *unread,
            *_version_findings(book, version),
            *_settings_findings(book),
            *formulas,
            *translations.findings(completeness, settings.get("default_language", "default")),
            *warning_findings(result.warnings, _Locator(book)),
        ),
        marks={q.path: q.mark for q in questions if q.mark != Mark()},
        rows={q.path: q.row for q in questions},
        lists=_entity_lists(book),
        choices_were=_choices_were(book),
        languages=completeness,
        itemsets=result.itemsets.encode() if result.itemsets is not None else None,
        sheets=tuple(name for name in book.names if name.lower() not in FORM_SHEETS),
    )


@dataclass(frozen=True, slots=True)
class _Question:
    path: str
    row: int
    mark: Mark


class _Locator:
    """Finds the row of a sheet that holds given cells; of the parameters, a part is enough."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def __call__(self, sheet: str, wanted: Mapping[str, str]) -> int | None:
        rows = [
            number
            for number, row in enumerate(self._book.sheets[sheet].rows if sheet in self._book.sheets else (), start=2)
            if all(_holds(_cells(row).get(column, ""), column, text) for column, text in wanted.items())
        ]
        return rows[0] if len(rows) == 1 else None


def _holds(cell: str, column: str, text: str) -> bool:
    return text in cell if column == "parameters" else text == cell


def _survey(book: Book) -> Sheet:
    survey = book.sheets.get("survey")
    if survey is None:
        names = ", ".join(book.names)
        meant = misspellings.likely_sheet(book.names, "survey")
        raise _one_error(
            f"El libro no tiene una hoja «survey» con las preguntas. Sus hojas son: {names}."
            + (f" Si las preguntas están en «{meant}», cambie su nombre a «survey»." if meant else ""),
            f"The workbook has no sheet “survey” with the questions. Its sheets are: {names}."
            + (f" If the questions are in “{meant}”, change its name to “survey”." if meant else ""),
        )
    if not survey.headers:
        raise _one_error(
            "La primera fila de la hoja «survey» está vacía: ahí van los nombres de las columnas (type, name, label).",
            "The first row of the sheet “survey” is empty: the names of the columns (type, name, label) go there.",
            sheet=survey.name,
        )
    if not any(survey.rows):
        raise _one_error(
            "La hoja «survey» no tiene preguntas.", "The sheet “survey” has no questions.", sheet=survey.name
        )
    return survey


def _settings(book: Book) -> Row:
    sheet = book.sheets.get("settings")
    return _cells(next((row for row in sheet.rows if row), {})) if sheet else {}


def _cells(row: Row) -> dict[str, str]:
    """The cells of a row under the names that pyxform gives the columns it knows: lower case, underscores, no alias."""
    names = {header: "_".join(header.lower().split()) for header in row}
    return {_ALIASES.get(names[header], names[header]): text for header, text in row.items()}


def _questions(survey: Sheet) -> Iterator[_Question]:
    """Each question, group and repeat of the survey sheet with its path; unmatched ends are left to pyxform."""
    groups: list[str] = []
    for number, row in enumerate(survey.rows, start=2):
        cells = _cells(row)
        kind = " ".join(cells.get("type", "").split())
        if not kind or kind in _FILES or cells.get("disabled", "").lower() in _YES:
            continue
        if _END.fullmatch(kind):
            if groups:
                groups.pop()
            continue
        name = cells.get("name", f"generated_note_name_{number}" if kind == "note" else "")
        path = "/meta/audit" if kind == "audit" else "/" + "/".join([*groups, name])
        private = cells.get("privacy", "").lower() or None
        mark = Mark(
            privacy=private,
            consent=cells.get("consent"),
            was=cells.get("was"),
            save_to_confirmed=_CONFIRMED.get(cells.get("save_to_confirmed", "").lower(), False),
        )
        yield _Question(path, number, mark)
        if _BEGIN.fullmatch(kind):
            groups.append(name)


def _mark_findings(survey: Sheet, questions: tuple[_Question, ...]) -> Iterator[Finding]:
    """An unknown mark would leave a question unprotected, so it is an error."""
    for question in questions:
        private = question.mark.privacy
        if private is not None and private not in privacy.STRICTEST:
            known = ", ".join(privacy.STRICTEST)
            yield Finding(
                severity="error",
                sentence=Sentence(
                    es=f"«{private}» no es un valor de «privacy». Use uno de estos: {known}.",
                    en=f"“{private}” is no value of “privacy”. Use one of these: {known}.",
                ),
                sheet=survey.name,
                row=question.row,
                column="privacy",
            )
    for number, row in enumerate(survey.rows, start=2):
        confirmed = _cells(row).get("save_to_confirmed")
        if confirmed is not None and confirmed.lower() not in _CONFIRMED:
            yield Finding(
                severity="error",
                sentence=Sentence(
                    es=f"«{confirmed}» no es un valor de «save_to_confirmed». Use «yes» o deje la celda vacía.",
                    en=f"“{confirmed}” is no value of “save_to_confirmed”. Use “yes” or leave the cell empty.",
                ),
                sheet=survey.name,
                row=number,
                column="save_to_confirmed",
            )


def _name_findings(survey: Sheet, questions: tuple[_Question, ...]) -> Iterator[Finding]:
    """pyxform lets a colon pass, but it would be read as a namespace that no form declares."""
    for question in questions:
        if ":" in question.path.rpartition("/")[2]:
            yield Finding(
                severity="error",
                sentence=Sentence(
                    es="El nombre no puede llevar dos puntos (:).", en="The name cannot hold a colon (:)."
                ),
                sheet=survey.name,
                row=question.row,
                column="name",
            )


def _choice_column_findings(book: Book) -> Iterator[Finding]:
    """Columns of choices become elements of the form, so pyxform would write ill-formed XML for a column named 2023."""
    sheet = book.sheets.get("choices")
    for header in sheet.headers if sheet else ():
        if ":" in header or " " in header or is_xml_tag(header):
            continue
        yield Finding(
            severity="error",
            sentence=Sentence(
                es=f"El título de columna «{header}» no sirve: debe comenzar con una letra y llevar solo letras, números, "
                "guiones bajos, guiones o puntos.",
                en=f"The column header “{header}” cannot be used: it must begin with a letter and hold only letters, "
                "digits, underscores, hyphens or periods.",
            ),
            sheet=sheet.name if sheet else None,
            row=1,
            column=header,
        )


def _convert(book: Book, fallback_id: str, unread: tuple[Finding, ...]) -> ConvertResult:
    try:
        return convert(xlsform=_for_pyxform(book, fallback_id))
    except PyXFormError as error:
        types = misspellings.type_findings(book.sheets["survey"])
        told = {(finding.row, finding.column) for finding in types}
        others = [one for one in error_findings(error, _Locator(book)) if (one.row, one.column) not in told]
        raise workbook_not_valid([*unread, *types, *others]) from error
    except Exception as error:  # pyxform lets any exception through when cells hold what it does not expect
        raise _one_error(
            f"pyxform no pudo convertir el libro ({type(error).__name__}: {error}). Revise los nombres, las columnas y "
            "las fórmulas.",
            f"pyxform could not convert the workbook ({type(error).__name__}: {error}). Check names, columns and "
            "formulas.",
        ) from error


def _for_pyxform(book: Book, fallback_id: str) -> dict[str, Any]:
    """The sheets as pyxform reads them itself (`DefinitionData`), without the columns that are ours."""
    definition: dict[str, Any] = {"sheet_names": list(book.names), "fallback_form_name": fallback_id}
    for name, sheet in book.sheets.items():
        told = name in {"survey", "choices"}
        ours = {header for header in sheet.headers if told and "_".join(header.lower().split()) in _OURS}
        rows = [{header: text for header, text in row.items() if header not in ours} for row in sheet.rows]
        headers = dict.fromkeys(header for header in sheet.headers if header not in ours)
        definition[name] = [row for row in rows if row] if name == "settings" else rows
        definition[f"{name}_header"] = [headers] if headers else []
    return definition


def _root(content: bytes) -> etree._Element:
    """The root of the XForm, read without any mending: what is served must be well-formed as it stands."""
    try:
        return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise _one_error(
            f"El formulario que resulta no es XML válido ({error}). Revise los nombres de preguntas, opciones y columnas.",
            f"The resulting form is not valid XML ({error}). Check the names of questions, choices and columns.",
        ) from error


def _version_findings(book: Book, version: str) -> Iterator[Finding]:
    if version:
        return
    yield Finding(
        severity="warning",
        sentence=Sentence(
            es="El formulario no tiene versión. Escriba una en la hoja «settings», columna «version» (por ejemplo, "
            "2026010101) y cámbiela cada vez que cambie el formulario: así los teléfonos reconocen el nuevo.",
            en="The form has no version. Write one in the sheet “settings”, column “version” (for example 2026010101) "
            "and change it whenever the form changes: that is how phones recognise the new one.",
        ),
        sheet=book.sheets["settings"].name if "settings" in book.sheets else "settings",
        row=2 if "settings" in book.sheets else None,
        column="version",
    )


def _settings_findings(book: Book) -> Iterator[Finding]:
    """pyxform reads the first row alone."""
    sheet = book.sheets.get("settings")
    filled = [number for number, row in enumerate(sheet.rows if sheet else (), start=2) if row]
    for number in filled[1:2]:
        yield Finding(
            severity="warning",
            sentence=Sentence(
                es=f"De la hoja «settings» solo se lee la fila {filled[0]}; esta no.",
                en=f"Of the sheet “settings” only row {filled[0]} is read; this one is not.",
            ),
            sheet=sheet.name if sheet else None,
            row=number,
        )


def _entity_lists(book: Book) -> dict[str, int]:
    sheet = book.sheets.get("entities")
    lists: dict[str, int] = {}
    for number, row in enumerate(sheet.rows if sheet else (), start=2):
        cells = _cells(row)
        name = cells.get("list_name") or cells.get("dataset")
        if name:
            lists.setdefault(name, number)
    return lists


def _choices_were(book: Book) -> dict[str, dict[str, str]]:
    lists: dict[str, dict[str, str]] = {}
    sheet = book.sheets.get("choices")
    for row in sheet.rows if sheet else ():
        cells = _cells(row)
        if {"list_name", "name", "was"} <= cells.keys():
            lists.setdefault(cells["list_name"], {})[cells["name"]] = cells["was"]
    return lists


def _stem(filename: str) -> str:
    name = re.split(r"[\\/]", filename)[-1]
    return name.rpartition(".")[0].strip() or name.strip() or "form"


def _one_error(es: str, en: str, sheet: str | None = None) -> Problem:
    return workbook_not_valid([Finding(severity="error", sentence=Sentence(es=es, en=en), sheet=sheet)])

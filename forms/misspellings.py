"""Misspellings: sheets and columns that nobody reads, since their names are almost those of an XLSForm."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pyxform import aliases
from pyxform.question import MultipleChoiceQuestion, Option
from pyxform.question_type_dictionary import QUESTION_TYPE_DICT
from pyxform.survey import Survey

from forms.problems import Finding, Sentence, Severity
from forms.spreadsheets import Book, Sheet

OUR_SHEETS: Final = ("results", "indicators", "dimensions", "targets", "checks", "places")
"""Sheets of a workbook that are read beside those of an XLSForm."""

_NEAR: Final = 0.75
"""How much of two names is the same, by difflib's ratio (0 to 1), where one may be meant by the other."""
_SHEETS: Final = ("survey", "choices", "settings", "entities", "external_choices", *OUR_SHEETS)
_SHEET_WORDS: Final[Mapping[str, str]] = {
    "encuesta": "survey", "cuestionario": "survey", "preguntas": "survey", "formulario": "survey", "questions": "survey",
    "opciones": "choices", "alternativas": "choices", "listas": "choices", "options": "choices", "lists": "choices",
    "ajustes": "settings", "configuracion": "settings", "parametros": "settings", "opciones_externas": "external_choices",
    "entidades": "entities", "entity": "entities", "indicadores": "indicators", "resultados": "results", "metas": "targets",
    "desagregaciones": "dimensions", "dimensiones": "dimensions", "lugares": "places", "verificaciones": "checks",
}  # fmt: skip
_LANGUAGES: Final = frozenset(
    (
        "es", "en", "fr", "pt", "cab", "cuk", "gym", "emp", "noa", "espanol", "castellano", "spanish", "ingles", "english",
        "frances", "french", "portugues", "portuguese", "ngabere", "guna", "dulegaya", "embera", "wounaan",
    )
)  # fmt: skip
_SUFFIXED: Final = re.compile(
    r"(?P<base>label|hint|guidance_hint|constraint_message|required_message)[_ :(\[-]+(?P<rest>.+)", re.IGNORECASE
)
_BRACKETS: Final = " ()[]:"
_WORDS_OF_CELLS: Final = re.compile(r"[\w.-]+")
_WITH_LIST: Final = ("select_one", "select_multiple", "select_one_from_file", "select_multiple_from_file", "rank")
_TYPES: Final = (
    *_WITH_LIST, "text", "integer", "decimal", "range", "note", "geopoint", "geotrace", "geoshape", "date", "time",
    "dateTime", "image", "audio", "video", "file", "barcode", "calculate", "acknowledge", "hidden", "start", "end", "today",
    "deviceid", "username", "audit", "begin_group", "end_group", "begin_repeat", "end_repeat",
)  # fmt: skip
_TYPE_WORDS: Final[Mapping[str, str]] = {
    "texto": "text", "entero": "integer", "numero": "integer", "number": "integer", "fecha": "date", "hora": "time",
    "datetime": "dateTime", "fecha_y_hora": "dateTime", "nota": "note", "imagen": "image", "foto": "image",
    "calculo": "calculate", "calculation": "calculate", "punto": "geopoint", "gps": "geopoint", "archivo": "file",
    "selectone": "select_one", "seleccionar_uno": "select_one", "seleccion_unica": "select_one",
    "seleccionar_varios": "select_multiple", "seleccion_multiple": "select_multiple", "selectmultiple": "select_multiple",
    "grupo": "begin_group", "inicio_grupo": "begin_group", "fin_grupo": "end_group", "repeticion": "begin_repeat",
    "inicio_repeticion": "begin_repeat", "fin_repeticion": "end_repeat",
}  # fmt: skip
_TYPES_WITH_MORE: Final = tuple(f"{kind} " for kind in (*aliases.select, *aliases.cascading, "osm")) + tuple(
    f"{place}{kind}" for place in ("begin ", "end ", "begin_", "end_") for kind in aliases.control
)
_PLACES: Final = ("type", "name", "label", "hint", "guidance_hint")  # survey columns in which no column is referred to


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a sheet: `known` to pyxform or to us, `targets` (with their other names) that may be meant, `words`
    that people write for them. Without a column of `required` there is no form."""

    known: frozenset[str]
    targets: Mapping[str, tuple[str, ...]]
    words: Mapping[str, str]
    translatable: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()


def _public(names: Iterable[str]) -> set[str]:
    return {name for name in names if not name.startswith("_")}


_CHOICES: Final = _Columns(
    known=frozenset({"was", *aliases.list_header, *_public(Option.get_slot_names())}),
    targets={
        "list_name": ("list name",), "name": ("value",), "label": ("caption",), "image": (), "audio": (), "video": (),
    },
    words={
        "lista": "list_name", "list": "list_name", "nombre_de_lista": "list_name", "nombre_lista": "list_name",
        "nombre": "name", "codigo": "name", "code": "name", "valor": "name", "etiqueta": "label", "imagen": "image",
    },
    translatable=frozenset({"label", "image", "audio", "video"}),
    required=frozenset({"list_name", "name"}),
)  # fmt: skip
_COLUMNS: Final[Mapping[str, _Columns]] = {
    "survey": _Columns(
        known=frozenset(
            (
                *("disabled", "privacy", "consent", "was", "save_to_confirmed"),
                *(*aliases.survey_header, *_public(MultipleChoiceQuestion.get_slot_names())),
            )
        ),
        targets={
            "type": ("command",), "name": ("tag", "value"), "label": ("caption",), "hint": (), "guidance_hint": (),
            "relevant": ("relevance",), "required": (), "required_message": ("requiredmsg",), "constraint": (),
            "constraint_message": ("constraining_message",), "calculation": ("calculate",), "appearance": (),
            "default": (), "choice_filter": (), "parameters": (), "repeat_count": ("count", "jr:count"),
            "read_only": ("readonly",), "trigger": (), "image": (), "audio": (), "video": (), "save_to": (),
            "disabled": (), "privacy": (), "consent": (), "save_to_confirmed": (),
        },
        words={
            "tipo": "type", "nombre": "name", "variable": "name", "etiqueta": "label", "pregunta": "label",
            "question": "label", "ayuda": "hint", "pista": "hint", "relevante": "relevant", "relevancia": "relevant",
            "condicion": "relevant", "obligatorio": "required", "obligatoria": "required", "requerido": "required",
            "requerida": "required", "restriccion": "constraint", "validacion": "constraint",
            "mensaje_de_restriccion": "constraint_message", "mensaje_restriccion": "constraint_message",
            "mensaje_de_error": "constraint_message", "calculo": "calculation", "formula": "calculation",
            "apariencia": "appearance", "filtro": "choice_filter", "filter": "choice_filter",
            "parametros": "parameters", "valor_por_defecto": "default", "por_defecto": "default",
            "repeticiones": "repeat_count", "solo_lectura": "read_only", "imagen": "image", "privacidad": "privacy",
            "consentimiento": "consent",
        },
        translatable=frozenset(
            {"label", "hint", "guidance_hint", "required_message", "constraint_message", "image", "audio", "video"}
        ),
        required=frozenset({"type"}),
    ),
    "choices": _CHOICES,
    "external_choices": _CHOICES,
    "settings": _Columns(
        known=frozenset({*aliases.settings_header, *_public(Survey.get_slot_names())}),
        targets={
            "form_id": ("id_string", "set_form_id"), "form_title": ("title", "set_form_title"), "version": (),
            "default_language": (), "public_key": (), "submission_url": (), "style": (), "instance_name": (),
            "allow_choice_duplicates": (), "auto_send": (), "auto_delete": (), "namespaces": (),
        },
        words={
            "id": "form_id", "id_formulario": "form_id", "id_del_formulario": "form_id", "titulo": "form_title",
            "titulo_del_formulario": "form_title", "idioma": "default_language", "language": "default_language",
            "idioma_principal": "default_language", "idioma_por_defecto": "default_language", "estilo": "style",
            "nombre_de_instancia": "instance_name", "clave_publica": "public_key",
        },
    ),
}  # fmt: skip


def findings(book: Book) -> tuple[Finding, ...]:
    """A finding for each sheet and column that is not read and whose name is near one that would be.

    pyxform passes over what it does not know. What is known under another name (`relevance`, `caption`), what begins with
    an underscore, and columns of choices that a formula mentions are nobody's mistake. An error where no form can do
    without the column that is meant, else a warning.
    """
    mentioned = _mentioned(book)
    return (
        *_sheet_findings(book),
        *(finding for name in _COLUMNS if name in book.sheets for finding in _column_findings(book, name, mentioned)),
    )


def likely_sheet(names: Iterable[str], wanted: str) -> str | None:
    """Which of the sheets `names` may be meant to be the sheet `wanted`, which is not among them."""
    return next((name for name in names if _meant_sheet(name, (wanted,)) == wanted), None)


def type_findings(survey: Sheet) -> tuple[Finding, ...]:
    """An error for each type of question that pyxform does not know and that is near one that it does."""
    header = next((header for header in survey.headers if _base(header, survey) in ("type", "command")), "")
    return tuple(
        Finding(
            severity="error",
            sentence=Sentence(
                es=f"El tipo de pregunta «{kind}» no existe: ¿quería decir «{meant}»?",
                en=f"There is no question type “{kind}”: did you mean “{meant}”?",
            ),
            sheet=survey.name,
            row=number,
            column="type",
        )
        for number, row in enumerate(survey.rows, start=2)
        if (kind := " ".join(row.get(header, "").split())) and (meant := _meant_type(kind))
    )


def _meant_type(kind: str) -> str | None:
    if kind in QUESTION_TYPE_DICT or kind.startswith(_TYPES_WITH_MORE):
        return None
    first, _, rest = kind.partition(" ")
    whole = _near(_folded(kind), _TYPES, _TYPE_WORDS)
    if whole is not None and whole not in _WITH_LIST:
        return whole
    one = _near(_folded(first), _TYPES, _TYPE_WORDS)
    return f"{one} {rest}".strip() if one else whole


def _sheet_findings(book: Book) -> Iterator[Finding]:
    there = {name.lower() for name in book.names if name.lower() not in book.sheets or book.sheets[name.lower()].rows}
    absent = [name for name in _SHEETS if name not in there]
    for name in book.names:
        meant = _meant_sheet(name, absent)
        if meant is not None:
            yield Finding(
                severity="warning",
                sentence=Sentence(
                    es=f"La hoja «{name}» no se lee: ¿quería decir «{meant}»? Si es otra cosa, póngale un guion bajo "
                    "delante.",
                    en=f"The sheet “{name}” is not read: did you mean “{meant}”? If it is something else, put an underscore "
                    "before its name.",
                ),
                sheet=name,
            )


def _meant_sheet(name: str, absent: Collection[str]) -> str | None:
    if name.startswith("_") or name.lower() in (*_SHEETS, "osm"):
        return None
    return _near(_folded(name), absent, _SHEET_WORDS)


def _column_findings(book: Book, name: str, mentioned: frozenset[str]) -> Iterator[Finding]:
    sheet, columns = book.sheets[name], _COLUMNS[name]
    there = {_base(header, sheet) for header in sheet.headers}
    absent = [target for target, others in columns.targets.items() if there.isdisjoint((target, *map(_snake, others)))]
    for header in sheet.headers:
        if header.startswith("_") or _base(header, sheet) in columns.known or _snake(header) in columns.known:
            continue
        meant = _meant_column(header, columns, absent)
        if meant is None or (columns is _CHOICES and header in mentioned):
            continue
        severity: Severity = "error" if name != "external_choices" and meant in columns.required else "warning"
        yield Finding(
            severity=severity,
            sentence=Sentence(
                es=f"Esta hoja no tiene ninguna columna «{header}»: ¿quería decir «{meant}»?",
                en=f"There is no column “{header}” in this sheet: did you mean “{meant}”?",
            ),
            sheet=sheet.name,
            row=1,
            column=header,
        )


def _meant_column(header: str, columns: _Columns, absent: Collection[str]) -> str | None:
    """The column that is likely meant, with its language where the header has one."""
    suffixed = _SUFFIXED.fullmatch(header.strip())
    if suffixed and suffixed["base"].lower() in columns.translatable and _is_language(suffixed["rest"]):
        return f"{suffixed['base'].lower()}::{suffixed['rest'].strip(_BRACKETS)}"
    base, colon, language = header.partition("::" if "::" in header else ":")
    if not colon:
        return _near(_folded(base), absent, columns.words)
    meant = _near(_folded(base), columns.translatable, columns.words)
    return f"{meant}::{language.strip()}" if meant else None


def _is_language(text: str) -> bool:
    words = [word.strip(_BRACKETS) for word in _folded(text).split("_")]
    return len(words) < 3 and not _LANGUAGES.isdisjoint(words)


def _near(name: str, targets: Collection[str], words: Mapping[str, str]) -> str | None:
    if words.get(name) in targets:
        return words[name]
    spelt_out = name.replace("msg", "message")
    return next(iter(difflib.get_close_matches(spelt_out, targets, n=1, cutoff=_NEAR)), None)


def _mentioned(book: Book) -> frozenset[str]:
    """Every word in a cell of the survey that may refer to a column of choices: filters, parameters, formulas."""
    survey = book.sheets.get("survey")
    if survey is None:
        return frozenset()
    headers = [header for header in survey.headers if _base(header, survey) not in _PLACES]
    return frozenset(
        word for row in survey.rows for header in headers for word in _WORDS_OF_CELLS.findall(row.get(header, ""))
    )


def _base(header: str, sheet: Sheet) -> str:
    """What a header says before its language, as pyxform splits it (`parsing.sheet_headers.process_header`)."""
    delimiter = "::" if any("::" in other for other in sheet.headers) else ":"
    return _snake(header.split(delimiter)[0]) if not header.startswith("jr:") else _snake(header)


def _snake(text: str) -> str:
    return "_".join(text.split()).lower()


def _folded(text: str) -> str:
    """Lower case without accents, words joined by underscores."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return re.sub(r"[\s_-]+", "_", plain.strip().lower())

"""Codebook: what every column of an extract is, as sheets that XLSX and HTML show alike."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from forms.problems import Sentence
from forms.schema import Field, Texts
from server.extracts import naming, questions, treatments
from server.extracts.columns import Column, Kind
from server.extracts.frame import Frame, Piece
from server.extracts.questions import Asked, Question
from server.extracts.selection import Selection
from server.extracts.treatments import Treatment, Treatments, What

_KINDS: Final[dict[Kind, Sentence]] = {
    "text": Sentence("texto", "text"),
    "integer": Sentence("número entero", "whole number"),
    "number": Sentence("número", "number"),
    "boolean": Sentence("verdadero o falso", "true or false"),
    "date": Sentence("fecha", "date"),
    "time": Sentence("hora", "time"),
    "moment": Sentence("fecha y hora", "date and time"),
    "geojson": Sentence("GeoJSON", "GeoJSON"),
}
_WHATS: Final[dict[What, Sentence]] = {
    "keep": Sentence("tal como se respondió", "as it was answered"),
    "leave out": Sentence("no se entrega", "left out"),
    "place": Sentence("no se entrega; en su lugar está el lugar", "left out; the place stands in its stead"),
    "pseudonym": Sentence("seudónimo", "pseudonym"),
    "day": Sentence("solo el día", "the day only"),
    "month": Sentence("solo el mes", "the month only"),
    "year": Sentence("solo el año", "the year only"),
}
_BLANK: Final = Sentence("en blanco: no se preguntó o no se respondió", "blank: not asked or not answered")
_BLANK_TYPED: Final = Sentence(
    "en blanco: no se preguntó o no se respondió; también si lo enviado no es de este tipo (está entre las observaciones)",
    "blank: not asked or not answered; also where what was sent is not of this type (it is among the flags)",
)
_BLANK_CHOICE: Final = Sentence(
    "en blanco: no se preguntó o no se respondió; 0: no se eligió", "blank: not asked or not answered; 0: not chosen"
)
_BLANK_KNOWN: Final = Sentence("en blanco: no se sabe", "blank: not known")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of texts: its name, its headings, its lines."""

    name: str
    headings: Sequence[str]
    lines: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What a codebook is written from. `privacy` are the marks of the form's own column `privacy`, by path."""

    asked: Asked
    frames: Sequence[Frame]
    chosen: Selection
    disclosed: Treatments
    privacy: Mapping[str, str]
    made_at: datetime


def sheets(book: Book) -> list[Sheet]:
    """What the extract is, its columns, and the codes of its choices."""
    words = naming.words_of(book.chosen.language or book.asked.newest.default_language)
    return [_about(book, words), _columns(book, words), _choices(book, words)]


def as_html(book: Book) -> bytes:
    """The codebook as one page without anything from elsewhere."""
    words = naming.words_of(book.chosen.language or book.asked.newest.default_language)
    title = f"{book.asked.newest.title or book.asked.form_id}: {Sentence('libro de códigos', 'codebook').say(words)}"
    parts = [
        f'<!doctype html><html lang="{words}"><head><meta charset="utf-8"><title>{html.escape(title)}</title><style>',
        "body{font:15px/1.45 system-ui,sans-serif;margin:2rem;color:#222}table{border-collapse:collapse;margin:1rem 0}",
        "th,td{border:1px solid #ccc;padding:.3rem .5rem;text-align:left;vertical-align:top}th{background:#f2f2f2}",
        f"</style></head><body><h1>{html.escape(title)}</h1>",
    ]
    for sheet in sheets(book):
        parts.append(f"<h2>{html.escape(sheet.name)}</h2><table><thead><tr>")
        parts.extend(f"<th>{html.escape(heading)}</th>" for heading in sheet.headings)
        parts.append("</tr></thead><tbody>")
        for line in sheet.lines:
            parts.append("<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in line) + "</tr>")
        parts.append("</tbody></table>")
    return "".join([*parts, "</body></html>"]).encode()


def _about(book: Book, words: str) -> Sheet:
    asked, chosen = book.asked, book.chosen
    versions = ", ".join(dict.fromkeys(schema.version or "—" for schema in asked.schemas))
    every = chosen.rows.every
    lines = [
        (Sentence("formulario", "form"), asked.form_id),
        (Sentence("título", "title"), asked.newest.title),
        (Sentence("versiones", "versions"), versions),
        (Sentence("hecho", "made"), book.made_at.isoformat(timespec="seconds")),
        (
            Sentence("envíos", "submissions"),
            Sentence("todos", "all").say(words)
            if every
            else Sentence("los que se pidieron", "those asked for").say(words),
        ),
        (
            Sentence("idioma de las etiquetas", "language of labels"),
            chosen.language or asked.newest.default_language or "",
        ),
        (Sentence("zona de fechas con hora", "zone of dates with time"), str(chosen.zone)),
        *((Sentence("filas", "rows"), _unit(frame, chosen).say(words)) for frame in book.frames),
        (
            Sentence("nombres en Stata y SPSS", "names in Stata and SPSS"),
            Sentence(
                "los de las columnas stata y spss; las opciones que no son números llevan ahí el número de la hoja de "
                "opciones, y un código que no está en ella recibe el número siguiente, con el código como etiqueta",
                "those of the columns stata and spss; choices that are no numbers have there the number on the sheet of "
                "choices, and a code that is not on it gets the next number, with the code as its label",
            ).say(words),
        ),
    ]
    heads = (Sentence("qué", "what").say(words), Sentence("cómo", "how").say(words))
    return Sheet(Sentence("extracto", "extract").say(words), heads, [(what.say(words), how) for what, how in lines])


def _unit(frame: Frame, chosen: Selection) -> Sentence:
    if frame.path == "":
        return Sentence(f"{frame.name}: una por envío", f"{frame.name}: one for each submission")
    if chosen.joined is not None:
        return Sentence(
            f"{frame.name}: una por cada fila de {frame.path}, con las respuestas de lo que la contiene repetidas; lo que no "
            "tiene ninguna no está",
            f"{frame.name}: one for each row of {frame.path}, the answers of what holds it repeated; what has none is not "
            "there",
        )
    return Sentence(
        f"{frame.name}: una por cada fila de {frame.path}; _parent_key es el _key de la que la contiene",
        f"{frame.name}: one for each row of {frame.path}; _parent_key is the _key of the one that holds it",
    )


def _columns(book: Book, words: str) -> Sheet:
    languages = book.asked.newest.languages or ("",)
    headings = [
        Sentence("tabla", "table").say(words),
        Sentence("columna", "column").say(words),
        "stata",
        "spss",
        Sentence("tipo", "type").say(words),
        Sentence("etiqueta", "label").say(words),
        *(f"label::{language}" for language in languages if language),
        Sentence("pregunta", "question").say(words),
        Sentence("se pregunta si", "asked if").say(words),
        Sentence("versiones que la preguntan", "versions that ask it").say(words),
        Sentence("privacidad", "privacy").say(words),
        Sentence("se entrega", "given").say(words),
        Sentence("sin valor", "no value").say(words),
    ]
    lines: list[Sequence[str]] = []
    for frame in book.frames:
        stata, spss = naming.stata_names(frame.columns), naming.spss_names(frame.columns)
        names = iter(zip(stata, spss, strict=True))
        for piece in frame.pieces:
            for column in piece.columns:
                lines.append(_line(book, frame, column, piece, next(names), words))
        shown = {piece.question.path for piece in frame.pieces if piece.question is not None}
        told = book.asked.chain(frame.path) if book.chosen.joined is not None else [frame.path]
        lines.extend(
            _left_out(book, frame, question, words)
            for table in told
            for question in book.asked.of(table)
            if question.path not in shown and book.chosen.wants(question)
        )
    return Sheet(Sentence("columnas", "columns").say(words), headings, lines)


def _line(book: Book, frame: Frame, column: Column, piece: Piece, names: tuple[str, str], words: str) -> Sequence[str]:
    question = piece.question
    texts = question.entry.label if question is not None else {}
    return [
        frame.name,
        column.name,
        *names,
        _KINDS[column.kind].say(words),
        column.label,
        *_translated(texts, book.asked),
        column.path if question is not None else "",
        _asked_if(question, book.asked) if question is not None else "",
        ", ".join(version or "—" for version in question.versions) if question is not None else "",
        book.privacy.get(column.path, ""),
        _given(piece.treatment, words),
        _missing(column, question).say(words),
    ]


def _left_out(book: Book, frame: Frame, question: Question, words: str) -> Sequence[str]:
    treatment = treatments.of(book.disclosed, question.path)
    return [
        frame.name,
        "",
        "",
        "",
        "",
        questions.say(question.entry.label, book.chosen.language, book.asked.newest.default_language),
        *_translated(question.entry.label, book.asked),
        question.path,
        _asked_if(question, book.asked),
        ", ".join(version or "—" for version in question.versions),
        book.privacy.get(question.path, ""),
        _given(treatment, words),
        "",
    ]


def _translated(texts: Texts, asked: Asked) -> list[str]:
    return [questions.say({language: texts.get(language, "")}, language) for language in asked.newest.languages]


def _given(treatment: Treatment, words: str) -> str:
    return _WHATS[treatment.what].say(words)


def _missing(column: Column, question: Question | None) -> Sentence:
    if question is None:
        return _BLANK_KNOWN
    if question.entry.control == "select" and column.part:
        return _BLANK_CHOICE
    return _BLANK if column.kind == "text" else _BLANK_TYPED


def _asked_if(question: Question, asked: Asked) -> str:
    """The conditions of the question and of the groups around it, as the XForm of the newest version that has it says."""
    schema = next((one for one in reversed(asked.schemas) if question.path in one.by_path), None)
    if schema is None:
        return ""
    found: list[str] = []
    entry: Field | None = schema.by_path[question.path]
    while entry is not None:
        if entry.relevant:
            found.insert(0, entry.relevant)
        entry = schema.by_path.get(entry.parent_path)
    return found[0] if len(found) == 1 else " and ".join(f"({condition})" for condition in found)


def _choices(book: Book, words: str) -> Sheet:
    headings = [
        Sentence("tabla", "table").say(words),
        Sentence("columna", "column").say(words),
        Sentence("código", "code").say(words),
        Sentence("número en Stata y SPSS", "number in Stata and SPSS").say(words),
        Sentence("etiqueta", "label").say(words),
        *(f"label::{language}" for language in book.asked.newest.languages),
    ]
    lines = [
        line
        for frame in book.frames
        for piece in frame.pieces
        if piece.question is not None and not piece.treatment.changes
        for line in _codes(piece.question, piece.columns[0], frame, book)
    ]
    return Sheet(Sentence("opciones", "choices").say(words), headings, lines)


def _codes(question: Question, column: Column, frame: Frame, book: Book) -> Iterator[Sequence[str]]:
    numbers = dict(question.numbers)
    for choice in question.choices:
        label = questions.say(choice.label, book.chosen.language, book.asked.newest.default_language)
        number = str(numbers[choice.name]) if choice.name in numbers else ""
        yield [frame.name, column.name, choice.name, number, label, *_translated(choice.label, book.asked)]

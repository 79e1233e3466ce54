"""Row rules: what the cells of one row must be to each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from forms.expressions.mistakes import MistakenError
from forms.expressions.parser import parse
from forms.problems import Finding
from server.indicators.check_rules import check_findings
from server.indicators.declarations import ENTITIES, EXPRESSIONS
from server.indicators.entries import Entry
from server.indicators.formulas import names_in
from server.indicators.headings import nearest
from server.indicators.periods import KINDS

_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "count": (),
    "distinct": ("key",),
    **dict.fromkeys(("sum", "mean", "median", "min", "max"), ("value",)),
    "percent": ("numerator",),
    "ratio": ("numerator", "denominator"),
    "formula": ("value",),
    "manual": (),
}
_ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "count": ("numerator",),
    "distinct": ("numerator",),
    "percent": ("denominator",),
}
_MEASURES: Final = ("numerator", "denominator", "value")
_UNITLESS: Final = ("formula", "manual")
_OF_UNITS: Final = (
    *("form", "over", "where", "key", "latest", "group", "cohort", "join", "weight", "strata", "psu", "date", "place"),
)
"""Columns that speak of the units of a form or an entity list."""
_SAYS: Final[Mapping[str, tuple[str, str]]] = {
    "numerator": ("la condición que se cuenta o la cantidad que se suma", "the condition counted or the quantity summed"),
    "denominator": ("la cantidad por la que se divide", "the quantity to divide by"),
    "value": ("lo que se calcula, ${ingreso} o {I6a} div {I6b}", "what is computed, ${income} or {I6a} div {I6b}"),
    "key": ("lo que se cuenta una sola vez, como ${ben_id}", "what is counted only once, such as ${ben_id}"),
}  # fmt: skip
_UNWEIGHTED: Final = ("distinct", "min", "max")


def row_findings(sheet: str, entry: Entry, has_survey: bool) -> Iterator[Finding]:
    """What is wrong within a row of a sheet, of a workbook with or without a survey."""
    if sheet == "indicators":
        yield from _indicator(entry, has_survey)
    elif sheet == "dimensions":
        yield from _source(entry, has_survey)
        yield from _syntax(entry, "expression")
    elif sheet == "checks":
        yield from _source(entry, has_survey)
        yield from check_findings(entry)
        yield from _syntax(entry, "when", "key", "place")
    elif sheet == "targets":
        yield from _target(entry)


def _indicator(entry: Entry, has_survey: bool) -> Iterator[Finding]:
    kind = entry.get("type")
    if kind in _UNITLESS:
        yield from _no_units(entry, kind)
    elif kind is not None:
        yield from _source(entry, has_survey)
        yield from _of_keys(entry, kind)
        yield from _design(entry, kind)
    if kind is not None:
        yield from _measures(entry, kind)
    yield from _syntax(entry, *EXPRESSIONS)
    yield from _period(entry, kind)


def _measures(entry: Entry, kind: str) -> Iterator[Finding]:
    for column in _NEEDS[kind]:
        if entry.blank(column):
            es, en = _SAYS[column]
            yield entry.finding(
                column,
                f"El tipo «{kind}» necesita «{column}»: escriba {es}.",
                f"The type “{kind}” needs “{column}”: write {en}.",
            )
    for column in _MEASURES:
        if not entry.blank(column) and column not in (*_NEEDS[kind], *_ALSO.get(kind, ())):
            takers = ", ".join(other for other in _NEEDS if column in (*_NEEDS[other], *_ALSO.get(other, ())))
            yield entry.finding(
                column,
                f"El tipo «{kind}» no usa «{column}». Borre la celda, o cambie el tipo: lo usan {takers}.",
                f"The type “{kind}” does not use “{column}”. Clear the cell, or change the type: {takers} use it.",
            )
    formula = entry.get("value") if kind == "formula" else None
    if formula is not None and _reads(formula) and not names_in(formula):
        yield entry.finding(
            "value",
            "La fórmula no nombra ningún indicador: escríbalos entre llaves, como {I6a} div {I6b}.",
            "The formula names no indicator: write them in braces, as in {I6a} div {I6b}.",
        )


def _no_units(entry: Entry, kind: str) -> Iterator[Finding]:
    for column in _OF_UNITS:
        if not entry.blank(column):
            es, en = (
                ("se calcula con otros indicadores", "is computed from other indicators")
                if kind == "formula"
                else ("se escribe a mano en «targets»", "is typed by hand in “targets”")
            )
            yield entry.finding(
                column,
                f"Un indicador «{kind}» {es} y no usa «{column}». Borre la celda o cambie el tipo.",
                f"An indicator “{kind}” {en} and does not use “{column}”. Clear the cell or change the type.",
            )


def _source(entry: Entry, has_survey: bool) -> Iterator[Finding]:
    """An indicator, a dimension or a check is about one form, or about one entity list."""
    if (entry.get("over") or "").startswith(ENTITIES):
        if not entry.blank("form"):
            yield entry.finding(
                "form",
                "Una lista de entidades no pertenece a un formulario. Borre esta celda, o la de «over».",
                "An entity list belongs to no form. Clear this cell, or that of “over”.",
            )
    elif not has_survey and entry.blank("form") and "over" not in entry.bad:
        yield entry.finding(
            "form",
            "Diga de qué formulario se trata: este libro no tiene una hoja «survey», así que no es de ninguno.",
            "Say which form this is about: this workbook has no sheet “survey”, so it belongs to none.",
        )


def _of_keys(entry: Entry, kind: str) -> Iterator[Finding]:
    if not entry.blank("latest") and entry.blank("key") and entry.blank("group"):
        yield entry.finding(
            "latest",
            "«latest» necesita «key» (o «group»): diga de quién son las últimas filas, como ${ben_id}.",
            "“latest” needs “key” (or “group”): say whose last rows they are, such as ${ben_id}.",
        )
    for column in ("cohort", "join"):
        if not entry.blank(column) and entry.blank("key") and kind != "distinct":
            yield entry.finding(
                column,
                f"«{column}» necesita «key»: diga qué identifica a cada persona o cosa, como ${{ben_id}}.",
                f"“{column}” needs “key”: say what identifies each person or thing, such as ${{ben_id}}.",
            )
    used = kind == "distinct" or not all(entry.blank(column) for column in ("latest", "cohort", "join"))
    if not entry.blank("key") and not used:
        yield entry.finding(
            "key",
            f"El tipo «{kind}» no usa «key» sin «latest», «cohort» o «join». Para contar cada clave una sola vez el tipo es "
            "«distinct».",
            f"The type “{kind}” does not use “key” without “latest”, “cohort” or “join”. To count each key only once the "
            "type is “distinct”.",
            "warning",
        )


def _design(entry: Entry, kind: str) -> Iterator[Finding]:
    for column in ("strata", "psu"):
        if not entry.blank(column) and entry.blank("weight"):
            yield entry.finding(
                column,
                f"«{column}» no tiene efecto sin «weight»: escriba el peso, o 1 donde todas las filas pesan lo mismo.",
                f"“{column}” has no effect without “weight”: write the weight, or 1 where all rows weigh the same.",
                "note",
            )
    if not entry.blank("weight") and kind in _UNWEIGHTED:
        yield entry.finding(
            "weight",
            f"El tipo «{kind}» no usa el peso.",
            f"The type “{kind}” does not use the weight.",
            "note",
        )


def _period(entry: Entry, kind: str | None) -> Iterator[Finding]:
    period = entry.get("period")
    if period is None or period in KINDS:
        return
    kinds = ", ".join(KINDS)
    if "${" not in period:
        near = nearest(period, KINDS)
        es, en = (f" ¿Quiso decir «{near}»?", f" Did you mean “{near}”?") if near else ("", "")
        yield entry.finding(
            "period",
            f"«{period}» no es un período: use {kinds}, o una expresión como ${{ronda}}.{es}",
            f"“{period}” is no period: use {kinds}, or an expression such as ${{survey_round}}.{en}",
        )
    elif kind in _UNITLESS:
        yield entry.finding(
            "period",
            f"Un indicador «{kind}» no tiene preguntas: el período es {kinds}, o nada.",
            f"An indicator “{kind}” has no questions: the period is one of {kinds}, or nothing.",
        )
    else:
        yield from _syntax(entry, "period")


def _target(entry: Entry) -> Iterator[Finding]:
    for column, other in (("dimension", "category"), ("category", "dimension")):
        if entry.blank(column) and not entry.blank(other):
            yield entry.finding(
                column,
                f"«{column}» y «{other}» van juntas: escriba las dos o ninguna.",
                f"“{column}” and “{other}” go together: write both or neither.",
            )
    kind = entry.get("kind")
    if kind is not None and entry.blank("value"):
        if kind == "baseline" and entry.blank("period"):
            yield entry.finding(
                "value",
                "Escriba el valor de la línea de base, o el período de cuyos datos se calcula.",
                "Write the value of the baseline, or the period from whose data it is computed.",
            )
        elif kind != "baseline":
            yield entry.finding(
                "value",
                f"Un «{kind}» necesita su valor; solo una «baseline» con período se calcula.",
                f"A row of kind “{kind}” needs its value; only a “baseline” with a period is computed.",
            )
    if kind == "actual" and entry.blank("source"):
        yield entry.finding(
            "source",
            "Diga de dónde viene la cifra escrita a mano.",
            "Say where the figure typed by hand comes from.",
            "warning",
        )


def _syntax(entry: Entry, *columns: str) -> Iterator[Finding]:
    """Brackets, quotes and grammar; names and kinds are looked at where the form is known."""
    for column in columns:
        text = entry.get(column)
        if text is None:
            continue
        try:
            parse(text)
        except MistakenError as error:
            for mistake in error.mistakes:
                yield entry.finding(column, mistake.sentence.es, mistake.sentence.en)


def _reads(text: str) -> bool:
    try:
        parse(text)
    except MistakenError:
        return False
    return True

"""Corrections: which values may be laid over an answer, which corrections are, and what an edit makes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from forms import privacy, values
from forms.overlay import Place
from forms.problems import Sentence
from forms.schema import Field, Schema, Type
from server.model.corrections import Correction, CorrectionState

MAX_TEXT: Final = 100_000
"""Characters of a value that is laid over an answer."""
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SHOWN: Final = 12
SELECTS: Final = ("select1", "select", "rank")
"""Controls whose answers are codes of choices."""
TYPES: Final[Mapping[Type, Sentence]] = {
    "int": Sentence("un número entero", "a whole number"),
    "decimal": Sentence("un número (con punto: 3.5)", "a number (with a point: 3.5)"),
    "boolean": Sentence("true o false", "true or false"),
    "date": Sentence("una fecha como 2026-03-31", "a date like 2026-03-31"),
    "time": Sentence("una hora como 08:30", "a time like 08:30"),
    "dateTime": Sentence(
        "una fecha con hora y zona como 2026-03-31T08:30:00.000-05:00",
        "a date with time and zone like 2026-03-31T08:30:00.000-05:00",
    ),
    "geopoint": Sentence("latitud y longitud como «8.98 -79.52»", "latitude and longitude like “8.98 -79.52”"),
    "geotrace": Sentence("puntos con punto y coma entre ellos", "points with semicolons between them"),
    "geoshape": Sentence("puntos con punto y coma entre ellos", "points with semicolons between them"),
}
"""What is expected of an answer, by its type; any text where a type is not here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A correction seen from one version: `place` is where it would lie there (None: that row or question is gone), `text`
    what that version says itself; `sure` whether the row is the one that was corrected, beyond doubt."""

    correction: Correction
    place: Place | None
    text: str | None = None
    type: Type = "string"
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """What is laid over a version, and the corrections that have another state from this version on."""

    layers: Mapping[Place, str | None] = field(default_factory=dict)
    changes: Sequence[tuple[Correction, CorrectionState]] = ()


def decide(found: Sequence[Found]) -> Decision:
    """Lay the last active correction of each answer over it, as long as the answer is what it was when it was corrected.

    Where an edit changed the answer (or took its row or question away), all its corrections are reopened: nothing is laid
    over it until somebody decides. Where the edit brings the very value that was laid over it, they are settled.
    """
    layers: dict[Place, str | None] = {}
    changes: list[tuple[Correction, CorrectionState]] = []
    stacks: dict[Place, list[Found]] = {}
    for one in found:
        if one.correction.state != "active":
            continue
        if one.place is None:
            changes.append((one.correction, "reopened"))
        else:
            stacks.setdefault(one.place, []).append(one)
    for place, stack in stacks.items():
        top = stack[-1]
        if all(one.sure and same(one.type, one.text, one.correction.raw_text) for one in stack):
            layers[place] = top.correction.new_text
            continue
        settled = top.sure and same(top.type, top.text, top.correction.new_text)
        changes.extend((one.correction, "settled" if settled else "reopened") for one in stack)
    return Decision(layers, tuple(changes))


def same(type_: Type, one: str | None, other: str | None) -> bool:
    """Whether two texts are one value of the type (`5` and `5.0` are one number); blank is None."""
    if one == other:
        return True
    if one is None or other is None or type_ in values.TEXT_TYPES:
        return False
    try:
        return bool(values.parse(type_, one) == values.parse(type_, other))
    except values.MisfitError:
        return False


def refusal(schema: Schema, entry: Field, text: str | None) -> Sentence | None:
    """Why `text` (None: blank) cannot be laid over the answers to a question; None where it can."""
    if entry.kind != "question" or entry.path.startswith("/meta/"):
        return Sentence("No es una pregunta que se pueda corregir.", "This is no question that can be corrected.")
    if text is None:
        return None
    if entry.type == "binary":
        return Sentence(
            "El nombre de un archivo no se cambia; solo se puede dejar en blanco.",
            "The name of a file is not changed; it can only be made blank.",
        )
    if len(text) > MAX_TEXT:
        return Sentence(f"Tiene más de {MAX_TEXT} caracteres.", f"It is longer than {MAX_TEXT} characters.")
    if _FORBIDDEN.search(text):
        return Sentence("Contiene caracteres que no se pueden usar.", "It holds characters that cannot be used.")
    if not text.strip():
        return Sentence(
            "Solo contiene espacios; para dejar la respuesta en blanco, dígalo.",
            "It holds nothing but spaces; to make the answer blank, say so.",
        )
    type_: Type = entry.type or "string"
    try:
        value = values.parse(type_, text)
    except values.MisfitError:
        value = None
    if value is None:
        wanted = TYPES.get(type_, Sentence("otro valor", "another value"))
        return Sentence(f"«{text[:60]}» no es {wanted.es}.", f"“{text[:60]}” is not {wanted.en}.")
    return _no_choice(schema, entry, text)


def _no_choice(schema: Schema, entry: Field, text: str) -> Sentence | None:
    choices = [choice.name for choice in schema.options(entry.path)] if entry.control in SELECTS else []
    if not choices:
        return None
    given = [text] if entry.control == "select1" else text.split()
    wrong = next((code for code in given if code not in choices), None)
    if wrong is not None:
        listed = ", ".join(choices[:_SHOWN]) + (", …" if len(choices) > _SHOWN else "")
        return Sentence(
            f"«{wrong[:60]}» no es una opción de esta pregunta: {listed}.",
            f"“{wrong[:60]}” is no choice of this question: {listed}.",
        )
    if len(set(given)) < len(given):
        return Sentence("Una opción está dos veces.", "A choice is there twice.")
    return None


def remark(schema: Schema, entry: Field) -> Sentence | None:
    """What should be said of a correction of this question that is allowed."""
    if entry.calculate is not None and entry.control is None:
        return Sentence(
            "La respuesta se calcula de otras: las que salen de ella no se vuelven a calcular.",
            "The answer is calculated from others: what is calculated from it is not calculated again.",
        )
    if entry.control in SELECTS and not schema.options(entry.path):
        return Sentence(
            "Las opciones están en un archivo: no se revisó que el valor sea una de ellas.",
            "The choices stand in a file: it was not checked that the value is one of them.",
        )
    calculated = calculated_from(schema, entry)
    if calculated:
        listed = ", ".join(one.name for one in calculated[:_SHOWN]) + (", …" if len(calculated) > _SHOWN else "")
        return Sentence(
            f"No se vuelve a calcular lo que el teléfono calculó con esta respuesta; revíselo: {listed}.",
            f"What the phone calculated from this answer is not calculated again; look at it: {listed}.",
        )
    return None


def calculated_from(schema: Schema, entry: Field) -> list[Field]:
    """The questions that the phone calculates from the answer to this one, also by way of others, in the form's order."""
    found: dict[str, Field] = {}
    waiting = [entry]
    while waiting:
        source = waiting.pop()
        for one in schema.fields:
            if one.calculate is None or source.name not in one.calculate or one.path in found or one.path == entry.path:
                continue
            if source.path in privacy.read_paths(one, schema):
                found[one.path] = one
                waiting.append(one)
    return [one for one in schema.fields if one.path in found and not one.path.startswith("/meta/")]

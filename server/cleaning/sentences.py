"""Sentences: what a flag says, to whoever looks at the records: the coordinator's own words, or those of the built-in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from forms.problems import Sentence
from server.cleaning.rules import CLOCK

Details = Mapping[str, Any]
_ANSWER: Final = re.compile(r"\$\{\s*([^{}]+?)\s*\}")
TITLES: Final[Mapping[str, Sentence]] = {
    CLOCK: Sentence("Reloj del teléfono", "Clock of the phone"),
    "builtin:type": Sentence("Valor que no es de su tipo", "Value not of its type"),
    "builtin:unknown": Sentence("Pregunta desconocida", "Unknown question"),
    "builtin:twice": Sentence("Pregunta que llegó dos veces", "Question that came twice"),
    "builtin:form_version": Sentence("Versión desconocida", "Unknown version"),
    "builtin:correction": Sentence("Corrección reabierta", "Correction reopened"),
}
"""How the checks are called that are on by themselves."""
_TABULATED: Final[Mapping[str, Sentence]] = {
    "builtin:type": Sentence("el valor no es de su tipo", "the value is not of its type"),
    "builtin:unknown": Sentence("la versión no tiene esta pregunta", "the version has no such question"),
    "builtin:twice": Sentence("la pregunta llegó dos veces", "the question came twice"),
    "builtin:form_version": Sentence("versión del formulario desconocida", "unknown version of the form"),
    "builtin:correction": Sentence(
        "una edición cambió la respuesta que se había corregido", "an edit changed the answer that was corrected"
    ),
}


def said(check: str, details: Details | None) -> Sentence:
    """What a built-in check says of what it found; of any other check its name."""
    if check in _TABULATED:
        return _TABULATED[check]
    say = _SAYERS.get(str((details or {}).get("kind")))
    return say(details or {}) if say is not None else Sentence(check, check)


def filled(text: str, details: Details | None) -> str:
    """A message of the sheet with the answers that the flag tells in the place of `${question}`; any other one is —."""
    answers = (details or {}).get("answers") or {}
    return _ANSWER.sub(lambda match: str(answers.get(match[1]) or "—"), text)


def _clock(details: Details) -> Sentence:
    hours = details.get("hours")
    if details.get("wrong") == "early":
        return Sentence(
            f"el teléfono dice un momento anterior al {details.get('since')}, cuando comenzó el levantamiento",
            f"the phone says a moment before {details.get('since')}, when the survey began",
        )
    if details.get("wrong") == "backwards":
        return Sentence(
            f"según el teléfono terminó {_number(hours)} horas antes de comenzar",
            f"by the phone's clock it ended {_number(hours)} hours before it began",
        )
    return Sentence(
        f"el reloj del teléfono está {_number(hours)} horas adelantado respecto a la hora en que llegó",
        f"the phone's clock is {_number(hours)} hours ahead of when it was received",
    )


def _duration(details: Details) -> Sentence:
    minutes, least, most = details.get("minutes"), details.get("minimum"), details.get("maximum")
    source = (
        Sentence("según el registro de pantallas", "by the log of screens")
        if details.get("logged")
        else Sentence("de start a end", "from start to end")
    )
    if least is not None and minutes is not None and minutes <= least:
        return Sentence(
            f"duró {_number(minutes)} minutos ({source.es}), menos de {_number(least)}",
            f"it took {_number(minutes)} minutes ({source.en}), less than {_number(least)}",
        )
    return Sentence(
        f"duró {_number(minutes)} minutos ({source.es}), más de {_number(most)}",
        f"it took {_number(minutes)} minutes ({source.en}), more than {_number(most)}",
    )


def _speeding(details: Details) -> Sentence:
    seconds, least, screens = details.get("seconds"), details.get("minimum"), details.get("screens")
    return Sentence(
        f"la mitad de sus {screens} pantallas con preguntas se vio {_number(seconds)} segundos o menos; el mínimo es "
        f"{_number(least)}",
        f"half of its {screens} screens with questions were seen for {_number(seconds)} seconds or less; the least is "
        f"{_number(least)}",
    )


def _gps_missing(_: Details) -> Sentence:
    return Sentence("falta la ubicación", "the location is missing")


def _gps_imprecise(details: Details) -> Sentence:
    metres, most = details.get("metres"), details.get("maximum")
    return Sentence(
        f"la ubicación tiene una precisión de {_number(metres)} metros; el máximo es {_number(most)}",
        f"the location is precise to {_number(metres)} metres; the most is {_number(most)}",
    )


def _gps_outside(details: Details) -> Sentence:
    if details.get("wrong") == "area":
        return Sentence("la ubicación está fuera del área declarada", "the location is outside the declared area")
    place, far, most = details.get("place"), details.get("kilometres"), details.get("maximum")
    return Sentence(
        f"la ubicación está a {_number(far)} km de donde suelen estar los registros de «{place}»; el máximo es "
        f"{_number(most)}",
        f"the location is {_number(far)} km from where the records of “{place}” usually are; the most is "
        f"{_number(most)}",
    )


def _duplicate(details: Details) -> Sentence:
    others, count = ", ".join(details.get("others") or ()), details.get("count") or 0
    if not others:
        return Sentence("la misma clave está en otros registros", "the same key is in other records")
    more = ", …" if count > len(details.get("others") or ()) else ""
    return Sentence(f"la misma clave está en: {others}{more}", f"the same key is in: {others}{more}")


def _straight_lining(details: Details) -> Sentence:
    answered, items = details.get("answered"), details.get("items")
    return Sentence(
        f"la misma respuesta en las {answered} preguntas contestadas de {items} de una escala",
        f"the same answer to the {answered} questions answered of the {items} of a scale",
    )


def _outlier(details: Details) -> Sentence:
    middle, deviations = details.get("median"), details.get("deviations")
    return Sentence(
        f"muy lejos de lo demás: la mediana es {_number(middle)}, y está a {_number(deviations)} desviaciones "
        "(robustas) de ella",
        f"far outside the rest: the median is {_number(middle)}, and it is {_number(deviations)} (robust) "
        "deviations away",
    )


def _number(value: Any) -> str:
    """A number, with the decimal point that Panama writes in Spanish too."""
    return "—" if value is None else f"{value:g}" if abs(value) < 1e5 else f"{value:.0f}"


_SAYERS: Final[Mapping[str, Callable[[Details], Sentence]]] = {
    "clock": _clock,
    "duration": _duration,
    "speeding": _speeding,
    "gps_missing": _gps_missing,
    "gps_imprecise": _gps_imprecise,
    "gps_outside": _gps_outside,
    "duplicate": _duplicate,
    "straight_lining": _straight_lining,
    "outlier": _outlier,
}

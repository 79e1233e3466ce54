"""Refusals: the problems of whoever corrects and reviews, with what to do about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from forms.problems import Finding, Problem, Sentence
from server.problems import not_found

MOST_TOLD: Final = 500
"""Faults of a workbook that are told one by one."""
_IN_SENTENCE: Final = 5


def no_submission(instance_id: str) -> Problem:
    """404.1: the form has no such submission."""
    return not_found(
        Sentence(
            es=f"El formulario no tiene ningún envío «{instance_id}».",
            en=f"The form has no submission “{instance_id}”.",
        ),
        {"instanceId": instance_id},
    )


def no_correction(number: int) -> Problem:
    """404.1: the form has no correction of this number."""
    return not_found(
        Sentence(es=f"El formulario no tiene ninguna corrección {number}.", en=f"The form has no correction {number}."),
        {"correctionId": number},
    )


def no_row(key: str) -> Problem:
    """404.1: the submission has no such row (any more)."""
    return not_found(
        Sentence(es=f"El envío no tiene ninguna fila «{key}».", en=f"The submission has no row “{key}”."), {"row": key}
    )


def no_question(path: str, row: str) -> Problem:
    """404.1: the version that the submission answers has no such question in such a row."""
    return not_found(
        Sentence(
            es=f"La fila «{row}» no tiene ninguna pregunta «{path}».", en=f"The row “{row}” has no question “{path}”."
        ),
        {"question": path, "row": row},
    )


def not_as_expected(path: str, expected: str | None, stands: str | None) -> Problem:
    """409.51: what stands is not what whoever corrects it saw; nothing was changed."""
    return Problem(
        409.51,
        Sentence(
            es=f"{path} dice «{stands or ''}» y no «{expected or ''}»; no se cambió nada.",
            en=f"{path} says “{stands or ''}”, not “{expected or ''}”; nothing was changed.",
        ),
        {"question": path, "oldValue": expected, "value": stands},
        Sentence(es="Mire el valor actual y decida otra vez.", en="Look at the present value and decide again."),
    )


def nothing_to_correct(path: str, text: str | None) -> Problem:
    """400.8: what is to be laid over an answer is what it says already."""
    return Problem(
        400.8,
        Sentence(es=f"{path} ya dice «{text or ''}».", en=f"{path} says “{text or ''}” already."),
        {"field": "newValue", "value": text},
    )


def unreadable(instance_id: str) -> Problem:
    """409.52: nobody knows what the submission says: it is encrypted, or its form was never published."""
    return Problem(
        409.52,
        Sentence(
            es=f"El envío «{instance_id}» está cifrado o no se conoce su formulario: no se puede corregir.",
            en=f"The submission “{instance_id}” is encrypted or its form is not known: it cannot be corrected.",
        ),
        {"instanceId": instance_id},
    )


def not_allowed(path: str, consent: str) -> Problem:
    """409.54: the person did not allow that such an answer be kept, however it gets here."""
    return Problem(
        409.54,
        Sentence(
            es=f"{path} no se puede guardar: la respuesta a {consent} no lo permite.",
            en=f"{path} cannot be kept: the answer to {consent} does not allow it.",
        ),
        {"question": path, "consent": consent},
    )


def not_open(number: int, state: str) -> Problem:
    """409.53: the correction is withdrawn, settled or replaced: there is nothing to decide."""
    return Problem(
        409.53,
        Sentence(
            es=f"La corrección {number} ya no está abierta ({state}).",
            en=f"Correction {number} is open no more ({state}).",
        ),
        {"correctionId": number, "state": state},
    )


def sheet_refused(findings: Sequence[Finding]) -> Problem:
    """400.51: an uploaded workbook of corrections is refused as a whole; `details["findings"]` says each fault by cell."""
    count = len(findings)
    told = [finding.to_dict() for finding in findings[:MOST_TOLD]]
    es = " · ".join(finding.say("es") for finding in findings[:_IN_SENTENCE])
    en = " · ".join(finding.say("en") for finding in findings[:_IN_SENTENCE])
    more = count - _IN_SENTENCE
    return Problem(
        400.51,
        Sentence(
            es=f"El libro no se aplicó: {es}" + (f" · y {more} más." if more > 0 else ""),
            en=f"The workbook was not applied: {en}" + (f" · and {more} more." if more > 0 else ""),
        ),
        {"findings": told, "count": count},
    )


def too_many(count: int, most: int) -> Problem:
    """400.8: more answers than a workbook holds."""
    return Problem(
        400.8,
        Sentence(
            es=f"Son más de {most} respuestas; pida menos (por pregunta, registro o señal).",
            en=f"These are more than {most} answers; ask for less (by question, record or flag).",
        ),
        {"count": count, "limit": most},
    )

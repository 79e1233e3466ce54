"""Refusals: the problems of indicators and of the workbooks that declare them; codes are ODK Central's where it has one."""

from __future__ import annotations

from collections.abc import Sequence

from forms.problems import Finding, Problem, Sentence
from server.problems import not_found


def logframe_not_valid(findings: Sequence[Finding]) -> Problem:
    """400.15: what the indicator sheets of a workbook declare cannot be taken; `details["findings"]` lists every finding."""
    errors = [finding for finding in findings if finding.severity == "error"]
    return Problem(
        400.15,
        Sentence(
            es="Las hojas de indicadores no se pueden tomar, y sigue vigente lo anterior: "
            + " · ".join(finding.say("es") for finding in errors),
            en="The indicator sheets cannot be taken, and what was in force stays: "
            + " · ".join(finding.say("en") for finding in errors),
        ),
        {"findings": [finding.to_dict() for finding in findings]},
    )


def no_indicator(name: str, near: str | None) -> Problem:
    """404.1: no such indicator is in force."""
    es, en = (f": ¿quiso decir «{near}»?", f": did you mean “{near}”?") if near else (".", ".")
    return not_found(
        Sentence(es=f"No hay ningún indicador «{name}» en el proyecto{es}", en=f"There is no indicator “{name}”{en}"),
        {"indicator": name},
    )


def no_logframe() -> Problem:
    """404.1: the project has no logframe workbook of its own, or none with this number."""
    return not_found(
        Sentence(es="El proyecto no tiene ese marco lógico.", en="The project has no such logframe."),
    )


def no_records(name: str, inputs: Sequence[str]) -> Problem:
    """400.8: an indicator that no records stand behind: a formula, a figure typed by hand, one that waits."""
    ask = ", ".join(inputs)
    return Problem(
        400.8,
        Sentence(
            es=f"«{name}» no se calcula de registros propios" + (f": pida los de {ask}." if ask else "."),
            en=f"“{name}” is not computed from records of its own" + (f": ask for those of {ask}." if ask else "."),
        ),
        {"field": "indicator", "value": name},
    )


def indicator_broken(name: str, reason: Sentence) -> Problem:
    """409.16: an indicator in force that the forms, as they are now, do not answer any more."""
    return Problem(
        409.16,
        Sentence(
            es=f"El indicador «{name}» ya no se puede calcular: {reason.es}",
            en=f"The indicator “{name}” cannot be computed any more: {reason.en}",
        ),
        {"indicator": name},
        Sentence(
            es="Corrija su fila en el libro y vuelva a subirlo.", en="Mend its row in the workbook and upload it again."
        ),
    )

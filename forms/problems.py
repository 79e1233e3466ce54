"""Problems: what can be wrong, said in Spanish and English, each with a code and where possible a way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Language = Literal["es", "en"]
Severity = Literal["error", "warning", "note"]
"""An error must be mended first, a warning should be looked at, a note only tells."""
_SEVEREST_FIRST: Final[tuple[Severity, ...]] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One message in the two languages of the house."""

    es: str
    en: str

    def say(self, language: str) -> str:
        """The sentence in `language` ("es" or "en"; anything else is English)."""
        return self.es if language == "es" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One remark on a workbook or XForm: what is so, and where in the workbook (row and column as Excel shows them)."""

    severity: Severity
    sentence: Sentence
    sheet: str | None = None
    row: int | None = None
    column: str | None = None

    def say(self, language: str) -> str:
        """The finding as one line: the place in the workbook, then the sentence."""
        words = {
            "es": ("hoja", "fila", "columna"),
            "en": ("sheet", "row", "column"),
        }["es" if language == "es" else "en"]
        values = (self.sheet, self.row, self.column)
        place = ", ".join(f"{word} {value}" for word, value in zip(words, values, strict=True) if value is not None)
        return f"{place}: {self.sentence.say(language)}" if place else self.sentence.say(language)

    def to_dict(self) -> dict[str, Any]:
        """A JSON object: severity, sheet, row, column, es, en."""
        return {
            "severity": self.severity,
            "sheet": self.sheet,
            "row": self.row,
            "column": self.column,
            "es": self.sentence.es,
            "en": self.sentence.en,
        }


def severest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors, then warnings, then notes; each in the order given."""
    return tuple(sorted(findings, key=lambda finding: _SEVEREST_FIRST.index(finding.severity)))


class Problem(Exception):
    """Something the person at the door should be told.

    `code` is ODK Central's where Central has one (its whole part is the HTTP status), `details` is a JSON object,
    `way_out` says what to do about it.
    """

    def __init__(
        self,
        code: float,
        sentence: Sentence,
        details: Mapping[str, Any] | None = None,
        way_out: Sentence | None = None,
    ) -> None:
        super().__init__(sentence.en)
        self.code = code
        self.sentence = sentence
        self.details: Mapping[str, Any] = details or {}
        self.way_out = way_out

    @property
    def status(self) -> int:
        """The HTTP status: the whole part of the code."""
        return int(self.code)

    def say(self, language: str) -> str:
        """The sentence and, where there is one, the way out."""
        said = self.sentence.say(language)
        return f"{said} {self.way_out.say(language)}" if self.way_out else said


def workbook_not_valid(findings: Iterable[Finding]) -> Problem:
    """400.15: the workbook cannot become a form; `details["findings"]` lists every finding."""
    listed = tuple(findings)
    errors = [finding for finding in listed if finding.severity == "error"]
    return Problem(
        400.15,
        Sentence(
            es="El archivo no es un XLSForm válido: " + " · ".join(f.say("es") for f in errors),
            en="The file is not a valid XLSForm: " + " · ".join(f.say("en") for f in errors),
        ),
        {"findings": [finding.to_dict() for finding in listed]},
    )


def entities_not_valid(findings: Iterable[Finding]) -> Problem:
    """400.25: an XForm declares entities that cannot be; `details["findings"]` lists every finding."""
    listed = tuple(findings)
    errors = [finding for finding in listed if finding.severity == "error"]
    reason = " ".join(finding.sentence.en for finding in errors)
    return Problem(
        400.25,
        Sentence(
            es="Las entidades del formulario están mal declaradas. " + " ".join(f.sentence.es for f in errors),
            en=f"The entity definition within the form is invalid. {reason}",
        ),
        {"reason": reason, "findings": [finding.to_dict() for finding in listed]},
    )


def findings_of(problem: Problem) -> tuple[Finding, ...]:
    """The findings that a problem lists, as records again; () where it lists none."""
    return tuple(
        Finding(
            severity=found["severity"],
            sentence=Sentence(found["es"], found["en"]),
            sheet=found["sheet"],
            row=found["row"],
            column=found["column"],
        )
        for found in problem.details.get("findings", ())
    )


def form_not_valid(sentence: Sentence) -> Problem:
    """400.1: the XML is no XForm that a phone could open."""
    return Problem(400.1, sentence, {"format": "xml"})

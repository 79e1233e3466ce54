"""Problems as a terminal tells them: sentences meant for phones said to a coordinator, each with the command that helps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from forms.problems import Finding, Problem, Sentence, severest_first

_MARKS: Final = {"error": "✗", "warning": "!", "note": "·"}


def tell(problem: Problem, language: str) -> str:
    """The problem in one line, with what to type next where a command helps; of a workbook, one line for each finding."""
    if problem.code == 400.15:
        head = Sentence("El archivo no se puede publicar:", "The file cannot be published:")
        return "\n".join([head.say(language), *lines(map(_finding, problem.details["findings"]), language)])
    if problem.code in _WHOLE:
        found = problem.details["findings"]
        told = [*lines(map(_finding, found), language)]
        more = problem.details["count"] - len(found)
        head = _WHOLE[problem.code]
        rest = [Sentence(f"  … y {more} más", f"  … and {more} more").say(language)] if more else []
        return "\n".join([head.say(language), *told, *rest])
    sentence = _sentence(problem).say(language)
    help_ = _help(problem)
    return f"{sentence} {help_.say(language)}" if help_ else sentence


def lines(findings: Iterable[Finding], language: str) -> Iterator[str]:
    """Findings, one a line: errors, warnings, notes."""
    return (f"  {_MARKS[finding.severity]} {finding.say(language)}" for finding in severest_first(findings))


def _finding(told: Mapping[str, Any]) -> Finding:
    """What `Finding.to_dict` wrote."""
    place = {name: told[name] for name in ("severity", "sheet", "row", "column")}
    return Finding(sentence=Sentence(told["es"], told["en"]), **place)


def _sentence(problem: Problem) -> Sentence:
    if problem.code == 503.1:
        reason = problem.details.get("reason", "")
        return Sentence(
            f"La base de datos o el disco no responde ({reason}).",
            f"The database or the disk does not answer ({reason}).",
        )
    if problem.code == 404.1 and problem.way_out is not None and not problem.details.keys().isdisjoint(_NAMED):
        return problem.way_out  # it names what was looked for
    return Sentence(problem.say("es"), problem.say("en"))


_WHOLE: Final = {
    400.51: Sentence("El libro no se aplicó; no se cambió nada:", "The workbook was not applied; nothing was changed:"),
    400.52: Sentence("El archivo no se tomó; no se cambió nada:", "The file was not taken; nothing was changed:"),
}
"""Files that are refused as a whole, with every fault in `details`."""
_NAMED = {
    "projectId": Sentence("Vea los que hay: tejido project list", "See those there are: tejido project list"),
    "xmlFormId": Sentence(
        "Vea los que hay: tejido form list --project NÚMERO", "See those there are: tejido form list --project NUMBER"
    ),
    "indicator": Sentence(
        "Vea los que hay: tejido indicators list --project NÚMERO",
        "See those there are: tejido indicators list --project NUMBER",
    ),
    "dataset": Sentence(
        "Vea las que hay: tejido entities list --project NÚMERO",
        "See those there are: tejido entities list --project NUMBER",
    ),
    "email": Sentence("Vea quiénes hay: tejido user list", "See who there is: tejido user list"),
    "actorId": Sentence(
        "Vea los que hay: tejido app-user list --project NÚMERO",
        "See those there are: tejido app-user list --project NUMBER",
    ),
}
"""What to type where something was not found, by the detail that names it."""


def _help(problem: Problem) -> Sentence | None:
    if problem.code == 503.1:
        return Sentence("Busque la causa con: tejido doctor", "Look for the cause with: tejido doctor")
    if problem.code == 404.1:
        return next((help_ for name, help_ in _NAMED.items() if name in problem.details), None)
    return None

"""Problems as a terminal tells them: sentences meant for phones said to a coordinator, each with the command that helps."""

from __future__ import annotations

from forms.problems import Problem, Sentence


def tell(problem: Problem, language: str) -> str:
    """The problem in one line, with what to type next where a command helps."""
    sentence = _sentence(problem).say(language)
    help_ = _help(problem)
    return f"{sentence} {help_.say(language)}" if help_ else sentence


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


_NAMED = {
    "projectId": Sentence("Vea los que hay: tejido project list", "See those there are: tejido project list"),
    "xmlFormId": Sentence(
        "Vea los que hay: tejido form list --project NÚMERO", "See those there are: tejido form list --project NUMBER"
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

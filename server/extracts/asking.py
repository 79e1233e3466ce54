"""Asking: an extract as people ask for it, in words, understood over what a form asks."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forms.problems import Problem, Sentence
from server import problems
from server.extracts.questions import Asked, Question
from server.extracts.selection import REVIEWS, Answers, Rows, Selection, Span
from server.odata import filters

COUNTING: Final = "counting"
"""In place of states of review: those that the project's indicators count."""
DATES: Final = ("received", "updated", "answered")
_FILLED: Final = ("date/today", "timestamp/start", "timestamp/end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of an extract, in words; what is not given asks for nothing. See Selection for what options mean.

    `tables` are names or paths of repeats, the form's own table by the form's id; `join` a repeat. `first` and `last` are
    days, both included, of `date_of`: `received`, `updated`, `answered` (the day the form says it was filled) or the name of
    a question with a date. `review` are states of review, or `counting` alone. `place` is the code of a place of the project,
    `since` a cursor, `filter` OData's $filter, `zone` a name of the IANA database, `geometry` the question with the place of
    GeoJSON (else the first). With `since` other filters are as of now: what they leave out now is not told as gone.
    `identities`: with all that identifies people, for the stated `reason`. `at`: what stood at the end of a past moment, with
    the corrections and review states of then, of the submissions that had arrived.
    """

    tables: tuple[str, ...] = ()
    join: str | None = None
    columns: tuple[str, ...] = ()
    labels: bool = False
    language: str | None = None
    group_paths: bool = False
    split: bool = True
    neutralise: bool = True
    bom: bool = False
    zone: str = "UTC"
    geometry: str | None = None
    date_of: str = "received"
    first: date | None = None
    last: date | None = None
    review: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    submitters: tuple[int, ...] = ()
    place: str | None = None
    since: str | None = None
    filter: str | None = None
    identities: bool = False
    reason: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place as a form knows it: the path of the question that says it, and the codes of what lies in it."""

    path: str
    codes: frozenset[str]


def understand(
    asked: Asked, request: Request, *, counting: str, place: Place | None = None, since: datetime | None = None
) -> Selection:
    """The request over what the form asks. `counting` is the project's setting, `place` what `request.place` names, `since`
    what its cursor says. Raises Problem 400.8 for what the form has not, 400.18 for a filter that cannot be read."""
    zone = _zone(request.zone)
    if request.tables and request.join:
        raise problems.wrong_value(
            "join",
            request.join,
            Sentence(es="pida tablas o una unión, no ambas.", en="ask for tables or for a join, not for both."),
        )
    return Selection(
        tables=tuple(_table(asked, name, "table") for name in request.tables) or None,
        joined=_joined(asked, request.join) if request.join else None,
        columns=_columns(asked, request.columns),
        rows=rows(asked, request, zone=zone, counting=counting, place=place, since=since),
        labels=request.labels,
        language=_language(asked, request.language),
        group_paths=request.group_paths,
        split=request.split,
        zone=zone,
        geometry=request.geometry,
        neutralise=request.neutralise,
        bom=request.bom,
    )


def located(asked: Asked, chosen: Selection) -> Selection:
    """The same with the path of the question that says the place of each row: the one that is named, else the first of the
    table, else the first of those that hold it in a joined table. Raises Problem 400.8 where there is none."""
    table = chosen.joined if chosen.joined is not None else (chosen.tables or ("",))[0]
    tables = asked.chain(table) if chosen.joined is not None else [table]
    there = [
        question for one in reversed(tables) for question in asked.of(one) if question.column.type.startswith("geo")
    ]
    for question in there:
        if chosen.geometry in (None, question.entry.name, question.path):
            return replace(chosen, geometry=question.path)
    raise _unknown("geometry", chosen.geometry or "", [question.entry.name for question in there])


def rows(
    asked: Asked,
    request: Request,
    *,
    zone: tzinfo = UTC,
    counting: str,
    place: Place | None = None,
    since: datetime | None = None,
) -> Rows:
    """Which submissions a request is for; see `understand`."""
    spans: dict[str, Span] = {}
    answers: list[Answers] = []
    if request.first is not None or request.last is not None:
        until = request.last + timedelta(days=1) if request.last is not None else None
        if request.date_of in ("received", "updated"):
            spans[request.date_of] = Span(first=_midnight(request.first, zone), until=_midnight(until, zone))
        else:
            answers.append(Answers(question=_dated(asked, request.date_of), first=request.first, until=until))
    if place is not None:
        question = _by_path(asked, place.path)
        answers.append(Answers(question=question, codes=place.codes))
    return Rows(
        received=spans.get("received", Span()),
        updated=spans.get("updated", Span()),
        changed_since=since,
        review=_review(request.review),
        counting=counting if COUNTING in request.review else None,
        versions=request.versions,
        submitters=request.submitters,
        answers=tuple(answers),
        condition=filters.parse(request.filter) if request.filter is not None else None,
    )


def _review(given: Sequence[str]) -> tuple[str, ...]:
    for name in given:
        if name not in REVIEWS and (name != COUNTING or len(given) > 1):
            raise _unknown("review", name, (*REVIEWS, COUNTING))
    return tuple(name for name in given if name != COUNTING)


def _table(asked: Asked, name: str, option: str) -> str:
    if name in ("", asked.form_id) and name not in asked.repeats:
        return ""
    found = [path for path in asked.repeats if name in (path, path.rpartition("/")[2])]
    if len(found) == 1:
        return found[0]
    names = [asked.form_id, *(path.rpartition("/")[2] for path in asked.repeats)]
    if found:
        raise problems.wrong_value(
            option,
            name,
            Sentence(
                es=f"hay varias repeticiones con ese nombre; use una de estas rutas: {', '.join(found)}.",
                en=f"several repeats have this name; use one of these paths: {', '.join(found)}.",
            ),
        )
    raise _unknown(option, name, names)


def _joined(asked: Asked, names: str) -> str:
    """The deepest of the repeats that are to be joined; all of them must hold one another."""
    paths = [_table(asked, name.strip(), "join") for name in names.split(",") if name.strip()]
    deepest = max(paths, key=lambda path: len(asked.chain(path)))
    chain = asked.chain(deepest)
    other = next((path for path in paths if path not in chain), None)
    if other is not None:
        raise problems.wrong_value(
            "join",
            names,
            Sentence(
                es=f"{other} y {deepest} no están una dentro de la otra, y sus filas no se corresponden; pídalas por "
                "separado.",
                en=f"{other} and {deepest} are not one within the other, so that their rows do not correspond; ask for them "
                "one by one.",
            ),
        )
    return deepest


def _columns(asked: Asked, names: Collection[str]) -> frozenset[str] | None:
    known = {name for question in asked.questions for name in (question.path, question.entry.name)}
    for name in names:
        if name not in known:
            raise _unknown("columns", name, sorted(question.entry.name for question in asked.questions))
    return frozenset(names) or None


def _language(asked: Asked, name: str | None) -> str | None:
    """A language of the form by its name, its code or the beginning of its name: `Español (es)`, `es`, `español`."""
    if name is None:
        return None
    languages = tuple(dict.fromkeys(language for schema in reversed(asked.schemas) for language in schema.languages))
    wanted = name.casefold()
    for language in languages:
        told = language.casefold()
        if wanted == told or told.endswith(f"({wanted})") or told.partition("(")[0].strip() == wanted:
            return language
    raise _unknown("language", name, languages)


def filled_on(asked: Asked) -> Question | None:
    """The question of the form's own table by which it was filled: its `today`, else its `start`, else its `end`, by what
    they are and not by how they are called."""
    known = {question.entry.preload: question for question in _dates(asked)}
    return next((known[wanted] for wanted in _FILLED if wanted in known), None)


def _dates(asked: Asked) -> list[Question]:
    return [question for question in asked.of("") if question.column.type in ("date", "dateTime")]


def _dated(asked: Asked, name: str) -> Question:
    """The question of the form's own table that says the date."""
    dated = _dates(asked)
    if name == "answered" and (filled := filled_on(asked)) is not None:
        return filled
    for question in dated:
        if name in (question.entry.name, question.path):
            return question
    raise _unknown("dateOf", name, (*DATES, *(question.entry.name for question in dated)))


def _by_path(asked: Asked, path: str) -> Question:
    return next(question for question in asked.of("") if question.path == path)


def _zone(name: str) -> tzinfo:
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise problems.wrong_value(
            "zone", name, Sentence(es="use un nombre como America/Panama.", en="use a name such as America/Panama.")
        ) from error


def _midnight(day: date | None, zone: tzinfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), zone).astimezone(UTC)


def _unknown(option: str, name: str, known: Sequence[str]) -> Problem:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return problems.wrong_value(
            option, name, Sentence(es=f"¿quiso decir «{near[0]}»?", en=f"did you mean “{near[0]}”?")
        )
    listed = ", ".join(dict.fromkeys(known)) or "—"
    return problems.wrong_value(option, name, Sentence(es=f"hay: {listed}.", en=f"there is: {listed}."))

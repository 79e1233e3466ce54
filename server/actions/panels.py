"""Panels: the entities of a list with their visits by round, and those whom a round did not reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from forms.problems import Sentence
from server import problems
from server.access import require
from server.actions import entity_reading, entity_sight, extracts
from server.actions.entity_finding import Found, find_dataset
from server.actions.entity_sight import Sight
from server.actions.extracts import File
from server.actions.forms import get_form
from server.context import Context
from server.extracts import asking, disclosure, frame, naming, panel, refusals, treatments
from server.extracts.asking import Request
from server.extracts.codebook import Book
from server.extracts.formats import FORMATS
from server.extracts.panel import Member, Rounds, Shape
from server.extracts.questions import Asked, Question
from server.extracts.treatments import Treatments
from server.indicators import periods
from server.odata import entity_rows
from server.odata.entity_rows import Wanted
from server.store import projects

VISIT: Final = "visit"
_HIDDEN: Final = ("leave out", "year")
_DAYS: Final = ("keep", "day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is asked of a panel: the form of the visits, the rounds (a period, `visit`, or a question), the questions beside
    each other and how they are told (`request`); `missing`: only those without a visit in this round; `long`: a row for each
    entity and round."""

    form_id: str
    by: str
    request: Request
    missing: str | None = None
    long: bool = False


def open_panel(
    ctx: Context, project_id: int, name: str, kind: str, wanted: Asking, *, identities: bool = False
) -> File:
    """The panel of a list as a file. `identities` as disclosures.settle says of the form; without them pseudonyms are to be
    there already. Raises Problem 404.1, 403.1, 400.8."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.list", found.project)
    form = get_form(ctx, project_id, wanted.form_id)
    require(ctx, "submission.read", form)

    one = FORMATS.get(kind)
    if one is None or one.located:
        raise refusals.no_format(kind, [each for each, format_ in FORMATS.items() if not format_.located])
    asked, disclosed = extracts.read(ctx, form, identities=identities)
    table = _table(asked, name)
    rounds, day = _rounds(asked, disclosed, wanted.by)
    chosen = asking.understand(asked, wanted.request, counting=_counting(ctx, project_id))
    disclosure.refuse_narrowing(chosen.rows, disclosed)
    questions = [each for each in (*asked.of(""), *asked.of(table)) if wanted.request.columns and chosen.wants(each)]
    also = {rounds.question.path} if rounds.question is not None else set()
    told = replace(
        chosen,
        labels=chosen.labels and not one.coded,
        tables=(table,) if not table else None,
        joined=table or None,
        columns=frozenset({each.path for each in questions} | also),
    )
    [base] = frame.build(ctx.conn, asked, told, disclosed)
    seen = entity_sight.of(ctx, found) if identities else entity_sight.hidden(ctx, found)
    made = panel.build(
        base,
        name,
        day,
        rounds,
        questions,
        _members(ctx, found, seen),
        list(seen.properties),
        Shape(
            words=naming.words_of(chosen.language or asked.newest.default_language),
            missing=wanted.missing,
            long=wanted.long,
            days=day is None or treatments.of(disclosed, day.path).what in _DAYS,
        ),
    )
    book = Book(asked=asked, frames=[made], chosen=told, disclosed=disclosed, privacy={}, made_at=ctx.now())
    return File(f"{made.name}.{kind}", one.content_type, one.write([made], told, book))


def note_export(ctx: Context, project_id: int, name: str, form_id: str, kind: str, *, identities: bool) -> None:
    """The audit line of a list whose entities left with a panel. Raises Problem 404.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.list", found.project)
    told = {"form": form_id, "identities": identities}
    entity_reading.note_export(ctx, project_id, name, f"panel.{kind}", more=told)


def _table(asked: Asked, name: str) -> str:
    tables = [one.table for one in asked.touched if one.dataset == name]
    if not tables:
        known = ", ".join(sorted({one.dataset for one in asked.touched})) or "—"
        raise problems.wrong_value(
            "form",
            asked.form_id,
            Sentence(
                f"no habla de entidades de «{name}»; habla de: {known}.",
                f"it does not speak of entities of “{name}”; it speaks of: {known}.",
            ),
        )
    return tables[0]


def _rounds(asked: Asked, disclosed: Treatments, by: str) -> tuple[Rounds, Question | None]:
    """What tells rounds apart, and the question that says the day."""
    day = asking.filled_on(asked)
    if by == VISIT:
        return Rounds(), day
    if by in periods.KINDS:
        if day is not None and treatments.of(disclosed, day.path).what in _HIDDEN:
            raise refusals.needs_identities(by)
        kind = next(one for one in periods.KINDS if one == by)

        def of_day(told: date) -> str:
            return periods.of_day(told, kind).code

        return Rounds(of_day=of_day), day
    for question in asked.of(""):
        if by in (question.entry.name, question.path):
            if treatments.of(disclosed, question.path).what != "keep":
                raise refusals.needs_identities(by)
            return Rounds(question=question, codes=tuple(choice.name for choice in question.choices)), day
    kinds = ", ".join(periods.KINDS)
    raise problems.wrong_value(
        "by",
        by,
        Sentence(
            f"use visit, {kinds} o una pregunta del formulario.", f"use visit, {kinds} or a question of the form."
        ),
    )


def _members(ctx: Context, found: Found, seen: Sight) -> Iterator[Member]:
    for line in entity_rows.lines(ctx.conn, found.row.id, Wanted(names=seen.names)):
        label = line.entity.label if seen.identifies else None
        yield Member(line.told, label, seen.data(line.entity.data))


def _counting(ctx: Context, project_id: int) -> str:
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    return project.counting

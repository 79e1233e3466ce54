"""Publishing: what a form's new version does to what its own and other workbooks declare."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from forms.expressions.tree import Aggregate, Answer, Position, Tree, walk
from forms.problems import Finding, Sentence
from server.indicators import catalogue, declaring
from server.indicators.book import Book, Kept
from server.indicators.checking import resolve_check
from server.indicators.declarations import Declarations, Indicator
from server.indicators.declaring import Finder
from server.indicators.kept import name_of, records
from server.indicators.resolving import FormView, Resolved, resolve
from server.model.projects import Project

_SOME_TIME: Final = datetime(1, 1, 1, tzinfo=UTC)
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "result": ("resultados", "results"),
    "indicator": ("indicadores", "indicators"),
    "dimension": ("dimensiones", "dimensions"),
    "target": ("metas", "targets"),
    "check": ("verificaciones", "checks"),
    "place": ("lugares", "places"),
}
_NAMED: Final = ("result", "indicator", "dimension", "check")
"""Kinds whose names are said; of the others how many."""
_MOST: Final = 20


def foresee(
    conn: Connection,
    project: Project,
    book: Book,
    declarations: Declarations,
    *,
    owner: FormView,
    before: Mapping[str, FormView],
    finding: Finder,
    is_asked: Callable[[str], bool],
) -> Iterator[Finding]:
    """Everything that is to be said of indicators before a form's version is published.

    `declarations` are those of its workbook (see `declaring.owned`), `book` what is in force, `owner` the form as it would be
    and `before` the published forms as they are. `is_asked` says of a path whether the version asks that question still.
    Errors are about the workbook's own rows; what breaks elsewhere is a warning, since no survey waits for another workbook.
    """
    views = {**before, owner.form_id: owner}
    yield from declaring.findings(book, declarations, owner, views, finding, before=before)
    yield from _retired(book, declarations, owner.id)

    after = declaring.after(book, declarations, owner.id, _SOME_TIME)
    found = catalogue.compute(conn, project, after, views, {})
    for name, resolved in found.resolved.items():
        if resolved.form is owner:
            yield from _no_longer_asked(after.indicators[name], resolved, owner.id, finding, is_asked)


def look_alone(declarations: Declarations, owner: FormView, finding: Finder) -> Iterator[Finding]:
    """What is wrong with a workbook's declarations whatever its project declares besides: its expressions over its own form.

    Names that another workbook may have (results, dimensions, indicators, places) are not looked at.
    """
    declared = {one.name: one for one in declarations.indicators}
    for indicator in declarations.indicators:
        if catalogue.needs_form(indicator.type, indicator.over) and indicator.form == owner.form_id:
            alone = replace(indicator, disaggregate=(), cohort=None)
            _, wrong = resolve(alone, owner, indicators=declared)
            yield from (finding(indicator, one.column, one.sentence) for one in wrong)
    for check in declarations.checks:
        if check.form == owner.form_id:
            _, wrong = resolve_check(check, owner)
            yield from (finding(check, one.column, one.sentence) for one in wrong)


def _retired(book: Book, declarations: Declarations, owner: int) -> Iterator[Finding]:
    """What an earlier version's workbook declared, and this one does not."""
    declared = {name_of(record) for _, record in records(declarations)}
    retired: dict[str, list[str]] = {}
    for kept in book.everything:
        kind, name = name_of(kept.record)
        if kept.form_id == owner and (kind, name) not in declared:
            retired.setdefault(kind, []).append(getattr(kept.record, "name", ""))
    if not retired:
        return
    es, en = ("; ".join(_told(kind, names, at) for kind, names in retired.items()) for at in (0, 1))
    yield Finding(
        severity="note",
        sentence=Sentence(
            f"El libro ya no declara lo que declaraba; al publicarlo se retiran: {es}.",
            f"The workbook declares no more what it did; publishing it retires: {en}.",
        ),
    )


def _told(kind: str, names: list[str], language: int) -> str:
    word = _KINDS[kind][language]
    if kind not in _NAMED:
        return f"{word} ({len(names)})"
    named = list(dict.fromkeys(names))
    return f"{word} {', '.join(named[:_MOST])}" + (", …" if len(named) > _MOST else "")


def _no_longer_asked(
    kept: Kept[Indicator], resolved: Resolved, owner: int, finding: Finder, is_asked: Callable[[str], bool]
) -> Iterator[Finding]:
    """An indicator goes on over the answers that there are; the version gives it no more of them."""
    trees = [*resolved.trees.items(), *(("disaggregate", tree) for tree in resolved.dimensions.values())]
    said: set[str] = set()
    for role, tree in (*trees, ("over", Position(resolved.unit))):
        for path in _paths(tree):
            if path in said or is_asked(path):
                continue
            said.add(path)
            name = path.rpartition("/")[2]
            sentence = Sentence(
                f"el indicador {kept.record.name} usa la pregunta «{name}», que esta versión ya no hace: lo ya contestado "
                "sigue contando, lo nuevo vendrá sin ella.",
                f"the indicator {kept.record.name} uses the question “{name}”, which this version does not ask: what was "
                "answered counts still, what is new comes without it.",
            )
            if kept.form_id == owner:
                yield finding(kept.record, role, sentence, "warning")
            else:
                yield Finding(severity="warning", sentence=sentence)


def _paths(tree: Tree) -> Iterator[str]:
    """The questions and repeats that a tree looks at."""
    for part in walk(tree):
        if isinstance(part, Answer):
            yield part.path
        elif isinstance(part, Aggregate | Position) and part.table:
            yield part.table

"""Declaring: what a workbook declares set beside what is in force; all that is wrong, or what changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from forms.problems import Finding, Sentence, Severity
from server.indicators import kept as keeping
from server.indicators import places as hierarchy
from server.indicators.book import Book, Kept
from server.indicators.catalogue import needs_form, no_form
from server.indicators.categories import question_of
from server.indicators.checking import newly_broken, resolve_check
from server.indicators.declarations import Check, Declarations, Dimension, Indicator, Target
from server.indicators.formulas import formula_order, inputs_of
from server.indicators.kept import Record
from server.indicators.ordering import Circles, told
from server.indicators.periods import KINDS, PeriodError, parse
from server.indicators.resolving import ROUND, FormView, Resolved, Wrong, resolve
from server.model.indicators import Definition


class Finder(Protocol):
    """Makes the finding on a cell: the record, its column, what is wrong."""

    def __call__(self, record: Record, column: str, sentence: Sentence, severity: Severity = "error", /) -> Finding:
        """The finding."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a workbook changes of what is in force: ids that retire, rows that only move, versions that are new.

    `gone` is how many of those that retire have no new version.
    """

    retired: tuple[int, ...] = ()
    gone: int = 0
    moved: Mapping[int, int] = field(default_factory=dict)
    added: tuple[dict[str, Any], ...] = ()

    def __bool__(self) -> bool:
        """Whether what is declared becomes another."""
        return bool(self.retired or self.added)


DEEPEST: Final = 100
"""Formulas that may hang on one another."""
_SOME_TIME: Final = datetime(1, 1, 1, tzinfo=UTC)


def owned(declarations: Declarations, form_id: str | None) -> Declarations:
    """The declarations with the form's id where a form's own workbook leaves it out."""
    if form_id is None:
        return declarations

    def mine(over: str, form: str | None, type_: str = "count") -> str | None:
        return form_id if form is None and needs_form(type_, over) else form

    return replace(
        declarations,
        indicators=tuple(replace(one, form=mine(one.over, one.form, one.type)) for one in declarations.indicators),
        dimensions=tuple(replace(one, form=mine(one.over, one.form)) for one in declarations.dimensions),
        checks=tuple(replace(one, form=mine(one.over, one.form)) for one in declarations.checks),
    )


def change(
    standing: Sequence[Definition],
    declarations: Declarations,
    owner: int | None,
    versions: Mapping[tuple[str, str], int],
) -> Change:
    """What becomes of the definitions that stand, if the workbook of `owner` (None: the project's) says this."""
    mine = {(one.kind, one.name): one for one in standing if one.form_id == owner}
    added: list[dict[str, Any]] = []
    moved: dict[int, int] = {}
    for position, record in keeping.records(declarations):
        kind, name = keeping.name_of(record)
        content = keeping.pack(record)
        digest = keeping.digest(content)
        before = mine.pop((kind, name), None)
        if before is not None and before.digest == digest:
            if before.position != position:
                moved[before.id] = position
            continue
        if before is not None:
            mine[kind, name] = before
        added.append(
            {
                "kind": kind,
                "name": name,
                "version": versions.get((kind, name), 0) + 1,
                "position": position,
                "content": content,
                "digest": digest,
            }
        )
    gone = len(mine.keys() - {(row["kind"], row["name"]) for row in added})
    return Change(retired=tuple(one.id for one in mine.values()), gone=gone, moved=moved, added=tuple(added))


def after(book: Book, declarations: Declarations, owner: int | None, when: datetime) -> Book:
    """The book as it would be; what is new there has no id yet."""

    def beside(standing: Sequence[Kept[Any]], records: Sequence[Any]) -> tuple[Kept[Any], ...]:
        new = (Kept(record=record, id=0, version=0, form_id=owner, since=when) for record in records)
        return (*(kept for kept in standing if kept.form_id != owner), *new)

    indicators: dict[str, Kept[Indicator]] = {}
    for kept in beside(list(book.indicators.values()), declarations.indicators):
        indicators.setdefault(kept.record.name, kept)  # a second row of the name is told elsewhere
    return Book(
        results=beside(book.results, declarations.results),
        indicators=indicators,
        dimensions=beside(book.dimensions, declarations.dimensions),
        targets=beside(book.targets, declarations.targets),
        checks=beside(book.checks, declarations.checks),
        places=beside(book.places, declarations.places),
    )


def findings(
    book: Book,
    declarations: Declarations,
    owner: FormView | None,
    views: Mapping[str, FormView],
    finding: Finder,
    *,
    before: Mapping[str, FormView] | None = None,
) -> Iterator[Finding]:
    """Everything wrong with what a workbook declares, beside the forms and what other workbooks declare.

    `book` is what is in force before; `views` are the published forms, with the owner's as it would be (`before`: as they
    are now, where that is another). What would be wrong with declarations of other workbooks is said of the whole: an error
    where a logframe breaks them, a warning where a form's new version does, which nobody refuses for their sake.
    """
    owner_id = owner.id if owner else None
    changed = after(book, declarations, owner_id, _SOME_TIME)
    yield from _taken(book, declarations, owner_id, finding)
    yield from _foreign(declarations, owner, finding)
    yield from _references(changed, declarations, finding)
    for place, column, sentence in hierarchy.check([kept.record for kept in changed.places]):
        yield finding(place, column, sentence) if place in declarations.places else _of_others(place.code, sentence)
    declared = {name: kept.record for name, kept in changed.indicators.items()}
    order = formula_order({name: inputs_of(one) for name, one in declared.items()})
    if isinstance(order, Circles):
        yield from _circles(order, declared, declarations, finding)
    else:
        yield from _too_deep(order, declared, declarations, finding)
    resolved: dict[str, Resolved] = {}
    for name, kept in changed.indicators.items():
        found, wrong = _resolve(changed, kept.record, views, declared)
        if found is not None:
            resolved[name] = found
        for one in wrong:
            if kept.form_id == owner_id:
                yield finding(kept.record, one.column, one.sentence)
            elif name in book.indicators and _was_sound(book, name, before or views):
                yield _of_others(name, one.sentence, "error" if owner is None else "warning")
    for check in declarations.checks:
        form = views.get(check.form or "")
        if form is None:
            yield finding(check, "form", no_form(check.form))
            continue
        _, mistakes = resolve_check(check, form)
        yield from (finding(check, one.column, one.sentence) for one in mistakes)
    others = [kept.record for kept in book.checks if kept.form_id != owner_id]
    yield from (_of_others(*broken, "warning") for broken in newly_broken(others, before or views, views))
    for dimension in declarations.dimensions:
        yield from _unused(dimension, views, finding)
    for target in declarations.targets:
        yield from _target(target, changed, resolved, finding)


def _resolve(
    book: Book, indicator: Indicator, views: Mapping[str, FormView], declared: Mapping[str, Indicator]
) -> tuple[Resolved | None, list[Wrong]]:
    form = views.get(indicator.form or "")
    if needs_form(indicator.type, indicator.over) and form is None:
        return None, [Wrong("form", no_form(indicator.form))]
    return resolve(
        indicator,
        form,
        dimensions=[kept.record for kept in book.dimensions],
        levels=book.levels,
        indicators=declared,
        lists=views,
    )


def _was_sound(book: Book, name: str, views: Mapping[str, FormView]) -> bool:
    """Whether another workbook's indicator could be computed before: else it is no new trouble."""
    before = {other: kept.record for other, kept in book.indicators.items()}
    return not _resolve(book, before[name], views, before)[1]


def _taken(book: Book, declarations: Declarations, owner: int | None, finding: Finder) -> Iterator[Finding]:
    """Names that another workbook has."""
    others: dict[tuple[str, str], Kept[Any]] = {}
    for standing in (book.results, tuple(book.indicators.values()), book.dimensions, book.checks, book.targets):
        for kept in standing:
            if kept.form_id != owner:
                others[keeping.name_of(kept.record)] = kept
    for _, record in keeping.records(declarations):
        if keeping.name_of(record) in others:
            column = "indicator" if isinstance(record, Target) else "name"
            name = record.indicator if isinstance(record, Target) else getattr(record, "name", "")
            yield finding(
                record,
                column,
                Sentence(
                    f"otro libro del proyecto ya declara «{name}»: use otro nombre, o quítelo de allá primero.",
                    f"another workbook of the project declares “{name}” already: use another name, or remove it there first.",
                ),
            )
    if declarations.places and any(kept.form_id != owner for kept in book.places):
        yield finding(
            declarations.places[0],
            "code",
            Sentence(
                "otro libro del proyecto ya declara los lugares: hay una sola jerarquía por proyecto.",
                "another workbook of the project declares the places already: there is one hierarchy in a project.",
            ),
        )


def _foreign(declarations: Declarations, owner: FormView | None, finding: Finder) -> Iterator[Finding]:
    """A form's own workbook speaks of that form only."""
    if owner is None:
        return
    records: tuple[Indicator | Dimension | Check, ...] = (
        *declarations.indicators,
        *declarations.dimensions,
        *declarations.checks,
    )
    for record in records:
        if record.form is not None and record.form != owner.form_id:
            yield finding(
                record,
                "form",
                Sentence(
                    f"el libro de «{owner.form_id}» no declara nada sobre «{record.form}»: hágalo en un marco lógico.",
                    f"the workbook of “{owner.form_id}” declares nothing about “{record.form}”: do so in a logframe.",
                ),
            )


def _references(book: Book, declarations: Declarations, finding: Finder) -> Iterator[Finding]:
    results = {kept.record.name for kept in book.results}
    for result in declarations.results:
        if result.parent is not None and result.parent not in results:
            yield finding(result, "parent", _no_such("resultado", "result", result.parent))
    for indicator in declarations.indicators:
        if indicator.result is not None and indicator.result not in results:
            yield finding(indicator, "result", _no_such("resultado", "result", indicator.result))


def _circles(
    circles: Circles, declared: Mapping[str, Indicator], declarations: Declarations, finding: Finder
) -> Iterator[Finding]:
    mine = {one.name for one in declarations.indicators}
    for circle in circles:
        written = told(circle)
        name = next((one for one in circle if one in mine), None)
        sentence = Sentence(
            f"las fórmulas se nombran en círculo: {written}.", f"the formulas name each other in a circle: {written}."
        )
        yield finding(declared[name], "value", sentence) if name is not None else _of_others(circle[0], sentence)


def _too_deep(
    order: Sequence[str], declared: Mapping[str, Indicator], declarations: Declarations, finding: Finder
) -> Iterator[Finding]:
    """Formulas over formulas over formulas…"""
    depth: dict[str, int] = {}
    mine = {one.name for one in declarations.indicators}
    for name in order:
        depth[name] = 1 + max((depth.get(other, 0) for other in inputs_of(declared[name])), default=0)
        if depth[name] == DEEPEST + 1 and name in mine:
            yield finding(
                declared[name],
                "value",
                Sentence(
                    f"más de {DEEPEST} fórmulas dependen una de otra: escriba esta sobre indicadores más sencillos.",
                    f"more than {DEEPEST} formulas hang on one another: write this one over simpler indicators.",
                ),
            )


def _unused(dimension: Dimension, views: Mapping[str, FormView], finding: Finder) -> Iterator[Finding]:
    """A dimension on a form that is not there; its expression is looked at with the indicators that name it."""
    if needs_form("count", dimension.over) and dimension.form not in views:
        yield finding(dimension, "form", no_form(dimension.form))


def _target(target: Target, book: Book, resolved: Mapping[str, Resolved], finding: Finder) -> Iterator[Finding]:
    if target.indicator not in book.indicators:
        yield finding(target, "indicator", _no_such("indicador", "indicator", target.indicator))
        return
    if target.place is not None and target.place not in book.labels:
        yield finding(target, "place", _no_such("lugar", "place", target.place))
    one = resolved.get(target.indicator)
    if one is None:
        return
    if target.period is not None:
        yield from _period(target, one, finding)
    if target.dimension is not None:
        yield from _category(target, one, book, finding)


def _period(target: Target, one: Resolved, finding: Finder) -> Iterator[Finding]:
    """A period of the calendar, or a round of the survey."""
    period = target.period or ""
    tree = one.trees.get(ROUND)
    try:
        parse(period)
    except PeriodError as error:
        if tree is None and one.indicator.type != "formula":
            yield finding(target, "period", error.sentence)
            return
        entry = question_of(tree, one.form.schema) if tree is not None and one.form is not None else None
        known = [option.name for option in one.form.schema.options(entry.path)] if entry and one.form else []
        if known and period not in known:
            yield finding(
                target,
                "period",
                Sentence(
                    f"«{period}» no es una ronda; las que hay: {', '.join(known)}.",
                    f"“{period}” is no round; those there are: {', '.join(known)}.",
                ),
            )
        return
    if tree is not None and one.indicator.period not in KINDS:
        yield finding(
            target,
            "period",
            Sentence(
                f"este indicador se mide por rondas ({one.indicator.period}), y «{period}» es un período del calendario.",
                f"this indicator is measured by rounds ({one.indicator.period}), and “{period}” is a calendar period.",
            ),
        )


def _category(target: Target, one: Resolved, book: Book, finding: Finder) -> Iterator[Finding]:
    name = target.dimension or ""
    if one.indicator.type in ("formula", "manual"):
        return
    if name not in one.indicator.disaggregate:
        known = ", ".join(one.indicator.disaggregate) or "—"
        yield finding(
            target,
            "dimension",
            Sentence(
                f"«{name}» no desagrega a {target.indicator}; las que hay: {known}.",
                f"“{name}” does not disaggregate {target.indicator}; those there are: {known}.",
            ),
        )
        return
    codes = _codes(one, book, name)
    if codes and target.category not in codes:
        yield finding(
            target,
            "category",
            Sentence(
                f"«{target.category}» no es una categoría de {name}; las que hay: {', '.join(codes)}.",
                f"“{target.category}” is no category of {name}; those there are: {', '.join(codes)}.",
            ),
        )


def _codes(one: Resolved, book: Book, name: str) -> Sequence[str]:
    for kept in book.dimensions:
        if kept.record.name == name and kept.record.categories:
            return [category.code for category in kept.record.categories]
    entry = question_of(one.dimensions[name], one.form.schema) if name in one.dimensions and one.form else None
    return [option.name for option in one.form.schema.options(entry.path)] if entry and one.form else []


def _no_such(es: str, en: str, name: str) -> Sentence:
    return Sentence(f"no hay ningún {es} «{name}».", f"there is no {en} “{name}”.")


def _of_others(name: str, sentence: Sentence, severity: Severity = "error") -> Finding:
    return Finding(
        severity=severity,
        sentence=Sentence(
            f"«{name}», de otro libro del proyecto, dejaría de valer: {sentence.es}",
            f"“{name}”, of another workbook of the project, would hold no more: {sentence.en}",
        ),
    )

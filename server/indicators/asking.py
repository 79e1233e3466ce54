"""Asking: what somebody wants to know of an indicator, understood: which periods, split by what, within which place."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from forms.problems import Problem, Sentence
from forms.schema import Texts
from server import problems
from server.indicators.axes import Ask, Axis
from server.indicators.catalogue import Catalogue
from server.indicators.categories import question_of
from server.indicators.declarations import Category, Indicator
from server.indicators.periods import KINDS, WHOLE, Period, PeriodError, PeriodKind, parse_request
from server.indicators.resolving import ROUND, Resolved, find_dimension
from server.indicators.units import months_of

PeriodKey = int | str | None
"""A period as units are told apart by it: its index among its kind, the code of a round, or None."""
EVERY_ROUND = "round"
"""What a request says that wants every round of a survey."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked in words: `period` is a kind, periods, `round`, codes of rounds or `all`; None is the indicator's own.

    `by` are names of dimensions, levels of places or questions; `place` a code; `cumulative` None is the indicator's own.
    """

    period: str | None = None
    by: tuple[str, ...] = ()
    place: str | None = None
    cumulative: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request understood for one indicator. `split` None: no periods; `keys` None: every period that has data."""

    split: PeriodKind | str | None
    keys: tuple[PeriodKey, ...] | None
    axes: tuple[Axis, ...]
    within: str | None
    cumulative: bool

    def ask(self, *, whole: bool = False) -> Ask:
        """Which units; `whole`: also those before the first period that is asked for."""
        first = last = None
        if self.split in KINDS and self.keys:
            months = [months_of(self.period(key)) for key in self.keys]
            first = None if whole else min(start for start, _ in months)
            last = max(end for _, end in months)
        rounds = tuple(str(key) for key in self.keys) if self.split == ROUND and self.keys is not None else None
        return Ask(split=self.split, first=first, last=last, rounds=rounds, axes=self.axes, within=self.within)

    def period(self, key: PeriodKey) -> Period:
        """A calendar period by its key."""
        if self.split not in KINDS or not isinstance(key, int):
            raise TypeError(key)
        return Period(self.split, key)

    def code(self, key: PeriodKey) -> str | None:
        """A period as people write it."""
        return self.period(key).code if isinstance(key, int) else key

    def last_day(self, key: PeriodKey) -> date:
        """The last day of a calendar period."""
        return self.period(key).last


def understand(catalogue: Catalogue, resolved: Resolved, request: Request) -> Asked:
    """The request for one indicator. Raises Problem 400.8 for what cannot be asked of it."""
    split, keys = _periods(catalogue, resolved, request.period)
    twice = next((name for number, name in enumerate(request.by) if name in request.by[:number]), None)
    if twice is not None:
        raise problems.wrong_value("by", twice, Sentence(es="está dos veces.", en="it is there twice."))
    axes = tuple(_axis(catalogue, resolved, name) for name in request.by)
    if request.place is not None:
        _require_place(catalogue, resolved, request.place)
    cumulative = resolved.indicator.accumulates if request.cumulative is None else request.cumulative
    return Asked(
        split=split,
        keys=keys,
        axes=axes,
        within=request.place,
        cumulative=cumulative and split not in (None, ROUND),
    )


def own_period(catalogue: Catalogue, resolved: Resolved) -> str:
    """The periods of an indicator itself: what its row says, of a formula what its first input says."""
    indicator = resolved.indicator
    if indicator.period in KINDS:
        return str(indicator.period)
    if ROUND in resolved.trees:
        return EVERY_ROUND
    for name in resolved.inputs:
        if name in catalogue.resolved:
            return own_period(catalogue, catalogue.resolved[name])
    return WHOLE


def categories_of(catalogue: Catalogue, resolved: Resolved, axis: Axis) -> tuple[Category, ...]:
    """The categories of an axis in their order, with labels; () where nothing names them."""
    if axis.level is not None:
        here = [place for place in catalogue.book.labels.values() if place.level == axis.level]
        return tuple(Category(code=place.code, label=place.label) for place in here)
    form = resolved.joins if axis.joined else resolved.form
    for kept in catalogue.book.dimensions:
        if kept.record.name == axis.name and form is not None and form.form_id in (kept.record.form, kept.record.over):
            if kept.record.categories:
                return kept.record.categories
            break
    entry = question_of(axis.tree, form.schema) if form is not None and axis.tree is not None else None
    if form is None or entry is None:
        return ()
    options = form.schema.options(entry.path)
    return tuple(Category(code=option.name, label=option.label) for option in options)


def label_of(texts: Texts, language: str) -> str:
    """The text in a language of the house, else in any: headings name languages as `Español (es)` or `es`."""
    if not texts:
        return ""
    for name, text in texts.items():
        if name == language or name.endswith(f"({language})"):
            return text
    return texts.get("", next(iter(texts.values())))


def _periods(
    catalogue: Catalogue, resolved: Resolved, text: str | None
) -> tuple[PeriodKind | str | None, tuple[PeriodKey, ...] | None]:
    wanted = (text or own_period(catalogue, resolved)).strip()
    if wanted == WHOLE:
        return None, None
    rounds = _has_rounds(catalogue, resolved)
    if wanted == EVERY_ROUND:
        if rounds:
            return ROUND, None
        raise _wrong_period(wanted, Sentence("este indicador no tiene rondas.", "this indicator has no rounds."))
    try:
        found = parse_request(wanted)
    except PeriodError as error:
        if rounds:
            return ROUND, tuple(part.strip() for part in wanted.split(",") if part.strip())
        raise _wrong_period(wanted, error.sentence) from error
    if isinstance(found, str):
        return found, None
    first = found[0]
    other = next((period for period in found if period.kind != first.kind), None)
    if other is not None:
        raise _wrong_period(
            wanted,
            Sentence(
                f"nombra dos clases de período ({first.code} y {other.code}): pida los de una a la vez.",
                f"it names two kinds of period ({first.code} and {other.code}): ask for one kind at a time.",
            ),
        )
    return first.kind, tuple(period.index for period in found)


def _has_rounds(catalogue: Catalogue, resolved: Resolved) -> bool:
    if ROUND in resolved.trees:
        return True
    inputs = [catalogue.resolved[name] for name in resolved.inputs if name in catalogue.resolved]
    return bool(inputs) and all(_has_rounds(catalogue, one) for one in inputs)


def _axis(catalogue: Catalogue, resolved: Resolved, name: str) -> Axis:
    levels = catalogue.book.levels
    if resolved.indicator.type in ("formula", "manual"):
        known = _splitting(catalogue)
        if resolved.indicator.type == "manual" and name not in known:
            raise problems.wrong_value("by", name, _no_axis(name, known))
        return Axis(name=name, level=name if name in levels else None)
    if name in levels:
        if "place" in resolved.trees:
            return Axis(name=name, level=name)
        raise _no_place(resolved.indicator)
    tree, joined = resolved.dimensions.get(name), False
    if tree is None and name in resolved.joined:
        tree, joined = resolved.joined[name], True
    if tree is None:
        if name in resolved.later:
            raise problems.wrong_value(
                "by",
                name,
                Sentence(
                    es=f"«{name}» se lee de la lista de entidades «{resolved.indicator.join}», que todavía no existe aquí.",
                    en=f"“{name}” is read from the entity list “{resolved.indicator.join}”, which is not here yet.",
                ),
            )
        tree, joined, wrong = find_dimension(
            resolved, name, [kept.record for kept in catalogue.book.dimensions], levels
        )
        if tree is None:
            raise problems.wrong_value(
                "by", name, wrong[0].sentence if wrong else _no_axis(name, [*resolved.dimensions, *levels])
            )
    axis = Axis(name=name, tree=tree, joined=joined)
    if tree.kind != "choices":
        return axis
    codes = tuple(category.code for category in categories_of(catalogue, resolved, axis))
    return Axis(name=name, tree=tree, codes=codes, joined=joined)


def _require_place(catalogue: Catalogue, resolved: Resolved, code: str) -> None:
    if code not in catalogue.book.labels:
        near = next(iter(difflib.get_close_matches(code, catalogue.book.labels, n=1, cutoff=0.6)), None)
        es, en = (f"¿quiso decir «{near}»?", f"did you mean “{near}”?") if near else ("no existe.", "there is none.")
        raise problems.wrong_value("place", code, Sentence(es=es, en=en))
    if "place" not in resolved.trees and resolved.indicator.type not in ("formula", "manual"):
        raise _no_place(resolved.indicator)


def _no_place(indicator: Indicator) -> Problem:
    return problems.wrong_value(
        "place",
        indicator.name,
        Sentence(
            es="este indicador no dice en «place» su lugar.", en="this indicator does not say its place in “place”."
        ),
    )


def _splitting(catalogue: Catalogue) -> list[str]:
    """Every name that something in the project is split by."""
    book = catalogue.book
    typed = (kept.record.dimension for kept in book.targets if kept.record.dimension is not None)
    declared = (name for kept in book.indicators.values() for name in kept.record.disaggregate)
    return list(dict.fromkeys((*(kept.record.name for kept in book.dimensions), *declared, *typed, *book.levels)))


def _no_axis(name: str, known: Collection[str]) -> Sentence:
    return Sentence(
        es=f"«{name}» no desagrega este indicador; las que hay: {', '.join(known)}.",
        en=f"“{name}” does not disaggregate this indicator; those there are: {', '.join(known)}.",
    )


def _wrong_period(text: str, sentence: Sentence) -> Problem:
    return problems.wrong_value("period", text, sentence)

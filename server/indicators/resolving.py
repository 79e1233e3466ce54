"""Resolving: an indicator's expressions checked against the form that it looks at; every mistake is said, with its column."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from forms.expressions.checks import check, check_formula
from forms.expressions.mistakes import MistakenError
from forms.expressions.scope import Scope, kind_of
from forms.expressions.tree import Answer, Apply, Input, Kind, PeriodEnd, Tree, walk
from forms.problems import Sentence
from forms.schema import Schema
from server.indicators.categories import as_category
from server.indicators.declarations import ENTITIES, Dimension, Indicator, Type
from server.indicators.periods import KINDS as PERIODS

ROUND: Final = "period"
"""The role of the expression whose values are the rounds of a survey."""
_WANTED: Final[Mapping[str, Kind]] = {
    "where": "boolean",
    "key": "text",
    "group": "text",
    "weight": "number",
    "strata": "text",
    "psu": "text",
    "date": "date",
    "place": "text",
    ROUND: "text",
}
_MEASURED: Final[Mapping[Type, Kind]] = {"count": "boolean", "distinct": "boolean", "percent": "boolean"}
_IDENTIFYING: Final = ("direct", "free_text")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormView:
    """A form as expressions see it: its row id, everything that it asks or once asked, and what is private of it."""

    id: int
    form_id: str
    schema: Schema
    privacy: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing wrong with a row of a sheet; `column` is the heading."""

    column: str
    sentence: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """An indicator that can be computed.

    `trees` go by role: where, numerator, denominator, value, key, group, weight, strata, psu, date, place, period (rounds).
    `dimensions` are trees by the name in `disaggregate`; those of `joined` are seen from the list `joins`, whose entity the
    key names, those of `later` belong to a list that is not here. `inputs` are the indicators of a formula. `waits` says what
    is not there yet, where the indicator cannot be computed for want of it.
    """

    indicator: Indicator
    form: FormView | None = None
    unit: str = ""
    trees: Mapping[str, Tree] = field(default_factory=dict)
    dimensions: Mapping[str, Tree] = field(default_factory=dict)
    joins: FormView | None = None
    joined: Mapping[str, Tree] = field(default_factory=dict)
    later: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    waits: Sentence | None = None

    @property
    def passes(self) -> bool:
        """Whether it must be computed anew for each period, since what counts in it depends on its end."""
        indicator = self.indicator
        needs = indicator.latest is not None or indicator.group is not None or indicator.cohort is not None
        return needs or any(isinstance(part, PeriodEnd) for tree in self.trees.values() for part in walk(tree))


def resolve(
    indicator: Indicator,
    form: FormView | None,
    *,
    dimensions: Sequence[Dimension] = (),
    levels: Collection[str] = (),
    indicators: Mapping[str, Indicator],
    lists: Mapping[str, FormView] | None = None,
    language: str | None = None,
) -> tuple[Resolved | None, list[Wrong]]:
    """An indicator seen from its form or entity list; with mistakes, None and all of them.

    `dimensions`, `levels` and `indicators` are everything that the project declares; `form` is None where it has none or the
    project has not got it (which is the caller's to say). `lists` are the entity lists that are here, by `entities:name`.
    """
    here = lists or {}
    if indicator.type == "manual":
        return Resolved(indicator=indicator), []
    if indicator.type == "formula":
        return _formula(indicator, indicators)
    if indicator.over.startswith(ENTITIES):
        form = here.get(indicator.over)
        if form is None:
            return Resolved(indicator=indicator, waits=_no_list(indicator.over.removeprefix(ENTITIES))), []
    if form is None:
        return None, []
    joins = here.get(f"{ENTITIES}{indicator.join}") if indicator.join is not None else None
    return _Work(indicator, form, dimensions, levels, indicators, language, joins).done()


def find_unit(schema: Schema, over: str) -> tuple[str | None, list[Wrong]]:
    """The path of the repeat that `over` names ("" for the submission)."""
    if not over:
        return "", []
    repeats = [entry for entry in schema.fields if entry.kind == "repeat"]
    found = [entry.path for entry in repeats if over in (entry.name, entry.path)]
    if len(found) == 1:
        return found[0], []
    if found:
        es = f"hay {len(found)} repeticiones llamadas «{over}»: escriba la ruta, por ejemplo {found[0]}."
        en = f"{len(found)} repeats are named “{over}”: write the path, for example {found[0]}."
        return None, [Wrong("over", Sentence(es, en))]
    names = ", ".join(entry.name for entry in repeats)
    es = f"las que hay: {names}." if names else "el formulario no tiene repeticiones: déjelo en blanco."
    en = f"those there are: {names}." if names else "the form has no repeats: leave it blank."
    return None, [
        Wrong("over", Sentence(f"no hay ninguna repetición «{over}»: {es}", f"there is no repeat “{over}”: {en}"))
    ]


def day_of(schema: Schema) -> Tree | None:
    """The day on which a form says that it was filled in: its `today`, else its `start`; None where it has neither."""
    preloaded = {entry.preload: entry for entry in schema.fields if entry.preload}
    today, start = preloaded.get("date/today"), preloaded.get("timestamp/start")
    if today is not None and kind_of(today) == "date":
        return Answer("date", today.path, "")
    if start is not None and kind_of(start) == "moment":
        return Apply("day", (Answer("moment", start.path, ""),), "date")
    return None


class _Work:
    def __init__(
        self,
        indicator: Indicator,
        form: FormView,
        dimensions: Sequence[Dimension],
        levels: Collection[str],
        indicators: Mapping[str, Indicator],
        language: str | None,
        joins: FormView | None = None,
    ) -> None:
        self._joins = joins
        self._joined: dict[str, Tree] = {}
        self._indicator = indicator
        self._form = form
        self._declared = dimensions
        self._levels = levels
        self._indicators = indicators
        self._language = language
        self._wrong: list[Wrong] = []
        self._trees: dict[str, Tree] = {}

    def done(self) -> tuple[Resolved | None, list[Wrong]]:
        over = "" if self._of_list else self._indicator.over
        unit, wrong = find_unit(self._form.schema, over)
        if unit is None:
            return None, wrong
        self._rows = Scope(self._form.schema, unit, self._language, periods=True)
        self._read_roles()
        self._read_date()
        if self._indicator.cohort is not None:
            self._check_cohort(self._indicator.cohort)
        dimensions, later = self._read_dimensions(unit)
        if self._wrong:
            return None, self._wrong
        return (
            Resolved(
                indicator=self._indicator,
                form=self._form,
                unit=unit,
                trees=self._trees,
                dimensions=dimensions,
                joins=self._joins,
                joined=self._joined,
                later=later,
            ),
            [],
        )

    @property
    def _of_list(self) -> bool:
        """Whether the form is an entity list seen as one."""
        return self._form.form_id.startswith(ENTITIES)

    def _read_roles(self) -> None:
        indicator = self._indicator
        grouped = Scope(self._form.schema, self._rows.unit, self._language, periods=True, grouped=True)
        measured = _MEASURED.get(indicator.type, "number")
        for role in ("numerator", "denominator", "value"):
            self._read(role, getattr(indicator, role), measured, grouped if indicator.group else self._rows)
        for role, wanted in _WANTED.items():
            text = getattr(indicator, role)
            if role == ROUND and text in PERIODS:
                continue
            self._read(role, text, wanted, self._rows)

    def _read(self, role: str, text: str | None, wanted: Kind, scope: Scope) -> None:
        if text is None:
            return
        try:
            self._trees[role] = check(text, scope, wanted)
        except MistakenError as error:
            self._wrong.extend(Wrong(role, mistake.sentence) for mistake in error.mistakes)

    def _read_date(self) -> None:
        """Where nobody says what day a unit belongs to: the form's `today`, else `start`, else when it was received."""
        if self._indicator.date is not None:
            return
        day = day_of(self._form.schema)
        if day is not None:
            self._trees["date"] = day

    def _check_cohort(self, name: str) -> None:
        other = self._indicators.get(name)
        if other is None or other.type != "distinct":
            self._wrong.append(
                Wrong(
                    "cohort",
                    Sentence(
                        f"«{name}» no es un indicador de tipo distinct: la cohorte son las claves que uno así contó.",
                        f"“{name}” is no indicator of type distinct: a cohort is the keys that such a one counted.",
                    ),
                )
            )
        elif other.cohort is not None or other.over.startswith(ENTITIES):
            self._wrong.append(
                Wrong(
                    "cohort",
                    Sentence(
                        f"«{name}» tiene a su vez una cohorte o una lista de entidades: no puede ser cohorte de otro.",
                        f"“{name}” has a cohort or an entity list itself: it cannot be another's cohort.",
                    ),
                )
            )

    def _read_dimensions(self, unit: str) -> tuple[dict[str, Tree], tuple[str, ...]]:
        found: dict[str, Tree] = {}
        later = []
        for name in self._indicator.disaggregate:
            if name in self._levels:
                if "place" not in self._trees and self._indicator.place is None:
                    self._wrong.append(
                        Wrong(
                            "disaggregate",
                            Sentence(
                                f"«{name}» es un nivel de lugares: escriba en «place» la pregunta que dice el lugar.",
                                f"“{name}” is a level of places: write in “place” the question that says the place.",
                            ),
                        )
                    )
                continue
            tree, waits = self._dimension(name, unit)
            if tree is not None:
                found[name] = tree
            elif waits:
                later.append(name)
        return found, tuple(later)

    def look_up(self, name: str, unit: str) -> tuple[Tree | None, bool, list[Wrong]]:
        self._rows = Scope(self._form.schema, unit, self._language, periods=True)
        tree, _ = self._dimension(name, unit)
        joined = self._joined.get(name)
        return (tree, False, self._wrong) if joined is None else (joined, True, self._wrong)

    def _dimension(self, name: str, unit: str) -> tuple[Tree | None, bool]:
        """The tree of a dimension or question; or whether it waits for an entity list."""
        rows = [one for one in self._declared if one.name == name]
        if self._of_list:
            mine = [one for one in rows if one.over == self._form.form_id]
        else:
            mine = [one for one in rows if one.form == self._form.form_id and self._holds(one.over, unit)]
        if mine:
            chosen = max(mine, key=lambda one: len(one.over))
            return self._category(chosen.expression, name), False
        of_list = [one for one in rows if one.over == f"{ENTITIES}{self._indicator.join}"]
        if of_list and self._joins is not None:
            seen = Scope(self._joins.schema, "", self._language, periods=True)
            tree = self._category(of_list[0].expression, name, seen)
            if tree is not None:
                self._joined[name] = tree
            return None, False
        if of_list:
            return None, True
        entries = [entry for entry in self._rows.find(name) if entry.kind == "question"]
        if not entries or rows:
            self._wrong.append(self._no_dimension(name, bool(rows)))
            return None, False
        if self._form.privacy.get(entries[0].path) in _IDENTIFYING:
            self._wrong.append(
                Wrong(
                    "disaggregate",
                    Sentence(
                        f"«{name}» identifica a personas (columna privacy): no sirve para desagregar.",
                        f"“{name}” identifies persons (column privacy): nothing may be disaggregated by it.",
                    ),
                )
            )
            return None, False
        return self._category(f"${{{name}}}", name), False

    def _holds(self, over: str, unit: str) -> bool:
        if not over:
            return True
        path, _ = find_unit(self._form.schema, over)
        return path is not None and (unit == path or unit.startswith(f"{path}/"))

    def _category(self, expression: str, name: str, scope: Scope | None = None) -> Tree | None:
        try:
            tree = check(expression, scope or self._rows)
        except MistakenError as error:
            self._wrong.extend(
                Wrong("disaggregate", Sentence(f"{name}: {one.sentence.es}", f"{name}: {one.sentence.en}"))
                for one in error.mistakes
            )
            return None
        category = as_category(tree)
        if category is None:
            self._wrong.append(
                Wrong(
                    "disaggregate",
                    Sentence(
                        f"«{name}» no da categorías: use una pregunta de opciones, un texto, un número o una condición.",
                        f"“{name}” gives no categories: use a question with choices, a text, a number or a condition.",
                    ),
                )
            )
        return category

    def _no_dimension(self, name: str, elsewhere: bool) -> Wrong:
        if elsewhere:
            return Wrong(
                "disaggregate",
                Sentence(
                    f"la dimensión «{name}» no está declarada para el formulario {self._form.form_id}: agregue una fila en "
                    "«dimensions» con ese «form».",
                    f"the dimension “{name}” is not declared for the form {self._form.form_id}: add a row with that "
                    "“form” to “dimensions”.",
                ),
            )
        known = {one.name for one in self._declared} | set(self._levels)
        known |= {entry.name for entry in self._form.schema.fields if entry.kind == "question"}
        near = next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.6)), None)
        es, en = (f": ¿quiso decir «{near}»?", f": did you mean “{near}”?") if near else (".", ".")
        return Wrong(
            "disaggregate",
            Sentence(
                f"«{name}» no es una dimensión, un nivel de lugares ni una pregunta{es}",
                f"“{name}” is no dimension, no level of places and no question{en}",
            ),
        )


def find_dimension(
    resolved: Resolved, name: str, dimensions: Sequence[Dimension], levels: Collection[str]
) -> tuple[Tree | None, bool, list[Wrong]]:
    """The tree of a dimension or question that the indicator's row does not name, whether it is seen from the list that the
    indicator joins, and what is wrong with it."""
    if resolved.form is None:
        return None, False, []
    work = _Work(resolved.indicator, resolved.form, dimensions, levels, {}, None, resolved.joins)
    return work.look_up(name, resolved.unit)


def _formula(indicator: Indicator, indicators: Mapping[str, Indicator]) -> tuple[Resolved | None, list[Wrong]]:
    try:
        tree = check_formula(indicator.value or "", [name for name in indicators if name != indicator.name])
    except MistakenError as error:
        return None, [Wrong("value", mistake.sentence) for mistake in error.mistakes]
    inputs = tuple(dict.fromkeys(part.name for part in walk(tree) if isinstance(part, Input)))
    return Resolved(indicator=indicator, trees={"value": tree}, inputs=inputs), []


def _no_list(name: str) -> Sentence:
    return Sentence(
        f"La lista de entidades «{name}» todavía no existe en este servidor.",
        f"The entity list “{name}” is not on this server yet.",
    )

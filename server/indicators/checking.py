"""Checking: rows of the sheet `checks`, resolved against their form, become rules; every mistake is said, with its column."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final

from forms import audit_log
from forms.expressions.checks import check
from forms.expressions.mistakes import MistakenError
from forms.expressions.scope import Scope, kind_of
from forms.expressions.tree import Answer, Kind, Tree, walk
from forms.problems import Sentence
from forms.schema import Field
from server.cleaning.rules import CLOCK, Rule
from server.indicators.declarations import Check
from server.indicators.resolving import FormView, Wrong, find_unit

HOURS: Final = 24.0
"""A device clock that is further off is wrong."""
METRES: Final = 50.0
KILOMETRES: Final = 10.0
DEVIATIONS: Final = 3.5
SECONDS: Final = 2.0
_FEWEST_ITEMS: Final = 3
_SHOWN: Final = 10


def rules_of(form: FormView, declared: Sequence[Check]) -> tuple[Rule, ...]:
    """Every rule that a form's records are judged by: of the checks in force for it, and of the built-ins that are on by
    themselves. A check that the form answers no more gives none."""
    mine = [one for one in declared if one.form == form.form_id]
    rules: list[Rule] = []
    if all(one.builtin != "clock" for one in mine):
        rules += _Work(Check(name=CLOCK, label={}, builtin="clock"), form).done()[0]
    for one in mine:
        found, wrong = resolve_check(one, form)
        if not wrong:
            rules += found
    return tuple(rules)


def resolve_check(one: Check, form: FormView) -> tuple[tuple[Rule, ...], list[Wrong]]:
    """The rules that a check makes, and what is wrong with it; none where it is off."""
    rules, wrong = _Work(one, form).done()
    return (() if one.severity == "off" else rules), wrong


def newly_broken(
    checks: Sequence[Check], before: Mapping[str, FormView], after: Mapping[str, FormView]
) -> Iterator[tuple[str, Sentence]]:
    """The checks that their form answers no more as it would be `after`, though it did `before`, each with the reason."""
    for one in checks:
        was, now = before.get(one.form or ""), after.get(one.form or "")
        if was is not None and now is not None and was is not now and not resolve_check(one, was)[1]:
            yield from ((one.name, wrong.sentence) for wrong in resolve_check(one, now)[1][:1])


class _Work:
    def __init__(self, one: Check, form: FormView) -> None:
        self._one = one
        self._form = form
        self._schema = form.schema
        self._wrong: list[Wrong] = []
        self._unit = ""

    def done(self) -> tuple[tuple[Rule, ...], list[Wrong]]:
        unit, wrong = find_unit(self._schema, self._one.over)
        if unit is None:
            return (), wrong
        self._unit = unit
        self._scope = Scope(self._schema, unit)
        when = self._tree("when", self._one.when, "boolean")
        made = _MAKERS[self._one.builtin](self, when)
        return (() if self._wrong else tuple(made)), self._wrong

    # what a row says

    def _tree(self, column: str, text: str | None, wanted: Kind | None) -> Tree | None:
        if text is None:
            return None
        try:
            return check(text, self._scope, wanted)
        except MistakenError as error:
            self._wrong.extend(Wrong(column, mistake.sentence) for mistake in error.mistakes)
            return None

    def _say(self, column: str, es: str, en: str) -> None:
        self._wrong.append(Wrong(column, Sentence(es, en)))

    def _rule(self, **given: object) -> Rule:
        kind = self._one.builtin or "when"
        about = {"check": self._one.name, "kind": kind, "unit": self._unit, "severity": self._one.severity}
        return Rule(form_id=self._form.id, **about, **given)  # type: ignore[arg-type]

    def _questions(self) -> list[Field]:
        """The questions that `fields` names, in order; a mistake for each name that is none."""
        found: list[Field] = []
        names = {entry.name for entry in self._schema.fields}
        for name in self._one.fields:
            entries = self._scope.find(name)
            if not entries:
                self._wrong.append(_no_question(name, names))
            found.extend(entries[:1])
        return found

    def _own(self, entry: Field) -> Answer | None:
        """The answer to a question in the unit's row, or in one that holds it; a mistake where it stands elsewhere."""
        table = self._schema.repeat_of(entry.path)
        if entry.kind == "question" and self._scope.holds_unit(table):
            return Answer(kind_of(entry), entry.path, table)
        if entry.kind == "question":
            repeat = table.rpartition("/")[2]
            self._say(
                "fields",
                f"«{entry.name}» está en la repetición «{repeat}»: escriba «{repeat}» en «over».",
                f"“{entry.name}” is in the repeat “{repeat}”: write “{repeat}” in “over”.",
            )
        else:
            self._say("fields", f"«{entry.name}» no es una pregunta.", f"“{entry.name}” is no question.")
        return None

    # what each kind makes of it

    def when(self, when: Tree | None) -> list[Rule]:
        if self._one.when is None:
            self._say(
                "when",
                "escriba la condición que señala un registro, o el nombre de una verificación incluida en «builtin».",
                "write the condition that flags a record, or the name of a built-in check in “builtin”.",
            )
        entries = self._questions()
        shown: list[tuple[str, Tree]] = []
        for entry in entries:
            answer = self._own(entry)
            if answer is not None:
                shown.append((entry.name, answer))
        if when is not None and not entries:
            named = list(dict.fromkeys(part for part in walk(when) if isinstance(part, Answer)))
            mine = [answer for answer in named if self._scope.holds_unit(answer.table)]
            shown.extend((answer.path.rpartition("/")[2], answer) for answer in mine[:_SHOWN])
        path = next((tree.path for _, tree in shown if isinstance(tree, Answer)), "")
        return [self._rule(when=when, shown=tuple(shown), path=path)]

    def clock(self, when: Tree | None) -> list[Rule]:
        self._only_submission()
        moments = self._moments()
        today = self._preloaded("date/today", "date")
        shown = list(moments.items()) or ([("today", today)] if today is not None else [])
        if not shown:
            if self._one.name != CLOCK:
                self._say(
                    "builtin",
                    "el formulario no pregunta cuándo se llenó: agregue filas «start» y «end» en «survey».",
                    "the form does not ask when it was filled in: add rows “start” and “end” to “survey”.",
                )
            return []
        maximum = HOURS if self._one.maximum is None else self._one.maximum
        path = next(answer.path for _, answer in shown)
        return [self._rule(when=when, shown=tuple(shown), maximum=maximum, since=self._one.since, path=path)]

    def duration(self, when: Tree | None) -> list[Rule]:
        self._only_submission()
        moments = self._moments()
        if self._one.minimum is None and self._one.maximum is None:
            self._say(
                "minimum",
                "escriba cuántos minutos dura al menos («minimum») o a lo sumo («maximum») una entrevista.",
                "write how many minutes an interview takes at least (“minimum”) or at most (“maximum”).",
            )
        if len(moments) < 2 and not self._is_logged():
            self._say(
                "builtin",
                "el formulario no dice cuánto duró: agregue una fila «audit», o «start» y «end», en «survey».",
                "the form does not say how long it took: add a row “audit”, or “start” and “end”, to “survey”.",
            )
        return [
            self._rule(
                when=when,
                shown=tuple(moments.items()) if len(moments) == 2 else (),
                minimum=self._one.minimum,
                maximum=self._one.maximum,
                logged=self._is_logged(),
            )
        ]

    def speeding(self, when: Tree | None) -> list[Rule]:
        self._only_submission()
        if not self._is_logged():
            self._say(
                "builtin",
                "el formulario no lleva registro de pantallas: agregue una fila de tipo «audit» en «survey».",
                "the form keeps no log of its screens: add a row of type “audit” to “survey”.",
            )
        minimum = SECONDS if self._one.minimum is None else self._one.minimum
        return [self._rule(when=when, minimum=minimum, logged=True)]

    def gps_missing(self, when: Tree | None) -> list[Rule]:
        return [self._rule(when=when, point=point, path=point.path) for point in self._points()]

    def gps_imprecise(self, when: Tree | None) -> list[Rule]:
        maximum = METRES if self._one.maximum is None else self._one.maximum
        return [self._rule(when=when, point=point, path=point.path, maximum=maximum) for point in self._points()]

    def gps_outside(self, when: Tree | None) -> list[Rule]:
        place = self._tree("place", self._one.place, "text")
        if self._one.place is None and not self._one.within:
            self._say(
                "place",
                "escriba en «place» la pregunta con el código del lugar, o en «within» el área: sur oeste norte este.",
                "write the question with the place's code in “place”, or the area in “within”: south west north east.",
            )
        maximum = KILOMETRES if self._one.maximum is None else self._one.maximum
        return [
            self._rule(when=when, point=point, path=point.path, place=place, maximum=maximum, box=self._one.within)
            for point in self._points()
        ]

    def duplicate(self, when: Tree | None) -> list[Rule]:
        key = self._tree("key", self._one.key, "text")
        if self._one.key is None:
            self._say(
                "key",
                "escriba lo que debe ser distinto en cada registro, como ${cedula} o concat(${casa}, '-', ${hogar}).",
                "write what must be another in each record, such as ${id} or concat(${house}, '-', ${household}).",
            )
        return [self._rule(when=when, key=key, path=key.path if isinstance(key, Answer) else "")]

    def straight_lining(self, when: Tree | None) -> list[Rule]:
        items = [item for entry in self._questions() for item in self._items(entry)]
        answers = [answer for item in items if (answer := self._own(item)) is not None]
        lists = {self._list_of(item) for item in items}
        least = len(answers) if self._one.minimum is None else int(self._one.minimum)
        if not self._wrong and (len(answers) < _FEWEST_ITEMS or len(lists) != 1):
            self._say(
                "fields",
                f"nombre un grupo, o al menos {_FEWEST_ITEMS} preguntas select_one, todas con la misma lista de opciones.",
                f"name a group, or at least {_FEWEST_ITEMS} questions of type select_one, all with the same list.",
            )
        elif not self._wrong and not 2 <= least <= len(answers):
            self._say(
                "minimum",
                f"deben estar contestadas entre 2 y {len(answers)} preguntas.",
                f"between 2 and {len(answers)} questions must be answered.",
            )
        shown = tuple((answer.path.rpartition("/")[2], answer) for answer in answers)
        path = answers[0].path if answers else ""
        return [self._rule(when=when, shown=shown, minimum=float(least), path=path)]

    def outlier(self, when: Tree | None) -> list[Rule]:
        entries = self._questions()
        if not entries and not self._wrong:
            self._say("fields", "nombre al menos una pregunta numérica.", "name at least one question with numbers.")
        maximum = DEVIATIONS if self._one.maximum is None else self._one.maximum
        rules = []
        for entry in entries:
            answer = self._own(entry)
            if answer is not None and answer.kind != "number":
                self._say("fields", f"«{entry.name}» no es un número.", f"“{entry.name}” is no number.")
            elif answer is not None:
                rules.append(self._rule(when=when, shown=((entry.name, answer),), path=answer.path, maximum=maximum))
        return rules

    # what the form has

    def _only_submission(self) -> None:
        if self._one.over:
            self._say(
                "over",
                "esta verificación es del envío entero: deje la celda en blanco.",
                "this check is about the whole submission: leave the cell blank.",
            )

    def _preloaded(self, preload: str, kind: Kind) -> Answer | None:
        for entry in self._schema.fields:
            if entry.preload == preload and kind_of(entry) == kind and not self._schema.repeat_of(entry.path):
                return Answer(kind, entry.path, "")
        return None

    def _moments(self) -> dict[str, Answer]:
        found = {name: self._preloaded(f"timestamp/{name}", "moment") for name in ("start", "end")}
        return {name: answer for name, answer in found.items() if answer is not None}

    def _is_logged(self) -> bool:
        return audit_log.PATH in self._schema.by_path

    def _points(self) -> list[Answer]:
        """The points that `fields` names; those of the unit where it names none."""
        entries = self._questions()
        if not entries and not self._wrong:
            every = [entry for entry in self._schema.fields if entry.type == "geopoint"]
            entries = [entry for entry in every if self._schema.repeat_of(entry.path) == self._unit]
            if not entries:
                self._say("fields", "no hay ninguna pregunta geopoint aquí.", "there is no geopoint question here.")
        points = []
        for entry in entries:
            answer = self._own(entry)
            if answer is not None and answer.kind != "point":
                self._say("fields", f"«{entry.name}» no es un geopoint.", f"“{entry.name}” is no geopoint.")
            elif answer is not None:
                points.append(answer)
        return points

    def _items(self, entry: Field) -> list[Field]:
        """A select_one, or those of a group; repeats within it are not looked into."""
        if entry.kind == "question":
            if entry.control != "select1":
                self._say("fields", f"«{entry.name}» no es select_one.", f"“{entry.name}” is no select_one.")
                return []
            return [entry]
        inside = [one for one in self._schema.fields if one.path.startswith(f"{entry.path}/")]
        table = entry.path if entry.kind == "repeat" else self._schema.repeat_of(entry.path)
        return [one for one in inside if one.control == "select1" and self._schema.repeat_of(one.path) == table]

    def _list_of(self, entry: Field) -> object:
        source = entry.choices
        if source is None:
            return entry.path
        return source.instance or tuple(choice.name for choice in source.choices)


_MAKERS: Final[Mapping[str | None, Callable[[_Work, Tree | None], list[Rule]]]] = {
    None: _Work.when,
    "clock": _Work.clock,
    "duration": _Work.duration,
    "speeding": _Work.speeding,
    "gps_missing": _Work.gps_missing,
    "gps_imprecise": _Work.gps_imprecise,
    "gps_outside": _Work.gps_outside,
    "duplicate": _Work.duplicate,
    "straight_lining": _Work.straight_lining,
    "outlier": _Work.outlier,
}


def _no_question(name: str, names: Collection[str]) -> Wrong:
    near = next(iter(difflib.get_close_matches(name, names, n=1, cutoff=0.6)), None)
    es, en = (f": ¿quiso decir «{near}»?", f": did you mean “{near}”?") if near else (".", ".")
    return Wrong(
        "fields",
        Sentence(f"el formulario no tiene ninguna pregunta «{name}»{es}", f"the form has no question “{name}”{en}"),
    )

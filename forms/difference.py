"""Difference: what changed from one version of a form to another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from forms import renames
from forms.problems import Finding, Sentence
from forms.schema import Choice, Field, Kind, Schema, Texts, Type

Answer = Literal["free", "one", "several", "order"]
"""How a question is answered: with free text or by the form itself, with one option, with several, by putting in order."""

_ANSWERS: Final[dict[str | None, Answer]] = {"select1": "one", "select": "several", "rank": "order"}
_WIDER: Final[dict[Type, tuple[Type, ...]]] = {"int": ("decimal", "string"), "decimal": ("string",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeChange:
    """A question of another type. `column` is the type of the column that holds both, None where each needs its own."""

    before: str
    after: str
    before_type: Type
    after_type: Type
    column: Type | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A question whose answers belong to the rows of another repeat ("": the form's own); it gets a column there."""

    before: str
    after: str
    before_table: str
    after_table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KindChange:
    """A question, group or repeat that has become another of the three."""

    before: str
    after: str
    before_kind: Kind
    after_kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerChange:
    """A question of text that is answered in another way: one option, then several."""

    before: str
    after: str
    before_answer: Answer
    after_answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceChange:
    """What changed in a list of options; `paths` are the questions of the new form that use it.

    `renamed` are (former code, new code), `relabelled` (code, label before, label after) where a label says something else
    in a language that both versions have.
    """

    paths: tuple[str, ...]
    list_name: str | None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    relabelled: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Paths are those of the form they are found in.

    `added` are new fields, `removed` former ones, `renamed` (path before, path after) of all that have another path and
    are the same, what stands in a renamed group included. `alike` are (removed, added) questions of one name that
    nobody has declared to be the same. `findings` say what is wrong with the renames that were asked for.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    types: tuple[TypeChange, ...] = ()
    moved: tuple[Move, ...] = ()
    kinds: tuple[KindChange, ...] = ()
    answers: tuple[AnswerChange, ...] = ()
    choices: tuple[ChoiceChange, ...] = ()
    alike: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def own_columns(self) -> frozenset[str]:
        """Questions of the new form that continue an old one and yet get a column of their own."""
        apart = {change.after for change in self.types if change.column is None}
        return frozenset(apart.union(move.after for move in self.moved))


def compare(
    before: Schema,
    after: Schema,
    *,
    renamed: Mapping[str, str] = {},
    choices_renamed: Mapping[str, Mapping[str, str]] = {},
    rows: Mapping[str, int] = {},
) -> Difference:
    """What changed from `before` to `after`.

    `renamed` maps paths of `after` to what the workbook's column `was` says of them, an earlier name or an earlier path;
    `choices_renamed` maps a list's name to new code → former code; `rows` maps paths of `after` to rows of the sheet
    `survey`, for findings. Nothing is raised: what cannot be followed is a finding.
    """
    continuity = renames.follow(before, after, renamed, rows)
    origin = continuity.origin
    continued = set(origin.values())
    added = tuple(entry.path for entry in after.fields if entry.path not in origin)
    removed = tuple(entry.path for entry in before.fields if entry.path not in continued)
    pairs = [(before.by_path[origin[entry.path]], entry) for entry in after.fields if entry.path in origin]
    questions = [(old, new) for old, new in pairs if old.kind == new.kind == "question"]
    choice_findings: list[Finding] = []
    return Difference(
        added=added,
        removed=removed,
        renamed=tuple((old.path, new.path) for old, new in pairs if old.path != new.path),
        types=tuple(_type_changes(questions)),
        moved=tuple(_moves(before, after, origin, questions)),
        kinds=tuple(
            KindChange(before=old.path, after=new.path, before_kind=old.kind, after_kind=new.kind)
            for old, new in pairs
            if old.kind != new.kind
        ),
        answers=tuple(_answer_changes(questions)),
        choices=tuple(_choice_changes(before, after, questions, choices_renamed, choice_findings)),
        alike=tuple(_alike(before, after, origin, removed, added)),
        findings=(*continuity.findings, *choice_findings),
    )


def column_type(before: Type, after: Type) -> Type | None:
    """The type of a column of `before` once it also takes answers of `after`; None where it cannot.

    Whole numbers fit a decimal column, numbers fit a text column; media and bar codes are text.
    """
    old, new = _stored(before), _stored(after)
    if old == new:
        return old
    if new in _WIDER.get(old, ()):
        return new
    return old if (old, new) == ("decimal", "int") else None


def _stored(type_: Type) -> Type:
    return "string" if type_ in ("binary", "barcode") else type_


_Pairs = list[tuple[Field, Field]]


def _type_changes(questions: _Pairs) -> Iterator[TypeChange]:
    for old, new in questions:
        before, after = old.type or "string", new.type or "string"
        if before != after:
            yield TypeChange(
                before=old.path,
                after=new.path,
                before_type=before,
                after_type=after,
                column=column_type(before, after),
            )


def _moves(before: Schema, after: Schema, origin: Mapping[str, str], questions: _Pairs) -> Iterator[Move]:
    for old, new in questions:
        before_table, after_table = before.repeat_of(old.path), after.repeat_of(new.path)
        if origin.get(after_table, after_table) != before_table or (after_table and after_table not in origin):
            yield Move(before=old.path, after=new.path, before_table=before_table, after_table=after_table)


def _answer_changes(questions: _Pairs) -> Iterator[AnswerChange]:
    for old, new in questions:
        before, after = _ANSWERS.get(old.control, "free"), _ANSWERS.get(new.control, "free")
        if before != after and _stored(old.type or "string") == _stored(new.type or "string"):
            yield AnswerChange(before=old.path, after=new.path, before_answer=before, after_answer=after)


def _alike(
    before: Schema, after: Schema, origin: Mapping[str, str], removed: tuple[str, ...], added: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    old, new = _by_name(before, removed), _by_name(after, added)
    for name, paths in old.items():
        others = new.get(name, [])
        if len(paths) == len(others) == 1:
            table = after.repeat_of(others[0])
            if origin.get(table, table) == before.repeat_of(paths[0]):
                yield paths[0], others[0]


def _by_name(schema: Schema, paths: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        if schema.by_path[path].kind == "question":
            found.setdefault(schema.by_path[path].name, []).append(path)
    return found


# --------------------------------------------------------------------------- options


def _choice_changes(
    before: Schema,
    after: Schema,
    questions: _Pairs,
    choices_renamed: Mapping[str, Mapping[str, str]],
    findings: list[Finding],
) -> Iterator[ChoiceChange]:
    """Each pair of lists once, with all questions that use it. Lists in files are not seen here."""
    users: dict[tuple[str, str], list[str]] = {}
    for old, new in questions:
        if old.choices is not None and new.choices is not None:
            key = (old.choices.instance or old.path, new.choices.instance or new.path)
            users.setdefault(key, []).append(new.path)
    for (_, list_name), paths in users.items():
        new = after.by_path[paths[0]]
        old = next(old for old, other in questions if other is new)
        was, now = _by_code(before.options(old.path)), _by_code(after.options(new.path))
        if not was or not now:
            continue
        name = new.choices.instance if new.choices else None
        followed = _followed(was, now, choices_renamed.get(list_name, {}), list_name, findings)
        change = ChoiceChange(
            paths=tuple(paths),
            list_name=name,
            added=tuple(code for code in now if code not in was and code not in followed),
            removed=tuple(code for code in was if code not in now and code not in followed.values()),
            renamed=tuple((former, code) for code, former in followed.items()),
            relabelled=tuple(_relabelled(was, now, followed, after.default_language)),
        )
        if change.added or change.removed or change.renamed or change.relabelled:
            yield change


def _by_code(options: tuple[Choice, ...]) -> dict[str, Choice]:
    return {choice.name: choice for choice in options}


def _followed(
    was: Mapping[str, Choice],
    now: Mapping[str, Choice],
    wanted: Mapping[str, str],
    list_name: str,
    findings: list[Finding],
) -> dict[str, str]:
    """New code → former code, for the codes that are not in the stored form and whose former code is, and is gone."""
    followed: dict[str, str] = {}
    for code, former in wanted.items():
        if code not in now or code in was:
            continue  # a rename of an earlier version, left in the workbook
        if former in was and former not in now and former not in followed.values():
            followed[code] = former
        elif former in was:
            findings.append(
                _choice_finding(
                    f"En la lista «{list_name}», la opción «{code}» dice que antes era «{former}», pero «{former}» sigue "
                    "en la lista o ya tiene otro código nuevo.",
                    f"In the list “{list_name}”, the option “{code}” says that it was “{former}”, but “{former}” is still "
                    "in the list or already has another new code.",
                )
            )
        else:
            findings.append(
                _choice_finding(
                    f"En la lista «{list_name}», la opción «{code}» dice que antes era «{former}», pero el formulario "
                    f"anterior no tiene «{former}».",
                    f"In the list “{list_name}”, the option “{code}” says that it was “{former}”, but the stored form has "
                    f"no “{former}”.",
                )
            )
    return followed


def _choice_finding(es: str, en: str) -> Finding:
    return Finding(severity="warning", sentence=Sentence(es=es, en=en), sheet="choices", column="was")


def _relabelled(
    was: Mapping[str, Choice], now: Mapping[str, Choice], followed: Mapping[str, str], language: str | None
) -> Iterator[tuple[str, str, str]]:
    for code, choice in now.items():
        former = was.get(followed.get(code, code))
        if former is None:
            continue
        changed = [key for key in choice.label if _says_other(former.label, choice.label, key)]
        if changed:
            shown = language if language in changed else changed[0]
            yield code, former.label[shown or ""], choice.label[shown or ""]


def _says_other(before: Texts, after: Texts, language: str) -> bool:
    """Whether both have a text in the language and it differs in more than capitals and spaces."""
    old, new = before.get(language), after.get(language)
    return bool(old and new and " ".join(old.casefold().split()) != " ".join(new.casefold().split()))

"""Flags: what the checks found in the answers of a form, and what people say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from forms.problems import Sentence
from server import problems
from server.access import require
from server.actions import checks, sight
from server.actions.checks import Run
from server.actions.forms import get_form
from server.cleaning import hiding, sentences
from server.cleaning.fieldwork import AXES, Fieldwork, Figure
from server.context import Context
from server.indicators import book as books
from server.indicators import catalogue
from server.indicators.declarations import Check, Texts
from server.indicators.resolving import day_of
from server.model.cleaning import CORRECTED, EXPLAINED, OPEN
from server.model.forms import Form
from server.model.submissions import Flag, FlaggedValue
from server.store import flags, forms, projects, submissions
from server.tables import registry

LONGEST: Final = 2_000
"""Characters of a comment."""
_GROWN: Final = 1.1
"""Once there are so many times the records, medians are computed anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which flags are meant: those of every state, check, severity, enumerator (number or name), device and day where
    nothing else is said."""

    states: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    enumerator: str | None = None
    device: str | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """A flag with the name of its check and what it says, by language."""

    flag: FlaggedValue
    label: Texts
    message: Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some flags, and whether more come after them."""

    flags: tuple[Flagged, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Figures of fieldwork, what they are split by, and the checks that have open flags, with their names."""

    by: tuple[str, ...]
    figures: tuple[Figure, ...]
    checks: Mapping[str, Texts] = field(default_factory=dict)


def list_flagged(
    ctx: Context,
    project_id: int,
    form_id: str,
    wanted: Filter | None = None,
    *,
    after: tuple[int, int] = (0, 0),
    most: int | None = None,
) -> Page:
    """The flags on the living submissions of a form, eldest submission first: of `after` (submission, flag) the next `most`.

    Whoever may not identify people is not told on which record a flag is, nor an answer that may say whose it is. Raises
    Problem 404.1, 403.1.
    """
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    asked = wanted or Filter()
    ids = None
    if (asked.enumerator, asked.device, asked.day) != (None, None, None):
        if form.current_version_id is None:
            return Page(flags=(), more=False)
        ids = _fieldwork(ctx, form).ids(enumerator=asked.enumerator, device=asked.device, day=asked.day)
    found = flags.list_of_form(
        ctx.conn,
        form.id,
        states=asked.states,
        checks=asked.checks,
        severities=asked.severities,
        submission_ids=ids,
        after=after,
        most=None if most is None else most + 1,
    )
    declared = _declared(ctx, form)
    shown = _seen(ctx, form, found if most is None else found[:most])
    return Page(flags=tuple(_told(flag, declared) for flag in shown), more=len(shown) < len(found))


def note_listed(ctx: Context, project_id: int, form_id: str, reason: str | None = None) -> None:
    """The audit line of flags that were read. Raises Problem 404.1, 403.1."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    sight.note_export(ctx, form, "flags", reason)


def explain(ctx: Context, project_id: int, form_id: str, flag_id: int, comment: str) -> Flagged:
    """Say why what was flagged is right as it is; a comment that is there already is replaced.

    Raises Problem 404.1, 403.1, 400.8 for a comment that is blank or too long, or a flag that was corrected.
    """
    form = get_form(ctx, project_id, form_id)
    require(ctx, "flag.update", form)
    said = comment.strip()
    if not said or len(said) > LONGEST:
        reason = Sentence(f"escriba de 1 a {LONGEST} caracteres.", f"write 1 to {LONGEST} characters.")
        raise problems.wrong_value("comment", comment[:100], reason)
    flag = _living(ctx, form, flag_id)

    flags.change(
        ctx.conn,
        flag.id,
        state=EXPLAINED,
        comment=said,
        explained_at=ctx.now(),
        explained_by=ctx.actor_id,
    )
    return _changed(ctx, form, flag, "explain", said)


def reopen(ctx: Context, project_id: int, form_id: str, flag_id: int) -> Flagged:
    """An explanation does not hold: the flag is open again. Raises Problem 404.1, 403.1, 400.8 as `explain`."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "flag.update", form)
    flag = _living(ctx, form, flag_id)

    flags.change(ctx.conn, flag.id, state=OPEN, comment=None, explained_at=None, explained_by=None)
    return _changed(ctx, form, flag, "reopen", flag.comment)


def get_figures(ctx: Context, project_id: int, form_id: str, by: Sequence[str] = AXES) -> Figures:
    """Submissions, flagged ones and open flags by check: by enumerator (`submitter`, `device`) and `day`, or some of them.

    Raises Problem 404.1, 403.1, 400.8 for another axis.
    """
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.list", form)
    for axis in by:
        if axis not in AXES:
            listed = ", ".join(AXES)
            raise problems.wrong_value("by", axis, Sentence(f"use {listed}.", f"use {listed}."))
    axes = tuple(axis for axis in AXES if axis in by)
    if form.current_version_id is None:
        return Figures(by=axes, figures=())
    figures = _fieldwork(ctx, form).figures(ctx.conn, axes)
    declared = _declared(ctx, form)
    names = sorted({name for figure in figures for name in figure.open})
    return Figures(by=axes, figures=tuple(figures), checks={name: _label(name, declared) for name in names})


def run(ctx: Context, project_id: int, form_id: str) -> Run:
    """Look through every submission of a form anew, medians and audit logs too. Raises Problem 404.1, 403.1."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "flag.update", form)
    form = forms.hold_for_change(ctx.conn, form.id)
    made = checks.look_through(ctx, form)

    ctx.record("flag.run", project_id=project_id, form_id=form.id, details={"submissions": made.submissions})
    return made


def list_grown(ctx: Context) -> list[tuple[int, str]]:
    """Project and id of forms with so many more records that their medians should be computed anew."""
    require(ctx, "config.set", None)
    grown = []
    for project in projects.list_projects(ctx.conn):
        for form in forms.list_forms(ctx.conn, project.id):
            count = checks.count_compared(ctx, form)
            if count is not None and submissions.count(ctx.conn, form.id) > count * _GROWN:
                grown.append((project.id, form.xml_form_id))
    return grown


def _fieldwork(ctx: Context, form: Form) -> Fieldwork:
    def make() -> Fieldwork:
        schema = catalogue.view_of(ctx.conn, form).schema
        return Fieldwork(ctx.conn, registry.load(ctx.conn, form.id), schema, day_of(schema))

    return registry.remember(ctx.conn, ("fieldwork", form.id, form.layout_revision), make)


def _seen(ctx: Context, form: Form, found: Sequence[FlaggedValue]) -> Sequence[FlaggedValue]:
    """The flags as whoever asks may see them."""
    seen = sight.of(ctx, form)
    if seen.identifies or not found:
        return found
    rules = checks.checker_of(ctx, form).rules if form.current_version_id is not None else ()
    telling = hiding.telling(rules, seen.hides)
    return [hiding.hide(flag, telling, seen.hides) for flag in found]


def _living(ctx: Context, form: Form, flag_id: int) -> Flag:
    flag = flags.find_flag(ctx.conn, form.id, flag_id)
    if flag is None:
        missing = Sentence(f"El formulario no tiene la señal {flag_id}.", f"The form has no flag {flag_id}.")
        raise problems.not_found(missing, {"flagId": flag_id})
    if flag.state == CORRECTED:
        reason = Sentence("el dato ya se corrigió.", "the data was corrected already.")
        raise problems.wrong_value("state", flag.state, reason)
    return flag


def _changed(ctx: Context, form: Form, flag: Flag, what: str, comment: str | None) -> Flagged:
    ctx.record(
        f"flag.update.{what}",
        project_id=form.project_id,
        form_id=form.id,
        submission_id=flag.submission_id,
        details={"flagId": flag.id, "check": flag.check, "comment": comment},
    )
    (told,) = _seen(ctx, form, [flags.get_flagged(ctx.conn, flag.id)])
    return _told(told, _declared(ctx, form))


def _declared(ctx: Context, form: Form) -> dict[str, Check]:
    project = projects.find_project(ctx.conn, form.project_id)
    kept = books.load(ctx.conn, project).checks if project is not None else ()
    return {one.record.name: one.record for one in kept}


def _told(flag: FlaggedValue, declared: Mapping[str, Check]) -> Flagged:
    return Flagged(flag=flag, label=_label(flag.check, declared), message=_message(flag, declared))


def _label(name: str, declared: Mapping[str, Check]) -> Texts:
    title = sentences.TITLES.get(name)
    if title is not None:
        return _both(title)
    return declared[name].label if name in declared else {"": name}


def _message(flag: FlaggedValue, declared: Mapping[str, Check]) -> Texts:
    """The check's own message; else what the built-in says; else the check's label."""
    check = declared.get(flag.check)
    own = check.message if check is not None else {}
    if own:
        return {language: sentences.filled(text, flag.details) for language, text in own.items()}
    if check is not None and check.builtin is None:
        return check.label
    return _both(sentences.said(flag.check, flag.details))


def _both(sentence: Sentence) -> Texts:
    return {"es": sentence.es, "en": sentence.en}

"""Correction sheets: answers given out as a workbook in which their values can be corrected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from forms.problems import Sentence
from forms.schema import Field, Schema, Type
from server import problems
from server.access import require
from server.actions import corrections, naming, sight
from server.actions.forms import get_form, get_published
from server.cleaning import corrections as rules
from server.cleaning import refusals, sheets, standing
from server.cleaning.sheets import MOST_LINES, SheetLine
from server.cleaning.standing import Standing
from server.context import Context
from server.model.forms import Form
from server.store import corrections as store
from server.store import submissions
from server.tables import registry

_CHOICES_SHOWN: Final = 20
_PAGE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which answers are given out: those with an open flag (of `checks`, or of any), or those to `questions` (paths or
    names) where some are named; of `records` only, where some are named."""

    checks: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    records: tuple[str, ...] = ()


def download(ctx: Context, project_id: int, form_id: str, wanted: Wanted, language: str) -> bytes:
    """A workbook (.xlsx) with the answers that are wanted: record, row, question and old value locked, the new one open.

    What whoever asks may not see is left out. Raises Problem 404.1 for a record or question that is not there, 403.1 for a
    question that may not be seen, 400.8 for more than MOST_LINES answers.
    """
    form, version = get_published(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    schema = registry.schema_of(ctx.conn, version)
    seen = sight.of(ctx, form)
    asked = [_question(schema, name) for name in wanted.questions]
    if any(seen.hides(path) for path in asked):
        raise problems.insufficient_rights()

    records = tuple(corrections.find(ctx, form, one).instance_id for one in wanted.records)
    wanted = replace(wanted, records=records)
    found = _answers(ctx, form, wanted, asked) if asked else _flagged(ctx, form, wanted)
    lines: list[SheetLine] = []
    for line in found:
        if seen.hides(line.entry.path):
            continue
        if len(lines) == MOST_LINES:
            raise refusals.too_many(MOST_LINES + 1, MOST_LINES)
        lines.append(_in_words(line, schema, language))
    if not seen.identifies:
        lines = _under_pseudonyms(ctx, form, lines)
    return sheets.write(lines, language)


def _under_pseudonyms(ctx: Context, form: Form, lines: Sequence[SheetLine]) -> list[SheetLine]:
    """The lines as extracts call their records, in that order, which is not that of arrival."""
    names = naming.of(ctx, form, list({line.record for line in lines}))
    told = [
        replace(line, record=names[line.record].told, row=names[line.record].tell(line.row))
        for line in lines
        if line.record in names
    ]
    return sorted(told, key=lambda line: line.record)


def note_download(ctx: Context, project_id: int, form_id: str, reason: str | None = None) -> None:
    """The audit line of a download."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    sight.note_export(ctx, form, "corrections.xlsx", reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """An answer to be given out, before it is put in words."""

    record: str
    row: str
    entry: Field
    schema: Schema
    found: str
    old: str | None


def _flagged(ctx: Context, form: Form, wanted: Wanted) -> Iterator[_Answer]:
    """The answers that open flags are on; flags on no question in particular are left out."""
    listed = store.list_flagged(ctx.conn, form.id, checks=wanted.checks, most=MOST_LINES * 4)
    together: dict[str, dict[tuple[str, str], list[str]]] = {}
    for record, row_key, path, check in listed:
        if path and (not wanted.records or record in wanted.records):
            together.setdefault(record, {}).setdefault((row_key, path), []).append(check)
    for record in [*together, *(one for one in wanted.records if one not in together)]:
        stands = _stands(ctx, form, record)
        if stands is None:
            continue
        for (row_key, path), checks in together.get(record, {}).items():
            place = row_key.removeprefix(record)
            entry = stands.find_question(path)
            if entry is None or place not in stands.keys or rules.refusal(stands.schema, entry, None) is not None:
                continue
            if stands.schema.repeat_of(entry.path) == stands.table_of(place):
                yield _answer(stands, place, entry, ", ".join(dict.fromkeys(checks)))


def _answers(ctx: Context, form: Form, wanted: Wanted, asked: Sequence[str]) -> Iterator[_Answer]:
    """The answers to these questions, blank ones too."""
    records: Iterable[str] = wanted.records or _every_record(ctx, form)
    for record in records:
        stands = _stands(ctx, form, record)
        if stands is None:
            continue
        entries = [entry for entry in map(stands.find_question, asked) if entry is not None]
        for place in stands.keys:
            for entry in entries:
                if stands.schema.repeat_of(entry.path) == stands.table_of(place):
                    yield _answer(stands, place, entry, "")


def _every_record(ctx: Context, form: Form) -> Iterator[str]:
    above = 0
    while chunk := submissions.list_living(ctx.conn, form.id, above=above, most=_PAGE):
        for submission_id, instance_id in chunk:
            above = submission_id
            yield instance_id


def _stands(ctx: Context, form: Form, record: str) -> Standing | None:
    """What stands of a record; None where it cannot be read."""
    submission = submissions.find(ctx.conn, form.id, record)
    stands = standing.read(ctx.conn, form, submission) if submission is not None else None
    return None if stands is None or stands.sent.encrypted else stands


def _answer(stands: Standing, place: str, entry: Field, found: str) -> _Answer:
    return _Answer(
        record=stands.submission.instance_id,
        row=stands.keys[place] if place else "",
        entry=entry,
        schema=stands.schema,
        found=found,
        old=stands.answers.get((place, entry.path)),
    )


def _question(schema: Schema, name: str) -> str:
    """The path of the question with this path or name; raises Problem 404.1, and 400.8 where several have the name."""
    fits = [entry.path for entry in schema.fields if entry.kind == "question" and name in (entry.path, entry.name)]
    if not fits:
        raise refusals.no_question(name, schema.form_id)
    if len(fits) > 1 and name not in fits:
        listed = ", ".join(fits)
        raise problems.wrong_value("question", name, Sentence(f"diga cuál: {listed}.", f"say which: {listed}."))
    return name if name in fits else fits[0]


def _in_words(one: _Answer, newest: Schema, language: str) -> SheetLine:
    entry = one.entry
    return SheetLine(
        record=one.record,
        row=one.row,
        question=entry.path,
        label=_label(newest.by_path.get(entry.path, entry).label, language),
        found=one.found,
        expected=_expected(one.schema, entry, language),
        type=entry.type or "string",
        old=one.old,
    )


def _label(texts: Mapping[str, str], language: str) -> str:
    """The label in the language of the words, where the form has it."""
    wanted = next((text for name, text in texts.items() if f"({language})" in name), None)
    return wanted or next(iter(texts.values()), "")


def _expected(schema: Schema, entry: Field, language: str) -> str:
    choices = [choice.name for choice in schema.options(entry.path)] if entry.control in rules.SELECTS else []
    if choices:
        more = ", …" if len(choices) > _CHOICES_SHOWN else ""
        return ", ".join(choices[:_CHOICES_SHOWN]) + more
    type_: Type = entry.type or "string"
    wanted = rules.TYPES.get(type_)
    return wanted.say(language) if wanted is not None else ""

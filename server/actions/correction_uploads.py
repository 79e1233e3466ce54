"""Correction uploads: what people wrote in a workbook of answers, foreseen or laid over them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Protocol, TypeVar

from forms.problems import Finding, Problem, Sentence
from forms.schema import Field, Schema
from server import problems
from server.access import require
from server.actions import corrections, following, naming, sight
from server.actions.corrections import Wish
from server.actions.forms import get_form
from server.actions.naming import Name
from server.cleaning import corrections as rules
from server.cleaning import refusals, standing, uploads
from server.cleaning.standing import Standing
from server.cleaning.uploads import Line, Upload
from server.context import Context
from server.model.corrections import Correction
from server.model.forms import Form
from server.model.submissions import Submission
from server.store import forms, submissions
from server.tables import registry

T = TypeVar("T")
PART: Final = 25
"""Records that are corrected in one transaction: on SQLite phones wait meanwhile."""


class Run(Protocol):
    """Runs a reading or a writing action in a transaction of its own, in somebody's name."""

    def __call__(self, action: Callable[[Context], T], /) -> T:
        """What the action gives."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of an upload and what became of it: `correction` where it was applied, `refused` why it was not, `remark` what
    should be said of it; none of them in a dry run for what would be applied."""

    number: int
    record: str
    row: str
    question: str
    old_text: str | None
    new_text: str | None
    correction: Correction | None = None
    refused: Sentence | None = None
    remark: Sentence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an upload did or, where it was a `dry_run`, would do. `unchanged`: rows whose new value is what stands already."""

    dry_run: bool
    rows: tuple[Row, ...]
    unchanged: int

    @property
    def applied(self) -> int:
        """How many answers were corrected, or would be."""
        return sum(row.refused is None for row in self.rows)

    @property
    def refused(self) -> tuple[Row, ...]:
        """The rows that were refused by name."""
        return tuple(row for row in self.rows if row.refused is not None)


@dataclass(slots=True)
class _Judged:
    """What a workbook asks of a form: what is wrong by cell, rows that would be applied or not, and those without effect."""

    form: Form
    findings: list[Finding] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    stands: dict[str, Standing] = field(default_factory=dict)
    taken: dict[tuple[int, str, str], Line] = field(default_factory=dict)
    unchanged: int = 0


def expect(ctx: Context, project_id: int, form_id: str) -> None:
    """Ask whether an upload may be made, before it is read. Raises Problem 404.1, 403.1."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.update", form)


def foresee(ctx: Context, project_id: int, form_id: str, upload: Upload) -> Outcome:
    """What an upload would do; nothing changes.

    Rows whose old value is no longer what stands, or whose row is gone, are refused by name. Raises Problem 400.51 with
    every cell that is wrong by itself (no such record, row or question, a value of another type, no choice of the list).
    """
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.update", form)
    judged = _judge(ctx, form, upload)
    if judged.findings:
        raise refusals.sheet_refused(sorted(judged.findings, key=lambda one: (one.row or 0, one.column or "")))
    return Outcome(dry_run=True, rows=_told(ctx, form, judged.rows), unchanged=judged.unchanged)


def carry_out(ask: Run, act: Run, project_id: int, form_id: str, upload: Upload) -> Outcome:
    """The same, done: everything that `foresee` refuses as a whole is refused here, before anything changes.

    The records are corrected in parts of PART, each in a transaction of its own, so that phones are received between them: a
    record's corrections stand together or not at all. What changed since it was foreseen is refused by name. Taken back once
    more, a workbook whose server was stopped in the middle corrects what is left.
    """
    foreseen = ask(partial(foresee, project_id=project_id, form_id=form_id, upload=upload))
    rows = {row.number: row for row in foreseen.rows}
    lines: dict[str, list[Line]] = {}
    for line in upload.lines:
        if line.number in rows and rows[line.number].refused is None:
            lines.setdefault(line.record, []).append(line)

    records, unchanged = list(lines), foreseen.unchanged
    for at in range(0, len(records), PART):
        part = Upload([line for record in records[at : at + PART] for line in lines[record]])
        try:
            done = act(partial(apply_part, project_id=project_id, form_id=form_id, part=part))
        except Problem as problem:  # of the office, not of a row: what was corrected stands, what was not is told
            left = [line.number for record in records[at:] for line in lines[record]]
            rows |= {number: replace(rows[number], refused=problem.sentence) for number in left}
            break
        for line in part.lines:
            del rows[line.number]
        rows |= {row.number: row for row in done.rows}
        unchanged += done.unchanged

    outcome = Outcome(dry_run=False, rows=tuple(rows[number] for number in sorted(rows)), unchanged=unchanged)
    act(partial(note_import, project_id=project_id, form_id=form_id, outcome=outcome))
    return outcome


def apply_part(ctx: Context, project_id: int, form_id: str, part: Upload) -> Outcome:
    """Correct a part of a workbook that was foreseen; what is wrong by now is refused by row. Raises Problem 404.1, 403.1."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.update", form)
    judged = _judge(ctx, form, part, hold=True)
    by_number = {line.number: line for line in part.lines}
    rows = {row.number: row for row in (*judged.rows, *_refused(judged.findings, by_number))}

    together: dict[str, list[Row]] = {}
    for row in rows.values():
        if row.refused is None:
            together.setdefault(row.record, []).append(row)
    touched: list[Standing] = []
    for record, stands in judged.stands.items():
        done = [_apply(ctx, judged.form, stands, row, by_number[row.number]) for row in together.get(record, ())]
        rows |= {row.number: row for row in done}
        if any(row.correction is not None for row in done):
            touched.append(stands)
    submissions.touch(ctx.conn, [stands.submission.id for stands in touched], ctx.now())
    for stands in touched:
        following.follow_corrected(ctx, judged.form, stands)

    told = _told(ctx, form, rows.values())
    return Outcome(dry_run=False, rows=told, unchanged=judged.unchanged)


def note_import(ctx: Context, project_id: int, form_id: str, outcome: Outcome) -> None:
    """The audit line of an upload."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.read", form)
    ctx.record(
        "form.correction.import",
        project_id=project_id,
        form_id=form.id,
        details={"applied": outcome.applied, "refused": len(outcome.refused)},
    )


def _refused(findings: Collection[Finding], lines: Mapping[int, Line]) -> Iterator[Row]:
    """The rows that findings are about, each refused for the first of its own."""
    told: set[int] = set()
    for finding in findings:
        if finding.row is not None and finding.row in lines and finding.row not in told:
            told.add(finding.row)
            yield _row(lines[finding.row], None, None, refused=finding.sentence)


def _told(ctx: Context, form: Form, rows: Collection[Row]) -> tuple[Row, ...]:
    """The rows with their records as whoever asks calls them."""
    require(ctx, "submission.update", form)
    names = naming.of(ctx, form, list({row.record for row in rows}))
    told: list[Row] = []
    for row in rows:
        name = names.get(row.record)
        if name is not None and name.told != name.own:
            made = row.correction and replace(row.correction, row_key=name.tell(row.correction.row_key))
            row = replace(row, record=name.told, row=name.tell(row.row), correction=made)
        told.append(row)
    return tuple(told)


def _apply(ctx: Context, form: Form, stands: Standing, row: Row, line: Line) -> Row:
    wish = Wish(row=row.row, path=row.question, new_text=row.new_text, reason=line.reason, old_text=row.old_text)
    try:
        made = corrections.lay(ctx, form, stands, wish)
    except Problem as problem:  # something changed since it was judged
        return replace(row, refused=problem.sentence)
    return replace(row, correction=made.correction)


def _judge(ctx: Context, form: Form, upload: Upload, *, hold: bool = False) -> _Judged:
    """What a workbook asks for; with `hold` its form and every record are held until the transaction ends, and what stands of
    each is kept for whoever writes."""
    require(ctx, "submission.update", form)
    found = _find(ctx, form, upload)
    if hold and found.submissions:
        form = forms.hold_for_rows(ctx.conn, min(found.submissions))
        found.submissions |= submissions.lock_many(ctx.conn, found.submissions)
    judged, seen = _Judged(form, [*upload.findings, *found.findings]), sight.of(ctx, form)
    everything = registry.schema_of_form(ctx.conn, form.id) if form.current_version_id is not None else None
    for submission_id in sorted(found.submissions):
        submission, lines = found.submissions[submission_id], found.lines[submission_id]
        stands = None if submission.deleted_at is not None else standing.read(ctx.conn, form, submission)
        if stands is None or stands.sent.encrypted:
            deleted = submission.deleted_at is not None
            refused = (refusals.no_submission if deleted else refusals.unreadable)(lines[0].record).sentence
            judged.rows.extend(_row(line, None, None, refused=refused) for line in lines)
            continue
        if hold:
            judged.stands[submission.instance_id] = stands
        first = len(judged.rows)
        for line in lines:
            entry = stands.find_question(line.question)
            if entry is not None and seen.hides(entry.path):
                judged.findings.append(line.wrong("question", problems.insufficient_rights().sentence))
                continue
            _judge_line(judged, stands, everything, line, Name(stands.submission.instance_id, line.record))
        judged.rows[first:] = [_if_allowed(ctx, form, stands, row) for row in judged.rows[first:]]
        if len(judged.findings) > refusals.MOST_TOLD:
            break
    judged.rows.sort(key=lambda row: row.number)
    return judged


@dataclass(slots=True)
class _Records:
    """The submissions that the rows of a workbook name, the rows of each, and those that name none."""

    submissions: dict[int, Submission] = field(default_factory=dict)
    lines: dict[int, list[Line]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def _find(ctx: Context, form: Form, upload: Upload) -> _Records:
    together: dict[str, list[Line]] = {}
    for line in upload.lines:
        together.setdefault(line.record, []).append(line)
    found = _Records()
    for record, lines in together.items():
        submission = naming.find(ctx, form, record, any_version=True)
        if submission is None or submission.deleted_at is not None:
            problem = refusals.no_submission(record)
            told = problem.way_out or problem.sentence
            found.findings.extend(line.wrong("record", told) for line in lines)
        else:
            found.submissions[submission.id] = submission
            found.lines.setdefault(submission.id, []).extend(lines)
    return found


def _if_allowed(ctx: Context, form: Form, stands: Standing, row: Row) -> Row:
    """The row, refused where nobody allowed that such an answer be kept."""
    if row.refused is None and row.new_text is not None:
        try:
            corrections.require_consent(ctx, form, stands, (stands.places[row.row], row.question), row.new_text)
        except Problem as problem:
            return replace(row, refused=problem.sentence)
    return row


def _judge_line(judged: _Judged, stands: Standing, everything: Schema | None, line: Line, name: Name) -> None:
    own = stands.submission.instance_id
    key = own if line.row in ("", line.record) else line.row if line.row in stands.once else name.mean(line.row)
    entry = stands.find_question(line.question)
    known = entry or (everything.by_path.get(line.question) if everything is not None else None)
    if known is None or known.kind != "question":
        told = Sentence("El formulario no tiene esta pregunta.", "The form has no such question.")
        judged.findings.append(line.wrong("question", told))
        return
    if key not in stands.once:
        told = Sentence("El registro no tiene esta fila.", "The record has no such row.")
        judged.findings.append(line.wrong("row", told))
        return
    new = None if line.is_blank else uploads.text_of(known.type or "string", line.new)
    if isinstance(new, Sentence):
        judged.findings.append(line.wrong("new", new))
        return
    wrong = rules.refusal(stands.schema if entry is not None else everything or stands.schema, known, new)
    if wrong is not None:
        judged.findings.append(line.wrong("new", wrong))
        return
    _judge_place(judged, stands, entry, line, key, new)


def _judge_place(judged: _Judged, stands: Standing, entry: Field | None, line: Line, key: str, new: str | None) -> None:
    place = stands.places.get(key)
    if place is None:
        told = Sentence("La fila ya no está en el registro.", "The row is no longer in the record.")
        judged.rows.append(_row(line, None, new, refused=told))
        return
    if entry is None:
        told = Sentence(
            "La versión que responde el registro no tiene esta pregunta.",
            "The version that the record answers has no such question.",
        )
        judged.rows.append(_row(line, None, new, refused=told))
        return
    if stands.schema.repeat_of(entry.path) != stands.table_of(place):
        told = Sentence("La pregunta no es de esta fila.", "The question is not one of this row.")
        judged.findings.append(line.wrong("question", told))
        return
    first = judged.taken.setdefault((stands.submission.id, key, entry.path), line)
    if first.record != line.record:  # two ids of one record: those of two of its versions
        at = first.number
        told = Sentence(f"La misma respuesta está en la fila {at}.", f"The same answer is in row {at}.")
        judged.findings.append(line.wrong("question", told))
        return
    said = stands.answers.get((place, entry.path))
    if said == new:
        judged.unchanged += 1
    elif not line.sees(said):
        told = refusals.not_as_expected(entry.path, line.old, said).sentence
        judged.rows.append(_row(line, line.old, new, refused=told))
    else:
        made = _row(line, said, new, remark=rules.remark(stands.schema, entry))
        judged.rows.append(replace(made, record=stands.submission.instance_id, row=key, question=entry.path))


def _row(
    line: Line,
    old: str | None,
    new: str | None,
    *,
    refused: Sentence | None = None,
    remark: Sentence | None = None,
) -> Row:
    return Row(
        number=line.number,
        record=line.record,
        row=line.row,
        question=line.question,
        old_text=old,
        new_text=new,
        refused=refused,
        remark=remark,
    )

"""Correction uploads: what people wrote in a workbook of answers, foreseen or laid over them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from forms.problems import Finding, Problem, Sentence
from forms.schema import Field, Schema
from server import problems
from server.access import require
from server.actions import corrections, naming, sight
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
    """What a workbook asks for: what is wrong by cell, rows that would be applied or not, and those without effect."""

    findings: list[Finding] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    stands: dict[str, Standing] = field(default_factory=dict)
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
    return Outcome(dry_run=True, rows=_told(ctx, form, judged.rows), unchanged=judged.unchanged)


def apply(ctx: Context, project_id: int, form_id: str, upload: Upload) -> Outcome:
    """The same, done: everything that `foresee` refuses as a whole is refused here, before anything changes."""
    form = get_form(ctx, project_id, form_id)
    require(ctx, "submission.update", form)
    judged = _judge(ctx, form, upload, hold=True)

    by_number = {line.number: line for line in upload.lines}
    rows: dict[int, Row] = {row.number: row for row in judged.rows}
    together: dict[str, list[Row]] = {}
    for row in judged.rows:
        if row.refused is None:
            together.setdefault(row.record, []).append(row)
    for record, stands in judged.stands.items():
        if record not in together:
            continue
        done = [_apply(ctx, form, stands, row, by_number[row.number]) for row in together[record]]
        rows |= {row.number: row for row in done}
        if any(row.correction is not None for row in done):
            corrections.finish(ctx, stands.submission.id)

    outcome = Outcome(dry_run=False, rows=_told(ctx, form, rows.values()), unchanged=judged.unchanged)
    ctx.record(
        "form.correction.import",
        project_id=project_id,
        form_id=form.id,
        details={"applied": outcome.applied, "refused": len(outcome.refused)},
    )
    return outcome


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
    """What a workbook asks for; with `hold` every record is held until the transaction ends, and what stands of each is kept
    for whoever writes."""
    require(ctx, "submission.update", form)
    judged, seen = _Judged(list(upload.findings)), sight.of(ctx, form)
    everything = registry.schema_of_form(ctx.conn, form.id) if form.current_version_id is not None else None
    together: dict[str, list[Line]] = {}
    for line in upload.lines:
        together.setdefault(line.record, []).append(line)
    found: list[tuple[Submission, str]] = []
    for record, lines in together.items():
        submission = naming.find(ctx, form, record, any_version=True)
        if submission is None or submission.deleted_at is not None:
            told = refusals.no_submission(record).way_out or refusals.no_submission(record).sentence
            judged.findings.extend(line.wrong("record", told) for line in lines)
        else:
            found.append((submission, record))
    for submission, record in sorted(
        found, key=lambda one: one[0].id
    ):  # a rebuild's order: neither waits for the other
        lines = together[record]
        if hold:
            forms.hold_for_rows(ctx.conn, submission.id)
            submission = submissions.lock(ctx.conn, submission.id)
            if submission.deleted_at is not None:
                refused = refusals.no_submission(record).sentence
                judged.rows.extend(_row(line, None, None, refused=refused) for line in lines)
                continue
        stands = standing.read(ctx.conn, form, submission)
        if stands is None or stands.sent.encrypted:
            refused = refusals.unreadable(record).sentence
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
    if judged.findings:
        raise refusals.sheet_refused(sorted(judged.findings, key=lambda one: (one.row or 0, one.column or "")))
    judged.rows.sort(key=lambda row: row.number)
    return judged


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
    said = stands.answers.get((place, entry.path))
    if not line.sees(said):
        told = refusals.not_as_expected(entry.path, line.old, said).sentence
        judged.rows.append(_row(line, line.old, new, refused=told))
    elif said == new:
        judged.unchanged += 1
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

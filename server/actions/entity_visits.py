"""Visits: every submission that spoke of an entity, in any form, in the order in which people were visited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from server.access import may, require
from server.actions import entity_sight, naming
from server.actions.entity_finding import find_dataset
from server.actions.entity_sight import Sight
from server.context import Context
from server.extracts import asking, questions
from server.model.entities import Entity, EntityReceipt
from server.model.forms import Form
from server.model.people import ActorLine
from server.model.submissions import Submission
from server.store import entities, entity_links, entity_receipts, forms, people, submissions
from server.store.entity_links import Spoken
from server.tables import ddl, registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One row of a submission that spoke of the entity.

    `record` and `row` are what whoever asks calls the submission and the row; `day` is when it was filled, by the form's
    own word (asking.filled_on), else when it was received. `outcome` and `version` say what it made of the entity, `said`
    what it brought of its properties. `under`: the id by which it spoke of it, where that was merged into the entity.
    """

    form_id: str
    form_name: str
    form_version: str
    record: str
    row: str
    day: date
    received_at: datetime
    submitter: ActorLine | None
    review_state: str | None
    outcome: str | None
    version: int | None
    said: Mapping[str, str]
    under: str | None = None


def list_visits(ctx: Context, project_id: int, name: str, uuid: str) -> list[Visit]:
    """Every visit of an entity, the eldest first, of the forms whose submissions whoever asks may read.

    Whoever may not identify people is told days, pseudonyms and what may be seen of properties; no name of anybody.
    Raises Problem 404.1, 400.11.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.read", found.project)
    entity, seen = entity_sight.find(ctx, found, uuid)
    by_form: dict[int, list[Spoken]] = {}
    for one in entity_links.list_of_entity(ctx.conn, found.row.id, entity.id):
        by_form.setdefault(one.form_id, []).append(one)
    visits: list[Visit] = []
    for form_id, spoken in by_form.items():
        form = forms.get_form(ctx.conn, form_id)
        if may(ctx.actor, "submission.read", form):
            visits.extend(_of_form(ctx, form, entity, seen, spoken))
    return sorted(visits, key=lambda one: (one.day, one.received_at))


def _of_form(ctx: Context, form: Form, entity: Entity, seen: Sight, spoken: Sequence[Spoken]) -> Iterable[Visit]:
    held = {one.submission_id: submissions.get(ctx.conn, one.submission_id) for one in spoken}
    names = naming.of(ctx, form, [one.instance_id for one in held.values()])
    days = _days(ctx, form, held)
    title = forms.get_version(ctx.conn, form.current_version_id).title if form.current_version_id is not None else ""
    for one in spoken:
        submission = held[one.submission_id]
        if submission.instance_id not in names:
            continue  # it came after pseudonyms were given
        name = names[submission.instance_id]
        current = submissions.get_current(ctx.conn, submission.id)
        receipt = next(
            (
                each
                for each in entity_receipts.list_of_submission(ctx.conn, submission.id).values()
                if each.uuid == one.uuid
            ),
            None,
        )
        made = [each for each in entities.list_made(ctx.conn, submission.id) if _is_of(each.entity_id, entity, receipt)]
        said = {key: text for each in made for key, text in each.received.items()}
        received = submission.created_at
        yield Visit(
            form_id=form.xml_form_id,
            form_name=title,
            form_version=current.form_version,
            record=name.told,
            row=name.tell(one.row_key),
            day=days.get(submission.id, received.date()),
            received_at=received if seen.identifies else seen.day(received),
            submitter=_actor(ctx, submission) if seen.identifies else None,
            review_state=submission.review_state,
            outcome=receipt.outcome if receipt is not None else None,
            version=receipt.entity_version if receipt is not None else None,
            said=seen.data(said) | ({"label": said["label"]} if seen.identifies and "label" in said else {}),
            under=one.uuid if seen.identifies and one.uuid != entity.uuid else None,
        )


def _is_of(made_of: int, entity: Entity, receipt: EntityReceipt | None) -> bool:
    return made_of == entity.id or (receipt is not None and made_of == receipt.entity_id)


def _days(ctx: Context, form: Form, held: Mapping[int, Submission]) -> dict[int, date]:
    """The day on which each was filled, where a question of the form says so."""
    if form.current_version_id is None:
        return {}
    schema = registry.schema_of(ctx.conn, forms.get_version(ctx.conn, form.current_version_id))
    layout = registry.load(ctx.conn, form.id)
    question = asking.filled_on(questions.read(form.xml_form_id, [schema], layout))
    if question is None:
        return {}
    part = ddl.sql_tables(ctx.conn, layout.table(""))[question.column.part - 1].c
    local = part[question.column.names[-1]]  # of a moment the text, which has the day as it was where the phone was
    ids = part["_submission_id"]
    statement = select(ids, local).where(ids.in_(list(held)), local.is_not(None))
    return {one: date.fromisoformat(str(told)[:10]) for one, told in ctx.conn.execute(statement)}


def _actor(ctx: Context, submission: Submission) -> ActorLine | None:
    return None if submission.submitter_id is None else people.find_line(ctx.conn, submission.submitter_id)

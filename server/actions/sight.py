"""Sight: which answers of a form are shown to whoever asks, where single records are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final

from forms import privacy
from forms.privacy import IDENTIFYING
from forms.schema import Type
from server.access import may, require
from server.actions import disclosures
from server.actions.disclosures import IDENTIFY, note_record, stated
from server.context import Context
from server.extracts import disclosure, treatments
from server.extracts.treatments import Treatments
from server.model.forms import Form
from server.store import forms, pseudonyms
from server.tables import private, registry

_HIDDEN: Final = IDENTIFYING | {"quasi"}
_SAID: Final = frozenset(("/meta/instanceName", "/meta/entity/label"))
"""Texts that a form makes of whatever it asks, for people's eyes."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What may be seen: everything, or the answers to the questions in `shown`.

    `treatments` by path say what becomes of each answer where a whole record is told, which is what extracts tell of it.
    `denied` are places whose answers a record's newest version does not allow to be kept: those of earlier versions are not
    shown either.
    """

    identifies: bool
    shown: frozenset[str] = frozenset()
    treatments: Treatments = field(default_factory=dict)
    denied: frozenset[str] = frozenset()

    def hides(self, path: str) -> bool:
        """Whether the answers to a question are not to be seen; nobody knows what one says that no version asks."""
        return not self.identifies and (path not in self.shown or self.denies(path))

    def denies(self, path: str) -> bool:
        """Whether consent for the answers to a question was withdrawn."""
        return any(path == one or path.startswith(f"{one}/") for one in self.denied)

    def when(self, moment: datetime) -> datetime:
        """A moment at which something came or changed: whoever may not identify people is told the day (UTC)."""
        return moment if self.identifies else datetime.combine(moment.astimezone(UTC).date(), time(), UTC)

    def until(self, moment: datetime) -> datetime:
        """A past moment that is asked for: to whoever may not identify people its whole day, since asking for one after the
        other would tell when something came."""
        return moment if self.identifies else self.when(moment) + timedelta(days=1, microseconds=-1)


def tell(ctx: Context, form: Form, seen: Sight, path: str, type_: Type, text: str) -> str | None:
    """An answer as whoever asks may see it in its record: as an extract tells it. None where nothing is told."""
    require(ctx, "submission.read", form)
    if seen.identifies:
        return text
    if path not in seen.treatments or seen.denies(path):
        return None
    treatment = treatments.of(seen.treatments, path)
    if treatment.subject is not None:
        return pseudonyms.find(ctx.conn, form.project_id, treatment.subject, [text]).get(text)
    return disclosure.of_text(type_, text, treatment)


def note_opened(ctx: Context, form: Form, submission_id: int, what: str, reason: str | None = None) -> None:
    """The audit line of a record that was opened, where whoever opened it saw who the people in it are."""
    require(ctx, "submission.read", form)
    if may(ctx.actor, IDENTIFY, form):
        note_record(ctx, form, submission_id, what, reason)


def note_export(ctx: Context, form: Form, what: str, reason: str | None = None) -> None:
    """The audit line of many records that left together: in which form, with identities or without, and why."""
    require(ctx, "submission.read", form)
    told = {"format": what, "identities": may(ctx.actor, IDENTIFY, form), "reason": stated(reason)}
    ctx.record("form.submission.export", project_id=form.project_id, form_id=form.id, details=told)


def of(ctx: Context, form: Form) -> Sight:
    """What whoever asks may see of a form's records: without the right to identify people, no answer that says who somebody
    is or helps to find out, by the marks of any version and by what `forms.privacy` takes a question for."""
    require(ctx, "submission.read", form)
    if may(ctx.actor, IDENTIFY, form):
        return Sight(identifies=True)
    marks = private.marks_of(ctx.conn, form.id)
    shown: set[str] = set()
    hidden: set[str] = set(_SAID)
    for version in forms.list_published(ctx.conn, form.id):
        schema = registry.schema_of(ctx.conn, version)
        shown.update(entry.path for entry in schema.fields if entry.kind == "question")
        hidden.update(path for path, one in privacy.judge(schema, marks).items() if one.mark in _HIDDEN)
    disclosed = disclosures.by_path(ctx, form)
    hidden.update(path for path, one in disclosed.items() if one.what != "keep")
    return Sight(identifies=False, shown=frozenset(shown - hidden), treatments=disclosed)

"""Naming: what a record and its rows are called for whoever asks: by their ids, or by the pseudonyms that extracts give."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from server.access import may, require
from server.actions.disclosures import IDENTIFY
from server.context import Context
from server.extracts.disclosure import SUBMISSION
from server.model.forms import Form
from server.model.submissions import Submission
from server.store import pseudonyms, submissions


@dataclass(frozen=True, slots=True)
class Name:
    """A record's id, and what whoever asks knows it by. Keys of its rows begin with either."""

    own: str
    told: str

    def tell(self, key: str) -> str:
        """A key of a row as it is told; "" for one that does not begin with the record's id."""
        return self._changed(key, self.own, self.told)

    def mean(self, key: str) -> str:
        """The key of a row that somebody names."""
        return self._changed(key, self.told, self.own) or key

    def _changed(self, key: str, before: str, after: str) -> str:
        return f"{after}{key[len(before) :]}" if key.startswith(before) else ""


def find(ctx: Context, form: Form, record: str, *, any_version: bool = False) -> Submission | None:
    """The submission that is called `record`: its id (with `any_version` that of any of its versions) for whoever may
    identify people; for the others its pseudonym alone, so that nobody ties answers to an id that he knows from elsewhere."""
    require(ctx, "submission.read", form)
    if not may(ctx.actor, IDENTIFY, form):  # a key that was another one before earlier versions came is found too
        key = pseudonyms.key_of(ctx.conn, form.project_id, SUBMISSION, record)
        return submissions.find_by_version(ctx.conn, form.id, key) if key is not None else None
    if any_version:
        return submissions.find_by_version(ctx.conn, form.id, record)
    return submissions.find(ctx.conn, form.id, record)


def pass_on(ctx: Context, form: Form, before: Sequence[str], instance_id: str) -> None:
    """Let a record whose key became another one, since an earlier version came, keep its pseudonym. Inside an action that has
    asked.

    `before` are the keys that it had, its own first. A key that another record of the project has too keeps its pseudonym,
    and the record gets one of its own.
    """
    for key in before:
        if key == instance_id or pseudonyms.is_record(ctx.conn, form.project_id, key):
            continue
        if pseudonyms.pass_on(ctx.conn, form.project_id, SUBMISSION, key, instance_id):
            return
    if pseudonyms.find(ctx.conn, form.project_id, SUBMISSION, before):
        pseudonyms.give_one(ctx.conn, form.project_id, SUBMISSION, instance_id)


def of(ctx: Context, form: Form, instance_ids: Collection[str]) -> Mapping[str, Name]:
    """What records are called, by their ids; those without a pseudonym are left out where one is needed."""
    require(ctx, "submission.read", form)
    if may(ctx.actor, IDENTIFY, form):
        return {one: Name(one, one) for one in instance_ids}
    known = pseudonyms.find(ctx.conn, form.project_id, SUBMISSION, instance_ids)
    return {one: Name(one, told) for one, told in known.items()}

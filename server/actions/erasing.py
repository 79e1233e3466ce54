"""Erasing: what is kept of a person taken out of submissions and entities, inside an action that has asked.

What phones sent is otherwise never touched; this is the one exception. A redacted document takes the place of each version:
ids, fingerprint and the places of rows stay, so that what is sent again is known again and brings nothing back.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from forms import instance as instances
from forms import redaction
from forms.entities import find_uuid
from forms.entity_receipt import LABEL
from forms.identifying import Fate, telling, tells
from forms.media import named_files
from forms.privacy import Mark
from forms.redaction import Policy, Redacted
from server.actions import withdrawal_rules
from server.actions.following import ENTITIES, follow_stored
from server.context import Context
from server.extracts.disclosure import LIST, SUBMISSION
from server.model.entities import Dataset
from server.model.forms import Form
from server.model.submissions import Submission, SubmissionVersion
from server.store import (
    audits,
    entities,
    entity_purging,
    forms,
    submission_attachments,
    submissions,
    withdrawals,
    withdrawn_answers,
)


@dataclass(slots=True, kw_only=True)
class Person:
    """Whose data goes: a list's ids (those that were merged too), and what identifies them, gathered as it is met.

    `texts` are folded; `codes` take the place of `keys` that led to the person, and are kept nowhere else.
    """

    dataset: Dataset
    uuids: frozenset[str]
    policy: Policy
    texts: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    codes: dict[str, str] = field(default_factory=dict)

    def code(self, key: str) -> str:
        """The code for a key, the same for the same key."""
        return self.codes.setdefault(key, f"x-{secrets.token_hex(6)}")

    def says(self, text: str | None) -> bool:
        """Whether a text says who it was."""
        return tells(text, self.texts)


@dataclass(slots=True, kw_only=True)
class Effect:
    """How much a withdrawal touches: entities and their versions, submissions (`deleted` of them whole), documents, files,
    corrections, flags. `audits` lines of the audit say who it was, in somebody's own words: they cannot be changed."""

    entities: int = 0
    versions: int = 0
    submissions: int = 0
    deleted: int = 0
    documents: int = 0
    files: int = 0
    corrections: int = 0
    flags: int = 0
    audits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    form: Form
    submission: Submission
    chain: list[SubmissionVersion]


def erase_submissions(ctx: Context, person: Person, submission_ids: list[int], effect: Effect) -> None:
    """Take a person out of submissions, which are held; everything else follows from what is left of them."""
    held = [_hold(ctx, submission_id) for submission_id in submission_ids]
    for one in held:  # what identifies the person in one document is looked for in all of them
        for version in one.chain:
            found = _redact(ctx, person, one.form, version)
            person.texts |= found.texts
            person.keys |= found.keys
    for one in held:
        _erase(ctx, person, one, effect)
    project_id = person.dataset.project_id
    effect.flags += withdrawn_answers.clear_flags_elsewhere(ctx.conn, project_id, person.says)
    effect.audits = sum(map(person.says, audits.list_worded(ctx.conn, project_id)))
    withdrawn_answers.forget_pseudonyms(ctx.conn, project_id, f"{LIST}{person.dataset.name}", person.uuids)
    withdrawn_answers.forget_pseudonyms(ctx.conn, project_id, "question:*", person.keys)


def erase_entities(ctx: Context, person: Person, entity_ids: list[int], effect: Effect) -> None:
    """Take what is kept of a person out of the list, which is held: under `erase` the entities themselves."""
    effect.entities += len(entity_ids)
    withdrawals.forget_relations(ctx.conn, entity_ids)
    fates = withdrawal_rules.of_list(ctx, person.dataset)
    for entity_id in entity_ids:
        versions = entities.list_versions(ctx.conn, entity_id)
        effect.versions += len(versions)
        if person.policy == "erase":
            continue
        for one in versions:
            received = {name: text for name, text in one.received.items() if name != LABEL}
            withdrawals.rewrite_version(
                ctx.conn, one.id, "", _left(person, fates, one.data), _left(person, fates, received)
            )
            if one.details and "reason" in one.details:
                told = {name: value for name, value in one.details.items() if name != "reason"}
                withdrawals.rewrite_source(ctx.conn, one.source_id, told)
        entity = entities.get(ctx.conn, entity_id)
        withdrawals.withdraw_entity(ctx.conn, entity_id, "", _left(person, fates, entity.data), ctx.now())
    if person.policy == "erase":
        withdrawals.forget_links(ctx.conn, person.dataset.id, person.uuids)
        if entity_ids:
            entity_purging.purge(ctx.conn, person.dataset.id, entity_ids, ctx.now())


def gather(ctx: Context, person: Person, entity_ids: list[int]) -> None:
    """What identifies a person in the versions of its entities: labels, and the values of what is asked for that."""
    fates = withdrawal_rules.of_list(ctx, person.dataset)
    for entity_id in entity_ids:
        for one in entities.list_versions(ctx.conn, entity_id):
            texts = [one.label, one.received.get(LABEL, "")]
            for data in (one.data, one.received):
                texts += [text for name, text in data.items() if _identifies(fates.get(name), text)]
            person.keys.update(text for name, text in one.data.items() if _is_key(fates.get(name), text))
            person.texts.update(told for text in texts if (told := telling(text)) is not None)


def is_redacted(xml: bytes) -> bool:
    """Whether a document was redacted already."""
    return instances.read(xml).root.get(redaction.ON) is not None


def _identifies(found: tuple[Fate, Mark | None] | None, text: str) -> bool:
    return found is not None and found[1] in ("direct", "key") and find_uuid(text) is None


def _is_key(found: tuple[Fate, Mark | None] | None, text: str) -> bool:
    return found is not None and found[1] == "key" and bool(text) and find_uuid(text) is None


def _left(person: Person, fates: Mapping[str, tuple[Fate, Mark | None]], data: Mapping[str, str]) -> dict[str, str]:
    """What is left of an entity's values; those of properties that the list has no more are gone."""
    left = {}
    for name, text in data.items():
        what = fates.get(name, ("blank", None))[0]
        if what == "code":
            left[name] = text if not text or find_uuid(text) else person.code(text)
        elif what == "keep" and not person.says(text):
            left[name] = text
    return left


def _hold(ctx: Context, submission_id: int) -> _Held:
    submission = submissions.get(ctx.conn, submission_id)
    return _Held(
        form=forms.get_form(ctx.conn, submission.form_id),
        submission=submission,
        chain=submissions.list_versions(ctx.conn, submission_id),
    )


def _redact(ctx: Context, person: Person, form: Form, version: SubmissionVersion) -> Redacted:
    rules = withdrawal_rules.of_form(ctx, form, version.form_version_id)
    kept = instances.read(submissions.get_xml(ctx.conn, version.id))
    return redaction.redact(
        kept, rules, person.uuids, person.policy, on=ctx.now().date(), code=person.code, texts=person.texts
    )


def _erase(ctx: Context, person: Person, one: _Held, effect: Effect) -> None:
    """One submission: its documents, files, what people and checks said of it; then its rows, facts and flags anew."""
    conn, submission = ctx.conn, one.submission
    left = {version.id: _redact(ctx, person, one.form, version) for version in one.chain}
    deleted = person.policy == "erase" and all(made.whole for made in left.values())
    mine = any(made.mine for made in left.values())
    for version in one.chain:
        if version.encrypted:
            continue
        made = left[version.id]
        withdrawals.redact_version(conn, version.id, made.instance.xml, made.instance.instance_name)
        names = _files(ctx, one.form, version, made)
        effect.files += withdrawals.drop_files(conn, version.id, names, ctx.now())
        effect.documents += 1
    effect.submissions += 1
    if deleted:
        effect.deleted += 1
        effect.corrections += withdrawn_answers.drop_corrections(conn, submission.id)
        effect.flags += withdrawn_answers.drop_flags(conn, submission.id)
    else:
        _clear(ctx, person, one, left, effect)
    withdrawn_answers.clear_words(conn, submission.id, None if mine else person.says)
    if mine:
        keys = {submission.instance_id, *(version.instance_id for version in one.chain)}
        withdrawn_answers.forget_pseudonyms(conn, person.dataset.project_id, SUBMISSION, keys)
    gone = {"deleted_at": submission.deleted_at or ctx.now()} if deleted else {}
    submissions.change(conn, submission.id, updated_at=ctx.now(), **gone)
    follow_stored(ctx, submission.id, leave=(ENTITIES,))


def _files(ctx: Context, form: Form, version: SubmissionVersion, made: Redacted) -> set[str]:
    """The files of a version that go: where it is about the person, all but those that an answer which stays still names."""
    if not made.mine:
        return set(made.files)
    schema = withdrawal_rules.of_form(ctx, form, version.form_version_id).schema
    media = frozenset(entry.path for entry in schema.fields if entry.type == "binary")
    held = {file.name for file in submission_attachments.list_attachments(ctx.conn, version.id)}
    return held - set(named_files(media, made.instance))


def _clear(ctx: Context, person: Person, one: _Held, left: Mapping[int, Redacted], effect: Effect) -> None:
    """Corrections and flags of what is gone; of what stays, where they say who it was."""
    places = {place for made in left.values() for place in made.places}
    own = one.submission.instance_id

    def fate_of(row: str, path: str, version_id: int) -> str:
        made = left.get(version_id)
        if made is None:
            return "look"
        if (row, path) in made.places or _inside(row, made.rows):
            return "gone"
        return "leave" if row in made.others else "look"

    def is_gone(row_key: str, path: str) -> bool:
        row = row_key.removeprefix(own)
        return (row, path) in places or any(_inside(row, made.rows) for made in left.values())

    effect.corrections += withdrawn_answers.clear_corrections(
        ctx.conn, one.submission.id, fate_of, person.says, lambda text: person.codes.get(text or "")
    )
    effect.flags += withdrawn_answers.clear_flags(ctx.conn, one.submission.id, is_gone, person.says)


def _inside(row: str, rows: frozenset[str]) -> bool:
    return any(row == one or row.startswith(f"{one}/") for one in rows)

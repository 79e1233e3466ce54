"""What stands: a version of a submission with its corrections laid over it, and its repeat rows by their stable keys."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from typing import Final

from sqlalchemy import Connection

from forms import instance as instances
from forms import lineage, overlay, tables
from forms.instance import Instance
from forms.lineage import Told, Traced
from forms.overlay import Answers, Place
from forms.schema import Field, Schema
from server.cleaning.corrections import Decision, Found, decide
from server.model.corrections import Correction
from server.model.forms import Form, FormVersion
from server.model.submissions import Submission, SubmissionVersion
from server.store import corrections, forms, submissions
from server.tables import registry
from server.tables.layout import Layout

_POSITION: Final = re.compile(r"\[[0-9]+\]")


@dataclass(frozen=True, slots=True)
class Reopened:
    """An answer that somebody must decide upon: the key of its row as typed tables have it (the form's row where it is gone),
    its question, and the value that was laid over it."""

    row_key: str
    path: str
    text: str | None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A version of a submission, what was sent and what stands.

    `keys` gives the stable key of each of its rows by the row's place ("" for the form's, `/member[2]`); `found` every
    correction that was active or reopened, as it lies in this version; `touched` every answer in it that was ever corrected,
    whatever became of that. `traced` has the rows of every version by its row id and their places.
    """

    submission: Submission
    version: SubmissionVersion
    schema: Schema
    sent: Instance
    keys: Mapping[str, str]
    found: Sequence[Found]
    names: Mapping[str, str]
    renamed: Sequence[Correction] = ()
    touched: frozenset[Place] = frozenset()
    once: frozenset[str] = frozenset()
    traced: Mapping[int, Mapping[str, Traced]] = field(default_factory=dict)

    @cached_property
    def decision(self) -> Decision:
        """What is laid over it, and what it makes of corrections."""
        return decide(self.found)

    @cached_property
    def instance(self) -> Instance:
        """The instance with the corrections laid over it."""
        layers = self.decision.layers
        return overlay.lay(self.sent, self.schema, layers) if layers else self.sent

    @cached_property
    def answers(self) -> Answers:
        """What stands, by place."""
        return Answers(self.instance.root, self.schema)

    @cached_property
    def sent_answers(self) -> Answers:
        """What was sent, by place."""
        return Answers(self.sent.root, self.schema)

    @cached_property
    def places(self) -> Mapping[str, str]:
        """The rows by their stable keys."""
        return {key: place for place, key in self.keys.items()}

    def table_of(self, place: str) -> str:
        """The repeat whose row stands at `place`; "" for the form's row."""
        return _POSITION.sub("", place)

    def find_question(self, path: str) -> Field | None:
        """The question of this version at `path`, or at the path that it had under another name."""
        entry = self.schema.by_path.get(path)
        if entry is None:
            path = next(
                (one for one in self.schema.by_path if present(self.names, one) == present(self.names, path)), ""
            )
            entry = self.schema.by_path.get(path)
        return entry if entry is not None and entry.kind == "question" else None

    def reopened(self) -> list[Reopened]:
        """The answers whose corrections an edit reopened, earlier or now."""
        now = {one.id for one, state in self.decision.changes if state == "reopened"}
        answers: dict[tuple[str, str], Reopened] = {}
        for one in self.found:
            if one.correction.state != "reopened" and one.correction.id not in now:
                continue
            place, path = one.place or ("", one.correction.path)
            key = self.submission.instance_id + place
            answers[one.correction.row_key, path] = Reopened(key, path, one.correction.new_text)
        return list(answers.values())

    def stable_keys(self) -> dict[str, str]:
        """The stable keys of repeat rows by the keys that typed tables give them, where these differ."""
        own = self.submission.instance_id
        return {own + place: key for place, key in self.keys.items() if place and own + place != key}


def read(conn: Connection, form: Form, submission: Submission, *, at: datetime | None = None) -> Standing | None:
    """What stands of a submission now, or at the end of a past moment.

    None where nothing had arrived by then, and where no version of the form is known.
    """
    chain = submissions.list_versions(conn, submission.id)
    active = corrections.list_of_submission(conn, submission.id)
    if at is not None:
        chain = [version for version in chain if version.created_at <= at]
        active = _as_of(conn, submission.id, active, at)
    if not chain:
        return None
    current = newest(chain) if at is not None else next(version for version in chain if version.current)
    return _stand(conn, form, submission, chain, current, active)


def follow(conn: Connection, form: Form, submission: Submission) -> Standing | None:
    """The same for whoever writes typed rows: None too where what was sent stands as it is, which is almost always."""
    held = corrections.list_of_submission(conn, submission.id)
    if not held and not submission.edits:
        return None
    chain = submissions.list_versions(conn, submission.id)
    current = next(version for version in chain if version.current)
    if not held and not _has_repeats(conn, form, current):
        return None
    return _stand(conn, form, submission, chain, current, held)


def again(conn: Connection, stands: Standing, submission: Submission) -> Standing:
    """What stands now that corrections of it came or went; `submission` is held since `stands` was read, as it is now."""
    return _with(replace(stands, submission=submission), corrections.list_of_submission(conn, submission.id))


def newest(chain: Sequence[SubmissionVersion]) -> SubmissionVersion:
    """The version that no other one edits; of several, the last to arrive. Order of arrival does not matter otherwise."""
    edited = {version.deprecated_id for version in chain}
    return ([version for version in chain if version.instance_id not in edited] or list(chain))[-1]


def present(names: Mapping[str, str], path: str) -> str:
    """The present path of a question or repeat that may have been renamed."""
    return names.get(path, path)


def _stand(
    conn: Connection,
    form: Form,
    submission: Submission,
    chain: Sequence[SubmissionVersion],
    current: SubmissionVersion,
    held: Sequence[Correction],
) -> Standing | None:
    known = _form_version(conn, form, current)
    if known is None:
        return None
    schema = registry.schema_of(conn, known)
    names = _names(conn, form)
    sent = instances.read(submissions.get_xml(conn, current.id))
    traced = _trace(conn, form, submission, chain, names)
    if traced is None:
        rows = tables.rows_of(_plan(conn, known, schema), sent, instance_id="")[0]
        traced = {current.id: {row.key: Traced(submission.instance_id + row.key, ()) for row in rows}}
    keys = {place: one.key for place, one in traced[current.id].items()}
    once = frozenset(one.key for rows_ in traced.values() for one in rows_.values())
    bare = Standing(
        submission=submission,
        version=current,
        schema=schema,
        sent=sent,
        keys=keys,
        found=(),
        names=names,
        once=once,
        traced=traced,
    )
    return _with(bare, held)


def _with(bare: Standing, held: Sequence[Correction]) -> Standing:
    """What stands with these corrections, whatever their states."""
    traced = bare.traced
    known_by = {one.id: one.row_key for one in held}
    every = [_renamed(one, traced) for one in held]
    found = [_find(bare, one, traced, bare.version.id) for one in every]
    return replace(
        bare,
        found=[one for one in found if one.correction.state in ("active", "reopened")],
        renamed=[one for one in every if one.row_key != known_by[one.id]],
        touched=frozenset(one.place for one in found if one.place is not None),
    )


def _renamed(one: Correction, traced: Mapping[int, Mapping[str, Traced]]) -> Correction:
    """A correction with the stable key that its row has."""
    meant = traced.get(one.version_id, {}).get(one.row_place)
    return one if meant is None or meant.key == one.row_key else replace(one, row_key=meant.key)


def _find(standing: Standing, one: Correction, traced: Mapping[int, Mapping[str, Traced]], current: int) -> Found:
    """Where a correction lies in the current version."""
    entry = standing.find_question(one.path)
    meant = traced.get(one.version_id, {}).get(one.row_place)
    place = standing.places.get(meant.key) if meant is not None else None
    if meant is None or entry is None or place is None:
        return Found(correction=one, place=None)
    at: Place = (place, entry.path)
    return Found(
        correction=one,
        place=at,
        text=standing.sent_answers.get(at),
        type=entry.type or "string",
        sure=meant.doubts == traced[current][place].doubts,
    )


def _trace(
    conn: Connection,
    form: Form,
    submission: Submission,
    chain: Sequence[SubmissionVersion],
    names: Mapping[str, str],
) -> dict[int, dict[str, Traced]] | None:
    """The stable key of each row of each version; None where there is one version only."""
    if len(chain) == 1:
        return None
    versions, told = [], Told(names=names)
    for version in chain:
        known = _form_version(conn, form, version)
        if known is None:
            return None
        schema = registry.schema_of(conn, known)
        mine = registry.remember(conn, ("told", known.sha256), partial(lineage.told_by, schema))
        told = replace(told, ids=told.ids | mine.ids, ignored=told.ignored | mine.ignored)
        read_ = instances.read(submissions.get_xml(conn, version.id))
        rows, _ = tables.rows_of(_plan(conn, known, schema), read_, instance_id="")
        versions.append(
            lineage.Version(
                id=version.id, instance_id=version.instance_id, deprecated_id=version.deprecated_id, rows=rows
            )
        )
    return lineage.trace(versions, submission.instance_id, told)


def _plan(conn: Connection, known: FormVersion, schema: Schema) -> tables.Plan:
    return registry.remember(conn, ("plan", known.sha256), lambda: tables.Plan(schema))


def _form_version(conn: Connection, form: Form, version: SubmissionVersion) -> FormVersion | None:
    """The form version that an instance answers; the present one where the server never had its own."""
    version_id = version.form_version_id or form.current_version_id
    return forms.get_version(conn, version_id) if version_id is not None else None


def _has_repeats(conn: Connection, form: Form, version: SubmissionVersion) -> bool:
    known = _form_version(conn, form, version)
    return known is not None and any(entry.kind == "repeat" for entry in registry.schema_of(conn, known).fields)


def _names(conn: Connection, form: Form) -> Mapping[str, str]:
    """The present path of every question and repeat that was renamed."""
    layout: Layout = registry.remember(
        conn, ("layout", form.id, form.layout_revision), lambda: registry.load(conn, form.id)
    )
    kept = [paths for table in layout.tables for paths in (table.paths, *(column.paths for column in table.columns))]
    return {path: paths[-1] for paths in kept for path in paths[:-1]}


def _as_of(conn: Connection, submission_id: int, held: Sequence[Correction], at: datetime) -> list[Correction]:
    """The corrections that there were at a past moment, each in the state that it had then."""
    states = {one.id: "active" for one in held if one.created_at <= at}
    for change in corrections.list_changes(conn, submission_id):
        if change.created_at <= at:
            states[change.correction_id] = change.state
    return [replace(one, state=states[one.id]) for one in held if one.id in states]

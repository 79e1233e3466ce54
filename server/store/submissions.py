"""SQL for submissions and their versions."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from forms.instance import Instance
from forms.receipt import Held
from server.model.corrections import comments, corrections, reviews
from server.model.submissions import (
    Submission,
    SubmissionVersion,
    flags,
    follow_failures,
    submission_versions,
    submissions,
)
from server.prepared import Prepared

_VERSION: tuple[ColumnElement[Any], ...] = (
    submission_versions.c.id,
    submission_versions.c.submission_id,
    submission_versions.c.current,
    submission_versions.c.form_version_id,
    submission_versions.c.form_version,
    submission_versions.c.instance_id,
    submission_versions.c.deprecated_id,
    submission_versions.c.instance_name,
    submission_versions.c.fingerprint,
    submission_versions.c.encrypted,
    submission_versions.c.submitter_id,
    submission_versions.c.device_id,
    submission_versions.c.created_at,
)


def _held_by(column: ColumnElement[Any], parameter: str, kind: str) -> Select[Any]:
    """One of the ways in which a held version can be a neighbour; each finds its index, which one OR would not."""
    return select(
        literal_column(f"'{kind}'").label("kind"),
        submission_versions.c.submission_id,
        submission_versions.c.id,
        submission_versions.c.fingerprint,
    ).where(
        submission_versions.c.form_id == bindparam("form_id"),
        submission_versions.c.draft == bindparam("draft"),
        column == bindparam(parameter),
    )


_INSTANCE, _DEPRECATED = submission_versions.c.instance_id, submission_versions.c.deprecated_id
_OF_FIRST = (_held_by(_INSTANCE, "instance_id", "same"), _held_by(_DEPRECATED, "instance_id", "neighbour"))
_OF_EDIT = (_held_by(_INSTANCE, "deprecated_id", "neighbour"), _held_by(_DEPRECATED, "deprecated_id", "neighbour"))
_HELD_BY_FIRST = Prepared(union_all(*_OF_FIRST))
_HELD_BY_EDIT = Prepared(union_all(*_OF_FIRST, *_OF_EDIT))
_SUBMISSION_COLUMNS: Final = ("form_id", "draft", "instance_id", "submitter_id", "device_id", "created_at")
_ADD_SUBMISSION = Prepared(
    sqlite.insert(submissions).on_conflict_do_nothing().returning(submissions.c.id), columns=_SUBMISSION_COLUMNS
)
_VERSION_COLUMNS: Final = tuple(column.name for column in submission_versions.columns if column.name != "id")
_ADD_VERSION = Prepared(
    insert(submission_versions).returning(submission_versions.c.id),
    columns=_VERSION_COLUMNS,
)


_LOCK = Prepared(select(submissions).where(submissions.c.id == bindparam("id")).with_for_update(key_share=True))
_FIND = Prepared(
    select(submissions).where(
        submissions.c.form_id == bindparam("form_id"),
        submissions.c.instance_id == bindparam("instance_id"),
        submissions.c.draft.is_(False),
    )
)
_VERSIONS = Prepared(
    select(*_VERSION)
    .where(submission_versions.c.submission_id == bindparam("submission_id"))
    .order_by(submission_versions.c.id)
)
_CURRENT = Prepared(
    select(*_VERSION).where(
        submission_versions.c.submission_id == bindparam("submission_id"), submission_versions.c.current
    )
)
_XML = Prepared(select(submission_versions.c.xml).where(submission_versions.c.id == bindparam("id")))


def _begin_at_once() -> Prepared:
    """A submission and its first version by one statement, which SQLite has not."""
    given = {name: bindparam(name, type_=column.type) for name, column in submission_versions.columns.items()}
    named = {**given, "instance_id": bindparam("eldest_id", type_=submissions.c.instance_id.type)}
    begun = (
        postgresql.insert(submissions)
        .values({name: named[name] for name in _SUBMISSION_COLUMNS})
        .on_conflict_do_nothing()
        .returning(submissions.c.id)
        .cte("begun")
    )
    own = [name for name in _VERSION_COLUMNS if name != "submission_id"]
    values = [cast(given[name], given[name].type) for name in own]
    statement = insert(submission_versions).from_select(["submission_id", *own], select(begun.c.id, *values))
    return Prepared(statement.returning(submission_versions.c.submission_id, submission_versions.c.id))


_BEGIN = _begin_at_once()


def held(conn: Connection, form_id: int, *, draft: bool, instance: Instance) -> tuple[Held | None, list[Held]]:
    """The version held under the instance's own id, and its neighbours: those that it edits, that edit it, or that edit
    what it edits."""
    parameters = {"form_id": form_id, "draft": draft, "instance_id": instance.instance_id}
    statement = _HELD_BY_FIRST
    if instance.deprecated_id is not None:
        statement, parameters["deprecated_id"] = _HELD_BY_EDIT, instance.deprecated_id
    same, neighbours = None, []
    for kind, submission_id, version_id, fingerprint in statement.all(conn, parameters):
        found = Held(submission_id=submission_id, version_id=version_id, fingerprint=fingerprint)
        if kind == "same":
            same = found
        else:
            neighbours.append(found)
    return same, neighbours


def lock_edits(conn: Connection, form_id: int) -> None:
    """Let only one instance that is not simply new be received at a time, for this form, until the transaction ends."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(0x7E11D0, form_id)))


def begin(
    conn: Connection,
    *,
    form_id: int,
    draft: bool,
    instance_id: str,
    form_version_id: int | None,
    instance: Instance,
    submitter_id: int | None,
    device_id: str | None,
    user_agent: str | None,
    created_at: datetime,
) -> tuple[int, int] | None:
    """A submission and its first version; gives their ids, None where one with this instance id is held."""
    version = _version_values(
        submission_id=None,
        form_id=form_id,
        draft=draft,
        current=True,
        form_version_id=form_version_id,
        instance=instance,
        submitter_id=submitter_id,
        device_id=device_id,
        user_agent=user_agent,
        created_at=created_at,
    )
    if conn.dialect.name == "postgresql":
        begun = _BEGIN.first(conn, {**version, "eldest_id": instance_id})
        return (int(begun[0]), int(begun[1])) if begun else None
    added = _ADD_SUBMISSION.first(conn, {**version, "instance_id": instance_id})
    if added is None:
        return None
    submission_id = int(added[0])
    return submission_id, int(_ADD_VERSION.all(conn, {**version, "submission_id": submission_id})[0][0])


def add_version(
    conn: Connection,
    *,
    submission_id: int,
    form_id: int,
    draft: bool,
    form_version_id: int | None,
    instance: Instance,
    submitter_id: int | None,
    device_id: str | None,
    user_agent: str | None,
    created_at: datetime,
) -> int:
    """A further version as it arrived; gives its id."""
    values = _version_values(
        submission_id=submission_id,
        form_id=form_id,
        draft=draft,
        current=False,
        form_version_id=form_version_id,
        instance=instance,
        submitter_id=submitter_id,
        device_id=device_id,
        user_agent=user_agent,
        created_at=created_at,
    )
    return int(_ADD_VERSION.all(conn, values)[0][0])


def _version_values(*, instance: Instance, **values: Any) -> dict[str, Any]:
    return {
        **values,
        "form_version": instance.version,
        "instance_id": instance.instance_id,
        "deprecated_id": instance.deprecated_id,
        "instance_name": instance.instance_name,
        "xml": instance.xml,
        "fingerprint": instance.fingerprint,
        "encrypted": instance.encrypted,
    }


def set_current(conn: Connection, submission_id: int, version_id: int) -> None:
    """Make this version, and no other, the one whose answers stand."""
    conn.execute(
        update(submission_versions)
        .where(submission_versions.c.submission_id == submission_id)
        .values(current=submission_versions.c.id == version_id)
    )


def change(conn: Connection, submission_id: int, **values: Any) -> None:
    """Other values in a submission's row."""
    conn.execute(update(submissions).where(submissions.c.id == submission_id).values(**values))


def lock(conn: Connection, submission_id: int) -> Submission:
    """The submission with this row id, held against other changes until the transaction ends."""
    return Submission(*_LOCK.all(conn, {"id": submission_id})[0])


def lock_many(conn: Connection, submission_ids: Collection[int]) -> dict[int, Submission]:
    """These submissions by row id, held likewise, in their order: that of a rebuild, so that neither waits for the other."""
    statement = select(submissions).where(submissions.c.id.in_(sorted(submission_ids))).order_by(submissions.c.id)
    return {row[0]: Submission(*row) for row in conn.execute(statement.with_for_update())}


def touch(conn: Connection, submission_ids: Collection[int], when: datetime) -> None:
    """These submissions are others since then."""
    some = submissions.c.id.in_(sorted(submission_ids))
    conn.execute(update(submissions).where(some).values(updated_at=when))


def find(conn: Connection, form_id: int, instance_id: str) -> Submission | None:
    """A submission by its instance id, drafts left out."""
    row = _FIND.first(conn, {"form_id": form_id, "instance_id": instance_id})
    return Submission(*row) if row else None


def find_by_version(conn: Connection, form_id: int, instance_id: str) -> Submission | None:
    """The same by the instance id of any of its versions, or of one that they edit: what it was called before others came."""
    found = find(conn, form_id, instance_id)
    if found is not None:
        return found
    versions = submission_versions
    row = conn.execute(
        select(submissions)
        .join(versions, versions.c.submission_id == submissions.c.id)
        .where(
            versions.c.form_id == form_id,
            versions.c.draft.is_(False),
            (versions.c.instance_id == instance_id) | (versions.c.deprecated_id == instance_id),
        )
        .limit(1)
    ).first()
    return Submission(*row) if row else None


def list_versions(conn: Connection, submission_id: int) -> list[SubmissionVersion]:
    """Every version of a submission in order of arrival."""
    return [SubmissionVersion(*row) for row in _VERSIONS.all(conn, {"submission_id": submission_id})]


def get_current(conn: Connection, submission_id: int) -> SubmissionVersion:
    """The version whose answers stand."""
    return SubmissionVersion(*_CURRENT.all(conn, {"submission_id": submission_id})[0])


def get(conn: Connection, submission_id: int) -> Submission:
    """The submission with this row id."""
    return Submission(*conn.execute(select(submissions).where(submissions.c.id == submission_id)).one())


def get_version(conn: Connection, version_id: int) -> SubmissionVersion:
    """The version with this row id."""
    return SubmissionVersion(*conn.execute(select(*_VERSION).where(submission_versions.c.id == version_id)).one())


def get_user_agent(conn: Connection, version_id: int) -> str | None:
    """The program that sent a version, as it called itself."""
    found: str | None = conn.execute(
        select(submission_versions.c.user_agent).where(submission_versions.c.id == version_id)
    ).scalar_one()
    return found


def get_xml(conn: Connection, version_id: int) -> bytes:
    """The exact bytes that arrived."""
    return bytes(_XML.all(conn, {"id": version_id})[0][0])


def merge(conn: Connection, absorbed: int, into: int) -> None:
    """Move every version of one submission to another, with what people did to it, and remove the empty one: they turned out
    to be the same."""
    for table in (submission_versions, corrections, reviews, comments):
        conn.execute(update(table).where(table.c.submission_id == absorbed).values(submission_id=into))
    conn.execute(delete(follow_failures).where(follow_failures.c.submission_id == absorbed))
    conn.execute(delete(flags).where(flags.c.submission_id == absorbed))
    conn.execute(delete(submissions).where(submissions.c.id == absorbed))


def list_ids(conn: Connection, form_id: int, *, above: int = 0, most: int = 500) -> list[int]:
    """Ids of a form's submissions, drafts left out, in order: the next `most` after `above`."""
    statement = (
        select(submissions.c.id)
        .where(submissions.c.form_id == form_id, submissions.c.draft.is_(False), submissions.c.id > above)
        .order_by(submissions.c.id)
        .limit(most)
    )
    return list(conn.execute(statement).scalars())


def list_living(conn: Connection, form_id: int, *, above: int = 0, most: int = 500) -> list[tuple[int, str]]:
    """Ids and instance ids of a form's living submissions, drafts left out, in order: the next `most` after `above`."""
    statement = (
        select(submissions.c.id, submissions.c.instance_id)
        .where(
            submissions.c.form_id == form_id,
            submissions.c.draft.is_(False),
            submissions.c.deleted_at.is_(None),
            submissions.c.id > above,
        )
        .order_by(submissions.c.id)
        .limit(most)
    )
    return [(row.id, row.instance_id) for row in conn.execute(statement)]


def count(conn: Connection, form_id: int) -> int:
    """How many submissions of a form are held, drafts and deleted ones left out."""
    statement = (
        select(func.count())
        .select_from(submissions)
        .where(submissions.c.form_id == form_id, submissions.c.draft.is_(False), submissions.c.deleted_at.is_(None))
    )
    return conn.execute(statement).scalar_one()


def count_every(conn: Connection, form_id: int) -> int:
    """How many submissions of a form are held, drafts left out, deleted ones counted."""
    statement = select(func.count()).select_from(submissions)
    return conn.execute(statement.where(submissions.c.form_id == form_id, submissions.c.draft.is_(False))).scalar_one()


def count_deleted(conn: Connection, form_id: int, since: datetime) -> int:
    """How many submissions of a form were deleted at that moment or later, drafts left out."""
    statement = select(func.count()).select_from(submissions)
    return conn.execute(statement.where(*_deleted(form_id, since))).scalar_one()


def list_deleted(conn: Connection, form_id: int, since: datetime) -> Iterator[tuple[str, datetime]]:
    """The instance ids of submissions that were deleted at that moment or later, and when; drafts left out."""
    statement = select(submissions.c.instance_id, submissions.c.deleted_at).where(*_deleted(form_id, since))
    for row in conn.execute(statement.order_by(submissions.c.deleted_at, submissions.c.id)):
        yield row.instance_id, row.deleted_at


def _deleted(form_id: int, since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (submissions.c.form_id == form_id, submissions.c.draft.is_(False), submissions.c.deleted_at >= since)


def highest_id(conn: Connection, form_id: int) -> int:
    """The highest id among a form's submissions, drafts left out; 0 where there is none."""
    statement = select(func.max(submissions.c.id))
    found = conn.execute(statement.where(submissions.c.form_id == form_id, submissions.c.draft.is_(False))).scalar_one()
    return int(found or 0)

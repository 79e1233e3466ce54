"""SQL for flags."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, delete, func, insert, or_, select, update

from server.model.cleaning import CORRECTED, OPEN, Found
from server.model.people import actors
from server.model.submissions import TABULATED, Flag, FlaggedValue, flags, submissions
from server.prepared import Prepared

_AT_ONCE: Final = 1_000
_SUBMITTERS: Final = actors.alias()
_COLUMNS: Final = (
    "submission_id", "check", "row_key", "path", "text", "severity", "state", "created_at", "details",
)  # fmt: skip
_ADD: Final = Prepared(insert(flags).inline(), columns=_COLUMNS)
_OF_SUBMISSION: Final = select(flags).where(flags.c.submission_id == bindparam("submission")).order_by(flags.c.id)
_TABULATED: Final = Prepared(_OF_SUBMISSION.where(or_(*(flags.c.check == name for name in sorted(TABULATED)))))
_CHECKED: Final = Prepared(_OF_SUBMISSION.where(and_(*(flags.c.check != name for name in sorted(TABULATED)))))


@dataclass(slots=True)
class Settled:
    """How many flags came, went (of them `corrected`), and opened again."""

    added: int = 0
    gone: int = 0
    corrected: int = 0
    reopened: int = 0


def list_tabulated(conn: Connection, submission_id: int) -> list[Flag]:
    """The flags on what found no place in a submission's typed rows."""
    return [Flag(*row) for row in _TABULATED.all(conn, {"submission": submission_id})]


def list_checked(conn: Connection, submission_id: int) -> list[Flag]:
    """The flags that checks raised on a submission."""
    return [Flag(*row) for row in _CHECKED.all(conn, {"submission": submission_id})]


def settle(
    conn: Connection, standing: Iterable[Flag], found: Iterable[Found], *, now: datetime, corrected: bool = False
) -> Settled:
    """Let the flags that stand be what was found: each keeps its state while it says the same of the same answer.

    What is found no more is removed; where a correction made it so (`corrected`) it stays as a corrected one, and so do
    those that are. A corrected one that is found again opens again.
    """
    done = Settled()
    waiting: defaultdict[tuple[Any, ...], deque[Flag]] = defaultdict(deque)
    for flag in standing:
        waiting[flag.submission_id, flag.check, flag.row_key, flag.path, flag.text].append(flag)
    added: list[dict[str, Any]] = []
    for one in found:
        same = waiting.get((one.submission_id, one.check, one.row_key, one.path, one.text))
        if same:
            done.reopened += _keep(conn, same.popleft(), one)
            continue
        done.added += 1
        added.append(
            {
                "submission_id": one.submission_id,
                "check": one.check,
                "row_key": one.row_key,
                "path": one.path,
                "text": one.text,
                "severity": one.severity,
                "state": OPEN,
                "created_at": now,
                "details": dict(one.details) or None,
            }
        )
        if len(added) == _AT_ONCE:
            _ADD.many(conn, added)
            added = []
    if added:
        _ADD.many(conn, added)
    gone = [flag.id for left in waiting.values() for flag in left if flag.state != CORRECTED]
    done.gone = len(gone)
    done.corrected = len(gone) if corrected else 0
    for some in _pieces(gone):
        which = flags.c.id.in_(some)
        conn.execute(update(flags).where(which).values(state=CORRECTED) if corrected else delete(flags).where(which))
    return done


def _keep(conn: Connection, flag: Flag, one: Found) -> int:
    """The flag that stands, as it is found now; gives whether it opens again."""
    changed: dict[str, Any] = {}
    if flag.state == CORRECTED:
        changed.update(state=OPEN, explained_by=None, explained_at=None, comment=None)
    if flag.severity != one.severity:
        changed["severity"] = one.severity
    if (flag.details or {}) != dict(one.details):
        changed["details"] = dict(one.details) or None
    if changed:
        conn.execute(update(flags).where(flags.c.id == flag.id).values(**changed))
    return int("state" in changed)


def list_flags(conn: Connection, submission_id: int) -> list[Flag]:
    """The flags of a submission, in the order in which they were raised."""
    return [
        Flag(*row)
        for row in conn.execute(select(flags).where(flags.c.submission_id == submission_id).order_by(flags.c.id))
    ]


def list_raised(
    conn: Connection,
    form_id: int,
    *,
    checks: Collection[str] | None = None,
    submission_ids: Collection[int] | None = None,
) -> Iterator[Flag]:
    """What checks raised on a form's submissions, drafts left out; of these checks and submissions only, where named."""
    statement = (
        select(flags)
        .join(submissions, submissions.c.id == flags.c.submission_id)
        .where(submissions.c.form_id == form_id, submissions.c.draft.is_(False), flags.c.check.not_in(TABULATED))
    )
    if checks is not None:
        statement = statement.where(flags.c.check.in_(checks))
    if submission_ids is None:
        yield from (Flag(*row) for row in conn.execute(statement))
        return
    for some in _pieces(list(submission_ids)):
        yield from (Flag(*row) for row in conn.execute(statement.where(flags.c.submission_id.in_(some))))


def find_flag(conn: Connection, form_id: int, flag_id: int) -> Flag | None:
    """A flag on a living submission of a form, by its number."""
    row = conn.execute(
        select(flags)
        .join(submissions, submissions.c.id == flags.c.submission_id)
        .where(_living(form_id), flags.c.id == flag_id)
        .with_for_update(of=flags)
    ).first()
    return Flag(*row) if row else None


def change(conn: Connection, flag_id: int, **values: Any) -> None:
    """Other values in a flag's row."""
    conn.execute(update(flags).where(flags.c.id == flag_id).values(**values))


def list_of_form(
    conn: Connection,
    form_id: int,
    *,
    states: Collection[str] = (),
    checks: Collection[str] = (),
    severities: Collection[str] = (),
    submission_ids: Select[Any] | None = None,
    after: tuple[int, int] = (0, 0),
    most: int | None = None,
) -> list[FlaggedValue]:
    """The flags on a form's living submissions (drafts not), by submission and in the order in which they were raised.

    Of what is named only: `submission_ids` is a SELECT of ids; `after` the submission and flag that came last on the page
    before, of which each has `most`.
    """
    wanted: list[ColumnElement[bool]] = [_living(form_id)]
    for column, names in ((flags.c.state, states), (flags.c.check, checks), (flags.c.severity, severities)):
        if names:
            wanted.append(column.in_(names))
    if submission_ids is not None:
        wanted.append(submissions.c.id.in_(submission_ids))
    if after != (0, 0):
        submission_id, flag_id = after
        same = (submissions.c.id == submission_id) & (flags.c.id > flag_id)
        wanted.append((submissions.c.id > submission_id) | same)
    return [FlaggedValue(*row) for row in conn.execute(_flagged().where(*wanted).limit(most))]


def get_flagged(conn: Connection, flag_id: int) -> FlaggedValue:
    """A flag as people read it, by its number."""
    return FlaggedValue(*conn.execute(_flagged().where(flags.c.id == flag_id)).one())


def _flagged() -> Select[Any]:
    return (
        select(
            flags.c.id,
            flags.c.submission_id,
            submissions.c.instance_id,
            flags.c.check,
            flags.c.severity,
            flags.c.state,
            flags.c.row_key,
            flags.c.path,
            flags.c.text,
            flags.c.details,
            _SUBMITTERS.c.display_name,
            submissions.c.device_id,
            flags.c.created_at,
            actors.c.display_name,
            flags.c.explained_at,
            flags.c.comment,
        )
        .join(submissions, submissions.c.id == flags.c.submission_id)
        .outerjoin(actors, actors.c.id == flags.c.explained_by)
        .outerjoin(_SUBMITTERS, _SUBMITTERS.c.id == submissions.c.submitter_id)
        .order_by(submissions.c.id, flags.c.id)
    )


def count_open(conn: Connection) -> int:
    """How many values that found no place in the tables are still open, on living submissions (drafts not)."""
    counted = (
        select(func.count())
        .select_from(flags.join(submissions, submissions.c.id == flags.c.submission_id))
        .where(
            flags.c.state == OPEN,
            flags.c.check.in_(TABULATED),
            submissions.c.draft.is_(False),
            submissions.c.deleted_at.is_(None),
        )
    )
    return int(conn.execute(counted).scalar_one())


def _living(form_id: int) -> ColumnElement[bool]:
    found: ColumnElement[bool] = (
        (submissions.c.form_id == form_id) & submissions.c.draft.is_(False) & submissions.c.deleted_at.is_(None)
    )
    return found


def _pieces(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Ids in pieces that a statement can name."""
    return (ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE))

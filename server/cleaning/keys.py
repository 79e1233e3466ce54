"""Keys: what must be another in each record, kept beside the records, so that two of one key find each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Insert,
    Integer,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
)

from forms.schema import Schema
from server.cleaning.conditions import looked_at
from server.cleaning.rules import Rule
from server.model.cleaning import Found, check_keys
from server.model.columns import Id
from server.prepared import Prepared
from server.tables.expressions import Rows
from server.tables.layout import Layout
from server.tables.operations import Sql

LONGEST: Final = 500
"""Characters of a key that count: more would not fit an index of PostgreSQL."""
REJECTED: Final = "rejected"
"""A review state: the record counts nowhere."""
TOLD: Final = 5
"""Other records of the key that a flag names."""
_NEAR: Final = 20
"""Records of one key whose flags are made again when another comes or goes; of more, each has its flag."""
_COLUMNS: Final = ("form_id", "check", "submission_id", "row", "row_key", "key")
_OWN: Final = Prepared(
    select(check_keys.c.check, check_keys.c.key)
    .where(check_keys.c.submission_id == bindparam("submission"))
    .distinct()
    .order_by(check_keys.c.check, check_keys.c.key)
)
_CLEAR: Final = Prepared(delete(check_keys).where(check_keys.c.submission_id == bindparam("submission")))
_HOLDERS: Final = Prepared(
    select(check_keys.c.submission_id)
    .where(
        check_keys.c.form_id == bindparam("form"),
        check_keys.c.check == bindparam("check"),
        check_keys.c.key == bindparam("key"),
    )
    .limit(_NEAR + 1)
)
_MINE = (
    select(check_keys.c.check, check_keys.c.key)
    .where(check_keys.c.submission_id == bindparam("submission"))  # not by form too: its index holds every record
    .distinct()
    .subquery()
)
_SHARED: Final = Prepared(
    select(check_keys.c.check, check_keys.c.key, func.count())
    .join(_MINE, and_(_MINE.c.check == check_keys.c.check, _MINE.c.key == check_keys.c.key))
    .where(check_keys.c.form_id == bindparam("form"))
    .group_by(check_keys.c.check, check_keys.c.key)
    .having(func.count() > 1)
    .order_by(check_keys.c.check, check_keys.c.key)
)
"""The keys of one submission that others have too, with how many; compiled once, since nearly always there are none."""
_LOCK: Final = Prepared(
    select(func.pg_advisory_xact_lock(cast(0x7E11D1, Integer), func.hashtext(bindparam("key", type_=Text()))))
)


Key = tuple[str, str]
"""A check, and the key itself."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Submissions whose flags may be others now, and the keys that it is about: held, so that nobody else changes these flags
    meanwhile."""

    submission_ids: frozenset[int] = frozenset()
    keys: frozenset[Key] = frozenset()


class Keys:
    """The keys of a form's rules of the kind `duplicate`."""

    def __init__(self, conn: Connection, layout: Layout, schema: Schema, form_id: int, rules: Sequence[Rule]) -> None:
        self._form_id = form_id
        self._rules = {rule.check: rule for rule in rules if rule.kind == "duplicate"}
        self._locks = conn.dialect.name == "postgresql"
        self._every = []
        self._writes = []
        for rule in self._rules.values():
            rows = Rows(conn, layout, schema, rule.unit)
            own = rows.row.c["_submission_id"] == bindparam("submission")
            self._every.append(_insert(rows, rule))
            self._writes.append(Prepared(_insert(rows, rule, own)))

    def __bool__(self) -> bool:
        """Whether there is such a rule."""
        return bool(self._rules)

    def write(self, conn: Connection, submission_id: int, *, fresh: bool) -> Touched:
        """Keep the keys of a submission as they are now. Touched is itself too, where it has a key in common with another,
        or had keys before."""
        before: list[Key] = []
        if not fresh:
            before = self._own(conn, submission_id)
            _CLEAR.run(conn, {"submission": submission_id})
        for one in self._writes:
            one.run(conn, {"submission": submission_id})
        after = self._own(conn, submission_id)
        keys = frozenset((*before, *after))
        self._hold(conn, keys)
        ids = {submission_id} if before else set()
        for holders in self._holders(conn, after):
            if len(holders) > 1:
                ids |= {submission_id, *holders} if len(holders) <= _NEAR else {submission_id}
        return Touched(frozenset(ids | self._left(conn, before)), keys)

    def clear(self, conn: Connection, submission_id: int) -> Touched:
        """Forget the keys of a submission."""
        before = self._own(conn, submission_id)
        if not before:
            return Touched()
        _CLEAR.run(conn, {"submission": submission_id})
        self._hold(conn, before)
        return Touched(frozenset(self._left(conn, before)), frozenset(before))

    def write_all(self, conn: Connection) -> None:
        """Keep the keys of every submission anew; the form is held."""
        conn.execute(delete(check_keys).where(check_keys.c.form_id == self._form_id))
        for one in self._every:
            conn.execute(one)

    def find(self, conn: Connection, submission_ids: Collection[int]) -> Iterator[Found]:
        """The flags on records of these submissions whose key another record has."""
        for check, key, count in self._shared_by(conn, submission_ids):
            rows = select(check_keys.c.submission_id, check_keys.c.row_key).where(self._of(check, key))
            rows = rows.order_by(check_keys.c.submission_id, check_keys.c.row)
            first = conn.execute(rows.limit(TOLD + 1)).all()
            own = conn.execute(rows.where(check_keys.c.submission_id.in_(sorted(submission_ids)))).all()
            yield from self._flags(check, key, count, [row.row_key for row in first], [tuple(row) for row in own])

    def find_all(self, conn: Connection) -> Iterator[Found]:
        """The flags on every record whose key another one has."""
        found = self._shared().subquery()
        rows = conn.execute(
            select(found.c.check, found.c.key, check_keys.c.submission_id, check_keys.c.row_key)
            .join(check_keys, and_(found.c.check == check_keys.c.check, found.c.key == check_keys.c.key))
            .where(check_keys.c.form_id == self._form_id)
            .order_by(check_keys.c.check, check_keys.c.key, check_keys.c.submission_id, check_keys.c.row)
        )
        for (check, key), group in groupby(rows, key=lambda row: (row[0], row[1])):
            every = [(row[2], row[3]) for row in group]
            yield from self._flags(check, key, len(every), [row_key for _, row_key in every[: TOLD + 1]], every)

    def _shared_by(self, conn: Connection, submission_ids: Collection[int]) -> list[tuple[str, str, int]]:
        """The keys of these submissions that several records have, with how many."""
        if len(submission_ids) == 1:
            [one] = submission_ids
            rows = _SHARED.all(conn, {"form": self._form_id, "submission": one})
            return [(check, key, count) for check, key, count in rows]
        mine = (
            select(check_keys.c.check, check_keys.c.key)
            .where(check_keys.c.submission_id.in_(sorted(submission_ids)))
            .distinct()
            .subquery()
        )
        return [(check, key, count) for check, key, count in conn.execute(self._shared(mine))]

    def _shared(self, mine: Subquery | None = None) -> Select[Any]:
        """The keys that several records have (of `mine`), with how many."""
        chosen = select(check_keys.c.check, check_keys.c.key, func.count()).where(check_keys.c.form_id == self._form_id)
        if mine is not None:
            chosen = chosen.join(mine, and_(mine.c.check == check_keys.c.check, mine.c.key == check_keys.c.key))
        return (
            chosen.group_by(check_keys.c.check, check_keys.c.key)
            .having(func.count() > 1)
            .order_by(check_keys.c.check, check_keys.c.key)
        )

    def _flags(
        self, check: str, key: str, count: int, first: Sequence[str], records: Iterable[tuple[int, str]]
    ) -> Iterator[Found]:
        rule = self._rules.get(check)
        if rule is None:
            return
        for submission_id, row_key in records:
            yield Found(
                submission_id=submission_id,
                check=check,
                row_key=row_key,
                path=rule.path,
                text=key,
                severity=rule.severity,
                details={
                    "kind": "duplicate",
                    "others": [other for other in first if other != row_key][:TOLD],
                    "count": count - 1,
                },
            )

    def _own(self, conn: Connection, submission_id: int) -> list[Key]:
        return [(check, key) for check, key in _OWN.all(conn, {"submission": submission_id})]

    def _hold(self, conn: Connection, keys: Iterable[Key]) -> None:
        """On PostgreSQL, let one transaction at a time look at a key: of two that come at once the second sees the first."""
        if self._locks:
            for check, key in sorted(keys):
                _LOCK.all(conn, {"key": f"{self._form_id} {check} {key}"})

    def _holders(self, conn: Connection, keys: Iterable[Key]) -> Iterator[list[int]]:
        """The submissions of each key, some of them where there are very many."""
        for check, key in keys:
            found = _HOLDERS.all(conn, {"form": self._form_id, "check": check, "key": key})
            yield [submission_id for (submission_id,) in found]

    def _left(self, conn: Connection, keys: Iterable[Key]) -> set[int]:
        """The submissions of keys that one has left, where they are few enough to need looking at."""
        every = self._holders(conn, keys)
        return {submission_id for holders in every if len(holders) <= _NEAR for submission_id in holders}

    def _of(self, check: str, key: str) -> Sql:
        return and_(check_keys.c.form_id == self._form_id, check_keys.c.check == check, check_keys.c.key == key)


def _insert(rows: Rows, rule: Rule, *only: Sql) -> Insert:
    """The keys of a rule; a blank one is nobody's, and what was rejected has none."""
    if rule.key is None:
        raise TypeError(rule)
    number: Sql = rows.row.c["_row"] if "_row" in rows.row.c else literal(0, Integer())
    limited = looked_at(rows, rule)
    written = func.substr(func.trim(rows.value(rule.key)), 1, LONGEST, type_=Text())
    inner = select(
        rows.row.c["_submission_id"].label("submission"),
        number.label("row"),
        rows.row.c["_key"].label("row_key"),
        written.label("key"),
        func.coalesce(rows.about("_review_state"), "").label("state"),
        (literal(1, Integer()) if limited is None else case((limited, 1), else_=0)).label("looked_at"),
    )
    one = inner.select_from(rows.source).where(*only).offset(0).subquery()
    chosen = select(
        literal(rule.form_id, Id), literal(rule.check, Text()), one.c.submission, one.c.row, one.c.row_key, one.c.key
    ).where(one.c.key != "", one.c.state != REJECTED, one.c.looked_at == 1)
    return insert(check_keys).from_select(list(_COLUMNS), chosen)

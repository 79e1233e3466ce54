"""Checker: the rules of one form over its records, one that arrives or all of them, and the flags that follow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain, pairwise
from typing import Final

from lxml import etree
from sqlalchemy import Connection

from forms import values, xml
from forms.expressions.tree import Answer
from forms.instance import Instance
from forms.schema import Schema
from server.cleaning import medians
from server.cleaning.keys import Keys, Touched
from server.cleaning.rules import CLOCK, Rule
from server.cleaning.sweeps import sweeps
from server.store import flags
from server.store.flags import Settled
from server.tables.layout import Layout

_SURE: Final = timedelta(hours=12)


class Checker:
    """Made once for each state of a form's checks and tables, then only read."""

    def __init__(self, conn: Connection, layout: Layout, schema: Schema, form_id: int, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._form_id = form_id
        self._layout = layout
        self._schema = schema
        self._sweeps = sweeps(conn, layout, schema, rules)
        self._keys = Keys(conn, layout, schema, form_id, rules)
        alone = all(rule.check == CLOCK for rule in rules)
        self._clock = tuple(path for rule in rules for path in _paths(rule)) if alone else ()

    @property
    def is_timed(self) -> bool:
        """Whether audit logs are looked at."""
        return any(rule.times for rule in self.rules)

    @property
    def compares(self) -> bool:
        """Whether records are compared with what all of them say."""
        return any(rule.compares for rule in self.rules)

    def is_quiet(self, instance: Instance, received_at: datetime) -> bool:
        """Whether nothing can be found in an instance, which is then not asked of the database.

        Said only where no check but that of the clock is there, which nearly every record passes: its moments lie half a day
        or more within what is right.
        """
        if not self.rules:
            return True
        if not self._clock:
            return False
        moments = [_moment(instance, path) for path in self._clock]
        known = [moment for moment in moments if moment is not None]
        return (
            len(known) == len(moments)
            and max(known) < received_at + _SURE
            and all(earlier < later + _SURE for earlier, later in pairwise(known))
        )

    def judge(
        self, conn: Connection, submission_id: int, *, now: datetime, fresh: bool, corrected: bool = False
    ) -> None:
        """Let the flags of a submission whose typed rows stand already be what the rules find, and those of others that
        have a key in common with it."""
        touched = self._keys.write(conn, submission_id, fresh=fresh) if self._keys else Touched()
        found = [one for sweep in self._sweeps for one in sweep.find(conn, submission_id)]
        if submission_id in touched.submission_ids:
            found += self._keys.find(conn, {submission_id})
        standing = [] if fresh else flags.list_checked(conn, submission_id)
        if found or standing:
            flags.settle(conn, standing, found, now=now, corrected=corrected)
        self._settle_others(conn, touched, submission_id, now=now, corrected=corrected)

    def judge_all(self, conn: Connection, *, now: datetime) -> Settled:
        """Let the flags of every submission be what the rules find; the form is held."""
        medians.renew(conn, self._layout, self._schema, self._form_id, self.rules)
        self._keys.write_all(conn)
        found = chain(
            *(sweep.find_all(conn) for sweep in self._sweeps), self._keys.find_all(conn) if self._keys else ()
        )
        return flags.settle(conn, flags.list_raised(conn, self._form_id), list(found), now=now)

    def forget(self, conn: Connection, submission_id: int, *, now: datetime) -> None:
        """A submission is no more among the records: those that had a key in common with it may be right now."""
        touched = self._keys.clear(conn, submission_id) if self._keys else Touched()
        self._settle_others(conn, touched, submission_id, now=now, corrected=False)

    def _settle_others(
        self, conn: Connection, touched: Touched, submission_id: int, *, now: datetime, corrected: bool
    ) -> None:
        """The flags of other submissions on the keys that were touched; only those, which nobody else changes meanwhile."""
        others = touched.submission_ids - {submission_id}
        if others:
            checks = {check for check, _ in touched.keys}
            standing = flags.list_raised(conn, self._form_id, checks=checks, submission_ids=others)
            mine = [flag for flag in standing if (flag.check, flag.text) in touched.keys]
            found = [one for one in self._keys.find(conn, others) if (one.check, one.text) in touched.keys]
            flags.settle(conn, mine, found, now=now, corrected=corrected)


def _moment(instance: Instance, path: str) -> datetime | None:
    """What stands at a path outside of repeats, as a moment (a day begins in UTC); None where that is not plain to see."""
    at: list[etree._Element] = [instance.root]
    for name in path.split("/")[1:]:
        at = [child for one in at for child in one if isinstance(child.tag, str) and xml.local_name(child) == name]
    if len(at) != 1:
        return None
    text = (at[0].text or "").strip()
    try:
        return values.parse("dateTime", text) if "T" in text else datetime.fromisoformat(f"{text}T00:00:00+00:00")
    except ValueError:
        return None


def _paths(rule: Rule) -> list[str]:
    return [tree.path for _, tree in rule.shown if isinstance(tree, Answer)]

"""Fieldwork: who sent a form's records and when, and how many of them are flagged: figures by enumerator and day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Select, Subquery, Text, case, cast, func, or_, select

from forms.expressions.tree import Answer, Tree
from forms.schema import Schema
from server.model.cleaning import CORRECTED, OPEN
from server.model.submissions import flags
from server.tables.expressions import Rows
from server.tables.layout import Layout

AXES: Final = ("submitter", "device", "day")
_KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "submitter": ("submitter_id", "submitter"),
    "device": ("device",),
    "day": ("day",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one enumerator (who submitted, with which device) sent on one day; None on an axis that was not asked for, or is
    not known. `flagged` are submissions with a flag that is open or explained, `open` how many open flags of each check."""

    submitter_id: int | None = None
    submitter: str | None = None
    device: str | None = None
    day: date | None = None
    submissions: int
    flagged: int
    open: Mapping[str, int] = field(default_factory=dict)


class Fieldwork:
    """The records of one form. `day` is the tree that says when one was made (None: when it was received)."""

    def __init__(self, conn: Connection, layout: Layout, schema: Schema, day: Tree | None) -> None:
        rows = Rows(conn, layout, schema)
        device = next((entry.path for entry in schema.fields if entry.preload == "property/deviceid"), None)
        said = rows.value(Answer("text", device, "")) if device is not None and not schema.repeat_of(device) else None
        sent = rows.about("_device_id")
        received = rows.received_day()
        columns = {
            "submission_id": rows.row.c["_submission_id"],
            "submitter_id": rows.about("_submitter_id"),
            "submitter": rows.about("_submitter"),
            "device": sent if said is None else func.coalesce(func.nullif(said, ""), sent, type_=Text()),
            "day": received if day is None else func.coalesce(rows.value(day), received, type_=received.type),
        }
        chosen = select(*(value.label(name) for name, value in columns.items())).select_from(rows.source)
        self._records: Subquery = chosen.offset(0).subquery()

    def ids(self, *, enumerator: str | None = None, device: str | None = None, day: date | None = None) -> Select[Any]:
        """The submissions of somebody (number or name), of a device, of a day."""
        records = self._records
        chosen = select(records.c.submission_id)
        if enumerator is not None:
            named = or_(records.c.submitter == enumerator, cast(records.c.submitter_id, Text) == enumerator)
            chosen = chosen.where(named)
        if device is not None:
            chosen = chosen.where(records.c.device == device)
        return chosen if day is None else chosen.where(records.c.day == day)

    def figures(self, conn: Connection, by: Sequence[str]) -> list[Figure]:
        """How many submissions and flags there are, split by axes of AXES, in the order of what they are split by."""
        records = self._records
        names = [name for axis in by for name in _KNOWN[axis]]
        split = [records.c[name] for name in names]
        found = select(flags.c.submission_id).where(flags.c.state != CORRECTED).distinct().subquery()
        flagged = func.sum(case((found.c.submission_id.is_not(None), 1), else_=0))
        joined = records.outerjoin(found, found.c.submission_id == records.c.submission_id)
        counted = conn.execute(select(*split, func.count(), flagged).select_from(joined).group_by(*split)).all()
        opened = conn.execute(
            select(*split, flags.c.check, func.count())
            .join(flags, flags.c.submission_id == records.c.submission_id)
            .where(flags.c.state == OPEN)
            .group_by(*split, flags.c.check)
            .order_by(flags.c.check)
        ).all()
        open_: dict[tuple[Any, ...], dict[str, int]] = {}
        for *cell, check, count in opened:
            open_.setdefault(tuple(cell), {})[check] = count
        figures = [
            Figure(
                **dict(zip(names, cell, strict=True)),
                submissions=submissions,
                flagged=int(flagged or 0),
                open=open_.get(tuple(cell), {}),
            )
            for *cell, submissions, flagged in counted
            if submissions
        ]
        return sorted(figures, key=lambda one: tuple(str(getattr(one, name) or "") for name in names))

"""Flags on the wire: what may be asked of them, what may be said of them, and how they are written."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields

from server.actions.flags import Filter
from server.api.options import Blank, Names
from server.api.schemas.wording import Moment, Texts
from server.cleaning.fieldwork import AXES
from server.indicators.declarations import SEVERITIES
from server.model.cleaning import EXPLAINED, OPEN, STATES

MOST: Final = 1000
"""Flags of one page."""
_CURSOR: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})", re.ASCII)


class Words(Names):
    """Some of a few words, with commas between them."""

    def __init__(self, words: tuple[str, ...], **options: Any) -> None:
        super().__init__(**options)
        self.words = words

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[str, ...]:
        found = super()._deserialize(value, attr, data)
        if not set(found) <= set(self.words):
            listed = ", ".join(self.words)
            raise ValidationError([f"use {listed}.", f"use {listed}."])
        return found


class Day(fields.Field[date | None]):
    """A day: `2026-05-31`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> date | None:
        if value == "":
            return None
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise ValidationError(["use una fecha como 2026-05-31.", "use a day such as 2026-05-31."]) from error


class FlagsQuery(Schema):
    """`state`, `check` and `severity` take several words with commas; `enumerator` is a name or number. A page has `limit`
    flags (1 to 1000), and `after` is the `next` of the page before; `reason` is for the audit."""

    state = Words(STATES, load_default=())
    check = Names(load_default=())
    severity = Words(SEVERITIES[:-1], load_default=())
    enumerator = Blank(load_default=None)
    device = Blank(load_default=None)
    day = Day(load_default=None)
    reason = Blank(load_default=None)
    after = fields.Method(deserialize="read_cursor", load_default=(0, 0))
    limit = fields.Method(deserialize="read_limit", load_default=MOST)

    def read_cursor(self, value: str) -> tuple[int, int]:
        """What `next` said."""
        if value == "":
            return 0, 0
        match = _CURSOR.fullmatch(value)
        if match is None:
            raise ValidationError(
                ["use lo que dice «next» en la página anterior.", "use what “next” says in the page before."]
            )
        return int(match[1]), int(match[2])

    def read_limit(self, value: str) -> int:
        """A number of flags."""
        if not value.isascii() or not value.isdigit() or not 1 <= len(value) <= 4 or not 1 <= int(value) <= MOST:
            raise ValidationError([f"use un número de 1 a {MOST}.", f"use a number from 1 to {MOST}."])
        return int(value)


class FiguresQuery(Schema):
    """`by`: submitter, device, day, or some of them."""

    by = Words(AXES, load_default=AXES)


class ChangeSchema(Schema):
    """`explained` says in `comment` why what was flagged is right as it is, `open` that it is not."""

    state = fields.Method(deserialize="read_state", required=True)
    comment = fields.String(load_default=None, allow_none=True)

    def read_state(self, value: Any) -> str:
        """One of the two; whether a flag is corrected, the data says."""
        if value not in (EXPLAINED, OPEN):
            raise ValidationError(["use open o explained.", "use open or explained."])
        return str(value)


class FlagSchema(Schema):
    """A flag with its message; `details` are the numbers that it speaks of."""

    id = fields.Integer(attribute="flag.id")
    instance_id = fields.String(attribute="flag.key", data_key="instanceId")
    row_key = fields.String(attribute="flag.row_key", data_key="rowKey")
    path = fields.String(attribute="flag.path")
    text = fields.String(attribute="flag.text")
    check = fields.String(attribute="flag.check")
    label = Texts()
    severity = fields.String(attribute="flag.severity")
    state = fields.String(attribute="flag.state")
    message = Texts()
    details = fields.Raw(attribute="flag.details")
    submitter = fields.String(attribute="flag.submitter")
    device_id = fields.String(attribute="flag.device_id", data_key="deviceId")
    created_at = Moment(attribute="flag.created_at", data_key="createdAt")
    explained_by = fields.String(attribute="flag.explained_by", data_key="explainedBy")
    explained_at = Moment(attribute="flag.explained_at", data_key="explainedAt")
    comment = fields.String(attribute="flag.comment")


def filter_of(given: dict[str, Any]) -> Filter:
    """The filter that a FlagsQuery says."""
    return Filter(
        states=given["state"],
        checks=given["check"],
        severities=given["severity"],
        enumerator=given["enumerator"],
        device=given["device"],
        day=given["day"],
    )

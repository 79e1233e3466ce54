"""Corrections on the wire."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields

from server.actions.corrections import UNSAID, Corrected, Wish
from server.api.options import Names
from server.api.schemas.wording import sentence
from server.extracts import cleaning_log

_STATES: Final = {"withdrawn", "active"}


class Value(fields.Field[str | None]):
    """A value as a phone would send it: a text, or a number or truth value of JSON; null is blank."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return repr(value)
        if not isinstance(value, str):
            raise ValidationError(["use un texto, un número o null.", "use a text, a number or null."])
        return value


class WishSchema(Schema):
    """`question` is the path of a question, `row` the stable key of its row (none: the form's row); `newValue` null is blank;
    `oldValue` is what whoever asks saw there: something else there is refused."""

    row = fields.String(load_default="", allow_none=True)
    question = fields.String(required=True)
    newValue = Value(required=True, allow_none=True)  # noqa: N815  the wire's name
    oldValue = Value(load_default=UNSAID, allow_none=True)  # noqa: N815  the wire's name
    reason = fields.String(required=True)


class ChangeSchema(Schema):
    """`withdrawn` takes a correction back, `active` lays a reopened one over the answer again."""

    state = fields.Method(deserialize="read_state", required=True)
    reason = fields.String(load_default=None, allow_none=True)

    def read_state(self, value: Any) -> str:
        """One of the two."""
        if value not in _STATES:
            raise ValidationError(["use withdrawn o active.", "use withdrawn or active."])
        return str(value)


class LogQuery(Schema):
    """`state`: corrections in these states only; `record`: those of this submission."""

    state = Names(load_default=())
    record = fields.String(load_default=None)


def wish(given: dict[str, Any]) -> Wish:
    """What a body asks for."""
    return Wish(
        row=given["row"] or "",
        path=given["question"],
        new_text=given["newValue"] or None,
        old_text=given["oldValue"],
        reason=given["reason"],
    )


def corrected(one: Corrected) -> dict[str, Any]:
    """A correction that was made, with what should be said of it."""
    return {
        **cleaning_log.bare(one.correction),
        "remark": sentence(one.remark) if one.remark is not None else None,
    }

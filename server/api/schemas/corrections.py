"""Corrections on the wire."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields

from server.actions.correction_uploads import Outcome, Row
from server.actions.corrections import UNSAID, Corrected, Wish
from server.api.options import Blank, Flag, Names
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
    """`state`: corrections in these states only; `record`: those of this submission; `reason`: why, for the audit."""

    state = Names(load_default=())
    record = Blank(load_default=None)
    reason = Blank(load_default=None)


class SheetQuery(Schema):
    """Which answers a workbook holds: those with open flags (`check`: of these checks only), or to each `question` (a path or
    a name); of `record` only. `language`: es or en; `reason`: why, for the audit."""

    check = Names(load_default=())
    question = Names(load_default=())
    record = Names(load_default=())
    reason = Blank(load_default=None)
    language = fields.Method(deserialize="read_language", load_default=None)

    def read_language(self, value: Any) -> str | None:
        """One of the two, or none."""
        if value not in ("es", "en", ""):
            raise ValidationError(["use es o en.", "use es or en."])
        return value or None


class UploadQuery(Schema):
    """`dryRun`: everything is said and nothing changed."""

    dryRun = Flag(load_default=False)  # noqa: N815  the wire's name


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


def outcome(one: Outcome) -> dict[str, Any]:
    """What an upload did, or would do: each row that was applied, and each that was refused with its reason."""
    return {
        "dryRun": one.dry_run,
        "applied": [_row(row) for row in one.rows if row.refused is None],
        "refused": [_row(row) for row in one.refused],
        "unchanged": one.unchanged,
    }


def _row(row: Row) -> dict[str, Any]:
    told = {
        "line": row.number,
        "record": row.record,
        "row": row.row,
        "question": row.question,
        "oldValue": row.old_text,
        "newValue": row.new_text,
    }
    if row.refused is not None:
        return {**told, "reason": sentence(row.refused)}
    remark = sentence(row.remark) if row.remark is not None else None
    return {**told, "id": row.correction.id if row.correction is not None else None, "remark": remark}

"""Lines of the audit on the wire, as ODK Central writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load

from server.actions.audits import Query
from server.api.options import Blank
from server.api.schemas.wording import moment
from server.model.audits import AuditLine

_NOT_A_MOMENT = ["use una fecha o un momento como 2026-08-15T14:00:00Z.", "use a date or moment: 2026-08-15T14:00:00Z."]
_NOT_A_NUMBER = ["use un número.", "use a number."]


class AuditQuery(Schema):
    """`action` (also its beginning: `submission`), `start`, `end`, `limit`, `offset` as in ODK Central; `project` is ours."""

    action = Blank(load_default=None)
    start = fields.Method(deserialize="read_moment", load_default=None)
    end = fields.Method(deserialize="read_moment", load_default=None)
    limit = fields.Method(deserialize="read_number", load_default=None)
    offset = fields.Method(deserialize="read_number", load_default=0)
    project = fields.Method(deserialize="read_number", load_default=None)

    def read_number(self, value: str) -> int:
        """A number, 0 or more."""
        if not value.isascii() or not value.isdigit() or len(value) > 15:
            raise ValidationError(_NOT_A_NUMBER)
        return int(value)

    def read_moment(self, value: str) -> datetime:
        """A moment; without a zone in UTC."""
        text = value.strip().replace("z", "Z")
        try:
            found = datetime.fromisoformat(text.removesuffix("Z") if len(text) == 11 else text)
        except ValueError:
            raise ValidationError(_NOT_A_MOMENT) from None
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

    @post_load
    def to_query(self, data: dict[str, Any], **_: Any) -> Query:
        """The record that travels inside the house."""
        return Query(
            action=data["action"],
            project_id=data["project"],
            first=data["start"],
            last=data["end"],
            offset=data["offset"],
            most=data["limit"],
        )


def line(one: AuditLine, *, extended: bool) -> dict[str, Any]:
    """One line. ODK Central's `acteeId` names an object that this server has not; `projectId` and, extended, `formId` and
    `instanceId` say what is meant."""
    told: dict[str, Any] = {
        "id": one.id,
        "actorId": one.actor_id,
        "acteeId": None,
        "action": one.action,
        "details": one.details,
        "projectId": one.project_id,
        "loggedAt": moment(one.logged_at),
        "notes": (one.details or {}).get("reason"),
    }
    if extended:
        told["actor"] = (
            {"id": one.actor_id, "type": one.actor_type, "displayName": one.actor} if one.actor_id is not None else None
        )
        told["formId"] = one.form_id
        told["instanceId"] = one.instance_id
    return told

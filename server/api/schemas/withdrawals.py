"""Withdrawals of consent on the wire."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load

from server.actions.withdrawals import Done, Listed, Wish
from server.api.options import Flag
from server.api.schemas.wording import moment


class WithdrawalSchema(Schema):
    """Why somebody's data goes, who asked, on which day, and what is to be done (absent: what the project says)."""

    reason = fields.String(required=True)
    asked_by = fields.String(required=True, data_key="askedBy")
    asked_on = fields.Date(load_default=None, allow_none=True, data_key="askedOn")
    policy = fields.String(load_default=None, allow_none=True)

    @post_load
    def settle(self, data: dict[str, Any], **_: Any) -> Wish:
        """The record that travels inside the house."""
        return Wish(**data)


class WithdrawalQuery(Schema):
    """`dryRun=true` only says how much would be touched."""

    dry_run = Flag(load_default=None, data_key="dryRun")


def done(made: Done) -> dict[str, Any]:
    """What a withdrawal did, or would."""
    effect = made.effect
    return {
        "withdrawn": list(made.uuids),
        "policy": made.policy,
        "touched": {
            "entities": effect.entities,
            "entityVersions": effect.versions,
            "submissions": effect.submissions,
            "submissionsDeleted": effect.deleted,
            "documents": effect.documents,
            "files": effect.files,
            "corrections": effect.corrections,
            "flags": effect.flags,
            "auditLinesLeft": effect.audits,
        },
    }


def line(one: Listed) -> dict[str, Any]:
    """A withdrawal: an id, a date, codes."""
    held = one.withdrawal
    return {
        "project": held.project_id,
        "dataset": one.dataset,
        "uuid": held.uuid,
        "policy": held.policy,
        "reason": held.reason,
        "askedBy": held.asked_by,
        "askedOn": held.asked_on.isoformat() if held.asked_on is not None else None,
        "withdrawnAt": moment(held.withdrawn_at),
    }

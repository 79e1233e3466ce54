"""Submissions on the wire, as ODK Central has them; their histories and past states, which are ours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from server.actions.histories import Event, State
from server.actions.reviews import Described
from server.api.options import Blank
from server.api.schemas.wording import moment
from server.model.corrections import Comment


class ReviewSchema(Schema):
    """What a PATCH says; fields that ODK Central ignores are ignored."""

    class Meta:
        """See above."""

        unknown = EXCLUDE

    reviewState = fields.Raw(required=True, allow_none=True)  # noqa: N815  the wire's name

    @post_load
    def check(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """A state is a text, or nothing."""
        state = data["reviewState"]
        if state is not None and not isinstance(state, str):
            raise ValidationError({"reviewState": ["use un texto o null.", "use a text or null."]})
        return data


class CommentSchema(Schema):
    """What a comment says."""

    class Meta:
        """Fields that ODK Central ignores are ignored."""

        unknown = EXCLUDE

    body = fields.String(required=True)


class RecordQuery(Schema):
    """`reason`: why a record is opened, for the audit."""

    reason = Blank(load_default=None)


class StateQuery(RecordQuery):
    """`at`: a day (all of it, in UTC) or a moment with its zone; now where nothing is said."""

    at = Blank(load_default=None)

    @post_load
    def read_moment(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The moment that is meant."""
        said = data["at"]
        return {**data, "at": None if said is None else read_moment(said)}


def read_moment(text: str) -> datetime:
    """`2026-03-31` is the end of that day (UTC), `2026-03-31T08:30:00-05:00` a moment. Raises ValidationError."""
    told = ["use un día (2026-03-31) o un momento con su zona.", "use a day (2026-03-31) or a moment with its zone."]
    try:
        if len(text) == len("2026-03-31"):
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC) - timedelta(
                microseconds=1
            )
        made = datetime.fromisoformat(text.replace(" ", "+"))
    except (ValueError, OverflowError) as error:
        raise ValidationError({"at": told}) from error
    if made.tzinfo is None:
        raise ValidationError({"at": told})
    return made.astimezone(UTC)


def submission(one: Described) -> dict[str, Any]:
    """A submission and the version whose answers stand. Source: ODK Central API, "Submission" and "Submission Version"."""
    kept, version = one.submission, one.version
    current = {
        "instanceId": version.instance_id,
        "instanceName": version.instance_name,
        "submitterId": version.submitter_id,
        "deviceId": version.device_id,
        "createdAt": moment(version.created_at),
        "current": True,
    }
    return {
        "instanceId": kept.instance_id,
        "submitterId": kept.submitter_id,
        "deviceId": kept.device_id,
        "reviewState": kept.review_state,
        "createdAt": moment(kept.created_at),
        "updatedAt": moment(kept.updated_at) if kept.updated_at else None,
        "currentVersion": current,
    }


def comment(one: Comment, *, extended: bool = False) -> dict[str, Any]:
    """What was said. Source: ODK Central API, "Comment"; `extended` is its X-Extended-Metadata."""
    told: dict[str, Any] = {"body": one.body, "actorId": one.actor_id, "createdAt": moment(one.created_at)}
    if extended:
        told["actor"] = None if one.actor_id is None else {"id": one.actor_id, "displayName": one.actor}
    return told


def event(one: Event) -> dict[str, Any]:
    """A line of a history."""
    return {"event": one.kind, "at": moment(one.at), "by": one.actor, **one.details}


def state(one: State) -> dict[str, Any]:
    """What stood of a submission."""
    return {
        "record": one.record,
        "at": moment(one.at),
        "reviewState": one.review_state,
        "version": {
            "instanceId": one.version.instance_id,
            "formVersion": one.version.form_version,
            "createdAt": moment(one.version.created_at),
        },
        "rows": [{"row": row.key, "table": row.table, "answers": dict(row.answers)} for row in one.rows],
    }

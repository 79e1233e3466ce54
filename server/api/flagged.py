"""Flagged: flags and the figures of fieldwork, as JSON objects and as lines of CSV with the same values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from server.actions.flags import Figures, Flagged
from server.api.lines import csv_of, flat
from server.api.schemas.flags import FlagSchema
from server.api.schemas.wording import texts

_COLUMNS: Final = (
    *("id", "instanceId", "rowKey", "path", "text", "check", "label_es", "label_en", "severity", "state"),
    *("message_es", "message_en", "submitter", "deviceId", "createdAt", "explainedBy", "explainedAt", "comment"),
)


def flags(found: Sequence[Flagged]) -> list[dict[str, Any]]:
    """The list of flags."""
    schema = FlagSchema()
    return [dict(schema.dump(one)) for one in found]


def flags_csv(found: Sequence[Flagged]) -> bytes:
    """The same, a line each; what numbers a message speaks of is in the JSON alone."""
    return csv_of(_COLUMNS, [flat(one, "label", "message") for one in flags(found)])


def figures(found: Figures) -> dict[str, Any]:
    """The figures, what they are split by, and the names of the checks."""
    return {
        "by": list(found.by),
        "checks": {name: texts(label) for name, label in found.checks.items()},
        "figures": [
            {
                **({"submitterId": one.submitter_id, "submitter": one.submitter} if "submitter" in found.by else {}),
                **({"deviceId": one.device} if "device" in found.by else {}),
                **({"day": one.day.isoformat() if one.day is not None else None} if "day" in found.by else {}),
                "submissions": one.submissions,
                "flagged": one.flagged,
                "open": {name: one.open.get(name, 0) for name in found.checks},
            }
            for one in found.figures
        ],
    }


def figures_csv(found: Figures) -> bytes:
    """A line for each figure; the open flags of a check are in the column `open.NAME`."""
    told = figures(found)
    axes = {"submitter": ("submitterId", "submitter"), "device": ("deviceId",), "day": ("day",)}
    columns = [name for axis in found.by for name in axes[axis]]
    columns += ["submissions", "flagged", *(f"open.{name}" for name in found.checks)]
    lines = [{**one, **{f"open.{name}": count for name, count in one["open"].items()}} for one in told["figures"]]
    return csv_of(columns, lines)

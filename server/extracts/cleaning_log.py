"""The cleaning log as an extract: every correction with who, when, why, what stood and what became of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from io import StringIO
from typing import Any, Final

from server.extracts.delimited import harmless
from server.model.corrections import Correction, LoggedCorrection

COLUMNS: Final = (
    "id", "state", "record", "row", "question", "oldValue", "newValue", "reason", "by", "at", "replaces",
    "changedAt", "changedBy", "changeReason",
)  # fmt: skip
"""`record` is the submission's instance id, `row` the stable key of the row, `changed…` the last that became of it."""


def line(one: LoggedCorrection) -> dict[str, Any]:
    """A correction as an object of JSON, in the order of COLUMNS."""
    told = bare(one.correction) | {"record": one.key, "by": one.actor}
    changed = {"changedAt": _moment(one.changed_at), "changedBy": one.changed_by, "changeReason": one.change_reason}
    told |= changed
    return {name: told[name] for name in COLUMNS}


def bare(one: Correction) -> dict[str, Any]:
    """The same of what the correction itself says."""
    return {
        "id": one.id,
        "state": one.state,
        "row": one.row_key,
        "question": one.path,
        "oldValue": one.old_text,
        "newValue": one.new_text,
        "reason": one.reason,
        "at": _moment(one.created_at),
        "replaces": one.replaces_id,
    }


def as_csv(logged: Iterable[LoggedCorrection]) -> Iterator[bytes]:
    """The log as CSV, piece by piece. A text that a spreadsheet would run as a formula begins with an apostrophe."""
    yield _written([dict(zip(COLUMNS, COLUMNS, strict=True))])
    for one in logged:
        yield _written([line(one)])


def as_json(logged: Iterable[LoggedCorrection]) -> Iterator[bytes]:
    """The log as a list of JSON, piece by piece."""
    before = b"["
    for one in logged:
        yield before + json.dumps(line(one), ensure_ascii=False).encode()
        before = b",\n"
    yield b"[]" if before == b"[" else b"]"


def _written(lines: Iterable[Mapping[str, Any]]) -> bytes:
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerows([harmless(one[name]) for name in COLUMNS] for one in lines)
    return out.getvalue().encode()


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(timespec="milliseconds").replace("+00:00", "Z")

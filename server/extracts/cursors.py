"""Cursors: how far somebody has read a form's submissions, so that the next extract holds only what came or changed since.

Submissions carry the moment at which their action began, and become visible when it commits: one that began earlier may
show later. So a cursor stands a little before its extract: before every transaction that was still writing then, and OVERLAP
before that, for clocks of several machines. What changed within that time comes twice; its `_key` is the same.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, text

from forms.problems import Sentence
from server import problems

OVERLAP: Final = timedelta(minutes=10)
_OLDEST: Final = text(
    "SELECT min(xact_start) FROM pg_stat_activity"
    " WHERE datname = current_database() AND state IS NOT NULL AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL"
)


def after(conn: Connection, form_id: int, now: datetime) -> str:
    """The cursor of an extract that reads what `conn` sees now."""
    until = now
    if conn.dialect.name == "postgresql":
        oldest = conn.execute(_OLDEST).scalar()
        if oldest is not None:
            until = min(until, oldest)
    told = {"form": form_id, "until": (until - OVERLAP).astimezone(UTC).isoformat(timespec="microseconds")}
    return base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode().rstrip("=")


def read(cursor: str, form_id: int) -> datetime:
    """The moment from which on submissions are new to whoever has this cursor. Raises Problem 400.8."""
    try:
        told = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        until = datetime.fromisoformat(told["until"])
        if told["form"] == form_id and until.tzinfo is not None:
            return until
    except (binascii.Error, ValueError, KeyError, TypeError):
        pass
    raise problems.wrong_value(
        "since",
        cursor,
        Sentence(
            es="no es un cursor de este formulario; pida el extracto entero y guarde el cursor que trae.",
            en="it is no cursor of this form; ask for the whole extract and keep the cursor that comes with it.",
        ),
    )

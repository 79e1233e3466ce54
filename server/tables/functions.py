"""Functions that expressions call in SQL and that are ours: whether they still compute what they did."""

from __future__ import annotations

import hashlib
import inspect
from functools import cache

from sqlalchemy import Connection, text

from forms.expressions import operations
from server import sqlite_functions

_KEPT = text("SELECT proname, prosrc FROM pg_proc WHERE starts_with(proname, :prefix) ORDER BY proname, oid")


def state(conn: Connection) -> str:
    """A text that is another one wherever one of them is written otherwise: on PostgreSQL in the database, on SQLite here."""
    if conn.dialect.name == "sqlite":
        return _here()
    told = [tuple(row) for row in conn.execute(_KEPT, {"prefix": sqlite_functions.PREFIX})]
    return hashlib.sha256(repr(told).encode()).hexdigest()


@cache
def _here() -> str:
    written = "".join(inspect.getsource(module) for module in (sqlite_functions, operations))
    return hashlib.sha256(written.encode()).hexdigest()

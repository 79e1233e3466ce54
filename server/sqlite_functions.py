"""SQLite functions: the operations of expressions that SQLite's own SQL cannot say, computed by the Python reader's code.

Dates come and go as SQLAlchemy keeps them there, texts of ISO 8601. Whatever is given no value gives none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, Final

from forms.expressions.operations import OPERATIONS

PREFIX: Final = "tejido_"
NAMES: Final = frozenset(
    (
        *(
            "mod",
            "pow",
            "round",
            "int",
            "number",
            "text",
            "substr",
            "contains",
            "starts-with",
            "ends-with",
            "translate",
        ),
        *(
            "regex",
            "instant",
            "selected",
            "selected-at",
            "count-selected",
            "format-date",
            "days",
            "from-days",
            "date",
            "choice-name",
            "text-date",
            "bounded",
            "plus",
            "times",
            "div",
        ),
    )
)
_OF_TEXTS: Final = frozenset(("number", "selected", "count-selected", "date", "days", "format-date"))
_REMEMBERED: Final = 4096
_TAKES_DATE: Final = frozenset(("format-date", "days", "text-date"))


def function_name(operation: str) -> str:
    """What an operation is called in SQL."""
    return PREFIX + operation.replace("-", "_")


def register(connection: sqlite3.Connection) -> None:
    """Give a connection the functions."""
    for operation in NAMES:
        connection.create_function(function_name(operation), -1, _computed(operation), deterministic=True)


@cache
def _computed(operation: str) -> Callable[..., Any]:
    """The operation; where it is given short texts only it remembers what it gave last, since answers repeat."""
    call = _strict(operation)
    return lru_cache(_REMEMBERED)(call) if operation in _OF_TEXTS else call


def _strict(operation: str) -> Callable[..., Any]:
    compute = OPERATIONS["text" if operation == "text-date" else operation]
    takes_date = operation in _TAKES_DATE

    def call(*given: Any) -> Any:
        if None in given:
            return None
        if operation == "instant":
            return compute(datetime.fromisoformat(given[0]))
        values = (date.fromisoformat(given[0]), *given[1:]) if takes_date else given
        result = compute(*values)
        return result.isoformat() if isinstance(result, date) else result

    return call

"""Lines: lists of records as CSV, beside their JSON: the same values, one line each."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

from server.extracts.delimited import harmless


def csv_of(columns: Sequence[str], records: Iterable[Mapping[str, Any]]) -> bytes:
    """A header and a line for each record, in UTF-8. Numbers keep every digit, true and false are words, nothing is blank.

    A text that a spreadsheet would run as a formula begins with an apostrophe.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([harmless(column) for column in columns])
    writer.writerows([_cell(record.get(column)) for column in columns] for record in records)
    return out.getvalue().encode()


def flat(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A record whose objects `names` ({"es": …, "en": …}) are columns of their own: `label_es`, `label_en`."""
    made = {name: value for name, value in record.items() if name not in names}
    for name in names:
        value = record.get(name) or {}
        made |= {f"{name}_{language}": value.get(language, value.get("default")) for language in ("es", "en")}
    return made


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return harmless(value)

"""Lists: choices that stand in a CSV file beside the form."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import BinaryIO, Final

from forms.schema import Choice, Schema

MOST: Final = 20_000
"""Choices of one file; a longer one labels nothing."""
_PREFIXES: Final = ("jr://file-csv/", "jr://file/")


def wanted(schema: Schema) -> dict[str, tuple[str, str, str]]:
    """The CSV files that selects of a form take their choices from: secondary instance → (file name, the column of codes, the
    column of labels)."""
    found: dict[str, tuple[str, str, str]] = {}
    for entry in schema.fields:
        source = entry.choices
        instance = schema.by_instance.get(source.instance) if source is not None and source.instance else None
        if source is None or instance is None or instance.src is None or not instance.src.lower().endswith(".csv"):
            continue
        prefix = next((prefix for prefix in _PREFIXES if instance.src.startswith(prefix)), None)
        if prefix is not None:
            name = instance.src.removeprefix(prefix)
            found.setdefault(instance.id, (name, source.value_ref, source.label_ref))
    return found


def read(file: BinaryIO, value: str, label: str) -> Sequence[Choice]:
    """The choices of a CSV file, each code once; () where it has no such columns, is too long or is no UTF-8."""
    choices: dict[str, Choice] = {}
    try:
        with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
            for line in csv.DictReader(text):
                code = (line.get(value) or "").strip()
                if code:
                    choices.setdefault(code, Choice(name=code, label={"": (line.get(label) or "").strip()}))
                if len(choices) > MOST:
                    return ()
    except (UnicodeDecodeError, csv.Error):
        return ()
    return tuple(choices.values())

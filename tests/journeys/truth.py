"""What a phone knows of a submission, held against what stands in the typed tables, leaf by leaf."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from forms.schema import Schema
from server.tables.layout import DataColumn
from tests.helpers.phone import Filled
from tests.server.desk import Desk

_INDEX = re.compile(r"\[\d+\]")
_COORDINATES = {"geotrace": "LineString", "geoshape": "Polygon"}


@dataclass(frozen=True)
class Told:
    """Every answer of one row, by the question's path: None where the node was empty."""

    table: str
    answers: dict[str, str | None]


def told_by(filled: Filled, schema: Schema) -> dict[str, Told]:
    """The rows that a submission must become, by key, from what the phone's engine says that it serialized."""
    rows = {filled.instance_id: Told("", {})}
    for leaf in filled.leaves:
        steps = leaf.path.split("/")[2:]
        path = "/" + "/".join(_INDEX.sub("", step) for step in steps)
        if path not in schema.by_path:
            raise AssertionError(f"{path}: the form has no such node")
        if schema.by_path[path].kind == "question":
            _row(rows, filled.instance_id, steps, schema).answers[path] = leaf.value
    return rows


def _row(rows: dict[str, Told], instance_id: str, steps: list[str], schema: Schema) -> Told:
    """The row of the innermost repeat around a leaf; every repeat on the way there is a row too."""
    at, below, walked = rows[instance_id], "", ""
    for step in steps[:-1]:
        name = _INDEX.sub("", step)
        below, walked = f"{below}/{step}", f"{walked}/{name}"
        if schema.by_path[walked].kind == "repeat":
            at = rows.setdefault(f"{instance_id}{below}", Told(walked, {}))
        else:
            below = below.removesuffix(step) + name
    return at


def compare(desk: Desk, schema: Schema, everything: list[Filled]) -> int:
    """Raises AssertionError where any leaf of any submission is not in its row as its text and as its typed value.

    Gives the number of leaves that were compared.
    """
    expected = {key: told for filled in everything for key, told in told_by(filled, schema).items()}
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for table, rows in desk.tables(schema.form_id).items():
        for row in rows:
            assert row["_key"] not in found
            found[row["_key"]] = (table, row)

    assert found.keys() == expected.keys()
    compared = 0
    for key, told in expected.items():
        table, row = found[key]
        assert table == told.table
        compared += _compare_row(desk, schema, key, told, row)
    return compared


def _compare_row(desk: Desk, schema: Schema, key: str, told: Told, row: dict[str, Any]) -> int:
    layout = desk.layout(schema.form_id)
    texts = row["_texts"]
    texts = json.loads(texts) if isinstance(texts, str) else texts or {}
    compared = 0
    for field in schema.fields:
        if field.kind != "question" or schema.repeat_of(field.path) != told.table:
            continue
        column = layout.find_column(told.table, field.path, field.type or "string")
        assert column is not None, field.path
        text = told.answers.get(field.path)
        where = f"{key} {field.path} ({column.type}): {text!r}"
        cells = [row[name] for name in column.names]
        if text is None or text == "":
            assert all(cell is None for cell in cells), where
            assert column.name not in texts, where
        else:
            assert _text_of(column, row, texts) == text, where
            assert _same_value(column, cells, text), where
        compared += field.path in told.answers
    return compared


def _text_of(column: DataColumn, row: dict[str, Any], texts: dict[str, str]) -> str | None:
    """The text that came, from wherever the row keeps it."""
    if column.names[-1].endswith("_text"):
        kept: str | None = row[column.names[-1]]
        return kept
    if column.name in texts:
        return texts[column.name]
    cells = [row[name] for name in column.names]
    if column.type == "geopoint":
        return " ".join(repr(cell) for cell in cells)
    return cells[0].isoformat() if isinstance(cells[0], date) else str(cells[0])


def _same_value(column: DataColumn, cells: list[Any], text: str) -> bool:
    """Whether the typed cells say what the text says, by readings of Python's own."""
    value = cells[0]
    match column.type:
        case "string":
            return bool(value == unicodedata.normalize("NFC", text))
        case "int":
            return bool(type(value) is int and value == int(float(text)))
        case "decimal":
            return bool(type(value) is float and value == float(text))
        case "date":
            return bool(value == date.fromisoformat(text))
        case "time":
            return bool(value == time.fromisoformat(text).replace(tzinfo=None))
        case "dateTime":
            return bool(value == datetime.fromisoformat(text).astimezone(UTC))
        case "geopoint":
            numbers = [float(part) for part in text.split()]
            return cells == numbers or (not any(numbers) and cells == [None] * 4)
        case "geotrace" | "geoshape":
            shape = json.loads(value)
            points = shape["coordinates"] if column.type == "geotrace" else shape["coordinates"][0]
            sent = [[float(part) for part in point.split()[:3]] for point in text.split(";") if point.strip()]
            return shape["type"] == _COORDINATES[column.type] and points == [[lon, lat, alt] for lat, lon, alt in sent]
    raise AssertionError(column.type)

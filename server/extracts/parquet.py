"""Parquet of a frame, written in row groups."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any, Final

from server.extracts import refusals
from server.extracts.archive import PIECE, Outlet
from server.extracts.columns import Column, Kind
from server.extracts.frame import Frame
from server.extracts.selection import Selection

try:
    import pyarrow
    from pyarrow import parquet
except ImportError:  # the extra `parquet` is not installed
    pyarrow = None

GROUP: Final = 20_000
"""Rows of one row group; fewer where rows are so wide that a group would hold more than CELLS."""
CELLS: Final = 1_000_000


def written(frame: Frame, chosen: Selection) -> Iterator[bytes]:
    """The table as Parquet (zstd). Memory holds one row group at the most.

    Integers are int64, numbers double, moments timestamps in the zone that was asked for, times time64, text and GeoJSON
    strings. The labels of columns and codes are in the metadata of each field (`label`, `codes` as JSON). Raises Problem
    501.1 where the program was installed without it.
    """
    if pyarrow is None:
        raise refusals.not_installed("Parquet", "parquet")
    return _written(frame, chosen)


def _written(frame: Frame, chosen: Selection) -> Iterator[bytes]:
    columns = frame.columns
    zone = "UTC" if chosen.zone is UTC else str(chosen.zone)
    schema = pyarrow.schema([_field(column, zone) for column in columns])
    most = max(1, min(GROUP, CELLS // max(1, len(columns))))
    outlet = Outlet()
    with parquet.ParquetWriter(outlet, schema, compression="zstd") as writer:
        waiting: list[Any] = []
        rows = 0
        for batch in frame.batches():
            arrays = [pyarrow.array(values, field.type) for values, field in zip(batch, schema, strict=True)]
            waiting.append(pyarrow.record_batch(arrays, schema=schema))
            rows += waiting[-1].num_rows
            if rows >= most:
                writer.write_table(pyarrow.Table.from_batches(waiting, schema=schema), row_group_size=rows)
                waiting, rows = [], 0
                if piece := outlet.take(PIECE):
                    yield piece
        if waiting:
            writer.write_table(pyarrow.Table.from_batches(waiting, schema=schema), row_group_size=rows)
    if piece := outlet.take(0):
        yield piece


def _field(column: Column, zone: str) -> Any:
    told = {"label": column.label}
    if column.codes:
        told["codes"] = json.dumps({str(code): label for code, label in column.codes}, ensure_ascii=False)
    return pyarrow.field(column.name, _TYPES[column.kind](zone), metadata=told)


_TYPES: Final[dict[Kind, Callable[[str], Any]]] = {
    "text": lambda _: pyarrow.string(),
    "geojson": lambda _: pyarrow.string(),
    "integer": lambda _: pyarrow.int64(),
    "number": lambda _: pyarrow.float64(),
    "boolean": lambda _: pyarrow.bool_(),
    "date": lambda _: pyarrow.date32(),
    "time": lambda _: pyarrow.time64("us"),
    "moment": lambda zone: pyarrow.timestamp("us", tz=zone),
}

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

GROUP: Final = 20_000
"""Rows of one row group; fewer where rows are so wide that a group would hold more than CELLS."""
CELLS: Final = 1_000_000
HEAVY: Final = 8 * 2**20
"""Bytes of a group's values beyond which it is written, however few its rows: answers may be long."""


def written(frame: Frame, chosen: Selection) -> Iterator[bytes]:
    """The table as Parquet (zstd). Memory holds one row group at the most.

    Integers are int64, numbers double, moments timestamps in the zone that was asked for, times time64, text and GeoJSON
    strings. The labels of columns and codes are in the metadata of each field (`label`, `codes` as JSON). Raises Problem
    501.1 where the program was installed without it.
    """
    try:
        import pyarrow  # noqa: PLC0415  optional, and 35 MB of memory that no other work needs
        from pyarrow import parquet  # noqa: PLC0415  the same
    except ImportError as error:
        raise refusals.not_installed("Parquet", "parquet") from error
    return _written(pyarrow, parquet, frame, chosen)


def _written(pyarrow: Any, parquet: Any, frame: Frame, chosen: Selection) -> Iterator[bytes]:
    columns = frame.columns
    zone = "UTC" if chosen.zone is UTC else str(chosen.zone)
    schema = pyarrow.schema([_field(pyarrow, column, zone) for column in columns])
    most = max(1, min(GROUP, CELLS // max(1, len(columns))))
    outlet = Outlet()
    with parquet.ParquetWriter(outlet, schema, compression="zstd") as writer:
        waiting: list[Any] = []
        rows, weight = 0, 0
        for batch in frame.batches():
            arrays = [pyarrow.array(values, field.type) for values, field in zip(batch, schema, strict=True)]
            waiting.append(pyarrow.record_batch(arrays, schema=schema))
            rows += waiting[-1].num_rows
            weight += waiting[-1].nbytes
            if rows >= most or weight >= HEAVY:
                writer.write_table(pyarrow.Table.from_batches(waiting, schema=schema), row_group_size=rows)
                waiting, rows, weight = [], 0, 0
                if piece := outlet.take(PIECE):
                    yield piece
        if waiting:
            writer.write_table(pyarrow.Table.from_batches(waiting, schema=schema), row_group_size=rows)
    if piece := outlet.take(0):
        yield piece


def _field(pyarrow: Any, column: Column, zone: str) -> Any:
    told = {"label": column.label}
    if column.codes:
        told["codes"] = json.dumps({str(code): label for code, label in column.codes}, ensure_ascii=False)
    return pyarrow.field(column.name, _TYPES[column.kind](pyarrow, zone), metadata=told)


_TYPES: Final[dict[Kind, Callable[[Any, str], Any]]] = {
    "text": lambda arrow, _: arrow.string(),
    "geojson": lambda arrow, _: arrow.string(),
    "integer": lambda arrow, _: arrow.int64(),
    "number": lambda arrow, _: arrow.float64(),
    "boolean": lambda arrow, _: arrow.bool_(),
    "date": lambda arrow, _: arrow.date32(),
    "time": lambda arrow, _: arrow.time64("us"),
    "moment": lambda arrow, zone: arrow.timestamp("us", tz=zone),
}

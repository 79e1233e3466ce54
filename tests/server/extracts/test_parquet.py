"""Parquet extracts: read back with DuckDB and pandas."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from pyarrow import parquet as arrow

from server.extracts import parquet
from tests.server.desk import ON_SQLITE, Desk, form, questions
from tests.server.extracts.asking import Analyst
from tests.server.extracts.village import FEW, FULL, VILLAGE
from tests.server.wire import Wire, instance


def test_duckdb_reads_every_type(desk: Desk, phone: Wire, analyst: Analyst, tmp_path: Path):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL, instance_id="uuid:1"))
    phone.post(instance("aldea", FEW, instance_id="uuid:2"))
    file = tmp_path / "aldea.parquet"
    file.write_bytes(analyst.file("aldea", "parquet"))

    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        table = db.read_parquet(str(file))
        types = dict(zip(table.columns, map(str, table.types), strict=True))
        rows = db.execute(
            f'SELECT nombre, cuartos, agua, pueblo, "bienes/bote", gps_latitude, dia, hora, epoch_ms(momento), _encrypted'
            f" FROM '{file}' ORDER BY _key"
        ).fetchall()

    wanted = ("nombre", "cuartos", "agua", "bienes/bote", "dia", "hora", "momento", "_encrypted", "camino")
    assert [types[name] for name in wanted] == [
        "VARCHAR", "BIGINT", "DOUBLE", "BIGINT", "DATE", "TIME", "TIMESTAMP WITH TIME ZONE", "BOOLEAN", "VARCHAR",
    ]  # fmt: skip
    moment = int(datetime.fromisoformat("2026-08-15T23:30:00.125-05:00").astimezone(UTC).timestamp() * 1000)
    assert rows == [
        ("Ñürüm «del río»", 3, 2.5, "naso", 1, 8.5, date(2026, 8, 15), time(17, 37), moment, False),
        ("Sola", None, None, None, None, None, None, None, None, False),
    ]


def test_pandas_and_labels(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL))
    data = analyst.file("aldea", "parquet", zone="America/Panama")

    frame = pd.read_parquet(io.BytesIO(data))
    field = arrow.read_schema(io.BytesIO(data)).field("pueblo")

    assert frame["momento"][0] == pd.Timestamp("2026-08-15T23:30:00.125", tz="America/Panama")
    assert field.metadata[b"label"].decode() == "Pueblo"
    assert json.loads(field.metadata[b"codes"]) == {"nurum": "Ñürüm", "naso": "Naso Tjër Di", "otro": "Otro"}


@ON_SQLITE
def test_rows_are_written_in_groups(desk: Desk, phone: Wire, analyst: Analyst, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parquet, "GROUP", 2)
    monkeypatch.setattr("server.extracts.rows.BATCH", 2)
    desk.publish(form("hogar", questions("integer edad")))
    for number in range(5):
        phone.post(instance("hogar", f"<edad>{number}</edad>"))

    data = analyst.file("hogar", "parquet")

    assert arrow.ParquetFile(io.BytesIO(data)).num_row_groups == 3
    assert list(pd.read_parquet(io.BytesIO(data))["edad"]) == [0, 1, 2, 3, 4]


@ON_SQLITE
def test_an_empty_table_has_its_columns(desk: Desk, analyst: Analyst):
    desk.publish(VILLAGE)

    frame = pd.read_parquet(io.BytesIO(analyst.file("aldea", "parquet", table="persona")))

    assert list(frame.columns) == [
        "_key",
        "_parent_key",
        "_submission_key",
        "_stable_key",
        "_position",
        "nombre",
        "edad",
    ]
    assert len(frame) == 0


@ON_SQLITE
def test_without_its_library_it_says_how_to_install_it(desk: Desk, analyst: Analyst, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    desk.publish(VILLAGE)

    answer = analyst.get("aldea", "extract.parquet")

    told = json.loads(answer.body)
    assert (answer.status, told["code"], told["details"]) == (501, 501.1, {"feature": "Parquet"})
    assert told["wayOut"] == "Whoever runs it can add it: pip install 'tejido[parquet]'"

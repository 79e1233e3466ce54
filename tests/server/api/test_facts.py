"""The records behind figures: for every type of indicator and every cell, exactly those that were counted."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.server.api.clients import Client, client
from tests.server.desk import Desk, form
from tests.server.indicators.measuring import declare, send
from tests.server.indicators.test_values import CHOICES, LOGFRAME, RECORDS, SURVEY
from tests.server.wire import Wire

CODES = ("N", "C", "CA", "S", "SA", "M", "ME", "MI", "MA", "P", "R", "L", "LN", "H", "V", "VH")


@pytest.fixture
def manager(desk: Desk, phone: Wire) -> Client:
    desk.publish(form("hogar", SURVEY, choices=CHOICES))
    declare(desk, LOGFRAME)
    for answers in RECORDS:
        send(phone, "hogar", answers)
    return client(desk, phone.send, "manager")


def counted(code: str, records: list[dict[str, Any]]) -> tuple[int, int]:
    """Units and excluded ones, from the records of a cell; of `distinct`, the keys that count."""
    there = [one for one in records if not one["excluded"]]
    assert [one for one in there if one["numerator"] is None] == []
    units = len({one["identifier"] for one in there}) if code in ("C", "CA") else len(there)
    return units, len(records) - len(there)


@pytest.mark.parametrize("by", ["", "sexo", "province"])
def test_cells_hold_the_records_that_they_count(manager: Client, by: str):
    found, expected = {}, {}
    for code in CODES:
        for period in ("quarter", "year", "all"):
            told = manager.json(f"/indicators/{code}/values?{urlencode({'period': period, 'by': by})}")
            for one in told["values"]:
                cell = {name: category or "" for name, category in one["categories"].items()}
                query = urlencode({"period": one["period"] or "all", "by": by, **cell})
                expected[code, query] = (one["n"], one["excluded"])
                records = manager.json(f"/indicators/{code}/facts?{query}")["records"]
                assert {tuple(record["categories"].values()) for record in records} <= {
                    tuple(one["categories"].values())
                }
                found[code, query] = counted(code, records)

    assert len(expected) > 90
    assert found == expected

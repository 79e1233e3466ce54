"""The records behind figures: for every type of indicator and every cell, exactly those that were counted."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import update

from server.actions.indicators import UNMASK
from server.model.people import roles
from tests.server.api.clients import Client, client
from tests.server.desk import Desk, form
from tests.server.entities.trees import Trees, creation, uuid_of
from tests.server.indicators.measuring import declare, send
from tests.server.indicators.test_values import CHOICES, LOGFRAME, RECORDS, SURVEY
from tests.server.wire import Wire

TREES = """
| indicators |
| | name | label | over | type | where |
| | T | Gruesos | entities:arboles | count | ${circunferencia} >= 30 |
"""
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


@pytest.fixture
def measured(forest: Trees) -> Trees:
    """Three trees, two of them thick, which an indicator counts."""
    forest.send(creation(1), creation(2, circunferencia="12"), creation(3, circunferencia="41"))
    declare(forest.desk, TREES)
    return forest


def test_entities_stand_behind_a_figure_over_a_list(measured: Trees, phone: Wire):
    asking = client(measured.desk, phone.send, "manager")

    told = asking.json("/indicators/T/facts?limit=1")
    rest = asking.json(f"/indicators/T/facts?after={told['next']}")
    records = [*told["records"], *rest["records"]]

    assert [(one["form"], one["instanceId"], one["numerator"]) for one in records] == [
        ("entities:arboles", uuid_of(1), 1),
        ("entities:arboles", uuid_of(3), 1),
    ]
    assert rest["next"] is None
    assert [line["instanceId"] for line in asking.lines("/indicators/T/facts.csv")] == [uuid_of(1), uuid_of(3)]
    assert measured.desk.audited().count("dataset.entities.export") == 3


def test_who_may_not_identify_people_counts_entities_without_their_ids(measured: Trees, phone: Wire):
    asking = client(measured.desk, phone.send, "viewer")
    asking.refused("/indicators/T/facts", 403.1)

    def unmask(conn: Any) -> None:
        held = conn.execute(roles.select().where(roles.c.system == "viewer")).one()
        conn.execute(update(roles).where(roles.c.id == held.id).values(verbs=[*held.verbs, UNMASK]))

    measured.desk.change(unmask)
    records = asking.json("/indicators/T/facts")["records"]

    assert [(one["instanceId"], one["key"], one["numerator"]) for one in records] == [("", "", 1), ("", "", 1)]

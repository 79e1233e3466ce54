"""From an empty folder to figures: a first start, answers from a phone, a changed logframe, the records behind a figure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from forms import library
from server.actions import people
from server.app import create_app
from server.cli import serve
from server.cli.desk import Desk, act
from server.context import Office
from server.settings import Settings
from tests.server.api.clients import PASSWORD, Client
from tests.server.wire import Wire, instance, to_app

ADMIN = "ana@example.org"
DISTRICTS = {"a": "d0101", "b": "d0102", "c": "d0301"}
"""Two of the province p01, one of the province p03."""


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    """An installation after its first start."""
    settings = Settings(
        data=tmp_path / "data", database_url=database_url, admin_email=ADMIN, admin_password=PASSWORD, database_wait=2
    )
    at = Desk(settings, "es")
    with at.office(create=True) as opened:
        serve.first_start(at, opened, bundled=True)
        yield opened


@pytest.fixture
def officer(office: Office) -> Client:
    """Whoever looks at the figures."""
    return Client(to_app(create_app(office)), ADMIN)


@pytest.fixture
def phone(office: Office, officer: Client) -> Wire:
    """A phone of the first project."""
    token = act(office, lambda ctx: people.create_app_user(ctx, 1, "Teléfono 2")).token
    return Wire(officer.send, f"/v1/key/{token}/projects/1")


def assessment(district: str, meetings: int, day: str = "2026-06-30") -> str:
    """An institution whose coordination works and met so many times."""
    ident = f"<district>{DISTRICTS[district]}</district><inst_name_final>{district}</inst_name_final>"
    ident += f"<period_end>{day}</period_end><consent>yes</consent>"
    coord = f"<c_mech>2</c_mech><c_meetings>{meetings}</c_meetings>"
    return f"<today>{day}</today><ident>{ident}</ident><main><coord>{coord}</coord></main>"


def workbook(where: str) -> bytes:
    """The demonstration logframe with another condition in R1.1."""
    book = openpyxl.load_workbook(BytesIO(library.logframe().read_bytes()))
    sheet = book["indicators"]
    heads = [cell.value for cell in sheet[1]]
    (row,) = [row for row in sheet.iter_rows(min_row=2) if row[heads.index("name")].value == "R1.1"]
    row[heads.index("numerator")].value = where
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def put(officer: Client, data: bytes, status: int) -> Any:
    answer = officer.ask("/logframe?name=marco.xlsx", "PUT", data)
    assert answer.status == status, answer.content
    return json.loads(answer.content)


def test_figures_follow_the_logframe_and_the_answers_at_once(officer: Client, phone: Wire):
    version = phone.forms()["inst_assessment"]["version"]

    def send(name: str, answers: str, deprecated: str | None = None) -> None:
        xml = instance("inst_assessment", answers, version=version, instance_id=name, deprecated_id=deprecated)
        assert phone.post(xml).status == 201

    def figures(query: str = "") -> dict[tuple[str | None, ...], float]:
        told = officer.json(f"/indicators/R1.1/values?{query}")
        return {(one["period"], *one["categories"].values()): one["value"] for one in told["values"]}

    def records(query: str) -> list[str]:
        page = officer.json(f"/indicators/R1.1/facts?{query}")
        return [one["instanceId"] for one in page["records"] if one["numerator"]]

    every = officer.json("/indicators/values?period=all")
    assert every["unavailable"] == []
    assert len(every["indicators"]) == 50
    assert figures() == {}

    send("uuid:a", assessment("a", 2))
    send("uuid:b", assessment("b", 3))
    send("uuid:c", assessment("c", 4))
    send("uuid:late", assessment("a", 9, "2026-07-01"))
    assert figures() == {("2026-S1",): 3.0, ("2026-S2",): 1.0}
    assert records("period=2026-S1") == ["uuid:a", "uuid:b", "uuid:c"]

    made = put(officer, workbook("${c_mech} = '2' and ${c_meetings} >= 3"), 200)
    assert (made["new"], made["changed"], made["gone"]) == ({}, {"indicator": ["R1.1"]}, {})
    assert figures() == {("2026-S1",): 2.0, ("2026-S2",): 1.0}
    assert records("period=2026-S1") == ["uuid:b", "uuid:c"]
    told = officer.json("/indicators/R1.1")
    assert (told["version"], [one["version"] for one in told["earlier"]]) == (2, [1])

    send("uuid:d", assessment("a", 5))
    assert figures("by=province&period=2026-S1") == {("2026-S1", "p01"): 2.0, ("2026-S1", "p03"): 1.0}
    assert records("period=2026-S1&by=province&province=p01") == ["uuid:b", "uuid:d"]
    assert records("period=2026-S1&place=p03") == ["uuid:c"]

    send("uuid:d2", assessment("a", 1), deprecated="uuid:d")  # the enumerator corrects it
    assert figures("period=2026-S1") == {("2026-S1",): 2.0}
    assert records("period=2026-S1&by=province&province=p01") == ["uuid:b"]

    refused = put(officer, workbook("${c_mech} = '2' and ${c_meeting} >= 3"), 400)
    (finding,) = refused["details"]["findings"]
    assert (finding["sheet"], finding["column"]) == ("indicators", "numerator")
    assert "${c_meetings}" in finding["en"]
    assert figures("period=2026-S1") == {("2026-S1",): 2.0}
    assert officer.json("/indicators/R1.1")["version"] == 2
    assert [one["name"] for one in officer.json("/logframes")] == ["marco.xlsx", "logframe.xlsx"]

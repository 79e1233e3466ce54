"""Every format in a process of its own, at two sizes: memory does not grow with rows."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Connection, insert, select

from server.actions import disclosures
from server.model.submissions import submissions
from server.settings import Settings
from tests.server.desk import Desk, form
from tests.server.extracts.weighing import FORM, HELD, KINDS
from tests.server.wire import Wire, instance

ROOT: Final = Path(__file__).parents[3]
GROWTH: Final = 1.2
"""The peak of the large extract over that of the small one."""
SHARE: Final = 5
"""How many times as many rows the large extract has; the small one has several pages of them already."""
TEXTS: Final = 6
HOUSE: Final = form(
    FORM,
    "\n".join(
        [
            "| | type | name | label |",
            "| | geopoint | lugar | Lugar |",
            "| | integer | edad | Edad |",
            *(f"| | text | t{number} | Texto {number} |" for number in range(TEXTS)),
            "| | begin repeat | m | Alguien |",
            "| | text | n | Nombre |",
            "| | end repeat | | |",
        ]
    ),
)
MEMBERS: Final = 3
SHORT: Final = 3_000
READ_ALIKE: Final = ("csv.zip", "csv without identities", "central")
"""Formats only write what they are given; these read the database in each way that there is."""


def fill(desk: Desk, phone: Wire, count: int, letters: int) -> None:
    """`count` records with three rows each, one in SHARE of them received on an earlier day; texts have `letters`."""
    filler = "ñandú " * (letters // 6)
    texts = "".join(f"<t{number}>x</t{number}>" for number in range(TEXTS))
    answers = f"<lugar>8.9 -79.5 0 0</lugar><edad>30</edad>{texts}" + "<m><n>x</n></m>" * MEMBERS
    assert phone.post(instance(FORM, answers, instance_id="uuid:0")).status == 201
    found = desk.look(lambda conn: dict(conn.execute(select(submissions)).mappings().one()))
    parts = [desk.sql_table(FORM, path) for path in ("", "/m")]
    held = [
        desk.look(lambda conn, part=part: [dict(row) for row in conn.execute(select(part)).mappings()])
        for part in parts
    ]

    def own(row: dict[str, Any], number: int) -> dict[str, Any]:
        long = {name: f"{number} {name} {filler}"[:letters] for name in row if name[0] in "tn"}
        keys = {name: row[name].replace("uuid:0", f"uuid:{number}") for name in row if name.endswith("_key")}
        moment = {"_received_at": received(number)} if "_received_at" in row else {}
        return {**row, **long, **keys, **moment, "_submission_id": found["id"] + number}

    def received(number: int) -> datetime:
        return datetime(2026, 3, 1 if number < count // SHARE else 2, 12, tzinfo=UTC)

    def write(conn: Connection, numbers: range) -> None:
        about = [
            {**found, "id": found["id"] + n, "instance_id": f"uuid:{n}", "created_at": received(n)} for n in numbers
        ]
        conn.execute(insert(submissions), about)
        for part, rows in zip(parts, held, strict=True):
            conn.execute(insert(part), [own(row, n) for n in numbers for row in rows])

    for first in range(1, count, 500):
        desk.change(lambda conn, first=first: write(conn, range(first, min(first + 500, count))))
    desk.act(lambda ctx: disclosures.give_pseudonyms(ctx, 1, FORM))


def weigh(settings: Settings, kind: str) -> tuple[float, float]:
    """How many times the small one's peak the large one took, and how many times its bytes it gave."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TEJIDO_")}
    command = [sys.executable, "-m", "tests.server.extracts.weighing"]
    told = subprocess.run(
        [*command, str(settings.data), settings.database, kind],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    (small, few), (large, many) = (map(int, line.split()) for line in told.splitlines())
    return large / small, many / few


@pytest.mark.parametrize(
    ("count", "letters"), [(SHORT, 700), pytest.param(100_000, 200, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_no_format_holds_the_rows(desk: Desk, phone: Wire, settings: Settings, count: int, letters: int):
    desk.publish(HOUSE)
    fill(desk, phone, count, letters)

    kinds = (*KINDS, HELD) if count > SHORT or settings.database.startswith("sqlite") else READ_ALIKE
    with ThreadPoolExecutor(2) as two:
        grown = dict(zip(kinds, two.map(lambda kind: weigh(settings, kind), kinds), strict=True))

    assert {kind: times for kind, (times, _) in grown.items() if kind != HELD and times > GROWTH} == {}
    assert all(times > GROWTH for kind, (times, _) in grown.items() if kind == HELD)  # it would have been seen
    assert {kind for kind, (_, size) in grown.items() if size < 2} == set()  # and there was more of it

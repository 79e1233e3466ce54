"""Wide forms: questions by the thousand come through in every format, each in its place."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from tests.server.api.clients import client
from tests.server.desk import Desk, form
from tests.server.wire import Wire, instance

MANY = 1_650
"""More columns than one query may have on either database, and than four parts of a typed table hold."""


def answers(row: int) -> str:
    return "".join(f"<q{number}>{number + row}</q{number}>" for number in range(MANY) if number % 7 != row)


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "dta", "sav", "zip"])
def test_a_form_of_more_than_a_thousand_questions_comes_through(desk: Desk, phone: Wire, tmp_path: Path, kind: str):
    asked = "\n".join(f"| | integer | q{number} | Pregunta {number} |" for number in range(MANY))
    desk.publish(form("ancha", f"| | type | name | label |\n{asked}"))
    for row in range(3):
        assert phone.post(instance("ancha", answers(row), instance_id=f"uuid:{row}")).status == 201
    manager = client(desk, phone.send, "manager")

    name = "submissions.csv.zip" if kind == "zip" else f"extract.{kind}"
    content = manager.ask(f"/forms/ancha/{name}?identities=true&reason=prueba").content
    path = tmp_path / f"ancha.{kind}"
    path.write_bytes(content)
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            frame = pd.read_csv(io.BytesIO(archive.read("ancha.csv")))[::-1]
    elif kind in ("dta", "sav"):
        frame, _ = (pyreadstat.read_dta if kind == "dta" else pyreadstat.read_sav)(str(path))
    else:
        read = {"csv": pd.read_csv, "xlsx": pd.read_excel, "parquet": pd.read_parquet}[kind]
        frame = read(path)

    told = [[frame[f"q{number}"].iloc[row] for number in range(MANY)] for row in range(3)]
    asked_for = [[number + row if number % 7 != row else None for number in range(MANY)] for row in range(3)]
    assert [[None if pd.isna(value) else int(value) for value in values] for values in told] == asked_for

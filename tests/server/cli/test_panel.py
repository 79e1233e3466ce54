"""tejido panel: people and their visits by round as a file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from server.app import create_app
from server.context import Office
from tests.server.cli.test_extracts import Tejido, office, tejido
from tests.server.desk import TOKEN, open_desk
from tests.server.entities.trees import uuid_of
from tests.server.extracts.test_panel import PEOPLE, VISIT, person, visit
from tests.server.wire import Wire, to_app

__all__ = ["office", "tejido"]


def test_a_panel_is_written_with_identities_for_a_reason_and_without(office: Office, tejido: Tejido, tmp_path: Path):
    desk = open_desk(office)
    desk.publish(PEOPLE)
    desk.publish(VISIT)
    wire = Wire(to_app(create_app(office)), f"/v1/key/{TOKEN}/projects/1")
    for one in (person("Ana", 1), person("Eva", 2), visit("2026-02-01", 1, "base", "30", "s", "a")):
        assert wire.post(one).status == 201
    out = tmp_path / "panel.csv"
    asked = ("panel", "gente", "--project", 1, "--form", "visita", "--by", "ronda", "--columns", "edad", "--out", out)

    bare = tejido(*asked)
    told = pd.read_csv(out)
    refused = tejido(*asked, "--identities")
    whole = tejido(*asked, "--identities", "--reason", "prueba", "--missing", "base", language="es")

    assert (bare.exit_code, f"Panel in {out}" in bare.output) == (0, True)
    assert list(told.columns)[-2:] == ["_visits_base", "edad_base"]
    assert "nombre" not in told.columns
    assert refused.exit_code == 1
    assert f"Panel en {out}" in whole.output
    assert list(pd.read_csv(out)["_entity_gente"]) == [uuid_of(2)]
    assert tejido(*asked, "--long").exit_code == 0
    assert list(pd.read_csv(out)["_round"]) == ["base", "base"]
    assert desk.audited().count("dataset.entities.export") == 3

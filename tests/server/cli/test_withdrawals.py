"""tejido withdrawal, from a project's setting to a list that is applied again after an old backup."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.app import create_app, open_office
from server.cli.main import main
from server.settings import Settings
from tests.server.entities.trees import uuid_of
from tests.server.privacy import people
from tests.server.privacy.people import ANA, LIST, REGISTER, registration
from tests.server.wire import Wire, to_app

Tejido = Callable[..., Result]
ONE = uuid_of(1)
MAKE = ("withdrawal", "make", LIST, ONE, "--project", 1, "--reason", "withdrawn", "--asked-by", "person")


@pytest.fixture
def tejido(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tejido:
    """The command on a data folder with a list of two people."""
    for name in ("TEJIDO_DATA", "TEJIDO_DATABASE_URL", "TEJIDO_BASE_URL", "TEJIDO_HOST", "TEJIDO_PORT"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: object, language: str = "en", code: int = 0) -> Result:
        given = ["--data", str(tmp_path / "data"), "--language", language, *map(str, words)]
        result = CliRunner().invoke(main, given, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    sheet = tmp_path / "registro.md"
    sheet.write_text(REGISTER)
    run("project", "create", "Cohesión")
    run("form", "publish", sheet, "--project", 1)
    url = json.loads(run("app-user", "create", "Teléfono", "--project", 1, "--json").output)["url"]
    office = open_office(Settings(data=tmp_path / "data"))
    phone = Wire(to_app(create_app(office)), "/" + url.split("/", 3)[3])
    people.send(phone, registration(1), registration(2))
    office.database.close()
    return run


def test_a_person_is_withdrawn_and_after_an_old_backup_once_more(tejido: Tejido, tmp_path: Path):
    data = tmp_path / "data"
    backup = tmp_path / "backup.sqlite3"
    shutil.copy(data / "tejido.sqlite3", backup)

    seen = tejido(*MAKE, "--dry-run").output
    assert seen.startswith(
        "Nothing was changed. This would be touched:\n1\tentities\n1\tversions of them\n1\tsubmissions\n"
    )
    assert tejido("withdrawal", "list", "--project", 1).output == "Nobody took back the consent.\n"
    tejido(*MAKE)
    [line] = json.loads(tejido("withdrawal", "list", "--project", 1, "--json").output)
    assert (line["uuid"], line["policy"], line["askedBy"]) == (ONE, "erase", "person")
    assert ANA.encode() not in b"".join(
        tejido("extract", "registro", "--project", 1, "--out", tmp_path / "a.zip").output.encode().splitlines()
    )

    shutil.copy(backup, data / "tejido.sqlite3")
    assert tejido("withdrawal", "list", "--project", 1).output == "Nobody took back the consent.\n"
    tejido("rebuild")
    kept = data / "withdrawals.jsonl"
    assert tejido("withdrawal", "reapply", kept).output == "Withdrawals in the list: 1; applied now: 1.\n"
    assert (
        tejido("withdrawal", "reapply", kept, language="es").output == "Retiros de la lista: 1; aplicados ahora: 0.\n"
    )
    assert len(kept.read_text().splitlines()) == 1
    assert "Consentimiento" not in tejido("withdrawal", "list", "--project", 1).output
    assert ONE in tejido("withdrawal", "list", "--project", 1).output


def test_what_goes_is_the_projects_setting(tejido: Tejido):
    shown = tejido("project", "settings", 1, language="es").output
    assert "withdrawal\terase\tquien retira su consentimiento se borra entero\n" in shown

    tejido("project", "settings", 1, "--withdrawal", "keep_facts")

    assert tejido(*MAKE).output.endswith("policy\tkeep_facts\n")
    assert "took back" in tejido(*MAKE, code=1).output


def test_a_file_that_is_no_list_is_refused(tejido: Tejido, tmp_path: Path):
    wrong = tmp_path / "x.jsonl"
    for text in (
        "{}",
        "x",
        '{"project": 1, "list": "gente", "uuid": "x", "policy": "erase", "reason": "x", "asked_by": "y"}',
    ):
        wrong.write_text(text)
        assert "✗" in tejido("withdrawal", "reapply", wrong, code=1).output
    assert tejido("withdrawal", "list", "--project", 1).output == "Nobody took back the consent.\n"

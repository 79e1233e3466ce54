"""The command line, from an empty folder to data and back."""

from __future__ import annotations

import base64
import json
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.cli.main import main
from tests.helpers import samples

Tejido = Callable[..., Result]


@pytest.fixture
def tejido(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tejido:
    """The command on a data folder of its own, in English."""
    for name in ("TEJIDO_DATA", "TEJIDO_DATABASE_URL", "TEJIDO_BASE_URL", "TEJIDO_HOST", "TEJIDO_PORT"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: object, language: str = "en") -> Result:
        given = ["--data", str(tmp_path / "data"), "--language", language, *map(str, words)]
        return CliRunner().invoke(main, given, catch_exceptions=False)

    return run


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    file = tmp_path / "minimo.xlsx"
    file.write_bytes(samples.minimal().workbook)
    return file


def test_commands_say_where_nothing_is_installed(tejido: Tejido):
    spanish = tejido("project", "list", language="es")

    assert spanish.exit_code == 1
    assert "No hay ninguna instalación" in spanish.output
    assert "There is no Tejido installation" in tejido("rebuild").output


def test_workbook_is_checked_published_and_published_again(tejido: Tejido, workbook: Path):
    assert tejido("project", "create", "Cohesión").output == "Project 1: Cohesión\n"

    assert "It can be published" in tejido("form", "check", workbook).output
    assert "“minimo” 1 published." in tejido("form", "publish", workbook, "--project", 1).output
    assert "published already" in tejido("form", "publish", workbook, "--project", 1).output
    assert "minimo\topen\t1\tMínimo" in tejido("form", "list", "--project", 1).output


def test_app_user_gets_a_code_that_collect_can_read(tejido: Tejido, tmp_path: Path):
    tejido("project", "create", "Cohesión")
    png, svg = tmp_path / "qr.png", tmp_path / "qr.svg"

    made = tejido("app-user", "create", "Teléfono", "--project", 1, "--json", "--png", png, "--svg", svg)

    told = json.loads(made.output)
    settings = json.loads(zlib.decompress(base64.b64decode(told["qr"])))
    assert settings == told["settings"]
    assert settings["general"]["server_url"] == told["url"]
    assert settings["general"]["username"] == ""
    assert settings["project"]["name"] == "Cohesión"
    assert isinstance(settings["admin"], dict)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "<svg" in svg.read_text()


def test_revoked_app_user_is_listed_as_such(tejido: Tejido):
    tejido("project", "create", "Cohesión")
    made = json.loads(tejido("app-user", "create", "Teléfono", "--project", 1, "--json").output)

    assert tejido("app-user", "revoke", made["id"], "--project", 1).exit_code == 0
    assert "revoked" in tejido("app-user", "list", "--project", 1).output
    assert tejido("app-user", "revoke", made["id"], "--project", 1).exit_code == 1


def test_extract_rebuild_and_migrate_go_through(tejido: Tejido, workbook: Path, tmp_path: Path):
    tejido("project", "create", "Cohesión")
    tejido("form", "publish", workbook, "--project", 1)
    out = tmp_path / "out.zip"

    assert tejido("extract", "minimo", "--project", 1, "--out", out).output.startswith("0 submissions")
    assert zipfile.ZipFile(out).namelist() == ["minimo.csv"]
    assert "minimo: 0 submissions" in tejido("rebuild").output
    assert "already" in tejido("migrate").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("form", "list", "--project", 9), "There is no project 9."),
        (("extract", "nada", "--project", 1, "--out", "x.zip"), "There is no form “nada”"),
        (("user", "create", "sin-arroba", "--password", "contraseña larga"), "it is no e-mail address"),
        (("user", "create", "a@example.org", "--password", "corta"), "required length"),
    ],
)
def test_mistakes_are_said_in_one_line(tejido: Tejido, words: tuple[object, ...], said: str):
    tejido("project", "create", "Cohesión")

    answer = tejido(*words)

    assert answer.exit_code == 1
    assert said in answer.output
    assert "Traceback" not in answer.output


def test_extract_to_a_folder_that_is_not_there_is_said(tejido: Tejido, workbook: Path, tmp_path: Path):
    tejido("project", "create", "Cohesión")
    tejido("form", "publish", workbook, "--project", 1)

    answer = tejido("extract", "minimo", "--project", 1, "--out", tmp_path / "no" / "x.zip", language="es")

    assert answer.exit_code == 1
    assert "No se pudo leer o escribir" in answer.output


def test_doctor_says_what_is_wrong_and_how_to_mend_it(tejido: Tejido):
    tejido("project", "create", "Cohesión")

    before = tejido("doctor")
    tejido("user", "create", "a@example.org", "--password", "contraseña larga", "--administrator")
    after = tejido("doctor")

    assert before.exit_code == 1
    assert "tejido user create" in before.output
    assert after.exit_code == 0

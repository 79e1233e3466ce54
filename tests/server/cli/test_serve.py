"""`tejido serve`: the first start on an empty folder, the second, and the broken things that `doctor` finds."""

from __future__ import annotations

import base64
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from sqlalchemy import delete, text

from server.actions import installation, logframe_files, projects
from server.cli import serve
from server.cli.desk import Desk, act, ask
from server.cli.main import main
from server.model.audits import audits
from server.settings import Settings
from tests.server.serving import ROOT, Server, clean_environment, free_port, wait_for
from tests.server.wire import Wire, instance, to_server

PASSWORD = "una contraseña larga"
DEMONSTRATION = "Marco lógico de demostración: 28 indicadores y 22 partes de ellos."


@dataclass(frozen=True)
class Done:
    """What a command ended with and said."""

    returncode: int
    stdout: str
    stderr: str


def tejido(*words: object, **settings: str) -> Done:
    """The command; `serve` in a process of its own."""
    given = {f"TEJIDO_{name.upper()}": value for name, value in settings.items()}
    if "serve" not in words:
        hidden = dict.fromkeys(os.environ.keys() - clean_environment().keys())
        result = CliRunner().invoke(main, [*map(str, words)], env={**hidden, **given}, catch_exceptions=False)
        return Done(result.exit_code, result.stdout, result.stderr)
    done = subprocess.run(
        [sys.executable, "-m", "server.cli.main", *map(str, words)],
        cwd=ROOT,
        env={**clean_environment(), **given, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@contextmanager
def started(data: Path, log: Path, *words: str, end: int = signal.SIGINT, **settings: str) -> Iterator[Server]:
    """A server until Ctrl-C (or the signal `end`); what it says goes to `log`."""
    port = free_port()
    given = {f"TEJIDO_{name.upper()}": value for name, value in settings.items()}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "server.cli.main", "--data", data, "--language", "es", "serve", *words],
            cwd=ROOT,
            env={**clean_environment(), **given, "TEJIDO_PORT": str(port), "PYTHONIOENCODING": "utf-8"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        wait_for(server)
        yield server
        process.send_signal(end)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def basic(email: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()}


def test_first_start_makes_everything_and_the_second_makes_nothing_anew(tmp_path: Path):
    data, log = tmp_path / "datos ñ", tmp_path / "log"
    with started(data, log, admin_email="ana@example.org", admin_password=PASSWORD) as server:
        said = log.read_text(encoding="utf-8")
        (url,) = {line for line in said.splitlines() if "/v1/key/" in line}
        assert url.startswith(server.url)
        assert "Administrador: ana@example.org" in said
        assert PASSWORD not in said
        assert f"{DEMONSTRATION}\n" in said
        phone = Wire(to_server(server.url), url.removeprefix(server.url))
        forms = phone.forms()
        assert sorted(forms) == ["ben_followup", "ben_registration", "hh_baseline", "inst_assessment"]
        for line in forms.values():
            assert phone.follow(line["downloadUrl"]).status == 200
        assert phone.post(instance("hh_baseline", version=forms["hh_baseline"]["version"])).status == 201
        answer = requests.get(
            f"{server.url}/v1/projects/1/formList", headers=basic("ana@example.org", PASSWORD), timeout=30
        )
        assert answer.status_code == 200

    with started(data, log, end=signal.SIGTERM) as server:
        said = log.read_text(encoding="utf-8")
        assert "Administrador" not in said
        assert "/v1/key/" not in said
        assert "Marco lógico" not in said
        assert f"Dirección para los teléfonos: {server.url}." in said
        phone = Wire(to_server(server.url), "/" + url.split("/", 3)[3])
        assert sorted(phone.forms()) == sorted(forms)
        assert "Hechos de los indicadores" not in said

    with closing(
        sqlite3.connect(data / "tejido.sqlite3", isolation_level=None)
    ) as held:  # as another program made them
        held.execute("UPDATE fact_tables SET digest = 'x' WHERE name LIKE '%hh_baseline%'")
    with started(data, log):
        told = "Hechos de los indicadores puestos al día tras la actualización: hh_baseline.\n"
        assert told in log.read_text(encoding="utf-8")

    assert "hh_baseline: 1 envíos" in tejido("--data", data, "--language", "es", "rebuild").stdout


def test_first_start_prints_a_generated_password_once(tmp_path: Path):
    data, log = tmp_path / "data", tmp_path / "log"
    with started(data, log, "--empty") as server:
        (line,) = [line for line in log.read_text(encoding="utf-8").splitlines() if "Contraseña" in line]
        password = line.rpartition(": ")[2]
        answer = requests.get(
            f"{server.url}/v1/projects/1/formList", headers=basic("admin@example.org", password), timeout=30
        )
        assert answer.status_code == 404  # known, but an empty installation has no project

    with started(data, log, "--empty"):
        assert "Contraseña" not in log.read_text(encoding="utf-8")


def test_first_start_that_was_cut_off_goes_on_at_the_next(tmp_path: Path):
    data, log = tmp_path / "data", tmp_path / "log"
    with Desk(Settings(data=data), "es").office(create=True) as office:
        act(office, lambda ctx: installation.begin(ctx, "ana@example.org", PASSWORD))
        act(office, lambda ctx: projects.create_project(ctx, "Cohesión"))

    with started(data, log) as server:
        said = log.read_text(encoding="utf-8")
        assert "El primer inicio quedó a medias" in said
        assert f"{DEMONSTRATION}\n" in said
        (url,) = {line for line in said.splitlines() if "/v1/key/" in line}
        forms = Wire(to_server(server.url), url.removeprefix(server.url)).forms()
        assert sorted(forms) == ["ben_followup", "ben_registration", "hh_baseline", "inst_assessment"]

    assert tejido("--data", data, "--language", "en", "project", "list").stdout.splitlines() == [
        "no.\tname",
        "1\tCohesión",
    ]


def test_first_start_that_was_cut_off_after_the_logframe_puts_it_once(tmp_path: Path):
    data = tmp_path / "data"
    at = Desk(Settings(data=data), "es")
    with at.office(create=True) as office:
        serve.first_start(at, office, bundled=True)
        office.database.write(lambda conn: conn.execute(text("DROP TRIGGER audits_only_grow_delete")))
        office.database.write(lambda conn: conn.execute(delete(audits).where(audits.c.action == installation.COMPLETE)))
        serve.first_start(at, office, bundled=True)
        uploads = ask(office, lambda ctx: logframe_files.list_uploads(ctx, 1))
        assert ask(office, installation.get_stage) == "complete"

    assert [one.logframe.workbook_name for one in uploads] == ["logframe.xlsx"]


def test_an_installation_made_by_hand_is_left_as_it_is(installed: Path, tmp_path: Path):
    with started(installed, tmp_path / "log"):
        said = (tmp_path / "log").read_text(encoding="utf-8")

    assert "Administrador" not in said
    assert "/v1/key/" not in said


def test_a_taken_port_is_told_before_anything_is_made(tmp_path: Path):
    data = tmp_path / "data"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = tejido("--data", data, "--language", "es", "serve", "--port", port)
        looked = tejido("--data", data, "--language", "es", "doctor", port=str(port))

    assert done.returncode == 1
    assert f"El puerto {port} ya está en uso" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Contraseña" not in done.stdout
    assert f"✗ El puerto {port} ya está en uso" in looked.stdout
    with started(data, tmp_path / "log", "--empty"):
        assert "Contraseña" in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_data_folder_that_is_a_file_is_told(tmp_path: Path):
    (tmp_path / "datos").write_text("no soy una carpeta", encoding="utf-8")

    for words in (("serve",), ("doctor",)):
        done = tejido("--data", tmp_path / "datos" / "aquí", "--language", "es", *words)
        assert done.returncode == 1
        assert "No se puede escribir en" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_doctor_makes_nothing(tmp_path: Path):
    data = tmp_path / "data"

    done = tejido("--data", data, "--language", "en", "doctor", port=str(free_port()))

    assert done.returncode == 0, done.stdout
    assert "There is no database yet" in done.stdout
    assert not data.exists()


def test_doctor_sees_that_the_server_runs(tmp_path: Path):
    data = tmp_path / "data"
    with started(data, tmp_path / "log", "--empty") as server:
        port = server.url.rpartition(":")[2]
        done = tejido("--data", data, "--language", "en", "doctor", port=port)

    assert done.returncode == 0, done.stdout
    assert f"✓ Tejido runs on port {port}." in done.stdout


def test_doctor_looks_where_the_server_of_its_data_folder_listens(tmp_path: Path):
    data, log = tmp_path / "data", tmp_path / "log"
    with started(data, log, "--empty", base_url="https://datos.example.org") as server:
        port = server.url.rpartition(":")[2]
        untold = tejido("--data", data, "--language", "en", "doctor")
        other = free_port()
        told = tejido("--data", data, "--language", "en", "doctor", port=str(other))
    after = tejido("--data", data, "--language", "en", "doctor")

    assert f"✓ Tejido runs on port {port}." in untold.stdout
    assert "✓ Address for phones: https://datos.example.org" in untold.stdout
    assert f"✓ Port {other} is free: Tejido is not running." in told.stdout
    assert f"port {port}" not in after.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("base_url", "datos.example.org"),
        ("base_url", "ftp://datos.example.org"),
        ("base_url", "https://datos.example.org:0x"),
        ("port", "0"),
        ("port", "70000"),
        ("threads", "0"),
        ("language", "fr"),
        ("database_url", "no es una dirección"),
    ],
)
def test_settings_that_cannot_be_meant_are_named(tmp_path: Path, name: str, value: str):
    done = tejido("--data", tmp_path / "data", "doctor", **{name: value})

    assert done.returncode == 1
    assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_settings_file_names_the_language_of_the_terminal(tmp_path: Path):
    file = tmp_path / "tejido.toml"
    file.write_text('language = "es"\n', encoding="utf-8")

    by_file = tejido("--config", file, "--data", tmp_path / "data", "form", "list", "--help")
    by_environment = tejido("--config", file, "--data", tmp_path / "data", "form", "list", "--help", language="en")

    assert "Lista" in by_file.stdout
    assert "List the forms" in by_environment.stdout


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A data folder with an administrator and a project."""
    data = tmp_path / "data"
    assert tejido("--data", data, "project", "create", "Cohesión").returncode == 0
    made = tejido("--data", data, "user", "create", "ana@example.org", "--password", PASSWORD, "--administrator")
    assert made.returncode == 0
    return data


def test_draft_gives_an_address_that_opens_it(installed: Path, tmp_path: Path):
    workbook = tmp_path / "visita.md"
    workbook.write_text(
        "| survey |\n| | type | name | label |\n| | text | q | Q |\n| settings |\n| | form_id | version |\n| | visita | 1 |\n"
    )

    drafted = tejido("--data", installed, "--language", "en", "form", "draft", workbook, "--project", 1)

    assert drafted.returncode == 0
    assert "/v1/test/" in drafted.stdout
    assert "/forms/visita/draft" in drafted.stdout


def test_a_workbook_with_errors_is_not_published_and_says_where(installed: Path, tmp_path: Path):
    workbook = tmp_path / "mal.md"
    workbook.write_text("| survey |\n| | type | name | label |\n| | text | q | ${nada} |\n")

    for words in (("form", "check", workbook), ("form", "publish", workbook, "--project", 1)):
        done = tejido("--data", installed, "--language", "es", *words)
        assert done.returncode == 1
        assert "nada" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr

    assert "mal" not in tejido("--data", installed, "form", "list", "--project", 1).stdout


def test_doctor_is_content_with_a_sound_installation(installed: Path):
    done = tejido("--data", installed, "--language", "en", "doctor", base_url="https://datos.example.org")

    assert done.returncode == 0, done.stdout
    assert "SQLite is sound." in done.stdout
    assert "✗" not in done.stdout


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"base_url": "https://mi_servidor.example.org"}, "Phones cannot use the address"),
        ({"database_url": "postgresql://nadie@127.0.0.1:1/nada"}, "Connection refused"),
        ({"host": "192.0.2.1"}, "Cannot listen on 192.0.2.1"),
    ],
)
def test_doctor_finds_settings_that_do_not_work(installed: Path, settings: dict[str, str], said: str):
    done = tejido("--data", installed, "--language", "en", "doctor", database_wait="2", **settings)

    assert done.returncode == 1
    assert said in done.stdout
    assert "→" in done.stdout
    assert "Traceback" not in done.stderr


def test_doctor_finds_a_database_that_is_no_database(installed: Path):
    for file in installed.glob("tejido.sqlite3*"):
        file.unlink()
    (installed / "tejido.sqlite3").write_bytes(b"no database at all" * 1000)

    done = tejido("--data", installed, "--language", "en", "doctor")

    assert done.returncode == 1
    assert "✗" in done.stdout
    assert "Traceback" not in done.stderr


def test_doctor_finds_a_damaged_index(installed: Path):
    with closing(sqlite3.connect(installed / "tejido.sqlite3", isolation_level=None)) as held:
        held.execute("PRAGMA writable_schema=ON")
        held.execute("UPDATE sqlite_schema SET rootpage = 3 WHERE name = 'users'")

    done = tejido("--data", installed, "--language", "en", "doctor")

    assert done.returncode == 1
    assert "✗" in done.stdout
    assert "Traceback" not in done.stderr


def test_doctor_finds_files_that_are_gone_and_submissions_without_rows(installed: Path, tmp_path: Path):
    workbook = tmp_path / "visita.md"
    workbook.write_text(
        "| survey |\n| | type | name | label |\n| | text | q | Q |\n| settings |\n| | form_id | version |\n| | visita | 1 |\n"
    )
    assert tejido("--data", installed, "form", "publish", workbook, "--project", 1).returncode == 0
    for blob in [path for path in (installed / "blobs").rglob("*") if path.is_file()]:
        blob.unlink()

    done = tejido("--data", installed, "--language", "en", "doctor")

    assert done.returncode == 1
    assert "registered files are missing on the disk, visita.md for one" in done.stdout


def test_unknown_settings_are_named(tmp_path: Path):
    done = tejido("--data", tmp_path / "data", "--language", "en", "doctor", puerto="8000")

    assert done.returncode == 1
    assert "puerto" in done.stderr
    assert "Traceback" not in done.stderr

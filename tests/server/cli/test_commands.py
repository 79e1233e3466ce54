"""The command line, from an empty folder to data and back."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from server.app import create_app, open_office
from server.cli import spanish, words
from server.cli.main import main
from server.settings import Settings
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
    assert "minimo\topen\t1\t—\tMínimo" in tejido("form", "list", "--project", 1).output


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


@pytest.mark.parametrize(
    ("environment", "words", "usage"),
    [
        ({"LANG": "es_PA.UTF-8"}, (), "Uso:"),
        ({"LANG": "en_US.UTF-8"}, (), "Usage:"),
        ({"LANG": "C"}, (), "Usage:"),
        ({"LANG": "es_PA.UTF-8", "LC_ALL": "C"}, (), "Usage:"),
        ({"LANG": "C", "TEJIDO_LANGUAGE": "es"}, (), "Uso:"),
        ({"LANG": "es_PA.UTF-8"}, ("--language", "en"), "Usage:"),
        ({"LANG": "C"}, ("--language=es",), "Uso:"),
    ],
)
def test_help_speaks_the_language_of_the_terminal(
    environment: dict[str, str], words: tuple[str, ...], usage: str, monkeypatch: pytest.MonkeyPatch
):
    for name in ("LANG", "LC_ALL", "LC_MESSAGES", "TEJIDO_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)

    helped = CliRunner().invoke(main, [*words, "app-user", "create", "--help"], env=environment)
    mistaken = CliRunner().invoke(main, [*words, "app-user", "create"], env=environment)

    assert helped.output.startswith(usage)
    assert ("Número del proyecto." in helped.output) == (usage == "Uso:")
    assert ("Falta el argumento 'NOMBRE'" in mistaken.output) == (usage == "Uso:")
    assert ("Missing argument 'NAME'" in mistaken.output) == (usage == "Usage:")
    assert mistaken.exit_code == 2


def _texts(command: click.Command) -> Iterator[str]:
    """Every help text of a command and of all below it."""
    yield " ".join((command.help or "").split())
    yield from (option.help or "" for option in command.params if isinstance(option, click.Option))
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from _texts(below)


def test_every_command_and_option_has_help_in_both_languages():
    words.speak(main, "en")
    english = list(_texts(main))
    words.speak(main, "es")
    spanish_ = list(_texts(main))
    words.speak(main, "en")

    assert [text for text in english if not text] == []
    assert [text for text in english if text not in spanish.HELP] == []
    assert spanish_ == [spanish.HELP[text] for text in english]
    assert list(_texts(main)) == english


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            ("app-user", "create", "Tel", "--project", 1, "--form", "nada"),
            "✗ No hay ningún formulario «nada» en el proyecto. Vea los que hay: tejido form list --project NÚMERO\n",
        ),
        (("form", "list", "--project", 9), "✗ No hay ningún proyecto 9. Vea los que hay: tejido project list\n"),
        (
            ("app-user", "revoke", 7, "--project", 1),
            "✗ El proyecto no tiene ningún teléfono 7 con acceso. "
            "Vea los que hay: tejido app-user list --project NÚMERO\n",
        ),
        (
            ("user", "password", "a@example.org", "--password", "contraseña larga"),
            "✗ Nadie entra con el correo a@example.org. Vea quiénes hay: tejido user list\n",
        ),
    ],
)
def test_what_is_not_found_is_named_with_the_command_that_lists_it(
    tejido: Tejido, command: tuple[object, ...], said: str
):
    tejido("project", "create", "Cohesión")

    assert tejido(*command, language="es").output == said


def test_a_database_that_is_none_is_told_to_a_terminal(tejido: Tejido, tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tejido.sqlite3").write_bytes(b"no database at all, but long enough to be one" * 100)

    answer = tejido("project", "list", language="es")

    assert answer.exit_code == 1
    assert answer.output.startswith("✗ La base de datos o el disco no responde (")
    assert answer.output.endswith("Busque la causa con: tejido doctor\n")


def test_settings_mistakes_follow_the_language(tejido: Tejido, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TEJIDO_NADA", "1")

    assert tejido("project", "list", language="es").output.startswith("✗ No existe ningún ajuste «nada».")
    assert tejido("project", "list").output.startswith("✗ There is no setting “nada”.")


def test_lists_have_headings(tejido: Tejido):
    tejido("project", "create", "Cohesión")
    tejido("user", "create", "a@example.org", "--password", "contraseña larga", "--administrator")
    tejido("app-user", "create", "Teléfono", "--project", 1)

    assert tejido("project", "list").output == "no.\tname\n1\tCohesión\n"
    assert re.fullmatch(
        r"no\.\te-mail\tsince\trole\n1\ta@example\.org\t....-..-..\tadministrator\n", tejido("user", "list").output
    )
    assert re.fullmatch(
        r"n\.º\tnombre\tdesde\testado\n2\tTeléfono\t....-..-..\tcon acceso\n",
        tejido("app-user", "list", "--project", 1, language="es").output,
    )


def test_a_new_password_is_given_or_made_up(tejido: Tejido):
    tejido("user", "create", "a@example.org", "--password", "contraseña larga")

    given = tejido("user", "password", "a@example.org", "--password", "otra contraseña")
    made = tejido("user", "password", "a@example.org")

    assert given.output == "Password of a@example.org changed.\n"
    assert "Password (not shown again): " in made.output
    assert tejido("user", "password", "a@example.org", "--password", "corta").exit_code == 1


def test_settings_of_a_project_are_shown_and_changed(tejido: Tejido):
    tejido("project", "create", "Cohesión")

    shown = tejido("project", "settings", 1)
    changed = tejido("project", "settings", 1, "--counting", "approved", "--minimum-n", 5, language="es")
    wrong = tejido("project", "settings", 1, "--minimum-n", -1)

    assert shown.output == (
        "Project 1: Cohesión\ncounting\tnot_rejected\tevery submission that was not rejected\n"
        "minimum_n\t10\tfigures of fewer units are hidden\n"
        "withdrawal\terase\twho takes back the consent is erased whole\n"
    )
    assert changed.output == (
        "Proyecto 1: Cohesión\ncounting\tapproved\tsolo los envíos aprobados\n"
        "minimum_n\t5\tlas cifras de menos unidades se ocultan\n"
        "withdrawal\terase\tquien retira su consentimiento se borra entero\n"
    )
    assert wrong.exit_code == 1
    assert "minimum_n" in wrong.output
    assert tejido("project", "settings", 2).exit_code == 1


def test_indicator_sheets_are_checked_with_their_form(tejido: Tejido, tmp_path: Path):
    workbook = tmp_path / "hogar.md"
    workbook.write_text(
        "| survey |\n| | type | name | label |\n| | integer | edad | Edad |\n"
        "| settings |\n| | form_id | version |\n| | hogar | 1 |\n"
        "| indicators |\n| | name | label | type | where | result |\n| | N | Todos | count | ${edda} > 1 | R1 |\n"
        "| | P | Parte | percent | | |\n",
        encoding="utf-8",
    )
    tejido("project", "create", "Cohesión")
    mistyped = "✗ hoja indicators, fila 2, columna where: el formulario no tiene ninguna pregunta «edda»"
    lacking = "✗ hoja indicators, fila 3, columna numerator:"
    unknown = "✗ hoja indicators, fila 2, columna result: no hay ningún resultado «R1»."

    alone = tejido("form", "check", workbook, language="es")
    compared = tejido("form", "check", workbook, "--project", 1, language="es")
    published = tejido("form", "publish", workbook, "--project", 1, language="es")

    assert (alone.exit_code, compared.exit_code, published.exit_code) == (1, 1, 1)
    assert [told in alone.output for told in (mistyped, lacking, unknown)] == [True, True, False]
    assert [told in compared.output for told in (mistyped, lacking, unknown)] == [True, True, True]
    assert [told in published.output for told in (mistyped, lacking, unknown)] == [True, True, True]
    assert tejido("form", "list", "--project", 1).output.splitlines()[1:] == []


def test_doctor_tells_of_facts_and_of_indicators(tejido: Tejido, tmp_path: Path):
    tejido("project", "create", "Cohesión")
    tejido("user", "create", "a@example.org", "--password", "contraseña larga", "--administrator")
    workbook = tmp_path / "hogar.md"
    workbook.write_text(
        "| survey |\n| | type | name | label |\n| | integer | edad | Edad |\n"
        "| settings |\n| | form_id | version |\n| | hogar | 1 |\n"
        "| indicators |\n| | name | label | type | over |\n| | N | Todos | count | |\n"
        "| | P | Gente | count | entities:gente |\n",
        encoding="utf-8",
    )
    published = tejido("form", "publish", workbook, "--project", 1)
    sound = tejido("doctor")
    with sqlite3.connect(tmp_path / "data" / "tejido.sqlite3") as conn:
        conn.execute("DROP TABLE data_hogar__facts")
    missing = tejido("doctor")
    tejido("rebuild")
    mended = tejido("doctor")
    with sqlite3.connect(tmp_path / "data" / "tejido.sqlite3") as conn:
        conn.execute("UPDATE forms SET deleted_at = '2026-01-01T00:00:00.000000+00:00'")
    broken = tejido("doctor", language="es")

    assert "Indicators and other rows declared: 2 new or changed, 0 retired." in published.output
    waiting = "! Project 1: indicators that wait: P. The entity list “gente” is not on this server yet.\n"
    assert (sound.exit_code, waiting in sound.output) == (0, True)
    assert missing.exit_code == 1
    assert "✗ Table of facts “data_hogar__facts”: it is not there.\n    → tejido rebuild\n" in missing.output
    assert mended.exit_code == 0
    assert broken.exit_code == 1
    assert "✗ Proyecto 1: indicadores que no se pueden calcular: N. el proyecto no tiene publicado" in broken.output


def test_flags_are_listed_as_lines_and_as_csv(tejido: Tejido, workbook: Path, tmp_path: Path):
    tejido("project", "create", "Cohesión")
    tejido("form", "publish", workbook, "--project", 1)
    tejido("user", "create", "a@example.org", "--password", "contraseña larga", "--administrator")
    nothing = tejido("flags", "minimo", "--project", 1)
    office = open_office(Settings(data=tmp_path / "data"))
    xml = b'<data id="minimo" version="0"><nada>=1</nada><meta><instanceID>uuid:1</instanceID></meta></data>'
    create_app(office).test_client().post(
        "/v1/projects/1/submission",
        data={"xml_submission_file": (io.BytesIO(xml), "a.xml", "text/xml")},
        auth=("a@example.org", "contraseña larga"),
    )
    office.database.close()

    lines = tejido("flags", "minimo", "--project", 1).output.splitlines()
    rows = list(csv.DictReader(io.StringIO(tejido("flags", "minimo", "--project", 1, "--csv").output)))

    assert nothing.output == "Nothing is flagged.\n"
    assert lines[0].split() == [
        "number",
        "severity",
        "state",
        "row",
        "question",
        "answer",
        "check",
        "what",
        "was",
        "found",
    ]
    assert [line.split()[3:] for line in lines[1:]] == [
        ["uuid:1", "/nada", "=1", "builtin:unknown", "the", "version", "has", "no", "such", "question"],
        ["uuid:1", "0", "builtin:form_version", "unknown", "version", "of", "the", "form"],
    ]
    assert [(row["instanceId"], row["text"], row["state"], row["message_es"]) for row in rows] == [
        ("uuid:1", "'=1", "open", "la versión no tiene esta pregunta"),
        ("uuid:1", "0", "open", "versión del formulario desconocida"),
    ]


def test_flags_are_explained_opened_again_counted_and_looked_for_anew(tejido: Tejido, tmp_path: Path):
    file = tmp_path / "hogar.md"
    file.write_text(
        "| survey |\n| | type | name | label |\n| | integer | edad | Edad |\n"
        "| checks |\n| | name | label | when | message::es |\n| | mayor | Mayor | ${edad} > 110 | ¿${edad} años? |\n"
        "| settings |\n| | form_id | form_title | version |\n| | list | Hogar | 1 |\n",
        encoding="utf-8",
    )
    tejido("project", "create", "Cohesión")
    tejido("form", "publish", file, "--project", 1)
    tejido("user", "create", "a@example.org", "--password", "contraseña larga", "--administrator")
    office = open_office(Settings(data=tmp_path / "data"))
    xml = b'<data id="list" version="1"><edad>120</edad><meta><instanceID>uuid:1</instanceID></meta></data>'
    create_app(office).test_client().post(
        "/v1/projects/1/submission",
        data={"xml_submission_file": (io.BytesIO(xml), "a.xml", "text/xml")},
        auth=("a@example.org", "contraseña larga"),
    )
    office.database.close()

    listed = json.loads(tejido("flags", "list", "list", "--project", 1, "--json").output)
    explained = tejido("flags", "explain", "list", 1, "Es la abuela", "--project", 1)
    after = tejido("flags", "list", "list", "--project", 1, "--state", "explained", language="es")
    opened = tejido("flags", "reopen", "list", 1, "--project", 1)
    figures = tejido("flags", "figures", "list", "--project", 1, "--by", "submitter")
    done = tejido("flags", "run", "list", "--project", 1)
    missing = tejido("flags", "explain", "list", 9, "x", "--project", 1)

    assert [(one["check"], one["text"], one["message"]) for one in listed] == [("mayor", "120", {"es": "¿120 años?"})]
    assert explained.output == "uuid:1: explained.\n"
    assert after.output.splitlines()[1].split() == [
        *("1", "advertencia", "explicada", "uuid:1", "/edad", "120", "mayor", "¿120", "años?", "Es", "la", "abuela"),
    ]
    assert opened.output == "uuid:1: open again.\n"
    assert [line.split() for line in figures.output.splitlines()] == [
        ["enumerator", "submissions", "flagged", "mayor"],
        ["a@example.org", "1", "1", "1"],
    ]
    assert done.output == "1 submissions, 1 checks: 0 new flags, 0 that are gone.\n"
    assert missing.exit_code == 1
    assert missing.output.splitlines()[0].endswith("The form has no flag 9.")


@pytest.fixture
def versions(tmp_path: Path) -> tuple[Path, Path]:
    """Two versions of a form that needs two files."""
    files = []
    for version, survey in (
        ("1", "| | type | name | label | image |\n| | text | mote | Mote | foto.png |\n"),
        ("2", "| | type | name | label | image | was |\n| | text | nombre | Nombre | foto.png | mote |\n"),
    ):
        file = tmp_path / f"hogar{version}.md"
        lists = "| | select_one_from_file lugares.csv | lugar | Lugar | | |\n"
        settings = f"| settings |\n| | form_id | form_title | version |\n| | hogar | Hogar | {version} |\n"
        file.write_text(f"| survey |\n{survey}{lists}{settings}", encoding="utf-8")
        files.append(file)
    return files[0], files[1]


def test_a_workbook_is_compared_with_what_the_project_has(tejido: Tejido, versions: tuple[Path, Path]):
    first, second = versions
    tejido("project", "create", "Cohesión")
    new = tejido("form", "check", first, "--project", 1).output
    tejido("form", "publish", first, "--project", 1)
    changed = (
        "  · sheet survey, row 2, column was: “/nombre” was “/mote” before: its answers stay in the same column.\n"
    )

    assert "The project has no published form of this name: it will be new.\nIt can be published.\n" in new
    checked = tejido("form", "check", second, "--project", 1).output
    assert f"Against the published version “1”:\n{changed}It can be published.\n" in checked
    assert "It is the published version “1”.\n" in tejido("form", "check", first, "--project", 1).output
    assert changed in tejido("form", "draft", second, "--project", 1).output
    assert changed in tejido("form", "publish", second, "--project", 1).output
    assert tejido("form", "check", second, "--project", 9).exit_code == 1


def test_a_version_that_is_taken_is_refused_and_leaves_no_draft(tejido: Tejido, versions: tuple[Path, Path]):
    first, _ = versions
    tejido("project", "create", "Cohesión")
    tejido("form", "publish", first, "--project", 1)
    first.write_text(first.read_text(encoding="utf-8").replace("Mote", "Otro"), encoding="utf-8")

    checked = tejido("form", "check", first, "--project", 1, language="es")
    refused = tejido("form", "publish", first, "--project", 1, language="es")

    taken = (
        "  ✗ hoja settings, columna version: El formulario «hogar» ya tiene publicada una versión «1» con otro contenido. "
        "Cambie «version» en la hoja settings (por ejemplo, la fecha de hoy y un número).\n"
    )
    assert (checked.exit_code, refused.exit_code) == (1, 1)
    assert taken in checked.output
    assert refused.output == f"✗ El archivo no se puede publicar:\n{taken}"
    assert tejido("form", "list", "--project", 1).output.splitlines()[1:] == ["hogar\topen\t1\t—\tHogar"]


def test_media_are_told_added_unused_and_missing(tejido: Tejido, versions: tuple[Path, Path], tmp_path: Path):
    first, second = versions
    folder = tmp_path / "media"
    folder.mkdir()
    for name in ("lugares.csv", "foto.PNG", "notas.txt", ".oculto"):
        (folder / name).write_text("name,label\n", encoding="utf-8")
    tejido("project", "create", "Cohesión")

    told = (
        "  ! El formulario pide «foto.png», pero el archivo se llama «foto.PNG». Para el teléfono no son el mismo.\n"
        "  · El formulario no usa estos archivos de la carpeta: notas.txt.\n"
    )
    assert told in tejido("form", "check", first, "--media", folder, language="es").output
    assert (
        f"Archivos agregados: lugares.csv.\n{told}"
        in tejido("form", "publish", first, "--project", 1, "--media", folder, language="es").output
    )
    assert (
        "  ! Falta el archivo «foto.png», que el formulario necesita en el teléfono.\n«hogar» 2 publicado.\n"
        in tejido("form", "publish", second, "--project", 1, language="es").output
    )


def test_drafts_are_listed_and_discarded(tejido: Tejido, versions: tuple[Path, Path]):
    first, second = versions
    tejido("project", "create", "Cohesión")
    tejido("form", "draft", first, "--project", 1)
    only = tejido("form", "list", "--project", 1).output
    never = tejido("form", "discard", "hogar", "--project", 1)
    tejido("form", "publish", first, "--project", 1)
    tejido("form", "draft", second, "--project", 1)
    both = tejido("form", "list", "--project", 1).output
    gone = tejido("form", "discard", "hogar", "--project", 1, language="es")

    assert only == "form\tstate\tversion\tdraft\ttitle\nhogar\topen\t—\t1\tHogar\n"
    assert never.output == "Draft “1” of “hogar” discarded.\nThe form was never published: it leaves the list.\n"
    assert both.splitlines()[1] == "hogar\topen\t1\t2\tHogar"
    assert gone.output == "Borrador «2» de «hogar» descartado.\nSigue publicada la versión «1».\n"
    assert tejido("form", "list", "--project", 1).output.splitlines()[1] == "hogar\topen\t1\t—\tHogar"
    assert tejido("form", "discard", "hogar", "--project", 1).exit_code == 1


def test_the_audit_is_listed_and_narrowed(tejido: Tejido):
    tejido("project", "create", "Cohesión")
    tejido("project", "create", "Otro")

    listed = tejido("audit", language="es").output.splitlines()
    assert listed[0] == "cuándo\tquién\tqué\tproyecto\tformulario\tenvío\tdetalles"
    assert [line.split("\t")[2] for line in listed[1:]] == ["project.create"] * 2
    first = tejido("audit", "--project", 1, "--csv").output.splitlines()
    assert (first[0], len(first)) == ("logged_at,actor,action,project,form,record,details", 2)
    assert tejido("audit", "--action", "submission").output == "Nothing is noted.\n"
    assert tejido("audit", "--until", "2001-01-01").output == "Nothing is noted.\n"
    assert len(tejido("audit", "--most", 1).output.splitlines()) == 2

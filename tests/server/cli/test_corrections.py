"""tejido correction and tejido record, from a phone's submission to a corrected value and its history."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from server.app import create_app, open_office
from server.cli.main import main
from server.settings import Settings
from tests.server.desk import form, questions
from tests.server.wire import Wire, instance, to_app

Tejido = Callable[..., Result]
ANSWERS = "<edad>34</edad><nombre>Ana</nombre><m><n>Beto</n></m>"


@pytest.fixture
def tejido(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tejido:
    """The command on a data folder with one form and one submission, uuid:A."""
    for name in ("TEJIDO_DATA", "TEJIDO_DATABASE_URL", "TEJIDO_BASE_URL", "TEJIDO_HOST", "TEJIDO_PORT"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: object, language: str = "en", code: int = 0) -> Result:
        given = ["--data", str(tmp_path / "data"), "--language", language, *map(str, words)]
        result = CliRunner().invoke(main, given, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    sheet = tmp_path / "hogar.md"
    sheet.write_text(form("hogar", questions("integer edad", "text nombre", "begin repeat m", "text n", "end repeat")))
    run("project", "create", "Cohesión")
    run("form", "publish", sheet, "--project", 1)
    url = json.loads(run("app-user", "create", "Teléfono", "--project", 1, "--json").output)["url"]
    office = open_office(Settings(data=tmp_path / "data"))
    phone = Wire(to_app(create_app(office)), "/" + url.split("/", 3)[3])
    assert phone.post(instance("hogar", ANSWERS, instance_id="uuid:A")).status == 201
    office.database.close()
    return run


def test_a_value_is_corrected_shown_and_taken_back(tejido: Tejido):
    made = tejido("correction", "set", "hogar", "uuid:A", "/edad", 35, "--reason", "boleta", "--project", 1)
    assert made.output == "Correction 1: /edad\n34 → 35\n"
    tejido(
        "correction",
        "set",
        "hogar",
        "uuid:A",
        "/m/n",
        "--blank",
        "--row",
        "uuid:A/m[1]",
        "--reason",
        "x",
        "--project",
        1,
    )

    shown = tejido("record", "show", "hogar", "uuid:A", "--project", 1, language="es").output
    assert shown == (
        "Estado de revisión: received\nuuid:A\n  /edad\t35\n  /nombre\tAna\n  /meta/instanceID\tuuid:A\nuuid:A/m[1]\n"
    )

    every = tejido("record", "states", "hogar", "--csv", "--project", 1).output
    assert [(one["row"], one["question"], one["value"]) for one in csv.DictReader(io.StringIO(every))] == [
        ("uuid:A", "/edad", "35"),
        ("uuid:A", "/nombre", "Ana"),
        ("uuid:A", "/meta/instanceID", "uuid:A"),
    ]
    assert tejido("record", "states", "hogar", "--at", "2026-01-01", "--project", 1).output == ""

    tejido("correction", "withdraw", "hogar", 1, "--reason", "no era", "--project", 1)
    rows = json.loads(tejido("record", "show", "hogar", "uuid:A", "--json", "--project", 1).output)["rows"]
    assert rows[0]["answers"]["/edad"] == "34"
    listed = tejido("correction", "list", "hogar", "--project", 1, language="es").output.splitlines()
    assert listed == [
        "n.º\testado\tfila\tpregunta\tvalor anterior\tvalor nuevo\tmotivo",
        "1\twithdrawn\tuuid:A\t/edad\t34\t35\tboleta",
        "2\tactive\tuuid:A/m[1]\t/m/n\tBeto\t\tx",
    ]
    only = tejido("correction", "list", "hogar", "--state", "active", "--csv", "--project", 1).output
    assert [line["question"] for line in csv.DictReader(io.StringIO(only))] == ["/m/n"]
    assert len(json.loads(tejido("correction", "list", "hogar", "--json", "--project", 1).output)) == 2


def test_mistakes_are_said(tejido: Tejido):
    wrong = tejido("correction", "set", "hogar", "uuid:A", "/edad", "x", "--reason", "y", "--project", 1, code=1)
    assert "“x” is not a whole number." in wrong.output
    stale = tejido(
        "correction", "set", "hogar", "uuid:A", "/edad", 35, "--old", 33, "--reason", "y", "--project", 1, code=1
    )
    assert "/edad says “34”, not “33”" in stale.output
    assert (
        "Give a value, or --blank"
        in tejido("correction", "set", "hogar", "uuid:A", "/edad", "--reason", "y", "--project", 1, code=2).output
    )
    assert "no correction 7" in tejido("correction", "confirm", "hogar", 7, "--project", 1, code=1).output
    assert "use a day" in tejido("record", "show", "hogar", "uuid:A", "--at", "ayer", "--project", 1, code=2).output


def test_the_round_trip_by_workbook(tejido: Tejido, tmp_path: Path):
    file = tmp_path / "correcciones.xlsx"
    tejido("correction", "download", "hogar", "--question", "edad", "--out", file, "--project", 1)
    book = openpyxl.load_workbook(file)
    columns = {str(cell.value): cell.column for cell in book.worksheets[0][1]}
    assert [cell.value for cell in book.worksheets[0][2]][:3] == ["uuid:A", None, "/edad"]
    book.worksheets[0].cell(2, columns["new value"], 36)
    book.worksheets[0].cell(2, columns["reason"], "boleta")
    book.save(file)

    dry = tejido("correction", "upload", "hogar", file, "--dry-run", "--project", 1).output
    assert dry == "uuid:A /edad: 34 → 36\n1 answers would be corrected.\nRefused: 0. Unchanged: 0.\n"
    done = tejido("correction", "upload", "hogar", file, "--project", 1, language="es").output
    assert done == "uuid:A /edad: 34 → 36\nRespuestas corregidas: 1.\nRechazadas: 0. Sin cambio: 0.\n"
    again = tejido("correction", "upload", "hogar", file, "--project", 1).output
    assert again == "Answers corrected: 0.\nRefused: 0. Unchanged: 1.\n"
    book.worksheets[0].cell(2, columns["new value"], 37)
    book.save(file)
    stale = tejido("correction", "upload", "hogar", file, "--project", 1, code=1).output
    assert stale.splitlines()[0] == "✗ row 2: uuid:A /edad: /edad says “36”, not “34”; nothing was changed."

    book.worksheets[0].cell(2, columns["new value"], "muchos")
    book.save(file)
    refused = tejido("correction", "upload", "hogar", file, "--project", 1, language="es", code=1).output
    assert refused.splitlines() == [
        "✗ El libro no se aplicó; no se cambió nada:",
        "  ✗ fila 2, columna H: «muchos» no es un número entero.",
    ]


def test_a_review_a_comment_and_the_history(tejido: Tejido):
    tejido("record", "review", "hogar", "uuid:A", "approved", "--note", "bien", "--project", 1)
    tejido("record", "comment", "hogar", "uuid:A", "falta la foto", "--project", 1)

    lines = tejido("record", "history", "hogar", "uuid:A", "--project", 1, language="es").output.splitlines()

    assert [line.split("\t")[1:] for line in lines] == [
        ["recibido", "Teléfono", "instanceId=uuid:A · formVersion=1"],
        ["revisión", "", "reviewState=approved · note=bien"],
        ["comentario", "", "body=falta la foto"],
    ]
    events = json.loads(tejido("record", "history", "hogar", "uuid:A", "--json", "--project", 1).output)
    assert [event["event"] for event in events] == ["received", "review", "comment"]

"""tejido extract and codebook: every kind of file, its options, and what is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from server import migrations
from server.app import create_app, open_office
from server.cli.main import main
from server.context import Office
from server.settings import Settings
from tests.server.desk import TOKEN, open_desk, prepare
from tests.server.extracts.village import FULL, VILLAGE
from tests.server.wire import Wire, instance, to_app

Tejido = Callable[..., Result]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An installation with one form and one submission, on SQLite."""
    settings = Settings(data=tmp_path / "data")

    def opened(_: str) -> Office:
        made = open_office(settings)
        migrations.upgrade(made.database)
        return made

    prepare("", open_office=opened)
    office = open_office(settings)
    open_desk(office).publish(VILLAGE)
    send(office, "uuid:1")
    yield office
    office.database.close()


@pytest.fixture
def tejido(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tejido:
    for name in ("TEJIDO_DATA", "TEJIDO_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: object, language: str = "en") -> Result:
        given = ["--data", str(tmp_path / "data"), "--language", language, *map(str, words)]
        return CliRunner().invoke(main, given, catch_exceptions=False)

    return run


def send(office: Office, key: str, answers: str = FULL) -> None:
    wire = Wire(to_app(create_app(office)), f"/v1/key/{TOKEN}/projects/1")
    assert wire.post(instance("aldea", answers, instance_id=key), {"a.jpg": b"A"}).status == 201


def extract(tejido: Tejido, out: Path, *options: object) -> str:
    answer = tejido("extract", "aldea", "--project", 1, "--out", out, "--identities", "--reason", "prueba", *options)
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_the_end_of_the_name_says_the_kind(tejido: Tejido, tmp_path: Path):
    for name in ("a.csv", "a.xlsx", "a.parquet", "a.dta", "a.sav", "a.geojson", "a.csv.zip", "a.zip", "a.media.zip"):
        assert str(tmp_path / name) in extract(tejido, tmp_path / name)

    assert list(pd.read_csv(tmp_path / "a.csv")["nombre"]) == ["Ñürüm «del río»"]
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").sheetnames[0] == "aldea"
    assert duckdb.sql(f"SELECT cuartos FROM '{tmp_path / 'a.parquet'}'").fetchall() == [(3,)]
    assert list(pd.read_stata(tmp_path / "a.dta")["cuartos"]) == [3]
    assert list(pd.read_spss(tmp_path / "a.sav")["pueblo"]) == ["Naso Tjër Di"]
    assert '"id":"uuid:1"' in (tmp_path / "a.geojson").read_text(encoding="utf-8")
    assert names(tmp_path / "a.csv.zip")[-2:] == ["codebook.xlsx", "codebook.html"]
    assert names(tmp_path / "a.zip") == ["aldea.csv", "aldea-persona.csv", "aldea-visita.csv", "aldea-animal.csv"]
    assert names(tmp_path / "a.media.zip") == ["1/a.jpg", "media.csv"]


def test_options_are_those_of_http(tejido: Tejido, tmp_path: Path):
    out = tmp_path / "a.csv"

    extract(
        tejido,
        out,
        "--join",
        "visita",
        "--labels",
        "--language",
        "en",
        "--columns",
        "pueblo,edad",
        "--bom",
        "--no-split",
    )
    joined = out.read_bytes()
    extract(tejido, out, "--table", "persona", "--group-paths")
    persons = pd.read_csv(out)
    extract(tejido, out, "--from", "2030-01-01")
    later = pd.read_csv(out)

    assert joined.startswith("\ufeff_key,".encode())
    assert pd.read_csv(io.BytesIO(joined))[["pueblo", "edad"]].values.tolist() == [["Naso Tjër Di (Naso)", 41]] * 2
    assert list(persons["nombre"]) == ["Ana", "Beto"]
    assert len(later) == 0


def test_only_what_is_new_since_the_last_time(
    tejido: Tejido, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("server.extracts.cursors.OVERLAP", pd.Timedelta(0).to_pytimedelta())
    cursor, out = tmp_path / "hasta.txt", tmp_path / "a.csv"

    extract(tejido, out, "--cursor", cursor)
    first = list(pd.read_csv(out)["_key"])
    send(office, "uuid:2")
    extract(tejido, out, "--cursor", cursor)

    assert first == ["uuid:1"]
    assert list(pd.read_csv(out)["_key"]) == ["uuid:2"]


def test_the_files_of_submissions_go_with_centrals_layout_on_request(tejido: Tejido, tmp_path: Path):
    extract(tejido, tmp_path / "a.zip", "--attachments", "--filter", "__system/submitterId ne null")

    assert names(tmp_path / "a.zip")[-1] == "media/a.jpg"


def test_a_codebook_is_written(tejido: Tejido, tmp_path: Path):
    for name in ("libro.xlsx", "libro.html"):
        answer = tejido("codebook", "aldea", "--project", 1, "--out", tmp_path / name, language="es")
        assert answer.output.startswith("Libro de códigos en "), answer.output

    assert openpyxl.load_workbook(tmp_path / "libro.xlsx").sheetnames == ["extracto", "columnas", "opciones"]
    assert "Naso Tjër Di" in (tmp_path / "libro.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("a.docx", (), "end the name in .zip or one of these: csv, xlsx, parquet, geojson, dta, sav."),
        ("a", (), "end the name in"),
        ("a.zip", ("--labels",), "--labels"),
        ("a.zip", ("--table", "persona"), "Unexpected --table value persona"),
        ("a.zip", ("--from", "2026-01-01"), "--from"),
        ("a.zip", ("--cursor", "x.txt"), "--cursor"),
        ("a.csv", ("--table", "nadie"), "Unexpected table value nadie"),
        ("a.csv", ("--join", "visita,animal"), "are not one within the other"),
        ("a.csv", ("--filter", "edad"), "references fields not supported by this server: edad"),
        ("a.csv", ("--filter", "edad gt"), "could not be parsed"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_no_file(
    tejido: Tejido, tmp_path: Path, name: str, options: tuple[str, ...], said: str
):
    answer = tejido(
        "extract", "aldea", "--project", 1, "--out", tmp_path / name, "--identities", "--reason", "x", *options
    )

    assert answer.exit_code == 1
    assert said in answer.output
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def names(file: Path) -> list[str]:
    with zipfile.ZipFile(file) as archive:
        return archive.namelist()


def test_an_extract_of_a_past_day_holds_what_had_arrived(tejido: Tejido, tmp_path: Path):
    out = tmp_path / "then.csv"

    assert tejido("extract", "aldea", "--project", 1, "--out", out, "--at", "2020-01-01").exit_code == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 1
    assert tejido("extract", "aldea", "--project", 1, "--out", out, "--at", "2999-01-01").exit_code == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2
    wrong = tejido("extract", "aldea", "--project", 1, "--out", out, "--at", "ayer", language="es")
    assert (wrong.exit_code, "use un día (2026-03-31)" in wrong.output) == (2, True)
    central = tejido("extract", "aldea", "--project", 1, "--out", tmp_path / "c.zip", "--at", "2026-01-01")
    assert (central.exit_code, "--at" in central.output) == (1, True)

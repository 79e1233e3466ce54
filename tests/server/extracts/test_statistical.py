""".dta and .sav extracts: read back with pandas and ReadStat (pyreadstat), value by value."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest

from server.extracts import spss
from tests.server.desk import ON_SQLITE, Desk, form, questions
from tests.server.extracts.asking import Analyst
from tests.server.extracts.village import FEW, FULL, VILLAGE
from tests.server.wire import Wire, instance

KINDS = ("dta", "sav")


def opened(tmp_path: Path, data: bytes, kind: str) -> tuple[pd.DataFrame, Any]:
    """The table as ReadStat reads it, and what it says of variables."""
    file = tmp_path / f"tabla.{kind}"
    file.write_bytes(data)
    read = pyreadstat.read_dta if kind == "dta" else pyreadstat.read_sav
    return read(str(file))  # type: ignore[no-any-return]


def records(frame: pd.DataFrame, *names: str) -> list[list[Any]]:
    """Values as Python's, NaN and NaT as None."""
    return [
        [None if value is None or pd.isna(value) else value for value in row]
        for row in frame[list(names)].itertuples(index=False, name=None)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_values_come_back_typed(desk: Desk, phone: Wire, analyst: Analyst, tmp_path: Path, kind: str):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL, instance_id="uuid:1"))
    phone.post(instance("aldea", FEW, instance_id="uuid:2"))

    frame, _ = opened(tmp_path, analyst.file("aldea", kind, zone="America/Panama"), kind)

    names = (
        "nombre",
        "cuartos",
        "agua",
        "pueblo",
        "bienes",
        "bienes_radio",
        "bienes_bote",
        "bienes_3",
        "gps_longitude",
    )
    assert records(frame, *names) == [
        ["Ñürüm «del río»", 3, 2.5, 2, "bote 3", 0, 1, 1, -81.25],
        ["Sola", None, None, None, "", None, None, None, None],
    ]
    (first, _) = records(frame, "dia", "momento")
    day = first[0].date() if isinstance(first[0], datetime) else first[0]
    assert (day, first[1]) == (date(2026, 8, 15), datetime.fromisoformat("2026-08-15T23:30:00.125"))
    assert frame["hora"][0] in (time(17, 37), pd.Timestamp("1960-01-01 17:37:00"))
    assert list(frame["camino"]) == ['{"type":"LineString","coordinates":[[-81.25,8.5,0.0],[-81.3,8.6,0.0]]}', ""]
    key = "_key" if kind == "dta" else "key"
    assert list(frame[key]) == ["uuid:1", "uuid:2"]


@pytest.mark.parametrize("kind", KINDS)
def test_variables_and_values_are_labelled(desk: Desk, phone: Wire, analyst: Analyst, tmp_path: Path, kind: str):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL))

    _, spanish = opened(tmp_path, analyst.file("aldea", kind), kind)
    _, english = opened(tmp_path, analyst.file("aldea", kind, language="English (en)", labels="true"), kind)

    assert spanish.column_names_to_labels["pueblo"] == "Pueblo"
    assert spanish.column_names_to_labels["bienes_3"] == "¿Qué bienes tiene?: Tres vacas"
    assert spanish.variable_value_labels["pueblo"] == {1: "Ñürüm", 2: "Naso Tjër Di", 3: "Otro"}
    assert spanish.variable_value_labels["bienes_radio"] == {0: "No", 1: "Sí"}
    assert english.column_names_to_labels["agua"] == "Water (m³)"
    assert english.variable_value_labels["pueblo"] == {1: "Ñürüm", 2: "Naso Tjër Di (Naso)", 3: "Other"}
    assert english.variable_value_labels["bienes_radio"] == {0: "No", 1: "Yes"}


@ON_SQLITE
def test_stata_is_read_by_pandas_with_its_labels(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL))
    phone.post(instance("aldea", FEW))

    frame = pd.read_stata(io.BytesIO(analyst.file("aldea", "dta")))

    assert frame["pueblo"].astype(object).where(frame["pueblo"].notna(), None).tolist() == ["Naso Tjër Di", None]
    assert frame["bienes_bote"].astype(object).where(frame["bienes_bote"].notna(), None).tolist() == ["Sí", None]
    assert frame["dia"][0] == pd.Timestamp("2026-08-15")


CODES = "| | list_name | name | label |\n" + "\n".join(
    f"| | {name} | {code} | {label} |"
    for name, code, label in [
        ("n", "1", "uno"), ("n", "2", "dos"), ("n", "-99", "no responde"), ("t", "a", "A"), ("t", "b", "B"),
        ("z", "01", "cero"),
    ]
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_codes_are_themselves_where_they_are_numbers_and_none_gets_lost(
    desk: Desk, phone: Wire, analyst: Analyst, tmp_path: Path, kind: str
):
    desk.publish(form("codigos", questions("select_one n n", "select_one t t", "select_one z z"), choices=CODES))
    for n, t, z in [("1", "b", "01"), ("-99", "otra cosa", "1"), ("77", "a", "01"), ("mal", "c", "01")]:
        phone.post(instance("codigos", f"<n>{n}</n><t>{t}</t><z>{z}</z>"))

    frame, about = opened(tmp_path, analyst.file("codigos", kind), kind)

    labels = about.variable_value_labels
    assert list(frame["n"])[:2] == [1, -99]
    assert [labels["n"].get(code) for code in frame["n"]] == ["uno", "no responde", "77", "mal"]
    assert [labels["t"][code] for code in frame["t"]] == ["B", "otra cosa", "A", "c"]
    assert list(frame["t"])[0:3:2] == [2, 1]
    assert [labels["z"][code] for code in frame["z"]] == ["cero", "1", "cero", "cero"]


@pytest.mark.parametrize("kind", KINDS)
def test_codes_that_are_numbers_are_themselves_beside_words_too(
    desk: Desk, phone: Wire, analyst: Analyst, tmp_path: Path, kind: str
):
    codes = [("otro", "Otro"), ("1", "Uno"), ("98", "No sabe"), ("nada", "Nada"), ("100", "Cien")]
    lines = "\n".join(f"| | n | {code} | {label} |" for code, label in codes)
    choices = "| | list_name | name | label |\n" + lines
    desk.publish(form("mezcla", questions("select_one n n"), choices=choices))
    for code in ("98", "otro", "nada", "palabra", "55", "100"):
        phone.post(instance("mezcla", f"<n>{code}</n>"))

    frame, about = opened(tmp_path, analyst.file("mezcla", kind), kind)

    labels = about.variable_value_labels["n"]
    assert list(frame["n"]) == [98, 101, 102, 103, 55, 100]
    assert [labels[number] for number in frame["n"]] == ["No sabe", "Otro", "Nada", "palabra", "55", "Cien"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_keeps_its_number_when_a_version_adds_choices(
    desk: Desk, phone: Wire, analyst: Analyst, tmp_path: Path, kind: str
):
    def version(number: str, *codes: str) -> str:
        lines = "\n".join(f"| | f | {code} | {code} |" for code in codes)
        head = "| | list_name | name | label |\n"
        return form("frutas", questions("select_one f f"), choices=head + lines, version=number)

    desk.publish(version("1", "b", "c"))
    phone.post(instance("frutas", "<f>c</f>"))
    desk.publish(version("2", "a", "c"))
    phone.post(instance("frutas", "<f>a</f>", version="2"))

    frame, about = opened(tmp_path, analyst.file("frutas", kind), kind)

    assert list(frame["f"]) == [2, 3]
    assert about.variable_value_labels["f"] == {1: "b", 2: "c", 3: "a"}


TEXTS = ["ñ" * 100, "ü" * 200, "é" * 1_022 + "x", "á" * 1_023, "í" * 5_000, "ó" * 20_000, "", "fin"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("upto", [1, 2, 3, 4, 5, 6])
@ON_SQLITE
def test_texts_of_any_length_come_back_whole(
    desk: Desk, phone: Wire, analyst: Analyst, tmp_path: Path, kind: str, upto: int
):
    desk.publish(form("textos", questions("text t", "integer n")))
    texts = [*TEXTS[:upto], *TEXTS[-2:]]
    for number, text in enumerate(texts):
        phone.post(instance("textos", f"<t>{text}</t><n>{number}</n>"))

    frame, _ = opened(tmp_path, analyst.file("textos", kind), kind)

    told = list(frame["t"])
    if kind == "sav" and upto == 6:
        told = [first + second for first, second in zip(told, frame["t_2"], strict=True)]
    assert told == texts
    assert list(frame["n"]) == list(range(len(texts)))
    if kind == "dta":
        file = tmp_path / "tabla.dta"
        assert [text or "" for text in pd.read_stata(file)["t"]] == texts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("least", "most"),
    [
        (0, 100),
        (-127, 101),
        (-32_767, 32_740),
        (0, 32_741),
        (-2_147_483_647, 2_147_483_620),
        (0, 2**53),
        (0, 2**53 + 1),
    ],
)
@ON_SQLITE
def test_whole_numbers_come_back_exactly(
    desk: Desk, phone: Wire, analyst: Analyst, tmp_path: Path, kind: str, least: int, most: int
):
    desk.publish(form("cifras", questions("integer n")))
    for answer in (f"<n>{least}</n>", f"<n>{most}</n>", ""):
        phone.post(instance("cifras", answer))

    frame, _ = opened(tmp_path, analyst.file("cifras", kind), kind)

    if most > 2**53:
        assert list(frame["n"]) == [str(least), str(most), ""]
    else:
        assert [None if pd.isna(value) else int(value) for value in frame["n"]] == [least, most, None]


LONG = "que_bienes_tiene_el_hogar_en_su_casa_o_en_otra"


@pytest.mark.parametrize("kind", KINDS)
@ON_SQLITE
def test_names_are_those_that_the_program_takes(desk: Desk, analyst: Analyst, tmp_path: Path, kind: str):
    asked = [
        "integer if",
        "integer ALL",
        "integer año",
        "integer con-guion",
        "integer con.punto",
        f"select_multiple b {LONG}",
    ]
    choices = "| | list_name | name | label |\n| | b | radio | Radio |\n| | b | bote | Bote |\n"
    asked += ["text key", f"integer {LONG}x", "integer _x"]
    desk.publish(form("nombres", questions(*asked), choices=choices))

    frame, _ = opened(tmp_path, analyst.file("nombres", kind), kind)

    told = [name for name in frame.columns if not name.startswith("_")] if kind == "dta" else list(frame.columns)
    if kind == "dta":
        assert told == [
            "if_", "ALL", "ano", "con_guion", "con_punto", LONG[:32], f"{LONG[:25]}_radio", f"{LONG[:27]}_bote", "key",
            f"{LONG[:30]}_2",
        ]  # fmt: skip
    else:
        assert told[:12] == [
            "key_2", "if", "ALL_", "ano", "con_guion", "con_punto", LONG, f"{LONG}_radio", f"{LONG}_bote", "key", f"{LONG}x",
            "x",
        ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@ON_SQLITE
def test_long_labels_are_cut_where_the_program_must(desk: Desk, analyst: Analyst, tmp_path: Path, kind: str):
    long = "ñandú " * 60
    survey = f"| | type | name | label |\n| | select_one s | s | {long} |"
    desk.publish(form("largo", survey, choices=f"| | list_name | name | label |\n| | s | a | {long} |"))

    _, about = opened(tmp_path, analyst.file("largo", kind), kind)

    label, value = about.column_names_to_labels["s"], about.variable_value_labels["s"][1]
    if kind == "dta":
        assert (len(label), label[-1]) == (80, "…")
        assert value == long.strip()
    else:
        assert (250 <= len(label.encode()) <= 255, label[-1]) == (True, "…")
        assert (115 <= len(value.encode()) <= 120, value[-1]) == (True, "…")


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_table_and_a_repeat(desk: Desk, phone: Wire, analyst: Analyst, tmp_path: Path, kind: str):
    desk.publish(VILLAGE)
    empty, _ = opened(tmp_path, analyst.file("aldea", kind), kind)
    phone.post(instance("aldea", FULL, instance_id="uuid:1"))

    files = analyst.zip("aldea", f"{kind}.zip")

    assert len(empty) == 0
    tables = {name: opened(tmp_path, data, kind)[0] for name, data in files.items() if name.endswith(kind)}
    assert {name: len(frame) for name, frame in tables.items()} == {
        f"aldea.{kind}": 1, f"aldea-persona.{kind}": 2, f"aldea-visita.{kind}": 2, f"aldea-animal.{kind}": 1,
    }  # fmt: skip
    key = "_parent_key" if kind == "dta" else "parent_key"
    assert list(tables[f"aldea-visita.{kind}"][key]) == ["uuid:1/persona[1]", "uuid:1/persona[1]"]


@ON_SQLITE
@pytest.mark.parametrize("kind", KINDS)
def test_a_table_wider_than_the_program_takes_is_refused(
    desk: Desk, analyst: Analyst, monkeypatch: pytest.MonkeyPatch, kind: str
):
    monkeypatch.setattr(f"server.extracts.{'stata' if kind == 'dta' else 'spss'}.MOST_VARIABLES", 5)
    desk.publish(form("textos", questions("text t")))

    assert analyst.refused("textos", kind) == (400, 400.8, {"table": "textos", "columns": 12})


def test_pieces_of_a_long_text_are_cut_between_letters():
    text = ("ñ" * 16_384 + "x" + "ñ" * 16_400).encode()  # byte 32,768 is the second one of a letter

    pieces = spss._pieces(text, 4)

    assert [len(piece) for piece in pieces] == [32_766, 32_767, 36, 0]
    assert "".join(piece.decode() for piece in pieces).encode() == text

"""The codebook: what it says of columns and codes, in XLSX, in HTML, and beside the data."""

from __future__ import annotations

import io

import openpyxl
import pandas as pd
import pytest

from tests.server.desk import ON_SQLITE, Desk, form, questions
from tests.server.extracts.asking import Analyst
from tests.server.extracts.village import VILLAGE
from tests.server.wire import Wire

SURVEY = """
| | type | name | label::Español (es) | label::English (en) | relevant | privacy |
| | integer | edad | Edad | Age | | quasi |
| | begin group | casa | Casa | House | ${edad} > 17 | |
| | text | nombre | ¿Cómo se llama? | What is your name? | | direct |
| | select_one si | voto | ¿Votó? | Did you vote? | ${nombre} != '' | |
| | end group | | | | | |
"""
CHOICES = """
| | list_name | name | label::Español (es) | label::English (en) |
| | si | si | Sí | Yes |
| | si | no | No | No |
"""


def sheet(data: bytes, name: str) -> pd.DataFrame:
    return pd.read_excel(io.BytesIO(data), sheet_name=name, dtype=str, keep_default_na=False)


def book(analyst: Analyst, form_id: str, **options: str) -> bytes:
    answer = analyst.get(form_id, "codebook.xlsx", **options)
    assert answer.status == 200, answer.body
    return answer.body


def test_columns_are_described_in_the_forms_languages(desk: Desk, analyst: Analyst):
    desk.publish(form("voto", SURVEY, choices=CHOICES, default_language="Español (es)"))

    columns = sheet(book(analyst, "voto"), "columnas").set_index("columna")

    assert columns.loc["voto"].to_dict() == {
        "tabla": "voto",
        "stata": "voto",
        "spss": "voto",
        "tipo": "texto",
        "etiqueta": "¿Votó?",
        "label::Español (es)": "¿Votó?",
        "label::English (en)": "Did you vote?",
        "pregunta": "/casa/voto",
        "se pregunta si": "(/data/edad  > 17) and (/data/casa/nombre  != '')",
        "versiones que la preguntan": "1",
        "privacidad": "",
        "se entrega": "tal como se respondió",
        "sin valor": "en blanco: no se preguntó o no se respondió",
    }
    assert list(columns["privacidad"][["edad", "nombre"]]) == ["quasi", "direct"]
    assert columns.loc["_key", ["stata", "spss"]].tolist() == ["_key", "key"]
    assert columns.loc["edad", "sin valor"].endswith("(está entre las observaciones)")


def test_codes_are_listed_with_their_numbers(desk: Desk, analyst: Analyst):
    desk.publish(form("voto", SURVEY, choices=CHOICES, default_language="Español (es)"))

    choices = sheet(book(analyst, "voto", language="en"), "choices")

    assert choices.values.tolist() == [
        ["voto", "voto", "si", "1", "Yes", "Sí", "Yes"],
        ["voto", "voto", "no", "2", "No", "No", "No"],
    ]


def test_it_says_which_versions_ask_a_question(desk: Desk, analyst: Analyst):
    desk.publish(form("hogar", questions("integer edad", "text viejo")))
    desk.publish(form("hogar", questions("integer edad", "text nuevo"), version="2"))

    columns = sheet(book(analyst, "hogar"), "columnas").set_index("columna")["versiones que la preguntan"]

    assert columns[["edad", "nuevo", "viejo"]].tolist() == ["1, 2", "2", "1"]


@ON_SQLITE
def test_the_page_holds_the_same_and_nothing_that_runs(desk: Desk, analyst: Analyst):
    label = "<script>alert(1)</script> & ñ"
    desk.publish(form("hogar", f"| | type | name | label |\n| | text | t | {label} |"))

    page = analyst.get("hogar", "codebook.html")

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<script" not in page.body.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; ñ" in page.body.decode()
    read = pd.read_html(io.BytesIO(page.body), keep_default_na=False, encoding="utf-8")
    assert list(read[1]["columna"])[:2] == ["_key", "t"]


@ON_SQLITE
@pytest.mark.parametrize("kind", ["csv", "parquet", "dta", "sav"])
def test_it_goes_with_the_data(desk: Desk, analyst: Analyst, kind: str):
    desk.publish(VILLAGE)

    files = analyst.zip("aldea", f"{kind}.zip")

    assert sorted(files)[-2:] == ["codebook.html", "codebook.xlsx"]
    assert sheet(files["codebook.xlsx"], "columnas")["tabla"].unique().tolist() == [
        "aldea", "aldea-persona", "aldea-visita", "aldea-animal",
    ]  # fmt: skip


@ON_SQLITE
def test_a_workbook_of_data_holds_it(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)

    names = openpyxl.load_workbook(io.BytesIO(analyst.file("aldea", "xlsx"))).sheetnames

    assert names == ["aldea", "persona", "visita", "animal", "extracto", "columnas", "opciones"]

"""Letters of the languages of Panama come through whole, however a phone or a keyboard writes them."""

from __future__ import annotations

import io
import unicodedata

import openpyxl
import pandas as pd
import pytest

from tests.server.api.clients import client
from tests.server.desk import Desk, form
from tests.server.indicators.measuring import declare
from tests.server.wire import Wire, instance

NAMES = ["Ñürüm", "Müna", "Naso Tjër Di", "Emberá", "Ngäbe-Buglé"]
SURVEY = (
    "| | type | name | label | privacy |\n| | select_one d | distrito | Distrito | |\n| | text | lugar | Lugar | open |"
)
CHOICES = "| | list_name | name | label |\n" + "\n".join(f"| | d | {name.split()[0]} | {name} |" for name in NAMES)


def written(text: str, how: str) -> str:
    return unicodedata.normalize(how, text)


def asked(form_: str) -> str:
    return form("visita", written(SURVEY, form_), choices=written(CHOICES, form_))


@pytest.mark.parametrize("phone_writes", ["NFC", "NFD"])
@pytest.mark.parametrize("workbook_writes", ["NFC", "NFD"])
def test_practice_22_names_survive_import_and_export(desk: Desk, phone: Wire, workbook_writes: str, phone_writes: str):
    desk.publish(asked(workbook_writes))
    for number, name in enumerate(NAMES):
        answers = f"<distrito>{name.split()[0]}</distrito><lugar>{name}</lugar>"
        sent = instance("visita", written(answers, phone_writes), instance_id=f"uuid:{number}")
        assert phone.post(sent).status == 201
        assert desk.xml_of(f"uuid:{number}") == sent  # byte for byte, as it was written

    viewer = client(desk, phone.send, "viewer")

    def get(path: str) -> bytes:
        answer = viewer.ask(f"/forms/visita/{path}")
        assert answer.status == 200, answer.content
        return answer.content

    plain, marked = get("extract.csv?labels=true"), get("extract.csv?labels=true&bom=true")
    assert (plain[:3] == b"\xef\xbb\xbf", marked == b"\xef\xbb\xbf" + plain) == (False, True)
    read = pd.read_csv(io.BytesIO(marked), encoding="utf-8-sig")
    assert sorted(read["lugar"]) == sorted(NAMES)
    assert sorted(read["distrito"]) == sorted(NAMES)
    sheet = openpyxl.load_workbook(io.BytesIO(get("extract.xlsx?labels=true"))).worksheets[0]
    header, *rows = list(sheet.iter_rows(values_only=True))
    assert sorted(str(row[header.index("lugar")]) for row in rows) == sorted(NAMES)
    central = pd.read_csv(io.BytesIO(get("submissions.csv")))
    assert sorted(central["lugar"]) == sorted(NAMES)


def test_practice_22_one_name_is_one_category_however_it_was_written(desk: Desk, phone: Wire):
    desk.publish(asked("NFC"))
    for number, how in enumerate(("NFC", "NFD", "NFC")):
        phone.post(instance("visita", written("<lugar>Ñürüm</lugar>", how), instance_id=f"uuid:{number}"))
    declare(
        desk,
        "| indicators |\n| | name | label | type | form | numerator | disaggregate | minimum_n |\n"
        f"| | N | N | count | visita | ${{lugar}} = '{written('Ñürüm', 'NFD')}' | lugar | 1 |",
    )

    told = client(desk, phone.send, "manager").json("/indicators/N/values?by=lugar&period=all")

    assert [(one["categories"]["lugar"], one["value"]) for one in told["values"]] == [("Ñürüm", 3.0)]

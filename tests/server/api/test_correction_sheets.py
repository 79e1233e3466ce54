"""The round trip by workbook: answers downloaded, corrected in a spreadsheet, taken back by row or refused by cell."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from flask import Flask
from openpyxl.worksheet.worksheet import Worksheet

from server.cleaning import sheets
from tests.helpers.workbooks import repacked, xlsx
from tests.server.api.clients import Client, client
from tests.server.desk import ON_SQLITE, Desk, form
from tests.server.wire import Wire, instance, to_app

HOUSE = form(
    "hogar",
    """
| | type                  | name   | label            |
| | integer               | edad   | ¿Qué edad tiene? |
| | decimal               | area   | Área             |
| | text                  | dice   | Dice             |
| | date                  | fecha  | Fecha            |
| | time                  | hora   | Hora             |
| | dateTime              | inicio | Inicio           |
| | select_one sexo       | sexo   | Sexo             |
| | begin repeat          | m      | Alguien          |
| | text                  | n      | Nombre           |
| | integer               | anios  | Años             |
| | end repeat            |        |                  |
""",
    choices="""
| | list_name | name   | label  |
| | sexo      | mujer  | Mujer  |
| | sexo      | hombre | Hombre |
""",
)
SHEET = "/forms/hogar/corrections.xlsx"
HEADERS = ["registro", "fila", "pregunta", "valor anterior", "valor nuevo", "motivo"]


def house(
    name: str = "A", *, before: str | None = None, dice: str = "=1+1", edad: str = "treinta", **more: str
) -> bytes:
    answers = f"<edad>{edad}</edad><dice>{dice}</dice><sexo>mujer</sexo>"
    answers += "".join(f"<{question}>{text}</{question}>" for question, text in more.items())
    answers += "<m><n>Añá</n><anios>x7</anios></m><m><n>Beto</n><anios>40</anios></m>"
    return instance("hogar", answers, instance_id=f"uuid:{name}", deprecated_id=f"uuid:{before}" if before else None)


@pytest.fixture
def at(desk: Desk, phone: Wire) -> Desk:
    """A desk with two houses, of which each has two answers that do not fit their types."""
    desk.publish(HOUSE)
    for name in "AB":
        assert phone.post(house(name)).status == 201
    return desk


@pytest.fixture
def manager(at: Desk, app: Flask) -> Client:
    return client(at, to_app(app), "manager")


def download(who: Client, query: str = "") -> bytes:
    answer = who.ask(f"{SHEET}{query}")
    assert answer.status == 200, answer.content
    return answer.content


def upload(who: Client, data: bytes, *, dry: bool = False, status: int = 200) -> Any:
    answer = who.ask(f"{SHEET}{'?dryRun=true' if dry else ''}", "POST", data)
    assert answer.status == status, answer.content
    return json.loads(answer.content)


def lines(data: bytes) -> list[dict[str, Any]]:
    """The rows of the sheet, by heading."""
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    headings, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, headings), row, strict=True)) for row in rows]


def edited(data: bytes, change: Callable[[Worksheet, dict[str, int]], None]) -> bytes:
    """The workbook as a spreadsheet program saves it after somebody wrote in it; columns by heading."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book.worksheets[0]
    change(sheet, {str(cell.value): cell.column for cell in sheet[1]})
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def corrected(data: bytes, new: dict[int, Any], reason: str | None = "revisado con la boleta") -> bytes:
    """New values by Excel's row number."""

    def change(sheet: Worksheet, columns: dict[str, int]) -> None:
        for number, value in new.items():
            sheet.cell(number, columns["valor nuevo"], value)
            if isinstance(value, str) and value.startswith("="):
                sheet.cell(number, columns["valor nuevo"]).data_type = "s"
            sheet.cell(number, columns["motivo"], reason)

    return edited(data, change)


def own(*rows: tuple[object, ...], headers: list[str] = HEADERS) -> bytes:
    """A workbook that somebody made by hand."""
    return xlsx({"Correcciones": [headers, *rows]})


def cells(problem: Any) -> list[tuple[int | None, str | None, str]]:
    assert problem["code"] == 400.51, problem
    return [(one["row"], one["column"], one["es"]) for one in problem["details"]["findings"]]


def test_flagged_answers_are_given_out(manager: Client):
    found = lines(download(manager))

    assert [(one["registro"], one["fila"], one["pregunta"], one["valor anterior"]) for one in found] == [
        ("uuid:A", None, "/edad", "treinta"),
        ("uuid:A", "uuid:A/m[1]", "/m/anios", "x7"),
        ("uuid:B", None, "/edad", "treinta"),
        ("uuid:B", "uuid:B/m[1]", "/m/anios", "x7"),
    ]
    assert (found[0]["etiqueta"], found[0]["señalado"], found[0]["qué se espera"]) == (
        "¿Qué edad tiene?", "builtin:type", "un número entero",
    )  # fmt: skip
    assert {one["valor nuevo"] for one in found} == {None}


def test_only_the_new_value_and_the_reason_can_be_written(manager: Client):
    book = openpyxl.load_workbook(io.BytesIO(download(manager, "?language=en")))
    sheet = book.worksheets[0]

    assert (book.sheetnames, sheet.protection.sheet) == (["Corrections", "How to"], True)
    open_ = {str(sheet.cell(1, cell.column).value) for cell in sheet[2] if not cell.protection.locked}
    assert open_ == {"new value", "reason"}
    assert sheet.column_dimensions["J"].hidden


def test_any_answers_are_given_out_by_question_and_record(manager: Client):
    by_name = lines(download(manager, "?question=dice&record=uuid:B"))
    of_rows = lines(download(manager, "?question=/m/n,sexo&record=uuid:A"))

    assert [(one["registro"], one["valor anterior"]) for one in by_name] == [("uuid:B", "=1+1")]
    assert [(one["fila"], one["pregunta"], one["valor anterior"], one["qué se espera"]) for one in of_rows] == [
        (None, "/sexo", "mujer", "mujer, hombre"),
        ("uuid:A/m[1]", "/m/n", "Añá", None),
        ("uuid:A/m[2]", "/m/n", "Beto", None),
    ]
    assert [one["registro"] for one in lines(download(manager, "?question=dice"))] == ["uuid:A", "uuid:B"]
    assert lines(download(manager, "?check=builtin:unknown")) == []
    manager.refused(f"{SHEET}?question=apellido", 404.1)
    manager.refused(f"{SHEET}?question=dice&record=uuid:Z", 404.1)


def test_what_is_written_is_applied(at: Desk, manager: Client):
    data = corrected(download(manager), {2: 30, 3: "7", 4: "[en blanco]"})

    would = upload(manager, data, dry=True)
    assert ([row["line"] for row in would["applied"]], would["refused"], would["dryRun"]) == ([2, 3, 4], [], True)
    assert [row["edad"] for row in at.rows("hogar")] == [None, None]

    done = upload(manager, data)
    assert at.audited()[-4:] == [*["submission.correction.create"] * 3, "form.correction.import"]

    assert [(row["line"], row["question"], row["oldValue"], row["newValue"]) for row in done["applied"]] == [
        (2, "/edad", "treinta", "30"),
        (3, "/m/anios", "x7", "7"),
        (4, "/edad", "treinta", None),
    ]
    assert [row["edad"] for row in at.rows("hogar")] == [30, None]
    assert [row["anios"] for row in at.rows("hogar", "/m")] == [7, 40, None, 40]
    assert [(flag.path, flag.text) for flag in at.flags("hogar") if flag.state == "open"] == [("/m/anios", "x7")]
    assert {one["reason"] for one in manager.json("/forms/hogar/corrections")} == {"revisado con la boleta"}
    assert at.failures() == []


def test_sent_again_nothing_is_applied_twice(manager: Client):
    data = corrected(download(manager), {2: 30})
    upload(manager, data)

    again = upload(manager, data)

    assert (again["applied"], again["refused"], again["unchanged"]) == ([], [], 1)
    assert len(manager.json("/forms/hogar/corrections")) == 1
    other = upload(manager, corrected(data, {2: 31}))
    assert (other["applied"], [row["line"] for row in other["refused"]]) == ([], [2])
    assert "dice «30»" in other["refused"][0]["reason"]["es"]


def test_a_record_named_by_two_of_its_ids_is_corrected_once(at: Desk, manager: Client, phone: Wire):
    phone.post(house("A2", before="A"))
    data = own(
        ("uuid:A2", "", "/edad", "treinta", 30, "por teléfono"),
        ("uuid:A", "", "/edad", "treinta", 31, "por la boleta"),
    )

    assert cells(upload(manager, data, status=400)) == [(3, "C", "La misma respuesta está en la fila 2.")]
    assert [row["edad"] for row in at.rows("hogar")] == [None, None]


def test_stale_rows_are_refused_by_name_and_the_others_applied(at: Desk, manager: Client, phone: Wire):
    data = corrected(download(manager), {2: 30, 3: 7, 4: 31, 5: 8})
    phone.post(house("A2", before="A", edad="29"))
    phone.post(house("B2", before="B").replace(b"<m><n>A\xc3\xb1\xc3\xa1</n><anios>x7</anios></m>", b""))

    done = upload(manager, data)

    assert [(row["line"], row["newValue"]) for row in done["applied"]] == [(3, "7"), (4, "31")]
    assert [(row["line"], row["reason"]["es"]) for row in done["refused"]] == [
        (2, "/edad dice «29» y no «treinta»; no se cambió nada."),
        (5, "La fila ya no está en el registro."),
    ]
    assert [row["edad"] for row in at.rows("hogar")] == [29, 31]


def test_a_record_that_got_another_id_meanwhile_is_found(at: Desk, manager: Client, phone: Wire):
    phone.post(house("D", before="C"))  # the original has not arrived, nor what it edited
    data = corrected(download(manager, "?record=uuid:C"), {2: 30})
    phone.post(house("C", before="B0"))

    done = upload(manager, data)

    assert [(row["record"], row["newValue"]) for row in done["applied"]] == [("uuid:B0", "30")]


def test_text_like_a_formula_comes_back_as_it_was(at: Desk, manager: Client):
    data = download(manager, "?question=dice&record=uuid:A")
    assert b"<f>" not in b"".join(zipfile.ZipFile(io.BytesIO(data)).read(part) for part in _parts(data))

    done = upload(manager, corrected(data, {2: "+507 6000-0000"}))

    assert [row["oldValue"] for row in done["applied"]] == ["=1+1"]
    assert at.rows("hogar")[0]["dice"] == "+507 6000-0000"


@pytest.mark.parametrize(
    "text", ["línea 1\nlínea 2", "  con espacios  ", "x" * 40_000, "😀" * 9_000, "_x000D_", "'apóstrofo"]
)
@ON_SQLITE
def test_any_old_value_is_known_again(at: Desk, manager: Client, phone: Wire, text: str):
    phone.post(house("C", dice=text))

    done = upload(manager, corrected(download(manager, "?question=dice&record=uuid:C"), {2: "otro"}))

    assert (len(done["applied"]), done["refused"]) == (1, [])
    assert done["applied"][0]["oldValue"] == text


@pytest.mark.parametrize(
    ("question", "written", "column", "value"),
    [
        ("edad", 35, "edad", 35),
        ("edad", 35.0, "edad", 35),
        ("edad", " 35 ", "edad", 35),
        ("area", 3.25, "area", 3.25),
        ("fecha", dt.date(2026, 3, 31), "fecha", dt.date(2026, 3, 31)),
        ("fecha", "2026-03-31", "fecha", dt.date(2026, 3, 31)),
        ("hora", dt.time(8, 30), "hora", dt.time(8, 30)),
        ("sexo", "hombre", "sexo", "hombre"),
        ("dice", 12, "dice", "12"),
    ],
)
@ON_SQLITE
def test_cells_of_a_spreadsheet_are_read_as_their_question_wants(
    at: Desk, manager: Client, question: str, written: object, column: str, value: object
):
    data = download(manager, f"?question={question}&record=uuid:A")

    upload(manager, corrected(data, {2: written}))

    assert at.rows("hogar")[0][column] == value


def test_an_upload_of_another_shape_is_refused_whole_with_every_cell(at: Desk, manager: Client):
    before = at.tables("hogar")
    data = own(
        ("uuid:A", "", "/edad", "treinta", 30, "bien"),
        ("uuid:Z", "", "/edad", "treinta", 30, "no existe"),
        ("uuid:A", "uuid:A/m[9]", "/m/anios", "x7", 7, "sin fila"),
        ("uuid:A", "", "/apellido", "", "Gil", "sin pregunta"),
        ("uuid:B", "", "/edad", "treinta", "treinta y uno", "otro tipo"),
        ("uuid:B", "", "/sexo", "mujer", "otro", "sin opción"),
        ("uuid:B", "", "/inicio", "", dt.datetime(2026, 3, 31, 8, 30), "sin zona"),  # noqa: DTZ001  a cell has no zone
        ("uuid:B", "", "/dice", "=1+1", "=2+2", "fórmula"),
        ("uuid:B", "", "/fecha", "", "2026-03-31", ""),
        ("uuid:A", "uuid:A", "/edad", "treinta", 31, "dos veces"),
        ("uuid:B", "", "/m/n", "Beto", "Berto", "otra fila"),
    )

    found = cells(upload(manager, data, status=400))

    assert [(row, column) for row, column, _ in found] == [
        (3, "A"), (4, "B"), (5, "C"), (6, "E"), (7, "E"), (8, "E"), (9, "D"), (9, "E"), (10, "F"), (11, "C"), (12, "C"),
    ]  # fmt: skip
    told = {(row, column): es for row, column, es in found}
    assert told[3, "A"] == "El formulario no tiene ningún envío «uuid:Z»."
    assert told[6, "E"] == "«treinta y uno» no es un número entero."
    assert told[7, "E"] == "«otro» no es una opción de esta pregunta: mujer, hombre."
    assert told[9, "E"] == "Una fórmula: escriba el valor."
    assert told[10, "F"] == "Diga por qué se corrige."
    assert told[11, "C"] == "La misma respuesta está en la fila 2."
    assert cells(upload(manager, data, status=400, dry=True)) == found
    assert (at.tables("hogar"), manager.json("/forms/hogar/corrections")) == (before, [])


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([*HEADERS, "nota"], [(1, "G", "Columna ajena: «nota». Bórrela.")]),
        (HEADERS[:-1], [(1, None, "Falta la columna «motivo».")]),
        ([*HEADERS, "motivo"], [(1, "G", "«motivo» está dos veces.")]),
        (["a", "b"], [
            (1, "A", "Columna ajena: «a». Bórrela."),
            (1, "B", "Columna ajena: «b». Bórrela."),
            *((1, None, f"Falta la columna «{name}».") for name in HEADERS if name != "fila"),
        ]),
    ],
)  # fmt: skip
@ON_SQLITE
def test_foreign_and_missing_columns_are_all_told(manager: Client, headers: list[str], found: list[Any]):
    assert cells(upload(manager, own(("uuid:A",), headers=headers), status=400)) == found


def test_columns_in_english_or_in_another_order_will_do(at: Desk, manager: Client):
    data = own(
        ("revisado", 30, "treinta", "/edad", "uuid:A"),
        headers=["Reason", "new value", "old value", "question", "record"],
    )

    assert [row["newValue"] for row in upload(manager, data)["applied"]] == ["30"]
    assert at.rows("hogar")[0]["edad"] == 30


@ON_SQLITE
def test_values_outside_of_the_columns_and_faults_of_excel_are_told(manager: Client):
    data = edited(
        own(("uuid:A", "", "/edad", "treinta", "#REF!", "x")), lambda sheet, _: sheet.cell(2, 9, "nota al margen")
    )

    assert [(row, column) for row, column, _ in cells(upload(manager, data, status=400))] == [(2, "E"), (2, "I")]


@ON_SQLITE
def test_more_rows_than_a_workbook_may_have_are_refused(manager: Client):
    filled = [("uuid:A", "", "/edad", "treinta", 30, "x")] * (sheets.MOST_NEW + 1)
    unfilled = [("uuid:A", "", "/edad", "treinta")] * (sheets.MOST_LINES + 1)

    found = [cells(upload(manager, own(*rows), status=400)) for rows in (filled, unfilled)]

    limit = "El libro es demasiado grande: el límite es de"
    assert found == [[(None, None, f"{limit} 2,000 valores nuevos.")], [(None, None, f"{limit} 5,000 filas.")]]


def _parts(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.namelist()


def bomb() -> bytes:
    """Little to send, and 200 MB to unpack."""

    def swell(name: str, content: bytes) -> bytes:
        return content + b" " * 200_000_000 if name.endswith("sheet1.xml") else content

    return repacked(own(("uuid:A",)), swell)


def crowd(part: str, after: bytes, element: bytes, count: int) -> bytes:
    """A hundred kilobytes to send and little to unpack, but a million elements to read."""
    data = own(("uuid:A", "", "/edad", "treinta", 30, "x"))
    return repacked(data, lambda name, c: c.replace(after, after + element * count, 1) if name == part else c)


def shrunk() -> bytes:
    """A workbook that says that it ends where its first row does."""
    data = own(("uuid:A", "", "/edad", "treinta", "x", "x"))
    return repacked(data, lambda _, content: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:F1"', content))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (lambda: b"", "no es un libro de Excel"),
        (lambda: b"PK\x03\x04 nada", "no es un libro de Excel"),
        (lambda: b"registro,pregunta\n", "no es un libro de Excel"),
        (lambda: own(("uuid:A",))[:-300], "no es un libro de Excel"),
        (bomb, "demasiado grande"),
        (lambda: crowd("xl/worksheets/sheet1.xml", b"<sheetData>", b"<row/>", 900_000), "demasiado grande"),
        (lambda: crowd("xl/workbook.xml", b"<sheets>", b"<sheet/>", 200_000), "demasiado grande"),
        (lambda: repacked(own(("uuid:A",)), lambda name, c: b"<x" if "sheet1" in name else c), "está dañado"),
        (lambda: xlsx({"a": [HEADERS], "b": [HEADERS]}), "ninguna hoja «Correcciones»"),
        (shrunk, "no es un número entero"),
    ],
)
@ON_SQLITE
def test_what_is_no_workbook_of_corrections_is_told(manager: Client, data: Callable[[], bytes], told: str):
    (found,) = cells(upload(manager, data(), status=400))

    assert told in found[2]


@ON_SQLITE
def test_a_body_beyond_the_limit_is_refused(manager: Client):
    assert upload(manager, b"x" * (10 * 2**20 + 1), status=413)["code"] == 413.1


@pytest.mark.parametrize(
    ("role", "reads", "writes"), [("viewer", 200, 403), ("formfill", 403, 403), ("nobody", 401, 401)]
)
def test_who_may_download_and_upload(at: Desk, app: Flask, role: str, reads: int, writes: int):
    who = client(at, to_app(app), role)

    assert who.ask(SHEET).status == reads
    assert who.ask(SHEET, "POST", b"not even read").status == writes


CONSENT = form(
    "visita",
    """
| | type     | name   | label      | consent | privacy |
| | text     | acepta | ¿Ubicación?|         |         |
| | geopoint | lugar  | Lugar      | ${acepta} = 'yes' | direct |
""",
)


@ON_SQLITE
def test_what_nobody_allowed_is_refused_by_name(desk: Desk, app: Flask, phone: Wire):
    desk.publish(CONSENT)
    phone.post(instance("visita", "<acepta>no</acepta>", instance_id="uuid:V"))
    manager = client(desk, to_app(app), "manager")
    data = own(("uuid:V", "", "/lugar", "", "8.98 -79.52", "x"), ("uuid:V", "", "/acepta", "no", "nunca", "x"))

    for dry in (True, False):
        answer = manager.ask(f"/forms/visita/corrections.xlsx?dryRun={str(dry).lower()}", "POST", data)
        told = json.loads(answer.content)
        assert [row["question"] for row in told["applied"]] == ["/acepta"]
        assert [(row["line"], row["reason"]["es"]) for row in told["refused"]] == [
            (2, "/lugar no se puede guardar: la respuesta a /acepta no lo permite.")
        ]

"""XLSX extracts: read back with openpyxl, cell by cell."""

from __future__ import annotations

import io
from datetime import date, datetime, time

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from server.extracts import spreadsheet
from tests.server.desk import ON_SQLITE, Desk, form, questions
from tests.server.extracts.asking import Analyst
from tests.server.extracts.village import FEW, FULL, VILLAGE
from tests.server.wire import Wire, instance

MIDNIGHT = time(0, 0)


def opened(data: bytes) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def lines(book: Workbook, sheet: str) -> list[list[object]]:
    return [list(row) for row in book[sheet].iter_rows(values_only=True)]


def column(book: Workbook, sheet: str, name: str) -> list[object]:
    header, *rows = lines(book, sheet)
    return [row[header.index(name)] for row in rows]


def test_every_table_is_a_sheet_of_typed_cells(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL, instance_id="uuid:1"))
    phone.post(instance("aldea", FEW, instance_id="uuid:2"))

    book = opened(analyst.file("aldea", "xlsx", zone="America/Panama"))

    assert book.sheetnames[:4] == ["aldea", "persona", "visita", "animal"]
    header, first, second = lines(book, "aldea")
    told = dict(zip(header, first, strict=True))
    assert {
        name: told[name] for name in ("_key", "nombre", "cuartos", "agua", "pueblo", "bienes/3", "gps_longitude")
    } == {
        "_key": "uuid:1",
        "nombre": "Ñürüm «del río»",
        "cuartos": 3,
        "agua": 2.5,
        "pueblo": "naso",
        "bienes/3": 1,
        "gps_longitude": -81.25,
    }
    assert told["dia"] == datetime.fromisoformat("2026-08-15")
    assert told["hora"] == time(17, 37)
    assert told["momento"] == datetime.fromisoformat("2026-08-15T23:30:00.125")
    assert told["_encrypted"] is False
    assert dict(zip(header, second, strict=True))["cuartos"] is None
    assert column(book, "visita", "_parent_key") == ["uuid:1/persona[1]", "uuid:1/persona[1]"]


TEXTS = ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "+507 6123-4567", "-", "http://a.b", "007"]


def test_a_text_that_looks_like_a_formula_is_a_text_and_stays_one(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(form("textos", questions("text t")))
    for text in TEXTS:
        phone.post(instance("textos", f"<t>{text}</t>"))

    sheet = opened(analyst.file("textos", "xlsx"))["textos"]

    cells = [row[1] for row in sheet.iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == TEXTS
    assert [cell.data_type for cell in cells] == ["s"] * len(TEXTS)
    assert [bool(cell.quotePrefix) for cell in cells] == [True, True, True, False, False, False, False]
    assert [cell.hyperlink for cell in cells] == [None] * len(TEXTS)


@ON_SQLITE
def test_a_text_that_no_cell_holds_stands_on_a_sheet_of_its_own(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(form("textos", questions("text t", "text u")))
    long, fits, wide = "ñ" * 50_000, "x" * 32_767, "😀" * 20_000
    phone.post(instance("textos", f"<t>{long}</t><u>{fits}</u>"))
    phone.post(instance("textos", f"<t>{wide}</t>"))

    book = opened(analyst.file("textos", "xlsx"))

    assert column(book, "textos", "t") == ["→ long_texts: textos B2", "→ long_texts: textos B3"]
    assert column(book, "textos", "u") == [fits, None]
    pieces = lines(book, "long_texts")[1:]
    assert "".join(text for sheet, cell, text in pieces if cell == "B2") == long  # type: ignore[misc]
    assert "".join(text for sheet, cell, text in pieces if cell == "B3") == wide  # type: ignore[misc]


@ON_SQLITE
def test_more_rows_than_a_sheet_takes_go_on_in_the_next(
    desk: Desk, phone: Wire, analyst: Analyst, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(spreadsheet, "MOST_ROWS", 3)
    desk.publish(form("textos", questions("text t")))
    for number in range(5):
        phone.post(instance("textos", f"<t>{number}</t>"))

    book = opened(analyst.file("textos", "xlsx"))

    told = [column(book, name, "t") for name in ("textos", "textos (2)", "textos (3)")]
    assert told == [["0", "1"], ["2", "3"], ["4"]]


@ON_SQLITE
def test_a_table_wider_than_a_sheet_is_refused(desk: Desk, analyst: Analyst, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spreadsheet, "MOST_COLUMNS", 5)
    desk.publish(form("textos", questions("text t")))

    assert analyst.refused("textos", "xlsx") == (400, 400.8, {"table": "textos", "columns": 12})


@ON_SQLITE
def test_numbers_and_days_that_excel_would_change_are_text(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(form("cifras", questions("integer n", "date d")))
    phone.post(instance("cifras", "<n>9007199254740993</n><d>1900-02-28</d>"))
    phone.post(instance("cifras", "<n>-5</n><d>1900-03-01</d>"))

    book = opened(analyst.file("cifras", "xlsx"))

    assert column(book, "cifras", "n") == ["9007199254740993", -5]
    assert column(book, "cifras", "d") == ["1900-02-28", datetime.combine(date(1900, 3, 1), MIDNIGHT)]


@ON_SQLITE
def test_sheets_of_long_and_unfit_names_are_told_apart(desk: Desk, analyst: Analyst):
    long = "repeticion_de_nombre_larguisimo_"
    repeats = [f"begin repeat {long}a", "text x", "end repeat", f"begin repeat {long}b", "text x", "end repeat"]
    desk.publish(form("censo ñ/1", questions(*repeats)))

    names = opened(analyst.file("censo ñ/1", "xlsx")).sheetnames

    assert names[:3] == ["censo ñ_1", "repeticion_de_nombre_larguisimo", "repeticion_de_nombre_largui (2)"]

"""Whatever file is given as a workbook, the answer is a form or a problem that a person understands, and soon."""

from __future__ import annotations

import functools
import io
import random
import time
import zipfile

import pytest
import xlwt
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree
from pyxform.xls2json_backends import get_xlsform

from forms import formula_cells, spreadsheets, workbook
from forms.library import bundled
from forms.problems import Problem
from tests.helpers.workbooks import repacked, xls, xlsx

FORM = {"survey": [["type", "name", "label"], ["text", "a", "A"]], "settings": [["form_id", "version"], ["f", "1"]]}
DOCTYPE = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def refusal(data: bytes, filename: str = "form.xlsx") -> str:
    with pytest.raises(Problem) as caught:
        workbook.compile(data, filename)
    assert caught.value.code == 400.15
    return caught.value.say("es").removeprefix("El archivo no es un XLSForm válido: ")


def archive(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name.replace("__", "/"), content)
    return file.getvalue()


@functools.cache
def old_workbook() -> bytes:
    return xls(FORM)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "El archivo está vacío."),
        (b"%PDF-1.7\n%...", "El archivo no es un libro de Excel: es un PDF. Suba un archivo .xlsx, .xls o .md."),
        (
            b"\n<!DOCTYPE html><html></html>",
            "El archivo no es un libro de Excel: es una página web (HTML). Suba un archivo .xlsx, .xls o .md.",
        ),
        (
            bytes(range(256)),
            "El archivo no es un libro de Excel: es de otro tipo. Suba un archivo .xlsx, .xls o .md.",
        ),
        (
            b"type,name,label\ntext,a,A\n",
            "El archivo no es un libro de Excel: es un texto. Suba un archivo .xlsx, .xls o .md.",
        ),
        (
            archive(photo=b"x"),
            "El archivo no es un libro de Excel: es un archivo comprimido (zip). Suba un archivo .xlsx, .xls o .md.",
        ),
        (
            archive(**{"content.xml": b"<x/>"}),
            "El archivo es un documento de LibreOffice. Guárdelo como «Libro de Excel (.xlsx)».",
        ),
        (
            archive(**{"xl__workbook.bin": b"x", "[Content_Types].xml": b"<x/>"}),
            "El archivo es un libro binario de Excel (.xlsb). Guárdelo como «Libro de Excel (.xlsx)».",
        ),
        (
            spreadsheets._OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"),
            "El libro está protegido con contraseña. Ábralo en Excel, quite la contraseña y guárdelo de nuevo.",
        ),
        (
            spreadsheets._OLE + b"\0" * 600 + "WordDocument".encode("utf-16-le"),
            "El archivo no es un libro de Excel: es un documento antiguo de Office. Suba un archivo .xlsx, .xls o .md.",
        ),
    ],
)
def test_file_of_another_kind_is_named(data, said):
    assert refusal(data) == said


def test_text_that_is_called_markdown_is_told_how_it_should_begin():
    assert refusal(b"# hola", "form.md") == (
        "El archivo .md no contiene tablas de XLSForm: la primera debe comenzar con «| survey |»."
    )


def test_damaged_workbook_is_told_to_be_saved_again():
    assert refusal(xlsx(FORM)[:3000]).startswith("El libro está dañado o no se puede leer (BadZipFile: ")
    assert refusal(old_workbook()[:2000]).startswith("El libro está dañado o no se puede leer (")


def test_empty_workbook_lacks_its_survey():
    assert refusal(xlsx({"Hoja1": []})) == (
        "El libro no tiene una hoja «survey» con las preguntas. Sus hojas son: Hoja1."
    )
    assert refusal(xlsx({"survey": []})) == (
        "hoja survey: La primera fila de la hoja «survey» está vacía: ahí van los nombres de las columnas (type, name, "
        "label)."
    )
    assert refusal(xlsx({"Survey": [["type", "name", "label"]]})) == "hoja Survey: La hoja «survey» no tiene preguntas."


def test_headers_may_be_numbers_and_gaps():
    form = workbook.compile(
        xlsx({"survey": [["type", None, "name", "label", 2023], ["text", "x", "a", "A", "n"]]}), "f"
    )

    assert form.rows == {"/a": 2}


def test_archive_that_unpacks_too_large_is_refused_before_it_is_unpacked():
    bomb = repacked(
        xlsx(FORM), lambda name, content: content + b" " * (80 * 2**20 if name.endswith("sheet1.xml") else 0)
    )
    began = time.monotonic()

    assert len(bomb) < 200_000
    assert refusal(bomb) == "El libro es demasiado grande: el límite es de 64 MB."
    assert time.monotonic() - began < 2


def test_sheet_with_too_many_cells_is_refused():
    columns = "".join(f'<c t="inlineStr"><is><t>c{n}</t></is></c>' for n in range(900))
    row = "<row><c><v>1</v></c></row>"
    sheet = f"<row>{columns}</row>{row * 2_000}"

    many = repacked(
        xlsx(FORM),
        lambda name, content: (
            b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
            + sheet.encode()
            + b"</sheetData></worksheet>"
            if name.endswith("sheet1.xml")
            else content
        ),
    )

    assert refusal(many) == "El libro es demasiado grande: el límite es de 1,000,000 celdas o columnas."


def test_sheet_with_a_far_away_row_reads_quickly():
    far = repacked(
        xlsx(FORM),
        lambda name, content: (
            content.replace(b"</sheetData>", b'<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>')
            if name.endswith("sheet1.xml")
            else content
        ),
    )
    began = time.monotonic()

    assert workbook.compile(far, "form.xlsx").rows == {"/a": 2}
    assert time.monotonic() - began < 5


def test_entities_in_a_workbook_are_not_expanded():
    def declared(name: str, content: bytes) -> bytes:
        if not name.endswith("sheet1.xml"):
            return content
        return (
            DOCTYPE + content.partition(b"?>")[2].replace(b">A<", b">&b;<") if b"?>" in content else DOCTYPE + content
        )

    assert refusal(repacked(xlsx(FORM), declared)).startswith("El libro está dañado o no se puede leer (")


def test_file_that_is_too_large_is_refused_unread():
    assert refusal(b"PK" + bytes(21 * 2**20)) == "El libro es demasiado grande: el límite es de 20 MB."


def test_sheets_read_as_pyxform_reads_them():
    for form in bundled():
        data = form.workbook.read_bytes()
        ours = spreadsheets.read(data, form.workbook.name, workbook.FORM_SHEETS)
        theirs = get_xlsform(data, file_type=".xlsx")

        assert list(ours.names) == theirs.sheet_names
        for name, sheet in ours.sheets.items():
            assert list(sheet.rows) == getattr(theirs, name)
            assert list(sheet.headers) == list(getattr(theirs, f"{name}_header")[0])


def compiles_or_refuses(data: bytes, filename: str) -> None:
    """Nothing but a well-formed form or a problem comes out."""
    problem = None
    try:
        form = workbook.compile(data, filename)
    except Problem as raised:
        problem = raised
    if problem is None:
        assert etree.fromstring(form.xml).tag == "{http://www.w3.org/1999/xhtml}html"
    else:
        assert (problem.code, bool(problem.details["findings"])) == (400.15, True)


def damaged(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 12)):
        place = chance.randrange(len(changed))
        match chance.randrange(3):
            case 0:
                changed[place] = chance.randrange(256)
            case 1:
                del changed[place : place + chance.randint(1, 60)]
            case _:
                changed[place:place] = chance.randbytes(chance.randint(1, 60))
    return bytes(changed)


@given(seed=st.integers(0, 2**32), which=st.integers(0, 3))
@settings(max_examples=60)
def test_damaged_bytes_of_a_bundled_workbook_never_surprise(seed, which):
    compiles_or_refuses(damaged(bundled()[which].workbook.read_bytes(), random.Random(seed)), "form.xlsx")


@given(seed=st.integers(0, 2**32), part=st.sampled_from(["sheet1.xml", "sheet2.xml", "workbook.xml", "styles.xml"]))
@settings(max_examples=60)
def test_damaged_part_of_a_workbook_never_surprises(seed, part):
    chance = random.Random(seed)
    data = bundled()[3].workbook.read_bytes()

    compiles_or_refuses(
        repacked(data, lambda name, content: damaged(content, chance) if name.endswith(part) else content), "form.xlsx"
    )


@given(seed=st.integers(0, 2**32))
@settings(max_examples=150)
def test_damaged_bytes_of_an_old_workbook_never_surprise(seed):
    compiles_or_refuses(damaged(old_workbook(), random.Random(seed)), "form.xls")


@given(data=st.binary(max_size=2000))
@settings(max_examples=100)
@example(b"PK\x03\x04")
@example(spreadsheets._OLE)
def test_random_bytes_never_surprise(data):
    compiles_or_refuses(data, "form.xlsx")


words = st.sampled_from(
    "text integer note calculate geopoint range audit image select_one|l select_multiple|l rank|l begin|group end|group "
    "begin|repeat end|repeat start today csv-external a b g ${a} ${b} ${ 1 yes l . . > 0 start=1 x=y list_name "
    "type name label hint relevant calculation constraint required choice_filter parameters appearance trigger repeat_count "
    "save_to privacy was label::es label::en image::es media::audio default form_id version settings meta instanceID "
    "<b> & ' \" ]]> {0} {x} %s direct".replace("|", " ").split()
)
cells = st.one_of(
    st.none(),
    words,
    words,
    st.sampled_from(["select_one l", "begin group", "end group", "begin repeat", "end repeat", "select_multiple l"]),
    st.text(max_size=12),
    st.integers(-5, 10**6),
    st.floats(),
    st.booleans(),
)
header = st.lists(
    st.sampled_from(
        [
            "type",
            "name",
            "label",
            "label::es",
            "hint::en",
            "relevant",
            "calculation",
            "parameters",
            "save_to",
            "privacy",
        ]
    ),
    max_size=6,
    unique=True,
)
sheet = st.builds(
    lambda head, extra, rows: [[*head, *extra], *rows],
    header,
    st.lists(cells, max_size=2),
    st.lists(st.lists(cells, max_size=7), max_size=8),
)


@given(
    sheets=st.fixed_dictionaries(
        {"survey": sheet},
        optional={"choices": sheet, "settings": sheet, "entities": sheet, "external_choices": sheet, "osm": sheet},
    )
)
@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
def test_random_cells_never_surprise(sheets):
    legal = {
        name: [
            ["".join(c for c in cell if c >= " ") if isinstance(cell, str) else cell for cell in row] for row in rows
        ]
        for name, rows in sheets.items()
    }
    compiles_or_refuses(xls(writable(legal)), "form.xls")


def writable(sheets: dict[str, list[list[object]]]) -> dict[str, list[list[object]]]:
    """Without the numbers that xlwt cannot write: infinite ones and NaN."""
    return {
        name: [[None if isinstance(cell, float) and not abs(cell) < 1e300 else cell for cell in row] for row in rows]
        for name, rows in sheets.items()
    }


@given(rows=st.lists(st.lists(st.one_of(words, st.text(max_size=10)), max_size=6), max_size=12))
@settings(max_examples=150)
def test_random_markdown_never_surprises(rows):
    tables = "| survey |\n| | type | name | label |\n" + "\n".join("| | " + " | ".join(row) + " |" for row in rows)

    compiles_or_refuses(tables.encode("utf-8", "replace"), "form.md")


def test_formula_without_a_saved_result_is_an_error_with_its_cell():
    data = xlsx(
        {"survey": [["type", "name", "label", None], ["text", "a", "=B2", "=B2"]], "settings": [["version"], ["=1"]]}
    )

    assert refusal(data) == (
        "hoja survey, fila 2, columna label: El archivo no guarda el resultado de la fórmula de esta celda. Abra el libro en "
        "Excel y guárdelo, o escriba el texto en vez de la fórmula."
    )


def test_formula_with_a_saved_result_reads_as_its_result():
    def calculated(name: str, content: bytes) -> bytes:
        return content.replace(b"<v></v>", b"<v>7</v>").replace(b"<v />", b"<v>7</v>").replace(b"<v/>", b"<v>7</v>")

    form = workbook.compile(
        repacked(xlsx({"survey": [["type", "name", "label"], ["text", "a", "=3+4"]]}), calculated), "f.xlsx"
    )

    assert b"<label>7</label>" in form.xml


def test_text_formula_that_gives_nothing_is_an_empty_cell():
    empty = b'<c r="C2" t="str"><f>IF(TRUE,"","x")</f><v></v></c>'
    never = b'<c r="AB13"><f>1/0</f></c><c r="B2"><v>1</v></c>'

    assert formula_cells.without_result(b"<row>" + empty + never + b"</row>") == {(13, 27)}


def test_failed_formula_is_an_error_with_its_cell():
    book = xlwt.Workbook()
    sheet = book.add_sheet("survey")
    for column, (header, cell) in enumerate([("type", "text"), ("name", "a"), ("label", None)]):
        sheet.write(0, column, header)
        if cell is not None:
            sheet.write(1, column, cell)
    sheet.row(1).set_cell_error(2, 42)  # #N/A
    old = io.BytesIO()
    book.save(old)

    said = (
        "hoja survey, fila 2, columna label: La fórmula de esta celda falla y Excel muestra «#N/A». Corríjala o escriba el "
        "texto."
    )
    assert refusal(old.getvalue(), "form.xls") == said
    assert refusal(xlsx({"survey": [["type", "name", "label"], ["text", "a", "#N/A"]]})) == said


def test_first_row_without_headers_is_told():
    assert refusal(xlsx({"survey": [[None, None], ["type", "name"], ["text", "a"]]})) == (
        "hoja survey: La primera fila de la hoja «survey» está vacía: ahí van los nombres de las columnas (type, name, "
        "label)."
    )

"""Formulas of the survey sheet that pyxform lets pass are looked at before a phone stumbles over them."""

from __future__ import annotations

import pytest

from forms import library, workbook
from forms.problems import Problem
from tests.helpers import samples


def sheet(column: str, cell: str) -> bytes:
    return (
        f"| survey |\n| | type | name | label | {column} |\n| | integer | a | A | |\n| | integer | b | B | {cell} |\n"
        "| settings |\n| | form_id | version |\n| | f | 1 |\n"
    ).encode()


@pytest.mark.parametrize("column", ["relevant", "constraint", "required", "Calculation", "bind::relevant"])
def test_a_bracket_that_does_not_close_is_an_error_with_its_place(column: str):
    with pytest.raises(Problem) as caught:
        workbook.compile(sheet(column, "(${a} > 1"), "f.md")

    (finding,) = caught.value.details["findings"]
    assert (finding["sheet"], finding["row"], finding["column"]) == ("survey", 3, column)
    assert finding["es"] == "falta «)» para cerrar «(${a} > 1»."


@pytest.mark.parametrize(
    ("cell", "es"),
    [
        ("${a} = 'x", "falta la comilla ' que cierra el texto que empieza en «'x»."),
        ("${a} = “x”", "la comilla “ no es recta: escriba ' o \" (Excel las cambia solo)."),
        ("${a} > 1)", "sobra «)» después de «${a} > 1», o falta el que lo abre."),
    ],
)
def test_quotes_and_brackets_that_do_not_match_are_errors(cell: str, es: str):
    with pytest.raises(Problem) as caught:
        workbook.compile(sheet("relevant", cell), "f.md")
    assert [finding["es"] for finding in caught.value.details["findings"]] == [es]


@pytest.mark.parametrize(
    ("cell", "es"),
    [
        ("slected(${a}, '1')", "ODK Collect no conoce la función slected(). ¿Quiso decir selected()?"),
        ("${a} == 1", "no se entiende «= 1» después de «${a} =»: los operadores son = != < <= > >= and or."),
        (
            "if(${a} > 1; 1; 0)",
            "no se entiende «; 1; 0)» después de «if(${a} > 1»: los argumentos se separan con coma.",
        ),
    ],
)
def test_what_looks_wrong_is_a_warning(cell: str, es: str):
    compiled = workbook.compile(sheet("relevant", cell), "f.md")
    assert es in [finding.sentence.es for finding in compiled.findings]


@pytest.mark.parametrize(
    "cell",
    [
        "yes",
        "${a} > 1 and not(selected(${a}, 'x y')) or count(${a}) = 0",
        "../a > 1",
        "current()/../a = 1",
        "/f/a[position() = 1] != ''",
        "instance('x')/root/item[name = current()/../a]/label = 'b'",
        "pulldata('x', 'y', 'z', ${a})",
        ". >= 0 and . <= 10",
        "-${a} < -1",
        "regex(., '^[A-Z]{2}(-[0-9]+)?$')",
        "once(random()) * 10",
        "string-length(concat('it', \"'\", 's')) = 4",
        "ex:launch(${a})",
    ],
)
def test_formulas_that_phones_understand_get_no_remark(cell: str):
    compiled = workbook.compile(sheet("relevant", cell), "f.md")
    assert [finding for finding in compiled.findings if finding.column == "relevant"] == []


def test_bundled_and_sample_forms_get_no_remark():
    sheets = [(form.workbook.read_bytes(), form.workbook.name) for form in library.bundled()]
    sheets += [(sample.workbook, "sample.xlsx") for sample in samples.every_sample()]
    for data, name in sheets:
        remarks = [finding.say("en") for finding in workbook.compile(data, name).findings]
        assert [remark for remark in remarks if "knows no function" in remark or "makes no sense" in remark] == []

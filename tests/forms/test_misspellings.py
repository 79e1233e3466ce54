"""Sheets and columns with almost the name of an XLSForm's are told, and those of somebody's own are left alone."""

from __future__ import annotations

import pytest

from forms import misspellings, spreadsheets, workbook
from forms.library import bundled
from forms.problems import Problem

SETTINGS = "| settings |\n| | form_id | version |\n| | f | 1 |\n"
SURVEY = "| survey |\n| | type | name | label |\n| | text | a | A |\n"
CHOICES = "| choices |\n| | list_name | name | label |\n| | l | x | X |\n"


def said(*sheets: str, language: str = "es") -> list[str]:
    book = spreadsheets.read("".join(sheets).encode(), "f.md", workbook.FORM_SHEETS)
    return [f"{finding.severity}: {finding.say(language)}" for finding in misspellings.findings(book)]


def meant(sheet: str, *headers: str, cells: str = "") -> list[tuple[str | None, str]]:
    """The columns that are told of a sheet with these headers, each with what is likely meant."""
    table = f"| {sheet} |\n| | {' | '.join(headers)} |\n| | {' | '.join(['x'] * len(headers))} |\n"
    others = "".join(other for other in (SURVEY, SETTINGS) if not other.startswith(f"| {sheet} |"))
    if cells:
        others = (
            f"| survey |\n| | type | name | label | choice_filter |\n| | select_one l | a | A | {cells} |\n{SETTINGS}"
        )
    book = spreadsheets.read((table + others).encode(), "f.md", workbook.FORM_SHEETS)
    return [
        (finding.column, finding.sentence.en.rpartition("“")[2].removesuffix("”?"))
        for finding in misspellings.findings(book)
    ]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("choises", "choices"),
        ("Choice", "choices"),
        ("opciones", "choices"),
        ("external choices", "external_choices"),
        ("indicator", "indicators"),
        ("Indicadores", "indicators"),
        ("metas", "targets"),
        ("entity", "entities"),
    ],
)
def test_sheet_that_is_not_read_is_told(name: str, wanted: str):
    assert said(SURVEY, SETTINGS, f"| {name} |\n| | list_name |\n| | l |\n") == [
        f"warning: hoja {name}: La hoja «{name}» no se lee: ¿quería decir «{wanted}»? Si es otra cosa, póngale un guion bajo "
        "delante."
    ]


def test_sheet_is_told_in_english_too():
    assert said(SURVEY, "| ajustes |\n| | form_id |\n| | f |\n", language="en") == [
        "warning: sheet ajustes: The sheet “ajustes” is not read: did you mean “settings”? If it is something else, put an "
        "underscore before its name."
    ]


@pytest.mark.parametrize(
    "name",
    ["_choises", "results", "Indicators", "dimensions", "targets", "checks", "places", "osm", "notas", "survey2"],
)
def test_sheet_of_somebodys_own_is_left_alone(name: str):
    assert said(SURVEY, SETTINGS, f"| {name} |\n| | a |\n| | b |\n") == []


def test_sheet_near_one_that_is_there_is_left_alone():
    assert said(SURVEY, CHOICES, SETTINGS, "| choices_old |\n| | name |\n| | x |\n") == []
    assert said(SURVEY, "| settings |\n", "| setting |\n| | form_id |\n| | f |\n") == [
        "warning: hoja setting: La hoja «setting» no se lee: ¿quería decir «settings»? Si es otra cosa, póngale un guion "
        "bajo delante."
    ]


@pytest.mark.parametrize("name", ["survy", "encuesta", "Surveys", "preguntas"])
def test_workbook_without_survey_says_which_sheet_may_be_it(name: str):
    with pytest.raises(Problem) as caught:
        workbook.compile(SURVEY.replace("survey", name).encode(), "f.md")

    assert caught.value.say("es") == (
        "El archivo no es un XLSForm válido: El libro no tiene una hoja «survey» con las preguntas. Sus hojas son: "
        f"{name}. Si las preguntas están en «{name}», cambie su nombre a «survey»."
    )


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("lable::Español", "label::Español"),
        ("lable", "label"),
        ("label_es", "label::es"),
        ("Label (Español)", "label::Español"),
        ("hint English", "hint::English"),
        ("etiqueta::Español (es)", "label::Español (es)"),
        ("relevent", "relevant"),
        ("constraint mesage", "constraint_message"),
        ("constraint_msg", "constraint_message"),
        ("required msg::es", "required_message::es"),
        ("calculations", "calculation"),
        ("cálculo", "calculation"),
        ("apariencia", "appearance"),
        ("appearence", "appearance"),
        ("choice-filter", "choice_filter"),
        ("Obligatorio", "required"),
        ("repeat_cuont", "repeat_count"),
        ("privasy", "privacy"),
    ],
)
def test_survey_column_that_is_not_read_is_told(header: str, wanted: str):
    assert meant("survey", "type", "name", header) == [(header, wanted)]


@pytest.mark.parametrize(
    "header",
    [
        *("relevance", "Relevant", "caption", "constraining_message", "requiredMsg", "read only", "readonly", "count"),
        *(
            "media::image::Español",
            "bind::odk:length",
            "body::accuracyThreshold",
            "instance::x",
            "jr:count",
            "disabled",
        ),
        *(
            "privacy",
            "was",
            "save_to",
            "save_to_confirmed",
            "big-image",
            "autoplay",
            "sms_field",
            "trigger",
            "parameters",
            "query",
        ),
        *("notas", "comentario", "section", "theme", "indicador", "meta", "version_notes", "_lable", "order", "fuente"),
        *("types", "names", "label notes", "tipo"),
    ],
)
def test_survey_column_that_is_known_or_somebodys_own_is_left_alone(header: str):
    assert meant("survey", "type", "name", "label", header) == []


def test_second_language_of_a_label_that_is_there_is_told():
    assert meant("survey", "type", "name", "label::Español", "lable::English", "label:Français") == [
        ("lable::English", "label::English"),
        ("label:Français", "label::Français"),
    ]


@pytest.mark.parametrize(("header", "wanted"), [("lable", "label"), ("lable::es", "label::es"), ("imagen", "image")])
def test_choices_column_near_a_known_one_is_told(header: str, wanted: str):
    assert meant("choices", "list_name", "name", header) == [(header, wanted)]


@pytest.mark.parametrize(
    "header",
    ["was", "list name", "region", "provincia", "geometry", "marker-color", "codigo", "valor", "nombre", "level"],
)
def test_choices_column_that_is_data_is_left_alone(header: str):
    assert meant("choices", *dict.fromkeys(["list_name", "name", "label", header])) == []


def test_choices_column_that_a_filter_mentions_is_data():
    assert meant("choices", "list_name", "name", "labels") == [("labels", "label")]
    assert meant("choices", "list_name", "name", "labels", cells="labels = 'x'") == []


@pytest.mark.parametrize(
    ("header", "wanted"),
    [("verison", "version"), ("versión", "version"), ("título", "form_title"), ("idioma", "default_language")],
)
def test_settings_column_is_told(header: str, wanted: str):
    assert meant("settings", "form_id", header) == [(header, wanted)]


@pytest.mark.parametrize("header", ["id_string", "title", "Form ID", "style", "sms_keyword", "attribute::x", "notas"])
def test_settings_column_that_is_known_is_left_alone(header: str):
    assert meant("settings", header, "version") == []


def test_column_without_which_there_is_no_form_is_an_error():
    with pytest.raises(Problem) as caught:
        workbook.compile(SURVEY.replace("type", "tipe").encode(), "f.md")

    assert caught.value.say("es") == (
        "El archivo no es un XLSForm válido: hoja survey, fila 1, columna tipe: Esta hoja no tiene ninguna columna «tipe»: "
        "¿quería decir «type»?"
    )


def test_column_is_told_beside_what_pyxform_refuses():
    with pytest.raises(Problem) as caught:
        workbook.compile(SURVEY.replace("name", "nombre").encode(), "f.md")

    assert [(told["severity"], told["column"], told["row"]) for told in caught.value.details["findings"]] == [
        ("warning", "nombre", 1),
        ("error", "name", 2),
    ]


def test_column_is_told_of_a_form_that_can_be_published():
    form = workbook.compile((SURVEY.replace("label", "label | relevent") + SETTINGS).encode(), "f.md")

    assert [finding.say("es") for finding in form.findings] == [
        "hoja survey, fila 1, columna relevent: Esta hoja no tiene ninguna columna «relevent»: ¿quería decir «relevant»?"
    ]


def test_bundled_workbooks_have_none():
    for form in bundled():
        book = spreadsheets.read(form.workbook.read_bytes(), form.workbook.name, workbook.FORM_SHEETS)
        assert misspellings.findings(book) == ()


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        *[("Text", "text"), ("texto", "text"), ("intger", "integer"), ("número", "integer"), ("datetim", "dateTime")],
        *[("selct_one l", "select_one l"), ("selectone l", "select_one l"), ("Select_Multiple l", "select_multiple l")],
        *[("begin grup", "begin_group"), ("grupo", "begin_group"), ("calculation", "calculate"), ("imagen", "image")],
    ],
)
def test_type_that_does_not_exist_is_told_with_the_one_that_is_meant(kind: str, wanted: str):
    sheet = SURVEY + f"| | {kind} | b | B |\n"

    with pytest.raises(Problem) as caught:
        workbook.compile((sheet + CHOICES + SETTINGS).encode(), "f.md")

    assert caught.value.say("es") == (
        f"El archivo no es un XLSForm válido: hoja survey, fila 3, columna type: El tipo de pregunta «{kind}» no existe: "
        f"¿quería decir «{wanted}»?"
    )


@pytest.mark.parametrize(
    "kind",
    ["select one l", "select_one l", "rank l", "select all that apply from l", "select_multiple l or_other", "string"],
)
def test_type_that_exists_is_not_told(kind: str):
    sheet = SURVEY + f"| | {kind} | b | B |\n| | txt | c | C |\n"
    book = spreadsheets.read(sheet.encode(), "f.md", workbook.FORM_SHEETS)

    assert [(told.row, told.sentence.en) for told in misspellings.type_findings(book.sheets["survey"])] == [
        (4, "There is no question type “txt”: did you mean “text”?")
    ]


def test_second_row_of_settings_is_told():
    form = workbook.compile((SURVEY + SETTINGS + "| | g | 2 |\n").encode(), "f.md")

    assert [finding.say("es") for finding in form.findings] == [
        "hoja settings, fila 3: De la hoja «settings» solo se lee la fila 2; esta no."
    ]

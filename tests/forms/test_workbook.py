"""A workbook becomes a form: what is served, its marks, its languages, its media."""

from __future__ import annotations

import pytest
from lxml import etree

from forms import workbook
from forms.problems import Finding, Problem, Sentence
from forms.translations import Completeness
from forms.workbook import Mark
from tests.helpers.workbooks import sheets_of, xls, xlsx

HOUSEHOLD = """
| survey |
|        | type              | name   | label::Español (es) | label::English (en) | privacy   | was       |
|        | begin_group       | ident  | Identificación      | Identification      |           |           |
|        | text              | person | Nombre              | Name                | direct    | full_name |
|        | integer           | age    | Edad                | Age                 | Quasi     |           |
|        | end_group         |        |                     |                     |           |           |
|        | begin_repeat      | member | Persona             | Person              |           | people    |
|        | select_one yes_no | works  | ¿Trabaja?           | Works?              | sensitive |           |
|        | end_repeat        |        |                     |                     |           |           |
|        | text              | notes  | Observaciones       | Comments            | free_text |           |
| choices |
|        | list_name | name | label::Español (es) | label::English (en) | was |
|        | yes_no    | yes  | Sí                  | Yes                 | 1   |
|        | yes_no    | no   | No                  | No                  | 0   |
|        | yes_no    | dk   | No sabe             | Does not know       |     |
| settings |
|        | form_id   | form_title | version    | default_language |
|        | household | Hogares    | 2026010101 | Español (es)     |
| indicators |
|        | id | formula |
|        | i1 | x       |
"""


def compiled(markdown: str, **options: object):
    return workbook.compile(markdown.encode(), "form.md", **options)


def warnings(markdown: str, **options: object) -> list[str]:
    return [finding.say("es") for finding in compiled(markdown, **options).findings]


def texts(survey: str, version: str = "1", rest: str = "") -> str:
    return f"| survey |\n{survey}\n| settings |\n| | form_id | version |\n| | f | {version} |\n{rest}"


def test_form_has_the_id_version_and_title_of_its_settings():
    form = compiled(HOUSEHOLD)

    assert (form.form_id, form.version, form.title, form.findings) == ("household", "2026010101", "Hogares", ())


def test_form_is_what_phones_are_served():
    root = etree.fromstring(compiled(HOUSEHOLD).xml)

    instance = root.find(".//{*}instance/*")
    assert dict(instance.attrib) == {"id": "household", "version": "2026010101"}
    assert [child.tag.rpartition("}")[2] for child in instance] == ["ident", "member", "member", "notes", "meta"]


def test_form_is_the_same_from_markdown_xlsx_and_xls():
    sheets = sheets_of(HOUSEHOLD)

    forms = [
        workbook.compile(HOUSEHOLD.encode(), "household.md"),
        workbook.compile(xlsx(sheets), "household.xlsx"),
        workbook.compile(xls(sheets), "household.xls"),
    ]

    assert forms[0] == forms[1] == forms[2]


def test_marks_go_by_question_path():
    assert compiled(HOUSEHOLD).marks == {
        "/ident/person": Mark(privacy="direct", was="full_name"),
        "/ident/age": Mark(privacy="quasi"),
        "/member": Mark(was="people"),
        "/member/works": Mark(privacy="sensitive"),
        "/notes": Mark(privacy="free_text"),
    }


SAVED = """
| survey |
| | type | name     | label | save_to | privacy | Save to confirmed |
| | text | apellido | A     | apodo   | direct  | {} |
| | text | color    | C     | color   |         |    |
| settings |
| | form_id | version |
| | f       | 1       |
| entities |
| | list_name | label |
| | casas     | 'x'   |
"""


def test_what_is_confirmed_to_be_saved_and_where_lists_stand():
    form = compiled(SAVED.format("Sí"))

    assert form.marks == {"/apellido": Mark(privacy="direct", save_to_confirmed=True)}
    assert form.lists == {"casas": 2}
    assert b"onfirmed" not in form.xml
    assert compiled(SAVED.format("no")).marks == {"/apellido": Mark(privacy="direct")}


def test_a_confirmation_that_says_neither_yes_nor_no_is_refused():
    with pytest.raises(Problem) as caught:
        compiled(SAVED.format("quizás"))

    assert [finding["es"] for finding in caught.value.details["findings"]] == [
        "«quizás» no es un valor de «save_to_confirmed». Use «yes» o deje la celda vacía."
    ]
    assert [(finding["row"], finding["column"]) for finding in caught.value.details["findings"]] == [
        (2, "save_to_confirmed")
    ]


def test_rows_are_those_of_excel():
    assert compiled(HOUSEHOLD).rows == {
        "/ident": 2,
        "/ident/person": 3,
        "/ident/age": 4,
        "/member": 6,
        "/member/works": 7,
        "/notes": 9,
    }


def test_rows_count_empty_rows_in_between():
    form = workbook.compile(
        xlsx(
            {
                "survey": [
                    ["type", "name", "label"],
                    [],
                    ["begin group", "g", "G"],
                    [None, None, None],
                    ["note", None, "Gracias"],
                    ["end group"],
                    ["audit"],
                ],
                "settings": [["version"], [], ["1"]],
            }
        ),
        "f.xlsx",
    )

    assert form.rows == {"/g": 3, "/g/generated_note_name_5": 5, "/meta/audit": 7}
    assert form.version == "1"


def test_choices_tell_their_former_codes():
    assert compiled(HOUSEHOLD).choices_were == {"yes_no": {"yes": "1", "no": "0"}}


def test_columns_of_ours_do_not_reach_the_form():
    xml = compiled(HOUSEHOLD).xml

    assert [word for word in (b"privacy", b"<was>", b"full_name", b"free_text") if word in xml] == []


def test_extra_sheets_are_named_as_written():
    assert compiled(HOUSEHOLD).sheets == ("indicators",)


def test_external_choices_become_itemsets():
    form = compiled(
        texts(
            "| | type | name | label | choice_filter |\n"
            "| | text | p | Provincia | |\n"
            "| | select_one_external d | d | Distrito | p=${p} |",
            rest="| external_choices |\n| | list_name | name | label | p |\n| | d | d1 | Bocas | p1 |",
        )
    )

    assert form.itemsets == b'"list_name","name","label","p"\r\n"d","d1","Bocas","p1"\r\n'
    assert compiled(HOUSEHOLD).itemsets is None


def test_form_without_id_takes_the_fallback_or_the_name_of_the_file():
    markdown = b"| survey |\n| | type | name | label |\n| | text | a | A |"

    assert workbook.compile(markdown, "C:\\docs\\visita 2.v1.md").form_id == "visita 2.v1"
    assert workbook.compile(markdown, "visita.md", form_id_fallback="visit").form_id == "visit"


def test_form_without_version_stays_so_with_a_warning():
    form = compiled("| survey |\n| | type | name | label |\n| | text | a | A |\n| settings |\n| | form_id |\n| | f |")

    assert form.version == ""
    assert [(f.severity, f.sheet, f.row, f.column) for f in form.findings] == [("warning", "settings", 2, "version")]
    assert form.findings[0].sentence.es.startswith("El formulario no tiene versión. Escriba una en la hoja «settings»")


def test_languages_tell_how_complete_they_are():
    form = compiled(
        texts(
            "| | type | name | label::Español (es) | label::Ngäbere (gym) | hint::Español (es) |\n"
            "| | text | a | A | A' | Ayuda |\n"
            "| | text | b | B | | |\n"
            "| | text | c | C | | |"
        )
    )

    assert form.languages == (
        Completeness(language="Español (es)", filled=4, total=4),
        Completeness(language="Ngäbere (gym)", filled=1, total=4, sheet="survey", row=2, column="hint::Ngäbere (gym)"),
    )
    assert form.findings == (
        Finding(
            severity="warning",
            sentence=Sentence(
                es="Idioma «Ngäbere (gym)»: 1 / 4 textos (25 %). Donde falta la traducción, el teléfono muestra «-».",
                en="Language “Ngäbere (gym)”: 1 / 4 texts (25 %). Where the translation is missing, the phone shows “-”.",
            ),
            sheet="survey",
            row=2,
            column="hint::Ngäbere (gym)",
        ),
    )


def test_languages_count_the_dashes_that_pyxform_writes():
    form = compiled(
        "| survey |\n| | type | name | label::Español (es) | label::Ngäbere (gym) | hint::Español (es) |\n"
        "| | select_one l | a | A | A' | Ayuda |\n| | text | b | B | | |\n"
        "| choices |\n| | list_name | name | label::Español (es) | label::Ngäbere (gym) |\n| | l | x | X | |\n"
    )

    missing = [language.total - language.filled for language in form.languages]
    assert missing == [0, form.xml.count(b"<value>-</value>")] == [0, 3]


def test_incomplete_default_language_is_told_as_such():
    said = warnings(
        "| survey |\n| | type | name | label::Español (es) | label::English (en) |\n| | text | a | A | A |\n"
        "| | text | b | | B |\n| settings |\n| | version | default_language |\n| | 1 | Español (es) |"
    )

    assert said == [
        "hoja survey, fila 3, columna label::Español (es): Idioma «Español (es)»: 1 / 2 textos (50 %). Donde falta la "
        "traducción, el teléfono muestra «-». Es el idioma principal del formulario: complételo antes de publicar."
    ]


def test_form_in_one_language_has_no_completeness():
    assert compiled(texts("| | type | name | label |\n| | text | a | A |")).languages == ()


def test_forbidden_characters_are_dropped_from_cells():
    form = workbook.compile(xls({"survey": [["type", "name", "label"], ["text", "a", "Uno\x0b\x1fdos\xa0"]]}), "f.xls")

    assert b"<label>Unodos</label>" in form.xml


def test_numbers_and_dates_read_as_pyxform_reads_them():
    form = workbook.compile(
        xlsx(
            {
                "survey": [["type", "name", "label"], ["select_one l", "a", 5.0]],
                "choices": [["list_name", "name", "label", "points"], ["l", 1, True, 2.5]],
                "settings": [["form_id", "version"], ["f", 2026010101.0]],
            }
        ),
        "f.xlsx",
    )

    assert form.version == "2026010101"
    assert b"<item><name>1</name><label>TRUE</label><points>2.5</points></item>" in form.xml

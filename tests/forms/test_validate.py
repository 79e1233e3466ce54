"""ODK Validate tries forms out; its complaints name row and column, in Spanish and English."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from forms import workbook
from forms.problems import Finding, Sentence
from forms.validate import find_java, not_checked, validate

BASIC = "type name label"
CHOICES = "| choices |\n| | list_name | name | label |\n| | l | a | A |\n"


def survey(columns: str, *rows: str, rest: str = "") -> str:
    return "\n".join(
        ["| survey |", "| | " + " | ".join(columns.split()) + " |", *(f"| | {row} |" for row in rows), rest]
    )


@pytest.fixture(scope="module")
def java() -> Path:
    found = find_java()
    assert found is not None, "the tests need a Java"
    return found


def complaints(java: Path, markdown: str) -> list[Finding]:
    form = workbook.compile(markdown.encode(), "form.md")
    return list(validate(form.xml, java, rows=form.rows))


@pytest.mark.parametrize(
    ("markdown", "es", "en"),
    [
        (
            survey(
                BASIC + " calculation", "text | c | C |", "calculate | a | | ${b} + 1", "calculate | b | | ${a} + 1"
            ),
            "hoja survey, fila 3: Las fórmulas dan vueltas en círculo: ${a}, ${b}. Una pregunta no puede depender de sí "
            "misma, tampoco a través de otras.",
            "sheet survey, row 3: The formulas go round in a circle: ${a}, ${b}. A question cannot depend on itself, nor "
            "through others.",
        ),
        (
            survey(BASIC + " calculation", "text | c | C |", "calculate | a | | mayor(1)"),
            "hoja survey, fila 3, columna calculation: Error en el cálculo de ${a}: la función «mayor» no existe o no "
            "admite esos argumentos.",
            "sheet survey, row 3, column calculation: Error in the calculation of ${a}: the function “mayor” does not "
            "exist or does not take these arguments.",
        ),
        (
            survey(BASIC + " calculation", "text | c | C |", "calculate | a | | indexed-repeat(${c}, ${c})"),
            "hoja survey, fila 3, columna calculation: Error en el cálculo de ${a}: la función «indexed-repeat» necesita "
            "3, 5, 7, 9 o 11 argumentos y recibe 2.",
            "sheet survey, row 3, column calculation: Error in the calculation of ${a}: the function “indexed-repeat” "
            "takes 3, 5, 7, 9 or 11 arguments and gets 2.",
        ),
        (
            survey(BASIC, "begin group | g | G", "text | c | C", "begin group | h | H", "end group", "end group"),
            "hoja survey, fila 4: El grupo ${h} no muestra ninguna pregunta (los cálculos no cuentan). Añada una pregunta "
            "o saque los cálculos y borre el grupo.",
            "sheet survey, row 4: The group ${h} shows no question (calculations do not count). Add a question, or move "
            "the calculations out and delete the group.",
        ),
        (
            survey(BASIC + " relevant", "text | año | A |", "text | c | C | ${año} ≥ 1"),
            "hoja survey, fila 3, columna relevant: Error en la condición para mostrar ${c}: no se entiende a partir de la "
            "marca ▸: ${año}▸≥1.",
            "sheet survey, row 3, column relevant: Error in the display condition of ${c}: it cannot be understood from "
            "the mark ▸ on: ${año}▸≥1.",
        ),
        (
            survey(BASIC + " constraint", "integer | a | A | . == 1"),
            "hoja survey, fila 2, columna constraint: Error en la restricción de ${a}: está incompleta o lleva un signo "
            "fuera de lugar (por ejemplo «==», «=>» o una coma decimal).",
            "sheet survey, row 2, column constraint: Error in the constraint of ${a}: it is incomplete or holds a sign out "
            "of place (for example “==”, “=>” or a decimal comma).",
        ),
        (
            survey(BASIC + " calculation", "integer | a | A |", "calculate | c | | ${a} / 2"),
            "hoja survey, fila 3, columna calculation: Error en el cálculo de ${c}: hay una barra «/» fuera de lugar; para "
            "dividir se escribe «div».",
            "sheet survey, row 3, column calculation: Error in the calculation of ${c}: a slash “/” is out of place; "
            "division is written “div”.",
        ),
        (
            survey(
                BASIC + " calculation",
                "begin repeat | r | R |",
                "integer | a | A |",
                "end repeat | | |",
                "calculate | c | | ${a} + 1",
            ),
            "hoja survey, fila 5, columna calculation: Error en el cálculo de ${c}: «${a}» está dentro de una repetición y "
            "tiene varios valores; use indexed-repeat(), sum(), count() u otra función que diga cuál.",
            "sheet survey, row 5, column calculation: Error in the calculation of ${c}: “${a}” is inside a repeat and has "
            "several values; use indexed-repeat(), sum(), count() or another function that says which.",
        ),
        (
            survey(
                BASIC + " calculation", "text | c | C |", "calculate | a | | instance('zonas')/root/item[name='x']/b"
            ),
            "hoja survey, fila 3, columna calculation: Error en el cálculo de ${a}: se usa la lista o el archivo «zonas», "
            "que el formulario no tiene.",
            "sheet survey, row 3, column calculation: Error in the calculation of ${a}: it uses the list or file “zonas”, "
            "which the form does not have.",
        ),
        (
            survey(BASIC + " repeat_count", "begin repeat | r | R | 1 +", "text | a | A", "end repeat"),
            "hoja survey, fila 2, columna repeat_count: Error en el cálculo de ${r_count}: está incompleta o lleva un signo "
            "fuera de lugar (por ejemplo «==», «=>» o una coma decimal).",
            "sheet survey, row 2, column repeat_count: Error in the calculation of ${r_count}: it is incomplete or holds a "
            "sign out of place (for example “==”, “=>” or a decimal comma).",
        ),
        (
            survey(BASIC + " relevant", "text | a | A | mayor(1)"),
            "hoja survey, fila 2: Error en una condición de ${a}: la función «mayor» no existe o no admite esos "
            "argumentos.",
            "sheet survey, row 2: Error in a condition of ${a}: the function “mayor” does not exist or does not take these "
            "arguments.",
        ),
        (
            survey(BASIC + " required", "text | a | A | 1 +"),
            "hoja survey, fila 2, columna required: Error en la condición de obligatoria de ${a}: está incompleta o lleva "
            "un signo fuera de lugar (por ejemplo «==», «=>» o una coma decimal).",
            "sheet survey, row 2, column required: Error in the required condition of ${a}: it is incomplete or holds a "
            "sign out of place (for example “==”, “=>” or a decimal comma).",
        ),
        (
            survey(BASIC + " choice_filter", "select_one l | a | A | mayor(1)", rest=CHOICES),
            "Hay un error en una fórmula: la función «mayor» no existe o no admite esos argumentos.",
            "There is an error in a formula: the function “mayor” does not exist or does not take these arguments.",
        ),
        (
            survey(BASIC + " choice_filter", "select_one l | a | A | x = ", rest=CHOICES),
            "La lista de opciones o el «choice_filter» no se entiende: instance('l')/root/item[x =]",
            "The list of choices or the “choice_filter” cannot be understood: instance('l')/root/item[x =]",
        ),
    ],
)
def test_complaint_says_what_and_where(java, markdown, es, en):
    assert [(f.severity, f.say("es"), f.say("en")) for f in complaints(java, markdown)] == [("error", es, en)]


def test_bracket_missing_in_an_xform_is_told(java):
    form = workbook.compile(
        survey(BASIC + " relevant", "text | a | A |", "text | c | C | (${a} = 1)").encode(), "form.md"
    )
    broken = form.xml.replace(b"= 1)", b"= 1")  # a workbook would be refused before

    assert [(finding.severity, finding.say("es")) for finding in validate(broken, java, rows=form.rows)] == [
        (
            "error",
            "hoja survey, fila 3, columna relevant: Error en la condición para mostrar ${c}: falta o sobra un paréntesis o "
            "un corchete.",
        )
    ]


def test_complaint_without_rows_names_the_question_only(java):
    form = workbook.compile(survey(BASIC + " relevant", "text | a | A | ${a} = 1").encode(), "form.md")

    assert [finding.say("es") for finding in validate(form.xml, java)] == [
        "Las fórmulas dan vueltas en círculo: ${a}. Una pregunta no puede depender de sí misma, tampoco a través de otras."
    ]


def test_files_beside_the_form_may_be_absent(java):
    markdown = survey(
        "type name label image choice_filter calculation",
        "text | p | P | foto.png",
        "select_one_from_file lugares.csv | a | A | | p = ${p}",
        "select_one_from_file mapa.geojson | b | B",
        "xml-external | datos",
        "calculate | c | | | | pulldata('precios', 'precio', 'name', ${p})",
    )

    assert complaints(java, markdown) == []


def test_form_that_is_no_xml_is_a_complaint(java):
    [finding] = validate(b"<h:html", java)

    assert finding.severity == "error"
    assert finding.sentence.es.startswith("ODK Validate dice: «")


def test_form_that_takes_too_long_is_a_warning(java):
    form = workbook.compile(survey(BASIC, "text | a | A").encode(), "form.md")

    assert validate(form.xml, java, timeout=0.01) == (
        Finding(
            severity="warning",
            sentence=Sentence(
                es="ODK Validate no pudo probar el formulario: no terminó en 0.01 segundos.",
                en="ODK Validate could not try the form out: it did not finish in 0.01 seconds.",
            ),
        ),
    )


def test_java_that_does_not_start_is_a_warning(tmp_path):
    program = tmp_path / "java"
    program.write_text("no program")
    program.chmod(0o755)

    [finding] = validate(b"<x/>", program)

    assert finding.severity == "warning"
    assert finding.sentence.es.startswith("ODK Validate no pudo probar el formulario: Java no arrancó: ")


def test_program_that_is_no_java_is_a_warning():
    [finding] = validate(b"<x/>", Path(sys.executable))

    assert finding.severity == "warning"
    assert finding.sentence.en.startswith("ODK Validate could not try the form out: ")


def test_java_is_found_by_program_and_by_home(tmp_path, java):
    home = tmp_path / "jdk"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / java.name).symlink_to(java)

    assert find_java(java) == java
    assert find_java(home) == home / "bin" / java.name
    assert find_java(tmp_path / "none") is None


def test_missing_java_is_said_with_a_way_out():
    assert not_checked().to_dict() == {
        "severity": "warning",
        "sheet": None,
        "row": None,
        "column": None,
        "es": "ODK Validate no se ejecutó: no se encontró Java. Las fórmulas no se probaron. Instale Java 11 o posterior, o "
        "el paquete opcional: .venv/bin/pip install '.[java]'.",
        "en": "ODK Validate did not run: no Java was found. The formulas were not tried out. Install Java 11 or later, or "
        "the optional package: .venv/bin/pip install '.[java]'.",
    }
    assert not_checked(Path("opt/java")).sentence.es.startswith(
        f"ODK Validate no se ejecutó: no se encontró Java en {Path('opt/java')}."
    )

"""What is wrong with the indicator sheets of a workbook is all said at once, each with its cell and a way out."""

from __future__ import annotations

import time

import pytest

from server.indicators import workbook
from server.indicators.workbook import MAX_FINDINGS


def said(markdown: str, language: str = "es") -> list[str]:
    """Findings as people read them; notes and warnings with their severity before them."""
    return told(workbook.read(markdown.encode(), "logframe.md"), language)


def told(sheets: workbook.Sheets, language: str = "es") -> list[str]:
    return [
        ("" if finding.severity == "error" else f"{finding.severity}: ") + finding.say(language)
        for finding in sheets.findings
    ]


def indicators(*rows: str, heading: str) -> str:
    return "\n".join(["| indicators |", f"| | {heading} |", *(f"| | {row} |" for row in rows)])


def test_all_mistakes_are_said_at_once():
    assert said("""
    | results |
    | | name | level | label | parent |
    | | A    | goal  | Uno   | B      |
    | | B C  |       |       |        |
    | indicators |
    | | name | type    | form | numerator   | key  | latest | decimals | color |
    | | I1   | porcent |      | ${a} = (1   |      | 0      | 7        | rojo  |
    | | I2   | percent | f    |             |      | 2      | 1        |       |
    | | i1   | sum     | f    |             | ${k} |        | 1        |       |
    """) == [
        "hoja results, fila 2, columna level: «goal» no sirve aquí: se espera una de estas palabras: impact, outcome, "
        "output.",
        "hoja results, fila 2, columna parent: No hay ningún resultado «B». Están: A.",
        "hoja results, fila 3, columna name: «B C» no sirve aquí: se espera un código, como R2.3, de letras, cifras, «_», "
        "«.» y «-», que comience con letra o cifra.",
        "hoja results, fila 3, columna level: Esta celda no puede quedar vacía: se espera una de estas palabras: impact, "
        "outcome, output.",
        "hoja results, fila 3, columna label: Esta celda no puede quedar vacía: se espera un texto.",
        "warning: hoja indicators, fila 1, columna color: La columna «color» no se conoce y no se lee. Las columnas de esta "
        "hoja son: name, type, label, definition, result, form, over, where, numerator, denominator, value, key, latest, "
        "group, cohort, join, weight, strata, psu, date, period, place, disaggregate, unit, decimals, direction, "
        "accumulate, minimum_n, reference, responsible.",
        "hoja indicators, fila 1, columna label: Falta la columna «label». Añádala; en cada fila se espera un texto.",
        "hoja indicators, fila 2, columna type: «porcent» no sirve aquí: se espera una de estas palabras: count, distinct, "
        "sum, mean, median, min, max, percent, ratio, formula, manual. ¿Quiso decir «percent»?",
        "hoja indicators, fila 2, columna latest: «0» no sirve aquí: se espera un número entero desde 1.",
        "hoja indicators, fila 2, columna decimals: «7» no sirve aquí: se espera un número entero de 0 a 6.",
        "hoja indicators, fila 2, columna numerator: falta «)» para cerrar «(1».",
        "hoja indicators, fila 3, columna latest: «latest» necesita «key» (o «group»): diga de quién son las últimas "
        "filas, como ${ben_id}.",
        "hoja indicators, fila 3, columna numerator: El tipo «percent» necesita «numerator»: escriba la condición que se "
        "cuenta o la cantidad que se suma.",
        "warning: hoja indicators, fila 4, columna key: El tipo «sum» no usa «key» sin «latest», «cohort» o «join». Para "
        "contar cada clave una sola vez el tipo es «distinct».",
        "hoja indicators, fila 4, columna value: El tipo «sum» necesita «value»: escriba lo que se calcula, ${ingreso} o "
        "{I6a} div {I6b}.",
        "hoja indicators, fila 4, columna name: «i1» y «I1» (fila 2) solo se distinguen por mayúsculas. Déles nombres "
        "distintos.",
    ]


def test_findings_speak_english_too():
    assert said("| indicators |\n| | name | label | type | wher |\n| | I1 | Uno | sum | 1 |", "en") == [
        "sheet indicators, row 1, column wher: The column “wher” is unknown. Did you mean “where”? Correct the heading, or "
        "delete the column.",
        "sheet indicators, row 2, column form: Say which form this is about: this workbook has no sheet “survey”, so it "
        "belongs to none.",
        "sheet indicators, row 2, column value: The type “sum” needs “value”: write what is computed, ${income} or "
        "{I6a} div {I6b}.",
    ]


F = "hoja indicators, fila 2, columna"


@pytest.mark.parametrize(
    ("heading", "row", "findings"),
    [
        ("type | form | numerator", "distinct | f | 1", [
            f"{F} key: El tipo «distinct» necesita «key»: escriba lo que se cuenta una sola vez, como ${{ben_id}}.",
        ]),
        ("type | form | numerator", "ratio | f | ${a}", [
            f"{F} denominator: El tipo «ratio» necesita «denominator»: escriba la cantidad por la que se divide.",
        ]),
        ("type | form | value", "count | f | ${a}", [
            f"{F} value: El tipo «count» no usa «value». Borre la celda, o cambie el tipo: lo usan sum, mean, median, min, "
            "max, formula.",
        ]),
        ("type | form | value | over | weight", "formula | f | {I2} | r | 1", [
            f"{F} form: Un indicador «formula» se calcula con otros indicadores y no usa «form». Borre la celda o cambie "
            "el tipo.",
            f"{F} over: Un indicador «formula» se calcula con otros indicadores y no usa «over». Borre la celda o cambie "
            "el tipo.",
            f"{F} weight: Un indicador «formula» se calcula con otros indicadores y no usa «weight». Borre la celda o "
            "cambie el tipo.",
        ]),
        ("type", "formula", [
            f"{F} value: El tipo «formula» necesita «value»: escriba lo que se calcula, ${{ingreso}} o {{I6a}} div {{I6b}}.",
        ]),
        ("type | value", "formula | 100", [
            f"{F} value: La fórmula no nombra ningún indicador: escríbalos entre llaves, como {{I6a}} div {{I6b}}.",
        ]),
        ("type | value", "formula | {I2} div", [f"{F} value: termina antes de tiempo, después de «{{I2}} div»."]),
        ("type | where", "manual | 1 = 1", [
            f"{F} where: Un indicador «manual» se escribe a mano en «targets» y no usa «where». Borre la celda o cambie el "
            "tipo.",
        ]),
        ("type | period", "manual | ${round}", [
            f"{F} period: Un indicador «manual» no tiene preguntas: el período es month, quarter, semester, year, o nada.",
        ]),
        ("type | form | period", "count | f | quarterly", [
            f"{F} period: «quarterly» no es un período: use month, quarter, semester, year, o una expresión como ${{ronda}}. "
            "¿Quiso decir «quarter»?",
        ]),
        ("type | form | period", "count | f | ${round", [f"{F} period: falta «}}» para cerrar «{{round»."]),
        ("type | form | over", "count | f | entities:people", [
            f"{F} form: Una lista de entidades no pertenece a un formulario. Borre esta celda, o la de «over».",
        ]),
        ("type | over", "count | entities:people", []),
        ("type | over", "count | entities:", [
            f"{F} over: «entities:» no sirve aquí: se espera el nombre de una repetición, o entities:lista para una lista de "
            "entidades.",
        ]),
        ("type | form | cohort | join", "count | f | I2 | people", [
            f"{F} cohort: «cohort» necesita «key»: diga qué identifica a cada persona o cosa, como ${{ben_id}}.",
            f"{F} join: «join» necesita «key»: diga qué identifica a cada persona o cosa, como ${{ben_id}}.",
        ]),
        ("type | form | strata", "count | f | ${s}", [
            f"note: {F} strata: «strata» no tiene efecto sin «weight»: escriba el peso, o 1 donde todas las filas pesan lo "
            "mismo.",
        ]),
        ("type | form | weight | value", "max | f | ${w} | ${a}", [f"note: {F} weight: El tipo «max» no usa el peso."]),
        ("type | form | latest | group", "count | f | 1 | ${course}", []),
        ("type | form | key | latest", "count | f | ${k} | 1.5", [
            f"{F} latest: «1.5» no sirve aquí: se espera un número entero desde 1.",
        ]),
        ("type | form | minimum_n", "count | f | -1", [
            f"{F} minimum_n: «-1» no sirve aquí: se espera un número entero desde 0.",
        ]),
        ("type | form | accumulate", "count | f | quizás", [
            f"{F} accumulate: «quizás» no sirve aquí: se espera yes o no.",
        ]),
        ("type | form | direction", "count | f | upp", [
            f"{F} direction: «upp» no sirve aquí: se espera una de estas palabras: up, down. ¿Quiso decir «up»?",
        ]),
        ("type | form | disaggregate", "count | f | sex, ${age}", [
            f"{F} disaggregate: «sex, ${{age}}» no sirve aquí: se espera nombres con espacios entre ellos. Escriba age y no "
            "${age}.",
        ]),
        ("type | form | where", "count | f | ${a} == 1", [
            f"{F} where: no se entiende «= 1» después de «${{a}} =»: los operadores son = != < <= > >= and or.",
        ]),
    ],
)  # fmt: skip
def test_rows_of_indicators_are_refused(heading: str, row: str, findings: list[str]):
    assert said(indicators(f"I1 | Uno | {row}", heading=f"name | label | {heading}")) == findings


@pytest.mark.parametrize(
    ("formulas", "told_at", "circle"),
    [
        ({"R1": "{R1} + 1"}, 2, "R1 → R1"),
        ({"R1": "{R2} + 1", "R2": "{R1} * 2"}, 2, "R1 → R2 → R1"),
        ({"X": "{R2} + {free}", "R1": "{R3}", "R2": "{R1}", "R3": "if({R2} > 1, 1, {R2})"}, 4, "R2 → R1 → R3 → R2"),
    ],
)
def test_circles_of_formulas_are_named(formulas: dict[str, str], told_at: int, circle: str):
    rows = [f"{name} | Uno | formula | {formula}" for name, formula in formulas.items()]

    assert said(indicators(*rows, heading="name | label | type | value")) == [
        f"hoja indicators, fila {told_at}, columna value: El indicador depende de sí mismo: {circle}. Quite uno de los pasos."
    ]


def test_a_circle_by_a_cohort_is_named():
    rows = ["A | Uno | distinct | f | ${k} | B", "B | Dos | distinct | f | ${k} | A"]

    assert said(indicators(*rows, heading="name | label | type | form | key | cohort")) == [
        "hoja indicators, fila 2, columna cohort: El indicador depende de sí mismo: A → B → A. Quite uno de los pasos."
    ]


def test_results_lie_in_each_other_without_circle():
    assert said("""
    | results |
    | | name | parent | level  | label |
    | | A    | B      | impact | Uno   |
    | | B    | A      | output | Dos   |
    | | C    | D      | output | Tres  |
    | | C    |        | output | Otro  |
    | indicators |
    | | name | label | type   | result |
    | | I1   | Uno   | manual | c      |
    """) == [
        "hoja results, fila 2, columna parent: Nada puede estar dentro de sí mismo: A → B → A. Corrija uno de los «parent».",
        "hoja results, fila 4, columna parent: No hay ningún resultado «D». Están: A, B, C.",
        "hoja results, fila 5, columna name: «C» ya está en la fila 4. Déles nombres distintos.",
        "hoja indicators, fila 2, columna result: No hay ningún resultado «c». ¿Quiso decir «C»?",
    ]


def targets(*rows: str) -> str:
    return "\n".join(
        [
            "| indicators |",
            "| | name | label  | type    | form | numerator | period  |",
            "| | P    | Porc.  | percent | f    | 1 = 1     | quarter |",
            "| | M    | A mano | manual  |      |           | year    |",
            "| | N    | Nada   | count   | f    |           |         |",
            "| dimensions |",
            "| | name | label | form | expression | list_name |",
            "| | sex  | Sexo  | f    | ${sex}     | sexes     |",
            "| choices |",
            "| | list_name | name   |",
            "| | sexes     | female |",
            "| targets |",
            "| | indicator | kind | period | place | dimension | category | value | source |",
            *(f"| | {row} |" for row in rows),
        ]
    )


T = "hoja targets, fila 2, columna"


@pytest.mark.parametrize(
    ("row", "findings"),
    [
        ("P | target | 2026-Q1 | | sex | female | 12.5 |", []),
        ("P | baseline | | | | | 12 |", []),
        ("P | baseline | 2013-S2 | | | | |", []),
        ("N | target | | | | | 100 |", []),
        ("P | goal | 2026 | | | | 12 |", [
            f"{T} kind: «goal» no sirve aquí: se espera una de estas palabras: baseline, target, actual.",
        ]),
        ("P | target | 2026 | | | | |", [
            f"{T} value: Un «target» necesita su valor; solo una «baseline» con período se calcula.",
        ]),
        ("P | baseline | | | | | |", [
            f"{T} value: Escriba el valor de la línea de base, o el período de cuyos datos se calcula.",
        ]),
        ("P | target | | | | | 60 |", [f"{T} period: «P» se mide por períodos: diga de cuál es esta cifra."]),
        ("P | actual | 2026 | | | | 60 | Acta", [
            f"{T} kind: «P» es del tipo «percent» y se calcula: «actual» es solo para el tipo «manual».",
        ]),
        ("M | actual | 2026 | | | | 60 |", [f"warning: {T} source: Diga de dónde viene la cifra escrita a mano."]),
        ("P | target | 2026 | | sex | | 60 |", [
            f"{T} category: «category» y «dimension» van juntas: escriba las dos o ninguna.",
        ]),
        ("P | target | 2026 | | | female | 60 |", [
            f"{T} dimension: «dimension» y «category» van juntas: escriba las dos o ninguna.",
        ]),
        ("P | target | 2026 | | sex | Female | 60 |", [
            f"{T} category: La dimensión «sex» no tiene la categoría «Female». ¿Quiso decir «female»?",
        ]),
        ("P | target | 2026 | | | | 0.6 |", [
            f"warning: {T} value: «P» es un porcentaje de 0 a 100, y aquí dice 0.6. Excel guarda 60 % como 0.6: escriba 60.",
        ]),
        ("P | target | 2026 | | | | 60 % |", [
            f"{T} value: «60 %» no sirve aquí: se espera un número, como 12.5. Escriba 60, sin el signo %.",
        ]),
        ("N | target | 2026 | | | | 1,234 |", [
            f"{T} value: «1,234» no sirve aquí: se espera un número, como 12.5. La coma puede separar miles o decimales: "
            "escriba 1234 o 1.234.",
        ]),
        ("N | target | 2026 | | | | doce |", [f"{T} value: «doce» no sirve aquí: se espera un número, como 12.5."]),
        ("N | target | 2026 | | | | 1e999 |", [f"{T} value: «1e999» no sirve aquí: se espera un número, como 12.5."]),
        ("P | target | 2026-Q5 | | | | 60 |", [
            f"{T} period: «2026-Q5» no es un período: los trimestres van de Q1 a Q4.",
        ]),
        ("P | target | 2026-T3 | | | | 60 |", [
            f"{T} period: «2026-T3» no es un período: escriba un año (2026), un semestre (2026-S1), un trimestre (2026-Q3) o "
            "un mes (2026-05).",
        ]),
        ("P | target | 2026-05-17 | | | | 60 |", [
            f"{T} period: «2026-05-17» no sirve aquí: se espera un período como 2026, 2026-S1, 2026-Q3 o 2026-05, o el "
            "código de una ronda. Es una fecha: déle a la celda el formato «Texto» y escriba el período.",
        ]),
    ],
)  # fmt: skip
def test_rows_of_targets_are_refused(row: str, findings: list[str]):
    assert said(targets(row)) == findings


def test_a_cell_has_one_target_and_one_baseline():
    assert said(
        targets(
            "P | target | 2026 | 08 | sex | female | 1 |",
            "P | target | 2026-q1 | 08 | sex | female | 2 |",
            "P | target | 2026 | | | | 3 |",
            "P | target | 2026 | 08 | sex | female | 4 |",
            "P | baseline | 2013 | | | | |",
            "P | baseline | 2014 | | | | 5 |",
        )
    ) == [
        "hoja targets, fila 5, columna indicator: La fila 2 ya da «target» de la misma celda. Borre una de las dos.",
        "hoja targets, fila 7, columna indicator: La fila 6 ya da «baseline» de la misma celda. Borre una de las dos.",
    ]


def test_rows_of_places_are_refused():
    assert said("""
    | places |
    | | code | parent | level    | label   | valid_from | valid_to   |
    | | 01   |        | province | Bocas   | 01/02/2014 |            |
    | | 02   |        | province | Coclé   | 2015       | 2014       |
    | | 03   |        | province | Colón   |            | 2013       |
    | | 03   |        | province | Colón   | 2013-12    |            |
    | | PA1  |        | province | Panamá  |            |            |
    | | pa1  |        | province | Panamá  |            |            |
    | | 0101 | 1      | district | Almirante |          |            |
    | | 0102 | 04     | district | Otro    |            |            |
    | | 04   |        | province |         |            |            |
    | | a/b  |        | province | Barra   |            |            |
    """) == [
        "hoja places, fila 2, columna valid_from: «01/02/2014» no sirve aquí: se espera una fecha como 2014-01-31, o solo el "
        "año.",
        "hoja places, fila 3, columna valid_to: «02» termina (2014-12-31) antes de empezar (2015-01-01); cambie una de las "
        "dos fechas.",
        "hoja places, fila 5, columna valid_from: «03» ya está declarado para una parte de ese tiempo (hasta 2013-12-31); "
        "dos filas de un lugar no pueden coincidir en ningún día.",
        "hoja places, fila 7, columna code: «pa1» y «PA1» (fila 6) solo se distinguen por mayúsculas. Déles nombres "
        "distintos.",
        "hoja places, fila 8, columna parent: «0101» está dentro de «1», que no está en la hoja: ¿quiso decir «01»? Excel "
        "quita los ceros de delante si la celda no es de texto.",
        "hoja places, fila 10, columna label: Esta celda no puede quedar vacía: se espera un texto.",
        "hoja places, fila 11, columna code: «a/b» no sirve aquí: se espera un código, como R2.3, de letras, cifras, «_», "
        "«.» y «-», que comience con letra o cifra.",
    ]


def test_rows_of_dimensions_checks_and_choices_are_refused():
    assert said("""
    | dimensions |
    | | name | label | form | over         | expression | list_name |
    | | sex  | Sexo  | f    |              | ${sex}     |           |
    | | sex  | Sexo  | f    | member       | ${m_sex}   |           |
    | | sex  | Sexo  | f    |              | ${sexo}    |           |
    | | Sex  | Sexo  | g    |              | ${sex}     | theirs    |
    | | area | Área  |      | entities:ben | ${area     | areas     |
    | | age  | Edad  |      |              |            |           |
    | checks |
    | | name | label | form | when | severity | fields |
    | | c1   | Uno   | f    | 1 = 1 | fatal   | a b    |
    | | c1   | Dos   |      | (1    | note    | a=b    |
    | choices |
    | | list_name | name | label |
    | | area      | r    | Rural |
    | | area      | r    | Otra  |
    | | area      |      | Nada  |
    """) == [
        "hoja dimensions, fila 4, columna name: «sex» ya está en la fila 2 para el mismo formulario («form» y «over»). Borre "
        "una de las dos.",
        "hoja dimensions, fila 5, columna name: «Sex» y «sex» (fila 2) solo se distinguen por mayúsculas. Déles nombres "
        "distintos.",
        "hoja dimensions, fila 6, columna expression: falta «}» para cerrar «{area».",
        "hoja dimensions, fila 6, columna list_name: La hoja «choices» no tiene la lista «areas». ¿Quiso decir «area»?",
        "hoja dimensions, fila 7, columna expression: Esta celda no puede quedar vacía: se espera una expresión, como "
        "${edad} >= 18.",
        "hoja dimensions, fila 7, columna form: Diga de qué formulario se trata: este libro no tiene una hoja «survey», así "
        "que no es de ninguno.",
        "hoja checks, fila 2, columna severity: «fatal» no sirve aquí: se espera una de estas palabras: error, warning, "
        "note, off.",
        "hoja checks, fila 3, columna fields: «a=b» no sirve aquí: se espera nombres con espacios entre ellos. «a=b» no "
        "es un nombre.",
        "hoja checks, fila 3, columna form: Diga de qué formulario se trata: este libro no tiene una hoja «survey», así que "
        "no es de ninguno.",
        "hoja checks, fila 3, columna when: falta «)» para cerrar «(1».",
        "hoja checks, fila 3, columna name: «c1» ya está en la fila 2. Déles nombres distintos.",
        "hoja choices, fila 3, columna name: «r» ya está en la fila 2 para la lista «area». Borre una de las dos.",
        "hoja choices, fila 4, columna name: Esta celda no puede quedar vacía: se espera un texto.",
    ]


def test_headings_are_known_or_told():
    assert said("""
    | indicators |
    | | Name | Tipo   | LABEL::Español (es) | label : English | labels::Français (fr) | reference::Español | _mine | notes | numerater |
    | | I1   | manual | Uno                 | One             | Un                    | ODS                | x     |       |           |
    """) == [
        "hoja indicators, fila 1, columna Tipo: La columna «Tipo» no se conoce. ¿Quiso decir «type»? Corrija el título, o "
        "borre la columna.",
        "hoja indicators, fila 1, columna labels::Français (fr): La columna «labels::Français (fr)» no se conoce. ¿Quiso "
        "decir «label::Français (fr)»? Corrija el título, o borre la columna.",
        "hoja indicators, fila 1, columna reference::Español: La columna «reference::Español» no se conoce. ¿Quiso decir "
        "«reference»? Corrija el título, o borre la columna.",
        *(
            f"warning: hoja indicators, fila 1, columna {heading}: La columna «{heading}» no se conoce y no se lee. Las "
            "columnas de esta hoja son: name, type, label, definition, result, form, over, where, numerator, denominator, "
            "value, key, latest, group, cohort, join, weight, strata, psu, date, period, place, disaggregate, unit, "
            "decimals, direction, accumulate, minimum_n, reference, responsible."
            for heading in ("notes", "numerater")
        ),
        "hoja indicators, fila 1, columna type: Falta la columna «type». Añádala; en cada fila se espera una de estas "
        "palabras: count, distinct, sum, mean, median, min, max, percent, ratio, formula, manual.",
    ]


def test_one_column_stands_once():
    assert said("""
    | places |
    | | code | level    | Level    | label |
    | | 01   | province | provincia | Bocas |
    """) == ["hoja places, fila 1, columna Level: Las columnas «level» y «Level» dicen lo mismo. Borre una de ellas."]


def test_a_column_written_twice_is_a_finding():
    assert said("| places |\n| | code | level | code |\n| | 1 | a | 2 |") == [
        "hoja places, fila 1, columna code: La columna «code» aparece dos veces. Borre o cambie el nombre de una de ellas."
    ]


def test_sheets_that_are_almost_read_are_told():
    assert said("""
    | Indicadores |
    | | name | label | type   |
    | | I1   | Uno   | manual |
    | places |
    | Notas |
    | | a |
    | | b |
    """) == [
        "hoja Indicadores: Esta hoja no se lee. Si es la de «indicators», póngale ese nombre; si no, uno que no se parezca.",
        "warning: hoja places: La hoja «places» está vacía, o sus títulos de columna no están en la fila 1.",
    ]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "El archivo está vacío."),
        (b"%PDF-1.7", "El archivo no es un libro de Excel: es un PDF. Suba un archivo .xlsx, .xls o .md."),
    ],
)
def test_what_is_no_workbook_is_a_finding(data: bytes, sentence: str):
    assert told(workbook.read(data, "logframe.xlsx")) == [sentence]


@pytest.mark.parametrize(("sheet", "limit"), [("indicators", 2_000), ("places", 20_000)])
def test_a_sheet_has_so_many_rows(sheet: str, limit: int):
    def read(rows: int) -> list[str]:
        heading = "| | name | label | type |" if sheet == "indicators" else "| | code | label | level |"
        word = "manual" if sheet == "indicators" else "province"
        return said(
            "\n".join([f"| {sheet} |", heading, *(f"| | c{number} | Uno | {word} |" for number in range(rows))])
        )

    assert read(limit) == []
    assert read(limit + 1) == [
        f"hoja {sheet}: La hoja tiene {limit + 1} filas y puede tener {limit}. Quite las que sobran."
    ]


def test_the_first_thousand_findings_are_told():
    rows = [f"I{number} | Uno | nada" for number in range(MAX_FINDINGS + 5)]
    found = said(indicators(*rows, heading="name | label | type"))

    assert len(found) == MAX_FINDINGS + 1
    assert found[-1] == "Hay más avisos: corrija primero estos."


def test_a_workbook_where_everything_is_wrong_is_read_in_seconds():
    listed = [f"| | l | category_{number} |" for number in range(100)]
    rows = [f"| | I1 | target | 2026 | s | kategory_{number} | 1 |" for number in range(2_000)]
    markdown = [
        "| dimensions |", "| | name | label | form | expression | list_name |", "| | s | S | f | ${s} | l |",
        "| choices |", "| | list_name | name |", *listed,
        "| targets |", "| | indicator | kind | period | dimension | category | value |", *rows,
    ]  # fmt: skip
    begun = time.process_time()

    found = said("\n".join(markdown))

    assert time.process_time() - begun < 30
    assert len(found) == MAX_FINDINGS + 1
    assert found[7].startswith(
        "hoja targets, fila 9, columna category: La dimensión «s» no tiene la categoría «kategory_7»."
    )

"""What is wrong with an expression is said, all of it, with the place and a way out; what is right keeps its meaning."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from forms import instance, tables, workbook, xform
from forms.expressions.checks import check, check_formula
from forms.expressions.evaluate import Unit, evaluate, evaluate_formula, evaluate_group
from forms.expressions.mistakes import MistakenError
from forms.expressions.scope import Scope
from tests.server.wire import instance as document

SHEETS = """
| survey |
| | type | name | label | calculation |
| | integer | edad | E | |
| | decimal | ingreso | I | |
| | text | nota | N | |
| | select_one sexo | sexo | S | |
| | select_one nivel | nivel | N | |
| | select_multiple redes | redes | R | |
| | date | dia | D | |
| | dateTime | momento | M | |
| | calculate | doble | | ${edad} * 2 |
| | begin_group | casa | C | |
| | geopoint | punto | P | |
| | end_group | | | |
| | begin_repeat | miembro | M | |
| | integer | m_edad | E | |
| | select_one sexo | m_sexo | S | |
| | begin_repeat | vacuna | V | |
| | integer | dosis | D | |
| | end_repeat | | | |
| | end_repeat | | | |
| choices |
| | list_name | name | label |
| | sexo | mujer | Mujer |
| | sexo | hombre | Hombre |
| | nivel | 1 | Uno |
| | nivel | 2 | Dos |
| | redes | radio | Radio |
| | redes | radio_web | Radio web |
| settings |
| | form_id | version |
| | f | 1 |
"""
SCHEMA = xform.read(workbook.compile(SHEETS.encode(), "f.md").xml)
FORM, MEMBER = Scope(SCHEMA, language="es"), Scope(SCHEMA, "/miembro")


def said(text: str, scope: Scope = FORM, wanted: Any = None) -> list[str]:
    with pytest.raises(MistakenError) as caught:
        check(text, scope, wanted)
    return [mistake.sentence.en for mistake in caught.value.mistakes]


def value(text: str, answers: str, scope: Scope = FORM, row: str = "") -> Any:
    sent = instance.read(document("f", answers))
    rows, _ = tables.rows_of(tables.Plan(SCHEMA), sent, instance_id="uuid:1")
    chosen = next(one for one in rows if one.key == f"uuid:1{row}")
    return evaluate(check(text, scope), Unit(rows, chosen), period_end=date(2026, 6, 30))


@pytest.mark.parametrize(
    ("text", "es"),
    [
        ("${edda} > 1", "el formulario no tiene ninguna pregunta «edda»: ¿quiso decir ${edad}?"),
        ("${sexo} = 'muger'", "«sexo» no tiene la opción 'muger': ¿quiso decir 'mujer'?"),
        ("${sexo} = 'x'", "«sexo» no tiene la opción 'x': las que hay: mujer, hombre."),
        ("selected(${redes}, 'tele')", "«redes» no tiene la opción 'tele': las que hay: radio, radio_web."),
        ("${nivel} = 3", "no se puede comparar un texto con un número: convierta el texto con number()."),
        ("${edad} = '5'", "no se puede comparar un número con un texto: escriba el número sin comillas."),
        ("${dia} > 'ayer'", "no se puede comparar una fecha con un texto: escriba date('2026-12-31')."),
        ("date('31/12/2026') < ${dia}", "'31/12/2026' no es una fecha: escriba año-mes-día, como '2026-12-31'."),
        ("${momento} > ${dia}", "no se puede comparar una fecha con hora con una fecha: tome el día con date()."),
        ("${edad} div 0", "se divide entre cero."),
        ("${edad} mod 0", "se divide entre cero."),
        (
            "${m_edad} > 5",
            "«m_edad» se pregunta varias veces, en la repetición /miembro: "
            "use sum(), count(), min(), max() o indexed-repeat().",
        ),
        ("sum(${edad})", "«edad» no se repite visto desde aquí."),
        ("sum(${m_sexo})", "sum() necesita una pregunta numérica."),
        (
            "${casa} = 1",
            "«casa» no es una pregunta: un grupo no tiene respuesta, y una repetición se cuenta con count().",
        ),
        (
            "${redes} = 'radio'",
            "una selección múltiple se pregunta con selected(): «=» solo vale si hay una sola opción marcada.",
        ),
        ("${nota} < 'b'", "los textos no tienen orden: compare números con number() o fechas con date()."),
        ("suma(${m_edad})", "no existe la función suma(): ¿quiso decir sum()?"),
        ("if(${edad} > 1, 2)", "if() recibe 3 argumentos y tiene 2."),
        (
            "today() > ${dia}",
            "today() no se admite: el resultado cambiaría cada día. Use period-end() o una fecha preguntada.",
        ),
        ("period-end() > ${dia}", "period-end() solo vale en indicadores."),
        ("position() = 1", "position() solo vale en una repetición."),
        ("../edad > 1", "la ruta «../edad» no se admite aquí: nombre la pregunta con ${nombre}."),
        ("{I6a} div 2", "{I6a} nombra un indicador, que solo vale en fórmulas; una pregunta es ${I6a}."),
        ("${punto} = 1", "no se puede comparar un punto GPS con un número."),
        ("(${edad} + 1", "falta «)» para cerrar «(${edad} + 1»."),
        ("${edad} + 1)", "sobra «)» después de «${edad} + 1», o falta el que lo abre."),
        ("${sexo} = 'mujer", "falta la comilla ' que cierra el texto que empieza en «'mujer»."),
        ("${sexo} = “mujer”", "la comilla “ no es recta: escriba ' o \" (Excel las cambia solo)."),
        ("${edad} == 5", "no se entiende «= 5» después de «${edad} =»: los operadores son = != < <= > >= and or."),
        (
            "if(${edad} > 1; 2; 3)",
            "no se entiende «; 2; 3)» después de «if(${edad} > 1»: los argumentos se separan con coma.",
        ),
        ("${edad} and", "termina antes de tiempo, después de «${edad} and»."),
        (" ", "la expresión está vacía."),
    ],
)
def test_mistakes_are_said_in_spanish_with_a_way_out(text: str, es: str):
    with pytest.raises(MistakenError) as caught:
        check(text, FORM)
    assert [mistake.sentence.es for mistake in caught.value.mistakes] == [es]


def test_all_mistakes_are_said_at_once_in_their_order():
    assert said("${edda} > 1 and ${sexo} = 'x' and fuu(${edad}) and ${edad} div 0 > 1") == [
        "the form has no question “edda”: did you mean ${edad}?",
        "“sexo” has no choice 'x': those there are: mujer, hombre.",
        next(one for one in said("fuu(${edad})")),
        "this divides by zero.",
    ]


def test_the_place_of_a_mistake_is_where_it_stands():
    with pytest.raises(MistakenError) as caught:
        check("${edad} > 1 and ${sexo} = 'x'", FORM)
    assert caught.value.mistakes[0].at == len("${edad} > 1 and ${sexo} = ")


def test_a_value_of_another_kind_than_wanted_is_refused():
    assert said("${sexo}", wanted="boolean") == [
        "yes or no is needed, and here is a text: compare it, for example = 'yes'."
    ]
    assert said("${redes}", wanted="number") == [
        "a number is needed, and here is a multiple selection: count by count-selected()."
    ]


def test_expressions_without_end_are_refused():
    assert said("(" * 100 + "1" + ")" * 100) == ["more than 60 brackets are nested."]
    assert said(" or ".join(["${edad} > 1"] * 3000))[0].startswith("the expression is")


@pytest.mark.parametrize(
    ("text", "answers", "expected"),
    [
        ("${edad} > 17", "<edad>18</edad>", True),
        ("${edad} > 17", "", None),
        ("${sexo} != 'mujer'", "", None),  # never asked: unknown, where XPath says true
        ("${sexo} = ''", "", True),
        ("coalesce(${edad}, 0) = 0", "", True),
        ("${sexo} = 'mujer' or ${edad} > 17", "<edad>18</edad>", True),
        ("${sexo} = 'mujer' and ${edad} > 17", "<edad>3</edad>", False),
        ("not(${sexo} = 'mujer')", "", None),
        ("if(${edad} > 17, 1, 0)", "", None),
        ("selected(${redes}, 'radio')", "<redes>radio_web</redes>", False),
        ("selected(${redes}, 'radio')", "", None),
        ("${nivel} = 2", "<nivel>2</nivel>", True),
        ("${doble} > 30", "<doble>36</doble>", True),  # a calculation gives text; beside a number it is one
        ("${ingreso} div ${edad}", "<ingreso>5</ingreso><edad>0</edad>", None),
        ("sum(${m_edad})", "<miembro><m_edad>3</m_edad></miembro><miembro><m_edad>4</m_edad></miembro>", 7.0),
        ("sum(${m_edad})", "", 0.0),
        ("max(${m_edad})", "", None),
        ("count(${miembro})", "<miembro/><miembro><m_edad>4</m_edad></miembro>", 2.0),
        ("count(${m_edad})", "<miembro/><miembro><m_edad>4</m_edad></miembro>", 1.0),
        ("indexed-repeat(${m_edad}, ${miembro}, 2)", "<miembro/><miembro><m_edad>4</m_edad></miembro>", 4.0),
        ("sum(${dosis})", "<miembro><vacuna><dosis>1</dosis></vacuna><vacuna><dosis>2</dosis></vacuna></miembro>", 3.0),
        ("date(${momento})", "<momento>2026-03-01T23:30:00.000-05:00</momento>", date(2026, 3, 1)),
        ("date(${dia} + 30)", "<dia>2026-01-15</dia>", date(2026, 2, 14)),
        ("jr:choice-name(${sexo}, '${sexo}')", "<sexo>mujer</sexo>", "Mujer"),
    ],
)
def test_expressions_mean(text: str, answers: str, expected: Any):
    assert value(text, answers) == expected


def test_a_row_of_a_repeat_sees_itself_what_holds_it_and_what_lies_in_it():
    answers = (
        "<edad>40</edad><miembro><m_edad>3</m_edad></miembro>"
        "<miembro><m_edad>5</m_edad><vacuna><dosis>1</dosis></vacuna></miembro>"
    )
    assert value("${edad} - ${m_edad}", answers, MEMBER, "/miembro[2]") == 35
    assert value("position()", answers, MEMBER, "/miembro[2]") == 2
    assert value("count(${vacuna})", answers, MEMBER, "/miembro[2]") == 1
    assert value("count(${vacuna})", answers, MEMBER, "/miembro[1]") == 0


def test_period_end_is_given_by_who_asks():
    assert (
        value("(period-end() - ${dia}) div 365.25 >= 18", "<dia>2008-07-01</dia>", Scope(SCHEMA, periods=True)) is False
    )
    assert (
        value("(period-end() - ${dia}) div 365.25 >= 18", "<dia>2008-06-01</dia>", Scope(SCHEMA, periods=True)) is True
    )


GROUP = Scope(SCHEMA, grouped=True)


def test_group_sums_up_its_rows() -> None:
    tree = check("sum(${edad}) >= 2 * count(if(${sexo} = 'mujer', 1, '')) and max(${ingreso}) > 0", GROUP, "boolean")
    units = [_unit(edad="30", sexo="mujer", ingreso="2"), _unit(edad="40", sexo="hombre"), _unit(sexo="mujer")]
    assert evaluate_group(tree, units) is True
    assert evaluate_group(tree, units[1:2]) is None  # nobody's income is known
    assert evaluate_group(check("sum(${edad})", GROUP), []) == 0.0


def test_group_sums_up_rows_of_rows() -> None:
    assert evaluate_group(check("sum(count(${miembro}))", GROUP), [_unit(edad="30")]) == 0.0
    assert said("sum(${m_edad})", GROUP) == [
        "“m_edad” is asked several times, in the repeat /miembro: use sum(), count(), min(), max() or indexed-repeat()."
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("${edad} > 3", "“edad” has several values in a group: use sum(), count(), min() or max()."),
        (
            "indexed-repeat(${m_edad}, ${miembro}, 1)",
            "indexed-repeat() has several values in a group: use sum(), count(), min() or max().",
        ),
        ("sum(sum(${edad}))", "“edad” does not repeat as seen from here."),
    ],
)
def test_group_has_no_single_value(text: str, mistake: str) -> None:
    assert said(text, GROUP) == [mistake]


def test_formula_reads_indicators() -> None:
    tree = check_formula("({I5a} + {I5b}) div 2", ("I5a", "I5b"))
    assert evaluate_formula(tree, {"I5a": 40.0, "I5b": 50.0}) == 45.0
    assert evaluate_formula(tree, {"I5a": 40.0, "I5b": None}) is None


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{I5aa} + 1", "there is no indicator “I5aa”: did you mean {I5a}?"),
        ("${edad} + 1", "a formula uses indicators, {edad}, and no questions, ${edad}."),
        ("{I5a} div 0", "this divides by zero."),
        ("count(${miembro})", "a formula uses indicators, {miembro}, and no questions, ${miembro}."),
    ],
)
def test_formula_is_refused(text: str, mistake: str) -> None:
    with pytest.raises(MistakenError) as caught:
        check_formula(text, ("I5a", "I5b"))
    assert [one.sentence.en for one in caught.value.mistakes] == [mistake]


def _unit(**answers: str) -> Unit:
    written = "".join(f"<{name}>{text}</{name}>" for name, text in answers.items())
    read = instance.read(document("f", written))
    rows, _ = tables.rows_of(tables.Plan(SCHEMA), read, instance_id=read.instance_id)
    return Unit(rows, rows[0])

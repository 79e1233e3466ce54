"""The sheet `checks`: what it flags as answers arrive, change, and as it changes itself."""

from __future__ import annotations

import pytest

from forms.problems import Problem
from tests.server.cleaning.raising import found, publish, raised, rebuild, send, table
from tests.server.desk import ON_SQLITE, Desk
from tests.server.wire import Wire

SURVEY = table(
    "survey",
    "type | name | label",
    *(
        "integer | edad | Edad",
        "text | nombre | Nombre",
        "begin repeat | miembro | Miembro",
        "integer | anios | Años",
        "end repeat | |",
    ),
)
COLUMNS = "name | label | over | severity | when | fields"
CHECKS = table(
    "checks",
    COLUMNS,
    "muy_mayor | Muy mayor | | error | ${edad} > 110 |",
    "sin_nombre | Sin nombre | | | ${nombre} = '' and ${edad} >= 0 | nombre edad",
    "mayor_que_jefe | Mayor que el jefe | miembro | note | ${anios} > ${edad} | anios",
)


def test_a_check_flags_the_records_in_which_its_condition_holds_and_no_unknown_one(desk: Desk, phone: Wire):
    publish(desk, SURVEY, checks=CHECKS)
    send(phone, "<edad>111</edad><nombre>Ana</nombre>", "a")
    send(phone, "<edad>110</edad><nombre>Eva</nombre><miembro><anios>111</anios></miembro>", "b")
    send(
        phone, "<nombre>Luz</nombre><miembro><anios>5</anios></miembro>", "c"
    )  # the age is unknown: nothing is flagged
    send(phone, "<edad>40</edad><miembro><anios>39</anios></miembro><miembro><anios>41</anios></miembro>", "d")

    assert raised(desk) == [
        ("mayor_que_jefe", "b/miembro[1]", "/miembro/anios", "111", "open"),
        ("mayor_que_jefe", "d/miembro[2]", "/miembro/anios", "41", "open"),
        ("muy_mayor", "a", "/edad", "111", "open"),
        ("sin_nombre", "d", "/nombre", "nombre=; edad=40", "open"),
    ]
    assert {flag.check: flag.severity for flag in desk.flags("hogar")} == {
        "mayor_que_jefe": "note",
        "muy_mayor": "error",
        "sin_nombre": "warning",
    }
    assert desk.failures() == []


def test_a_check_may_look_at_nothing_but_the_rows_of_a_repeat(desk: Desk, phone: Wire):
    publish(desk, SURVEY, checks=table("checks", COLUMNS, "nino | Niño | miembro | | ${anios} = 3 |"))
    send(phone, "<miembro><anios>3</anios></miembro><miembro><anios>4</anios></miembro>", "a")
    send(phone, "<miembro><anios>3</anios></miembro>", "b")
    before = raised(desk)
    assert [one[1] for one in before] == ["a/miembro[1]", "b/miembro[1]"]

    rebuild(desk)

    assert raised(desk) == before


def test_an_edit_closes_what_it_mends_and_raises_what_it_breaks(desk: Desk, phone: Wire):
    publish(desk, SURVEY, checks=CHECKS)
    send(phone, "<edad>111</edad><nombre>Ana</nombre><miembro><anios>112</anios></miembro>", "a")
    assert [one[0] for one in raised(desk)] == ["mayor_que_jefe", "muy_mayor"]

    send(phone, "<edad>11</edad><nombre>Ana</nombre><miembro><anios>112</anios></miembro>", "a2", edits="a")
    assert raised(desk) == [("mayor_que_jefe", "a/miembro[1]", "/miembro/anios", "112", "open")]

    send(phone, "<edad>130</edad><nombre>Ana</nombre>", "a3", edits="a2")
    assert raised(desk) == [("muy_mayor", "a", "/edad", "130", "open")]


def test_a_changed_check_is_run_over_everything_and_one_that_goes_takes_its_flags(desk: Desk, phone: Wire):
    publish(desk, SURVEY, checks=CHECKS)
    for name, age in (("a", 111), ("b", 100), ("c", 20)):
        send(phone, f"<edad>{age}</edad><nombre>N</nombre>", name)
    assert found(desk, "muy_mayor") == {"a": "111"}

    stricter = table(
        "checks", COLUMNS, "muy_mayor | Muy mayor | | error | ${edad} > 99 |", "nuevo | N | | | ${edad} < 21 |"
    )
    publish(desk, SURVEY, checks=stricter)  # the same version again: only the sheets are new
    assert found(desk, "muy_mayor") == {"a": "111", "b": "100"}
    assert found(desk, "nuevo") == {"c": "20"}
    send(phone, "<edad>120</edad>", "d")
    assert found(desk, "muy_mayor") == {"a": "111", "b": "100", "d": "120"}

    publish(desk, SURVEY, checks=table("checks", COLUMNS, "nuevo | N | | | ${edad} < 21 |"), version="2")
    assert raised(desk) == [("nuevo", "c", "/edad", "20", "open")]

    publish(desk, SURVEY, version="3")
    assert raised(desk) == []


def test_a_rebuild_gives_the_same_flags(desk: Desk, phone: Wire):
    publish(desk, SURVEY, checks=CHECKS)
    for name, age in (("a", 111), ("b", 100), ("c", 140)):
        send(phone, f"<edad>{age}</edad><miembro><anios>105</anios></miembro>", name)
    before = raised(desk)
    assert len(before) == 6

    rebuild(desk)

    assert raised(desk) == before


def test_rows_written_again_for_another_type_are_checked_again(desk: Desk, phone: Wire):
    publish(desk, SURVEY, checks=CHECKS)
    send(phone, "<edad>111</edad><nombre>Ana</nombre>", "a")

    publish(desk, SURVEY.replace("integer | edad", "decimal | edad"), checks=CHECKS, version="2")
    send(phone, "<edad>110.5</edad><nombre>Ana</nombre>", "b", version="2")

    assert found(desk, "muy_mayor") == {"a": "111", "b": "110.5"}


@ON_SQLITE
@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("x | X | | | ${edadd} > 1 |", "hoja checks, fila 2, columna when: el formulario no tiene ninguna pregunta «edadd»"),
        ("x | X | | | |", "hoja checks, fila 2, columna when: Esta celda no puede quedar vacía"),
        ("x | X | | | ${edad} > 1 | nombr", "hoja checks, fila 2, columna fields: el formulario no tiene ninguna pregunta"),
        ("x | X | | | ${edad} > 1 | anios", "hoja checks, fila 2, columna fields: «anios» está en la repetición «miembro»"),
        ("x | X | casa | | 1 = 1 |", "hoja checks, fila 2, columna over: no hay ninguna repetición «casa»"),
        ("x | X | | off | ${edad} > 1 |", "hoja checks, fila 2, columna severity: «off» apaga una verificación incluida"),
        ("x | X | | | today() > 1 |", "hoja checks, fila 2, columna when: "),
    ],
)  # fmt: skip
def test_a_check_that_cannot_be_meant_is_refused_with_its_cell(desk: Desk, row: str, said: str):
    with pytest.raises(Problem) as problem:
        publish(desk, SURVEY, checks=table("checks", COLUMNS, row))

    assert said in problem.value.sentence.es

"""A form's own workbook declares indicators: checked with the form, taken when it is published, retired when it says no more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import pytest
from sqlalchemy import inspect

from forms.problems import Finding, Problem
from server.actions import comparisons, drafts, indicator_values, indicators, logframes, workbooks
from server.model.indicators import logframes as logframes_table
from server.store import indicators as store
from server.tables.ddl import SCHEMA
from tests.server.desk import ON_SQLITE, PROJECT, Desk, form, questions
from tests.server.indicators import standing
from tests.server.indicators.measuring import declare, send, table
from tests.server.wire import Wire

SURVEY: Final = """
| | type | name | label |
| | date | dia | Día |
| | select_one sexo | sexo | Sexo |
| | integer | edad | Edad |
| | begin_repeat | hijo | Hijo |
| | integer | h_edad | Edad |
| | end_repeat | | |
"""
CHOICES: Final = """
| | list_name | name | label |
| | sexo | f | Mujer |
| | sexo | m | Hombre |
"""
SHEETS: Final = """
| results |
| | name | level | label |
| | R1 | outcome | Resultado |
| indicators |
| | name | result | label | over | type | Where | numerator | date | period | disaggregate |
| | A | R1 | Adultos | | count | ${edad} >= 18 | | ${dia} | year | sexo |
| | H | R1 | Hijos | hijo | count | ${h_edad} < 5 | | ${dia} | year | grupo |
| dimensions |
| | name | label | expression | list_name |
| | grupo | Sexo de quien responde | ${sexo} | sexo |
| targets |
| | indicator | kind | period | value | source |
| | A | target | 2026 | 10 | Plan |
"""
HOUSE: Final = form("hogar", SURVEY, choices=CHOICES)
MEASURED: Final = HOUSE + SHEETS
RECORDS: Final = (
    "<dia>2026-03-01</dia><sexo>f</sexo><edad>30</edad><hijo><h_edad>3</h_edad></hijo><hijo><h_edad>9</h_edad></hijo>",
    "<dia>2026-04-01</dia><sexo>m</sexo><edad>17</edad><hijo><h_edad>1</h_edad></hijo>",
    "<dia>2026-05-01</dia><sexo>m</sexo><edad>60</edad>",
)
ADULTS: Final = {("f",): (1.0, 1, 0), ("m",): (1.0, 1, 0)}


def second(sheet: str, version: str = "2") -> str:
    """The same workbook as another version."""
    return sheet.replace("| hogar | hogar | 1 |", f"| hogar | hogar | {version} |")


def said(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(finding.severity, finding.say("es")) for finding in findings]


def in_force(desk: Desk) -> list[tuple[str, str, int, bool]]:
    """Kind, name, version, and whether a form's workbook declares it."""
    found = desk.look(lambda conn: store.list_in_force(conn, PROJECT))
    return sorted((one.kind, one.name, one.version, one.form_id is not None) for one in found)


def broken(desk: Desk) -> dict[str, list[str]]:
    """The indicators in force that cannot be computed, with what is wrong with them."""
    listed = desk.ask(lambda ctx: indicators.list_indicators(ctx, PROJECT))
    return {one.kept.record.name: [wrong.sentence.es for wrong in one.broken] for one in listed if one.broken}


def refused(desk: Desk, sheet: str) -> list[str]:
    """The errors for which publishing is refused."""
    desk.act(
        lambda ctx: drafts.upload(ctx, PROJECT, workbooks.read(sheet.encode(), "f.md"), original=None, name="f.md")
    )
    with pytest.raises(Problem) as told:
        desk.act(lambda ctx: drafts.publish(ctx, PROJECT, "hogar"))
    assert told.value.code == 400.15
    return [found["es"] for found in told.value.details["findings"]]


def fact_tables(desk: Desk) -> set[str]:
    """The fact tables that there are, by what the database says."""

    def look(conn: object) -> set[str]:
        found = inspect(conn)
        names = found.get_table_names(schema=None if desk.office.database.is_sqlite else SCHEMA)
        return {name.removeprefix(f"{SCHEMA}_") for name in names if "__facts" in name}

    return desk.look(look)


def test_publishing_takes_what_the_workbook_declares(desk: Desk, phone: Wire):
    published = desk.publish(MEASURED)
    for answers in RECORDS:
        send(phone, "hogar", answers)

    assert (len(published.declared.added), published.declared.gone, published.changes) == (5, 0, ())
    assert in_force(desk) == [
        ("dimension", "grupo|hogar|", 1, True),
        ("indicator", "A", 1, True),
        ("indicator", "H", 1, True),
        ("result", "R1", 1, True),
        ("target", "A|target|2026|||", 1, True),
    ]
    assert table(desk, "A", by=("sexo",)) == ADULTS
    assert table(desk, "H", by=("grupo",)) == {("f",): (1.0, 1, 0), ("m",): (1.0, 1, 0)}
    assert standing.kept(desk) == standing.fresh(desk)
    assert desk.audited()[1:3] == ["indicator.update", "form.update.publish"]
    assert desk.count(logframes_table) == 1


def test_a_later_version_counts_what_was_sent_before_it(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    for answers in RECORDS:
        send(phone, "hogar", answers)

    desk.publish(second(MEASURED))

    assert table(desk, "A", by=("sexo",)) == ADULTS
    assert standing.kept(desk) == standing.fresh(desk) != {}


def test_everything_wrong_with_the_form_and_with_its_sheets_is_said_at_once():
    sheet = form("hogar", "| | type | name | label | relevant |\n| | integer | edad | Edad | (${edad} > 1 |")
    sheet += "| indicators |\n| | name | label | type |\n| | A | Adultos | contar |\n| | A | Otra | percent |\n"

    with pytest.raises(Problem) as told:
        workbooks.read(sheet.encode(), "hogar.md")

    places = [(one["sheet"], one["row"], one["column"]) for one in told.value.details["findings"]]
    assert places == [
        ("survey", 2, "relevant"),
        ("indicators", 2, "type"),
        ("indicators", 3, "numerator"),
        ("indicators", 3, "name"),
    ]


@ON_SQLITE
def test_sheets_that_do_not_read_are_listed_and_make_no_draft(desk: Desk):
    checked = workbooks.read((HOUSE + SHEETS.replace("| 10 |", "| diez |")).encode(), "hogar.md")
    said_once = ("error", "hoja targets, fila 2, columna value: «diez» no sirve aquí: se espera un número, como 12.5.")

    with pytest.raises(Problem) as told:
        desk.act(lambda ctx: drafts.upload(ctx, PROJECT, checked, original=None, name="hogar.md"))

    assert [finding[:2] for finding in said(checked.findings) if finding[0] == "error"] == [said_once]
    assert told.value.code == 400.15
    assert desk.ask(lambda ctx: drafts.list_drafts(ctx, PROJECT)) == {}


def test_a_workbook_without_such_sheets_is_as_before():
    checked = workbooks.read(HOUSE.encode(), "hogar.md")

    assert (checked.sheets, checked.findings) == (None, ())


def test_a_cell_that_the_form_does_not_answer_is_named_before_and_when_publishing(desk: Desk):
    wrong = HOUSE + SHEETS.replace("${edad} >= 18", "${edda} >= 18")
    told = (
        "error",
        "hoja indicators, fila 2, columna Where: el formulario no tiene ninguna pregunta «edda»: ¿quiso decir ${edad}?",
    )
    checked = workbooks.read(wrong.encode(), "hogar.md")

    compared = desk.ask(lambda ctx: comparisons.compare(ctx, PROJECT, checked))
    uploaded = desk.draft(wrong)

    assert [one[:2] for one in said(compared.findings)] == [told]
    assert said(uploaded.findings) == [told]
    assert refused(desk, wrong) == [told[1].partition(": ")[2]]
    assert in_force(desk) == []


def test_what_is_refused_leaves_what_is_in_force(desk: Desk, phone: Wire):
    desk.publish(MEASURED)
    send(phone, "hogar", RECORDS[0])
    before = in_force(desk)

    assert len(refused(desk, second(HOUSE + SHEETS.replace("${edad} >= 18", "${sexo} >= 18")))) == 1

    assert in_force(desk) == before
    assert table(desk, "A") == {(): (1.0, 1, 0)}


def test_a_version_declares_in_place_of_the_one_before(desk: Desk, phone: Wire):
    desk.publish(MEASURED)
    for answers in RECORDS:
        send(phone, "hogar", answers)
    sheets = SHEETS.replace("${edad} >= 18", "${edad} >= 50").replace(
        "| | H | R1 | Hijos | hijo | count | ${h_edad} < 5 | | ${dia} | year | grupo |\n", ""
    )

    published = desk.publish(second(HOUSE + sheets))

    assert said(published.changes) == [
        ("note", "El libro ya no declara lo que declaraba; al publicarlo se retiran: indicadores H.")
    ]
    assert (len(published.declared.added), published.declared.gone) == (1, 1)
    assert ("indicator", "A", 2, True) in in_force(desk)
    assert table(desk, "A", by=("sexo",)) == {("m",): (1.0, 1, 0)}
    assert fact_tables(desk) == {"hogar__facts"}
    assert standing.kept(desk) == standing.fresh(desk)


def test_a_version_without_sheets_retires_what_was_declared(desk: Desk, phone: Wire):
    desk.publish(MEASURED)
    send(phone, "hogar", RECORDS[0])
    note = (
        "note",
        "El libro ya no declara lo que declaraba; al publicarlo se retiran: resultados R1; indicadores A, H; "
        "dimensiones grupo; metas (1).",
    )

    published = desk.publish(second(HOUSE))

    assert said(published.changes) == [note]
    assert in_force(desk) == []
    assert fact_tables(desk) == set()
    send(phone, "hogar", RECORDS[1], version="2")
    assert desk.failures() == []


def test_the_same_version_again_brings_other_indicators_alone(desk: Desk, phone: Wire):
    first = desk.publish(MEASURED)
    for answers in RECORDS:
        send(phone, "hogar", answers)

    again = desk.publish(HOUSE + SHEETS.replace("${edad} >= 18", "${edad} >= 50"))
    assert (again.again, again.version.id, len(again.declared.added)) == (True, first.version.id, 1)
    assert table(desk, "A") == {(): (1.0, 1, 0)}

    bare = desk.publish(HOUSE)
    assert (bare.again, bool(bare.declared), bare.changes) == (True, False, ())
    assert table(desk, "A") == {(): (1.0, 1, 0)}
    assert standing.kept(desk) == standing.fresh(desk)


def test_a_name_that_another_workbook_took_meanwhile_is_refused_with_its_cell(desk: Desk):
    desk.publish(HOUSE)
    desk.draft(second(MEASURED))
    declare(desk, "| indicators |\n| | name | label | form | type |\n| | A | Todos | hogar | count |")

    with pytest.raises(Problem) as told:
        desk.act(lambda ctx: drafts.publish(ctx, PROJECT, "hogar"))

    found = [(one["sheet"], one["row"], one["column"]) for one in told.value.details["findings"]]
    assert found == [("indicators", 2, "name")]
    assert [one[1:] for one in in_force(desk)] == [("A", 1, False)]


def test_a_question_that_is_asked_no_more_is_said_and_its_answers_count(desk: Desk, phone: Wire):
    desk.publish(MEASURED)
    declare(
        desk,
        "| indicators |\n| | name | label | form | type | value | disaggregate |\n"
        "| | M | Edad media | hogar | mean | ${edad} | sexo |",
    )
    for answers in RECORDS:
        send(phone, "hogar", answers)
    without = second(MEASURED).replace("| | integer | edad | Edad |\n", "")
    goes_on = "usa la pregunta «edad», que esta versión ya no hace: lo ya contestado sigue contando, lo nuevo vendrá sin ella."

    published = desk.publish(without)
    send(phone, "hogar", "<dia>2026-06-01</dia><sexo>f</sexo>", version="2")

    assert [one for one in said(published.changes) if "indicador" in one[1]] == [
        ("warning", f"el indicador M {goes_on}"),
        ("warning", f"hoja indicators, fila 2, columna Where: el indicador A {goes_on}"),
    ]
    assert broken(desk) == {}
    assert table(desk, "M") == {(): (107 / 3, 3, 1)}
    assert table(desk, "A", by=("sexo",)) == {("f",): (1.0, 1, 1), ("m",): (1.0, 1, 0)}
    assert standing.kept(desk) == standing.fresh(desk)


def test_a_renamed_question_goes_on_without_a_warning(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    declare(desk, "| indicators |\n| | name | label | form | type | value |\n| | M | Edad | hogar | mean | ${edad} |")
    send(phone, "hogar", RECORDS[0])
    survey = """
| | type | name | label | was |
| | date | dia | Día | |
| | select_one sexo | sexo | Sexo | |
| | integer | cumplidos | Edad | edad |
"""

    published = desk.publish(form("hogar", survey, choices=CHOICES, version="2"))
    send(phone, "hogar", "<cumplidos>50</cumplidos>", version="2")

    assert [one for one in said(published.changes) if "indicador" in one[1]] == []
    assert table(desk, "M") == {(): (40.0, 2, 0)}
    assert standing.kept(desk) == standing.fresh(desk)


def test_a_choice_that_is_offered_no_more_still_counts(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    declare(
        desk,
        "| indicators |\n| | name | label | form | type | where |\n| | F | Mujeres | hogar | count | ${sexo} = 'f' |",
    )
    for answers in RECORDS:
        send(phone, "hogar", answers)

    desk.publish(second(HOUSE).replace("| | sexo | f | Mujer |\n", "| | sexo | x | Otro |\n"))

    assert broken(desk) == {}
    assert table(desk, "F") == {(): (1.0, 1, 0)}


def test_a_question_of_another_type_breaks_the_logframe_s_indicator_and_says_so_first(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    declare(
        desk,
        "| indicators |\n| | name | label | form | type | value |\n| | M | Edad media | hogar | mean | ${edad} |\n"
        "| | D | Doble | | formula | {M} * 2 |\n| | N | Todos | hogar | count | |",
    )
    for answers in RECORDS:
        send(phone, "hogar", answers)
    other = second(HOUSE).replace("integer | edad", "geopoint | edad")

    compared = desk.ask(lambda ctx: comparisons.compare(ctx, PROJECT, workbooks.read(other.encode(), "f.md")))
    published = desk.publish(other)
    send(phone, "hogar", "<dia>2026-06-01</dia><edad>8.5 -80.1 0 0</edad>", version="2")

    warnings = [one for one in said(published.changes) if one[1].startswith("«M»")]
    assert [one for one in said(compared.findings) if one[1].startswith("«M»")] == warnings
    assert [severity for severity, _ in warnings] == ["warning"]
    assert set(broken(desk)) == {"M"}
    assert table(desk, "N") == {(): (4.0, 4, 0)}
    assert desk.failures() == []

    desk.publish(second(HOUSE, "3"))
    assert broken(desk) == {}
    assert table(desk, "M") == {(): (107 / 3, 3, 1)}
    assert standing.kept(desk) == standing.fresh(desk)


def test_rows_that_are_written_again_give_their_facts_again(desk: Desk, phone: Wire):
    desk.publish(MEASURED)
    for answers in RECORDS:
        send(phone, "hogar", answers, instance_id=f"uuid:{len(answers)}")
    standing.delete(desk, "hogar", f"uuid:{len(RECORDS[0])}")

    published = desk.publish(second(MEASURED).replace("integer | edad", "decimal | edad"))
    send(phone, "hogar", "<dia>2026-06-01</dia><sexo>m</sexo><edad>17.5</edad>", version="2")

    assert (published.again, desk.failures()) == (False, [])
    assert table(desk, "A", by=("sexo",)) == {("m",): (1.0, 1, 0)}
    assert standing.kept(desk) == standing.fresh(desk)


def test_a_deleted_form_leaves_its_indicators_broken_and_one_published_anew_mends_them(desk: Desk, phone: Wire):
    desk.publish(MEASURED)
    declare(desk, "| indicators |\n| | name | label | form | type |\n| | N | Todos | hogar | count |")
    for answers in RECORDS:
        send(phone, "hogar", answers)

    desk.delete_form("hogar")

    assert set(broken(desk)) == {"A", "H", "N"}
    assert fact_tables(desk) == set()
    send(phone, "hogar", RECORDS[0])
    assert desk.failures() == []

    desk.publish(second(MEASURED))
    for answers in RECORDS[1:]:
        send(phone, "hogar", answers, version="2")
    assert broken(desk) == {}
    assert table(desk, "N") == {(): (2.0, 2, 0)}
    assert table(desk, "A", by=("sexo",)) == {("m",): (1.0, 1, 0)}
    assert {one[2] for one in in_force(desk)} == {1}
    assert standing.kept(desk) == standing.fresh(desk)


def test_a_form_published_anew_is_compared_as_the_heir_of_the_deleted_one(desk: Desk):
    desk.publish(MEASURED)
    desk.delete_form("hogar")

    same = desk.ask(lambda ctx: comparisons.compare(ctx, PROJECT, workbooks.read(MEASURED.encode(), "f.md")))
    bare = desk.ask(lambda ctx: comparisons.compare(ctx, PROJECT, workbooks.read(HOUSE.encode(), "f.md")))

    assert (same.against, same.findings) == (None, ())
    assert [finding.severity for finding in bare.findings] == ["note"]
    desk.publish(HOUSE)
    assert in_force(desk) == []


def test_an_xform_retires_what_the_workbook_declared_and_is_kept_itself(desk: Desk):
    desk.publish(MEASURED)
    xml = workbooks.read(second(HOUSE).encode(), "f.md").xml

    published = desk.publish(xml)

    assert [finding.severity for finding in published.changes] == ["note"]
    assert in_force(desk) == []
    (newest, _) = desk.ask(lambda ctx: logframes.list_logframes(ctx, PROJECT))
    with desk.office.blobs.open(newest.workbook_sha256) as kept:
        assert kept.read() == xml


def test_what_is_kept_for_tools_of_analysis_is_old_once_a_form_is_published_or_deleted(desk: Desk, phone: Wire):
    desk.publish(MEASURED)
    send(phone, "hogar", RECORDS[0])

    def is_old() -> bool:
        prepared = desk.ask(lambda ctx: indicator_values.prepare_values(ctx, PROJECT))
        if prepared is not None:
            desk.act(lambda ctx: indicator_values.keep_values(ctx, prepared))
        return prepared is not None

    assert (is_old(), is_old()) == (True, False)
    desk.publish(second(MEASURED))
    assert (is_old(), is_old()) == (True, False)
    desk.delete_form("hogar")
    assert (is_old(), is_old()) == (True, False)


def test_a_logframe_takes_over_what_a_deleted_form_s_workbook_declared(desk: Desk):
    desk.publish(MEASURED)
    desk.publish(form("otro", questions("integer edad")))
    desk.delete_form("hogar")

    declare(desk, "| indicators |\n| | name | label | form | type |\n| | A | Todos | otro | count |")

    assert [one for one in in_force(desk) if one[0] == "indicator"] == [
        ("indicator", "A", 2, False),
        ("indicator", "H", 1, True),
    ]
    assert set(broken(desk)) == {"H"}


@ON_SQLITE
def test_another_form_s_name_is_taken_while_that_form_lives(desk: Desk):
    desk.publish(MEASURED)
    other = workbooks.read(MEASURED.replace("hogar", "otro").encode(), "otro.md")

    compared = desk.ask(lambda ctx: comparisons.compare(ctx, PROJECT, other))

    assert {(one.sheet, one.row, one.column) for one in compared.findings} == {
        ("results", 2, "name"),
        ("indicators", 2, "name"),
        ("indicators", 3, "name"),
        ("targets", 2, "indicator"),
    }


@ON_SQLITE
def test_who_may_not_publish_learns_nothing(desk: Desk):
    desk.publish(MEASURED)
    stranger = replace(desk.user("nadie@example.org", None), grants=())

    with pytest.raises(Problem) as told:
        desk.ask(lambda ctx: comparisons.compare(ctx, PROJECT, workbooks.read(MEASURED.encode(), "f.md")), stranger)

    assert told.value.code == 403.1

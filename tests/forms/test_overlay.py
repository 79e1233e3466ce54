"""Answers found and laid over: groups, nested repeats, questions not sent; the document stays as it was."""

from __future__ import annotations

import pytest

from forms import instance, tables
from forms.overlay import Answers, Place, lay
from forms.schema import Field, Schema

SCHEMA = Schema(
    form_id="f",
    version="",
    title="f",
    root="data",
    fields=(
        Field(path="/place", name="place", kind="question", type="string"),
        Field(path="/g", name="g", kind="group"),
        Field(path="/g/age", name="age", kind="question", type="int"),
        Field(path="/g/m", name="m", kind="repeat"),
        Field(path="/g/m/n", name="n", kind="question", type="string"),
        Field(path="/g/m/more", name="more", kind="group"),
        Field(path="/g/m/more/visit", name="visit", kind="repeat"),
        Field(path="/g/m/more/visit/day", name="day", kind="question", type="date"),
    ),
)
ANSWERS = (
    "<place> Colón </place><g><age>5</age><m><n>Ana</n><more><visit><day>2026-01-02</day></visit></more></m>"
    "<m><n>Beto</n><n>otra</n><more><visit/><visit><day>2026-03-04</day></visit></more></m></g>"
)
XML = f'<data id="f" xmlns="urn:x">{ANSWERS}<meta><instanceID>uuid:1</instanceID></meta></data>'.encode()


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (("", "/place"), " Colón "),
        (("", "/g/age"), "5"),
        (("/g/m[1]", "/g/m/n"), "Ana"),
        (("/g/m[2]", "/g/m/n"), "Beto"),
        (("/g/m[2]/more/visit[1]", "/g/m/more/visit/day"), None),
        (("/g/m[2]/more/visit[2]", "/g/m/more/visit/day"), "2026-03-04"),
    ],
)
def test_an_answer_is_found_and_replaced(place: Place, text: str | None):
    read = instance.read(XML)

    laid = lay(read, SCHEMA, {place: "nuevo"})

    assert Answers(read.root, SCHEMA).get(place) == text
    assert Answers(laid.root, SCHEMA).get(place) == "nuevo"
    assert (laid.xml, laid.fingerprint) == (XML, read.fingerprint)


def test_rows_are_counted_as_tables_count_them():
    read = instance.read(XML)

    rows, _ = tables.rows_of(tables.Plan(SCHEMA), read, instance_id="")

    assert [row.key for row in rows if not Answers(read.root, SCHEMA).has_row(row.key)] == []
    assert [row.key for row in rows if row.table] == [
        "/g/m[1]",
        "/g/m[1]/more/visit[1]",
        "/g/m[2]",
        "/g/m[2]/more/visit[1]",
        "/g/m[2]/more/visit[2]",
    ]


def test_a_question_that_was_not_sent_is_made_with_its_groups():
    read = instance.read(b'<data id="f"><meta><instanceID>uuid:1</instanceID></meta></data>')

    laid = lay(read, SCHEMA, {("", "/g/age"): "7"})

    rows, misfits = tables.rows_of(tables.Plan(SCHEMA), laid, instance_id="uuid:1")
    assert rows[0].values["/g/age"] == 7
    assert [misfit.path for misfit in misfits] == ["/meta"]
    assert Answers(read.root, SCHEMA).get(("", "/g/age")) is None


def test_blank_takes_an_answer_away_and_rows_that_are_gone_are_left():
    laid = lay(instance.read(XML), SCHEMA, {("", "/g/age"): None, ("/g/m[9]", "/g/m/n"): "x"})

    rows, _ = tables.rows_of(tables.Plan(SCHEMA), laid, instance_id="")

    assert rows[0].values == {"/place": " Colón "}
    assert [row.values.get("/g/m/n") for row in rows if row.table == "/g/m"] == ["Ana", "Beto"]

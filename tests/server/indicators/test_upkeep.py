"""Facts kept in step: rebuilt as they were, mended where a table is gone or old, the same for every process at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, delete, text, update

from forms.problems import Problem
from server.actions import checkup, following, logframes, rebuilds
from server.app import create_app, open_office
from server.context import Office
from server.indicators import catalogue
from server.model.indicators import fact_tables
from server.settings import Settings
from server.store import forms
from server.tables import functions
from tests.server.desk import ON_SQLITE, PROJECT, TOKEN, Desk, form, open_desk, questions
from tests.server.indicators import standing
from tests.server.indicators.measuring import declare, send, table
from tests.server.wire import Wire, instance, to_app

HOUSE = form(
    "hogar",
    questions("date dia", "integer edad", "text clave", "begin repeat hijo", "integer h_edad", "end repeat"),
)
OTHER = form("otro", questions("decimal monto"))
LOGFRAME = """
| indicators |
| | name | label | form | over | type | where | value | key | latest | date | period |
| | N | Adultos | hogar | | count | ${edad} >= 18 | | | | ${dia} | year |
| | D | Claves | hogar | | distinct | | | ${clave} | | ${dia} | year |
| | L | Última edad | hogar | | mean | | ${edad} | ${clave} | 1 | ${dia} | year |
| | H | Hijos | hogar | hijo | count | ${h_edad} < 5 and ${edad} > 20 | | | | ${dia} | year |
| | M | Monto | otro | | sum | | ${monto} | | | | |
"""


def household(number: int) -> str:
    children = "".join(f"<hijo><h_edad>{age}</h_edad></hijo>" for age in range(number % 4))
    age = "" if number % 5 == 0 else str(10 + number)
    return f"<dia>2026-0{1 + number % 9}-10</dia><edad>{age}</edad><clave>k{number % 3}</clave>{children}"


@pytest.fixture
def filled(desk: Desk, phone: Wire) -> Desk:
    """Two forms with a logframe over them; submissions edited, deleted, reviewed, and one that does not fit its types."""
    desk.publish(HOUSE)
    desk.publish(OTHER)
    declare(desk, LOGFRAME)
    for number in range(12):
        send(phone, "hogar", household(number), instance_id=f"uuid:{number}")
        send(phone, "otro", f"<monto>{number}.25</monto>", instance_id=f"uuid:o{number}")
    send(phone, "hogar", household(25), instance_id="uuid:3b", deprecated_id="uuid:3")
    send(phone, "hogar", household(26), instance_id="uuid:3c", deprecated_id="uuid:3b")
    send(phone, "hogar", "<dia>ayer</dia><edad>muchos</edad>", instance_id="uuid:roto")
    standing.delete(desk, "hogar", "uuid:4")
    standing.review(desk, "hogar", "uuid:5", "approved")
    standing.review(desk, "otro", "uuid:o5", "rejected")
    return desk


def flaws(desk: Desk) -> list[tuple[str, str]]:
    """What the doctor says of tables of facts, by their bare names."""
    found = desk.ask(checkup.list_flawed_facts)
    return [(name.removeprefix("data_"), flaw.es) for name, flaw in found]


def test_a_rebuild_gives_every_fact_that_there_was(filled: Desk):
    before = standing.kept(filled)

    standing.rebuild(filled)

    assert [len(rows) for rows in before.values()] == [12, 17, 12]
    assert standing.kept(filled) == before == standing.fresh(filled)
    assert filled.failures() == []
    assert flaws(filled) == []


def test_a_missing_table_of_facts_is_told_and_a_rebuild_makes_it_again(filled: Desk):
    before = standing.kept(filled)
    standing.drop(filled, "hogar__facts")

    assert flaws(filled) == [("hogar__facts", "no existe")]
    standing.rebuild(filled)

    assert flaws(filled) == []
    assert standing.kept(filled) == before


def test_old_short_and_needless_tables_of_facts_are_told_and_mended(filled: Desk):
    before = standing.kept(filled)
    row_id = filled.form_row_id("hogar")
    needless = {"form_id": row_id, "path": "", "name": "nada__facts", "digest": "x"}

    def spoil(conn: Connection) -> None:
        houses, children = catalogue.tables_of(conn, forms.get_form(conn, row_id))
        conn.execute(update(fact_tables).where(fact_tables.c.name == houses.table.name).values(digest="otro"))
        conn.execute(delete(children.table).where(children.table.c["_row"] == 1))
        conn.execute(fact_tables.insert().values(needless))

    filled.change(spoil)

    assert flaws(filled) == [
        ("hogar__facts", "no es la que piden los indicadores en vigor"),
        ("hogar_hijo__facts", "tiene 8 filas y debería tener 17"),
        ("nada__facts", "ningún indicador la usa"),
    ]
    standing.rebuild(filled)
    assert flaws(filled) == []
    assert standing.kept(filled) == before


def test_facts_that_another_program_made_are_made_anew_and_no_others(filled: Desk, second_office: Office):
    before = standing.kept(filled)
    row_id = filled.form_row_id("hogar")

    def spoil(conn: Connection) -> None:
        houses, _ = catalogue.tables_of(conn, forms.get_form(conn, row_id))
        conn.execute(update(fact_tables).where(fact_tables.c.name == houses.table.name).values(digest="otro"))
        conn.execute(delete(houses.table).where(houses.table.c["_submission_id"] > 3))

    filled.change(spoil)

    assert filled.act(lambda ctx: logframes.renew_stale(ctx, PROJECT)) == ["hogar"]
    assert standing.kept(filled) == before == standing.fresh(filled)
    assert flaws(filled) == []
    for there in (filled, open_desk(second_office)):
        assert there.act(lambda ctx: logframes.renew_stale(ctx, PROJECT)) == []


def test_functions_that_compute_otherwise_make_facts_stale(filled: Desk, second_office: Office):
    """The other process finds the functions of the database, or of the program, as somebody wrote them anew."""
    now = filled.look(functions.state)

    assert open_desk(second_office).look(functions.state) == now
    if filled.office.database.engine.dialect.name == "postgresql":
        again = "CREATE FUNCTION tejido_zz(a text) RETURNS text LANGUAGE sql AS 'SELECT a'"
        filled.change(lambda conn: conn.execute(text(again)))
        there = open_desk(second_office)
        assert there.look(functions.state) != now
        assert there.act(lambda ctx: logframes.renew_stale(ctx, PROJECT)) == ["hogar", "otro"]


def test_a_submission_whose_facts_fail_is_acknowledged_kept_and_mended(filled: Desk, phone: Wire):
    standing.drop(filled, "hogar__facts")

    assert phone.post(instance("hogar", household(32), instance_id="uuid:30")).status == 201

    (failure,) = filled.failures()
    assert failure[1] == "indicators"
    assert filled.rows("hogar")[-1]["edad"] == 42  # its typed rows are there
    filled.act(following.retry_failures)
    assert [one[1] for one in filled.failures()] == ["indicators"]
    assert filled.ask(checkup.count_failures) == 1

    standing.rebuild(filled)
    assert filled.failures() == []
    assert standing.kept(filled) == standing.fresh(filled)
    assert table(filled, "N", period="2026") == {("2026",): (5.0, 5, 3)}


def test_a_retry_alone_mends_facts_once_their_table_is_there(filled: Desk, phone: Wire):
    standing.drop(filled, "hogar_hijo__facts")
    assert phone.post(instance("hogar", household(31), instance_id="uuid:31")).status == 201
    assert len(filled.failures()) == 1

    filled.act(rebuilds.prepare_rebuild)
    filled.act(following.retry_failures)

    assert filled.failures() == []
    assert standing.kept(filled) == standing.fresh(filled)


@pytest.fixture
def second_office(settings: Settings) -> Iterator[Office]:
    """Another process over the same database."""
    opened = open_office(settings)
    yield opened
    opened.database.close()


def test_a_second_process_sees_what_is_declared_at_once(filled: Desk, second_office: Office):
    there = open_desk(second_office)
    other = Wire(to_app(create_app(second_office)), f"/v1/key/{TOKEN}/projects/{PROJECT}")
    assert table(there, "N", period="2026") == {("2026",): (4.0, 4, 3)}

    declare(filled, LOGFRAME.replace("${edad} >= 18", "${edad} >= 20").replace("| Monto |", "| Suma |"))

    assert table(there, "N", period="2026") == table(filled, "N", period="2026") == {("2026",): (2.0, 2, 3)}
    send(other, "hogar", household(19), instance_id="uuid:19")
    assert table(filled, "N", period="2026") == {("2026",): (3.0, 3, 3)}
    assert standing.kept(there) == standing.fresh(filled)
    assert filled.failures() == []


def test_a_second_process_writes_facts_as_the_version_published_by_the_first_asks(filled: Desk, second_office: Office):
    there = open_desk(second_office)
    other = Wire(to_app(create_app(second_office)), f"/v1/key/{TOKEN}/projects/{PROJECT}")
    send(other, "otro", "<monto>1</monto>", instance_id="uuid:antes")

    filled.publish(
        form("otro", questions("decimal monto", "integer otra"), version="2")
        + "| indicators |\n| | name | label | type | value |\n| | O | Otra | sum | ${otra} |"
    )
    send(other, "otro", "<monto>2</monto><otra>7</otra>", version="2", instance_id="uuid:despues")

    assert table(there, "O") == {(): (7.0, 1, 12)}
    assert standing.kept(there) == standing.fresh(filled)


@ON_SQLITE
def test_indicators_that_wait_and_that_broke_are_told_by_reason(desk: Desk):
    desk.publish(HOUSE)
    desk.publish(OTHER)
    declare(desk, f"{LOGFRAME}| | P | Gente | | entities:gente | count | | | | | | |\n")
    desk.delete_form("hogar")

    found = desk.ask(checkup.list_ailing_indicators)

    assert [(one.project_id, tuple(one.names), one.waits) for one in found] == [
        (PROJECT, ("N", "D", "L", "H"), False),
        (PROJECT, ("P",), True),
    ]


@ON_SQLITE
def test_a_form_that_is_deleted_twice_is_told(desk: Desk):
    desk.publish(OTHER)
    desk.delete_form("otro")

    with pytest.raises(Problem) as told:
        desk.delete_form("otro")

    assert told.value.code == 404.1

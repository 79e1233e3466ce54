"""Typed tables over the versions of a form, as the database holds them: widened, renamed, nested, wide, rebuilt."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.schema import DropTable

from server.actions import following, rebuilds
from tests.server.desk import Desk, form, questions
from tests.server.wire import Wire, instance


def publish(desk: Desk, version: str, *entries: str) -> None:
    desk.publish(form("hogar", questions(*entries), version=version))


def send(phone: Wire, answers: str, version: str = "1", instance_id: str | None = None) -> None:
    answer = phone.post(instance("hogar", answers, version=version, instance_id=instance_id))
    assert answer.status == 201, answer.body


def column(desk: Desk, name: str, repeat: str = "") -> list[object]:
    return [row[name] for row in desk.rows("hogar", repeat)]


def test_int_widens_to_decimal_and_to_text_and_no_value_is_lost(desk: Desk, phone: Wire):
    publish(desk, "1", "integer edad", "text nombre")
    send(phone, "<edad>5</edad>")
    send(phone, "<edad>007</edad>")
    send(phone, "<edad>cinco</edad>")
    assert column(desk, "edad") == [5, 7, None]

    publish(desk, "2", "decimal edad", "text nombre")
    send(phone, "<edad>5.5</edad>", "2")
    assert column(desk, "edad") == [5.0, 7.0, None, 5.5]
    assert [flag.text for flag in desk.flags("hogar")] == ["cinco"]

    publish(desk, "3", "text edad", "text nombre")
    send(phone, "<edad>seis</edad>", "3")
    send(phone, "<edad>1.0E7</edad>", "2")
    assert column(desk, "edad") == ["5", "007", "cinco", "5.5", "seis", "1.0E7"]
    assert desk.flags("hogar") == []

    publish(desk, "4", "integer edad", "text nombre")
    send(phone, "<edad>9</edad>", "4")
    assert column(desk, "edad") == ["5", "007", "cinco", "5.5", "seis", "1.0E7", "9"]
    assert len(desk.layout("hogar").tables) == 1


def test_widening_works_inside_repeats_and_beside_other_columns(desk: Desk, phone: Wire):
    publish(desk, "1", "begin repeat m", "integer edad", "time hora", "end repeat")
    send(phone, "<m><edad>1</edad><hora>10:00:00.000-05:00</hora></m><m><edad>2</edad></m>")

    publish(desk, "2", "begin repeat m", "decimal edad", "time hora", "end repeat")
    send(phone, "<m><edad>1.5</edad></m>", "2")

    assert column(desk, "edad", "/m") == [1.0, 2.0, 1.5]
    assert column(desk, "hora_text", "/m") == ["10:00:00.000-05:00", None, None]


@pytest.mark.parametrize(
    ("before", "text", "now", "other"),
    [
        ("date q", "2026-08-15", "text q", "ayer"),
        ("text q", "ayer", "integer q", "5"),
        ("integer q", "5", "date q", "2026-08-15"),
        ("integer q", "5", "geopoint q", "8.9 -79.5 0 0"),
        ("geopoint q", "8.9 -79.5 0 0", "text q", "aquí"),
        ("dateTime q", "2026-08-15T10:00:00.000-05:00", "time q", "10:00:00.000-05:00"),
    ],
    ids=lambda value: value.replace(" ", "-"),
)
def test_another_type_gets_a_column_of_its_own_and_old_answers_stay(
    desk: Desk, phone: Wire, before: str, text: str, now: str, other: str
):
    publish(desk, "1", before)
    send(phone, f"<q>{text}</q>")
    kept = desk.rows("hogar")[0]

    publish(desk, "2", now)
    send(phone, f"<q>{other}</q>", "2")
    send(phone, f"<q>{text}</q>", "1")

    first, second, third = desk.rows("hogar")
    assert {name: first[name] for name in kept} == kept
    own = {name for name, value in second.items() if value is not None} - {"_key", "instanceid"}
    assert own
    assert own.isdisjoint(kept)
    assert {name: third[name] for name in kept if name not in ("_key", "instanceid")} == {
        name: kept[name] for name in kept if name not in ("_key", "instanceid")
    }
    assert (desk.flags("hogar"), desk.failures()) == ([], [])


def test_a_question_renamed_with_was_keeps_its_column(desk: Desk, phone: Wire):
    publish(desk, "1", "integer edad", "begin repeat m", "text nombre", "end repeat")
    send(phone, "<edad>5</edad><m><nombre>Ana</nombre></m>")
    sheet = (
        "| | type | name | label | was |\n| | integer | anios | Años | edad |\n| | begin repeat | persona | P | m |\n"
        "| | text | llamada | N | nombre |\n| | end repeat | | | |"
    )

    desk.publish(form("hogar", sheet, version="2"))
    send(phone, "<anios>6</anios><persona><llamada>Eva</llamada></persona>", "2")
    send(phone, "<edad>7</edad><m><nombre>Luz</nombre></m>", "1")

    assert column(desk, "edad") == [5, 6, 7]
    assert column(desk, "nombre", "/persona") == ["Ana", "Eva", "Luz"]
    assert [table.paths for table in desk.layout("hogar").tables] == [("",), ("/m", "/persona")]
    assert desk.flags("hogar") == []


def test_a_repeat_added_later_gets_its_table_and_old_submissions_have_no_rows(desk: Desk, phone: Wire):
    publish(desk, "1", "integer edad")
    send(phone, "<edad>1</edad>", instance_id="uuid:1")

    publish(desk, "2", "integer edad", "begin repeat m", "text n", "end repeat")
    send(phone, "<edad>2</edad><m><n>a</n></m>", "2", "uuid:2")
    send(phone, "<edad>3</edad>", "1", "uuid:3")

    assert column(desk, "edad") == [1, 2, 3]
    assert desk.rows("hogar", "/m") == [{"_key": "uuid:2/m[1]", "n": "a"}]


def test_several_versions_share_one_table_and_blanks_stand_for_what_was_not_asked(desk: Desk, phone: Wire):
    publish(desk, "1", "integer a", "integer b")
    publish(desk, "2", "integer b", "integer c")
    publish(desk, "3", "begin group g", "integer a", "end group", "integer b")
    send(phone, "<a>1</a><b>1</b>", "1")
    send(phone, "<b>2</b><c>2</c>", "2")
    send(phone, "<g><a>3</a></g><b>3</b>", "3")

    rows = [tuple(row[name] for name in ("a", "b", "c", "g_a")) for row in desk.rows("hogar")]
    assert rows == [(1, 1, None, None), (None, 2, 2, None), (None, 3, None, 3)]


DEEP = ("begin repeat a", "text w", "begin repeat b", "text x", "begin repeat c", "text y", "begin repeat d", "text z")
DEPTH = "<a><w>1</w><b><x>2</x><c><y>3</y><d><z>4</z></d><d><z>5</z></d></c><c/></b></a><a><b><c><d><z>6</z></d></c></b></a>"


def test_repeats_nested_four_deep_know_their_parents_and_positions(desk: Desk, phone: Wire):
    publish(desk, "1", *DEEP, *["end repeat"] * 4)
    send(phone, DEPTH, instance_id="uuid:1")

    told = {
        path.rpartition("/")[2]: [
            (row["_key"], row["_parent_key"], row["_row"], row["_parent_row"], row["_position"]) for row in rows
        ]
        for path, rows in desk.tables("hogar").items()
        if path
    }
    assert told == {
        "a": [("uuid:1/a[1]", "uuid:1", 1, None, 1), ("uuid:1/a[2]", "uuid:1", 2, None, 2)],
        "b": [("uuid:1/a[1]/b[1]", "uuid:1/a[1]", 1, 1, 1), ("uuid:1/a[2]/b[1]", "uuid:1/a[2]", 2, 2, 1)],
        "c": [
            ("uuid:1/a[1]/b[1]/c[1]", "uuid:1/a[1]/b[1]", 1, 1, 1),
            ("uuid:1/a[1]/b[1]/c[2]", "uuid:1/a[1]/b[1]", 2, 1, 2),
            ("uuid:1/a[2]/b[1]/c[1]", "uuid:1/a[2]/b[1]", 3, 2, 1),
        ],
        "d": [
            ("uuid:1/a[1]/b[1]/c[1]/d[1]", "uuid:1/a[1]/b[1]/c[1]", 1, 1, 1),
            ("uuid:1/a[1]/b[1]/c[1]/d[2]", "uuid:1/a[1]/b[1]/c[1]", 2, 1, 2),
            ("uuid:1/a[2]/b[1]/c[1]/d[1]", "uuid:1/a[2]/b[1]/c[1]", 3, 3, 1),
        ],
    }
    assert column(desk, "z", "/a/b/c/d") == ["4", "5", "6"]


def test_a_form_of_1500_questions_is_kept_and_widened(desk: Desk, phone: Wire):
    kinds = ["integer", "text", "decimal", "geopoint", "dateTime"]
    entries = [f"{kinds[number % 5]} q{number}" for number in range(1500)]
    texts = ["5", "Ana", "1.5", "8.9 -79.5 1.0 2.0", "2026-08-15T10:00:00.000-05:00"]
    publish(desk, "1", *entries)
    answers = "".join(f"<q{number}>{texts[number % 5]}</q{number}>" for number in range(1500))
    send(phone, answers, instance_id="uuid:1")

    publish(
        desk, "2", *entries, *(f"text nueva{number}" for number in range(300)), "begin repeat m", "text n", "end repeat"
    )
    send(phone, "<q0>7</q0><nueva299>última</nueva299><m><n>x</n></m>", "2", "uuid:2")

    first, second = desk.rows("hogar")
    assert desk.layout("hogar").table("").parts == 8
    assert [first[f"q{number}"] for number in (0, 1, 1495, 1496, 1497)] == [5, "Ana", 5, "Ana", 1.5]
    assert (first["q1498_latitude"], first["q1499_text"]) == (8.9, "2026-08-15T10:00:00.000-05:00")
    assert sum(value is not None for value in first.values()) == 300 * (1 + 1 + 1 + 4 + 2) + 2
    assert (second["q0"], second["nueva299"], second["q1"]) == (7, "última", None)
    assert (desk.flags("hogar"), desk.failures()) == ([], [])


def test_names_with_accents_reserved_words_and_collisions_are_kept_apart(desk: Desk, phone: Wire):
    names = ["año", "select", "order", "GPS", "gps", "user", "table", "from", "q-1", "q.1", "niño" + "a" * 60]
    entries = [f"text {name}" for name in names]
    publish(desk, "1", *entries, "begin group g", "geopoint punto", "end group", "text punto_latitude", "date primary")
    answers = "".join(f"<{name}>{number}</{name}>" for number, name in enumerate(names))
    send(
        phone, f"{answers}<g><punto>1 2 3 4</punto></g><punto_latitude>x</punto_latitude><primary>2026-01-01</primary>"
    )

    (row,) = desk.rows("hogar")
    held = sorted(str(value) for name, value in row.items() if name not in ("_key", "instanceid"))
    wanted = sorted([*(str(number) for number in range(len(names))), "1.0", "2.0", "3.0", "4.0", "x", "2026-01-01"])
    assert held == wanted
    assert (desk.flags("hogar"), desk.failures()) == ([], [])


def test_texts_of_two_columns_of_one_name_do_not_mix(desk: Desk, phone: Wire):
    """An integer and a point both called q, in two groups."""
    publish(desk, "1", "begin group a", "integer q", "end group", "begin group b", "geopoint q", "end group")
    send(phone, "<a><q>5.0</q></a><b><q>8.90 -79.5</q></b>")

    (row,) = desk.whole_rows("hogar")
    assert sorted(row["_texts"].values()) == ["5.0", "8.90 -79.5"]


def test_forms_whose_names_collide_have_tables_of_their_own(desk: Desk, phone: Wire):
    for number, form_id in enumerate(("hogar 1", "hogar-1", "HOGAR_1", "hogar_1_m")):
        desk.publish(form(form_id, questions("integer edad", "begin repeat m", "text n", "end repeat")))
        assert phone.post(instance(form_id, f"<edad>{number}</edad><m><n>{number}</n></m>")).status == 201

    for number, form_id in enumerate(("hogar 1", "hogar-1", "HOGAR_1", "hogar_1_m")):
        assert [row["edad"] for row in desk.rows(form_id)] == [number]
        assert [row["n"] for row in desk.rows(form_id, "/m")] == [str(number)]


def rebuild(desk: Desk) -> None:
    for held in desk.act(rebuilds.prepare_rebuild):
        rebuilds.rebuild_form(desk.act, held)


@pytest.fixture
def lived(desk: Desk, phone: Wire) -> Desk:
    """A form with three versions, repeats, misfits, edits, an encrypted and a deleted submission."""
    publish(desk, "1", "integer edad", "time hora", *DEEP, *["end repeat"] * 4)
    send(phone, f"<edad>5.0</edad><hora>10:00:00.000-05:00</hora>{DEPTH}", instance_id="uuid:1")
    send(phone, f"<edad>cinco</edad><otra>1</otra>{DEPTH}", instance_id="uuid:2")
    publish(desk, "2", "decimal edad", "time hora", "geopoint gps", *DEEP, *["end repeat"] * 4)
    send(phone, "<edad>1.0E7</edad><gps>8.90 -79.5</gps>", "2", "uuid:3")
    send(phone, "<edad>4</edad>", "0", "uuid:4")
    edited = instance("hogar", f"<edad>9</edad>{DEPTH}", version="2", instance_id="uuid:6", deprecated_id="uuid:5")
    assert phone.post(edited).status == 201
    assert phone.post(instance("hogar", "<edad>8</edad>", version="1", instance_id="uuid:5")).status == 201
    envelope = (
        b'<data xmlns="http://www.opendatakit.org/xforms/encrypted" id="hogar" version="2" encrypted="yes">'
        b"<meta><instanceID>uuid:7</instanceID></meta><encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>"
    )
    assert phone.post(envelope).status == 201
    return desk


def test_rebuild_gives_exactly_the_same_tables_and_flags(lived: Desk):
    before, flags = lived.tables("hogar"), [(f.check, f.path, f.text, f.row_key) for f in lived.flags("hogar")]
    assert len(before[""]) == 6

    rebuild(lived)

    assert lived.tables("hogar") == before
    assert [(f.check, f.path, f.text, f.row_key) for f in lived.flags("hogar")] == flags


def test_rebuild_mends_dropped_tables_lost_columns_and_rows_altered_by_hand(lived: Desk):
    before = lived.tables("hogar")
    main, deep, a = (lived.sql_table("hogar", path) for path in ("", "/a/b/c/d", "/a"))
    quoted = lived.look(lambda conn: conn.dialect.identifier_preparer.format_table(a))
    lived.change(lambda conn: conn.execute(DropTable(deep)))
    lived.change(lambda conn: conn.exec_driver_sql(f"ALTER TABLE {quoted} DROP COLUMN w"))
    lived.change(lambda conn: conn.execute(update(main).values(edad=1)))
    lived.change(lambda conn: conn.execute(delete(main).where(main.c["_submission_id"] == 1)))
    stray = {"_submission_id": 99, "_key": "x", "_received_at": lived.office.clock(), "_encrypted": False}
    lived.change(lambda conn: conn.execute(insert(main).values(stray)))

    rebuild(lived)

    assert lived.tables("hogar") == before


def test_rebuild_ends_though_a_submission_arrives_after_every_chunk(desk: Desk, phone: Wire):
    publish(desk, "1", "integer edad")
    for number in range(3):
        send(phone, f"<edad>{number}</edad>")
    (held,) = desk.act(rebuilds.prepare_rebuild)
    told: list[tuple[int, int]] = []

    def meanwhile(done: int, every: int) -> None:
        told.append((done, every))
        assert len(told) < 10, "it follows what arrives"
        send(phone, f"<edad>{100 + len(told)}</edad>")

    rebuilds.rebuild_form(desk.act, held, progress=meanwhile)

    assert told == [(3, 3), (3, 3)]
    assert column(desk, "edad") == [0, 1, 2, 101, 102]


def test_rebuild_reaches_the_last_submission_though_an_earlier_one_is_committed_late(desk: Desk, phone: Wire):
    """PostgreSQL gives ids before the commit: here one below those that were counted appears after the count."""
    publish(desk, "1", "integer edad")
    for number in range(following.CHUNK + 1):
        send(phone, f"<edad>{number}</edad>")
    (held,) = desk.act(rebuilds.prepare_rebuild)
    counted = replace(held, every=held.every - 1)
    main = desk.sql_table("hogar")
    desk.change(lambda conn: conn.execute(update(main).values(edad=-1)))

    rebuilds.rebuild_form(desk.act, counted)

    assert column(desk, "edad") == list(range(following.CHUNK + 1))


def test_rebuild_of_a_form_without_submissions_empties_its_tables(desk: Desk):
    publish(desk, "1", "integer edad")
    main = desk.sql_table("hogar")
    stray = {"_submission_id": 99, "_key": "x", "_received_at": desk.office.clock(), "_encrypted": False}
    desk.change(lambda conn: conn.execute(insert(main).values(stray)))

    rebuild(desk)

    assert desk.rows("hogar") == []


def test_a_follower_that_fails_refuses_nothing_and_is_tried_again(desk: Desk, phone: Wire):
    publish(desk, "1", "integer edad", "begin repeat m", "text n", "end repeat")
    desk.change(lambda conn: conn.execute(DropTable(desk.sql_table("hogar", "/m"))))

    send(phone, "<edad>5</edad><m><n>a</n></m>", instance_id="uuid:1")
    send(phone, "<edad>6</edad>", instance_id="uuid:2")

    assert [row["_key"] for row in desk.rows("hogar")] == ["uuid:2"]
    ((_, follower, error, tries),) = desk.failures()
    assert (follower, tries) == ("tables", 1)
    assert "m" in error
    assert desk.submissions() == 2

    assert desk.act(following.retry_failures) == 1
    assert desk.failures()[0][3] == 2
    rebuild(desk)

    assert desk.failures() == []
    assert [row["_key"] for row in desk.rows("hogar")] == ["uuid:1", "uuid:2"]
    assert column(desk, "n", "/m") == ["a"]


def test_a_follower_that_failed_is_done_by_the_schedule_once_it_can_be(desk: Desk, phone: Wire):
    publish(desk, "1", "integer edad")
    main = desk.sql_table("hogar")
    quoted = desk.look(lambda conn: conn.dialect.identifier_preparer.format_table(main))
    away = f'{quoted[:-1]}_away"' if quoted.endswith('"') else f"{quoted}_away"
    bare = away.rpartition(".")[2] if "." in away else away
    desk.change(lambda conn: conn.exec_driver_sql(f"ALTER TABLE {quoted} RENAME TO {bare}"))
    send(phone, "<edad>5</edad>")
    assert len(desk.failures()) == 1
    desk.change(lambda conn: conn.exec_driver_sql(f"ALTER TABLE {away} RENAME TO {main.name}"))

    assert desk.act(following.retry_failures) == 1

    assert (desk.failures(), column(desk, "edad")) == ([], [5])

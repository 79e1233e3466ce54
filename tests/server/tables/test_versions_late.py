"""A `was` that comes versions late: answers under both names end in one column, or somebody is told why not."""

from __future__ import annotations

from sqlalchemy import inspect

from forms.problems import Problem
from server.actions import drafts, rebuilds
from server.context import Context
from tests.server.desk import Desk, form
from tests.server.wire import Wire, instance


def survey(*rows: str) -> str:
    """A survey sheet from rows such as `integer | edad | anios`: type, name, was."""
    lines = ["| | type | name | was | label |"]
    for row in rows:
        kind, name, was = (*(cell.strip() for cell in row.split("|")), "", "")[:3]
        lines.append(f"| | {kind} | {name} | {was} | {name} |")
    return "\n".join(lines)


def publish(desk: Desk, version: str, *rows: str) -> list[str]:
    """Publishes a version; gives what is said of it."""
    made = desk.draft(form("hogar", survey(*rows), version=version))
    desk.act(lambda ctx: drafts.publish(ctx, desk.project_id, "hogar"))
    return [finding.say("en") for finding in made.findings]


def send(phone: Wire, answers: str, version: str) -> None:
    answer = phone.post(instance("hogar", answers, version=version))
    assert answer.status == 201, answer.body


def column(desk: Desk, name: str, repeat: str = "") -> list[object]:
    return [row[name] for row in desk.rows("hogar", repeat)]


def names(desk: Desk, repeat: str = "") -> list[str]:
    """The physical columns of the questions, as the database has them, sorted."""
    table = desk.sql_table("hogar", repeat)
    found = desk.look(lambda conn: inspect(conn).get_columns(table.name, schema=table.schema))
    return sorted(one["name"] for one in found if not one["name"].startswith("_"))


def rebuild(desk: Desk) -> None:
    row_id = desk.form_row_id("hogar")

    def again(ctx: Context) -> None:
        rebuilds.prepare_rebuild(ctx)
        above: int | None = 0
        while above is not None:
            above = rebuilds.rebuild_chunk(ctx, row_id, above)

    desk.act(again)


def test_a_was_that_comes_late_joins_both_columns_and_a_rebuild_gives_the_same(desk: Desk, phone: Wire):
    publish(desk, "1", "integer | a", "text | otra")
    send(phone, "<a>1</a>", "1")
    publish(desk, "2", "integer | b", "text | otra")
    send(phone, "<b>2</b>", "2")
    assert names(desk) == ["a", "b", "instanceid", "otra"]

    said = publish(desk, "3", "integer | b | a", "text | otra")
    send(phone, "<b>3</b>", "3")
    send(phone, "<a>4</a>", "1")
    send(phone, "<b>5</b>", "2")

    assert [one for one in said if "move to the column" in one] == [
        "sheet survey, row 2, column was: “/b” is the former “/a”: the answers in the column “b” move to the column “a”."
    ]
    assert names(desk) == ["a", "instanceid", "otra"]
    assert column(desk, "a") == [1, 2, 3, 4, 5]
    assert (desk.flags("hogar"), desk.failures()) == ([], [])
    before = desk.tables("hogar")
    rebuild(desk)
    assert desk.tables("hogar") == before


def test_columns_of_two_number_types_join_in_the_wider_one(desk: Desk, phone: Wire):
    publish(desk, "1", "decimal | a")
    send(phone, "<a>1.5</a>", "1")
    publish(desk, "2", "text | b")
    send(phone, "<b>dos</b>", "2")
    publish(desk, "3", "text | b | a")
    send(phone, "<a>007</a>", "1")

    assert names(desk) == ["a", "instanceid"]
    assert column(desk, "a") == ["1.5", "dos", "007"]


def test_types_that_fit_no_column_stay_apart_and_that_is_said(desk: Desk, phone: Wire):
    publish(desk, "1", "date | a")
    send(phone, "<a>2026-01-02</a>", "1")
    publish(desk, "2", "integer | b")
    send(phone, "<b>2</b>", "2")

    said = publish(desk, "3", "integer | b | a")

    assert any("no column holds both types: the answers stay in two, “a” and “b”." in one for one in said), said
    assert column(desk, "b") == [None, 2]


def test_a_late_was_between_questions_of_one_version_keeps_both_columns_and_warns(desk: Desk, phone: Wire):
    publish(desk, "1", "integer | a", "integer | b")
    send(phone, "<a>1</a><b>2</b>", "1")

    said = publish(desk, "2", "integer | b | a")
    send(phone, "<b>3</b>", "2")

    assert [one for one in said if "asks both" in one] == [
        "sheet survey, row 2, column was: “/b” says that it was “/a”, but version “1” asks both: their answers stay "
        "apart, each in its own column."
    ]
    assert (column(desk, "a"), column(desk, "b")) == ([1, None], [2, 3])


def test_a_name_that_comes_back_keeps_its_first_column_apart(desk: Desk, phone: Wire):
    publish(desk, "1", "integer | a", "integer | b")
    send(phone, "<a>1</a><b>2</b>", "1")
    publish(desk, "2", "integer | a")

    said = publish(desk, "3", "integer | b | a")
    send(phone, "<b>3</b>", "3")

    assert any("version “1” asks both" in one for one in said), said
    assert (column(desk, "a"), column(desk, "b")) == ([1, None], [2, 3])


def test_a_group_renamed_without_was_and_declared_later_joins_all_it_holds(desk: Desk, phone: Wire):
    publish(desk, "1", "begin group | g", "integer | x", "text | y", "end group")
    send(phone, "<g><x>1</x><y>u</y></g>", "1")
    publish(desk, "2", "begin group | h", "integer | x", "text | y", "end group")
    send(phone, "<h><x>2</x><y>v</y></h>", "2")

    publish(desk, "3", "begin group | h | g", "integer | x", "text | y", "end group")
    send(phone, "<g><x>3</x><y>w</y></g>", "1")

    assert names(desk) == ["instanceid", "x", "y"]
    assert (column(desk, "x"), column(desk, "y")) == ([1, 2, 3], ["u", "v", "w"])


def test_a_repeat_declared_late_keeps_two_tables_and_names_them(desk: Desk, phone: Wire):
    publish(desk, "1", "begin repeat | m", "integer | x", "end repeat")
    send(phone, "<m><x>1</x></m>", "1")
    publish(desk, "2", "begin repeat | p", "integer | x", "end repeat")
    send(phone, "<p><x>2</x></p>", "2")

    said = publish(desk, "3", "begin repeat | p | m", "integer | x", "end repeat")

    assert any("stay in two tables, “hogar_m” and “hogar_p”" in one for one in said), said
    assert (column(desk, "x", "/m"), column(desk, "x", "/p")) == ([1], [2])


def test_a_rename_of_a_rename_is_one_column_for_phones_of_every_version(desk: Desk, phone: Wire):
    publish(desk, "1", "integer | a")
    publish(desk, "2", "integer | b | a")
    publish(desk, "3", "integer | c | b")
    for version, name in (("3", "c"), ("1", "a"), ("2", "b")):
        send(phone, f"<{name}>{version}</{name}>", version)

    assert names(desk) == ["a", "instanceid"]
    assert column(desk, "a") == [3, 1, 2]


def test_a_was_that_skips_a_version_is_honoured(desk: Desk, phone: Wire):
    publish(desk, "1", "integer | a")
    send(phone, "<a>1</a>", "1")
    publish(desk, "2", "text | otra")

    said = publish(desk, "3", "integer | c | a", "text | otra")
    send(phone, "<c>3</c>", "3")

    assert [one for one in said if "it will be new" in one] == []
    assert column(desk, "a") == [1, 3]


def test_two_questions_that_exchange_names_are_refused(desk: Desk, phone: Wire):
    publish(desk, "1", "integer | a", "integer | b")

    try:
        publish(desk, "2", "integer | b | a", "integer | a | b")
        said: object = "published"
    except Problem as problem:
        said = problem.code

    assert said == 400.15

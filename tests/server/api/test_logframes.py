"""The logframe workbook over HTTP: given, refused whole, taken back byte for byte, listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from tests.server.api.clients import Client, client
from tests.server.api.programme import HOUSE, LOGFRAME
from tests.server.desk import ON_SQLITE, Desk
from tests.server.wire import Wire

FIRST = LOGFRAME.encode()
SECOND = LOGFRAME.replace("${edad} >= 18", "${edad} >= 21").replace(
    "| | X | A mano | By hand", "| | Y | A mano | By hand"
)
SECOND_BYTES = SECOND.replace("| | X | actual", "| | Y | actual").encode()
WRONG = b"""
| indicators |
| | name | label | form | type | where | value |
| | A | A | hogar | count | ${edda} > 1 | |
| | A | A | hogar | count | | |
| | B | B | otro | count | | |
| | C | C | | formula | | {D} + 1 |
| | D | D | | formula | | {C} + 1 |
"""


@pytest.fixture
def manager(desk: Desk, phone: Wire) -> Client:
    """Somebody who may declare what a project with one form measures."""
    desk.publish(HOUSE)
    return client(desk, phone.send, "manager")


def put(asking: Client, data: bytes, query: str = "", status: int = 200, **headers: str) -> Any:
    answer = asking.ask(f"/logframe{query}", "PUT", data, **headers)
    assert answer.status == status, answer.content
    return json.loads(answer.content)


def names(asking: Client) -> list[str]:
    return [one["name"] for one in asking.json("/indicators")]


def test_workbook_is_taken_and_says_what_it_changed(manager: Client):
    first = put(manager, FIRST)
    again = put(manager, FIRST)
    second = put(manager, SECOND_BYTES)

    assert (first["new"]["indicator"], first["changed"], first["gone"]) == (["N.1", "M", "H", "E", "F", "X"], {}, {})
    assert {kind: len(listed) for kind, listed in first["new"].items()} == {
        "result": 1,
        "indicator": 6,
        "target": 3,
        "place": 4,
    }
    assert (again["new"], again["changed"], again["gone"], again["unchanged"]) == ({}, {}, {}, 14)
    assert (second["new"], second["changed"], second["gone"], second["unchanged"]) == (
        {"indicator": ["Y"], "target": ["Y|actual|2026|||"]},
        {"indicator": ["N.1"]},
        {"indicator": ["X"], "target": ["X|actual|2026|||"]},
        11,
    )
    assert [one["indicator"] for one in second["waiting"]] == ["E"]
    assert names(manager) == ["N.1", "M", "H", "E", "F", "Y"]


def test_dry_run_says_the_same_and_changes_nothing(desk: Desk, manager: Client):
    put(manager, FIRST)
    before = desk.audited()

    told = put(manager, SECOND_BYTES, "?dryRun=true")

    assert names(manager)[-1] == "X"
    assert desk.audited() == before
    assert len(manager.json("/logframes")) == 1
    made = put(manager, SECOND_BYTES, "?dryRun=false")
    assert told == {**{name: made[name] for name in told}, "dryRun": True}


def test_workbook_with_mistakes_is_refused_whole(manager: Client):
    put(manager, FIRST)

    for query in ("", "?dryRun=true"):
        told = put(manager, WRONG, query, 400)
        assert told["code"] == 400.15
        cells = {(one["sheet"], one["row"], one["column"]) for one in told["details"]["findings"]}
        assert cells >= {
            ("indicators", 2, "where"),
            ("indicators", 3, "name"),
            ("indicators", 4, "form"),
            ("indicators", 5, "value"),
        }
    assert names(manager) == ["N.1", "M", "H", "E", "F", "X"]
    assert manager.ask("/logframe").content == FIRST
    assert len(manager.json("/logframes")) == 1


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (b"", 400.15, "The file is empty."),
        (b"PK no workbook", 400.15, "damaged"),
        (HOUSE.encode(), 400.15, "a logframe asks no questions"),
        (b"| indicators |\n" + b" " * 30_000_001, 413.1, "30 MB"),
    ],
)
@ON_SQLITE
def test_what_is_no_logframe_is_refused(manager: Client, body: bytes, code: float, said: str):
    told = put(manager, body, status=int(code))

    assert told["code"] == code
    assert said in told["message"]


def test_workbook_comes_back_as_it_was_given(desk: Desk, phone: Wire, manager: Client):
    admin = client(desk, phone.send, "admin")
    assert manager.refused("/logframe", 404.1)["wayOut"] == "The project has no such logframe."
    assert manager.json("/logframes") == []
    put(manager, FIRST, "?name=marco.md")
    put(admin, SECOND_BYTES, Content_Disposition="attachment; filename*=UTF-8''marco%20l%C3%B3gico.md")

    newest, eldest = manager.json("/logframes")

    assert (newest["name"], newest["createdBy"], newest["form"], newest["inForce"]) == (
        "marco lógico.md",
        "Coordinación",
        None,
        True,
    )
    assert (eldest["name"], eldest["createdBy"], eldest["inForce"]) == ("marco.md", "manager@example.org", False)
    answer = manager.ask("/logframe")
    assert answer.content == SECOND_BYTES
    assert answer.headers["Content-Disposition"].endswith("filename*=UTF-8''marco%20l%C3%B3gico.md")
    assert manager.ask("/logframe", If_None_Match=answer.headers["ETag"]).status == 304
    assert manager.ask(f"/logframes/{eldest['id']}").content == FIRST
    assert manager.ask("/logframes/999").status == 404


@ON_SQLITE
def test_name_of_a_workbook_that_is_none_is_refused(manager: Client):
    for name in ("..", "a/b.xlsx", "a%00b", "x" * 300):
        assert put(manager, FIRST, f"?name={name}", 400)["code"] == 400.8
    assert put(manager, FIRST, "?nombre=x", 400)["details"] == {"field": "nombre"}
    put(manager, FIRST, X_XlsForm_FormId_Fallback="marco%20l%C3%B3gico.md")
    assert [one["name"] for one in manager.json("/logframes")] == ["marco lógico.md"]


@pytest.mark.parametrize(
    ("role", "reading", "giving"),
    [
        ("admin", 200, 200),
        ("manager", 200, 200),
        ("viewer", 200, 403),
        ("formfill", 403, 403),
        ("none", 403, 403),
        ("nobody", 401, 401),
    ],
)
@ON_SQLITE
def test_each_role_does_what_it_may(desk: Desk, phone: Wire, role: str, reading: int, giving: int):
    desk.publish(HOUSE)
    put(client(desk, phone.send, "admin"), FIRST)
    asking = client(desk, phone.send, role)

    assert asking.ask("/logframe").status == reading
    assert asking.ask("/logframes").status == reading
    put(asking, SECOND_BYTES, "?dryRun=true", giving)
    put(asking, SECOND_BYTES, status=giving)
    assert names(client(desk, phone.send, "admin"))[-1] == ("Y" if giving == 200 else "X")


@ON_SQLITE
def test_who_may_not_give_one_is_refused_before_it_is_read(desk: Desk, phone: Wire):
    asking = client(desk, phone.send, "viewer")

    assert put(asking, WRONG, status=403)["code"] == 403.1


def statements(desk: Desk, work: Callable[[], object]) -> list[str]:
    """The SQL that runs while something is done."""
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(desk.office.database.engine, "before_cursor_execute", note)
    work()
    event.remove(desk.office.database.engine, "before_cursor_execute", note)
    return seen


def test_list_of_uploads_takes_as_many_queries_however_long_it_is(desk: Desk, manager: Client):
    put(manager, FIRST)
    one = statements(desk, lambda: manager.json("/logframes"))
    for number in range(2):
        put(manager, LOGFRAME.replace("Hogares", f"Hogares {number}").encode())

    assert len(manager.json("/logframes")) == 3
    assert statements(desk, lambda: manager.json("/logframes")) == one != []

"""Workbooks of corrections carried out in parts: phones between them, and what is told where one of them is the last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from forms.problems import Problem
from server import problems
from server.actions import correction_uploads
from server.actions.correction_uploads import PART, Outcome
from server.cleaning.uploads import Line, Upload
from server.context import Context
from tests.server.desk import Desk, form
from tests.server.wire import Wire, instance

T = TypeVar("T")
HOUSE = form("hogar", "| | type | name | label |\n| | integer | edad | Edad |\n| | text | dice | Dice |")
RECORDS = 2 * PART + 2


def house(name: object, edad: int = 34, before: str | None = None) -> bytes:
    return instance(
        "hogar",
        f"<edad>{edad}</edad><dice>x</dice>",
        instance_id=f"uuid:{name}",
        deprecated_id=f"uuid:{before}" if before else None,
    )


@pytest.fixture
def at(desk: Desk, phone: Wire) -> Desk:
    """A desk with houses for three parts, each of 34 years."""
    desk.publish(HOUSE)
    for number in range(RECORDS):
        assert phone.post(house(number)).status == 201
    return desk


def wanted(*skipped: int, old: int = 34) -> Upload:
    """A new age for every house but these: 100 and its number."""
    return Upload(
        [
            Line(
                number=number + 2,
                record=f"uuid:{number}",
                row="",
                question="/edad",
                old=str(old),
                mark=None,
                new=str(100 + number),
                reason="por teléfono",
                columns={"old": "D", "new": "E"},
            )
            for number in range(RECORDS)
            if number not in skipped
        ]
    )


def carry_out(at: Desk, upload: Upload, before: Callable[[int], object]) -> Outcome:
    """An upload as its doors carry it out; `before` is called with its number before each transaction that writes."""
    turns = iter(range(100))

    def act(action: Callable[[Context], Any]) -> Any:
        before(next(turns))
        return at.act(action)

    return correction_uploads.carry_out(at.ask, act, 1, "hogar", upload)


def ages(at: Desk) -> list[int]:
    return [row["edad"] for row in at.rows("hogar")]


def test_phones_are_received_between_parts_and_every_row_is_told_once(at: Desk, phone: Wire):
    seen: list[list[int]] = []

    def between(turn: int) -> None:
        seen.append(ages(at)[:RECORDS])
        assert phone.post(house(f"new-{turn}")).status == 201

    done = carry_out(at, wanted(), between)

    assert [(row.number, row.old_text, row.new_text) for row in done.rows] == [
        (number + 2, "34", str(100 + number)) for number in range(RECORDS)
    ]
    assert (done.applied, done.refused, done.unchanged, done.dry_run) == (RECORDS, (), 0, False)
    part = [*range(100, 100 + PART)]
    assert seen == [
        [34] * RECORDS,
        [*part, *[34] * (PART + 2)],
        [*range(100, 100 + 2 * PART), 34, 34],
        [*range(100, 100 + RECORDS)],  # before the line of the audit
    ]
    assert ages(at)[:RECORDS] == [*range(100, 100 + RECORDS)]
    assert at.audited().count("form.correction.import") == 1
    assert at.failures() == []


def test_what_changed_since_it_was_foreseen_is_refused_by_name(at: Desk, phone: Wire):
    def edited(turn: int) -> None:
        if turn == 1:
            assert phone.post(house("edit", 50, before=str(PART))).status == 201
            assert phone.post(house("same", 100 + PART + 1, before=str(PART + 1))).status == 201

    done = carry_out(at, wanted(), edited)

    assert [(row.number, row.refused.es) for row in done.refused if row.refused] == [
        (PART + 2, "/edad dice «50» y no «34»; no se cambió nada.")
    ]
    assert (done.applied, done.unchanged) == (RECORDS - 2, 1)
    assert ages(at)[PART : PART + 3] == [50, 100 + PART + 1, 100 + PART + 2]


def test_an_upload_that_is_cut_off_tells_what_it_did_and_ends_when_it_is_sent_again(at: Desk):
    def cut_off(turn: int) -> None:
        if turn == 1:
            raise problems.unavailable("x")

    done = carry_out(at, wanted(), cut_off)

    assert (done.applied, len(done.refused)) == (PART, PART + 2)
    assert {row.refused for row in done.refused} == {problems.unavailable("x").sentence}
    assert ages(at) == [*range(100, 100 + PART), *[34] * (PART + 2)]
    again = carry_out(at, wanted(), lambda _: None)
    assert (again.applied, again.refused, again.unchanged) == (PART + 2, (), PART)
    assert ages(at) == [*range(100, 100 + RECORDS)]


def test_what_is_wrong_by_itself_changes_nothing_in_any_part(at: Desk):
    lines = list(wanted().lines)
    lines[-1] = Line(**{**{name: getattr(lines[-1], name) for name in Line.__slots__}, "new": "muchos"})

    with pytest.raises(Problem) as raised:
        carry_out(at, Upload(lines), lambda _: pytest.fail("something was written"))

    assert raised.value.code == 400.51
    assert ages(at) == [34] * RECORDS

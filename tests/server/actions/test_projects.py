"""What a project decides about its figures, and how they follow at once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from forms.problems import Problem
from server.actions import indicators, projects
from server.indicators.asking import Request
from server.model.audits import audits
from tests.server.desk import ON_SQLITE, PROJECT, Desk, form, questions
from tests.server.indicators import standing
from tests.server.indicators.measuring import declare, send, table
from tests.server.wire import Wire

HOUSE = form("hogar", questions("integer edad"))
LOGFRAME = "| indicators |\n| | name | label | form | type |\n| | N | Todos | hogar | count |"


def settings(desk: Desk, **wanted: Any) -> tuple[str, int]:
    found = desk.act(lambda ctx: projects.change_settings(ctx, PROJECT, **wanted))
    return found.counting, found.minimum_n


def test_what_counts_is_changed_and_figures_follow_at_once(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    declare(desk, LOGFRAME)
    for age in (10, 20, 30):
        send(phone, "hogar", f"<edad>{age}</edad>", instance_id=f"uuid:{age}")
    standing.review(desk, "hogar", "uuid:10", "approved")
    standing.review(desk, "hogar", "uuid:20", "rejected")
    before = table(desk, "N")

    assert settings(desk, counting="approved") == ("approved", 10)
    assert before == {(): (2.0, 2, 0)}
    assert table(desk, "N") == {(): (1.0, 1, 0)}
    assert settings(desk, counting="not_rejected") == ("not_rejected", 10)
    assert table(desk, "N") == before


def test_the_smallest_cell_that_is_shown_is_changed(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    declare(desk, LOGFRAME)
    for age in range(5):
        send(phone, "hogar", f"<edad>{age}</edad>")
    viewer = desk.user("mira@example.org", "viewer")

    def hidden() -> list[bool]:
        found = desk.ask(lambda ctx: indicators.get_values(ctx, PROJECT, ["N"], Request()), viewer)
        return [figure.hidden for one in found.values for figure in one.figures]

    before = hidden()
    settings(desk, minimum_n=5)
    shown = hidden()
    settings(desk, minimum_n=6)

    assert (before, shown, hidden()) == ([True], [False], [True])


@ON_SQLITE
def test_a_change_leaves_an_audit_line_and_no_change_leaves_none(desk: Desk):
    settings(desk, counting="approved", minimum_n=3)
    settings(desk, counting="approved")

    rows = desk.look(lambda conn: conn.execute(select(audits.c.action, audits.c.details)).all())
    assert [tuple(row) for row in rows] == [("project.update", {"counting": "approved", "minimum_n": 3})]


@ON_SQLITE
@pytest.mark.parametrize("wanted", [{"counting": "todo"}, {"minimum_n": -1}, {"minimum_n": 2_000_000}])
def test_settings_that_cannot_be_meant_are_refused(desk: Desk, wanted: dict[str, Any]):
    with pytest.raises(Problem) as told:
        settings(desk, **wanted)

    assert told.value.code == 400.8

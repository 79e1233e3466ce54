"""Reviews and corrections reach figures and extracts at once; an edit from the phone sets a submission's state."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest

from forms.problems import Problem
from server.actions import corrections, extracts, histories, rebuilds, reviews
from server.actions.corrections import Wish
from server.actions.extracts import CentralRequest
from server.actions.projects import change_settings
from tests.server.desk import Desk, form
from tests.server.indicators.measuring import declare, send, table
from tests.server.wire import Wire

HOUSE = form("hogar", "| | type | name | label |\n| | date | dia | D |\n| | integer | edad | E |\n")
MEAN = """
| indicators |
| | name | label | form | type | value | date | period |
| | M | Edad media | hogar | mean | ${edad} | ${dia} | quarter |
"""


@pytest.fixture
def at(desk: Desk, phone: Wire) -> Desk:
    """Three houses of 10, 20 and 60 years."""
    desk.publish(HOUSE)
    declare(desk, MEAN)
    for name, age in (("A", 10), ("B", 20), ("C", 60)):
        send(phone, "hogar", f"<dia>2026-01-10</dia><edad>{age}</edad>", instance_id=f"uuid:{name}")
    return desk


def review(desk: Desk, name: str, state: str | None) -> None:
    desk.act(lambda ctx: reviews.review(ctx, 1, "hogar", f"uuid:{name}", state))


def correct(desk: Desk, name: str, age: str | None) -> int:
    wish = Wish(row="", path="/edad", new_text=age, reason="boleta")
    return desk.act(lambda ctx: corrections.correct(ctx, 1, "hogar", f"uuid:{name}", wish)).correction.id


def mean(desk: Desk) -> tuple[float | None, int, int]:
    """Value, units, excluded."""
    return table(desk, "M", period="all").get((), (None, 0, 0))


def exported(desk: Desk) -> dict[str, tuple[str, str]]:
    """Age and review state by key, as ODK Central's layout has them."""

    def read(ctx: object) -> bytes:
        return b"".join(extracts.open_central(ctx, 1, "hogar", CentralRequest(), identities=True).pieces)  # type: ignore[arg-type]

    with zipfile.ZipFile(io.BytesIO(desk.ask(read))) as archive:
        lines = csv.DictReader(io.StringIO(archive.read("hogar.csv").decode()))
        return {line["KEY"]: (line["edad"], line["ReviewState"]) for line in lines}


def test_a_rejected_submission_counts_no_more_and_stays_in_the_export(at: Desk):
    assert mean(at) == (30.0, 3, 0)

    review(at, "C", "rejected")

    assert mean(at) == (15.0, 2, 0)
    assert exported(at) == {"uuid:A": ("10", ""), "uuid:B": ("20", ""), "uuid:C": ("60", "rejected")}
    review(at, "C", None)
    assert mean(at) == (30.0, 3, 0)


def test_a_project_may_count_what_was_approved_only(at: Desk, phone: Wire):
    at.act(lambda ctx: change_settings(ctx, 1, counting="approved"))
    assert mean(at) == (None, 0, 0)

    for name, state in (("A", "approved"), ("B", "hasIssues"), ("C", "approved")):
        review(at, name, state)
    assert mean(at) == (35.0, 2, 0)

    send(phone, "hogar", "<dia>2026-01-10</dia><edad>40</edad>", instance_id="uuid:C2", deprecated_id="uuid:C")
    assert mean(at) == (10.0, 1, 0)  # the edit has to be approved again
    review(at, "C", "approved")
    assert mean(at) == (25.0, 2, 0)


def test_a_correction_moves_figures_and_extracts_at_once(at: Desk):
    number = correct(at, "C", "30")
    assert (mean(at), exported(at)["uuid:C"]) == ((20.0, 3, 0), ("30", ""))

    correct(at, "A", None)
    assert mean(at) == (25.0, 2, 1)

    at.act(lambda ctx: corrections.withdraw(ctx, 1, "hogar", number, "no era"))
    assert mean(at) == (40.0, 2, 1)
    assert at.failures() == []


def test_figures_stay_after_a_rebuild(at: Desk):
    correct(at, "C", "30")
    review(at, "A", "rejected")
    before = at.tables("hogar")
    (held,) = at.act(rebuilds.prepare_rebuild)

    rebuilds.rebuild_form(at.act, held)

    assert (at.tables("hogar"), mean(at)) == (before, (25.0, 2, 0))


def test_every_decision_is_kept_with_its_note(at: Desk, phone: Wire):
    at.act(lambda ctx: reviews.review(ctx, 1, "hogar", "uuid:A", "hasIssues", " falta la foto "))
    send(phone, "hogar", "<dia>2026-01-10</dia><edad>11</edad>", instance_id="uuid:A2", deprecated_id="uuid:A")
    review(at, "A", "approved")

    events = at.ask(lambda ctx: histories.get_history(ctx, 1, "hogar", "uuid:A"))

    decided = [(event.actor, event.details) for event in events if event.kind == "review"]
    assert decided == [
        ("Coordinación", {"reviewState": "hasIssues", "note": "falta la foto"}),
        ("Teléfono 1", {"reviewState": "edited", "note": None}),
        ("Coordinación", {"reviewState": "approved", "note": None}),
    ]
    assert at.whole_rows("hogar")[0]["_review_state"] == "approved"


@pytest.mark.parametrize(("state", "note"), [("received", None), ("APPROVED", None), ("approved", "x" * 20_001)])
def test_a_decision_that_is_none_changes_nothing(at: Desk, state: str, note: str | None):
    with pytest.raises(Problem) as raised:
        at.act(lambda ctx: reviews.review(ctx, 1, "hogar", "uuid:A", state, note))

    assert raised.value.code == 400.8
    assert at.whole_rows("hogar")[0]["_review_state"] is None

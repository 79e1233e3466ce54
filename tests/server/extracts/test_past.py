"""Extracts of a past moment are what extracts were then, whatever was corrected, edited, reviewed or sent since."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from server.actions import corrections, reviews
from server.actions.corrections import Wish
from tests.server.api.clients import PASSWORD
from tests.server.desk import Desk, form
from tests.server.extracts.asking import Analyst, basic
from tests.server.wire import Wire, instance

SURVEY = """
| | type               | name   | label  | privacy |
| | text               | nombre | Nombre | direct  |
| | integer            | edad   | Edad   |         |
| | date               | dia    | Día    |         |
| | select_multiple sn | ayuda  | Ayuda  |         |
| | geopoint           | lugar  | Lugar  |         |
| | begin repeat       | m      | Alguien|         |
| | text               | n      | N      |         |
| | integer            | anios  | Años   |         |
| | end repeat         |        |        |         |
"""
CHOICES = "| | list_name | name | label |\n| | sn | agua | Agua |\n| | sn | luz | Luz |"
HOUSE = form("hogar", SURVEY, choices=CHOICES)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def house(
    name: str, edad: object = 34, members: tuple[tuple[str, int], ...] = (("Ana", 3), ("Beto", 4)), before: str = ""
):
    rows = "".join(f"<m><n>{who}</n><anios>{age}</anios></m>" for who, age in members)
    answers = f"<nombre>=Ñ {name}</nombre><edad>{edad}</edad><dia>2026-02-03</dia><ayuda>agua</ayuda>"
    answers += f"<lugar>8.9 -79.5 0 5</lugar>{rows}"
    return instance("hogar", answers, instance_id=f"uuid:{name}", deprecated_id=f"uuid:{before}" if before else None)


def correct(desk: Desk, record: str, path: str, new: str | None, row: str = "") -> int:
    wish = Wish(row=row, path=path, new_text=new, reason="se llamó")
    return desk.act(lambda ctx: corrections.correct(ctx, 1, "hogar", record, wish)).correction.id


def history(desk: Desk, phone: Wire) -> list[Any]:
    """What happens, one thing a day."""
    made: list[int] = []
    return [
        lambda: [phone.post(house("A")), phone.post(house("B", "treinta"))],
        lambda: made.append(correct(desk, "uuid:A", "/edad", "40")),
        lambda: correct(desk, "uuid:A", "/m/anios", "5", "uuid:A/m[2]"),
        lambda: phone.post(house("A2", 35, (("Beto", 4), ("Carla", 9)), before="A")),
        lambda: desk.act(lambda ctx: reviews.review(ctx, 1, "hogar", "uuid:B", "rejected")),
        lambda: desk.act(lambda ctx: corrections.confirm(ctx, 1, "hogar", made[0])),
        lambda: [phone.post(house("C")), correct(desk, "uuid:B", "/ayuda", "agua luz")],
        lambda: desk.act(lambda ctx: corrections.withdraw(ctx, 1, "hogar", 2, "no era")),
        lambda: desk.act(lambda ctx: reviews.review(ctx, 1, "hogar", "uuid:B", "approved")),
    ]


def test_every_table_is_what_it_was_on_each_day(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(HOUSE)
    then: dict[datetime, dict[str, bytes]] = {}
    for day, happens in enumerate(history(desk, phone)):
        with time_machine.travel(START + timedelta(days=day), tick=False):
            happens()
        moment = START + timedelta(days=day, hours=3)
        with time_machine.travel(moment, tick=False):
            then[moment] = analyst.zip("hogar", "csv.zip")

    with time_machine.travel(START + timedelta(days=40), tick=False):
        for moment, files in then.items():
            said = moment.isoformat().replace("+00:00", "Z")
            now = analyst.zip("hogar", "csv.zip", at=said)
            for name in (
                ("hogar.csv", "hogar-m.csv") if "hogar-m.csv" in files else [n for n in files if n.endswith(".csv")]
            ):
                assert now[name].decode() == files[name].decode(), (moment, name)
        assert len({files["hogar.csv"] for files in then.values()}) == 9
        assert analyst.csv("hogar", at="2026-02-28").empty


def test_every_format_and_filter_is_of_that_day(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(HOUSE)
    with time_machine.travel(START, tick=False):
        phone.post(house("A"))
        phone.post(house("B", 60))
    with time_machine.travel(START + timedelta(days=2), tick=False):
        correct(desk, "uuid:A", "/edad", "40")
        desk.act(lambda ctx: reviews.review(ctx, 1, "hogar", "uuid:B", "rejected"))

    for kind in ("xlsx", "parquet.zip", "dta.zip", "sav.zip", "geojson", "csv"):
        assert analyst.get("hogar", f"extract.{kind}", at="2026-03-01").status == 200, kind
    assert list(analyst.csv("hogar", at="2026-03-02")["edad"]) == ["34", "60"]
    assert list(analyst.csv("hogar", at="2026-03-03")["edad"]) == ["40", "60"]
    assert list(analyst.csv("hogar", at="2026-03-02", review="received")["edad"]) == ["34", "60"]
    assert list(analyst.csv("hogar", at="2026-03-03", review="received")["edad"]) == ["40"]
    assert list(analyst.csv("hogar", at="2026-03-02", join="m", columns="edad,anios")["edad"]) == [
        "34",
        "34",
        "60",
        "60",
    ]
    assert desk.rows("hogar")[0]["edad"] == 40  # what stands was not touched


def test_columns_of_later_versions_are_there_and_blank(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(HOUSE)
    with time_machine.travel(START, tick=False):
        phone.post(house("A"))
    desk.publish(form("hogar", SURVEY + "| | text | dice | Dice | |\n", choices=CHOICES, version="2"))

    found = analyst.csv("hogar", at="2026-03-01")

    assert (list(found["dice"]), list(found["edad"])) == ([""], ["34"])


def test_without_identities_a_moment_is_its_day_and_nobody_is_named(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(HOUSE)
    with time_machine.travel(START, tick=False):
        phone.post(house("A"))
    with time_machine.travel(START + timedelta(hours=5), tick=False):
        correct(desk, "uuid:A", "/edad", "40")
    desk.user("viewer@example.org", "viewer", password=PASSWORD)
    viewer = replace(analyst, authorization=basic("viewer@example.org", PASSWORD))

    found = viewer.csv("hogar", at="2026-03-01T13:00:00Z", identities="false", reason="")

    assert list(found["edad"]) == ["40"]  # not whether it was before or after one o'clock
    assert "nombre" not in found.columns
    assert found["_key"][0] != "uuid:A"
    assert viewer.refused("hogar", "csv", at="2026-03-01")[:2] == (403, 403.1)


GUARDED = """
| | type          | name  | label | consent |
| | select_one yn | da    | ¿?    |         |
| | integer       | edad  | Edad  | da      |
| | integer       | otro  | Otro  |         |
"""


def test_what_a_record_no_longer_allows_is_not_told_of_its_past(desk: Desk, phone: Wire, analyst: Analyst):
    yes_no = "| | list_name | name | label |\n| | yn | yes | Sí |\n| | yn | no | No |"
    desk.publish(form("hogar", GUARDED, choices=yes_no))
    first = "<da>yes</da><edad>34</edad><otro>7</otro>"
    with time_machine.travel(START, tick=False):
        phone.post(instance("hogar", first, instance_id="uuid:A"))
    with time_machine.travel(START + timedelta(days=1), tick=False):
        edit = first.replace("yes", "no").replace("34", "")
        phone.post(instance("hogar", edit, instance_id="uuid:A2", deprecated_id="uuid:A"))

    bare = analyst.csv("hogar", at="2026-03-01", identities="false", reason="")
    whole = analyst.csv("hogar", at="2026-03-01")

    assert (list(bare["edad"]), list(bare["otro"])) == ([""], ["7"])
    assert (list(whole["edad"]), list(whole["otro"])) == (["34"], ["7"])


@pytest.mark.parametrize("options", [{"at": "ayer"}, {"at": "2026-13-01"}, {"at": "2026-03-01T08:00:00"}])
def test_what_is_no_moment_is_refused(desk: Desk, analyst: Analyst, options: dict[str, str]):
    desk.publish(HOUSE)

    assert analyst.refused("hogar", "csv", **options)[:2] == (400, 400.8)


def test_files_and_cursors_are_of_the_present_alone(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(HOUSE)
    phone.post(house("A"))
    cursor = dict(analyst.get("hogar", "extract.csv").headers)["Tejido-Cursor"]

    assert analyst.refused("hogar", "csv", at="2026-03-01", since=cursor)[:2] == (400, 400.8)
    assert analyst.get("hogar", "media.zip", at="2026-03-01").status == 400
    assert "Tejido-Cursor" not in dict(analyst.get("hogar", "extract.csv", at="2026-03-01").headers)

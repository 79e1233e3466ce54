"""Pseudonyms of records whose earlier versions come late: the record keeps the one that it had, whatever its key becomes."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.server.api.clients import Client, called, client
from tests.server.desk import Desk, form
from tests.server.wire import Wire, instance, to_app

HOUSE = form(
    "hogar",
    "| | type | name | label |\n| | integer | edad | Edad |\n"
    "| | begin repeat | m | M |\n| | integer | n | N |\n| | end repeat | | |",
)
ONE = "/forms/hogar/submissions"


def version(name: str, edits: str = "", edad: int = 34) -> bytes:
    return instance(
        "hogar",
        f"<edad>{edad}</edad><m><n>1</n></m>",
        instance_id=f"uuid:{name}",
        deprecated_id=f"uuid:{edits}" if edits else None,
    )


@pytest.fixture
def viewer(desk: Desk, app: Flask) -> Client:
    desk.publish(HOUSE)
    return client(desk, to_app(app), "viewer")


def ages(viewer: Client, key: str) -> list[str]:
    """What a record that is called so says."""
    told = viewer.json(f"{ONE}/{key}/state")
    return [row["answers"]["/edad"] for row in told["rows"] if not row["table"]]


def test_a_record_keeps_its_pseudonym_when_older_and_older_versions_come(desk: Desk, viewer: Client, phone: Wire):
    phone.post(version("C", "B", 36))
    [told] = called(viewer, "hogar")

    for late in (version("B", "A", 35), version("A", "", 34)):
        assert phone.post(late).status == 201
        assert called(viewer, "hogar") == [told]
        assert ages(viewer, told) == ["36"]
    rows = viewer.lines("/forms/hogar/extract.csv?table=m")
    assert [(row["_submission_key"], row["_key"]) for row in rows] == [(told, f"{told}/m[1]")]
    assert desk.whole_rows("hogar")[0]["_key"] == "uuid:A"


def test_of_two_records_that_turn_out_to_be_one_either_pseudonym_finds_it(desk: Desk, viewer: Client, phone: Wire):
    phone.post(version("A"))
    phone.post(version("C", "B", 36))
    both = {row["edad"]: row["_key"] for row in viewer.lines("/forms/hogar/extract.csv")}

    assert phone.post(version("B", "A", 35)).status == 201

    assert called(viewer, "hogar") == [both["34"]]
    assert ages(viewer, both["34"]) == ["36"]
    assert ages(viewer, both["36"]) == ["36"]
    assert viewer.json(f"{ONE}/{both['36']}/state")["record"] == both["34"]


def test_a_record_without_a_pseudonym_yet_takes_that_of_what_joins_it(desk: Desk, viewer: Client, phone: Wire):
    phone.post(version("C", "B", 36))
    [told] = called(viewer, "hogar")
    phone.post(version("A"))

    assert phone.post(version("B", "A", 35)).status == 201

    assert called(viewer, "hogar") == [told]
    assert ages(viewer, told) == ["36"]


def test_nobody_finds_a_record_by_an_id_that_he_knows(desk: Desk, viewer: Client, phone: Wire):
    phone.post(version("C", "B", 36))
    called(viewer, "hogar")
    phone.post(version("B", "A", 35))

    for known in ("uuid:A", "uuid:B", "uuid:C"):
        viewer.refused(f"{ONE}/{known}/state", 404.1)


def test_a_key_that_another_form_s_record_has_too_is_left_to_it(desk: Desk, viewer: Client, phone: Wire):
    desk.publish(HOUSE.replace("hogar", "otro"))
    phone.post(version("C", "B", 36))
    phone.post(instance("otro", "<edad>50</edad>", instance_id="uuid:B"))
    [told], [other] = called(viewer, "hogar"), called(viewer, "otro")
    assert told == other  # one key is one pseudonym in a project

    phone.post(version("B", "A", 35))

    assert called(viewer, "otro") == [other]
    assert ages(viewer, told) == ["36"]

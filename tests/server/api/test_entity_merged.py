"""What stands of entities that were merged into others: where they went, and that nothing counts them any more."""

from __future__ import annotations

import csv
import io

import pytest
from flask import Flask

from server.actions import entity_merging
from tests.server.api.clients import Client, client, refused, said
from tests.server.desk import PROJECT
from tests.server.entities.trees import LIST, Trees, creation, uuid_of
from tests.server.wire import to_app

HERE = f"/datasets/{LIST}"
ALL = f"{HERE}/entities"
ONE, TWO, THREE = uuid_of(1), uuid_of(2), uuid_of(3)


@pytest.fixture
def merged(forest: Trees) -> Trees:
    """Three trees, of which the second turned out to be the first, and that the third."""
    forest.send(*(creation(number, ubicacion="8.5 -80.1 0 0") for number in (1, 2, 3)))
    merge(forest, ONE, TWO)
    return forest


def merge(forest: Trees, survivor: str, absorbed: str) -> int:
    return forest.desk.act(
        lambda ctx: entity_merging.merge(ctx, PROJECT, LIST, survivor, absorbed, reason="el mismo")
    ).id


def test_whoever_asks_for_it_is_told_into_which_it_was_merged(merged: Trees, admin: Client):
    for path in ("", "/versions", "/diffs", "/visits", "/audits", "/geojson"):
        told = admin.refused(f"{ALL}/{TWO}{path}", 404.1)
        assert told["details"] == {"uuid": TWO, "mergedInto": ONE}
    assert refused(admin, "PATCH", f"{ALL}/{TWO}?force=true", {"label": "x"}, 404.1)["details"]["mergedInto"] == ONE
    assert refused(admin, "DELETE", f"{ALL}/{TWO}", None, 404.1)["details"]["mergedInto"] == ONE

    found = admin.json(f"{ALL}/{TWO}?deleted=true")
    assert (found["uuid"], found["mergedInto"], found["currentVersion"]["label"]) == (TWO, ONE, "cedro 30")
    assert "mergedInto" not in admin.json(f"{ALL}/{ONE}")


def test_after_one_more_merge_it_is_the_last_one_that_is_told(merged: Trees, admin: Client):
    merge(merged, THREE, ONE)

    assert admin.refused(f"{ALL}/{TWO}", 404.1)["details"]["mergedInto"] == THREE
    assert {one["uuid"]: one["mergedInto"] for one in admin.json(f"{ALL}?deleted=true")} == {ONE: THREE, TWO: THREE}


def test_an_entity_that_was_only_deleted_was_merged_into_none(merged: Trees, admin: Client):
    said(admin, "DELETE", f"{ALL}/{THREE}")

    assert admin.refused(f"{ALL}/{THREE}", 404.1)["details"] == {"uuid": THREE}
    assert "mergedInto" not in admin.json(f"{ALL}/{THREE}?deleted=true")
    told = {one["uuid"]: one.get("mergedInto") for one in admin.json(f"{ALL}?deleted=true", X_Extended_Metadata="true")}
    assert told == {TWO: ONE, THREE: None}


def test_no_list_feed_or_count_has_it_among_the_living(merged: Trees, admin: Client):
    living = {ONE, THREE}

    assert {one["uuid"] for one in admin.json(ALL)} == living
    lines = csv.DictReader(io.StringIO(admin.ask(f"{ALL}.csv").content.decode("utf-8-sig"), newline=""))
    assert {line["__id"] for line in lines} == living
    table = admin.json(f"{HERE}.svc/Entities?%24count=true", OData_Version="4.0")
    assert ({one["__id"] for one in table["value"]}, table["@odata.count"]) == (living, 2)
    places = admin.ask(f"{ALL}.geojson")
    assert (places.status, places.content.count(b'"Feature"')) == (200, 2)
    assert admin.json(HERE, X_Extended_Metadata="true")["entities"] == 2
    [listed] = admin.json("/datasets", X_Extended_Metadata="true")
    assert listed["entities"] == 2
    phone = merged.phone.get(f"/forms/arbol_seguimiento/attachments/{LIST}.csv").content.decode()
    assert {line["name"] for line in csv.DictReader(io.StringIO(phone))} == living


def test_once_the_merge_is_undone_both_stand(merged: Trees, admin: Client):
    [made] = admin.json(f"{HERE}/merges")
    said(admin, "POST", f"{HERE}/merges/{made['id']}/undo", {"reason": "no era"})

    assert "mergedInto" not in admin.json(f"{ALL}/{TWO}")
    assert len(admin.json(ALL)) == 3


def test_whoever_may_not_identify_people_is_not_told_of_merges(merged: Trees, app: Flask):
    viewer = client(merged.desk, to_app(app), "viewer")

    assert len(viewer.json(ALL)) == 2
    [gone] = viewer.json(f"{ALL}?deleted=true")
    assert "mergedInto" not in gone
    told = viewer.refused(f"{ALL}/{gone['uuid']}", 404.1)
    assert told["details"] == {"uuid": gone["uuid"]}
    assert "mergedInto" not in viewer.json(f"{ALL}/{gone['uuid']}?deleted=true")
    answer = viewer.ask(f"{ALL}/{TWO}")
    assert (answer.status, ONE.encode() in answer.content) == (404, False)

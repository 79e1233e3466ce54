"""Entities in extracts: of whom each row speaks, under one name in every form, through merges and edits."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from server.actions import entity_merging, withdrawals
from server.actions.rebuilds import prepare_rebuild, rebuild_form
from server.actions.withdrawals import Wish
from server.model.entities import entity_links
from tests.helpers import samples
from tests.server.desk import PROJECT, Desk
from tests.server.entities import trees
from tests.server.entities.trees import CREATES, LIST, UPDATES, Trees, creation, update, uuid_of
from tests.server.extracts.asking import Analyst, read_csv
from tests.server.wire import Wire, instance

FAMILY = "familia_entidades"


@pytest.fixture
def forest(desk: Desk, phone: Wire) -> Trees:
    """Three trees with a visit each, and a visit of a tree that nobody knows."""
    trees.publish(desk)
    found = Trees(desk, phone)
    found.send(*(creation(number) for number in (1, 2, 3)))
    found.send(*(update(number, 1, sent=f"uuid:v{number}", circunferencia="9") for number in (1, 2, 3, 7)))
    return found


def family(*people: tuple[str, int], sent: str = "uuid:f", before: str | None = None) -> bytes:
    rows = "".join(
        f"<persona><nombre>{name}</nombre><edad>30</edad><meta>"
        f'<entity dataset="personas" id="{uuid_of(number)}" create="1"><label>{name}</label></entity></meta></persona>'
        for name, number in people
    )
    return instance(FAMILY, f"<comunidad>C</comunidad>{rows}", instance_id=sent, deprecated_id=before)


def told(analyst: Analyst, form_id: str, **options: str) -> dict[str, str]:
    table = analyst.csv(form_id, **options)
    return dict(zip(table["_key"], table[f"_entity_{LIST}"], strict=True))


def test_rows_tell_the_entity_that_they_made_or_changed(forest: Trees, analyst: Analyst):
    assert told(analyst, CREATES) == {f"uuid:create-{number}": uuid_of(number) for number in (1, 2, 3)}
    assert told(analyst, UPDATES) == {
        **{f"uuid:v{number}": uuid_of(number) for number in (1, 2, 3)},
        "uuid:v7": "",
    }


def test_a_merged_entity_is_told_as_the_one_it_was_merged_into(forest: Trees, analyst: Analyst):
    forest.desk.act(lambda ctx: entity_merging.merge(ctx, PROJECT, LIST, uuid_of(1), uuid_of(2), reason="la misma"))

    assert told(analyst, UPDATES) == {
        "uuid:v1": uuid_of(1), "uuid:v2": uuid_of(1), "uuid:v3": uuid_of(3), "uuid:v7": "",
    }  # fmt: skip


def test_whoever_took_back_the_consent_is_no_row_s_entity(forest: Trees, analyst: Analyst):
    wish = Wish(reason="withdrawn", asked_by="person", policy="keep_facts")
    forest.desk.act(lambda ctx: withdrawals.withdraw(ctx, PROJECT, LIST, uuid_of(2), wish))

    assert sorted(told(analyst, UPDATES).values()) == ["", "", uuid_of(1), uuid_of(3)]


def test_without_identities_one_entity_has_one_name_everywhere(forest: Trees, analyst: Analyst):
    forest.desk.act(lambda ctx: entity_merging.merge(ctx, PROJECT, LIST, uuid_of(1), uuid_of(2), reason="la misma"))
    bare = {"identities": "false", "reason": ""}

    made = analyst.csv(CREATES, **bare)
    visits = analyst.csv(UPDATES, **bare)

    names = list(made[f"_entity_{LIST}"])
    seen = visits[f"_entity_{LIST}"]
    assert len(set(names)) == 2
    assert sorted([*names, ""]) == sorted(seen)
    assert list(seen[seen != ""]) == list(visits["arbol"][seen != ""])  # the choice from the list, which no one marked
    everything = analyst.file(CREATES, "csv", **bare) + analyst.file(UPDATES, "csv", **bare)
    assert not any(uuid_of(number).encode() in everything for number in (1, 2, 3, 7))


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "dta", "sav"])
def test_every_format_has_the_column(
    forest: Trees, analyst: Analyst, kind: str, tmp_path_factory: pytest.TempPathFactory
):
    data = analyst.file(CREATES, kind)

    if kind == "parquet":
        table = pd.read_parquet(io.BytesIO(data))
    elif kind == "xlsx":
        table = pd.read_excel(io.BytesIO(data))
    else:
        file = tmp_path_factory.mktemp("formats") / f"a.{kind}"
        file.write_bytes(data)
        table = pd.read_stata(file) if kind == "dta" else pd.read_spss(file)
    [name] = [name for name in table.columns if "entity" in name]
    assert sorted(table[name]) == [uuid_of(number) for number in (1, 2, 3)]


def test_repeat_rows_keep_their_entities_when_an_edit_takes_rows_away_and_adds_some(
    desk: Desk, phone: Wire, analyst: Analyst
):
    desk.publish(samples.family().xform)
    assert phone.post(family(("Ana", 1), ("Beto", 2))).status == 201

    assert phone.post(family(("Beto", 2), ("Carla", 3), sent="uuid:g", before="uuid:f")).status == 201

    people = read_csv(analyst.file(FAMILY, "csv", table="persona"))
    assert dict(zip(people["nombre"], people["_entity_personas"], strict=True)) == {
        "Beto": uuid_of(2),
        "Carla": uuid_of(3),
    }
    joined = read_csv(analyst.file(FAMILY, "csv", join="persona"))
    assert list(joined["_entity_personas"]) == [uuid_of(2), uuid_of(3)]
    assert desk.failures() == []
    assert phone.post(family(("Beto", 2), ("Carla", 3), sent="uuid:h", before="uuid:g")).status == 201
    found = Trees(desk, phone).receipts(FAMILY, "uuid:f")
    assert sorted((one.uuid, one.outcome) for one in found) == [(uuid_of(number), "created") for number in (1, 2, 3)]


def test_a_rebuild_links_what_was_there_before(forest: Trees, analyst: Analyst):
    before = told(analyst, UPDATES)
    forest.desk.change(lambda conn: conn.execute(entity_links.delete()))
    assert set(told(analyst, UPDATES).values()) == {""}

    for held in forest.desk.act(prepare_rebuild):
        rebuild_form(forest.desk.act, held)

    assert told(analyst, UPDATES) == before


def test_the_codebook_says_what_the_column_is(forest: Trees, analyst: Analyst):
    book = analyst.get(CREATES, "codebook.html").body.decode()

    assert f"_entity_{LIST}" in book
    assert f"Entidad de la lista «{LIST}»" in book or f"Entity of the list “{LIST}”" in book

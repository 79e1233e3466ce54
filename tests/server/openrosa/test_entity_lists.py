"""Entity lists on phones: in the manifest, as CSV, as each app user sees them, and which entities are gone."""

from __future__ import annotations

import base64
import csv
import io
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import insert

from server.actions import actor_properties as own_properties
from server.actions import dataset_desk, entity_merging
from server.actions import entities as actions
from server.actions.entities import By
from server.context import Context
from server.model.entities import actor_properties, actor_property_values
from server.model.people import Actor
from server.store import datasets, entities
from tests.helpers import samples
from tests.helpers.phone.documents import MediaFile, read_deleted_states, read_manifest
from tests.server.desk import ON_SQLITE, PROJECT, TOKEN, Desk
from tests.server.entities import trees
from tests.server.entities.trees import LIST, UPDATES, Trees, creation, update, uuid_of
from tests.server.wire import Answer, Wire

FILE = f"/forms/{UPDATES}/attachments/{LIST}.csv"
PASSWORD = "contraseña larga de ceiba"
MANIFEST = f"/forms/{UPDATES}/manifest"


@pytest.fixture
def forest(desk: Desk, phone: Wire) -> Trees:
    trees.publish(desk)
    made = Trees(desk, phone)
    made.send(creation(1), creation(2, especie='pino, "alto"', circunferencia="31"))
    return made


def manifest(phone: Wire) -> tuple[MediaFile, ...]:
    return read_manifest(ET.fromstring(phone.get(MANIFEST).content))


def entry(phone: Wire) -> etree._Element:
    [found] = phone.get(MANIFEST).xml
    return found


def hash_in(phone: Wire) -> str:
    return next(str(child.text) for child in entry(phone) if etree.QName(child).localname == "hash")


def table(answer: Answer) -> list[dict[str, str]]:
    assert answer.status == 200
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def ids(phone: Wire) -> list[str]:
    return [row["name"] for row in table(phone.get(FILE))]


def test_the_manifest_tells_of_the_list_as_collect_reads_it(forest: Trees):
    [file] = manifest(forest.phone)

    assert (file.filename, file.type) == ("arboles.csv", "entityList")
    assert file.integrity_url is not None
    assert file.integrity_url.endswith(f"/v1/key/{TOKEN}/projects/{PROJECT}/datasets/arboles/integrity")
    forest.desk.change(lambda conn: datasets.change(conn, forest.dataset.id, approval_required=True))
    assert manifest(forest.phone)[0].type == "approvalEntityList"


def test_the_list_is_a_csv_with_every_property(forest: Trees):
    forest.send(update(1, 1, sent="uuid:u", estado="sano\nde pie"))

    rows = table(forest.phone.get(FILE))

    assert list(rows[0]) == ["name", "label", "__version", "especie", "geometry", "circunferencia", "estado"]
    assert [tuple(row[name] for name in ("name", "label", "__version", "especie", "estado")) for row in rows] == [
        (uuid_of(2), 'pino, "alto" 31', "1", 'pino, "alto"', ""),
        (uuid_of(1), "cedro 30", "2", "cedro", "sano\nde pie"),
    ]


def test_an_empty_list_is_its_header(desk: Desk, phone: Wire):
    trees.publish(desk)

    assert phone.get(FILE).content == b"name,label,__version,especie,geometry,circunferencia,estado\r\n"


def test_values_come_back_as_they_were_whatever_they_hold(forest: Trees):
    odd = ["uno\rdos", "uno\ndos", "a;b,c", '"', "ñandú 🧵", " borde ", "=1+1", "#", "'"]
    made: list[tuple[str, str, dict[str, str]]] = [
        (f"{number:08x}-0000-4000-8000-00000000000a", f"e{value}", {"estado": value})
        for number, value in enumerate(odd)
    ]
    forest.desk.act(
        lambda ctx: actions.create_many(
            ctx,
            PROJECT,
            LIST,
            [actions.New(uuid=uuid, label=label, data=data) for uuid, label, data in made],
            {"name": "raros.csv"},
            By(),
        )
    )

    rows = {row["name"]: row for row in table(forest.phone.get(FILE))}

    assert [(rows[uuid]["label"], rows[uuid]["estado"]) for uuid, _, _ in made] == [(f"e{one}", one) for one in odd]


def test_a_database_set_back_to_an_earlier_day_repeats_no_hash(forest: Trees):
    was = forest.dataset
    forest.send(creation(3))
    after = hash_in(forest.phone)

    forest.desk.change(lambda conn: datasets.change(conn, was.id, revision=was.revision))  # as a backup holds it
    forest.send(creation(4))

    assert hash_in(forest.phone) != after


def test_the_hash_is_the_etag_and_stands_until_something_changes(forest: Trees):
    phone = forest.phone
    first = phone.get(FILE)
    etag = first.headers["ETag"]

    assert hash_in(phone) == f"md5:{etag.removeprefix('W/').strip(chr(34))}"
    assert phone.get(FILE, **{"If-None-Match": etag}).status == 304
    assert (first.headers["Cache-Control"], "Authorization" in first.headers["Vary"]) == ("private, no-cache", True)
    packed = phone.get(FILE, **{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == first.content

    hashes = [hash_in(phone)]
    for change in (
        lambda: forest.send(update(1, 1, sent="uuid:u", estado="sano")),
        lambda: forest.send(creation(3)),
        lambda: forest.desk.act(lambda ctx: entity_merging.merge(ctx, 1, LIST, uuid_of(1), uuid_of(3), reason="uno")),
        lambda: forest.desk.act(lambda ctx: actions.delete(ctx, PROJECT, LIST, uuid_of(2), By())),
        lambda: forest.desk.act(lambda ctx: actions.restore(ctx, PROJECT, LIST, uuid_of(2), By())),
        lambda: forest.desk.act(
            lambda ctx: actions.change(
                ctx, PROJECT, LIST, uuid_of(2), actions.Change(data={"estado": "caído"}), By(), base_version="1"
            )
        ),
        lambda: forest.desk.act(lambda ctx: dataset_desk.add_property(ctx, PROJECT, LIST, "altura")),
    ):
        change()
        hashes.append(hash_in(phone))
        assert phone.get(FILE, **{"If-None-Match": etag}).status == 200
        assert hash_in(phone) == hashes[-1]
    assert len(set(hashes)) == len(hashes)
    forest.send(creation(1))  # again: nothing changes
    assert hash_in(phone) == hashes[-1]


def test_no_cache_gives_the_list_of_one_to_another(forest: Trees):
    phone = forest.phone
    etag = phone.get(FILE).headers["ETag"]

    for answer in (phone.get(FILE), phone.get(FILE, **{"If-None-Match": etag}), phone.get(MANIFEST)):
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert {one.strip() for one in answer.headers["Vary"].split(",")} >= {"Authorization"}


def test_who_takes_no_gzip_gets_the_same_bytes_plain(forest: Trees):
    plain = forest.phone.get(FILE, **{"Accept-Encoding": "identity"})

    assert "Content-Encoding" not in plain.headers
    assert plain.body == forest.phone.get(FILE).content
    assert len(plain.body) == int(plain.headers["Content-Length"])


@ON_SQLITE
def test_nothing_of_a_list_lies_in_the_temporary_folder(forest: Trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))

    assert ids(forest.phone) == [uuid_of(2), uuid_of(1)]

    assert list(folder.rglob("*")) == []


@ON_SQLITE
def test_without_room_for_the_file_the_phone_is_told_to_try_later(
    forest: Trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as broken:
        broken.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
        answer = forest.phone.get(FILE)

    assert (answer.status, bool(answer.message)) == (503, True)
    assert ids(forest.phone) == [uuid_of(2), uuid_of(1)]


def test_a_list_that_was_put_away_is_on_no_phone(forest: Trees):
    forest.desk.change(lambda conn: datasets.change(conn, forest.dataset.id, deleted_at=forest.desk.office.clock()))

    assert manifest(forest.phone) == ()
    assert forest.phone.get(FILE).status == 404
    assert forest.phone.get(f"/datasets/{LIST}/integrity?id={uuid_of(1)}").status == 404


# --------------------------------------------------------------------------- drafts under test


def test_a_draft_under_test_has_the_list_and_asks_which_entities_are_gone(forest: Trees):
    draft = forest.desk.draft(samples.tree_follow_up().xform.replace(b'version="1"', b'version="2"'))
    root = f"/v1/test/{draft.test_token}/projects/{PROJECT}/forms/{UPDATES}/draft"
    tester = Wire(forest.phone.send, root)

    [file] = read_manifest(ET.fromstring(tester.get("/manifest").content))
    assert (file.filename, file.type) == ("arboles.csv", "entityList")
    assert [row["name"] for row in table(tester.follow(file.download_url))] == [uuid_of(2), uuid_of(1)]
    assert file.integrity_url is not None
    told = tester.follow(f"{file.integrity_url}?id={uuid_of(1)},{uuid_of(9)}")
    assert read_deleted_states(ET.fromstring(told.content)) == {uuid_of(1): False}
    set_rules(forest, {})
    assert table(tester.follow(file.download_url)) == []
    assert tester.get("/datasets/otra/integrity?id=x").status == 404


def test_a_file_that_somebody_attached_is_taken_instead_of_the_list(desk: Desk, phone: Wire):
    trees.publish(desk)
    own = b"name,label,especie\na,Mio,cedro\nb,Otro,pino\n"

    desk.publish(samples.tree_follow_up().xform, {"arboles.csv": own})

    [file] = manifest(phone)
    assert (file.type, file.integrity_url) == (None, None)
    assert phone.get(FILE).content == own


# --------------------------------------------------------------------------- who sees what


def wire_of(forest: Trees, actor: Actor) -> Wire:
    return Wire(forest.phone.send, f"/v1/key/{actor.display_name}/projects/{PROJECT}")


def set_rules(forest: Trees, values: Mapping[int, str], **dataset: Any) -> None:
    """Let app users see trees whose species is theirs."""

    def change(conn: Any) -> None:
        now = forest.desk.office.clock()
        made = insert(actor_properties).values(project_id=PROJECT, name="especie", created_at=now)
        property_id = conn.execute(made.returning(actor_properties.c.id)).scalar_one()
        for actor_id, value in values.items():
            conn.execute(insert(actor_property_values).values(actor_id=actor_id, property_id=property_id, value=value))
        own = next(one for one in datasets.list_properties(conn, forest.dataset.id) if one.name == "especie")
        datasets.replace_filters(conn, forest.dataset.id, [(own.id, property_id)])
        datasets.touch(conn, forest.dataset.id)

    forest.desk.change(change)


def test_an_app_user_sees_what_its_own_value_opens(forest: Trees):
    one, other, none = (forest.desk.app_user(name) for name in ("Uno", "Dos", "Nadie"))
    set_rules(forest, {one.id: "cedro", other.id: "cedro"})
    mine, others, nobody = (wire_of(forest, actor) for actor in (one, other, none))
    before = hash_in(mine)

    assert ids(mine) == ids(others) == [uuid_of(1)]
    assert ids(nobody) == ids(forest.phone) == []
    assert hash_in(mine) == hash_in(others) != hash_in(nobody)
    forest.send(creation(5, especie="caoba"))
    assert hash_in(mine) == before
    forest.send(creation(6, especie="cedro"))
    assert hash_in(mine) != before
    assert ids(mine) == [uuid_of(6), uuid_of(1)]


def test_a_list_may_show_each_app_user_its_own_entities_alone(forest: Trees):
    actor = forest.desk.app_user("Uno")
    mine = wire_of(forest, actor)
    forest.desk.change(lambda conn: datasets.change(conn, forest.dataset.id, owner_only=True))

    assert mine.post(creation(7)).status == 201

    assert ids(mine) == [uuid_of(7)]
    assert set(ids(forest.phone)) == {uuid_of(1), uuid_of(2)}


def test_the_hash_of_a_view_tells_of_approval_too(forest: Trees):
    actor = forest.desk.app_user("Uno")
    set_rules(forest, {actor.id: "cedro"})
    mine = wire_of(forest, actor)
    before = hash_in(mine)

    wish = dataset_desk.Wish(approval_required=True)
    forest.desk.act(lambda ctx: dataset_desk.change(ctx, PROJECT, LIST, wish))

    assert hash_in(mine) != before


def test_several_rules_must_all_be_met(forest: Trees):
    one, half = forest.desk.app_user("Uno"), forest.desk.app_user("Medio")
    forest.send(creation(3, estado=""), update(1, 1, sent="uuid:u", estado="sano"))

    def rule(ctx: Context) -> None:
        for name in ("especie", "estado"):
            own_properties.add(ctx, PROJECT, name)
        own_properties.set_values(ctx, PROJECT, one.id, {"especie": "cedro", "estado": "sano"})
        own_properties.set_values(ctx, PROJECT, half.id, {"especie": "cedro"})
        rules = [("especie", "especie"), ("estado", "estado")]
        wish = dataset_desk.Wish(filter=dataset_desk.Filter(rules=rules))
        dataset_desk.change(ctx, PROJECT, LIST, wish)

    forest.desk.act(rule)

    assert ids(wire_of(forest, one)) == [uuid_of(1)]
    assert ids(wire_of(forest, half)) == []


def test_an_app_user_with_another_value_sees_another_list_at_once(forest: Trees):
    actor = forest.desk.app_user("Uno")
    set_rules(forest, {actor.id: "cedro"})
    mine = wire_of(forest, actor)
    before = hash_in(mine)

    values = {"especie": 'pino, "alto"'}
    forest.desk.act(lambda ctx: own_properties.set_values(ctx, PROJECT, actor.id, values))

    assert hash_in(mine) != before
    assert ids(mine) == [uuid_of(2)]


def test_people_who_list_entities_see_all_and_readers_of_data_nobody(forest: Trees):
    set_rules(forest, {})
    people = {}
    for role in ("manager", "viewer", "formfill"):
        forest.desk.user(f"{role}@example.org", role, password=PASSWORD)
        given = base64.b64encode(f"{role}@example.org:{PASSWORD}".encode()).decode()
        people[role] = Wire(forest.phone.send, f"/v1/projects/{PROJECT}", f"Basic {given}")

    rows = {role: table(wire.get(FILE)) for role, wire in people.items()}

    assert [(row["label"], row["geometry"]) for row in rows["manager"]] == [('pino, "alto" 31', ""), ("cedro 30", "")]
    assert rows["viewer"] == []
    assert rows["formfill"] == []
    assert hash_in(people["manager"]) != hash_in(people["viewer"]) == hash_in(people["formfill"])


# --------------------------------------------------------------------------- integrity


def states(phone: Wire, *numbers: int, separator: str = "%2C") -> dict[str, bool]:
    answer = phone.get(f"/datasets/{LIST}/integrity?id={separator.join(map(uuid_of, numbers))}&deviceID=collect%3Aabc")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    return read_deleted_states(ET.fromstring(answer.content))


def test_integrity_tells_what_is_gone_and_leaves_out_what_never_came(forest: Trees):
    def delete(conn: Any) -> None:
        entities.change(conn, forest.get(2).id, deleted_at=forest.desk.office.clock())

    forest.desk.change(delete)

    assert states(forest.phone, 1, 2, 3) == {uuid_of(1): False, uuid_of(2): True}
    assert states(forest.phone, 1, 2, separator=",") == {uuid_of(1): False, uuid_of(2): True}
    assert states(forest.phone) == {}


def test_integrity_takes_thousands_of_ids_and_nonsense(forest: Trees):
    assert states(forest.phone, *range(1, 2001)) == {uuid_of(1): False, uuid_of(2): False}
    answer = forest.phone.get(f"/datasets/{LIST}/integrity?id=%00,x,uuid:{uuid_of(1).upper()}")
    assert read_deleted_states(ET.fromstring(answer.content)) == {f"uuid:{uuid_of(1).upper()}": False}


def test_integrity_of_what_an_app_user_no_longer_sees_is_gone(forest: Trees):
    actor = forest.desk.app_user("Uno")
    set_rules(forest, {actor.id: "cedro"})

    assert states(wire_of(forest, actor), 1, 2) == {uuid_of(1): False, uuid_of(2): True}


def test_integrity_is_for_whoever_uses_the_list(forest: Trees):
    stranger = forest.desk.app_user("Otro", forms=("arbol_registro",))

    answer = wire_of(forest, stranger).get(f"/datasets/{LIST}/integrity?id={uuid_of(1)}")

    assert answer.status == 403
    assert answer.message
    assert forest.phone.get("/datasets/nada/integrity?id=x").status == 404

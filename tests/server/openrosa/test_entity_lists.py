"""Entity lists on phones: in the manifest, as CSV, as each app user sees them, and which entities are gone."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import insert

from server.actions import entity_merging
from server.model.entities import actor_properties, actor_property_values
from server.model.people import Actor
from server.store import datasets, entities
from tests.helpers import samples
from tests.helpers.phone.documents import MediaFile, read_deleted_states, read_manifest
from tests.server.desk import PROJECT, TOKEN, Desk
from tests.server.entities import trees
from tests.server.entities.trees import LIST, UPDATES, Trees, creation, update, uuid_of
from tests.server.wire import Answer, Wire

FILE = f"/forms/{UPDATES}/attachments/{LIST}.csv"
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

    assert phone.get(FILE).content == b"name,label,__version,especie,geometry,circunferencia,estado\n"


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
        lambda: desk_adds_property(forest),
    ):
        change()
        hashes.append(hash_in(phone))
        assert phone.get(FILE, **{"If-None-Match": etag}).status == 200
        assert hash_in(phone) == hashes[-1]
    assert len(set(hashes)) == len(hashes)
    forest.send(creation(1))  # again: nothing changes
    assert hash_in(phone) == hashes[-1]


def desk_adds_property(forest: Trees) -> None:
    def add(conn: Any) -> None:
        datasets.add_property(conn, forest.dataset.id, "altura", "int", created_at=forest.desk.office.clock())
        datasets.touch(conn, forest.dataset.id)

    forest.desk.change(add)


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
    assert read_deleted_states(ET.fromstring(answer.content)) == {uuid_of(1): False}


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

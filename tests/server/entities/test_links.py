"""Which rows speak of which entity: as told when they come, as an upgrade finds it in what was done before."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from sqlalchemy import Connection, select, text

from forms import entities as blocks
from forms import instance as instances
from forms import xform
from server.actions import entity_blocks
from server.model.entities import entity_links
from tests.helpers import samples
from tests.server.desk import Desk
from tests.server.entities.trees import Trees, creation, update, uuid_of
from tests.server.wire import Wire, instance

linking: Final = import_module("server.migrations.versions.0010_entity_links")


def links(desk: Desk) -> list[tuple[Any, ...]]:
    statement = select(entity_links.c.row_key, entity_links.c.path, entity_links.c.uuid).order_by(
        entity_links.c.row_key
    )
    return [tuple(row) for row in desk.look(lambda conn: conn.execute(statement).all())]


def test_rows_are_linked_whatever_became_of_their_blocks(forest: Trees, desk: Desk):
    forest.send(creation(1), update(1, 1, sent="uuid:u"), update(7, 1, sent="uuid:nadie"))

    assert links(desk) == [
        ("uuid:create-1", "/meta/entity", uuid_of(1)),
        ("uuid:nadie", "/meta/entity", uuid_of(7)),
        ("uuid:u", "/meta/entity", uuid_of(1)),
    ]
    forest.send(creation(2, sent="uuid:edit", before="uuid:create-1"))
    assert links(desk)[0] == ("uuid:create-1", "/meta/entity", uuid_of(2))


def test_an_upgrade_links_what_was_there(forest: Trees, desk: Desk):
    forest.send(creation(1), creation(2), update(1, 1, sent="uuid:u"), update(7, 1, sent="uuid:nadie"))
    before = links(desk)

    def empty(conn: Connection) -> None:
        conn.execute(entity_links.delete())

    desk.change(empty)
    assert links(desk) == []
    desk.change(lambda conn: conn.execute(text(linking.FROM_RECEIPTS)))

    assert links(desk) == before
    assert len(before) == 4


def test_a_second_block_of_an_entity_that_failed_is_not_taken_for_the_first_that_was_done(desk: Desk, phone: Wire):
    """So that it can be done once what was wrong is mended."""
    desk.publish(samples.family().xform)
    block = f'<entity dataset="personas" id="{uuid_of(1)}" create="1"><label>Ana</label></entity>'
    row = f"<persona><nombre>Ana</nombre><edad>3</edad><meta>{block}</meta></persona>"
    sent = instance("familia_entidades", f"<comunidad>C</comunidad>{row}{row}", instance_id="uuid:f")
    assert phone.post(sent).status == 201
    receipts = {one.key: one for one in Trees(desk, phone).receipts("familia_entidades", "uuid:f")}
    schema = xform.read(samples.family().xform)

    found = [entity_blocks.before(receipts, one) for one in blocks.read(schema, instances.read(sent))]

    assert [(one.key, one.outcome) for one in found if one is not None] == [
        ("/persona[1]/meta/entity", "created"),
        ("/persona[2]/meta/entity", "failed"),
    ]

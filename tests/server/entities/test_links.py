"""Which rows speak of which entity: as told when they come, as an upgrade finds it in what was done before."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import pytest
from sqlalchemy import Connection, select, text

from server.model.entities import entity_links
from tests.server.desk import Desk
from tests.server.entities import trees
from tests.server.entities.trees import Trees, creation, update, uuid_of
from tests.server.wire import Wire

linking: Final = import_module("server.migrations.versions.0010_entity_links")


@pytest.fixture
def forest(desk: Desk, phone: Wire) -> Trees:
    trees.publish(desk)
    return Trees(desk, phone)


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

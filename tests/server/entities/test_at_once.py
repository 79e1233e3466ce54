"""Phones that send of the same entities at the same time: every change is there once, in its order, whoever came first."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, select

from server.actions import entity_receiving
from server.model.entities import datasets, entity_receipts
from tests.helpers import samples
from tests.server.desk import Desk
from tests.server.entities.trees import LIST, Trees, creation, update, uuid_of
from tests.server.openrosa.test_races import until_one_waits

TREES = 8
LATER = 3


def branch(number: int, phone: int, *, trunk: int | None, first: int) -> Iterator[bytes]:
    """Follow-ups that a phone made one after the other."""
    for base in range(first, first + LATER):
        yield update(
            number,
            base,
            sent=f"uuid:{number}-{phone}-{base}",
            branch=1000 * number + phone,
            trunk=trunk,
            circunferencia=str(10 * phone + base),
        )


def test_offline_work_of_many_phones_sent_at_once_is_applied_in_its_order(forest: Trees):
    documents = []
    for number in range(1, TREES + 1):
        documents += [creation(number), *branch(number, 1, trunk=None, first=1)]
    edits = [
        creation(number, sent=f"uuid:edit-{number}", before=f"uuid:create-{number}", circunferencia="99")
        for number in range(1, TREES + 1)
    ]
    everything = [*documents, *documents, *edits]
    random.Random(5).shuffle(everything)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(forest.phone.post, everything))

    assert {answer.status for answer in answers} == {201}
    assert forest.desk.failures() == []
    for number in range(1, TREES + 1):
        made = forest.versions(number)
        assert [one.version for one in made] == [1, 2, 3, 4]
        assert [one.data["circunferencia"] for one in made][1:] == ["11", "12", "13"]
        assert forest.get(number).conflict is None


def test_two_phones_that_send_at_once_lose_nothing_of_each_other(forest: Trees):
    forest.send(*(creation(number) for number in range(1, TREES + 1)))
    documents = [
        one for number in range(1, TREES + 1) for phone in (1, 2) for one in branch(number, phone, trunk=1, first=1)
    ]
    random.Random(6).shuffle(documents)

    with ThreadPoolExecutor(8) as pool:
        assert {answer.status for answer in pool.map(forest.phone.post, documents)} == {201}

    assert forest.desk.failures() == []
    for number in range(1, TREES + 1):
        made = forest.versions(number)
        assert [one.version for one in made] == [*range(1, 2 * LATER + 2)]
        for phone in (1, 2):
            mine = [one.data["circunferencia"] for one in made if one.branch_id == uuid_of(1000 * number + phone)]
            assert mine == [str(10 * phone + base) for base in range(1, LATER + 1)]
        assert forest.get(number).conflict == "hard"


def renamed(document: bytes, names: Iterable[tuple[bytes, bytes]]) -> bytes:
    for old, new in names:
        document = document.replace(old, new)
    return document


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
def test_forcing_takes_lists_in_the_order_in_which_submissions_take_them(forest: Trees, desk: Desk):
    """Else the two could wait for each other."""
    names = ((LIST.encode(), b"arbustos"), (b"arbol_seguimiento", b"arbusto_seguimiento"))
    desk.publish(renamed(samples.tree_follow_up().xform, names))
    one = update(1, 2, sent="uuid:one", branch=9, circunferencia="4")
    shrub = renamed(update(2, 2, sent="uuid:other", branch=3, circunferencia="4"), names)
    forest.send(one, shrub)  # by the order of their branches the shrub comes first, by that of the lists the tree

    def hold(conn: Connection, name: str) -> None:
        conn.execute(select(datasets.c.id).where(datasets.c.name == name).with_for_update(nowait=True)).one()

    with ThreadPoolExecutor(1) as pool, desk.office.database.engine.begin() as conn:
        hold(conn, LIST)
        forcing = pool.submit(desk.act, entity_receiving.force)
        until_one_waits(desk, forcing)
        hold(conn, "arbustos")
        conn.rollback()
        assert forcing.result(30) == 2

    outcomes = select(entity_receipts.c.outcome)
    assert desk.look(lambda conn: conn.execute(outcomes).scalars().all()) == ["created", "created"]

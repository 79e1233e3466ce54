"""Logframes put and forms published while submissions arrive: in the end the facts are those that the typed tables give."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from sqlalchemy import text

from forms import instance as instances
from forms.problems import Problem
from server.actions import drafts, logframes, rebuilds, submissions
from server.actions.submissions import Device
from server.app import create_app, open_office
from server.context import Context, Office
from server.settings import Settings
from tests.server.desk import PROJECT, TOKEN, Desk, form, open_desk, questions
from tests.server.indicators import standing
from tests.server.indicators.measuring import declare
from tests.server.openrosa.test_races import begun, until_one_waits
from tests.server.wire import Wire, instance, to_app

_SECONDS = 60
ON_POSTGRESQL = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
OWN = "| indicators |\n| | name | label | type | where |\n| | O | Propio | count | ${edad} > LIMIT |\n"


def house(version: int, limit: int | None = None) -> str:
    """A version of the form: from the third on ages are decimal, each has a question more; with `limit` an indicator."""
    age = "decimal edad" if version > 2 else "integer edad"
    more = [f"text nota{number}" for number in range(2, version + 1)]
    survey = questions(age, "text clave", *more, "begin repeat m", "integer n", "end repeat")
    sheet = form("hogar", survey, version=str(version))
    return sheet if limit is None else sheet + OWN.replace("LIMIT", str(limit))


SHOP = form("tienda", questions("integer monto"))


def logframe(limit: int) -> str:
    """Indicators over both forms, over the repeat, and one with keys; every limit gives other facts."""
    return (
        "| indicators |\n| | name | label | form | over | type | where | value | key | latest |\n"
        f"| | N | Adultos | hogar | | count | ${{edad}} >= {limit} | | | |\n"
        f"| | L | Última | hogar | | mean | | ${{edad}} + {limit} | ${{clave}} | 1 |\n"
        f"| | M | Miembros | hogar | m | sum | ${{n}} > {limit % 3} | ${{n}} | | |\n"
        f"| | T | Monto | tienda | | sum | | ${{monto}} * {limit} | | |\n"
    )


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(6) as made:
        yield made


@pytest.fixture
def second_office(settings: Settings) -> Iterator[Office]:
    """Another process over the same database."""
    opened = open_office(settings)
    yield opened
    opened.database.close()


def assert_facts_as_computed(desk: Desk) -> None:
    assert desk.failures() == []
    assert standing.kept(desk) == standing.fresh(desk) != {}


def put(desk: Desk, limit: int) -> Callable[[Context], logframes.Taken]:
    data = logframe(limit).encode()
    blob = desk.office.blobs.put(BytesIO(data))
    return lambda ctx: logframes.put(ctx, PROJECT, logframes.read(data, "m.md"), original=blob, name="m.md")


@pytest.mark.parametrize("seed", [20261125])
def test_whatever_is_changed_while_submissions_arrive_facts_are_right_in_the_end(
    desk: Desk, phone: Wire, second_office: Office, pool: ThreadPoolExecutor, seed: int
):
    desk.publish(house(1))
    desk.publish(SHOP)
    declare(desk, logframe(18))
    there = open_desk(second_office)
    wires = [phone, Wire(to_app(create_app(second_office)), f"/v1/key/{TOKEN}/projects/{PROJECT}")]
    stop = threading.Event()

    def arrive(lane: int) -> list[int]:
        chance, statuses, last = random.Random(seed * 10 + lane), [], ""
        for number in range(2_000):
            if stop.is_set():
                break
            wire = chance.choice(wires)
            if chance.random() < 0.3:
                xml = instance("tienda", f"<monto>{chance.randrange(100)}</monto>")
            else:
                age = chance.choice(("", str(chance.randrange(80))))
                inner = "".join(f"<m><n>{chance.randrange(5)}</n></m>" for _ in range(chance.randrange(3)))
                mine, edited = f"uuid:{lane}-{number}", last if last and chance.random() < 0.3 else None
                answers = f"<edad>{age}</edad><clave>k{chance.randrange(4)}</clave>{inner}"
                xml = instance("hogar", answers, instance_id=mine, deprecated_id=edited)
                last = mine
            statuses.append(wire.post(xml).status)
        return statuses

    senders = [pool.submit(arrive, lane) for lane in range(3)]
    try:
        for turn in range(2, 6):
            at = (desk, there)[turn % 2]
            at.act(put(at, 18 + turn))
            at.publish(house(turn, limit=None if turn == 4 else turn))
            other = (there, desk)[turn % 2]
            other.act(put(other, 40 + turn))
        standing.rebuild(there)
    finally:
        stop.set()
    statuses = [status for sender in senders for status in sender.result(_SECONDS)]

    assert set(statuses) == {201}
    assert_facts_as_computed(desk)
    assert sum(len(rows) for rows in standing.kept(desk).values()) > 0


@ON_POSTGRESQL
def test_a_logframe_waits_for_a_submission_being_received_and_counts_it(desk: Desk, pool: ThreadPoolExecutor):
    desk.publish(house(1))
    desk.publish(SHOP)
    declare(desk, logframe(18))
    arriving = instances.read(instance("hogar", "<edad>20</edad><m><n>4</n></m>"))

    with begun(desk.office, lambda ctx: submissions.receive(ctx, PROJECT, arriving, (), Device()), desk):
        putting = pool.submit(desk.act, put(desk, 19))
        until_one_waits(desk, putting)
    putting.result(_SECONDS)

    assert [len(rows) for rows in standing.kept(desk).values()] == [1, 1, 0]
    assert_facts_as_computed(desk)


@ON_POSTGRESQL
def test_a_submission_that_meets_a_logframe_is_measured_by_it(desk: Desk, phone: Wire, pool: ThreadPoolExecutor):
    desk.publish(house(1))
    desk.publish(SHOP)
    declare(desk, logframe(18))
    assert (
        phone.post(instance("hogar", "<edad>20</edad>")).status == 201
    )  # this process remembers what was declared before

    with begun(desk.office, put(desk, 19), desk):
        arriving = pool.submit(phone.post, instance("hogar", "<edad>30</edad><m><n>4</n></m>"))
        until_one_waits(desk, arriving)
    assert arriving.result(_SECONDS).status == 201

    assert [len(rows) for rows in standing.kept(desk).values()] == [2, 1, 0]
    assert_facts_as_computed(desk)


@ON_POSTGRESQL
def test_a_submission_that_meets_a_publishing_is_measured_by_the_new_version(
    desk: Desk, phone: Wire, pool: ThreadPoolExecutor
):
    desk.publish(house(1, limit=10))
    assert phone.post(instance("hogar", "<edad>20</edad>")).status == 201
    desk.draft(house(3, limit=25))

    with begun(desk.office, lambda ctx: drafts.publish(ctx, PROJECT, "hogar"), desk):
        arriving = pool.submit(phone.post, instance("hogar", "<edad>30</edad>"))
        until_one_waits(desk, arriving)
    assert arriving.result(_SECONDS).status == 201

    assert_facts_as_computed(desk)
    ((_, rows),) = standing.kept(desk).items()
    assert [row["o_numerator"] for row in rows] == [None, 1.0]


@ON_POSTGRESQL
def test_a_logframe_and_a_publishing_wait_for_each_other(desk: Desk, pool: ThreadPoolExecutor):
    desk.publish(house(1))
    desk.publish(SHOP)
    declare(desk, logframe(18))
    desk.draft(house(3, limit=25))

    with begun(desk.office, put(desk, 19), desk):
        publishing = pool.submit(desk.act, lambda ctx: drafts.publish(ctx, PROJECT, "hogar"))
        until_one_waits(desk, publishing)
    publishing.result(_SECONDS)
    desk.draft(house(4, limit=26))
    with begun(desk.office, lambda ctx: drafts.publish(ctx, PROJECT, "hogar"), desk):
        putting = pool.submit(desk.act, put(desk, 20))
        until_one_waits(desk, putting)
    putting.result(_SECONDS)

    assert_facts_as_computed(desk)


@ON_POSTGRESQL
def test_deleting_a_form_behind_a_reader_that_never_ends_is_told_and_changes_nothing(desk: Desk, phone: Wire):
    desk.publish(house(1, limit=10))
    assert phone.post(instance("hogar", "<edad>20</edad>")).status == 201

    with desk.office.database.reading() as reader:
        reader.execute(text("SELECT * FROM data.hogar__facts")).all()
        with pytest.raises(Problem) as told:
            desk.delete_form("hogar")

    assert (told.value.status, told.value.details) == (503, {"xmlFormId": "hogar"})
    assert list(phone.forms()) == ["hogar"]
    assert_facts_as_computed(desk)


@ON_POSTGRESQL
def test_a_rebuild_that_meets_a_logframe_makes_the_facts_that_it_asks_for(
    desk: Desk, phone: Wire, pool: ThreadPoolExecutor
):
    desk.publish(house(1))
    desk.publish(SHOP)
    declare(desk, logframe(18))
    assert phone.post(instance("hogar", "<edad>20</edad><m><n>4</n></m>")).status == 201

    with begun(desk.office, put(desk, 19), desk):
        rebuilding = pool.submit(standing.rebuild, desk)
        until_one_waits(desk, rebuilding)
    rebuilding.result(_SECONDS)
    assert_facts_as_computed(desk)

    with begun(desk.office, rebuilds.prepare_rebuild, desk):
        putting = pool.submit(desk.act, put(desk, 20))
        until_one_waits(desk, putting)
    putting.result(_SECONDS)
    assert_facts_as_computed(desk)

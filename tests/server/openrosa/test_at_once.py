"""Many phones at once, against a real server on each database."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.settings import Settings
from tests.server.desk import PROJECT, TOKEN, Desk
from tests.server.openrosa.test_edits import HOUSE, edit
from tests.server.serving import serving
from tests.server.wire import Wire, instance, new_id, to_server


@pytest.fixture
def phones(desk: Desk, settings: Settings) -> Iterator[Wire]:
    """The wire to a server process with the form published."""
    desk.publish(HOUSE)
    with serving(settings.data, settings.database_url, threads=8) as server:
        yield Wire(to_server(server.url), f"/v1/key/{TOKEN}/projects/{PROJECT}")


def at_once(phone: Wire, sent: list[tuple[bytes, dict[str, bytes]]]) -> list[int]:
    with ThreadPoolExecutor(8) as pool:
        return [answer.status for answer in pool.map(lambda one: phone.post(*one), sent)]


def test_case_07_identical_posts_at_once_are_one_submission(desk: Desk, phones: Wire):
    for count, number in itertools.product((2, 8), range(5)):
        xml = instance("hogar", "<edad>5</edad><m><n>x</n></m>", instance_id=f"uuid:{count}-{number}")
        assert at_once(phones, [(xml, {"a.jpg": b"A"})] * count) == [201] * count

    assert desk.submissions() == 10
    assert len(desk.rows("hogar")) == len(desk.rows("hogar", "/m")) == 10
    assert desk.audited().count("submission.create") == 10
    assert (desk.failures(), desk.files("uuid:8-4")) == ([], {"a.jpg": b"A"})


def test_case_07_two_contents_at_once_under_one_id_leave_one_and_refuse_the_other(desk: Desk, phones: Wire):
    for number in range(5):
        sent = [(instance("hogar", f"<edad>{age}</edad>", instance_id=f"uuid:{number}"), {}) for age in (1, 2, 1, 2)]
        statuses = at_once(phones, sent)
        assert sorted(statuses) == [201, 201, 409, 409]
        assert statuses[0] == statuses[2]

    assert len(desk.rows("hogar")) == 5


def test_case_08_parts_of_one_submission_at_once_bring_every_file(desk: Desk, phones: Wire):
    for number in range(5):
        xml = instance("hogar", "<edad>5</edad>", instance_id=f"uuid:{number}")
        assert at_once(phones, [(xml, {f"{part}.jpg": bytes([part])}) for part in range(8)]) == [201] * 8
        assert desk.files(f"uuid:{number}") == {f"{part}.jpg": bytes([part]) for part in range(8)}


def test_case_13_the_links_of_a_chain_at_once_end_as_one(desk: Desk, phones: Wire):
    orders = [order for order in itertools.permutations("ABCD") if order[0] != "D"]
    for number, order in enumerate(orders):
        statuses = at_once(
            phones, [(edit(name, f"{number}-"), {"f.jpg": b"F"} if name == "A" else {}) for name in order]
        )
        assert statuses == [201] * 4

    assert desk.submissions() == len(orders)
    for number in range(len(orders)):
        versions = desk.versions("hogar", f"uuid:{number}-A")
        assert [v.instance_id for v in versions if v.current] == [f"uuid:{number}-D"]
        assert len(versions) == 4
        assert desk.files(f"uuid:{number}-D") == {"f.jpg": b"F"}
    assert [row["edad"] for row in desk.rows("hogar")] == [4] * len(orders)
    assert desk.failures() == []


def test_many_different_submissions_at_once_are_all_kept(desk: Desk, phones: Wire):
    sent = [
        (instance("hogar", f"<edad>{age}</edad><m><n>{age}</n></m>", instance_id=new_id()), {}) for age in range(200)
    ]

    assert at_once(phones, sent) == [201] * 200

    assert sorted(row["edad"] for row in desk.rows("hogar")) == list(range(200))
    assert sorted(int(row["n"]) for row in desk.rows("hogar", "/m")) == list(range(200))

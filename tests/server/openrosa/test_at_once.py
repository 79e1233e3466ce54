"""Many phones at once, against a real server on each database."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from server.app import open_office
from server.settings import Settings
from tests.helpers.databases import ENGINES, Databases
from tests.server.conftest import prepared
from tests.server.desk import PROJECT, TOKEN, Desk, open_desk
from tests.server.openrosa.test_edits import HOUSE, edit
from tests.server.serving import serving
from tests.server.wire import Wire, instance, new_id, to_server


@dataclass(frozen=True)
class Many:
    """A server process on one database, the desk beside it, and a form that nobody else uses."""

    desk: Desk
    wire: Wire
    form_id: str

    def at_once(self, sent: list[tuple[bytes, dict[str, bytes]]]) -> list[int]:
        """The status of each POST, all sent by eight phones at the same time."""
        with ThreadPoolExecutor(8) as pool:
            return [answer.status for answer in pool.map(lambda one: self.wire.post(*one), sent)]

    def xml(self, answers: str, instance_id: str) -> bytes:
        return instance(self.form_id, answers, instance_id=instance_id)


@pytest.fixture(scope="module", params=ENGINES)
def server(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Desk, Wire]]:
    """One server process for all tests of this file, on each database."""
    folder = tmp_path_factory.mktemp("many")
    with databases.fresh(request.param, folder, prepared) as url:
        settings = Settings(data=folder / "data", database_url=url, threads=8)
        office = open_office(settings)
        with serving(settings.data, url, threads=8) as running:
            yield open_desk(office), Wire(to_server(running.url), f"/v1/key/{TOKEN}/projects/{PROJECT}")
        office.database.close()


@pytest.fixture
def many(server: tuple[Desk, Wire], request: pytest.FixtureRequest) -> Many:
    desk, wire = server
    form_id = request.node.originalname
    desk.publish(HOUSE.replace("hogar", form_id))
    return Many(desk, wire, form_id)


def test_case_07_identical_posts_at_once_are_one_submission(many: Many):
    for count, number in itertools.product((2, 8), range(5)):
        xml = many.xml("<edad>5</edad><m><n>x</n></m>", f"uuid:{count}-{number}")
        assert many.at_once([(xml, {"a.jpg": b"A"})] * count) == [201] * count
        assert many.desk.files(f"uuid:{count}-{number}") == {"a.jpg": b"A"}

    rows = many.desk.rows(many.form_id)
    assert sorted(row["_key"] for row in rows) == [f"uuid:{count}-{number}" for count in (2, 8) for number in range(5)]
    assert len(many.desk.rows(many.form_id, "/m")) == 10
    assert many.desk.failures() == []


def test_case_07_identical_posts_without_files_at_once_are_one_submission(many: Many):
    for count, number in itertools.product((2, 8), range(5)):
        xml = many.xml("<edad>5</edad><m><n>x</n></m>", f"uuid:{count}-{number}")
        assert many.at_once([(xml, {})] * count) == [201] * count

    rows = many.desk.rows(many.form_id)
    assert sorted(row["_key"] for row in rows) == [f"uuid:{count}-{number}" for count in (2, 8) for number in range(5)]
    assert len(many.desk.rows(many.form_id, "/m")) == 10
    assert many.desk.failures() == []


def test_case_07_two_contents_at_once_under_one_id_leave_one_and_refuse_the_other(many: Many):
    for number in range(5):
        statuses = many.at_once([(many.xml(f"<edad>{age}</edad>", f"uuid:{number}"), {}) for age in (1, 2, 1, 2)])
        assert sorted(statuses) == [201, 201, 409, 409]
        assert statuses[0] == statuses[2]

    assert len(many.desk.rows(many.form_id)) == 5


def test_case_08_parts_of_one_submission_at_once_bring_every_file(many: Many):
    for number in range(5):
        xml = many.xml("<edad>5</edad>", f"uuid:parts{number}")
        assert many.at_once([(xml, {f"{part}.jpg": bytes([part])}) for part in range(8)]) == [201] * 8
        assert many.desk.files(f"uuid:parts{number}") == {f"{part}.jpg": bytes([part]) for part in range(8)}


def test_case_13_the_links_of_a_chain_at_once_end_as_one(many: Many):
    orders = [order for order in itertools.permutations("ABCD") if order[0] != "D"]
    for number, order in enumerate(orders):
        chain = [edit(name, f"{number}-").replace(b'id="hogar"', f'id="{many.form_id}"'.encode()) for name in order]
        files = [{"f.jpg": b"F"} if name == "A" else {} for name in order]
        assert many.at_once([*zip(chain, files, strict=True)]) == [201] * 4

    for number in range(len(orders)):
        versions = many.desk.versions(many.form_id, f"uuid:{number}-A")
        assert [version.instance_id for version in versions if version.current] == [f"uuid:{number}-D"]
        assert len(versions) == 4
        assert many.desk.files(f"uuid:{number}-D") == {"f.jpg": b"F"}
    assert [row["edad"] for row in many.desk.rows(many.form_id)] == [4] * len(orders)
    assert many.desk.failures() == []


def test_many_different_submissions_at_once_are_all_kept(many: Many):
    ages = range(200)

    sent = [(many.xml(f"<edad>{age}</edad><m><n>{age}</n></m>", new_id()), {}) for age in ages]
    assert many.at_once(sent) == [201] * 200

    assert sorted(row["edad"] for row in many.desk.rows(many.form_id)) == [*ages]
    assert sorted(int(row["n"]) for row in many.desk.rows(many.form_id, "/m")) == [*ages]

"""Two phones register trees and follow them up without a network, send in any order over a bad link, and agree in the end."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

from server.actions import entities as actions
from server.actions.entities import By
from server.store import entities, entity_receipts
from tests.helpers import samples
from tests.helpers.phone import Filled, Phone, Weather
from tests.server.desk import PROJECT, TOKEN, Desk
from tests.server.entities.trees import CREATES, LIST, UPDATES, Trees
from tests.server.serving import serving
from tests.server.wire import Wire, to_server

BAD_LINK = Weather(cut=0.2, lose=0.3)
FILE = f"/forms/{UPDATES}/attachments/{LIST}.csv"
MakePhone = Callable[..., Phone]


def send_everything(phone: Phone) -> None:
    """Until nothing is left, each round in another order."""
    for _ in range(60):
        if all(sent.status == "submitted" for sent in phone.send(weather=BAD_LINK, order="shuffled")):
            return
    raise AssertionError([sent for sent in phone.send() if sent.status != "submitted"])


def register(phone: Phone, n: int, seed: int) -> list[Filled]:
    return phone.fill(CREATES, n, seed=seed)


def follow_up(phone: Phone, tree: str, girth: int) -> Filled:
    return phone.fill(UPDATES, 1, seed=girth, answers={"arbol": tree, "circunferencia": girth})[0]


def listed(wire: Wire) -> dict[str, dict[str, str]]:
    rows = csv.DictReader(io.StringIO(wire.get(FILE).content.decode()))
    return {row["name"]: row for row in rows}


def held_by(phone: Phone) -> dict[str, str]:
    """The girths of the trees that the phone holds."""
    held = json.loads((phone.state / "entities.json").read_text(encoding="utf-8"))
    return {tree["id"]: tree["properties"]["circunferencia"] for tree in held[LIST]["entities"]}


def test_offline_registrations_and_follow_ups_of_two_phones(
    desk: Desk, prepared_url: str, tmp_path: Path, make_phone: MakePhone
) -> None:
    for sample in (samples.tree_registration(), samples.tree_follow_up()):
        desk.publish(sample.xform)
    with serving(tmp_path / "data", prepared_url) as server:
        root = f"/v1/key/{TOKEN}/projects/{PROJECT}"
        wire = Wire(to_server(server.url), root)
        forest = Trees(desk, wire)
        one, other = (make_phone(server.url + root, seed=number) for number in (1, 2))
        for phone in (one, other):
            assert set(phone.sync().values()) == {"New"}

        mine = [made.entities[0].id for made in register(one, 3, seed=1)]
        theirs = [made.entities[0].id for made in register(other, 2, seed=2)]
        for girth, tree in ((11, mine[0]), (12, mine[0]), (13, mine[1]), (14, mine[0])):
            follow_up(one, tree, girth)
        follow_up(other, theirs[1], 21)
        send_everything(one)
        send_everything(other)

        rows = listed(wire)
        assert set(rows) == {*mine, *theirs}
        assert {tree: rows[tree]["__version"] for tree in rows} == {
            mine[0]: "4", mine[1]: "2", mine[2]: "1", theirs[0]: "1", theirs[1]: "2",
        }  # fmt: skip
        assert [rows[tree]["circunferencia"] for tree in (mine[0], mine[1], theirs[1])] == ["14", "13", "21"]

        for phone in (one, other):
            phone.sync()
        follow_up(one, theirs[1], 31)  # both change the version that the server has
        follow_up(other, theirs[1], 32)
        follow_up(other, theirs[1], 33)
        follow_up(other, mine[2], 34)
        send_everything(one)
        send_everything(other)

        found = {
            tree: desk.look(lambda conn, tree=tree: entities.find(conn, forest.dataset.id, tree))  # type: ignore[misc]
            for tree in (*mine, *theirs)
        }
        assert {tree: one.conflict for tree, one in found.items() if one is not None} == {
            mine[0]: None, mine[1]: None, mine[2]: None, theirs[0]: None, theirs[1]: "hard",
        }  # fmt: skip
        disputed = found[theirs[1]]
        assert disputed is not None
        assert (disputed.version, disputed.data["circunferencia"]) == (5, "33")
        assert desk.look(entity_receipts.list_held) == []
        assert desk.failures() == []

        desk.act(lambda ctx: actions.delete(ctx, PROJECT, LIST, mine[0], By()))
        stands = {tree: row["circunferencia"] for tree, row in listed(wire).items()}
        assert set(stands) == {*mine[1:], *theirs}
        for phone in (one, other):
            assert set(phone.sync().values()) == {"UpdatedMedia", "OnDevice"}
            assert held_by(phone) == stands

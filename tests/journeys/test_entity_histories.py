"""Scripted phones go through such histories: what JavaRosa wrote into the submissions is what the specification follows."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from server.model.submissions import submissions
from tests.helpers.phone import FilledEntity, Phone, Weather
from tests.server.desk import PROJECT, TOKEN, Desk
from tests.server.entities import trees
from tests.server.entities.histories import SPECIES, STATES, follow
from tests.server.entities.specification import Block, Model
from tests.server.entities.trees import CREATES, LIST, UPDATES
from tests.server.serving import serving

BAD_LINK = Weather(cut=0.15, lose=0.2)
MakePhone = Callable[..., Phone]


@dataclass
class Scripted:
    """A phone with Collect's own form engine."""

    phone: Phone
    chance: random.Random
    model: Model
    desk: Desk
    written: dict[str, Block] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    @property
    def waiting(self) -> Sequence[str]:
        """See Device."""
        return sorted(
            held.instance_id
            for held in self.phone.memory.instances
            if held.status != "submitted" and held.instance_id not in self.lost
        )

    def register(self) -> None:
        """A new tree."""
        self._fill(CREATES, especie=self.chance.choice(SPECIES), circunferencia=self.chance.randint(1, 3))

    def follow_up(self) -> None:
        """Another measure of a tree of this history that the phone holds."""
        held = json.loads((self.phone.state / "entities.json").read_text(encoding="utf-8"))[LIST]["entities"]
        mine = {*self.model.entities, *(block.entity for block in self.written.values())}
        known = sorted(one["id"] for one in held if one["id"] in mine)
        if known:
            measured = {"circunferencia": self.chance.randint(1, 3), "estado": self.chance.choice(STATES) or None}
            self._fill(UPDATES, arbol=self.chance.choice(known), **measured)

    def refresh(self) -> None:
        """Get the list; what has to be asked about entities that the server never listed is asked too."""
        self.phone.sync()

    def send(self) -> Iterator[Block]:
        """Some of what waits; the server's own order of arrival is that in which it took them."""
        some = self.chance.sample(self.waiting, self.chance.randint(0, len(self.waiting)))
        self.phone.send(weather=BAD_LINK, only=some, order="shuffled")
        arrived = select(submissions.c.instance_id).order_by(submissions.c.id)
        for sent in self.desk.look(lambda conn: conn.execute(arrived).scalars().all()):
            if sent in self.written and sent not in self.model.outcomes:
                yield self.written[sent]

    def lose(self, some: Sequence[str]) -> None:
        """See Device."""
        self.lost.update(some)

    def _fill(self, form_id: str, **answers: object) -> None:
        [made] = self.phone.fill(form_id, 1, seed=self.chance.randrange(2**31), answers=answers)
        [entity] = made.entities
        self.written[made.instance_id] = _block(made.instance_id, entity)


def _block(sent: str, entity: FilledEntity) -> Block:
    told = {name: entity.attributes.get(name) or None for name in ("baseVersion", "trunkVersion", "branchId")}
    base, trunk = told["baseVersion"], told["trunkVersion"]
    return Block(
        sent=sent,
        entity=entity.id,
        values=entity.properties,
        label=entity.label or None,
        base=int(base) if base is not None else None,
        trunk=int(trunk) if trunk is not None else None,
        branch=told["branchId"] if base is not None else None,
    )


def go(desk: Desk, url: str, data: Path, make_phone: MakePhone, seeds: range) -> None:
    """Histories of these seeds, each with phones of its own."""
    trees.publish(desk)
    with serving(data, url) as server:

        def make(chance: random.Random, model: Model) -> Scripted:
            root = f"{server.url}/v1/key/{TOKEN}/projects/{PROJECT}"
            phone = make_phone(root, seed=chance.randrange(2**31))
            phone.sync()
            return Scripted(phone, chance, model, desk)

        seen = follow(desk, seeds, make)

    assert min(seen[name] for name in ("created", "updated", "None")) >= len(seeds), seen


def test_scripted_phones_and_server_agree_after_a_history(
    desk: Desk, prepared_url: str, tmp_path: Path, make_phone: MakePhone
):
    go(desk, prepared_url, tmp_path / "data", make_phone, range(3))


@pytest.mark.long
def test_scripted_phones_and_server_agree_after_hundreds_of_histories(
    desk: Desk, prepared_url: str, tmp_path: Path, make_phone: MakePhone
):
    go(desk, prepared_url, tmp_path / "data", make_phone, range(1000, 1200))

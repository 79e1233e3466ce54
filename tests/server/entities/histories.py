"""Histories of a list: phones that register and follow up without a network, and send in any order, twice or never.

What came is followed by a model of the specification (`specification`); the server is held against that.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, select

from server.actions import entities, entity_receiving
from server.actions.entities import By, Change
from server.model.entities import datasets, entity_receipts
from server.model.entities import entities as rows
from server.model.submissions import submissions
from server.store.entities import list_versions
from tests.server.desk import PROJECT, Desk
from tests.server.entities.specification import Block, Model
from tests.server.entities.trees import LIST

SPECIES = ("cedro", "guayacán", "espavé")
STATES = ("", "sano", "caído")
Told = tuple[dict[str, Any], dict[str, str]]


class Device(Protocol):
    """A phone of one enumerator."""

    @property
    def waiting(self) -> Sequence[str]:
        """The submissions that it has not sent, or does not know to have sent."""

    def register(self) -> None:
        """Register a new tree."""

    def follow_up(self) -> None:
        """Measure a tree that it holds once more."""

    def refresh(self) -> None:
        """Get the list from the server."""

    def send(self) -> Iterable[Block]:
        """Try some of what waits over a bad link, in any order; gives what arrived for the first time, in that order."""

    def lose(self, some: Sequence[str]) -> None:
        """Never send these."""


class History:
    """Some phones and a desk, and what becomes of the list by the model."""

    def __init__(self, desk: Desk, seed: int, make: Callable[[random.Random, Model], Device]) -> None:
        self.desk = desk
        self.chance = random.Random(seed)
        self.model = Model()
        self.devices = [
            make(random.Random(f"{seed}-{number}"), self.model) for number in range(self.chance.randint(2, 4))
        ]

    def go(self, steps: int) -> None:
        """What happens, until everything is sent but what a broken phone kept."""
        first = self.devices[0]
        for _ in range(self.chance.randint(1, 3)):
            first.register()
        while first.waiting:
            self._send(first)
        for one in self.devices:
            one.refresh()
        for _ in range(steps):
            one = self.chance.choice(self.devices)
            match self.chance.choices(("register", "follow up", "send", "refresh", "tidy"), (2, 9, 4, 4, 2))[0]:
                case "register":
                    one.register()
                case "follow up":
                    one.follow_up()
                case "send":
                    self._send(one)
                case "refresh":
                    one.refresh()
                case "tidy":
                    self._tidy()
        if self.chance.random() < 0.5:
            broken = self.chance.choice(self.devices)
            broken.lose(self.chance.sample(broken.waiting, len(broken.waiting) // 2))
        while any(one.waiting for one in self.devices):
            self._send(self.chance.choice(self.devices))

    def told(self) -> Told:
        """Entities with their versions, and what became of each submission, by the model."""
        return (
            {
                uuid: (
                    known.conflict,
                    known.deleted,
                    [(dict(one.values), one.base, sorted(one.conflicting)) for one in known.versions],
                )
                for uuid, known in self.model.entities.items()
            },
            dict(self.model.outcomes),
        )

    def kept(self) -> Told:
        """The same by the server."""

        def read(conn: Connection) -> Told:
            mine = select(rows.c.id, rows.c.uuid, rows.c.conflict, rows.c.deleted_at).where(
                rows.c.dataset_id == datasets.c.id, datasets.c.name == LIST
            )
            found = {
                one.uuid: (
                    one.conflict,
                    one.deleted_at is not None,
                    [
                        ({**made.data, "label": made.label}, made.base_version, sorted(made.conflicting or ()))
                        for made in list_versions(conn, one.id)
                    ],
                )
                for one in conn.execute(mine)
                if one.uuid in self.model.entities
            }
            outcomes = select(submissions.c.instance_id, entity_receipts.c.outcome).join(
                entity_receipts, entity_receipts.c.submission_id == submissions.c.id
            )
            sent = self.model.outcomes
            return found, {name: outcome for name, outcome in conn.execute(outcomes) if name in sent}

        return self.desk.look(read)

    def _send(self, one: Device) -> None:
        for block in one.send():
            self.model.arrive(block)

    def _tidy(self) -> None:
        """Somebody at a desk edits an entity, looks at a conflict, or deletes one."""
        living = sorted(uuid for uuid, known in self.model.entities.items() if not known.deleted)
        if not living:
            return
        uuid = self.chance.choice(living)
        match self.chance.choice(("edit", "edit", "resolve", "resolve", "delete")):
            case "edit":
                data = {"estado": self.chance.choice(STATES)}
                self.model.edit(uuid, data)
                self.desk.act(
                    lambda ctx: entities.change(ctx, PROJECT, LIST, uuid, Change(data=data), By(), force=True)
                )
            case "resolve" if self.model.entities[uuid].conflict is not None:
                self.model.resolve(uuid)
                self.desk.act(
                    lambda ctx: entities.change(ctx, PROJECT, LIST, uuid, None, By(), force=True, resolve=True)
                )
            case "delete":
                self.model.delete(uuid)
                self.desk.act(lambda ctx: entities.delete(ctx, PROJECT, LIST, uuid, By()))


def follow(desk: Desk, seeds: range, make: Callable[[random.Random, Model], Device]) -> Counter[str]:
    """Histories one after the other in one list; server and model agree after each, and once more when what is held has been
    forced. Gives how often something happened."""
    seen = Counter[str]()
    for seed in seeds:
        history = History(desk, seed, make)
        history.go(history.chance.randint(15, 40))
        entities_, outcomes = history.told()
        assert (seed, *history.kept()) == (seed, entities_, outcomes)
        seen.update(outcomes.values())
        if "held" in outcomes.values():
            desk.act(entity_receiving.force)
            history.model.force()
            entities_, outcomes = history.told()
            assert (seed, *history.kept()) == (seed, entities_, outcomes)
            assert "held" not in outcomes.values()
        seen.update(str(conflict) for conflict, _, _ in entities_.values())
    assert desk.failures() == []
    return seen

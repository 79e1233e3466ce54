"""Phones in pockets: what ODK Collect holds of an entity list, and counts, while there is no network. Without its forms.

Source: ODK Collect, LocalEntityUseCases.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.server.entities.histories import SPECIES, STATES
from tests.server.entities.specification import Block, Model
from tests.server.entities.trees import LIST, UPDATES, creation, update, uuid_of
from tests.server.wire import Wire

FILE: Final = f"/forms/{UPDATES}/attachments/{LIST}.csv"
_CUT: Final = 0.15
_LOST: Final = 0.15


@dataclass
class Local:
    """An entity on the phone: its version as the phone counts, and that which the server had when it was last read."""

    number: int
    version: int
    trunk: int | None
    branch: int
    online: bool


@dataclass
class Pocket:
    """A phone; `queue` are the submissions that are not sent yet, as documents and as what they say. `numbers` is shared by
    all phones: the last number that was given to anything."""

    wire: Wire
    chance: random.Random
    model: Model
    numbers: list[int]
    held: dict[str, Local] = field(default_factory=dict)
    queue: dict[str, tuple[bytes, Block]] = field(default_factory=dict)

    @property
    def waiting(self) -> Sequence[str]:
        """See Device."""
        return sorted(self.queue)

    def register(self) -> None:
        """A new tree."""
        number = self._number()
        values = {"especie": self.chance.choice(SPECIES), "circunferencia": str(self.chance.randint(1, 3))}
        label = f"{values['especie']} {values['circunferencia']}"
        self.held[uuid_of(number)] = Local(number, 1, None, self._number(), online=False)
        block = Block(sent=f"uuid:{number}", entity=uuid_of(number), values=values, label=label)
        self.queue[block.sent] = creation(number, sent=block.sent, **values), block

    def follow_up(self) -> None:
        """Another measure of a tree that the phone holds; sometimes its state too, which may be left blank."""
        if not self.held:
            return
        tree = self.held[self.chance.choice(sorted(self.held))]
        values = {"circunferencia": str(self.chance.randint(1, 3))}
        if self.chance.random() < 0.5:
            values["estado"] = self.chance.choice(STATES)
        block = Block(
            sent=f"uuid:{self._number()}",
            entity=uuid_of(tree.number),
            values=values,
            base=tree.version,
            trunk=tree.trunk,
            branch=uuid_of(tree.branch),
        )
        made = update(tree.number, tree.version, sent=block.sent, branch=tree.branch, trunk=tree.trunk, **values)
        tree.version += 1
        self.queue[block.sent] = made, block

    def refresh(self) -> None:
        """The list as the server has it, of which only what the model knows: the others are of other histories."""
        lines = csv.DictReader(io.StringIO(self.wire.get(FILE).content.decode()))
        listed = {line["name"]: int(line["__version"]) for line in lines if line["name"] in self.model.entities}
        assert listed == {uuid: len(one.versions) for uuid, one in self.model.entities.items() if not one.deleted}
        for uuid, version in listed.items():
            mine = self.held.get(uuid)
            if mine is None or version > mine.version or (version == mine.version and version != mine.trunk):
                self.held[uuid] = Local(int(uuid[:8], 16), version, version, self._number(), online=True)
            else:
                mine.online = True
        for uuid in [uuid for uuid, mine in self.held.items() if mine.online and uuid not in listed]:
            del self.held[uuid]

    def send(self) -> Iterator[Block]:
        """Some of the queue: it arrives, or is cut, or arrives and the phone does not learn of it."""
        for sent in self.chance.sample(self.waiting, self.chance.randint(0, len(self.queue))):
            document, block = self.queue[sent]
            luck = self.chance.random()
            if luck >= _CUT:
                assert self.wire.post(document).status == 201
                yield block
            if luck >= _CUT + _LOST:
                del self.queue[sent]

    def lose(self, some: Sequence[str]) -> None:
        """See Device."""
        for sent in some:
            del self.queue[sent]

    def _number(self) -> int:
        self.numbers[0] += 1
        return self.numbers[0]

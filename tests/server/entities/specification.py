"""What a list of entities is after submissions came in some order, by the ODK Entities specification: a model in plain lists.

It numbers and compares as the specification and ODK Central's documentation say and knows nothing of the server, which is
held against it. Sources: ODK Entities specification 2022.1 to 2025.1; ODK Central documentation, "Offline Entities".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["created", "updated", "held", "failed"]
Conflict = Literal["soft", "hard"]


@dataclass(frozen=True, kw_only=True)
class Block:
    """What a submission says of an entity: `base`, `trunk` and `branch` as the phone counted."""

    sent: str
    entity: str
    values: Mapping[str, str]
    label: str | None = None
    base: int | None = None
    trunk: int | None = None
    branch: str | None = None

    @property
    def creates(self) -> bool:
        """Whether it registers the entity; else it updates it."""
        return self.base is None

    @property
    def received(self) -> dict[str, str]:
        """The values, and the label where there is one."""
        return {**self.values, **({"label": self.label} if self.label else {})}


@dataclass(frozen=True, kw_only=True)
class Version:
    """How an entity was from then on: `values` with the label among them."""

    values: Mapping[str, str]
    base: int | None = None
    conflicting: Sequence[str] = ()
    branch: str | None = None


@dataclass
class Known:
    """An entity; `made` says which version came of which base number of which branch."""

    versions: list[Version]
    made: dict[tuple[str | None, int], int] = field(default_factory=dict)
    conflict: Conflict | None = None
    deleted: bool = False
    forced: bool = False


class Model:
    """A list of entities."""

    def __init__(self) -> None:
        self.entities: dict[str, Known] = {}
        self.outcomes: dict[str, Outcome] = {}
        self._held: list[Block] = []

    def arrive(self, block: Block) -> None:
        """A submission; sent once more it changes nothing."""
        if block.sent not in self.outcomes:
            self._take(block, forced=False)

    def force(self) -> None:
        """Whatever is held has waited its days, each branch in its order."""
        for block in sorted(self._held, key=lambda one: (one.branch or "", one.base or 0)):
            if block in self._held:
                self._take(block, forced=True)

    def edit(self, entity: str, values: Mapping[str, str]) -> None:
        """Somebody at a desk changed what stands."""
        known = self.entities[entity]
        stands = known.versions[-1].values
        known.versions.append(Version(values={**stands, **values}, base=len(known.versions)))

    def resolve(self, entity: str) -> None:
        """Somebody looked at the conflict."""
        self.entities[entity].conflict = None

    def delete(self, entity: str) -> None:
        """Somebody deleted it."""
        self.entities[entity].deleted = True

    def _take(self, block: Block, *, forced: bool) -> None:
        self._held = [one for one in self._held if one is not block]
        known = self.entities.get(block.entity)
        if known is not None and known.deleted:
            self.outcomes[block.sent] = "failed"
        elif block.creates:
            self._create(block, known)
        elif known is None:
            if not forced:
                self._wait(block)
            else:
                self._begin(block, {"label": "auto generated", **block.received}, forced=True)
        else:
            base = _base(known, block)
            if base is None and not forced:
                self._wait(block)
            else:
                self._update(block, known, base or len(known.versions))

    def _create(self, block: Block, known: Known | None) -> None:
        if known is None:
            self._begin(block, block.received, forced=False)
        elif not known.forced:
            self.outcomes[block.sent] = "failed"
        else:  # its updates could not wait for it any longer
            stands = known.versions[-1].values
            both = [name for name, value in block.received.items() if stands.get(name, value) != value]
            known.conflict = "hard" if both or known.conflict == "hard" else "soft"
            self._add(
                block, known, Version(values={**stands, **block.received}, base=len(known.versions), conflicting=both)
            )

    def _begin(self, block: Block, values: Mapping[str, str], *, forced: bool) -> None:
        known = Known(versions=[Version(values=values, branch=block.branch)], forced=forced)
        self.entities[block.entity] = known
        self.outcomes[block.sent] = "created"
        if block.base is not None:
            known.made[block.branch, block.base] = 1
        self._go_on(known, block.entity)

    def _update(self, block: Block, known: Known, base: int) -> None:
        was, stands = known.versions[base - 1].values, known.versions[-1].values
        both: list[str] = []
        if base < len(known.versions):
            both = [
                name
                for name, value in block.received.items()
                if stands.get(name) != was.get(name) and stands.get(name) != value
            ]
            known.conflict = "hard" if both or known.conflict == "hard" else "soft"
        elif any(one.branch != block.branch for one in known.versions[block.trunk or 1 :]):
            known.conflict = known.conflict or "soft"  # somebody came in between the changes of this branch
        made = Version(values={**stands, **block.received}, base=base, conflicting=both, branch=block.branch)
        self._add(block, known, made)

    def _add(self, block: Block, known: Known, version: Version) -> None:
        known.versions.append(version)
        self.outcomes[block.sent] = "updated"
        if block.base is not None:
            known.made[block.branch, block.base] = len(known.versions)
            self._go_on(known, block.entity)

    def _wait(self, block: Block) -> None:
        self._held.append(block)
        self.outcomes[block.sent] = "held"

    def _go_on(self, known: Known, entity: str) -> None:
        """What waited for this goes on."""
        for block in [one for one in self._held if one.entity == entity]:
            if block in self._held and _base(known, block) is not None:
                self._take(block, forced=False)


def _base(known: Known, block: Block) -> int | None:
    """The version that an update was made from: of the server's numbers where the phone had it from there, and of what this
    branch made else."""
    number = block.base or 0
    if number in (1, block.trunk):
        return number if number <= len(known.versions) else None
    return known.made.get((block.branch, number - 1))

"""Entity history: what each version changed, and which are in conflict with which, as ODK Central tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

LABEL = "label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A version as its history needs it. `late`: a creation that came after its updates."""

    version: int
    label: str
    data: Mapping[str, str]
    received: Mapping[str, str]
    base_version: int | None
    branch_id: str | None = None
    trunk_version: int | None = None
    conflicting: Sequence[str] = ()
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is to be said of a version beside its values.

    `base_diff` and `server_diff` are the properties in which what came differs from the version that it was made from, and
    from the one before it here. `last_good`: the last before the first conflict that stands; `relevant`: whoever resolves
    the conflict should look at it.
    """

    conflict: Literal["soft", "hard"] | None = None
    resolved: bool = False
    base_diff: tuple[str, ...] = ()
    server_diff: tuple[str, ...] = ()
    last_good: bool = False
    relevant: bool = False


@dataclass(slots=True)
class _Branch:
    """How far a branch goes on from its trunk without anybody between."""

    contiguous: int = field(default=0)


def tell(steps: Sequence[Step], *, resolved_up_to: int = 0) -> list[Told]:
    """What is to be said of each version, eldest first; conflicts up to version `resolved_up_to` are resolved.

    Source: ODK Central API, "Listing Versions".
    """
    branches: dict[str, _Branch] = {}
    found: list[Told] = []
    last_good, bases = 0, set[int]()
    for at, one in enumerate(steps):
        if one.branch_id is not None:
            _follow(branches, one)
        if at == 0 or one.base_version is None:
            found.append(Told())
            continue
        base, before = steps[one.base_version - 1], steps[at - 1]
        apart = one.branch_id is not None and branches[one.branch_id].contiguous < one.base_version
        conflict: Literal["soft", "hard"] | None = None
        if one.version != one.base_version + 1 or apart or one.late:
            conflict = "hard" if one.conflicting else "soft"
        resolved = conflict is not None and one.version <= resolved_up_to
        if conflict is not None and not resolved and not last_good:
            last_good = before.version
        if last_good:
            bases.add(base.version)
        found.append(
            Told(
                conflict=conflict,
                resolved=resolved,
                base_diff=_differences(one.received, base),
                server_diff=_differences(one.received, before),
            )
        )
    return [
        Told(
            conflict=told.conflict,
            resolved=told.resolved,
            base_diff=told.base_diff,
            server_diff=told.server_diff,
            last_good=one.version == (last_good or steps[-1].version),
            relevant=bool(last_good) and (one.version >= last_good or one.version in bases),
        )
        for one, told in zip(steps, found, strict=True)
    ]


def changes(steps: Sequence[Step]) -> list[list[tuple[str, str | None, str]]]:
    """For each version but the first, what it changed: property (or `label`), the old value (None: it had none), the new."""
    listed = []
    for before, one in pairwise(steps):
        old, new = {LABEL: before.label, **before.data}, {LABEL: one.label, **one.data}
        listed.append([(name, old.get(name), value) for name, value in new.items() if old.get(name) != value])
    return listed


def _follow(branches: dict[str, _Branch], one: Step) -> None:
    branch_id = one.branch_id or ""
    held = branches.get(branch_id)
    if held is None:
        if one.trunk_version is not None:
            start = one.version if one.version == one.trunk_version + 1 else 0
        else:
            start = 2 if one.version == 2 else 1
        branches[branch_id] = _Branch(start)
    elif one.base_version == held.contiguous and one.version == (one.base_version or 0) + 1:
        held.contiguous = one.version


def _differences(received: Mapping[str, str], other: Step) -> tuple[str, ...]:
    standing = {**other.data, LABEL: other.label}
    return tuple(name for name, value in received.items() if standing.get(name) != value)

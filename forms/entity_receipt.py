"""Entity receipt: what an entity block of a submission does, given what is held of its entity already.

Sources: ODK Entities specification 2022.1 to 2025.1; ODK Central's documented behaviour (its user documentation, "Entities",
"Offline Entities") for what the specification leaves to the server: backlog, forcing, soft and hard conflicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from forms import entity_problems
from forms.entities import Change, missing_parameter

LABEL: Final = "label"
"""What the label is called among the properties that came or are in conflict."""
UNNAMED: Final = "auto generated"
"""The label of an entity whose creation never came: ODK Central's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldVersion:
    """A version of an entity that is held, with the branch that it came from (counted as the phone counts) and what came."""

    version: int
    label: str
    data: Mapping[str, str]
    branch_id: str | None = None
    branch_base_version: int | None = None
    received: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldEntity:
    """An entity that is held or was: its versions, eldest first.

    `forced` says that its first version was made of an update whose creation had not come. `through` are the versions of
    the entity that the block names, where that one was merged into this.
    """

    versions: Sequence[HeldVersion]
    conflict: Literal["soft", "hard"] | None = None
    deleted: bool = False
    forced: bool = False
    through: Sequence[HeldVersion] = ()

    @property
    def current(self) -> HeldVersion:
        """The version that stands."""
        return self.versions[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstVersion:
    """The entity begins. `branch_base_version` only where an update began it."""

    label: str
    data: Mapping[str, str]
    received: Mapping[str, str]
    branch_base_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextVersion:
    """One more version, made from version `base`; `late` says that it is the creation, come after its updates."""

    label: str
    data: Mapping[str, str]
    received: Mapping[str, str]
    base: int
    conflict: Literal["soft", "hard"] | None
    conflicting: tuple[str, ...] = ()
    branch_base_version: int | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """The version that it was made from has not arrived: it waits for it."""


@dataclass(frozen=True, slots=True)
class Await:
    """It creates an entity in a list whose entities are created once the submission is approved."""


Decision = FirstVersion | NextVersion | Hold | Await


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is to be known beside the entity: its list's name, whether entities may be created now (`approved`), and whether
    the block has waited its time and no longer holds out for what comes before it (`forced`)."""

    dataset: str
    approved: bool = True
    forced: bool = False


def decide(change: Change, held: HeldEntity | None, about: Circumstances) -> Decision:
    """What `change` does to the entity that it names; `held` is None where none of that id was ever seen.

    An update is tried before a creation. Raises Problem 404.8 and 404.9 (an update of an entity or a version that there is
    not), 404.11 and 409.19 (the entity was deleted), 409.3 (a creation of an
    entity that there is), 400.2 (a creation without label, an update without base version).
    """
    if change.update and not (change.base_version is None and (change.create or about.forced)):
        return _update(change, held, about)
    return _create(change, held, about)


def _create(change: Change, held: HeldEntity | None, about: Circumstances) -> Decision:
    if not about.approved:
        return Await()
    if held is not None and held.deleted:
        raise entity_problems.uses_deleted(change.id)
    if held is not None:
        if held.forced and not change.update:
            return _late(change, held)
        raise entity_problems.taken(change.id)
    label = change.label or (UNNAMED if about.forced else None)
    if label is None:
        raise missing_parameter(LABEL)
    return FirstVersion(
        label=label,
        data=dict(change.values),
        received=received(change),
        branch_base_version=change.base_version if about.forced else None,
    )


def _update(change: Change, held: HeldEntity | None, about: Circumstances) -> Decision:
    if held is not None and held.deleted:
        raise entity_problems.gone(change.id)
    if change.base_version is None:
        raise missing_parameter("baseVersion")
    if held is None:
        if change.branch_id is not None and not about.forced:
            return Hold()
        if change.create or about.forced:
            return _create(change, None, about)
        raise entity_problems.not_there(change.id, about.dataset)
    if held.through:
        return _through(change, held, about)
    base = _base(change, held.versions)
    if base is None:
        if change.branch_id is None:
            raise entity_problems.no_version(str(change.base_version), change.id, about.dataset)
        if not about.forced:
            return Hold()
        base = held.current
    if change.trunk_version is not None and change.trunk_version > held.current.version:
        raise entity_problems.no_version(f"trunkVersion={change.trunk_version}", change.id, about.dataset)
    conflict, conflicting = _conflict(change, base, held)
    return _next(change, held, base.version, change.values, conflict, conflicting)


def _base(change: Change, versions: Sequence[HeldVersion]) -> HeldVersion | None:
    """The version that an update was made from: by its own number, or inside its branch by the number that the phone gave."""
    number = change.base_version or 0
    if change.branch_id is None or number == 1 or number == change.trunk_version:
        return next((one for one in versions if one.version == number), None)
    return next(
        (one for one in versions if one.branch_id == change.branch_id and one.branch_base_version == number - 1), None
    )


def _conflict(
    change: Change, base: HeldVersion, held: HeldEntity
) -> tuple[Literal["soft", "hard"] | None, tuple[str, ...]]:
    """Whether somebody else changed the entity since `base`, and which properties both changed differently.

    A conflict that stands already never becomes less.
    """
    current = held.current
    if base.version == current.version:
        if held.conflict is None and _interrupted(change, held.versions):
            return "soft", ()
        return held.conflict, ()
    meanwhile = {name for name, value in _all(current).items() if _all(base).get(name) != value}
    both = tuple(
        name for name, value in received(change).items() if name in meanwhile and _all(current).get(name) != value
    )
    return ("hard" if both or held.conflict == "hard" else "soft"), both


def _interrupted(change: Change, versions: Sequence[HeldVersion]) -> bool:
    """Whether a version of another origin came in between the trunk and the end of this branch."""
    if change.branch_id is None:
        return False
    trunk = change.trunk_version or 1
    return any(one.version > trunk and one.branch_id != change.branch_id for one in versions)


def _late(change: Change, held: HeldEntity) -> NextVersion:
    """A creation whose updates came first, and were forced: what differs from what stands is a conflict."""
    if change.label is None:
        raise missing_parameter(LABEL)
    standing = _all(held.current)
    both = tuple(name for name, value in received(change).items() if standing.get(name, value) != value)
    conflict: Literal["soft", "hard"] = "hard" if both or held.conflict == "hard" else "soft"
    made = _next(change, held, held.current.version, change.values, conflict, both)
    return NextVersion(
        label=made.label,
        data=made.data,
        received=made.received,
        base=made.base,
        conflict=conflict,
        conflicting=both,
        branch_base_version=None,
        late=True,
    )


def _through(change: Change, held: HeldEntity, about: Circumstances) -> Decision:
    """An update of an entity that was merged into this one: only what the phone changed there is laid over what stands here.

    Further updates of its branch find their base among the versions here.
    """
    number = change.base_version or 0
    follows = change.branch_id is not None and number not in (1, change.trunk_version)
    base = _base(change, held.versions) if follows else None
    trunk = change.trunk_version or 1 if follows else number
    seen = next((one for one in held.through if one.version == trunk), None)
    if seen is None or (follows and base is None):
        if change.branch_id is None:
            raise entity_problems.no_version(str(change.base_version), change.id, about.dataset)
        if not about.forced:
            return Hold()
        seen = seen or held.current
    was, stands = _all(seen), _all(held.current)
    for one in held.versions:  # what the phone has done to it since, as far as it came
        if follows and one.branch_id == change.branch_id and (one.branch_base_version or 0) < number:
            was |= one.received
    changed = {name: value for name, value in received(change).items() if was.get(name, "") != value}
    both = tuple(name for name, value in changed.items() if stands.get(name, "") not in (was.get(name, ""), value))
    conflict: Literal["soft", "hard"] = "hard" if both or held.conflict == "hard" else "soft"
    values = {name: value for name, value in change.values.items() if name in changed}
    label = change.label if LABEL in changed else None
    return NextVersion(
        label=label or held.current.label,
        data={**held.current.data, **values},
        received=received(change),
        base=(base or held.current).version,
        conflict=conflict,
        conflicting=both,
        branch_base_version=change.base_version if change.branch_id is not None else None,
    )


def amend(
    now: Mapping[str, str], before: Mapping[str, str], held: HeldEntity, base: HeldVersion | None
) -> NextVersion | None:
    """What corrections of answers do to the entity that these are saved to; None where it says what they say already.

    `now` holds, by property (and LABEL), what stands of the answers that were ever corrected; `before` what their submission
    brought last; `base` is the last version here that it brought (None: it brought none here, the entity was merged since).
    Whatever somebody else changed since is a conflict, as for an update made from `base`.
    """
    changed = {name: value for name, value in now.items() if before.get(name, "") != value}
    if not changed:
        return None
    stands = _all(held.current)
    both = tuple(name for name, value in changed.items() if stands.get(name, "") not in (before.get(name, ""), value))
    conflict = held.conflict
    if both or held.conflict == "hard":
        conflict = "hard"
    elif base is None or base.version != held.current.version:
        conflict = "soft"
    return NextVersion(
        label=changed.get(LABEL) or held.current.label,
        data={**held.current.data, **{name: value for name, value in changed.items() if name != LABEL}},
        received=changed,
        base=(base or held.current).version,
        conflict=conflict,
        conflicting=both,
    )


def brought(versions: Sequence[HeldVersion]) -> dict[str, str]:
    """What one submission has brought last of each property (and LABEL), given the versions that it made, eldest first; of
    what it did not bring, what stood in the first of them."""
    values = _all(versions[0])
    for one in versions[1:]:
        values |= one.received
    return values


def _next(
    change: Change,
    held: HeldEntity,
    base: int,
    values: Mapping[str, str],
    conflict: Literal["soft", "hard"] | None,
    conflicting: tuple[str, ...],
) -> NextVersion:
    return NextVersion(
        label=change.label or held.current.label,
        data={**held.current.data, **values},
        received=received(change),
        base=base,
        conflict=conflict,
        conflicting=conflicting,
        branch_base_version=change.base_version if change.branch_id is not None else None,
    )


def received(change: Change) -> dict[str, str]:
    """The properties that came, and the label where it came."""
    return {**change.values, **({LABEL: change.label} if change.label is not None else {})}


def _all(version: HeldVersion) -> dict[str, str]:
    return {**version.data, LABEL: version.label}

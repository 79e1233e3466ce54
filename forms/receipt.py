"""Receipt: what an arriving instance is, given what is held already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forms.instance import Instance
from forms.problems import Problem, Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A version that is held already: its row ids and the fingerprint of its XML."""

    submission_id: int
    version_id: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class NewSubmission:
    """Nothing like it is held: it begins a submission. `awaits` is the id it edits, where that has not arrived yet."""

    awaits: str | None


@dataclass(frozen=True, slots=True)
class NewVersion:
    """It belongs to a submission that is held, as one more version of it (not necessarily the newest).

    `joined` are other submissions which it shows to be parts of the same one.
    """

    submission_id: int
    joined: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MoreAttachments:
    """The very same XML is held: only its files can be new."""

    held: Held


Receipt = NewSubmission | NewVersion | MoreAttachments


def submission_changed(instance_id: str) -> Problem:
    """409.1: the same id with other content; nothing is overwritten."""
    return Problem(
        409.1,
        Sentence(
            es="Ya existe un envío con este identificador y otro contenido; no se cambió nada.",
            en=(
                "A submission already exists with this ID, but with different XML. Resubmissions to attach additional "
                "multimedia must resubmit an identical xml_submission_file."
            ),
        ),
        {"instanceID": instance_id},
        Sentence(
            es="Guarde el formulario en el teléfono y avise a su coordinación.",
            en="Keep the form on the phone and tell your coordinator.",
        ),
    )


def decide(arriving: Instance, *, same: Held | None, neighbours: Sequence[Held]) -> Receipt:
    """What `arriving` is.

    `same` is the version held under its own instance id; `neighbours` are the held versions that it edits, that edit it, or
    that edit what it edits. A phone may send one instance many times, and an edit may come before what it edits: only the
    first time is it new, and only where no neighbour is held does it begin a submission. Raises Problem 409.1.
    """
    if same is not None:
        if same.fingerprint != arriving.fingerprint:
            raise submission_changed(arriving.instance_id)
        return MoreAttachments(same)
    if neighbours:
        first, *others = sorted({held.submission_id for held in neighbours})
        return NewVersion(first, tuple(others))
    return NewSubmission(awaits=arriving.deprecated_id)

"""The ports of the road: what a place must offer to send parcels, and what to receive them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One submission version on its way: its exact XML and the names of its files.

    `form_id` and `instance_id` are those of the XML; a parcel sent twice is the same parcel.
    """

    form_id: str
    instance_id: str
    xml: bytes
    files: tuple[str, ...] = ()


class Sender(Protocol):
    """Where parcels leave."""

    def waiting(self) -> Iterator[Parcel]:
        """Parcels without a receipt yet, in the order in which they came."""

    def open(self, parcel: Parcel, file: str) -> BinaryIO:
        """The content of one of a parcel's files."""

    def delivered(self, parcel: Parcel, receipt: str) -> None:
        """Note that the other end holds the parcel; said twice, it does no harm."""


class Receiver(Protocol):
    """Where parcels arrive."""

    def receive(self, parcel: Parcel, files: Iterable[tuple[str, BinaryIO]]) -> str:
        """Keep a parcel and give a receipt once it is durable; the same parcel again gives the same receipt."""

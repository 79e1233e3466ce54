"""Blocks of submissions: which one is which, wherever an edit moved its row, and which row speaks of which entity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from forms import entity_labels
from forms.entities import Block, find_uuid
from server.model.entities import DONE, Dataset, EntityReceipt
from server.model.submissions import Submission
from server.store.entity_links import Link


def done_of(receipts: Mapping[str, EntityReceipt], block: Block) -> list[EntityReceipt]:
    """What a submission did to the entity that a block names, in its own place or, before an edit moved rows, elsewhere."""
    uuid = find_uuid(block.id)
    return [one for one in receipts.values() if uuid is not None and one.uuid == uuid and one.outcome in DONE]


def before(done: Mapping[str, EntityReceipt], block: Block) -> EntityReceipt | None:
    """What became of a block in an earlier version: in its place, where that one named the same entity; else of the block of
    this entity, wherever an edit moved its row; else of the one in its place, unless that was done for another entity."""
    uuid, there = find_uuid(block.id), done.get(block.key)
    if there is not None and (uuid is None or there.uuid == uuid):
        return there
    if same := done_of(done, block):
        return same[0]
    if there is None or there.outcome not in DONE:
        return there
    return done.get(another_key(block))


def links(submission: Submission, found: Iterable[Block], lists: Mapping[str, Dataset]) -> list[Link]:
    """Which row speaks of which entity; `lists` by the names that blocks use."""
    links: dict[tuple[str, str], Link] = {}
    for block in found:
        dataset, uuid = lists.get(block.dataset), find_uuid(block.id)
        if dataset is not None and uuid is not None:
            key = submission.instance_id + entity_labels.row_of(block.key)
            links.setdefault((key, block.path), (key, block.path, dataset.id, uuid))
    return list(links.values())


def another_key(block: Block) -> str:
    """What the receipt of a block goes by whose place is that of another entity's, before an edit."""
    return f"{block.key}~{find_uuid(block.id)}"

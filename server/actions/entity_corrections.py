"""What corrections do to entities: the values that a submission saved to them, brought along with what stands of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from forms import entities as blocks
from forms import entity_labels
from forms.entities import Block
from forms.entity_receipt import LABEL, HeldEntity, HeldVersion, NextVersion, amend, brought
from forms.schema import Schema
from server.actions import entity_blocks
from server.cleaning.standing import Standing
from server.context import Context
from server.model.entities import Dataset, Entity, EntityReceipt, EntityVersion
from server.model.forms import Form
from server.store import datasets, entities, entity_receipts, merging


@dataclass(frozen=True, slots=True, kw_only=True)
class _Brought:
    """An entity as it stands, and what one block of a submission brought of it: `first` is the version that it made (of the
    entity that it names, where that was merged since), `found_there` what it found, `base` the last version here that it or a
    correction of it made, `before` what these brought last."""

    entity: Entity
    held: HeldEntity
    first: EntityVersion
    found_there: Mapping[str, str]
    base: HeldVersion | None
    before: Mapping[str, str]


def bring(ctx: Context, form: Form, stands: Standing) -> None:
    """Bring the entities that a submission created or updated along with the answers that were corrected.

    The phone repeats a block with every edit, which changes nothing (ODK Entities specification). An answer that was ever
    corrected here is another thing: the property that it is saved to follows what stands of it, be that the correction, what
    a withdrawal uncovered, or what an edit from the phone says since. So does a label that the form strings together of such
    answers. Nothing is done to entities that were deleted, whose person took back the consent, or that say it already; run
    twice, it does nothing the second time.
    """
    if not stands.touched or not stands.schema.entities:
        return
    wanted = [
        (block, names)
        for block in blocks.read(stands.schema, stands.instance)
        if (names := _touched(stands.schema, block, stands.touched))
    ]
    if not wanted:
        return
    lists = datasets.hold(ctx.conn, form.project_id, {block.dataset.strip() for block, _ in wanted})
    receipts = entity_receipts.list_of_submission(ctx.conn, stands.submission.id)
    made = entities.list_made(ctx.conn, stands.submission.id)
    for block, names in wanted:
        receipt, dataset = _receipt(receipts, block), lists.get(block.dataset.strip())
        if receipt is None or dataset is None:
            continue
        found = _find(ctx, dataset, receipt, made)
        if found is None:
            continue
        decision = amend(_now(stands, block, names, found), found.before, found.held, found.base)
        if decision is not None:
            _keep(ctx, form, stands, dataset, receipt, found, decision)


def _touched(schema: Schema, block: Block, touched: Collection[tuple[str, str]]) -> frozenset[str]:
    """The properties of a block whose answers were ever corrected, and LABEL where its label is made of one of them."""
    declaration = next((one for one in schema.entities if one.path == block.path), None)
    if declaration is None:
        return frozenset()
    row = entity_labels.row_of(block.key)
    paths = {path for place, path in touched if place == row}
    names = {name for name, path in declaration.properties.items() if path in paths}
    around = {path for place, path in touched if row.startswith(place)}
    if block.label and around & entity_labels.read_by(schema, block):
        names.add(LABEL)
    return frozenset(names)


def _receipt(receipts: Mapping[str, EntityReceipt], block: Block) -> EntityReceipt | None:
    """What was done for the block: by its place or, where an edit took rows away before it, by the entity that it names."""
    same = [one for one in entity_blocks.done_of(receipts, block) if one.entity_id is not None]
    return next((one for one in same if one.key == block.key), same[0] if len(same) == 1 else None)


def _find(ctx: Context, dataset: Dataset, receipt: EntityReceipt, made: Sequence[EntityVersion]) -> _Brought | None:
    """The living entity that a block's values stand in; None where they stand in none."""
    named = entities.find(ctx.conn, dataset.id, receipt.uuid or "")
    if named is None:
        return None
    entity = merging.survivor_of(ctx.conn, named)
    if entity.deleted_at is not None or entity.withdrawn_at is not None:
        return None
    mine = [one for one in made if _is_of(one, receipt)]
    if not mine:
        return None
    here = entities.list_versions(ctx.conn, entity.id)
    there = here if mine[0].entity_id == entity.id else entities.list_versions(ctx.conn, mine[0].entity_id)
    last = next((one for one in reversed(mine) if one.entity_id == entity.id), None)
    return _Brought(
        entity=entity,
        held=HeldEntity(versions=[_version(one) for one in here], conflict=entity.conflict),
        first=mine[0],
        found_there=next((one.data for one in there if one.version == mine[0].version - 1), {}),
        base=_version(last) if last is not None else None,
        before=brought([_version(one) for one in mine]),
    )


def _is_of(one: EntityVersion, receipt: EntityReceipt) -> bool:
    """Whether the block made a version that its submission made, by itself or by a correction."""
    if one.kind == "correction":
        return (one.details or {}).get("block") == receipt.key
    return one.entity_id == receipt.entity_id and one.version == receipt.entity_version


def _now(stands: Standing, block: Block, names: Collection[str], found: _Brought) -> dict[str, str]:
    """What stands of the properties `names`; of one that the form no longer asks, what the entity said before that came."""
    now = {}
    for name in names:
        if name == LABEL:
            label = entity_labels.laid(stands.schema, block, stands.sent_answers, stands.answers)
            if label is not None:
                now[name] = label
        elif name in block.values:
            now[name] = block.values[name]
        else:
            now[name] = (found.found_there if name in found.first.received else found.first.data).get(name, "")
    return now


def _keep(
    ctx: Context,
    form: Form,
    stands: Standing,
    dataset: Dataset,
    receipt: EntityReceipt,
    found: _Brought,
    decision: NextVersion,
) -> None:
    entity = found.entity
    details: dict[str, object] = {"block": receipt.key}
    if entity.uuid != receipt.uuid:
        details["alias"] = receipt.uuid  # the entity that the block names was merged into this one
    source_id = entities.add_source(
        ctx.conn,
        kind="correction",
        submission_version_id=stands.version.id,
        details=details,
        created_at=ctx.now(),
    )
    version = entities.extend(
        ctx.conn,
        entity,
        label=decision.label,
        data=decision.data,
        received=decision.received,
        base_version=decision.base,
        conflict=decision.conflict,
        conflicting=decision.conflicting,
        source_id=source_id,
        creator_id=ctx.actor_id,
        user_agent=None,
        created_at=ctx.now(),
    )
    datasets.touch(ctx.conn, dataset.id)
    ctx.record(
        "entity.update.version",
        project_id=form.project_id,
        form_id=form.id,
        submission_id=stands.submission.id,
        dataset_id=dataset.id,
        entity_id=entity.id,
        details={"entity": {"uuid": entity.uuid, "dataset": dataset.name, "version": version}},
    )


def _version(one: EntityVersion) -> HeldVersion:
    return HeldVersion(version=one.version, label=one.label, data=one.data, received=one.received)

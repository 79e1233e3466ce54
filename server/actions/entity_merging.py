"""Merging entities that turned out to be one, and taking that back.

The absorbed entity's id becomes an alias: what a phone still sends of it reaches the survivor (forms/entity_receipt).
Who merges, or reads what was merged, sees who the people are: it is for whoever may identify them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from forms import entity_problems
from forms.entity_receipt import LABEL
from forms.problems import Sentence
from server import problems
from server.access import require
from server.actions.disclosures import IDENTIFY
from server.actions.entity_finding import find_dataset, find_entity
from server.context import Context
from server.model.entities import Dataset, Entity, EntityVersion, SourceKind
from server.model.merging import Merge
from server.store import datasets, entities, merging

Side = Literal["survivor", "absorbed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A merge and the entity that stands after it."""

    id: int
    survivor: Entity
    absorbed: Entity


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeLine:
    """A merge as people read it, with both entities as they stand."""

    merge: Merge
    survivor: Entity
    absorbed: Entity


def merge(
    ctx: Context,
    project_id: int,
    name: str,
    survivor: str,
    absorbed: str,
    *,
    reason: str,
    choose: Mapping[str, Side] | None = None,
) -> Merged:
    """Take one entity of a list into another of it.

    The survivor gets a version with its own values and, where it has none, those of the absorbed one; `choose` says for a
    property (or `label`) whose value stands. Phones lose the absorbed one at their next update. Raises Problem 404.1, 400.8,
    and 409.90 where both are one.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.update", found.project)
    require(ctx, IDENTIFY, found.project)
    reason = _said(reason)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    stays, goes = find_entity(ctx, dataset, survivor), find_entity(ctx, dataset, absorbed)
    if stays.id == goes.id:
        raise entity_problems.not_mergeable(Sentence("Es la misma entidad dos veces.", "It is the same entity twice."))
    chosen = dict(choose or {})
    _check(ctx, dataset, chosen)
    values = {
        property_: goes.data[property_]
        for property_ in goes.data
        if chosen.get(property_, "survivor" if stays.data.get(property_) else "absorbed") == "absorbed"
        and goes.data[property_] != stays.data.get(property_, "")
    }
    label = goes.label if chosen.get(LABEL) == "absorbed" else None
    version = _extend(ctx, stays, {**stays.data, **values}, label, "merge", {"absorbed": goes.uuid, "reason": reason})
    merge_id = merging.add(
        ctx.conn,
        survivor_id=stays.id,
        absorbed_id=goes.id,
        survivor_version=version,
        reason=reason,
        actor_id=ctx.actor_id,
        created_at=ctx.now(),
    )
    merging.point(ctx.conn, goes.id, stays.id)
    entities.change(ctx.conn, goes.id, merged_into_id=stays.id, deleted_at=ctx.now(), updated_at=ctx.now())
    datasets.touch(ctx.conn, dataset.id)

    _record(ctx, dataset, stays, "entity.merge", {"merge": merge_id, "absorbed": goes.uuid, "reason": reason})
    return Merged(id=merge_id, survivor=entities.get(ctx.conn, stays.id), absorbed=entities.get(ctx.conn, goes.id))


def undo(ctx: Context, project_id: int, name: str, merge_id: int, *, reason: str) -> Merged:
    """Take a merge back: two entities stand again, each with what came for it since.

    What came under the absorbed one's id since the merge goes to it and leaves the survivor; what else came stays with the
    survivor. Raises Problem 404.1, and 409.90 where it was undone already, or one of the two was merged once more since.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.update", found.project)
    require(ctx, IDENTIFY, found.project)
    reason = _said(reason)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    held = merging.find(ctx.conn, dataset.id, merge_id)
    if held is None:
        raise problems.not_found()
    if held.undone_at is not None:
        raise entity_problems.not_mergeable(Sentence("Ya se deshizo.", "It was undone already."))
    if merging.has_later(ctx.conn, held):
        raise entity_problems.not_mergeable(
            Sentence(
                "Una de las dos se fusionó otra vez después: deshaga primero esa fusión.",
                "One of the two was merged once more since: undo that merge first.",
            )
        )
    stays, goes = entities.get(ctx.conn, held.survivor_id), entities.get(ctx.conn, held.absorbed_id)
    mine, its = _part(entities.list_versions(ctx.conn, stays.id), held, goes.uuid)
    entities.change(ctx.conn, goes.id, merged_into_id=None, deleted_at=None)
    merging.point_back(ctx.conn, goes.id)
    blank = dict.fromkeys(stays.data, "")  # what the merge alone had brought
    _extend(ctx, stays, {**blank, **mine[0]}, mine[1], "merge", {"undone": merge_id, "reason": reason})
    data = {**goes.data, **{key: value for key, value in its.items() if key != LABEL}}
    _extend(ctx, goes, data, its.get(LABEL), "merge", {"undone": merge_id, "reason": reason})
    merging.undo(ctx.conn, merge_id, actor_id=ctx.actor_id, reason=reason, when=ctx.now())
    datasets.touch(ctx.conn, dataset.id)

    _record(ctx, dataset, stays, "entity.merge.undo", {"merge": merge_id, "absorbed": goes.uuid, "reason": reason})
    return Merged(id=merge_id, survivor=entities.get(ctx.conn, stays.id), absorbed=entities.get(ctx.conn, goes.id))


def list_merges(ctx: Context, project_id: int, name: str) -> list[MergeLine]:
    """Every merge of a list, the newest first, undone ones too. Raises Problem 404.1, 403.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.read", found.project)
    require(ctx, IDENTIFY, found.project)
    return [
        MergeLine(
            merge=one,
            survivor=entities.get(ctx.conn, one.survivor_id),
            absorbed=entities.get(ctx.conn, one.absorbed_id),
        )
        for one in merging.list_merges(ctx.conn, found.row.id)
    ]


def _part(
    versions: Sequence[EntityVersion], held: Merge, alias: str
) -> tuple[tuple[dict[str, str], str], dict[str, str]]:
    """What the survivor would be without the merge (values, label), and what came for the absorbed one since."""
    before = versions[held.survivor_version - 2]
    mine, label = dict(before.data), before.label
    its: dict[str, str] = {}
    for last, one in zip(versions[held.survivor_version - 1 :], versions[held.survivor_version :], strict=False):
        changed = {key: value for key, value in one.data.items() if last.data.get(key) != value}
        renamed = one.label if one.label != last.label else None
        if (one.details or {}).get("alias") == alias:
            its |= changed
            if renamed is not None:
                its[LABEL] = renamed
        else:
            mine |= changed
            label = renamed if renamed is not None else label
    return (mine, label), its


def _extend(
    ctx: Context,
    entity: Entity,
    data: Mapping[str, str],
    label: str | None,
    kind: SourceKind,
    details: Mapping[str, object],
) -> int:
    """One more version, made by a person here; what came is what changes."""
    received = {key: value for key, value in data.items() if entity.data.get(key) != value}
    if label is not None and label != entity.label:
        received[LABEL] = label
    source_id = entities.add_source(ctx.conn, kind=kind, details=dict(details), created_at=ctx.now())
    return entities.extend(
        ctx.conn,
        entity,
        label=label or entity.label,
        data=data,
        received=received,
        base_version=entity.version,
        conflict=entity.conflict,
        conflicting=(),
        source_id=source_id,
        creator_id=ctx.actor_id,
        user_agent=None,
        created_at=ctx.now(),
    )


def _check(ctx: Context, dataset: Dataset, chosen: Mapping[str, Side]) -> None:
    known = {LABEL, *(one.name for one in datasets.list_properties(ctx.conn, dataset.id))}
    for property_, side in chosen.items():
        if property_ not in known:
            told = Sentence("la lista no tiene esta propiedad.", "the list has no such property.")
            raise problems.wrong_value("choose", property_, told)
        if side not in ("survivor", "absorbed"):
            raise problems.wrong_value(
                "choose", side, Sentence("use survivor o absorbed.", "use survivor or absorbed.")
            )


def _said(reason: str) -> str:
    said = reason.strip()
    if not said or "\0" in said:
        raise problems.wrong_value("reason", "", Sentence("diga por qué.", "say why."))
    return said


def _record(ctx: Context, dataset: Dataset, entity: Entity, action: str, details: dict[str, object]) -> None:
    ctx.record(
        action,
        project_id=dataset.project_id,
        dataset_id=dataset.id,
        entity_id=entity.id,
        details={"entity": {"uuid": entity.uuid, "dataset": dataset.name}, **details},
    )

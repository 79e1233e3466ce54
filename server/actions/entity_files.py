"""Entities from files: all that a file holds, added to a list or laid over what stands there, or nothing of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from forms import entity_problems
from forms.entities import is_property_name
from forms.entity_files import EntityFile, Line, fault
from forms.problems import Finding
from server.access import require
from server.actions import entities
from server.actions.disclosures import IDENTIFY
from server.actions.entities import By, Change, New
from server.actions.entity_finding import Found, find_dataset
from server.context import Context
from server.model.entities import Dataset, Entity, folded
from server.store import datasets
from server.store import entities as stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a file is taken: `update` lays it over entities that there are (without it they are faults), `add_properties` gives
    the list the properties that it lacks. `name` and `size` are the file's, which its versions tell as their source."""

    update: bool = False
    add_properties: bool = False
    name: str = ""
    size: int = 0

    def of(self, size: int) -> Wish:
        """The same for a file of so many bytes."""
        return replace(self, size=size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a file did or, in a `dry_run`, would do: entities created, updated, and those that say already what it says.

    `nameless` of the created ones have no id in the file: taking it once more creates them once more.
    """

    dry_run: bool
    created: int
    updated: int
    unchanged: int
    nameless: int
    properties: tuple[str, ...]


@dataclass(slots=True)
class _Plan:
    properties: tuple[str, ...] = ()
    new: list[New] = field(default_factory=list)
    changes: list[tuple[Entity, Change]] = field(default_factory=list)
    unchanged: int = 0
    findings: list[Finding] = field(default_factory=list)


def foresee(ctx: Context, project_id: int, name: str, file: EntityFile, wish: Wish) -> Outcome:
    """What `apply` would do. Raises what it raises."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.create", found.project)
    _require_more(ctx, found, wish)
    return _outcome(_plan(ctx, found.row, file, wish), dry_run=True)


def apply(ctx: Context, project_id: int, name: str, file: EntityFile, wish: Wish, by: By) -> Outcome:
    """Take every entity of a file. A blank cell says nothing of an entity that there is: its value stands.

    Raises Problem 404.1, and 400.52 with every fault by row and column, where nothing is taken.
    """
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.create", found.project)
    _require_more(ctx, found, wish)
    dataset = datasets.hold_one(ctx.conn, found.row.id)
    plan = _plan(ctx, dataset, file, wish)
    for one in plan.properties:
        datasets.add_property(ctx.conn, dataset.id, one, "string", created_at=ctx.now())
    if plan.properties:
        datasets.change(ctx.conn, dataset.id, updated_at=ctx.now())
        datasets.touch(ctx.conn, dataset.id)
        _record(ctx, dataset, "dataset.update", {"properties": list(plan.properties)})
    source: dict[str, Any] = {"name": wish.name, "size": wish.size}
    if plan.new:
        entities.add_many(ctx, dataset, plan.new, source, by)
    if plan.changes:
        details = {**source, "count": len(plan.changes), "userAgent": by.user_agent}
        source_id = stored.add_source(ctx.conn, kind="bulk", details=details, created_at=ctx.now())
        for entity, change in plan.changes:
            entities.extend(ctx, dataset, entity, change, source_id, by)
    return _outcome(plan, dry_run=False)


def expect(ctx: Context, project_id: int, name: str, wish: Wish) -> None:
    """Whether somebody may take a file so, before it is read. Raises Problem 404.1, 403.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.create", found.project)
    _require_more(ctx, found, wish)


def _require_more(ctx: Context, found: Found, wish: Wish) -> None:
    if wish.update:  # what it says already, and what not, tells what stands
        require(ctx, "entity.update", found.project)
        require(ctx, IDENTIFY, found.project)
    if wish.add_properties:
        require(ctx, "dataset.update", found.project)


def _plan(ctx: Context, dataset: Dataset, file: EntityFile, wish: Wish) -> _Plan:
    """What there is to do. Raises Problem 400.52."""
    plan = _Plan(findings=list(file.findings))
    known = [one.name for one in datasets.list_properties(ctx.conn, dataset.id)]
    plan.properties = tuple(name for name in file.properties if name not in known)
    plan.findings.extend(_property_faults(plan.properties, known, wish))
    if not plan.findings:
        _look_through(ctx, dataset, file.lines, wish, plan)
    if plan.findings:
        raise entity_problems.file_refused(plan.findings)
    return plan


def _property_faults(lacking: Sequence[str], known: Sequence[str], wish: Wish) -> Iterator[Finding]:
    by_folded = {folded(name): name for name in known}
    for name in lacking:
        alike = by_folded.setdefault(folded(name), name)
        if alike != name:
            es = f"La lista tiene la propiedad «{alike}»: use ese mismo nombre."
            yield fault(es, f"The list has the property “{alike}”: use that very name.", 1, name)
        elif not is_property_name(name):
            es = "Una propiedad no se puede llamar así: letras, números, «_», «-» y «.», y una letra o «_» al comienzo."
            en = "No property may be called so: letters, digits, “_”, “-” and “.”, a letter or “_” first."
            yield fault(es, en, 1, name[:60])
        elif not wish.add_properties:
            listed = ", ".join(known)
            yield fault(
                f"La lista no tiene esta propiedad; tiene {listed}." if known else "La lista no tiene propiedades.",
                f"The list has no such property; it has {listed}." if known else "The list has no properties.",
                1,
                name[:60],
            )


def _look_through(ctx: Context, dataset: Dataset, lines: Sequence[Line], wish: Wish, plan: _Plan) -> None:
    ids = [line.uuid for line in lines if line.uuid is not None]
    used = stored.list_used(ctx.conn, dataset.id, ids)
    held = {one.uuid: one for one in stored.list_by_uuid(ctx.conn, dataset.id, list(used))}
    for line in lines:
        if line.uuid is not None and line.uuid in used:
            entity = held.get(line.uuid)
            if entity is None or used[line.uuid]:
                plan.findings.append(_gone(line, entity))
            elif not wish.update:
                plan.findings.append(
                    fault(
                        "Ya existe esta entidad: no se cambia sin pedirlo (update).",
                        "This entity is there already: it is not changed unless you ask for it (update).",
                        line.row,
                    )
                )
            else:
                _compare(entity, line, plan)
        elif line.label is None:
            plan.findings.append(fault("Falta la etiqueta.", "The label is missing.", line.row, "label"))
        else:
            plan.new.append(New(label=line.label, uuid=line.uuid, data=line.data))


def _gone(line: Line, entity: Entity | None) -> Finding:
    if entity is not None and entity.merged_into_id is not None:
        es, en = "La entidad se fusionó con otra.", "The entity was merged into another one."
    else:
        es = "El identificador es de una entidad borrada y no se puede usar."
        en = "The id is that of a deleted entity and cannot be used."
    return fault(es, en, line.row)


def _compare(entity: Entity, line: Line, plan: _Plan) -> None:
    data = {name: text for name, text in line.data.items() if entity.data.get(name, "") != text}
    label = line.label if line.label != entity.label else None
    if data or label is not None:
        plan.changes.append((entity, Change(label=label, data=data)))
    else:
        plan.unchanged += 1


def _outcome(plan: _Plan, *, dry_run: bool) -> Outcome:
    return Outcome(
        dry_run=dry_run,
        created=len(plan.new),
        updated=len(plan.changes),
        unchanged=plan.unchanged,
        nameless=sum(one.uuid is None for one in plan.new),
        properties=plan.properties,
    )


def _record(ctx: Context, dataset: Dataset, action: str, details: Mapping[str, object]) -> None:
    ctx.record(action, project_id=dataset.project_id, dataset_id=dataset.id, details=dict(details))

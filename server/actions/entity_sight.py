"""Sight of entities: what of them somebody may see who may not see who the people in the records are.

A property tells what extracts without identities tell of the questions that are saved to it, the strictest of them in any
version of any form: what is left out there is hidden here. One that no question is saved to (it came by hand or in a file)
is judged by its type and name, as an unmarked question is. The label, which forms make of names, is the entity's id; ids are
pseudonyms, the same as in extracts of forms that choose from the list; moments are days; who made an entity is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Final

from forms import entity_problems, privacy
from forms.entities import normal_uuid
from forms.schema import Field, Type
from server.access import may, require
from server.actions import disclosures
from server.actions.disclosures import IDENTIFY
from server.actions.entity_finding import Found, find_dataset, find_entity
from server.context import Context
from server.extracts import disclosure
from server.extracts.treatments import KEPT, LEFT_OUT, Treatment
from server.model.entities import Dataset, Entity, EntityVersion, Property
from server.odata.entity_rows import Line
from server.store import datasets, forms, pseudonyms
from server.store import entities as stored
from server.tables import registry

_STRICTEST: Final = ("leave out", "place", "pseudonym", "year", "month", "day", "keep")
_TOLD: Final = frozenset(("keep", "day", "month", "year"))
_DATES: Final = frozenset(("date", "dateTime"))
_POINTS: Final = frozenset(("geopoint", "geotrace", "geoshape"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What may be seen of a list's entities: its `properties` in order, each with its type and what becomes of its values.

    `names` (project, subject) are the pseudonyms that stand for ids; None: whoever asks may identify people, and sees all.
    """

    properties: Mapping[str, tuple[Type, Treatment]]
    names: tuple[int, str] | None = None

    @property
    def identifies(self) -> bool:
        """Whether all may be seen."""
        return self.names is None

    @property
    def searched(self) -> list[str]:
        """The properties whose values may be looked for: those that are told as they are."""
        return [name for name, (_, treatment) in self.properties.items() if treatment.what == "keep"]

    def entity(self, one: Entity, told: str) -> Entity:
        """An entity as it may be seen, which is told by the id `told`."""
        data = self.data(one.data)
        if self.identifies:
            return replace(one, data=data)
        return replace(
            one,
            uuid=told,
            label=told,
            data=data,
            creator_id=None,
            created_at=_day(one.created_at),
            updated_at=_day(one.updated_at) if one.updated_at is not None else None,
            deleted_at=_day(one.deleted_at) if one.deleted_at is not None else None,
        )

    def version(self, one: EntityVersion, told: str, *, current: bool = False) -> EntityVersion:
        """A version likewise; an earlier one tells properties that were deleted since, as ODK Central does."""
        if self.identifies:
            return replace(one, data=self.data(one.data)) if current else one
        return replace(
            one,
            label=told,
            data=self.data(one.data),
            received=self.data(one.received),
            creator_id=None,
            created_at=_day(one.created_at),
            submission_version_id=None,
            details=None,
        )

    def line(self, one: Line) -> Line:
        """A row of a list likewise."""
        entity = self.entity(one.entity, one.told)
        version = self.version(one.version, one.told, current=True)
        if self.identifies:
            return replace(one, entity=entity, version=version)
        return replace(one, entity=entity, version=version, creator=None, version_creator=None, merged_into=None)

    def day(self, moment: datetime) -> datetime:
        """The day of a moment, which is told in its stead."""
        return _day(moment)

    def data(self, given: Mapping[str, str]) -> dict[str, str]:
        """Values as they may be seen, in the order in which they are kept."""
        made = {}
        for name, text in given.items():
            if name not in self.properties:
                continue
            type_, treatment = self.properties[name]
            told = disclosure.of_text(type_, text, treatment) if text else text
            if told is not None:
                made[name] = told
        return made


def of(ctx: Context, found: Found) -> Sight:
    """What whoever asks may see of a list; inside an action that has asked."""
    if may(ctx.actor, IDENTIFY, found.project):
        properties = datasets.list_properties(ctx.conn, found.row.id)
        return Sight(properties={one.name: (one.type, KEPT) for one in properties})
    return _without_identities(ctx, found)


def hidden(ctx: Context, found: Found) -> Sight:
    """What whoever may not identify people sees of a list, whoever asks. Raises Problem 403.1."""
    require(ctx, "entity.list", found.project)
    return _without_identities(ctx, found)


def _without_identities(ctx: Context, found: Found) -> Sight:
    properties = datasets.list_properties(ctx.conn, found.row.id)
    held = forms.list_every_published(ctx.conn, found.project.id)
    every = forms.list_forms(ctx.conn, found.project.id)
    key = (
        *("entity sight", found.row.id, found.row.revision),
        tuple(version.id for version in held),
        tuple(form.layout_revision for form in every),
    )
    return registry.remember(ctx.conn, key, lambda: _hidden(ctx, found.row, properties))


def find(ctx: Context, found: Found, told: str, *, deleted: bool = False) -> tuple[Entity, Sight]:
    """The entity that whoever asks calls `told`: its id, or for whoever may not identify people its pseudonym alone; and what
    may be seen of it. Inside an action that has asked. Raises Problem 404.1, 400.11."""
    seen = of(ctx, found)
    if seen.names is None:
        return find_entity(ctx, found.row, told, deleted=deleted), seen
    project_id, subject = seen.names
    uuid = pseudonyms.key_of(ctx.conn, project_id, subject, told)
    entity = stored.find(ctx.conn, found.row.id, uuid) if uuid is not None else None
    if entity is None or (entity.deleted_at is not None) != deleted or entity.withdrawn_at is not None:
        raise entity_problems.no_entity(told)
    return entity, seen


def name_of(told: str, seen: Sight) -> str:
    """The id by which an entity is told that was found as `told`."""
    return normal_uuid(told) if seen.identifies else told


def lacks_names(ctx: Context, project_id: int, name: str) -> bool:
    """Whether an entity of a list lacks the pseudonym by which it is told to whoever asks. Raises Problem 404.1, 403.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.list", found.project)
    names = of(ctx, found).names
    return names is not None and stored.lacks_names(ctx.conn, found.row.id, *names)


def give_names(ctx: Context, project_id: int, name: str) -> None:
    """Let a pseudonym stand for every entity of a list that has none yet. Raises Problem 404.1, 403.1."""
    found = find_dataset(ctx, project_id, name)
    require(ctx, "entity.list", found.project)
    stored.give_names(ctx.conn, found.row.id, found.project.id, subject_of(found.row))


def subject_of(dataset: Dataset) -> str:
    """What the ids of a list are keys of: the same as in the answers to questions that choose from it."""
    return f"{disclosure.LIST}{dataset.name}"


def _hidden(ctx: Context, dataset: Dataset, properties: Iterable[Property]) -> Sight:
    saved: dict[str, list[Treatment]] = {}
    for name, treatment in _saved(ctx, dataset):
        saved.setdefault(name, []).append(treatment)
    shown = {}
    for one in properties:
        given = saved.get(one.name) or [_by_name(one)]
        strictest = min(given, key=lambda treatment: _STRICTEST.index(treatment.what))
        coarse = strictest.change is not None and one.type not in _DATES
        if strictest.what in _TOLD and not coarse and one.type not in _POINTS:
            shown[one.name] = (one.type, strictest)
    return Sight(properties=shown, names=(dataset.project_id, subject_of(dataset)))


def _saved(ctx: Context, dataset: Dataset) -> Iterator[tuple[str, Treatment]]:
    """Each property with what becomes of the answers to a question that is saved to it, deleted forms and all versions."""
    every = [*forms.list_forms(ctx.conn, dataset.project_id), *forms.list_deleted(ctx.conn, dataset.project_id)]
    for form in every:
        declared = [
            (name, path)
            for version in forms.list_published(ctx.conn, form.id)
            for one in registry.schema_of(ctx.conn, version).entities
            if one.dataset == dataset.name
            for name, path in one.properties.items()
        ]
        treatments = disclosures.paths_of(ctx, form) if declared else {}
        for name, path in declared:
            yield name, treatments.get(path, KEPT)


def _by_name(one: Property) -> Treatment:
    """What becomes of a property that no question is saved to."""
    asked = Field(path=f"/{one.name}", name=one.name, kind="question", type=one.type, control="input")
    return LEFT_OUT if privacy.suspicion(asked) is not None or one.name == "geometry" else KEPT


def _day(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)

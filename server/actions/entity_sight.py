"""Sight of entities: what of them somebody may see who may not see who the people in the records are.

A property is hidden whose question is marked `direct` or `free_text` in any version of a form that saves to it, or holds a
point; so is the label, which forms make of names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from forms import privacy
from forms.entity_history import LABEL, Told
from server.access import may
from server.context import Context
from server.model.entities import Dataset, Entity, EntityVersion
from server.model.projects import Project
from server.store import datasets, forms
from server.tables import registry

_HIDDEN: Final = ("direct", "free_text")
_POINTS: Final = ("geopoint", "geotrace", "geoshape")


@dataclass(frozen=True, slots=True)
class Sight:
    """What is hidden: names of properties, and `label`. Nothing from whoever may identify people."""

    hidden: frozenset[str] = frozenset()

    def entity(self, one: Entity) -> Entity:
        """An entity without what is hidden; its label is then its id."""
        if not self.hidden:
            return one
        return replace(one, label=one.uuid, data=self._without(one.data))

    def version(self, one: EntityVersion) -> EntityVersion:
        """A version likewise."""
        if not self.hidden:
            return one
        return replace(one, label="", data=self._without(one.data), received=self._without(one.received))

    def told(self, one: Told) -> Told:
        """What is said of a version, likewise."""
        return replace(
            one,
            base_diff=tuple(name for name in one.base_diff if name not in self.hidden),
            server_diff=tuple(name for name in one.server_diff if name not in self.hidden),
        )

    def _without(self, data: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in data.items() if name not in self.hidden}


def of(ctx: Context, project: Project, dataset: Dataset) -> Sight:
    """What is hidden of a list from whoever asks; inside an action that has asked."""
    actor = ctx.actor
    if may(actor, "submission.identify", project):
        return Sight()
    held = forms.list_every_published(ctx.conn, project.id)
    key = ("sight", dataset.id, dataset.revision, tuple(version.id for version in held))
    return registry.remember(ctx.conn, key, lambda: Sight(_hidden(ctx, dataset, [version.id for version in held])))


def _hidden(ctx: Context, dataset: Dataset, version_ids: list[int]) -> frozenset[str]:
    found = {LABEL}
    found.update(one.name for one in datasets.list_properties(ctx.conn, dataset.id) if one.type in _POINTS)
    for version_id in version_ids:
        version = forms.get_version(ctx.conn, version_id)
        marks = privacy.over_versions([version.marks.get("privacy", {})])
        for one in registry.schema_of(ctx.conn, version).entities:
            if one.dataset == dataset.name:
                found.update(name for name, path in one.properties.items() if marks.get(path) in _HIDDEN)
    return frozenset(found)

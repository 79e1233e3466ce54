"""Uses of entity lists: the forms that write to a list and those that read it, as published and as drafts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.context import Context
from server.model.entities import Dataset
from server.model.forms import FormVersion
from server.store import datasets, forms
from server.tables import registry


@dataclass(frozen=True, slots=True, kw_only=True)
class FormOf:
    """A form that has to do with a list; `repeat` is the repeat whose rows are its entities."""

    form_id: str
    title: str
    repeat: str | None = None

    def told(self) -> dict[str, str]:
        """The form in ODK Central's words."""
        told = {"name": self.title, "xmlFormId": self.form_id}
        return {**told, "repeatPath": self.repeat} if self.repeat else told


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """Which published forms and which drafts write to a list (`sources`) and read it (`readers`), and which of them save to
    each of its properties."""

    sources: tuple[FormOf, ...] = ()
    readers: tuple[FormOf, ...] = ()
    draft_sources: tuple[FormOf, ...] = ()
    draft_readers: tuple[FormOf, ...] = ()
    by_property: Mapping[str, tuple[FormOf, ...]]
    draft_by_property: Mapping[str, tuple[FormOf, ...]]

    @property
    def any(self) -> bool:
        """Whether a form uses the list at all."""
        return bool(self.sources or self.readers or self.draft_sources or self.draft_readers)

    def by_kind(self) -> dict[str, tuple[FormOf, ...]]:
        """The forms by ODK Central's names for what they are to the list."""
        return {
            "sourceForms": self.sources,
            "linkedForms": self.readers,
            "draftSourceForms": self.draft_sources,
            "draftLinkedForms": self.draft_readers,
        }


def of(ctx: Context, dataset: Dataset) -> Uses:
    """Every living form of the project that uses a list; inside an action that has asked."""
    linked = datasets.list_linked_versions(ctx.conn, dataset.id)
    published: list[FormVersion] = []
    drafts: list[FormVersion] = []
    ids: dict[int, str] = {}
    for form in forms.list_forms(ctx.conn, dataset.project_id):
        ids[form.id] = form.xml_form_id
        for version_id, found in ((form.current_version_id, published), (form.draft_version_id, drafts)):
            if version_id is not None:
                found.append(forms.get_version(ctx.conn, version_id))
    sources, by_property = _writing(ctx, dataset, published, ids)
    draft_sources, draft_by_property = _writing(ctx, dataset, drafts, ids)
    return Uses(
        sources=sources,
        readers=tuple(_form(one, ids) for one in published if one.id in linked),
        draft_sources=draft_sources,
        draft_readers=tuple(_form(one, ids) for one in drafts if one.id in linked),
        by_property=by_property,
        draft_by_property=draft_by_property,
    )


def _writing(
    ctx: Context, dataset: Dataset, versions: list[FormVersion], ids: Mapping[int, str]
) -> tuple[tuple[FormOf, ...], dict[str, tuple[FormOf, ...]]]:
    """The forms that create or update entities of a list, and those that save to each property."""
    sources: list[FormOf] = []
    by_property: dict[str, list[FormOf]] = {}
    for version in versions:
        schema = registry.schema_of(ctx.conn, version)
        about = _form(version, ids)
        for one in schema.entities:
            if one.dataset != dataset.name:
                continue
            inside = one.path.removesuffix("/meta/entity")
            repeat = inside if inside and schema.by_path[inside].kind == "repeat" else None
            sources.append(FormOf(form_id=about.form_id, title=about.title, repeat=repeat))
            for name in one.properties:
                by_property.setdefault(name, []).append(about)
    return tuple(dict.fromkeys(sources)), {name: tuple(dict.fromkeys(found)) for name, found in by_property.items()}


def _form(version: FormVersion, ids: Mapping[int, str]) -> FormOf:
    return FormOf(form_id=ids[version.form_id], title=version.title or ids[version.form_id])

"""What forms and lists say of a person, for whoever takes it out: inside actions that have asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from forms import privacy
from forms.identifying import Fate, fate
from forms.privacy import Mark
from forms.redaction import Rules
from forms.schema import Field, Schema
from server.context import Context
from server.model.entities import Dataset, Property
from server.model.forms import Form
from server.store import datasets, forms
from server.tables import private, registry

_NOTHING: Final = Schema(form_id="", version="", title="", root="", fields=())
_FATES: Final[tuple[Fate, ...]] = ("blank", "code", "keep")
"""The strictest first."""
_PLACES: Final = frozenset(("geopoint", "geotrace", "geoshape"))


def of_form(ctx: Context, form: Form, form_version_id: int | None) -> Rules:
    """What a version of a form asks (the present one, where the server never had that) and what its questions tell.

    Marks are the strictest of every version; where no version is known, nothing is.
    """
    known = form_version_id or form.current_version_id
    if known is None:
        return Rules(schema=_NOTHING)
    key = ("redaction", form.id, form.layout_revision, form.current_version_id, known)
    return registry.remember(ctx.conn, key, lambda: _read(ctx, form, known))


def of_list(ctx: Context, dataset: Dataset) -> dict[str, tuple[Fate, Mark | None]]:
    """What becomes of each property of a list under keep_facts, and the mark that says so: the strictest of the questions
    saved to it, in any version of any form; of one that no question is saved to, by its name and type."""
    saved: dict[str, list[tuple[Fate, Mark | None]]] = {}
    for name, entry, mark in _saved(ctx, dataset):
        saved.setdefault(name, []).append((fate(entry, mark), mark))
    return {
        one.name: min(saved.get(one.name) or [_by_name(one)], key=lambda found: _FATES.index(found[0]))
        for one in datasets.list_properties(ctx.conn, dataset.id)
    }


def _read(ctx: Context, form: Form, form_version_id: int) -> Rules:
    version = forms.get_version(ctx.conn, form_version_id)
    schema = registry.schema_of(ctx.conn, version)
    own = version.marks.get("privacy", {})
    marks = privacy.over_versions([private.marks_of(ctx.conn, form.id), own])
    return Rules(schema=schema, marks={path: one.mark for path, one in privacy.judge(schema, marks).items()})


def _saved(ctx: Context, dataset: Dataset) -> Iterator[tuple[str, Field, Mark | None]]:
    every = [*forms.list_forms(ctx.conn, dataset.project_id), *forms.list_deleted(ctx.conn, dataset.project_id)]
    for form in every:
        for version in forms.list_published(ctx.conn, form.id):
            rules = of_form(ctx, form, version.id)
            for declared in rules.schema.entities:
                if declared.dataset == dataset.name:
                    for name, path in declared.properties.items():
                        yield name, rules.schema.by_path[path], rules.marks.get(path)


def _by_name(one: Property) -> tuple[Fate, Mark | None]:
    asked = Field(path=f"/{one.name}", name=one.name, kind="question", type=one.type, control="input")
    if privacy.suspicion(asked) is not None or one.name == "geometry" or one.type in _PLACES:
        return "blank", "direct"
    return "keep", None

"""Entity lists as forms: a list seen by expressions as if its properties were the questions of a form, an entity a record."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Connection

from forms import privacy
from forms.schema import ChoiceSource, Field, Schema, Type
from server.indicators.declarations import ENTITIES
from server.indicators.resolving import FormView
from server.model.entities import Dataset, Property
from server.store import datasets, forms
from server.tables import registry
from server.tables.layout import DataColumn, DataTable, Layout

_TYPES: Final[Mapping[str, Type]] = {"int": "int", "decimal": "decimal", "date": "date"}
"""Types that a property's text is read as; all others stay text."""


def load(conn: Connection, project_id: int, names: Collection[str]) -> dict[str, FormView]:
    """The lists of a project that are there of those named, by what `over` calls them: `entities:beneficiaries`."""
    found = {}
    for name in sorted(names):
        dataset = datasets.find(conn, project_id, name)
        if dataset is not None and dataset.name == name:
            found[f"{ENTITIES}{name}"] = _view(conn, dataset)
    return found


def state(conn: Connection, project_id: int) -> tuple[tuple[int, str, tuple[tuple[str, str], ...]], ...]:
    """Another wherever a list came, went, or got another property: what is resolved against lists is then to be resolved
    again."""
    return tuple(
        (one.id, one.name, tuple((each.name, each.type) for each in datasets.list_properties(conn, one.id)))
        for one in datasets.list_datasets(conn, project_id)
    )


def layout_of(view: FormView) -> Layout:
    """Where the properties of a list stand: in columns of their names, beside what is known of every record."""
    columns = tuple(
        DataColumn(
            id=-number,
            paths=(entry.path,),
            name=f"p{number}",
            type=entry.type or "string",
            accepts=(entry.type or "string",),
            part=1,
        )
        for number, entry in enumerate(view.schema.fields, 1)
    )
    table = DataTable(id=view.id, paths=("",), name=f"list{-view.id}", columns=columns)
    return Layout((table,), dataset_id=-view.id)


def _view(conn: Connection, dataset: Dataset) -> FormView:
    held = forms.list_every_published(conn, dataset.project_id)
    properties = datasets.list_properties(conn, dataset.id)
    key = ("list", dataset.id, tuple(properties), tuple(version.id for version in held))
    return registry.remember(conn, key, lambda: _read(conn, dataset, properties))


def _read(conn: Connection, dataset: Dataset, properties: list[Property]) -> FormView:
    asked: dict[str, tuple[Field, ChoiceSource | None]] = {}
    marks: dict[str, set[str]] = {}
    for version in forms.list_every_published(conn, dataset.project_id):
        schema = registry.schema_of(conn, version)
        marked = privacy.over_versions([version.marks.get("privacy", {})])
        for declared in schema.entities:
            if declared.dataset != dataset.name:
                continue
            for name, path in declared.properties.items():
                options = schema.options(path)
                if options or name not in asked:
                    asked[name] = (schema.by_path[path], ChoiceSource(choices=options) if options else None)
                if path in marked:
                    marks.setdefault(f"/{name}", set()).add(marked[path])
    fields = tuple(_field(one, *asked.get(one.name, (None, None))) for one in properties)
    return FormView(
        id=-dataset.id,
        form_id=f"{ENTITIES}{dataset.name}",
        schema=Schema(form_id=dataset.name, version="", title=dataset.name, root="data", fields=fields),
        privacy={path: mark for path, given in marks.items() if (mark := privacy.strictest(given)) is not None},
    )


def _field(one: Property, question: Field | None, choices: ChoiceSource | None) -> Field:
    type_ = _TYPES.get(one.type, "string")
    loose = type_ == "string" and choices is None  # its text may be anything's, as that of a calculation
    return Field(
        path=f"/{one.name}",
        name=one.name,
        kind="question",
        type=type_,
        control=question.control if question is not None and choices is not None else None,
        choices=choices,
        label=question.label if question is not None else {},
        calculate="''" if loose else None,
    )

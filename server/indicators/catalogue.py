"""Catalogue: what a project declares, resolved against its forms as they are, with the fact tables that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Connection

from forms import privacy
from forms.problems import Sentence
from forms.schema import Schema
from server.indicators import book as books
from server.indicators import facts, lists
from server.indicators.book import Book
from server.indicators.declarations import ENTITIES, Indicator
from server.indicators.facts import FactTable
from server.indicators.resolving import FormView, Resolved, Wrong, resolve
from server.model.forms import Form
from server.model.projects import Project
from server.store import forms, projects
from server.tables import private, registry
from server.tables.layout import Layout


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Everything that is needed to compute a project's indicators.

    `resolved` are those that can be computed or wait for something; `broken` those in force that no form answers any more,
    with what is wrong. `forms` go by XForm id (entity lists by `entities:name`), `layouts` and `tables` by the form's row id
    (of a list, the negative of its own).
    """

    project: Project
    book: Book
    resolved: Mapping[str, Resolved]
    broken: Mapping[str, Sequence[Wrong]]
    forms: Mapping[str, FormView]
    layouts: Mapping[int, Layout]
    tables: Mapping[int, Sequence[FactTable]] = field(default_factory=dict)

    @cached_property
    def table_of(self) -> Mapping[str, FactTable]:
        """The fact table of each indicator that has one."""
        return {name: table for tables in self.tables.values() for table in tables for name in table.measures}

    @cached_property
    def _obstacles(self) -> dict[str, Sentence | None]:
        """What `obstacle` has found, since many formulas may be computed from one."""
        return {}

    def obstacle(self, name: str) -> Sentence | None:
        """Why an indicator in force cannot be computed: what it waits for, what is broken; of a formula, its inputs' too."""
        if name not in self._obstacles:
            self._obstacles[name] = self._find_obstacle(name)
        return self._obstacles[name]

    def _find_obstacle(self, name: str) -> Sentence | None:
        if name in self.broken:
            return next((wrong.sentence for wrong in self.broken[name]), None)
        resolved = self.resolved[name]
        if resolved.waits is not None:
            return resolved.waits
        for other in resolved.inputs:
            below = self.obstacle(other)
            if below is not None:
                return Sentence(f"{other}: {below.es}", f"{other}: {below.en}")
        return None


def load(conn: Connection, project: Project) -> Catalogue:
    """The catalogue of a project; read and resolved once per process for each state of its declarations and forms."""
    living = [form for form in forms.list_forms(conn, project.id) if form.current_version_id is not None]
    revisions = tuple((form.id, form.layout_revision, form.current_version_id) for form in living)
    state = lists.state(conn, project.id)
    key = ("catalogue", project.id, project.indicators_revision, project.counting, project.minimum_n, revisions, state)
    return registry.remember(conn, key, lambda: _load(conn, project, living))


def tables_of(conn: Connection, form: Form) -> Sequence[FactTable]:
    """The fact tables that a form should have now; none for a deleted one."""
    project = projects.find_project(conn, form.project_id)
    if project is None or form.deleted_at is not None:
        return ()
    return load(conn, project).tables.get(form.id, ())


def view_of(
    conn: Connection, form: Form, newest: Schema | None = None, marks: Mapping[str, str] | None = None
) -> FormView:
    """A published form as expressions see it; with `newest` and its `marks`, as it would be after that version."""
    every = privacy.over_versions([marks or {}, private.marks_of(conn, form.id)])
    schema = registry.schema_of_form(conn, form.id, newest)
    return FormView(id=form.id, form_id=form.xml_form_id, schema=schema, privacy=every)


def compute(
    conn: Connection, project: Project, book: Book, views: Mapping[str, FormView], layouts: Mapping[int, Layout]
) -> Catalogue:
    """The catalogue that these declarations and forms make."""
    declared = {name: kept.record for name, kept in book.indicators.items()}
    resolved: dict[str, Resolved] = {}
    broken: dict[str, Sequence[Wrong]] = {}
    for name, indicator in declared.items():
        form = views.get(indicator.form) if indicator.form is not None else None
        if needs_form(indicator.type, indicator.over) and form is None:
            broken[name] = [Wrong("form", no_form(indicator.form))]
            continue
        found, wrong = resolve(
            indicator,
            form,
            dimensions=[kept.record for kept in book.dimensions],
            levels=book.levels,
            indicators=declared,
            lists=views,
        )
        if found is not None:
            resolved[name] = found
        else:
            broken[name] = wrong
    by_form: dict[int, list[Resolved]] = {}
    for one in resolved.values():
        if one.form is not None and one.form.id in layouts and layouts[one.form.id].dataset_id is None:
            by_form.setdefault(one.form.id, []).append(one)
    tables = {form_id: facts.plan(conn, layouts[form_id], mine) for form_id, mine in by_form.items()}
    return Catalogue(
        project=project,
        book=book,
        resolved=resolved,
        broken=broken,
        forms=views,
        layouts=layouts,
        tables=tables,
    )


def lists_of(indicators: Iterable[Indicator]) -> frozenset[str]:
    """The entity lists that indicators look at or join."""
    listed = list(indicators)
    over = {one.over.removeprefix(ENTITIES) for one in listed if one.over.startswith(ENTITIES)}
    return frozenset(over | {one.join for one in listed if one.join is not None})


def needs_form(type_: str, over: str) -> bool:
    """Whether an indicator looks at a form's records."""
    return type_ not in ("formula", "manual") and not over.startswith(ENTITIES)


def no_form(form_id: str | None) -> Sentence:
    """What is said where the form is not there."""
    if form_id is None:
        return Sentence(
            "falta el formulario: en un libro de marco lógico, cada indicador dice en «form» cuál mira.",
            "the form is missing: in a logframe workbook each indicator says in “form” which one it looks at.",
        )
    return Sentence(
        f"el proyecto no tiene publicado ningún formulario «{form_id}»: publíquelo primero, o corrija el nombre.",
        f"the project has published no form “{form_id}”: publish it first, or correct the name.",
    )


def _load(conn: Connection, project: Project, living: Sequence[Form]) -> Catalogue:
    book = books.load(conn, project)
    wanted = {kept.record.form for kept in book.indicators.values()}
    mine = [form for form in living if form.xml_form_id in wanted]
    views = {form.xml_form_id: view_of(conn, form) for form in mine}
    layouts = {form.id: registry.load(conn, form.id) for form in mine}
    seen = lists.load(conn, project.id, lists_of(kept.record for kept in book.indicators.values()))
    views.update(seen)
    layouts.update({view.id: lists.layout_of(view) for view in seen.values()})
    return compute(conn, project, book, views, layouts)

"""Consequences: what a version does to what is there already: its form's answers, columns and tables, and indicators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forms import difference, entity_findings, late_renames, privacy, versions
from forms.difference import Difference
from forms.late_renames import Late
from forms.problems import Finding, Sentence, severest_first
from forms.schema import Schema
from server.actions import logframes
from server.context import Context
from server.indicators import catalogue
from server.indicators.resolving import FormView
from server.indicators.workbook import Sheets
from server.model.forms import Form
from server.model.projects import Project
from server.store import forms
from server.tables import layout, private, registry
from server.tables.layout import DataColumn, DataTable, Layout, Widening


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """What a version does to the form: `difference` from the current version (None: there is none) and the widening."""

    difference: Difference | None
    widening: Widening
    findings: tuple[Finding, ...]


def foresee(ctx: Context, form: Form, after: Schema, marks: Mapping[str, Any], rows: Mapping[str, int]) -> Consequences:
    """What becomes of the form's answers and tables once `after` is published; nothing is changed.

    `marks` are those of the draft (`workbooks.Marks`), `rows` its paths' rows of the sheet `survey`. Runs inside an action
    that has asked.
    """
    standing = registry.load(ctx.conn, form.id)
    before = _current_schema(ctx, form)
    was = marks.get("was", {})
    earlier = [registry.schema_of(ctx.conn, one) for one in forms.list_published(ctx.conn, form.id)] if was else []
    late = late_renames.recover(earlier, after, was, rows)
    direct = {path: former for path, former in was.items() if path not in late.renamed}
    codes = marks.get("choices_were", {})
    compared = difference.compare(before, after, renamed=direct, choices_renamed=codes, rows=rows) if before else None
    renamed = {former: path for path, former in late.renamed.items()}
    renamed.update(compared.renamed if compared else ())
    widening = layout.widen(
        standing,
        after,
        form_name=form.xml_form_id,
        taken=registry.taken_names(ctx.conn),
        renamed=renamed,
        joined=late.joined,
    )
    reused = tuple(
        Finding(
            severity="error",
            sheet="survey",
            row=rows.get(path),
            sentence=Sentence(
                es=f"«{path}» es el nombre anterior de «{other}», y hay respuestas con él: elija otro nombre.",
                en=f"“{path}” is the former name of “{other}”, and there are answers under it: choose another name.",
            ),
        )
        for path, other in layout.reused(standing, after)
    )
    checked = versions.check(
        before,
        after,
        renamed=direct,
        choices_renamed=codes,
        rows=rows,
        late=late.renamed,
        stored={path for table in standing.tables for column in table.columns for path in column.paths},
    )
    marked = private.marks_of(ctx.conn, form.id, widening.layout)
    return Consequences(
        difference=compared,
        widening=widening,
        findings=severest_first(
            [
                *reused,
                *checked,
                *late.findings,
                *_joins(standing, widening, after, late, rows),
                *privacy.lighter(marked, marks.get("privacy", {}), after, rows),
                *entity_findings.formerly_direct(after, marked, _said_of_entities(marks, rows)),
            ]
        ),
    )


def _said_of_entities(marks: Mapping[str, Any], rows: Mapping[str, int]) -> entity_findings.Workbook | None:
    """What the version's workbook says of its entities; None of an XForm, which has no marks at all."""
    if not marks:
        return None
    return entity_findings.Workbook(
        rows=rows, private=marks.get("privacy", {}), confirmed=frozenset(marks.get("save_to_confirmed", {}))
    )


def foresee_declarations(
    ctx: Context,
    project: Project,
    form: Form | None,
    after: Schema,
    marks: Mapping[str, Any],
    sheets: Sheets | None,
    *,
    standing: Layout | None = None,
) -> tuple[Finding, ...]:
    """What is wrong with what the form's workbook declares, and what the version does to indicators, once it is published.

    `form` is None where the project has none of that id, `sheets` None where the workbook declares nothing, `standing` the
    layout after the version. Nothing is changed. Runs inside an action that has asked.
    """
    given = marks.get("privacy", {})
    if form is None:
        owner = FormView(id=0, form_id=after.form_id, schema=after, privacy=given)
    else:
        owner = catalogue.view_of(ctx.conn, form, newest=after, marks=given)

    def is_asked(path: str) -> bool:
        names = (path, *(other for one in (_holding(standing, path) if standing else ()) for other in one.paths))
        return any(name in after.by_path for name in names)

    return logframes.check_form(ctx, project, owner, sheets or Sheets(), is_asked)


def _holding(standing: Layout, path: str) -> Iterator[DataTable | DataColumn]:
    """The tables and columns that hold what was or is at `path`, under each of its names."""
    for table in standing.tables:
        if path in table.paths:
            yield table
        yield from (column for column in table.columns if path in column.paths)


def _current_schema(ctx: Context, form: Form) -> Schema | None:
    if form.current_version_id is None:
        return None
    return registry.schema_of(ctx.conn, forms.get_version(ctx.conn, form.current_version_id))


def _joins(
    standing: Layout, widening: Widening, after: Schema, late: Late, rows: Mapping[str, int]
) -> Iterator[Finding]:
    """What becomes of columns and tables that a late `was` says are one."""
    for path, former in late.joined.items():
        row = rows.get(path)
        if after.by_path[path].kind == "repeat":
            if standing.table(path) is not standing.table(former):
                yield _warning(
                    f"«{path}» dice que antes era «{former}», pero ya se publicó como otra repetición: sus filas siguen "
                    f"en dos tablas, «{standing.table(former).name}» y «{standing.table(path).name}».",
                    f"“{path}” says that it was “{former}”, but it was published as another repeat already: its rows "
                    f"stay in two tables, “{standing.table(former).name}” and “{standing.table(path).name}”.",
                    row,
                )
            continue
        repeat = after.repeat_of(path)
        if any(repeat in table.paths for table in standing.tables):
            columns = standing.table(repeat).columns
            mine = [column for column in columns if path in column.paths]
            others = [column for column in columns if former in column.paths and column not in mine]
            if not mine or not others:
                continue
            merged = [(gone, kept) for _, gone, kept in widening.joined if gone in mine]
            for gone, kept in merged:
                yield _warning(
                    f"«{path}» es la de antes «{former}»: las respuestas de la columna «{gone.name}» pasan a la columna "
                    f"«{kept.name}».",
                    f"“{path}” is the former “{former}”: the answers in the column “{gone.name}” move to the column "
                    f"“{kept.name}”.",
                    row,
                )
            if not merged:
                yield _warning(
                    f"«{path}» dice que antes era «{former}», pero sus tipos no caben en una columna: las respuestas "
                    f"siguen en dos, «{others[0].name}» y «{mine[0].name}».",
                    f"“{path}” says that it was “{former}”, but no column holds both types: the answers stay in two, "
                    f"“{others[0].name}” and “{mine[0].name}”.",
                    row,
                )


def _warning(es: str, en: str, row: int | None) -> Finding:
    return Finding(severity="warning", sentence=Sentence(es=es, en=en), sheet="survey", row=row, column="was")

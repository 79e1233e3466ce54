"""Workbooks: a form's workbook or XForm read with every check there is, before anything of the office is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from forms import consent, entity_findings, privacy, validate, workbook, xform
from forms.problems import Finding, Problem, entities_not_valid, findings_of, workbook_not_valid
from forms.schema import Schema
from server import problems
from server.indicators import declaring, drafted, publishing
from server.indicators import workbook as indicator_sheets
from server.indicators.resolving import FormView
from server.indicators.workbook import Sheets

MAX_WORKBOOK: Final = 30_000_000
"""Bytes of a workbook or XForm."""
Marks = dict[str, dict[str, Any]]
"""What the workbook says beside the form: `privacy`, `consent`, `save_to_confirmed` and `was` by path, `choices_were` by list
and code. An XForm says nothing."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A form that can be opened, and what was found on the way.

    `sheets` are the indicator sheets of the same workbook (None: it has none of them); their findings are among `findings`.
    """

    xml: bytes
    schema: Schema
    findings: tuple[Finding, ...]
    marks: Marks
    itemsets: bytes | None
    rows: Mapping[str, int] = field(default_factory=dict)
    sheets: Sheets | None = None


def check(data: bytes, filename: str, *, java: Path | None = None) -> Checked:
    """Read a workbook (.xlsx, .xls, .md) or an XForm (.xml) with every check there is; raises Problem 400.15 or 400.1.

    Needs no permission: nothing of the office is touched.
    """
    checked = read(data, filename)
    found = validate.find_java(java)
    if found is None:
        told: tuple[Finding, ...] = (validate.not_checked(java),)
    else:
        told = validate.validate(checked.xml, found, rows=dict(checked.rows) or None)
    return replace(checked, findings=(*checked.findings, *told))


def look_alone(checked: Checked) -> tuple[Finding, ...]:
    """What is wrong with the expressions of the indicator sheets over their own form, for whoever has no project to compare
    with: what another workbook of a project may declare is not looked at."""
    if checked.sheets is None:
        return ()
    schema = checked.schema
    owner = FormView(id=0, form_id=schema.form_id, schema=schema, privacy=checked.marks.get("privacy", {}))
    sheets = checked.sheets
    declared = declaring.owned(sheets.declarations, schema.form_id)
    return tuple(dict.fromkeys(sheets.further(publishing.look_alone(declared, owner, sheets.finding))))


def read(data: bytes, filename: str) -> Checked:
    """The same without ODK Validate, which takes a second.

    A workbook that becomes no form is refused with what is wrong with its indicator sheets as well.
    """
    if len(data) > MAX_WORKBOOK:
        raise problems.too_large(filename, MAX_WORKBOOK)
    if filename.lower().endswith(".xml"):
        return _read_xform(data)
    sheets = indicator_sheets.read(data, filename)
    declaring = drafted.is_declaring(sheets)
    told = sheets.findings if declaring or not sheets.layouts else ()  # without layouts it could not be read
    try:
        compiled = workbook.compile(data, filename)
        schema = xform.read(compiled.xml)
        guards, of_entities = _beside(compiled, schema)
    except Problem as problem:
        if not told:
            raise
        raise workbook_not_valid(dict.fromkeys((*findings_of(problem), *told))) from problem
    private = {path: mark.privacy for path, mark in compiled.marks.items() if mark.privacy}
    marks: Marks = {
        "privacy": private,
        "consent": consent.to_json(guards),
        "save_to_confirmed": {path: True for path, mark in compiled.marks.items() if mark.save_to_confirmed},
        "was": {path: mark.was for path, mark in compiled.marks.items() if mark.was},
        "choices_were": {name: dict(codes) for name, codes in compiled.choices_were.items()},
    }
    return Checked(
        xml=compiled.xml,
        schema=schema,
        findings=tuple(
            dict.fromkeys((*compiled.findings, *of_entities, *privacy.findings(schema, private, compiled.rows), *told))
        ),
        marks=marks,
        itemsets=compiled.itemsets,
        rows=compiled.rows,
        sheets=sheets if declaring else None,
    )


def _read_xform(data: bytes) -> Checked:
    schema = xform.read(data)
    told = entity_findings.findings(schema, None)
    if any(finding.severity == "error" for finding in told):
        raise entities_not_valid(told)
    return Checked(data, schema, told, {}, None)


def _beside(compiled: workbook.Compiled, schema: Schema) -> tuple[tuple[consent.Guard, ...], tuple[Finding, ...]]:
    """What the column `consent` declares, and warnings on entities; raises Problem 400.15 for what is wrong with either."""
    cells = {path: mark.consent for path, mark in compiled.marks.items() if mark.consent}
    guards, wrong = consent.resolve(schema, cells, compiled.rows)
    said = entity_findings.Workbook(
        rows=compiled.rows,
        lists=compiled.lists,
        private={path: mark.privacy for path, mark in compiled.marks.items() if mark.privacy},
        confirmed={path for path, mark in compiled.marks.items() if mark.save_to_confirmed},
    )
    told = entity_findings.findings(schema, said)
    if wrong or any(finding.severity == "error" for finding in told):
        raise workbook_not_valid((*compiled.findings, *wrong, *told))
    return guards, told

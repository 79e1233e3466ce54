"""Drafted: what a draft's workbook declares, kept with the draft until it is published; findings still name its cells."""

from __future__ import annotations

from typing import Any

from server.indicators.declarations import Declarations
from server.indicators.headings import Layout
from server.indicators.kept import name_of, pack, records, unpack
from server.indicators.workbook import SHEETS, Sheets


def is_declaring(sheets: Sheets) -> bool:
    """Whether the workbook has one of the sheets that declare something, be it an empty one."""
    return any(name in sheets.layouts for name in SHEETS.values())


def to_json(sheets: Sheets) -> dict[str, Any]:
    """The declarations with their rows, and how the sheets are headed, as a JSON object."""
    return {
        "layouts": {
            name: {"sheet": layout.sheet, "headings": [[heading, *to] for heading, to in layout.columns.items()]}
            for name, layout in sheets.layouts.items()
        },
        "records": [
            {"kind": name_of(record)[0], "at": record.at, "content": pack(record)}
            for _, record in records(sheets.declarations)
        ],
    }


def from_json(kept: dict[str, Any]) -> Sheets:
    """What `to_json` was given, without its findings (they were told when the draft was made)."""
    found: dict[str, list[Any]] = {}
    for one in kept["records"]:
        found.setdefault(one["kind"], []).append(unpack(one["kind"], {**one["content"], "at": one["at"]}))
    return Sheets(
        declarations=Declarations(
            results=tuple(found.get("result", ())),
            indicators=tuple(found.get("indicator", ())),
            dimensions=tuple(found.get("dimension", ())),
            targets=tuple(found.get("target", ())),
            checks=tuple(found.get("check", ())),
            places=tuple(found.get("place", ())),
        ),
        has_survey=True,
        layouts={
            name: Layout(
                sheet=layout["sheet"],
                columns={heading: (column, language) for heading, column, language in layout["headings"]},
            )
            for name, layout in kept["layouts"].items()
        },
    )

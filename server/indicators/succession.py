"""Succession: what the workbooks of deleted forms declare, and which workbook takes it over.

A deleted form leaves what its workbook declared in force, so that it stays known why there are no figures any more. A form
published anew under the same id takes over all of it; any other workbook takes over what it declares under the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from server.indicators.book import Book, Kept
from server.indicators.declarations import Declarations
from server.indicators.kept import Record, name_of, records

R = TypeVar("R", bound=Record)


def inherited(book: Book, declarations: Declarations, gone: Mapping[int, str], form_id: str | None) -> frozenset[int]:
    """Ids of the definitions in force that a workbook takes over from deleted forms.

    `gone` are the XForm ids of deleted forms by row id; `form_id` is that of the form whose workbook it is (None: the
    project's logframe).
    """
    if not gone:
        return frozenset()
    declared = {name_of(record) for _, record in records(declarations)}
    kinds = {kind for kind, _ in declared}
    found = set()
    for kept in book.everything:
        former = gone.get(kept.form_id or 0)
        if former is None:
            continue
        kind, name = name_of(kept.record)
        whole = kind == "place" and kind in kinds  # a project has one hierarchy
        if whole or former == form_id or (kind, name) in declared:
            found.add(kept.id)
    return frozenset(found)


def hand_over(book: Book, ids: frozenset[int], owner: int | None) -> Book:
    """The book in which the definitions `ids` are declared by the workbook of `owner`."""
    if not ids:
        return book

    def of(kept: Kept[R]) -> Kept[R]:
        return replace(kept, form_id=owner) if kept.id in ids else kept

    return Book(
        results=tuple(of(kept) for kept in book.results),
        indicators={name: of(kept) for name, kept in book.indicators.items()},
        dimensions=tuple(of(kept) for kept in book.dimensions),
        targets=tuple(of(kept) for kept in book.targets),
        checks=tuple(of(kept) for kept in book.checks),
        places=tuple(of(kept) for kept in book.places),
    )

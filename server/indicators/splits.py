"""Splits: what an indicator can be split by as it declares it, each with the labels of its categories in their order."""

from __future__ import annotations

from dataclasses import dataclass

from forms.problems import Problem
from forms.schema import Texts
from server.indicators.asking import Request, categories_of, understand
from server.indicators.axes import Axis
from server.indicators.catalogue import Catalogue
from server.indicators.categories import question_of
from server.indicators.declarations import Category
from server.indicators.resolving import Resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A dimension, a question or a level of places (`is_level`). `categories` are () where nothing names them."""

    name: str
    label: Texts
    categories: tuple[Category, ...]
    is_level: bool


def splits_of(catalogue: Catalogue, resolved: Resolved) -> tuple[Split, ...]:
    """What an indicator can be split by: what it declares, and every level of places; of a formula, what its inputs share."""
    if resolved.indicator.type == "formula":
        inputs = [catalogue.resolved[name] for name in resolved.inputs if name in catalogue.resolved]
        found = [splits_of(catalogue, one) for one in inputs if one.indicator.type != "manual"]
        shared = [{split.name for split in splits} for splits in found]
        return tuple(split for split in (found[0] if found else ()) if all(split.name in names for names in shared))
    placed = "place" in resolved.trees
    levels = tuple(name for name in catalogue.book.levels if placed)
    names = dict.fromkeys((*(name for name in resolved.indicator.disaggregate if name not in levels), *levels))
    made = []
    for name in names:
        try:
            axis = understand(catalogue, resolved, Request(period="all", by=(name,))).axes[0]
        except Problem:  # what is read from an entity list that is not here yet
            continue
        made.append(split_of(catalogue, resolved, axis))
    return tuple(made)


def split_of(catalogue: Catalogue, resolved: Resolved, axis: Axis) -> Split:
    """An axis with its labels; of a formula, those that its inputs have for it."""
    if resolved.indicator.type == "formula" and axis.level is None:
        for name in resolved.inputs:
            below = catalogue.resolved.get(name)
            if below is None or below.indicator.type == "manual":
                continue
            asked = understand(catalogue, below, Request(period="all", by=(axis.name,)))
            return split_of(catalogue, below, asked.axes[0])
    return Split(
        name=axis.name,
        label=_label(catalogue, resolved, axis),
        categories=categories_of(catalogue, resolved, axis),
        is_level=axis.level is not None,
    )


def _label(catalogue: Catalogue, resolved: Resolved, axis: Axis) -> Texts:
    form = resolved.joins if axis.joined else resolved.form
    if axis.level is not None or form is None:
        return {}
    for kept in catalogue.book.dimensions:
        if kept.record.name == axis.name and form.form_id in (kept.record.form, kept.record.over):
            return kept.record.label
    entry = question_of(axis.tree, form.schema) if axis.tree is not None else None
    return entry.label if entry is not None else {}

"""Entity lists: declared by forms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from forms import entity_problems
from forms.entities import common_type, property_types
from forms.schema import Schema, Type
from server.access import require
from server.context import Context
from server.model.entities import Dataset, Property, folded
from server.model.projects import Project
from server.store import datasets

HEADER: Final = 10_000
"""Bytes of a file that may be the header of a list, and nothing else."""


def check_declared(ctx: Context, project: Project, schema: Schema) -> None:
    """Whether what a form declares fits the lists that the project has.

    Raises Problem 409.16 and 409.17: names that differ in capitals alone from what there is.
    """
    for name, wanted in property_types(schema).items():
        found = datasets.find(ctx.conn, project.id, name)
        if found is None:
            continue
        if found.name != name:
            raise entity_problems.dataset_name_conflict(found.name, name)
        _check_properties(datasets.list_properties(ctx.conn, found.id), wanted)


def declare(ctx: Context, project: Project, form_id: int, schema: Schema) -> None:
    """Have every list and property that a published form declares; raises what `check_declared` does.

    A type that other forms gave a property otherwise becomes the wider of the two, or text.
    """
    check_declared(ctx, project, schema)
    for name, wanted in sorted(property_types(schema).items()):
        dataset = datasets.find(ctx.conn, project.id, name)
        if dataset is None:
            require(ctx, "dataset.create", project)
            dataset_id = datasets.add(ctx.conn, project_id=project.id, name=name, created_at=ctx.now())
            dataset = datasets.hold_one(ctx.conn, dataset_id)
            _add_properties(ctx, dataset, wanted)
            _replace_headers(ctx, dataset)
            ctx.record(
                "dataset.create",
                project_id=project.id,
                form_id=form_id,
                dataset_id=dataset_id,
                details={"properties": list(wanted)},
            )
        else:
            dataset = datasets.hold_one(ctx.conn, dataset.id)
            added = _add_properties(ctx, dataset, wanted)
            if added:
                require(ctx, "dataset.update", project)
                ctx.record(
                    "dataset.update",
                    project_id=project.id,
                    form_id=form_id,
                    dataset_id=dataset.id,
                    details={"properties": added},
                )
        datasets.link_files(ctx.conn, project.id, dataset.id, name)


def link(ctx: Context, project: Project, names: Iterable[str]) -> None:
    """Let forms that expect files of these names have the entity lists of the same names."""
    for name in names:
        if not name.endswith(".csv"):
            continue
        found = datasets.find(ctx.conn, project.id, name.removesuffix(".csv"))
        if found is not None:
            datasets.link_files(ctx.conn, project.id, found.id, found.name)


def _replace_headers(ctx: Context, dataset: Dataset) -> None:
    """A new list takes the place of files of its name that are a header without a row: they only let forms open."""
    for attachment_id, sha256 in datasets.list_empty_files(ctx.conn, dataset.project_id, dataset.name, most=HEADER):
        with ctx.blobs.open(sha256) as file:
            lines = [line for line in file.read(HEADER + 1).splitlines() if line.strip()]
        if len(lines) <= 1:
            datasets.link_file(ctx.conn, attachment_id, dataset.id)


def _check_properties(held: Iterable[Property], wanted: Iterable[str]) -> None:
    by_folded = {folded(one.name): one.name for one in held}
    pairs = [(by_folded[folded(name)], name) for name in wanted if by_folded.get(folded(name), name) != name]
    if pairs:
        raise entity_problems.property_name_conflict(pairs)


def _add_properties(ctx: Context, dataset: Dataset, wanted: dict[str, Type]) -> list[str]:
    """Have these properties; gives the names of those that are new."""
    held = {one.name: one for one in datasets.list_properties(ctx.conn, dataset.id)}
    added = []
    for name, type_ in wanted.items():
        before = held.get(name)
        if before is None:
            datasets.add_property(ctx.conn, dataset.id, name, type_, created_at=ctx.now())
            added.append(name)
        elif before.type != type_:
            datasets.change_property(ctx.conn, before.id, type=common_type(before.type, type_))
    if added:
        datasets.touch(ctx.conn, dataset.id)
        datasets.change(ctx.conn, dataset.id, updated_at=ctx.now())
    return added

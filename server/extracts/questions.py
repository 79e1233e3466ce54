"""Questions: what a form asks and once asked, each with its typed column, its choices and the versions that ask it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from forms.schema import Choice, Field, Schema, Texts
from server.tables.layout import DataColumn, DataTable, Layout, storage_type

_KNOWN_ALREADY = frozenset({"/meta/instanceID", "/meta/instanceName"})
"""Told of every submission as `_key` and `_instance_name`."""
_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,8}", re.ASCII)
"""A code that is a number: what is written from the number is the code again, and Stata can label it."""
Lists = Mapping[str, Sequence[Choice]]
"""Choices that stand in files beside the form, by the id of their secondary instance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A typed column and the question that fills it, as the newest version asks it that has it.

    `table` is the newest path of its typed table. `choices` are those of all versions, the newest version's first; () where
    there are none or they are not known. `offered` are the codes of those that stand in the form itself. `numbers` gives
    each of these a number: a code that is a whole number itself; any other, by age, the next one above all that were there
    before it or beside it, which no later version changes unless it offers that very number as a code; () of what is no
    select_one. `versions` ask it, the eldest first.
    """

    entry: Field
    table: str
    column: DataColumn
    choices: tuple[Choice, ...]
    numbers: tuple[tuple[str, int], ...]
    offered: tuple[str, ...]
    versions: tuple[str, ...]

    @property
    def path(self) -> str:
        """Where it stands in the newest version that has it."""
        return self.entry.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """An entity list of which rows of a table speak: `table` is the newest path of it, `paths` where the form declares the
    block or once declared it. A form that speaks of a list twice in one row has two of them."""

    dataset: str
    table: str
    paths: tuple[str, ...]

    @property
    def key(self) -> str:
        """What treatments know its ids by."""
        return f"_entity:{self.table}:{self.paths[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A form as extracts see it, over all its versions (`schemas`, the eldest first; at least one)."""

    form_id: str
    schemas: tuple[Schema, ...]
    layout: Layout
    questions: tuple[Question, ...]
    touched: tuple[Touched, ...] = ()

    @property
    def newest(self) -> Schema:
        """The version that is published now."""
        return self.schemas[-1]

    @property
    def repeats(self) -> tuple[str, ...]:
        """The newest paths of all repeats, in the order of the newest version, those that are gone at the end."""
        paths = [table.paths[-1] for table in self.layout.tables if "" not in table.paths]
        order = {entry.path: number for number, entry in enumerate(self.newest.fields)}
        return tuple(sorted(paths, key=lambda path: order.get(path, len(order))))

    def of(self, table: str) -> list[Question]:
        """The questions of a table, in order."""
        return [question for question in self.questions if question.table == table]

    def path_of(self, column: DataColumn, entry: Field) -> str:
        """The path by which a column's question is known: its own, or that of its newest version."""
        return next((one.path for one in self.questions if one.column.id == column.id), entry.path)

    def chain(self, table: str) -> list[str]:
        """The tables that hold a table's rows, the form's first and itself last."""
        chain = [table]
        while chain[0]:
            schema = next(schema for schema in reversed(self.schemas) if chain[0] in schema.by_path)
            chain.insert(0, self.table_of(schema.repeat_of(chain[0])))
        return chain

    def table_of(self, path: str) -> str:
        """The newest path of the repeat that some version calls `path`."""
        return newest_path(self.layout.table(path))


def read(form_id: str, schemas: Sequence[Schema], layout: Layout, lists: Lists | None = None) -> Asked:
    """Every typed column of `layout` with its question; `schemas` are all published versions, the eldest first."""
    found: list[tuple[tuple[int, int], Question]] = []
    for table in layout.tables:
        for column in table.columns:
            asking = [
                (age, entry, schema)
                for age, schema in enumerate(reversed(schemas))
                if (entry := _entry(schema, layout, table, column)) is not None
            ]
            if not asking or asking[0][1].path in _KNOWN_ALREADY:
                continue
            age, newest, schema = asking[0]
            question = Question(
                entry=newest,
                table=newest_path(table),
                column=column,
                choices=_choices([(entry, schema) for _, entry, schema in asking], lists or {}),
                offered=tuple(
                    dict.fromkeys(choice.name for _, entry, schema in asking for choice in schema.options(entry.path))
                ),
                numbers=_numbers([(entry, schema) for _, entry, schema in asking]),
                versions=tuple(dict.fromkeys(schema.version for _, _, schema in reversed(asking))),
            )
            found.append(((age, schema.fields.index(newest)), question))
    found.sort(key=lambda pair: pair[0])
    asked = Asked(
        form_id=form_id, schemas=tuple(schemas), layout=layout, questions=tuple(question for _, question in found)
    )
    return replace(asked, touched=_touched(asked))


def is_number(code: str) -> bool:
    """Whether a code is a whole number, which stands for itself where codes become numbers."""
    return _WHOLE.fullmatch(code) is not None


def newest_path(table: DataTable) -> str:
    """What a table is called by: "" for the form, else the repeat's newest path."""
    return "" if "" in table.paths else table.paths[-1]


def say(texts: Texts, language: str | None, otherwise: str | None = None) -> str:
    """A text in a language, else in the language `otherwise`, else in any; on one line; "" where there is none."""
    for key in (language, "", otherwise):
        if key is not None and texts.get(key):
            return " ".join(texts[key].split())
    return " ".join(next((text for text in texts.values() if text), "").split())


def _touched(asked: Asked) -> tuple[Touched, ...]:
    found: dict[tuple[str, str, int], dict[str, None]] = {}
    for schema in reversed(asked.schemas):
        seen = Counter[tuple[str, str]]()
        for one in schema.entities:
            place = (asked.table_of(schema.repeat_of(one.path)), one.dataset)
            found.setdefault((*place, seen[place]), {})[one.path] = None
            seen[place] += 1
    return tuple(
        Touched(dataset=dataset, table=table, paths=tuple(paths)) for (table, dataset, _), paths in found.items()
    )


def _entry(schema: Schema, layout: Layout, table: DataTable, column: DataColumn) -> Field | None:
    for path in reversed(column.paths):
        entry = schema.by_path.get(path)
        if entry is not None and entry.kind == "question" and storage_type(entry.type or "string") in column.accepts:
            held = layout.find_column(schema.repeat_of(path), path, entry.type or "string")
            if held is not None and held.id == column.id and schema.repeat_of(path) in table.paths:
                return entry
    return None


def _choices(asking: Sequence[tuple[Field, Schema]], lists: Lists) -> tuple[Choice, ...]:
    every: dict[str, Choice] = {}
    for entry, schema in asking:
        for choice in schema.options(entry.path):
            every.setdefault(choice.name, choice)
    source = asking[0][0].choices
    if source is not None and source.instance is not None:
        for choice in lists.get(source.instance, ()):
            every.setdefault(choice.name, choice)
    return tuple(every.values())


def _numbers(asking: Sequence[tuple[Field, Schema]]) -> tuple[tuple[str, int], ...]:
    if asking[0][0].control != "select1":
        return ()
    offers = [[choice.name for choice in schema.options(entry.path) if choice.name] for entry, schema in asking]
    codes = {int(name) for names in offers for name in names if is_number(name)}
    numbers: dict[str, int] = {}
    highest = 0
    for names in reversed(offers):  # the eldest version first
        highest = max(highest, *(int(name) for name in names if is_number(name)), 0)
        for name in names:
            if name in numbers:
                continue
            if is_number(name):
                numbers[name] = int(name)
                continue
            highest += 1
            while highest in codes:
                highest += 1
            numbers[name] = highest
    return tuple(numbers.items())

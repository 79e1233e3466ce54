"""Schema: what a form asks, as frozen records read from its XForm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Kind = Literal["group", "repeat", "question"]
Type = Literal[
    "string", "int", "decimal", "boolean", "date", "time", "dateTime",
    "geopoint", "geotrace", "geoshape", "binary", "barcode",
]  # fmt: skip
Control = Literal["input", "select1", "select", "rank", "range", "upload", "trigger", "secret"]
Media = Literal["image", "audio", "video", "file"]
Action = Literal["create", "update"]
Texts = Mapping[str, str]
"""Text per language; the key "" holds a text that is the same in every language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One option of a list: its code, its label per language, and its other columns (for choice filters)."""

    name: str
    label: Texts = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceSource:
    """Where a select takes its options from.

    Either `choices` stand in the body of the form, or they come from the secondary instance `instance` (an inline list
    of the form, or an external file or entity list), filtered by the XPath predicate `filter` (None: no filter).
    """

    choices: tuple[Choice, ...] = ()
    instance: str | None = None
    nodeset: str | None = None
    filter: str | None = None
    value_ref: str = "name"
    label_ref: str = "label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A group, a repeat or a question.

    `path` is absolute below the root element, without it: `/ident/province`, `/roster/member/m_age`.
    `type` is None for groups and repeats. Expressions are the XPath of the XForm, paths as written there.
    """

    path: str
    name: str
    kind: Kind
    type: Type | None = None
    control: Control | None = None
    media: Media | None = None
    choices: ChoiceSource | None = None
    label: Texts = field(default_factory=dict)
    hint: Texts = field(default_factory=dict)
    appearance: str | None = None
    required: str | None = None
    readonly: str | None = None
    relevant: str | None = None
    constraint: str | None = None
    constraint_message: Texts = field(default_factory=dict)
    calculate: str | None = None
    preload: str | None = None
    repeat_count: str | None = None
    save_to: str | None = None
    required_message: Texts = field(default_factory=dict)

    @property
    def parent_path(self) -> str:
        """The path of the group or repeat around it; "" for the root."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondaryInstance:
    """A list beside the answers: inline (`src` None, `choices` filled) or in a file (`src` like jr://file-csv/x.csv)."""

    id: str
    src: str | None = None
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAttachment:
    """A file the phone needs beside the form. `name` is the last path segment, as Collect stores it."""

    name: str
    type: Literal["image", "audio", "video", "file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionSettings:
    """Attributes of the form's <submission> element that a server must know."""

    action: str | None = None
    public_key: str | None = None
    auto_send: str | None = None
    auto_delete: str | None = None
    client_editable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityDeclaration:
    """An <entity> of the form: the list that it writes to, and what from.

    `path` is the element's: `/meta/entity`, `/roster/member/meta/entity`. `actions` are those that the form may ever ask
    for (the attributes that stand on the element, whatever they say). `properties` maps each property to the path of
    the question saved to it. Source: ODK Entities specification 2025.1, "Declaring that a form creates Entities".
    """

    path: str
    dataset: str
    actions: frozenset[Action]
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def scope(self) -> str:
        """The path of the group or repeat that the entity is of; "" for the root."""
        return self.path.removesuffix("/meta/entity")


@dataclass(frozen=True, kw_only=True)
class Schema:
    """Everything a server needs to know of one version of a form.

    `version` is "" where the form has none. `fields` are in document order, depth first, a group before its children.
    """

    form_id: str
    version: str
    title: str
    root: str
    fields: tuple[Field, ...]
    languages: tuple[str, ...] = ()
    default_language: str | None = None
    instances: tuple[SecondaryInstance, ...] = ()
    attachments: tuple[ExpectedAttachment, ...] = ()
    submission: SubmissionSettings = SubmissionSettings()
    entities_version: str | None = None
    entities: tuple[EntityDeclaration, ...] = ()

    @cached_property
    def by_path(self) -> Mapping[str, Field]:
        """Fields by path."""
        return {field.path: field for field in self.fields}

    @cached_property
    def by_instance(self) -> Mapping[str, SecondaryInstance]:
        """Secondary instances by id."""
        return {instance.id: instance for instance in self.instances}

    def repeat_of(self, path: str) -> str:
        """The path of the innermost repeat that holds `path` (a repeat is not inside itself); "" for the root."""
        parent = path.rpartition("/")[0]
        while parent:
            if self.by_path[parent].kind == "repeat":
                return parent
            parent = parent.rpartition("/")[0]
        return ""

    def options(self, path: str) -> tuple[Choice, ...]:
        """The choices of the select at `path`, filters ignored; () where they stand in a file outside the form."""
        source = self.by_path[path].choices
        if source is None:
            return ()
        if source.instance is None:
            return source.choices
        instance = self.by_instance.get(source.instance)
        return instance.choices if instance else ()

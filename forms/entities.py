"""Entities on paper: which ones a form declares, and what one submission says of each."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from forms import xml
from forms.instance import Instance
from forms.problems import Problem, Sentence
from forms.schema import Action, EntityDeclaration, Field, Schema, Type

MAX_VERSION: Final = 2**31 - 1
"""The highest version of an entity; a higher base or trunk version is no version."""

_YES: Final = frozenset(("1", "true"))
_UUID: Final = re.compile(
    r"(?:uuid:)?([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})", re.IGNORECASE | re.ASCII
)
_DIGITS: Final = re.compile(r"[0-9]{1,20}", re.ASCII)
_ACTIONS: Final[tuple[Action, ...]] = ("create", "update")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What one <entity> of a submission asks for, as it was sent.

    `key` says where it stands, with positions as in `forms.tables.Row.key`: `/meta/entity`,
    `/roster/member[2]/meta/entity`; `path` is the same without positions, as `EntityDeclaration.path`. Attributes that
    are absent are "". `label` is None where there is no label element. `values` holds the properties whose question is in
    the XML: one that was not relevant is absent and leaves the entity's value alone, "" sets it to blank.
    """

    key: str
    path: str = ""
    dataset: str
    id: str
    create: bool
    update: bool
    label: str | None
    base_version: str
    trunk_version: str
    branch_id: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A Block that can be acted on.

    `id` and `branch_id` are lower-case version 4 UUIDs without `uuid:`. `label` is None where it is blank, so that it is
    left alone. Of `create` and `update` at least one holds; where both do (an upsert), `base_version` is known.
    """

    key: str
    path: str = ""
    dataset: str
    id: str
    create: bool
    update: bool
    label: str | None
    base_version: int | None
    trunk_version: int | None
    branch_id: str | None
    values: Mapping[str, str]


# --------------------------------------------------------------------------- the form


def declared(primary: etree._Element, fields: Sequence[Field]) -> tuple[EntityDeclaration, ...]:
    """The entities that the primary instance `primary` declares, in document order, with the questions saved to them.

    A question belongs to the nearest declaration around it; one that has none around it is saved nowhere. Of a repeat's
    template and its first row, the first that stands counts. Nothing is checked here (see `forms.entity_findings`).
    """
    found: dict[str, etree._Element] = {}
    for path, element in _entity_elements(primary, ""):
        found.setdefault(path, element)
    scopes = {path.removesuffix("/meta/entity"): path for path in found}
    saved: dict[str, dict[str, str]] = {path: {} for path in found}
    for entry in fields:
        scope = scope_of(entry.path, scopes) if entry.save_to else None
        if scope is not None and entry.save_to is not None:
            saved[scopes[scope]].setdefault(entry.save_to, entry.path)
    return tuple(
        EntityDeclaration(
            path=path,
            dataset=_attribute(element, "dataset").strip(),
            actions=frozenset(action for action in _ACTIONS if _has_attribute(element, action)),
            properties=saved[path],
        )
        for path, element in found.items()
    )


def scope_of(path: str, scopes: Container[str]) -> str | None:
    """The nearest of `scopes` (paths of groups and repeats, "" for the root) around `path`; None where there is none."""
    while path:
        path = path.rpartition("/")[0]
        if path in scopes:
            return path
    return None


def property_types(schema: Schema) -> dict[str, dict[str, Type]]:
    """Dataset → property → the declared type of the question saved to it (of selects: string, as everywhere).

    Where several declarations save differently typed questions to one property, it is of their common type.
    """
    types: dict[str, dict[str, Type]] = {}
    for declaration in schema.entities:
        known = types.setdefault(declaration.dataset, {})
        for name, path in declaration.properties.items():
            type_: Type = schema.by_path[path].type or "string"
            known[name] = common_type(known.get(name, type_), type_)
    return types


def common_type(one: Type, other: Type) -> Type:
    """The narrowest type that holds the values of both: of two that differ decimal where both are numbers, else string."""
    if one == other:
        return one
    return "decimal" if {one, other} == {"int", "decimal"} else "string"


def is_dataset_name(name: str) -> bool:
    """Whether an entity list may be called so: begins with a letter, `_` or `:`, goes on with these, digits and `-`;
    no `.` and no leading `__` (ODK Entities specification, "Declaring that a form creates Entities")."""
    return not name.startswith("__") and _is_identifier(name, first="_:", further="_:-")


def is_property_name(name: str) -> bool:
    """Whether a property may be called so: begins with a letter or `_`, goes on with these, digits, `-` and `.`; no
    leading `__`, and neither `name` nor `label` in any case, which lists on phones need for themselves."""
    return (
        not name.startswith("__")
        and name.casefold() not in ("name", "label")
        and _is_identifier(name, first="_", further="_.-")
    )


def _is_identifier(name: str, *, first: str, further: str) -> bool:
    return bool(name) and all(
        char.isalpha() or char in (further if at else first) or (at > 0 and char in "0123456789")
        for at, char in enumerate(name)
    )


def _entity_elements(element: etree._Element, path: str) -> Iterator[tuple[str, etree._Element]]:
    for child in element:
        name = xml.local_name(child)
        if name == "meta":
            yield from ((f"{path}/meta/entity", inner) for inner in child if xml.local_name(inner) == "entity")
        elif len(child):
            yield from _entity_elements(child, f"{path}/{name}")


# --------------------------------------------------------------------------- the submission


def read(schema: Schema, instance: Instance) -> list[Block]:
    """The entity blocks of a submission that ask for something, in document order.

    A block whose `create_if` and `update_if` came out false asks for nothing and is left out. An encrypted instance gives
    none. Blocks where the form declares none, and a second one in the same place, are no blocks.
    """
    if instance.encrypted or not schema.entities:
        return []
    walk = _Walk(schema)
    walk.inside(instance.root, "", "", {})
    return [block for block in walk.blocks if block.create or block.update]


def parse(block: Block) -> Change:
    """What `block` asks for, with ids and versions read.

    As ODK Central has it: both actions without a base version are a create; a blank trunk version or branch is none;
    `uuid:` and upper case are taken. Raises Problem 400.2 (missing: dataset, uuid, label of what is only created,
    baseVersion of what is only updated, branchId beside a trunk version) and 400.11 (an id or branch that is no version 4
    UUID, a base or trunk version that is no whole number).
    """
    if not block.dataset.strip():
        raise missing_parameter("dataset")
    if not block.id.strip():
        raise missing_parameter("uuid")
    id_ = _uuid("uuid", block.id)
    base_version = _version("baseVersion", block.base_version)
    branch_id = _uuid("branchId", block.branch_id) if block.branch_id.strip() else None
    if block.trunk_version.strip() and branch_id is None:
        raise missing_parameter("branchId")
    trunk_version = _version("trunkVersion", block.trunk_version)
    update = block.update
    if update and base_version is None:
        if not block.create:
            raise missing_parameter("baseVersion")
        update = False
    label = block.label if block.label is not None and block.label.strip() else None
    if label is None and not update:
        raise missing_parameter("label")
    return Change(
        key=block.key,
        path=block.path,
        dataset=block.dataset.strip(),
        id=id_,
        create=block.create,
        update=update,
        label=label,
        base_version=base_version,
        trunk_version=trunk_version,
        branch_id=branch_id,
        values=block.values,
    )


def check_permitted(schema: Schema, change: Change) -> None:
    """Raise Problem 403.2 where `change` asks for what the form does not declare: another action, or another list.

    The XML of a submission could say anything; what counts is the form that was published.
    """
    declaration = next((one for one in schema.entities if one.path == change.path), None)
    allowed = declaration.actions if declaration is not None and declaration.dataset == change.dataset else frozenset()
    for action, asked in (("create", change.create), ("update", change.update)):
        if asked and action not in allowed:
            raise _not_permitted(action, change.dataset, sorted(allowed))


def missing_parameter(name: str) -> Problem:
    """400.2: an entity lacks what it cannot be created or updated without; `details["field"]` is ODK Central's name."""
    return Problem(
        400.2,
        Sentence(es=f"A la entidad le falta «{name}».", en=f"Required parameter {name} missing."),
        {"field": name},
    )


def wrong_type(name: str, value: str, expected: Sentence) -> Problem:
    """400.11: something of an entity is not of its kind; `details` hold ODK Central's field, and the value."""
    return Problem(
        400.11,
        Sentence(
            es=f"«{name}» de la entidad debe ser {expected.es} y dice «{value[:100]}».",
            en=f"Invalid input data type: expected ({name}) to be ({expected.en})",
        ),
        {"field": name, "value": value, "expected": expected.en},
    )


def _not_permitted(action: str, dataset: str, permitted: Sequence[str]) -> Problem:
    verbs = {"create": "crear", "update": "actualizar"}
    may_es = " y ".join(verbs[one] for one in permitted) or "nada"
    may_en = ", ".join(permitted) or "none"
    return Problem(
        403.2,
        Sentence(
            es=f"El envío quiere {verbs[action]} una entidad de «{dataset}», pero su formulario solo permite: {may_es}.",
            en=f"The submission attempts an entity {action} in “{dataset}”, but the form does not permit that action. The "
            f"form permits the following actions: {may_en}.",
        ),
        {"action": action, "permitted": list(permitted)},
    )


def find_uuid(text: str) -> str | None:
    """An id as it is kept: lower case, without `uuid:`; None where it is no version 4 UUID."""
    match = _UUID.fullmatch(text.strip())
    return match[1].lower() if match else None


def normal_uuid(text: str) -> str:
    """An id as it is kept: lower case, without `uuid:`. Raises Problem 400.11 where it is no version 4 UUID."""
    return _uuid("uuid", text)


def _uuid(name: str, text: str) -> str:
    found = find_uuid(text)
    if found is None:
        raise wrong_type(name, text, Sentence(es="un UUID de versión 4", en="valid version 4 UUID"))
    return found


def _version(name: str, text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if _DIGITS.fullmatch(text) is None or int(text) > MAX_VERSION:
        raise wrong_type(name, text, Sentence(es="un número entero", en="integer"))
    return int(text)


@dataclass(slots=True)
class _Open:
    """A group, repeat row or root that an entity is of, while what it holds is read."""

    declaration: EntityDeclaration
    key: str
    by_path: Mapping[str, str]
    values: dict[str, str] = field(default_factory=dict)
    seen: bool = False


class _Walk:
    def __init__(self, schema: Schema) -> None:
        self.blocks: list[Block] = []
        self._fields = schema.by_path
        self._declared = {declaration.scope: declaration for declaration in schema.entities}
        self._properties = {
            declaration.scope: {path: name for name, path in declaration.properties.items()}
            for declaration in schema.entities
        }
        self._positions: dict[str, int] = {}
        self._opened: dict[str, _Open] = {}

    def inside(self, element: etree._Element, path: str, key: str, around: Mapping[str, _Open]) -> None:
        """Read what `element` holds. `key` is `path` with positions; `around` are the open entities by scope."""
        if path in self._declared:
            opened = self._opened.get(key)  # a group that came twice is one group
            if opened is None:
                opened = self._opened[key] = _Open(self._declared[path], key, self._properties[path])
            around = {**around, path: opened}
        for child in element:
            name = xml.local_name(child)
            below = f"{path}/{name}"
            entry = self._fields.get(below)
            if entry is None:
                continue
            if entry.kind == "question":
                self._question(child, below, around)
            elif entry.kind == "repeat":
                place = f"{key}/{name}"
                self._positions[place] = position = self._positions.get(place, 0) + 1
                self.inside(child, below, f"{place}[{position}]", around)
            elif below == f"{path}/meta" and path in self._declared:
                self._meta(child, around[path])
                self.inside(child, below, f"{key}/{name}", around)
            else:
                self.inside(child, below, f"{key}/{name}", around)

    def _question(self, element: etree._Element, path: str, around: Mapping[str, _Open]) -> None:
        save_to = self._fields[path].save_to
        scope = scope_of(path, self._declared) if save_to else None
        if scope is None or scope not in around:
            return
        opened = around[scope]
        name = opened.by_path.get(path)
        if name is not None and not opened.values.get(name):  # of one that came twice, what says something counts
            opened.values[name] = str(element.text or "")

    def _meta(self, meta: etree._Element, opened: _Open) -> None:
        for element in meta:
            if xml.local_name(element) == "entity" and not opened.seen:
                opened.seen = True
                self.blocks.append(_block(element, opened))


def _block(element: etree._Element, opened: _Open) -> Block:
    label = next((child for child in element if xml.local_name(child) == "label"), None)
    return Block(
        key=f"{opened.key}/meta/entity",
        path=opened.declaration.path,
        dataset=_attribute(element, "dataset"),
        id=_attribute(element, "id"),
        create=_attribute(element, "create").lower() in _YES,
        update=_attribute(element, "update").lower() in _YES,
        label=None if label is None else str(label.text or ""),
        base_version=_attribute(element, "baseVersion"),
        trunk_version=_attribute(element, "trunkVersion"),
        branch_id=_attribute(element, "branchId"),
        values=opened.values,
    )


def _attribute(element: etree._Element, name: str) -> str:
    """The attribute `name`, in no namespace or else in any; "" where it is absent."""
    plain = element.get(name)
    if plain is not None:
        return plain
    return next((str(value) for key, value in element.attrib.items() if str(key).endswith(f"}}{name}")), "")


def _has_attribute(element: etree._Element, name: str) -> bool:
    return any(str(key).rpartition("}")[2] == name for key in element.attrib)

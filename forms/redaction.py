"""Redaction: an instance without what it says of persons who took back their consent.

What is about a person: the group, repeat instance or whole form whose <entity> names it, or that chose it from a list, with
all below but what is about somebody else. Documents keep their ids, the ids of entities and the places of their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, Literal

from lxml import etree

from forms import audit_log, xml
from forms.entities import find_uuid
from forms.identifying import IN_WORDS, fate, telling, tells, words
from forms.instance import Instance
from forms.media import same_name
from forms.overlay import Place
from forms.privacy import Mark
from forms.schema import Field, Schema

Policy = Literal["keep_facts", "erase"]
"""keep_facts: what identifies goes, the rest stays without it · erase: all that was said of the person goes."""

_NAMESPACE: Final = "urn:tejido:withdrawal"
ON: Final = f"{{{_NAMESPACE}}}on"
"""On the root of a redacted document: the day."""
ERASED: Final = f"{{{_NAMESPACE}}}erased"
"""On a repeat instance that went with its person: nobody reads it as a row, and the others keep their places."""

_KEPT: Final = frozenset(("/meta/instanceID", "/meta/deprecatedID"))
_PLACES: Final = frozenset(("geopoint", "geotrace", "geoshape"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a form asks, and what each of its questions tells of a person (forms.privacy.judge), by path."""

    schema: Schema
    marks: Mapping[str, Mark] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """What is left of an instance.

    `whole`: it speaks of nobody else · `mine`: its own row is about the person (others may have rows in it) · `places` the
    answers that are gone, `rows` the repeat instances that are, `others` the rows that are somebody else's · `files` names
    (NFC) that may not be kept · `texts` what identified the person in it, folded · `keys` the codes that led to the person.
    """

    instance: Instance
    whole: bool
    mine: bool
    places: frozenset[Place]
    rows: frozenset[str]
    others: frozenset[str]
    files: frozenset[str]
    texts: frozenset[str]
    keys: frozenset[str]


def redact(
    instance: Instance,
    rules: Rules,
    uuids: Collection[str],
    policy: Policy,
    *,
    on: date,
    code: Callable[[str], str],
    texts: Collection[str] = (),
) -> Redacted:
    """What is left of `instance` once the persons `uuids` are taken out of it.

    `texts` (folded) are known to identify them; they are looked for in what stays, but not in what is about somebody else. In
    own words about the person a single word of them is enough.
    The fingerprint stays that of the document as it came, so that it is known again. An encrypted one is left as it is.
    """
    if instance.encrypted:
        return Redacted(
            instance=instance, whole=False, mine=False, places=frozenset(), rows=frozenset(), others=frozenset(),
            files=frozenset(), texts=frozenset(), keys=frozenset(),
        )  # fmt: skip
    return _Redaction(instance, rules, frozenset(uuids), policy, code, set(texts)).result(on)


@dataclass(slots=True)
class _Scope:
    """What is about one person or thing: the form, a repeat instance, or a group with an entity of its own."""

    element: etree._Element
    row: str
    around: _Scope | None
    repeat: bool
    named: str | None = None
    chosen: bool = False
    others_chosen: bool = False

    def is_others(self, uuids: frozenset[str]) -> bool:
        if self.named is not None:
            return self.named not in uuids
        return self.others_chosen and not self.chosen

    def is_mine(self, uuids: frozenset[str]) -> bool:
        if self.is_others(uuids):
            return False
        if self.named is not None or self.chosen:
            return True
        return self.around is not None and self.around.is_mine(uuids)


@dataclass(slots=True)
class _Leaf:
    element: etree._Element
    path: str
    entry: Field | None
    scope: _Scope
    row: str

    @property
    def text(self) -> str:
        return "".join(str(part) for part in self.element.itertext()).strip()

    @property
    def place(self) -> Place:
        return self.row, self.path


class _Redaction:
    def __init__(
        self,
        instance: Instance,
        rules: Rules,
        uuids: frozenset[str],
        policy: Policy,
        code: Callable[[str], str],
        texts: set[str],
    ) -> None:
        self._instance = instance
        self._rules = rules
        self._uuids = uuids
        self._policy = policy
        self._code = code
        self._texts = texts
        self._found: set[str] = set()
        self._words: set[str] = set()
        self._keys: set[str] = set()
        self._files: set[str] = set()
        self._places: set[Place] = set()
        self._rows: set[str] = set()
        self._root = deepcopy(instance.root)
        self._counts: dict[tuple[str, str], int] = {}
        self._scopes: list[_Scope] = []
        self._leaves: list[_Leaf] = []
        form = self._open(self._root, "", None, repeat=False)
        self._walk(self._root, "", "", "", form)
        for leaf in self._leaves:
            self._choose(leaf)

    def result(self, on: date) -> Redacted:
        form = self._scopes[0]
        mine = form.is_mine(self._uuids)
        others = {one.row for one in self._scopes if one.is_others(self._uuids)}
        for leaf in self._leaves:
            if leaf.scope.is_mine(self._uuids):
                self._take(leaf)
        self._texts |= self._found
        self._words = {word for one in self._texts for word in words(one) if telling(word) is not None}
        for leaf in self._leaves:
            self._sweep(leaf)
        if self._policy == "erase":
            self._take_rows()
        self._files.add(audit_log.NAME)  # it may have every answer in it, and every change of one
        for leaf in self._leaves:
            if leaf.path == "/meta/audit" and leaf.text:
                self._blank(leaf)
        self._root.set(ON, on.isoformat())
        content = etree.tostring(self._root, xml_declaration=True, encoding="UTF-8")
        name_gone = any(path == "/meta/instanceName" for _, path in self._places)
        kept = replace(
            self._instance,
            xml=content,
            root=xml.parse(content),
            came_as=self._instance.fingerprint,
            instance_name=None if name_gone else self._instance.instance_name,
        )
        named = {same_name(leaf.text) for leaf in self._leaves if _is_file(leaf.entry)}
        return Redacted(
            instance=kept,
            whole=mine and not others,
            mine=mine,
            places=frozenset(self._places),
            rows=frozenset(self._rows),
            others=frozenset(others),
            files=frozenset(self._files - named),
            texts=frozenset(self._found),
            keys=frozenset(self._keys),
        )

    # ----------------------------------------------------------------------- what is about whom

    def _open(self, element: etree._Element, row: str, around: _Scope | None, *, repeat: bool) -> _Scope:
        scope = _Scope(element, row, around, repeat, named=_entity_of(element))
        self._scopes.append(scope)
        return scope

    def _walk(self, element: etree._Element, path: str, row: str, table: str, scope: _Scope) -> None:
        for child in element:
            name = xml.local_name(child)
            below = f"{path}/{name}"
            entry = self._rules.schema.by_path.get(below)
            if entry is not None and entry.kind == "repeat":
                at = self._counts[row, below] = self._counts.get((row, below), 0) + 1
                key = f"{row}{below.removeprefix(table)}[{at}]"
                self._walk(child, below, key, below, self._open(child, key, scope, repeat=True))
            elif _is_leaf(child, below, entry):
                self._leaves.append(_Leaf(child, below, entry, scope, row))
            else:
                inner = self._open(child, row, scope, repeat=False) if _has_entity(child) else scope
                self._walk(child, below, row, table, inner)

    def _choose(self, leaf: _Leaf) -> None:
        """What an answer says of whom its scope is about: one person that was chosen from a list."""
        if _is_kept(leaf):
            return
        control = leaf.entry.control if leaf.entry is not None else None
        if control in ("select", "rank"):
            return
        chosen = find_uuid(leaf.text)
        if chosen is None:
            return
        if chosen in self._uuids:
            leaf.scope.chosen = True
        elif leaf.entry is not None and leaf.entry.choices is not None and leaf.entry.choices.instance is not None:
            leaf.scope.others_chosen = True

    # ----------------------------------------------------------------------- taking it out

    def _take(self, leaf: _Leaf) -> None:
        if not leaf.text or _is_kept(leaf):
            return
        mark = self._rules.marks.get(leaf.path)
        what = fate(leaf.entry, mark)
        if self._is_about(leaf) and (mark in ("direct", "key") or leaf.path.endswith("/meta/entity/label")):
            if found := telling(leaf.text):
                self._found.add(found)
            if mark == "key":
                self._keys.add(leaf.text)
        if self._policy == "erase":
            self._blank(leaf)
        elif what == "keep" or self._names_entities(leaf):
            return
        elif what == "code":
            leaf.element.text = self._code(leaf.text)
            self._places.add(leaf.place)
        else:
            self._blank(leaf)

    def _is_about(self, leaf: _Leaf) -> bool:
        """Whether an answer can identify somebody elsewhere too: no file, place, id, nor what the phone says of itself."""
        entry = leaf.entry
        if entry is not None and (entry.type in (*_PLACES, "binary") or entry.preload is not None):
            return False
        return find_uuid(leaf.text) is None

    def _sweep(self, leaf: _Leaf) -> None:
        """What stays and still says who it was; ids of the person in what is not about it."""
        if not leaf.text or _is_kept(leaf) or leaf.place in self._places:
            return
        mine, others = leaf.scope.is_mine(self._uuids), leaf.scope.is_others(self._uuids)
        if self._policy == "erase" and not mine and self._names_entities(leaf):
            self._drop_ids(leaf)
            return
        if others or _is_file(leaf.entry):
            return
        private = self._rules.marks.get(leaf.path) in ("direct", "free_text") or leaf.entry is None
        in_words = (
            leaf.entry is not None and leaf.entry.choices is None and (leaf.entry.type or "string") in IN_WORDS and mine
        )
        if not (private or in_words) or self._names_entities(leaf):
            return
        if tells(leaf.text, self._texts) or (mine and self._words & words(leaf.text)):
            self._blank(leaf)

    def _take_rows(self) -> None:
        for scope in self._scopes:
            if not scope.repeat or not scope.is_mine(self._uuids):
                continue
            inside = [one for one in self._scopes if _is_below(one, scope)]
            if any(one.is_others(self._uuids) for one in inside):
                continue
            for child in list(scope.element):
                scope.element.remove(child)
            scope.element.text = None
            scope.element.set(ERASED, "true")
            self._rows.add(scope.row)

    def _names_entities(self, leaf: _Leaf) -> bool:
        return any(find_uuid(one) in self._uuids for one in leaf.text.split())

    def _drop_ids(self, leaf: _Leaf) -> None:
        left = " ".join(one for one in leaf.text.split() if find_uuid(one) not in self._uuids)
        leaf.element.text = left or None
        self._places.add(leaf.place)

    def _blank(self, leaf: _Leaf) -> None:
        if _is_file(leaf.entry):
            self._files.add(same_name(leaf.text))
        for child in list(leaf.element):
            leaf.element.remove(child)
        leaf.element.text = None
        self._places.add(leaf.place)


def _is_kept(leaf: _Leaf) -> bool:
    return leaf.path in _KEPT


def _is_leaf(element: etree._Element, path: str, entry: Field | None) -> bool:
    """Whether an answer stands here, and not something that holds others; an <entity> holds its label."""
    if path.endswith("/meta/entity"):
        return False
    return entry.kind == "question" if entry is not None else len(element) == 0


def _is_file(entry: Field | None) -> bool:
    return entry is not None and entry.type == "binary"


def _is_below(one: _Scope, scope: _Scope) -> bool:
    at = one.around
    while at is not None and at is not scope:
        at = at.around
    return at is scope


def _has_entity(element: etree._Element) -> bool:
    return any(
        xml.local_name(inner) == "entity" for child in element if xml.local_name(child) == "meta" for inner in child
    )


def _entity_of(element: etree._Element) -> str | None:
    """The id of the entity that an element is of."""
    for child in element:
        if xml.local_name(child) != "meta":
            continue
        for inner in child:
            if xml.local_name(inner) == "entity":
                given = (str(value) for key, value in inner.attrib.items() if str(key).rpartition("}")[2] == "id")
                return find_uuid(next(given, ""))
    return None

"""Binds: what a form says of its elements beside the questions (type, rules, preloads), found by element."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from forms import references
from forms.schema import Type

_TYPES: Final[dict[str, Type]] = {
    "string": "string",
    "int": "int",
    "integer": "int",
    "long": "int",
    "short": "int",
    "byte": "int",
    "positiveinteger": "int",
    "nonnegativeinteger": "int",
    "decimal": "decimal",
    "double": "decimal",
    "float": "decimal",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "datetime": "dateTime",
    "geopoint": "geopoint",
    "geotrace": "geotrace",
    "geoshape": "geoshape",
    "binary": "binary",
    "base64binary": "binary",
    "barcode": "barcode",
}
"""Types of binds, lower-case and without prefix. Whatever else forms write (select1, rank, intent…) holds text."""

Bind = Mapping[str, str]
"""The attributes of a <bind> by local name: `type`, `required`, `constraintMsg`, `preload`, `saveto`…"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binds:
    """Binds by absolute path, root element included, and the paths of those with an id."""

    by_path: dict[str, Bind] = field(default_factory=dict)
    nodesets: dict[str, str | None] = field(default_factory=dict)
    recordings: frozenset[str] = frozenset()
    """Paths filled by background audio recordings (odk:recordaudio)."""


def read(model: etree._Element, root_path: str) -> Binds:
    """The binds of `model`, nested ones included: a relative nodeset starts from the bind around it, or from the root.

    Binds on attributes, and whatever does not name one element, are left out; binds on elements that do not exist are
    harmless and stay unused, as on the phone. Several binds on one element add up, the first counts.
    """
    found = Binds(recordings=frozenset(_recordings(model, root_path)))
    _walk(model, root_path, found)
    return found


def type_of(bind: Bind) -> Type:
    """The type of values: prefixes (`xsd:int`, `odk:rank`) do not count, text where it is missing or unknown."""
    return _TYPES.get(bind.get("type", "").strip().rpartition(":")[2].lower(), "string")


def expression(bind: Bind, name: str) -> str | None:
    """The XPath of `relevant`, `constraint` and the like, trimmed; None where there is none."""
    return bind.get(name, "").strip() or None


def preload_of(bind: Bind) -> str | None:
    """`timestamp/start`, `property/deviceid`, `uid`: jr:preload and its parameter, in the words of JavaRosa."""
    preload = bind.get("preload", "").strip()
    parameter = bind.get("preloadParams", "").strip()
    return f"{preload}/{parameter}" if preload and parameter else preload or None


def _walk(parent: etree._Element, context: str, found: Binds) -> None:
    for element in parent.iterchildren("{*}bind"):
        nodeset = element.get("nodeset") or element.get("ref")
        path = references.resolve(nodeset, context) if nodeset else None
        identity = element.get("id")
        if identity is not None:
            found.nodesets.setdefault(identity.strip(), path)
        if path is not None:
            own = {str(key).rpartition("}")[2]: str(value) for key, value in element.attrib.items()}
            held = found.by_path.get(path)
            found.by_path[path] = own if held is None else {**own, **held}
        if len(element):
            _walk(element, path or context, found)


def _recordings(model: etree._Element, root_path: str) -> set[str]:
    paths = (
        references.resolve(element.get("ref") or "", root_path) for element in model.iterchildren("{*}recordaudio")
    )
    return {path for path in paths if path is not None}

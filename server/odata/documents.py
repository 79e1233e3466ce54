"""Documents: what OData says of a list of entities beside its rows: the service, its metadata, pages and their links."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from forms.problems import Problem, Sentence

_NOT_ALLOWED: Final = re.compile(r"[^A-Za-z0-9_]+")
_CURSOR: Final = "01"
"""ODK Central's mark of a cursor of this kind."""
_SYSTEM: Final = (
    ("createdAt", "Edm.DateTimeOffset"),
    ("creatorId", "Edm.String"),
    ("creatorName", "Edm.String"),
    ("updates", "Edm.Int64"),
    ("updatedAt", "Edm.DateTimeOffset"),
    ("deletedAt", "Edm.DateTimeOffset"),
    ("version", "Edm.Int64"),
    ("conflict", "Edm.String"),
)
_CAPABILITIES: Final = "Org.OData.Capabilities.V1"


def identifier(name: str) -> str:
    """A name as OData allows it: letters, digits and `_`, no digit first."""
    safe = _NOT_ALLOWED.sub("_", name)
    return safe if re.match("[A-Za-z_]", name) else f"_{safe}"


def service(address: str) -> dict[str, Any]:
    """The service document of a list (OData 4.01, JSON format, 5); `address` is that of the service."""
    return {
        "@odata.context": f"{address}/$metadata",
        "value": [{"name": "Entities", "kind": "EntitySet", "url": "Entities"}],
    }


def metadata(dataset: str, properties: Iterable[str]) -> str:
    """The metadata of a list (OData 4.01, CSDL XML): every property is text. Source: ODK Central API, "Metadata Document"."""
    own = f"org.opendatakit.user.{identifier(dataset)}"
    names = [identifier(name) for name in properties]
    system = "".join(f"<Property Name={quoteattr(name)} Type={quoteattr(type_)}/>" for name, type_ in _SYSTEM)
    texts = "".join(f'<Property Name={quoteattr(name)} Type="Edm.String"/>' for name in names)
    paths = "".join(f"<PropertyPath>{escape(name)}</PropertyPath>" for name in names)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0"><edmx:DataServices>'
        '<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="org.opendatakit.entity">'
        f'<ComplexType Name="metadata">{system}</ComplexType></Schema>'
        f'<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace={quoteattr(own)}>'
        '<EntityType Name="Entities"><Key><PropertyRef Name="__id"/></Key><Property Name="__id" Type="Edm.String"/>'
        '<Property Name="__system" Type="org.opendatakit.entity.metadata"/><Property Name="label" Type="Edm.String"/>'
        f"{texts}</EntityType>"
        f"<EntityContainer Name={quoteattr(identifier(dataset))}>"
        f'<EntitySet Name="Entities" EntityType={quoteattr(f"{own}.Entities")}>'
        f'<Annotation Term="{_CAPABILITIES}.ConformanceLevel" '
        f'EnumMember="{_CAPABILITIES}.ConformanceLevelType/Minimal"/>'
        f'<Annotation Term="{_CAPABILITIES}.BatchSupported" Bool="false"/>'
        f"{_restriction('CountRestrictions', 'Countable', holds=True)}"
        f'<Annotation Term="{_CAPABILITIES}.FilterRestrictions"><Record>'
        '<PropertyValue Property="Filterable" Bool="true"/><PropertyValue Property="RequiresFilter" Bool="false"/>'
        f'<PropertyValue Property="NonFilterableProperties"><Collection>{paths}</Collection></PropertyValue>'
        "</Record></Annotation>"
        f"{_restriction('SearchRestrictions', 'Searchable', holds=True)}"
        f"{_restriction('ExpandRestrictions', 'Expandable', holds=False)}"
        "</EntitySet></EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"
    )


def cursor(last: str) -> str:
    """The $skiptoken that stands for whatever comes after an entity, as ODK Central writes it."""
    text = json.dumps({"uuid": last}, separators=(",", ":"))
    return _CURSOR + base64.b64encode(text.encode()).decode()


def read_cursor(token: str) -> str:
    """The entity after which a page begins. Raises Problem 400.35 for what is no $skiptoken of this server."""
    try:
        said = json.loads(base64.b64decode(token.removeprefix(_CURSOR), validate=True))
        last = said["uuid"]
    except (ValueError, KeyError, TypeError) as error:
        raise _no_cursor() from error
    if not token.startswith(_CURSOR) or not isinstance(last, str) or "\0" in last:
        raise _no_cursor()
    return last


def next_link(address: str, query: Sequence[tuple[str, str]], last: str) -> str:
    """The address of the next page: the same request, with a cursor in place of what was left out."""
    kept = [(name, value) for name, value in query if name not in ("$skip", "$skiptoken")]
    told = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in kept)
    token = f"{quote('$skiptoken', safe='')}={quote(cursor(last), safe='')}"
    return f"{address}?{told}&{token}" if told else f"{address}?{token}"


def selected(text: str | None, properties: Sequence[str]) -> Mapping[str, frozenset[str]] | None:
    """What $select says: the fields, of `__system` which of its own (none: all); None: everything. Raises Problem 400.23."""
    if text is None or text.strip() in ("", "*"):
        return None
    system = {f"__system/{name}" for name, _ in _SYSTEM}
    made: dict[str, frozenset[str]] = {}
    for name in (piece.strip() for piece in text.split(",")):
        if name in system:
            if made.get("__system") != frozenset():
                made["__system"] = made.get("__system", frozenset()) | {name.removeprefix("__system/")}
        elif name in ("__id", "label", *properties) or name == "__system":
            made[name] = frozenset()
        else:
            raise Problem(
                400.23,
                Sentence(f"No existe la propiedad «{name}».", f"Could not find a property named '{name}'"),
                {"property": name},
            )
    return made


def not_implemented(feature: str) -> Problem:
    """501.1: something of OData that this server has not."""
    return Problem(
        501.1,
        Sentence(
            f"Este servidor no tiene {feature}.", f"The requested feature {feature} is not supported by this server."
        ),
        {"feature": feature},
    )


def _no_cursor() -> Problem:
    return Problem(400.35, Sentence("Este $skiptoken no sirve.", "Invalid $skiptoken"))


def _restriction(term: str, name: str, *, holds: bool) -> str:
    return (
        f'<Annotation Term="{_CAPABILITIES}.{term}"><Record>'
        f'<PropertyValue Property="{name}" Bool="{"true" if holds else "false"}"/></Record></Annotation>'
    )

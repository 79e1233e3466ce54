"""Feeds of entities on the wire: what may be asked of them, and a row as OData has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from server.actions.entity_feeds import Request
from server.api.options import Blank, Flag
from server.api.schemas.wording import moment
from server.odata import documents
from server.odata.entity_rows import Line

ODATA: Final = (
    *(
        "$format",
        "$count",
        "$skip",
        "$top",
        "$filter",
        "$wkt",
        "$expand",
        "$select",
        "$skiptoken",
        "$orderby",
        "$search",
    ),
)
"""What of OData's options ODK Central knows; `$wkt` and `$expand` say nothing to entities."""
_NO_NUMBER: Final = ["use un número.", "use a number."]


class Count(fields.Field[int | None]):
    """A number, 0 or more; blank is as if it was not given."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int | None:
        if value == "":
            return None
        if not value.isascii() or not value.isdigit() or len(value) > 15:
            raise ValidationError(_NO_NUMBER)
        return int(value)


class _Feed(Schema):
    """`$filter` and `$search` as ODK Central has them; `reason` is for the audit. Other options are ignored."""

    class Meta:
        """See above."""

        unknown = EXCLUDE

    filter = Blank(data_key="$filter", load_default=None)
    search = Blank(data_key="$search", load_default=None)
    reason = Blank(load_default=None)


class CsvQuery(_Feed):
    """`formulas` (ours): `neutralise`, which is so where nothing is said, or `keep` text that a spreadsheet would run."""

    formulas = fields.Method(deserialize="read_formulas", load_default=True)

    def read_formulas(self, value: str) -> bool:
        """Whether text is neutralised."""
        if value not in ("", "neutralise", "keep"):
            raise ValidationError(["use neutralise o keep.", "use neutralise or keep."])
        return value != "keep"


class PlacesQuery(_Feed):
    """`limit`: at most so many features."""

    limit = Count(load_default=None)


class RowsQuery(_Feed):
    """OData's options. Raises Problem 501.1 for a cursor beside an order."""

    top = Count(data_key="$top", load_default=None)
    skip = Count(data_key="$skip", load_default=None)
    count = Flag(data_key="$count", load_default=None)
    order = Blank(data_key="$orderby", load_default=None)
    select = Blank(data_key="$select", load_default=None)
    token = Blank(data_key="$skiptoken", load_default=None)

    @post_load
    def settle(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The request as a record."""
        if data["order"] is not None and data["token"] is not None:
            raise documents.not_implemented("using $orderby and $skiptoken together")
        asked = Request(
            filter=data["filter"],
            search=data["search"],
            order=data["order"],
            after=documents.read_cursor(data["token"]) if data["token"] is not None else None,
            offset=data["skip"] or 0,
            most=data["top"],
        )
        return {
            "request": asked,
            "count": bool(data["count"]),
            "select": data["select"],
            "reason": data["reason"],
        }


def row(one: Line, properties: Sequence[str], chosen: Mapping[str, frozenset[str]] | None = None) -> dict[str, Any]:
    """An entity as a row of OData; `chosen` are the fields that are wanted, and of `__system` which (none: all)."""
    held = one.entity
    system = {
        "createdAt": moment(held.created_at),
        "creatorId": str(held.creator_id) if held.creator_id is not None else None,
        "creatorName": one.creator.display_name if one.creator is not None else None,
        "updates": held.version - 1,
        "updatedAt": moment(held.updated_at) if held.updated_at is not None else None,
        "deletedAt": moment(held.deleted_at) if held.deleted_at is not None else None,
        "version": held.version,
        "conflict": held.conflict,
    }
    own = chosen.get("__system") if chosen is not None else None
    told: dict[str, Any] = {
        "__id": held.uuid,
        "label": held.label,
        "__system": {name: value for name, value in system.items() if not own or name in own},
    }
    made = {name: value for name, value in told.items() if chosen is None or name in chosen}
    for name in properties:
        if chosen is None or name in chosen:
            made[documents.identifier(name)] = held.data.get(name, "")
    return made

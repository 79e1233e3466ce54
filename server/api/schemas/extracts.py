"""Query options of extracts: those of ODK Central's CSV, and ours."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from server.actions.panels import VISIT, Asking
from server.api.options import Blank, Flag, Names
from server.api.schemas.submissions import read_moment
from server.extracts.asking import Request

_WHICH_FORM: Final = ["diga de qué formulario son las visitas.", "say which form the visits are of."]
_YES_NO: Final = ["use true o false.", "use true or false."]


class CsvQuery(Schema):
    """`groupPaths`, `splitSelectMultiples`, `deletedFields`, `attachments`, `$filter` as ODK Central names them; ours are
    `formulas` (neutralise, keep), `identities` (not given: as far as rights go) and `reason`. Options that neither has are
    ignored, as Central does.
    """

    class Meta:
        """See above."""

        unknown = EXCLUDE

    groupPaths = Flag(load_default=True)  # noqa: N815  the wire's name
    splitSelectMultiples = Flag(load_default=False)  # noqa: N815  the wire's name
    attachments = Flag(load_default=True)
    deletedFields = Flag(load_default=False)  # noqa: N815  the wire's name
    formulas = fields.Method(deserialize="read_formulas", load_default=True)
    filter = Blank(data_key="$filter", load_default=None)
    identities = Flag(load_default=None)
    reason = Blank(load_default=None)

    def read_formulas(self, value: str) -> bool:
        """Whether formula-like text is made harmless."""
        return _neutralises(value)


class ExtractQuery(Schema):
    """What is asked of an extract; see Request for what each means. Dates are days, both included."""

    table = Names(load_default=())
    join = Blank(load_default=None)
    columns = Names(load_default=())
    labels = Flag(load_default=False)
    language = Blank(load_default=None)
    groupPaths = Flag(load_default=False)  # noqa: N815  the wire's name
    splitSelectMultiples = Flag(load_default=True)  # noqa: N815  the wire's name
    formulas = fields.Method(deserialize="read_formulas", load_default=True)
    bom = Flag(load_default=False)
    zone = Blank(load_default=None)
    dateOf = Blank(load_default=None)  # noqa: N815  the wire's name
    first = fields.Method(deserialize="read_day", data_key="from", load_default=None)
    last = fields.Method(deserialize="read_day", data_key="until", load_default=None)
    review = Names(load_default=())
    version = Names(load_default=())
    submitter = Names(load_default=())
    place = Blank(load_default=None)
    geometry = Blank(load_default=None)
    since = Blank(load_default=None)
    filter = Blank(data_key="$filter", load_default=None)
    identities = Flag(load_default=False)
    reason = Blank(load_default=None)
    at = fields.Method(deserialize="read_past", load_default=None)

    def read_formulas(self, value: str) -> bool:
        """Whether formula-like text is made harmless."""
        return _neutralises(value)

    def read_past(self, value: str) -> datetime:
        """A past moment; a day is its end (UTC)."""
        return read_moment(value)

    def read_day(self, value: str) -> date:
        """A day."""
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValidationError(["use una fecha como 2026-08-15.", "use a date such as 2026-08-15."]) from None

    @post_load
    def to_request(self, data: dict[str, Any], **_: Any) -> Request:
        """The record that travels inside the house."""
        return Request(
            tables=data["table"],
            join=data["join"],
            columns=data["columns"],
            labels=bool(data["labels"]),
            language=data["language"],
            group_paths=bool(data["groupPaths"]),
            split=data["splitSelectMultiples"] is not False,
            neutralise=data["formulas"],
            bom=bool(data["bom"]),
            zone=data["zone"] or "UTC",
            date_of=data["dateOf"] or "received",
            first=data["first"],
            last=data["last"],
            review=data["review"],
            versions=data["version"],
            submitters=tuple(_number(text) for text in data["submitter"]),
            place=data["place"],
            geometry=data["geometry"],
            since=data["since"],
            filter=data["filter"],
            identities=bool(data["identities"]),
            reason=data["reason"],
            at=data["at"],
        )


class PanelQuery(Schema):
    """What is asked of a panel; see panels.Asking, and Request for the rest. `by` is `visit` where nothing is said."""

    form = fields.String(required=True, error_messages={"required": _WHICH_FORM})
    by = Blank(load_default=None)
    missing = Blank(load_default=None)
    long = Flag(load_default=False)
    columns = Names(load_default=())
    labels = Flag(load_default=False)
    language = Blank(load_default=None)
    formulas = fields.Method(deserialize="read_formulas", load_default=True)
    bom = Flag(load_default=False)
    review = Names(load_default=())
    identities = Flag(load_default=False)
    reason = Blank(load_default=None)

    def read_formulas(self, value: str) -> bool:
        """Whether formula-like text is made harmless."""
        return _neutralises(value)

    @post_load
    def to_asking(self, data: dict[str, Any], **_: Any) -> Asking:
        """The record that travels inside the house."""
        request = Request(
            columns=data["columns"],
            labels=bool(data["labels"]),
            language=data["language"],
            neutralise=data["formulas"],
            bom=bool(data["bom"]),
            review=data["review"],
            identities=bool(data["identities"]),
            reason=data["reason"],
        )
        return Asking(
            form_id=data["form"],
            by=data["by"] or VISIT,
            missing=data["missing"],
            long=bool(data["long"]),
            request=request,
        )


class DeletedQuery(Schema):
    """`since`: a cursor; without it everything that was ever deleted. `identities` for a `reason`: the keys themselves."""

    since = Blank(load_default=None)
    identities = Flag(load_default=False)
    reason = Blank(load_default=None)

    @post_load
    def to_request(self, data: dict[str, Any], **_: Any) -> Request:
        """The record that travels inside the house."""
        return Request(since=data["since"], identities=bool(data["identities"]), reason=data["reason"])


def _neutralises(value: str) -> bool:
    if value not in ("neutralise", "keep"):
        raise ValidationError(["use neutralise o keep.", "use neutralise or keep."])
    return value == "neutralise"


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ValidationError({"submitter": ["use números.", "use numbers."]})
    return int(text)

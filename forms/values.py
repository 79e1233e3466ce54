"""Values: one answer's text, read as the type its question declares and written back as the phone would write it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final

from forms import geo
from forms.schema import Type

TEXT_TYPES: Final = frozenset(("string", "binary", "barcode"))
"""Types whose value is the text itself."""

KEEPS_TEXT: Final = frozenset(("time", "dateTime", "geotrace", "geoshape"))
"""Types whose text says more than their value (a zone, an accuracy): the text is always kept beside it."""

_INT: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", re.ASCII)
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T.*)?", re.ASCII)
_TIME: Final = re.compile(
    r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?", re.ASCII
)
_DATETIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2})(:[0-9]{2})?(\.[0-9]{1,9})?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)",
    re.ASCII,
)
_INT_LIMIT: Final = 2**63
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


class MisfitError(ValueError):
    """The text is no value of the type."""


def parse(type_: Type, text: str) -> Any:
    """The value of `text` as `type_`.

    string, binary, barcode → str, as sent · int → int of 64 bits (`5.0`, which calculates send, is 5) · decimal → float ·
    boolean → bool · date → date · time → naive local time · dateTime → UTC datetime (without a zone: a misfit, since no
    zone may be assumed) · geopoint → (latitude, longitude, altitude, accuracy), the last two None where absent; four zeros
    are an empty point, None · geotrace, geoshape → GeoJSON text. Value formats: ODK XForms specification, "Data types";
    JavaRosa's serialisation. Raises MisfitError.
    """
    return _PARSERS[type_](text)


def parser_of(type_: Type) -> Callable[[str], Any]:
    """What `parse` does for one type, to be kept by who reads many answers."""
    return _PARSERS[type_]


def renderer_of(type_: Type) -> Callable[[Any], str]:
    """What `render` does for one type."""
    return _RENDERERS[type_]


def render(type_: Type, value: Any) -> str:
    """The text a phone would have sent for `value`; for the types in KEEPS_TEXT the kept text is the better source."""
    return _RENDERERS[type_](value)


def _render_decimal(value: float) -> str:
    return repr(float(value))


def _render_boolean(value: bool) -> str:
    return "true" if value else "false"


def _render_point(value: tuple[float | None, ...]) -> str:
    return " ".join(repr(float(part)) for part in value if part is not None)


def _render_moment(value: date | time) -> str:
    return value.isoformat()


def _text(text: str) -> str:
    return text


def _int(text: str) -> int:
    stripped = text.strip()
    if _INT.fullmatch(stripped):
        value = int(stripped)
    else:
        number = _decimal(text)
        if not number.is_integer() or abs(number) > 2**53:
            raise MisfitError(text)
        value = int(number)
    if not -_INT_LIMIT <= value < _INT_LIMIT:
        raise MisfitError(text)
    return value


def _decimal(text: str) -> float:
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        raise MisfitError(text)
    value = float(stripped)
    if not math.isfinite(value):
        raise MisfitError(text)
    return value


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.strip().lower()]
    except KeyError:
        raise MisfitError(text) from None


def _date(text: str) -> date:
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise MisfitError(text)
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise MisfitError(text) from None


def _time(text: str) -> time:
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise MisfitError(text)
    try:
        return time(int(match[1]), int(match[2]), int(match[3] or 0), _microseconds(match[4]))
    except ValueError:
        raise MisfitError(text) from None


def _datetime(text: str) -> datetime:
    match = _DATETIME.fullmatch(text.strip())
    if match is None:
        raise MisfitError(text)
    day, minute, second, fraction, zone = match.groups()
    if zone != "Z" and len(zone) == 3:
        zone += ":00"
    microseconds = f".{fraction[1:7]:0<6}" if fraction else ""
    try:
        return datetime.fromisoformat(f"{day}T{minute}{second or ':00'}{microseconds}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise MisfitError(text) from None


def _microseconds(fraction: str | None) -> int:
    return int(f"{fraction[:6]:0<6}") if fraction else 0


def _geopoint(text: str) -> tuple[float, float, float | None, float | None] | None:
    try:
        return geo.point(text)
    except ValueError:
        raise MisfitError(text) from None


def _geotrace(text: str) -> str:
    try:
        return geo.line_string(text)
    except ValueError:
        raise MisfitError(text) from None


def _geoshape(text: str) -> str:
    try:
        return geo.polygon(text)
    except ValueError:
        raise MisfitError(text) from None


_PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "string": _text,
    "binary": _text,
    "barcode": _text,
    "int": _int,
    "decimal": _decimal,
    "boolean": _boolean,
    "date": _date,
    "time": _time,
    "dateTime": _datetime,
    "geopoint": _geopoint,
    "geotrace": _geotrace,
    "geoshape": _geoshape,
}

_RENDERERS: Final[Mapping[str, Callable[[Any], str]]] = {
    "string": str,
    "binary": str,
    "barcode": str,
    "int": str,
    "decimal": _render_decimal,
    "boolean": _render_boolean,
    "date": _render_moment,
    "time": _render_moment,
    "dateTime": _render_moment,
    "geopoint": _render_point,
    "geotrace": str,
    "geoshape": str,
}

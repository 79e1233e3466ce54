"""How texts and moments of the house are worded on the wire."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from marshmallow import fields

from forms.problems import Sentence

_CODE: Final = re.compile(r"\(([A-Za-z][A-Za-z0-9-]*)\)\s*$")


class Moment(fields.Field[datetime]):
    """A moment, in UTC to the millisecond, as ODK Central writes it: `2026-11-25T23:15:00.000Z`."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else moment(value)


class Said(fields.Field[Sentence]):
    """A sentence in the languages of the house: `{"es": …, "en": …}`."""

    def _serialize(self, value: Sentence | None, attr: str | None, obj: Any, **_: Any) -> dict[str, str] | None:
        return None if value is None else sentence(value)


class Texts(fields.Field[Mapping[str, str]]):
    """A text by the code of its language as the heading names it: `label::Español (es)` is `es`, `label` is `default`."""

    def _serialize(self, value: Mapping[str, str] | None, attr: str | None, obj: Any, **_: Any) -> dict[str, str]:
        return texts(value or {})


def moment(value: datetime) -> str:
    """See Moment."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sentence(value: Sentence) -> dict[str, str]:
    """See Said."""
    return {"es": value.es, "en": value.en}


def texts(value: Mapping[str, str]) -> dict[str, str]:
    """See Texts."""
    return {_language(heading): text for heading, text in value.items()}


def _language(heading: str) -> str:
    found = _CODE.search(heading)
    return found[1] if found else heading or "default"

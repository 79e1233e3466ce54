"""Options: what stands behind the question mark of a URL, read by a schema; what is not known is refused by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import Request
from marshmallow import Schema, ValidationError, fields

from forms.problems import Problem, Sentence
from server import problems

_TWICE: Final = Sentence("está dos veces.", "it is given twice.")
_UNKNOWN: Final = Sentence("no se entiende.", "it is not understood.")


class Names(fields.Field[tuple[str, ...]]):
    """Names with commas between them; the option may also be given several times."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[str, ...]:
        given = [value] if isinstance(value, str) else value
        return tuple(name.strip() for text in given for name in text.split(",") if name.strip())


class Blank(fields.String):
    """A text; blank is as if it was not given."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return super()._deserialize(value, attr, data, **kwargs).strip() or None


class Flag(fields.Field[bool | None]):
    """`true` or `false`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool | None:
        if value not in ("true", "false", ""):
            raise ValidationError(["use true o false.", "use true or false."])
        return None if value == "" else bool(value == "true")


def read(request: Request, schema: Schema) -> Any:
    """The options of a request as `schema` loads them. Raises Problem 400.8 for the first that is wrong or unknown.

    Messages of validators are [Spanish, English].
    """
    given: dict[str, str | list[str]] = {}
    known = {field.data_key or name: field for name, field in schema.fields.items()}
    for name, texts in request.args.lists():
        several = isinstance(known.get(name), Names)
        if len(texts) > 1 and not several:
            raise problems.wrong_value(name, ", ".join(texts), _TWICE)
        if any("\0" in text for text in (name, *texts)):
            raise problems.not_storable()
        given[name] = texts if several else texts[0]
    if schema.unknown == "raise":
        for name in given:
            if name not in known:
                raise unknown(name, list(known))
    try:
        return schema.load(given)
    except ValidationError as error:
        name, messages = _first(error)
        both = isinstance(messages, Sequence) and len(messages) == 2
        reason = Sentence(str(messages[0]), str(messages[1])) if both else _UNKNOWN
        raise problems.wrong_value(name, given.get(name, ""), reason) from error


def unknown(name: str, known: Sequence[str]) -> Problem:
    """400.8: there is no option of this name; says the one that may be meant, or all there are."""
    near = next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.6)), None)
    if near is not None:
        es, en = f"¿quiso decir «{near}»?", f"did you mean “{near}”?"
    elif known:
        listed = ", ".join(known)
        es, en = f"Las que hay: {listed}.", f"those there are: {listed}."
    else:
        es, en = "Aquí no hay ninguna.", "there are none here."
    return Problem(
        400.8,
        Sentence(es=f"No existe la opción «{name}». {es}", en=f"There is no option “{name}”: {en}"),
        {"field": name},
    )


def _first(error: ValidationError) -> tuple[str, Any]:
    messages = error.messages
    if isinstance(messages, Mapping) and messages:
        return next(iter(messages.items()))
    return "options", messages

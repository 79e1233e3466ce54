"""Bodies: the JSON that a request brings, read by a schema; what is wrong or unknown is refused by name."""

from __future__ import annotations

from typing import Any, Final

from flask import Request
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from forms.problems import Problem, Sentence
from server import problems

MAX_JSON: Final = 1_000_000
"""Bytes of a JSON body."""


def read(request: Request, schema: Schema, *, most: int = MAX_JSON) -> dict[str, Any]:
    """The object in the body as `schema` loads it; no body is an empty object.

    Raises Problem 400.1 for what is no JSON object, 400.2 for a field that lacks, 400.8 for one that is wrong or unknown,
    413.1 for more than `most` bytes. Messages of validators are [Spanish, English].
    """
    loaded: dict[str, Any] = load(request, schema, most=most)
    return loaded


def load(request: Request, schema: Schema, *, most: int = MAX_JSON) -> Any:
    """The same, of a schema that makes a record of it."""
    given = read_object(request, most=most)
    try:
        return schema.load(given)
    except ValidationError as error:
        raise _wrong(error, given, schema) from error


def read_object(request: Request, *, most: int = MAX_JSON) -> dict[str, Any]:
    """The object in the body as it stands; raises Problem 400.1, 413.1."""
    request.max_content_length = most
    try:
        given = request.get_json(force=True, silent=True) if request.get_data() else {}
    except RequestEntityTooLarge as error:
        raise problems.too_large("JSON", most) from error
    if not isinstance(given, dict):
        raise _no_object()
    return given


def read_bytes(request: Request, what: str, most: int) -> bytes:
    """The body as it came, a file called `what`; raises Problem 413.1 for more than `most` bytes."""
    request.max_content_length = most
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise problems.too_large(what, most) from error


def _wrong(error: ValidationError, given: dict[str, Any], schema: Schema) -> Problem:
    messages = error.messages if isinstance(error.messages, dict) else {"body": error.messages}
    name, said = next(iter(messages.items()))
    known = {field.data_key or own for own, field in schema.fields.items()}
    if name not in given and name in known:
        return _missing(name)
    if name not in known:
        listed = ", ".join(sorted(known))
        return problems.wrong_value(
            str(name)[:60], "", Sentence(f"los campos que hay: {listed}.", f"the fields there are: {listed}.")
        )
    both = isinstance(said, list) and len(said) == 2
    reason = Sentence(str(said[0]), str(said[1])) if both else Sentence("no se entiende.", "it is not understood.")
    return problems.wrong_value(str(name), str(given.get(name))[:60], reason)


def _no_object() -> Problem:
    return Problem(
        400.1,
        Sentence(es="El contenido no es un objeto JSON.", en="The content is no JSON object."),
        {"format": "json"},
    )


def _missing(name: str) -> Problem:
    return Problem(
        400.2,
        Sentence(es=f"Falta el campo {name}.", en=f"Required parameter {name} missing."),
        {"field": name},
    )

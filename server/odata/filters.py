"""Filters: OData's $filter over what is known of every submission or entity, read into a condition and said in SQL."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Literal

from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import VisitError
from sqlalchemy import Integer, and_, cast, extract, false, func, literal, not_, null, or_, true
from sqlalchemy.sql import ColumnElement

from forms.problems import Problem, Sentence
from server.model.columns import Instant

Kind = Literal["moment", "number", "text", "boolean", "null"]
FIELDS: Final[Mapping[str, Kind]] = {
    "submissionDate": "moment",
    "updatedAt": "moment",
    "submitterId": "number",
    "reviewState": "text",
}
"""What may be asked of submissions, below `__system/`, as in ODK Central."""
ENTITY_FIELDS: Final[Mapping[str, Kind]] = {
    "__id": "text",
    "createdAt": "moment",
    "updatedAt": "moment",
    "deletedAt": "moment",
    "creatorId": "number",
    "conflict": "text",
}
"""What may be asked of entities: `__id`, the others below `__system/`."""
_MOST: Final = 2_000
_DEEPEST: Final = 60
_PARTS: Final = ("year", "month", "day", "hour", "minute", "second")
_COMPARED: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_GRAMMAR: Final = r"""
    ?start: any
    ?any: all (_OR all)*                   -> any
    ?all: one (_AND one)*                  -> all
    ?one: _NOT one                         -> negation
        | operand COMPARED operand         -> comparison
        | "(" any ")"
        | operand                          -> alone
    ?operand: FIELD                        -> field
        | MOMENT                           -> moment
        | NUMBER                           -> number
        | TEXT                             -> text
        | CONSTANT                         -> constant
        | NAME "(" [operand ("," operand)*] ")"  -> call
    _OR.2: /or\b/i
    _AND.2: /and\b/i
    _NOT.3: /not\b/i
    COMPARED.3: /(eq|ne|lt|le|gt|ge)\b/
    CONSTANT.3: /(null|true|false)\b/
    FIELD.2: /(\$root\/Submissions\/)?[A-Za-z_][\w-]*(\/[\w-]+)*(?![\w\/-])(?!\s*\()/
    MOMENT.3: /[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+\- ][0-9]{2}:[0-9]{2}))?/
    NUMBER.2: /-?[0-9]{1,18}(\.[0-9]+)?/
    TEXT: /'([^']|'')*'/
    NAME.1: /[A-Za-z_]\w*/
    %ignore /[ \t]+/
"""


@dataclass(frozen=True, slots=True)
class Operand:
    """A value: of a field (`name`), of a part of a moment (`part`, of `of`), the time of asking (`name` is `now`), or one
    that is written (`value`)."""

    kind: Kind
    name: str | None = None
    part: str | None = None
    of: Operand | None = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values compared by eq, ne, lt, le, gt or ge."""

    by: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions that all (`and`) or of which one (`or`) must hold."""

    by: Literal["and", "or"]
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """A condition that must not hold."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Constant:
    """true or false."""

    holds: bool


Condition = Comparison | Junction | Negation | Constant


def names_in(condition: Condition) -> frozenset[str]:
    """The fields that a condition asks of."""
    if isinstance(condition, Comparison):
        return frozenset(_field(condition.left) + _field(condition.right))
    if isinstance(condition, Negation):
        return names_in(condition.part)
    if isinstance(condition, Junction):
        return frozenset(name for part in condition.parts for name in names_in(part))
    return frozenset()


def _field(operand: Operand) -> list[str]:
    return [operand.name] if operand.name is not None else _field(operand.of) if operand.of is not None else []


def exact_names_in(condition: Condition) -> frozenset[str]:
    """The fields that a condition compares with more than null: asked for again and again, it would tell what they hold."""
    if isinstance(condition, Comparison):
        return frozenset() if "null" in (condition.left.kind, condition.right.kind) else names_in(condition)
    if isinstance(condition, Negation):
        return exact_names_in(condition.part)
    if isinstance(condition, Junction):
        return frozenset(name for part in condition.parts for name in exact_names_in(part))
    return frozenset()


def parse(text: str, fields: Mapping[str, Kind] = FIELDS) -> Condition:
    """What $filter says of submissions, or of what has other `fields` (OData 4.01, URL conventions, 5.1.1: eq ne lt le gt ge,
    and or not, year … second, now).

    Raises Problem 400.18 for what is no expression, 501.5 for a field that may not be asked of, 501.4 for what OData has
    and this server has not.
    """
    if len(text) > _MOST or text.count("(") + text.lower().count("not") > _DEEPEST:
        raise not_readable(
            Sentence("es demasiado larga o tiene demasiados paréntesis.", "it is too long or has too many parentheses.")
        )
    try:
        return _Reader(fields).transform(_parser().parse(text))  # type: ignore[no-any-return]
    except UnexpectedInput as error:
        at = max(error.pos_in_stream or 0, 0) + 1
        raise not_readable(
            Sentence(f"no se entiende desde el carácter {at}.", f"not understood from character {at}.")
        ) from error
    except VisitError as error:
        if isinstance(error.orig_exc, Problem):
            raise error.orig_exc from error
        raise


def to_sql(
    condition: Condition, columns: Mapping[str, ColumnElement[Any]], now: datetime | None = None
) -> ColumnElement[bool]:
    """The condition over `columns`, which go by the names of the fields. What is not there equals null and nothing else; it
    is neither less nor more than anything (OData 4.01, 5.1.1.1)."""
    return _Writer(columns, now or datetime.now(UTC)).condition(condition)


def not_readable(reason: Sentence) -> Problem:
    """400.18: the filter is no OData expression."""
    return Problem(
        400.18,
        Sentence(
            es=f"La expresión de $filter no se puede leer: {reason.es}",
            en=f"The OData filter expression you provided could not be parsed: {reason.en}",
        ),
        {"reason": reason.en},
        Sentence(
            es="Ejemplo: __system/submissionDate ge 2026-01-01 and __system/reviewState ne 'rejected'",
            en="Example: __system/submissionDate ge 2026-01-01 and __system/reviewState ne 'rejected'",
        ),
    )


def no_field(text: str, fields: Mapping[str, Kind], *, at: int | None = None) -> Problem:
    """501.5: something that may not be asked of, or ordered by."""
    known = ", ".join(name if name.startswith("__") else f"__system/{name}" for name in fields)
    place = f" at {at}" if at is not None else ""
    return Problem(
        501.5,
        Sentence(
            es=f"No se puede filtrar ni ordenar por «{text}»; se puede por {known}.",
            en=f"The given OData filter expression references fields not supported by this server: {text}{place}",
        ),
        {"text": text, "at": at, "supported": known},
    )


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="contextual")


@v_args(inline=True)
class _Reader(Transformer[Token, Any]):
    """The tree as a condition, each operand with its kind."""

    def __init__(self, fields: Mapping[str, Kind]) -> None:
        super().__init__()
        self._fields = {name if name.startswith("__") else f"__system/{name}": name for name in fields}
        self._kinds = fields

    def field(self, token: Token) -> Operand:
        name = self._fields.get(str(token).removeprefix("$root/Submissions/"))
        if name is None:
            raise no_field(str(token), self._kinds, at=token.start_pos)
        return Operand(self._kinds[name], name=name)

    def moment(self, token: Token) -> Operand:
        return Operand("moment", value=_moment(str(token)))

    def number(self, token: Token) -> Operand:
        return Operand("number", value=float(token) if "." in token else int(token))

    def text(self, token: Token) -> Operand:
        return Operand("text", value=str(token)[1:-1].replace("''", "'"))

    def constant(self, word: Token) -> Operand:
        if word == "null":
            return Operand("null")
        return Operand("boolean", value=word == "true")

    def call(self, name: Token, *given: Operand | None) -> Operand:
        operands = [operand for operand in given if operand is not None]
        lower = str(name).lower()
        if lower == "now" and not operands:
            return Operand("moment", name="now")
        if lower in _PARTS and len(operands) == 1:
            return Operand("number", part=lower, of=_as_moment(operands[0]))
        raise _unsupported(f"{name}()")

    def comparison(self, left: Operand, by: Token, right: Operand) -> Condition:
        if "moment" in (left.kind, right.kind):
            left, right = (one if one.kind == "null" else _as_moment(one) for one in (left, right))
        if left.kind != right.kind and "null" not in (left.kind, right.kind):
            raise not_readable(
                Sentence(f"«{by}» compara valores de distinta clase.", f"“{by}” compares values of different kinds.")
            )
        return Comparison(str(by), left, right)

    def alone(self, operand: Operand) -> Condition:
        if operand.kind != "boolean":
            raise not_readable(Sentence("un valor solo no es una condición.", "a value alone is no condition."))
        return Constant(bool(operand.value))

    def negation(self, part: Condition) -> Condition:
        return Negation(part)

    def all(self, *parts: Condition) -> Condition:
        return parts[0] if len(parts) == 1 else Junction("and", parts)

    def any(self, *parts: Condition) -> Condition:
        return parts[0] if len(parts) == 1 else Junction("or", parts)


def _as_moment(operand: Operand) -> Operand:
    """A moment; one that stands between quotes too, as some clients write it."""
    if operand.kind == "text" and operand.name is None:
        return Operand("moment", value=_moment(operand.value))
    if operand.kind != "moment":
        raise not_readable(Sentence("falta una fecha.", "a date is missing."))
    return operand


def _moment(text: str) -> datetime:
    """A day begins at midnight UTC. The + of a zone that came unescaped in a URL has become a blank."""
    try:
        value = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise not_readable(Sentence(f"«{text}» no es una fecha.", f"“{text}” is no date.")) from None
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def _unsupported(text: str) -> Problem:
    return Problem(
        501.4,
        Sentence(
            es=f"«{text}» no se puede usar en $filter.",
            en=f"The given OData filter expression uses features not supported by this server: {text}.",
        ),
        {"text": text},
    )


class _Writer:
    def __init__(self, columns: Mapping[str, ColumnElement[Any]], now: datetime) -> None:
        self._columns = columns
        self._now = now

    def condition(self, condition: Condition) -> ColumnElement[bool]:
        if isinstance(condition, Constant):
            return true() if condition.holds else false()
        if isinstance(condition, Negation):
            return not_(self.condition(condition.part))
        if isinstance(condition, Junction):
            parts = [self.condition(part) for part in condition.parts]
            return and_(*parts) if condition.by == "and" else or_(*parts)
        left, right = self._value(condition.left), self._value(condition.right)
        if condition.by == "eq":
            return left.is_not_distinct_from(right)
        if condition.by == "ne":
            return left.is_distinct_from(right)
        return func.coalesce(_COMPARED[condition.by](left, right), false())

    def _value(self, operand: Operand) -> ColumnElement[Any]:
        if operand.part is not None and operand.of is not None:
            part = extract(operand.part, self._value(operand.of))
            return cast(part - part % 1, Integer)  # PostgreSQL's seconds have a fraction
        if operand.name == "now":
            return literal(self._now, Instant())
        if operand.name is not None:
            return self._columns[operand.name]
        if operand.kind == "null":
            return null()
        return literal(operand.value, Instant()) if operand.kind == "moment" else literal(operand.value)

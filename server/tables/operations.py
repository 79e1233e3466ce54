"""Operations in SQL: what each operation of a checked tree is on SQLite and on PostgreSQL.

PostgreSQL computes all of them; what SQLite cannot say it gets from `server.sqlite_functions`. No number may make a statement
fail: what has no value is NULL.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    Double,
    Integer,
    Text,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    not_,
    null,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.types import NullType, TypeEngine

from forms.expressions.operations import BLANKS, LARGEST
from forms.expressions.patterns import plain
from forms.expressions.tree import Apply, Constant, Kind
from server.model.columns import Instant
from server.sqlite_functions import NAMES, function_name

Sql = ColumnElement[Any]
TYPES: Final[dict[Kind, TypeEngine[Any]]] = {
    "number": Double(),
    "text": Text(),
    "choices": Text(),
    "date": Date(),
    "moment": Instant(),
    "boolean": Boolean(),
}
_TextArray: Final = ARRAY(Text())
_EPOCH: Final = date(1970, 1, 1)
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # of the calendars of Python and both databases, counted from the epoch
_SMALLEST: Final = 1 / LARGEST
_LEAST_PLACES: Final = -400.0  # rounds every number to 0
_BEYOND: Final = math.nextafter(LARGEST, math.inf)
_DATE: Final = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T[^\n]*)?$"
_FORMATS: Final = {"%Y": "YYYY", "%y": "YY", "%m": "MM", "%n": "FMMM", "%d": "DD", "%e": "FMDD"}


class Operations:
    """The operations of one database."""

    def __init__(self, *, sqlite: bool) -> None:
        self._sqlite = sqlite

    def apply(self, tree: Apply, given: Sequence[Sql]) -> Sql:
        """The operation of `tree` on its arguments as columns. Raises KeyError for one that nobody knows."""
        operation = tree.operation
        if operation == "text":
            return self._text(given[0], tree.arguments[0].kind)
        if self._sqlite and operation in NAMES:
            called: Sql = getattr(func, function_name(operation))(*given, type_=TYPES[tree.kind])
            return called
        if operation == "format-date":
            return _format_date(tree, given[0])
        if operation == "regex":
            return _regex(tree, given[0])
        value: Sql = getattr(self, f"_do_{operation.replace('-', '_')}")(*given)
        return value

    def _do_and(self, left: Sql, right: Sql) -> Sql:
        return and_(left, right)

    def _do_or(self, left: Sql, right: Sql) -> Sql:
        return or_(left, right)

    def _do_not(self, value: Sql) -> Sql:
        return Grouping(not_(value))  # NOT binds less than the IS NULL that may follow

    def _do_blank(self, value: Sql) -> Sql:
        return or_(value.is_(None), value == "") if isinstance(value.type, Text) else value.is_(None)

    def _do_answered(self, value: Sql) -> Sql:
        return and_(value.is_not(None), value != "") if isinstance(value.type, Text) else value.is_not(None)

    def first_that_holds(self, branches: Sequence[tuple[Sql, Sql]], otherwise: Sql) -> Sql:
        """What stands with the first condition that holds; a condition that is unknown before it makes all unknown.

        A chain of `if` in the place of the last argument stays flat, however long it is: SQLite's parser could not nest it.
        """
        nothing = cast(null(), otherwise.type) if not isinstance(otherwise.type, NullType) else null()
        cases = [
            (condition, value)
            for one, value in branches
            for condition, value in ((one, value), (one.is_(None), nothing))
        ]
        return case(*cases, else_=otherwise)

    def _do_coalesce(self, value: Sql, other: Sql) -> Sql:
        known = func.nullif(value, "") if isinstance(value.type, Text) else value
        return func.coalesce(known, other, type_=other.type if isinstance(value.type, NullType) else value.type)

    def _do_eq(self, left: Sql, right: Sql) -> Sql:
        return left == right

    def _do_ne(self, left: Sql, right: Sql) -> Sql:
        return left != right

    def _do_lt(self, left: Sql, right: Sql) -> Sql:
        return left < right

    def _do_le(self, left: Sql, right: Sql) -> Sql:
        return left <= right

    def _do_gt(self, left: Sql, right: Sql) -> Sql:
        return left > right

    def _do_ge(self, left: Sql, right: Sql) -> Sql:
        return left >= right

    def bounded(self, number: Sql) -> Sql:
        """A number of which no product overflows; beyond it there is no value. It is named once, since calculations nest.

        SQLite's parser has a stack of 100 symbols, so that calculations are functions there, which say this themselves.
        """
        if self._sqlite:
            return _called("bounded", number)
        between: Sql = func.least(func.greatest(number, -_BEYOND), _BEYOND, type_=Double())
        return func.nullif(func.nullif(between, _BEYOND), -_BEYOND, type_=Double())

    def sum_of(self, terms: Sequence[Sql]) -> Sql:
        """All terms together, from left to right; no sum on the way may be beyond what is bounded."""
        if self._sqlite or len(terms) > 2:
            return _called("plus", *terms)
        return self.bounded(terms[0] + terms[1])

    def _do_times(self, left: Sql, right: Sql) -> Sql:
        return _called("times", left, right)

    def _do_div(self, left: Sql, right: Sql) -> Sql:
        return _called("div", left, right)

    def _do_neg(self, value: Sql) -> Sql:
        return -value

    def _do_abs(self, value: Sql) -> Sql:
        return func.abs(value, type_=Double())

    def _do_min(self, *given: Sql) -> Sql:
        return self._extreme("least", "min", given)

    def _do_max(self, *given: Sql) -> Sql:
        return self._extreme("greatest", "max", given)

    def _extreme(self, theirs: str, sqlites: str, given: Sequence[Sql]) -> Sql:
        """PostgreSQL leaves unknown values out, SQLite does not."""
        if self._sqlite:
            chosen: Sql = getattr(func, sqlites)(*given, type_=Double())
            return chosen
        known = and_(*(value.is_not(None) for value in given))
        return case((known, getattr(func, theirs)(*given, type_=Double())), else_=cast(null(), Double))

    def _do_int(self, value: Sql) -> Sql:
        return self.truncated(value)

    def truncated(self, value: Sql) -> Sql:
        """A number without what follows its point."""
        return (
            getattr(func, function_name("int"))(value, type_=Double())
            if self._sqlite
            else func.trunc(value, type_=Double())
        )

    def _do_round(self, value: Sql, places: Sql | None = None) -> Sql:
        if places is None:
            return _called("round", value, literal(0.0, Double()))
        least: Sql = literal(_LEAST_PLACES, Double())
        return _called("round", value, case((places < least, least), else_=places))

    def _do_mod(self, left: Sql, right: Sql) -> Sql:
        return _called("mod", left, right)

    def _do_pow(self, base: Sql, exponent: Sql) -> Sql:
        return _called("pow", base, exponent)

    def _do_number(self, value: Sql) -> Sql:
        return self.number(value)

    def number(self, value: Sql) -> Sql:
        """A text as the number that it writes."""
        return _called("number", value)

    def _text(self, value: Sql, kind: Kind) -> Sql:
        """As JavaRosa writes it: whole numbers without a point."""
        if kind == "boolean":
            return case((value, "true"), (not_(value), "false"))
        if kind == "date":
            return cast(value, Text) if self._sqlite else func.to_char(value, "YYYY-MM-DD", type_=Text())
        return _called("text", value, type_=Text())

    def _do_bit(self, value: Sql) -> Sql:
        return case((value, 1.0), (not_(value), 0.0))

    def _do_days(self, value: Sql) -> Sql:
        return cast(value - literal(_EPOCH, Date()), Double)

    def _do_from_days(self, value: Sql) -> Sql:
        inside = and_(func.floor(value) >= _FIRST_DAY, func.floor(value) <= _LAST_DAY)
        days = cast(func.floor(case((inside, value), else_=cast(null(), Double))), Integer)
        moved: Sql = literal(_EPOCH, Date()).op("+", return_type=Date())(days)
        return moved

    def _do_date(self, value: Sql) -> Sql:
        text = func.btrim(value, BLANKS)
        year, month, day = (cast(func.substr(text, *place), Integer) for place in ((1, 4), (6, 2), (9, 2)))
        start = func.make_date(year, month, 1, type_=Date())
        last = extract("day", start + func.make_interval(0, 1, 0, -1))
        made = case((day <= last, start.op("+", return_type=Date())(day - 1)), else_=cast(null(), Date))
        written = and_(text.regexp_match(_DATE), func.left(text, 4) != "0000")
        return case((written, made), else_=cast(null(), Date))

    def _do_instant(self, value: Sql) -> Sql:
        return cast(extract("epoch", value), Double) / 86_400.0

    def _do_concat(self, *given: Sql) -> Sql:
        joined = given[0]
        for value in given[1:]:
            joined = joined.concat(value)
        return joined

    def _do_string_length(self, value: Sql) -> Sql:
        return cast(func.length(value), Double)

    def _do_substr(self, value: Sql, start: Sql, end: Sql | None = None) -> Sql:
        length = func.char_length(value)

        def place(given: Sql) -> Sql:
            whole = cast(func.trunc(func.least(func.greatest(given, -1e9), 1e9)), Integer)
            return func.least(length, func.greatest(0, case((whole < 0, whole + length), else_=whole)))

        known = and_(value.is_not(None), start.is_not(None), *(() if end is None else (end.is_not(None),)))
        first, last = place(start), length if end is None else place(end)
        cut = func.substr(value, first + 1, func.greatest(0, last - first), type_=Text())
        return case((known, cut), else_=cast(null(), Text))

    def _do_contains(self, value: Sql, part: Sql) -> Sql:
        return func.strpos(value, part) > 0

    def _do_starts_with(self, value: Sql, part: Sql) -> Sql:
        return func.left(value, func.char_length(part)) == part

    def _do_ends_with(self, value: Sql, part: Sql) -> Sql:
        return func.right(value, func.char_length(part)) == part

    def _do_translate(self, value: Sql, letters: Sql, others: Sql) -> Sql:
        return func.translate(value, letters, others, type_=Text())

    def _do_choice_name(self, code: Sql, labels: Sql) -> Sql:
        return _called("choice-name", code, labels, type_=Text())

    def _do_selected(self, value: Sql, code: Sql) -> Sql:
        spaced = func.regexp_replace(func.btrim(value, BLANKS), f"[{BLANKS}]+", " ", "g", type_=Text())
        one, wanted = literal(" ", Text()), func.btrim(code, BLANKS, type_=Text())
        return func.strpos(one + spaced + one, one + wanted + one) > 0

    def _codes(self, value: Sql) -> Sql:
        return func.regexp_split_to_array(func.btrim(value, BLANKS), f"[{BLANKS}]+", type_=_TextArray)

    def _do_selected_at(self, value: Sql, index: Sql) -> Sql:
        place = cast(func.trunc(func.least(func.greatest(index, -1), 1e6)), Integer)
        return case((func.btrim(value, BLANKS) != "", self._codes(value)[place + 1]), else_=cast(null(), Text))

    def _do_count_selected(self, value: Sql) -> Sql:
        count = cast(func.cardinality(self._codes(value)), Double)
        return case((func.btrim(value, BLANKS) == "", 0.0), else_=count)


def _called(operation: str, *given: Sql, type_: TypeEngine[Any] | None = None) -> Sql:
    """A function that SQLite gets from `server.sqlite_functions` and PostgreSQL from the migrations, by the same name."""
    called: Sql = getattr(func, function_name(operation))(*given, type_=type_ or Double())
    return called


def _format_date(tree: Apply, day: Sql) -> Sql:
    form = tree.arguments[1]
    written = str(form.value) if isinstance(form, Constant) else ""
    pieces = [piece for piece in re.split(r"(%[Yymnde])", written) if piece]
    shown = [
        func.to_char(day, _FORMATS[piece], type_=Text()) if piece in _FORMATS else literal(piece, Text())
        for piece in pieces
    ]
    joined: Sql = shown[0] if shown else literal("", Text())
    for piece in shown[1:]:
        joined = joined.concat(piece)
    return case((day.is_not(None), joined), else_=cast(null(), Text))


def _regex(tree: Apply, value: Sql) -> Sql:
    pattern = tree.arguments[1]
    written = str(pattern.value) if isinstance(pattern, Constant) else ""
    return value.regexp_match(f"^(?:{plain(written)})$")

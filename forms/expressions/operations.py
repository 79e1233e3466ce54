"""Operations: what each operation of a tree does to values that are known. The reference is JavaRosa (XPathFuncExpr and the
expressions beside it), the engine of ODK Collect. A result that is no value, such as a number that is not finite, is None.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Any, Final

from forms import values

LARGEST: Final = 1e150
"""Products of two numbers up to this are finite; a calculation beyond it has no value, in any reader."""
_DAY: Final = 86_400
_EPOCH: Final = date(1970, 1, 1)
_NUMBER: Final = re.compile(r"-?(?:[0-9]{1,150}(?:\.[0-9]{0,150})?|\.[0-9]{1,150})", re.ASCII)
_WHOLE: Final = 2**31
_MOST_DIGITS: Final = 15
_LEAST_DIGITS: Final = -400  # rounds every number to 0
_EXACT: Final = Context(prec=1000)  # as many digits as a number and its places may need


def _finite(value: float) -> float | None:
    return value if abs(value) <= LARGEST else None


def _plus(*terms: float) -> float | None:
    """The terms in their order; SQL hands over a long sum at once."""
    total = 0.0
    for term in terms:
        total += term
        if _finite(total) is None:
            return None
    return total


def _div(left: float, right: float) -> float | None:
    return None if right == 0 or abs(right) < 1 / LARGEST else _finite(left / right)


def _mod(left: float, right: float) -> float | None:
    return None if right == 0 else math.fmod(left, right)


def _pow(base: float, exponent: float) -> float | None:
    try:
        result = math.pow(base, exponent)
    except (OverflowError, ValueError):
        return None
    return _finite(result)


def _round(value: float, places: float = 0.0) -> float:
    if places > _MOST_DIGITS:
        return value
    step = max(int(places), _LEAST_DIGITS)
    written = Decimal(repr(float(value)))
    return float(written.quantize(Decimal(1).scaleb(-step), rounding=ROUND_HALF_UP, context=_EXACT))


def _number(text: str) -> float | None:
    stripped = text.strip()
    return _finite(float(stripped)) if _NUMBER.fullmatch(stripped) else None


def text(value: Any) -> str:
    """A number, a date or a boolean as JavaRosa writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    number = float(value)
    if number.is_integer() and abs(number) < _WHOLE:
        return str(int(number))
    return repr(number)


def _days(day: date) -> float:
    return float((day - _EPOCH).days)


def _from_days(days: float) -> date | None:
    try:
        return _EPOCH + timedelta(days=math.floor(days))
    except OverflowError:
        return None


def _date(text_: str) -> date | None:
    try:
        day: date = values.parse("date", text_)
    except values.MisfitError:
        return None
    return day


def _instant(moment: datetime) -> float:
    return moment.timestamp() / _DAY


def _substr(text_: str, start: float, end: float | None = None) -> str:
    length = len(text_)
    last = length if end is None else int(end)
    first = int(start)
    first = max(0, first + length if first < 0 else first)
    last = min(length, max(0, last + length if last < 0 else last))
    return text_[first:last]


def _translate(text_: str, letters: str, others: str) -> str:
    table: dict[int, str | None] = {}
    for at, letter in enumerate(letters):
        table.setdefault(ord(letter), others[at] if at < len(others) else None)
    return text_.translate(table)


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def _regex(text_: str, pattern: str) -> bool:
    return _pattern(pattern).fullmatch(text_) is not None


def _selected(chosen: str, code: str) -> bool:
    return code.strip() in chosen.split()


def _selected_at(chosen: str, index: float) -> str | None:
    codes = chosen.split()
    return codes[int(index)] if 0 <= int(index) < len(codes) else None


def _count_selected(chosen: str) -> float:
    return float(len(chosen.split()))


def _format_date(day: date, form: str) -> str:
    parts = {
        "%Y": f"{day.year:04d}",
        "%y": f"{day.year % 100:02d}",
        "%m": f"{day.month:02d}",
        "%n": str(day.month),
        "%d": f"{day.day:02d}",
        "%e": str(day.day),
    }
    return re.sub(r"%[Yymnde]", lambda match: parts[match[0]], form)


def _choice_name(code: str, labels: tuple[tuple[str, str], ...]) -> str:
    return dict(labels).get(code, code)


OPERATIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "plus": _plus,
    "minus": lambda left, right: _finite(left - right),
    "times": lambda left, right: _finite(left * right),
    "div": _div,
    "bounded": _finite,
    "mod": _mod,
    "neg": operator.neg,
    "abs": abs,
    "int": lambda value: float(math.trunc(value)),
    "round": _round,
    "pow": _pow,
    "min": min,
    "max": max,
    "number": _number,
    "text": text,
    "bit": float,
    "days": _days,
    "from-days": _from_days,
    "date": _date,
    "instant": _instant,
    "not": operator.not_,
    "string-length": lambda text_: float(len(text_)),
    "substr": _substr,
    "contains": lambda text_, part: part in text_,
    "starts-with": lambda text_, part: text_.startswith(part),
    "ends-with": lambda text_, part: text_.endswith(part),
    "concat": lambda *texts: "".join(texts),
    "translate": _translate,
    "regex": _regex,
    "selected": _selected,
    "selected-at": _selected_at,
    "count-selected": _count_selected,
    "format-date": _format_date,
    "choice-name": _choice_name,
}
"""Everything but the operations of `tree.LENIENT`, and `day`, which reads the text that an answer came as."""

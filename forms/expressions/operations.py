"""Operations: what each operation of a tree does to values that are known. The reference is JavaRosa (XPathFuncExpr and the
expressions beside it), the engine of ODK Collect. A result that is no value, such as a number that is not finite, is None.
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Any, Final

from forms import values
from forms.expressions.patterns import matches

LARGEST: Final = 1e150
"""Products of two numbers up to this are finite; a calculation beyond it has no value, in any reader."""
BLANKS: Final = " \t\n\r"
"""What stands around a number, a date or a choice without being part of it: the white space of XML, as Java trims it."""
_DAY: Final = 86_400
_EPOCH: Final = date(1970, 1, 1)
_NUMBER: Final = re.compile(r"-?(?:[0-9]{1,150}(?:\.[0-9]{0,150})?|\.[0-9]{1,150})", re.ASCII)
_BETWEEN: Final = re.compile(f"[{BLANKS}]+")
_WHOLE: Final = 2**31
_NOTHING: Final = 1e-12  # nearer to a whole number, a number is written as that
_PLAIN: Final = (1e-3, 1e7)  # what Java writes without a power of ten
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
    return None if abs(right) < 1 / LARGEST else _finite(left / right)


def _mod(left: float, right: float) -> float | None:
    return None if abs(right) < 1 / LARGEST else math.fmod(left, right)


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
    stripped = text.strip(BLANKS)
    return _finite(float(stripped)) if _NUMBER.fullmatch(stripped) else None


def text(value: Any) -> str:
    """A number, a date or a boolean as JavaRosa writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    number = float(value)
    whole = math.trunc(max(-_WHOLE, min(number, _WHOLE - 1)))
    if abs(number - whole) < _NOTHING:
        return str(whole)
    return repr(number) if _PLAIN[0] <= abs(number) < _PLAIN[1] else _with_power(number)


def _with_power(number: float) -> str:
    """As Java writes what is very large or very small: `1.25E-4`."""
    negative, given, power = Decimal(repr(number)).as_tuple()
    digits = "".join(map(str, given))
    told = digits.rstrip("0")
    return f"{'-' * negative}{told[0]}.{told[1:] or '0'}E{int(power) + len(digits) - 1}"


def _days(day: date) -> float:
    return float((day - _EPOCH).days)


def _from_days(days: float) -> date | None:
    try:
        return _EPOCH + timedelta(days=math.floor(days))
    except OverflowError:
        return None


def _date(text_: str) -> date | None:
    stripped = text_.strip(BLANKS)
    try:
        day: date = values.parse("date", stripped)
    except values.MisfitError:
        return None
    return day if stripped[:1].isdigit() else None  # other white space is no part of a date


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


def _codes(chosen: str) -> list[str]:
    return [code for code in _BETWEEN.split(chosen) if code]


def _selected(chosen: str, code: str) -> bool:
    return f" {code.strip(BLANKS)} " in f" {' '.join(_codes(chosen))} "


def _selected_at(chosen: str, index: float) -> str | None:
    codes = _codes(chosen)
    return codes[int(index)] if 0 <= int(index) < len(codes) else None


def _count_selected(chosen: str) -> float:
    return float(len(_codes(chosen)))


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


@lru_cache(maxsize=64)
def _labels(written: str) -> Mapping[str, str]:
    found: Mapping[str, str] = json.loads(written)
    return found


def _choice_name(code: str, labels: str) -> str:
    """`labels` are those of a list by the names of its choices, as JSON: SQL takes them as one value."""
    return _labels(labels).get(code, code)


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
    "regex": matches,
    "selected": _selected,
    "selected-at": _selected_at,
    "count-selected": _count_selected,
    "format-date": _format_date,
    "choice-name": _choice_name,
}
"""Everything but the operations of `tree.LENIENT`, and `day`, which reads the text that an answer came as."""

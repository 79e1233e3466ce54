"""Quantiles of Student's t, on nothing but Python's own mathematics."""

from __future__ import annotations

import math
from functools import lru_cache

_SMALL = 1e-300
_STEPS = 100_000


@lru_cache(maxsize=1024)
def t_quantile(p: float, df: float) -> float:
    """The value that Student's t with `df` degrees of freedom (≥ 1) stays under with probability `p` (0 < p < 1).

    The tail is P(T > t) = ½ I(df ÷ (df + t²); df ÷ 2, ½), with the regularised incomplete beta function I (Abramowitz &
    Stegun, Handbook of Mathematical Functions, 26.7.1; NIST DLMF 8.17), and is inverted by Newton's steps inside a
    bracket that is halved where a step would leave it. Right to about 1e-12 of the value. Raises ValueError.
    """
    if not 0 < p < 1 or not 1 <= df < math.inf:
        raise ValueError(f"no t quantile of probability {p} with {df} degrees of freedom")
    if p == 0.5:
        return 0.0
    tail = min(p, 1 - p)
    low, high = 0.0, 1.0
    while _tail(high, df) > tail:
        low, high = high, high * 2
    value = (low + high) / 2
    for _ in range(200):
        over = _tail(value, df) - tail
        if over > 0:
            low = value
        else:
            high = value
        step = over / _density(value, df)
        nearer = value + step
        if not low < nearer < high:
            nearer = (low + high) / 2
        if abs(nearer - value) <= 4e-16 * value:
            value = nearer
            break
        value = nearer
    return value if p > 0.5 else -value


def _tail(t: float, df: float) -> float:
    """P(T > t) for t ≥ 0."""
    x, y = df / (df + t * t), t * t / (df + t * t)
    return beta(x, y, df / 2, 0.5) / 2


def _density(t: float, df: float) -> float:
    return math.exp(_log_gamma_ratio(df / 2) - 0.5 * math.log(df * math.pi) - (df + 1) / 2 * math.log1p(t * t / df))


def beta(x: float, y: float, a: float, b: float) -> float:
    """The regularised incomplete beta function at `x`, where `y` is 1 − x, for b = ½ or a = ½ (NIST DLMF 8.17.22)."""
    if x <= 0:
        return 0.0
    if y <= 0:
        return 1.0
    larger = b if a == 0.5 else a
    front = math.exp(a * math.log(x) + b * math.log(y) + _log_gamma_ratio(larger) - 0.5 * math.log(math.pi))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(y, b, a) / b


def _log_gamma_ratio(a: float) -> float:
    """ln Γ(a + ½) − ln Γ(a); by its series where the difference of two large logarithms would lose digits."""
    if a < 50:
        return math.lgamma(a + 0.5) - math.lgamma(a)
    return 0.5 * math.log(a) - 1 / (8 * a) + 1 / (192 * a**3) - 1 / (640 * a**5) + 17 / (14336 * a**7)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of DLMF 8.17.22, by Lentz's method as Thompson and Barnett changed it."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _STEPS):
        for part in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away(1 + part * d)
            c = _away(1 + part / c)
            found *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return found


def _away(number: float) -> float:
    """`number`, never so near to 0 that it cannot divide."""
    return number if abs(number) > _SMALL else _SMALL

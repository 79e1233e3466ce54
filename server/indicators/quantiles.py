"""Medians and other quantiles, of weighted and of unweighted values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Final

_NEAR: Final = Fraction(1, 10**12)
"""What a share may lack, as a part of it, and count as reached: 0.1 + 0.2 of 0.6 is a half."""


class Distribution:
    """Weighted values in order; `quantile` gives the first whose cumulative weight reaches a share of the whole.

    Weights are added without rounding, so that neither their order nor their unit matters. Raises ValueError where there
    are not as many weights as values, or where all weights together are not above 0.
    """

    def __init__(self, values: Sequence[float], weights: Sequence[float]) -> None:
        pairs = sorted(zip(values, weights, strict=True))
        self._values = [value for value, _ in pairs]
        self._reached = list(accumulate(_whole([weight for _, weight in pairs])))
        if not self._reached or self._reached[-1] <= 0:
            raise ValueError("no weight")

    def quantile(self, p: float) -> float:
        """The value at the share `p`, 0 to 1; raises ValueError for anything else."""
        needed = max(math.ceil(_share(p) * self._reached[-1] * (1 - _NEAR)), 1)
        return next(value for value, reached in zip(self._values, self._reached, strict=True) if reached >= needed)


def weighted_quantile(values: Sequence[float], weights: Sequence[float] | None, p: float) -> float | None:
    """The value under which lies the share `p` (0 to 1) of `values`; None where there are none, or no weight.

    Weighted: the first value, in order, whose cumulative weight reaches `p` of the whole. Unweighted: so too, but where
    a value reaches it to the dot, the mean of that value and the next: the median of an even number is the mean of the
    two in the middle. Raises ValueError where `p` is no share, or there are not as many weights as values.
    """
    if weights is None:
        return _unweighted(sorted(values), _share(p)) if values else None
    if math.fsum(weights) <= 0:
        return None
    return Distribution(values, weights).quantile(p)


def median(values: Sequence[float], weights: Sequence[float] | None = None) -> float | None:
    """The value in the middle; see `weighted_quantile`."""
    return weighted_quantile(values, weights, 0.5)


def _unweighted(ordered: Sequence[float], p: Fraction) -> float:
    place = p * len(ordered)
    whole = round(place)
    if abs(place - whole) > _NEAR * len(ordered):
        return ordered[math.ceil(place) - 1]
    if whole in (0, len(ordered)):
        return ordered[max(whole, 1) - 1]
    return _middle(ordered[whole - 1], ordered[whole])


def _share(p: float) -> Fraction:
    if not 0 <= p <= 1:
        raise ValueError(f"{p} is no share")
    return Fraction(p)


def _middle(low: float, high: float) -> float:
    """The mean of two numbers, however large."""
    return low / 2 + high / 2 if math.isinf(low + high) else (low + high) / 2


def _whole(weights: Sequence[float]) -> list[int]:
    """Whole numbers in the proportions of `weights`, without rounding."""
    ratios = [weight.as_integer_ratio() for weight in weights]
    common = math.lcm(*(under for _, under in ratios))
    return [over * (common // under) for over, under in ratios]

"""Medians and other quantiles, of weighted and of unweighted values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

_NEAR: Final = 1e-9
"""What a share may lack, as a part of the whole, and count as reached: 0.1 + 0.2 of 0.6 is a half."""


class Distribution:
    """Weighted values in order; `quantile` gives the first whose cumulative weight reaches a share of the whole.

    Neither the order of the values nor the unit of the weights matters. Raises ValueError where there are not as many
    weights as values, or where all weights together are not above 0.
    """

    def __init__(self, values: Sequence[float], weights: Sequence[float]) -> None:
        if len(values) != len(weights) or math.fsum(weights) <= 0:
            raise ValueError(f"{len(values)} values with {len(weights)} weights, {math.fsum(weights)} together")
        order = sorted(range(len(values)), key=values.__getitem__)
        self._values = [values[place] for place in order]
        self._reached = list(accumulate(weights[place] for place in order))

    def quantile(self, p: float) -> float:
        """The value at the share `p`, 0 to 1; raises ValueError for anything else."""
        whole = self._reached[-1]
        needed = max(_share(p) * whole - _NEAR * whole, 5e-324)  # what has no weight is nobody's value
        reaching = (value for value, reached in zip(self._values, self._reached, strict=True) if reached >= needed)
        return next(reaching, self._values[-1])


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


def _unweighted(ordered: Sequence[float], p: float) -> float:
    place = p * len(ordered)
    whole = round(place)
    if abs(place - whole) > _NEAR * len(ordered):
        return ordered[math.ceil(place) - 1]
    if whole in (0, len(ordered)):
        return ordered[max(whole, 1) - 1]
    return _middle(ordered[whole - 1], ordered[whole])


def _share(p: float) -> float:
    if not 0 <= p <= 1:
        raise ValueError(f"{p} is no share")
    return p


def _middle(low: float, high: float) -> float:
    """The mean of two numbers, however large."""
    return low / 2 + high / 2 if math.isinf(low + high) else (low + high) / 2

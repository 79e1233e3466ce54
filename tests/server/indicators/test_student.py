"""Quantiles of Student's t: printed tables, closed forms, and the integral of the density."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.indicators.student import t_quantile

TABLE = {  # two-sided 90, 95, 99 and 99.9 %
    1: (6.3138, 12.7062, 63.6567, 636.6192),
    2: (2.9200, 4.3027, 9.9248, 31.5991),
    3: (2.3534, 3.1824, 5.8409, 12.9240),
    4: (2.1318, 2.7764, 4.6041, 8.6103),
    5: (2.0150, 2.5706, 4.0321, 6.8688),
    10: (1.8125, 2.2281, 3.1693, 4.5869),
    20: (1.7247, 2.0860, 2.8453, 3.8495),
    30: (1.6973, 2.0423, 2.7500, 3.6460),
    60: (1.6706, 2.0003, 2.6603, 3.4602),
    120: (1.6577, 1.9799, 2.6174, 3.3735),
}


@pytest.mark.parametrize("df", TABLE)
def test_it_gives_the_printed_table(df: int):
    assert tuple(round(t_quantile(p, df), 4) for p in (0.95, 0.975, 0.995, 0.9995)) == TABLE[df]


@pytest.mark.parametrize("p", [0.5001, 0.6, 0.75, 0.9, 0.975, 0.999, 0.9999999])
def test_it_gives_the_closed_forms_of_1_2_and_4_degrees(p: float):
    spread = 4 * p * (1 - p)
    bent = math.cos(math.acos(math.sqrt(spread)) / 3) / math.sqrt(spread)

    assert t_quantile(p, 1) == pytest.approx(1 / math.tan(math.pi * (1 - p)), rel=1e-11)
    assert t_quantile(p, 2) == pytest.approx((2 * p - 1) / math.sqrt(2 * p * (1 - p)), rel=1e-11)
    assert t_quantile(p, 4) == pytest.approx(2 * math.sqrt(bent - 1), rel=1e-9)


@pytest.mark.parametrize("df", [3, 7, 49, 50, 99, 100, 101, 250])
def test_the_density_below_it_integrates_to_the_probability(df: int):
    value, steps = t_quantile(0.975, df), 2000
    front = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
    heights = [front * (1 + (value * i / steps) ** 2 / df) ** (-(df + 1) / 2) for i in range(steps + 1)]
    simpson = heights[0] + heights[-1] + 4 * sum(heights[1:-1:2]) + 2 * sum(heights[2:-1:2])

    assert 0.5 + simpson * value / steps / 3 == pytest.approx(0.975, abs=1e-12)


def test_it_comes_near_the_normal_distribution():
    assert t_quantile(0.975, 10**7) == pytest.approx(1.959963984540054, abs=1e-6)
    assert t_quantile(0.975, 200_000) == pytest.approx(1.959963984540054 + (1.96**3 + 1.96) / 800_000, abs=1e-9)


@given(st.floats(0.001, 0.999), st.integers(1, 5000))
def test_it_is_symmetric_and_grows(p: float, df: int):
    assert t_quantile(p, df) == pytest.approx(-t_quantile(1 - p, df), rel=1e-9, abs=1e-12)
    assert t_quantile(p, df) < t_quantile(p + 0.0005, df)


def test_the_middle_is_nought():
    assert t_quantile(0.5, 3) == 0


@pytest.mark.parametrize(("p", "df"), [(0, 3), (1, 3), (0.975, 0), (0.975, -1), (0.975, math.inf), (math.nan, 3)])
def test_what_has_no_quantile_is_refused(p: float, df: float):
    with pytest.raises(ValueError, match="no t quantile"):
        t_quantile(p, df)

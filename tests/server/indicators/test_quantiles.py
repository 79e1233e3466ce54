"""Medians and other quantiles."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.indicators.quantiles import median, weighted_quantile

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)
WEIGHTED = st.lists(st.tuples(st.integers(-20, 20), st.integers(0, 50)), min_size=1, max_size=30).filter(
    lambda pairs: any(weight for _, weight in pairs)
)


@pytest.mark.parametrize(
    ("values", "weights", "middle"),
    [
        ([5, 1, 3], None, 3),
        ([5, 1, 3, 4], None, 3.5),
        ([7], None, 7),
        ([], None, None),
        ([], [], None),
        ([1, 2], [0, 0], None),
        ([1, 2, 3], [1, 1, 1], 2),
        ([1, 2, 3, 4], [1, 1, 1, 1], 2),  # the first that reaches half
        ([30, 10, 20], [1, 5, 1], 10),
        ([10, 20, 30], [1, 1, 5], 30),
        ([10, 20, 30], [0.1, 0.2, 0.3], 20),  # 0.1 + 0.2 is half of 0.6, though not in binary
        ([10, 20, 30], [0.3, 0.1, 0.2], 10),
        ([1, 2], [0, 3], 2),
    ],
)
def test_the_median_is_the_one_of_the_contract(values: list[float], weights: list[float] | None, middle: float | None):
    assert median(values, weights) == middle


@pytest.mark.parametrize(("p", "quantile"), [(0, 1), (0.1, 1.5), (0.25, 3), (0.3, 3.5), (0.31, 4), (0.9, 9.5), (1, 10)])
def test_a_share_reached_to_the_dot_gives_the_mean_of_two(p: float, quantile: float):
    assert weighted_quantile(range(1, 11), None, p) == quantile


@given(NUMBERS)
def test_without_weights_it_is_the_usual_median(values: list[float]):
    assert median(values) == statistics.median(values)


@given(WEIGHTED, st.sampled_from([0.05, 0.25, 0.5, 0.75, 0.95]))
def test_a_whole_weight_is_so_many_units(pairs: list[tuple[int, int]], p: float):
    repeated = sorted(value for value, weight in pairs for _ in range(weight))
    reaching = next(
        value for place, value in enumerate(repeated, start=1) if place * 20 >= round(p * 20) * len(repeated)
    )

    assert weighted_quantile([value for value, _ in pairs], [weight for _, weight in pairs], p) == reaching


@given(WEIGHTED, st.randoms(use_true_random=False), st.sampled_from([1e-9, 0.1, 1 / 3, 7.7, 1e12]))
def test_neither_order_nor_unit_of_the_weights_matters(pairs: list[tuple[int, int]], random, unit: float):
    shuffled = random.sample(pairs, len(pairs))
    scaled = [weight * unit for _, weight in shuffled]

    assert median([value for value, _ in shuffled], scaled) == median([v for v, _ in pairs], [w for _, w in pairs])


@pytest.mark.parametrize("weights", [None, [1.0]])
@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_what_is_no_share_is_refused(p: float, weights: list[float] | None):
    with pytest.raises(ValueError, match="is no share"):
        weighted_quantile([1.0], weights, p)


def test_large_numbers_have_a_middle():
    assert median([1.7e308, 1.7e308]) == 1.7e308

"""Estimates from surveys, against a sample computed elsewhere, textbook formulas and replicates."""

from __future__ import annotations

import csv
import io
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.problems import Sentence
from server.indicators.estimates import Estimate, Psu, combine, median_interval, ratio, slopes, total
from server.indicators.quantiles import weighted_quantile
from server.indicators.student import t_quantile

SAMPLE = """stratum,psu,weight,y
A,a1,30,1
A,a1,30,0
A,a1,60,1
A,a2,45,0
A,a2,45,1
A,a2,90,1
A,a3,50,0
A,a3,50,0
B,b1,20,1
B,b1,40,1
B,b2,25,0
B,b2,25,1
B,b2,50,0
B,b3,35,1
B,b3,35,1
B,b3,70,0
"""


@dataclass(frozen=True)
class Unit:
    """One unit of a sample: its PSU, weight, value, and whether it is in the domain."""

    psu: Psu
    weight: float
    y: float
    inside: bool = True


def sums(units: Sequence[Unit], of: Callable[[Unit], float]) -> dict[Psu, float]:
    """Weighted sums per PSU, of the PSUs that have units in the domain."""
    found: dict[Psu, float] = {}
    for unit in units:
        if unit.inside:
            found[unit.psu] = found.get(unit.psu, 0.0) + unit.weight * of(unit)
    return found


def design(units: Sequence[Unit]) -> list[Psu]:
    return sorted({unit.psu for unit in units})


def mean(units: Sequence[Unit], *, proportion: bool = False) -> Estimate:
    return ratio(sums(units, lambda u: u.y), sums(units, lambda _: 1), design(units), proportion=proportion)


def rounded(estimate: Estimate, digits: int = 6) -> tuple[float | None, ...]:
    numbers = (estimate.value, estimate.se, estimate.low, estimate.high)
    return tuple(None if number is None else round(number, digits) for number in numbers)


READ = [
    Unit(Psu(row["stratum"], row["psu"]), float(row["weight"]), float(row["y"]))
    for row in csv.DictReader(io.StringIO(SAMPLE))
]


def test_a_proportion_of_a_known_sample():
    found = mean(READ, proportion=True)

    assert rounded(found) == (0.542857, 0.141708, pytest.approx(0.1957, abs=5e-5), pytest.approx(0.8529, abs=5e-5))
    assert (found.df, found.note) == (4, None)
    assert round(t_quantile(0.975, found.df), 4) == 2.7764


def test_the_same_as_a_mean_has_a_straight_interval():
    assert rounded(mean(READ), 4) == (0.5429, 0.1417, 0.1494, 0.9363)


def test_a_percentage_is_a_hundred_times_the_proportion():
    proportion = mean(READ, proportion=True)
    percent = proportion.times(100)

    assert rounded(percent, 4) == (54.2857, 14.1708, 19.567, 85.2868)
    assert percent.z == {psu: 100 * one for psu, one in proportion.z.items()}
    assert rounded(proportion.times(-1)) == (-0.542857, 0.141708, -0.852868, -0.19567)


def test_what_is_left_out_of_the_domain_keeps_its_psu():
    women = [Unit(unit.psu, unit.weight, unit.y, inside=unit.psu.psu != "a3") for unit in READ]
    dropped = [unit for unit in women if unit.inside]

    assert mean(women).df == 4
    assert mean(dropped).df == 3
    assert mean(women).value == mean(dropped).value
    assert mean(women).se != mean(dropped).se
    assert rounded(mean(women)) == rounded(by_the_book(women))


def by_the_book(units: Sequence[Unit]) -> Estimate:
    """The mean of a domain, its variance summed unit by unit as in a textbook."""
    weight = sum(unit.weight for unit in units if unit.inside)
    value = sum(unit.weight * unit.y for unit in units if unit.inside) / weight
    variance, psus = 0.0, design(units)
    for stratum in {psu.stratum for psu in psus}:
        ones = [
            sum(u.weight * (u.y - value) / weight for u in units if u.inside and u.psu == psu)
            for psu in psus
            if psu.stratum == stratum
        ]
        middle = sum(ones) / len(ones)
        variance += len(ones) / (len(ones) - 1) * sum((one - middle) ** 2 for one in ones)
    df = len(psus) - len({psu.stratum for psu in psus})
    reach = t_quantile(0.975, df) * math.sqrt(variance)
    return Estimate(value, math.sqrt(variance), value - reach, value + reach, df)


@st.composite
def samples(draw: st.DrawFn, y: st.SearchStrategy[float] | None = None) -> list[Unit]:
    """Samples of one to three strata of two to four PSUs, with at least one unit in the domain."""
    ys = y if y is not None else st.integers(-50, 50).map(float)
    units = []
    for stratum in range(draw(st.integers(1, 3))):
        for number in range(draw(st.integers(2, 4))):
            psu = Psu(f"s{stratum}", f"p{number}")
            for _ in range(draw(st.integers(1, 4))):
                units.append(Unit(psu, draw(st.integers(1, 90)) / 4, draw(ys), draw(st.booleans())))
    return [*units, Unit(units[0].psu, 1.0, draw(ys))]


def close(one: Estimate, other: Estimate) -> bool:
    """Whether two estimates are the same but for rounding."""
    numbers = zip((one.value, one.se, one.low, one.high), (other.value, other.se, other.low, other.high), strict=True)
    return one.df == other.df and all(
        a is b if a is None or b is None else math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) for a, b in numbers
    )


@given(samples())
def test_every_mean_is_that_of_the_textbook(units: list[Unit]):
    found = mean(units)

    if len({unit.psu for unit in units if unit.inside}) > 1:
        assert close(found, by_the_book(units))
    else:
        assert (found.value, found.se) == (pytest.approx(by_the_book(units).value), None)


@given(samples(), st.randoms(use_true_random=False), st.sampled_from([0.001, 3.0, 1e9]))
def test_neither_the_order_of_units_nor_the_unit_of_weights_matters(
    units: list[Unit], chance: random.Random, unit: float
):
    shuffled = [Unit(u.psu, u.weight * unit, u.y, u.inside) for u in chance.sample(units, len(units))]

    assert close(mean(shuffled), mean(units))


@given(samples(st.sampled_from([0.0, 1.0])))
def test_the_interval_of_a_proportion_stays_within_0_and_1(units: list[Unit]):
    found = mean(units, proportion=True)

    if found.low is None or found.high is None or found.value is None:
        assert found.value in {0.0, 1.0} or len({unit.psu for unit in units if unit.inside}) == 1
    else:
        assert 0 <= found.low <= found.value <= found.high <= 1


@given(samples())
def test_the_variance_of_a_total_is_that_of_leaving_out_one_psu_after_another(units: list[Unit]):
    psus, held = design(units), sums(units, lambda u: u.y)
    whole, variance = sum(held.values()), 0.0
    for gone in psus:
        n = sum(psu.stratum == gone.stratum for psu in psus)
        replicate = sum(
            held.get(psu, 0.0) * (n / (n - 1) if psu.stratum == gone.stratum else 1) for psu in psus if psu != gone
        )
        variance += (n - 1) / n * (replicate - whole) ** 2
    found = total(held, psus)

    assert found.value == pytest.approx(whole, abs=1e-9)
    assert found.se == pytest.approx(math.sqrt(variance), abs=1e-6)


def test_the_error_of_a_ratio_is_near_that_of_leaving_out_one_psu_after_another():
    chance = random.Random(5)
    units = [
        Unit(Psu(f"s{stratum}", f"p{number}"), chance.uniform(1, 3), chance.gauss(10 + number % 5, 3))
        for stratum in range(4)
        for number in range(40)
        for _ in range(5)
    ]
    over, under, psus = sums(units, lambda u: u.y), sums(units, lambda _: 1), design(units)
    whole, variance = sum(over.values()) / sum(under.values()), 0.0
    for gone in psus:
        factors = {psu: (40 / 39 if psu.stratum == gone.stratum else 1) * (psu != gone) for psu in psus}
        replicate = sum(over[psu] * factors[psu] for psu in psus) / sum(under[psu] * factors[psu] for psu in psus)
        variance += 39 / 40 * (replicate - whole) ** 2

    assert mean(units).se == pytest.approx(math.sqrt(variance), rel=0.01)


@given(samples())
def test_a_ratio_is_a_formula_over_two_totals(units: list[Unit]):
    over = total(sums(units, lambda u: u.y), design(units))
    under = total(sums(units, lambda _: 1), design(units))
    values = [over.value or 0.0, under.value or 0.0]
    quotient = values[0] / values[1]

    exact = combine(quotient, [over, under], [1 / values[1], -quotient / values[1]])
    numeric = combine(quotient, [over, under], slopes(lambda v: v[0] / v[1], values))

    if len({unit.psu for unit in units if unit.inside}) > 1:
        assert close(exact, mean(units))
    assert numeric.se == pytest.approx(exact.se, rel=1e-6, abs=1e-9)


def test_the_difference_of_two_groups_takes_what_they_share_into_account():
    women = [Unit(u.psu, u.weight, u.y, inside=place % 2 == 0) for place, u in enumerate(READ)]
    men = [Unit(u.psu, u.weight, u.y, inside=place % 2 == 1) for place, u in enumerate(READ)]
    one, other = mean(women, proportion=True), mean(men, proportion=True)
    gap = combine((one.value or 0) - (other.value or 0), [one, other], [1, -1])
    together = sum(
        3 / 2 * sum((z - sum(zs) / 3) ** 2 for z in zs)
        for stratum in "AB"
        for zs in [[one.z.get(psu, 0.0) - other.z.get(psu, 0.0) for psu in design(READ) if psu.stratum == stratum]]
    )

    assert gap.se == pytest.approx(math.sqrt(together))
    assert gap.df == 4


def test_twice_an_indicator_has_twice_its_error_and_less_itself_none():
    one = mean(READ, proportion=True)

    assert combine(2 * 0.542857, [one, one], [1, 1]).se == pytest.approx(2 * 0.141708, abs=1e-6)
    assert combine(0.0, [one, one], [1, -1]).se == pytest.approx(0, abs=1e-15)


def test_indicators_of_two_samples_give_a_formula_without_an_error():
    other = mean([Unit(Psu("C", unit.psu.psu), unit.weight, unit.y) for unit in READ])
    found = combine(1.0, [mean(READ), other], [1, 1])

    assert rounded(found) == (1, None, None, None)
    assert found.note == Sentence(
        "Sin error estándar ni intervalo: los indicadores de la fórmula no vienen de la misma muestra.",
        "No standard error and no interval: the indicators of the formula do not come from one sample.",
    )


def test_a_formula_with_a_jump_or_without_value_has_no_error():
    assert slopes(lambda _: None, [1.0]) is None
    assert rounded(combine(1.0, [mean(READ)], None)) == (1, None, None, None)
    assert combine(1.0, [mean(READ)], None).note is not None
    assert rounded(combine(None, [mean(READ)], [1])) == (None, None, None, None)
    assert combine(1.0, [], []) == Estimate(1.0, None, None, None, 0)


def test_slopes_are_those_of_calculus():
    assert slopes(lambda v: v[0] ** 2 / v[1], [3.0, 2.0]) == pytest.approx((3, -2.25), rel=1e-9)
    assert slopes(lambda v: 5 * v[0] + 1, [0.0]) == pytest.approx((5,), rel=1e-9)


def test_a_stratum_with_a_single_psu_gives_no_error_and_says_why():
    alone = [*READ, Unit(Psu("C", "c1"), 10, 1)]
    found = mean(alone, proportion=True)

    assert rounded(found, 4) == (0.5493, None, None, None)
    assert found.df == 4
    assert found.note == Sentence(
        "Sin error estándar ni intervalo: el estrato «C» tiene un solo conglomerado (UPM) y hacen falta dos.",
        "No standard error and no interval: stratum “C” has a single cluster (PSU) and two are needed.",
    )
    assert combine(found.value, [found], [1]).note == found.note


def test_units_that_all_lie_in_one_psu_give_no_error_and_say_why():
    one = [Unit(unit.psu, unit.weight, unit.y, inside=unit.psu.psu == "a1") for unit in READ]
    found = mean(one, proportion=True)

    assert rounded(found) == (0.75, None, None, None)
    assert found.note == Sentence(
        "Sin error estándar ni intervalo: todas las unidades están en un solo conglomerado (UPM) y hacen falta dos.",
        "No standard error and no interval: all units lie in a single cluster (PSU) and two are needed.",
    )


def test_of_many_strata_with_a_single_psu_three_are_named():
    units = [Unit(Psu(stratum, "1"), 10, float(place % 2)) for place, stratum in enumerate("ABCDE")]
    found = mean(units)

    assert (found.se, found.df) == (None, 0)
    assert found.note == Sentence(
        "Sin error estándar ni intervalo: los estratos «A», «B», «C» y 2 más tienen un solo conglomerado (UPM) cada uno y "
        "hacen falta dos.",
        "No standard error and no interval: strata “A”, “B”, “C” and 2 more have a single cluster (PSU) each and two "
        "are needed.",
    )


@pytest.mark.parametrize("answer", [0.0, 1.0])
def test_a_proportion_of_none_or_all_has_no_interval_and_says_why(answer: float):
    units = [Unit(unit.psu, 0.1 * unit.weight, answer) for unit in READ]
    found = mean(units, proportion=True)

    assert rounded(found) == (answer, 0, None, None)
    assert found.note == Sentence(
        "Sin intervalo: todas las unidades de la muestra dieron la misma respuesta.",
        "No interval: all units of the sample gave the same answer.",
    )
    assert combine(found.value, [found], [1]) == found


def test_without_a_denominator_there_is_no_value():
    outside = [Unit(unit.psu, unit.weight, unit.y, inside=False) for unit in READ]

    assert rounded(mean(outside)) == (None, None, None, None)
    assert mean(outside).note is not None
    assert rounded(total({}, design(READ))) == (0, 0, 0, 0)
    assert rounded(total({}, [])) == (0, None, None, None)


def test_a_design_that_lacks_a_psu_or_has_it_twice_is_refused():
    with pytest.raises(ValueError, match="the design lacks"):
        total({Psu("A", "a1"): 1.0}, [Psu("A", "a2")])
    with pytest.raises(ValueError, match="twice"):
        total({}, [Psu("A", "a2"), Psu("A", "a2")])


def medians(units: Sequence[Unit]) -> Estimate:
    inside = [unit for unit in units if unit.inside]
    return median_interval(
        [unit.y for unit in inside], [unit.weight for unit in inside], [unit.psu for unit in inside], design(units)
    )


def test_the_interval_of_a_median_is_read_back_from_that_of_the_proportion_below_it():
    chance = random.Random(3)
    units = [
        Unit(Psu(f"s{number % 2}", f"p{number % 10}"), chance.uniform(1, 2), chance.lognormvariate(3, 1))
        for number in range(300)
    ]
    values, weights = [unit.y for unit in units], [unit.weight for unit in units]
    middle = weighted_quantile(values, weights, 0.5)
    below = mean([Unit(u.psu, u.weight, float(middle is not None and u.y <= middle)) for u in units])
    reach = t_quantile(0.975, 8) * (below.se or 0) * 4
    low = weighted_quantile(values, weights, 1 / (1 + math.exp(reach)))
    high = weighted_quantile(values, weights, 1 / (1 + math.exp(-reach)))
    found = medians(units)

    assert (found.value, found.low, found.high, found.df) == (middle, low, high, 8)
    assert found.se == ((high or 0) - (low or 0)) / (2 * t_quantile(0.975, 8))
    assert combine(found.value, [found], [1]).se == pytest.approx(found.se)
    assert low is not None
    assert middle is not None
    assert high is not None
    assert low < middle < high


@given(samples())
def test_a_median_lies_in_its_interval(units: list[Unit]):
    found = medians(units)

    assert found.value is not None
    if found.low is not None and found.high is not None:
        assert found.low <= found.value <= found.high
        assert found.se == pytest.approx((found.high - found.low) / (2 * t_quantile(0.975, found.df)))
    else:
        one_psu = len({unit.psu for unit in units if unit.inside}) == 1
        assert one_psu or len({unit.y for unit in units if unit.inside}) == 1
        assert found.se == (None if one_psu else 0)


def test_a_median_that_most_units_share_at_the_top_still_has_an_interval():
    units = [Unit(unit.psu, 1.0, 10.0 if place % 3 else float(place)) for place, unit in enumerate(READ)]

    assert rounded(medians(units), 3)[0] == 10
    assert medians(units).note is None
    assert medians(units).high == 10


def test_a_median_of_nobody_has_no_value_and_of_lone_psus_no_error():
    outside = [Unit(unit.psu, unit.weight, unit.y, inside=False) for unit in READ]
    alone = [*READ, Unit(Psu("C", "c1"), 10, 1)]

    assert rounded(medians(outside)) == (None, None, None, None)
    assert rounded(medians(alone)) == (1, None, None, None)
    assert medians(alone).note == mean(alone).note

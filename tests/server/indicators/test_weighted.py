"""Weighted estimates all the way from a phone's answers to the interval; domains keep every PSU of the sample."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import accumulate

import pytest

from server.indicators.values import Figure
from tests.server.desk import Desk, form
from tests.server.indicators.measuring import declare, figures, send
from tests.server.wire import Wire

# stratum, psu, weight, y: test-vector-weighted-proportion of the project's specification, checked against samplics 0.6.1
VECTOR = (
    ("A", "a1", 30, 1), ("A", "a1", 30, 0), ("A", "a1", 60, 1), ("A", "a2", 45, 0),
    ("A", "a2", 45, 1), ("A", "a2", 90, 1), ("A", "a3", 50, 0), ("A", "a3", 50, 0),
    ("B", "b1", 20, 1), ("B", "b1", 40, 1), ("B", "b2", 25, 0), ("B", "b2", 25, 1),
    ("B", "b2", 50, 0), ("B", "b3", 35, 1), ("B", "b3", 35, 1), ("B", "b3", 70, 0),
)  # fmt: skip
SEXES = "fmffmfmffmfmfmff"
PLACES_OF = {"a1": "d1", "a2": "d1", "a3": "d2", "b1": "d3", "b2": "d3", "b3": "d2"}
SURVEY = form(
    "encuesta",
    """
| | type | name | label |
| | text | estrato | E |
| | text | upm | U |
| | decimal | peso | P |
| | select_one sn | y | Y |
| | decimal | gasto | G |
| | select_one sexo | sexo | S |
| | text | lugar | L |
""",
    choices="""
| | list_name | name | label |
| | sn | 1 | Sí |
| | sn | 0 | No |
| | sexo | f | Mujer |
| | sexo | m | Hombre |
""",
)
LOGFRAME = """
| indicators |
| | name | label | form | type | numerator | denominator | value | weight | strata | psu | place | disaggregate |
| | P | Sí | encuesta | percent | ${y} = '1' | | | ${peso} | ${estrato} | ${upm} | ${lugar} | sexo |
| | M | Gasto | encuesta | mean | | | ${gasto} | ${peso} | ${estrato} | ${upm} | ${lugar} | sexo |
| | T | Total | encuesta | sum | | | ${gasto} | ${peso} | ${estrato} | ${upm} | ${lugar} | sexo |
| | C | Cuántos | encuesta | count | ${y} = '1' | | | ${peso} | ${estrato} | ${upm} | ${lugar} | sexo |
| | R | Razón | encuesta | ratio | ${gasto} | ${gasto} + 1 | | ${peso} | ${estrato} | ${upm} | ${lugar} | sexo |
| | ME | Mediana | encuesta | median | | | ${gasto} | ${peso} | | | ${lugar} | sexo |
| | ME1 | Mediana | encuesta | median | | | ${gasto} | 1 | | | ${lugar} | sexo |
| | MES | Mediana | encuesta | median | | | ${gasto} | | | | ${lugar} | sexo |
| | U | Sin estratos | encuesta | percent | ${y} = '1' | | | ${peso} | | ${upm} | ${lugar} | sexo |
| | F | Doble | | formula | | | 2 * {P} | | | | | |
| places |
| | code | parent | level | label |
| | p1 | | province | P1 |
| | p2 | | province | P2 |
| | d1 | p1 | district | D1 |
| | d2 | p2 | district | D2 |
| | d3 | p2 | district | D3 |
"""
Unit = tuple[str, str, float, float, float, str, str]
"""Stratum, PSU, weight, y, spending, sex, district."""


def units() -> list[Unit]:
    return [
        (stratum, psu, float(weight), float(y), 10.0 + 3 * number - 5 * (number % 3), SEXES[number], PLACES_OF[psu])
        for number, (stratum, psu, weight, y) in enumerate(VECTOR)
    ]


def answer(unit: Unit) -> str:
    stratum, psu, weight, y, spent, sex, place = unit
    return (
        f"<estrato>{stratum}</estrato><upm>{psu}</upm><peso>{weight}</peso><y>{y:.0f}</y><gasto>{spent}</gasto>"
        f"<sexo>{sex}</sexo><lugar>{place}</lugar>"
    )


@pytest.fixture
def surveyed(desk: Desk, phone: Wire) -> Desk:
    """The test vector, sent by a phone."""
    desk.publish(SURVEY)
    declare(desk, LOGFRAME)
    for unit in units():
        send(phone, "encuesta", answer(unit))
    assert desk.failures() == []
    return desk


def one(desk: Desk, name: str, **asked: object) -> Figure:
    (figure,) = figures(desk, name, period="all", **asked)
    return figure


def brute(all_units: list[Unit], domain: list[Unit], *, total: bool = False, column: int = 3) -> tuple[float, float]:
    """The estimate and its standard error: z of each PSU by hand, 0 where it has no unit of the domain."""
    weight = math.fsum(unit[2] for unit in domain)
    value = math.fsum(unit[2] * unit[column] for unit in domain)
    mean = value / weight
    z: dict[tuple[str, str], float] = {(unit[0], unit[1]): 0.0 for unit in all_units}
    for unit in domain:
        z[unit[0], unit[1]] += unit[2] * unit[column] if total else unit[2] * (unit[column] - mean) / weight
    strata = defaultdict(list)
    for (stratum, _), part in z.items():
        strata[stratum].append(part)
    variance = sum(
        len(parts) / (len(parts) - 1) * sum((part - sum(parts) / len(parts)) ** 2 for part in parts)
        for parts in strata.values()
    )
    return (value if total else mean), math.sqrt(variance)


def same(figure: Figure, expected: tuple[float, float], factor: float = 1.0) -> None:
    assert figure.estimate is not None
    assert figure.value == pytest.approx(factor * expected[0], rel=1e-12)
    assert figure.estimate.se == pytest.approx(factor * expected[1], rel=1e-9)
    assert figure.estimate.df == 4


def test_the_vector_comes_through(surveyed: Desk):
    figure = one(surveyed, "P")
    estimate = figure.estimate
    assert estimate is not None
    assert (figure.n, figure.excluded, figure.numerator, figure.denominator) == (16, 0, 380.0, 700.0)
    assert [round(number, 4) for number in (figure.value or 0, estimate.se or 0)] == [54.2857, 14.1708]
    assert [round(number, 2) for number in (estimate.low or 0, estimate.high or 0)] == [19.57, 85.29]
    assert estimate.df == 4
    same(figure, brute(units(), units()), 100)


def test_domains_keep_every_psu(surveyed: Desk):
    women = [unit for unit in units() if unit[5] == "f"]
    by_sex = {figure.categories: figure for figure in figures(surveyed, "P", period="all", by=("sexo",))}
    same(by_sex["f",], brute(units(), women), 100)
    in_p2 = [unit for unit in units() if unit[6] in ("d2", "d3")]
    by_place = {figure.categories: figure for figure in figures(surveyed, "P", period="all", by=("province",))}
    same(by_place["p2",], brute(units(), in_p2), 100)
    same(one(surveyed, "P", place="p2"), brute(units(), in_p2), 100)
    both = {figure.categories: figure for figure in figures(surveyed, "P", period="all", by=("sexo",), place="p2")}
    same(both["f",], brute(units(), [unit for unit in in_p2 if unit[5] == "f"]), 100)


def test_means_totals_counts_and_ratios_within_a_place(surveyed: Desk):
    in_p2 = [unit for unit in units() if unit[6] in ("d2", "d3")]
    same(one(surveyed, "M", place="p2"), brute(units(), in_p2, column=4))
    same(one(surveyed, "T", place="p2"), brute(units(), in_p2, column=4, total=True))
    same(one(surveyed, "T"), brute(units(), units(), column=4, total=True))
    yes = [unit for unit in in_p2 if unit[3] == 1]
    same(one(surveyed, "C", place="p2"), brute(units(), yes, total=True))
    assert one(surveyed, "C", place="p2").n == len(yes)
    ratio = sum(unit[2] * unit[4] for unit in in_p2) / sum(unit[2] * (unit[4] + 1) for unit in in_p2)
    assert one(surveyed, "R", place="p2").value == pytest.approx(ratio, rel=1e-12)


def test_formula_carries_the_error_on(surveyed: Desk):
    same(one(surveyed, "F"), brute(units(), units()), 200)


def test_a_domain_of_one_psu_has_no_error(surveyed: Desk):
    in_d1 = one(surveyed, "P", place="d1")  # a1 and a2
    assert in_d1.estimate is not None
    same(in_d1, brute(units(), [unit for unit in units() if unit[6] == "d1"]), 100)
    send_alone = [figure for figure in figures(surveyed, "P", period="all", by=("district", "sexo")) if figure.n == 1]
    assert all(figure.estimate is not None and figure.estimate.se is None for figure in send_alone)


def test_medians_know_weights(surveyed: Desk):
    spent = sorted((unit[4], unit[2]) for unit in units())
    reached = list(accumulate(weight for _, weight in spent))
    middle = next(value for (value, _), sofar in zip(spent, reached, strict=True) if sofar >= 350)
    assert one(surveyed, "ME").value == middle
    # 16 units of equal weight: the eighth reaches half of it; without weight, the mean of the two in the middle
    assert one(surveyed, "ME1").value == spent[7][0]
    assert one(surveyed, "MES").value == (spent[7][0] + spent[8][0]) / 2


def test_what_lacks_weight_or_psu(surveyed: Desk, phone: Wire):
    send(phone, "encuesta", answer(("A", "a1", 0.0, 1.0, 1.0, "f", "d1")).replace("<peso>0.0</peso>", "<peso></peso>"))
    send(phone, "encuesta", answer(("A", "a1", -5.0, 1.0, 1.0, "f", "d1")))
    figure = one(surveyed, "P")
    assert (figure.n, figure.excluded, figure.numerator, figure.denominator) == (16, 2, 380.0, 700.0)
    same(figure, brute(units(), units()), 100)
    send(phone, "encuesta", answer(("A", "", 10.0, 1.0, 1.0, "f", "d1")))
    figure = one(surveyed, "P")
    assert figure.value == pytest.approx(100 * 390 / 710)
    assert figure.estimate is not None
    assert figure.estimate.note is not None
    assert (figure.n, figure.estimate.se, figure.estimate.note.en) == (
        17, None, "No standard error and no interval: some units name no primary sampling unit."
    )  # fmt: skip
    # where the unit without a PSU is not, there is an error as before
    same(one(surveyed, "P", place="p2"), brute(units(), [unit for unit in units() if unit[6] != "d1"]), 100)


def test_a_stratum_of_one_psu_says_why_there_is_no_error(surveyed: Desk, phone: Wire):
    send(phone, "encuesta", answer(("C", "c1", 10.0, 1.0, 1.0, "f", "d1")))
    figure = one(surveyed, "P")
    assert figure.value == pytest.approx(100 * 390 / 710)
    assert figure.estimate is not None
    assert figure.estimate.se is None
    assert figure.estimate.note is not None
    assert "«C»" in figure.estimate.note.es
    # without strata the new PSU is one of seven
    assert one(surveyed, "U").estimate is not None
    flat = [("", *unit[1:]) for unit in units()] + [("", "c1", 10.0, 1.0, 1.0, "f", "d1")]
    estimate = one(surveyed, "U").estimate
    assert estimate is not None
    assert estimate.se == pytest.approx(100 * brute(flat, flat)[1], rel=1e-9)  # type: ignore[arg-type]
    assert estimate.df == 6

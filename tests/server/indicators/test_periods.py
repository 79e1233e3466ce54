"""Reporting periods: as they are written, asked for and read."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.problems import Sentence
from server.indicators.periods import (
    KINDS,
    Period,
    PeriodError,
    PeriodKind,
    between,
    label,
    of_day,
    parse,
    parse_request,
)

KIND = st.sampled_from(KINDS)
PERIOD = st.builds(of_day, st.dates(), KIND)


@pytest.mark.parametrize(
    ("text", "period", "first", "last"),
    [
        ("2026-05", Period("month", 2026 * 12 + 4), date(2026, 5, 1), date(2026, 5, 31)),
        ("2024-02", Period("month", 2024 * 12 + 1), date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-Q3", Period("quarter", 2026 * 4 + 2), date(2026, 7, 1), date(2026, 9, 30)),
        ("2026-S1", Period("semester", 2026 * 2), date(2026, 1, 1), date(2026, 6, 30)),
        ("2026-S2", Period("semester", 2026 * 2 + 1), date(2026, 7, 1), date(2026, 12, 31)),
        ("2026", Period("year", 2026), date(2026, 1, 1), date(2026, 12, 31)),
        ("0001", Period("year", 1), date(1, 1, 1), date(1, 12, 31)),
        ("9999-Q4", Period("quarter", 9999 * 4 + 3), date(9999, 10, 1), date(9999, 12, 31)),
    ],
)
def test_a_period_has_a_code_and_days(text: str, period: Period, first: date, last: date):
    assert parse(text) == period
    assert (period.code, period.first, period.last) == (text, first, last)


def test_spaces_and_small_letters_do_no_harm():
    assert parse(" 2026-q3 ") == parse("2026-Q3")
    assert parse("2026-s1") == parse("2026-S1")


@given(PERIOD)
def test_a_code_reads_back(period: Period):
    assert parse(period.code) == period


@given(st.dates(), KIND)
def test_every_day_lies_in_one_period_of_each_kind(day: date, kind: PeriodKind):
    period = of_day(day, kind)

    assert period.first <= day <= period.last
    if period.last < date.max:
        assert of_day(period.last + timedelta(days=1), kind) == Period(kind, period.index + 1)


@given(st.dates())
def test_the_index_of_a_month_divided_is_that_of_what_holds_it(day: date):
    month = of_day(day, "month").index

    assert month == day.year * 12 + day.month - 1
    assert [of_day(day, kind).index for kind in KINDS] == [month, month // 3, month // 6, month // 12]


def test_a_month_lies_in_a_quarter_that_lies_in_a_semester_that_lies_in_a_year():
    codes, period = [], parse("2026-11")
    while period is not None:
        codes.append(period.code)
        period = period.parent

    assert codes == ["2026-11", "2026-Q4", "2026-S2", "2026"]


def test_a_period_is_made_of_narrower_ones_and_lies_in_wider_ones():
    semester = parse("2026-S2")

    assert [part.code for part in semester.parts("quarter")] == ["2026-Q3", "2026-Q4"]
    assert [part.code for part in semester.parts("month")] == [f"2026-{month:02d}" for month in range(7, 13)]
    assert semester.parts("semester") == (semester,)
    assert semester.as_kind("year") == parse("2026")
    assert semester.as_kind("semester") == semester
    assert list(semester.months) == [part.index for part in semester.parts("month")]


def test_a_narrower_kind_holds_nothing_and_a_wider_one_is_no_part():
    with pytest.raises(ValueError, match="lies in no month"):
        parse("2026-Q1").as_kind("month")
    with pytest.raises(ValueError, match="is made of no year"):
        parse("2026-Q1").parts("year")


@given(PERIOD, PERIOD)
def test_what_a_period_contains_it_contains_by_days(one: Period, other: Period):
    assert one.contains(other) == (one.first <= other.first and other.last <= one.last)


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_no_period_outside_the_years_1_to_9999(kind: PeriodKind):
    last = of_day(date.max, kind)

    with pytest.raises(ValueError, match="years go from 1 to 9999"):
        Period(kind, last.index + 1)
    with pytest.raises(ValueError, match="years go from 1 to 9999"):
        Period(kind, of_day(date.min, kind).index - 1)


ANY = (
    "escriba un año (2026), un semestre (2026-S1), un trimestre (2026-Q3) o un mes (2026-05)",
    "write a year (2026), a semester (2026-S1), a quarter (2026-Q3) or a month (2026-05)",
)


@pytest.mark.parametrize(
    ("text", "es", "en"),
    [
        ("", *ANY),
        ("baseline", *ANY),
        ("2026-5", *ANY),
        ("2026-T3", *ANY),
        ("26-Q3", *ANY),
        ("٢٠٢٦", *ANY),
        ("2026-13", "los meses van de 01 a 12", "months go from 01 to 12"),
        ("2026-00", "los meses van de 01 a 12", "months go from 01 to 12"),
        ("2026-Q5", "los trimestres van de Q1 a Q4", "quarters go from Q1 to Q4"),
        ("2026-S0", "los semestres son S1 y S2", "semesters are S1 and S2"),
        ("0000-Q1", "los años van de 0001 a 9999", "years go from 0001 to 9999"),
    ],
)
def test_what_is_no_period_is_refused_with_what_is_right(text: str, es: str, en: str):
    with pytest.raises(PeriodError) as caught:
        parse(text)

    assert caught.value.sentence == Sentence(f"«{text}» no es un período: {es}.", f"“{text}” is no period: {en}.")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("2026-Q1", ["2026-Q1"]),
        ("2025-Q4..2026-Q2", ["2025-Q4", "2026-Q1", "2026-Q2"]),
        ("2026-Q1..2026-Q1", ["2026-Q1"]),
        ("2026-Q3,2026-Q1", ["2026-Q3", "2026-Q1"]),
        ("2026-Q1..2026-Q2, 2026-Q2, 2026", ["2026-Q1", "2026-Q2", "2026"]),
        ("1926-01..2025-12", [f"{year}-{month:02d}" for year in range(1926, 2026) for month in range(1, 13)]),
    ],
)
def test_a_request_names_periods(text: str, codes: list[str]):
    asked = parse_request(text)

    assert isinstance(asked, tuple)
    assert [period.code for period in asked] == codes


@pytest.mark.parametrize(
    ("text", "asked"),
    [("month", "month"), ("Quarter", "quarter"), ("semester", "semester"), (" year ", "year"), ("all", ())],
)
def test_a_request_may_name_a_kind_or_no_split(text: str, asked: PeriodKind | tuple[Period, ...]):
    assert parse_request(text) == asked


@pytest.mark.parametrize(
    ("text", "es"),
    [
        (
            "2026-Q1..2026",
            "«2026-Q1..2026» une dos clases de período; los dos extremos deben ser de la misma: 2026-Q1..2026-Q4.",
        ),
        ("2026-Q3..2026-Q1", "«2026-Q3..2026-Q1» acaba antes de empezar; escriba 2026-Q1..2026-Q3."),
        ("2026..2027..2028", "«2026..2027..2028» no es un período: un intervalo tiene dos extremos: 2026-Q1..2026-Q4."),
        ("2026-Q1,2026-Q7", "«2026-Q7» no es un período: los trimestres van de Q1 a Q4."),
        ("0001-01..9999-12", "«0001-01..9999-12» son más de 1200 períodos; pida menos, o de una clase más amplia."),
        (
            "trimestre",
            f"«trimestre» no es un período: {ANY[0]}, varios con comas, un intervalo (2026-Q1..2026-Q4), una clase "
            "(month, quarter, semester, year) o all.",
        ),
        (
            "2026-Q1,",
            f"«» no es un período: {ANY[0]}, varios con comas, un intervalo (2026-Q1..2026-Q4), una clase "
            "(month, quarter, semester, year) o all.",
        ),
    ],
)
def test_a_request_that_means_nothing_is_refused(text: str, es: str):
    with pytest.raises(PeriodError) as caught:
        parse_request(text)

    assert caught.value.sentence.es == es


def test_between_takes_both_ends_across_years():
    assert [period.code for period in between(parse("2025-S2"), parse("2026-S2"))] == ["2025-S2", "2026-S1", "2026-S2"]


@pytest.mark.parametrize(
    ("code", "es", "en"),
    [
        ("2026-05", "mayo de 2026", "May 2026"),
        ("2026-09", "septiembre de 2026", "September 2026"),
        ("2026-S1", "primer semestre de 2026", "First half of 2026"),
        ("2026-S2", "segundo semestre de 2026", "Second half of 2026"),
        ("2026-Q3", "tercer trimestre de 2026", "Third quarter of 2026"),
        ("2026-Q4", "cuarto trimestre de 2026", "Fourth quarter of 2026"),
        ("2026", "2026", "2026"),
    ],
)
def test_a_period_is_read_in_words(code: str, es: str, en: str):
    assert (label(parse(code), "es"), label(parse(code), "en")) == (es, en)

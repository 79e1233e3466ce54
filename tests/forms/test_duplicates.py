"""Who is proposed as one person, against a comparison of everybody with everybody."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms import duplicates
from forms.duplicates import LEAST, YEARS_APART, Person, propose
from forms.likeness import alike, fold


def person(number: int, name: str, place: str = "d1", *years: int) -> Person:
    return Person(id=number, name=name, place=place, years=frozenset(years))


def pairs(*people: Person, **more: object) -> list[tuple[int, int]]:
    return [(pair.first, pair.second) for pair in propose(people, **more).pairs]  # type: ignore[arg-type]


def test_one_name_written_twice_in_one_place_is_proposed():
    assert pairs(person(1, "Meli Bejerano", "d1", 1990), person(2, "Meli Vejerano", "D1 ", 1991)) == [(1, 2)]


@pytest.mark.parametrize(
    "other",
    [person(2, "Meli Bejerano", "d2", 1990), person(2, "Meli Bejerano", "d1", 1992), person(2, "Ana Ruiz", "d1", 1990)],
    ids=["another place", "another year", "another name"],
)
def test_others_are_not(other: Person):
    assert pairs(person(1, "Meli Bejerano", "d1", 1990), other) == []


def test_an_unknown_year_fits_any():
    assert pairs(person(1, "Meli Bejerano"), person(2, "Meli Bejerano", "d1", 1970)) == [(1, 2)]


def test_a_pair_that_somebody_told_apart_is_not_proposed_again():
    people = [person(1, "Meli Bejerano"), person(2, "Meli Bejerano"), person(3, "Meli Bejerano")]

    assert pairs(*people, distinct={(1, 2)}) == [(1, 3), (2, 3)]


def test_the_most_alike_come_first_and_not_more_than_asked_for():
    people = [person(1, "Meli Bejerano"), person(2, "Meli Vejerano Palacio"), person(3, "Meli Bejerano")]

    assert pairs(*people)[0] == (1, 3)
    assert len(pairs(*people, most=1)) == 1


def test_too_many_are_said_to_be_too_many(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(duplicates, "MOST_COMPARED", 2)

    assert not propose([person(number, f"Nombre {number}") for number in range(4)]).whole


NAMES = st.sampled_from(["Meli Bejerano", "Meli Vejerano", "Ana Ruiz", "Ana Ruis Palacio", "", "José"])
PEOPLE = st.lists(st.tuples(NAMES, st.sampled_from(["a", "A ", "b", ""]), st.sets(st.integers(1980, 1985), max_size=2)))


@given(PEOPLE)
def test_it_proposes_what_comparing_everybody_with_everybody_would(given_: list[tuple[str, str, set[int]]]):
    people = [person(number, name, place, *years) for number, (name, place, years) in enumerate(given_)]
    expected = {
        (one.id, other.id)
        for one, other in itertools.combinations(people, 2)
        if one.place.strip().lower() == other.place.strip().lower()
        and alike(fold(one.name), fold(other.name)) >= LEAST
        and (
            not one.years
            or not other.years
            or (
                min(other.years) <= max(one.years) + YEARS_APART
                if min(one.years) <= min(other.years)
                else min(one.years) <= max(other.years) + YEARS_APART
            )
        )
    }

    assert set(pairs(*people)) == expected

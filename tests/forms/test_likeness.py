"""How alike names are: spellings by ear of one invented name are alike, other names are not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.likeness import alike, fold, years

ALIKE = 85


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("María José Vásquez", "maria jose basques"),
        ("Yolanda Jiménez", "Llolanda Giménez"),
        ("Zenaida Núñez", "Cenaida Nuñes"),
        ("Meli Bejerano", "Bejerano, Meli"),
        ("Ana de la Cruz", "Ana Cruz"),
        ("Quibian Palacio", "Kibian Palasio"),
        ("Besikö Carrera", "Besiko Karrera"),
        ("Chirú Mendoza", "chiru mendosa"),
        ("Iguandili López", "Iwandili Lopes"),
        ("Héctor Guaynora", "Ector Huaynora"),
        ("Olo'tebili Ávila", "Olotebili Avila"),
    ],
)
def test_spellings_of_one_name_are_alike(one: str, other: str):
    assert alike(fold(one), fold(other)) >= ALIKE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("María Santos", "Marta Salas"),
        ("José Bejerano", "Josefa Palacio"),
        ("Ana", "Ana Palacio"),
        ("Rosa Carrera", "Rosa Mendoza"),
        ("Meli", "Beli Andrade"),
    ],
)
def test_other_names_are_not(one: str, other: str):
    assert alike(fold(one), fold(other)) < ALIKE


def test_a_name_without_its_second_surname_is_very_like_it():
    assert ALIKE <= alike(fold("Meli Bejerano Palacio"), fold("Meli Bejerano")) < 100


def test_what_is_no_name_is_like_nothing():
    assert alike(fold("…"), fold("…")) == 0


@given(st.text(), st.text())
def test_any_text_folds_to_bare_words_and_likeness_goes_both_ways(one: str, other: str):
    folded = fold(one)

    assert re.fullmatch(r"(?:[a-z]+(?: [a-z]+)*)?", folded)
    assert alike(folded, fold(other)) == pytest.approx(alike(fold(other), folded))
    assert 0 <= alike(folded, fold(other)) <= 100


def test_years_are_found_in_dates_and_numbers():
    assert years(["1987-03-02", "1990", "34", "año 2004"]) == {1987, 1990, 2004}

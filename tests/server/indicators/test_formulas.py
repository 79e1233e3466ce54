"""Formulas over other indicators: what they name, in which order they can be computed, and circles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.indicators.declarations import Indicator
from server.indicators.formulas import formula_order, inputs_of, names_in
from server.indicators.ordering import Circles, told


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("{I6a} div {I6b}", ("I6a", "I6b")),
        ("{ R2.3 } + 2 * {I1} - {R2.3}", ("R2.3", "I1")),
        ("if({a} > 0, round({b}, 1), coalesce({c}, {a}))", ("a", "b", "c")),
        ("instance('x')/root/item[name = {a}]", ("a",)),
        ("${question} + 1", ()),
        ("{a} div (", ()),
    ],
)
def test_formula_names_indicators(formula: str, names: tuple[str, ...]):
    assert names_in(formula) == names


def test_long_formula_is_read_without_end_of_stack():
    assert names_in(" + ".join(f"{{I{number}}}" for number in range(150))) == tuple(f"I{n}" for n in range(150))


def test_an_indicator_needs_what_its_formula_and_its_cohort_name():
    formula = Indicator(name="a", type="formula", label={}, value="{b} div {c}")
    panel = Indicator(name="d", type="mean", label={}, value="${x}", key="${id}", cohort="e")

    assert (inputs_of(formula), inputs_of(panel)) == (("b", "c"), ("e",))


def test_order_puts_inputs_first():
    assert formula_order({"a": ("c", "b"), "b": ("c",), "c": ("elsewhere",), "d": ()}) == ("c", "d", "b", "a")


@pytest.mark.parametrize(
    ("inputs", "circles"),
    [
        ({"R1": ("R1",)}, ["R1 → R1"]),
        ({"R1": ("R2",), "R2": ("R1",)}, ["R1 → R2 → R1"]),
        ({"x": ("R1",), "R1": ("free", "R2"), "R2": ("R3",), "R3": ("R1",), "free": ()}, ["R1 → R2 → R3 → R1"]),
        ({"a": ("b",), "b": ("a",), "c": ("d",), "d": ("c", "a")}, ["a → b → a", "c → d → c"]),
    ],
)
def test_circles_are_named_each(inputs: dict[str, tuple[str, ...]], circles: list[str]):
    found = formula_order(inputs)

    assert isinstance(found, Circles)
    assert [told(around) for around in found] == circles


NAMES = st.sampled_from("abcdefgh")


@given(st.dictionaries(NAMES, st.lists(NAMES, max_size=3).map(tuple)))
def test_order_holds_or_a_circle_is_there(inputs: dict[str, tuple[str, ...]]):
    found = formula_order(inputs)

    if isinstance(found, Circles):
        for around in found:
            steps = zip(around, (*around[1:], around[0]), strict=True)
            assert all(need in inputs[name] for name, need in steps)
    else:
        assert sorted(found) == sorted(inputs)
        before: set[str] = set()
        for name in found:
            assert {need for need in inputs[name] if need in inputs} <= before
            before.add(name)

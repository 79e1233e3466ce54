"""Suppression: what is hidden, what is shown, and what somebody who sees everything else can find out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.indicators.margins import TOTAL, Axis, Coordinates, Table
from server.indicators.suppression import hide
from tests.server.indicators.attacker import fixed, found_out

MINIMUM = 10


def flat(*codes: str, additive: bool = True) -> Axis:
    return Axis(dict.fromkeys(codes), additive=additive)


def table(markdown: str) -> dict[Coordinates, int]:
    """A table of two axes: rows by columns."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in markdown.strip().splitlines()]
    return {(row[0], code): int(n) for row in rows[1:] for code, n in zip(rows[0][1:], row[1:], strict=True)}


def marked(cells: Mapping[Coordinates, int], axes: Sequence[Axis], minimum: int = MINIMUM) -> dict[Coordinates, str]:
    """Coordinates of what is hidden, with the first letter of the reason."""
    return {at: reason[0] for at, reason in hide(cells, axes, minimum).items()}


def test_nothing_is_hidden_where_nothing_is_small():
    assert hide({("f",): 10, ("m",): 30, ("x",): 0}, [flat("f", "m", "x")], MINIMUM) == {}
    assert hide({}, [flat()], MINIMUM) == {}
    assert hide({("f",): 1}, [flat("f")], 1) == {}
    assert hide({(): 50}, [], MINIMUM) == {}
    assert hide({(): 5}, [], MINIMUM) == {(): "small"}


def test_a_small_cell_takes_the_smallest_other_with_it():
    cells = {("bocas",): 3, ("colón",): 40, ("darién",): 25, ("ngäbe",): 0}

    assert hide(cells, [flat("bocas", "colón", "darién", "ngäbe")], MINIMUM) == {
        ("bocas",): "small",
        ("darién",): "complementary",
    }


def test_small_cells_that_are_not_enough_together_take_one_more():
    assert marked({("a",): 3, ("b",): 4, ("c",): 40, ("d",): 25}, [flat(*"abcd")]) == {
        ("a",): "s",
        ("b",): "s",
        ("d",): "c",
    }
    assert marked({("a",): 6, ("b",): 5, ("c",): 40}, [flat(*"abc")]) == {("a",): "s", ("b",): "s"}


def test_of_equals_the_first_in_order_is_hidden():
    assert marked({("c",): 20, ("a",): 3, ("b",): 20}, [flat(*"abc")]) == {("a",): "s", ("b",): "c"}


def test_a_table_of_two_axes_hides_the_corners_of_a_box():
    cells = table("""
        |        | mujer | hombre | nr |
        | bocas  | 3     | 60     | 0  |
        | colón  | 50    | 70     | 20 |
        | darién | 20    | 30     | 15 |
    """)

    assert marked(cells, [flat("bocas", "colón", "darién"), flat("mujer", "hombre", "nr")]) == {
        ("bocas", "mujer"): "s",
        ("bocas", "hombre"): "c",
        ("darién", "mujer"): "c",
        ("darién", "hombre"): "c",
    }


def test_what_lies_in_a_hidden_place_is_hidden_and_a_hidden_place_has_another_beside_it():
    place = Axis({"pa": None, "p1": "pa", "p2": "pa", "p3": "pa", "d11": "p1", "d21": "p2", "d22": "p2", "d31": "p3"})
    cells = {
        ("pa",): 96, ("p1",): 6, ("p2",): 30, ("p3",): 60,
        ("d11",): 6, ("d21",): 30, ("d22",): 0, ("d31",): 60,
    }  # fmt: skip

    assert marked(cells, [place]) == {
        ("p1",): "s",
        ("d11",): "s",
        ("p2",): "c",
        ("d21",): "c",
        ("d22",): "c",
    }


def test_months_hide_within_their_quarter():
    period = Axis(
        {"2026-Q1": None, "2026-Q2": None} | {f"2026-{month:02d}": f"2026-Q{(month + 2) // 3}" for month in range(1, 7)}
    )
    cells = {
        ("2026-Q1",): 63, ("2026-01",): 3, ("2026-02",): 20, ("2026-03",): 40,
        ("2026-Q2",): 90, ("2026-04",): 30, ("2026-05",): 30, ("2026-06",): 30,
    }  # fmt: skip

    assert marked(cells, [period]) == {("2026-01",): "s", ("2026-02",): "c"}


def test_categories_that_overlap_hide_the_small_ones_only():
    cells = {("water",): 3, ("light",): 40, ("road",): 12}

    assert marked(cells, [flat("water", "light", "road", additive=False)]) == {("water",): "s"}


def test_beside_categories_that_overlap_the_other_axes_still_add_up():
    cells = table("""
        |       | mujer | hombre |
        | water | 3     | 30     |
        | light | 40    | 50     |
    """)

    assert marked(cells, [flat("water", "light", additive=False), flat("mujer", "hombre")]) == {
        ("water", "mujer"): "s",
        ("water", "hombre"): "c",
    }


def test_a_table_of_few_units_is_hidden_whole():
    cells = table("""
        |   | f | m |
        | a | 2 | 0 |
        | b | 0 | 5 |
    """)

    assert marked(cells, [flat("a", "b"), flat("f", "m")]) == {
        ("a", "f"): "s",
        ("a", "m"): "c",
        ("b", "f"): "c",
        ("b", "m"): "s",
    }


def test_wrong_tables_are_refused():
    with pytest.raises(ValueError, match="no cell of 2 axes"):
        hide({("a",): 1}, [flat("a"), flat("b")], MINIMUM)
    with pytest.raises(ValueError, match="no cell of 1 axes"):
        hide({("a",): -1}, [flat("a")], MINIMUM)
    with pytest.raises(ValueError, match="lies in itself"):
        hide({("a",): 1, ("b",): 2}, [Axis({"a": "b", "b": "a"})], MINIMUM)


@st.composite
def an_axis(draw: st.DrawFn, letter: str, most: int) -> tuple[Axis, list[str]]:
    """An axis, flat or of two or three levels, and its innermost codes."""
    parents: dict[str, str | None] = {}
    for outer in range(draw(st.integers(1, most))):
        parents[f"{letter}{outer}"] = None
    if draw(st.booleans()):
        for outer in list(parents):
            for inner in range(draw(st.integers(0, 2))):
                parents[f"{outer}{inner}"] = outer
                parents |= {f"{outer}{inner}{inmost}": f"{outer}{inner}" for inmost in range(draw(st.integers(0, 1)))}
    axis = Axis(parents, additive=draw(st.integers(0, 7)) > 0)
    return axis, [code for code in parents if code not in parents.values()]


SIZES = st.sampled_from([(5,), (4, 4), (4, 3), (2, 2, 2)])
COUNTS = st.one_of(
    st.lists(st.sampled_from([0, 0, 1, 2, 5, 9, 10, 12, 20, 50]), min_size=1, max_size=60),
    st.lists(st.sampled_from([1, 3, 5, 11, 13, 17, 30, 40, 60]), min_size=1, max_size=60),
    st.lists(st.sampled_from([0, 3, 20, 30, 40, 50, 60, 70, 80, 100]), min_size=1, max_size=60),
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[Coordinates, int], list[Axis]]:
    """Tables of one to three axes; some hold all levels, and some leave zeros out."""
    drawn = [draw(an_axis("abc"[number], most)) for number, most in enumerate(draw(SIZES))]
    axes = [axis for axis, _ in drawn]
    counts = draw(COUNTS)
    chance = draw(st.randoms(use_true_random=False))
    cells = {at: chance.choice(counts) for at in product(*(codes for _, codes in drawn))}
    if draw(st.booleans()):
        cells = {at: n for at, n in Table(cells, axes).units.items() if TOTAL not in at}
    if draw(st.booleans()):
        cells = {at: n for at, n in cells.items() if n}
    return cells, axes


@settings(max_examples=200)
@given(tables())
def test_nobody_finds_a_small_cell_out_from_all_the_tables_there_are(drawn: tuple[dict[Coordinates, int], list[Axis]]):
    cells, axes = drawn

    assert found_out(cells, axes, MINIMUM) == set()


def test_a_small_cell_that_alone_joins_two_hidden_corners_of_a_table_is_not_found_out():
    cells = table("""
        |   | p  | q  | r  | s  |
        | a | 6  | 6  | 50 | 60 |
        | b | 6  | 6  | 4  | 70 |
        | c | 70 | 80 | 6  | 6  |
        | d | 90 | 60 | 6  | 6  |
    """)  # all lines have two small cells of 10 or more together, and the 4 is a sum and difference of totals
    axes = [flat(*"abcd"), flat(*"pqrs")]

    assert found_out(cells, axes, MINIMUM) == set()
    assert {at for at, reason in hide(cells, axes, MINIMUM).items() if reason == "complementary"} == {("a", "r")}


def test_the_attacker_finds_small_cells_out_where_only_they_are_hidden():
    cells = {("a",): 3, ("b",): 40, ("c",): 25}
    line = {("a",): 1}

    assert fixed({("a",): 3}, [line], {("a",)}) == {("a",)}
    assert fixed({at: cells[at] for at in [("a",), ("c",)]}, [line | {("c",): 1}], {("a",)}) == set()
    assert fixed({("a",): 3, ("b",): 0, ("c",): 0}, [{("a",): 1, ("b",): 1}, {("b",): 1, ("c",): 1}], {("a",)}) == {
        ("a",)
    }


@given(tables())
def test_the_rule_holds_in_every_line(drawn: tuple[dict[Coordinates, int], list[Axis]]):
    cells, axes = drawn
    hidden = hide(cells, axes, MINIMUM)
    units = {at: Table(cells, axes).units[at] for at in product(*({at[n] for at in cells} for n in range(len(axes))))}

    assert {at for at, reason in hidden.items() if reason == "small"} == {
        at for at, n in units.items() if 0 < n < MINIMUM
    }
    for at in units:
        for number, axis in enumerate(axes):
            parent = (*at[:number], axis.parents[at[number]], *at[number + 1 :])
            if axis.additive and parent in units and parent in hidden:
                assert at in hidden
            line = [one for one in units if one[:number] + one[number + 1 :] == at[:number] + at[number + 1 :]]
            line = [one for one in line if axis.parents[one[number]] == axis.parents[at[number]]]
            gone = [one for one in line if one in hidden]
            siblings = {code for code, over in axis.parents.items() if over == axis.parents[at[number]]}
            if not siblings <= {one[number] for one in cells}:
                continue  # one of the line stands for what lies in it only, and is judged among the margins
            if axis.additive and gone and any(units[one] for one in line if one not in hidden):
                assert len(gone) > 1
                assert sum(units[one] for one in gone) >= MINIMUM


@given(tables(), st.randoms(use_true_random=False))
def test_neither_the_order_of_cells_nor_zeros_left_out_change_what_is_hidden(
    drawn: tuple[dict[Coordinates, int], list[Axis]], chance: Random
):
    cells, axes = drawn
    shuffled = dict(chance.sample(sorted(cells.items()), len(cells)))
    whole = {at: Table(cells, axes).units[at] for at in product(*({at[n] for at in cells} for n in range(len(axes))))}

    assert hide(shuffled, axes, MINIMUM) == hide(cells, axes, MINIMUM) == hide(whole, axes, MINIMUM)


def test_a_parent_that_does_not_add_up_is_hidden_where_nothing_else_can_be():
    place = Axis({"p1": None, "p2": None, "p3": None, "d11": "p1", "d12": "p1"})
    cells = {("p1",): 50, ("p2",): 60, ("p3",): 90, ("d11",): 3, ("d12",): 0}  # 47 in no district

    assert marked(cells, [place]) == {("d11",): "s", ("d12",): "c", ("p1",): "c", ("p2",): "c"}


def test_a_mixture_of_codes_that_is_not_there_may_be_hidden_too():
    cells = {("bocas", "mujer"): 3, ("colón", "mujer"): 40, ("colón", "hombre"): 30, ("darién", "hombre"): 80}

    assert marked(cells, [flat("bocas", "colón", "darién"), flat("mujer", "hombre")]) == {
        ("bocas", "mujer"): "s",
        ("bocas", "hombre"): "c",
        ("colón", "mujer"): "c",
        ("colón", "hombre"): "c",
    }


def test_a_large_table_takes_a_moment():
    chance = Random(1)
    place: dict[str, str | None] = {f"p{number}": None for number in range(16)}
    place |= {f"p{number // 5}d{number}": f"p{number // 5}" for number in range(80)}
    axes = [Axis(place), flat(*(f"{month:02d}" for month in range(12))), flat("f", "m")]
    districts = [code for code in place if "d" in code]
    cells = {at: int(chance.expovariate(1 / 20)) for at in product(districts, axes[1].parents, axes[2].parents)}
    started = time.monotonic()

    assert len(hide(cells, axes, MINIMUM)) > 1000
    assert time.monotonic() - started < 10

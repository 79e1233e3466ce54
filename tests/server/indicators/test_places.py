"""The hierarchy of places: what is wrong with a sheet, the order of levels, and what lay in what, when."""

from __future__ import annotations

import time
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.problems import Sentence
from server.indicators.declarations import Place
from server.indicators.places import Ancestor, ancestry, check, levels

EVER = (date.min, date.max)


def sheet(table: str) -> list[Place]:
    """The places of a sheet `places`, as a markdown table."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.strip().splitlines()]
    heading, *body = rows
    found = []
    for number, row in enumerate(body, start=2):
        cells = {name: cell or None for name, cell in zip(heading, row, strict=True)}
        found.append(
            Place(
                code=cells["code"] or "",
                parent=cells.get("parent"),
                level=cells["level"] or "",
                label={"": cells["code"] or ""},
                valid_from=day(cells.get("valid_from")),
                valid_to=day(cells.get("valid_to")),
                at=number,
            )
        )
    return found


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def wrong(table: str) -> list[tuple[int, str, str]]:
    """Row, column and English sentence of each finding."""
    return [(place.at, column, sentence.en) for place, column, sentence in check(sheet(table))]


PANAMA = """
    | code     | parent | level         | valid_from | valid_to   |
    | pa       |        | país          |            |            |
    | p08      | pa     | provincia     |            |            |
    | p13      | pa     | provincia     | 2014-01-01 |            |
    | d1301    | p08    | distrito      |            | 2013-12-31 |
    | d1301    | p13    | distrito      | 2014-01-01 |            |
    | c130101  | d1301  | corregimiento |            |            |
    | p10      | pa     | provincia     |            |            |
    | c100101  | p10    | corregimiento |            |            |
"""


def test_a_district_lay_in_one_province_and_then_in_another():
    first, last = date(2013, 12, 31), date(2014, 1, 1)

    assert check(sheet(PANAMA)) == []
    assert [one for one in ancestry(sheet(PANAMA)) if one.code in {"d1301", "c130101", "p13"}] == [
        Ancestor("p13", "país", "pa", last, date.max),
        Ancestor("p13", "provincia", "p13", last, date.max),
        Ancestor("d1301", "distrito", "d1301", *EVER),
        Ancestor("d1301", "país", "pa", *EVER),
        Ancestor("d1301", "provincia", "p08", date.min, first),
        Ancestor("d1301", "provincia", "p13", last, date.max),
        Ancestor("c130101", "corregimiento", "c130101", *EVER),
        Ancestor("c130101", "distrito", "d1301", *EVER),
        Ancestor("c130101", "país", "pa", *EVER),
        Ancestor("c130101", "provincia", "p08", date.min, first),
        Ancestor("c130101", "provincia", "p13", last, date.max),
    ]


def test_a_place_has_an_ancestor_only_while_that_was_there():
    table = """
        | code | parent | level     | valid_from | valid_to   |
        | p    |        | provincia | 2000-01-01 | 2010-12-31 |
        | d    | p      | distrito  | 2005-01-01 |            |
    """

    assert ancestry(sheet(table)) == [
        Ancestor("p", "provincia", "p", date(2000, 1, 1), date(2010, 12, 31)),
        Ancestor("d", "distrito", "d", date(2005, 1, 1), date.max),
        Ancestor("d", "provincia", "p", date(2005, 1, 1), date(2010, 12, 31)),
    ]


def test_a_gap_in_the_times_of_a_place_stays_a_gap():
    table = """
        | code | parent | level     | valid_from | valid_to   |
        | p    |        | provincia |            | 2000-12-31 |
        | p    |        | provincia | 2002-01-01 |            |
        | d    | p      | distrito  |            |            |
    """

    assert [one for one in ancestry(sheet(table)) if one.code == "d"] == [
        Ancestor("d", "distrito", "d", *EVER),
        Ancestor("d", "provincia", "p", date.min, date(2000, 12, 31)),
        Ancestor("d", "provincia", "p", date(2002, 1, 1), date.max),
    ]


def test_levels_go_from_the_outermost_in_even_where_one_is_skipped_and_rows_stand_the_other_way():
    assert levels(sheet(PANAMA)) == ("país", "provincia", "distrito", "corregimiento")
    assert levels(list(reversed(sheet(PANAMA)))) == ("país", "provincia", "distrito", "corregimiento")
    assert levels([]) == ()


def test_two_levels_of_one_rank_stand_as_in_the_sheet():
    table = """
        | code | parent | level     |
        | p08  |        | provincia |
        | k10  |        | comarca   |
        | d    | p08    | distrito  |
        | c    | d      | barrio    |
        | e    | k10    | barrio    |
    """

    assert check(sheet(table)) == []
    assert levels(sheet(table)) == ("provincia", "comarca", "distrito", "barrio")


def test_a_parent_that_is_not_in_the_sheet_is_named_with_the_zero_that_excel_took_away():
    table = """
        | code | parent | level     |
        | 01   |        | provincia |
        | 0101 | 1      | distrito  |
        | 0102 | 01     | distrito  |
        | 0201 | 02     | distrito  |
    """

    assert [finding[1:] for finding in check(sheet(table))] == [
        (
            "parent",
            Sentence(
                "«0101» está dentro de «1», que no está en la hoja: ¿quiso decir «01»? Excel quita los ceros de delante "
                "si la celda no es de texto.",
                "“0101” lies in “1”, which is not in the sheet: did you mean “01”? Excel takes leading zeros away where "
                "a cell is not text.",
            ),
        ),
        (
            "parent",
            Sentence(
                "«0201» está dentro de «02», que no está en la hoja: declárelo en una fila propia, o corrija el código.",
                "“0201” lies in “02”, which is not in the sheet: declare it in a row of its own, or correct the code.",
            ),
        ),
    ]


def test_places_that_lie_in_one_another_are_named_and_not_those_inside_them():
    table = """
        | code | parent | level  |
        | a    | c      | barrio |
        | b    | a      | barrio |
        | c    | b      | barrio |
        | d    | d      | barrio |
        | e    | a      | casa   |
        | f    | e      | cuarto |
    """
    circle = "“{}” lies in “{}”, and “{}” in turn in “{}”; correct one of the places of that circle."

    assert wrong(table) == [
        (2, "parent", circle.format("a", "c", "c", "a")),
        (3, "parent", circle.format("b", "a", "a", "b")),
        (4, "parent", circle.format("c", "b", "b", "c")),
        (5, "parent", "“d” lies in itself; put the place that holds it, or leave the cell empty."),
    ]


def test_rows_of_one_place_may_not_share_a_day():
    table = """
        | code | parent | level     | valid_from | valid_to   |
        | p    |        | provincia |            |            |
        | p    |        | provincia |            |            |
        | q    |        | provincia | 2000-01-01 | 2009-12-31 |
        | q    |        | provincia | 2009-12-31 |            |
        | r    |        | provincia | 2010-01-01 |            |
        | r    |        | provincia |            | 2009-12-31 |
        | s    |        | provincia |            |            |
        | s    |        | provincia |            | 2009-12-31 |
        | t    |        | provincia | 2000-01-01 | 2030-01-01 |
        | t    |        | provincia | 2001-01-01 | 2002-01-01 |
        | t    |        | provincia | 2020-01-01 | 2040-01-01 |
        | u    |        | provincia | 2020-01-01 | 2019-01-01 |
    """
    met = "“{}” is declared already for a part of that time ({}); two rows of one place may not share a day."

    assert wrong(table) == [
        (3, "code", "“p” is declared twice; leave one of the two rows, or give each its dates."),
        (5, "valid_from", met.format("q", "from 2000-01-01 to 2009-12-31")),
        (8, "valid_to", met.format("s", "to 2009-12-31")),
        (11, "valid_from", met.format("t", "from 2000-01-01 to 2030-01-01")),
        (12, "valid_from", met.format("t", "from 2000-01-01 to 2030-01-01")),
        (13, "valid_to", "“u” ends (2019-01-01) before it begins (2020-01-01); change one of the two dates."),
    ]


def test_a_parent_that_was_never_there_with_its_place_is_wrong():
    table = """
        | code | parent | level     | valid_from | valid_to   |
        | p08  |        | provincia |            |            |
        | p13  |        | provincia | 2014-01-01 |            |
        | d    | p13    | distrito  |            | 2013-12-31 |
        | d    | p08    | distrito  | 2014-01-01 |            |
    """

    assert wrong(table) == [
        (
            4,
            "parent",
            "“d” (to 2013-12-31) lies in “p13”, which was not there in that time (from 2014-01-01); put the place that "
            "held it then, or correct the dates.",
        )
    ]


def test_the_row_whose_level_differs_from_the_rest_is_the_one_named():
    table = """
        | code | parent | level         |
        | c0   |        | corregimiento |
        | p0   | c0     | provincia     |
        | p1   |        | provincia     |
        | p2   |        | provincia     |
        | d1   | p1     | distrito      |
        | d2   | p1     | distrito      |
        | c1   | d1     | corregimiento |
        | c2   | d2     | corregimiento |
        | d3   | d2     | distrito      |
    """

    assert wrong(table) == [
        (
            2,
            "parent",
            "“c0” has no place that holds it, and others of level “corregimiento” have: put its own.",
        ),
        (
            3,
            "level",
            "“p0”, of level “provincia”, lies in “c0”, of level “corregimiento”, but in the rest of the sheet “distrito” "
            "lies in “provincia”; “corregimiento” lies in “distrito”. Correct the level or the place that holds it.",
        ),
        (
            3,
            "parent",
            "“p0” lies in “c0”, and others of level “provincia” lie in none: leave the cell empty, or correct the level.",
        ),
        (
            10,
            "level",
            "“d3”, of level “distrito”, lies in “d2”, of level “distrito”: a place cannot lie in another of its own level.",
        ),
    ]


def test_levels_are_found_however_wrong_the_sheet_is():
    table = """
        | code | parent | level |
        | a    | b      | x     |
        | b    | a      | y     |
        | c    | c      | z     |
    """

    assert set(levels(sheet(table))) == {"x", "y", "z"}
    with pytest.raises(ValueError, match="cycle"):
        ancestry(sheet(table))


DAYS = st.dates(date(2000, 1, 1), date(2000, 3, 1))
SPLITS = st.lists(DAYS, max_size=3, unique=True).map(sorted)


@st.composite
def hierarchies(draw: st.DrawFn) -> list[Place]:
    """Places at three levels, each with other parents at other times."""
    found: list[Place] = []
    for depth, level in enumerate(("outer", "middle", "inner")):
        for number in range(draw(st.integers(1, 3))):
            begins = [None, *draw(SPLITS)]
            ends = [begin - timedelta(days=1) for begin in begins[1:] if begin] + [None]
            above = [place.code for place in found if place.level != level]
            for begin, end in zip(begins, ends, strict=True):
                parent = draw(st.sampled_from(above)) if depth else None
                if draw(st.integers(0, 5)):  # now and then a time in which the place is not there
                    found.append(
                        Place(
                            code=f"{level}{number}",
                            parent=parent,
                            level=level,
                            label={},
                            valid_from=begin,
                            valid_to=end,
                        )
                    )
        if not any(place.level == level for place in found):
            found.append(Place(code=f"{level}0", level=level, label={}, parent=found[0].code if depth else None))
    return found


def lay_in(places: list[Place], code: str, when: date) -> dict[str, str]:
    """Level and ancestor of one place on one day, found by going up."""
    found: dict[str, str] = {}
    at: str | None = code
    while at:
        (record,) = [
            place
            for place in places
            if place.code == at and (place.valid_from or date.min) <= when <= (place.valid_to or date.max)
        ] or [None]
        if record is None:
            break
        found[record.level] = record.code
        at = record.parent
    return found


@given(hierarchies(), DAYS)
def test_on_any_day_the_ancestors_are_those_found_by_going_up(places: list[Place], when: date):
    found: dict[str, dict[str, str]] = {place.code: {} for place in places}
    for one in ancestry(places):
        if one.valid_from <= when <= one.valid_to:
            assert one.level not in found[one.code]
            found[one.code][one.level] = one.ancestor

    assert found == {code: lay_in(places, code, when) for code in found}


@given(hierarchies())
def test_times_that_follow_each_other_are_one(places: list[Place]):
    found = ancestry(places)
    ends = {(one.code, one.level, one.ancestor, one.valid_to.toordinal() + 1) for one in found}

    assert not any((one.code, one.level, one.ancestor, one.valid_from.toordinal()) in ends for one in found)


def test_ten_thousand_places_take_no_time():
    places = [Place(code="pa", level="país", label={})]
    for province in range(16):
        places.append(Place(code=f"p{province}", parent="pa", level="provincia", label={}))
        for district in range(8):
            places.append(Place(code=f"p{province}d{district}", parent=f"p{province}", level="distrito", label={}))
            places.extend(
                Place(
                    code=f"p{province}d{district}c{number}",
                    parent=f"p{province}d{district}",
                    level="barrio",
                    label={},
                )
                for number in range(78)
            )
    started = time.monotonic()

    assert check(places) == []
    assert len(ancestry(places)) == 1 + 16 * 2 + 128 * 3 + 9984 * 4
    assert time.monotonic() - started < 5

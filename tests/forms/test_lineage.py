"""Which repeat row of a version is which of an earlier one: rows gone, new, edited, nested; chains in disorder."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms import instance, tables
from forms.lineage import Match, Told, Traced, Version, match, told_by, trace
from forms.schema import Field, Schema

SCHEMA = Schema(
    form_id="f",
    version="",
    title="f",
    root="data",
    fields=(
        Field(path="/place", name="place", kind="question", type="string"),
        Field(path="/m", name="m", kind="repeat"),
        Field(path="/m/n", name="n", kind="question", type="string"),
        Field(path="/m/age", name="age", kind="question", type="int"),
        Field(path="/m/sex", name="sex", kind="question", type="string"),
        Field(path="/m/id", name="id", kind="question", type="string", calculate="once(uuid())"),
        Field(path="/m/at", name="at", kind="question", type="int", calculate="position(..)"),
        Field(path="/m/visit", name="visit", kind="repeat"),
        Field(path="/m/visit/day", name="day", kind="question", type="int"),
    ),
)
TOLD = told_by(SCHEMA)
Person = dict[str, Any]


def rows(people: Sequence[Person]) -> list[tables.Row]:
    """The rows of a household: each person's answers; `visits` are their days."""
    xml = ""
    for at, person in enumerate(people, start=1):
        answers = {name: text for name, text in person.items() if name != "visits"}
        visits = "".join(f"<visit><day>{day}</day></visit>" for day in person.get("visits", ()))
        xml += f"<m>{''.join(f'<{k}>{v}</{k}>' for k, v in answers.items())}<at>{at}</at>{visits}</m>"
    data = f'<data id="f"><place>Colón</place>{xml}<meta><instanceID>uuid:1</instanceID></meta></data>'
    return tables.rows_of(tables.Plan(SCHEMA), instance.read(data.encode()), instance_id="")[0]


def people(before: Sequence[Person], after: Sequence[Person]) -> list[int | None]:
    """For each person of `after`, the number (from 1) of the person before that it is; None: somebody new."""
    found = match(rows(before), rows(after), TOLD)
    keys = [found.get(f"/m[{at}]") for at in range(1, len(after) + 1)]
    return [int(one.key.removeprefix("/m[").removesuffix("]")) if one else None for one in keys]


ANA, BETO, CARLA = (
    {"n": "Ana", "age": 30, "sex": "f"},
    {"n": "Beto", "age": 40, "sex": "m"},
    {"n": "Carla", "age": 50},
)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ([ANA, BETO, CARLA], [ANA, CARLA], [1, 3]),  # the second is gone
        ([ANA, BETO, CARLA], [BETO, CARLA], [2, 3]),
        ([ANA, BETO], [ANA, CARLA, BETO], [1, None, 2]),  # one came between
        ([ANA, BETO, CARLA], [ANA, {**CARLA, "age": 51}], [1, 3]),  # gone, and another one edited
        ([ANA, BETO, CARLA], [ANA, {**BETO, "n": "Berto"}, CARLA], [1, 2, 3]),
        ([ANA, BETO], [BETO, ANA], [2, 1]),  # another order
        ([ANA, ANA, BETO], [ANA, BETO], [1, 3]),  # of twins, one
        ([ANA, ANA], [ANA, ANA, ANA], [1, 2, None]),
        ([{"n": "Ana"}], [{"n": "Zoe"}], [1]),  # in the same place
        ([{"n": "Ana"}, {"n": "Beto"}], [{"n": "Ana"}, {"n": "Berto"}], [1, 2]),
        ([{"n": "Ana"}, {"n": "Beto"}, {"n": "Carla"}], [{"n": "Ana"}, {"n": "Karla"}], [1, 3]),
        ([ANA, BETO], [ANA, {"n": "Zoe", "age": 3}, {"n": "Luz", "age": 9}], [1, None, None]),
        ([{**ANA, "id": "x"}, {**ANA, "id": "y"}], [{**ANA, "id": "y"}], [2]),  # ids decide
        ([{**ANA, "id": "x"}], [{**ANA, "id": "y"}], [None]),
        ([{**ANA, "id": "x"}, {**BETO, "id": "y"}], [{**CARLA, "id": "y"}, {**CARLA, "id": "x"}], [2, 1]),
        ([ANA], [{**ANA, "id": "x"}], [1]),  # a later version of the form gives ids
        ([], [ANA], [None]),
        ([ANA], [], []),
    ],
)
def test_rows_are_told_by_what_they_say(before: list[Person], after: list[Person], same: list[int | None]):
    assert people(before, after) == same


def test_only_its_place_is_no_certainty():
    unsure = match(rows([{"n": "Ana", "age": 30}]), rows([{"n": "Zoe", "age": 9}]), TOLD)
    sure = match(rows([{"n": "Ana", "age": 30}]), rows([{"n": "Zoe", "age": 30}]), TOLD)

    assert unsure["/m[1]"] == Match("/m[1]", sure=False)
    assert sure["/m[1]"] == Match("/m[1]", sure=True)


def test_rows_of_a_nested_repeat_go_with_their_parents():
    before = [{**ANA, "visits": [1, 2, 3]}, {**BETO, "visits": [1, 2]}]
    after = [{**BETO, "visits": [2]}, {**ANA, "visits": [1, 9, 3]}]

    found = match(rows(before), rows(after), TOLD)

    assert {key: one.key for key, one in found.items()} == {
        "": "",
        "/m[1]": "/m[2]",
        "/m[1]/visit[1]": "/m[2]/visit[2]",
        "/m[2]": "/m[1]",
        "/m[2]/visit[1]": "/m[1]/visit[1]",
        "/m[2]/visit[2]": "/m[1]/visit[2]",
        "/m[2]/visit[3]": "/m[1]/visit[3]",
    }


def test_twins_are_told_by_the_rows_below_them():
    before = [{**ANA, "visits": [1]}, {**ANA, "visits": [2]}]

    assert people(before, [{**ANA, "visits": [2]}]) == [2]


def test_a_renamed_question_is_the_same_question():
    told = Told(names={"/m/nombre": "/m/n"})
    old = rows([{"n": "Ana"}, {"n": "Zoe"}])
    for row in old[1:]:
        row.values = {"/m/nombre": row.values["/m/n"]}

    assert match(old, rows([{"n": "Zoe"}]), told)["/m[1]"] == Match("/m[2]", sure=True)


def test_long_repeats_are_matched_without_comparing_all_with_all():
    before = [{"n": f"p{number}", "age": number % 90} for number in range(3000)]
    after = [*before[:700], *before[701:]]
    after[1500] = {"n": "otra", "age": after[1500]["age"]}

    same = people(before, after)

    assert same == [*range(1, 701), *range(702, 3001)]
    assert people([{"n": "x"}] * 400, [{"n": "x"}] * 399) == list(range(1, 400))


PERSON = st.fixed_dictionaries(
    {
        "n": st.sampled_from(["Ana", "Beto", "Carla", "Dora"]),
        "age": st.integers(0, 3),
        "sex": st.sampled_from("fm"),
        "visits": st.lists(st.integers(1, 3), max_size=2),
    }
)
HOUSE = st.lists(PERSON, max_size=6)


def distinct(house: list[Person]) -> list[Person]:
    """The same people, of whom no two share a name or an age."""
    return [{**person, "n": f"persona {'abcdefghij'[at] * 5}", "age": at} for at, person in enumerate(house)]


@given(HOUSE, HOUSE)
def test_nobody_is_two_people_and_parents_stay_parents(before: list[Person], after: list[Person]):
    old, new = rows(before), rows(after)

    found = match(old, new, TOLD)

    assert found == match(old, new, TOLD)
    assert found[""] == Match("", sure=True)
    assert len({one.key for one in found.values()}) == len(found)
    tables_of = {row.key: row.table for row in old}
    parents = {row.key: row.parent_key for row in old}
    for row in new[1:]:
        if row.key in found:
            assert tables_of[found[row.key].key] == row.table
            assert parents[found[row.key].key] == found[row.parent_key or ""].key


@given(HOUSE)
def test_what_is_sent_again_is_the_same(house: list[Person]):
    assert {key: one.key for key, one in match(rows(house), rows(house), TOLD).items()} == {
        row.key: row.key for row in rows(house)
    }


@given(HOUSE, st.data())
def test_whoever_stays_is_known_when_others_go(house: list[Person], data: st.DataObject):
    stays = [data.draw(st.booleans()) for _ in house]
    before = distinct(house)

    after = [person for person, stay in zip(before, stays, strict=True) if stay]

    assert people(before, after) == [at for at, stay in enumerate(stays, start=1) if stay]


@given(HOUSE.filter(len), st.data())
def test_whoever_was_there_is_known_when_somebody_comes(house: list[Person], data: st.DataObject):
    before = distinct(house)
    at = data.draw(st.integers(0, len(before)))

    after = [*before[:at], {"n": "recién llegada", "age": 99, "sex": "f"}, *before[at:]]

    assert people(before, after) == [*range(1, at + 1), None, *range(at + 1, len(before) + 1)]


@given(HOUSE.filter(len), st.data())
def test_whoever_has_one_answer_edited_is_known(house: list[Person], data: st.DataObject):
    before = distinct(house)
    at = data.draw(st.integers(0, len(before) - 1))
    name = data.draw(st.sampled_from(["n", "age", "sex"]))
    gone = data.draw(st.sampled_from([None, *(one for one in range(len(before)) if one != at)]))
    edited = [{**person, name: "77"} if one == at else person for one, person in enumerate(before)]

    after = [person for one, person in enumerate(edited) if one != gone]

    assert people(before, after) == [one + 1 for one in range(len(before)) if one != gone]


def version(number: int, name: str, before: str | None, house: Sequence[Person]) -> Version:
    return Version(id=number, instance_id=name, deprecated_id=before, rows=rows(house))


def keys(traced: dict[int, dict[str, Traced]], number: int) -> list[str]:
    return [one.key for key, one in traced[number].items() if key]


def test_a_stable_key_names_the_version_in_which_the_row_first_stood():
    chain = [
        version(1, "A", None, [ANA, BETO, CARLA]),
        version(2, "B", "A", [ANA, CARLA]),
        version(3, "C", "B", [{"n": "Dora", "age": 8}, ANA, {**CARLA, "age": 51}]),
    ]

    traced = trace(chain, "A", TOLD)

    assert keys(traced, 1) == ["A/m[1]", "A/m[2]", "A/m[3]"]
    assert keys(traced, 2) == ["A/m[1]", "A/m[3]"]
    assert keys(traced, 3) == ["C/m[1]", "A/m[1]", "A/m[3]"]
    assert traced[3][""] == Traced("A", ())


def test_the_order_of_arrival_does_not_matter():
    houses = {"A": [ANA, BETO, CARLA], "B": [ANA, CARLA], "C": [CARLA, ANA, BETO]}
    edits = {"A": None, "B": "A", "C": "B"}
    found = set()
    for order in itertools.permutations("ABC"):
        chain = [version(number, name, edits[name], houses[name]) for number, name in enumerate(order)]
        traced = trace(chain, "A", TOLD)
        found.add(tuple(tuple(keys(traced, order.index(name))) for name in "ABC"))

    assert found == {(("A/m[1]", "A/m[2]", "A/m[3]"), ("A/m[1]", "A/m[3]"), ("A/m[3]", "A/m[1]", "C/m[3]"))}


def test_an_original_that_never_came_lends_its_name():
    assert keys(trace([version(1, "B", "A", [ANA])], "A", TOLD), 1) == ["A/m[1]"]


def test_two_edits_of_what_never_came_share_their_rows():
    traced = trace([version(1, "B", "A", [ANA, BETO]), version(2, "X", "A", [BETO, CARLA])], "A", TOLD)

    assert (keys(traced, 1), keys(traced, 2)) == (["A/m[1]", "A/m[2]"], ["A/m[2]", "X/m[2]"])


def test_a_chain_that_bites_its_tail_ends():
    traced = trace([version(1, "A", "B", [ANA]), version(2, "B", "A", [ANA])], "A", TOLD)

    assert (keys(traced, 1), keys(traced, 2)) == (["A/m[1]"], ["A/m[1]"])


def test_doubt_stays_with_the_row():
    chain = [version(1, "A", None, [{"n": "Ana", "age": 3}]), version(2, "B", "A", [{"n": "Zoe", "age": 80}])]
    chain.append(version(3, "C", "B", [{"n": "Zoe", "age": 81}]))

    traced = trace(chain, "A", TOLD)

    assert [traced[number]["/m[1]"] for number in (1, 2, 3)] == [
        Traced("A/m[1]", ()),
        Traced("A/m[1]", (2,)),
        Traced("A/m[1]", (2,)),
    ]


@settings(max_examples=30)
@given(st.lists(HOUSE, min_size=1, max_size=4))
def test_no_two_rows_of_a_version_share_a_stable_key(houses: list[list[Person]]):
    chain = [version(n, f"V{n}", f"V{n - 1}" if n else None, house) for n, house in enumerate(houses)]

    traced = trace(chain, "V0", TOLD)

    for number, house in enumerate(houses):
        assert len(set(keys(traced, number))) == len(rows(house)) - 1
    assert keys(traced, 0) == [f"V0{row.key}" for row in rows(houses[0])[1:]]

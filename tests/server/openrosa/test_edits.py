"""Corrections made on the phone: chains of edits that arrive in any order, with the files they inherit."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tests.server.desk import Desk, form, questions
from tests.server.wire import Wire, instance

HOUSE = form("hogar", questions("integer edad", "image foto", "begin repeat m", "text n", "end repeat"))
AGES = {"A": 1, "B": 2, "C": 3, "D": 4, "X": 5}
BEFORE = {"B": "A", "C": "B", "D": "C", "X": "A"}


def edit(name: str, chain: str = "", *, before: str | None = None, age: int | None = None) -> bytes:
    """The version `name` of a chain A → B → C → D (X edits A too); `chain` keeps chains of one test apart."""
    count = age or AGES[name]
    earlier = before or BEFORE.get(name)
    return instance(
        "hogar",
        f"<edad>{count}</edad><foto>f.jpg</foto>" + f"<m><n>{name}</n></m>" * count,
        instance_id=f"uuid:{chain}{name}",
        deprecated_id=f"uuid:{chain}{earlier}" if earlier else None,
    )


def orders(names: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every order of arrival, and a name for its chain."""
    return (("".join(order) + "-", order) for order in itertools.permutations(names))


def current(desk: Desk, chain: str) -> list[str]:
    return [v.instance_id.removeprefix(f"uuid:{chain}") for v in desk.versions("hogar", f"uuid:{chain}A") if v.current]


def test_case_13_a_chain_ends_the_same_in_every_order(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    for number, (chain, order) in enumerate(orders("ABC"), 1):
        assert [phone.post(edit(name, chain)).status for name in order] == [201, 201, 201]

        assert current(desk, chain) == ["C"]
        row = desk.whole_rows("hogar")[-1]
        assert (row["edad"], row["_edits"], row["_review_state"]) == (3, 2, "edited")
        assert (row["_key"], row["instanceid"]) == (f"uuid:{chain}A", f"uuid:{chain}C")
        members = desk.rows("hogar", "/m")[-3:]
        assert [(member["_key"], member["n"]) for member in members] == [
            (f"uuid:{chain}A/m[{position}]", "C") for position in (1, 2, 3)
        ]
        assert (desk.submissions(), len(desk.rows("hogar")), len(desk.rows("hogar", "/m"))) == (
            number,
            number,
            number * 3,
        )
        assert {name: desk.xml_of(f"uuid:{chain}{name}") for name in "ABC"} == {n: edit(n, chain) for n in "ABC"}

    assert (desk.failures(), desk.flags("hogar")) == ([], [])


def test_case_13_four_versions_end_the_same_in_every_order(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    for chain, order in orders("ABCD"):
        for name in order:
            assert phone.post(edit(name, chain)).status == 201
        assert current(desk, chain) == ["D"]

    assert [row["edad"] for row in desk.rows("hogar")] == [4] * 24
    assert desk.submissions() == 24


def test_case_13_resending_any_version_changes_nothing(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    for chain, order in orders("ABC"):
        for name in order:
            phone.post(edit(name, chain))
    before = desk.tables("hogar")

    again = {phone.post(edit(name, chain)).status for chain, order in orders("ABC") for name in (*order, *order[::-1])}

    assert again == {201}
    assert desk.tables("hogar") == before
    assert desk.submissions() == 6


def test_case_13_an_edit_whose_original_never_comes_stands_by_itself(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    assert phone.post(edit("C")).status == 201

    assert [(row["edad"], row["_key"]) for row in desk.rows("hogar")] == [(3, "uuid:B")]


def test_case_13_an_original_that_comes_after_its_edit_does_not_become_current(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    phone.post(edit("B"))
    phone.post(edit("A"))

    assert [row["edad"] for row in desk.rows("hogar")] == [2]
    assert [(v.instance_id, v.current) for v in desk.versions("hogar", "uuid:A")] == [
        ("uuid:B", True),
        ("uuid:A", False),
    ]


def test_case_13_an_edit_with_other_content_under_its_id_is_refused(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    phone.post(edit("A"))
    phone.post(edit("B"))

    assert phone.post(edit("B", age=9)).status == 409
    assert [row["edad"] for row in desk.rows("hogar")] == [2]


def test_case_13_files_are_carried_over_from_the_version_that_brought_them(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    for bearer in "AB":
        for tag, order in orders("ABC"):
            chain = bearer + tag
            for name in order:
                phone.post(edit(name, chain), {"f.jpg": b"F"} if name == bearer else {})
            assert desk.files(f"uuid:{chain}C") == {"f.jpg": b"F"}
            assert desk.files(f"uuid:{chain}A") == {"f.jpg": b"F" if bearer == "A" else None}


def test_case_13_files_that_come_later_reach_the_edit_too(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    for name in "ABC":
        phone.post(edit(name))

    phone.post(edit("A"), {"f.jpg": b"F"})

    assert desk.files("uuid:C") == {"f.jpg": b"F"}


def test_case_13_a_file_that_the_edit_brings_itself_wins(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    phone.post(edit("A"), {"f.jpg": b"old"})
    phone.post(edit("B"))
    phone.post(edit("B"), {"f.jpg": b"new"})
    phone.post(edit("A"), {"f.jpg": b"old"})

    assert desk.files("uuid:B") == {"f.jpg": b"new"}


def test_two_edits_of_one_submission_are_both_kept_and_the_last_stands(desk: Desk, phone: Wire):
    """Two devices restored from one backup each correct the same submission."""
    desk.publish(HOUSE)

    for chain, order in orders("ABX"):
        assert [phone.post(edit(name, chain)).status for name in order] == [201, 201, 201]
        assert len(desk.versions("hogar", f"uuid:{chain}A")) == 3
        assert current(desk, chain) == [[name for name in order if name != "A"][-1]]

    assert desk.submissions() == 6


def test_an_edit_of_itself_or_in_a_circle_is_kept(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    for chain, first in (("1", "A"), ("2", "B")):
        assert phone.post(edit("A", chain, before=first)).status == 201
        assert phone.post(edit("B", chain)).status == 201

    assert desk.submissions() == 2
    assert len(desk.rows("hogar")) == 2


def test_an_edit_may_use_a_newer_version_of_the_form(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    desk.publish(form("hogar", questions("integer edad", "text nombre"), version="2"))
    phone.post(edit("A"))
    newer = instance(
        "hogar", "<edad>9</edad><nombre>Ana</nombre>", version="2", instance_id="uuid:B", deprecated_id="uuid:A"
    )

    assert phone.post(newer).status == 201

    assert [(row["edad"], row["nombre"]) for row in desk.rows("hogar")] == [(9, "Ana")]
    assert desk.rows("hogar", "/m") == []

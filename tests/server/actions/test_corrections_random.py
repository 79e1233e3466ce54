"""Any sequence of corrections, withdrawals, confirmations and edits leaves in the tables what a simple model says."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from server.actions import corrections, rebuilds
from server.actions.corrections import Wish
from tests.server.desk import Desk, form
from tests.server.wire import Wire, instance

HOUSE = form(
    "hogar",
    """
| | type         | name  | label   | calculation  |
| | integer      | edad  | Edad    |              |
| | text         | dice  | Dice    |              |
| | begin repeat | m     | Alguien |              |
| | calculate    | clave |         | once(uuid()) |
| | integer      | anios | Años    |              |
| | end repeat   |       |         |              |
""",
)
NUMBERS = count()
VALUES = st.sampled_from(["1", "2", "3", None])
PICKS = st.sampled_from([0, 0, 0, 2, 3])  # few places, so that corrections lie upon each other
Place = tuple[str, str]
"""Whose answer ("": the form's, else the member's own key), and to which question."""


@dataclass
class Laid:
    """A correction as the model knows it."""

    place: Place
    base: str | None
    new: str | None
    state: str = "active"


@dataclass
class Model:
    """One house: what the phone says now, and the corrections in order."""

    name: str
    sent: dict[Place, str | None]
    members: list[str]
    laid: list[Laid] = field(default_factory=list)
    versions: list[tuple[str, bytes]] = field(default_factory=list)

    def active(self, place: Place) -> list[Laid]:
        return [one for one in self.laid if one.place == place and one.state == "active"]

    def stands(self, place: Place) -> str | None:
        top = self.active(place)[-1:]
        return top[0].new if top else self.sent.get(place)

    def correct(self, place: Place, new: str | None) -> None:
        for one in self.laid:
            if one.place == place and one.state == "reopened":
                one.state = "replaced"
        self.laid.append(Laid(place, self.sent.get(place), new))

    def edit(self, sent: dict[Place, str | None], members: list[str]) -> None:
        self.sent, self.members = sent, members
        for place in {one.place for one in self.laid}:
            stack = self.active(place)
            gone = place[0] not in ("", *members)
            now = sent.get(place)
            if stack and (gone or now != stack[-1].base):
                state = "settled" if not gone and now == stack[-1].new else "reopened"
                for one in stack:
                    one.state = state

    def xml(self) -> bytes:
        """What the phone sends."""

        def element(name: str, text: str | None) -> str:
            return f"<{name}>{text}</{name}>" if text is not None else f"<{name}/>"

        answers = element("edad", self.sent.get(("", "edad"))) + element("dice", self.sent.get(("", "dice")))
        for member in self.members:
            answers += f"<m><clave>{member}</clave>{element('anios', self.sent.get((member, 'anios')))}</m>"
        before = self.versions[-1][0] if self.versions else None
        own = self.name if before is None else f"{self.name}-{len(self.versions)}"
        made = instance("hogar", answers, instance_id=own, deprecated_id=before)
        self.versions.append((own, made))
        return made


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("correct"), PICKS, VALUES),
        st.tuples(st.just("correct"), PICKS, VALUES),
        st.tuples(st.just("withdraw"), st.integers(0, 9), st.none()),
        st.tuples(st.just("confirm"), st.integers(0, 9), st.none()),
        st.tuples(st.just("edit"), PICKS, VALUES),
        st.tuples(st.just("remove"), st.integers(0, 9), st.none()),
        st.tuples(st.just("add"), st.integers(0, 9), VALUES),
    ),
    min_size=8,
    max_size=14,
)


@seed(20260301)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(OPERATIONS)
def test_tables_say_what_a_simple_model_says(desk: Desk, phone: Wire, operations: list[tuple[str, int, Any]]):
    if not desk.audited().count("form.update.publish"):
        desk.publish(HOUSE)
    house = Model(f"uuid:h{next(NUMBERS)}", {("", "edad"): "1", ("", "dice"): "2"}, [])
    for number in range(3):
        join(house, str(number))
    assert phone.post(house.xml()).status == 201

    for kind, pick, value in operations:
        act(desk, phone, house, kind, pick, value)
        assert tables(desk, house) == expected(house), (kind, pick, value)
        assert states(desk, house) == [one.state for one in house.laid]

    before = desk.tables("hogar")
    assert desk.act(lambda ctx: rebuilds.rebuild_chunk(ctx, 1, 0)) is not None
    assert desk.tables("hogar") == before
    assert {name: desk.xml_of(name) for name, _ in house.versions} == dict(house.versions)
    assert desk.failures() == []


def join(house: Model, age: str | None) -> None:
    member = f"clave-{next(NUMBERS)}"
    house.members = [*house.members, member]
    house.sent = {**house.sent, (member, "anios"): age}


def act(desk: Desk, phone: Wire, house: Model, kind: str, pick: int, value: str | None) -> None:
    """One operation on the program and on the model; what has nothing to work on is passed over."""
    places: list[Place] = [("", "edad"), ("", "dice"), *((member, "anios") for member in house.members)]
    place = places[pick % len(places)]
    open_ = [number for number, one in enumerate(house.laid) if one.state in ("active", "reopened")]
    sent, members = dict(house.sent), list(house.members)
    if kind == "correct" and house.stands(place) != value:
        wish = Wish(
            row=key(desk, house, place[0]), path=path(place), new_text=value, reason="x", old_text=house.stands(place)
        )
        desk.act(lambda ctx: corrections.correct(ctx, 1, "hogar", house.name, wish))
        house.correct(place, value)
    elif kind == "withdraw" and open_:
        number = open_[pick % len(open_)]
        desk.act(lambda ctx: corrections.withdraw(ctx, 1, "hogar", ids(desk, house)[number], "x"))
        house.laid[number].state = "withdrawn"
    elif kind == "confirm":
        waiting = [n for n in open_ if house.laid[n].state == "reopened" and house.laid[n].place in places]
        if waiting:
            one = house.laid[waiting[pick % len(waiting)]]
            number = ids(desk, house)[waiting[pick % len(waiting)]]
            desk.act(lambda ctx: corrections.confirm(ctx, 1, "hogar", number))
            house.correct(one.place, one.new)
    elif kind in ("edit", "remove", "add"):
        if kind == "edit":
            sent[place] = value
        elif kind == "remove" and members:
            members.pop(pick % len(members))
        elif kind == "add":
            member = f"clave-{next(NUMBERS)}"
            members.insert(pick % (len(members) + 1), member)
            sent[member, "anios"] = value
        house.edit(sent, members)
        assert phone.post(house.xml()).status == 201


def path(place: Place) -> str:
    return f"/m/{place[1]}" if place[0] else f"/{place[1]}"


def key(desk: Desk, house: Model, member: str) -> str:
    """The stable key of a member's row."""
    rows = desk.whole_rows("hogar", "/m")
    return next(str(row["_stable_key"]) for row in rows if row["clave"] == member) if member else ""


def ids(desk: Desk, house: Model) -> list[int]:
    log = desk.ask(lambda ctx: list(corrections.list_log(ctx, 1, "hogar", instance_id=house.name)))
    return [line.correction.id for line in log]


def states(desk: Desk, house: Model) -> list[str]:
    log = desk.ask(lambda ctx: list(corrections.list_log(ctx, 1, "hogar", instance_id=house.name)))
    return [line.correction.state for line in log]


def tables(desk: Desk, house: Model) -> tuple[Any, Any, list[tuple[str, Any]]]:
    """The age and the words of the house, and its members with their ages, as the tables have them."""
    (row,) = [row for row in desk.rows("hogar") if row["_key"] == house.name]
    members = [
        (one["clave"], one["anios"]) for one in desk.whole_rows("hogar", "/m") if one["_parent_key"] == house.name
    ]
    return row["edad"], row["dice"], members


def expected(house: Model) -> tuple[Any, Any, list[tuple[str, Any]]]:
    def number(place: Place) -> int | None:
        text = house.stands(place)
        return None if text is None else int(text)

    members = [(member, number((member, "anios"))) for member in house.members]
    return number(("", "edad")), house.stands(("", "dice")), members

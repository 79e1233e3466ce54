"""Figures of random logframes over random answers, equal to those that pandas computes from the extract."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from server.actions import extracts, following
from server.actions.extracts import CentralRequest
from server.indicators import catalogue, values
from server.indicators.asking import Request
from server.indicators.estimates import Estimate
from server.indicators.values import Figure
from server.model.projects import projects as projects_table
from server.model.submissions import submissions
from server.store import projects
from tests.server.desk import Desk
from tests.server.indicators import sample
from tests.server.indicators.independent import Found, Key, Period, Spec, Wanted, World, code_of, figures, index_of
from tests.server.indicators.measuring import declare
from tests.server.wire import Wire, instance, new_id


def fill(desk: Desk, phone: Wire, chance: random.Random, number: int) -> None:
    """So many submissions, some edited (some before what they edit arrives), reviewed or deleted."""
    sent: list[tuple[bytes, bytes]] = []
    for _ in range(number):
        first = new_id()
        sent.append((instance(sample.FORM, sample.answers(chance), instance_id=first), b""))
        if chance.random() < 0.15:
            edit = instance(sample.FORM, sample.answers(chance), deprecated_id=first)
            sent[-1] = (edit, sent[-1][0]) if chance.random() < 0.4 else (sent[-1][0], edit)
    for pair in sent:
        for xml in filter(None, pair):
            answer = phone.post(xml)
            assert answer.status == 201, answer.body
    review(desk, chance)


def review(desk: Desk, chance: random.Random) -> None:
    """Some submissions are approved, some rejected, some deleted."""

    def work(ctx: Any) -> None:
        for submission_id in sorted(ctx.conn.execute(select(submissions.c.id)).scalars()):
            state = chance.choice((None, None, "approved", "approved", "rejected", "hasIssues"))
            gone = ctx.now() if chance.random() < 0.05 else None
            changed = update(submissions).where(submissions.c.id == submission_id)
            ctx.conn.execute(changed.values(review_state=state, deleted_at=gone))
            following.follow_stored(ctx, submission_id)

    desk.act(work)


def extract(desk: Desk) -> sample.Extract:
    """What the extract of the form says."""
    asked = CentralRequest()
    content = desk.ask(
        lambda ctx: b"".join(extracts.open_central(ctx, desk.project_id, sample.FORM, asked, identities=True).pieces)
    )
    return sample.read_extract(content)


def count_only(desk: Desk, counting: str) -> None:
    """What counts: `approved`, or everything that is not rejected."""

    def work(conn: Connection) -> None:
        conn.execute(update(projects_table).where(projects_table.c.id == desk.project_id).values(counting=counting))

    desk.change(work)


def asked(desk: Desk, name: str, request: Request) -> tuple[Figure, ...]:
    """What the server says."""
    project = desk.look(lambda conn: projects.find_project(conn, desk.project_id))
    assert project is not None
    return desk.look(lambda conn: values.compute(conn, catalogue.load(conn, project), [name], request)[name].figures)


def random_wanted(chance: random.Random, spec: Spec, axes: tuple[str, ...]) -> tuple[Wanted, Request]:
    """A request, said in both ways."""
    kinds = ("month", "quarter", "semester", "year")
    cumulative = chance.choice((None, None, True, False))
    by = tuple(chance.sample(axes, chance.choice((0, 0, 1, 1, 2))))
    place = chance.choice((None, None, "pais", "p1", "p2", "p3", "d1", "d2", "d4"))
    has_rounds = spec.period == "round"
    period = chance.choice(("own", "all", "kind", "some", *(("round", "round") if has_rounds else ())))
    if period == "own":
        period = str(spec.period)
    indices = None
    said = period
    if period == "kind":
        period = said = chance.choice(kinds)
    elif period == "some":
        period = chance.choice(kinds)
        some = sorted({index_of(sample.date(2024, chance.randrange(1, 13), 1), period) for _ in range(3)})
        indices = tuple(some)
        said = ",".join(code_of(one, period) for one in some)
    wanted = Wanted(period=period, indices=indices, by=by, place=place, cumulative=cumulative)
    return wanted, Request(period=said, by=by, place=place, cumulative=cumulative)


def of_server(given: tuple[Figure, ...], wanted: Wanted) -> dict[Period, dict[Key, Figure]]:
    """The server's figures by the names of independent ones."""
    found: dict[Period, dict[Key, Figure]] = {}
    for figure in given:
        found.setdefault(figure.period, {})[figure.categories] = figure
    return found


def compare(world: World, spec: Spec, wanted: Wanted, given: tuple[Figure, ...]) -> None:
    """Raises AssertionError where the two say different things."""
    mine: dict[Period, dict[Key, Found]] = {
        (code_of(period, wanted.period) if isinstance(period, int) else period): cells
        for period, cells in figures(world, spec.name, wanted).items()
    }
    theirs = of_server(given, wanted)
    for period, cells in mine.items():
        if period not in theirs:
            assert not cells or (wanted.indices is None and not _new(world, spec, wanted, period)), (period, cells)
    for period, figures_here in theirs.items():
        expected = mine.get(period, {})
        assert set(figures_here) == set(expected), (period, set(figures_here) ^ set(expected))
        for cell, figure in figures_here.items():
            _same(spec, figure, expected[cell], (period, cell))


def _new(world: World, spec: Spec, wanted: Wanted, period: Period) -> bool:
    """Whether the period has units of its own; one that has none need not be shown where it accumulates."""
    alone = Wanted(period=wanted.period, by=wanted.by, place=wanted.place, cumulative=False)
    found = figures(world, spec.name, alone)
    codes = {code_of(one, wanted.period) if isinstance(one, int) else one: one for one in found}
    return period in codes and any(one.n or one.excluded for one in found[codes[period]].values())


def _same(spec: Spec, given: Figure, expected: Found, where: object) -> None:
    assert (given.value is None) == (expected.value is None), (where, given, expected)
    if given.value is not None and expected.value is not None:
        exact = spec.type in ("distinct", "min", "max") or (spec.type == "count" and "weight" not in spec.roles)
        near = 0.0 if exact else 1e-9 * abs(expected.value) + 1e-13 * expected.scale
        assert abs(given.value - expected.value) <= near, (where, given, expected)
    if spec.type == "formula":
        return
    assert (given.n, given.excluded) == (expected.n, expected.excluded), (where, given, expected)
    if expected.numerator is None or expected.denominator is None:
        return
    if not expected.n:
        assert (given.numerator, given.denominator) == (None, None), (where, given, expected)
        return
    assert given.numerator == pytest.approx(expected.numerator, rel=1e-9, abs=1e-12 * expected.scale), where
    assert given.denominator == pytest.approx(expected.denominator, rel=1e-9, abs=1e-9), where
    if "psu" in spec.roles and spec.latest is None and "group" not in spec.roles:
        _same_error(given.estimate, expected, where)


def _same_error(given: Estimate | None, expected: Found, where: object) -> None:
    assert given is not None
    assert (given.se is None) == (expected.se is None), (where, given, expected)
    if given.se is not None and expected.se is not None:
        assert given.se == pytest.approx(expected.se, rel=1e-7, abs=1e-9 * (1 + expected.scale)), (
            where,
            given,
            expected,
        )


SIZES = [
    pytest.param(2, 100, 30, 1, id="quick"),
    *(pytest.param(seed, 600, 120, 8, id=f"long{seed}", marks=pytest.mark.long) for seed in range(2, 6)),
]


@pytest.mark.parametrize(("seed", "number", "indicators", "requests"), SIZES)
def test_random_figures_are_those_of_pandas(
    desk: Desk, phone: Wire, seed: int, number: int, indicators: int, requests: int
):
    chance = random.Random(seed)
    desk.publish(sample.SURVEY)
    sheet, _ = sample.random_specs(random.Random(seed), None, indicators)
    fill(desk, phone, chance, number // 2)
    declare(desk, sheet + sample.DIMENSIONS + sample.LOGFRAME_PLACES)
    fill(desk, phone, chance, number // 2)
    assert desk.failures() == []

    wrong = []
    for counting in ("not_rejected", "approved"):
        count_only(desk, counting)
        _, specs = sample.random_specs(random.Random(seed), extract(desk), indicators)
        world = sample.world(specs, approved=counting == "approved")
        for spec in specs:
            for _ in range(requests):
                axes = axes_of(world, spec)
                wanted, request = random_wanted(chance, spec, axes)
                try:
                    compare(world, spec, wanted, asked(desk, spec.name, request))
                except AssertionError as error:
                    wrong.append(
                        (spec.name, spec.type, sorted(spec.roles), spec.latest, spec.cohort, wanted, str(error))
                    )
    assert wrong == []


def axes_of(world: World, spec: Spec) -> tuple[str, ...]:
    if spec.type == "formula":
        return tuple(level for level in ("province", "district"))
    over = next(
        over
        for over, axes in sample.AXES_OF.items()
        if spec.units and _depth(spec) == ["", "hijo", "vacuna"].index(over)
    )
    return (*sample.AXES_OF[over], "tramo")


def _depth(spec: Spec) -> int:
    depth, at = 0, spec.units[0]
    while at._above is not None:
        depth, at = depth + 1, at._above
    return depth

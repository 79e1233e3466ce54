"""The records behind a figure add up to it, whatever the indicator and whatever was asked."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

import pytest
from sqlalchemy import Connection

from server.indicators import catalogue, records
from server.indicators.asking import Request, understand
from server.indicators.records import Record
from server.indicators.values import Figure
from server.store import projects
from tests.server.desk import Desk
from tests.server.indicators import sample
from tests.server.indicators.independent import Spec
from tests.server.indicators.measuring import declare
from tests.server.indicators.test_independent import asked, axes_of, extract, fill
from tests.server.wire import Wire


def behind(desk: Desk, name: str, request: Request, only: Mapping[str, str | None], most: int) -> list[Record]:
    """Every record behind a figure, read page by page."""

    def work(conn: Connection) -> list[Record]:
        project = projects.find_project(conn, desk.project_id)
        assert project is not None
        found = catalogue.load(conn, project)
        one = found.resolved[name]
        understood = understand(found, one, request)
        read: list[Record] = []
        while True:
            after = (read[-1].submission_id, read[-1].row) if read else (0, -1)
            page = records.find(conn, found, one, understood, only, after=after, most=most)
            read.extend(page)
            if len(page) < most:
                return read

    return desk.look(work)


def random_request(chance: random.Random, spec: Spec, axes: tuple[str, ...]) -> Request:
    """A request of one period."""
    periods = ["all", "2024-Q2", "2024", "2024-05", "2024-S2", *(["r1", "r1"] if spec.period == "round" else [])]
    return Request(
        period=chance.choice(periods),
        by=tuple(chance.sample(axes, chance.choice((0, 1, 2)))),
        place=chance.choice((None, None, "p1", "p3", "d2")),
        cumulative=chance.choice((None, True, False)),
    )


def adds_up(spec: Spec, figure: Figure, found: list[Record]) -> None:
    """Raises AssertionError where the records say something else than the figure."""
    places = [(record.submission_id, record.row) for record in found]
    assert places == sorted(set(places))
    counted = [record for record in found if not record.excluded]
    excluded = len(found) - len(counted)
    assert excluded == figure.excluded
    if spec.type == "distinct":
        assert len({record.key for record in counted}) == figure.n
        return
    assert len(counted) == figure.n
    weights = [record.weight if "weight" in spec.roles else 1.0 for record in counted]
    assert all(weight is not None for weight in weights)
    numbers = [record.numerator for record in counted]
    if spec.type in ("min", "max"):
        assert figure.value == (min if spec.type == "min" else max)(
            (one for one in numbers if one is not None), default=None
        )
        return
    if not counted:
        return
    over = math.fsum((weight or 0.0) * (one or 0.0) for weight, one in zip(weights, numbers, strict=True))
    assert figure.numerator == pytest.approx(over, rel=1e-9, abs=1e-6)
    under = [record.denominator for record in counted] if spec.type == "ratio" else [1.0] * len(counted)
    total = math.fsum((weight or 0.0) * (one or 0.0) for weight, one in zip(weights, under, strict=True))
    assert figure.denominator == pytest.approx(total, rel=1e-9, abs=1e-6)


def adds_up_again(spec: Spec, figure: Figure, found: list[Record], rows: Mapping[str, sample.Row]) -> None:
    """The same where rows of one value are a unit: they are summed up again. Those of no known value are excluded."""
    groups: dict[str | None, list[sample.Row]] = {}
    alone = [record for record in found if record.excluded]
    assert {record.group for record in alone} <= {None, ""}
    for record in reversed(found):
        if not record.excluded:
            assert record.group
            groups.setdefault(record.group, []).append(rows[record.row_key])
    assert len(groups) + len(alone) >= figure.n + figure.excluded
    if spec.type in ("count", "distinct", "percent", "ratio"):
        return
    assert len(groups) + len(alone) == figure.n + figure.excluded
    values = [spec.roles["value"](group, None) for group in groups.values()]
    known = [value for value in values if value is not None]
    if spec.type in ("min", "max") and known and figure.n == len(known):
        assert figure.value == pytest.approx((min if spec.type == "min" else max)(known), rel=1e-9)
    if spec.type in ("sum", "mean") and "weight" not in spec.roles:
        assert len(known) == figure.n
        assert figure.numerator == (pytest.approx(math.fsum(known), rel=1e-9) if known else None)


SIZES = [
    pytest.param(11, 80, 24, 1, id="quick"),
    *(pytest.param(seed, 300, 100, 4, id=f"long{seed}", marks=pytest.mark.long) for seed in range(12, 15)),
]


@pytest.mark.parametrize(("seed", "number", "indicators", "requests"), SIZES)
def test_records_add_up_to_their_figure(
    desk: Desk, phone: Wire, seed: int, number: int, indicators: int, requests: int
):
    chance = random.Random(seed)
    desk.publish(sample.SURVEY)
    sheet, _ = sample.random_specs(random.Random(seed), None, indicators)
    declare(desk, sheet + sample.DIMENSIONS + sample.LOGFRAME_PLACES)
    fill(desk, phone, chance, number)
    held = extract(desk)
    _, specs = sample.random_specs(random.Random(seed), held, indicators)
    world = sample.world(specs, approved=False)
    rows = {row.text("KEY") or "": row for over in held.rows.values() for row in over}

    wrong = []
    for spec in specs:
        if spec.formula is not None:
            continue
        for _ in range(requests):
            request = random_request(chance, spec, axes_of(world, spec))
            found = asked(desk, spec.name, request)
            for figure in chance.sample(found, min(len(found), 4)):
                only = dict(zip(request.by, figure.categories, strict=True))
                read = behind(desk, spec.name, request, only, most=7)
                try:
                    if "group" in spec.roles:
                        adds_up_again(spec, figure, read, rows)
                    else:
                        adds_up(spec, figure, read)
                except AssertionError as error:
                    wrong.append(
                        (spec.name, spec.type, sorted(spec.roles), spec.latest, spec.cohort, request, only, str(error))
                    )
    assert wrong == []

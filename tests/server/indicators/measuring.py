"""Measuring: a logframe taken, answers sent, and figures read, as a monitoring officer would say them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from server.actions import logframes
from server.indicators import catalogue, values
from server.indicators.asking import Request
from server.indicators.values import Figure
from server.store import projects
from tests.server.desk import Desk
from tests.server.wire import Wire, instance

Table = dict[tuple[str | None, ...], tuple[float | None, int, int]]
"""(period, categories…) → value, n, excluded; the period is left out where none was asked for."""


def declare(desk: Desk, sheets: str, project_id: int | None = None) -> logframes.Taken:
    """A logframe workbook, as markdown tables, taken by the project."""
    data = sheets.encode()
    blob = desk.office.blobs.put(BytesIO(data))
    read = logframes.read(data, "marco.md")
    return desk.act(lambda ctx: logframes.put(ctx, project_id or desk.project_id, read, original=blob, name="marco.md"))


def send(phone: Wire, form_id: str, answers: str, **about: Any) -> None:
    """A submission, acknowledged."""
    answer = phone.post(instance(form_id, answers, **about))
    assert answer.status == 201, answer.body


def figures(desk: Desk, name: str, **asked: Any) -> tuple[Figure, ...]:
    """What is known of an indicator."""
    project = desk.look(lambda conn: projects.find_project(conn, desk.project_id))
    assert project is not None

    def work(conn: Any) -> tuple[Figure, ...]:
        found = values.compute(conn, catalogue.load(conn, project), [name], Request(**asked))
        return found[name].figures

    return desk.look(work)


def table(desk: Desk, name: str, **asked: Any) -> Table:
    """The same, as a table to be compared."""
    split = asked.get("period", "all") != "all"
    return {
        ((figure.period, *figure.categories) if split else figure.categories): (
            figure.value,
            figure.n,
            figure.excluded,
        )
        for figure in figures(desk, name, **asked)
    }

"""Extreme answers, all the way to figures: every indicator has values that can be told, whatever a record holds."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from tests.forms.expressions.extremes import FORM_ID, SHEET, submissions
from tests.server.api.clients import client
from tests.server.desk import Desk
from tests.server.indicators import standing
from tests.server.indicators.measuring import declare, send
from tests.server.wire import Wire

DESIGN = {"weight": "abs(${otro})", "strata": "${uno}", "psu": "substr(${corto}, 0, 3)"}
INDICATORS: dict[str, dict[str, str]] = {
    "N": {"type": "count", "where": "${decimal} * ${otro} > 1"},
    "S": {"type": "sum", "value": "${decimal}"},
    "SW": {"type": "sum", "value": "${decimal}", **DESIGN},
    "M": {"type": "mean", "value": "${decimal}", **DESIGN},
    "E": {"type": "mean", "value": "${entero}", **DESIGN},
    "ME": {"type": "median", "value": "${decimal}"},
    "MW": {"type": "median", "value": "${decimal}", **DESIGN},
    "MI": {"type": "min", "value": "${decimal}"},
    "MA": {"type": "max", "value": "${decimal}"},
    "P": {"type": "percent", "numerator": "${decimal} > 0", "denominator": "${otro} != 0", **DESIGN},
    "R": {"type": "ratio", "numerator": "${decimal}", "denominator": "${otro}", **DESIGN},
    "R2": {"type": "ratio", "numerator": "${otro}", "denominator": "${entero}"},
    "D": {"type": "distinct", "key": "${texto}"},
    "C": {"type": "count", **DESIGN},
    "G": {"type": "sum", "value": "sum(${decimal}) * sum(${otro})", "group": "${corto}"},
    "L": {"type": "mean", "value": "${decimal} div ${otro}", "key": "${uno}", "latest": "2"},
    "O": {"type": "mean", "value": "${decimal} - (period-end() - ${dia})", "weight": "abs(${otro})"},
    "H": {"type": "sum", "value": "sum(${peso})"},
}
FORMULAS = {"F1": "{S} div {M}", "F2": "{S} * {R}", "F3": "pow({SW}, {E})", "F4": "{ME} + {MA} - {MI}"}
HEADS = ("type", "numerator", "denominator", "value", "where", "weight", "strata", "psu", "key", "group", "latest")


def logframe() -> str:
    """All of them, by year and choice."""
    rows = [f"| | name | label | form | date | period | {' | '.join(HEADS)} |"]
    for name, told in INDICATORS.items():
        cells = [told.get(head, "") for head in HEADS]
        rows.append(f"| | {name} | {name} | {FORM_ID} | ${{dia}} | year | {' | '.join(cells)} |")
    for name, formula in FORMULAS.items():
        cells = [{"type": "formula", "value": formula}.get(head, "") for head in HEADS]
        rows.append(f"| | {name} | {name} | | | | {' | '.join(cells)} |")
    return "\n".join(["| indicators |", *rows])


def _refuse(constant: str) -> None:
    raise AssertionError(constant)


@pytest.mark.parametrize("declared", ["before", "after"])
def test_figures_of_extreme_answers_can_be_told(desk: Desk, phone: Wire, declared: str):
    desk.publish(SHEET)
    manager = client(desk, phone.send, "manager")
    if declared == "before":
        declare(desk, logframe())
    for number, answers in enumerate(submissions(11, 60)):
        send(phone, FORM_ID, answers, instance_id=f"uuid:{number}")
    if declared == "after":
        declare(desk, logframe())

    assert desk.failures() == []
    assert standing.kept(desk) == standing.fresh(desk)
    for asked in ({"period": "all"}, {"period": "year"}, {"period": "year", "by": "uno"}, {"cumulative": "true"}):
        answer = manager.ask(f"/indicators/values?{urlencode(asked)}")
        assert answer.status == 200, answer.body
        told = json.loads(answer.content, parse_constant=_refuse)
        assert [one["indicator"] for one in told["indicators"]] == [*INDICATORS, *FORMULAS]
        assert all(one["values"] for one in told["indicators"])

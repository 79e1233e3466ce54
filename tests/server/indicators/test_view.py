"""The view that tools of analysis read: what a viewer would see, labelled, and computed anew when records arrive."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from server.jobs.schedule import keep_for
from tests.server.desk import Desk, form
from tests.server.indicators.measuring import declare, send
from tests.server.wire import Wire

SURVEY = """
| | type | name | label |
| | date | dia | D |
| | select_one sexo | sexo | S |
| | text | lugar | L |
"""
CHOICES = """
| | list_name | name | label::Español (es) | label::English (en) |
| | sexo | f | Mujer | Woman |
| | sexo | m | Hombre | Man |
"""
LOGFRAME = """
| indicators |
| | name | label::Español (es) | label::English (en) | form | type | date | period | place | disaggregate | minimum_n |
| | N | Personas | People | hogar | count | ${dia} | year | ${lugar} | sexo region | 3 |
| places |
| | code | level | label |
| | r1 | region | Uno |
| | r2 | region | Dos |
| targets |
| | indicator | kind | period | value |
| | N | target | 2026 | 10 |
"""


def shown(desk: Desk, columns: str, where: str = "1 = 1") -> list[tuple[Any, ...]]:
    name = "data_indicator_values" if desk.office.database.is_sqlite else "data.indicator_values"
    statement = text(f"SELECT {columns} FROM {name} WHERE {where} ORDER BY {columns}")
    return desk.look(lambda conn: [tuple(row) for row in conn.execute(statement)])


def test_view_shows_labelled_figures_and_hides_small_ones(desk: Desk, phone: Wire):
    desk.publish(form("hogar", SURVEY, choices=CHOICES))
    declare(desk, LOGFRAME)
    for number in range(8):
        sex, place = ("f" if number < 6 else "m"), f"r{1 + number % 2}"
        send(phone, "hogar", f"<dia>2026-02-0{number + 1}</dia><sexo>{sex}</sexo><lugar>{place}</lugar>")

    assert keep_for(desk.office, desk.project_id) is True
    assert keep_for(desk.office, desk.project_id) is False

    whole = "place_level IS NULL AND dimension IS NULL AND period = '2026'"
    assert shown(desk, "indicator, indicator_es, indicator_en, period_kind, n, target, achievement", whole) == [
        ("N", "Personas", "People", "year", 8, 10.0, 80.0)
    ]
    by_place = "place_level = 'region' AND period = '2026'"
    assert shown(desk, "place, place_es, n", by_place) == [("r1", "Uno", 4), ("r2", "Dos", 4)]
    # two men only: hidden, and the women with them
    by_sex = "dimension = 'sexo' AND period = '2026'"
    assert [tuple(row) for row in shown(desk, "category, category_es, category_en", by_sex)] == [
        ("f", "Mujer", "Woman"),
        ("m", "Hombre", "Man"),
    ]
    assert [(bool(hidden), n, value) for hidden, n, value in shown(desk, "hidden, n, value", by_sex)] == [
        (True, None, None),
        (True, None, None),
    ]

    send(phone, "hogar", "<dia>2026-02-09</dia><sexo>m</sexo><lugar>r1</lugar>")
    assert keep_for(desk.office, desk.project_id) is True
    assert shown(desk, "category, n", by_sex) == [("f", 6), ("m", 3)]

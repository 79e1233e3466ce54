"""A small programme: a survey, a logframe over it, and answers whose figures are counted by hand."""

from __future__ import annotations

from tests.server.desk import Desk, form
from tests.server.indicators.measuring import declare, send
from tests.server.wire import Wire

SURVEY = """
| | type | name | label::Español (es) | label::English (en) |
| | date | dia | Día | Day |
| | select_one lugar | lugar | Lugar | Place |
| | select_one sexo | sexo | Sexo | Sex |
| | integer | edad | Edad | Age |
| | decimal | ingreso | Ingreso | Income |
| | begin_repeat | hijo | Hijo | Child |
| | integer | h_edad | Edad | Age |
| | end_repeat | | | |
"""
CHOICES = """
| | list_name | name | label::Español (es) | label::English (en) |
| | sexo | f | Mujer | Woman |
| | sexo | m | Hombre | Man |
| | lugar | d1 | Uno | One |
| | lugar | d2 | Dos | Two |
"""
HOUSE = form("hogar", SURVEY, choices=CHOICES)
COLUMNS = (
    "| | name | label::Español (es) | label::English (en) | definition | form | over | type | where | numerator | value "
    "| date | place | period | disaggregate | unit | minimum_n | responsible |"
)
HERE = "${dia} | ${lugar} | quarter | sexo"
LOGFRAME = f"""
| results |
| | name | level | label |
| | R1 | outcome | Hogares |
| indicators |
{COLUMNS}
| | N.1 | Personas | People | Adultas | hogar | | count | ${{edad}} >= 18 | | | {HERE} | =personas | | Ana |
| | M | Media | Mean | | hogar | | mean | | | ${{ingreso}} | ${{dia}} | | quarter | sexo | B/. | | |
| | H | Hijos | Children | | hogar | hijo | count | ${{h_edad}} < 5 | | | {HERE} | | 2 | |
| | E | Entidades | Entities | | | entities:personas | count | | | | | | quarter | | | | |
| | F | Por persona | Per person | | | | formula | | | {{M}} div {{N.1}} | | | | | | | |
| | X | A mano | By hand | | | | manual | | | | | | year | | | | |
| targets |
| | indicator | kind | period | value | source |
| | N.1 | baseline | | 1 | =Censo |
| | N.1 | target | 2026-Q1 | 5 | |
| | X | actual | 2026 | 12.5 | Acta 3 |
| places |
| | code | parent | level | label::Español (es) | label::English (en) |
| | p1 | | province | Primera | First |
| | p2 | | province | Segunda | Second |
| | d1 | p1 | district | Uno | One |
| | d2 | p2 | district | Dos | Two |
"""


def child(age: str) -> str:
    return f"<hijo><h_edad>{age}</h_edad></hijo>"


def answers(dia: str, lugar: str, sexo: str, edad: str, ingreso: str, *children: str) -> str:
    given = {"dia": dia, "lugar": lugar, "sexo": sexo, "edad": edad, "ingreso": ingreso}
    return "".join(f"<{name}>{text}</{name}>" for name, text in given.items()) + "".join(map(child, children))


RECORDS = (
    ("uuid:1", answers("2026-01-10", "d1", "f", "30", "100", "3", "9")),
    ("uuid:2", answers("2026-01-20", "d1", "f", "40", "50")),
    ("uuid:3", answers("2026-02-10", "d2", "m", "50", "1", "4", "")),
    ("uuid:4", answers("2026-02-11", "d2", "", "20", "")),
    ("uuid:5", answers("2026-04-01", "d2", "f", "", "7")),
    ("uuid:6", answers("", "d1", "m", "60", "7")),
)


def set_up(desk: Desk, phone: Wire) -> None:
    """The form published, the logframe taken, the records sent."""
    desk.publish(HOUSE)
    declare(desk, LOGFRAME)
    for instance_id, given in RECORDS:
        send(phone, "hogar", given, instance_id=instance_id)
    assert desk.failures() == []

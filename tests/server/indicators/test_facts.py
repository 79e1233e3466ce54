"""Facts as they are written for one submission: in the first run, and of expressions of any length."""

from __future__ import annotations

from server.indicators import catalogue, filling
from server.prepared import conclude, pipelined
from server.store import projects
from tests.server.desk import Desk, form
from tests.server.indicators.measuring import declare, send, table
from tests.server.wire import Wire

SURVEY = """
| | type | name | label | calculation |
| | date | dia | Día | |
| | integer | a | A | |
| | calculate | b | B | '2' |
| | select_one sn | si | Sí | |
"""
CHOICES = """
| | list_name | name | label |
| | sn | si | Sí |
| | sn | no | No |
"""
LONG = " + ".join(["${a}"] * 20)
LOGFRAME = f"""
| indicators |
| | name | label | form | type | numerator | denominator | value | weight | key | group | latest | date | accumulate |
| | L | Larga | hogar | sum | | | {LONG} | | | | | ${{dia}} | |
| | P | Producto | hogar | sum | | | (${{a}} + 1) * ${{b}} div 4 - 0.5 | ${{b}} | | | | ${{dia}} | |
| | S | Según | hogar | percent | if(${{si}} = 'si', ${{a}} > 2, false()) | true() | | | | | | ${{dia}} | |
| | G | Grupo | hogar | distinct | sum(if(${{si}} = 'si', 1, 0)) >= 0.5 * count(${{a}}) | | | | ${{b}} | ${{b}} | | ${{dia}} | yes |
"""


def test_facts_of_a_submission_are_written_in_the_first_run(desk: Desk, phone: Wire):
    desk.publish(form("hogar", SURVEY, choices=CHOICES))
    declare(desk, LOGFRAME)
    send(phone, "hogar", "<dia>2026-01-05</dia><a>3</a><b>2</b><si>si</si>")
    send(phone, "hogar", "<dia>2026-01-06</dia><a>7</a><b>2.5</b><si>no</si>")
    send(phone, "hogar", "<dia>2026-01-07</dia><a></a><b>x</b><si></si>")

    # 20 × 3 + 20 × 7 · 2 × (4 × 2 ÷ 4 − 0.5) + 2.5 × (8 × 2.5 ÷ 4 − 0.5)
    wanted = {
        "L": (200.0, 2, 1),
        "P": (3.0 + 11.25, 2, 1),
        "S": (50.0, 2, 1),
        "G": (2.0, 2, 0),
    }  # nobody of nobody is half
    assert {name: table(desk, name, period="all")[()] for name in wanted} == wanted

    office, project_id = desk.office, desk.project_id
    with office.database.engine.connect() as conn, conn.begin():
        project = projects.find_project(conn, project_id)
        assert project is not None
        (tables,) = catalogue.load(conn, project).tables.values()
        writer = filling.Writer(tables)
    if not office.database.is_sqlite:
        with office.database.engine.connect() as conn, conn.begin(), pipelined(conn):
            for submission_id in (1, 2, 3):  # what PostgreSQL must be told is told: nothing fails, nothing runs twice
                writer.write(conn, submission_id, fresh=False)
            conclude(conn)
    assert {name: table(desk, name, period="all")[()] for name in wanted} == wanted

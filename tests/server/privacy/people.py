"""A list of people whom forms register, visit and find in households; and a heap of all that is kept of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, inspect, select, text

from server.actions import corrections, reviews
from server.actions.corrections import Wish
from server.model.entities import Entity, EntityReceipt
from server.store import datasets, entities, entity_receipts, submissions
from tests.server.desk import PROJECT, Desk, form
from tests.server.entities.trees import uuid_of
from tests.server.wire import Wire, instance

LIST: Final = "gente"
REGISTER: Final = form(
    "registro",
    """
| | type     | name    | label    | save_to | privacy   | save_to_confirmed |
| | text     | nombre  | Nombre   | nombre  | direct    | yes               |
| | integer  | edad    | Edad     | edad    |           |                   |
| | text     | barrio  | Barrio   | barrio  | open      |                   |
| | barcode  | tarjeta | Tarjeta  | tarjeta | key       | yes               |
| | text     | oficio  | Oficio   |         | quasi     |                   |
| | text     | notas   | Notas    |         | free_text |                   |
| | text     | apodos  | Le dicen |         | open      |                   |
| | geopoint | casa    | Casa     |         | direct    |                   |
| | image    | foto    | Foto     |         |           |                   |
""",
    instance_name="concat('Ficha de ', ${nombre})",
).replace("| settings |", f"| entities |\n| | list_name | label |\n| | {LIST} | ${{nombre}} |\n| settings |")
VISIT: Final = form(
    "visita",
    """
| | type                           | name    | label   | save_to | privacy   |
| | select_one_from_file gente.csv | persona | Persona |         | key       |
| | integer                        | ingreso | Ingreso | ingreso |           |
| | text                           | dijo    | Dijo    |         | free_text |
""",
).replace("| settings |", f"| entities |\n| | list_name | entity_id |\n| | {LIST} | ${{persona}} |\n| settings |")
HOUSE: Final = form(
    "hogar",
    """
| | type         | name    | label   | save_to | privacy | save_to_confirmed |
| | text         | jefe    | Jefe    |         | direct  |                   |
| | text         | sector  | Sector  |         | open    |                   |
| | begin repeat | miembro | Miembro |         |         |                   |
| | text         | m_name  | Nombre  | nombre  | direct  | yes               |
| | integer      | m_age   | Edad    | edad    |         |                   |
| | end repeat   |         |         |         |         |                   |
""",
).replace(
    "| settings |",
    f"| entities |\n| | list_name | label | repeat |\n| | {LIST} | ${{m_name}} | ${{miembro}} |\n| settings |",
)
WORKSHOP: Final = form(
    "taller",
    """
| | type                                | name       | label      | privacy |
| | text                                | tema       | Tema       | open    |
| | select_multiple_from_file gente.csv | asistentes | Asistentes |         |
""",
)
ANA: Final = "Eufemia Ñürüm"
"""The name that is looked for: accents, capitals, and a surname that nobody else has."""
CARD: Final = "TARJ-7781"
SECRETS: Final = (
    ANA,
    "Eufemia",
    CARD,
    "8.523456",
    "cosecha café en su finca",
    "doña Ñata la de Ñürüm",
    "tejedora de nagua",
)
"""Whatever says who person 1 is, as it is typed somewhere."""
FACE: Final = b"\x89PNG the face of person 1"


def publish(desk: Desk) -> None:
    for sheet in (REGISTER, VISIT, HOUSE, WORKSHOP):
        desk.publish(sheet)


def registration(number: int, *, sent: str | None = None, before: str | None = None, **answers: str) -> bytes:
    """A registration of person `number`; those but 1 are called Persona 2, 3, …"""
    given = {"nombre": f"Persona {number}", "edad": "30", "barrio": "Boca", "tarjeta": f"T-{number:04}", **answers}
    if number == 1:
        mine = {"nombre": ANA, "edad": "41", "tarjeta": CARD, "oficio": "tejedora de nagua"}
        mine |= {"notas": "cosecha café en su finca", "apodos": "doña Ñata la de Ñürüm"}
        given = {**given, **mine, "casa": "8.523456 -81.2 0 0", "foto": "cara.jpg", **answers}
    block = f'<entity dataset="{LIST}" id="{uuid_of(number)}" create="1"><label>{given["nombre"]}</label></entity>'
    made = instance(
        "registro", _answers(given), instance_id=sent or f"uuid:r{number}", deprecated_id=before,
        name=f"Ficha de {given['nombre']}",
    )  # fmt: skip
    return made.replace(b"</meta>", block.encode() + b"</meta>")


def visit(number: int, base: int, *, sent: str, branch: int | None = None, **answers: str) -> bytes:
    more = "" if branch is None else f' trunkVersion="1" branchId="{uuid_of(branch)}"'
    block = f'<entity dataset="{LIST}" id="{uuid_of(number)}" update="1" baseVersion="{base}"{more}/>'
    made = instance("visita", _answers({"persona": uuid_of(number), **answers}), instance_id=sent)
    return made.replace(b"</meta>", block.encode() + b"</meta>")


def household(*members: tuple[int, str], sent: str, chief: str = "Jefa") -> bytes:
    rows = "".join(
        f"<miembro><m_name>{name}</m_name><m_age>{20 + number}</m_age><meta>"
        f'<entity dataset="{LIST}" id="{uuid_of(number)}" create="1"><label>{name}</label></entity></meta></miembro>'
        for number, name in members
    )
    return instance("hogar", f"<jefe>{chief}</jefe><sector>Norte</sector>{rows}", instance_id=sent)


def workshop(*numbers: int, sent: str) -> bytes:
    chosen = " ".join(uuid_of(number) for number in numbers)
    return instance("taller", f"<tema>Café</tema><asistentes>{chosen}</asistentes>", instance_id=sent)


def _answers(given: dict[str, str]) -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in given.items())


def fill(desk: Desk, phone: Wire) -> None:
    """Person 1 in every form, with a photo, a correction, a comment, a review and a held update; others beside."""
    publish(desk)
    send(phone, registration(2), registration(3))
    assert phone.post(registration(1), {"cara.jpg": FACE}).status == 201
    send(phone, visit(1, 1, sent="uuid:v1", ingreso="120", dijo=f"{ANA} está mejor"))
    send(phone, visit(2, 1, sent="uuid:v2", ingreso="80", dijo="bien"))
    send(phone, workshop(1, 2, sent="uuid:t"))
    send(phone, visit(1, 7, sent="uuid:held", branch=90, ingreso="55", dijo=f"espera {ANA}"))
    wish = Wish(row="", path="/nombre", new_text=f"{ANA} Bejerano", reason=f"se llama {ANA} Bejerano")
    desk.act(lambda ctx: corrections.correct(ctx, PROJECT, "registro", "uuid:r1", wish))
    desk.act(lambda ctx: reviews.comment(ctx, PROJECT, "registro", "uuid:r1", f"hablé con {ANA}"))
    desk.act(lambda ctx: reviews.review(ctx, PROJECT, "registro", "uuid:r1", "approved", f"{ANA} confirmó"))


def send(phone: Wire, *instances: bytes) -> None:
    for one in instances:
        assert phone.post(one).status == 201


def kept(desk: Desk, data: Path) -> str:
    """Every value of every column of every table, and every file beside: one heap, in which nothing may be found."""

    def dump(conn: Connection) -> list[str]:
        looked = inspect(conn)
        schemas: list[str | None] = [None, "data"] if conn.dialect.name == "postgresql" else [None]
        heap: list[str] = []
        for schema in schemas:
            for name in looked.get_table_names(schema=schema):
                full = f'"{schema}"."{name}"' if schema else f'"{name}"'
                for row in conn.execute(text(f"SELECT * FROM {full}")):
                    heap += [_said(value) for value in row]
        return heap

    files = [file.read_bytes().decode("utf-8", "replace") for file in (data / "blobs").rglob("*") if file.is_file()]
    return "\n".join([*desk.look(dump), *files])


def _said(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return str(value)


def find(desk: Desk, number: int) -> Entity | None:
    def read(conn: Connection) -> Entity | None:
        dataset = datasets.find(conn, PROJECT, LIST)
        assert dataset is not None
        return entities.find(conn, dataset.id, uuid_of(number))

    return desk.look(read)


def receipt(desk: Desk, form_id: str, sent: str) -> EntityReceipt:
    """What became of the only block of a submission."""
    row_id = desk.form_row_id(form_id)

    def read(conn: Connection) -> EntityReceipt:
        found = submissions.find(conn, row_id, sent)
        assert found is not None
        [one] = entity_receipts.list_of_submission(conn, found.id).values()
        return one

    return desk.look(read)


def is_deleted(desk: Desk, form_id: str, sent: str) -> bool:
    row_id = desk.form_row_id(form_id)
    found = desk.look(lambda conn: submissions.find(conn, row_id, sent))
    assert found is not None
    return found.deleted_at is not None


def column(desk: Desk, table: Any, name: str) -> list[Any]:
    """The values of a column, in order of the table's first one."""
    return desk.look(lambda conn: list(conn.execute(select(table.c[name]).order_by(table.c[0])).scalars()))

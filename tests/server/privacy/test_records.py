"""Single records: whoever may not see identities sees of one what extracts tell of it, under the pseudonym they give it."""

from __future__ import annotations

import io
import json
import re

from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import insert

from server.cleaning.sheets import HEADINGS
from server.model.people import roles
from tests.server.api.clients import PASSWORD, Client, called, client
from tests.server.desk import Desk, form
from tests.server.wire import Wire, instance, to_app

SURVEY = """
| | type | name | label | privacy |
| | start | start | | |
| | date | nacio | Fecha de nacimiento | quasi |
| | date | llegada | Llegada | quasi |
| | integer | edad | Edad | quasi |
| | text | ben_id | Persona | key |
| | text | comunidad | Comunidad | quasi |
| | text | quien | Quién | direct |
| | geopoint | casa | Casa | |
| | decimal | ingreso | Ingreso | sensitive |
| | begin repeat | m | Miembro | |
| | text | apodo | Apodo | direct |
| | integer | anios | Años | |
| | end repeat | | | |
"""
SHEET = form("ficha", SURVEY)
ANSWERS = (
    "<start>2026-08-15T07:08:09.000-05:00</start><nacio>1984-03-17</nacio><llegada>2019-05-23</llegada><edad>42</edad>"
    "<ben_id>B-7788</ben_id><comunidad>Quebrada Oculta</comunidad><quien>Ana Secreta</quien>"
    "<casa>8.98241 -79.51993 0 4</casa><ingreso>80.5</ingreso><m><apodo>Chichi</apodo><anios>9</anios></m>"
)
SECRETS = (
    "uuid:", "1984-03", "2019-05-23", "B-7788", "Quebrada", "Ana Secreta", "8.98241", "Chichi", "07:08:09", "hablé con Ana",
)  # fmt: skip
ONE = "/forms/ficha/submissions"
MIDNIGHT = re.compile(r"\d{4}-\d\d-\d\dT00:00:00\.000Z")


def send(who: Client, method: str, path: str, body: object, status: int = 200) -> object:
    answer = who.ask(path, method, json.dumps(body).encode(), Content_Type="application/json")
    assert answer.status == status, answer.content
    return json.loads(answer.content)


def reviewer(desk: Desk, app: Flask) -> Client:
    """Somebody who may correct and review, but not see who the people are."""
    verbs = ["project.read", "form.read", "submission.read", "submission.list", "submission.update"]
    desk.change(lambda conn: conn.execute(insert(roles).values(system="reviewer", name="Reviewer", verbs=verbs)))
    desk.user("reviewer@example.org", "reviewer", password=PASSWORD)
    return Client(to_app(app), "reviewer@example.org", PASSWORD)


def test_a_record_tells_what_the_extract_tells_and_only_under_its_pseudonym(desk: Desk, app: Flask, phone: Wire):
    desk.publish(SHEET)
    assert phone.post(instance("ficha", ANSWERS, instance_id="uuid:1", name="Ana Secreta")).status == 201
    manager, viewer = (client(desk, to_app(app), role) for role in ("manager", "viewer"))
    send(manager, "POST", f"{ONE}/uuid:1/comments", {"body": "hablé con Ana"})
    send(manager, "PATCH", f"{ONE}/uuid:1", {"reviewState": "approved"})
    (line,) = viewer.lines("/forms/ficha/extract.csv")
    key = line["_key"]

    state = viewer.json(f"{ONE}/{key}/state")
    form_row, member = state["rows"]

    asked = ("start", "nacio", "llegada", "edad", "ben_id", "ingreso")
    assert form_row["answers"] == {f"/{name}": line[name] for name in asked} | {"/meta/instanceID": key}
    assert (line["nacio"], line["llegada"], line["start"]) == ("1984", "2019-05", "2026-08-15")
    assert (state["record"], form_row["row"], member) == (
        key,
        key,
        {"row": f"{key}/m[1]", "table": "/m", "answers": {"/m/anios": "9"}},
    )
    told = {path: viewer.ask(f"{ONE}/{key}{path}").content.decode() for path in ("", "/state", "/history", "/comments")}
    found = {path: [secret for secret in SECRETS if secret in text] for path, text in told.items()}
    assert found == {path: [] for path in told}
    assert {event["at"][10:] for event in json.loads(told["/history"])} == {"T00:00:00.000Z"}
    assert MIDNIGHT.fullmatch(json.loads(told[""])["createdAt"])
    viewer.refused(f"{ONE}/uuid:1", 404.1)
    viewer.refused(f"{ONE}/uuid:1/state", 404.1)
    viewer.refused("/forms/ficha/corrections?record=uuid:1", 404.1)
    assert manager.json(f"{ONE}/uuid:1/state")["record"] == "uuid:1"
    manager.refused(f"{ONE}/{key}", 404.1)


def test_whoever_corrects_without_identities_does_so_by_pseudonym(desk: Desk, app: Flask, phone: Wire):
    desk.publish(SHEET)
    assert phone.post(instance("ficha", ANSWERS, instance_id="uuid:1")).status == 201
    who = reviewer(desk, app)
    sheet = "/forms/ficha/corrections.xlsx?question=anios&question=ingreso"
    book = load_workbook(io.BytesIO(who.ask(sheet).content))
    rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    (key,) = called(who, "ficha")

    assert {row[0] for row in rows[1:] if row[0]} == {key}
    assert "uuid:" not in json.dumps(rows)
    wish = {"question": "/m/anios", "row": f"{key}/m[1]", "newValue": "10", "reason": "se equivocó"}
    made = send(who, "POST", f"{ONE}/{key}/corrections", wish)
    assert isinstance(made, dict)
    assert made["row"] == f"{key}/m[1]"
    send(who, "POST", f"{ONE}/uuid:1/corrections", wish, 404)
    send(who, "POST", f"{ONE}/{key}/corrections", {**wish, "question": "/quien", "row": None}, 403)

    manager = client(desk, to_app(app), "manager")
    stood = manager.json(f"{ONE}/uuid:1/state")["rows"][1]["answers"]
    assert stood == {"/m/apodo": "Chichi", "/m/anios": "10"}

    headings = [str(name).lower() for name in rows[0]]
    new, reason, question = (
        next(at for at, name in enumerate(headings, start=1) if name in (one.es, one.en))
        for one in (HEADINGS[part] for part in ("new", "reason", "question"))
    )
    page = book.worksheets[0]
    line = next(number for number in range(2, page.max_row + 1) if page.cell(number, question).value == "/ingreso")
    page.cell(line, new).value = 81
    page.cell(line, reason).value = "faltaba un dólar"
    out = io.BytesIO()
    book.save(out)
    answer = who.ask("/forms/ficha/corrections.xlsx", "POST", out.getvalue())
    assert answer.status == 200, answer.content
    done = json.loads(answer.content)
    assert [(one["record"], one["row"], one["newValue"]) for one in done["applied"]] == [(key, key, "81")]
    assert manager.json(f"{ONE}/uuid:1/state")["rows"][0]["answers"]["/ingreso"] == "81"


CONSENT = form(
    "permiso",
    "| | type | name | label | consent | privacy |\n"
    "| | select_one sn | acepta | ¿Acepta? | | |\n"
    "| | integer | hijos | Hijos | acepta | |\n"
    "| | integer | cuartos | Cuartos | | |",
    choices="| | list_name | name | label |\n| | sn | yes | Sí |\n| | sn | no | No |",
)


def test_consent_that_is_withdrawn_hides_earlier_versions_too(desk: Desk, app: Flask, phone: Wire):
    desk.publish(CONSENT)
    manager, viewer = (client(desk, to_app(app), role) for role in ("manager", "viewer"))
    given = "<acepta>yes</acepta><hijos>441700441</hijos><cuartos>2</cuartos>"
    assert phone.post(instance("permiso", given, instance_id="uuid:1")).status == 201
    one = "/forms/permiso/submissions"
    wish = {"question": "/hijos", "newValue": "441800441", "reason": "contó mal: 441800441"}
    send(manager, "POST", f"{one}/uuid:1/corrections", wish)
    (key,) = called(viewer, "permiso")
    paths = ("state", "history", "corrections")
    before = [viewer.ask(f"{one}/{key}/{path}").content.decode() for path in paths]
    assert ["00441" in text for text in before] == [True, True, True]

    withdrawn = "<acepta>no</acepta><hijos/><cuartos>2</cuartos>"
    edit = instance("permiso", withdrawn, instance_id="uuid:2", deprecated_id="uuid:1")
    assert phone.post(edit).status == 201

    after = [viewer.ask(f"{one}/{key}/{path}").content.decode() for path in paths]
    lists = [viewer.ask(f"/forms/permiso/{path}").content.decode() for path in ("corrections", "corrections.csv")]
    assert ["00441" in text for text in (*after, *lists)] == [False] * 5
    assert viewer.json(f"{one}/{key}/state")["rows"][0]["answers"] == {"/acepta": "no", "/cuartos": "2"}
    assert "441700441" in manager.ask(f"{one}/uuid:1/history").content.decode()

"""Who sees what: extracts without identities, pseudonyms, and what an attacker finds in them."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import func, select

from server.app import create_app, open_office
from server.model.audits import audits
from server.model.privacy import pseudonyms
from server.settings import Settings
from tests.helpers.databases import Databases
from tests.server.api.clients import PASSWORD
from tests.server.conftest import prepared
from tests.server.desk import ON_SQLITE, PROJECT, TOKEN, Desk, form, open_desk
from tests.server.wire import DEVICE, Answer, Send, Wire, instance, to_app

SURVEY = """
| | type | name | label | calculation | privacy |
| | start | start | | | |
| | end | end | | | |
| | today | today | | | |
| | username | username | | | |
| | deviceid | aparato | | | |
| | audit | audit | | | |
| | select_one dist | distrito | Distrito | | |
| | text | comunidad | Comunidad | | quasi |
| | text | cedula | Cédula | | |
| | text | quien | Quién responde | | direct |
| | text | ben_id | Persona | | key |
| | date | nacio | Fecha de nacimiento | | quasi |
| | date | llegada | Llegada | | quasi |
| | date | visita | Visita | | |
| | integer | edad | Edad | | quasi |
| | decimal | ingreso | Ingreso | | sensitive |
| | geopoint | casa | Casa | | |
| | geotrace | camino | Camino | | |
| | geopoint | plaza | Plaza | | open |
| | image | foto | Foto | | |
| | barcode | tarjeta | Tarjeta | | |
| | text | oficio | Oficio | | |
| | text | notas | Notas | | free_text |
| | calculate | clave | | digest(${quien}, 'SHA-256') | |
| | begin repeat | m | Miembro | | |
| | text | m_apodo | Le dicen | | direct |
| | integer | m_edad | Edad | | |
| | begin repeat | v | Viaje | | |
| | text | ben_id_v | A quién | | key |
| | end repeat | | | | |
| | end repeat | | | | |
"""
CHOICES = "| | list_name | name | label |\n| | dist | d1201 | Uno |\n| | dist | d1202 | Dos |"
SETTINGS = {"instance_name": "concat(${quien}, ' ', ${cedula})"}
SHEET = form("visita", SURVEY, choices=CHOICES, **SETTINGS)
SECRETS = {
    "quien": "Ana-Secreta",
    "cedula": "8-123-4567",
    "ben_id": "B-7788",
    "comunidad": "Quebrada-Oculta",
    "casa": "8.98241",
    "camino": "8.77712",
    "foto": "foto-99.jpg",
    "tarjeta": "TARJ-5521",
    "notas": "vive con su tio Blas",
    "clave": "f00dfeed",
    "m_apodo": "Chichi-Oculta",
    "username": "usuario-oculto",
    "aparato": "collect:device-0001",
    "start": "T07:08:09",
    "end": "T08:09:10",
    "nacio": "1984-03-17",
    "llegada": "2019-05-23",
    "instance": "11111111-2222-3333-4444-555555555555",
    "device": DEVICE,
    "submitter": "Teléfono 1",
    "audit": "audit-file.csv",
}
ANSWERS = (
    "<start>2026-08-15T07:08:09.000-05:00</start><end>2026-08-15T08:09:10.000-05:00</end><today>2026-08-15</today>"
    "<username>usuario-oculto</username><aparato>collect:device-0001</aparato><distrito>d1201</distrito>"
    "<comunidad>Quebrada-Oculta</comunidad><cedula>8-123-4567</cedula><quien>Ana-Secreta</quien><ben_id>B-7788</ben_id>"
    "<nacio>1984-03-17</nacio><llegada>2019-05-23</llegada><visita>2026-08-14</visita><edad>42</edad>"
    "<ingreso>80.5</ingreso><casa>8.98241 -79.51993 12.5 4.0</casa><camino>8.77712 -79.5 0 0; 8.7 -79.4 0 0</camino>"
    "<plaza>8.5 -80.5 0 5</plaza><foto>foto-99.jpg</foto><tarjeta>TARJ-5521</tarjeta><oficio>tejedora</oficio>"
    "<notas>vive con su tio Blas</notas><clave>f00dfeed</clave>"
    "<m><m_apodo>Chichi-Oculta</m_apodo><m_edad>9</m_edad><v><ben_id_v>B-7788</ben_id_v></v></m>"
)
META = "uuid:11111111-2222-3333-4444-555555555555"
HEX = re.compile(r"[0-9a-f]{32}")


def basic(email: str, password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()


def get(send: Send, path: str, who: str, project: int = PROJECT) -> Answer:
    return send("GET", f"/v1/projects/{project}/forms/{path}", {"Authorization": who}, None)


def tables(answer: Answer) -> dict[str, pd.DataFrame]:
    assert answer.status == 200, answer.content
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        return {
            name: pd.read_csv(archive.open(name), dtype=str, keep_default_na=False)
            for name in archive.namelist()
            if name.endswith(".csv")
        }


def send_one(phone: Wire, answers: str = ANSWERS, instance_id: str = META, form_id: str = "visita") -> None:
    xml = instance(form_id, answers, instance_id=instance_id, name="Ana-Secreta 8-123-4567")
    xml = xml.replace(b"<meta>", b"<meta><audit>audit-file.csv</audit>")
    assert phone.post(xml).status == 201


@pytest.fixture
def viewer(desk: Desk) -> str:
    """A viewer's credentials; the form is published."""
    desk.publish(SHEET)
    desk.user("viewer@example.org", "viewer", password=PASSWORD)
    return basic("viewer@example.org")


@pytest.fixture
def manager(desk: Desk) -> str:
    desk.user("manager@example.org", "manager", password=PASSWORD)
    return basic("manager@example.org")


def test_viewers_get_central_s_file_without_identities(desk: Desk, phone: Wire, viewer: str):
    send_one(phone)

    read = tables(get(phone.send, "visita/submissions.csv.zip", viewer))
    (row,) = read["visita.csv"].to_dict("records")
    key = row["KEY"]

    assert HEX.fullmatch(key)
    assert {name: text for name, text in row.items() if name not in ("KEY", "meta-instanceID")} == {
        "SubmissionDate": desk.office.clock().date().isoformat(),
        "start": "2026-08-15",
        "end": "2026-08-15",
        "today": "2026-08-15",
        "username": row["username"],
        "aparato": row["aparato"],
        "distrito": "d1201",
        "ben_id": row["ben_id"],
        "nacio": "1984",
        "llegada": "2019-05",
        "visita": "2026-08-14",
        "edad": "42",
        "ingreso": "80.5",
        "plaza-Latitude": "8.5",
        "plaza-Longitude": "-80.5",
        "plaza-Altitude": "0",
        "plaza-Accuracy": "5",
        "tarjeta": row["tarjeta"],
        "oficio": "tejedora",
        "SubmitterID": row["SubmitterID"],
        "SubmitterName": "",
        "AttachmentsPresent": "0",
        "AttachmentsExpected": "2",
        "Status": "",
        "ReviewState": "",
        "DeviceID": row["DeviceID"],
        "Edits": "0",
        "FormVersion": "1",
    }
    assert row["meta-instanceID"] == key
    names = ("username", "aparato", "ben_id", "tarjeta", "SubmitterID", "DeviceID")
    assert all(HEX.fullmatch(row[name]) for name in names)
    assert read["visita-m.csv"].to_dict("records") == [{"m_edad": "9", "PARENT_KEY": key, "KEY": f"{key}/m[1]"}]
    (trip,) = read["visita-v.csv"].to_dict("records")
    assert (trip["PARENT_KEY"], trip["KEY"]) == (f"{key}/m[1]", f"{key}/m[1]/v[1]")


FILES = (
    "submissions.csv.zip", "submissions.csv.zip?deletedFields=true&splitSelectMultiples=true&groupPaths=false",
    "submissions.csv", "extract.csv", "extract.csv?join=v&labels=true", "extract.csv.zip", "extract.xlsx",
    "extract.parquet", "extract.dta", "extract.sav", "extract.geojson", "extract.geojson?geometry=plaza", "media.zip",
    "submissions.csv.zip?attachments=true", "deleted.csv", "codebook.html", "codebook.xlsx",
)  # fmt: skip


def unpacked(answer: Answer) -> bytes:
    """Everything that stands in a file, as far as it can be unpacked."""
    assert answer.status == 200, answer.content
    body = answer.content
    if not body.startswith(b"PK"):
        return body
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return b"\n".join(name.encode() + archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize("name", FILES)
def test_practice_29_no_file_without_identities_tells_who_or_exactly_where(
    desk: Desk, phone: Wire, viewer: str, name: str
):
    send_one(phone)

    told = unpacked(get(phone.send, f"visita/{name}", viewer))

    assert [what for what, secret in SECRETS.items() if secret.encode() in told] == []
    assert b"Ana-Secreta" not in told


@pytest.mark.parametrize("name", ["submissions.csv.zip", "extract.csv.zip?identities=true&reason=visita"])
def test_these_secrets_are_in_files_with_identities(desk: Desk, phone: Wire, viewer: str, manager: str, name: str):
    send_one(phone)

    told = unpacked(get(phone.send, f"visita/{name}", manager))

    hidden = {"start", "end"} if name.startswith("extract") else set()  # moments are told in UTC there
    assert {what for what, secret in SECRETS.items() if secret.encode() not in told} <= hidden


def test_practice_29_exact_points_need_a_role_and_a_reason(desk: Desk, phone: Wire, viewer: str, manager: str):
    send_one(phone)

    def code(path: str, who: str) -> Any:
        answer = get(phone.send, f"visita/{path}", who)
        return 200 if answer.status == 200 else json.loads(answer.content)["code"]

    assert code("extract.csv?identities=true", manager) == 400.2
    assert code("extract.csv?identities=true&reason=%20", manager) == 400.2
    assert code("extract.csv?identities=true&reason=mapa", manager) == 200
    assert code("extract.csv?identities=true&reason=mapa", viewer) == 403.1
    assert code("submissions.csv.zip?identities=true&reason=mapa", viewer) == 403.1
    assert code("codebook.html?identities=true&reason=mapa", viewer) == 403.1
    assert b"8.98241" in get(phone.send, "visita/extract.csv?identities=true&reason=mapa", manager).content
    assert b"8.98241" not in get(phone.send, "visita/extract.csv", manager).content
    assert b"8.98241" not in get(phone.send, "visita/submissions.csv?identities=false", manager).content


def test_practice_32_every_export_is_in_the_audit_with_its_reason(desk: Desk, phone: Wire, viewer: str, manager: str):
    send_one(phone)
    get(phone.send, "visita/submissions.csv.zip", viewer)
    get(phone.send, "visita/submissions.csv.zip", manager)
    get(phone.send, "visita/extract.csv?identities=true&reason=Visita%20de%20seguimiento", manager)

    def read(conn: Any) -> list[Any]:
        lines = select(audits.c.actor_id, audits.c.details).where(audits.c.action == "form.submission.export")
        return list(conn.execute(lines.order_by(audits.c.id)).all())

    ids = {actor for actor, _ in desk.look(read)}
    assert len(ids - {None}) == 2
    assert [details for _, details in desk.look(read)] == [
        {"format": "csv.zip", "identities": False, "reason": None},
        {"format": "csv.zip", "identities": True, "reason": None},
        {"format": "csv", "identities": True, "reason": "Visita de seguimiento"},
    ]


def test_practice_27_two_servers_give_different_pseudonyms(
    database_engine: str, databases: Databases, tmp_path: Any, settings: Settings, desk: Desk, phone: Wire, viewer: str
):
    send_one(phone)
    here = tables(get(phone.send, "visita/submissions.csv.zip", viewer))["visita.csv"].iloc[0]
    again = tables(get(phone.send, "visita/submissions.csv.zip", viewer))["visita.csv"].iloc[0]

    (tmp_path / "other").mkdir()
    with databases.fresh(database_engine, tmp_path / "other", prepared) as url:
        other = open_office(Settings(data=tmp_path / "other-data", database_url=url))
        try:
            their = open_desk(other)
            their.publish(SHEET)
            their.user("viewer@example.org", "viewer", password=PASSWORD)
            send = to_app(create_app(other))
            send_one(Wire(send, f"/v1/key/{TOKEN}/projects/{PROJECT}"))
            there = tables(get(send, "visita/submissions.csv.zip", viewer))["visita.csv"].iloc[0]
        finally:
            other.database.close()

    names = ["KEY", "ben_id", "SubmitterID", "DeviceID", "tarjeta", "username"]
    assert [here[name] == again[name] for name in names] == [True] * len(names)
    assert [here[name] != there[name] for name in names] == [True] * len(names)
    assert len({here[name] for name in names}) == len(names)


def test_a_key_has_one_pseudonym_in_all_tables_and_forms_of_a_project_and_another_in_another(
    desk: Desk, phone: Wire, viewer: str
):
    other = "| | type | name | label | privacy |\n| | text | ben_id | Persona | key |"
    desk.publish(form("seguimiento", other))
    send_one(phone)
    answers = "<ben_id>B-7788</ben_id>"
    phone.post(instance("seguimiento", answers, instance_id="uuid:2"))
    phone.post(instance("seguimiento", answers, instance_id="uuid:3"))
    phone.post(instance("seguimiento", "<ben_id>B-1</ben_id>", instance_id="uuid:4"))

    first = tables(get(phone.send, "visita/submissions.csv.zip", viewer))
    second = tables(get(phone.send, "seguimiento/submissions.csv.zip", viewer))["seguimiento.csv"]

    person = first["visita.csv"].iloc[0]["ben_id"]
    assert sorted(second["ben_id"].value_counts().to_dict().items(), key=lambda pair: -pair[1])[0] == (person, 2)
    assert len(set(second["ben_id"])) == 2
    assert first["visita.csv"].iloc[0]["SubmitterID"] == second.iloc[0]["SubmitterID"]
    elsewhere = desk.add_project("Otro")
    made = desk.look(
        lambda conn: conn.execute(select(func.count()).where(pseudonyms.c.project_id == elsewhere)).scalar()
    )
    assert made == 0


def test_rows_come_in_the_order_of_pseudonyms_and_not_of_arrival(desk: Desk, phone: Wire, viewer: str):
    for number in range(30):
        send_one(phone, ANSWERS.replace("<edad>42", f"<edad>{number}"), f"uuid:{number}")

    read = tables(get(phone.send, "visita/submissions.csv.zip", viewer))
    ages = [int(age) for age in read["visita.csv"]["edad"]]
    keys = list(read["visita.csv"]["KEY"])

    assert sorted(ages) == list(range(30))
    assert keys == sorted(keys)
    assert ages not in (list(range(30)), list(range(29, -1, -1)))
    assert list(read["visita-m.csv"]["PARENT_KEY"]) == keys


def test_what_arrives_later_gets_its_pseudonyms_and_the_earlier_keep_theirs(desk: Desk, phone: Wire, viewer: str):
    send_one(phone)
    before = set(tables(get(phone.send, "visita/submissions.csv.zip", viewer))["visita.csv"]["KEY"])
    send_one(phone, instance_id="uuid:2")

    after = set(tables(get(phone.send, "visita/submissions.csv.zip", viewer))["visita.csv"]["KEY"])

    assert (len(before), len(after), before < after) == (1, 2, True)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("submissions.csv?$filter=__system/submitterId%20eq%203", "__system/submitterId"),
        ("submissions.csv?$filter=__system/submissionDate%20gt%202026-01-01T00:00:00Z", "__system/submissionDate"),
        ("submissions.csv?$filter=not%20(second(__system/updatedAt)%20eq%203)", "__system/updatedAt"),
        ("extract.csv?submitter=3", "submitter"),
        ("extract.csv?dateOf=nacio&from=1984-03-17", "nacio"),
        ("extract.csv?dateOf=llegada&from=1984-03-17", "llegada"),
    ],
)
@ON_SQLITE
def test_nothing_is_told_by_asking_for_some_rows_only(desk: Desk, phone: Wire, viewer: str, path: str, field: str):
    answer = get(phone.send, f"visita/{path}", viewer)

    assert (answer.status, json.loads(answer.content)["details"]) == (400, {"field": field})
    assert get(phone.send, "visita/extract.csv?dateOf=visita&from=2026-01-01", viewer).status == 200
    assert get(phone.send, "visita/extract.csv?review=received&from=2026-01-01", viewer).status == 200


def test_a_lighter_mark_later_opens_nothing(desk: Desk, phone: Wire, viewer: str):
    send_one(phone)
    lighter = SHEET.replace("| Quién responde | | direct |", "| Quién responde | | open |").replace(
        "| Notas | | free_text |", "| Notas | | |"
    )
    published = desk.publish(lighter.replace("| visita | visita | 1 |", "| visita | visita | 2 |"))

    told = get(phone.send, "visita/submissions.csv", viewer).content

    assert [secret.encode() in told for secret in (SECRETS["quien"], SECRETS["notas"])] == [False, False]
    said = [finding.sentence.en for finding in published.changes]
    assert any("“quien” was marked “direct” in an earlier version" in one for one in said)
    assert any("“notas” was marked “free_text” in an earlier version" in one for one in said)


def test_a_mark_follows_a_question_to_its_new_name(desk: Desk, phone: Wire, viewer: str):
    send_one(phone)
    renamed = SURVEY.replace("| privacy |", "| privacy | was |", 1).replace(
        "| text | quien | Quién responde | | direct |", "| text | persona | Quién responde | | | quien |"
    )
    desk.publish(form("visita", renamed.replace("${quien}", "${persona}"), version="2", choices=CHOICES))

    told = get(phone.send, "visita/submissions.csv.zip", viewer)

    assert "persona" not in tables(told)["visita.csv"].columns
    assert b"Ana-Secreta" not in unpacked(told)


def test_what_is_marked_in_the_very_same_version_later_counts(desk: Desk, phone: Wire, viewer: str):
    send_one(phone)
    assert b"tejedora" in get(phone.send, "visita/submissions.csv", viewer).content

    assert desk.publish(SHEET.replace("| Oficio | | |", "| Oficio | | direct |")).again

    assert b"tejedora" not in get(phone.send, "visita/submissions.csv", viewer).content


def test_practice_33_photos_stay_where_they_are_and_sound_that_is_open_leaves(
    desk: Desk, phone: Wire, viewer: str, manager: str
):
    asked = (
        "| | type | name | label | privacy |\n| | image | plano | Plano | open |\n| | audio | canto | Canto | open |"
    )
    desk.publish(form("puente", asked))
    files = {"plano.jpg": b"\xff\xd8Exif 8.98241", "canto.m4a": b"canto del rio"}
    answers = "<plano>plano.jpg</plano><canto>canto.m4a</canto>"
    assert phone.post(instance("puente", answers), files).status == 201

    told = {}
    for who, options in ((viewer, ""), (manager, "?identities=true&reason=obra")):
        answer = get(phone.send, f"puente/media.zip{options}", who)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            told[who] = b"".join(archive.read(name) for name in archive.namelist())

    assert [secret in told[viewer] for secret in files.values()] == [False, True]
    assert [secret in told[manager] for secret in files.values()] == [True, True]

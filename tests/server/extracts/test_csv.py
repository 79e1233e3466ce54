"""submissions.csv.zip, in the layout that ODK Central writes: read back with pandas, value by value."""

from __future__ import annotations

import base64
import io
import secrets
import tracemalloc
import zipfile
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import insert, select

from server.actions import extracts
from server.actions.extracts import CentralRequest
from server.model.submissions import submissions
from tests.server.desk import ADMIN, ON_SQLITE, PROJECT, TOKEN, Desk, form, questions
from tests.server.wire import Answer, Wire, instance

SYSTEM = [
    "KEY", "SubmitterID", "SubmitterName", "AttachmentsPresent", "AttachmentsExpected", "Status", "ReviewState", "DeviceID",
    "Edits", "FormVersion",
]  # fmt: skip
CHOICES = "| | list_name | name | label |\n" + "\n".join(f"| | frutas | {name} | {name} |" for name in "abc")
HOUSE = form(
    "hogar",
    questions(
        "integer edad",
        "decimal peso",
        "text nombre",
        "date dia",
        "time hora",
        "dateTime momento",
        "begin group g",
        "geopoint gps",
        "geotrace camino",
        "select_multiple frutas comidas",
        "end group",
        "image foto",
        "begin repeat m",
        "text n",
        "begin group h",
        "integer e",
        "end group",
        "begin repeat v",
        "date dia",
        "end repeat",
        "end repeat",
    ),
    choices=CHOICES,
)
FULL = (
    '<edad>5.0</edad><peso>1.0E7</peso><nombre>Ana, "ñ"\nlínea</nombre><dia>2026-08-15</dia>'
    "<hora>17:37:00.000-05:00</hora><momento>2026-08-15T23:30:00.123-05:00</momento>"
    "<g><gps>8.90 -79.5 0.0 4</gps><camino>8.9 -79.5 0 0; 8.8 -79.4 0 0</camino><comidas>c a</comidas></g>"
    "<foto>a.jpg</foto>"
    "<m><n>x</n><h><e>1</e></h><v><dia>2026-01-01</dia></v><v><dia>2026-01-02</dia></v></m><m><n>y</n></m>"
)


def basic(email: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()


@pytest.fixture
def analyst(phone: Wire) -> Wire:
    """The coordinator's own client."""
    return Wire(phone.send, f"/v1/projects/{PROJECT}", basic(*ADMIN))


def download(analyst: Wire, form_id: str = "hogar", query: str = "") -> Answer:
    return analyst.send(
        "GET",
        f"{analyst.root}/forms/{form_id}/submissions.csv.zip{query}",
        {"Authorization": analyst.authorization or ""},
        None,
    )


def tables(answer: Answer) -> dict[str, pd.DataFrame]:
    """The CSVs as a person reads them: every cell the text that is there."""
    assert answer.status == 200, answer.body
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        return {
            name: pd.read_csv(archive.open(name), dtype=str, keep_default_na=False, encoding="utf-8")
            for name in archive.namelist()
            if name.endswith(".csv")
        }


def test_tables_columns_and_their_order_are_those_of_central(desk: Desk, phone: Wire, analyst: Wire):
    desk.publish(HOUSE)

    told = {name: list(frame.columns) for name, frame in tables(download(analyst)).items()}

    assert told == {
        "hogar.csv": [
            "SubmissionDate", "edad", "peso", "nombre", "dia", "hora", "momento", "g-gps-Latitude", "g-gps-Longitude",
            "g-gps-Altitude", "g-gps-Accuracy", "g-camino", "g-comidas", "foto", "meta-instanceID", *SYSTEM,
        ],
        "hogar-m.csv": ["n", "h-e", "PARENT_KEY", "KEY"],
        "hogar-v.csv": ["dia", "PARENT_KEY", "KEY"],
    }  # fmt: skip


def test_every_value_is_the_text_that_was_sent(desk: Desk, phone: Wire, analyst: Wire):
    desk.publish(HOUSE)
    phone.post(instance("hogar", FULL, instance_id="uuid:1"), {"a.jpg": b"A"})
    (row,) = desk.whole_rows("hogar")

    read = tables(download(analyst))

    assert read["hogar.csv"].to_dict("records") == [
        {
            "SubmissionDate": row["_received_at"].isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "edad": "5.0",
            "peso": "1.0E7",
            "nombre": 'Ana, "ñ"\nlínea',
            "dia": "2026-08-15",
            "hora": "17:37:00.000-05:00",
            "momento": "2026-08-15T23:30:00.123-05:00",
            "g-gps-Latitude": "8.90",
            "g-gps-Longitude": "-79.5",
            "g-gps-Altitude": "0.0",
            "g-gps-Accuracy": "4",
            "g-camino": "8.9 -79.5 0 0; 8.8 -79.4 0 0",
            "g-comidas": "c a",
            "foto": "a.jpg",
            "meta-instanceID": "uuid:1",
            "KEY": "uuid:1",
            "SubmitterID": str(row["_submitter_id"]),
            "SubmitterName": "Teléfono 1",
            "AttachmentsPresent": "1",
            "AttachmentsExpected": "1",
            "Status": "",
            "ReviewState": "",
            "DeviceID": "collect:abcdefghij123456",
            "Edits": "0",
            "FormVersion": "1",
        }
    ]
    assert read["hogar-m.csv"].to_dict("records") == [
        {"n": "x", "h-e": "1", "PARENT_KEY": "uuid:1", "KEY": "uuid:1/m[1]"},
        {"n": "y", "h-e": "", "PARENT_KEY": "uuid:1", "KEY": "uuid:1/m[2]"},
    ]
    assert read["hogar-v.csv"].to_dict("records") == [
        {"dia": "2026-01-01", "PARENT_KEY": "uuid:1/m[1]", "KEY": "uuid:1/m[1]/v[1]"},
        {"dia": "2026-01-02", "PARENT_KEY": "uuid:1/m[1]", "KEY": "uuid:1/m[1]/v[2]"},
    ]


def test_values_that_do_not_fit_are_in_the_extract_as_they_were_sent(desk: Desk, phone: Wire, analyst: Wire):
    desk.publish(HOUSE)
    phone.post(instance("hogar", "<edad>cinco</edad><dia>ayer</dia><momento>x</momento><g><gps>aquí</gps></g>"))

    (row,) = tables(download(analyst))["hogar.csv"].to_dict("records")

    assert (row["edad"], row["dia"], row["momento"], row["g-gps-Latitude"]) == ("cinco", "ayer", "x", "aquí")


def test_the_newest_submission_stands_first(desk: Desk, phone: Wire, analyst: Wire):
    desk.publish(HOUSE)
    for number in range(3):
        phone.post(instance("hogar", f"<edad>{number}</edad><m><n>{number}</n></m>", instance_id=f"uuid:{number}"))

    read = tables(download(analyst))

    assert list(read["hogar.csv"]["edad"]) == ["2", "1", "0"]
    assert list(read["hogar-m.csv"]["n"]) == ["2", "1", "0"]


def test_selected_choices_are_split_on_request_blank_where_not_asked(desk: Desk, phone: Wire, analyst: Wire):
    desk.publish(HOUSE)
    for comidas in ("<comidas>c a</comidas>", "<comidas/>", ""):
        phone.post(instance("hogar", f"<g>{comidas}</g>"))

    frame = tables(download(analyst, query="?splitSelectMultiples=true"))["hogar.csv"]

    split = ["g-comidas", "g-comidas/a", "g-comidas/b", "g-comidas/c"]
    assert frame[split].values.tolist() == [["", "", "", ""], ["", "", "", ""], ["c a", "1", "0", "1"]]


def test_group_paths_are_left_out_on_request(desk: Desk, phone: Wire, analyst: Wire):
    desk.publish(HOUSE)

    read = tables(download(analyst, query="?groupPaths=false&splitSelectMultiples=true"))

    assert [name for name in read["hogar.csv"].columns if "gps" in name or "comidas" in name] == [
        "gps-Latitude", "gps-Longitude", "gps-Altitude", "gps-Accuracy", "comidas", "comidas/a", "comidas/b", "comidas/c",
    ]  # fmt: skip
    assert list(read["hogar-m.csv"].columns) == ["n", "e", "PARENT_KEY", "KEY"]


@ON_SQLITE
@pytest.mark.parametrize("query", ["?groupPaths=maybe", "?splitSelectMultiples=7", "?formulas=run"])
def test_an_option_that_is_neither_true_nor_false_is_refused(desk: Desk, analyst: Wire, query: str):
    desk.publish(HOUSE)

    answer = download(analyst, query=query)

    assert (answer.status, b'"code": 400.8' in answer.body) == (400, True)


@ON_SQLITE
def test_questions_that_are_gone_are_in_the_extract_on_request(desk: Desk, phone: Wire, analyst: Wire):
    desk.publish(form("hogar", questions("integer edad", "text viejo", "begin repeat r", "text x", "end repeat")))
    phone.post(instance("hogar", "<edad>1</edad><viejo>v</viejo><r><x>1</x></r>", instance_id="uuid:1"))
    desk.publish(form("hogar", questions("integer edad"), version="2"))

    plain, whole = tables(download(analyst)), tables(download(analyst, query="?deletedFields=true"))

    assert list(plain) == ["hogar.csv"]
    assert list(plain["hogar.csv"].columns) == ["SubmissionDate", "edad", "meta-instanceID", *SYSTEM]
    assert list(whole) == ["hogar.csv", "hogar-r.csv"]
    assert whole["hogar.csv"][["edad", "viejo"]].values.tolist() == [["1", "v"]]
    assert whole["hogar-r.csv"].to_dict("records") == [{"x": "1", "PARENT_KEY": "uuid:1", "KEY": "uuid:1/r[1]"}]


def test_the_forms_own_table_is_given_alone(desk: Desk, phone: Wire, analyst: Wire):
    desk.publish(HOUSE)
    phone.post(instance("hogar", FULL, instance_id="uuid:1"))

    answer = analyst.send(
        "GET", f"{analyst.root}/forms/hogar/submissions.csv", {"Authorization": analyst.authorization or ""}, None
    )

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    read = pd.read_csv(io.BytesIO(answer.body), dtype=str, keep_default_na=False)
    assert read.equals(tables(download(analyst))["hogar.csv"])


FORMULAS = [
    "=1+1",
    "@SUM(A1)",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd",
    "\t=1",
    "-5.5",
    "+507 6123-4567",
    "-",
    "+",
    "texto =1",
]
SAFE = [
    "'=1+1",
    "'@SUM(A1)",
    "'+cmd|' /C calc'!A0",
    "'-2+3+cmd",
    "'\t=1",
    "-5.5",
    "+507 6123-4567",
    "-",
    "+",
    "texto =1",
]


def test_case_14_texts_that_a_spreadsheet_would_run_are_made_harmless(desk: Desk, phone: Wire, analyst: Wire):
    desk.publish(HOUSE)
    for number, text in enumerate(FORMULAS):
        sent = f"<nombre>{text}</nombre><m><n>{text}</n></m>"
        assert phone.post(instance("hogar", sent, instance_id=f"uuid:{number}")).status == 201

    read = tables(download(analyst))
    kept = tables(download(analyst, query="?formulas=keep"))

    assert list(read["hogar.csv"]["nombre"])[::-1] == SAFE
    assert list(read["hogar-m.csv"]["n"])[::-1] == SAFE
    assert list(kept["hogar.csv"]["nombre"])[::-1] == FORMULAS
    assert [row["nombre"] for row in desk.rows("hogar")] == FORMULAS


def test_accents_and_every_other_character_survive(desk: Desk, phone: Wire, analyst: Wire):
    desk.publish(form("censo ñ/1", questions("text año", "begin repeat niño", "text n", "end repeat")))
    text = "Ngäbe-Buglé 😀 \u202e ; , \" ' \\ \r\n 人"
    escaped = text.replace("\r", "&#13;").replace('"', "&quot;")
    phone.post(instance("censo ñ/1", f"<año>{escaped}</año><niño><n>{escaped}</n></niño>"))

    answer = download(analyst, form_id="censo%20%C3%B1%2F1")
    read = tables(answer)

    assert list(read) == ["censo ñ_1.csv", "censo ñ_1-niño.csv"]
    assert read["censo ñ_1.csv"]["año"][0] == text
    assert read["censo ñ_1-niño.csv"]["n"][0] == text
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["Content-Type"] == "application/zip"


def test_repeats_of_one_name_are_numbered_as_central_numbers_them(desk: Desk, phone: Wire, analyst: Wire):
    desk.publish(
        b'<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>t</h:title>'
        b"<model><instance><data id='dos' version='1'><a><r><x/></r></a><b><r><y/></r></b><s><z/></s><meta><instanceID/>"
        b"</meta></data></instance></model></h:head><h:body><group ref='/data/a'><repeat nodeset='/data/a/r'>"
        b"<input ref='/data/a/r/x'/></repeat></group><group ref='/data/b'><repeat nodeset='/data/b/r'>"
        b"<input ref='/data/b/r/y'/></repeat></group><group ref='/data/s'><repeat nodeset='/data/s'>"
        b"<input ref='/data/s/z'/></repeat></group></h:body></h:html>"
    )
    phone.post(instance("dos", "<a><r><x>1</x></r></a><b><r><y>2</y></r></b>", instance_id="uuid:1"))

    read = tables(download(analyst, "dos"))

    assert list(read) == ["dos.csv", "dos-r~1.csv", "dos-r~2.csv", "dos-s.csv"]
    assert read["dos-r~2.csv"].to_dict("records") == [{"y": "2", "PARENT_KEY": "uuid:1", "KEY": "uuid:1/b/r[1]"}]


def test_edits_old_versions_and_encrypted_ones_are_one_row_each(desk: Desk, phone: Wire, analyst: Wire):
    desk.publish(form("hogar", questions("integer edad", "text viejo")))
    phone.post(instance("hogar", "<edad>1</edad><viejo>x</viejo>", instance_id="uuid:1"))
    desk.publish(form("hogar", questions("integer edad", "text nuevo"), version="2"))
    edit = instance(
        "hogar", "<edad>2</edad><nuevo>y</nuevo>", version="2", instance_id="uuid:2", deprecated_id="uuid:1"
    )
    phone.post(edit)
    phone.post(
        b'<data xmlns="http://www.opendatakit.org/xforms/encrypted" id="hogar" version="2" encrypted="yes">'
        b"<meta><instanceID>uuid:3</instanceID></meta><encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>"
    )

    frame = tables(download(analyst))["hogar.csv"]

    assert list(frame.columns) == ["SubmissionDate", "edad", "nuevo", "meta-instanceID", *SYSTEM]
    chosen = ["KEY", "edad", "nuevo", "meta-instanceID", "Edits", "ReviewState", "Status", "FormVersion"]
    assert frame[chosen].values.tolist() == [
        ["uuid:3", "", "", "", "0", "", "not decrypted", "2"],
        ["uuid:1", "2", "y", "uuid:2", "1", "edited", "", "2"],
    ]


def test_a_form_wider_than_one_query_may_be_is_extracted(desk: Desk, phone: Wire, analyst: Wire):
    """PostgreSQL gives at most 1,664 columns at once, SQLite 2,000."""
    entries = "".join(f"<p{number}/>" for number in range(600))
    binds = "".join(f"<bind nodeset='/data/p{number}' type='geopoint'/>" for number in range(600))
    body = "".join(f"<input ref='/data/p{number}'><label>p</label></input>" for number in range(600))
    desk.publish(
        '<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>t</h:title>'
        f"<model><instance><data id='ancho' version='1'>{entries}<meta><instanceID/></meta></data></instance>{binds}"
        f"</model></h:head><h:body>{body}</h:body></h:html>".encode()
    )
    phone.post(instance("ancho", "".join(f"<p{number}>{number % 90} 1 2 3</p{number}>" for number in range(600))))

    (row,) = tables(download(analyst, "ancho"))["ancho.csv"].to_dict("records")

    assert [float(row[f"p{number}-Latitude"]) for number in range(600)] == [number % 90 for number in range(600)]
    assert len(row) == 1 + 2400 + 1 + len(SYSTEM)


def test_a_form_without_submissions_gives_headers_only(desk: Desk, analyst: Wire):
    desk.publish(HOUSE)

    assert [len(frame) for frame in tables(download(analyst)).values()] == [0, 0, 0]


def test_an_extract_is_noted(desk: Desk, analyst: Wire):
    desk.publish(HOUSE)
    download(analyst)

    assert desk.audited()[-1] == "form.submission.export"


@pytest.mark.parametrize(
    ("role", "project", "status"),
    [("admin", None, 200), ("manager", 1, 200), ("viewer", 1, 200), ("formfill", 1, 403), (None, None, 403),
     ("manager", 2, 403), ("viewer", 2, 403)],
)  # fmt: skip
@ON_SQLITE
def test_only_those_who_may_read_submissions_take_them_out(
    desk: Desk, phone: Wire, analyst: Wire, role: str | None, project: int | None, status: int
):
    desk.publish(HOUSE)
    desk.add_project("Otro")
    desk.user("ana@example.org", role, project=project)

    answer = download(replace(analyst, authorization=basic("ana@example.org", "contraseña larga")))

    assert answer.status == status
    assert answer.body.startswith(b"PK" if status == 200 else b'{"')


@ON_SQLITE
def test_phones_and_strangers_take_nothing_out(desk: Desk, phone: Wire, analyst: Wire):
    desk.publish(HOUSE)

    assert download(replace(analyst, authorization=None)).status == 401
    assert download(replace(analyst, authorization=basic(ADMIN[0], "otra"))).status == 401
    assert phone.get("/forms/hogar/submissions.csv.zip").status == 404
    assert download(analyst, "nadie").status == 404
    assert download(Wire(phone.send, f"/v1/projects/{TOKEN}", analyst.authorization)).status == 404


def vary(row: dict[str, Any]) -> dict[str, Any]:
    """A text that does not compress, where there is one."""
    return {**row, "nombre": secrets.token_hex(500)} if "nombre" in row else row


def fill(desk: Desk, phone: Wire, count: int) -> None:
    """`count` submissions, written to the tables as receiving one wrote it."""
    phone.post(instance("hogar", FULL, instance_id="uuid:0"))
    found = desk.look(lambda conn: dict(conn.execute(select(submissions)).mappings().one()))
    parts = [desk.sql_table("hogar", path) for path in ("", "/m", "/m/v")]
    held = [
        desk.look(lambda conn, part=part: [dict(row) for row in conn.execute(select(part)).mappings()])
        for part in parts
    ]

    def write(conn: Any) -> None:
        ids = range(found["id"] + 1, found["id"] + count)
        conn.execute(insert(submissions), [{**found, "id": n, "instance_id": f"uuid:{n}"} for n in ids])
        for part, rows in zip(parts, held, strict=True):
            conn.execute(insert(part), [vary({**row, "_submission_id": n}) for n in ids for row in rows])

    desk.change(write)


def test_memory_does_not_grow_with_the_rows(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    fill(desk, phone, 3000)

    def peak() -> tuple[int, int]:
        def stream(ctx) -> tuple[int, int]:
            tracemalloc.start()
            size = sum(len(piece) for piece in extracts.open_central(ctx, PROJECT, "hogar", CentralRequest()).pieces)
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return most, size

        return desk.ask(stream)

    most, _ = peak()
    assert most < 16_000_000

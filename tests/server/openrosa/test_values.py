"""What phones write into answers, odd as it may be, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from tests.server.desk import Desk, form, questions
from tests.server.wire import Wire, instance

HOUSE = form(
    "hogar",
    questions(
        "integer edad",
        "decimal peso",
        "text nombre",
        "date dia",
        "time hora",
        "dateTime momento",
        "geopoint gps",
        "geotrace camino",
        "geoshape parcela",
        "select_multiple frutas comidas",
        "begin repeat m",
        "text n",
        "end repeat",
        "begin group g",
        "integer dentro",
        "end group",
    ),
    choices="| | list_name | name | label |\n| | frutas | a | A |\n| | frutas | b | B |\n| | frutas | c | C |",
)


def send(desk: Desk, phone: Wire, *answers: str) -> list[dict[str, object]]:
    """The rows of these answers, one submission each."""
    desk.publish(HOUSE)
    for number, answer in enumerate(answers, 1):
        sent = phone.post(instance("hogar", answer, instance_id=f"uuid:{number}"))
        assert sent.status == 201, sent.body
    assert desk.failures() == []
    return desk.whole_rows("hogar")


def test_case_14_numbers_in_scientific_notation_and_whole_decimals(desk: Desk, phone: Wire):
    rows = send(
        desk,
        phone,
        "<edad>5.0</edad><peso>1.0E7</peso>",
        "<edad>-3</edad><peso>8.6399E-4</peso>",
        "<edad>1.0E3</edad><peso>5</peso>",
        "<edad>9223372036854775807</edad><peso>-0.0</peso>",
    )

    assert [(row["edad"], row["peso"]) for row in rows] == [(5, 1e7), (-3, 0.00086399), (1000, 5.0), (2**63 - 1, -0.0)]
    assert desk.flags("hogar") == []


def test_case_14_values_that_do_not_fit_are_kept_as_text_and_flagged(desk: Desk, phone: Wire):
    wrong = {
        "edad": "9223372036854775808",
        "peso": "NaN",
        "dia": "2026-02-30",
        "hora": "25:00",
        "momento": "2026-08-15T10:00:00",
        "gps": "91 181 0 0",
        "camino": "1 2",
        "parcela": "1 2; 3",
    }
    answers = "".join(f"<{name}>{text}</{name}>" for name, text in wrong.items())

    (row,) = send(desk, phone, answers + "<g><dentro>cinco</dentro></g>")

    flags = {
        flag.path: (flag.check, flag.text, flag.row_key, flag.severity, flag.state) for flag in desk.flags("hogar")
    }
    expected = {**{f"/{name}": text for name, text in wrong.items()}, "/g/dentro": "cinco"}
    assert flags == {path: ("builtin:type", text, "uuid:1", "error", "open") for path, text in expected.items()}
    assert {name: row[name] for name in ("edad", "peso", "dia", "hora", "momento", "camino", "parcela", "dentro")} == (
        dict.fromkeys(("edad", "peso", "dia", "hora", "momento", "camino", "parcela", "dentro"))
    )
    kept = {**row["_texts"], **{name: row[f"{name}_text"] for name in ("hora", "momento", "camino", "parcela")}}
    assert kept == {path.rpartition("/")[2]: text for path, text in expected.items()}


def test_case_14_selected_choices_stay_in_the_order_of_the_taps(desk: Desk, phone: Wire):
    (row,) = send(desk, phone, "<comidas>c a b</comidas>")

    assert row["comidas"] == "c a b"


def test_case_14_absent_and_empty_nodes_are_both_blank(desk: Desk, phone: Wire):
    empty = "".join(
        f"<{name}/>" for name in ("edad", "peso", "nombre", "dia", "hora", "momento", "gps", "comidas", "g")
    )
    rows = send(desk, phone, "", empty)

    blanks = [{name: value for name, value in row.items() if not name.startswith("_")} for row in rows]
    assert [blank.pop("instanceid") for blank in blanks] == ["uuid:1", "uuid:2"]
    assert [set(blank.values()) for blank in blanks] == [{None}, {None}]
    assert desk.flags("hogar") == []


def test_case_14_no_repeats_give_no_rows(desk: Desk, phone: Wire):
    send(desk, phone, "<edad>1</edad>", "<m/>", "<m><n/></m><m><n>x</n></m>")

    assert [(row["_key"], row["n"]) for row in desk.rows("hogar", "/m")] == [
        ("uuid:2/m[1]", None),
        ("uuid:3/m[1]", None),
        ("uuid:3/m[2]", "x"),
    ]


def test_case_14_texts_of_any_kind_are_kept_as_they_are(desk: Desk, phone: Wire):
    texts = [
        "ana&#64;example.org",
        "a &lt;b&gt; &amp; c",
        "😀 𝒩gäbe ñ é",
        "línea 1\nlínea 2\n\tcon tabulador",
        "=1+1",
        "  espacios  ",
        "<![CDATA[a < b]]>",
        "x" * 1_000_000,
        "\\N \\. ' \" ; -- $$",
    ]

    rows = send(desk, phone, *(f"<nombre>{text}</nombre>" for text in texts))

    assert [row["nombre"] for row in rows] == [
        "ana@example.org",
        "a <b> & c",
        "😀 𝒩gäbe ñ é",
        "línea 1\nlínea 2\n\tcon tabulador",
        "=1+1",
        "  espacios  ",
        "a < b",
        "x" * 1_000_000,
        "\\N \\. ' \" ; -- $$",
    ]


def test_case_14_control_characters_are_taken_out_and_the_rest_is_read(desk: Desk, phone: Wire):
    rows = send(desk, phone, "<nombre>a&#29;b&#x1d;c&#0;d</nombre>", "<nombre>a\x1db\x00c</nombre><edad>5</edad>")

    assert [(row["nombre"], row["edad"]) for row in rows] == [("abcd", None), ("abc", 5)]
    assert b"&#29;" in desk.xml_of("uuid:1")


def test_case_14_answers_below_another_meta_namespace_are_read(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    xml = (
        b'<h:data xmlns:h="http://example.org/h" id="hogar" version="1" xmlns:orx="http://openrosa.org/xforms">'
        b"<h:edad>5</h:edad><orx:meta><orx:instanceID>uuid:1</orx:instanceID>"
        b"<orx:instanceName>Casa 1</orx:instanceName></orx:meta></h:data>"
    )

    assert phone.post(xml).status == 201

    (row,) = desk.whole_rows("hogar")
    assert (row["edad"], row["_key"], row["_instance_name"]) == (5, "uuid:1", "Casa 1")


def test_case_15_times_are_kept_as_written_beside_what_they_mean(desk: Desk, phone: Wire):
    rows = send(
        desk,
        phone,
        "<dia>2026-08-15</dia><hora>17:37:00.000-05:00</hora><momento>2026-08-15T23:30:00.123-05:00</momento>",
        "<hora>17:37:00.000Z</hora><momento>1970-01-01T00:00:00.000Z</momento>",
        "<momento>2199-12-31T23:59:59.999+14:00</momento><hora>05:00</hora>",
        "<momento>0001-01-01T00:00:00.000+05:00</momento>",
    )

    assert [(row["hora"], row["hora_text"]) for row in rows] == [
        (time(17, 37), "17:37:00.000-05:00"),
        (time(17, 37), "17:37:00.000Z"),
        (time(5, 0), "05:00"),
        (None, None),
    ]
    assert [(row["momento"], row["momento_text"]) for row in rows] == [
        (datetime(2026, 8, 16, 4, 30, 0, 123000, tzinfo=UTC), "2026-08-15T23:30:00.123-05:00"),
        (datetime(1970, 1, 1, tzinfo=UTC), "1970-01-01T00:00:00.000Z"),
        (datetime(2199, 12, 31, 9, 59, 59, 999000, tzinfo=UTC), "2199-12-31T23:59:59.999+14:00"),
        (None, "0001-01-01T00:00:00.000+05:00"),
    ]
    assert rows[0]["dia"] == date(2026, 8, 15)


def test_case_15_the_clock_of_the_phone_is_never_believed(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    asked = {"Date": "Thu, 01 Jan 1970 05:00:00 GMT", "X-OpenRosa-Version": "1.0"}
    liar = Wire(lambda method, url, headers, body: phone.send(method, url, {**headers, **asked}, body), phone.root)
    before = desk.office.clock()

    assert liar.post(instance("hogar", "<momento>2038-01-19T03:14:08.000Z</momento>")).status == 201

    (row,) = desk.whole_rows("hogar")
    assert before <= row["_received_at"] <= desk.office.clock()


def test_places_are_numbers_and_geojson(desk: Desk, phone: Wire):
    rows = send(
        desk,
        phone,
        "<gps>8.9824 -79.5199 12.5 4.0</gps><camino>8.9 -79.5 0.0 0.0; 8.8 -79.4 0 0;</camino>",
        "<gps>8.9824 -79.5199</gps><parcela>8 -79 1 0; 8 -78 1 0; 9 -78 1 0; 8 -79 1 0</parcela>",
        "<gps>0.0 0.0 0.0 0.0</gps>",
        "<gps>1.0E-4 -79.5 0 0</gps>",
    )

    names = ("gps_latitude", "gps_longitude", "gps_altitude", "gps_accuracy")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (8.9824, -79.5199, 12.5, 4.0),
        (8.9824, -79.5199, None, None),
        (None, None, None, None),
        (0.0001, -79.5, 0.0, 0.0),
    ]
    assert rows[0]["camino"] == '{"type":"LineString","coordinates":[[-79.5,8.9,0.0],[-79.4,8.8,0.0]]}'
    assert rows[1]["parcela"] == (
        '{"type":"Polygon","coordinates":[[[-79.0,8.0,1.0],[-78.0,8.0,1.0],[-78.0,9.0,1.0],[-79.0,8.0,1.0]]]}'
    )


def test_answers_that_the_form_does_not_ask_are_flagged_and_never_lost(desk: Desk, phone: Wire):
    send(
        desk,
        phone,
        "<otra>1</otra><g><nueva><honda>2</honda></nueva></g>",
        "<edad>1</edad><edad>2</edad>",
        "<g>suelto</g>",
        "<nombre>antes<b>dentro</b>después</nombre>",
    )

    assert [(flag.row_key, flag.check, flag.path, flag.text) for flag in desk.flags("hogar")] == [
        ("uuid:1", "builtin:unknown", "/otra", "1"),
        ("uuid:1", "builtin:unknown", "/g/nueva", "2"),
        ("uuid:2", "builtin:twice", "/edad", "2"),
        ("uuid:3", "builtin:unknown", "/g", "suelto"),
        ("uuid:4", "builtin:unknown", "/nombre/b", "dentro"),
        ("uuid:4", "builtin:unknown", "/nombre", "después"),
    ]

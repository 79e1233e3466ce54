"""What stands in an extract, whichever format: tables, columns, names, labels, rows."""

from __future__ import annotations

from server.extracts.treatments import Treatment
from tests.server.desk import ON_SQLITE, Desk, form, questions
from tests.server.extracts.asking import Analyst
from tests.server.extracts.frames import csv_of
from tests.server.extracts.village import FEW, FULL, VILLAGE
from tests.server.wire import Wire, instance

KNOWN = [
    "_instance_name", "_form_version", "_received_at", "_updated_at", "_submitter_id", "_submitter", "_device_id",
    "_review_state", "_edits", "_encrypted",
]  # fmt: skip
ANSWERS = [
    "start", "today", "nombre", "cuartos", "agua", "pueblo", "bienes", "bienes/radio", "bienes/bote", "bienes/3",
    "gps_latitude", "gps_longitude", "gps_altitude", "gps_accuracy", "dia", "hora", "momento", "camino", "foto",
]  # fmt: skip


def test_tables_and_columns(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)

    told = {name: list(frame.columns) for name, frame in analyst.csvs("aldea").items()}

    assert told == {
        "aldea.csv": ["_key", *ANSWERS, *KNOWN],
        "aldea-persona.csv": ["_key", "_parent_key", "_submission_key", "_stable_key", "_position", "nombre", "edad"],
        "aldea-visita.csv": ["_key", "_parent_key", "_submission_key", "_stable_key", "_position", "dia"],
        "aldea-animal.csv": ["_key", "_parent_key", "_submission_key", "_stable_key", "_position", "especie"],
    }


def test_values_are_typed_and_what_was_not_asked_is_blank(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL, instance_id="uuid:1"))
    phone.post(instance("aldea", FEW, instance_id="uuid:2"))

    frame = analyst.csv("aldea")

    first, second = frame.to_dict("records")
    assert {name: first[name] for name in ["_key", *ANSWERS]} == {
        "_key": "uuid:1",
        "start": "2026-08-15T15:00:00.000Z",
        "today": "2026-08-15",
        "nombre": "Ñürüm «del río»",
        "cuartos": "3",
        "agua": "2.5",
        "pueblo": "naso",
        "bienes": "bote 3",
        "bienes/radio": "0",
        "bienes/bote": "1",
        "bienes/3": "1",
        "gps_latitude": "8.5",
        "gps_longitude": "-81.25",
        "gps_altitude": "120.0",
        "gps_accuracy": "4.5",
        "dia": "2026-08-15",
        "hora": "17:37:00",
        "momento": "2026-08-16T04:30:00.125Z",
        "camino": '{"type":"LineString","coordinates":[[-81.25,8.5,0.0],[-81.3,8.6,0.0]]}',
        "foto": "a.jpg",
    }
    assert {name for name in ANSWERS if second[name]} == {"nombre"}
    assert (second["_submitter"], second["_edits"], second["_encrypted"]) == ("Teléfono 1", "0", "false")


def test_rows_of_repeats_are_tied_to_what_holds_them(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL, instance_id="uuid:1"))

    read = analyst.csvs("aldea")

    assert read["aldea-persona.csv"].values.tolist() == [
        ["uuid:1/persona[1]", "uuid:1", "uuid:1", "uuid:1/persona[1]", "1", "Ana", "41"],
        ["uuid:1/persona[2]", "uuid:1", "uuid:1", "uuid:1/persona[2]", "2", "Beto", ""],
    ]
    assert read["aldea-visita.csv"].values.tolist() == [
        [
            "uuid:1/persona[1]/visita[1]",
            "uuid:1/persona[1]",
            "uuid:1",
            "uuid:1/persona[1]/visita[1]",
            "1",
            "2026-01-01",
        ],
        [
            "uuid:1/persona[1]/visita[2]",
            "uuid:1/persona[1]",
            "uuid:1",
            "uuid:1/persona[1]/visita[2]",
            "2",
            "2026-01-02",
        ],
    ]


def test_a_repeat_is_joined_to_all_that_holds_it(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL, instance_id="uuid:1"))
    phone.post(instance("aldea", FEW, instance_id="uuid:2"))

    frame = analyst.csv("aldea", join="visita", columns="nombre,edad,dia,cuartos")

    assert list(frame.columns) == [
        "_key", "_parent_key", "_submission_key", "_stable_key", "_position", "nombre", "cuartos", "dia", "persona-nombre",
        "edad", "persona-visita-dia", *KNOWN,
    ]  # fmt: skip
    chosen = [
        "_submission_key",
        "_position",
        "nombre",
        "cuartos",
        "persona-nombre",
        "edad",
        "dia",
        "persona-visita-dia",
    ]
    assert frame[chosen].values.tolist() == [
        ["uuid:1", "1", "Ñürüm «del río»", "3", "Ana", "41", "2026-08-15", "2026-01-01"],
        ["uuid:1", "2", "Ñürüm «del río»", "3", "Ana", "41", "2026-08-15", "2026-01-02"],
    ]


@ON_SQLITE
def test_repeats_beside_each_other_are_not_joined(desk: Desk, analyst: Analyst):
    desk.publish(VILLAGE)

    assert analyst.refused("aldea", "csv", join="visita,animal") == (
        400,
        400.8,
        {"field": "join", "value": "visita,animal"},
    )


@ON_SQLITE
def test_one_table_is_chosen_by_name(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL, instance_id="uuid:1"))

    assert list(analyst.csv("aldea", table="animal")["especie"]) == ["vaca"]
    assert list(analyst.csvs("aldea", table="animal,aldea")) == ["aldea.csv", "aldea-animal.csv"]
    assert analyst.refused("aldea", "csv", table="animal,aldea")[:2] == (400, 400.8)
    assert analyst.refused("aldea", "csv", table="animales") == (400, 400.8, {"field": "table", "value": "animales"})
    assert analyst.refused("aldea", "docx")[:2] == (404, 404.1)


def test_labels_stand_in_place_of_codes_in_a_language_of_the_form(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL))
    phone.post(instance("aldea", "<casa><pueblo>wounaan</pueblo><bienes>lancha</bienes></casa>"))

    spanish = analyst.csv("aldea", labels="true")
    english = analyst.csv("aldea", labels="true", language="en")

    assert spanish[["pueblo", "bienes"]].values.tolist() == [
        ["Naso Tjër Di", "Bote; Tres vacas"],
        ["wounaan", "lancha"],
    ]
    assert english[["pueblo", "bienes", "bienes/bote"]].values.tolist() == [
        ["Naso Tjër Di (Naso)", "Boat; Three cows", "1"],
        ["wounaan", "lancha", "0"],
    ]
    assert analyst.refused("aldea", "csv", labels="true", language="ngäbere") == (
        400,
        400.8,
        {"field": "language", "value": "ngäbere"},
    )


@ON_SQLITE
def test_names_carry_their_groups_on_request(desk: Desk, analyst: Analyst):
    desk.publish(VILLAGE)

    read = analyst.csvs("aldea", groupPaths="true", splitSelectMultiples="false")

    assert [name for name in read["aldea.csv"].columns if name.startswith("casa")] == [
        "casa-nombre", "casa-cuartos", "casa-agua", "casa-pueblo", "casa-bienes", "casa-gps_latitude",
        "casa-gps_longitude", "casa-gps_altitude", "casa-gps_accuracy",
    ]  # fmt: skip
    assert list(read["aldea-persona.csv"].columns)[-2:] == ["nombre", "edad"]


def test_a_column_keeps_its_name_whatever_versions_bring(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(form("hogar", questions("begin group a", "integer n", "end group", "text viejo")))
    phone.post(instance("hogar", "<a><n>1</n></a><viejo>v</viejo>", instance_id="uuid:1"))
    desk.publish(
        form(
            "hogar",
            questions("begin group b", "text n", "end group", "begin group a", "date n", "end group"),
            version="2",
        )
    )
    phone.post(instance("hogar", "<b><n>x</n></b><a><n>2026-01-01</n></a>", version="2", instance_id="uuid:2"))

    frame = analyst.csv("hogar")

    answers = [name for name in frame.columns if not name.startswith("_")]
    assert answers == ["b-n", "a-n", "n", "viejo"]
    assert frame[answers].values.tolist() == [["", "", "1", "v"], ["x", "2026-01-01", "", ""]]


def test_choices_that_are_gone_still_have_a_column_and_a_label(desk: Desk, phone: Wire, analyst: Analyst):
    def version(number: str, *names: str) -> str:
        choices = "\n".join(f"| | f | {name} | Fruta {name} |" for name in names)
        return form(
            "frutas",
            questions("select_multiple f f"),
            choices=f"| | list_name | name | label |\n{choices}",
            version=number,
        )

    desk.publish(version("1", "a", "b"))
    phone.post(instance("frutas", "<f>a b</f>"))
    desk.publish(version("2", "b", "c"))
    phone.post(instance("frutas", "<f>c</f>", version="2"))

    frame = analyst.csv("frutas", labels="true")

    assert frame[["f", "f/b", "f/c", "f/a"]].values.tolist() == [
        ["Fruta a; Fruta b", "1", "0", "1"],
        ["Fruta c", "0", "1", "0"],
    ]


def test_moments_are_told_in_the_zone_that_is_asked_for(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL))

    (moment,) = analyst.csv("aldea", zone="America/Panama")["momento"]

    assert moment == "2026-08-15T23:30:00.125-05:00"
    assert analyst.refused("aldea", "csv", zone="Macondo")[:2] == (400, 400.8)


def test_a_form_in_parts_is_one_table(desk: Desk, phone: Wire, analyst: Analyst):
    """Typed tables have 400 columns a part, and PostgreSQL gives 1,664 at once."""
    names = [f"p{number}" for number in range(450)]
    desk.publish(
        form("ancho", questions(*(f"geopoint {name}" for name in names), "begin repeat r", "text x", "end repeat"))
    )
    answers = "".join(f"<{name}>{number % 90} 1 2 3</{name}>" for number, name in enumerate(names))
    phone.post(instance("ancho", f"{answers}<r><x>a</x></r><r><x>b</x></r>"))

    (row,) = analyst.csv("ancho").to_dict("records")
    joined = analyst.csv("ancho", join="r")

    assert [float(row[f"{name}_latitude"]) for name in names] == [number % 90 for number in range(450)]
    assert list(joined["x"]) == ["a", "b"]
    assert list(joined["p449_latitude"]) == ["89.0", "89.0"]


def test_excel_knows_the_accents_by_a_mark_on_request(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL))

    marked = analyst.file("aldea", "csv", bom="true")

    assert marked.startswith("\ufeff_key,".encode())
    assert marked[3:] == analyst.file("aldea", "csv")
    assert "Ñürüm «del río»" in marked.decode("utf-8-sig")


def test_formula_like_text_is_made_harmless_unless_it_is_to_be_kept(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(form("textos", questions("text t", "integer n")))
    for text in ("=1+1", "-5", "+507 6123-4567", "@x", "a=1"):
        phone.post(instance("textos", f"<t>{text}</t><n>-5</n>"))

    told, kept = analyst.csv("textos"), analyst.csv("textos", formulas="keep")

    assert list(told["t"]) == ["'=1+1", "-5", "+507 6123-4567", "'@x", "a=1"]
    assert list(told["n"]) == ["-5"] * 5
    assert list(kept["t"]) == ["=1+1", "-5", "+507 6123-4567", "@x", "a=1"]


def test_choices_in_a_file_beside_the_form_are_labelled(desk: Desk, phone: Wire, analyst: Analyst):
    asked = questions("select_one_from_file lugares.csv lugar", "select_multiple_from_file lugares.csv otros")
    places = "name,label,provincia\n0401,Alanje,Chiriquí\n1201,Ñürüm,Ngäbe-Buglé\n".encode()
    desk.publish(form("lugares", asked), {"lugares.csv": places})
    for code in ("1201", "0401", "9999"):
        phone.post(instance("lugares", f"<lugar>{code}</lugar><otros>{code} 0401</otros>"))

    plain, labelled = analyst.csv("lugares"), analyst.csv("lugares", labels="true")

    assert [name for name in plain.columns if not name.startswith("_")] == ["lugar", "otros"]  # not one for each place
    assert list(plain["lugar"]) == ["1201", "0401", "9999"]
    assert list(labelled["lugar"]) == ["Ñürüm", "Alanje", "9999"]
    assert list(labelled["otros"]) == ["Ñürüm; Alanje", "Alanje; Alanje", "9999; Alanje"]


@ON_SQLITE
def test_asking_for_headers_alone_makes_nothing(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(VILLAGE)

    answer = phone.send(
        "HEAD", "/v1/projects/1/forms/aldea/extract.csv", {"Authorization": analyst.authorization}, None
    )

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "form.submission.export" not in desk.audited()


@ON_SQLITE
def test_treatments_decide_what_leaves(desk: Desk, phone: Wire):
    desk.publish(VILLAGE)
    phone.post(instance("aldea", FULL, instance_id="uuid:1"))
    treatments = {
        "/casa/nombre": Treatment(what="leave out"),
        "/casa/gps": Treatment(what="place"),
        "/camino": Treatment(what="place"),
        "/dia": Treatment(what="month", change=lambda day: f"{day:%Y-%m}", kind="text"),
        "/persona/nombre": Treatment(what="pseudonym", change=lambda name: f"P{len(name)}"),
        "_key": Treatment(what="pseudonym", change=lambda key: f"k-{len(key)}"),
        "_submitter": Treatment(what="leave out"),
    }

    form_table = csv_of(desk, "aldea", treatments)
    persons = csv_of(desk, "aldea", treatments, table="/persona")
    visits = csv_of(desk, "aldea", treatments, joined="/persona/visita")

    assert not {"nombre", "gps_latitude", "camino", "_submitter"} & set(form_table.columns)
    assert form_table[["_key", "dia", "today"]].values.tolist() == [["k-6", "2026-08", "2026-08-15"]]
    assert persons.values.tolist() == [
        ["k-6/persona[1]", "k-6", "k-6", "k-6/persona[1]", "1", "P3", "41"],
        ["k-6/persona[2]", "k-6", "k-6", "k-6/persona[2]", "2", "P4", ""],
    ]
    assert list(visits["_key"]) == ["k-6/persona[1]/visita[1]", "k-6/persona[1]/visita[2]"]
    assert list(visits["dia"]) == ["2026-08", "2026-08"]

"""Panels: people and their visits by round, side by side, in any order of arrival; and whom a round did not reach."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pytest
from flask import Flask

from server.actions import entity_merging
from tests.server.api.clients import Client, client
from tests.server.desk import ADMIN, PROJECT, Desk, form
from tests.server.entities.trees import uuid_of
from tests.server.extracts.asking import read_csv
from tests.server.wire import Wire, instance, to_app

PEOPLE = form(
    "gente",
    """
| | type    | name   | label  | save_to | privacy | save_to_confirmed |
| | text    | nombre | Nombre | nombre  | direct  | yes               |
| | text    | barrio | Barrio | barrio  | open    |                   |
""",
).replace("| settings |", "| entities |\n| | list_name | label |\n| | gente | ${nombre} |\n| settings |")
VISIT = form(
    "visita",
    """
| | type | name | label | save_to |
| | today | hoy | | |
| | select_one_from_file gente.csv | persona | Persona | |
| | select_one ronda | ronda | Ronda | |
| | integer | edad | Edad | |
| | select_one sino | sano | ¿Sano? | |
""",
    choices="""
| | list_name | name | label |
| | ronda | base | Línea de base |
| | ronda | final | Final |
| | sino | s | Sí |
| | sino | n | No |
""",
).replace("| settings |", "| entities |\n| | list_name | entity_id |\n| | gente | ${persona} |\n| settings |")
PANEL = "/datasets/gente/panel"
SENDER = "Teléfono 1"


def person(name: str, number: int) -> bytes:
    block = f'<entity dataset="gente" id="{uuid_of(number)}" create="1"><label>{name}</label></entity>'
    body = f"<nombre>{name}</nombre><barrio>Boca</barrio>"
    return instance("gente", body, instance_id=f"uuid:p{number}").replace(b"</meta>", block.encode() + b"</meta>")


def visit(day: str, number: int, round_: str, age: str, well: str, sent: str) -> bytes:
    block = f'<entity dataset="gente" id="{uuid_of(number)}" update="1" baseVersion="1"/>'
    body = f"<hoy>{day}</hoy><persona>{uuid_of(number)}</persona><ronda>{round_}</ronda><edad>{age}</edad>"
    sent_ = instance("visita", f"{body}<sano>{well}</sano>", instance_id=f"uuid:{sent}")
    return sent_.replace(b"</meta>", block.encode() + b"</meta>")


@pytest.fixture
def people(desk: Desk, phone: Wire) -> Desk:
    """Ana (twice at the baseline, once at the end), Eva (at the end only), Sol (never), and a visit of nobody known."""
    desk.publish(PEOPLE)
    desk.publish(VISIT)
    for one in (
        *(person(name, number) for number, name in enumerate(("Ana", "Eva", "Sol"), 1)),
        visit("2026-07-01", 1, "final", "31", "n", "c"),
        visit("2026-02-20", 1, "base", "30", "s", "b"),
        visit("2026-01-10", 1, "base", "29", "", "a"),
        visit("2026-07-02", 2, "final", "", "s", "d"),
        visit("2026-07-03", 9, "final", "50", "s", "e"),
        visit("2026-08-01", 2, "", "51", "s", "f"),
    ):
        assert phone.post(one).status == 201
    return desk


@pytest.fixture
def admin(app: Flask) -> Client:
    return Client(to_app(app), *ADMIN)


def second(sheet: str) -> str:
    """Version 2 of a form."""
    before = "| visita | visita | 1 |"
    assert before in sheet
    return sheet.replace(before, "| visita | visita | 2 |")


def file(who: Client, kind: str = "csv", **options: str) -> bytes:
    query = urlencode({"form": "visita", "identities": "true", "reason": "prueba", **options})
    answer = who.ask(f"{PANEL}.{kind}?{query}")
    assert answer.status == 200, answer.content
    return answer.content


def table(who: Client, **options: str) -> dict[str, dict[str, str]]:
    """The panel by label."""
    made: pd.DataFrame = read_csv(file(who, **options))
    return {str(row["_label"]): {str(key): value for key, value in row.items()} for row in made.to_dict("records")}


def test_a_row_is_a_person_with_every_round_beside_the_other(people: Desk, admin: Client):
    made = table(admin, by="ronda", columns="edad,sano")

    assert list(made["Ana"]) == [
        "_entity_gente", "_label", "nombre", "barrio", "_visits", "_first_day", "_last_day", "_last_submitter",
        "_visits_base", "edad_base", "sano_base", "_visits_final", "edad_final", "sano_final",
    ]  # fmt: skip
    assert list(made) == ["Sol", "Eva", "Ana"]
    assert list(made["Ana"].values()) == [
        uuid_of(1), "Ana", "Ana", "Boca", "3", "2026-01-10", "2026-07-01", SENDER, "2", "30", "s", "1", "31", "n",
    ]  # fmt: skip
    assert list(made["Eva"].values())[4:] == ["2", "2026-07-02", "2026-08-01", SENDER, "0", "", "", "1", "", "s"]
    assert list(made["Sol"].values())[4:] == ["0", "", "", "", "0", "", "", "0", "", ""]


@pytest.mark.parametrize(
    ("by", "rounds"),
    [
        ("quarter", {"2026-Q1": ("2", "30"), "2026-Q3": ("1", "31")}),
        ("month", {"2026-01": ("1", "29"), "2026-02": ("1", "30"), "2026-07": ("1", "31"), "2026-08": ("0", "")}),
        ("year", {"2026": ("3", "31")}),
        ("visit", {"1": ("1", "29"), "2": ("1", "30"), "3": ("1", "31")}),
    ],
)
def test_rounds_are_periods_or_visits_too(people: Desk, admin: Client, by: str, rounds: dict[str, tuple[str, str]]):
    ana = table(admin, by=by, columns="edad")["Ana"]

    assert {
        name.removeprefix("_visits_"): (ana[name], ana[f"edad_{name.removeprefix('_visits_')}"])
        for name in ana
        if name.startswith("_visits_")
    } == rounds


def test_those_whom_a_round_did_not_reach(people: Desk, admin: Client):
    base = table(admin, by="ronda", missing="base")

    assert {name: row["_last_day"] for name, row in base.items()} == {"Sol": "", "Eva": "2026-08-01"}
    assert list(table(admin, by="ronda", missing="final")) == ["Sol"]
    assert list(table(admin, by="ronda", missing="otra")) == ["Sol", "Eva", "Ana"]


def test_merged_people_are_one_row(people: Desk, admin: Client):
    people.act(lambda ctx: entity_merging.merge(ctx, PROJECT, "gente", uuid_of(1), uuid_of(2), reason="es la misma"))

    made = table(admin, by="ronda", columns="edad")

    assert list(made) == ["Sol", "Ana"]
    assert (made["Ana"]["_visits"], made["Ana"]["_visits_final"], made["Ana"]["edad_final"]) == ("5", "2", "")


def rows(data: bytes, *names: str) -> list[tuple[str, ...]]:
    made: pd.DataFrame = read_csv(data)
    return [tuple(str(value) for value in row) for row in made[list(names)].itertuples(index=False)]


def test_the_long_shape_has_a_row_for_each_person_and_round(people: Desk, admin: Client):
    data = file(admin, by="ronda", columns="edad,sano", long="true")

    assert list(read_csv(data).columns) == [
        "_entity_gente", "_label", "nombre", "barrio", "_round", "_visits", "_day", "_submitter", "edad", "sano",
    ]  # fmt: skip
    assert rows(data, "_label", "_round", "_visits", "_day", "_submitter", "edad", "sano") == [
        ("Sol", "base", "0", "", "", "", ""),
        ("Sol", "final", "0", "", "", "", ""),
        ("Eva", "base", "0", "", "", "", ""),
        ("Eva", "final", "1", "2026-07-02", SENDER, "", "s"),
        ("Ana", "base", "2", "2026-02-20", SENDER, "30", "s"),
        ("Ana", "final", "1", "2026-07-01", SENDER, "31", "n"),
    ]
    missed = file(admin, by="ronda", columns="edad", long="true", missing="base")
    assert rows(missed, "_label", "_round", "edad") == [
        ("Sol", "base", ""), ("Sol", "final", ""), ("Eva", "base", ""), ("Eva", "final", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("by", ["ronda", "month", "visit"])
def test_the_long_shape_is_the_wide_one_turned(people: Desk, admin: Client, by: str):
    wide = table(admin, by=by, columns="edad,sano")
    long = rows(file(admin, by=by, columns="edad,sano", long="true"), "_label", "_round", "_visits", "edad", "sano")

    assert len(long) == len(set(long)) == 3 * sum(name.startswith("_visits_") for name in wide["Ana"])
    for label, round_, *values in long:
        assert [wide[label][f"{name}_{round_}"] for name in ("_visits", "edad", "sano")] == values


def test_labels_of_answers_leave_rounds_their_codes(people: Desk, admin: Client):
    made = table(admin, by="ronda", columns="sano", labels="true", missing="base")

    assert list(made) == ["Sol", "Eva"]
    assert [name for name in made["Eva"] if "_base" in name or "_final" in name] == [
        "_visits_base", "sano_base", "_visits_final", "sano_final",
    ]  # fmt: skip
    assert made["Eva"]["sano_final"] == "Sí"


def test_a_question_named_like_a_property_keeps_a_column_of_its_own(people: Desk, admin: Client):
    people.publish(second(VISIT.replace("| | integer | edad | Edad | |", "| | text | barrio | Barrio | |")))

    made = read_csv(file(admin, by="ronda", columns="barrio", long="true"))

    assert list(made.columns)[3:] == ["barrio", "_round", "_visits", "_day", "_submitter", "barrio_2"]
    assert set(made["barrio"]) == {"Boca"}


def test_days_that_are_private_are_not_told_in_panels(people: Desk, app: Flask):
    marked = VISIT.replace("| label | save_to |", "| label | save_to | privacy |")
    people.publish(second(marked.replace("| | today | hoy | | |", "| | today | hoy | | | direct |")))
    viewer = client(people, to_app(app), "viewer")

    wide = read_csv(file(viewer, identities="false", reason="", by="visit", columns="edad"))
    long = read_csv(file(viewer, identities="false", reason="", by="visit", columns="edad", long="true"))

    assert list(wide.columns)[:5] == ["_entity_gente", "barrio", "_visits", "_visits_1", "edad_1"]
    assert list(long.columns) == ["_entity_gente", "barrio", "_round", "_visits", "edad"]
    assert len(long) == 9


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "dta", "sav"])
def test_other_formats_hold_the_same(people: Desk, admin: Client, kind: str, tmp_path_factory: pytest.TempPathFactory):
    data = file(admin, kind, by="ronda", columns="edad")

    if kind == "xlsx":
        made = pd.read_excel(io.BytesIO(data))
    elif kind == "parquet":
        made = pd.read_parquet(io.BytesIO(data))
    else:
        written = tmp_path_factory.mktemp("panel") / f"a.{kind}"
        written.write_bytes(data)
        made = pd.read_stata(written) if kind == "dta" else pd.read_spss(written)
    ages = next(made[name] for name in made.columns if "edad" in name and "final" in name)
    assert sorted(ages.dropna()) == [31]
    assert len(made) == 3


def test_without_identities_nobody_is_told(people: Desk, app: Flask):
    viewer = client(people, to_app(app), "viewer")

    data = file(viewer, identities="false", reason="", by="ronda", columns="edad")
    made = read_csv(data)

    assert list(made.columns) == [
        "_entity_gente", "barrio", "_visits", "_first_day", "_last_day",
        "_visits_base", "edad_base", "_visits_final", "edad_final",
    ]  # fmt: skip
    assert sorted(made["_visits"]) == ["0", "2", "3"]
    assert not any(secret in data for secret in (b"Ana", b"Eva", b"uuid:", uuid_of(1).encode()))
    lists = {one["__id"] for one in viewer.json("/datasets/gente.svc/Entities")["value"]}
    assert set(made["_entity_gente"]) == lists
    viewer.refused(f"{PANEL}.csv?form=visita&identities=true&reason=x", 403.1)
    assert client(people, to_app(app), "formfill").ask(f"{PANEL}.csv?form=visita").status == 403


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("", 400.8, "say which form the visits are of."),
        ("form=gente&by=nada", 400.8, "use visit, month, quarter, semester, year or a question of the form."),
        ("form=visita&columns=nada", 400.8, "nada"),
        ("form=otra", 404.1, "otra"),
    ],
)
def test_what_cannot_be_asked_is_told(people: Desk, admin: Client, query: str, code: float, said: str):
    answer = admin.ask(f"{PANEL}.csv?{query}")

    told: dict[str, Any] = json.loads(answer.content)
    assert (told["code"], said in answer.content.decode()) == (code, True), told


def test_a_format_of_places_and_a_form_that_speaks_of_nobody_are_refused(people: Desk, admin: Client):
    people.publish(form("suelta", "| | type | name | label |\n| | integer | q | Q |"))

    admin.refused(f"{PANEL}.geojson?form=visita", 404.1)
    assert "gente" in admin.refused(f"{PANEL}.csv?form=suelta", 400.8)["message"]

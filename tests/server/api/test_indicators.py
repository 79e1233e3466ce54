"""Indicators over HTTP: lists, figures and records, as JSON and as CSV, by role."""

from __future__ import annotations

import pytest

from server.store import projects
from tests.server.api.clients import Client, client, texts
from tests.server.api.programme import COLUMNS, HOUSE, LOGFRAME, set_up
from tests.server.desk import ON_SQLITE, TOKEN, Desk, form
from tests.server.indicators.measuring import declare, send
from tests.server.wire import Wire

ROLES = ("admin", "manager", "viewer", "formfill", "none", "nobody")


@pytest.fixture
def programme(desk: Desk, phone: Wire) -> Desk:
    """A project that measures."""
    set_up(desk, phone)
    return desk


@pytest.fixture
def manager(programme: Desk, phone: Wire) -> Client:
    return client(programme, phone.send, "manager")


def figures(told: dict, *names: str) -> list[tuple]:
    """Period, categories and the named parts of each figure."""
    return [
        (one["period"], *one["categories"].values(), *(one[name] for name in names or ("value",)))
        for one in told["values"]
    ]


def test_list_says_what_each_indicator_is(manager: Client):
    listed = {one["name"]: one for one in manager.json("/indicators")}

    assert list(listed) == ["N.1", "M", "H", "E", "F", "X"]
    first = listed["N.1"]
    since = first.pop("since")
    assert since.endswith("Z")
    assert first == {
        "name": "N.1",
        "version": 1,
        "label": {"es": "Personas", "en": "People"},
        "definition": {"default": "Adultas"},
        "type": "count",
        "form": "hogar",
        "over": "",
        "unit": {"default": "=personas"},
        "direction": "up",
        "decimals": 1,
        "result": None,
        "disaggregate": ["sexo"],
        "period": "quarter",
        "accumulate": False,
        "minimumN": 10,
        "reference": None,
        "responsible": "Ana",
        "waits": None,
        "broken": [],
        "uncomputed": None,
    }
    assert listed["H"]["minimumN"] == 2
    assert listed["F"]["period"] == "quarter"
    assert listed["E"]["waits"] == {
        "es": "La lista de entidades «personas» todavía no existe en este servidor.",
        "en": "The entity list “personas” is not on this server yet.",
    }


def test_list_as_csv_says_the_same(manager: Client):
    listed = manager.json("/indicators")

    lines = manager.lines("/indicators.csv")

    assert lines == manager.lines("/indicators", Accept="text/csv")
    assert [line["name"] for line in lines] == [one["name"] for one in listed]
    for line, one in zip(lines, listed, strict=True):
        same = {name: value for name, value in texts(one).items() if name in line and name != "disaggregate"}
        assert {name: line[name] for name in same} == same
    assert (lines[0]["label_es"], lines[0]["label_en"], lines[0]["unit_en"]) == ("Personas", "People", "'=personas")
    assert lines[3]["waits_en"] == "The entity list “personas” is not on this server yet."


def test_one_indicator_has_its_row_its_categories_and_what_it_said_before(programme: Desk, manager: Client):
    declare(programme, LOGFRAME.replace("${edad} >= 18", "${edad} >= 21"))

    told = manager.json("/indicators/N.1")

    assert (told["version"], told["row"]["written"]["where"]) == (2, "${edad} >= 21")
    assert told["row"]["written"]["date"] == "${dia}"
    assert told["dimensions"] == [
        {
            "name": "sexo",
            "label": {"es": "Sexo", "en": "Sex"},
            "isLevel": False,
            "categories": [
                {"code": "f", "label": {"es": "Mujer", "en": "Woman"}},
                {"code": "m", "label": {"es": "Hombre", "en": "Man"}},
            ],
        },
        {
            "name": "province",
            "label": {},
            "isLevel": True,
            "categories": [
                {"code": "p1", "label": {"es": "Primera", "en": "First"}},
                {"code": "p2", "label": {"es": "Segunda", "en": "Second"}},
            ],
        },
        {
            "name": "district",
            "label": {},
            "isLevel": True,
            "categories": [
                {"code": "d1", "label": {"es": "Uno", "en": "One"}},
                {"code": "d2", "label": {"es": "Dos", "en": "Two"}},
            ],
        },
    ]
    (before,) = told["earlier"]
    assert (before["version"], before["row"]["written"]["where"]) == (1, "${edad} >= 18")
    assert before["until"] == told["since"]
    assert [split["name"] for split in manager.json("/indicators/F")["dimensions"]] == ["sexo"]


def test_figures_of_one_indicator(manager: Client):
    told = manager.json("/indicators/N.1/values?by=sexo")

    assert figures(told, "value", "n", "numerator", "excluded") == [
        ("2026-Q1", "f", 2.0, 2, 2.0, 0),
        ("2026-Q1", "m", 1.0, 1, 1.0, 0),
        ("2026-Q1", None, 1.0, 1, 1.0, 0),
        ("2026-Q2", "f", 0.0, 0, None, 1),
    ]
    assert told["labels"] == {"sexo": {"f": {"es": "Mujer", "en": "Woman"}, "m": {"es": "Hombre", "en": "Man"}}}
    assert (told["version"], told["undated"], told["counting"]) == (1, 1, "not_rejected")
    assert (told["cumulative"], told["place"], told["waits"]) == (False, None, None)
    (first, *_) = manager.json("/indicators/N.1/values")["values"]
    assert {name: first[name] for name in ("period", "value", "baseline", "target", "achievement", "source")} == {
        "period": "2026-Q1",
        "value": 4.0,
        "baseline": 1.0,
        "target": 5.0,
        "achievement": 75.0,
        "source": None,
    }
    assert figures(manager.json("/indicators/X/values"), "value", "source") == [("2026", 12.5, "Acta 3")]


def test_figures_as_they_are_asked_for(manager: Client):
    def asked(query: str, name: str = "N.1") -> list[tuple]:
        return figures(manager.json(f"/indicators/{name}/values?{query}"))

    assert asked("period=all") == [(None, 5.0)]
    assert asked("period=2026&cumulative=true") == [("2026", 4.0)]
    assert asked("period=2026-Q1..2026-Q2&cumulative=true") == [("2026-Q1", 4.0), ("2026-Q2", 4.0)]
    assert asked("period=all&by=province") == [(None, "p1", 3.0), (None, "p2", 2.0)]
    assert asked("period=all&by=province,sexo&place=p2") == [
        (None, "p2", "f", 0.0),
        (None, "p2", "m", 1.0),
        (None, "p2", None, 1.0),
    ]
    assert asked("period=all&by=sexo&by=district&place=d1") == [(None, "f", "d1", 2.0), (None, "m", "d1", 1.0)]
    assert asked("period=&by=&place=&cumulative=") == asked("")
    assert asked("period=all", "M") == [(None, 33.0)]
    assert asked("period=all", "F") == [(None, 33 / 5)]


def test_all_figures_at_once_and_why_some_are_not_there(manager: Client):
    told = manager.json("/indicators/values?by=province&period=all")

    assert {one["indicator"]: figures(one) for one in told["indicators"]} == {
        "N.1": [(None, "p1", 3.0), (None, "p2", 2.0)],
        "H": [(None, "p1", 1.0), (None, "p2", 1.0)],
        "X": [],
    }
    assert {one["indicator"]: one["reason"]["en"] for one in told["unavailable"]} == {
        "M": "Unexpected place value M; this indicator does not say its place in “place”.",
        "E": "The entity list “personas” is not on this server yet.",
        "F": "Unexpected place value M; this indicator does not say its place in “place”.",
    }


def test_figures_as_csv_are_those_of_json(manager: Client):
    told = manager.json("/indicators/values?by=sexo")

    lines = manager.lines("/indicators/values.csv?by=sexo")

    assert lines == manager.lines("/indicators/values?by=sexo", Accept="text/csv")
    expected = [
        {
            "indicator": of["indicator"],
            "by.sexo": one["categories"]["sexo"] or "",
            **{name: text for name, text in texts(one).items() if name not in ("categories", "note")},
        }
        for of in told["indicators"]
        for one in of["values"]
    ]
    assert len(expected) == 14
    assert [{name: line[name] for name in expected[0]} for line in lines] == expected
    assert lines[0]["unit_es"] == "'=personas"
    mine = [line for line in lines if line["indicator"] == "M"]
    assert manager.lines("/indicators/M/values.csv?by=sexo") == mine


def test_records_behind_a_figure(manager: Client):
    def ids(query: str, name: str = "N.1") -> list[tuple]:
        page = manager.json(f"/indicators/{name}/facts?{query}")
        assert page["next"] is None
        return [(one["instanceId"], one["numerator"], one["excluded"]) for one in page["records"]]

    assert ids("period=2026-Q1&by=sexo&sexo=f") == [("uuid:1", 1.0, False), ("uuid:2", 1.0, False)]
    assert ids("period=2026-Q1&by=sexo&sexo=") == [("uuid:4", 1.0, False)]
    assert ids("period=2026-Q2") == [("uuid:5", None, True)]
    assert ids("period=2026-Q2&cumulative=true&by=province&province=p2") == [
        ("uuid:3", 1.0, False),
        ("uuid:4", 1.0, False),
        ("uuid:5", None, True),
    ]
    assert ids("period=all&place=d1&by=sexo&by.sexo=m") == [("uuid:6", 1.0, False)]
    assert ids("period=all&by=sexo", "H") == [("uuid:1", 1.0, False), ("uuid:3", 1.0, False), ("uuid:3", None, True)]
    assert ids("period=2025") == []
    (one, *_) = manager.json("/indicators/H/facts?period=all&by=sexo")["records"]
    assert one == {
        "form": "hogar",
        "instanceId": "uuid:1",
        "key": one["key"],
        "row": 1,
        "day": "2026-01-10",
        "identifier": None,
        "group": None,
        "categories": {"sexo": "f"},
        "numerator": 1.0,
        "denominator": None,
        "weight": None,
        "excluded": False,
    }


def test_records_as_csv_are_those_of_json(manager: Client):
    told = manager.json("/indicators/H/facts?period=all&by=sexo")["records"]

    lines = manager.lines("/indicators/H/facts.csv?period=all&by=sexo")

    flat = [
        {**{n: v for n, v in texts(one).items() if n != "categories"}, "by.sexo": one["categories"]["sexo"]}
        for one in told
    ]
    assert lines == flat


def test_records_come_in_pages(manager: Client):
    whole = manager.json("/indicators/N.1/facts?period=all")["records"]
    found, query = [], "period=all&limit=2"
    pages = 0
    while query:
        answer = manager.ask(f"/indicators/N.1/facts?{query}")
        page = manager.json(f"/indicators/N.1/facts?{query}")
        found += page["records"]
        pages += 1
        assert ("Link" in answer.headers) == (page["next"] is not None)
        query = answer.headers["Link"].partition("<?")[2].partition(">")[0] if page["next"] else ""

    assert (pages, found) == (3, whole)
    assert len(whole) == 6
    assert [len(manager.lines(f"/indicators/N.1/facts.csv?period=all&limit={most}")) for most in (1, 6, 1000)] == [
        1,
        6,
        6,
    ]


REFUSED = (
    ("/indicators/N.1/values?perod=2026", "perod", "There is no option “perod”: did you mean “period”?"),
    ("/indicators?x=1", "x", "There is no option “x”: there are none here."),
    (
        "/indicators/N.1/values?period=2026-Q9",
        "period",
        "Unexpected period value 2026-Q9; “2026-Q9” is no period: quarters go from Q1 to Q4.",
    ),
    ("/indicators/N.1/values?period=round", "period", "Unexpected period value round; this indicator has no rounds."),
    (
        "/indicators/N.1/values?by=sex",
        "by",
        "Unexpected by value sex; “sex” is no dimension, no level of places and no question: did you mean “sexo”?",
    ),
    ("/indicators/N.1/values?by=sexo,sexo", "by", "Unexpected by value sexo; it is there twice."),
    (
        "/indicators/M/values?by=province",
        "place",
        "Unexpected place value M; this indicator does not say its place in “place”.",
    ),
    ("/indicators/N.1/values?place=p12", "place", "Unexpected place value p12; did you mean “p2”?"),
    (
        "/indicators/X/values?by=zzz",
        "by",
        "Unexpected by value zzz; “zzz” does not disaggregate this indicator; "
        "those there are: sexo, province, district.",
    ),
    ("/indicators/X/values?place=zzz", "place", "Unexpected place value zzz; there is none."),
    ("/indicators/values?place=zzz", "place", "Unexpected place value zzz; there is none."),
    ("/indicators/N.1/values?cumulative=si", "cumulative", "Unexpected cumulative value si; use true or false."),
    ("/indicators/N.1/values?place=p1&place=p2", "place", "Unexpected place value p1, p2; it is given twice."),
    ("/indicators/N.1/facts?limit=0", "limit", "Unexpected limit value 0; use a number from 1 to 1000."),
    ("/indicators/N.1/facts?limit=x", "limit", "Unexpected limit value x; use a number from 1 to 1000."),
    (
        "/indicators/N.1/facts?after=MTIz",
        "after",
        "Unexpected after value MTIz; use what “next” says in the page before.",
    ),
    (
        "/indicators/N.1/facts?after=%C3%B1",
        "after",
        "Unexpected after value ñ; use what “next” says in the page before.",
    ),
    (
        "/indicators/N.1/facts?by=sexo&province=p1",
        "province",
        "There is no option “province”: those there are: period, by, place, cumulative, after, limit, sexo.",
    ),
    ("/indicators/N.1/facts?by=sexo&sexo=f&by.sexo=m", "sexo", "Unexpected sexo value f; it is given twice."),
    (
        "/indicators/N.1/facts?period=2026-Q1,2026-Q2",
        "period",
        "Unexpected period value 2026-Q1,2026-Q2; ask for the records of one period at a time.",
    ),
    ("/indicators/F/facts", "indicator", "“F” is not computed from records of its own: ask for those of M, N.1."),
    ("/indicators/X/facts", "indicator", "“X” is not computed from records of its own."),
)
"""Path, the field that is named, the message."""


def test_what_cannot_be_asked_is_said(manager: Client):
    told = {path: manager.refused(path, 400.8) for path, _, _ in REFUSED}

    found = {path: (one["details"]["field"], one["message"]) for path, one in told.items()}
    assert found == {path: (field, said) for path, field, said in REFUSED}
    assert [path for path, one in told.items() if not one["es"] or one["es"] == one["message"]] == []


def test_an_indicator_that_is_not_there_is_said_with_the_one_that_may_be_meant(manager: Client):
    for path in ("/indicators/N.2", "/indicators/N.2/values", "/indicators/N.2/facts"):
        assert manager.refused(path, 404.1)["wayOut"] == "There is no indicator “N.2”: did you mean “N.1”?"
    assert client_of(manager, 9).refused("/indicators", 404.1)["wayOut"] == "There is no project 9."


def client_of(one: Client, project_id: int) -> Client:
    return Client(one.send, one.email, one.password, project_id)


def test_names_may_hold_any_character(desk: Desk, phone: Wire):
    desk.publish(form("a/b %ñ", "| | type | name | label |\n| | integer | q | Q |"))
    declare(
        desk, "| indicators |\n| | name | label | form | type | period |\n| | Ñ.ü_1-x | Ñ | a/b %ñ | count | year |"
    )
    send(phone, "a/b %ñ", "<q>1</q>", instance_id="uuid:1")
    asking = client(desk, phone.send, "manager")

    for code in ("%C3%91.%C3%BC_1-x", "%C3%91%2E%C3%BC%5F1%2Dx"):
        assert asking.json(f"/indicators/{code}")["form"] == "a/b %ñ"
        assert figures(asking.json(f"/indicators/{code}/values?period=all")) == [(None, 1.0)]
        assert [one["form"] for one in asking.json(f"/indicators/{code}/facts")["records"]] == ["a/b %ñ"]
    disposition = asking.ask("/indicators/%C3%91.%C3%BC_1-x/values.csv").headers["Content-Disposition"]
    assert disposition.endswith("filename*=UTF-8''%C3%91.%C3%BC_1-x.csv")
    assert asking.refused("/indicators/%2F%25/values", 404.1)["details"] == {"indicator": "/%"}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_what_it_may(programme: Desk, phone: Wire, role: str):
    asking = client(programme, phone.send, role)
    reading = {"admin": 200, "manager": 200, "viewer": 200, "nobody": 401}.get(role, 403)
    counting = {"admin": 200, "manager": 200, "nobody": 401}.get(role, 403)

    for path in ("/indicators", "/indicators.csv", "/indicators/H", "/indicators/H/values", "/indicators/values"):
        assert (path, asking.ask(path).status) == (path, reading)
    for path in ("/indicators/H/facts", "/indicators/H/facts.csv"):
        assert (path, asking.ask(path).status) == (path, counting)
    if counting == 403:
        asking.refused("/indicators/H/facts", 403.1)


def test_a_phone_sees_no_figures(programme: Desk, phone: Wire):
    for path in ("/indicators", "/indicators/H/values", "/indicators/H/facts", "/logframe"):
        answer = phone.send("GET", f"/v1/key/{TOKEN}/projects/1{path}", {}, None)
        assert answer.status == 404


def test_viewer_gets_no_figure_of_few_units(programme: Desk, phone: Wire):
    asking = client(programme, phone.send, "viewer")

    told = asking.json("/indicators/N.1/values")
    (first, *_) = told["values"]

    assert told["undated"] is None
    hidden = {name for name, value in first.items() if value is None}
    assert first["hidden"] is True
    assert {"value", "n", "numerator", "excluded", "achievement", "changed"} <= hidden
    assert (first["baseline"], first["target"]) == (1.0, 5.0)  # what is declared is no secret
    line = asking.lines("/indicators/N.1/values.csv")[0]
    assert (line["value"], line["n"], line["hidden"]) == ("", "", "true")
    assert figures(asking.json("/indicators/H/values?period=all"), "value", "n") == [(None, 2.0, 2)]
    assert figures(asking.json("/indicators/X/values")) == [("2026", 12.5)]


def test_figures_of_another_project_are_not_to_be_had(programme: Desk, phone: Wire):
    asking = client(programme, phone.send, "manager")
    other = programme.add_project("Otro")

    client_of(asking, other).refused("/indicators", 403.1)
    client_of(asking, other).refused("/indicators/N.1/values", 403.1)


def test_what_a_client_has_is_not_sent_again(programme: Desk, phone: Wire, manager: Client):
    for path in ("/indicators", "/indicators/N.1/values", "/indicators/N.1/values.csv"):
        first = manager.ask(path)
        tag = first.headers["ETag"]
        again = manager.ask(path, If_None_Match=tag)
        assert (again.status, again.body) == (304, b"")
        assert "Accept" in first.headers["Vary"]
    tag = manager.ask("/indicators/N.1/values").headers["ETag"]
    send(phone, "hogar", "<dia>2026-01-01</dia><edad>18</edad>")
    assert manager.ask("/indicators/N.1/values", If_None_Match=tag).status == 200


def test_an_indicator_that_its_form_answers_no_more_is_said(programme: Desk, manager: Client):
    programme.delete_form("hogar")

    listed = {one["name"]: one for one in manager.json("/indicators")}
    assert [one["column"] for one in listed["N.1"]["broken"]] == ["form"]
    assert listed["F"]["waits"]["en"].startswith("M: the project has published no form “hogar”")
    told = manager.refused("/indicators/N.1/values", 409.16)
    assert told["details"] == {"indicator": "N.1"}
    assert manager.refused("/indicators/F/values", 409.16)["details"] == {"indicator": "M"}
    every = manager.json("/indicators/values")
    assert [one["indicator"] for one in every["indicators"]] == ["X"]
    assert [one["indicator"] for one in every["unavailable"]] == ["N.1", "M", "H", "E", "F"]


def test_waiting_indicator_has_no_figures_and_says_why(manager: Client):
    told = manager.json("/indicators/E/values")

    assert told["values"] == []
    assert told["waits"]["en"] == "The entity list “personas” is not on this server yet."
    assert manager.lines("/indicators/E/values.csv") == []


@ON_SQLITE
def test_only_approved_records_count_where_the_project_says_so(programme: Desk, manager: Client):
    programme.change(lambda conn: projects.change_project(conn, 1, counting="approved"))

    told = manager.json("/indicators/N.1/values")

    assert (told["counting"], told["values"]) == ("approved", [])


def test_a_project_that_measures_nothing_says_so(desk: Desk, phone: Wire):
    asking = client(desk, phone.send, "viewer")

    assert asking.json("/indicators") == []
    assert asking.json("/indicators/values") == {"indicators": [], "unavailable": []}
    assert asking.lines("/indicators.csv") == []
    desk.publish(HOUSE)
    declare(desk, f"| indicators |\n{COLUMNS}\n| | A | A | A | | hogar | | count | | | | | | year | | | | |")
    assert asking.json("/indicators/A/values") == {**asking.json("/indicators/A/values"), "values": []}

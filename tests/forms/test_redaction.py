"""An instance without what it says of a person: what goes, what stays, what is about somebody else."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from forms import instance as instances
from forms import privacy, redaction, tables
from forms.identifying import fate, telling, tells
from forms.instance import Instance
from forms.redaction import Policy, Redacted, Rules
from forms.schema import Field
from tests.server.desk import check, form
from tests.server.entities.trees import uuid_of

DAY = date(2026, 11, 27)
SURVEY = """
| | type                       | name     | label    | privacy   |
| | text                       | jefe     | Jefe     | direct    |
| | text                       | lugar    | Lugar    | open      |
| | select_one_from_file g.csv | vecina   | Vecina   |           |
| | begin repeat               | m        | Miembro  |           |
| | text                       | nombre   | Nombre   | direct    |
| | text                       | codigo   | Código   | key       |
| | integer                    | edad     | Edad     |           |
| | text                       | dichos   | Dichos   | open      |
| | begin repeat               | hijo     | Hijo     |           |
| | text                       | h_nombre | Nombre   | direct    |
| | end repeat                 |          |          |           |
| | image                      | foto     | Foto     |           |
| | end repeat                 |          |          |           |
"""
SHEET = form("casa", SURVEY) + "| entities |\n| | list_name | label | repeat |\n| | g | ${nombre} | ${m} |\n"
ONE, TWO = uuid_of(1), uuid_of(2)


def rules() -> Rules:
    schema = check(SHEET).schema
    marks = {
        "/jefe": "direct", "/lugar": "open", "/m/nombre": "direct", "/m/codigo": "key", "/m/dichos": "open",
        "/m/hijo/h_nombre": "direct",
    }  # fmt: skip
    return Rules(schema=schema, marks={path: one.mark for path, one in privacy.judge(schema, marks).items()})


RULES = rules()


def member(uuid: str, name: str, *, says: str = "", children: tuple[str, ...] = ()) -> str:
    below = "".join(f"<hijo><h_nombre>{child}</h_nombre></hijo>" for child in children)
    return (
        f"<m><nombre>{name}</nombre><codigo>C-{name}</codigo><edad>30</edad><dichos>{says}</dichos>{below}"
        f'<foto>{name}.jpg</foto><meta><entity dataset="g" id="{uuid}" create="1"><label>{name}</label></entity></meta></m>'
    )


def read(body: str) -> Instance:
    return instances.read(
        f'<data id="casa" version="1">{body}<meta><instanceID>uuid:x</instanceID></meta></data>'.encode()
    )


def redact(body: str, policy: Policy, *uuids: str, texts: tuple[str, ...] = ()) -> Redacted:
    return redaction.redact(
        read(body), RULES, uuids or (ONE,), policy, on=DAY, code=lambda key: f"x{len(key)}", texts=texts
    )


def rows(made: Redacted) -> list[tuple[str, dict[str, object]]]:
    found, misfits = tables.rows_of(tables.Plan(RULES.schema), made.instance, instance_id="")
    assert misfits == []
    kept = [(row.key, {path.rpartition("/")[2]: value for path, value in row.values.items()}) for row in found]
    return [(key, {name: value for name, value in values.items() if name != "instanceID"}) for key, values in kept]


def test_facts_stay_and_names_go_of_the_person_alone():
    body = f"<jefe>Rosa Ábrego</jefe><lugar>Norte</lugar>{member(ONE, 'Rosa Ábrego')}{member(TWO, 'Beto')}"

    made = redact(body, "keep_facts")

    assert rows(made) == [
        ("", {"lugar": "Norte"}),  # who heads it is told by the very name
        ("/m[1]", {"codigo": "x13", "edad": 30}),
        ("/m[2]", {"nombre": "Beto", "codigo": "C-Beto", "edad": 30, "foto": "Beto.jpg", "label": "Beto"}),
    ]
    assert (made.whole, made.mine, made.rows, made.others) == (False, False, frozenset(), {"/m[2]"})
    assert made.files == {"Rosa Ábrego.jpg", "audit.csv"}
    assert made.texts == {"rosa abrego", "c-rosa abrego"}
    assert made.keys == {"C-Rosa Ábrego"}
    assert ("/m[1]", "/m/nombre") in made.places


def test_erased_rows_are_no_rows_and_leave_the_others_in_their_places():
    body = f"{member(ONE, 'Rosa', children=('Hijo Rosa',))}{member(TWO, 'Beto', children=('Luz',))}"

    made = redact(body, "erase")

    assert [key for key, _ in rows(made)] == ["", "/m[2]", "/m[2]/hijo[1]"]
    assert made.rows == {"/m[1]", "/m[1]/hijo[1]"}
    assert b"Rosa" not in made.instance.xml
    assert made.instance.root[0].get(redaction.ERASED) == "true"


def test_a_row_with_somebody_elses_choice_is_somebody_elses():
    made = redact(f"<vecina>{TWO}</vecina><lugar>Norte</lugar>{member(ONE, 'Rosa')}", "erase")

    assert (made.whole, made.mine) == (False, False)
    assert rows(made) == [("", {"vecina": TWO, "lugar": "Norte"})]


def test_who_was_chosen_is_who_the_form_is_about():
    body = f"<jefe>Rosa</jefe><lugar>Norte</lugar><vecina>{ONE}</vecina>"

    kept, erased = redact(body, "keep_facts"), redact(body, "erase")

    assert rows(kept) == [("", {"lugar": "Norte", "vecina": ONE})]
    assert rows(erased) == [("", {})]
    assert (kept.whole, erased.whole, erased.mine) == (True, True, True)
    assert erased.instance.instance_id == "uuid:x"


def test_the_document_is_known_again_by_what_it_was():
    before = read(member(ONE, "Rosa"))

    once = redact(member(ONE, "Rosa"), "keep_facts").instance
    twice = redaction.redact(once, RULES, (ONE,), "erase", on=DAY, code=str).instance

    assert once.fingerprint == twice.fingerprint == before.fingerprint
    assert once.xml != before.xml
    assert once.root.get(redaction.ON) == "2026-11-27"


def test_known_texts_are_looked_for_in_words_about_the_person_alone():
    body = f"{member(ONE, 'X', says='la Ñürüm')}{member(TWO, 'Y', says='la Ñürüm')}"

    made = redact(body, "keep_facts", texts=("eufemia nurum",))

    assert [values.get("dichos") for _, values in rows(made)] == [None, None, "la Ñürüm"]


@pytest.mark.parametrize(
    ("entry", "mark", "what"),
    [
        (None, None, "blank"),
        (Field(path="/a", name="a", kind="question", type="string"), "direct", "blank"),
        (Field(path="/a", name="a", kind="question", type="string"), "free_text", "blank"),
        (Field(path="/a", name="a", kind="question", type="string"), "key", "code"),
        (Field(path="/a", name="a", kind="question", type="int"), "key", "blank"),
        (Field(path="/a", name="a", kind="question", type="string", preload="property/deviceid"), "key", "keep"),
        (Field(path="/a", name="a", kind="question", type="string"), "quasi", "blank"),
        (Field(path="/a", name="a", kind="question", type="date"), "quasi", "keep"),
        (Field(path="/a", name="a", kind="question", type="string"), "sensitive", "keep"),
        (Field(path="/a", name="a", kind="question", type="int"), None, "keep"),
    ],
)
def test_what_becomes_of_an_answer(entry: Field | None, mark: privacy.Mark | None, what: str):
    assert fate(entry, mark) == what


def test_short_texts_tell_nobody():
    assert (telling("Ana"), telling("12345"), telling(" Ána  Ruiz ")) == (None, None, "ana ruiz")
    assert tells("vino ANA   RUIZ ayer", ["ana ruiz"])
    assert not tells("Ana", [])


NAMES = st.text("abcdeñü <&", min_size=1, max_size=12).filter(lambda text: text.strip())


@given(st.lists(st.tuples(st.sampled_from((ONE, TWO)), NAMES), max_size=4), st.sampled_from(("keep_facts", "erase")))
def test_others_keep_every_answer_and_the_person_no_name(members: list[tuple[str, str]], policy: Policy):
    body = "".join(
        etree.tostring(_element(uuid, f"P{number} {name}"), encoding="unicode")
        for number, (uuid, name) in enumerate(members)
    )
    before = dict(rows(redact(body, policy, uuid_of(9))))

    made = dict(rows(redact(body, policy)))

    for number, (uuid, _) in enumerate(members, 1):
        key = f"/m[{number}]"
        if uuid == TWO:
            assert made[key] == before[key]
        elif policy == "erase":
            assert key not in made
        else:
            assert made[key] == {"edad": 30}


def _element(uuid: str, name: str) -> etree._Element:
    row = etree.Element("m")
    etree.SubElement(row, "nombre").text = name
    etree.SubElement(row, "edad").text = "30"
    entity = etree.SubElement(etree.SubElement(row, "meta"), "entity", dataset="g", id=uuid, create="1")
    etree.SubElement(entity, "label").text = name
    return row

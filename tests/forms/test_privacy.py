"""How much questions tell of a person: marks, nature, what they are made of, what they are called."""

from __future__ import annotations

import pytest

from forms import privacy, workbook, xform
from forms.library import Bundled, bundled
from forms.privacy import Judged
from tests.helpers.xforms import xform as written

HEADER = "| survey |\n| | type | name | label::Español (es) | label::English (en) | calculation | privacy |"
LISTS = "| choices |\n| | list_name | name | label |\n| | sn | si | Sí |\n| | sn | no | No |"


def judged(*rows: str) -> dict[str, Judged]:
    made, schema = read(*rows)
    return privacy.judge(schema, marks(made))


def warned(*rows: str) -> list[tuple[int | None, str]]:
    made, schema = read(*rows)
    return [(found.row, found.sentence.es) for found in privacy.findings(schema, marks(made), made.rows)]


def marks(made: workbook.Compiled) -> dict[str, str]:
    return {path: mark.privacy for path, mark in made.marks.items() if mark.privacy}


def read(*rows: str):
    sheet = "\n".join([HEADER, *(f"| | {row} |" for row in rows), LISTS, "| settings |\n| | form_id |\n| | f |"])
    made = workbook.compile(sheet.encode(), "f.md")
    return made, xform.read(made.xml)


def test_positions_files_cards_and_devices_tell_of_people_by_nature():
    assert judged(
        "geopoint | p | P | P | |",
        "geotrace | t | T | T | |",
        "image | foto | F | F | |",
        "barcode | tarjeta | T | T | |",
        "deviceid | aparato | | | |",
        "phonenumber | numero | | | |",
        "audit | audit | | | |",
        "integer | edad | E | E | |",
        "text | oficio | O | O | |",
    ) == {
        "/p": Judged("direct", "nature"),
        "/t": Judged("direct", "nature"),
        "/foto": Judged("direct", "nature"),
        "/tarjeta": Judged("key", "nature"),
        "/aparato": Judged("key", "nature"),
        "/numero": Judged("direct", "nature"),
        "/meta/audit": Judged("direct", "nature"),
        "/meta/instanceID": Judged("key", "nature"),
    }


def test_a_mark_says_more_than_nature_and_that_of_a_group_holds_for_what_it_holds():
    found = judged(
        "geopoint | plaza | Plaza | Square | | open",
        "begin group | g | G | G | | direct",
        "integer | n | N | N | |",
        "integer | m | M | M | | sensitive",
        "end group | | | | |",
    )

    assert [found[path] for path in ("/plaza", "/g/n", "/g/m")] == [
        Judged("open", "mark"),
        Judged("direct", "mark"),
        Judged("sensitive", "mark"),
    ]


def test_what_is_computed_inside_a_repeat_is_seen_too():
    found = judged(
        "begin repeat | r | R | R | |",
        "text | quien | Q | Q | | direct",
        "calculate | saludo | | | concat('Hola ', ${quien}) |",
        "calculate | largo | | | string-length(${saludo}) |",
        "begin group | g | G | G | |",
        "calculate | eco | | | ${quien} |",
        "calculate | numero | | | position(..) |",
        "end group | | | | |",
        "end repeat | | | | |",
    )

    assert [found.get(f"/r/{path}") for path in ("saludo", "largo", "g/eco", "g/numero")] == [
        Judged("direct", "made_of", "quien"),
        Judged("direct", "made_of", "saludo"),
        Judged("direct", "made_of", "quien"),
        None,
    ]


def test_the_label_of_an_entity_identifies_wherever_it_stands():
    block = '<meta><entity dataset="x" create="1" id=""><label/></entity></meta>'
    schema = xform.read(
        written(
            f"<r><a/>{block}</r><g><b/>{block}</g>{block}",
            body='<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/a"/></repeat></group>',
        )
    )

    assert privacy.judge(schema, {}) == {
        f"{scope}/meta/entity/label": Judged("direct", "nature") for scope in ("/r", "/g", "")
    }


def test_what_is_computed_from_a_direct_question_is_direct_however_far():
    found = judged(
        "text | quien | Q | Q | | direct",
        "calculate | clave | | | digest(${quien}, 'SHA-256') |",
        "calculate | otra | | | concat(${clave}, '-') |",
        "calculate | largo | | | string-length(${quien}) | open",
        "geopoint | p | P | P | |",
        "calculate | hay_p | | | if(${p} = '', 0, 1) |",
    )

    assert [found.get(path) for path in ("/clave", "/otra", "/largo", "/hay_p")] == [
        Judged("direct", "made_of", "quien"),
        Judged("direct", "made_of", "clave"),
        Judged("open", "mark"),
        None,
    ]


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("text | nombre | ¿? | ? | |", "nombre"),
        ("text | q1 | ¿Cuál es su nombre completo? | ? | |", "nombre"),
        ("text | q1 | ¿Cuáles son sus apellidos? | ? | |", "apellidos"),
        ("text | q1 | Número de CÉDULA | ? | |", "CÉDULA"),
        ("text | q1 | ¿? | Home address | |", "address"),
        ("text | telefonoMovil | ¿? | ? | |", "telefono"),
        ("integer | telefono | ¿? | ? | |", "telefono"),
        ("barcode | cedula | ¿? | ? | |", None),
        ("calculate | b_name | | | instance('x') |", "name"),
    ],
)
def test_what_is_called_like_an_identifier_is_suspected(row: str, word: str | None):
    rows = (row,) if word != "name" else ("text | a | A | A | |", "calculate | b_name | | | concat(${a}, '') |")
    path = "/" + rows[-1].split("|")[1].strip()

    assert judged(*rows)[path] == (Judged("direct", "name", word) if word else Judged("key", "nature"))


@pytest.mark.parametrize(
    "row",
    [
        "integer | q1 | ¿Cuántos teléfonos celulares tienen? | How many mobile phones? | |",
        "integer | telefonos | ¿Cuántos? | How many? | |",
        "select_one sn | telefono | ¿Tiene teléfono? | Has a phone? | |",
        "note | nombre_nota | Diga su nombre | Say your name | |",
        "text | renombre | ¿Es de renombre? | Renowned? | |",
        "text | q1 | ¿Qué opina ${telefono_no_existe}? | What? | |",
        "date | fecha_nombre | ¿? | ? | |",
    ],
)
def test_what_only_sounds_so_is_left_alone(row: str):
    if "${" in row:
        row = "text | q1 | ¿Qué opina? | What do you think? | |"

    assert warned(row) == []


def test_practice_7_an_untagged_cedula_is_warned_of_in_spanish():
    (row, said) = warned("text | oficio | Oficio | Trade | |", "text | cedula | Cédula | ID | |")[0]

    assert row == 3
    assert said == (
        "«cedula» parece pedir un dato que identifica a una persona («cedula») y no tiene marca. Escriba «direct» en la "
        "columna «privacy» si la identifica, o «open» si no. Mientras tanto, se trata como «direct»: no sale en los "
        "extractos sin identidades."
    )
    assert warned("text | cedula | Cédula | ID | | direct") == []
    assert warned("text | nombre_pueblo | Nombre del pueblo | Village | | open") == []


def test_the_strictest_mark_of_all_versions_counts_under_every_name_of_a_question():
    assert privacy.over_versions(
        [{"/a": "open", "/b": "direct"}, {"/a": "quasi", "/b": "open"}, {"/c": "sensitive"}],
        {"/c": ("/b", "/c"), "/b": ("/b", "/c")},
    ) == {"/a": "quasi", "/b": "direct", "/c": "direct"}


def test_a_lighter_mark_is_told_and_changes_nothing():
    made, schema = read("text | a | A | A | | open", "text | b | B | B | |", "text | c | C | C | | direct")

    found = list(privacy.lighter({"/a": "direct", "/b": "quasi", "/c": "quasi"}, marks(made), schema, made.rows))

    assert [(one.row, one.sentence.en) for one in found] == [
        (
            2,
            "“a” was marked “direct” in an earlier version and now “privacy” says “open”: it stays “direct”, for new answers "
            "too.",
        ),
        (
            3,
            "“b” was marked “quasi” in an earlier version and now “privacy” says nothing: it stays “quasi”, for new answers "
            "too.",
        ),
    ]


@pytest.mark.parametrize("form", bundled(), ids=lambda form: form.name)
def test_bundled_forms_leave_nothing_to_be_looked_at(form: Bundled):
    made = workbook.compile(form.workbook.read_bytes(), form.workbook.name)

    assert list(privacy.findings(xform.read(made.xml), marks(made), made.rows)) == []

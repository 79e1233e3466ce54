"""Consent per purpose: what an instance's own answers do not allow is not in what is kept of it."""

from __future__ import annotations

import pytest
from lxml import etree

from forms import consent, instance, workbook, xform
from forms.consent import Guard, Withheld

SHEET = """
| survey |
| | type | name | label | consent |
| | select_one sn | permiso | ¿Acepta? | |
| | select_one sn | permiso_gps | ¿GPS? | |
| | acknowledge | firma | ¿Firma? | |
| | select_multiple usos | usos | ¿Para qué? | |
| | begin group | g | G | {main} |
| | geopoint | casa | Casa | {gps} |
| | image | foto | Foto | ${{firma}} |
| | begin repeat | m | M | |
| | text | n | N | |
| | select_one sn | permiso_m | ¿Y usted? | |
| | text | secreto | S | permiso_m |
| | end repeat | | | |
| | end group | | | |
| choices |
| | list_name | name | label |
| | sn | si | Sí |
| | sn | no | No |
| | usos | estudio | Estudio |
| | usos | visita | Visita |
| settings |
| | form_id |
| | f |
"""
META = "<meta><instanceID>uuid:1</instanceID></meta>"
MEMBERS = (
    "<m><n>x</n><permiso_m>si</permiso_m><secreto>s1</secreto></m>"
    "<m><n>y</n><permiso_m>no</permiso_m><secreto>s2</secreto></m>"
)
GUARDED = "<g><casa>8.9 -79.5 0 4</casa><foto>a.jpg</foto>" + MEMBERS + "</g>"


def guards(main: str = "permiso", gps: str = "${permiso_gps} = 'si'"):
    made = workbook.compile(SHEET.format(main=main, gps=gps).encode(), "f.md")
    cells = {path: mark.consent for path, mark in made.marks.items() if mark.consent}
    return consent.resolve(xform.read(made.xml), cells, made.rows)


def sent(answers: str) -> instance.Instance:
    return instance.read(f'<data id="f" version="1">{answers}{META}</data>'.encode())


def allowed(answers: str, **cells: str) -> consent.Allowed:
    found, wrong = guards(**cells)
    assert wrong == ()
    return consent.allow(sent(answers), found, repeats={"/g/m"}, media={"/g/foto"})


def inside(made: consent.Allowed, path: str) -> str:
    (element,) = made.instance.root.xpath(path)
    return etree.tostring(element, method="c14n").decode()


def test_a_cell_names_the_question_and_the_answer_that_says_yes():
    assert guards()[0] == (
        Guard(path="/g", question="/permiso", given="si"),
        Guard(path="/g/casa", question="/permiso_gps", given="si"),
        Guard(path="/g/foto", question="/firma", given="OK"),
        Guard(path="/g/m/secreto", question="/g/m/permiso_m", given="si"),
    )


def test_what_is_allowed_is_kept_byte_for_byte():
    answers = "<permiso>si</permiso><permiso_gps>si</permiso_gps><firma>OK</firma>" + GUARDED.replace(">no<", ">si<")

    made = allowed(answers)

    assert (made.instance.xml, made.withheld, made.files) == (sent(answers).xml, (), frozenset())


def test_each_purpose_is_judged_by_its_own_consent_and_each_row_by_its_own():
    made = allowed("<permiso>si</permiso><permiso_gps>no</permiso_gps><firma/>" + GUARDED)

    assert inside(made, "/data/g") == (
        "<g><casa></casa><foto></foto><m><n>x</n><permiso_m>si</permiso_m><secreto>s1</secreto></m>"
        "<m><n>y</n><permiso_m>no</permiso_m><secreto></secreto></m></g>"
    )
    assert made.withheld == (
        Withheld(path="/g/casa", question="/permiso_gps", given="si", count=1),
        Withheld(path="/g/foto", question="/firma", given="OK", count=1),
        Withheld(path="/g/m/secreto", question="/g/m/permiso_m", given="si", count=1),
    )
    assert made.files == {"a.jpg"}


def test_a_guarded_group_is_emptied_and_its_rows_are_gone():
    made = allowed("<permiso>no</permiso><permiso_gps>si</permiso_gps><firma>OK</firma>" + GUARDED)

    assert inside(made, "/data/g") == "<g><casa></casa><foto></foto></g>"
    assert made.withheld[0] == Withheld(path="/g", question="/permiso", given="si", count=8)
    assert instance.read(made.instance.xml).root.findtext("permiso") == "no"


def test_no_answer_gives_no_consent():
    assert allowed("<permiso>si</permiso><g><casa>8.9 -79.5</casa></g>").withheld == (
        Withheld(path="/g/casa", question="/permiso_gps", given="si", count=1),
    )


def test_a_choice_among_several_gives_consent():
    cells = {"main": "permiso", "gps": "usos = visita"}
    home = "<g><casa>8.9 -79.5</casa></g>"

    assert allowed("<permiso>si</permiso><usos>estudio visita</usos>" + home, **cells).withheld == ()
    assert len(allowed("<permiso>si</permiso><usos>estudio</usos>" + home, **cells).withheld) == 1


def test_text_between_elements_is_withheld_too():
    made = allowed("<permiso>si</permiso><g><casa>8.9<x>1</x>-79.5</casa></g>")

    assert inside(made, "/data/g") == "<g><casa><x></x></casa></g>"


def test_a_file_that_another_answer_still_names_is_kept():
    found = (Guard(path="/a", question="/p", given="si"),)

    made = consent.allow(sent("<p>no</p><a>x.jpg</a><b>x.jpg</b>"), found, repeats=(), media={"/a", "/b"})

    assert (made.files, [one.path for one in made.withheld]) == (frozenset(), ["/a"])


def test_documents_that_differ_only_in_what_may_not_be_kept_are_the_same():
    found = (Guard(path="/a", question="/p", given="si"),)
    whole, cut, other = (sent(f"<p>no</p><a>{a}</a><b>{b}</b>") for a, b in (("1", "x"), ("", "x"), ("1", "y")))

    assert [consent.same(one, whole, found, repeats=()) for one in (whole, cut, other)] == [True, True, False]


def test_guards_of_other_versions_count_where_the_version_asks_for_the_consent():
    own, other, foreign = (
        Guard(path=path, question=q, given="si")
        for path, q in (("/g", "/permiso"), ("/g/casa", "/permiso_gps"), ("/g", "/x"))
    )
    made = workbook.compile(SHEET.format(main="permiso", gps="permiso_gps").encode(), "f.md")

    assert consent.over_versions([own], [own, other, foreign], xform.read(made.xml)) == (own, other)
    assert consent.over_versions([], [other, foreign], None) == (other, foreign)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("permisos", "there is no question “permisos” that is answered once for this row."),
        ("permiso_m", "there is no question “permiso_m” that is answered once for this row."),
        (
            "usos",
            "it is not known which answer to “usos” gives consent: write it, for example ${usos} = 'estudio'.",
        ),
        ("${permiso} = 'quizas'", "“permiso” has no choice “quizas”; it has si, no."),
        ("casa", "“casa” stands within what it guards: without consent the answer itself would be erased."),
        (
            "${permiso} = 'si' and ${permiso_gps} = 'si'",
            "“${permiso} = 'si' and ${permiso_gps} = 'si'” is not understood. Write the question of the consent, for example "
            "${consent_gps}, or ${consent_gps} = 'agrees'.",
        ),
    ],
)
def test_a_cell_that_cannot_be_meant_is_an_error_with_its_place(cell: str, said: str):
    _, (found,) = guards(gps=cell)

    assert (found.severity, found.row, found.column, found.sentence.en) == ("error", 7, "consent", said)

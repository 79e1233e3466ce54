"""Labels of entities made again from answers, in groups and repeats, where the form only strings texts together."""

from __future__ import annotations

import pytest
from lxml import etree

from forms import entities, entity_labels, instance, overlay
from forms.overlay import Answers
from forms.schema import Schema
from tests.server.desk import check, form

SURVEY = """
| | type         | name   | label  | calculation | save_to |
| | text         | hogar  | Hogar  |             |         |
| | begin repeat | m      | Alguien|             |         |
| | text         | especie | Especie |             | especie  |
| | begin group  | g      | Grupo  |             |         |
| | text         | variedad  | Variedad  |             |         |
| | end group    |        |        |             |         |
| | begin repeat | hijo   | Hijo   |             |         |
| | text         | n      | N      |             |         |
| | end repeat   |        |        |             |         |
| | end repeat   |        |        |             |         |
"""
SENT = (
    '<data xmlns:jr="j" id="f"><hogar> Casa </hogar><m><especie>Ana</especie><g><variedad>La «Ñ»</variedad></g>{0}</m>'
    "<m><especie>Beto</especie>{0}</m><meta><instanceID>uuid:A</instanceID></meta></data>"
)
BLOCK = (
    '<meta><entity dataset="p" id="00000001-0000-4000-8000-000000000000" create="1"><label>x</label></entity></meta>'
)


def schema(label: str) -> Schema:
    sheet = form("f", SURVEY) + f"| entities |\n| | list_name | label | repeat |\n| | p | {label} | ${{m}} |\n"
    return check(sheet).schema


def labels(label: str) -> list[str | None]:
    made = schema(label)
    sent = instance.read(SENT.format(BLOCK).encode())
    return [entity_labels.of(made, one, Answers(sent.root, made)) for one in entities.read(made, sent)]


@pytest.mark.parametrize(
    ("label", "made"),
    [
        ("${especie}", ["Ana", "Beto"]),
        ("concat(${especie}, ' (', ${variedad}, ')')", ["Ana (La «Ñ»)", "Beto ()"]),
        ("concat(${especie}, ' de ', normalize-space(${hogar}))", ["Ana de Casa", "Beto de Casa"]),
        ("string(${hogar})", [" Casa ", " Casa "]),
        ("concat('x', 1 + 1)", [None, None]),
        ("if(${especie} = 'Ana', 'sí', 'no')", [None, None]),
        ("concat(${especie}, position(..))", [None, None]),
    ],
)
def test_what_is_strung_together_is_made_again_and_the_rest_is_not_guessed(label: str, made: list[str | None]):
    assert labels(label) == made


def test_a_label_that_is_not_what_the_phone_made_is_left_alone():
    made = schema("${especie}")
    sent = instance.read(SENT.format(BLOCK).encode())
    laid = overlay.lay(sent, made, {("/m[1]", "/m/especie"): "Anabel"})
    [block, _] = entities.read(made, laid)

    answers = Answers(sent.root, made), Answers(laid.root, made)
    assert entity_labels.laid(made, block, *answers) is None
    sent.root.find("m/meta/entity/label").text = "Ana"
    laid.root.find("m/meta/entity/label").text = "Ana"
    [block, _] = entities.read(made, laid)
    assert entity_labels.laid(made, block, *answers) == "Anabel"
    assert entity_labels.read_by(made, block) == {"/m/especie"}
    assert etree.tostring(sent.root) != etree.tostring(laid.root)

"""The texts of XForms: labels, hints and messages in the languages of the form."""

from __future__ import annotations

import pytest

from forms import xform
from forms.schema import Field, Schema
from tests.helpers.xforms import xform as written

ASK = '<input ref="/data/q"><label ref="jr:itext(\'q\')"/></input>'


def read(itext: str, body: str = ASK, binds: str = "") -> Schema:
    return xform.read(written("<q/>", model=f"<itext>{itext}</itext>{binds}", body=body))


def only(schema: Schema) -> Field:
    [field] = schema.fields
    return field


def test_label_is_read_in_every_language() -> None:
    schema = read(
        '<translation lang="Español (es)"><text id="q"><value>Nombre</value></text></translation>'
        '<translation lang="Ngäbere (gym)" default="true()"><text id="q"><value>Kä</value></text></translation>'
    )
    assert only(schema).label == {"Español (es)": "Nombre", "Ngäbere (gym)": "Kä"}
    assert (schema.languages, schema.default_language) == (("Español (es)", "Ngäbere (gym)"), "Ngäbere (gym)")


def test_first_language_is_the_default_where_none_is_marked() -> None:
    schema = read('<translation lang="es"/><translation lang="en"/>')
    assert (schema.languages, schema.default_language) == (("es", "en"), "es")


def test_form_without_languages_has_texts_without_language() -> None:
    schema = read(
        '<translation lang="default" default="true()"><text id="q"><value>Nombre</value></text></translation>'
    )
    assert only(schema).label == {"": "Nombre"}
    assert (schema.languages, schema.default_language) == ((), None)


def test_unnamed_texts_beside_a_language_keep_their_name() -> None:
    schema = read('<translation lang="default"/><translation lang="English (en)"/>')
    assert schema.languages == ("default", "English (en)")


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ("<value>A</value>", {"es": "A"}),
        ('<value form="guidance">G</value><value>A</value>', {"es": "A"}),
        ('<value form="long">L</value><value form="short">S</value>', {"es": "L"}),
        ('<value form="short">S</value>', {"es": "S"}),
        ('<value form="image">jr://images/a.png</value>', {}),
        ("<value/>", {}),
        ("<value> \n A\n B </value>", {"es": "A\n B"}),
        ("<value>Hola <output value=' /data/g/a '/>, ¿edad?</value>", {"es": "Hola {/data/g/a}, ¿edad?"}),
        ("<value><output ref='/data/a'/></value>", {"es": "{/data/a}"}),
        ("<value>Uno <b>dos</b> tres</value>", {"es": "Uno dos tres"}),
    ],
)
def test_label_is_the_text_of_its_values(values: str, label: dict[str, str]) -> None:
    assert only(read(f'<translation lang="es"><text id="q">{values}</text></translation>')).label == label


@pytest.mark.parametrize(
    ("label", "texts"),
    [
        ("<label>Nombre</label>", {"": "Nombre"}),
        ("<label> Hola <output value='/data/a'/> </label>", {"": "Hola {/data/a}"}),
        ("<label ref=\"jr:itext('otro')\">Reserva</label>", {"": "Reserva"}),
        ("<label ref=\"jr:itext('otro')\"/>", {}),
        ("<label/>", {}),
        ("", {}),
    ],
)
def test_label_without_itext_is_its_content(label: str, texts: dict[str, str]) -> None:
    assert only(read("", f'<input ref="/data/q">{label}</input>')).label == texts


def test_hint_and_messages_follow_the_languages() -> None:
    field = only(
        read(
            '<translation lang="es"><text id="h"><value>Pista</value><value form="guidance">Guía</value></text>'
            '<text id="c"><value>Entre 1 y 5</value></text></translation>',
            '<input ref="/data/q"><hint ref="jr:itext(\'h\')"/></input>',
            '<bind nodeset="/data/q" jr:constraintMsg="jr:itext(\'c\')" jr:requiredMsg="jr:itext(\'falta\')"/>',
        )
    )
    assert (field.hint, field.constraint_message, field.required_message) == (
        {"es": "Pista"},
        {"es": "Entre 1 y 5"},
        {},
    )

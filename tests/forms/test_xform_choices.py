"""The options of selects: beside the question, in lists of the form, in files, in the rows of a repeat."""

from __future__ import annotations

import pytest

from forms import xform
from forms.schema import Choice, ChoiceSource, Schema, SecondaryInstance
from tests.helpers.xforms import xform as written

ITEXT = (
    '<itext><translation lang="es"><text id="p-0"><value>Colón</value></text></translation>'
    '<translation lang="en"><text id="p-0"><value>Colon</value></text></translation></itext>'
)


def read(model: str, inside: str, control: str = "select1") -> Schema:
    return xform.read(written("<q/><r/>", model=model, body=f'<{control} ref="/data/q">{inside}</{control}>'))


def source(nodeset: str, refs: str = '<value ref="name"/><label ref="label"/>') -> ChoiceSource | None:
    return read("", f'<itemset nodeset="{nodeset}">{refs}</itemset>').by_path["/q"].choices


def test_select_keeps_the_items_beside_it() -> None:
    schema = read(
        ITEXT,
        "<item><label>Sí</label><value>s</value></item><item><label ref=\"jr:itext('p-0')\"/><value> c </value></item>",
        "select",
    )
    expected = (Choice(name="s", label={"": "Sí"}), Choice(name="c", label={"es": "Colón", "en": "Colon"}))
    assert schema.by_path["/q"].choices == ChoiceSource(choices=expected)
    assert schema.options("/q") == expected


@pytest.mark.parametrize(
    ("nodeset", "expected"),
    [
        ("instance('x')/root/item", ChoiceSource(instance="x", nodeset="instance('x')/root/item")),
        (
            "instance('x')/root/item[province =  /data/p  and a != ']']",
            ChoiceSource(instance="x", nodeset="instance('x')/root/item", filter="province =  /data/p  and a != ']'"),
        ),
        (
            "instance('x')/root/item[a = 1][b = y[2]]",
            ChoiceSource(instance="x", nodeset="instance('x')/root/item", filter="(a = 1) and (b = y[2])"),
        ),
        ("randomize(instance('x')/root/item)", ChoiceSource(instance="x", nodeset="instance('x')/root/item")),
        (
            "randomize(instance('x')/root/item[selected('a,b', c)], 42)",
            ChoiceSource(instance="x", nodeset="instance('x')/root/item", filter="selected('a,b', c)"),
        ),
        ("/data/r[a != '']", ChoiceSource(nodeset="/data/r", filter="a != ''")),
        ("../r", ChoiceSource(nodeset="../r")),
    ],
)
def test_select_names_list_and_filter(nodeset: str, expected: ChoiceSource) -> None:
    assert source(nodeset) == expected


def test_select_names_the_columns_of_its_list() -> None:
    found = source("instance('x')/root/item", '<value ref="code"/><label ref="nm"/>')
    translated = source("instance('x')/root/item", '<value ref="code"/><label ref="jr:itext(itextId)"/>')
    assert [(each.value_ref, each.label_ref) for each in (found, translated) if each] == [
        ("code", "nm"),
        ("code", "itextId"),
    ]


def test_list_in_the_form_gives_labels_and_columns() -> None:
    schema = read(
        ITEXT + '<instance id="p"><root><item><itextId>p-0</itextId><name>c</name><zona>norte</zona></item>'
        "<item><name>d</name><label>Darién</label><zona/></item></root></instance>",
        "<itemset nodeset=\"instance('p')/root/item[zona = 'norte']\">"
        "<value ref='name'/><label ref='jr:itext(itextId)'/></itemset>",
    )
    expected = (
        Choice(name="c", label={"es": "Colón", "en": "Colon"}, columns={"zona": "norte"}),
        Choice(name="d", label={}, columns={"label": "Darién", "zona": ""}),
    )
    assert schema.instances == (SecondaryInstance(id="p", choices=expected),)
    assert schema.options("/q") == expected


def test_list_columns_follow_the_select_that_uses_them() -> None:
    schema = read(
        '<instance id="p"><data><zona><fila><code>c</code><nm>Colón</nm><name>otro</name></fila></zona></data></instance>',
        "<itemset nodeset=\"instance('p')/data/zona/fila\"><value ref='code'/><label ref='nm'/></itemset>",
    )
    assert schema.options("/q") == (Choice(name="c", label={"": "Colón"}, columns={"name": "otro"}),)


def test_lists_outside_the_form_have_no_choices() -> None:
    schema = read(
        '<instance id="x" src="jr://file-csv/x.csv"/><instance id="__last-saved" src="jr://instance/last-saved"/>',
        "<itemset nodeset=\"instance('x')/root/item\"><value ref='name'/><label ref='label'/></itemset>",
    )
    assert schema.instances == (
        SecondaryInstance(id="x", src="jr://file-csv/x.csv"),
        SecondaryInstance(id="__last-saved", src="jr://instance/last-saved"),
    )
    assert schema.options("/q") == ()


def test_instance_that_is_no_list_has_no_choices() -> None:
    schema = read('<instance id="cfg"><root><limite>4</limite></root></instance><instance id="vacia"/>', "")
    assert schema.instances == (SecondaryInstance(id="cfg"), SecondaryInstance(id="vacia"))
    assert schema.by_path["/q"].choices is None


def test_select_of_an_unknown_list_has_no_options() -> None:
    schema = read("", "<itemset nodeset=\"instance('nada')/root/item\"><value ref='name'/></itemset>")
    assert schema.options("/q") == ()

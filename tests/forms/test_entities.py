"""Entities on paper: which ones a form declares, what a submission says of each, and what of it can be acted on."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms import entities, instance, library, workbook, xform
from forms.entities import Block, Change
from forms.problems import Problem
from forms.schema import EntityDeclaration, Schema
from tests.helpers import samples
from tests.helpers.phone import Filled, Phone
from tests.helpers.phone.memory import StoredForm
from tests.helpers.xforms import xform as written

ID = "0b3c9a52-6d5e-4c38-9a0f-2f1f5a9e7c11"
BRANCH = "9f0c1a6e-1111-4222-8333-0123456789ab"
MakePhone = Callable[..., Phone]

BLOCK = Block(
    key="/meta/entity",
    path="/meta/entity",
    dataset="hogares",
    id=ID,
    create=True,
    update=False,
    label="Casa 1",
    base_version="",
    trunk_version="",
    branch_id="",
    values={"color": "rojo"},
)
NESTED = written(
    '<casa/><g><pared/><meta><entity dataset="paredes" create="1" id=""/></meta></g>'
    '<persona jr:template=""><nombre/><g><edad/></g>'
    '<cosa jr:template=""><que/><meta><entity dataset="cosas" update="1" id=""/></meta></cosa>'
    '<meta><entity dataset="personas" create="1" update="1" id=""><label/></entity></meta></persona>'
    '<meta><entity dataset="hogares" create="1" id=""><label/></entity><instanceID/></meta>',
    model='<bind nodeset="/data/casa" entities:saveto="casa"/>'
    '<bind nodeset="/data/g/pared" entities:saveto="material"/>'
    '<bind nodeset="/data/persona/nombre" entities:saveto="nombre"/>'
    '<bind nodeset="/data/persona/g/edad" type="int" entities:saveto="edad"/>'
    '<bind nodeset="/data/persona/cosa/que" entities:saveto="que"/>',
    body='<group ref="/data/persona"><repeat nodeset="/data/persona"><input ref="/data/persona/nombre"/>'
    '<repeat nodeset="/data/persona/cosa"/></repeat></group>',
)


def sent(answers: str) -> instance.Instance:
    return instance.read(f'<data id="f" version="1">{answers}</data>'.encode())


def summary(blocks: list[Block]) -> list[tuple[str, str, dict[str, str]]]:
    return [(block.key, block.dataset, dict(block.values)) for block in blocks]


# --------------------------------------------------------------------------- the form


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (
            samples.tree_registration(),
            EntityDeclaration(
                path="/meta/entity",
                dataset="arboles",
                actions=frozenset({"create"}),
                properties={"especie": "/especie", "geometry": "/ubicacion", "circunferencia": "/circunferencia"},
            ),
        ),
        (
            samples.tree_follow_up(),
            EntityDeclaration(
                path="/meta/entity",
                dataset="arboles",
                actions=frozenset({"update"}),
                properties={"circunferencia": "/circunferencia", "estado": "/estado"},
            ),
        ),
        (
            samples.tree_upsert(),
            EntityDeclaration(
                path="/meta/entity",
                dataset="arboles",
                actions=frozenset({"create", "update"}),
                properties={"especie": "/especie"},
            ),
        ),
        (
            samples.family(),
            EntityDeclaration(
                path="/persona/meta/entity",
                dataset="personas",
                actions=frozenset({"create"}),
                properties={"nombre_completo": "/persona/nombre", "edad": "/persona/edad"},
            ),
        ),
    ],
    ids=["create", "update", "upsert", "repeat"],
)
def test_what_a_form_declares(sample: samples.Sample, expected: EntityDeclaration):
    assert xform.read(sample.xform).entities == (expected,)


def test_a_form_without_entities_declares_none():
    assert xform.read(samples.household().xform).entities == ()


def test_a_question_is_saved_to_the_nearest_declaration_around_it():
    declared = {one.path: (one.dataset, dict(one.properties)) for one in xform.read(NESTED).entities}

    assert declared == {
        "/g/meta/entity": ("paredes", {"material": "/g/pared"}),
        "/persona/cosa/meta/entity": ("cosas", {"que": "/persona/cosa/que"}),
        "/persona/meta/entity": ("personas", {"nombre": "/persona/nombre", "edad": "/persona/g/edad"}),
        "/meta/entity": ("hogares", {"casa": "/casa"}),
    }


def test_meta_of_openrosa_declares_as_well():
    schema = xform.read(written('<orx:meta><entity dataset=" h " update="1" id=""/></orx:meta>'))

    assert schema.entities == (EntityDeclaration(path="/meta/entity", dataset="h", actions=frozenset({"update"})),)


@pytest.mark.parametrize("form", library.bundled(), ids=lambda form: form.name)
def test_bundled_forms_declare_their_lists(form: library.Bundled):
    schema = xform.read(workbook.compile(form.workbook.read_bytes(), form.workbook.name).xml)

    [declared] = schema.entities
    assert (declared.path, declared.dataset, declared.actions) == {
        "hh_baseline": ("/meta/entity", "households", {"create"}),
        "ben_registration": ("/meta/entity", "beneficiaries", {"create"}),
        "ben_followup": ("/meta/entity", "beneficiaries", {"update"}),
        "inst_assessment": ("/meta/entity", "institutions", {"create", "update"}),
    }[form.name]
    assert declared.properties == {entry.save_to: entry.path for entry in schema.fields if entry.save_to}


def test_properties_have_the_types_of_their_questions():
    assert entities.property_types(xform.read(samples.tree_registration().xform)) == {
        "arboles": {"especie": "string", "geometry": "geopoint", "circunferencia": "int"}
    }
    assert entities.property_types(xform.read(NESTED)) == {
        "paredes": {"material": "string"},
        "cosas": {"que": "string"},
        "personas": {"nombre": "string", "edad": "int"},
        "hogares": {"casa": "string"},
    }
    assert entities.property_types(xform.read(samples.household().xform)) == {}


def test_selects_are_strings_and_what_two_declarations_type_differently_is_of_their_common_type():
    schema = xform.read(
        written(
            '<a/><b/><c/><d/><g><e/><f/><meta><entity dataset="h" update="1" id=""/></meta></g>'
            '<meta><entity dataset="h" create="1" id=""><label/></entity></meta>',
            model='<bind nodeset="/data/a" type="string" entities:saveto="uno"/>'
            '<bind nodeset="/data/b" type="odk:select" entities:saveto="varios"/>'
            '<bind nodeset="/data/c" type="date" entities:saveto="dia"/>'
            '<bind nodeset="/data/d" type="decimal" entities:saveto="peso"/>'
            '<bind nodeset="/data/g/e" type="date" entities:saveto="dia"/>'
            '<bind nodeset="/data/g/f" type="int" entities:saveto="peso"/>',
            body='<select1 ref="/data/a"/><select ref="/data/b"/>',
        )
    )

    assert entities.property_types(schema) == {
        "h": {"dia": "date", "peso": "decimal", "uno": "string", "varios": "string"}
    }


@pytest.mark.parametrize("form", library.bundled(), ids=lambda form: form.name)
def test_bundled_lists_have_typed_properties(form: library.Bundled):
    schema = xform.read(workbook.compile(form.workbook.read_bytes(), form.workbook.name).xml)

    [types] = entities.property_types(schema).values()
    typed = {name: type_ for name, type_ in types.items() if type_ != "string"}
    assert (
        typed
        == {
            "hh_baseline": {"hh_size": "int"},
            "ben_registration": {"reg_date": "date", "card_code": "barcode", "base_income": "decimal"},
            "ben_followup": {"last_visit": "date"},
            "inst_assessment": {"last_assessed": "date"},
        }[form.name]
    )


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("hogares", True), ("Hogares_2", True), ("niñas-niños", True), ("_x", True), ("a:b", True),
        ("", False), ("__x", False), ("2x", False), ("-x", False), ("a.b", False), ("a b", False), ("a\n", False),
        ("ho\u0301gar", False), ("a;b", False), ("a/b", False), ("٣", False), ("a٣", False),
    ],
)  # fmt: skip
def test_names_of_lists(name: str, fits: bool):
    assert entities.is_dataset_name(name) is fits


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("edad", True), ("a.b", True), ("año-2", True), ("_x", True), ("names", True), ("geometry", True),
        ("", False), ("__x", False), ("name", False), ("Name", False), ("LABEL", False), ("a:b", False), ("2x", False),
        (".a", False), ("a b", False), ("a\n", False), ("a;b", False), ('a"', False),
    ],
)  # fmt: skip
def test_names_of_properties(name: str, fits: bool):
    assert entities.is_property_name(name) is fits


# --------------------------------------------------------------------------- the submission


def test_every_row_of_a_repeat_has_an_entity_of_its_own():
    blocks = entities.read(
        xform.read(NESTED),
        sent(
            "<casa>azul</casa><g><pared>barro</pared>"
            f'<meta><entity dataset="paredes" create="1" id="{ID}"/></meta></g>'
            f'<persona><nombre>Ana</nombre><g><edad/></g><cosa><que>olla</que><meta><entity dataset="cosas" update="1" '
            f'id="{ID}" baseVersion="3"/></meta></cosa><cosa><que>red</que><meta><entity dataset="cosas" update="TRUE" '
            f'id="{ID}"/></meta></cosa><meta><entity dataset="personas" create="1" update="0" id="{ID}"><label/></entity>'
            "</meta></persona>"
            '<persona><nombre>Eva</nombre><meta><entity dataset="personas" create="0" update="true" id=""/></meta>'
            "</persona>"
            f'<meta><entity dataset="hogares" create="1" id="{ID}"><label>C</label></entity>'
            "<instanceID>uuid:1</instanceID></meta>"
        ),
    )

    assert summary(blocks) == [
        ("/g/meta/entity", "paredes", {"material": "barro"}),
        ("/persona[1]/cosa[1]/meta/entity", "cosas", {"que": "olla"}),
        ("/persona[1]/cosa[2]/meta/entity", "cosas", {"que": "red"}),
        ("/persona[1]/meta/entity", "personas", {"nombre": "Ana", "edad": ""}),
        ("/persona[2]/meta/entity", "personas", {"nombre": "Eva"}),
        ("/meta/entity", "hogares", {"casa": "azul"}),
    ]
    assert [(b.create, b.update, b.label, b.base_version) for b in blocks] == [
        (True, False, None, ""),
        (False, True, None, "3"),
        (False, True, None, ""),
        (True, False, "", ""),
        (False, True, None, ""),
        (True, False, "C", ""),
    ]


SIMPLE = xform.read(
    written(
        '<q/><r/><meta><entity dataset="h" create="1" update="1" id=""><label/></entity><instanceID/></meta>',
        model='<bind nodeset="/data/q" entities:saveto="color"/><bind nodeset="/data/r" entities:saveto="talla"/>',
    )
)
META = '<meta><entity dataset="h" create="1" id="x"/><instanceID>uuid:1</instanceID></meta>'


@pytest.mark.parametrize("asked", ['create="0"', "", 'create=""', 'create="false" update="no"', 'update="yes"'])
def test_a_block_that_asks_for_nothing_is_left_out(asked: str):
    answers = f'<q>rojo</q><meta><entity dataset="h" id="x" {asked}><label/></entity><instanceID>1</instanceID></meta>'

    assert entities.read(SIMPLE, sent(answers)) == []


def test_an_absent_question_says_nothing_and_an_empty_one_says_blank():
    assert summary(entities.read(SIMPLE, sent("<q/>" + META))) == [("/meta/entity", "h", {"color": ""})]


def test_answers_count_wherever_meta_stands_and_whatever_namespace_it_has():
    meta = '<o:meta xmlns:o="http://openrosa.org/xforms"><o:instanceID>1</o:instanceID></o:meta>'
    block = '<meta><entity dataset="h" create="1" id="x"/></meta>'

    assert summary(entities.read(SIMPLE, sent(block + meta + "<q>rojo</q>"))) == [
        ("/meta/entity", "h", {"color": "rojo"})
    ]


def test_of_two_blocks_in_one_place_the_first_counts():
    two = META.replace("<instanceID>", '<entity dataset="h" create="1" id="y"/><instanceID>')

    assert [block.id for block in entities.read(SIMPLE, sent("<q>1</q><q>2</q>" + two))] == ["x"]
    assert summary(entities.read(SIMPLE, sent("<q/><q>2</q><q>3</q>" + two))) == [("/meta/entity", "h", {"color": "2"})]


def test_an_encrypted_submission_says_nothing_of_entities():
    envelope = (
        '<data id="f" encrypted="yes" xmlns="http://www.opendatakit.org/xforms/encrypted"><q>1</q>' + META + "</data>"
    )

    assert entities.read(SIMPLE, instance.read(envelope.encode())) == []


def test_what_is_where_the_form_declares_nothing_is_no_block():
    plain = xform.read(written("<q/><meta><instanceID/></meta>"))

    assert entities.read(plain, sent("<q/>" + META)) == []


# --------------------------------------------------------------------------- what can be acted on


def test_ids_versions_and_labels_are_read():
    block = replace(
        BLOCK,
        id=f" UUID:{ID.upper()} ",
        update=True,
        label=" \n",
        base_version="03",
        trunk_version="2",
        branch_id=BRANCH.upper(),
    )

    assert entities.parse(block) == Change(
        key="/meta/entity",
        path="/meta/entity",
        dataset="hogares",
        id=ID,
        create=True,
        update=True,
        label=None,
        base_version=3,
        trunk_version=2,
        branch_id=BRANCH,
        values={"color": "rojo"},
    )


UPDATE = {"create": False, "update": True, "label": None, "base_version": "1"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {"create": True, "update": False, "base_version": None, "trunk_version": None, "branch_id": None}),
        (UPDATE, {"create": False, "update": True, "base_version": 1, "label": None}),
        (UPDATE | {"label": "Otra"}, {"label": "Otra"}),
        (UPDATE | {"trunk_version": " ", "branch_id": " "}, {"trunk_version": None, "branch_id": None}),
        (UPDATE | {"branch_id": BRANCH}, {"trunk_version": None, "branch_id": BRANCH}),
        ({"update": True}, {"create": True, "update": False}),
        ({"update": True, "base_version": "1", "label": ""}, {"create": True, "update": True, "label": None}),
        ({"base_version": "7"}, {"base_version": 7}),
        ({"label": " Casa "}, {"label": " Casa "}),
        (UPDATE | {"base_version": "2147483647"}, {"base_version": 2**31 - 1}),
    ],
)
def test_what_can_be_acted_on(changed: Mapping[str, Any], expected: Mapping[str, Any]):
    change = entities.parse(replace(BLOCK, **changed))

    assert {name: getattr(change, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"dataset": " "}, 400.2, "dataset"),
        ({"id": ""}, 400.2, "uuid"),
        ({"id": "  "}, 400.2, "uuid"),
        ({"id": "hogar 1"}, 400.11, "uuid"),
        ({"id": ID.replace("-4c38-", "-1c38-")}, 400.11, "uuid"),
        ({"id": ID.replace("-9a0f-", "-7a0f-")}, 400.11, "uuid"),
        ({"id": ID + "\n0"}, 400.11, "uuid"),
        ({"label": None}, 400.2, "label"),
        ({"label": " "}, 400.2, "label"),
        ({"update": True, "label": ""}, 400.2, "label"),
        (UPDATE | {"base_version": ""}, 400.2, "baseVersion"),
        (UPDATE | {"base_version": " "}, 400.2, "baseVersion"),
        (UPDATE | {"base_version": "uno"}, 400.11, "baseVersion"),
        (UPDATE | {"base_version": "1.0"}, 400.11, "baseVersion"),
        (UPDATE | {"base_version": "-1"}, 400.11, "baseVersion"),
        (UPDATE | {"base_version": "٣"}, 400.11, "baseVersion"),
        (UPDATE | {"base_version": "2147483648"}, 400.11, "baseVersion"),
        ({"base_version": "x"}, 400.11, "baseVersion"),
        (UPDATE | {"trunk_version": "1"}, 400.2, "branchId"),
        (UPDATE | {"trunk_version": "x", "branch_id": BRANCH}, 400.11, "trunkVersion"),
        (UPDATE | {"branch_id": "rama"}, 400.11, "branchId"),
    ],
)
def test_what_cannot_be_acted_on(changed: Mapping[str, Any], code: float, field: str):
    with pytest.raises(Problem) as caught:
        entities.parse(replace(BLOCK, **changed))

    assert (caught.value.code, caught.value.details["field"]) == (code, field)


def test_sentences_are_central_s_and_spanish_ones():
    with pytest.raises(Problem) as missing:
        entities.parse(replace(BLOCK, label=None))
    with pytest.raises(Problem) as wrong:
        entities.parse(replace(BLOCK, id="7"))

    assert missing.value.sentence.en == "Required parameter label missing."
    assert missing.value.sentence.es == "A la entidad le falta «label»."
    assert wrong.value.sentence.en == "Invalid input data type: expected (uuid) to be (valid version 4 UUID)"
    assert wrong.value.sentence.es == "«uuid» de la entidad debe ser un UUID de versión 4 y dice «7»."


@pytest.mark.parametrize(
    ("changed", "permitted"),
    [
        ({"create": False, "update": True}, ["create"]),
        ({"create": True, "update": True}, ["create"]),
        ({"dataset": "otra"}, []),
        ({"path": "/otro/meta/entity"}, []),
    ],
)
def test_a_submission_asks_for_no_more_than_its_form(changed: Mapping[str, Any], permitted: list[str]):
    schema = xform.read(samples.tree_registration().xform)
    change = replace(entities.parse(replace(BLOCK, dataset="arboles")))
    entities.check_permitted(schema, change)

    with pytest.raises(Problem) as caught:
        entities.check_permitted(schema, replace(change, **changed))

    assert (caught.value.code, caught.value.details["permitted"]) == (403.2, permitted)


TEXT = st.one_of(
    st.sampled_from(["", " ", "1", "true", "0", "x", ID, "uuid:" + ID.upper(), "99999999999999999999999", "-1"]),
    st.text(max_size=12),
)


@given(
    st.builds(
        Block,
        key=st.just("/meta/entity"),
        dataset=TEXT,
        id=TEXT,
        create=st.booleans(),
        update=st.booleans(),
        label=st.none() | TEXT,
        base_version=TEXT,
        trunk_version=TEXT,
        branch_id=TEXT,
        values=st.just({}),
    )
)
def test_any_block_is_a_change_or_a_problem(block: Block):
    try:
        change = entities.parse(block)
    except Problem:
        return
    assert str(uuid.UUID(change.id, version=4)) == change.id
    assert not change.update or change.base_version is not None
    assert change.label is not None or change.update


NAMES = st.sampled_from(["casa", "g", "pared", "persona", "nombre", "edad", "cosa", "que", "meta", "entity", "label"])
XML_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=5)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["dataset", "id", "create", "update", "baseVersion", "trunkVersion", "branchId"]),
    st.sampled_from(["1", "true", "0", "", ID, "cosas"]),
)
TREES = st.recursive(
    XML_TEXT, lambda inner: st.lists(st.tuples(NAMES, ATTRIBUTES, inner), max_size=5).map(tuple), max_leaves=25
)


def xml_of(tree: Any) -> str:
    if isinstance(tree, str):
        return (
            tree.replace("&", "&amp;")
            .replace("<", "&lt;")
            .replace(">", "&gt;")
            .replace("\ufffe", "")
            .replace("\uffff", "")
        )
    return "".join(
        f"<{name}{''.join(f' {key}={chr(34)}{value}{chr(34)}' for key, value in attributes.items())}>"
        f"{xml_of(inner)}</{name}>"
        for name, attributes, inner in tree
    )


NESTED_SCHEMA = xform.read(NESTED)


@given(TREES)
def test_any_submission_is_read(tree: Any):
    arrived = sent(xml_of(tree) + "<meta><instanceID>uuid:1</instanceID></meta>")

    blocks = entities.read(NESTED_SCHEMA, arrived)

    keys = [block.key for block in blocks]
    assert keys == list(dict.fromkeys(keys))
    declared = {one.path: one for one in NESTED_SCHEMA.entities}
    for block in blocks:
        assert block.create or block.update
        assert block.values.keys() <= declared[block.path].properties.keys()


# --------------------------------------------------------------------------- a phone fills it


LIST_HEADER = "name,label,__version,especie,geometry,circunferencia,estado\n"


def give(phone: Phone, xml: bytes, lists: Mapping[str, str]) -> Schema:
    """Puts a form and entity lists (CSV by name) on a phone that has no server."""
    schema = xform.read(xml)
    stored = StoredForm(
        form_id=schema.form_id,
        version=schema.version,
        title=schema.title,
        submission_url=None,
        md5=hashlib.md5(xml, usedforsecurity=False).hexdigest(),
        file=f"forms/{schema.form_id}.xml",
        media=f"forms/{schema.form_id}-media",
    )
    (phone.state / stored.file).write_bytes(xml)
    (phone.state / stored.media).mkdir()
    phone.memory.forms.append(stored)
    for name, text in lists.items():
        arrived = phone.state / "tmp" / f"{name}.csv"
        arrived.write_text(text, encoding="utf-8")
        phone.engine("--merge-list", name, arrived, "md5:1", "--entities", phone.state)
    return schema


def carried(text: str) -> str:
    """The text as XML carries it: every kind of line end is a line feed."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_back(schema: Schema, filled: Filled) -> list[Block]:
    """The blocks of a filled form, after it was seen that they say what the phone did to its own lists."""
    blocks = entities.read(schema, instance.read(filled.xml.read_bytes()))
    told = [
        (
            one.dataset,
            one.id,
            carried(one.label),
            {name: carried(text) for name, text in one.properties.items()},
            one.attributes.get("baseVersion") or "",
        )
        for one in filled.entities
    ]
    assert [(b.dataset, b.id, b.label or "", dict(b.values), b.base_version) for b in blocks] == told
    return blocks


def test_phone_creates_then_updates_offline(make_phone: MakePhone):
    phone = make_phone("http://nowhere.invalid")
    registration = give(phone, samples.tree_registration().xform, {"arboles": LIST_HEADER})
    follow_up = give(phone, samples.tree_follow_up().xform, {})

    created = entities.parse(*read_back(registration, phone.fill("arbol_registro", answers={"especie": "caoba"})[0]))
    updates = [
        entities.parse(
            *read_back(follow_up, phone.fill("arbol_seguimiento", seed=n, answers={"estado": f"bien {n}"})[0])
        )
        for n in (1, 2)
    ]

    assert (created.create, created.update, created.base_version, created.branch_id) == (True, False, None, None)
    assert created.values["especie"] == "caoba"
    assert [(one.create, one.update, one.id, one.label) for one in updates] == [(False, True, created.id, None)] * 2
    assert [(one.base_version, one.trunk_version, one.values["estado"]) for one in updates] == [
        (1, None, "bien 1"),
        (2, None, "bien 2"),
    ]
    assert updates[0].branch_id is not None
    assert updates[0].branch_id == updates[1].branch_id


def test_phone_updates_what_the_server_knows(make_phone: MakePhone):
    phone = make_phone("http://nowhere.invalid")
    schema = give(phone, samples.tree_follow_up().xform, {"arboles": LIST_HEADER + f"{ID},Un árbol,3,cedro,,12,bien\n"})

    first, second = (
        entities.parse(*read_back(schema, phone.fill("arbol_seguimiento", seed=n, answers={"estado": None})[0]))
        for n in (1, 2)
    )

    assert (first.id, first.base_version, first.trunk_version, first.values["estado"]) == (ID, 3, 3, "")
    assert (second.base_version, second.trunk_version, second.branch_id) == (4, 3, first.branch_id)


@pytest.mark.parametrize(
    ("answers", "expected"), [({"arbol": None}, (True, False, None)), ({"arbol": ID}, (False, True, 3))]
)
def test_phone_creates_or_updates(make_phone: MakePhone, answers: Mapping[str, object], expected: tuple[object, ...]):
    phone = make_phone("http://nowhere.invalid")
    schema = give(phone, samples.tree_upsert().xform, {"arboles": LIST_HEADER + f"{ID},Un árbol,3,cedro,,12,bien\n"})

    change = entities.parse(*read_back(schema, phone.fill("arbol_upsert", answers=answers)[0]))

    assert (change.create, change.update, change.base_version) == expected


def test_phone_creates_one_in_each_row_of_a_repeat(make_phone: MakePhone):
    phone = make_phone("http://nowhere.invalid")
    schema = give(phone, samples.family().xform, {"personas": "name,label,__version\n"})

    for filled in phone.fill("familia_entidades", 5, seed=7, options=["--repeats", "0-4", "--nasty", "0.5"]):
        changes = [entities.parse(block) for block in read_back(schema, filled)]

        assert [change.key for change in changes] == [
            f"/persona[{number}]/meta/entity" for number in range(1, len(changes) + 1)
        ]
        assert len({change.id for change in changes}) == len(changes)


@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_phone_assesses_an_institution_of_the_bundled_form(make_phone: MakePhone, known: bool):
    phone = make_phone("http://nowhere.invalid")
    [form] = [form for form in library.bundled() if form.name == "inst_assessment"]
    header = form.media[0].read_text(encoding="utf-8").splitlines()[0]
    row = {
        "name": ID,
        "label": "Alcaldía",
        "__version": "2",
        "inst_name": "Alcaldía",
        "inst_type": "municipality",
        "province": "p12",
        "district": "d1201",
    }
    line = ",".join(row.get(column, "") for column in header.split(","))
    schema = give(
        phone,
        workbook.compile(form.workbook.read_bytes(), form.workbook.name).xml,
        {"institutions": f"{header}\n{line}\n"},
    )
    asked: dict[str, object] = {"new_known": "known", "inst_id": ID} if known else {"new_known": "new"}
    asked |= {"province": "p12", "district": "d1201", "inst_name": "Consejo", "inst_type_new": "cso"}

    change = entities.parse(*read_back(schema, phone.fill("inst_assessment", answers=asked)[0]))

    if known:
        assert (change.create, change.update, change.base_version, change.trunk_version) == (False, True, 2, 2)
        assert (change.id, change.label, change.values["inst_type"]) == (ID, "Alcaldía", "municipality")
    else:
        assert (change.create, change.update, change.base_version, change.branch_id) == (True, False, None, None)
        assert (change.label, change.values["inst_type"]) == ("Consejo", "cso")
        assert change.id != ID


VISITS = """
| survey |
| | type                            | name     | label    | save_to          | repeat_count |
| | text                            | aldea    | Aldea    | visitas#aldea    |              |
| | begin repeat                    | parada   | Parada   |                  |              |
| | select_one_from_file arboles.csv | arbol   | Árbol    |                  |              |
| | text                            | estado   | Estado   | arboles#estado   |              |
| | end repeat                      |          |          |                  |              |
| settings |
| | form_id | version |
| | visitas | 1       |
| entities |
| | list_name | label    | entity_id | repeat    |
| | visitas   | ${aldea} |           |           |
| | arboles   |          | ${arbol}  | ${parada} |
"""
OTHER = "7d1b6f0a-2a52-4b0f-8f5d-6a1c1f8f2e90"


def test_phone_updates_one_in_each_row_and_creates_another_around_them(make_phone: MakePhone):
    phone = make_phone("http://nowhere.invalid")
    rows = f"{ID},Uno,3,cedro,,12,bien\n{OTHER},Dos,5,roble,,30,mal\n"
    schema = give(
        phone,
        workbook.compile(VISITS.encode(), "visitas.md").xml,
        {"arboles": LIST_HEADER + rows, "visitas": "name,label,__version\n"},
    )
    answers = {
        "aldea": "Soloy",
        "/data/parada#count": "3",
        "/data/parada[1]/arbol": OTHER,
        "/data/parada[2]/arbol": ID,
        "/data/parada[3]/arbol": None,
        "/data/parada[1]/estado": "seco",
        "/data/parada[2]/estado": None,
    }

    blocks = entities.read(schema, instance.read(phone.fill("visitas", answers=answers)[0].xml.read_bytes()))

    assert {one.path: one.dataset for one in schema.entities} == {
        "/parada/meta/entity": "arboles",
        "/meta/entity": "visitas",
    }
    told = [(block.key, block.id, block.base_version, block.values.get("estado")) for block in blocks]
    assert told[0] == ("/parada[1]/meta/entity", OTHER, "5", "seco")
    assert told[1] == ("/parada[2]/meta/entity", ID, "3", "")
    assert told[2][:3] == ("/parada[3]/meta/entity", "", "")
    assert (blocks[3].key, blocks[3].label, dict(blocks[3].values)) == ("/meta/entity", "Soloy", {"aldea": "Soloy"})
    assert [entities.parse(block).update for block in (blocks[0], blocks[1], blocks[3])] == [True, True, False]
    with pytest.raises(Problem, match="Required parameter uuid missing"):
        entities.parse(blocks[2])


@pytest.mark.parametrize("agreed", ["yes", "no"])
def test_phone_creates_a_household_of_the_bundled_form_only_with_consent(make_phone: MakePhone, agreed: str):
    phone = make_phone("http://nowhere.invalid")
    [form] = [form for form in library.bundled() if form.name == "hh_baseline"]
    schema = give(phone, workbook.compile(form.workbook.read_bytes(), form.workbook.name).xml, {})
    for medium in form.media:
        (phone.state / phone.form("hh_baseline").media / medium.name).write_bytes(medium.read_bytes())
    answers = {"area": "rural", "hh_available": "yes", "consent": "yes", "consent_recontact": agreed}

    filled = phone.fill("hh_baseline", answers=answers)[0]
    blocks = entities.read(schema, instance.read(filled.xml.read_bytes()))

    assert f'create="{"1" if agreed == "yes" else "0"}"' in filled.xml.read_text(encoding="utf-8")
    assert [(block.dataset, block.values["hh_code"]) for block in blocks] == (
        [("households", filled.value("/data/ident/hh_code"))] if agreed == "yes" else []
    )

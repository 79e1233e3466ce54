"""XForms: what stands in a form's XML, whoever wrote it, and what is said of XML that is no form."""

from __future__ import annotations

from importlib.resources import files

import pytest

from forms import library, workbook, xform
from forms.problems import Problem
from forms.schema import Field, Schema, SubmissionSettings
from tests.helpers.xforms import xform as written


def outline(schema: Schema) -> list[tuple[str, str]]:
    """Every field's path with what it is: its kind, or a question's type."""
    return [(field.path, field.type or field.kind) for field in schema.fields]


def question(answers: str, *, model: str = "", body: str = "", path: str = "/q") -> Field:
    return xform.read(written(answers, model=model, body=body)).by_path[path]


def refusal(xml: bytes) -> tuple[float, str, str]:
    with pytest.raises(Problem) as caught:
        xform.read(xml)
    return caught.value.code, caught.value.say("es"), caught.value.say("en")


# ---------------------------------------------------------------- identity


def test_form_has_id_version_title_and_root() -> None:
    schema = xform.read(written("<q/>", root='censo id="hogar" version="2026081501"'))
    assert (schema.form_id, schema.version, schema.title, schema.root) == ("hogar", "2026081501", "Formulario", "censo")


def test_form_without_version_has_the_empty_one() -> None:
    assert xform.read(written("<q/>", root='data id="f"')).version == ""


def test_form_version_may_stand_in_a_namespace() -> None:
    assert xform.read(written("<q/>", root='data id="f" orx:version="7"')).version == "7"


def test_form_root_in_a_namespace_is_known_by_its_local_name() -> None:
    xml = written(
        "<c:g><c:q/></c:g>",
        root='c:data xmlns:c="urn:censo" id="f"',
        model='<bind nodeset="/c:data/c:g/c:q" type="int"/>',
        body='<group ref="/c:data/c:g"><label>Grupo</label><input ref="/c:data/c:g/c:q"><label>Edad</label></input></group>',
    )
    schema = xform.read(xml)
    assert schema.root == "data"
    assert outline(schema) == [("/g", "group"), ("/g/q", "int")]
    assert [field.label for field in schema.fields] == [{"": "Grupo"}, {"": "Edad"}]


def test_primary_instance_is_the_first_that_holds_something() -> None:
    xml = written("<q/>").replace(b"<model>", b'<model><instance/><instance id="x" src="jr://file/x.xml"/>')
    assert outline(xform.read(xml)) == [("/q", "string")]


# ---------------------------------------------------------------- structure


def test_nodes_without_bind_or_control_are_text_questions() -> None:
    assert outline(xform.read(written("<a/><g><b/><h><c>3</c></h></g>"))) == [
        ("/a", "string"),
        ("/g", "group"),
        ("/g/b", "string"),
        ("/g/h", "group"),
        ("/g/h/c", "string"),
    ]


def test_repeats_nest_and_their_templates_count_once() -> None:
    xml = written(
        '<r jr:template=""><a/><s jr:template=""><b/></s></r><r><a/><s><b/></s><s><b/></s></r><z/>',
        model='<bind nodeset="/data/r/s/b" type="int"/>',
        body='<group ref="/data/r"><label>Hogar</label><repeat nodeset="/data/r" jr:count=" /data/n ">'
        '<group><label>Persona</label><repeat nodeset="/data/r/s"><input ref="/data/r/s/b"/></repeat></group>'
        "</repeat></group>",
    )
    schema = xform.read(xml)
    assert outline(schema) == [
        ("/r", "repeat"),
        ("/r/a", "string"),
        ("/r/s", "repeat"),
        ("/r/s/b", "int"),
        ("/z", "string"),
    ]
    assert [(schema.by_path[path].label, schema.by_path[path].repeat_count) for path in ("/r", "/r/s")] == [
        ({"": "Hogar"}, "/data/n"),
        ({"": "Persona"}, None),
    ]
    assert schema.repeat_of("/r/s/b") == "/r/s"


def test_repeat_needs_no_group_and_no_template() -> None:
    xml = written("<r><a/></r>", body='<repeat nodeset="/data/r"><label>Fila</label><input ref="a"/></repeat>')
    schema = xform.read(xml)
    assert outline(schema) == [("/r", "repeat"), ("/r/a", "string")]
    assert schema.by_path["/r"].label == {"": "Fila"}


def test_repeat_label_is_not_that_of_an_outer_group() -> None:
    xml = written(
        "<g><r><a/></r></g>",
        body='<group ref="/data/g"><label>Grupo</label><repeat nodeset="/data/g/r"><input ref="a"/></repeat></group>',
    )
    assert [field.label for field in xform.read(xml).fields] == [{"": "Grupo"}, {}, {}]


def test_repeat_keeps_nodes_that_only_later_rows_have() -> None:
    xml = written("<r><a/></r><r><a/><b/></r>", body='<repeat nodeset="/data/r"><input ref="/data/r/a"/></repeat>')
    assert outline(xform.read(xml)) == [("/r", "repeat"), ("/r/a", "string"), ("/r/b", "string")]


def test_group_of_the_body_is_a_group_though_it_is_empty() -> None:
    xml = written("<g/>", body='<group ref="/data/g" appearance="field-list"><label>G</label></group>')
    [field] = xform.read(xml).fields
    assert (field.kind, field.label, field.appearance) == ("group", {"": "G"}, "field-list")


def test_group_keeps_its_relevance() -> None:
    field = question("<g><a/></g>", model='<bind nodeset="/data/g" relevant=" /data/x = 1 "/>', path="/g")
    assert (field.kind, field.type, field.relevant) == ("group", None, "/data/x = 1")


def test_meta_reads_the_same_with_and_without_its_namespace() -> None:
    plain = written(
        "<meta><instanceID/><audit/></meta>", model='<bind nodeset="/data/meta/instanceID" jr:preload="uid"/>'
    )
    prefixed = written(
        "<orx:meta><orx:instanceID/><orx:audit/></orx:meta>",
        model='<bind nodeset="/data/orx:meta/orx:instanceID" jr:preload="uid"/>',
    )
    assert xform.read(plain).fields == xform.read(prefixed).fields
    assert outline(xform.read(plain)) == [("/meta", "group"), ("/meta/instanceID", "string"), ("/meta/audit", "binary")]
    assert xform.read(plain).by_path["/meta/instanceID"].preload == "uid"


def test_meta_of_two_namespaces_is_one_group() -> None:
    xml = written("<meta><audit/></meta><orx:meta><orx:instanceID/></orx:meta>")
    assert outline(xform.read(xml)) == [("/meta", "group"), ("/meta/audit", "binary"), ("/meta/instanceID", "string")]


def test_entity_blocks_are_groups_with_and_without_label() -> None:
    xml = written(
        '<r><meta><entity dataset="people" id="" create="1"><label/></entity></meta></r>'
        '<meta><entity dataset="homes" id="" update="1"/></meta>',
        model='<bind nodeset="/data/meta/entity/@id" type="string" readonly="true()"/>'
        '<setvalue ref="/data/meta/entity/@id" event="odk-instance-first-load" value="uuid()"/>',
        body='<repeat nodeset="/data/r"/>',
    )
    assert outline(xform.read(xml)) == [
        ("/r", "repeat"),
        ("/r/meta", "group"),
        ("/r/meta/entity", "group"),
        ("/r/meta/entity/label", "string"),
        ("/meta", "group"),
        ("/meta/entity", "group"),
    ]


def test_entities_are_declared_on_model_and_binds() -> None:
    xml = written("<q/>", model='<bind nodeset="/data/q" entities:saveto="nombre"/>').replace(
        b"<model>", b'<model entities:entities-version="2024.1.0">'
    )
    schema = xform.read(xml)
    assert (schema.entities_version, schema.by_path["/q"].save_to) == ("2024.1.0", "nombre")


def test_submission_element_is_read() -> None:
    xml = written(
        "<q/>",
        model='<submission action="https://x.org/submission" method="post" base64RsaPublicKey="MIIB" orx:auto-send="true"'
        ' orx:auto-delete="false" odk:client-editable="true"/>',
    )
    assert xform.read(xml).submission == SubmissionSettings(
        action="https://x.org/submission",
        public_key="MIIB",
        auto_send="true",
        auto_delete="false",
        client_editable=True,
    )
    assert xform.read(written("<q/>")).submission == SubmissionSettings()


# ---------------------------------------------------------------- binds


@pytest.mark.parametrize(
    ("written_type", "type_"),
    [
        ("string", "string"),
        ("int", "int"),
        ("xsd:int", "int"),
        ("xs:integer", "int"),
        ("long", "int"),
        ("decimal", "decimal"),
        ("xsd:double", "decimal"),
        ("boolean", "boolean"),
        ("xs:date", "date"),
        ("time", "time"),
        ("dateTime", "dateTime"),
        ("geopoint", "geopoint"),
        ("odk:geotrace", "geotrace"),
        ("geoshape", "geoshape"),
        ("binary", "binary"),
        ("barcode", "barcode"),
        ("select1", "string"),
        ("select", "string"),
        ("odk:rank", "string"),
        ("intent", "string"),
        ("gYear", "string"),
        ("", "string"),
    ],
)
def test_bind_type_is_read(written_type: str, type_: str) -> None:
    assert question("<q/>", model=f'<bind nodeset="/data/q" type="{written_type}"/>').type == type_


@pytest.mark.parametrize(
    "bind",
    [
        '<bind nodeset="/data/g/q" type="int"/>',
        '<bind nodeset=" /data/g/q " type="int"/>',
        '<bind nodeset="g/q" type="int"/>',
        '<bind nodeset="./g/q" type="int"/>',
        '<bind ref="/data/g/q" type="int"/>',
        '<bind nodeset="/data/g[1]/q" type="int"/>',
        '<bind nodeset="/data/g"><bind nodeset="q" type="int"/></bind>',
        '<bind nodeset="/data/g"><bind nodeset="../g/q" type="int"/></bind>',
        '<bind><bind nodeset="/data/g/q" type="int"/></bind>',
        '<bind nodeset="/data/g/q" relevant="1 = 1"/><bind nodeset="/data/g/q" type="int"/>',
    ],
)
def test_bind_finds_its_node(bind: str) -> None:
    assert question("<g><q/></g>", model=bind, path="/g/q").type == "int"


def test_bind_says_the_rules() -> None:
    field = question(
        "<q/>",
        model='<bind nodeset="/data/q" type="int" required="true()" readonly="false()" relevant="/data/a = \'x\'"'
        ' constraint=". &lt; 5" jr:constraintMsg="Menos de 5" jr:requiredMsg="Hace falta" calculate="1 + 1"/>',
    )
    assert field == Field(
        path="/q",
        name="q",
        kind="question",
        type="int",
        required="true()",
        readonly="false()",
        relevant="/data/a = 'x'",
        constraint=". < 5",
        constraint_message={"": "Menos de 5"},
        required_message={"": "Hace falta"},
        calculate="1 + 1",
    )


@pytest.mark.parametrize(
    ("attributes", "preload"),
    [
        ('jr:preload="timestamp" jr:preloadParams="start"', "timestamp/start"),
        ('jr:preload="property" jr:preloadParams="deviceid"', "property/deviceid"),
        ('jr:preload="date" jr:preloadParams="today"', "date/today"),
        ('jr:preload="uid"', "uid"),
        ('type="string"', None),
    ],
)
def test_bind_preload_is_read(attributes: str, preload: str | None) -> None:
    assert question("<q/>", model=f'<bind nodeset="/data/q" {attributes}/>').preload == preload


def test_binds_on_missing_nodes_and_attributes_are_ignored() -> None:
    model = '<bind nodeset="/data/nada" type="int"/><bind nodeset="/data/q/@id" type="int"/><bind nodeset="//q" type="int"/>'
    assert outline(xform.read(written("<q/>", model=model))) == [("/q", "string")]


# ---------------------------------------------------------------- controls


@pytest.mark.parametrize(
    ("bind_type", "control", "expected"),
    [
        ("int", '<input ref="/data/q"/>', ("int", "input", None)),
        ("string", '<secret ref="/data/q"/>', ("string", "secret", None)),
        ("string", '<trigger ref="/data/q"/>', ("string", "trigger", None)),
        ("boolean", '<trigger ref="/data/q"/>', ("string", "trigger", None)),
        ("decimal", '<range ref="/data/q" start="0" end="1" step="0.1"/>', ("decimal", "range", None)),
        ("int", '<select1 ref="/data/q"/>', ("int", "select1", None)),
        ("int", '<select ref="/data/q"/>', ("string", "select", None)),
        ("odk:rank", '<odk:rank ref="/data/q"/>', ("string", "rank", None)),
        ("binary", '<upload ref="/data/q" mediatype="image/*"/>', ("binary", "upload", "image")),
        ("string", '<upload ref="/data/q" mediatype="audio/*"/>', ("binary", "upload", "audio")),
        ("binary", '<upload ref="/data/q" mediatype="video/mp4"/>', ("binary", "upload", "video")),
        ("binary", '<upload ref="/data/q" mediatype="application/*"/>', ("binary", "upload", "file")),
        ("binary", '<upload ref="/data/q"/>', ("binary", "upload", "file")),
        ("binary", "", ("binary", None, "file")),
    ],
)
def test_control_decides_type_and_media(
    bind_type: str, control: str, expected: tuple[str, str | None, str | None]
) -> None:
    field = question("<q/>", model=f'<bind nodeset="/data/q" type="{bind_type}"/>', body=control)
    assert (field.type, field.control, field.media) == expected


@pytest.mark.parametrize(
    "body",
    [
        '<input ref="/data/g/q"/>',
        '<input ref="g/q"/>',
        '<input bind="b"/>',
        '<group ref="/data/g"><input ref="q"/></group>',
        '<group ref="g"><input ref="./q"/></group>',
        '<group><group ref="/data/g"><group><input ref="current()/q"/></group></group></group>',
        '<group bind="g"><input ref="../g/q"/></group>',
        '<h:div><input ref="/data/g/q"/></h:div>',
    ],
)
def test_control_finds_its_node(body: str) -> None:
    model = '<bind id="g" nodeset="/data/g"/><bind id="b" nodeset="/data/g/q" type="string"/>'
    assert question("<g><q/></g>", model=model, body=body, path="/g/q").control == "input"


def test_control_that_tells_more_is_kept() -> None:
    body = '<input ref="/data/q"/><select ref="/data/q"/><input ref="/data/q"/>'
    assert question("<q/>", body=body).control == "select"


def test_control_keeps_its_appearance() -> None:
    assert question("<q/>", body='<input ref="/data/q" appearance=" multiline "/>').appearance == "multiline"


def test_background_recording_is_audio() -> None:
    field = question("<q/>", model='<odk:recordaudio ref="/data/q" event="odk-instance-load"/>')
    assert (field.type, field.control, field.media) == ("binary", None, "audio")


# ---------------------------------------------------------------- refusals


def test_form_refusals_say_what_is_missing() -> None:
    whole = written("<q/>")
    cases = {
        b"<censo><q/></censo>": "The file is not an XForm: it begins with <censo> instead of <h:html>.",
        whole.replace(b"h:head", b"h:cabeza"): "The XForm has no <h:head>.",
        whole.replace(b"model>", b"modelo>"): "The XForm has no <model>.",
        whole.replace(
            b"<h:title>Formulario</h:title>", b""
        ): "The form has no title (<h:title>); ODK Collect does not open a form without one.",
        whole.replace(
            b"Formulario", b" \n "
        ): "The form has no title (<h:title>); ODK Collect does not open a form without one.",
        whole.replace(
            b"instance>", b"ejemplo>"
        ): "The XForm has no primary instance (an <instance> that holds the questions).",
        written("<q/>", root="data"): "The element <data> of the primary instance has no id attribute (form_id).",
        written(
            "<q/>", root='data id=" "'
        ): "The element <data> of the primary instance has no id attribute (form_id).",
        written("<q/>", root=f'data id="{"f" * 251}"'): "The form's attribute id is longer than 250 characters.",
        written(
            "<q/>", root=f'data id="f" version="{"1" * 251}"'
        ): "The form's attribute version is longer than 250 characters.",
        written("<a/><b/><a/>"): "The name “a” stands twice in /data and is not a repeat.",
        written("<g><a/></g><g><a/></g>"): "The name “g” stands twice in /data and is not a repeat.",
        written(
            "<q/>", body='<input ref="/data/otra"/>'
        ): "The body of the form asks for /data/otra, which does not exist in the primary instance.",
        written(
            "<q/>", body='<group ref="/data/g"/>'
        ): "The body of the form asks for /data/g, which does not exist in the primary instance.",
        written(
            "<q/>", body='<repeat nodeset="/data/r"/>'
        ): "The body of the form asks for /data/r, which does not exist in the primary instance.",
        written("<q/>", body='<repeat nodeset="/data"/>'): "The root element /data cannot be a repeat.",
        written("<q/>", body='<input bind="b"/>'): "A <input> element refers to the bind “b”, which does not exist.",
        written("<g>" * 51 + "</g>" * 51): "The form has more than 50 groups inside one another.",
    }
    assert {xml: refusal(xml)[2] for xml in cases} == cases


def test_form_refusal_speaks_spanish() -> None:
    assert refusal(written("<q/>", body='<input ref="/data/otra"/>')) == (
        400.1,
        "El cuerpo del formulario pregunta por /data/otra, que no existe en la instancia primaria.",
        "The body of the form asks for /data/otra, which does not exist in the primary instance.",
    )


def test_form_with_a_doctype_is_refused() -> None:
    code, _, english = refusal(b"<!DOCTYPE x>" + written("<q/>"))
    assert (code, english) == (400.1, "The content is not well-formed XML (DOCTYPE).")


# ---------------------------------------------------------------- as compiled from workbooks


def test_workbook_becomes_the_fields_it_asks_for() -> None:
    compiled = workbook.compile(
        b"""
        | survey |                      |          |        |                |             |              |
        |        | type                 | name     | label  | calculation    | appearance  | repeat_count |
        |        | start                | start    |        |                |             |              |
        |        | deviceid             | deviceid |        |                |             |              |
        |        | audit                | audit    |        |                |             |              |
        |        | background-audio     | ruido    |        |                |             |              |
        |        | begin_group          | hogar    | Hogar  |                | field-list  |              |
        |        | select_one sn        | acepta   | Acepta |                | minimal     |              |
        |        | begin_repeat         | persona  | Quien  |                |             | 2 + 1        |
        |        | integer              | edad     | Edad   |                |             |              |
        |        | select_multiple sn   | dias     | Dias   |                |             |              |
        |        | begin_repeat         | vacuna   | Vacuna |                |             |              |
        |        | date                 | dia      | Dia    |                |             |              |
        |        | rank sn              | orden    | Orden  |                |             |              |
        |        | end_repeat           |          |        |                |             |              |
        |        | end_repeat           |          |        |                |             |              |
        |        | end_group            |          |        |                |             |              |
        |        | calculate            | total    |        | sum(${edad})   |             |              |
        |        | geopoint             | gps      | GPS    |                |             |              |
        |        | acknowledge          | fin      | Fin    |                |             |              |
        |        | image                | foto     | Foto   |                | signature   |              |
        | choices |    |      |       |
        |         | list_name | name | label |
        |         | sn | s    | Si    |
        |         | sn | n    | No    |
        | settings |         |         |
        |          | form_id | version |
        |          | hogar   | 5       |
        """,
        "hogar.md",
    )
    schema = xform.read(compiled.xml)
    assert (schema.form_id, schema.version) == ("hogar", "5")
    assert [(field.path, field.type or field.kind, field.control) for field in schema.fields] == [
        ("/start", "dateTime", None),
        ("/deviceid", "string", None),
        ("/ruido", "binary", None),
        ("/hogar", "group", None),
        ("/hogar/acepta", "string", "select1"),
        ("/hogar/persona_count", "string", None),
        ("/hogar/persona", "repeat", None),
        ("/hogar/persona/edad", "int", "input"),
        ("/hogar/persona/dias", "string", "select"),
        ("/hogar/persona/vacuna", "repeat", None),
        ("/hogar/persona/vacuna/dia", "date", "input"),
        ("/hogar/persona/vacuna/orden", "string", "rank"),
        ("/total", "string", None),
        ("/gps", "geopoint", "input"),
        ("/fin", "string", "trigger"),
        ("/foto", "binary", "upload"),
        ("/meta", "group", None),
        ("/meta/audit", "binary", None),
        ("/meta/instanceID", "string", None),
    ]
    assert [choice.name for choice in schema.options("/hogar/persona/dias")] == ["s", "n"]
    assert schema.by_path["/hogar/persona"].repeat_count == "/data/hogar/persona_count"
    assert schema.by_path["/hogar"].appearance == "field-list"
    assert schema.by_path["/foto"].appearance == "signature"


@pytest.mark.parametrize(
    ("name", "questions", "repeats", "attached"),
    [
        ("hh_baseline", 153, ["/main/roster/member"], ["clusters.csv", "corregimientos.csv"]),
        ("ben_registration", 53, [], ["beneficiaries.csv", "corregimientos.csv", "households.csv"]),
        ("ben_followup", 44, ["/main/services/aid"], ["beneficiaries.csv"]),
        ("inst_assessment", 48, ["/main/events_grp/event"], ["institutions.csv"]),
    ],
)
def test_bundled_workbook_reads_whole(name: str, questions: int, repeats: list[str], attached: list[str]) -> None:
    compiled = workbook.compile((files(library) / f"{name}.xlsx").read_bytes(), f"{name}.xlsx")
    schema = xform.read(compiled.xml)
    assert (schema.form_id, schema.version, schema.title) == (compiled.form_id, compiled.version, compiled.title)
    assert (schema.languages, schema.default_language) == (("Español (es)", "English (en)"), "Español (es)")
    assert [field.path for field in schema.fields if field.kind == "repeat"] == repeats
    assert sum(field.kind == "question" for field in schema.fields) == questions
    assert sorted(attachment.name for attachment in schema.attachments) == attached
    assert [path for path in compiled.marks if path not in schema.by_path] == []
    unlabelled = [
        field.path for field in schema.fields if field.control and field.label.keys() != set(schema.languages)
    ]
    assert unlabelled == []

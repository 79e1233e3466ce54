"""What is wrong with the entities of a form is said before it is published, with its place where there is one."""

from __future__ import annotations

import pytest

from forms import entity_findings, library, workbook, xform
from forms.problems import Finding
from tests.helpers import samples
from tests.helpers.xforms import xform as written

SAVE = "| survey |\n| | type | name | label | save_to | privacy | save_to_confirmed |\n"
LIST = "| entities |\n| | list_name | label |\n| | casas | 'x' |\n"
META = '<meta><entity dataset="casas" create="1" id=""><label/></entity><instanceID/></meta>'
ROSTER = '<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/a"/></repeat></group>'


def told(xml: bytes, version: str | None = "2025.1.0") -> list[tuple[str, str]]:
    """What is said of an XForm, in Spanish, by severity."""
    if version is not None:
        xml = xml.replace(b"<model>", f'<model entities:entities-version="{version}">'.encode())
    return [
        (finding.severity, finding.say("es")) for finding in entity_findings.findings(xform.read(xml), workbook=None)
    ]


def told_of(markdown: str) -> list[Finding]:
    """What is said of a workbook."""
    made = workbook.compile(markdown.encode(), "f.md")
    return list(
        entity_findings.findings(
            xform.read(made.xml),
            entity_findings.Workbook(
                rows=made.rows,
                lists=made.lists,
                private={path: mark.privacy for path, mark in made.marks.items() if mark.privacy},
                confirmed={path for path, mark in made.marks.items() if mark.save_to_confirmed},
            ),
        )
    )


def saving(*names: str, at: str = "/data") -> str:
    return "".join(
        f'<bind nodeset="{at}/{question}" entities:saveto="{name}"/>'
        for question, name in zip("abcdef", names, strict=False)
    )


# --------------------------------------------------------------------------- XForms


@pytest.mark.parametrize("version", ["2024.1.0", "2024.1", "2025.1.0", "2025.1.3", " 2024.1.0 "])
def test_supported_versions_are_silent(version: str):
    assert told(written("<a/>" + META), version) == []


@pytest.mark.parametrize("version", ["2022.1.0", "2023.1.0", "2023.1.2"])
def test_versions_without_offline_entities_are_warned_of(version: str):
    assert told(written("<a/>" + META), version) == [
        (
            "warning",
            f"Con la versión «{version}» de las entidades, los teléfonos no ven lo que crean o cambian hasta que el servidor "
            "lo sabe. Use la versión 2024.1.0 o una posterior.",
        )
    ]


@pytest.mark.parametrize("version", ["2021.1.0", "2026.1.0", "2025.2.0", "2024.10.0", "1", "x", "2024.1x", "٢٠٢٤.1.0"])
def test_other_versions_are_refused(version: str):
    [(severity, sentence)] = told(written("<a/>" + META), version)

    assert severity == "error"
    assert sentence.startswith(f"La versión «{version}» de las entidades (entities-version) no se admite")


@pytest.mark.parametrize("version", [None, "", " "])
def test_a_missing_version_is_refused(version: str | None):
    assert told(written("<a/>" + META), version) == [
        (
            "error",
            "El formulario declara entidades y no dice según qué versión (entities-version en <model>).",
        )
    ]


@pytest.mark.parametrize("version", [None, "1999.1.0"])
def test_the_version_of_a_form_without_entities_does_not_count(version: str | None):
    assert told(written("<a/><meta><instanceID/></meta>"), version) == []


TWO = written('<a/><g><b/><meta><entity dataset="x" update="1" id=""/></meta></g>' + META)
IN_REPEAT = written(
    '<r jr:template=""><a/><g><meta><entity dataset="x" update="1" id=""/></meta></g></r><meta><instanceID/></meta>',
    body=ROSTER,
)
IN_GROUP = written('<g><b/><meta><entity dataset="x" update="1" id=""/></meta></g><meta><instanceID/></meta>')


@pytest.mark.parametrize("xml", [TWO, IN_REPEAT], ids=["several", "repeat"])
@pytest.mark.parametrize("version", ["2024.1.0", "2022.1.0"])
def test_several_lists_and_repeats_need_the_version_that_knows_them(xml: bytes, version: str):
    assert told(xml, version) == [
        (
            "error",
            f"Con la versión «{version}» de las entidades solo cabe una lista, y no dentro de una repetición. Use la versión "
            "2025.1.0.",
        )
    ]
    assert told(xml) == []


def test_one_list_in_a_group_needs_no_newer_version():
    assert told(IN_GROUP, "2024.1.0") == []


@pytest.mark.parametrize(
    ("attributes", "severity", "beginning"),
    [
        ('dataset="" create="1"', "error", "A la entidad /meta/entity le falta el nombre de su lista (dataset)."),
        ('create="1"', "error", "A la entidad /meta/entity le falta el nombre de su lista (dataset)."),
        ('dataset="__x" create="1"', "error", "La lista de entidades no puede llamarse «__x»: "),
        ('dataset="a.b" create="1"', "error", "La lista de entidades no puede llamarse «a.b»: "),
        ('dataset="a b" create="1"', "error", "La lista de entidades no puede llamarse «a b»: "),
        ('dataset="x"', "error", "La entidad /meta/entity no dice qué hacer: crear (create), actualizar (update) o"),
    ],
)
def test_declarations_that_cannot_be_are_refused(attributes: str, severity: str, beginning: str):
    xml = written(f'<a/><meta><entity {attributes} id=""><label/></entity><instanceID/></meta>')

    [(said, sentence)] = told(xml)
    assert said == severity
    assert sentence.startswith(beginning)


def test_an_entity_that_is_only_created_and_has_no_label_is_warned_of():
    created = '<a/><meta><entity dataset="x" create="1" id=""/><instanceID/></meta>'

    assert told(written(created)) == [
        ("warning", "La entidad /meta/entity no tiene <label>: sin etiqueta no se puede crear ninguna.")
    ]
    assert told(written(created.replace("create", "update"))) == []


def test_lists_that_differ_in_case_alone_are_refused():
    xml = written('<a/><g><b/><meta><entity dataset="Casas" update="1" id=""/></meta></g>' + META)

    assert told(xml) == [("error", "Las listas «Casas» y «casas» solo se distinguen por las mayúsculas.")]


@pytest.mark.parametrize("name", ["name", "Label", "__x", "a:b", "a b", "2a"])
def test_names_that_no_property_can_have_are_refused(name: str):
    [(severity, sentence)] = told(written("<a/>" + META, model=saving(name)))

    assert severity == "error"
    assert sentence.startswith(f"Una propiedad no puede llamarse «{name}»: ")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("color", "color"), "«a» y «b» se guardan en la misma propiedad «color» de «casas»."),
        (
            ("color", "Color"),
            "Las propiedades «color» y «Color» de «casas» solo se distinguen por las mayúsculas, y los teléfonos las "
            "confundirían.",
        ),
    ],
)
def test_two_questions_in_one_property_are_refused(names: tuple[str, str], expected: str):
    assert told(written("<a/><b/>" + META, model=saving(*names))) == [("error", expected)]


def test_two_questions_of_one_name_in_one_property_are_refused():
    xml = written("<g><a/></g><h><a/></h>" + META, model=saving("color", at="/data/g") + saving("color", at="/data/h"))

    assert told(xml) == [("error", "«a» y «a» se guardan en la misma propiedad «color» de «casas».")]


def test_two_declarations_may_save_to_the_same_property_in_the_same_spelling():
    def xml(name: str) -> bytes:
        group = '<g><a/><meta><entity dataset="casas" update="1" id=""/></meta></g>'
        return written("<a/>" + group + META, model=saving("color") + saving(name, at="/data/g"))

    assert told(xml("color")) == []
    assert told(xml("COLOR")) == [
        (
            "error",
            "Las propiedades «color» y «COLOR» de «casas» solo se distinguen por las mayúsculas, y los teléfonos las "
            "confundirían.",
        )
    ]


def test_a_question_of_a_repeat_is_not_saved_outside_of_it():
    outside = written('<r jr:template=""><a/></r>' + META, model=saving("color", at="/data/r"), body=ROSTER)
    inner = '<meta><entity dataset="x" update="1" id=""/></meta>'
    inside = written(f'<r jr:template=""><a/>{inner}</r>' + META, model=saving("color", at="/data/r"), body=ROSTER)

    assert told(outside) == [
        (
            "error",
            "«a» está en la repetición /r y se guarda en una entidad de «casas» que está fuera de ella: no se sabría cuál de "
            "las filas vale.",
        )
    ]
    assert told(inside) == []


def test_a_question_that_is_saved_nowhere_is_warned_of():
    xml = IN_REPEAT.replace(b"<meta><instanceID/>", b"<a/><meta><instanceID/>").replace(
        b"</model>", saving("color").encode() + b"</model>"
    )

    assert told(xml) == [
        ("warning", "«a» dice que se guarda como «color», pero ninguna entidad la rodea: no se guarda.")
    ]


@pytest.mark.parametrize(
    ("bind", "why"),
    [
        ('type="geopoint"', "por su tipo: un lugar exacto o un archivo"),
        ('calculate="/data/cedula"', "se calcula con «cedula»"),
    ],
)
def test_xml_can_confirm_nothing_so_what_identifies_a_person_is_a_warning(bind: str, why: str):
    xml = written("<a/><cedula/>" + META, model=f'<bind nodeset="/data/a" entities:saveto="dato" {bind}/>')

    assert told(xml) == [
        (
            "warning",
            f"«a» cuenta como dato que identifica a una persona ({why}) y se guarda como «dato» en «casas», una lista que "
            "llevan los teléfonos.",
        )
    ]


@pytest.mark.parametrize("sample", samples.every_sample(), ids=lambda sample: sample.form_id)
def test_samples_can_be_published(sample: samples.Sample):
    findings = entity_findings.findings(xform.read(sample.xform), None)

    assert [finding for finding in findings if finding.severity == "error"] == []


# --------------------------------------------------------------------------- workbooks


def test_what_identifies_a_person_is_not_saved_without_a_confirmation():
    [finding] = told_of(SAVE + "| | text | apellido | Apellido | apellido | direct | |\n" + LIST)

    assert finding == Finding(
        severity="error",
        sentence=finding.sentence,
        sheet="survey",
        row=2,
        column="save_to",
    )
    assert finding.sentence.es == (
        "«apellido» cuenta como dato que identifica a una persona («privacy» dice «direct») y se guarda como «apellido» en "
        "«casas», una lista que llevan los teléfonos. Borre «save_to»; si debe ir en ella, escriba «yes» en la columna "
        "«save_to_confirmed»."
    )
    assert finding.sentence.en == (
        "“apellido” counts as identifying a person (“privacy” says “direct”) and is saved as “apellido” to “casas”, a list "
        "that phones carry. Remove “save_to”; if it must go there, write “yes” in the column “save_to_confirmed”."
    )


def test_what_looks_like_a_name_is_not_saved_until_somebody_says_what_it_is():
    row = "| | text | apellido | Apellido | apellido | {} | {} |\n"

    [finding] = told_of(SAVE + row.format("", "") + LIST)
    assert finding.severity == "error"
    assert finding.sentence.es.endswith(
        "en la columna «save_to_confirmed»; y si no identifica a nadie, diga en la columna «privacy» lo que es."
    )
    assert told_of(SAVE + row.format("open", "") + LIST) == []
    assert told_of(SAVE + row.format("", "yes") + LIST) == []
    assert len(told_of(SAVE + row.format("", "no") + LIST)) == 1


@pytest.mark.parametrize("mark", ["free_text", "key", "quasi", "sensitive", "open"])
def test_what_is_less_than_direct_may_be_saved(mark: str):
    assert told_of(SAVE + f"| | text | a | A | a | {mark} | |\n" + LIST) == []


@pytest.mark.parametrize("said", ["yes", "YES", "sí", "si", "true", "1"])
def test_a_confirmation_is_taken_in_either_language(said: str):
    assert told_of(SAVE + f"| | text | a | A | a | direct | {said} |\n" + LIST) == []


def test_a_mark_of_a_group_holds_for_what_is_saved_of_it():
    group = "| | begin group | g | G | | direct | |\n| | text | a | A | a | | {} |\n| | end group | | | | | |\n"

    assert [finding.row for finding in told_of(SAVE + group.format("") + LIST)] == [3]
    assert told_of(SAVE + group.format("yes") + LIST) == []


def test_a_label_that_identifies_is_warned_of():
    rows = "| | text | a | A | | direct | {} |\n"
    label = "| entities |\n| | list_name | label |\n| | casas | concat('x', ${a}) |\n"

    [finding] = told_of(SAVE + rows.format("") + label)
    assert (finding.severity, finding.sheet, finding.row, finding.column) == ("warning", "entities", 2, "label")
    assert finding.sentence.es == (
        "La etiqueta de las entidades de «casas» lleva «a», que cuenta como dato que identifica a una persona («privacy» "
        "dice «direct»): la muestran los teléfonos que tienen la lista."
    )
    assert told_of(SAVE + rows.format("yes") + label) == []


def test_names_that_pyxform_lets_pass_are_refused_with_their_place():
    list_ = LIST.replace("casas", "ca·sas")
    rows = "| | text | a | A | color | | |\n| | text | b | B | Color | | |\n| | text | c | C | d:e | | |\n"

    assert [
        (finding.severity, finding.sheet, finding.row, finding.column) for finding in told_of(SAVE + rows + list_)
    ] == [
        ("error", "entities", 2, "list_name"),
        ("error", "survey", 3, "save_to"),
        ("error", "survey", 4, "save_to"),
    ]


@pytest.mark.parametrize("form", library.bundled(), ids=lambda form: form.name)
def test_bundled_forms_are_silent(form: library.Bundled):
    made = workbook.compile(form.workbook.read_bytes(), form.workbook.name)
    said = entity_findings.Workbook(
        private={path: mark.privacy for path, mark in made.marks.items() if mark.privacy},
        confirmed={path for path, mark in made.marks.items() if mark.save_to_confirmed},
    )

    assert entity_findings.findings(xform.read(made.xml), said) == ()
    assert sorted(said.confirmed) == (
        ["/main/ids/dup_key", "/main/person/given_name"] if form.name == "ben_registration" else []
    )

"""The files that a form needs beside it."""

from __future__ import annotations

import pytest

from forms import workbook, xform
from forms.attachments import Folder, match, missing
from tests.helpers.xforms import xform as written


def files(xml: bytes) -> list[tuple[str, str]]:
    return [(attachment.name, attachment.type) for attachment in xform.read(xml).attachments]


def test_form_without_files_expects_none() -> None:
    assert files(written("<q/>")) == []


@pytest.mark.parametrize(
    ("src", "expected"),
    [
        ("jr://file/sitios.geojson", [("sitios.geojson", "file")]),
        ("jr://file-csv/escuelas.csv", [("escuelas.csv", "file")]),
        ("jr://file-csv/carpeta/escuelas.csv", [("escuelas.csv", "file")]),
        ("jr://file/con espacio ñ.xml", [("con espacio ñ.xml", "file")]),
        ("jr://instance/last-saved", []),
        ("https://example.org/x.csv", []),
        ("jr://file/", []),
        ("", []),
    ],
)
def test_external_list_is_a_file(src: str, expected: list[tuple[str, str]]) -> None:
    assert files(written("<q/>", model=f'<instance id="x" src="{src}"/>')) == expected


def test_media_of_texts_are_files_of_their_kind() -> None:
    values = (
        '<value>Hola</value><value form="image"> jr://images/a.png </value><value form="big-image">jr://images/b.png</value>'
        '<value form="audio">jr://audio/a.mp3</value><value form="video">jr://video/a.mp4</value>'
        '<value form="guidance">jr://images/no.png</value><value form="otra">jr://images/no.png</value>'
        '<value form="image">no.png</value>'
    )
    model = f'<itext><translation lang="es"><text id="q">{values}</text></translation></itext>'
    assert files(written("<q/>", model=model)) == [
        ("a.png", "image"),
        ("b.png", "image"),
        ("a.mp3", "audio"),
        ("a.mp4", "video"),
    ]


def test_default_answers_may_be_files() -> None:
    assert files(
        written("<q>jr://images/casa.png</q><g><s> jr://audio/b.mp3</s></g><t>hola jr://images/no.png</t>")
    ) == [
        ("casa.png", "image"),
        ("b.mp3", "audio"),
    ]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("pulldata('escuelas', 'label', 'name', /data/q)", ["escuelas.csv"]),
        ("concat(pulldata( &quot;a b&quot; , 'x', 'y', 1), pulldata('c.csv', 'x', 'y', 2))", ["a b.csv", "c.csv"]),
        ("pulldata(/data/q, 'x', 'y', 1)", []),
        ("mi_pulldata('x', 'y')", []),
        ("pulldata('', 'x', 'y', 1)", []),
    ],
)
def test_pulldata_needs_a_csv_file(expression: str, expected: list[str]) -> None:
    xml = written("<q/>", model=f'<bind nodeset="/data/q" calculate="{expression}"/>')
    assert files(xml) == [(name, "file") for name in expected]


@pytest.mark.parametrize(
    ("control", "appearance", "expected"),
    [
        ("select1", "search('frutas')", ["frutas.csv"]),
        ("select", "minimal search(&quot;frutas.csv&quot;, 'contains', 'name', /data/q)", ["frutas.csv"]),
        ("select1", "research('frutas')", []),
        ("select1", "search", []),
        ("input", "search('frutas')", []),
    ],
)
def test_search_appearance_needs_a_csv_file(control: str, appearance: str, expected: list[str]) -> None:
    body = f'<group><{control} ref="/data/q" appearance="{appearance}"/></group>'
    assert files(written("<q/>", body=body)) == [(name, "file") for name in expected]


def test_external_select_needs_itemsets() -> None:
    body = '<group><input ref="/data/q" query="instance(\'distritos\')/root/item[a = 1]"/></group>'
    assert files(written("<q/>", body=body)) == [("itemsets.csv", "file")]


def test_file_named_twice_is_expected_once() -> None:
    model = (
        '<itext><translation lang="es"><text id="q"><value form="image">jr://images/x.csv</value></text></translation></itext>'
        '<instance id="x" src="jr://file-csv/x.csv"/><instance id="y" src="jr://file/x.csv"/>'
        "<bind nodeset=\"/data/q\" calculate=\"pulldata('x', 'a', 'b', 1)\"/>"
    )
    assert files(written("<q/>", model=model)) == [("x.csv", "file")]


def test_workbook_expects_the_files_it_mentions() -> None:
    compiled = workbook.compile(
        b"""
        | survey |
        | | type                              | name | label | media::image | calculation | appearance       |
        | | text                              | a    | A     | a.png        |             |                  |
        | | calculate                         | b    |       |              | pulldata('barrios', 'x', 'y', ${a}) | |
        | | select_one_from_file casas.csv    | c    | C     |              |             |                  |
        | | select_one frutas                 | d    | D     |              |             | search('frutas') |
        | | select_one_from_file mapa.geojson | e    | E     |              |             |                  |
        | | select_one animales               | f    | F     |              |             |                  |
        | choices |           |      |        |               |
        |         | list_name | name | label  | media::audio  |
        |         | frutas    | id   | nombre |               |
        |         | animales  | vaca | Vaca   | mu.mp3        |
        """,
        "archivos.md",
    )
    assert sorted(files(compiled.xml)) == [
        ("a.png", "image"),
        ("barrios.csv", "file"),
        ("casas.csv", "file"),
        ("frutas.csv", "file"),
        ("mapa.geojson", "file"),
        ("mu.mp3", "audio"),
    ]


def test_folder_is_compared_with_what_the_form_needs() -> None:
    folder = match(
        ["Lugares.csv", "foto.png", "hogares.csv", "logo.png"],
        ["foto.png", "lugares.csv", "notas.txt"],
        held=["logo.png"],
    )

    assert folder == Folder(
        used={"foto.png": "foto.png"},
        unused=("lugares.csv", "notas.txt"),
        near={"lugares.csv": "Lugares.csv"},
        missing=("Lugares.csv", "hogares.csv"),
    )
    assert [(finding.severity, finding.say("es")) for finding in folder.findings()] == [
        (
            "warning",
            "El formulario pide «Lugares.csv», pero el archivo se llama «lugares.csv». Para el teléfono no son el mismo.",
        ),
        ("warning", "Falta el archivo «hogares.csv», que el formulario necesita en el teléfono."),
        ("note", "El formulario no usa estos archivos de la carpeta: notas.txt."),
    ]
    assert [finding.say("en") for finding in folder.findings()] == [
        "The form asks for “Lugares.csv”, but the file is named “lugares.csv”. To the phone they are not the same.",
        "The file “hogares.csv”, which the form needs on the phone, is missing.",
        "The form does not use these files of the folder: notas.txt.",
    ]


def test_file_names_are_compared_however_unicode_writes_them() -> None:
    composed, decomposed = "ni\u00f1a.png", "nin\u0303a.png"

    assert match([composed], [decomposed]) == Folder(used={composed: decomposed})
    assert match([decomposed], [composed]) == Folder(used={decomposed: composed})


def test_form_without_files_misses_none() -> None:
    assert match([], []).findings() == ()
    assert missing([]) == ()

"""Files of entities: CSV as spreadsheets save it, GeoJSON as maps do, and every fault by its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.entity_files import MOST_LINES, EntityFile, read

ONE, TWO = (f"0000000{number}-0000-4000-8000-000000000000" for number in (1, 2))


def told(file: EntityFile) -> list[tuple[str | None, str | None, dict[str, str]]]:
    assert file.findings == []
    return [(line.uuid, line.label, dict(line.data)) for line in file.lines]


def faults(data: bytes) -> list[tuple[int | None, str | None, str]]:
    return [(one.row, one.column, one.sentence.en) for one in read(data).findings]


def collection(*features: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def feature(geometry: Any = None, id_: Any = None, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "id": id_, "geometry": geometry, "properties": properties}


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_csv_as_spreadsheets_save_it(mark: str, end: str, start: str):
    rows = (
        ("__id", "label", "especie", "notas"),
        (f"uuid:{ONE.upper()}", "Ceibo Ñurum", "ceibo", '"de pie"'),
        ("", "Cedro", "", ""),
        ("", "", "", ""),
    )
    text = start + "".join(mark.join('"""de pie"""' if cell[:1] == '"' else cell for cell in row) + end for row in rows)

    file = read(text.encode())

    assert file.properties == ("especie", "notas")
    assert told(file) == [
        (ONE, "Ceibo Ñurum", {"especie": "ceibo", "notas": '"de pie"'}),
        (None, "Cedro", {}),
    ]


def test_what_servers_write_beside_is_left_alone_and_their_mark_of_formulas_taken_away():
    file = read(
        f"__id,label,alto,__createdAt,__creatorId,__creatorName,__updates,__updatedAt,__version\n"
        f"{ONE},'=1+1,'-2 m,2026-01-01,3,Ana,0,,1\n".encode()
    )

    assert file.properties == ("alto",)
    assert told(file) == [(ONE, "=1+1", {"alto": "-2 m"})]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [(None, None, "The file has no entity.")]),
        ("label\n", [(None, None, "The file has no entity.")]),
        ("especie\ncedro\n", [(1, None, "The column “label” is missing, with the label of each entity.")]),
        ("label,a,a\nx,1,2\n", [(1, "a", "The column “a” is there 2 times.")]),
        ("label,,b\nx,1,2\n", [(1, None, "There are columns without a name.")]),
        ("label,name,uuid\nx,,\n", [(1, None, "There are several columns of ids: name, uuid.")]),
        ("label,a\nx\nz,3,\n", [(2, None, "The row has 1 cells, the heading 2.")]),
        ("label,a\ny,1,2\n", [(2, None, "The row has 3 cells, the heading 2.")]),
        ("label,uuid\nx,7\n", [(2, "uuid", "“7” is no version 4 UUID.")]),
        (f"label,name\nx,{ONE}\ny,{TWO}\nz,{ONE.upper()}\n", [(4, "name", "The same id as in row 2.")]),
        ('label,a\nx,"1\n', [(2, None, "It cannot be read (unexpected end of data).")]),
        ("label\nx\0\n", [(None, None, "The file has a NUL character.")]),
    ],
)  # fmt: skip
def test_faults_of_csv_are_told_by_row_and_column(text: str, found: list[tuple[int | None, str | None, str]]):
    assert faults(text.encode()) == found


def test_another_encoding_is_told_with_the_way_out():
    assert faults("label\nÑürüm\n".encode("cp1252")) == [
        (None, None, "The file is not UTF-8. In Excel: Save as, “CSV UTF-8”.")
    ]


def test_a_file_with_too_many_entities_is_told():
    assert faults(b"label\n" + b"x\n" * (MOST_LINES + 1)) == [
        (None, None, f"There are more than {MOST_LINES:,} entities.")
    ]


def test_features_are_entities_with_their_places_as_phones_write_them():
    file = read(
        collection(
            feature({"type": "Point", "coordinates": [-82.5, 8.25]}, ONE, label="Uno", edad=34, viva=True, nada=None),
            feature({"type": "LineString", "coordinates": [[1, 2, 3], [4, 5]]}, label="Dos", peso=2.5, name=TWO),
            feature({"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}, label="Tres", entero=3.0),
            feature(label="Cuatro"),
        )
    )

    assert file.properties == ("edad", "viva", "geometry", "peso", "entero")
    assert told(file) == [
        (ONE, "Uno", {"edad": "34", "viva": "true", "geometry": "8.25 -82.5 0 0"}),
        (TWO, "Dos", {"peso": "2.5", "geometry": "2 1 3 0;5 4 0 0"}),
        (None, "Tres", {"entero": "3", "geometry": "0 0 0 0;1 0 0 0;1 1 0 0;0 0 0 0"}),
        (None, "Cuatro", {}),
    ]


@pytest.mark.parametrize(
    ("geometry", "column"),
    [
        ({"type": "MultiPoint", "coordinates": [[1, 2]]}, "geometry"),
        ({"type": "Point", "coordinates": [181, 2]}, "geometry"),
        ({"type": "Point", "coordinates": [8]}, "geometry"),
        ({"type": "Point", "coordinates": ["8", "9"]}, "geometry"),
        ({"type": "Point"}, "geometry"),
        ({"type": "LineString", "coordinates": [[1, 2]]}, "geometry"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [2, 2]]]}, "geometry"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]], [[0, 0]]]}, "geometry"),
        ("x", "geometry"),
    ],
)
def test_places_that_phones_have_not_are_told(geometry: Any, column: str):
    [(row, where, _)] = faults(collection(feature(label="x"), feature(geometry, label="x")))

    assert (row, where) == (2, column)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"{", "It is no JSON"),
        (b'{"a": NaN}', "It is no JSON: NaN."),
        (b'{"type": "Feature"}', "It is no FeatureCollection of GeoJSON."),
        (b'{"type": "FeatureCollection", "features": {}}', "It is no FeatureCollection of GeoJSON."),
        (collection("x"), "It is no Feature of GeoJSON."),
        (collection(feature(label="x", a=[1])), "The value is no text, number or boolean."),
        (collection(feature(id_=7, label="x")), "“7” is no version 4 UUID."),
        (collection(), "The file has no entity."),
    ],
)
def test_faults_of_geojson_are_told(document: bytes, said: str):
    [(_, _, told_)] = faults(document)

    assert told_.startswith(said)


TEXT = st.text(max_size=200)
KEYS = st.sampled_from(["type", "coordinates", "id", "properties", "geometry", "label"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=200) | TEXT.map(str.encode) | TEXT.map(lambda text: f"label,a\n{text}".encode()))
def test_no_file_raises_anything(data: bytes):
    file = read(data)

    assert file.findings or all(line.label or line.uuid or line.data for line in file.lines)


@given(VALUES)
def test_no_feature_raises_anything(value: Any):
    file = read(collection(value, feature(value), feature(None, value, label="x", a=value)))

    assert file.findings

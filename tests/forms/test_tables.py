"""One instance as rows: a random form, a random instance of it, and no leaf lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from forms import instance, tables, values
from forms.schema import Field, Schema, Type

NAMES = st.sampled_from("abcde")
TEXT = st.one_of(
    st.sampled_from(["", " ", "5", "5.0", "x", "2026-08-15", "1 2 3 4", "true", "1.0E7"]),
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=8
    ),
)
TYPES: list[Type] = [
    "string",
    "int",
    "decimal",
    "boolean",
    "date",
    "time",
    "dateTime",
    "geopoint",
    "geotrace",
    "binary",
]


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """Groups, repeats and questions to depth 4."""
    fields: list[Field] = []

    def add(parent: str, depth: int) -> None:
        for name in draw(st.lists(NAMES, unique=True, max_size=4)):
            path = f"{parent}/{name}"
            kind = draw(st.sampled_from(["question", "question", "group", "repeat"])) if depth < 4 else "question"
            if kind == "question":
                fields.append(Field(path=path, name=name, kind="question", type=draw(st.sampled_from(TYPES))))
            else:
                fields.append(Field(path=path, name=name, kind=kind))  # type: ignore[arg-type]
                add(path, depth + 1)

    add("", 1)
    return Schema(form_id="f", version="", title="f", root="data", fields=tuple(fields))


@st.composite
def trees(draw: st.DrawFn) -> etree._Element:
    """Elements of the same names in any order, as often as it comes: of this version, of another one or of none."""
    root = etree.Element("data", id="f")

    def fill(element: etree._Element, depth: int) -> None:
        for name in draw(st.lists(NAMES, max_size=4)) if depth < 5 else ():
            child = etree.SubElement(element, name)
            if draw(st.booleans()):
                child.text = draw(TEXT)
            else:
                fill(child, depth + 1)

    fill(root, 1)
    etree.SubElement(etree.SubElement(root, "meta"), "instanceID").text = "uuid:1"
    return root


def leaves(element: etree._Element) -> Iterator[str]:
    """The texts of a tree that are not blank."""
    if not len(element) and (element.text or "").strip():
        yield element.text or ""
    for child in element:
        yield from leaves(child)


@given(schemas(), trees())
def test_every_leaf_is_in_one_row_a_misfit_or_blank(schema: Schema, root: etree._Element):
    read = instance.read(etree.tostring(root, encoding="utf-8"))

    rows, misfits = tables.rows_of(tables.Plan(schema), read, instance_id="uuid:1")

    types = {field.path: field.type or "string" for field in schema.fields}
    found = ["uuid:1"]
    for row in rows:
        for path in row.values.keys() | row.texts.keys():
            text = row.texts.get(path)
            found.append(text if text is not None else values.render(types[path], row.values[path]))
    lost = [misfit for misfit in misfits if misfit.reason != "type"]
    inside = [leaf for leaf in found if leaf.strip()]
    outside = "".join(sorted("".join(misfit.text for misfit in lost if misfit.text != "uuid:1")))
    sent = sorted(leaves(read.root))
    for leaf in inside:
        sent.remove(leaf)
    assert "".join("".join(sorted("".join(sent))).split()) == "".join(outside.split())  # blanks of every kind aside
    assert all(misfit.path in types for misfit in misfits if misfit.reason == "type")


@given(schemas(), trees())
def test_rows_know_their_parents_and_never_share_a_key(schema: Schema, root: etree._Element):
    read = instance.read(etree.tostring(root, encoding="utf-8"))

    rows, _ = tables.rows_of(tables.Plan(schema), read, instance_id="uuid:1")

    by_key = {row.key: row for row in rows}
    numbers = [(row.table, row.number) for row in rows]
    assert len(by_key) == len(rows)
    assert len(numbers) == len(set(numbers))
    assert (rows[0].table, rows[0].key, rows[0].parent_key) == ("", "uuid:1", None)
    for row in rows[1:]:
        assert row.parent_key is not None
        parent = by_key[row.parent_key]
        assert row.table.startswith(f"{parent.table}/")
        assert row.parent == (None if parent.table == "" else parent.number)


def rows_of(answers: str, *entries: tuple[str, str]) -> tuple[list[tables.Row], list[tables.Misfit]]:
    fields = tuple(
        Field(path=path, name=path.rpartition("/")[2], kind=kind)  # type: ignore[arg-type]
        if kind in ("group", "repeat")
        else Field(path=path, name=path.rpartition("/")[2], kind="question", type=kind)  # type: ignore[arg-type]
        for path, kind in entries
    )
    schema = Schema(form_id="f", version="", title="f", root="data", fields=fields)
    xml = f'<data id="f">{answers}<meta><instanceID>uuid:1</instanceID></meta></data>'
    rows, misfits = tables.rows_of(tables.Plan(schema), instance.read(xml.encode()), instance_id="uuid:1")
    return rows, [misfit for misfit in misfits if not misfit.path.startswith("/meta")]


@pytest.mark.parametrize(
    ("answers", "values_", "texts", "misfits"),
    [
        ("<q>5</q>", {"/q": 5}, {}, []),
        ("<q>5.0</q>", {"/q": 5}, {"/q": "5.0"}, []),
        ("<q> 5 </q>", {"/q": 5}, {"/q": " 5 "}, []),
        ("<q/>", {}, {}, []),
        ("<q>  </q>", {}, {"/q": "  "}, []),
        ("<q>x</q>", {}, {"/q": "x"}, [("type", "/q", "x")]),
        ("<q>5</q><q>6</q>", {"/q": 5}, {}, [("twice", "/q", "6")]),
        ("<q/><q>6</q>", {"/q": 6}, {}, []),
        ("<q>5<r>6</r>7</q>", {"/q": 5}, {}, [("unknown", "/q/r", "6"), ("unknown", "/q", "7")]),
        ("<z>1</z>", {}, {}, [("unknown", "/z", "1")]),
        ("<z/>", {}, {}, []),
        ("<meta><deprecatedID>uuid:0</deprecatedID></meta>", {}, {}, []),
    ],
)
def test_an_answer_is_a_value_a_text_or_a_misfit(
    answers: str, values_: dict[str, object], texts: dict[str, str], misfits: list[tuple[str, str, str]]
):
    (row,), found = rows_of(answers, ("/q", "int"))

    assert (row.values, row.texts) == (values_, texts)
    assert [(misfit.reason, misfit.path, misfit.text) for misfit in found] == misfits


def test_repeats_of_a_group_that_came_twice_are_counted_on():
    """An instance of a version in which the group was a repeat."""
    rows, _ = rows_of("<g><r/><r/></g><g><r/></g>", ("/g", "group"), ("/g/r", "repeat"))

    assert [row.key for row in rows] == ["uuid:1", "uuid:1/g/r[1]", "uuid:1/g/r[2]", "uuid:1/g/r[3]"]

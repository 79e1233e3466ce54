"""Which column a question gets, over every version of its form: decisions as tables of cases."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.schema import Field, Schema, Type
from server.tables.layout import NAME_LENGTH, PART_WIDTH, Layout, Widening, physical_names, widen

TYPES: tuple[Type, ...] = (
    "string",
    "int",
    "decimal",
    "boolean",
    "date",
    "time",
    "dateTime",
    "geopoint",
    "geotrace",
    "geoshape",
    "binary",
    "barcode",
)


def schema(*entries: str) -> Schema:
    """A schema from lines such as `/g group`, `/g/edad int`, `/m repeat`."""
    fields = []
    for entry in entries:
        path, _, kind = entry.partition(" ")
        name = path.rpartition("/")[2]
        if kind in ("group", "repeat"):
            fields.append(Field(path=path, name=name, kind=kind))
        else:
            fields.append(Field(path=path, name=name, kind="question", type=kind))
    return Schema(form_id="f", version="1", title="F", root="data", fields=tuple(fields))


def after(*versions: Schema, renamed: dict[str, str] | None = None, form_name: str = "hogar") -> Widening:
    """The widening that the last version asks for, the earlier ones applied."""
    layout = Layout()
    widening = widen(layout, versions[0], form_name=form_name)
    for version in versions[1:]:
        widening = widen(widening.layout, version, form_name=form_name, renamed=renamed)
    return widening


def columns(widening: Widening, table: str = "") -> list[tuple[str, Type]]:
    return [(column.name, column.type) for column in widening.layout.table(table).columns]


@pytest.mark.parametrize("type_", TYPES)
def test_the_same_question_again_changes_nothing(type_: Type):
    widening = after(schema(f"/q {type_}"), schema(f"/q {type_}"))

    assert (widening.new_tables, widening.new_columns, widening.widened, widening.renamed) == ((), (), (), ())


WIDER = {
    ("int", "decimal"): "decimal",
    ("int", "string"): "string",
    ("decimal", "string"): "string",
    ("int", "binary"): "string",
    ("int", "barcode"): "string",
    ("decimal", "binary"): "string",
    ("decimal", "barcode"): "string",
}
SAME = {
    ("decimal", "int"): "decimal",
    ("string", "binary"): "string",
    ("string", "barcode"): "string",
    ("binary", "barcode"): "string",
    ("binary", "string"): "string",
    ("barcode", "string"): "string",
    ("barcode", "binary"): "string",
}


@pytest.mark.parametrize(("before", "now"), [*itertools.permutations(TYPES, 2)])
def test_another_type_widens_the_column_keeps_it_or_gets_one_beside_it(before: Type, now: Type):
    widening = after(schema(f"/q {before}"), schema(f"/q {now}"))

    if (before, now) in WIDER:
        assert columns(widening) == [("q", WIDER[before, now])]
        assert [(old.type, new.type) for _, old, new in widening.widened] == [(before, WIDER[before, now])]
    elif (before, now) in SAME:
        assert columns(widening) == [("q", SAME[before, now])]
        assert (widening.new_columns, widening.widened) == ((), ())
    else:
        held = "string" if before in ("binary", "barcode") else before
        wanted = "string" if now in ("binary", "barcode") else now
        ((name, type_), (own, own_type)) = columns(widening)
        assert (name, type_, own_type) == ("q", held, wanted)
        assert own != "q"
        assert len(widening.new_columns) == 1


def test_int_then_decimal_then_text_is_one_column_that_takes_all_three():
    widening = after(schema("/q int"), schema("/q decimal"), schema("/q string"), schema("/q int"))

    assert columns(widening) == [("q", "string")]
    (column,) = widening.layout.table("").columns
    assert column.accepts == ("int", "decimal", "string")


def test_going_back_to_a_type_that_has_a_column_uses_it():
    widening = after(schema("/q date"), schema("/q string"), schema("/q date"), schema("/q string"))

    assert columns(widening) == [("q", "date"), ("q_string", "string")]
    assert (widening.new_columns, widening.widened) == ((), ())


def test_a_renamed_question_keeps_its_column():
    widening = after(schema("/q int"), schema("/edad int"), renamed={"/q": "/edad"})

    (column,) = widening.layout.table("").columns
    assert (column.name, column.paths) == ("q", ("/q", "/edad"))
    assert (widening.new_columns, [one.name for one in widening.renamed]) == ((), ["q"])


def test_a_renamed_question_of_another_type_is_widened_under_its_old_name():
    widening = after(schema("/q int"), schema("/edad decimal"), renamed={"/q": "/edad"})

    assert columns(widening) == [("q", "decimal")]


def test_a_renamed_repeat_keeps_its_table_and_what_is_in_it():
    widening = after(
        schema("/m repeat", "/m/q int"), schema("/p repeat", "/p/q int"), renamed={"/m": "/p", "/m/q": "/p/q"}
    )

    assert (widening.new_tables, widening.new_columns) == ((), ())
    assert widening.layout.table("/p").name == "hogar_m"
    assert widening.layout.table("/p").columns[0].paths == ("/m/q", "/p/q")


def test_a_question_moved_to_another_place_without_saying_so_is_another_question():
    widening = after(schema("/q int"), schema("/g group", "/g/q int"))

    assert columns(widening) == [("q", "int"), ("g_q", "int")]


def test_a_question_that_was_removed_keeps_its_column():
    assert columns(after(schema("/q int", "/r int"), schema("/r int"))) == [("q", "int"), ("r", "int")]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/edad"], ["edad"]),
        (["/Edad", "/EDAD", "/edad"], ["edad", "edad_int", "edad_2"]),
        (["/g/q", "/h/q", "/i/q"], ["q", "h_q", "i_q"]),
        (["/niño", "/nino"], ["nino", "nino_int"]),
        (["/año", "/ano", "/áño"], ["ano", "ano_int", "ano_2"]),
        (["/人口", "/年"], ["q", "q_int"]),
        (["/select", "/order", "/table", "/user"], ["select", "order", "table", "user"]),
        (["/_id", "/_key", "/__x"], ["id", "key", "x"]),
        (["/a-b", "/a.b", "/a_b"], ["a_b", "a_b_int", "a_b_2"]),
        (["/1a"], ["q_1a"]),
        (["/" + "a" * 60, "/" + "a" * 61], ["a" * 44, "a" * 44 + "_2"]),
    ],
)
def test_names_of_columns_are_plain_and_never_collide(paths: list[str], names: list[str]):
    groups = [f"/{path.split('/')[1]} group" for path in paths if path.count("/") > 1]

    assert [name for name, _ in columns(after(schema(*groups, *(f"{path} int" for path in paths))))] == names


def test_names_do_not_collide_with_the_four_columns_of_a_point():
    widening = after(
        schema("/gps geopoint", "/gps_latitude decimal", "/hora time", "/hora_text string", "/GPS geopoint")
    )

    physical = [name for column in widening.layout.table("").columns for name in column.names]
    assert len(physical) == len(set(physical)) == 4 + 1 + 2 + 1 + 4


def test_tables_of_two_forms_never_share_a_name():
    taken = {"hogar", "hogar_m", "hogar_m_2"}
    widening = widen(Layout(), schema("/m repeat", "/m/q int"), form_name="Hogar", taken=taken)

    assert [table.name for table in widening.new_tables] == ["hogar_2", "hogar_m_3"]


def test_a_table_never_takes_the_name_of_a_part_of_another():
    """A form of many questions is kept in `censo`, `censo_part2`, …: no form may be called like a part."""
    widening = widen(Layout(), schema("/q int"), form_name="censo_part2")

    assert widening.new_tables[0].name != "censo_part2"


def test_many_questions_are_parted_and_a_later_one_fills_the_last_part():
    many = [f"/q{number} geopoint" for number in range(150)]
    widening = after(schema(*many), schema(*many, "/nueva int"))

    table = widening.layout.table("")
    width = [sum(len(c.names) for c in table.columns if c.part == part) for part in range(1, table.parts + 1)]
    assert width == [PART_WIDTH, 150 * 4 - PART_WIDTH + 1]


NAMES = st.text(st.sampled_from("aAbñÑ_1é.-人"), min_size=1, max_size=60)


@given(st.lists(st.lists(st.tuples(NAMES, st.sampled_from(TYPES)), max_size=12), min_size=1, max_size=4))
def test_any_versions_give_every_question_one_column_and_every_name_once(versions: list[list[tuple[str, Type]]]):
    layout = Layout()
    for version in versions:
        asked = {f"/{name}": type_ for name, type_ in version}
        before = {name for table in layout.tables for column in table.columns for name in column.names}
        widening = widen(layout, schema(*(f"{path} {type_}" for path, type_ in asked.items())), form_name="f")
        layout = widening.layout

        names = [name for column in layout.table("").columns for name in column.names]
        assert len(names) == len({name.lower() for name in names})
        assert all(len(name) <= NAME_LENGTH + 19 and name.isascii() and not name.startswith("_") for name in names)
        for path, type_ in asked.items():
            column = layout.find_column("", path, type_)
            assert column is not None
            assert column.names == physical_names(column.name, column.type)
        kept = {name for name in before if name in names}
        lost = {name for _, old, _ in widening.widened for name in old.names}
        assert before - kept <= lost

"""Any text for any type, any tree for any form: read without an exception, and nothing of it lost."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms import instance, tables, values, xform
from forms.problems import Problem
from forms.schema import Type

TYPES: tuple[Type, ...] = (
    "string", "int", "decimal", "boolean", "date", "time", "dateTime", "geopoint", "geotrace", "geoshape", "binary",
    "barcode",
)  # fmt: skip
XML_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FORM = """<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
 xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>f</h:title><model><instance><data id="f" version="1">
 <a/><g><b/></g><r jr:template=""><c/><s jr:template=""><d/></s></r><meta><instanceID/></meta></data></instance>
 <bind nodeset="/data/a" type="int"/><bind nodeset="/data/g/b" type="string"/><bind nodeset="/data/r/c" type="decimal"/>
 <bind nodeset="/data/r/s/d" type="date"/></model></h:head><h:body><input ref="/data/a"/><group ref="/data/g">
 <input ref="/data/g/b"/></group><group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/c"/>
 <group ref="/data/r/s"><repeat nodeset="/data/r/s"><input ref="/data/r/s/d"/></repeat></group></repeat></group>
 </h:body></h:html>"""
SCHEMA = xform.read(FORM.encode())
PLAN = tables.Plan(SCHEMA)


@given(
    st.sampled_from(TYPES), st.one_of(st.text(max_size=60), st.from_regex(r"[0-9eE+\-.:TZ; ]{0,40}", fullmatch=True))
)
def test_any_text_is_a_value_or_a_misfit(type_: Type, text: str):
    try:
        value = values.parse(type_, text)
    except values.MisfitError:
        return
    if value is not None:
        assert values.parse(type_, values.render(type_, value)) == value or type_ in values.KEEPS_TEXT


@given(st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_come_back_as_they_were(number: int):
    assert values.parse("int", str(number)) == number
    assert values.render("int", number) == str(number)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_decimals_come_back_to_the_last_bit(number: float):
    assert values.parse("decimal", repr(number)) == number


@given(st.datetimes(datetime(1900, 1, 1), datetime(2199, 1, 1)), ZONES)  # noqa: DTZ001  the zone is drawn beside it
def test_moments_are_the_same_moment_in_every_zone(moment: datetime, zone: timezone):
    text = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=zone).isoformat(timespec="milliseconds")

    assert values.parse("dateTime", text) == datetime.fromisoformat(text).astimezone(UTC)


@given(st.times(), ZONES)
def test_times_are_local(moment: time, zone: timezone):
    text = moment.replace(microsecond=0, tzinfo=zone).isoformat(timespec="milliseconds")

    assert values.parse("time", text) == moment.replace(microsecond=0, tzinfo=None)


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("int", "3.5"), ("int", "9223372036854775808"), ("int", "1_000"), ("int", "٣"), ("decimal", "nan"),
        ("decimal", "1e999"), ("decimal", "1,5"), ("boolean", "sí"), ("date", "2026-02-30"), ("date", "12/05/2026"),
        ("time", "25:00:00"), ("dateTime", "2026-01-01T10:00:00.000"), ("dateTime", "0001-01-01T00:00:00.000+14:00"),
        ("geopoint", "91 0"), ("geopoint", "8.5"), ("geotrace", "8.5 -82 0 0"), ("geoshape", "8 -82; 9 -82"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(type_: Type, text: str):
    with pytest.raises(values.MisfitError):
        values.parse(type_, text)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_instance_or_a_problem(data: bytes):
    try:
        read = instance.read(data)
    except Problem:
        return
    assert read.xml == data


@given(XML_TEXT, XML_TEXT, st.lists(st.tuples(XML_TEXT, st.lists(XML_TEXT, max_size=3)), max_size=4), XML_TEXT)
def test_every_text_of_an_instance_is_in_one_row_or_a_misfit(
    a: str, b: str, repeats: list[tuple[str, list[str]]], x: str
):
    inner = "".join(
        f"<r><c>{escape(c)}</c>" + "".join(f"<s><d>{escape(d)}</d></s>" for d in days) + "</r>" for c, days in repeats
    )
    data = (
        f'<data id="f" version="1"><a>{escape(a)}</a><g><b>{escape(b)}</b></g>{inner}<unknown>{escape(x)}</unknown>'
        "<meta><instanceID>uuid:1</instanceID></meta></data>"
    )

    rows, misfits = tables.rows_of(PLAN, instance.read(data.encode()), instance_id="uuid:1")

    kept = [text for row in rows for text in _texts(row)] + [
        misfit.text for misfit in misfits if misfit.reason != "type"
    ]
    sent = [a, b, *(text for c, days in repeats for text in (c, *days)), x if x.strip() else "", "uuid:1"]
    assert sorted(kept) == sorted(text for text in sent if text)
    assert [row.table for row in rows].count("/r") == len(repeats)
    assert [row.key for row in rows] == list(dict.fromkeys(row.key for row in rows))


@pytest.mark.parametrize("forbidden", ["\x01", "&#29;", "&#x1F;", "\x0b"])
def test_control_characters_are_dropped_and_the_rest_is_read(forbidden: str):
    data = f'<data id="f"><a>Ngä{forbidden}be</a><meta><instanceID>uuid:1</instanceID></meta></data>'.encode()

    read = instance.read(data)

    assert read.root[0].text == "Ngäbe"
    assert read.xml == data


def test_entities_of_a_doctype_are_never_read():
    bomb = '<!DOCTYPE d [<!ENTITY a "x">]><data id="f"><a>&a;</a><meta><instanceID>1</instanceID></meta></data>'

    with pytest.raises(Problem, match="DOCTYPE"):
        instance.read(bomb.encode())
    with pytest.raises(Problem):
        instance.read(bomb.encode("utf-16"))


def _texts(row: tables.Row) -> list[str]:
    paths = row.values.keys() | row.texts.keys()
    types = {field.path: field.type for field in SCHEMA.fields}
    return [row.texts.get(path) or values.render(types[path] or "string", row.values[path]) for path in paths]

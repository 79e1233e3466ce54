"""What phones write for each type, and the value that it is: a table."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from forms import values
from forms.schema import Type


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("string", " a ", " a "),
        ("binary", "a.jpg", "a.jpg"),
        ("barcode", "\t7501", "\t7501"),
        ("int", "5", 5),
        ("int", " -5 ", -5),
        ("int", "+5", 5),
        ("int", "007", 7),
        ("int", "5.0", 5),
        ("int", "1.0E7", 10_000_000),
        ("int", str(2**63 - 1), 2**63 - 1),
        ("int", str(-(2**63)), -(2**63)),
        ("decimal", "5.0", 5.0),
        ("decimal", "5", 5.0),
        ("decimal", ".5", 0.5),
        ("decimal", "5.", 5.0),
        ("decimal", "8.6399E-4", 0.00086399),
        ("decimal", "1e-400", 0.0),
        ("boolean", "true", True),
        ("boolean", "1", True),
        ("boolean", "FALSE", False),
        ("boolean", "0", False),
        ("date", "2026-08-15", date(2026, 8, 15)),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("date", "2026-08-15T23:59:59.000-05:00", date(2026, 8, 15)),
        ("time", "17:37:00.000-05:00", time(17, 37)),
        ("time", "17:37", time(17, 37)),
        ("time", "17:37:01.123456789Z", time(17, 37, 1, 123456)),
        ("time", "00:00:00.000+0530", time(0, 0)),
        ("dateTime", "2026-08-15T17:37:00.000-05:00", datetime(2026, 8, 15, 22, 37, tzinfo=UTC)),
        ("dateTime", "2026-08-15T17:37:00.000Z", datetime(2026, 8, 15, 17, 37, tzinfo=UTC)),
        ("dateTime", "2026-08-15T17:37-05", datetime(2026, 8, 15, 22, 37, tzinfo=UTC)),
        ("dateTime", "2026-08-15T17:37:00.1-0500", datetime(2026, 8, 15, 22, 37, 0, 100_000, tzinfo=UTC)),
        ("dateTime", "1970-01-01T00:00:00.000Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("geopoint", "8.9 -79.5 12.5 4.0", (8.9, -79.5, 12.5, 4.0)),
        ("geopoint", "8.9 -79.5", (8.9, -79.5, None, None)),
        ("geopoint", "8.9 -79.5 12", (8.9, -79.5, 12.0, None)),
        ("geopoint", "0 0 0 0", None),
        ("geopoint", "0 0", (0.0, 0.0, None, None)),
        ("geotrace", "1 2 3 4;5 6 7 8", '{"type":"LineString","coordinates":[[2.0,1.0,3.0],[6.0,5.0,7.0]]}'),
        ("geoshape", "0 0;0 1;1 1", '{"type":"Polygon","coordinates":[[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.0]]]}'),
    ],
)
def test_text_is_the_value_of_its_type(type_: Type, text: str, value: Any):
    parsed = values.parse(type_, text)

    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        *(
            ("int", text)
            for text in ("", "cinco", "5.5", "5,0", "0x10", "1e", "9223372036854775808", "1e300", "٥", "NaN")
        ),
        *(("decimal", text) for text in ("", "1,5", "NaN", "Infinity", "-inf", "1e400", "1.5.2", "--1", "1 000")),
        *(("boolean", text) for text in ("", "yes", "sí", "2", "t")),
        *(("date", text) for text in ("", "15/08/2026", "2026-2-3", "2026-02-30", "0000-01-01", "2026-13-01", "ayer")),
        *(("time", text) for text in ("", "24:00", "17:60", "17", "5:37 PM", "17:37:61")),
        *(("dateTime", text) for text in ("", "2026-08-15", "2026-08-15T17:37:00", "2026-08-15T25:00Z")),
        *(
            ("dateTime", text)
            for text in ("0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "2026-08-15T10:00+25:00")
        ),
        *(
            ("geopoint", text)
            for text in ("", "8.9", "a b", "91 0", "0 181", "1 2 3 4 5", "NaN 0", "1,2 3,4", "1e400 0")
        ),
        *(("geotrace", text) for text in ("", ";", "1 2", "1 2; x y", "1 2 3 4; 95 0 0 0")),
        *(("geoshape", text) for text in ("", "1 2; 3 4", "1 2; 3 4; 1 2", "1 2; x")),
    ],
)
def test_text_that_is_no_value_is_a_misfit(type_: Type, text: str):
    with pytest.raises(values.MisfitError):
        values.parse(type_, text)


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("int", "5"),
        ("int", "-9223372036854775808"),
        ("decimal", "5.0"),
        ("decimal", "0.1"),
        ("date", "2026-08-15"),
        ("string", "ñ"),
        ("geopoint", "8.9 -79.5 0.0 0.0"),
        ("boolean", "true"),
    ],
)
def test_what_the_phone_wrote_is_written_again(type_: Type, text: str):
    assert values.render(type_, values.parse(type_, text)) == text
